"""``interface.files``: files in requests that deceive their reader, act by themselves, or can't be read."""

import orjson

from ringwall.core import (
    ALLOW,
    Action,
    Application,
    Boundary,
    ConfigError,
    ControlFactory,
    Cost,
    Crossing,
    CrossingKind,
    Declaration,
    Edit,
    Finding,
    NoSettings,
    Part,
    PartControl,
    PartKind,
    Problem,
    Services,
    Verdict,
    verdict,
)
from ringwall.detect.files.told import MESSAGES, REFUSALS

from .file_reader.needs import missing
from .file_settings import FileSettings
from .settings import InterfaceSection

ID = "interface.files"
HIDDEN = "&hidden="
METADATA = "&metadata"
"""In the names of the parts that the texts of a file become: see ``wire.attachments``."""
_ALWAYS = frozenset({"active-content", "macros", "mismatch", "polyglot", "program"})
_NEVER = frozenset({"embedded-file", "script"})
"""Told and nothing more: what is inside was read as well."""


class Files(PartControl):
    """What was found in a file is in the text of its part; texts of the file are parts of their own."""

    def __init__(self, settings: FileSettings) -> None:
        seen = {PartKind.FILE, PartKind.DOCUMENT}
        if settings.ocr != "none":
            seen.add(PartKind.IMAGE)
        super().__init__(
            Declaration(
                id=ID,
                boundary=Boundary.INTERFACE,
                summary="Stops files with hidden text, macros, a false type, or that can't be read.",
                crossings=frozenset({CrossingKind.REQUEST}),
                parts=frozenset(seen),
                threats=("LLM01@2023", "LLM04@2023", "LLM01@2025", "LLM10@2025"),
                csf=("PR.DS-10", "DE.CM-09", "PR.PS-05"),
                cost=Cost.MODERATE,  # after identity, quota and limits
                inline=True,
            )
        )
        self.settings = settings

    def inspect_part(self, part: Part, crossing: Crossing) -> Verdict:
        if part.kind is PartKind.DOCUMENT:
            return self._text(part)
        read = _report(part.text)
        if read is None:
            finding = Finding(ID, "unread", "The file was not read.", cls="file")
            return verdict(Action.BLOCK, "The file was not read.", [finding])
        refused, codes = read
        findings = [Finding(ID, code, MESSAGES.get(code, MESSAGES["unread"]), cls="file") for code in codes]
        stopping = [code for code in codes if self._stops(code, part.kind)]
        reasons = [MESSAGES.get(code, MESSAGES["unread"]) for code in stopping]
        if refused:
            reasons.insert(0, REFUSALS.get(refused, REFUSALS["damaged"]))
            findings.append(Finding(ID, refused, reasons[0], cls="file"))
        if reasons:
            return verdict(Action.BLOCK, " ".join(dict.fromkeys(reasons)), findings)
        return verdict(Action.ANNOTATE, findings=findings) if findings else ALLOW

    def _stops(self, code: str, kind: PartKind) -> bool:
        if code in self.settings.allow or code in _NEVER:
            return False
        passed = self.settings.images if kind is PartKind.IMAGE else self.settings.documents
        return code in _ALWAYS or passed == "original"

    def _text(self, part: Part) -> Verdict:
        _, _, why = part.name.partition(HIDDEN)
        if not why or not part.text or why.endswith(METADATA):
            return ALLOW
        findings = [
            Finding(
                ID, f"hidden-{why}", "There is text that a reader of the file does not see.", cls="hidden"
            )
        ]
        strip = self.settings.on_hidden_text == "strip"
        if self.settings.on_hidden_text == "block" or (strip and self.settings.documents == "original"):
            return verdict(Action.BLOCK, "There is hidden text in the file.", findings)
        if not strip:
            return verdict(Action.ANNOTATE, findings=findings)
        return verdict(
            Action.TRANSFORM, "Hidden text was taken out of a file.", findings, [Edit(0, 0, len(part.text))]
        )


def _report(text: str) -> tuple[str, tuple[str, ...]] | None:
    """Why the file was refused, and what was marked; None for a part that nobody has read."""
    try:
        report = orjson.loads(text)
        refused, codes = report["refused"], report["marks"]
    except (ValueError, TypeError, KeyError):
        return None
    if not isinstance(refused, str) or not isinstance(codes, list):
        return None
    return refused, tuple(dict.fromkeys(str(code) for code in codes))


def build(_settings: NoSettings, services: Services) -> Files:
    settings = services.get(InterfaceSection).files
    lacking = missing(settings, services.get(Application).accept)
    if lacking:
        raise ConfigError(Problem(f"{services.get(Application).name}: {lacking}"))
    return Files(settings)


CONTROL = ControlFactory(ID, NoSettings, build)
