"""Who may merge, roll back and approve: role, tenant, second person, policy; for documents and for rows."""

from collections.abc import Callable
from itertools import chain, combinations, product
from pathlib import Path
from typing import Any

import pytest

from ringwall.boundaries.data import Access, Anchors, DataSection, DataStores, Document, Version
from ringwall.boundaries.data.approvals import Bar, missing
from ringwall.boundaries.data.governing import Governing
from ringwall.boundaries.data.intake.policies import DataPolicies
from ringwall.boundaries.data.records.record import Record, Source
from ringwall.core import DataError, DeniedError, Principal

RULES = {"contributors": ["editor"], "approvers": ["reviewer"]}
NAMES = {"index": "handbook", "training": "tuning"}


def person(subject: str, tenant: str = "north", role: str = "reviewer", key: str = "") -> Principal:
    return Principal(subject, tenant, frozenset({role}), credential=key or f"key_{subject}_{tenant}")


REX, SUE, ANN, BEA = person("rex"), person("sue"), person("ann"), person("bea")
SOUTH = person("rex", "south")


class House:
    """One collection, governed by its settings."""

    def __init__(self, stores: DataStores, kind: str, folder: Path) -> None:
        self.stores = stores
        self.kind = kind
        self.name = NAMES[kind]
        self.folder = folder
        self.store: Any = stores.training if kind == "training" else stores.vault
        self.govern()

    def govern(self, policies: str = "", **rules: Any) -> None:
        (self.folder / "own.cedar").write_text(policies)
        given = {"kind": self.kind, **RULES, **rules}
        section = DataSection.model_validate({"collections": {self.name: given}, "policies": "own.cedar"})
        cedar = DataPolicies.load(section, self.folder)
        self.governing = Governing(section, self.stores.vault, self.stores.training, cedar)

    def put(self, by: Principal, line: str = "", *, releaser: str = "", **texts: str) -> Version:
        more = {"author": releaser or by.subject, "released": "hld_1" if releaser else ""}
        line = line or self.name
        if self.kind == "training":
            source = Source(contributor=by.subject, tenant=by.tenant)
            rows = [Record(key, {"text": text}, source=source) for key, text in texts.items()]
            commit = self.store.add(line, rows, **more)
        else:
            made = [
                Document(self.name, key, key, text, "", by.subject, 1, Access(by.tenant))
                for key, text in texts.items()
            ]
            commit = self.store.commit(line, add=made, **more)
        found: Version = commit.version
        return found

    def drop(self, by: Principal, key: str) -> None:
        if self.kind == "training":
            self.store.remove(self.name, [key], author=by.subject)
        else:
            self.store.commit(self.name, remove=[key], author=by.subject)

    def approve(self, number: int, by: Principal) -> str:
        return self.governing.approve(self.name, number, by).missing

    def approved(self) -> int:
        version = self.store.approved(self.name)
        return version.number if version else 0

    def denied(self, number: int, by: Principal, match: str) -> None:
        with pytest.raises(DeniedError, match=match):
            self.approve(number, by)


@pytest.fixture(params=["index", "training"])
def house(request: pytest.FixtureRequest, stores: DataStores, tmp_path: Path) -> House:
    return House(stores, request.param, tmp_path)


def test_no_author_approves_alone_where_two_persons_are_asked_for(house: House) -> None:
    house.put(ANN, a="1")
    house.put(REX, b="1")
    assert house.approve(2, REX) == "", "one of two authors: enough where one person is"
    house.put(ANN, c="1")
    house.put(REX, d="1")
    house.govern(two_person=True)
    assert "your own work" in house.approve(4, REX)
    assert house.approved() == 2
    with pytest.raises(DataError, match="has said so"):
        house.approve(4, REX)
    assert house.approve(4, ANN) == "", "each one's work was looked at by the other"
    assert house.approved() == 4
    house.put(ANN, e="1")
    house.put(REX, f="1")
    assert house.approve(6, SUE) == "", "somebody who made none of it needs no other"


def test_work_that_came_through_somebody_elses_hands_is_its_contributors(house: House) -> None:
    house.govern(two_person=True)
    house.put(ANN, releaser="rex", a="1")
    house.denied(1, ANN, "only author")
    assert house.approve(1, REX) == "", "who released it was the second person"


def test_a_removal_and_a_roll_back_have_an_author_too(house: House) -> None:
    house.govern(two_person=True)
    house.put(ANN, a="1", b="1")
    house.approve(1, SUE)
    house.drop(REX, "b")
    house.denied(2, REX, "only author")
    house.governing.roll_back(house.name, 1, BEA)
    assert house.approved() == 1
    assert "your own work" in house.approve(3, BEA)
    assert house.approve(3, SUE) == ""


def test_what_a_merge_brought_is_the_branchs_authors(house: House) -> None:
    house.govern(two_person=True)
    house.put(ANN, a="1")
    house.approve(1, SUE)
    line = f"{house.name}~tidy"
    house.store.branch(house.name, "tidy", author="sue")
    house.put(ANN, line, b="1")
    house.put(BEA, line, releaser="ann", c="1")
    for by in (ANN, BEA):
        with pytest.raises(DeniedError, match="made some of"):
            house.governing.merge(line, by)
    assert house.governing.merge(line, REX)
    assert "your own work" in house.approve(2, ANN)
    assert house.approve(2, REX) == "", "who merged it looked at the work of others"


def test_as_many_persons_as_are_asked_for_by_keys_of_their_own(house: House) -> None:
    house.govern(approvals=2)
    house.put(ANN, a="1")
    assert "2 persons" in house.approve(1, REX)
    house.denied(1, person("sue", key="key_rex_north"), "by the credential that you use")
    assert house.approve(1, SUE) == ""
    approval = house.store.approvals.all(house.name)[0]
    assert (approval.by, approval.chain) == ("sue", house.store.lines.versions.get(house.name, 1).chain)
    with pytest.raises(DataError, match="approved already"):
        house.approve(1, BEA)


def test_a_word_for_one_version_is_none_for_another(house: House) -> None:
    house.govern(approvals=2)
    house.put(ANN, a="1")
    house.approve(1, REX)
    house.put(ANN, b="1")
    assert "2 persons have to approve it; 1 did" in house.approve(2, SUE)


def test_tenants_answer_for_their_own_records(house: House) -> None:
    house.put(person("ann", "south"), a="1")
    house.denied(1, REX, "other tenants than north")
    assert house.approve(1, SOUTH) == ""
    house.put(ANN, b="1")
    house.put(person("ann", "south"), c="1")
    assert "Somebody of north" in house.approve(3, SOUTH)
    assert house.approve(3, SUE) == ""
    house.govern(isolate_tenants=False)
    house.put(person("ann", "south"), d="1")
    assert house.approve(4, REX) == "", "where tenants are not kept apart, roles decide"


def test_one_name_in_two_tenants_is_one_person(house: House) -> None:
    """Names are compared, not accounts: the doubt goes against whoever asks."""
    house.put(ANN, a="1")
    house.govern(approvals=2)
    house.approve(1, REX)
    house.govern(approvals=2, isolate_tenants=False)
    with pytest.raises(DataError, match="has said so"):
        house.approve(1, SOUTH)


def test_nobody_merges_or_rolls_back_what_is_another_tenants(house: House) -> None:
    house.put(ANN, a="1")
    house.put(ANN, b="1")
    line = f"{house.name}~tidy"
    house.store.branch(house.name, "tidy", author="ann")
    house.put(ANN, line, c="1")
    acts: list[Callable[[Principal], object]] = [
        lambda by: house.governing.merge(line, by),
        lambda by: house.governing.roll_back(house.name, 1, by),
    ]
    for act in acts:
        before = house.store.lines.versions.all(house.name)
        with pytest.raises(DeniedError, match="other tenants"):
            act(SOUTH)
        with pytest.raises(DeniedError, match="may not"):
            act(person("sue", role="editor"))
        with pytest.raises(DeniedError, match="may not"):
            act(Principal("sue", "north", frozenset({"reviewer"})))
        assert house.store.lines.versions.all(house.name) == before
    assert house.governing.merge(line, SUE)
    assert house.governing.roll_back(house.name, 1, SUE)
    assert house.stores.verify() == []


def test_two_persons_take_out_and_bring_back(house: House) -> None:
    """As with removals: what took two to come in is not one's own to roll back."""
    house.govern(two_person=True)
    house.put(REX, a="1")
    house.put(ANN, b="1")
    with pytest.raises(DeniedError, match="brought by ann"):
        house.governing.roll_back(house.name, 1, ANN)
    assert house.governing.roll_back(house.name, 1, REX)


def test_a_policy_of_the_workload_forbids(house: House) -> None:
    rule = """
    @reason("Not without the board.")
    forbid (principal, action in [Action::"merge", Action::"roll_back", Action::"approve_version"], resource)
    when { context.contributors.contains("ann") && !context.own }
    unless { principal.subject == "sue" };
    """
    house.put(ANN, a="1")
    house.put(ANN, b="1")
    line = f"{house.name}~tidy"
    house.store.branch(house.name, "tidy", author="ann")
    house.put(ANN, line, c="1")
    house.govern(rule)
    acts: list[Callable[[Principal], object]] = [
        lambda by: house.governing.merge(line, by),
        lambda by: house.governing.roll_back(house.name, 1, by),
        lambda by: house.governing.approve(house.name, 2, by),
    ]
    for act in acts:
        with pytest.raises(DeniedError, match="Not without the board"):
            act(REX)
    assert house.approve(2, SUE) == ""
    assert house.governing.merge(line, SUE)


def test_a_word_that_was_made_up_in_the_database_is_found(house: House, stores: DataStores) -> None:
    house.govern(approvals=2)
    house.put(ANN, a="1")
    said: list[Any] = []

    def anchors() -> Anchors:
        return Anchors(approvals={}, assents=frozenset(said))

    house.approve(1, REX)
    said += [one.said for one in house.store.approvals.every_assent()]
    assert stores.verify(anchors()) == []
    for change in ("by = 'sue'", "credential = 'other'", "tenant = 'south'", "at = at + 1"):
        stores.vault._db.write(f"UPDATE data_assent SET {change}")
        (damage,) = {one.message for one in stores.verify(anchors())}
        assert "who said that this version is good" in damage
        stores.vault._db.write(
            "UPDATE data_assent SET by = 'rex', credential = ?, tenant = 'north', at = ?", *said[0][4:]
        )
    stores.vault._db.write("DELETE FROM data_assent")
    assert stores.verify(anchors())


def test_a_row_of_another_tenant_is_not_replaced(stores: DataStores, tmp_path: Path) -> None:
    house = House(stores, "training", tmp_path)
    house.put(ANN, a="1")
    with pytest.raises(DataError, match="another tenant's record"):
        house.put(person("ann", "south"), a="2")
    assert house.put(person("ann", "south"), b="1").number == 2


def test_what_is_enough_means_each_work_was_seen_by_another() -> None:
    people = ("ann", "bea", "rex")
    some = list(chain.from_iterable(combinations(people, size) for size in (1, 2, 3)))
    for persons, authors, count in product(map(set, some), map(set, some), (1, 2, 3)):
        enough = not missing(Bar(two_person=True, persons=count), persons, authors, ())
        assert enough == (len(persons) >= count and all(persons - {one} for one in authors & persons))


def test_what_others_commit_meanwhile_is_judged_as_well(house: House) -> None:
    """A roll back is judged by what it would undo, not by what was there when somebody asked for it."""
    house.put(ANN, a="1")
    house.put(ANN, b="1")
    plain = house.store.lines.head
    raced: list[str] = []

    def head(asked: str) -> Any:
        if not raced:
            raced.append(asked)
            house.put(person("zoe", "south"), z="1")  # is faster
        return plain(asked)

    house.store.lines.head = head
    with pytest.raises(DeniedError, match="other tenants"):
        house.governing.roll_back(house.name, 1, SUE)
    assert raced and house.store.lines.versions.head(house.name).number == 3
