import subprocess
import sys

import pytest

from ringwall.boundaries.organization.containment import CONTROL, Containment
from ringwall.boundaries.organization.drift import CONTROL as DRIFT
from ringwall.core import (
    ALLOW,
    USER,
    Action,
    Application,
    Crossing,
    CrossingKind,
    DataError,
    FailMode,
    NoSettings,
    Part,
    PartKind,
    Principal,
    Services,
)
from ringwall.storage.database import Database

CASEY = Principal("casey", "brightlamp", credential="key1")


@pytest.fixture
def bench(tmp_path):
    database = Database(tmp_path / "state.db")
    clock = [1000.0]
    containment = Containment(database, now=lambda: clock[0])
    containment.clock = clock
    yield containment
    database.close()


def judge(containment, principal=CASEY, kind=CrossingKind.REQUEST, tool="", session="s1"):
    part = PartKind.TEXT if kind is CrossingKind.EGRESS else PartKind.TOOL_CALL
    parts = (Part(part, "{}", USER, name=tool),) if tool else ()
    control = CONTROL.build(NoSettings(), Services(containment))
    return control.inspect(Crossing(kind, principal, parts, session=session))


@pytest.mark.parametrize(
    ("kind", "target"),
    [("subject", "casey"), ("tenant", "brightlamp"), ("session", "s1"), ("key", "key1"), ("tool", "refund")],
)
@pytest.mark.parametrize(
    "crossing",
    [
        *(CrossingKind.REQUEST, CrossingKind.TOOL_CALL, CrossingKind.EGRESS),
        *(CrossingKind.CONTRIBUTION, CrossingKind.RETRIEVAL),
    ],
)
def test_what_is_in_quarantine_is_stopped_until_it_is_lifted(bench, kind, target, crossing):
    assert crossing in CONTROL.build(NoSettings(), Services(bench)).declaration.crossings
    assert judge(bench, kind=crossing, tool="refund") is ALLOW
    entry = bench.quarantine(kind, target, reason="private reason", by="olga")
    stopped = judge(bench, kind=crossing, tool="refund")
    assert stopped.action is Action.BLOCK
    assert "private reason" not in repr(stopped)
    assert bench.active() == [entry]
    lifted = bench.lift(entry.id, by="piet")
    assert judge(bench, kind=crossing, tool="refund") is ALLOW
    assert (lifted.lifted_by, bench.active()) == ("piet", [])
    assert lifted.event("lifted")["by"] == "piet"


def test_others_go_on(bench):
    bench.quarantine("subject", "casey", reason="r", by="olga", tenant="brightlamp")
    bench.quarantine("tool", "refund", reason="r", by="olga")
    assert judge(bench, Principal("casey", "other", credential="k")) is ALLOW
    assert judge(bench, Principal("robin", "brightlamp", credential="k")) is ALLOW
    assert judge(bench, Principal("robin", credential="k"), CrossingKind.TOOL_CALL, "refund_all") is ALLOW


def test_it_ends_by_itself(bench):
    bench.quarantine("subject", "casey", reason="r", by="olga", expires=1010.0)
    assert judge(bench).action is Action.BLOCK
    bench.clock[0] = 1010.0
    assert judge(bench) is ALLOW
    assert bench.active() == []
    assert len(bench.history()) == 1


def test_another_process_counts_at_once(bench):
    script = (
        "import sys, pathlib\n"
        "from ringwall.boundaries.organization.containment import Containment\n"
        "from ringwall.storage.database import Database\n"
        "containment = Containment(Database(pathlib.Path(sys.argv[1])))\n"
        "containment.quarantine('subject', 'casey', reason='r', by='olga')\n"
    )
    assert judge(bench) is ALLOW
    subprocess.run([sys.executable, "-c", script, str(bench._db.path)], check=True)
    assert judge(bench).action is Action.BLOCK


def test_nonsense_is_refused(bench):
    for bad in (
        {"kind": "planet"},
        {"target": ""},
        {"reason": ""},
        {"by": ""},
        {"target": "x\0"},
        {"expires": 999.0},
    ):
        with pytest.raises(DataError):
            bench.quarantine(**{"kind": "subject", "target": "casey", "reason": "r", "by": "o", **bad})
    for entry in ("nothing", "\ud800"):
        with pytest.raises(DataError):
            bench.lift(entry, by="olga")
    entry = bench.quarantine("subject", "casey", reason="r", by="olga")
    bench.lift(entry.id, by="olga")
    with pytest.raises(DataError):
        bench.lift(entry.id, by="olga")


def test_hostile_names_do_not_raise(bench):
    bench.quarantine("subject", "\ud800", reason="\ud800", by="olga")
    judge(bench, Principal("\ud800\0" * 9, "\udfff", credential="\0"), session="'; DROP TABLE keys")


APPLICATION = Application("a", tools=("lookup",), models=("default",), collections=("handbook",))


def drift(kind, parts=(), **context):
    control = DRIFT.build(NoSettings(), Services(APPLICATION))
    return control.inspect(Crossing(kind, CASEY, parts, context=context))


@pytest.mark.parametrize(
    ("kind", "names"),
    [
        (CrossingKind.TOOL_OFFER, ("lookup", "lookup2")),
        (CrossingKind.MODEL_CALL, ("default", "gpt-x")),
        (CrossingKind.RETRIEVAL, ("handbook", "payroll")),
    ],
)
def test_drift_is_noted_and_stops_nothing(kind, names):
    def at(name):
        parts = (Part(PartKind.TOOL_OFFER, "{}", USER, name=name),)
        return drift(kind, parts, route=name, collection=name)

    assert at(names[0]) is ALLOW
    noted = at(names[1])
    assert noted.action is Action.ANNOTATE
    assert names[1] in noted.findings[0].message
    assert at("\ud800" * 5000).action is Action.ANNOTATE


def test_drift_fails_open_and_takes_any_context():
    assert DRIFT.build(NoSettings(), Services(APPLICATION)).declaration.fail is FailMode.OPEN
    for odd in (None, 3, {}, [], [None, 4], b"x"):
        drift(CrossingKind.MODEL_CALL, route=odd, model=odd)
        drift(CrossingKind.RETRIEVAL, collection=odd, collections=odd)
