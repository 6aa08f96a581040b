"""The embedded stand-in when no language model is attached: it retrieves, extracts and cites.

It obeys nothing in a retrieved text or a tool result: texts are only cut into sentences, scored against the
question and quoted. Tools are called for phrases of the user alone (``intents.py``).
"""

import math
import re
from collections import Counter
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .embedded import calls_of, deltas, last_user, parsed, reply, tool_call
from .intents import Intents, Wanted
from .provider import ChatReply, ChatRequest, Delta, Message, text_of
from .settings import ExtractiveSettings

MODEL = "extractive"
NOTE = "(No language model is attached: this answer is put together from passages of the documents.)"
NOTHING = (
    "I found nothing about that in the documents that you may read. "
    "No language model is attached, so I can only quote documents and use the tools that I know."
)
_WORD = re.compile(r"[^\W_]{2,40}")
_SENTENCE = re.compile(r"(?<=[.!?])\s+|\n+")
_MAX_CHUNKS = 32
_MAX_TEXT = 20_000
_MAX_SENTENCE = 600
_MAX_RESULT = 1500
_STOP_WORDS = (
    "about after all also an and any are as at be been but by can could did do does for from get had has "
    "have he her his how if in into is it its me my no not of on or our out please she should so some tell "
    "than that the their them then there these they this to up us was we were what when where which who "
    "why will with would you your"
)
_STOP = frozenset(_STOP_WORDS.split())


@dataclass(frozen=True, slots=True)
class _Sentence:
    text: str
    source: int
    order: int
    words: frozenset[str]


class ExtractiveProvider:
    """See the module."""

    def __init__(self, settings: ExtractiveSettings) -> None:
        self._sentences = settings.sentences
        self._intents = Intents(settings.intents, builtin=settings.builtin_intents)

    async def complete(self, request: ChatRequest) -> ChatReply:
        return self._answer(request)

    async def stream(self, request: ChatRequest) -> AsyncIterator[Delta]:
        async for delta in deltas(self._answer(request)):
            yield delta

    async def close(self) -> None:
        """Nothing to give back."""

    def _answer(self, request: ChatRequest) -> ChatReply:
        index, question = last_user(request)
        after = request.messages[index + 1 :]
        results = [message for message in after if message.get("role") == "tool"]
        if results:
            return reply(request, MODEL, _render(results, after))
        wanted = None if request.params.get("tool_choice") == "none" else self._intent(question, request)
        if wanted is not None and wanted.missing:
            return reply(request, MODEL, f"For that I also need: {', '.join(wanted.missing)}.")
        if wanted is not None:
            return reply(request, MODEL, "", [tool_call(wanted.tool, wanted.arguments, index)])
        first = not any(message.get("role") == "assistant" for message in request.messages)
        return reply(request, MODEL, self._extract(question, request.retrieved, first))

    def _intent(self, question: str, request: ChatRequest) -> Wanted | None:
        return self._intents.find(question, request.tools)

    def _extract(self, question: str, retrieved: Sequence[Mapping[str, str]], first: bool) -> str:
        asked = words(question)
        sentences = _cut(retrieved[:_MAX_CHUNKS])
        best = _best(asked, sentences, self._sentences)
        if not best:
            return NOTHING
        numbers: dict[str, int] = {}
        lines: list[str] = []
        for sentence in best:
            title = _title(retrieved[sentence.source])
            number = numbers.setdefault(title, len(numbers) + 1)
            lines.append(f"{sentence.text} [{number}]")
        sources = "\n".join(f"[{number}] {title}" for title, number in numbers.items())
        answer = f"{' '.join(lines)}\n\n{sources}"
        return f"{answer}\n\n{NOTE}" if first else answer


def words(text: str) -> frozenset[str]:
    """The words that carry meaning, with plural and past endings taken off."""
    found = (match.lower() for match in _WORD.findall(text[:_MAX_TEXT]))
    return frozenset(_stem(word) for word in found if word not in _STOP)


def _stem(word: str) -> str:
    for ending in ("ing", "ies", "ed", "es", "s"):
        if word.endswith(ending) and len(word) - len(ending) >= 3:
            return word[: -len(ending)]
    return word


def _cut(retrieved: Sequence[Mapping[str, str]]) -> list[_Sentence]:
    out: list[_Sentence] = []
    for source, chunk in enumerate(retrieved):
        text = chunk.get("text", "")[:_MAX_TEXT]
        for piece in _SENTENCE.split(text):
            sentence = piece.strip().lstrip("#*->| ").strip()[:_MAX_SENTENCE]
            if len(sentence) > 15:
                out.append(_Sentence(sentence, source, len(out), words(sentence)))
    return out


def _best(asked: frozenset[str], sentences: Sequence[_Sentence], most: int) -> list[_Sentence]:
    """The sentences that share the rarest words with the question, in reading order, each text once."""
    seen = Counter(word for sentence in sentences for word in sentence.words)
    rarity = {word: math.log(1 + len(sentences) / seen[word]) for word in asked if word in seen}
    scored: list[tuple[float, _Sentence]] = []
    texts: set[str] = set()
    for sentence in sentences:
        score = sum(rarity[word] for word in sentence.words if word in rarity)
        if score > 0 and sentence.text not in texts:
            texts.add(sentence.text)
            scored.append((score / math.sqrt(4 + len(sentence.words)), sentence))
    scored.sort(key=lambda pair: (-pair[0], pair[1].order))
    bar = scored[0][0] / 2 if scored else 0.0
    return sorted((s for score, s in scored[:most] if score >= bar), key=lambda s: s.order)


def _title(chunk: Mapping[str, str]) -> str:
    return " ".join((chunk.get("title") or chunk.get("document") or "untitled").split())[:120]


_MARKS = re.compile(r"^\[data [0-9a-f]{12}: [^\]\n]*\]\n|\n\[end of data [0-9a-f]{12}\]$")
"""What the gateway puts around a tool's result, so that a language model takes it for data."""


def _render(results: Sequence[Message], after: Sequence[Message]) -> str:
    names = {id_: name for message in after for id_, name, _ in calls_of(message)}
    lines: list[str] = []
    for result in results:
        name = names.get(str(result.get("tool_call_id", "")), "") or str(result.get("name") or "The tool")
        text = _MARKS.sub("", text_of(result))
        lines.append(_sentence(name.replace("_", " ")[:80], text))
    return "\n".join(lines)


def _sentence(name: str, text: str) -> str:
    """A tool's result as a sentence."""
    value = parsed(text)
    if isinstance(value, Mapping) and value:
        failure = value.get("error")
        if failure:
            return f"{name.capitalize()} did not work: {_plain(failure)}."
        facts = "; ".join(f"{str(key).replace('_', ' ')}: {_plain(v)}" for key, v in list(value.items())[:20])
        return f"{name.capitalize()}: {facts}."
    if text.strip():
        return f"{name.capitalize()}: {text.strip()[:_MAX_RESULT]}"
    return f"{name.capitalize()} gave no result."


def _plain(value: Any) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{key} {_plain(item)}" for key, item in list(value.items())[:10])[:_MAX_RESULT]
    if isinstance(value, list):
        return ", ".join(_plain(item) for item in value[:10])[:_MAX_RESULT]
    return str(value).strip()[:_MAX_RESULT].rstrip(".")
