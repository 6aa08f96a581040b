"""A control of personal data with a vault of its own, and people who have sessions."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ringwall.boundaries.interface.hiding import Hiding, PiiSettings
from ringwall.boundaries.interface.personal_data import PersonalData, PersonalSettings
from ringwall.boundaries.interface.pii import Pii
from ringwall.boundaries.interface.pseudonyms import Pseudonyms
from ringwall.core import (
    MODEL,
    USER,
    Crossing,
    CrossingKind,
    Gate,
    Label,
    Part,
    PartKind,
    Post,
    Principal,
    apply_edits,
)
from ringwall.server.response_guard import ResponseGuard

CASEY = Principal("casey", "shop", credential="k1")


class Desk:
    """One control, asked as the gateway asks it."""

    def __init__(self, vault: Pseudonyms, settings: dict[str, Any], personal: dict[str, Any]) -> None:
        self.settings = PiiSettings.model_validate(settings)
        self.vault = vault
        names = [*self.settings.classes, *self.settings.answers]
        data = PersonalData(PersonalSettings.model_validate(personal), names)
        self.control = Pii(self.settings, data, vault)
        self.hiding = Hiding.of(self.settings, vault)
        self.gate = Gate([Post(self.control)])

    def crossing(
        self,
        kind: CrossingKind,
        parts: tuple[Part, ...],
        who: Principal = CASEY,
        session: str = "ses_1",
        **context: Any,
    ) -> Crossing:
        facts = {"turn": "turn_1", **context}
        return Crossing(kind, who, parts, "assistant", session, "chat.completions", False, facts)

    def hidden(
        self,
        text: str,
        who: Principal = CASEY,
        session: str = "ses_1",
        label: Label = USER,
        kind: CrossingKind = CrossingKind.REQUEST,
        part: PartKind = PartKind.TEXT,
        **context: Any,
    ) -> str:
        """What a model gets of the text."""
        given = self.control.inspect(
            self.crossing(kind, (Part(part, text, label, "user"),), who, session, **context)
        )
        return apply_edits(text, given.edits)

    def shown(self, text: str, who: Principal = CASEY, session: str = "ses_1", **context: Any) -> str:
        """What a person gets of an answer."""
        part = Part(PartKind.TEXT, text, MODEL, "assistant")
        given = self.control.inspect(self.crossing(CrossingKind.RESPONSE, (part,), who, session, **context))
        return apply_edits(text, given.edits)

    async def streamed(
        self,
        chunks: list[str],
        who: Principal = CASEY,
        session: str = "ses_1",
        gate: Gate | None = None,
    ) -> str:
        def crossing(pending: str, before: str, final: bool) -> Crossing:
            part = Part(PartKind.TEXT, pending, MODEL, "assistant")
            facts = {"stream": True, "final": final, "before": before}
            return self.crossing(CrossingKind.RESPONSE, (part,), who, session, **facts)

        guard = ResponseGuard(gate or self.gate, crossing)
        out = ""
        for chunk in chunks:
            release = await guard.feed(chunk)
            out += release.text
            if release.stopped:
                return out
        return out + (await guard.finish()).text


@pytest.fixture(scope="session")
def desk() -> Callable[..., Desk]:
    """``desk(pii_settings…)``: a new vault unless one is given."""

    def make(
        vault: Pseudonyms | None = None, personal: dict[str, Any] | None = None, **settings: Any
    ) -> Desk:
        return Desk(vault or Pseudonyms(), settings, personal or {})

    return make


@pytest.fixture
def stores(tmp_path: Path) -> Callable[[], Any]:
    """``stores()`` opens the vault of one data directory; each call is another process, so to speak."""
    from ringwall.ledger.envelope import Envelope
    from ringwall.ledger.master import MasterKey
    from ringwall.storage.database import Database
    from ringwall.storage.sealed_values import SealedValues

    def begin() -> Any:
        envelope = Envelope(tmp_path, MasterKey.load(tmp_path))
        database = Database(tmp_path / "state.db")
        return Pseudonyms(SealedValues(database, "pseudonyms"), envelope), envelope, database

    return begin
