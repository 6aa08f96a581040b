"""Does a string look drawn at random, chosen by a person, or put there to be replaced?"""

import math
import re
from collections import Counter
from itertools import pairwise

_PLACEHOLDER = re.compile(
    r"example|sample|dummy|placeholder|change[-_ ]?(?:me|it|this)|redacted|masked|todo|lorem"
    r"|your[-_ ]?(?:own|api|secret|token|key|pass|access|aws|gcp)|(?<![a-z0-9])your[-_]"
    r"|my[-_]?(?:secret|token|key|pass)|insert|replace|enter[-_]|xxxx|\*\*\*|\.\.\.|\u2026"
    r"|0{8}|(?:0123|1234)56789|abcdefgh|fedcba98|deadbeef"
    r"|&quot|&lt;|test_?only|fake|<[^>]{1,80}>|\$\{|\{\{|\$\(|%\(|#\{|not[-_]?a[-_]?real",
    re.IGNORECASE,
)
_SAMPLES = (
    "16C7e42F292c6912E7710c838347Ae178B4a",  # GitHub
    "4eC39HqLyjWDarjtT1zdp7dc",  # Stripe
    "BQokikJOvBiI2HlWgH4olfQ2",
    "QWxhZGRpbjpvcGVu",  # RFC 7617 (Aladdin)
    "dXNlcjpwYXNz",  # user:pass
    "dXNlcm5hbWU6cGFzc3dvcmQ",  # username:password
    "eyJzdWIiOiIxMjM0NTY3ODkwIiwibmFtZSI6",  # jwt.io
    "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODA",  # RFC 7519
    "JBSWY3DPEHPK3PXP",  # key URI format of authenticators
    "AIzaSyDaGmWKa4JsXZ-HjGw7ISLn_3namBGewQe",  # Google
    "R9h/cIPz0gi.URNNX3kh2OPST9",  # bcrypt
    "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk",  # RFC 7515
)
"""Values that the documentation of a format prints: everybody has them."""
_WORDS_TEXT = """
password passwd passphrase secret token none null true false undefined required optional string str int
bool env hidden prompt input value changed reset incorrect correct wrong invalid expired forgotten policy
protected manager field the is and or your my his her that this must should self request response
md5 sha1 sha256 sha512 bcrypt argon2 argon2id scrypt pbkdf2 base64 utf8 utf-8 utf-16 latin1 latin-1
iso-8859-1 cp1252 oauth2 urllib2
scram-sha-256
"""
_WORDS = frozenset(_WORDS_TEXT.split())
_COMMON_TEXT = """
password pass passwd pwd secret root admin user postgres mysql guest test changeit mypassword username
redis rabbit mongo token foo bar baz pw p
"""
_COMMON = frozenset(_COMMON_TEXT.split())
_BIGRAMS_TEXT = """
th he in er an re on at en nd ti es or te of ed is it al ar st to nt ng se ha as ou io le ve co me de hi
ri ro ic ne ea ra ce li ch ll be ma si om ur ca el ta la ns di fo ho pe ec pr no ct us ac ot il tr ly nc
et ut ss so rs un lo wa ge ie wh ee wi em ad ol rt po we na ul ni ts mo ow pa im mi ai sh ir su id os iv
ia am fi ci vi pl ig tu ev ld ry mp fe bl ab gh ty op wo sa ay ex ke ui fr oo ag if ap gr od ck ey sp bo
lu ue up ef rd ru qu do va yp ys ff gn nk ob dr xp xt cl cr bu br da ki ep uc sc ft gu tp tc ax da
"""
_BIGRAMS = frozenset(_BIGRAMS_TEXT.split())
"""Pairs of letters that make up most English text and most names in code; at random, a third of pairs."""
_CODE = re.compile(
    r"[A-Za-z_]\w{0,60}\(.{0,200}|[A-Za-z_]\w{0,60}(?:(?:\.|->|::)[A-Za-z_]\w{0,60}){1,8}(?:[(\[].{0,200})?"
    r"|[A-Z][A-Z_]{3,80}|[A-Za-z_]\w{0,60}\[.{0,200}",
    re.DOTALL,
)
_NO_START = ("http:", "https:", "/", "./", "$", "%", "{", "--", "@", "&", "(")
"""What an address, a path, a variable and the like begin with."""
_SNAKE = re.compile(r"[a-z]{1,40}(?:_[a-z]{1,40}){1,8}")
_DIGITS = frozenset("0123456789abcdefABCDEF-")
"""Hexadecimal, and what joins it: such a text has at most four bits a character."""


def entropy(text: str) -> float:
    """Shannon entropy in bits per character."""
    if not text:
        return 0.0
    total = len(text)
    return -sum(n / total * math.log2(n / total) for n in Counter(text).values())


def real(text: str) -> bool:
    """No placeholder, no sample of the documentation, and not one character over and over."""
    if _PLACEHOLDER.search(text) or any(sample in text for sample in _SAMPLES):
        return False
    return len(set(text)) > 3


def random(text: str) -> bool:
    """Looks drawn at random: no placeholder, enough entropy for its length and alphabet, letters and digits
    mixed, and no words."""
    if not real(text):
        return False
    if not _mixed(text) or _code(text):
        return False
    bits = math.log2(len(text))
    if sum(c in _DIGITS for c in text) >= 0.75 * len(text):
        return entropy(text) >= min(2.9, bits * 0.6)
    return entropy(text) >= min(3.5, bits * 0.72) and not wordy(text)


def _mixed(text: str) -> bool:
    """Letters and digits; a long text may happen to hold no digit."""
    if any(c.isdigit() for c in text):
        return any(c.isalpha() for c in text)
    return len(text) >= 24 and text.isalpha() and text.lower() != text != text.upper()


def mixed_case(text: str) -> bool:
    """Drawn at random from small and capital letters and digits, so no digest in hexadecimal."""
    return random(text) and text.lower() != text != text.upper()


def _code(text: str) -> bool:
    """An attribute, a call, a constant's name: what code has in the place of a value."""
    return bool(_CODE.fullmatch(text)) and sum(c.isdigit() for c in text) < len(text) / 10


def wordy(text: str) -> bool:
    """Made of words: more of the pairs of neighbouring letters are those of English than chance allows."""
    lower = text.lower()
    pairs = [a + b for a, b in pairwise(lower) if a.isalpha() and b.isalpha()]
    by_chance = 0.34 * len(pairs) + 2.3 * math.sqrt(0.22 * len(pairs))
    return len(pairs) >= 8 and sum(pair in _BIGRAMS for pair in pairs) >= max(0.6 * len(pairs), by_chance)


def chosen(text: str) -> bool:
    """A password that a person may have chosen: no placeholder, no plain word of prose, no code."""
    bare = text.strip("\"'`,;.")
    if len(bare) < 5 or not real(bare) or bare.lower() in _WORDS or bare.lower() in _COMMON:
        return False
    if _code(bare) or bare.startswith(_NO_START) or bare[-1] in ":=([{":
        return False
    letters = re.sub(r"[\W_]+", "", bare)
    if letters.isdigit():
        return len(letters) >= 6
    return any(c.isdigit() for c in letters) or _symbols(bare)


def _symbols(text: str) -> bool:
    """Has signs that neither a compound word nor an abbreviation has."""
    return bool(re.search(r"\w[!@#$%^&*?+=~]|[!@#$%^&*+=~]\w", text))


def chosen_quoted(text: str) -> bool:
    """A password in quotation marks: it may hold blanks, but not be a sentence."""
    if " " not in text.strip():
        return chosen(text)
    return real(text) and any(c.isdigit() for c in text) and bool(re.search(r"[!@#$%^&*?+=~]", text))


def _short_word(text: str) -> bool:
    return len(text) < 6 and text.isalpha() and text.islower()


def chosen_url(text: str) -> bool:
    """The password of a connection string."""
    if _short_word(text) or _SNAKE.fullmatch(text):
        return False
    return (
        real(text)
        and text.lower() not in _COMMON
        and not text.startswith(("$", "%s", "%(", "{", "<", "[", ":"))
    )


def any_value(text: str) -> bool:
    """What stands where nothing but a credential can stand; only placeholders are no finding."""
    return real(text) and not _code(text) and not _short_word(text) and text.lower() not in _WORDS | _COMMON


def chosen_strong(text: str) -> bool:
    """A chosen password of three kinds of characters: for places where other words stand as often."""
    kinds = (str.islower, str.isupper, str.isdigit, lambda c: not c.isalnum())
    return chosen(text) and sum(any(map(kind, text)) for kind in kinds) >= 3


def symbols(text: str) -> bool:
    """A key of letters, digits and signs, not a sentence."""
    signs = sum(not c.isalnum() and c not in " .,-_/" for c in text)
    return real(text) and signs >= 3 and any(c.isdigit() for c in text) and entropy(text) > 3.5
