"""What one turn of a conversation shows by itself: weak signs, of which a session makes a whole."""

import re
from dataclasses import dataclass

from ringwall.detect import Sighting, assess, scanner

_READ = 4000
"""Characters of a turn that its subject is taken from."""
_STEM = 6
_WORD = re.compile(r"[^\W\d_]{4,40}|[\u3040-\u9fff]{2}")
_COMMON = frozenset(
    re.findall(
        r"\w+",
        """
        about above after again also another anything because been before being between both could does
        doing down each even every from further give have having here hers himself into itself just
        know like make more most much must need only other ours over please really same shall should
        show some such tell than that their theirs them then there these they thing things this those
        through under until very want well were what when where which while will with would write your
        yours eine einen nicht oder aber wenn dann sich auch
        """,
    )
)
_REFUSAL = re.compile(
    r"\b(?:I(?:'m| am)? (?:really |very |so )?sorry"
    r"|I (?:can(?:no|')t|can not|won't|will not|am unable to|am not able to|must decline|have to decline)"
    r"|I don't feel comfortable|I(?:'m| am) (?:unable|not able|not allowed|not comfortable)"
    r"|(?:against|violates?) (?:my|our|the) (?:policy|policies|guidelines|rules)"
    r"|can(?:no|')t (?:help|assist) with|cannot fulfill|not appropriate"
    r"|Es tut mir leid|kann ich (?:leider )?nicht|je ne peux pas|no puedo ayudar)",
    re.IGNORECASE,
)
OPENING = 300
"""Characters of an answer in which it declines, if it does."""
_FOLLOWS = re.compile(
    r"\b(?:it|its|that|those|these|this|them|they|one|ones|he|she|same|above|instead)\b", re.IGNORECASE
)
_FOLLOW_WORDS = 40
_CARRY_ON = re.compile(
    r"\W{0,3}(?:please )?(?:continue|go on|keep going|carry on|finish (?:it|that|the)|next(?: step| "
    r"part)?|and then|"
    r"what(?:'s| is| comes) next|more)\b.{0,40}$",
    re.IGNORECASE,
)
_TEMPERED = re.compile(
    r"\b(?:characters?|scenes?|chapters?|novel(?:s|la|ist)?|fiction(?:al)?|stor(?:y|ies)|plot|"
    r"protagonist|antagonist|"
    r"villain|detective|readers?|dialogue|screenplay|manuscript|narrator|"
    r"prevent(?:s|ion|ing)?|detect(?:s|ion|ing)?|recogni[sz]e|protect(?:s|ion|ing)?|awareness|training|"
    r"trainees?|"
    r"defen[cds]e?s?|employees?|staff|workshop|slides?|course|policy|policies|report(?:ing)?|safety|mitigat\w{1,6})\b",
    re.IGNORECASE,
)
_TEMPER = 0.4
"""Factor on subjects of harm in a text about a story, or about how to guard against the harm."""


@dataclass(frozen=True, slots=True)
class TurnSigns:
    """All from 0 to 1."""

    attack: float = 0.0
    moderation: float = 0.0
    hazard: float = 0.0
    """How much it is about means of harm: by itself no more than a subject."""
    specific: float = 0.0
    """How far it asks for steps, amounts, details, the thing itself."""
    families: frozenset[str] = frozenset()
    """Families of the attack signs."""
    persona: bool = False
    lawless: bool = False
    use: bool = False
    piece: bool = False
    join: bool = False
    carry_on: bool = False
    follows: bool = False
    """Short, and speaks of something said before."""
    stems: frozenset[str] = frozenset()

    @property
    def harm(self) -> float:
        """Of the subject; signs of an attack are about the model, not about a subject that later turns
        share."""
        return max(self.moderation, self.hazard)


def read_turn(text: str) -> TurnSigns:
    """The signs of a text; the scan behind them is shared with the other controls of the crossing."""
    found = assess(text)
    own = [one for one in scanner().scan(text) if one.cls.startswith("session.")]
    by_class = {one.cls.removeprefix("session.") for one in own}
    specific = min(1.0, 0.3 * _count(own, "specific"))
    hazard = min(1.0, 0.3 + 0.1 * (_count(own, "hazard") - 1)) if "hazard" in by_class else 0.0
    if hazard and specific < 0.6 and _TEMPERED.search(text, 0, _READ):
        hazard *= _TEMPER
    words = text.split(None, _FOLLOW_WORDS)
    return TurnSigns(
        attack=found.attack,
        moderation=found.moderation,
        hazard=hazard,
        specific=specific,
        families=frozenset(one.family for one in found.sightings),
        persona="persona" in by_class,
        lawless="lawless" in by_class,
        use="use" in by_class,
        piece="piece" in by_class,
        join="join" in by_class,
        carry_on=bool(_CARRY_ON.match(text[:80])) and len(words) <= 8,
        follows=len(words) <= _FOLLOW_WORDS and bool(_FOLLOWS.search(text, 0, _READ)),
        stems=stems(text),
    )


def _count(sightings: list[Sighting], cls: str) -> int:
    return len({one.family for one in sightings if one.cls == f"session.{cls}"})


def stems(text: str) -> frozenset[str]:
    """What a text is about: the beginnings of its words, less those that are in every text."""
    words = (found.group().lower() for found in _WORD.finditer(text, 0, _READ))
    return frozenset(word.rstrip("s")[:_STEM] for word in words if word not in _COMMON)


def alike(one: frozenset[str], other: frozenset[str]) -> float:
    """Share of the smaller subject that is in the other."""
    least = min(len(one), len(other))
    return len(one & other) / least if least else 0.0


def refuses(answer: str) -> bool:
    """Whether an answer begins by declining."""
    return bool(_REFUSAL.search(answer[:OPENING]))
