"""From ledger records to what the templates show. Reads the format of ``ringwall.core.record``."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from markupsafe import Markup

from ringwall.core import Action, Boundary, numbered_findings
from ringwall.detect import source_of

from .explain import Explainer
from .marking import LIMIT, Span, mark
from .shown import Record

MAX_PARTS = 60
MAX_FINDINGS = 500

BOUNDARY_MEANING: Mapping[Boundary, str] = {
    Boundary.INTERFACE: "what users send and receive",
    Boundary.APPLICATION: "tools, plugins and the systems behind them",
    Boundary.MODEL: "which models, from where, used how",
    Boundary.DATA: "what the model learns from and retrieves",
    Boundary.ORGANIZATION: "people, risk, containment and proof",
}
ACTION_WORD: Mapping[str, str] = {
    "allow": "let through",
    "annotate": "noted",
    "transform": "changed",
    "hold": "held for a person",
    "block": "blocked",
}
_ORDER = {str(action): int(action) for action in Action}


@dataclass(frozen=True, slots=True)
class LineView:
    """One control's line, ready to read."""

    control: str
    boundary: str
    status: str
    mode: str
    action: str
    """What the control said; empty when it gave no verdict."""
    counted: str
    """What entered the decision."""
    sentence: str
    """Status in words: never "passed" for a control that did not run."""
    elapsed_us: int
    findings: tuple[str, ...] = ()
    """Short sentences."""

    @property
    def acted(self) -> bool:
        return self.status != "evaluated" or self.counted != "allow" or bool(self.findings)


@dataclass(frozen=True, slots=True)
class FindingView:
    number: int
    control: str
    rule: str
    message: str
    cls: str
    score: str
    view: str
    part: int
    start: int
    end: int
    source: str = ""
    """The rule with its family, or the learned model."""
    reading: str = ""
    """What stands there in the decoded view."""
    reportable: bool = False
    """Whether it can be reported as a false alarm."""


@dataclass(frozen=True, slots=True)
class PartView:
    number: int
    kind: str
    role: str
    name: str
    integrity: str
    sensitivity: tuple[str, ...]
    origin: tuple[str, ...]
    fresh: bool
    marked: Markup
    length: int
    cut: bool
    findings: tuple[FindingView, ...]


@dataclass(frozen=True, slots=True)
class CardDecision:
    """What one decision's controls of one boundary did."""

    id: str
    kind: str
    action: str
    own: bool
    """Whether the crossing passes this very boundary, or only controls of it looked on."""
    acted: tuple[LineView, ...]
    quiet: tuple[LineView, ...]


@dataclass(frozen=True, slots=True)
class Card:
    """One boundary's share of a turn."""

    boundary: str
    meaning: str
    strongest: str
    """The strongest action of its controls in this turn; empty when nothing crossed."""
    failed: int
    decisions: tuple[CardDecision, ...]


def text(value: Any) -> str:
    """A string of a record's field, whatever is there: records outlive versions."""
    return value if isinstance(value, str) else "" if value is None else str(value)


def when(micros: Any) -> datetime:
    """Microseconds since the epoch as UTC."""
    try:
        return datetime.fromtimestamp(int(micros) / 1e6, UTC)
    except (TypeError, ValueError, OverflowError, OSError):
        return datetime.fromtimestamp(0, UTC)


def milliseconds(micros: Any) -> str:
    return f"{int(micros or 0) / 1000:.2f} ms"


def summary(record: Record) -> dict[str, Any]:
    """One row of the feed."""
    event = record.event
    lines = [line_view(line) for line in event.get("lines", ())]
    at = when(event.get("at"))
    return {
        "index": record.index,
        "id": text(event.get("id")),
        "at": at.isoformat(timespec="milliseconds"),
        "date": at.strftime("%Y-%m-%d"),
        "time": at.strftime("%H:%M:%S.") + f"{at.microsecond // 1000:03d}",
        "application": text(event.get("application")),
        "boundary": text(event.get("boundary")),
        "kind": text(event.get("kind")).replace("_", " "),
        "subject": text(event.get("subject")),
        "mode": text(event.get("mode")),
        "action": text(event.get("action")),
        "word": ACTION_WORD.get(text(event.get("action")), text(event.get("action"))),
        "would": text(event.get("would")),
        "would_word": ACTION_WORD.get(text(event.get("would")), text(event.get("would"))),
        "because": [
            line.control for line in lines if line.status == "evaluated" and line.counted not in ("allow", "")
        ],
        "failed": [line.control for line in lines if line.status == "failed"],
        "controls": len(lines),
        "elapsed": milliseconds(event.get("elapsed_us")),
    }


def line_view(line: Mapping[str, Any], findings: Sequence[str] = ()) -> LineView:
    return LineView(
        control=text(line.get("control")),
        boundary=text(line.get("boundary")),
        status=text(line.get("status")),
        mode=text(line.get("mode")),
        action=text(line.get("action")),
        counted=text(line.get("counted")),
        sentence=_sentence(line),
        elapsed_us=int(line.get("elapsed_us") or 0),
        findings=tuple(findings),
    )


def lines_of(record: Record, *, operator: bool = True) -> list[LineView]:
    """All lines; findings come from the body and are missing once that is erased. Who is no operator reads
    the reasons that are written for them: scores and thresholds would tell an attacker what to change."""
    verdicts = (record.body or {}).get("verdicts", {})
    return [
        line_view(line, _messages(verdicts.get(text(line.get("control")), {}), operator))
        for line in record.event.get("lines", ())
    ]


def cards(records: Iterable[Record], *, operator: bool = True) -> list[Card]:
    """The five boundaries, in order, with what each did. A line belongs to its control's boundary."""
    turn = [(record, lines_of(record, operator=operator)) for record in records]
    return [_card(boundary, turn) for boundary in Boundary]


def parts_of(record: Record) -> list[PartView]:
    """What crossed, each part with its findings marked. Empty when the body was erased."""
    body = record.body or {}
    found = findings_of(record)
    return [
        _part(index, part, [finding for finding in found if finding.part == index])
        for index, part in enumerate(list(body.get("parts", ()))[:MAX_PARTS])
    ]


def findings_of(record: Record) -> list[FindingView]:
    """All findings, numbered in the order in which they are met when reading."""
    found = numbered_findings(record.body or {})[:MAX_FINDINGS]
    explain = Explainer(record)
    return [
        _finding(number, control, finding, explain)
        for number, (control, finding) in enumerate(found, start=1)
    ]


def edits_of(record: Record) -> list[dict[str, Any]]:
    """What controls asked to be changed, as sentences' ingredients."""
    body = record.body or {}
    return [
        {
            "control": control,
            "part": int(edit.get("part") or 0) + 1,
            "start": edit.get("start"),
            "end": edit.get("end"),
            "replacement": text(edit.get("replacement")),
            "drop": bool(edit.get("drop")),
        }
        for control, verdict in sorted(body.get("verdicts", {}).items())
        for edit in verdict.get("edits", ())
    ][:MAX_FINDINGS]


def _card(boundary: Boundary, turn: list[tuple[Record, list[LineView]]]) -> Card:
    decisions: list[CardDecision] = []
    for record, lines in turn:
        mine = [line for line in lines if line.boundary == boundary]
        own = record.event.get("boundary") == boundary
        if mine or own:
            decisions.append(_card_decision(record, mine, own))
    seen = [line for decision in decisions for line in (*decision.acted, *decision.quiet)]
    counted = [line.counted for line in seen if line.status != "not_evaluated"]
    return Card(
        boundary=str(boundary),
        meaning=BOUNDARY_MEANING[boundary],
        strongest=max(counted, key=lambda action: _ORDER.get(action, 0), default=""),
        failed=sum(line.status == "failed" for line in seen),
        decisions=tuple(decisions),
    )


def _card_decision(record: Record, lines: list[LineView], own: bool) -> CardDecision:
    event = record.event
    return CardDecision(
        id=text(event.get("id")),
        kind=text(event.get("kind")).replace("_", " "),
        action=text(event.get("action")),
        own=own,
        acted=tuple(line for line in lines if line.acted),
        quiet=tuple(line for line in lines if not line.acted),
    )


def _part(index: int, part: Mapping[str, Any], findings: list[FindingView]) -> PartView:
    shown = _masked(text(part.get("text")), findings)
    spans = [Span(finding.start, finding.end, finding.number) for finding in findings]
    return PartView(
        number=index + 1,
        kind=text(part.get("kind")).replace("_", " "),
        role=text(part.get("role")),
        name=text(part.get("name")),
        integrity=text(part.get("integrity")),
        sensitivity=tuple(map(text, part.get("sensitivity", ()))),
        origin=tuple(map(text, part.get("origin", ()))),
        fresh=bool(part.get("fresh", True)),
        marked=mark(shown, spans),
        length=len(shown),
        cut=len(shown) > LIMIT,
        findings=tuple(findings),
    )


def _masked(shown: str, findings: Iterable[FindingView]) -> str:
    """Credentials that were found are not shown: of each only what tells which one it is."""
    for one in findings:
        if one.cls == "secret" and one.end > one.start:
            kept = one.start + min(6, (one.end - one.start) // 3)
            shown = shown[:kept] + "•" * (min(one.end, len(shown)) - kept) + shown[one.end :]
    return shown


def _finding(number: int, control: str, finding: Mapping[str, Any], explain: Explainer) -> FindingView:
    score = finding.get("score")
    return FindingView(
        number=number,
        control=control,
        rule=text(finding.get("rule")),
        message=text(finding.get("message")),
        cls=text(finding.get("class")),
        score=f"{score:.2f}" if isinstance(score, (int, float)) and score < 1 else "",
        view=text(finding.get("view")),
        part=int(finding.get("part") or 0),
        start=int(finding.get("start") or 0),
        end=int(finding.get("end") or 0),
        source=source_of(text(finding.get("rule"))),
        reading=explain.reading(finding),
        reportable=explain.reportable(control, finding),
    )


def _messages(verdict: Mapping[str, Any], operator: bool) -> list[str]:
    """Each sentence once, in order; at most eight."""
    if not operator:
        return list(map(text, verdict.get("reasons", ())))[:8]
    return list(dict.fromkeys(text(finding.get("message")) for finding in verdict.get("findings", ())))[:8]


def _sentence(line: Mapping[str, Any]) -> str:
    status, reason = text(line.get("status")), text(line.get("reason"))
    said, counted = text(line.get("action")), text(line.get("counted"))
    if status == "not_evaluated":
        return f"not evaluated: {reason or 'no reason was recorded'}"
    if status == "failed":
        return f"failed: {reason or 'no reason was recorded'}; {text(line.get('treatment')) or 'blocked'}"
    word = ACTION_WORD.get(counted, counted)
    tail = f" ({reason})" if reason else ""
    if said and said != counted:
        return f"evaluated: would have {ACTION_WORD.get(said, said)}, {word} (monitor){tail}"
    return "evaluated: nothing found" if counted == "allow" else f"evaluated: {word}{tail}"
