"""Words that tell what a tool does: small tables for ``effects``, of verbs and of things."""

import re
from collections.abc import Iterator, Mapping

from .settings import Effect

_STRICTNESS = (
    *(Effect.READ, Effect.WRITE, Effect.FETCH, Effect.SEND),
    *(Effect.DELETE, Effect.PAY, Effect.EXECUTE),
)


def strictness(effect: Effect) -> int:
    """Higher is stricter: what comes later in a mistaken hand costs more."""
    return _STRICTNESS.index(effect)


def stricter(one: Effect, other: Effect) -> Effect:
    return max(one, other, key=strictness)


def word_set(listed: str) -> frozenset[str]:
    return frozenset(listed.split())


def _table(words: Mapping[Effect, str]) -> dict[str, Effect]:
    return {word: effect for effect, listed in words.items() for word in listed.split()}


VERBS = _table(
    {
        Effect.READ: """
            get gets list read search find show view lookup look describe count check retrieve fetch load
            inspect summarize summarise analyze analyse calculate compute convert translate compare validate
            verify estimate preview detect extract classify parse is has select filter explain recall resolve
            rank recommend suggest track poll obtain display think browse download query whois ping""",
        Effect.WRITE: """
            create add update edit modify write save insert append patch rename move copy upload store
            configure enable disable assign archive unarchive restore merge commit fork follow unfollow
            reserve reschedule complete close reopen approve reject accept decline sync import install
            start stop restart toggle turn unlock join leave upsert increment replace set init mkdir
            stage prepend generate fill""",
        Effect.SEND: """
            send reply forward publish notify invite broadcast announce transmit deliver contact dispatch
            submit grant export email_to push""",
        Effect.PAY: "pay purchase buy withdraw donate reimburse disburse remit payout topup bet sell",
        Effect.DELETE: """
            delete remove purge destroy erase wipe truncate cancel revoke terminate kill uninstall clear
            discard deactivate kick evict reset unpublish rm""",
        Effect.FETCH: "scrape crawl navigate visit curl wget",
        Effect.EXECUTE: "execute exec run eval evaluate deploy compile spawn interpret sudo",
    }
)
"""Verbs, in the form that gives an order. The one that a name begins with decides."""

NOUN_VERBS = _table(
    {
        Effect.READ: "status info help diff log history stats report weather time",
        Effect.WRITE: """
            put record register tag label mark schedule draft note change lock pin link attach checkout
            branch plan star react like""",
        Effect.SEND: "email mail message post share tweet comment text sms dm call alert remind respond",
        Effect.PAY: "transfer charge refund deposit order invest trade tip wire book bid swap subscribe",
        Effect.DELETE: "drop",
        Effect.EXECUTE: "shell bash terminal script command sql",
        Effect.FETCH: "http request web",
    }
)
"""Verbs that are names of things as well: they count where no other verb does."""

VAGUE = word_set(
    """manage handle process perform invoke trigger use control do apply operate action
    operation interact click press type drag launch open make place"""
)
"""Verbs that say that something is done and not what."""

LIGHT = word_set("make place do perform process")
"""Those whose thing says it: to make a payment is to pay."""

TOLD = {**VERBS, "return": Effect.READ, "returns": Effect.READ, "give": Effect.READ, "provide": Effect.READ}
"""Verbs of descriptions."""

MONEY = word_set(
    """money payment funds fund transaction payout refund deposit withdrawal donation charge
    transfer remittance salary wallet trade crypto"""
)
"""Creating, sending or changing one of these moves value."""
PERHAPS_MONEY = word_set("purchase subscription invoice bill checkout booking")
SAID = word_set(
    """message email mail post tweet comment reply notification invitation invite announcement review
    thread sms newsletter discussion"""
)
"""Creating one of these puts it before somebody."""
OUTSIDE = word_set("web website webpage url http https internet browser online html")
CHOICE = word_set("action operation mode method command verb op task kind")
"""Arguments whose ``enum`` lists what a tool can do."""


_WORD = re.compile(r"[A-Z]{1,64}(?![a-z])|[A-Z]?[a-z]{1,64}|[0-9]{1,64}")
_LONGEST = 4_000


def words(text: str) -> tuple[str, ...]:
    """Lower-case words of a name in snake, kebab or camel case, or of a sentence."""
    return tuple(found.lower() for found in _WORD.findall(text[:_LONGEST]))


def singular(word: str) -> str:
    if word.endswith("ies") and len(word) > 4:
        return word[:-3] + "y"
    return word[:-1] if word.endswith("s") and not word.endswith("ss") and len(word) > 3 else word


def lemmas(word: str) -> Iterator[str]:
    """``sends``, ``searches``, ``copies``, ``sending``: the order behind a verb's form."""
    yield word
    if word.endswith("ies"):
        yield word[:-3] + "y"
    if word.endswith("es"):
        yield word[:-2]
    if word.endswith("s"):
        yield word[:-1]
    if word.endswith("ing"):
        yield word[:-3]
        yield word[:-3] + "e"
