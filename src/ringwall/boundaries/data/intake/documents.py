"""A file that was read, as a document before the gate."""

import hashlib
import time
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from ringwall.core import (
    Crossing,
    CrossingKind,
    DataError,
    Decision,
    DeniedError,
    Part,
    PartKind,
    Principal,
    apply_edits,
    new_id,
)

from ..document import Access, Document, check_id, id_from, split_readers
from ..names import base
from ..read import Reading
from ..settings import CollectionSettings, DataSection
from .process import process_of
from .receipt import Offer
from .statement import check
from .terms import Terms, checked, line

ENDPOINT = "data.add"
_FINDINGS = 100


def document_of(
    offer: Offer, reading: Reading, principal: Principal, tenant: str, section: DataSection, *, seed: bool
) -> Document:
    """DataError for terms, an id or readers that can't be, and for a signature that does not fit."""
    settings = section.collections[base(offer.collection)]
    front = reading.front
    roles, subjects = split_readers(front.readers)
    if front.readers and not any(roles) and not any(subjects):
        raise DataError("The readers of the document name nobody: leave them out or name a role.")
    terms = _terms(offer, reading, settings, seed=seed)
    sha256 = hashlib.sha256(offer.raw).hexdigest()
    if terms.signature:
        _check(terms, offer.collection, principal, section, sha256)
    return Document(
        collection=offer.collection,
        id=check_id(offer.document) if offer.document else id_from(offer.name),
        title=line(reading.title, 300),
        text=reading.text,
        origin=line(front.source or terms.origin or offer.origin or offer.name, 2000),
        contributor=principal.subject,
        at=time.time_ns() // 1000,
        access=Access(tenant, roles, subjects),
        sensitivity=frozenset({*settings.sensitivity, *front.sensitivity}),
        hidden=reading.hidden_text,
        licence=terms.licence,
        consent=terms.consent,
        process="" if seed else process_of(principal, section.jobs),
        contribution=new_id("con"),
        sha256=sha256,
        signer=terms.signature.key if terms.signature else "",
        form=reading.form,
    )


def crossing_of(
    document: Document, reading: Reading, principal: Principal, settings: CollectionSettings, *, seed: bool
) -> Crossing:
    """Part 0 is the document; part 1, when there is any, what it hides: every control sees both."""
    data: dict[str, Any] = {
        "collection": document.collection,
        "document": document.id,
        "contribution": document.contribution,
        "origin": document.origin,
        "contributor": document.contributor,
        "contributors": sorted(settings.contributors),
        "tenant": document.access.tenant,
        "readers": sorted(document.access.roles),
        "subjects": sorted(document.access.subjects),
        "classes": sorted(document.sensitivity),
        "process": document.process,
        "licence": document.licence,
        "consent": document.consent,
        "signed": bool(document.signer),
        "form": document.form or "text",
        "marks": list(reading.marks),
        "hidden": False,
    }
    origin = frozenset({f"document:{document.collection}/{document.id}"})
    label = replace(document.label, origin=origin)
    parts = [Part(PartKind.DOCUMENT, document.text, label, name=document.title, data=data, ref=document.id)]
    if document.hidden:
        hidden = {**data, "hidden": True}
        parts.append(
            Part(PartKind.DOCUMENT, document.hidden, label, name=document.title, data=hidden, ref=document.id)
        )
    return Crossing(
        CrossingKind.CONTRIBUTION,
        principal,
        tuple(parts),
        endpoint=ENDPOINT,
        context={"collection": document.collection, "seed": seed, "contribution": document.contribution},
    )


def edited(document: Document, decision: Decision) -> Document:
    """With the edits of the controls. DeniedError when they leave nothing of it."""
    edits = decision.joined.edits
    if any(edit.drop and edit.part == 0 for edit in edits):
        raise DeniedError(f"The document {document.id!r} was refused: nothing of it may stay.", decision.id)
    text = apply_edits(document.text, [edit for edit in edits if edit.part == 0])
    hidden = apply_edits(document.hidden, [edit for edit in edits if edit.part == 1])
    return replace(document, text=text, hidden=hidden)


def why(decision: Decision) -> tuple[str, ...]:
    """Reasons, and what was found, for the contributor and the reviewer."""
    messages = dict.fromkeys(finding.message for finding in decision.joined.findings)
    return (*decision.reasons, *list(messages)[:20])


def seen(decision: Decision) -> tuple[Mapping[str, Any], ...]:
    """What the controls saw, for the reviewer."""
    return tuple(
        {
            "control": found.control,
            "rule": found.rule,
            "class": found.cls,
            "message": found.message,
            "part": found.part,
            "start": found.start,
            "end": found.end,
        }
        for found in decision.joined.findings[:_FINDINGS]
    )


def _terms(offer: Offer, reading: Reading, settings: CollectionSettings, *, seed: bool) -> Terms:
    """What the contributor says, then what the file says of itself, then the operator for a seed."""
    given, front = offer.terms, reading.front
    if given.licence and front.licence and checked(given).licence != checked(Terms(front.licence)).licence:
        raise DataError("The front matter states another licence than the contributor: say which one holds.")
    licence, consent = given.licence or front.licence, given.consent or front.consent
    if seed:
        licence, consent = licence or settings.seed_terms.licence, consent or settings.seed_terms.consent
    return checked(replace(given, licence=licence, consent=consent))


def _check(terms: Terms, collection: str, principal: Principal, section: DataSection, sha256: str) -> None:
    if terms.signature is None:
        return
    check(
        terms.signature,
        collection=collection,
        principal=principal,
        licence=terms.licence,
        signers=section.signers,
    )
    if terms.signature.statement.sha256 != sha256:
        raise DataError("The signature is over another file than this one: sign what you contribute.")
