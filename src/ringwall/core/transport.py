"""What leaves this machine is encrypted on the wire: one rule for all addresses in a configuration."""

import ipaddress
from urllib.parse import urlsplit


def loopback(host: str) -> bool:
    """Whether a host is this machine itself."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def tls_problem(url: str, what: str) -> str:
    """What is wrong with an address of a service; empty when it is ``https``, or on this machine.

    An address with a user or a password in it is refused as well: it would end up in logs.
    """
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
        parts.port  # noqa: B018 - raises for a port that is none
    except ValueError:
        return f"{what} is no address: write https://HOST."
    if not host or parts.scheme not in ("http", "https"):
        return f"{what} is no address: write https://HOST."
    if parts.username is not None or parts.password is not None:
        return f"{what} has a user or password in it: credentials come from the environment."
    if parts.scheme != "https" and not loopback(host):
        return f"{what} must be https: what is stored may not cross the network in clear."
    return ""
