"""``interface.words``: the operator's own lists of words, blocked, masked or put on record."""

from collections.abc import Iterator
from pathlib import Path
from typing import Literal

from pydantic import Field, model_validator

from ringwall.core import (
    ALLOW,
    END_OF_STREAM,
    Action,
    Boundary,
    ConfigError,
    ControlFactory,
    Cost,
    Crossing,
    CrossingKind,
    Declaration,
    Edit,
    Finding,
    Integrity,
    Part,
    PartControl,
    PartKind,
    Problem,
    Services,
    Settings,
    Verdict,
    Window,
    WorkloadFolder,
    verdict,
)
from ringwall.core.part_control import at_part
from ringwall.detect.lexicon import Lexicon, Place

ID = "interface.words"
_FILE_BYTES = 8 << 20
_WORDS = 200_000
_ACTIONS = {"annotate": Action.ANNOTATE, "mask": Action.TRANSFORM, "block": Action.BLOCK}
_REASONS = {
    "block": "It holds a word that this application does not allow.",
    "mask": "A word was masked.",
    "annotate": "",
}

Direction = Literal["request", "response"]


class WordList(Settings):
    """One list. Case, diacritics, look-alikes and invisible characters make no difference."""

    words: tuple[str, ...] = ()
    """Words and phrases, of at most 200 characters each."""
    file: str = ""
    """A UTF-8 text file, relative to the workload file: a word or phrase a line; ``#`` begins a comment."""
    action: Literal["block", "mask", "annotate"] = "annotate"
    """What a word of the list means: the text is stopped, the word is replaced, or it is put on record."""
    match: Literal["word", "substring"] = "word"
    """Whole words only, or also inside longer ones."""
    directions: tuple[Direction, ...] = ("request", "response")
    """What is looked at: what users send, what they receive."""
    replacement: str = Field(default="[removed]", max_length=100)
    """What ``mask`` puts in the word's place."""

    @model_validator(mode="after")
    def _some(self) -> "WordList":
        if not self.words and not self.file:
            raise ValueError("a word list has words, a file, or both")
        return self


class WordsSettings(Settings):
    lists: dict[str, WordList] = Field(default_factory=dict)
    """Word lists by name; the name stands in the record in the place of the word."""

    def named_files(self) -> tuple[str, ...]:
        return tuple(one.file for one in self.lists.values() if one.file)


class _Words:
    """The lists of one direction as one automaton."""

    def __init__(self, lists: dict[str, WordList], folder: Path, direction: Direction) -> None:
        mine = {name: one for name, one in lists.items() if direction in one.directions}
        entries = [(word, name, one) for name, one in mine.items() for word in _entries(name, one, folder)]
        if len(entries) > _WORDS:
            raise ConfigError(Problem(f"{ID}: at most {_WORDS} words, these are {len(entries)}"))
        self.lists = [(name, one) for _, name, one in entries]
        try:
            self.lexicon = Lexicon(
                [word for word, _, _ in entries], whole=[one.match == "word" for _, _, one in entries]
            )
        except (ValueError, RuntimeError) as error:
            raise ConfigError(Problem(f"{ID}: {error}")) from None

    def judge(self, places: list[Place]) -> Verdict:
        joined = ALLOW
        for action, means in _ACTIONS.items():
            mine = [(place, *self.lists[place.word]) for place in places]
            mine = [entry for entry in mine if entry[2].action == action]
            if not mine:
                continue
            findings = [
                Finding(ID, name, f"A word of the list '{name}'.", 0, at.start, at.end, "word", 1.0, at.view)
                for at, name, _ in mine
            ]
            edits = [Edit(0, at.start, at.end, one.replacement) for at, _, one in mine if action == "mask"]
            joined = joined.join(verdict(means, _REASONS[action], findings, edits))
        return joined


class Words(PartControl):
    """Requests also in what is encoded in them; answers as written, so that a stream holds exactly what a
    word could still begin with. The operator's own instructions are not looked at."""

    def __init__(self, settings: WordsSettings, folder: Path = Path()) -> None:
        self._asked = _Words(settings.lists, folder, "request")
        self._said = _Words(settings.lists, folder, "response")
        longest = self._said.lexicon.longest
        super().__init__(
            Declaration(
                id=ID,
                boundary=Boundary.INTERFACE,
                summary="Blocks, masks or records the words of the workload's own lists.",
                crossings=frozenset({CrossingKind.REQUEST, CrossingKind.RESPONSE}),
                parts=frozenset({PartKind.TEXT}),
                threats=("LLM06@2023", "LLM09@2023", "LLM02@2025", "LLM09@2025"),
                csf=("PR.DS-02", "DE.CM-09"),
                need=Window(size=4096, overlap=longest) if longest else END_OF_STREAM,
                cost=Cost.MODERATE,  # after identity, quota and limits
                inline=True,
            )
        )

    def inspect(self, crossing: Crossing) -> Verdict:
        return self._answer(crossing) if crossing.kind is CrossingKind.RESPONSE else super().inspect(crossing)

    def inspect_part(self, part: Part, crossing: Crossing) -> Verdict:
        if part.label.integrity is Integrity.SYSTEM:
            return ALLOW
        return self._asked.judge(self._asked.lexicon.find(part.text))

    def hold_from(self, text: str) -> int:
        return self._said.lexicon.hold_from(text)

    def _answer(self, crossing: Crossing) -> Verdict:
        before = crossing.context.get("before")
        joined = ALLOW
        for index, part in enumerate(crossing.parts):
            if part.kind is PartKind.TEXT:
                ahead = before if isinstance(before, str) else ""
                places = self._said.lexicon.find(part.text, before=ahead, decoded=False)
                joined = joined.join(at_part(self._said.judge(places), index))
        return joined


def _entries(name: str, one: WordList, folder: Path) -> Iterator[str]:
    yield from one.words
    if not one.file:
        return
    try:
        data = (folder / one.file).read_bytes()
        if len(data) > _FILE_BYTES:
            raise ConfigError(Problem(f"{ID}: the list {name!r} is larger than {_FILE_BYTES >> 20} MB"))
        lines = data.decode("utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError):
        raise ConfigError(Problem(f"{ID}: the list {name!r} can't be read as UTF-8 text", one.file)) from None
    yield from (word for line in lines if (word := line.partition("#")[0].strip()))


def build(settings: WordsSettings, services: Services) -> Words:
    return Words(settings, services.get(WorkloadFolder).path)


CONTROL = ControlFactory(ID, WordsSettings, build)
