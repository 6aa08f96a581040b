"""How far a record went, and taking out what one contributor brought."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from ringwall.boundaries.data import (
    Access,
    CollectionSettings,
    Content,
    DataSection,
    DataStores,
    Document,
    Held,
    Quarantine,
)
from ringwall.boundaries.data.intake.held_rows import HeldRow
from ringwall.boundaries.data.lineage import Citations, Lineage, Marks, Purge, Trained
from ringwall.boundaries.data.lineage.origins import facts
from ringwall.boundaries.data.records import Record, Source, record_of
from ringwall.boundaries.data.uploads.attached import Attached, Attachments, State
from ringwall.core import DataError, DeniedError, Principal
from ringwall.ledger import Ledger
from ringwall.storage.database import Database

SECTION = DataSection(
    collections={
        "faq": CollectionSettings(contributors=("editor",), readers=("customer",), approvers=("curator",)),
        "tickets": CollectionSettings(kind="training", contributors=("editor",), approvers=("curator",)),
    }
)
TRAINED = (Trained("route:default", "tickets", 1), Trained("route:other", "tickets", 9))


@pytest.fixture
def section() -> DataSection:
    return SECTION


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    opened = Ledger.open(tmp_path / "ledger")
    yield opened
    opened.close()


@pytest.fixture
def lineage(stores: DataStores, db: Database, ledger: Ledger) -> Lineage:
    parts = (stores.vault, stores.training, stores.index, ledger, Citations(db, ledger), TRAINED)
    return Lineage(*parts)


def _document(name: str, text: str, contributor: str) -> Document:
    return Document("faq", name, name, text, f"{name}.md", contributor, 1)


def _rows(contributor: str, *texts: str, licence: str = "MIT") -> list[Record]:
    source = Source("rows.jsonl", "1", contributor, "job", f"con_{contributor}", 1, licence)
    return [replace(record_of({"text": text}), id=text, source=source) for text in texts]


def test_a_document_is_followed_to_the_answers(lineage: Lineage, stores: DataStores, ledger: Ledger) -> None:
    stores.vault.commit("faq", add=[_document("returns", "Thirty days.", "kim")], author="kim")
    stores.vault.commit("faq", add=[_document("other", "Else.", "lee")], author="lee")
    stores.vault.commit("faq", add=[_document("returns", "Ten days.", "eve")], author="eve")
    for turn, name in enumerate(
        ("document:faq/returns@1#0", "document:faq/returns@2#0", "document:faq/returns@2#1")
    ):
        event = {"id": f"dec_{turn}", "type": "decision", "kind": "retrieval", "at": turn, "turn": f"t{turn}"}
        ledger.append_now({**event, "subject": "ann", "tenant": "north", "session": "s", "passages": [name]})
    ledger.append_now(
        {
            "id": "x",
            "type": "data.exported",
            "at": 5,
            "collection": "faq",
            "version": 3,
            "subject": "bo",
            "target": "lake",
        }
    )
    found = lineage.radius("faq", "returns")
    assert [(one.contributor, one.first, one.last) for one in found.revisions] == [
        ("kim", 1, 2),
        ("eve", 3, 3),
    ]
    assert [one.versions for one in found.spans] == [(1, 2, 3)]
    assert found.current
    assert found.indexed
    assert {one.name: one.count for one in found.answers} == {
        "document:faq/returns@1": 1,
        "document:faq/returns@2": 2,
    }
    assert [one.turn for one in found.answers[1].latest] == ["t2", "t1"]
    assert [one.target for one in found.exports] == ["lake"]
    assert not lineage.radius("faq", "other").answers
    stores.vault.commit("faq", remove=["returns"], author="lee")
    gone = lineage.radius("faq", "returns")
    assert not gone.current
    assert not gone.indexed
    assert gone.answers == found.answers


def test_a_row_is_followed_to_the_models(lineage: Lineage, stores: DataStores) -> None:
    stores.training.add("tickets", _rows("kim", "a", "b"), author="kim")
    stores.training.add("tickets", _rows("lee", "c"), author="lee")
    found = lineage.radius("tickets", "a")
    assert [one.versions for one in found.spans] == [(1, 2)]
    assert [life.source.contributor for life in found.lives] == ["kim"]
    assert [one.model for one in found.models] == ["route:default"]
    assert not lineage.radius("tickets", "c").models


def test_each_content_of_a_row_is_told_with_who_brought_it(lineage: Lineage, stores: DataStores) -> None:
    sets = stores.training
    sets.add("tickets", _rows("kim", "a", "b"), author="kim")
    sets.branch("tickets", "tidy", author="kim")
    sets.add("tickets", [replace(_rows("eve", "other")[0], id="a")], author="eve")
    sets.remove("tickets", ["a"], author="lee")
    sets.add("tickets", _rows("lee", "a"), author="lee")
    sets.roll_back("tickets", 1, author="lee")
    found = lineage.radius("tickets", "a")
    told = [
        (life.source.contributor, [(one.line, one.versions) for one in life.spans]) for life in found.lives
    ]
    assert told == [
        ("kim", [("tickets", (1, 5)), ("tickets~tidy", (1,))]),
        ("eve", [("tickets", (2,))]),
        ("lee", [("tickets", (4,))]),
    ]
    assert [one.versions for one in found.spans] == [(1, 2, 4, 5), (1,)]
    assert found.current


def test_a_document_is_not_told_of_versions_between(lineage: Lineage, stores: DataStores) -> None:
    stores.vault.commit("faq", add=[_document("returns", "Thirty days.", "kim")], author="kim")
    stores.vault.commit("faq", remove=["returns"], author="lee")
    stores.vault.roll_back("faq", 1, author="lee")
    found = lineage.radius("faq", "returns")
    assert [one.versions for one in found.revisions] == [(1, 3)]
    assert [one.versions for one in found.spans] == [(1, 3)]


@pytest.mark.parametrize(
    ("collection", "record"), [("faq", "nothing"), ("tickets", "nothing"), ("nowhere", "x")]
)
def test_what_never_was_is_told(lineage: Lineage, stores: DataStores, collection: str, record: str) -> None:
    stores.training.add("tickets", _rows("kim", "a"), author="kim")
    with pytest.raises(DataError, match="never held"):
        lineage.radius(collection, record)


def beside(stores: DataStores, db: Database) -> tuple[Quarantine, Attachments]:
    return stores.quarantine, Attachments(db, stores.vault._envelope)


async def test_a_contributor_is_taken_out_and_models_are_marked(
    lineage: Lineage, stores: DataStores, db: Database, person: Callable[..., Principal]
) -> None:
    stores.vault.commit(
        "faq", add=[_document("mine", "Fine.", "kim"), _document("bad", "Lies.", "eve")], author="kim"
    )
    stores.vault.commit("faq", add=[_document("mine", "Changed lies.", "eve")], author="eve")
    stores.training.add("tickets", [*_rows("kim", "a"), *_rows("eve", "b", "c")], author="kim")
    stores.training.add("tickets", _rows("lee", "d"), author="lee")
    stores.training.remove("tickets", ["b"], author="lee")
    marks = Marks(db)
    purge = Purge(SECTION, stores.vault, stores.training, lineage, marks, *beside(stores, db))
    plans = {plan.collection: plan for plan in purge.plan("eve")}
    assert (plans["faq"].current, plans["faq"].shared) == (("bad", "mine"), ("mine",))
    assert (plans["tickets"].current, plans["tickets"].ever) == (("c",), 2)
    assert plans["tickets"].versions == (1, 2, 3)
    assert [one.model for one in plans["tickets"].models] == ["route:default"]
    events: list[Mapping[str, Any]] = []

    async def record(event: Mapping[str, Any]) -> None:
        events.append(event)

    with pytest.raises(DeniedError):
        await purge.run(plans.values(), person("ed", "editor"), "poison", record)
    assert stores.training.count("tickets") == 3
    done = await purge.run(plans.values(), person("cy", "curator"), "poison", record)
    assert [entry.id for entry in stores.vault.manifest("faq").entries] == []
    assert [one.id for one in stores.training.records("tickets")] == ["a", "d"]
    assert not stores.index.search(person("ann", "customer"), ["faq"], "lies")
    assert {one.plan.collection: one.version for one in done} == {"faq": 3, "tickets": 4}
    assert [(one.model, one.version) for one in marks.all()] == [("route:default", 1)]
    assert [event["type"] for event in events] == ["data.version", "data.version", "model.marked"]
    assert "poison" not in str(events)
    assert purge.plan("eve")[0].current == ()
    assert purge.plan("nobody") == []


async def test_branches_and_what_waits_go_as_well(
    lineage: Lineage, stores: DataStores, db: Database, ledger: Ledger, person: Callable[..., Principal]
) -> None:
    vault, sets = stores.vault, stores.training
    vault.commit("faq", add=[_document("mine", "Fine.", "kim")], author="kim")
    vault.branch("faq", "tidy", author="kim")
    vault.commit("faq~tidy", add=[_document("bad", "Lies.", "eve")], author="eve")
    sets.add("tickets", _rows("kim", "a"), author="kim")
    sets.branch("tickets", "tidy", author="kim")
    sets.add("tickets~tidy", _rows("eve", "b"), author="eve")
    content = Content(_document("held", "More lies.", "eve"), _document("held", "More lies.", "eve"))
    held = [stores.quarantine.hold(content, "dec_1", "mark").id]
    given = Held("", "tickets", "con_1", "eve", "north", "dec_2", 0, "", "", 0)
    held.append(stores.quarantine.hold_rows(given, [HeldRow(_rows("eve", "c")[0])], (), {}).id)
    other = stores.quarantine.hold(replace(content, original=_document("ok", "x", "lee")), "dec_3", "m2").id
    attachments = Attachments(db, stores.vault._envelope)
    ann = person("eve", "editor")
    attachments.begin_batch(ann, "faq", ["file_1"])
    attachments.put(
        Attached("faq", "file_1", ("north", "eve"), "late", 1, 1, 1, State.WAITING, "", "n", {}, "")
    )
    purge = Purge(SECTION, vault, sets, lineage, Marks(db), *beside(stores, db))
    plans = purge.plan("eve")
    assert [(plan.collection, plan.current, plan.ever, plan.waiting) for plan in plans] == [
        ("faq", (), 1, 1),
        ("tickets", (), 1, 0),
    ]
    events: list[Any] = []

    async def record(event: Mapping[str, Any]) -> None:
        events.append(event["type"])

    with pytest.raises(DeniedError, match="another tenant's"):
        await purge.run(plans[1:], person("cy", "curator", tenant="south"), "poison", record)
    done = await purge.run(plans, person("cy", "curator"), "poison", record)
    assert [one.branches for one in done] == [("faq~tidy@3",), ("tickets~tidy@3",)]
    assert [entry.id for entry in vault.manifest("faq~tidy").entries] == ["mine"]
    assert [one.id for one in sets.records("tickets~tidy")] == ["a"]
    assert [stores.quarantine.find(one).status for one in (*held, other)] == ["rejected"] * 2 + [
        "quarantined"
    ]
    assert not stores.quarantine.untold(2**62)
    assert done[0].cancelled == 1 and attachments.waiting("faq", "eve") == 0
    found = attachments.find(ann, "faq", "file_1")
    assert found and found.state is State.CANCELLED
    assert sorted(events) == ["data.rejected"] * 2 + ["data.version"] * 2
    assert purge.plan("eve")[0].held == ()
    assert all(not one.plan.models and not one.left for one in done), "no version of the collection had it"


async def test_what_it_can_not_reach_is_told(
    lineage: Lineage, stores: DataStores, db: Database, ledger: Ledger, person: Callable[..., Principal]
) -> None:
    stores.training.add("tickets", _rows("eve", "a"), author="eve")
    left = {"version": 1, "subject": "bo", "target": "lake"}
    ledger.append_now({"id": "x", "type": "data.exported", "at": 5, "collection": "tickets", **left})
    purge = Purge(SECTION, stores.vault, stores.training, lineage, Marks(db), *beside(stores, db))

    async def record(event: Mapping[str, Any]) -> None:
        return

    (done,) = await purge.run(purge.plan("eve"), person("cy", "curator"), "poison", record)
    assert done.left == (
        "1 earlier version keeps it until it is erased.",
        "Version 1 was exported to lake by bo.",
        "route:default learnt from version 1: it is marked, not made to forget.",
    )


async def test_an_index_that_is_open_elsewhere_forgets_it_too(
    lineage: Lineage, stores: DataStores, db: Database, tmp_path: Path, person: Callable[..., Principal]
) -> None:
    """A gateway that serves meanwhile has its own copy of everything that is kept in memory."""
    stores.vault.commit("faq", add=[_document("bad", "Lies.", "eve")], author="eve")
    other = Database(db.path)
    theirs = DataStores.open(SECTION, other, tmp_path, stores.vault._envelope)
    asked = person("ann", "customer")
    assert theirs.retriever.search(asked, ["faq"], "lies")
    assert theirs.vault.document("faq", "bad").text
    purge = Purge(SECTION, stores.vault, stores.training, lineage, Marks(db), *beside(stores, db))

    async def record(event: Mapping[str, Any]) -> None:
        return

    await purge.run(purge.plan("eve"), person("cy", "curator"), "poison", record)
    assert not theirs.retriever.search(asked, ["faq"], "lies")
    with pytest.raises(DataError, match="no document"):
        theirs.vault.document("faq", "bad")
    theirs.close()
    other.close()


async def test_another_tenants_documents_are_not_taken_out(
    lineage: Lineage, stores: DataStores, db: Database, person: Callable[..., Principal]
) -> None:
    """A subject is a name within a tenant: ``kim`` of one is not ``kim`` of the other."""
    theirs = replace(_document("mine", "Fine.", "kim"), access=Access("south"))
    stores.vault.commit("faq", add=[theirs], author="kim")
    purge = Purge(SECTION, stores.vault, stores.training, lineage, Marks(db), *beside(stores, db))

    async def record(event: Mapping[str, Any]) -> None:
        raise AssertionError(event)

    with pytest.raises(DeniedError, match="another tenant's"):
        await purge.run(purge.plan("kim"), person("cy", "curator", tenant="north"), "", record)
    assert stores.vault.document("faq", "mine").text == "Fine."


async def test_nobody_takes_out_alone_what_took_two(
    lineage: Lineage, stores: DataStores, db: Database, person: Callable[..., Principal]
) -> None:
    guarded = {
        name: one.model_copy(update={"two_person": True, "approvers": ()})
        for name, one in SECTION.collections.items()
    }
    stores.vault.commit("faq", add=[_document("mine", "Fine.", "kim")], author="lee")
    stores.training.add("tickets", _rows("kim", "a"), author="lee")
    purge = Purge(
        DataSection(collections=guarded),
        stores.vault,
        stores.training,
        lineage,
        Marks(db),
        *beside(stores, db),
    )
    plans = purge.plan("kim")
    assert len(plans) == 2

    async def record(event: Mapping[str, Any]) -> None:
        return

    for plan in plans:
        with pytest.raises(DeniedError, match="Somebody other than kim"):
            await purge.run([plan], person("kim", "editor"), "", record)
    assert len(await purge.run(plans, person("lee", "editor"), "", record)) == 2


def test_facts_for_a_bill_of_materials(stores: DataStores) -> None:
    rows = [*_rows("kim", "a"), *_rows("lee", "b", licence="CC-BY-4.0")]
    stores.training.add("tickets", rows, author="kim")
    stores.training.remove("tickets", ["b"], author="kim")
    first, second = stores.training.versions.all("tickets")
    assert facts(stores.training, first, ("pii",)).licences == ("CC-BY-4.0", "MIT")
    later = facts(stores.training, second, ())
    assert (later.contributors, later.records, later.root) == (("kim",), 1, second.root)
