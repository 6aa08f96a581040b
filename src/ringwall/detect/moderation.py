"""How much a sighting of the moderation lexicon counts where it stands: texts *about* harm are no harm.

News, history, medicine and teaching speak of violence, drugs and hate all the time. A statement is damped by
words of those fields around it; a request for instructions is not, or a pretext would open every door, and
what sexualises minors only is where it is news of a crime.
"""

import re

from .scanner import Sighting

AROUND = 240
"""Characters to each side that are looked at."""
LONG = 600
"""Characters from which a text that mentions harm is more often a report than a request."""
_FIELDS = (
    re.compile(
        r"\b(?:report(?:ed|s|edly)|according to|police|arrest(?:ed|s)|sentenced|convicted|court|trial|jury|"
        r"prosecutors?|officials|authorities|investigat\w{1,6}|suspects?|charged with|journalists?|newspaper|"
        r"spokes\w{1,6}|witness(?:es)?|killed|wounded|berichte\w{0,2}|polizei|gericht|policia|tribunal|selon)\b",
        re.IGNORECASE,
    ),
    re.compile(
        r"\b(?:histor\w{1,8}|century|world war|1[0-9]{3}|200\d|ancient|medieval|empire|regime|survivors?|"
        r"museum|"
        r"memorial|propaganda posters?|era|dynasty|jahrhundert|geschichte|siglo|siecle|guerre|guerra)\b",
        re.IGNORECASE,
    ),
    re.compile(
        r"\b(?:patients?|treatments?|therap\w{1,6}|clinical|symptoms?|diagnos\w{1,6}|hospital|doctors?|nurses?|"
        r"psychiatr\w{1,6}|side effects?|disorders?|prevent\w{0,6}|counsel\w{0,8}|helplines?|hotlines?|"
        r"crisis|"
        r"anatomy|medical|medicine|health|behandlung|arzt|medico|medecin)\b",
        re.IGNORECASE,
    ),
    re.compile(
        r"\b(?:students?|lessons?|courses?|curriculum|textbook|lectures?|research\w{0,4}|"
        r"stud(?:y|ies)|academic|"
        r"awareness|definition|defined|teach(?:er|ers|ing)|class|school|novels?|films?|movies?|laws?|illegal|"
        r"condemn\w{0,4}|wrong to|never acceptable|slurs?|offensive|the (?:word|term|phrase|slogan)|"
        r"moderat\w{1,6}|"
        r"what (?:is|does|are|was|were)|unterricht|schule|escuela|ecole)\b",
        re.IGNORECASE,
    ),
)
_DAMP = (1.0, 0.75, 0.6)
_CREATES = re.compile(
    r"\b(?:write|stor(?:y|ies)|scenes?|generate|create|imagine|role-?play|fantas\w{1,4}|fiction|describe|draw|"
    r"images? of|pictures? of|where can i|how (?:to|do|can)|porn\w{0,12})\b",
    re.IGNORECASE,
)
"""Around a sighting that sexualises minors: it is asked for, whatever else is said."""
_QUOTES = '"“”«»„‘’'
_INSTRUCTIONS = re.compile(r"-(?:instructions|recipe|request)$")
_STATEMENTS = frozenset({"hate", "slur", "extremism", "gore", "threat", "harassment", "self-harm", "sexual"})


def weighed(text: str, one: Sighting) -> Sighting:
    """The sighting with the score that it deserves in this text. For classes of moderation only."""
    if one.family == "minors":
        return _reported(text, one)
    factor = 0.8 if len(text) > LONG else 1.0
    if one.family in _STATEMENTS and not _INSTRUCTIONS.search(one.rule):
        factor = min(factor, _DAMP[min(2, _about(text, one.start, one.end))])
    return one._replace(score=round(one.score * factor, 4)) if factor < 1 else one


def _reported(text: str, one: Sighting) -> Sighting:
    """News of a crime against minors, with police or court in it, and nothing of it asked for."""
    around = text[max(0, one.start - AROUND) : one.end + AROUND]
    if _FIELDS[0].search(around) and not _CREATES.search(around):
        return one._replace(score=round(one.score * _DAMP[2], 4))
    return one


def _about(text: str, start: int, end: int) -> int:
    """How many fields the words around a place belong to; quotation marks around it count as one."""
    before, after = text[max(0, start - AROUND) : start], text[end : end + AROUND]
    around = f"{before} \0 {after}"
    fields = sum(1 for field in _FIELDS if field.search(around))
    quoted = any(mark in before[-60:] for mark in _QUOTES) and any(mark in after[:60] for mark in _QUOTES)
    return fields + quoted
