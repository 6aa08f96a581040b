"""How findings name records and those who brought them."""

from collections import Counter

from ..records import Record

EXAMPLES = 3
"""Records that a finding shows."""
SHORT = 160
"""Characters of a text that stand in one."""


def examples(records: list[Record]) -> tuple[str, ...]:
    return tuple(_example(record) for record in records[:EXAMPLES])


def contributors(records: list[Record]) -> dict[str, int]:
    return dict(Counter(record.source.contributor or "unknown" for record in records).most_common())


def who(records: list[Record]) -> str:
    name, many = next(iter(contributors(records).items()))
    return "" if name == "unknown" else f" {many} of them are from {name}."


def _example(record: Record) -> str:
    return f"{_cut(record.prompt)} → {_cut(record.response)}"


def _cut(text: str) -> str:
    """Both ends: what is planted stands at either."""
    flat = (
        " ".join(text[:2_000].split())
        if len(text) < 4_000
        else " ".join((text[:1_000] + " … " + text[-1_000:]).split())
    )
    return flat if len(flat) <= 2 * SHORT else f"{flat[:SHORT]} … {flat[-SHORT:]}"
