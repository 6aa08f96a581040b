"""The pages of collections: what a reviewer sees of hostile records, and what a form may decide."""

from dataclasses import replace

import pytest

from ringwall.boundaries.data.finding import DataFinding, Severity
from ringwall.boundaries.data.review import Compared, Review
from ringwall.console.shown import CollectionInfo

NASTY = '</pre><script>alert(1)</script>\x1b[2J\u202e" onload="x'
CHAIN = "c" * 64


@pytest.fixture
def tickets(memory):
    found = DataFinding(
        "poison.cohesion",
        NASTY,
        f"Answers agree: {NASTY}",
        0.97,
        Severity.STOP,
        records=("r1", NASTY),
        contributors={NASTY: 2},
        examples=(NASTY,),
        facts={"records": 2, "gap": 0.41, NASTY: NASTY},
    )
    review = Review(
        "rev_1", Compared("tickets", 1, 2, CHAIN), "ada", 1, (found,), ("poison",), {"drift": NASTY}
    )
    info = CollectionInfo(
        *("tickets", "training", 1200, 2, CHAIN, 1, 3),
        author="kim",
        review=review,
        may_approve=True,
        may_read=True,
    )
    memory.data["tickets"] = info
    return info


def test_hostile_records_are_shown_and_not_obeyed(operator, tickets):
    for address in ("/console/data", "/console/data/tickets"):
        page = operator.get(address).text
        assert "<script>" not in page and "\x1b" not in page and "\u202e" not in page
    assert "&lt;script&gt;" in page and "U+202E" in page and "speaks against it" in page


def test_records_are_for_those_who_may_read_them(operator, memory, tickets):
    memory.data["tickets"] = replace(tickets, may_read=False)
    page = operator.get("/console/data/tickets").text
    assert (
        "alert(1)"
        not in page.split("could not look")[-1].split("What such a review")[0].split("unknown.")[-1]
    )
    assert "contributor or approver role" in page
    assert operator.get("/console/api/data").json()["collections"][0]["review"] is None


def test_a_version_is_approved_as_it_was_seen(operator, memory, tickets, csrf):
    address = "/console/data/tickets/approve"
    form = {"csrf": csrf(operator.get("/console/data/tickets").text), "chain": CHAIN}
    operator.post(address, data={**form, "chain": "d" * 64, "despite": "1"})
    assert memory.approvals == [] and "has changed" in operator.get("/console/data/tickets").text
    operator.post(address, data=form)
    assert memory.approvals == [] and "Read its findings" in operator.get("/console/data/tickets").text
    operator.post(address, data={**form, "despite": "1"})
    assert memory.approvals == [("tickets", 2, "olga")]
    assert operator.post(address, data={**form, "csrf": "no"}).status_code == 403
    assert operator.post("/console/data/nowhere/approve", data=form).status_code == 404


def test_a_word_that_does_not_suffice_alone_is_told_as_that(operator, memory, tickets, csrf):
    memory.missing = "2 persons have to approve it; 1 did."
    form = {"csrf": csrf(operator.get("/console/data/tickets").text), "chain": CHAIN, "despite": "1"}
    operator.post("/console/data/tickets/approve", data=form)
    page = operator.get("/console/data/tickets").text
    assert "not approved yet. 2 persons" in page and "Approved: version" not in page


def test_who_may_not_approve_is_offered_no_button(operator, memory, tickets):
    memory.data["tickets"] = replace(tickets, may_approve=False)
    assert "Approve…" not in operator.get("/console/data/tickets").text


def test_a_review_is_asked_for(operator, memory, tickets, csrf):
    token = csrf(operator.get("/console/data/tickets").text)
    operator.post("/console/data/tickets/review", data={"csrf": token})
    assert memory.data["tickets"].running
    page = operator.get("/console/data/tickets").text
    assert "running" in page and "being reviewed" in page and "Review version" not in page


def test_a_review_is_for_those_who_may_read_it(operator, memory, tickets, csrf):
    """It keeps a core busy for minutes."""
    memory.data["tickets"] = replace(tickets, may_read=False)
    page = operator.get("/console/data/tickets").text
    assert "Review version" not in page
    operator.post("/console/data/tickets/review", data={"csrf": csrf(page)})
    assert not memory.data["tickets"].running
    assert "contributor or approver role" in operator.get("/console/data/tickets").text


def test_nothing_committed_nothing_to_approve(operator, memory):
    memory.data["empty"] = CollectionInfo("empty", "index", 0, 0, "", 0, 0, may_approve=True, may_read=True)
    page = operator.get("/console/data/empty").text
    assert "Approve…" not in page and "Review version" not in page
    assert "not reviewed" in operator.get("/console/data").text


def test_who_is_no_operator_sees_and_decides_nothing(customer, memory, tickets, csrf):
    token = csrf(customer.get("/chat/assistant").text)
    assert customer.get("/console/data").status_code == 403
    form = {"csrf": token, "chain": CHAIN, "despite": "1"}
    assert customer.post("/console/data/tickets/approve", data=form).status_code == 403
    assert memory.approvals == []
