"""What a finding on the ledger means: the words that a decoded view shows, and what may be done about it.

Derived when the page is shown, from the rules as they are now: the ledger keeps rule, place and view.
"""

from collections.abc import Mapping
from typing import Any

from ringwall.boundaries.organization.allow_rule import ALLOWABLE
from ringwall.core import ALLOWED_BY
from ringwall.detect import families, scanner

from .shown import Record

LONGEST = 100_000
"""Characters of a part that is read again for the page."""
_SHOWN = 200
_VALUES = ("secret", "pii")
"""Classes whose findings are never shown in the clear."""


class Explainer:
    """For the findings of one decision."""

    def __init__(self, record: Record) -> None:
        self._parts = list((record.body or {}).get("parts", ()))
        self._status = {line.get("control"): line.get("status") for line in record.event.get("lines", ())}

    def reportable(self, control: str, finding: Mapping[str, Any]) -> bool:
        """As far as the record tells; what is too wide is said when it is reported."""
        told = str(finding.get("rule")).startswith(ALLOWED_BY)
        evaluated = self._status.get(control) == "evaluated"
        return control in ALLOWABLE and evaluated and not told and bool(self._parts)

    def reading(self, finding: Mapping[str, Any]) -> str:
        """What the rule read in its decoded view; nothing for what is no rule of ours, and never a value
        that the finding is to keep out of sight."""
        part = int(finding.get("part") or 0)
        hidden = str(finding.get("class")).split(".")[0] in _VALUES
        if not finding.get("view") or hidden or part >= len(self._parts):
            return ""
        text = str(self._parts[part].get("text", ""))
        if len(text) > LONGEST or finding.get("rule") not in families():
            return ""
        place = (finding.get("rule"), finding.get("start"), finding.get("end"))
        for seen in scanner().scan(text):
            if (seen.rule, seen.start, seen.end) == place and seen.view == finding.get("view"):
                return seen.reading[:_SHOWN]
        return ""
