import csv
import json
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from ringwall.boundaries.interface.identity import DECLARATION as IDENTITY
from ringwall.boundaries.interface.limits import DECLARATION as LIMITS
from ringwall.boundaries.interface.quota import DECLARATION as QUOTA
from ringwall.boundaries.organization.catalogue import ATLAS, CSF, OWASP
from ringwall.boundaries.organization.composer import export_composer, import_composer
from ringwall.boundaries.organization.containment import DECLARATION as CONTAINMENT
from ringwall.boundaries.organization.coverage import coverage
from ringwall.boundaries.organization.drift import DECLARATION as DRIFT
from ringwall.boundaries.organization.evidence import EvidenceStore, evidence, supported
from ringwall.boundaries.organization.status import Setup, Status, derive
from ringwall.boundaries.organization.threats import parse_threats
from ringwall.core import ConfigError, DataError, Mode, event_record
from ringwall.storage.database import Database

DECLARED = {one.id: one for one in (IDENTITY, QUOTA, LIMITS, CONTAINMENT, DRIFT)}
CATALOG = next(
    (folder for up in Path(__file__).parents if (folder := up.parent / "shared" / "catalog").is_dir()), None
)
published = pytest.mark.skipif(CATALOG is None, reason="the published lists are not here")
DAY = 86_400_000_000
NOW = 1000 * DAY
TWO = b"""
threats:
  - {id: T1, source: customer, prerequisite: with a key, action: ask for ever, impact: a bill,
     goals: [availability], assets: [budget, model], stride: [D], tags: [LLM04@2023, LLM10@2025],
     mitigations: [interface.quota, interface.limits]}
  - {id: T2, source: stranger, action: come in, impact: harm}
assumptions: [the network is ours]
"""
MODEL = parse_threats(TWO, DECLARED)
SETUP = Setup(DECLARED)


def fact(control="interface.quota", kind="drill", passed=True, age=1, **more):
    return evidence(kind, control, passed=passed, at=NOW - age * DAY, **more)


def statuses(*facts, setup=SETUP):
    return [row.status for row in derive(MODEL, facts, setup, NOW)]


def test_a_threat_is_a_sentence():
    assert MODEL.threats[0].statement == (
        "Customer with a key can ask for ever, which leads to a bill, resulting in reduced availability of "
        "budget and model."
    )


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("tags: [LLM1@2025]", "2:60: unknown tag 'LLM1@2025': did you mean 'LLM10@2025'?"),
        ("tags: [LLM01]", "unknown tag 'LLM01'"),
        ("mitigations: [interface.quotas]", "2:68: unknown control 'interface.quotas': did you mean"),
        ("mitigatons: []", "unknown key 'mitigatons': did you mean 'mitigations'?"),
        ("stride: [X]", "'X' is not of STRIDE"),
        ("action: ''", "at least 1 character"),
        ("source: !!python/object:os.system x", "is not YAML"),
        ("impact: 2000-99-99", "is not YAML"),
        ("impact: *x", "YAML"),
    ],
)  # fmt: skip
def test_mistakes_are_named_with_their_place(line, said):
    key = line.split(":")[0]
    fields = {"id": "T1", "source": "a", "action": "b", "impact": "c"}
    fields.pop(key, None)
    raw = "threats:\n  - {" + ", ".join(f"{k}: {v}" for k, v in fields.items()) + f",        {line}" + "}\n"
    with pytest.raises(ConfigError) as error:
        parse_threats(raw.encode(), DECLARED)
    assert said in str(error.value)
    assert str(error.value).startswith("threats.yaml")


@pytest.mark.parametrize(
    "raw",
    [
        b"\xff\xfe",
        b"[" * 50_000,
        b"threats: 3",
        b"- 1",
        b"a: &x [1]\nb: [*x, *x]",
        b"x" * 2_000_000,
        b"threats: [{id: T1}]",
        b"threats: [{id: T, source: a, action: b, impact: c}, {id: T, source: a, action: b, impact: c}]",
        b"? [a]\n: b",
        b"\0",
        b"{a: b",
        b"",
    ],
)
def test_hostile_files_are_refused_in_words(raw):
    with pytest.raises(ConfigError):
        parse_threats(raw, DECLARED)


def test_status_by_evidence():
    quota, limits = fact(), fact("interface.limits", "telemetry")
    assert statuses() == [Status.NONE, Status.NONE]
    assert statuses(quota, limits)[0] is Status.PROVEN
    assert statuses(quota)[0] is Status.DEGRADED
    assert statuses(quota, fact("interface.limits", passed=False))[0] is Status.DEGRADED
    assert statuses(fact(passed=False))[0] is Status.BROKEN
    assert statuses(fact(age=31))[0] is Status.STALE
    assert statuses(fact(kind="configuration"))[0] is Status.ASSERTED
    assert statuses(fact(kind="attestation", expires=NOW + DAY, by="olga"))[0] is Status.ASSERTED
    assert statuses(fact(kind="attestation", expires=NOW, by="olga"))[0] is Status.STALE
    assert statuses(fact(age=-1))[0] is Status.NONE  # dated in the future
    assert statuses(fact(threats=("LLM01@2025",)))[0] is Status.NONE  # speaks of another threat
    assert statuses(fact(threats=("LLM04@2023",)))[0] is Status.DEGRADED


def test_a_failure_stands_until_something_measured_says_else():
    failure = fact(passed=False, age=90, threats=("LLM04@2023",))
    assert statuses(failure)[0] is Status.BROKEN
    assert statuses(failure, fact(kind="attestation", expires=NOW + DAY))[0] is Status.BROKEN
    assert statuses(failure, fact(threats=("LLM10@2025",)))[0] is Status.BROKEN
    assert statuses(failure, fact(age=91))[0] is Status.BROKEN
    assert statuses(failure, fact())[0] is Status.DEGRADED


@pytest.mark.parametrize(
    ("setup", "said"),
    [
        (Setup(DECLARED, {"interface.quota": Mode.MONITOR, "interface.limits": Mode.ENFORCE}), "monitor"),
        (Setup(DECLARED, {"interface.limits": Mode.ENFORCE}), "at no gate"),
        (Setup({"interface.limits": LIMITS}), "not installed"),
    ],
)
def test_a_control_that_is_not_enforced_is_broken_whatever_the_evidence(setup, said):
    (row, _) = derive(MODEL, [fact()], setup, NOW)
    assert row.status is Status.BROKEN
    assert said in row.why


known_facts = st.builds(
    fact,
    st.sampled_from(["interface.quota", "interface.limits"]),
    st.sampled_from(["drill", "telemetry", "configuration"]),
    st.booleans(),
    st.integers(0, 60),
)


@given(st.lists(known_facts, max_size=8))
def test_proven_never_without_a_fresh_measured_success_of_every_mitigation(facts):
    row = derive(MODEL, facts, SETUP, NOW)[0]
    for control in row.controls:
        shown = [f for f in facts if f.control == control.control and f.passed and f.kind != "configuration"]
        if control.status is Status.PROVEN:
            assert any(NOW - f.at <= 30 * DAY for f in shown)
    assert (row.status is Status.PROVEN) == all(c.status is Status.PROVEN for c in row.controls)
    assert derive(MODEL, facts[::-1], SETUP, NOW)[0].status is row.status
    assert row.why


@pytest.fixture
def store(tmp_path):
    database = Database(tmp_path / "state.db")
    yield EvidenceStore(database)
    database.close()


def test_evidence_stands_on_its_ledger_entry(store):
    made = fact(detail="Stopped 4 of 4.", threats=("LLM04@2023",))
    event = event_record("evidence.added", "system", "default", made.facts())
    kept = store.add(made, entry=event["id"])
    assert supported(kept, event)
    assert not supported(kept, None)
    assert not supported(kept, {**event, "id": "evt_other"})
    store._db.write("UPDATE evidence SET passed = 0")
    (forged,) = store.for_control("interface.quota")
    assert not supported(forged, event)
    with pytest.raises(DataError):
        store.add(made, entry="")


def test_the_latest_of_each_source(store):
    for age, kind, passed in (
        (3, "drill", True),
        (1, "drill", False),
        (1, "drill", True),
        (2, "telemetry", True),
    ):
        store.add(fact(age=age, kind=kind, passed=passed), entry="e")
    assert sorted((f.kind, f.at, f.passed) for f in store.latest()) == [
        ("drill", NOW - DAY, False),
        ("drill", NOW - DAY, True),
        ("telemetry", NOW - 2 * DAY, True),
    ]
    assert [f.at for f in store.all()] == sorted((f.at for f in store.all()), reverse=True)


@pytest.mark.parametrize(
    "bad",
    [
        {"kind": "rumour"},
        {"kind": "attestation"},
        {"control": ""},
        {"detail": "\ud800"},
        {"detail": "x" * 3000},
        {"by": ""},
        {"threats": ("LLM01",)},
        {"threats": ("LLM01@2025 x",)},
        {"expires": 1 << 60},
    ],
)
def test_evidence_that_can_not_be(bad):
    with pytest.raises(DataError):
        fact(**bad)


def test_coverage_is_computed():
    found = coverage([fact(threats=("LLM10@2025",))], Setup(DECLARED), NOW)
    rows = {row.id: row for row in found.owasp}
    assert len(rows) == 20
    assert rows["LLM10@2025"].status is Status.PROVEN
    assert rows["LLM04@2023"].status is Status.NONE  # the evidence speaks of the other edition only
    assert rows["LLM04@2023"].related == ("LLM10@2025",)
    assert rows["LLM09@2025"].controls == ()
    assert {row.id: row.status for row in found.csf}["PR.IR-04"] is Status.PROVEN
    assert sum(total for *_, total in found.csf_functions) == len(CSF) == 106


def test_the_model_goes_out_to_threat_composer_and_comes_back():
    rows = derive(MODEL, [fact()], SETUP, NOW)
    out = export_composer("support-assistant", MODEL, rows, DECLARED)
    assert out == export_composer("support-assistant", MODEL, rows, DECLARED)
    back = import_composer(json.dumps(out).encode())
    assert back == MODEL


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"[]",
        b"{}",
        b'{"schema":2}',
        b"[" * 100_000,
        b"\xff",
        b'{"schema":1,"threats":[{"threatSource":"a","threatAction":"' + b"x" * 300 + b'"}]}',
    ],
)
def test_what_is_no_threat_composer_file_is_refused(raw):
    with pytest.raises(DataError):
        import_composer(raw)


@given(
    st.recursive(
        st.none() | st.integers(0, 3) | st.text(max_size=3),
        lambda x: (
            st.lists(x, max_size=2)
            | st.dictionaries(
                st.sampled_from(
                    [
                        "id",
                        "metadata",
                        "key",
                        "value",
                        "tags",
                        "threatSource",
                        "threatAction",
                        "linkedId",
                        "mitigationId",
                    ]
                ),
                x,
                max_size=3,
            )
        ),
    )
)
def test_odd_shapes_are_left_out_or_refused(odd):
    raw = json.dumps(
        {"schema": 1, "threats": odd, "mitigations": odd, "mitigationLinks": odd, "assumptions": odd}
    )
    try:
        import_composer(raw.encode())
    except DataError as error:
        assert "taken over" in str(error)


@published
def test_the_export_meets_threat_composers_own_schema():
    import jsonschema_rs

    schema = json.loads((CATALOG / "threat-composer-v1.schema.json").read_text())
    rows = derive(MODEL, [fact()], SETUP, NOW)
    jsonschema_rs.validator_for(schema).validate(export_composer("support-assistant", MODEL, rows, DECLARED))


@published
def test_a_published_model_can_be_taken_over():
    model = import_composer((CATALOG / "genai-chatbot.tc.json").read_bytes())
    assert len(model.threats) == 37


@published
def test_ids_and_titles_are_the_official_ones():
    lists = json.loads((CATALOG / "owasp-llm-top10.json").read_text())
    official = {
        f"{i}@{edition}": title for edition, items in lists["editions"].items() for i, title in items.items()
    }
    official |= {f"{i}@2026": title for i, title in lists["agentic_2026"].items()}
    assert official == OWASP
    with (CATALOG / "nist-csf-2.0.csv").open() as file:
        assert {row["id"] for row in csv.DictReader(file) if row["depth"] == "3"} == CSF
    text = (CATALOG / "atlas-5.6.yaml").read_text()
    for technique, title in ATLAS.items():
        assert f"id: {technique.partition('@')[0]}\n" in text
        assert title in text


@pytest.mark.parametrize("declared", DECLARED.values(), ids=DECLARED)
def test_declarations_name_what_exists(declared):
    assert set(declared.threats) <= set(OWASP)
    assert set(declared.csf) <= CSF
    assert any(tag.endswith("@2023") for tag in declared.threats)
    assert any(tag.endswith("@2025") for tag in declared.threats)


def test_the_samples_model_is_sound():
    path = next((up for up in Path(__file__).parents if (up / "pyproject.toml").is_file()), Path())
    raw = (path / "examples" / "support-assistant" / "threats.yaml").read_bytes()
    named = {name for threat in yaml.safe_load(raw)["threats"] for name in threat["mitigations"]}
    model = parse_threats(raw, named)
    tags = {tag for threat in model.threats for tag in threat.tags}
    assert {f"LLM{number:02}@2023" for number in range(1, 11)} <= tags
