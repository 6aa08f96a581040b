"""What outlives a reload of the workload file: stores, ledger, keys. One per process and data directory."""

from pathlib import Path
from typing import Any

from ringwall.boundaries.application.hold import Hold, HoldEvent
from ringwall.boundaries.application.mcp.call_facts import CallFacts
from ringwall.boundaries.application.mcp.pins import Pins
from ringwall.boundaries.application.mcp.pool import UpstreamPool
from ringwall.boundaries.application.mcp.seen import SeenContent
from ringwall.boundaries.data.extraction.book import ExtractionBook
from ringwall.boundaries.data.keys import CollectionKeys
from ringwall.boundaries.data.quarantine import Quarantine
from ringwall.boundaries.data.retrieval.stores import retrieval_store
from ringwall.boundaries.data.sensitive.canaries import Canaries
from ringwall.boundaries.data.sensitive.consent import Consents
from ringwall.boundaries.data.sensitive.tokens import TokenKeys
from ringwall.boundaries.data.store_settings import StoreSettings
from ringwall.boundaries.data.training import TrainingSets
from ringwall.boundaries.data.uploads.attached import Attachments
from ringwall.boundaries.data.uploads.store import Uploads
from ringwall.boundaries.data.vault import Vault, Version
from ringwall.boundaries.interface.disclosures import Disclosures
from ringwall.boundaries.interface.guessing import Guessing
from ringwall.boundaries.interface.keys import KeyStore
from ringwall.boundaries.interface.pseudonyms import Pseudonyms
from ringwall.boundaries.interface.quota import Quotas
from ringwall.boundaries.interface.session_risk import SessionRisks
from ringwall.boundaries.interface.sign_in.key_cache import KeyCache
from ringwall.boundaries.organization.allowances import AllowRules
from ringwall.boundaries.organization.containment import Containment
from ringwall.boundaries.organization.evidence import EvidenceStore
from ringwall.core import DataError, event_record
from ringwall.ledger import Ledger
from ringwall.ledger.envelope import Envelope
from ringwall.storage.counters import Counters
from ringwall.storage.database import Database
from ringwall.storage.sealed_values import SealedValues
from ringwall.wire.sessions import Sessions

from .data_anchors import ANNOUNCED
from .store import LOCAL, bind_store, open_blobs

EXPORTS = "exports"
"""Folder of the data directory in which exports under way are marked."""
_CANARY = "bcdfghjkmnpqrstvwxz"


class Plant:
    """Opens everything under ``data_dir`` (made with mode 0700 when it is not there)."""

    def __init__(self, data_dir: Path, *, fsync: bool = False, store: StoreSettings = LOCAL) -> None:
        """``store``: where blobs lie; a plant keeps it. Raises DataError when that can't be relied on, or is
        not the one that the data directory belongs with."""
        data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
        self.data_dir = data_dir
        self.ledger = Ledger.open(data_dir, fsync=fsync)
        self.envelope: Envelope = self.ledger.envelope
        self.master = self.ledger.master
        self.database = Database(data_dir / "state.db")
        self.store = store
        try:
            self.blobs = open_blobs(store, data_dir)
            bind_store(self.database, data_dir, store)
        except BaseException:
            self.database.close()
            self.ledger.close()
            raise
        self.keys = KeyStore(self.database)
        self.key_cache = KeyCache()
        self.guessing = Guessing()
        self.route_rates = Counters()
        self.quotas = Quotas()
        self.disclosures = Disclosures()
        self.pseudonyms = Pseudonyms(SealedValues(self.database, "pseudonyms"), self.envelope)
        keys = self.collection_keys = CollectionKeys(self.database, self.envelope)
        self.index = retrieval_store(self.database, self.envelope, keys, self.master.derive)
        self.vault = Vault(self.database, self.blobs, self.envelope, keys, self.index)
        self.token_keys = TokenKeys(self.database, self.envelope)
        self.consents = Consents(self.database)
        self.training = TrainingSets(self.database, self.blobs, self.envelope, keys)
        for lines in (self.vault.lines, self.training.lines):
            lines.versions.announce = self._announce
        self.canaries = Canaries(self.database, self.envelope)
        self.extraction_reports = ExtractionBook(self.database, self.envelope)
        self.quarantine = Quarantine(self.database, self.blobs, self.envelope)
        self.upload_database = Database(data_dir / "uploads.db")
        self.uploads = Uploads(self.upload_database, self.envelope)
        self.attachments = Attachments(self.database, self.envelope)
        self.sessions = Sessions(self.database)
        self.session_risks = SessionRisks(self.database)
        self.containment = Containment(self.database)
        key = self.master.derive("allow-rules")
        self.allowances = AllowRules(self.database, self.envelope, key)
        self.evidence = EvidenceStore(self.database)
        self.pins = Pins(self.database)
        self.upstreams = UpstreamPool()
        self.call_facts = CallFacts()
        self.seen_content = SeenContent()

    def canary(self, application: str) -> str:
        """The random word planted in an application's system prompt: the same after a restart.

        Letters without vowels: no text treatment breaks it and no text holds it by chance.
        """
        digest = self.master.derive(f"canary {application}")
        return "".join(_CANARY[byte % len(_CANARY)] for byte in digest[:20])

    def _announce(self, version: Version) -> None:
        self.ledger.append_now(version.event(ANNOUNCED))

    def note(self, kind: str, subject: str = "system", tenant: str = "default", **detail: Any) -> str:
        """Put an event that is no decision on the ledger; its id. Blocks until it is committed."""
        event = event_record(kind, subject, tenant, detail)
        self.ledger.append_now(event)
        return str(event["id"])

    def hold_changed(self, event: HoldEvent, hold: Hold, subject: str, tenant: str) -> None:
        """The journal of ``Holds``. No argument of the call is in it."""
        call = hold.amended_call or hold.call
        self.note(f"hold.{event}", subject, tenant, hold=hold.id, tool=hold.tool, call=call)

    def ready(self) -> bool:
        """Whether records can be kept."""
        try:
            self.ledger.size()
        except DataError:
            return False
        return True

    def close(self) -> None:
        self.sessions.close()
        self.session_risks.close()
        self.pseudonyms.close()
        self.training.close()
        self.index.close()
        self.ledger.close()
        self.upload_database.close()
        self.database.close()
