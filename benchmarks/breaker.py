"""What the breaker adds to a decision about a tool call, as a ratio to Cedar's decision in the same run: the
counts lie in the shared database, so each call that is let through is a small write.

    python benchmarks/breaker.py
"""

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from policy import call_arguments, history, policies, section

from ringwall.boundaries.application.authority import Call
from ringwall.boundaries.application.breaker import BreakerControl
from ringwall.boundaries.application.breaker_settings import BreakerSettings
from ringwall.boundaries.application.breakers import Breakers
from ringwall.boundaries.application.cedar_policies import Source
from ringwall.boundaries.application.compose import policy_services
from ringwall.boundaries.application.provenance import Provenance
from ringwall.boundaries.application.rights import ApprovalRights
from ringwall.boundaries.application.strict_json import canonical
from ringwall.boundaries.application.switches import ToolSwitches
from ringwall.core import USER, Action, Crossing, CrossingKind, Part, PartKind, Principal
from ringwall.storage.database import Database
from ringwall.storage.shared_counters import SharedCounters

_BY = Principal("casey", "brightlamp", frozenset({"agent"}), credential="key_1")
_ROUNDS, _WARM = 2000, 50


def main() -> None:
    parts = history(50, 1000)
    data = call_arguments(parts)
    made = policy_services(section(), ApprovalRights(), extra=[Source("bench.cedar", policies(100))])
    tool = made.registry.get("note")
    assert tool is not None
    labels = Provenance().of(parts, data)
    call = Call(_BY, tool, data, labels, USER)
    cedar = measured(lambda: made.authority.rule(call))
    print(f"{'Cedar: 20 arguments, 100 policies':<50} p50 {cedar:.3f} ms")
    everything = BreakerSettings.model_validate(
        {
            "calls": {"session": "1m/hour", "principal": "1m/day", "tenant": "1m/day"},
            "tools": {"note": {"session": "1m/hour", "principal": "1m/day"}},
            "effects": {"write": "1m/day"},
        }
    )
    for name, settings in (
        ("the default limits", open_ended(BreakerSettings())),
        ("nine limits", everything),
    ):
        with tempfile.TemporaryDirectory() as folder:
            database = Database(Path(folder) / "state.db")
            breakers = Breakers(settings, made.registry, SharedCounters(database))
            control = BreakerControl(8, breakers, ToolSwitches(database), made.registry)
            crossings = iter([crossing_of(data, number) for number in range(_ROUNDS + _WARM)])

            def decide(
                control: BreakerControl = control,
                breakers: Breakers = breakers,
                crossings: Iterator[Crossing] = crossings,
            ) -> None:
                crossing = next(crossings)
                verdict = control.inspect(crossing)
                assert verdict.action is Action.ALLOW, verdict
                breakers.made(crossing.context["turn"], crossing.parts[0])

            taken = measured(decide)
            print(f"{f'breaker: {name}, made':<50} p50 {taken:.3f} ms   {taken / cedar:.2f} of Cedar's")
            database.close()


def crossing_of(data: dict[str, Any], number: int) -> Crossing:
    """Twenty calls a session, no two of them alike."""
    given = {**data, "a19": f"{number:x}" * 8}
    part = Part(PartKind.TOOL_CALL, canonical(given), USER, "assistant", "note", given, "c")
    context = {"turn": f"turn {number}", "turn_calls": 0}
    return Crossing(CrossingKind.TOOL_CALL, _BY, (part,), session=f"session {number // 20}", context=context)


def open_ended(settings: BreakerSettings) -> BreakerSettings:
    """The same limits in number, so high that no run meets them."""
    calls = {"session": "1m/hour", "principal": "1m/day"}
    return BreakerSettings.model_validate({**settings.model_dump(), "calls": calls})


def measured(work: Callable[[], object]) -> float:
    """Median, in milliseconds."""
    for _ in range(_WARM):
        work()
    taken = []
    for _ in range(_ROUNDS):
        begun = time.perf_counter_ns()
        work()
        taken.append((time.perf_counter_ns() - begun) / 1e6)
    return statistics.median(taken)


if __name__ == "__main__":
    argparse.ArgumentParser(description=(__doc__ or "").partition("\n\n")[0]).parse_args()
    main()
