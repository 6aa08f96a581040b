"""What a decision about a tool call costs: provenance of 20 arguments against 50 messages, Cedar with 100
policies, and all controls of the application boundary at a gate.

    python benchmarks/policy.py
"""

import argparse
import asyncio
import json
import random
import statistics
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from ringwall.boundaries.application import arguments, breaker, destination, manifest, policy, results
from ringwall.boundaries.application.authority import Call
from ringwall.boundaries.application.cedar_policies import Source
from ringwall.boundaries.application.compose import application_services, policy_services
from ringwall.boundaries.application.directory import Directories
from ringwall.boundaries.application.provenance import Provenance
from ringwall.boundaries.application.rights import ApprovalRights
from ringwall.boundaries.application.session_facts import SessionFacts
from ringwall.boundaries.application.settings import ApplicationSection
from ringwall.boundaries.application.strict_json import read_arguments
from ringwall.core import (
    USER,
    Application,
    Crossing,
    CrossingKind,
    Gate,
    Part,
    PartKind,
    Post,
    Principal,
    Services,
    untrusted,
)
from ringwall.storage.database import Database

_RANDOM = random.Random(7)
_WORDS = [
    "".join(_RANDOM.choices("abcdefghijklmnopqrstuvwxyz", k=_RANDOM.randint(2, 9))) for _ in range(3000)
]
_BY = Principal("casey", "brightlamp", frozenset({"agent"}), {"customer_id": "1001"}, "key_1")
_PAGE = untrusted("tool:fetch_page")


def prose(characters: int) -> str:
    text = ""
    while len(text) < characters:
        text += _RANDOM.choice(_WORDS) + " "
    return text[:characters]


def history(messages: int, characters: int) -> list[Part]:
    """Every third message is the user's, the others came from outside."""
    return [
        Part(PartKind.TEXT, prose(characters), USER if number % 3 == 0 else _PAGE)
        for number in range(messages)
    ]


def call_arguments(parts: list[Part]) -> dict[str, Any]:
    """Five taken from the user, five from outside, ten the model's own."""
    made: dict[str, Any] = {}
    for number in range(20):
        if number < 5:
            made[f"a{number}"] = " ".join(parts[number * 3].text.split()[5:9])
        elif number < 10:
            made[f"a{number}"] = " ".join(parts[number * 3 + 1].text.split()[5:9])
        else:
            made[f"a{number}"] = prose(40)
    return made


_OPEN = {
    "identical_calls": 10**9,
    "similar_calls": 10**9,
    "calls_per_turn": 10**9,
    "calls": {"session": "1000000000/hour", "principal": "1000000000/day"},
}
"""Limits that the same call, made over and over, does not reach."""


def section() -> ApplicationSection:
    properties = {f"a{number}": {"type": "string"} for number in range(20)}
    tool = {
        "description": "Write a note.",
        "parameters": {"type": "object", "properties": properties},
        "effect": "write",
        "target": ["a0"],
    }
    return ApplicationSection.model_validate({"tools": {"note": tool}, "breakers": _OPEN})


def policies(count: int, arguments_read: int = 5) -> str:
    """Policies that all apply to the tool and each look at one of some arguments."""
    return "\n".join(
        f'@id("p{number}") forbid (principal, action == Action::"note", resource)\n'
        f"when {{ context.args has a{number % arguments_read} && "
        f'context.args.a{number % arguments_read}.value == "secret {number}" }};'
        for number in range(count)
    )


def measure(name: str, work: Callable[[], object], rounds: int = 400) -> None:
    for _ in range(20):
        work()
    taken = []
    for _ in range(rounds):
        begun = time.perf_counter_ns()
        work()
        taken.append((time.perf_counter_ns() - begun) / 1e6)
    report(name, taken)


def report(name: str, taken: list[float]) -> None:
    cuts = statistics.quantiles(taken, n=100)
    print(f"{name:<58} p50 {cuts[49]:.3f} ms   p95 {cuts[94]:.3f} ms   p99 {cuts[98]:.3f} ms")


def main() -> None:
    parts = history(50, 1000)
    data = call_arguments(parts)
    provenance = Provenance()
    for messages in (10, 50, 100, 200):
        longer = history(messages, 1000) if messages != 50 else parts
        name = f"provenance: 20 arguments, {messages} messages of 1 KB, seen"
        measure(name, partial(provenance.of, longer, data))
    fresh = iter(range(10**9))
    measure(
        "provenance: 50 messages and one that is new each time",
        lambda: provenance.of([*parts, Part(PartKind.TEXT, f"{next(fresh)} {prose(200)}", _PAGE)], data),
    )
    measure("provenance: the same 50, never seen", lambda: Provenance().of(parts, data), 40)

    rights = ApprovalRights()
    extra = [Source("bench.cedar", policies(100))]
    made = policy_services(section(), rights, extra=extra)
    tool = made.registry.get("note")
    assert tool is not None
    labels = provenance.of(parts, data)
    call = Call(_BY, tool, data, labels, USER)
    ruling = made.authority.rule(call)
    assert str(ruling.action) == "allow", ruling
    measure("Cedar: 20 arguments, 100 policies and the default pack", lambda: made.authority.rule(call))
    every = policy_services(section(), rights, extra=[Source("bench.cedar", policies(100, 20))])
    measure("Cedar: the same with policies that read every argument", lambda: every.authority.rule(call))
    measure(
        "provenance and Cedar together",
        lambda: made.authority.rule(Call(_BY, tool, data, provenance.of(parts, data), USER)),
    )
    facts = SessionFacts(provenance, Directories(()))

    def whole() -> object:
        known = facts.of(parts, data)
        found = (known.asked, known.listed, known.verbatim, known.linking)
        return made.authority.rule(Call(_BY, tool, data, known.labels, USER, False, *found))

    measure("all that is known of the call, and Cedar", whole)
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(gate(Path(folder), data, labels))


async def gate(folder: Path, data: dict[str, Any], labels: Any) -> None:
    file = folder / "bench.cedar"
    file.write_text(policies(100))
    config = section().model_copy(update={"policies": file})
    database = Database(folder / "state.db")
    application = Application("assistant", tools=("note",))
    services = Services(application, *application_services(config, database, ApprovalRights(), folder))
    modules = (arguments, breaker, destination, manifest, policy, results)
    made = Gate([Post(module.CONTROL.build(module.CONTROL.settings(), services)) for module in modules])
    read = read_arguments(json.dumps(data))
    part = Part(PartKind.TOOL_CALL, read.text, USER, "assistant", "note", read.data, "call_1")
    context = {"provenance": {"call_1": labels}, "session_labels": USER, "turn_calls": 0}
    crossing = Crossing(CrossingKind.TOOL_CALL, _BY, (part,), session="s", context=context)
    taken = []
    for number in range(420):
        begun = time.perf_counter_ns()
        decision = await made.decide(crossing)
        if number >= 20:
            taken.append((time.perf_counter_ns() - begun) / 1e6)
        assert str(decision.action) == "allow", decision
    report("gate: all controls of the boundary on that call", taken)


if __name__ == "__main__":
    argparse.ArgumentParser(description=(__doc__ or "").partition("\n\n")[0]).parse_args()
    main()
