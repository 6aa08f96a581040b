"""How much a turn adds to the risk of its conversation."""

from collections.abc import Iterator, Sequence

from ringwall.detect import assess

from .session_risk import Ask, Risk
from .session_shapes import MOST_PIECES, Shots, assembled, pieces_in, shots_in
from .session_turn import TurnSigns, alike, read_turn

STOPS = 0.75
"""Scores from which a turn by itself is an attack: the default of ``interface.injection``."""
_HOT = 0.15
_INHERITS = 0.9
"""A turn that follows on ("and how were they made?") is about what the turn before it was about."""
_SAME_SUBJECT = 0.34
_SAME_ASK = 0.4

CAPS = {
    "attack": 0.8,
    "stopped": 0.9,
    "harm": 0.8,
    "rephrased": 0.15,
    "rephrased-harm": 0.9,
    "escalation": 1.2,
    "persona": 0.12,
    "lawless-persona": 0.5,
    "persona-used": 0.9,
    "many-shot": 1.3,
    "pieces": 0.3,
    "split-payload": 1.3,
    "carried-on": 0.4,
}
"""The most that each rule can add to one session: weak signs stay weak however long the conversation."""

MEANING = {
    "attack": "signs of an injection or a jailbreak",
    "stopped": "an attack that was recognised by itself",
    "harm": "a request for something harmful",
    "rephrased": "asked again after a refusal",
    "rephrased-harm": "a harmful ask put in other words after a refusal",
    "escalation": "the same harmful subject, more specific than before",
    "persona": "a role given to the assistant",
    "lawless-persona": "a role that keeps no rules",
    "persona-used": "the role without rules asked instead of the assistant",
    "many-shot": "a series of made-up exchanges",
    "pieces": "pieces laid aside to be put together",
    "split-payload": "pieces that together are an attack",
    "carried-on": "an ask to go on with what had become risky",
}


def count_turn(risk: Risk, text: str, *, refused: bool, level: float) -> float:
    """Take a turn that the session has not had: what it adds. ``refused``: the answer before it declined;
    ``level``: the risk before this turn."""
    risk.turns += 1
    signs = read_turn(text)
    last = risk.asks[-1] if risk.asks else None
    heat = signs.harm
    if last is not None and (signs.follows or signs.carry_on):
        heat = max(heat, _INHERITS * last.heat)
    amounts = [
        *_by_itself(risk, signs),
        *_rephrased(risk, signs, heat, refused=refused),
        *_escalated(risk, signs, heat),
        *_persona(risk, signs, heat),
        *_shapes(risk, signs, text),
    ]
    if signs.carry_on and level >= 0.5:
        amounts.append(("carried-on", 0.1))
    take_up(risk, text, signs, heat, refused=refused)
    risk.refused = False
    return sum(risk.note(rule, amount, CAPS[rule]) for rule, amount in amounts)


def count_shots(risk: Risk, shots: Shots) -> float:
    """A history that the client made up."""
    return risk.note("many-shot", shots.risk, CAPS["many-shot"]) if shots.harm else 0.0


def take_up(risk: Risk, text: str, signs: TurnSigns, heat: float, *, refused: bool) -> None:
    """What later turns look back at; adds no risk."""
    risk.asks.append(Ask(signs, heat, refused))
    risk.persona = risk.persona or signs.persona
    risk.lawless = risk.lawless or signs.lawless
    if signs.piece or signs.join or risk.pieces:
        risk.pieces = (risk.pieces + pieces_in(text))[-MOST_PIECES:]


def _by_itself(risk: Risk, signs: TurnSigns) -> Iterator[tuple[str, float]]:
    before = min((risk.families.get(name, 0) for name in signs.families), default=0)
    for name in signs.families:
        risk.families[name] = risk.families.get(name, 0) + 1
    again = 0.5 ** min(before, 20)
    if signs.attack:
        yield "attack", 0.35 * signs.attack**3 * again
    if signs.moderation:
        yield "harm", 0.4 * signs.moderation**2 * again
    if max(signs.attack, signs.moderation) >= STOPS:
        yield "stopped", 0.15


def _rephrased(risk: Risk, signs: TurnSigns, heat: float, *, refused: bool) -> Iterator[tuple[str, float]]:
    stopped = bool(risk.asks) and max(risk.asks[-1].signs.attack, risk.asks[-1].signs.moderation) >= STOPS
    if not (refused or stopped):
        return
    near = [ask for ask in list(risk.asks)[-3:] if alike(ask.signs.stems, signs.stems) >= _SAME_ASK]
    if not near and not (risk.asks and signs.follows):
        return
    hottest = max([heat, 0.3 * signs.attack, *(ask.heat for ask in near)])
    if hottest >= _HOT:
        yield "rephrased-harm", 0.05 + 0.35 * hottest
    elif near:
        yield "rephrased", 0.03


def _escalated(risk: Risk, signs: TurnSigns, heat: float) -> Iterator[tuple[str, float]]:
    """Crescendo: a harmful subject that stays, with asks that grow more specific."""
    if heat < _HOT or not signs.specific:
        return
    related = [
        ask
        for ask in risk.asks
        if ask.heat >= _HOT and (signs.follows or alike(ask.signs.stems, signs.stems) >= _SAME_SUBJECT)
    ]
    slope = _pointed(heat, signs) - max((_pointed(ask.heat, ask.signs) for ask in related), default=0.0)
    if len(related) >= 2 and slope >= -0.05:
        yield "escalation", 0.1 + 0.5 * _pointed(heat, signs)


def _pointed(heat: float, signs: TurnSigns) -> float:
    return min(1.0, heat * (1 + 1.5 * signs.specific))


def _persona(risk: Risk, signs: TurnSigns, heat: float) -> Iterator[tuple[str, float]]:
    """Persona drift: a role is set up in one turn, freed of rules in others, and then used."""
    if signs.persona:
        yield "persona", 0.04
    if signs.lawless and (risk.persona or signs.persona):
        yield "lawless-persona", 0.2
    if risk.lawless and risk.persona and (signs.use or (signs.persona and not signs.lawless) or heat >= _HOT):
        yield "persona-used", 0.25 + 0.5 * heat


def _shapes(risk: Risk, signs: TurnSigns, text: str) -> Iterator[tuple[str, float]]:
    shots = shots_in(text)
    if shots.count:
        yield "many-shot", shots.risk
    if not (signs.piece or signs.join or risk.pieces):
        return
    here = pieces_in(text)
    pieces = (risk.pieces + here)[-MOST_PIECES:]
    if signs.piece and here:
        yield "pieces", 0.03
    if len(pieces) < 2 or not (here or signs.join):
        return
    if _attacks_together(pieces, text):
        yield "split-payload", 1.1
    elif signs.join and risk.pieces:
        yield "pieces", 0.1


def _attacks_together(pieces: Sequence[tuple[str, str]], request: str) -> bool:
    """Whether the whole is an attack that none of its pieces is."""
    alone = max(_worst(piece) for _, piece in pieces)
    return any(_worst(whole) >= max(STOPS, alone + 0.1) for whole in assembled(pieces, request))


def _worst(text: str) -> float:
    found = assess(text)
    return max(found.attack, found.moderation)
