"""What leaves this machine is encrypted on the wire: one rule for all addresses in a configuration."""

import ipaddress
from urllib.parse import parse_qs, urlsplit

_VERIFYING = frozenset({"verify-full", "verify-ca"})


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


def postgres_tls_problem(url: str, what: str) -> str:
    """What is wrong with the address of a PostgreSQL server; empty when the connection will be encrypted and
    the server's certificate checked (``sslmode=verify-full`` or ``verify-ca``), or stays on this machine."""
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
    except ValueError:
        return f"{what} is no address: write postgresql://HOST/DATABASE?sslmode=verify-full."
    if parts.scheme not in ("postgresql", "postgres"):
        return f"{what} is no address: write postgresql://HOST/DATABASE?sslmode=verify-full."
    query = parse_qs(parts.query)
    named = query.get("host", [])
    hosts = named or [host]
    if all(not name or name.startswith("/") or loopback(name) for name in hosts):
        return ""
    if query.get("sslmode", [""])[-1] not in _VERIFYING:
        return f"{what} needs sslmode=verify-full: the server's certificate has to be checked."
    return ""
