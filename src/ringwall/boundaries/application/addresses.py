"""The host of a URL or of a bare name, read as the most generous client would read it.

Clients accept many spellings of one address: ``2130706433``, ``0x7f.1``, ``0177.0.0.1``,
``[::ffff:7f00:1]``, ``１２７.0.0.1``, ``good.example@127.0.0.1``, ``127.0.0.1.``.
All are brought to one form before any list is asked.
Sources: WHATWG URL Standard (host parsing), RFC 6890 and the IANA special-purpose registries.
"""

import ipaddress
import re
import unicodedata
from dataclasses import dataclass, replace
from urllib.parse import unquote

IPAddress = ipaddress.IPv4Address | ipaddress.IPv6Address

_SCHEME = re.compile(r"^[A-Za-z][A-Za-z0-9+.\-]*:(?=[\\/])")
_RAW_AUTHORITY = re.compile(r"(?:[A-Za-z][A-Za-z0-9+.\-]*:(?=[\\/]))?/*([^/?#]*)")
_LABEL = re.compile(r"^[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?$")
_DOTS = str.maketrans({"。": ".", "．": ".", "｡": "."})
_DEVIATIONS = frozenset("ß\u03c2\u200c\u200d")
"""Older clients read ``straße.example`` as ``strasse.example``, newer ones as another host (UTS 46)."""
_LOCAL_NAMES = frozenset(
    {
        "localhost",
        "localhost.localdomain",
        "ip6-localhost",
        "ip6-loopback",
        "metadata",
        "metadata.google.internal",
        "instance-data",
        "broadcasthost",
    }
)
_LOCAL_SUFFIXES = (
    ".localhost",
    ".local",
    ".internal",
    ".localdomain",
    ".home.arpa",
    ".svc",
    ".cluster.local",
)
# Public services that answer with the address written in the name: a known way round lists of names.
_REBINDERS = (
    ".nip.io",
    ".sslip.io",
    ".xip.io",
    ".localtest.me",
    ".lvh.me",
    ".lacolhost.com",
    ".vcap.me",
    ".1u.ms",
    ".rbndr.us",
)
_METADATA = frozenset(
    map(
        ipaddress.ip_address,
        (
            "169.254.169.254",
            "169.254.170.2",
            "169.254.170.23",
            "100.100.100.200",
            "192.0.0.192",
            "fd00:ec2::254",
            "fd00:ec2::23",
            "fd20:ce::254",
            "168.63.129.16",
        ),
    )
)
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
_TRANSLATED = ipaddress.IPv6Network("::ffff:0:0:0/96")
_GLOBAL_6 = ipaddress.IPv6Network("2000::/3")
"""All that has been given out to hosts; what lies elsewhere is special."""
_TUNNELS = tuple(
    map(
        ipaddress.ip_network,
        (
            "192.88.99.0/24",  # relays of 6to4
            "2002::/16",  # 6to4
            "2001::/32",  # Teredo
            "::/96",  # IPv4-compatible
            str(_TRANSLATED),  # IPv4-translated (SIIT)
            "64:ff9b:1::/48",  # local NAT64
        ),
    )
)
"""Ways to write an IPv4 address into another one. Nothing public is reached only through them."""
_ISATAP = frozenset({0x00005EFE, 0x02005EFE})
"""Upper half of the interface identifier; the lower half is an IPv4 address (RFC 5214)."""
_SPECIAL = tuple(map(ipaddress.ip_network, ("3fff::/20", "5f00::/16", "2001:20::/28", "fec0::/10")))
"""Special ranges that not every version of the standard library knows (RFC 9637, 9602, 7343, 3879)."""


@dataclass(frozen=True, slots=True)
class Host:
    """Either a name or an address; neither when the text holds no host that could be read."""

    name: str = ""
    """ASCII (IDNA), lower case, no trailing dot."""
    address: IPAddress | None = None
    problem: str = ""
    """Why it is refused whatever the lists say; empty when it isn't."""


def host_of(text: str) -> Host:
    """The host that a client would contact for this URL, authority or host name. Never raises."""
    try:
        host = _read(text)
    except (ValueError, UnicodeError):
        return Host(problem="the address can't be read")
    if not host.problem and _ambiguous(text):
        return replace(host, problem="the address can be read in more than one way")
    return host


def _ambiguous(text: str) -> bool:
    """A user part, a backslash, a percent sign or a control character before the path: clients disagree."""
    match = _RAW_AUTHORITY.match(text.strip())
    authority = match.group(1) if match else ""
    return any(sign in "\\@%" or ord(sign) < 32 for sign in authority)


def refused(address: IPAddress) -> str:
    """Why an address must not be contacted from a tool; empty when it may be."""
    plain = _unwrapped(address)
    if is_metadata(address):
        return "a metadata or link-local address"
    if plain.is_loopback:
        return "a loopback address"
    if plain.is_multicast or plain.is_unspecified or plain.is_reserved:
        return "an address of no single host"
    if plain.is_private or not plain.is_global or any(plain in net for net in _SPECIAL):
        return "a private address"
    if _tunnelled(address) or _tunnelled(plain):
        return "an address written inside of another one"
    return ""


def is_metadata(address: IPAddress) -> bool:
    """Instance metadata and everything link-local: refused even where private addresses are allowed."""
    plain = _unwrapped(address)
    return plain.is_link_local or plain in _METADATA or address in _METADATA


def _tunnelled(address: IPAddress) -> bool:
    if any(address in net for net in _TUNNELS):
        return True
    return address.version == 6 and (
        (address not in _GLOBAL_6 and address not in _NAT64 and address.ipv4_mapped is None)
        or _isatap(address)
    )


def _isatap(address: ipaddress.IPv6Address) -> bool:
    return (int(address) >> 32) & 0xFFFFFFFF in _ISATAP


def _unwrapped(address: IPAddress) -> IPAddress:
    """The IPv4 address that is written into an IPv6 one, where there is one."""
    if isinstance(address, ipaddress.IPv4Address):
        return address
    if address.ipv4_mapped is not None:
        return address.ipv4_mapped
    if address.sixtofour is not None:
        return address.sixtofour
    if address.teredo is not None:
        return address.teredo[1]
    compatible = int(address) >> 32 == 0 and int(address) > 1
    if compatible or address in _NAT64 or address in _TRANSLATED or _isatap(address):
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return address


def _read(text: str) -> Host:
    authority = _authority(text)
    if authority.startswith("["):
        inside, bracket, _ = authority[1:].partition("]")
        if not bracket:
            return Host(problem="the address can't be read")
        return _addressed(ipaddress.IPv6Address(inside.partition("%")[0]))
    if authority.count(":") > 1:
        return _addressed(ipaddress.IPv6Address(authority.partition("%")[0]))
    raw = unquote(authority.partition(":")[0]).translate(_DOTS)
    name = unicodedata.normalize("NFKC", raw).lower().translate(_DOTS).replace("\u00ad", "").rstrip(".")
    if not name:
        return Host()
    if any(sign in name for sign in "/\\?#@:%") or any(ord(sign) <= 32 for sign in name):
        return Host(problem="the address can't be read")
    if not _DEVIATIONS.isdisjoint(name):
        return Host(problem="the address can be read in more than one way")
    address = _legacy_ipv4(name)
    if address is not None:
        return _addressed(address)
    return _named(name)


def _authority(text: str) -> str:
    """What stands between the scheme and the path, without the user part. Backslashes are slashes."""
    plain = "".join(sign for sign in text.strip() if sign not in "\t\r\n").replace("\\", "/")
    plain = _SCHEME.sub("", plain, count=1).lstrip("/")
    authority = re.split(r"[/?#]", plain, maxsplit=1)[0]
    return authority.rpartition("@")[2]


def _addressed(address: IPAddress) -> Host:
    why = refused(address)
    return Host(address=address, problem=f"it is {why}" if why else "")


def _named(name: str) -> Host:
    ascii_name = name if name.isascii() else name.encode("idna").decode()
    labels = ascii_name.split(".")
    if len(ascii_name) > 253 or not all(_LABEL.match(label) for label in labels):
        return Host(problem="the address can't be read")
    if ascii_name in _LOCAL_NAMES or ascii_name.endswith(_LOCAL_SUFFIXES):
        return Host(ascii_name, problem="it is the name of a local host")
    if ascii_name.endswith(_REBINDERS):
        return Host(ascii_name, problem="it is a name that stands for any address")
    return Host(ascii_name)


def _legacy_ipv4(name: str) -> ipaddress.IPv4Address | None:
    """``inet_aton`` spellings: one to four decimal, octal or hexadecimal parts, the last one filling up."""
    parts = name.split(".")
    last = parts[-1]
    if not (last.isdigit() and last.isascii()) and not re.fullmatch(r"0x[0-9a-f]*", last):
        return None
    if len(parts) > 4:
        raise ValueError("too many parts")
    numbers = [_number(part) for part in parts]
    if any(number > 255 for number in numbers[:-1]) or numbers[-1] >= 256 ** (5 - len(numbers)):
        raise ValueError("out of range")
    value = numbers[-1]
    for index, number in enumerate(numbers[:-1]):
        value += number << (8 * (3 - index))
    return ipaddress.IPv4Address(value)


def _number(part: str) -> int:
    if not part or len(part) > 20:
        raise ValueError("no number")
    if part.startswith("0x"):
        return int(part[2:] or "0", 16)
    if part.startswith("0") and len(part) > 1:
        return int(part, 8)
    return int(part, 10)
