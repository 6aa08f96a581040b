"""National identifiers whose rule is no plain weighted sum. All take the characters without separators."""

from .checkdigits import dated, luhn, mod_11_2, weighted

_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_BASE36 = "0123456789" + _LETTERS
_INVALID_SSN = frozenset({"078051120", "219099999", "457555462", "123456789", "111111111", "333333333"})
"""Printed in advertisements, or written by everybody who has none to give."""


def ssn(text: str) -> bool:
    """Social Security number, USA: area, group and serial that are issued."""
    area, group, serial = text[:3], text[3:5], text[5:]
    return (
        area not in ("000", "666")
        and area < "900"
        and group != "00"
        and serial != "0000"
        and text not in _INVALID_SSN
    )


def itin(text: str) -> bool:
    """Individual taxpayer number, USA: 9xx and a group of 50-65, 70-88, 90-92, 94-99."""
    group = int(text[3:5])
    return text[0] == "9" and (50 <= group <= 65 or 70 <= group <= 88 or group >= 90) and group != 93


def nino(text: str) -> bool:
    """National Insurance number, United Kingdom: prefixes that HMRC issues."""
    return (
        text[0] not in "DFIQUV"
        and text[1] not in "DFIQUVO"
        and text[:2] not in ("BG", "GB", "NK", "KN", "TN", "NT", "ZZ")
        and text[8] in "ABCD"
        and text[2:8].isdecimal()
    )


def pps(text: str) -> bool:
    """Personal Public Service number, Ireland: modulus 23, the second letter counts nine."""
    second = 0 if len(text) == 8 or text[8] in "WTX" else _LETTERS.index(text[8]) + 1
    total = sum(w * int(c) for w, c in zip(range(8, 1, -1), text[:7], strict=True)) + 9 * second
    return "WABCDEFGHIJKLMNOPQRSTUV"[total % 23] == text[7]


def nir(text: str) -> bool:
    """Sécurité sociale, France: 97 minus the rest, Corsica's 2A and 2B as 19 and 18."""
    body = text[:13].replace("2A", "19").replace("2B", "18")
    month = int(text[3:5])
    return (
        text[0] in "123478"
        and (1 <= month <= 12 or 20 <= month <= 42 or month >= 50)
        and body.isdecimal()
        and 97 - int(body) % 97 == int(text[13:])
    )


def german_pension(text: str) -> bool:
    """Rentenversicherungsnummer, Germany: area, birth date, initial, serial; sums of digits, modulus 10."""
    digits = text[:8] + f"{_LETTERS.index(text[8]) + 1:02}" + text[9:11]
    weights = (2, 1, 2, 5, 7, 1, 2, 1, 2, 1, 2, 1)
    total = sum(sum(divmod(w * int(c), 10)) for w, c in zip(weights, digits, strict=True))
    return total % 10 == int(text[11]) and dated("dmy", 2, days=(0, 50))(text)


def german_id_card(text: str) -> bool:
    """Personalausweis and Reisepass, Germany: nine characters and a digit, weights 7 3 1 (ICAO 9303)."""
    return mrz_digit(text[:9]) == text[9]


def mrz_digit(text: str) -> str:
    """Check digit of a field of a machine-readable travel document (ICAO 9303, part 3)."""
    total = sum((7, 3, 1)[at % 3] * max(0, _BASE36.find(char)) for at, char in enumerate(text))
    return str(total % 10)


_ODD = dict(zip("0123456789", (1, 0, 5, 7, 9, 13, 15, 17, 19, 21), strict=True)) | dict(
    zip(
        _LETTERS,
        (1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24, 23),
        strict=True,
    )
)


def codice_fiscale(text: str) -> bool:
    """Codice fiscale, Italy: odd and even places count by different tables, modulus 26."""
    total = sum(
        _ODD[char] if at % 2 == 0 else int(char) if char.isdecimal() else _LETTERS.index(char)
        for at, char in enumerate(text[:15])
    )
    return _LETTERS[total % 26] == text[15]


def nie(text: str) -> bool:
    """DNI and NIE, Spain: modulus 23; X, Y, Z stand for 0, 1, 2."""
    number = text[:8].translate(str.maketrans("XYZ", "012"))
    return number.isdecimal() and "TRWAGMYFPDXBNJZSQVHLCKE"[int(number) % 23] == text[8]


def cartao(text: str) -> bool:
    """Cartão de cidadão, Portugal: Luhn over digits and letters."""
    values = [_BASE36.index(char) for char in reversed(text)]
    return sum(v if at % 2 == 0 else v * 2 - 9 * (v > 4) for at, v in enumerate(values)) % 10 == 0


def rijksregister(text: str) -> bool:
    """Rijksregisternummer, Belgium: 97 minus the rest, with a 2 before it for births since 2000."""
    body, check = int(text[:9]), int(text[9:])
    return dated("ymd", months=(0, 20, 40))(text) and check in (
        97 - body % 97,
        97 - (2_000_000_000 + body) % 97,
    )


def personnummer(text: str) -> bool:
    """Personnummer and samordningsnummer, Sweden: date, Luhn; twelve digits with the century."""
    short = text[-10:]
    return text[:-10] in ("", "18", "19", "20") and dated("ymd", days=(0, 60))(short) and luhn(short)


def hetu(text: str) -> bool:
    """Henkilötunnus, Finland: modulus 31 over date and serial; the sign of the century is left out."""
    digits = text[:6] + text[-4:-1]
    table = "0123456789ABCDEFHJKLMNPRSTUVWXY"
    return digits.isdecimal() and dated("dmy")(digits) and table[int(digits) % 31] == text[-1]


def isikukood(text: str) -> bool:
    """Isikukood and asmens kodas, Estonia and Lithuania: modulus 11, other weights for a rest of ten."""
    return (
        text[0] in "12345678"
        and dated("ymd", 1)(text)
        and _twice(text, "1 2 3 4 5 6 7 8 9 1", "3 4 5 6 7 8 9 1 2 3")
    )


def iin(text: str) -> bool:
    """IIN, Kazakhstan: modulus 11, other weights for a rest of ten."""
    return dated("ymd")(text) and _twice(text, "1 2 3 4 5 6 7 8 9 10 11", "3 4 5 6 7 8 9 10 11 1 2")


def _twice(text: str, one: str, two: str) -> bool:
    body = [int(char) for char in text[:-1]]
    rest = sum(int(w) * d for w, d in zip(one.split(), body, strict=True)) % 11
    if rest == 10:
        rest = sum(int(w) * d for w, d in zip(two.split(), body, strict=True)) % 11 % 10
    return rest == int(text[-1])


def rodne_cislo(text: str) -> bool:
    """Rodné číslo, Czechia and Slovakia: divisible by eleven; nine digits until 1953 have no check digit."""
    if not dated("ymd", months=(0, 50) if len(text) == 9 else (0, 20, 50, 70))(text):
        return False
    return len(text) == 9 or int(text) % 11 == 0 or (int(text[:9]) % 11 == 10 and text[9] == "0")


def tckn(text: str) -> bool:
    """T.C. kimlik numarası, Türkiye: two check digits, modulus 10."""
    digits = [int(char) for char in text]
    tenth = (sum(digits[0:9:2]) * 7 - sum(digits[1:8:2])) % 10
    return text[0] != "0" and tenth == digits[9] and sum(digits[:10]) % 10 == digits[10]


def taiwan(text: str) -> bool:
    """National identification card, Taiwan: the letter is two digits, modulus 10."""
    number = str("ABCDEFGHJKLMNPQRSTUVXYWZIO".index(text[0]) + 10) + text[1:]
    weights = (1, 9, 8, 7, 6, 5, 4, 3, 2, 1, 1)
    return sum(w * int(c) for w, c in zip(weights, number, strict=True)) % 10 == 0


def hkid(text: str) -> bool:
    """Identity card, Hong Kong: modulus 11, a blank before a single letter counts 36."""
    values = [36] * (9 - len(text)) + [_BASE36.index(char) for char in text]
    return sum(w * v for w, v in zip(range(9, 0, -1), values, strict=True)) % 11 == 0


_SINGAPORE = {
    "S": ("JZIHGFEDCBA", 0),
    "T": ("JZIHGFEDCBA", 4),
    "F": ("XWUTRQPNMLK", 0),
    "G": ("XWUTRQPNMLK", 4),
    "M": ("KLJNPQRTUWX", 3),
}


def nric(text: str) -> bool:
    """NRIC and FIN, Singapore: modulus 11 with a table for each series."""
    table, plus = _SINGAPORE[text[0]]
    total = plus + sum(w * int(c) for w, c in zip((2, 7, 6, 5, 4, 3, 2), text[1:8], strict=True))
    place = 10 - total % 11 if text[0] == "M" else total % 11
    return table[place] == text[8]


def malaysian(text: str) -> bool:
    """MyKad, Malaysia: date and place of birth; no check digit."""
    place = int(text[6:8])
    return dated("ymd")(text) and place not in (0, 17, 18, 19, 20, 69, 70, 73, 80, 81, 94, 95, 96, 97)


def rut(text: str) -> bool:
    """RUT, Chile: modulus 11, ``K`` for ten."""
    return weighted("3 2 7 6 5 4 3 2", "0K987654321")(text.zfill(9))


def curp(text: str) -> bool:
    """CURP, Mexico: weights 18 to 2 over digits and letters (with Ñ), modulus 10."""
    table = "0123456789ABCDEFGHIJKLMNÑOPQRSTUVWXYZ"
    total = sum(w * table.index(c) for w, c in zip(range(18, 1, -1), text[:17], strict=True))
    return text[17] == str(-total % 10) and dated("ymd", 4)(text)


def snils(text: str) -> bool:
    """SNILS, Russia: weights 9 to 1, modulus 101."""
    total = sum(w * int(c) for w, c in zip(range(9, 0, -1), text[:9], strict=True))
    return total % 101 % 100 == int(text[9:])


def ird(text: str) -> bool:
    """IRD number, New Zealand: modulus 11, other weights for a rest of ten."""
    number = text.zfill(9)
    if not 10_000_000 < int(number) < 150_000_000:
        return False
    for weights in ((3, 2, 7, 6, 5, 4, 3, 2), (7, 4, 3, 2, 5, 2, 7, 6)):
        rest = -sum(w * int(c) for w, c in zip(weights, number[:8], strict=True)) % 11
        if rest < 10:
            return rest == int(number[8])
    return False


def chinese(text: str) -> bool:
    """Resident identity number, China: region, date of birth, ISO/IEC 7064 MOD 11-2."""
    return "11" <= text[:2] <= "91" and dated("Ymd", 6)(text) and mod_11_2(text)


def german_tax(text: str) -> bool:
    """Steuer-ID, Germany, beyond its check digit: of the first ten digits one comes two or three times."""
    counts = sorted((text[:10].count(digit) for digit in set(text[:10])), reverse=True)
    return text[0] != "0" and counts[0] in (2, 3) and all(count == 1 for count in counts[1:])


def clabe(text: str) -> bool:
    """CLABE, Mexico: weights 3 7 1, modulus 10."""
    return weighted("3 7 1 3 7 1 3 7 1 3 7 1 3 7 1 3 7", "0987654321")(text)


def abn(text: str) -> bool:
    """Australian business number: weighted sum modulo 89, the first digit less one (Australian Business
    Register)."""
    digits = list(map(int, text))
    weights = (10, 1, 3, 5, 7, 9, 11, 13, 15, 17, 19)
    return digits[0] > 0 and (sum(w * d for w, d in zip(weights, digits, strict=True)) - weights[0]) % 89 == 0
