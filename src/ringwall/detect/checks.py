"""Checks that a pattern can't express: check digits, entropy, placeholders. Named by rules (``check:``)."""

import base64
import binascii
import math
import re
import zlib
from collections import Counter
from collections.abc import Callable, Mapping

from .identifiers import IDENTIFIERS
from .personal_checks import PERSONAL

Check = Callable[[str], bool]
"""Takes what the rule's group matched; False drops the hit."""

_BASE62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_PLACEHOLDER = re.compile(
    r"example|sample|dummy|placeholder|changeme|change_me|change-me|redacted"
    r"|your[-_ ]?(?:own|api|secret|token|key|pass|access|aws|gcp)"
    r"|my[-_]?(?:secret|token|key|pass)|insert|replace|xxxx|\*\*\*|\.\.\.|0{8}|1234567890|abcdefgh"
    r"|test_?only|fake|<[^>]{1,80}>|\$\{|\{\{|\$\(|%\(|not[-_]?a[-_]?real",
    re.IGNORECASE,
)
_WORDS = frozenset(
    [
        "password",
        "passwd",
        "secret",
        "token",
        "none",
        "null",
        "true",
        "false",
        "undefined",
        "required",
        "optional",
        "string",
        "str",
        "int",
        "bool",
        "env",
        "hidden",
        "prompt",
        "input",
        "value",
        "changed",
        "reset",
        "incorrect",
        "correct",
        "wrong",
        "invalid",
        "expired",
        "forgotten",
        "policy",
        "protected",
        "manager",
        "field",
        "the",
        "is",
        "and",
        "or",
        "your",
        "my",
        "his",
        "her",
        "that",
        "this",
        "must",
        "should",
    ]
)
_COMMON = frozenset(
    [
        "password",
        "pass",
        "passwd",
        "pwd",
        "secret",
        "root",
        "admin",
        "user",
        "postgres",
        "mysql",
        "guest",
        "test",
        "changeit",
    ]
)


def entropy(text: str) -> float:
    """Shannon entropy in bits per character."""
    if not text:
        return 0.0
    total = len(text)
    return -sum(n / total * math.log2(n / total) for n in Counter(text).values())


def luhn(text: str) -> bool:
    """Check digit of payment cards (ISO/IEC 7812)."""
    digits = [int(c) for c in text if c in "0123456789"]
    if not 12 <= len(digits) <= 19 or len(set(digits)) < 2:
        return False
    total = sum(digits[-1::-2]) + sum(sum(divmod(d * 2, 10)) for d in digits[-2::-2])
    return total % 10 == 0


def iban(text: str) -> bool:
    """ISO 13616: mod 97 over the rearranged number, and the length of the country where it is known."""
    packed = "".join(text.replace("-", "").split()).upper()
    if not (packed.isascii() and packed.isalnum()):
        return False
    known = _IBAN_LENGTH.get(packed[:2])
    if known is None or len(packed) != known:
        return False
    return int("".join(str(int(c, 36)) for c in packed[4:] + packed[:4])) % 97 == 1


def github(text: str) -> bool:
    """The last six characters of a GitHub token are the CRC32 of the rest in base 62 (published in 2021)."""
    body, given = text[text.index("_") + 1 : -6], text[-6:]
    value, out = zlib.crc32(body.encode("utf-8", "replace")), ""
    while value:
        value, digit = divmod(value, 62)
        out = _BASE62[digit] + out
    return out.rjust(6, "0") == given


def jwt(text: str) -> bool:
    """The first segment is base64url of a JSON object that names an algorithm."""
    head = text.split(".", 1)[0]
    try:
        decoded = base64.urlsafe_b64decode(head + "=" * (-len(head) % 4))
    except (binascii.Error, ValueError):
        return False
    return decoded.startswith(b"{") and (b'"alg"' in decoded or b'"enc"' in decoded)


def real(text: str) -> bool:
    """Not a placeholder, and not one character over and over."""
    return not _PLACEHOLDER.search(text) and len(set(text)) > 3


def random(text: str) -> bool:
    """Looks drawn at random: no placeholder, enough entropy for its length, letters and digits mixed."""
    if not real(text):
        return False
    mixed = any(c.isdigit() for c in text) and any(c.isalpha() for c in text)
    return mixed and entropy(text) >= min(3.5, math.log2(len(text)) * 0.72)


def chosen(text: str) -> bool:
    """A password that a person may have chosen: no placeholder, no plain word of prose."""
    bare = text.strip("\"'`,;.")
    if len(bare) < 6 or not real(bare) or bare.lower() in _WORDS:
        return False
    if re.fullmatch(r"[A-Za-z_]+\([^)]*\)?|[A-Za-z_]+(?:\.[A-Za-z_]+)+(?:\(.*)?|[A-Z_]+", bare):
        return False  # a call, an attribute, a constant's name
    return any(not c.isalpha() for c in bare) and not bare.startswith(("http:", "https:", "/", "$", "%"))


def chosen_url(text: str) -> bool:
    """The password of a connection string."""
    return real(text) and text.lower() not in _COMMON and not text.startswith(("$", "%", "{", "<", "["))


def real_weapon(text: str) -> bool:
    return not re.search(
        r"bath bombs?|glitter|photo|seed bomb|cherry|candy|defus|detect|dispos", text, re.IGNORECASE
    )


def real_minors(text: str) -> bool:
    return not re.search(
        r"naked mole|educat|prevent|protect|report|law|abuse (?:hotline|surviv)", text, re.IGNORECASE
    )


def defensive(text: str) -> bool:
    return not re.search(
        r"\b(?:remove|prevent|detect|protect|avoid|report|stop|recogni[sz]e|defend|block|clean|against|spot|scan)",
        text,
        re.IGNORECASE,
    )


CHECKS: Mapping[str, Check] = {
    "luhn": luhn,
    "iban": iban,
    "github": github,
    "jwt": jwt,
    "real": real,
    "random": random,
    "chosen": chosen,
    "chosen-url": chosen_url,
    "real-weapon": real_weapon,
    "real-minors": real_minors,
    "defensive": defensive,
    **PERSONAL,
    **IDENTIFIERS,
}

_TOKEN_RUN = re.compile(r"[A-Za-z0-9_.~+/=-]{0,16384}")
_PEM_RUN = re.compile(r"(?:[A-Za-z0-9+/=]{1,120}|[\s\\nr\"',]{1,8}|[A-Za-z-]{3,16}: [^\n]{0,120}\n){0,4096}")
_PEM_END = re.compile(r"-{0,5}(?:END [A-Z0-9 ]{0,48}-{0,5})?")


def token_end(text: str, at: int) -> int:
    """Where the run of token characters around ``at`` ends."""
    run = _TOKEN_RUN.match(text, at)
    return run.end() if run else at


def pem_end(text: str, at: int) -> int:
    """Where an armoured block ends whose first line ends at ``at``: behind its last line, or, without one,
    where the encoded text stops."""
    body = _PEM_RUN.match(text, at)
    end = body.end() if body else at
    last = _PEM_END.match(text, end)
    return last.end() if last else end


EXTENSIONS: Mapping[str, Callable[[str, int], int]] = {"token": token_end, "pem": pem_end}

_IBAN_LENGTH = {
    name[:2]: int(name[2:])
    for name in [
        "AD24",
        "AE23",
        "AL28",
        "AT20",
        "AZ28",
        "BA20",
        "BE16",
        "BG22",
        "BH22",
        "BR29",
        "BY28",
        "CH21",
        "CR22",
        "CY28",
        "CZ24",
        "DE22",
        "DK18",
        "DO28",
        "EE20",
        "EG29",
        "ES24",
        "FI18",
        "FO18",
        "FR27",
        "GB22",
        "GE22",
        "GI23",
        "GL18",
        "GR27",
        "GT28",
        "HR21",
        "HU28",
        "IE22",
        "IL23",
        "IQ23",
        "IS26",
        "IT27",
        "JO30",
        "KW30",
        "KZ20",
        "LB28",
        "LC32",
        "LI21",
        "LT20",
        "LU20",
        "LV21",
        "LY25",
        "MC27",
        "MD24",
        "ME22",
        "MK19",
        "MR27",
        "MT31",
        "MU30",
        "NL18",
        "NO15",
        "PK24",
        "PL28",
        "PS29",
        "PT25",
        "QA29",
        "RO24",
        "RS22",
        "SA24",
        "SC31",
        "SE24",
        "SI19",
        "SK24",
        "SM27",
        "SV28",
        "TL23",
        "TN24",
        "TR26",
        "UA29",
        "VA22",
        "VG24",
        "XK20",
    ]
}
