"""One turn: a request to the gateway, from the first gate to the last byte of the answer."""
