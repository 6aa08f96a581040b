"""Checks that a pattern can't express, by the name that rules give them (``check:``, ``extend:``)."""

import re
from collections.abc import Callable, Mapping

from . import extensions, proofs, randomness
from .identifiers import IDENTIFIERS
from .personal_checks import PERSONAL

Check = Callable[[str], bool]
"""Takes what the rule's group matched; False drops the hit."""


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


def real_weapon(text: str) -> bool:
    return not re.search(
        r"bath bombs?|d[aei] (?:bain|ba[nñ]o|banho|bagno)|glitter|photo|seed bomb|cherry|candy|"
        r"defus|detect|dispos",
        text,
        re.IGNORECASE,
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


PROOFS: Mapping[str, Check] = {
    "github": proofs.github,
    "aws-key": proofs.aws_key,
    "discord": proofs.discord,
    "macaroon": proofs.macaroon,
    "bech32": proofs.bech32,
    "stellar": proofs.stellar,
    "base58check": proofs.base58check,
    "jwt": proofs.jwt,
    "basic": proofs.basic,
    "bytes64": proofs.bytes64,
    "bytes32": proofs.bytes32,
    "jwk": proofs.jwk,
    "grafana": proofs.grafana,
    "key-block": proofs.key_block,
    "bytes-list": proofs.bytes_list,
    "mnemonic": proofs.mnemonic,
}
"""Check sums and structure: what passes is what it says. ``unproven-<name>``: it looks random and fails."""


def _unproven(proof: Check) -> Check:
    return lambda text: randomness.random(text) and not proof(text)


def real_threat(text: str) -> bool:
    return not re.search(
        r"\b(?:at|in) (?:chess|a game|cards|the game|tennis|poker)|laughing|joked?\b", text, re.IGNORECASE
    )


def real_harassment(text: str) -> bool:
    return defensive(text) and not re.search(
        r"\b(?:stop|deal|victim|track(?:ing)? (?:my|a|the|an) "
        r"(?!ex\b|wife|husband|girl|boy|partner|person|woman|man))",
        text,
        re.IGNORECASE,
    )


def real_sexual(text: str) -> bool:
    return not re.search(r"\b(?:educat|health|doctor|medical|crow|barn|rooster|cheney)", text, re.IGNORECASE)


def real_extremism(text: str) -> bool:
    return defensive(text) and not re.search(
        r"base (?:camp|team|jump)|\b(?:histor|lesson|analy[sz]|condemn|counter|debunk|refut|against nazi)",
        text,
        re.IGNORECASE,
    )


def real_crime(text: str) -> bool:
    return defensive(text) and not re.search(
        r"\bsteal(?:ing)? (?:a |the )?(?:base|kiss|scene|show|look|glance|bases|moment|march|ball|idea)",
        text,
        re.IGNORECASE,
    )


def unsafe_yaml(text: str) -> bool:
    return not re.search(r"SafeLoader|(?<!un)safe_load", text)


def not_weights_only(text: str) -> bool:
    return not re.search(r"weights_only\s{0,4}=\s{0,4}True", text)


def not_secured(text: str) -> bool:
    return "secure_filename" not in text


CHECKS: Mapping[str, Check] = {
    "luhn": luhn,
    "iban": iban,
    "real": randomness.real,
    "random": randomness.random,
    "mixed-case": randomness.mixed_case,
    "any-value": randomness.any_value,
    "chosen": randomness.chosen,
    "chosen-strong": randomness.chosen_strong,
    "symbols": randomness.symbols,
    "chosen-quoted": randomness.chosen_quoted,
    "chosen-url": randomness.chosen_url,
    "real-weapon": real_weapon,
    "real-minors": real_minors,
    "defensive": defensive,
    **PROOFS,
    **{f"unproven-{name}": _unproven(proof) for name, proof in PROOFS.items()},
    "real-threat": real_threat,
    "real-harassment": real_harassment,
    "real-sexual": real_sexual,
    "real-extremism": real_extremism,
    "real-crime": real_crime,
    "unsafe-yaml": unsafe_yaml,
    "not-weights-only": not_weights_only,
    "not-secured": not_secured,
    **PERSONAL,
    **IDENTIFIERS,
}

EXTENSIONS: Mapping[str, Callable[[str, int], int]] = {
    "token": extensions.token_end,
    "pem": extensions.pem_end,
    "putty": extensions.putty_end,
}

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
