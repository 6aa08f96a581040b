"""FF1 against the examples that NIST published, and as a permutation."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ringwall.boundaries.data.sensitive.ff1 import FF1

KEY = "2B7E151628AED2A6ABF7158809CF4F3CEF4359D8D580AA4F7F036D6F04FC6A94"
ALPHABET = "0123456789abcdefghijklmnopqrstuvwxyz"
TWEAK, OTHER = "39383736353433323130", "3737373770717273373737"
# https://csrc.nist.gov/CSRC/media/Projects/Cryptographic-Standards-and-Guidelines/documents/examples/FF1samples.pdf
SAMPLES = [
    (16, 10, "", "0123456789", "2433477484"),
    (16, 10, TWEAK, "0123456789", "6124200773"),
    (16, 36, OTHER, "0123456789abcdefghi", "a9tv40mll9kdu509eum"),
    (24, 10, "", "0123456789", "2830668132"),
    (24, 10, TWEAK, "0123456789", "2496655549"),
    (24, 36, OTHER, "0123456789abcdefghi", "xbj3kv35jrawxv32ysr"),
    (32, 10, "", "0123456789", "6657667009"),
    (32, 10, TWEAK, "0123456789", "1001623463"),
    (32, 36, OTHER, "0123456789abcdefghi", "xs8a0azh2avyalyzuwd"),
]


@pytest.mark.parametrize(("size", "radix", "tweak", "plain", "cipher"), SAMPLES)
def test_samples_of_the_standard(size: int, radix: int, tweak: str, plain: str, cipher: str) -> None:
    ff1 = FF1(bytes.fromhex(KEY)[:size], radix)
    numerals = [ALPHABET.index(char) for char in plain]
    got = ff1.encrypt(numerals, bytes.fromhex(tweak))
    assert "".join(ALPHABET[numeral] for numeral in got) == cipher
    assert ff1.decrypt(got, bytes.fromhex(tweak)) == numerals


@settings(deadline=None)
@given(st.data(), st.integers(2, 1 << 16), st.binary(max_size=40))
def test_opens_what_it_sealed(data: st.DataObject, radix: int, tweak: bytes) -> None:
    least = next(size for size in range(1, 21) if radix**size >= 1_000_000)
    numerals = data.draw(st.lists(st.integers(0, radix - 1), min_size=least, max_size=least + 20))
    ff1 = FF1(bytes(32), radix)
    sealed = ff1.encrypt(numerals, tweak)
    assert len(sealed) == len(numerals)
    assert all(0 <= numeral < radix for numeral in sealed)
    assert ff1.decrypt(sealed, tweak) == numerals
    assert ff1.encrypt(numerals, tweak + b"x") != sealed or len(numerals) < 4


@pytest.mark.parametrize("numerals", [[1] * 5, [], [10] * 8, [-1] * 8, [1] * 5000])
def test_refuses_what_is_too_short_or_too_long_or_no_numeral(numerals: list[int]) -> None:
    with pytest.raises(ValueError, match=r"numeral|few|most"):
        FF1(bytes(16), 10).encrypt(numerals)


@pytest.mark.parametrize("radix", [1, 0, 65_537])
def test_refuses_other_radices(radix: int) -> None:
    with pytest.raises(ValueError, match="radix"):
        FF1(bytes(16), radix)
