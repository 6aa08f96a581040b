"""Personal data: check digits against another implementation, innocent and hostile text, overlaps."""

import importlib
import random
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ringwall.detect import RuleError, Sighting, builtin
from ringwall.detect import ner as model
from ringwall.detect.blockchain import keccak_256
from ringwall.detect.custom import custom_rules, custom_scanner, word_list
from ringwall.detect.extras import MissingExtra
from ringwall.detect.identifiers import IDENTIFIERS, ROWS
from ringwall.detect.overlaps import resolved
from ringwall.detect.personal import CLASSES, find, require
from ringwall.detect.personal_checks import PERSONAL

OTHERS = {
    "au-tfn": "au.tfn", "bg-egn": "bg.egn", "br-cpf": "br.cpf", "ca-sin": "ca.sin", "cl-rut": "cl.rut",
    "de-tax": "de.idnr", "do-cedula": "do.cedula", "ee-isikukood": "ee.ik", "gb-nhs": "gb.nhs",
    "gb-utr": "gb.utr", "gr-afm": "gr.vat", "gr-amka": "gr.amka", "hr-oib": "hr.oib", "il-id": "il.idnr",
    "in-aadhaar": "in_.aadhaar", "jmbg": "si.emso", "jp-my-number": "jp.in_", "nl-bsn": "nl.bsn",
    "nz-ird": "nz.ird", "pl-nip": "pl.nip", "pl-pesel": "pl.pesel", "ru-inn": "ru.inn",
    "th-id": "th.pin", "tr-tckn": "tr.tckimlik", "ua-rntrc": "ua.rntrc", "us-ssn": "us.ssn",
    "pt-nif": "pt.nif", "at-svnr": "at.vnr", "ro-cnp": "ro.cnp", "no-fnr": "no.fodselsnummer",
    "se-pnr": "se.personnummer", "za-id": "za.idnr", "is-kennitala": "is_.kennitala", "lv-pk": "lv.pvn",
    "ec-cedula": "ec.ci", "cz-rc": "cz.rc", "md-idnp": "md.idno", "ar-cuil": "ar.cuit",
}  # fmt: skip
LETTERED = {
    "es-dni": ("es.dni", "########@"), "it-cf": ("it.codicefiscale", "RSSMRA85T10A562@"),
    "ie-pps": ("ie.pps", "#######@"), "mx-curp": ("mx.curp", "BADD110313HCMLNS0#"),
    "pt-cc": ("pt.cc", "#########ZZ#"), "fi-hetu": ("fi.hetu", "131052-###@"),
    "ch-ahv": ("ch.ssn", "756##########"), "fr-nir": ("fr.nir", "295109912611###"),
    "be-nn": ("be.nn", "850730033##"),
}  # fmt: skip
STRICTER = {"at-svnr", "ro-cnp", "no-fnr", "se-pnr", "za-id", "is-kennitala", "lv-pk", "ec-cedula", "cz-rc",
            "md-idnp", "ar-cuil", "fi-hetu", "mx-curp", "fr-nir", "be-nn", "jmbg", "pt-nif",
            "pl-pesel"}  # fmt: skip
"""One of the two knows more of dates, regions or kinds of holders; the check digits are the same."""


def drawn(shape, chance):
    digit, letter = "0123456789", "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
    return "".join(
        chance.choice(digit) if c == "#" else chance.choice(letter) if c == "@" else c for c in shape
    )


@pytest.mark.parametrize("name", [*OTHERS, *LETTERED])
def test_check_digits_are_those_of_another_implementation(name):
    module, shape = LETTERED.get(name, (OTHERS.get(name), ""))
    other = importlib.import_module(f"stdnum.{module}").is_valid
    chance, agreed, valid = random.Random(name), 0, 0
    for _ in range(1500):
        length = chance.choice(ROWS[name][1])
        text = drawn(shape or "#" * length, chance)
        ours, theirs = IDENTIFIERS[name](text), other(text)
        agreed += ours == theirs
        valid += ours and theirs
        assert ours == theirs or name in STRICTER, text
    assert agreed > 1000
    assert valid or name in STRICTER


@given(st.text(max_size=40), st.sampled_from(sorted({**IDENTIFIERS, **PERSONAL})))
@settings(max_examples=150, deadline=None)
def test_identifier_checks_take_anything(text, name):
    if name in IDENTIFIERS:
        assert IDENTIFIERS[name](text) in (True, False)


def test_enough_countries():
    rules = [rule for rule in builtin() if rule.cls in ("pii.national-id", "pii.tax-id", "pii.health-id")]
    countries = {rule.id[:2] for rule in rules if rule.id[2:3] == "-"}
    assert len(countries) >= 50
    assert {rule.cls for rule in builtin() if rule.cls.startswith("pii")} <= set(CLASSES)


def test_keccak():
    assert keccak_256(b"").hex().startswith("c5d2460186f7233c927e7db2dcc703c0")
    assert keccak_256(b"a" * 200) != keccak_256(b"a" * 201)


INNOCENT = [
    "commit 3f786850e387550fdab836ed7e6dc881de23001b fixes #12345678",
    "id 123e4567-e89b-12d3-a456-426614174000 at 2024-11-25T12:30:45.123456Z",
    "epoch 1732537845123, order 4711002233, price 1,299.00 EUR, qty 123456789",
    "Windows 10.0.19041.1 and Chrome 1.2.3.4; build 20241125.3",
    "sha256 2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824",
    "for (int i = 0; i < 1000000000; ++i) std::vector<int>::iterator it;",
    "loss=0.4532015112830366 lr=1e-05 step 4539148803436467123456",
    "ISBN 978-3-16-148410-0, DOI 10.1000/182, tracking 9400110200881234567890",
    "SELECT name, address FROM users WHERE id = 12345678901",
    "name: Build\non: push\njobs: {test: {runs-on: ubuntu-22.04}}",
    "The phone costs 1299 euros and weighs 190 g. Call the function twice.",
    "Dear Customer,\nthe meeting of Monday is moved.\nBest regards,\nThe Support Team",
]


@pytest.mark.parametrize("text", INNOCENT)
def test_numbers_of_other_kinds_are_left_alone(text):
    assert find(text) == []


def test_values_go_on_in_a_column_and_spans_are_those_of_the_text():
    text = "name,ssn\nA,526-01-8159\nB,083-01-6613\nтекст é 526 01 8159 is my SSN"
    seen = [text[one.start : one.end] for one in find(text, ["pii.national-id"])]
    assert seen == ["526-01-8159", "083-01-6613", "526 01 8159"]


def sight(start, end, score, rule="r"):
    return Sighting(rule, "pii.x", rule, score, "m", start, end, "")


@given(
    st.lists(
        st.tuples(st.integers(0, 60), st.integers(1, 30), st.sampled_from([0.5, 0.7, 0.8, 0.95])),
        max_size=30,
    )
)
def test_findings_are_disjoint_and_cover_all_that_was_found(spans):
    text = "x" * 100
    found = [sight(start, start + length, score) for start, length, score in spans]
    out = resolved(found, text)
    assert all(a.end <= b.start for a, b in pairwise(out))
    bare = set().union(*(range(o.start, o.end) for o in found)) - set().union(
        *(range(o.start, o.end) for o in out)
    )
    runs = "".join("x" if at in bare else " " for at in range(100)).split()
    assert all(len(run) <= 2 for run in runs)


def test_custom_entities():
    rules = custom_rules(
        "rules: [{id: badge, class: pii.badge, score: 0.9, message: A badge., pattern: '\\bBX-\\d{4}\\b', "
        "positive: [BX-1234], negative: [BX-12]}]"
    )
    scanner = custom_scanner(
        [*rules, *word_list("projects", ["Blue  Heron", "Zoë", "C++"], "pii.project", "m")]
    )
    text = "badge BX-9999 for blue\nheron and ZOË in C++"
    assert [text[one.start : one.end] for one in find(text, extra=[scanner])] == [
        "BX-9999", "blue\nheron", "ZOË", "C++",
    ]  # fmt: skip
    with pytest.raises(RuleError):
        word_list("empty", [" "], "pii.project", "m")
    with pytest.raises(RuleError):
        custom_rules(
            "rules: [{id: a, class: x, score: 0.5, message: m, pattern: ab, positive: [zz], negative: [q]}]"
        )


def test_national_phone_numbers():
    pytest.importorskip("phonenumbers")
    text = "Reach us: 030 901820, order 4711 at 2024-11-25 12:00"
    assert [text[one.start : one.end] for one in find(text, ["pii.phone"], regions=("DE",))] == ["030 901820"]
    with pytest.raises(ValueError, match="XX"):
        require(regions=("XX",))


def test_a_missing_model_says_so(monkeypatch):
    monkeypatch.setattr(model, "PACKAGE", "no_such_package_here")
    model._loaded.cache_clear()
    with pytest.raises(MissingExtra, match="no-deps"):
        require(ner=True)


def test_the_model_finds_names_in_every_window():
    try:
        require(ner=True)
    except MissingExtra:
        pytest.skip("the weights are not installed")
    text = "Nothing of note happened in the long winter. " * 30 + "We then met Jodi Roeterdink in the hall."
    assert [text[one.start : one.end] for one in find(text, ["pii.name"], ner=True)] == ["Jodi Roeterdink"]


@given(st.text(alphabet="0123456789 -./ABCssn:@+()", max_size=300))
@settings(max_examples=60, deadline=None)
def test_any_text_gives_disjoint_spans_inside_it(text):
    found = find(text)
    assert all(0 <= one.start < one.end <= len(text) for one in found)
    assert all(a.end <= b.start for a, b in pairwise(found))
