"""Branches, merges, roll back and approval: the same for documents and for records."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from ringwall.boundaries.data import DataStores, Document
from ringwall.boundaries.data.changes import ConflictError, Difference
from ringwall.boundaries.data.records.record import Record, Source
from ringwall.boundaries.data.versions import Version
from ringwall.core import DataError, DeniedError, Principal

APPROVERS = ("reviewer",)
REX = Principal("rex", "north", frozenset({"reviewer"}), credential="k")
SUE = Principal("sue", "north", frozenset({"reviewer"}), credential="k")


class Documents:
    """A collection of documents, changed in the words of this file."""

    name = "handbook"

    def __init__(self, stores: DataStores) -> None:
        self.store = stores.vault
        self.versions = stores.vault.lines.versions

    def put(self, line: str, author: str, **texts: str) -> Version:
        made = [Document("handbook", key, key, text, "", author, 1) for key, text in texts.items()]
        commit = self.store.commit(line, add=made, author=author)
        assert commit
        return commit.version

    def drop(self, line: str, author: str, *keys: str) -> None:
        self.store.commit(line, remove=keys, author=author)

    def held(self, line: str, version: int | None = None) -> dict[str, str]:
        entries = self.store.manifest(line, version).entries
        return {entry.id: self.store.open(line, entry).text for entry in entries}

    def erase(self, key: str) -> None:
        self.store.erase(self.name, key, author="officer")


class Records:
    """A training set."""

    name = "tuning"

    def __init__(self, stores: DataStores) -> None:
        self.store = stores.training
        self.versions = stores.training.versions

    def put(self, line: str, author: str, **texts: str) -> Version:
        made = [Record(key, {"text": text}, source=Source(contributor=author)) for key, text in texts.items()]
        commit = self.store.add(line, made, author=author)
        assert commit
        return commit.version

    def drop(self, line: str, author: str, *keys: str) -> None:
        self.store.remove(line, keys, author=author)

    def held(self, line: str, version: int | None = None) -> dict[str, str]:
        return {one.id: str(one.fields["text"]) for one in self.store.records(line, version)}

    def erase(self, key: str) -> None:
        self.store.erase(self.name, [key], author="officer")


Kind = Documents | Records


@pytest.fixture(params=[Documents, Records], ids=["documents", "records"])
def kind(request: pytest.FixtureRequest, stores: DataStores) -> Kind:
    made: Kind = request.param(stores)
    made.put(made.name, "ann", a="1", b="1", c="1")
    return made


def test_a_branch_leaves_the_collection_alone_and_merges_by_id(kind: Kind, stores: DataStores) -> None:
    name, line = kind.name, f"{kind.name}~tidy"
    kind.store.branch(name, "tidy", author="ann")
    kind.put(line, "bea", a="2", d="1")
    kind.drop(line, "bea", "b")
    kind.put(name, "ann", c="2", e="1")
    assert kind.held(name) == {"a": "1", "b": "1", "c": "2", "e": "1"}
    assert kind.held(line) == {"a": "2", "c": "1", "d": "1"}
    commit = kind.store.merge(line, REX, APPROVERS)
    assert commit
    assert kind.held(name) == {"a": "2", "c": "2", "d": "1", "e": "1"}
    assert commit.version.merged == f"{line}@3"
    assert kind.store.merge(line, REX, APPROVERS) is None
    kind.put(line, "bea", a="3")
    kind.store.merge(line, REX, APPROVERS)
    assert kind.held(name) == {"a": "3", "c": "2", "d": "1", "e": "1"}
    assert stores.verify() == []


def test_conflicts_are_told_and_never_resolved_in_silence(kind: Kind) -> None:
    name, line = kind.name, f"{kind.name}~tidy"
    kind.store.branch(name, "tidy", author="ann")
    kind.put(line, "bea", a="theirs", b="same")
    kind.drop(line, "bea", "c")
    kind.put(name, "ann", a="ours", b="same", c="ours")
    with pytest.raises(ConflictError, match="both changed 'a', 'c', differently") as told:
        kind.store.merge(line, REX, APPROVERS)
    assert told.value.ids == ("a", "c")
    assert kind.held(name) == {"a": "ours", "b": "same", "c": "ours"}
    with pytest.raises(ConflictError, match="'c'"):
        kind.store.merge(line, REX, APPROVERS, {"a": "theirs"})
    kind.store.merge(line, REX, APPROVERS, {"a": "theirs", "c": "ours"})
    assert kind.held(name) == {"a": "theirs", "b": "same", "c": "ours"}


def test_somebody_else_with_the_role_merges(kind: Kind) -> None:
    line = f"{kind.name}~tidy"
    kind.store.branch(kind.name, "tidy", author="rex")
    kind.put(line, "sue", a="2")
    with pytest.raises(DeniedError, match="sue made some of"):
        kind.store.merge(line, SUE, APPROVERS)
    with pytest.raises(DeniedError, match="may not"):
        kind.store.merge(line, replace(REX, roles=frozenset({"customer"})), APPROVERS)
    with pytest.raises(DeniedError, match="may not"):
        kind.store.merge(line, replace(REX, credential=""), APPROVERS)
    with pytest.raises(DeniedError, match="may not"):
        kind.store.merge(line, REX, ())
    assert kind.store.merge(line, REX, APPROVERS)


def test_a_branch_starts_from_any_version(kind: Kind) -> None:
    kind.put(kind.name, "ann", a="2")
    made = kind.store.branch(kind.name, "old", author="bea", version=1)
    assert (made.number, made.forked) == (1, f"{kind.name}@1")
    assert kind.held(f"{kind.name}~old") == {"a": "1", "b": "1", "c": "1"}
    for name in ("old", "Old", "o~d", ""):
        with pytest.raises(DataError):
            kind.store.branch(kind.name, name, author="bea")
    with pytest.raises(DataError, match="no version to branch from"):
        kind.store.branch("nothing", "tidy", author="bea")
    with pytest.raises(DataError, match="is a branch already"):
        kind.store.branch(f"{kind.name}~old", "older", author="bea")
    with pytest.raises(DataError, match="no branch"):
        kind.store.merge(kind.name, REX, APPROVERS)


def test_rolling_back_makes_a_version_and_loses_none(kind: Kind, stores: DataStores) -> None:
    kind.put(kind.name, "ann", a="2", d="1")
    kind.drop(kind.name, "ann", "b")
    commit = kind.store.roll_back(kind.name, 1, author="rex")
    assert commit
    assert commit.version.number == 4
    assert kind.held(kind.name) == kind.held(kind.name, 1) == {"a": "1", "b": "1", "c": "1"}
    assert commit.version.root == kind.versions.get(kind.name, 1).root
    assert kind.held(kind.name, 2) == {"a": "2", "b": "1", "c": "1", "d": "1"}
    assert kind.store.roll_back(kind.name, 1, author="rex") is None
    assert stores.verify() == []


def test_erased_content_comes_back_neither_by_branch_nor_by_roll_back(kind: Kind, stores: DataStores) -> None:
    kind.store.branch(kind.name, "tidy", author="ann")
    kind.put(kind.name, "ann", d="1")
    kind.erase("a")
    assert kind.held(f"{kind.name}~tidy") == {"b": "1", "c": "1"}
    kind.store.branch(kind.name, "old", author="ann", version=1)
    assert kind.held(f"{kind.name}~old") == {"b": "1", "c": "1"}
    kind.store.roll_back(kind.name, 1, author="ann")
    assert kind.held(kind.name) == {"b": "1", "c": "1"}
    kind.put(f"{kind.name}~old", "bea", a="again")
    assert stores.verify() == []


def test_differences(kind: Kind) -> None:
    kind.put(kind.name, "ann", a="2", d="1")
    kind.drop(kind.name, "ann", "b")
    kind.put(kind.name, "ann", b="1")
    assert kind.store.diff(kind.name, 1, 2) == Difference(("d",), (), ("a",))
    assert kind.store.diff(kind.name, 2, 1) == Difference((), ("d",), ("a",))
    assert kind.store.diff(kind.name, 1, 3) == Difference(("d",), ("b",), ("a",))
    assert not kind.store.diff(kind.name, 2, 2)
    kind.store.branch(kind.name, "tidy", author="ann", version=3)
    head = kind.versions.head(f"{kind.name}~tidy")
    assert head
    assert not kind.store.difference(kind.versions.get(kind.name, 3), head)


def test_approval(kind: Kind) -> None:
    assert kind.store.approved(kind.name) is None
    approval = kind.store.approve(kind.name, 1, REX, APPROVERS)
    assert approval.event()["type"] == "data.approved"
    kind.put(kind.name, "rex", a="2")
    kind.put(kind.name, "rex", a="3")
    assert kind.store.approved(kind.name) == kind.versions.get(kind.name, 1)
    with pytest.raises(DeniedError, match="only author"):
        kind.store.approve(kind.name, 3, REX, APPROVERS)
    with pytest.raises(DeniedError, match="may not"):
        kind.store.approve(kind.name, 3, SUE, ("owner",))
    with pytest.raises(DataError, match="approved already"):
        kind.store.approve(kind.name, 1, SUE, APPROVERS)
    with pytest.raises(DataError, match="no version 9"):
        kind.store.approve(kind.name, 9, SUE, APPROVERS)
    kind.store.approve(kind.name, 3, SUE, APPROVERS)
    assert kind.store.approved(kind.name) == kind.versions.get(kind.name, 3)


def test_a_version_is_asked_for_by_number_or_time(kind: Kind) -> None:
    kind.put(kind.name, "ann", a="2")
    first = kind.versions.get(kind.name, 1)
    assert kind.versions.find(kind.name, "2").number == 2
    assert kind.versions.find(kind.name, "2999-01-01").number == 2
    assert kind.versions.at(kind.name, first.at) == first
    for asked in ("1999-01-01", "yesterday", "7", "-1", "", "9" * 30):
        with pytest.raises(DataError):
            kind.versions.find(kind.name, asked)


def test_branches_of_indexes_are_not_retrieved_from(
    stores: DataStores, person: Callable[..., Principal]
) -> None:
    kind = Documents(stores)
    kind.put("handbook", "ann", a="returns take thirty days")
    kind.store.branch("handbook", "tidy", author="ann")
    kind.put("handbook~tidy", "bea", b="zanzibar offers")
    casey = person("casey", "customer")
    for asked in (["handbook"], ["handbook~tidy"], ["handbook", "handbook~tidy"]):
        assert stores.retriever.search(casey, asked, "zanzibar") == []
    kind.store.merge("handbook~tidy", REX, APPROVERS)
    assert [chunk.document for chunk in stores.retriever.search(casey, ["handbook"], "zanzibar")] == ["b"]


def test_a_cited_revision_means_one_content_on_all_lines(stores: DataStores) -> None:
    kind = Documents(stores)
    kind.put("handbook", "ann", a="1")
    kind.store.branch("handbook", "tidy", author="ann")
    kind.put("handbook~tidy", "bea", a="2")
    kind.put("handbook", "ann", a="3")
    found = [kind.store.manifest(line).find("a") for line in ("handbook", "handbook~tidy")]
    assert [entry.revision for entry in found if entry] == [3, 2]
