"""Cedar on contributions: the pack that ships, policies of a workload, and mistakes in them."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ringwall.boundaries.data import CollectionSettings, DataSection, policy
from ringwall.boundaries.data.intake.policies import DataPolicies
from ringwall.boundaries.data.quarantine import Held
from ringwall.cedar import Source
from ringwall.core import Action, ConfigError, Crossing, CrossingKind, Part, PartKind, Principal, untrusted

Person = Callable[..., Principal]
FULL = {"licence": "MIT", "consent": "asked", "process": "nightly", "signed": True}


def control(more: str = "", kind: str = "training", now: float = 0.0, **rules: Any) -> policy.DataPolicy:
    settings = CollectionSettings(kind=kind, contributors=("editor",), **rules)
    section = DataSection(collections={"tunes": settings})
    shipped = DataPolicies.load(section, Path())
    if more:
        texts = [one.text for one in shipped._policies.values()]
        shipped = DataPolicies(section, [Source("data.cedar", "".join(texts)), Source("mine.cedar", more)])
    return policy.DataPolicy(shipped, lambda: now)


def judge(given: policy.DataPolicy, by: Principal, *facts: dict[str, Any], seed: bool = False) -> Any:
    parts = [
        Part(PartKind.DOCUMENT, "text", untrusted("x"), data={"collection": "tunes", **FULL, **one})
        for one in facts or ({},)
    ]
    return given.inspect(Crossing(CrossingKind.CONTRIBUTION, by, tuple(parts), context={"seed": seed}))


@pytest.mark.parametrize(
    ("rules", "facts", "rule"),
    [
        ({}, {}, ""),
        ({}, {"collection": "other"}, "not-decided"),
        ({"contributors": ()}, {}, "not-permitted"),
        ({"licences": ("MIT", "CC0-1.0")}, {}, ""),
        ({"licences": ("CC0-1.0",)}, {}, "data.licence"),
        ({"licences": ("CC0-1.0",), "kind": "index"}, {"licence": ""}, "data.licence"),
        ({}, {"licence": ""}, "data.training-licence"),
        ({"kind": "index"}, {"licence": ""}, ""),
        ({"consent": "required"}, {}, ""),
        ({"consent": "required"}, {"consent": "  "}, "data.consent"),
        ({"processes": ("nightly",)}, {}, ""),
        ({"processes": ("nightly",)}, {"process": "laptop"}, "data.process"),
        ({"signed": "required"}, {}, ""),
        ({"signed": "required"}, {"signed": "yes"}, "data.signature"),
    ],
)
def test_the_rules_of_a_collection(person: Person, rules: Any, facts: Any, rule: str) -> None:
    rules = dict(rules)
    kind = rules.pop("kind", "training")
    given = control(kind=kind, **rules) if "contributors" not in rules else _nobody()
    found = (
        judge(given, person("ed", "editor"), {}, facts)
        if rule
        else judge(given, person("ed", "editor"), facts)
    )
    assert found.action is (Action.BLOCK if rule else Action.ALLOW)
    if rule:
        assert {(one.rule, one.part) for one in found.findings} >= {(rule, 1)}
        assert found.reasons


def _nobody() -> policy.DataPolicy:
    section = DataSection(collections={"tunes": CollectionSettings(kind="training")})
    return policy.DataPolicy(DataPolicies.load(section, Path()))


def test_who_is_nobody_and_who_is_the_operator(person: Person) -> None:
    given = control(processes=("nightly",), signed="required")
    assert judge(given, Principal("anonymous", roles=frozenset({"editor"}))).action is Action.BLOCK
    assert judge(given, person("ed", "customer")).action is Action.BLOCK
    bare = {"process": "", "signed": False}
    assert judge(given, person("steward", "editor"), bare, seed=True).action is Action.ALLOW


def test_policies_of_the_workload_come_beside(person: Person) -> None:
    mine = """
    @id("medical") @verdict("hold") @reason("A physician looks at it.")
    forbid (principal, action == Action::"contribute", resource) when { context.classes.contains("health") };
    @id("night") @reason("Nothing at night.")
    forbid (principal, action == Action::"contribute", resource) when { context.hour < 6 };
    """
    ed = person("ed", "editor")
    day = control(mine, now=12 * 3600)
    assert judge(day, ed).action is Action.ALLOW
    held = judge(day, ed, {}, {"classes": ["health"]})
    assert held.action is Action.HOLD
    assert [one.part for one in held.findings] == [1]
    assert held.reasons == ("A physician looks at it.",)
    assert judge(control(mine, now=3600), ed, {"classes": ["health"]}).action is Action.BLOCK
    assert judge(day, person("ed", "customer"), {"classes": ["health"]}).action is Action.BLOCK


@pytest.mark.parametrize(
    "text",
    [
        "permit (principal, action, resource) when { context.licens == 3 };",
        'permit (principal, action == Action::"contribute", resource) when { resource.size > 1 };',
        "permit (principal, action, resource",
        '@id("data.licence") permit (principal, action, resource);',
    ],
)
def test_a_mistake_refuses_to_load_and_has_a_place(text: str) -> None:
    with pytest.raises(ConfigError) as error:
        control(f"\n\n{text}")
    assert "mine.cedar" in str(error.value)
    assert "3" in str(error.value)


def test_releases(person: Person) -> None:
    mine = """
    @id("own-tenant") @reason("Only the quality team releases large sets.")
    forbid (principal, action == Action::"approve", resource) when { context.rows > 100 }
    unless { principal in Role::"quality" };
    """
    settings = CollectionSettings(kind="training", contributors=("editor",), approvers=("chief",))
    section = DataSection(collections={"tunes": settings})
    shipped = DataPolicies.load(section, Path())
    texts = "".join(one.text for one in shipped._policies.values())
    policies = DataPolicies(section, [Source("data.cedar", texts), Source("mine.cedar", mine)])

    def held(rows: int) -> Held:
        return Held("h", "tunes", "con", "ed", "north", "", 0, "quarantined", "", 0, rows, "key_ed")

    for rows, who, refused in (
        (5, person("ch", "chief"), False),
        (5, person("mo", "editor"), True),
        (5, person("ed", "chief"), True),
        (5, person("ch", "chief", credential="key_ed"), True),
        (500, person("ch", "chief"), True),
        (500, person("ch", "chief", "quality"), False),
    ):
        assert bool(policies.refuses_release(held(rows), settings, who)) is refused
