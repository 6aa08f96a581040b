"""What a tool does to the world, read from its manifest: a proposal that the operator confirms.

The name counts most, since models choose by it; the description and the arguments can make the class
stricter. So can a server's annotations. Nothing makes it milder: a server may lie, and a mistake towards the
stricter class costs a question where one towards the milder class costs the money. No model is asked.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from .effect_arguments import Argument, arguments
from .effect_words import (
    LIGHT,
    MONEY,
    NOUN_VERBS,
    OUTSIDE,
    PERHAPS_MONEY,
    SAID,
    TOLD,
    VAGUE,
    VERBS,
    lemmas,
    singular,
    strictness,
    word_set,
    words,
)
from .settings import Effect

_BEFORE_VERB = 10
"""Words of a description before which its verb must have come."""
_SHORT = 3
"""Words of a name that holds no verb and still says all: ``git_diff``."""
_TELLING = strictness(Effect.SEND)
_JOINS = frozenset({"and", "then", "or"})
_ALSO = _JOINS | {"also", "will"}
_DENIES = frozenset({"not", "never", "without", "cannot"})
_OBJECTS = word_set("it them this that the a an each to")
_FINAL = frozenset({"permanently", "irreversibly", "irreversible", "undone"})


@dataclass(frozen=True, slots=True)
class Inference:
    """What a tool probably does."""

    effect: Effect
    target: tuple[str, ...]
    """Arguments that say where the effect goes; empty for a tool that reads."""
    sure: bool
    """False where signs are missing or contradict each other; then ``effect`` is the stricter reading."""
    why: str
    """One line for the operator."""

    def doubts(self, declared: Effect) -> bool:
        """Whether a declared effect is milder than this one."""
        return strictness(declared) < strictness(self.effect)


@dataclass(frozen=True, slots=True)
class _Reading:
    effect: Effect
    sure: bool
    why: str

    def raised(self, effect: Effect, sure: bool, why: str) -> "_Reading":
        """The stricter of the two; of two of the same class, the surer."""
        if strictness(effect) > strictness(self.effect):
            return _Reading(effect, sure, f"{self.why}; {why}")
        return replace(self, sure=self.sure or sure) if effect is self.effect else self


def infer(
    name: str,
    description: str,
    parameters: Mapping[str, Any],
    annotations: Mapping[str, Any] | None = None,
) -> Inference:
    """Read a tool's manifest. ``parameters`` is the JSON Schema of its arguments, ``annotations`` those of
    MCP. Deterministic; never raises for hostile input, of which at most the first part is read."""
    given = arguments(parameters)
    named, told = words(name), words(description)
    reading = _from_name(named) or _from_description(told) or _UNKNOWN
    reading = _from_things(reading, named)
    reading = _from_telling(reading, told)
    reading = _from_arguments(reading, named, told, given)
    reading = _from_annotations(reading, annotations or {})
    target = tuple(argument.name for argument in given if argument.is_target(reading.effect))
    if not target and reading.effect in (Effect.DELETE, Effect.PAY, Effect.EXECUTE):
        candidates = [argument for argument in given if argument.names_something]
        chosen = [argument for argument in candidates if argument.identifies] or candidates
        target = tuple(argument.name for argument in chosen)
    return Inference(reading.effect, target, reading.sure, reading.why)


_UNKNOWN = _Reading(Effect.EXECUTE, False, "nothing says what it does")


def _from_name(named: Sequence[str]) -> _Reading | None:
    verbs = [word for word in named if word in VERBS]
    if verbs:
        # "get_or_create", "read_and_delete": what is joined counts whole.
        counted = verbs if _JOINS & set(named) else verbs[:1]
        verb = max(counted, key=lambda word: strictness(VERBS[word]))
        return _Reading(VERBS[verb], True, f"its name says {verb!r}")
    nouns = [word for word in named if word in NOUN_VERBS]
    light = next((word for word in named if word in VAGUE), "")
    if light:
        # "make_call", "place_order": the thing says what is done. "manage_orders" may do anything.
        done = [noun for noun in nouns if light in LIGHT and strictness(NOUN_VERBS[noun]) >= _TELLING]
        effect = max((NOUN_VERBS[noun] for noun in done), key=strictness, default=Effect.EXECUTE)
        return _Reading(effect, False, f"its name says {light!r}")
    if not nouns or (NOUN_VERBS[nouns[0]] is Effect.READ and len(named) > _SHORT):
        return None
    word = nouns[0] if nouns[0] == "draft" else max(nouns, key=lambda noun: strictness(NOUN_VERBS[noun]))
    # "post_message" is an order, "customer_order" may be a thing; "transfer" moves money or files.
    sure = named[0] == word and NOUN_VERBS[word] not in (Effect.READ, Effect.PAY)
    return _Reading(NOUN_VERBS[word], sure, f"its name says {word!r}")


def _from_description(told: Sequence[str]) -> _Reading | None:
    for position, word in enumerate(told[:_BEFORE_VERB]):
        for lemma in lemmas(word):
            if lemma in TOLD:
                return _Reading(TOLD[lemma], True, f"its description says {word!r}")
            if position == 0 and lemma in NOUN_VERBS:
                return _Reading(NOUN_VERBS[lemma], False, f"its description says {word!r}")
    return None


def _from_things(reading: _Reading, named: Sequence[str]) -> _Reading:
    """What is done to: a payment that is created is paid."""
    things = frozenset(map(singular, named[1:] if named and named[0] in NOUN_VERBS else named))
    if reading.effect is Effect.READ and things & OUTSIDE:
        return reading.raised(Effect.FETCH, True, f"from {_one(things & OUTSIDE)!r}")
    acts = reading.effect in (Effect.WRITE, Effect.SEND)
    if "draft" in named and reading.effect in (Effect.WRITE, Effect.READ):
        return reading
    if (acts or LIGHT & set(named)) and things & MONEY:
        return _Reading(Effect.PAY, True, f"{reading.why}; {_one(things & MONEY)!r} is money")
    if acts and things & PERHAPS_MONEY - set(NOUN_VERBS):
        return reading.raised(Effect.PAY, False, f"{_one(things & PERHAPS_MONEY)!r} may cost money")
    if acts and things & SAID:
        return reading.raised(Effect.SEND, True, f"{_one(things & SAID)!r} reaches somebody")
    return reading


def _from_telling(reading: _Reading, told: Sequence[str]) -> _Reading:
    """Contradictions between name and description, and what a description owns up to later on."""
    lead = _from_description(told)
    if lead is not None:
        agrees = lead.sure and lead.effect is reading.effect
        reading = reading.raised(lead.effect, agrees, lead.why)
    for word, effect in _also(told):
        reading = reading.raised(effect, False, f"its description says that it {word!r} too")
    if _FINAL & set(told) and reading.effect is Effect.WRITE:
        reading = reading.raised(Effect.DELETE, False, "its description says that it is final")
    return reading


def _also(told: Sequence[str]) -> Iterator[tuple[str, Effect]]:
    """``… and emails it``: what is done besides."""
    for index in range(len(told) - 1):
        if told[index] not in _ALSO or _DENIES & set(told[max(0, index - 3) : index + 2]):
            continue
        followed = told[index + 2 : index + 3]
        for lemma in lemmas(told[index + 1]):
            effect = VERBS.get(lemma) or (NOUN_VERBS.get(lemma) if _OBJECTS & set(followed) else None)
            if effect and strictness(effect) >= _TELLING:
                yield told[index + 1], effect
                break


def _from_arguments(
    reading: _Reading, named: Sequence[str], told: Sequence[str], given: Sequence[Argument]
) -> _Reading:
    for argument in given:
        if argument.does:
            for choice in argument.choices:
                chosen = _from_name(words(choice))
                if chosen:
                    reading = _chosen(reading, chosen, argument, choice)
        if argument.sql:
            reading = reading.raised(Effect.EXECUTE, True, f"{argument.name!r} is SQL")
        elif argument.code:
            runs = reading.effect is Effect.EXECUTE or bool({"execute", "run", "shell", "python"} & set(told))
            if runs or argument.own & {"command", "cmd", "shell", "bash"}:
                reading = reading.raised(Effect.EXECUTE, runs, f"{argument.name!r} is run")
    return _from_places(reading, named, given)


def _chosen(reading: _Reading, chosen: _Reading, argument: Argument, choice: str) -> _Reading:
    if reading.effect is Effect.EXECUTE and not reading.sure:
        return _Reading(chosen.effect, False, f"{argument.name!r} can be {choice!r}")
    return reading.raised(chosen.effect, True, f"{argument.name!r} can be {choice!r}")


def _from_places(reading: _Reading, named: Sequence[str], given: Sequence[Argument]) -> _Reading:
    urls = [argument for argument in given if argument.url]
    hosts = [argument for argument in given if argument.host]
    contents = [argument for argument in given if argument.own & {"body", "data", "payload", "json", "form"}]
    people = [argument for argument in given if argument.people]
    amounts = [argument for argument in given if argument.money]
    changes = reading.effect in (Effect.WRITE, Effect.SEND)
    if reading.effect is Effect.READ and urls:
        reading = reading.raised(Effect.FETCH, True, f"{urls[0].name!r} is an address")
    elif reading.effect is Effect.READ and hosts:
        reading = reading.raised(Effect.FETCH, False, f"{hosts[0].name!r} is a host")
    if reading.effect is Effect.FETCH and urls and contents:
        reading = reading.raised(Effect.SEND, False, f"{contents[0].name!r} goes there")
    if reading.effect in (Effect.WRITE, Effect.SEND) and people:
        reading = reading.raised(Effect.SEND, True, f"{people[0].name!r} are told")
    if reading.effect is Effect.WRITE and any(argument.called_back for argument in given):
        reading = reading.raised(Effect.SEND, False, "it names an address to call back")
    if changes and amounts and any(argument.payee for argument in given):
        reading = reading.raised(Effect.PAY, True, f"{amounts[0].name!r} goes to somebody")
    elif changes and amounts and "amount" in amounts[0].own:
        reading = reading.raised(Effect.PAY, False, f"it takes {amounts[0].name!r}")
    elif amounts:
        reading = reading.raised(Effect.PAY, True, "") if reading.effect is Effect.PAY else reading
    return reading


def _from_annotations(reading: _Reading, annotations: Mapping[str, Any]) -> _Reading:
    """Hints of an MCP server, where they are warnings. What they vouch for counts for nothing."""
    if annotations.get("readOnlyHint") is False:
        reading = reading.raised(Effect.WRITE, True, "the server says that it changes something")
    destroys = annotations.get("destructiveHint") is True and annotations.get("readOnlyHint") is not True
    if destroys and reading.effect in (Effect.READ, Effect.WRITE):
        reading = reading.raised(Effect.DELETE, True, "the server says that it destroys")
    if annotations.get("openWorldHint") is True:
        outward = {Effect.READ: Effect.FETCH, Effect.WRITE: Effect.SEND}.get(reading.effect)
        if outward:
            reading = reading.raised(outward, False, "the server says that it reaches outside")
    return reading


def _one(found: frozenset[str]) -> str:
    return min(found)
