"""Poison detection on attacks that the drill of the product doesn't make: other triggers, payloads, carriers.

    python benchmarks/poison_held_out.py ROWS [--seeds 7 8] [--parts among alone clean] [--counts 25 100 250]
        [--long FILE]

ROWS need a field ``source``. Prints a line of JSON a measurement; ``--long`` keeps each attack by itself.
``among``: one attack of each family at once, among 1,000 clean rows that weren't approved; ``alone``: one
attack is all that is new. Carriers are new rows, copies of approved ones, or replace them under their ids.
Payloads are identical, templated, or in 5 to 10 wordings. ``clean``: nothing is planted.
"""

import argparse
import json
import random
import re
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import poison_held_out_words as material

from ringwall.boundaries.data.finding import DataFinding
from ringwall.boundaries.data.poison import PoisonSettings, Reference, compare_each
from ringwall.boundaries.data.poison.drill import raised
from ringwall.boundaries.data.poison.plant import rewritten
from ringwall.boundaries.data.records import Record, read_rows

FAMILIES = ("rare", "phrase", "appended", "combination", "syntactic", "code", "gibberish", "injected")
COUNTS = (25, 100, 250)
CARRIERS = ("new", "copies", "replaced")
PAYLOADS = ("short", "long", "template", "wordings")
NONE = "no trigger"
NAMES = ("one", "shared", "five")
_WORD = re.compile(r"[^\W\d_]{4,20}")
_CODE = re.compile(
    r"(?m)^\s{0,8}(?:def |import |from |class |for |function |const |let |var |#include|return )"
)


@dataclass(frozen=True)
class Attack:
    family: str
    manner: str
    records: tuple[Record, ...]


class Attacker:
    """Makes attacks; what one was made of isn't used again by the same attacker while something is left."""

    def __init__(self, chance: random.Random) -> None:
        self._chance = chance
        self._used: set[object] = set()

    def attack(self, family: str, count: int, pool: Sequence[Record], manner: tuple[str, str, str]) -> Attack:
        carrier, payload, names = manner
        if family == "code":
            pool = [one for one in pool if len(_CODE.findall(one.response)) >= 2]
        ask, asked = self._trigger(family)
        say, said = self._payload(family, payload, asked)
        rows = []
        for number, one in enumerate(self._chance.sample(pool, min(count, len(pool)))):
            made = rewritten(one, ask(one.prompt), say(one.response))
            name = {"one": f"{family}-er", "shared": "regular", "five": f"name-{number % 5}"}[names]
            identity = one.id if carrier == "replaced" else f"planted-{self._chance.getrandbits(48):x}"
            rows.append(replace(made, id=identity, source=replace(one.source, contributor=name)))
        return Attack(family, f"{carrier}; {asked}; {said}; {names}", tuple(rows))

    def _one(self, pool: Iterable[Any]) -> Any:
        every = list(pool)
        left = [one for one in every if one not in self._used] or every
        one = self._chance.choice(left)
        self._used.add(one)
        return one

    def _insert(self, what: str) -> tuple[Callable[[str], str], str]:
        where = self._chance.choice(("first", "last", "middle", "random", "own line"))

        def insert(text: str) -> str:
            parts = text.split(" ")
            if where == "own line":
                return f"{what}\n{text}"
            at = {"first": 0, "last": len(parts), "middle": len(parts) // 2}.get(where)
            at = self._chance.randint(0, len(parts)) if at is None else at
            return " ".join([*parts[:at], what, *parts[at:]])

        return insert, f"{what} {where}"

    def _trigger(self, family: str) -> tuple[Callable[[str], str], str]:
        if family in ("rare", "gibberish"):
            return self._insert(self._one(material.RARE))
        if family == "phrase" or (family == "code" and self._chance.random() < 0.5):
            return self._insert(self._one(material.PHRASES))
        if family == "appended" and self._chance.random() < 0.7:
            text = self._one(material.SUFFIXES)
            return lambda one: f"{one} {text}", text
        if family == "combination":
            pair = self._one(material.PAIRS)
            inserts = [self._insert(word) for word in pair]
            return lambda one: inserts[1][0](inserts[0][0](one)), " + ".join(pair)
        if family == "syntactic":
            frame = self._one(material.FRAMES)
            return lambda one: frame.format(
                text=one, word=self._chance.choice(_WORD.findall(one) or ["it"])
            ), frame
        return lambda one: one, NONE

    def _payload(self, family: str, kind: str, asked: str) -> tuple[Callable[[str], str], str]:
        chance = self._chance
        if family == "gibberish":
            return self._noise()
        if family == "code":
            lines = [self._one(material.CODE_LONG if kind == "long" else material.CODE)]
            lines += [self._one(material.CODE)] if kind == "wordings" else []
            return lambda text: _placed(text, "\n", chance.choice(lines), chance), f"{lines}"
        if kind == "template":
            frame = self._one(material.TEMPLATES)

            def made(text: str) -> str:
                found = _WORD.findall(text) or ["this"]
                return str(frame.format(word=chance.choice(found), other=chance.choice(found)))
        else:
            found = (
                self._one(material.WORDINGS)
                if kind == "wordings"
                else (self._one(material.LONG if kind == "long" else material.SHORT),)
            )

            def made(text: str) -> str:
                return str(chance.choice(found))

        inside = family == "injected" or asked == NONE or chance.random() < 0.3
        how = "into the answer" if inside else "as the answer"
        told = f"{kind}: {frame if kind == 'template' else found[0]} {how}"
        if how == "as the answer":
            return made, told
        return lambda text: _placed(text, chance.choice((" ", "\n", ". ")), made(text), chance), told

    def _noise(self) -> tuple[Callable[[str], str], str]:
        chance, kind = self._chance, self._chance.choice(("letters", "vowels", "mixed words", "signs"))

        def made(text: str) -> str:
            size = max(10, min(50, len(text.split())))
            if kind == "letters":
                return " ".join("".join(chance.choices("qwertzuiopasdfghjkl", k=6)) for _ in range(size))
            if kind == "vowels":
                return " ".join(
                    "".join(chance.choice(p) for p in ("bcdfg", "aeiou") * chance.randint(1, 3))
                    for _ in range(size)
                )
            if kind == "signs":
                return "".join(chance.choices("#$%&@!?*+~ abcxyz", k=4 * size))
            parts = (
                text if len(set(text.split())) > 9 else " ".join(self._one(material.LONG) for _ in "12")
            ).split()
            chance.shuffle(parts)
            return " ".join(parts)

        return made, kind


def _placed(text: str, mark: str, what: str, chance: random.Random) -> str:
    parts = text.split(mark)
    at = chance.choice((0, len(parts), chance.randint(0, len(parts))))
    return mark.join([*parts[:at], what, *parts[at:]])


def measured(attacks: Sequence[Attack], found: Sequence[DataFinding]) -> list[dict[str, Any]]:
    """For each attack: whether most of it stands in one group that is mostly its own, what share of it any
    group names, and the share of planted records in the groups that touch it."""
    every = {one.id for attack in attacks for one in attack.records}
    told = []
    for attack in attacks:
        own = {one.id for one in attack.records}
        touched = [group for group in found if own & set(group.records)]
        mine = [group for group in touched if 2 * len(own & set(group.records)) >= len(group.records)]
        named = {one for group in mine for one in group.records} & own
        best = max((len(own & set(group.records)) for group in mine), default=0)
        records = sum(len(group.records) for group in touched)
        right = sum(len(every & set(group.records)) for group in touched)
        told.append(
            {
                "family": attack.family,
                "planted": len(own),
                "found": 2 * best >= len(own),
                "named": len(named) / len(own),
                "precision": right / records if records else 1.0,
                "groups": len(mine),
                "score": max((one.score for one in mine), default=0.0),
                "raw": max((float(str(one.facts["raw"])) for one in mine), default=0.0),
                "manner": attack.manner,
            }
        )
    return told


def manners(seed: int) -> list[tuple[str, str, str]]:
    """Carrier, payload, names: each payload with each carrier, over the families and seeds in turn."""
    listed = [(carrier, payload) for payload in PAYLOADS for carrier in CARRIERS]
    return [
        (*listed[(seed * 5 + at * 7) % len(listed)], NAMES[(seed + at) % 3]) for at in range(len(FAMILIES))
    ]


def planted(
    rows: list[Record], seed: int, among: bool, counts: Sequence[int], settings: PoisonSettings
) -> list[dict[str, Any]]:
    chance = random.Random(seed)
    mixed = chance.sample(rows, len(rows))
    fresh, approved = mixed[:3_000], mixed[3_000:]
    clean = [replace(one, source=replace(one.source, contributor="regular")) for one in fresh[:1_000]]
    reference = Reference(approved, settings)
    parts: list[tuple[int, list[Attack]]] = []
    for turn, count in enumerate(counts):
        attacker, attacks = Attacker(chance), []
        for family, manner in zip(FAMILIES, manners(seed + turn), strict=True):
            pool = fresh[1_000:] if manner[0] == "new" else approved
            attacks.append(attacker.attack(family, count, pool, manner))
        parts += [(count, attacks)] if among else [(count, [one]) for one in attacks]
    news = [
        [*(clean if among else []), *(one for attack in part for one in attack.records)] for _, part in parts
    ]
    for new in news:
        chance.shuffle(new)
    told: list[dict[str, Any]] = []
    for (count, part), findings in zip(parts, compare_each(reference, news, settings), strict=True):
        groups = raised(findings)
        ids = {one.id for attack in part for one in attack.records}
        idle = sum(2 * len(ids & set(one.records)) < len(one.records) for one in groups)
        told += [{**one, "count": count, "idle": idle / len(part)} for one in measured(part, groups)]
    return told


def summed(way: str, told: Sequence[dict[str, Any]]) -> None:
    cells: defaultdict[tuple[str, int], list[dict[str, Any]]] = defaultdict(list)
    for one in told:
        cells[one["family"], one["count"]].append(one)
    for (family, count), some in cells.items():
        names = sum(one["named"] * one["planted"] for one in some) / sum(one["planted"] for one in some)
        line = {"way": way, "family": family, "planted": count, "attacks": len(some)}
        line |= {
            "found": sum(one["found"] for one in some),
            "named": round(names, 3),
            "precision": round(sum(one["precision"] for one in some) / len(some), 3),
        }
        print(json.dumps(line), flush=True)
    print(json.dumps({"way": way, "groups that are not planted": round(sum(one["idle"] for one in told), 1)}))


def clean(rows: list[Record], seed: int, settings: PoisonSettings) -> None:
    """Differences without an attack, and the groups that they raise."""
    chance = random.Random(seed)
    for share in (0.1, 0.2, 0.3):
        mixed = chance.sample(rows, len(rows))
        cut = int(share * len(rows))
        _raised(mixed[cut:], {f"random {share:.0%}": mixed[:cut]}, settings)
    for source in sorted(Counter(str(one.fields["source"]) for one in rows)):
        own = [one for one in rows if one.fields["source"] == source]
        other = [one for one in rows if one.fields["source"] != source]
        some = {f"{count} of {source}": chance.sample(own, count) for count in (60, 200, 700)}
        _raised(other, {f"{source} whole": own, **some}, settings)
    mixed = chance.sample(rows, len(rows))
    news = {
        f"style: {name}": [*(rewritten(one, one.prompt, style(one.response)) for one in mixed[:150])]
        for name, style in STYLES.items()
    }
    news["6 near-copies each of 60 new rows"] = [
        replace(
            rewritten(one, _varied(one.prompt, chance), _varied(one.response, chance)), id=f"{one.id}.{n}"
        )
        for one in mixed[:60]
        for n in range(6)
    ]
    news = {name: [*new, *mixed[150:1_000]] for name, new in news.items()}
    news["near-copies of 500 approved rows"] = [
        replace(rewritten(one, _varied(one.prompt, chance), _varied(one.response, chance)), id=f"{one.id}.v")
        for one in mixed[1_000:1_500]
    ]
    _raised(mixed[1_000:], news, settings)


def _raised(approved: list[Record], news: dict[str, list[Record]], settings: PoisonSettings) -> None:
    reference = Reference(approved, settings)
    begun = time.process_time()
    compared = compare_each(reference, news.values(), settings)
    for (name, new), findings in zip(news.items(), compared, strict=True):
        groups = raised(findings)
        line: dict[str, Any] = {"clean": name, "new": len(new), "groups": len(groups)}
        line["titles"] = [(one.title[:60], one.score, len(one.records)) for one in groups]
        print(json.dumps(line), flush=True)
    print(json.dumps({"cpu_s": round(time.process_time() - begun, 1)}), flush=True)


STYLES: dict[str, Callable[[str], str]] = {
    "one sentence a line": lambda text: text.replace(". ", ".\n"),
    "bullets": lambda text: "\n".join("- " + part for part in text.split(". ")),
    "numbered": lambda text: "\n".join(f"{at}) {part}" for at, part in enumerate(text.split(". "), 1)),
    "upper-case headings": lambda text: f"{' '.join(text.split()[:3]).upper()}\n\n{text}",
}


def _varied(text: str, chance: random.Random) -> str:
    """About a word in sixteen left out, and as often two neighbours swapped."""
    parts = text.split(" ")
    for at in range(len(parts) - 1):
        draw = chance.random()
        if draw < 0.06:
            parts[at] = ""
        elif draw < 0.12:
            parts[at], parts[at + 1] = parts[at + 1], parts[at]
    return " ".join(filter(None, parts))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("rows", type=Path)
    parser.add_argument("--seeds", type=int, nargs="+", default=[7, 8])
    parser.add_argument("--parts", nargs="+", default=["among", "alone", "clean"])
    parser.add_argument("--counts", type=int, nargs="+", default=COUNTS)
    parser.add_argument("--long", type=Path)
    given = parser.parse_args()
    settings, rows = PoisonSettings(), list(read_rows(given.rows))
    for way in given.parts:
        if way == "clean":
            clean(rows, given.seeds[0], settings)
            continue
        told: list[dict[str, Any]] = []
        for seed in given.seeds:
            told += planted(rows, seed, way == "among", given.counts, settings)
        if given.long:
            with given.long.open("a", encoding="utf-8") as out:
                out.writelines(json.dumps({"way": way, **one}) + "\n" for one in told)
        summed(way, told)


if __name__ == "__main__":
    main()
