"""Ways to write an address that tools must not reach, by the kinds that bypass lists are made of.

Kinds after: PayloadsAllTheThings and cujanovic (SSRF), OWASP (SSRF prevention), Tsai (parser differentials),
the WHATWG URL Standard (host parsing), RFC 6052, 4380, 3056, 5214 and 2765 (IPv4 inside of IPv6).
"""

import ipaddress
import itertools
from collections.abc import Iterator
from urllib.parse import quote

ALLOWED = "shop.example"
PRIVATE_4 = (
    *("127.0.0.1", "127.255.3.2", "10.0.0.1", "172.16.5.4", "192.168.1.1", "169.254.169.254", "100.64.1.1"),
    *("0.0.0.0", "255.255.255.255", "224.0.0.1", "198.18.0.1", "192.0.2.1", "198.51.100.7", "203.0.113.9"),
    *("240.0.0.1", "168.63.129.16", "100.100.100.200", "192.0.0.192", "192.88.99.1", "169.254.170.2"),
)
PRIVATE_6 = (
    *("::", "::1", "fe80::1", "fec0::1", "fc00::1", "fd00:ec2::254", "fd12:3456::1", "ff02::1", "100::1"),
    *(
        "2001:db8::1",
        "3fff::1",
        "5f00::1",
        "2001:10::1",
        "2001:20::1",
        "2001:2::1",
        "4000::1",
        "fd20:ce::254",
    ),
)
DIGITS = ("０１２３４５６７８９", "⓪①②③④⑤⑥⑦⑧⑨", "⁰¹²³⁴⁵⁶⁷⁸⁹", "𝟘𝟙𝟚𝟛𝟜𝟝𝟞𝟟𝟠𝟡", "₀₁₂₃₄₅₆₇₈₉")
DOTS = "．。｡"


def numbers(value: int) -> tuple[str, ...]:
    """One part in every radix that ``inet_aton`` reads."""
    return str(value), f"0{value:o}", f"000{value:o}", f"0x{value:x}", f"0X{value:X}", f"0x000{value:x}"


def legacy(text: str) -> Iterator[str]:
    """One to four parts, each radix, and some that mix them."""
    octets = [int(part) for part in text.split(".")]
    for count in (1, 2, 3, 4):
        tail = int.from_bytes(bytes(octets[count - 1 :]))
        parts = [numbers(value) for value in (*octets[: count - 1], tail)]
        yield from (".".join(spelled) for spelled in zip(*parts, strict=True))
        yield ".".join(part[index % len(part)] for index, part in enumerate(parts, 1))


def embedded(text: str) -> Iterator[str]:
    """The address inside of IPv6, as each transition mechanism writes it."""
    value = int(ipaddress.IPv4Address(text))
    high, low = f"{value >> 16:x}", f"{value & 0xFFFF:x}"
    yield from (f"::ffff:{text}", f"::ffff:{high}:{low}", f"0:0:0:0:0:ffff:{high}:{low}")
    yield from (
        f"::FFFF:{high.upper()}:{low.upper()}",
        f"::{text}",
        f"::ffff:0:{text}",
        f"::ffff:0:{high}:{low}",
    )
    yield from (
        f"64:ff9b::{text}",
        f"64:ff9b::{high}:{low}",
        f"64:ff9b:1::{text}",
        f"64:ff9b:1:{high}:0:{low}::",
    )
    yield from (f"2002:{high}:{low}::", f"2002:{high}:{low}::1", f"2001:0:{high}:{low}::1")
    inverted = value ^ 0xFFFFFFFF
    yield f"2001:0:808:808:0:0:{inverted >> 16:x}:{inverted & 0xFFFF:x}"
    yield from (f"2001:4860::5efe:{high}:{low}", f"2a00:1450::200:5efe:{high}:{low}", f"fe80::5efe:{text}")


def hosts() -> Iterator[str]:
    """As they stand in an authority."""
    for text in PRIVATE_4:
        yield from legacy(text)
        yield from (
            text + ".",
            text + "..",
            f"{text}%00",
            f"%00{text}",
            quote(text, safe="").replace(".", "%2e"),
        )
        yield "".join(f"%{ord(sign):02x}" for sign in text)
        yield "".join(f"%25{ord(sign):02x}" for sign in text)
        for digits in DIGITS:
            yield text.translate({ord("0") + index: digit for index, digit in enumerate(digits)})
        yield from (text.replace(".", dot) for dot in DOTS)
        yield from (f"[{inner}]" for inner in embedded(text))
    for text in PRIVATE_6:
        full = ipaddress.IPv6Address(text).exploded
        yield from (
            f"[{text}]",
            f"[{full}]",
            f"[{full.upper()}]",
            f"[{text}%25eth0]",
            f"[{text}%eth0]",
            f"[{text}%251]",
        )
    yield from names()


def names() -> Iterator[str]:
    yield from ("localhost", "LOCALHOST", "localhost.", "LocalHost.localdomain", "a.localhost", "ⓛⓞⓒⓐⓛⓗⓞⓢⓣ")
    yield from (
        "ｌｏｃａｌｈｏｓｔ",
        "loc%61lhost",
        "l\u00adocalhost",
        "ip6-localhost",
        "ip6-loopback",
        "broadcasthost",
    )
    yield from ("metadata", "metadata.google.internal", "METADATA.google.internal.", "instance-data")
    yield from ("x.ec2.internal", "printer.local", "router.home.arpa", "kubernetes.default.svc")
    yield from (
        "kubernetes.default.svc.cluster.local",
        "127.0.0.1.nip.io",
        "7f000001.nip.io",
        "a-127-0-0-1.sslip.io",
    )
    yield from (
        "spoofed.lvh.me",
        "x.localtest.me",
        "a.lacolhost.com",
        "1u.ms.1u.ms",
        "7f000001.c0a80001.rbndr.us",
    )
    yield from ("127.0.0.1.xip.io", "a.vcap.me")


def wrapped(host: str) -> Iterator[str]:
    """Whole URLs that lead to the host in the eyes of some client, and to the listed one in others'."""
    for scheme in ("http", "https"):
        yield f"{scheme}://{host}/"
    yield from (f"http://{host}:80/latest/", f"http:/{host}/", f"http:///{host}/", f"http:\\\\{host}\\")
    yield from (f"http://{ALLOWED}@{host}/", f"http://{ALLOWED}:80@{host}/", f"http://{ALLOWED}%40@{host}/")
    yield from (f"http://{ALLOWED}\\@{host}/", f"http://{host}\\@{ALLOWED}/", f"http://{host}%2f@{ALLOWED}/")
    yield from (
        f"http://{ALLOWED}:@{host}/",
        f"http://@{host}/",
        f"http://{ALLOWED}@@{host}/",
        f"\thttp://{host}/",
    )
    yield from (f"http://{ALLOWED} @{host}/", f"http://{ALLOWED}\t@{host}/", f"http://{ALLOWED}\n@{host}/")
    yield from (f"http://{host}:80:80/", f"http://{host}:８０/", f"http://{host}:99999/", f"http://{host}:0/")
    yield from (
        f"http://{host[:1]}\t{host[1:]}/",
        f"http://{host[:1]}\r\n{host[1:]}/",
        f"http://{host}\x00.{ALLOWED}/",
    )


def schemes() -> Iterator[str]:
    """Addresses of other protocols, whatever their host."""
    for scheme in (
        "gopher",
        "dict",
        "file",
        "ftp",
        "tftp",
        "ldap",
        "jar:http",
        "url:http",
        "http+unix",
        "ws",
        "netdoc",
    ):
        for host in (ALLOWED, "127.0.0.1"):
            yield f"{scheme}://{host}/"
    yield from (
        "data:text/plain,x",
        "javascript:alert(1)",
        "about:blank",
        "mailto:a@shop.example",
        "//shop.example/",
    )


def differential() -> Iterator[str]:
    """Two hosts in one URL, of which readers take one or the other."""
    bad = "127.0.0.1"
    for joint in (
        "#@",
        "?@",
        "/@",
        ";@",
        "%23@",
        "%3f@",
        "\\",
        "#",
        "?",
        "/",
        "&@",
        "%00@",
        "%0d%0a@",
        " ",
        "\u2044",
        "／",
    ):
        yield f"http://{ALLOWED}{joint}{bad}/"
        yield f"http://{bad}{joint}{ALLOWED}/"
        yield f"http://{ALLOWED}:80{joint}{bad}:80/"
    yield from (f"http://{bad}#{ALLOWED}", f"http://a@{bad}:80@{ALLOWED}/", f"http://{ALLOWED}.{bad}/")


def urls() -> list[str]:
    """Every host plainly, a few of them in every wrapping, and other protocols."""
    every = list(hosts())
    few = (
        "127.0.0.1",
        "169.254.169.254",
        "127.1",
        "0x7f.1",
        "2130706433",
        "[::1]",
        "[::ffff:7f00:1]",
        "localhost",
    )
    found = itertools.chain(
        (f"http://{host}/" for host in every), *(wrapped(host) for host in few), schemes()
    )
    return sorted(set(found))
