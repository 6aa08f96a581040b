"""Held calls on the pages: what is marked, what a change changes, and who confirms what."""

import json

import pytest

from ringwall.console.argument_view import argument_lines, changes, editable

DOUBTFUL = {"to": "tool:lookup_order", "amount": "model", "items[0].sku": "document:handbook/7, model"}
ARGUMENTS = {"to": "DE-666", "amount": 40, "items": [{"sku": "x\u202ey"}], "note": "hello"}


def test_lines_mark_what_nobody_vouches_for():
    lines = argument_lines(ARGUMENTS, DOUBTFUL)
    assert json.loads("".join(line.text for line in lines)) == ARGUMENTS
    marked = {line.text.rstrip(","): line.source for line in lines if line.source}
    assert marked == {
        '"to": "DE-666"': "from tool lookup_order",
        '"amount": 40': "the model's own",
        '"sku": "x\u202ey"': "from document handbook/7; the model's own",
    }


def test_a_key_that_the_model_made_up_is_marked():
    lines = argument_lines({"headers": {"x": "1"}}, {"headers.{x}": "model"})
    assert [line.text for line in lines if line.source] == ['"x":']


def test_changes_are_by_path():
    after = {"to": "DE-666", "amount": 4, "items": [{"sku": "x\u202ey"}, {"sku": "z"}]}
    found = {change.path: (change.before, change.after) for change in changes(ARGUMENTS, after)}
    assert found == {"amount": ("40", "4"), "items[1].sku": ("", '"z"'), "note": ('"hello"', "")}
    assert changes({"a": True}, {"a": 1}) != []
    assert changes({"a": {}}, {"a": []}) != []


def test_what_is_edited_survives():
    hostile = {"a": "\u202e\ud800 <script>", "b": [1, {"c": None}]}
    assert editable(hostile).isascii()
    assert json.loads(editable(hostile)) == hostile


def test_the_page_of_a_hold(operator, memory):
    hold = memory.hold(ARGUMENTS, doubtful=DOUBTFUL)
    page = operator.get(f"/console/holds/{hold.id}").text
    assert "from tool lookup_order" in page and "x␣U+202Ey" in page and "needs somebody else" in page
    assert operator.get("/console/holds/hold_nope").status_code == 404
    assert operator.get("/console/holds/..%2f").status_code == 404


def test_a_change_is_shown_before_it_counts(operator, memory, csrf):
    hold = memory.hold(ARGUMENTS)
    new = {**ARGUMENTS, "amount": 4}
    form = {
        "csrf": csrf(operator.get("/console/holds").text),
        "arguments_hash": hold.arguments_hash,
        "arguments": json.dumps(new),
    }
    page = operator.post(f"/console/holds/{hold.id}/amend", data=form)
    assert page.status_code == 200 and "<del><code>40</code></del>" in page.text and memory.settled == []
    done = operator.post(f"/console/holds/{hold.id}/amend", data={**form, "sure": "yes"})
    assert done.status_code == 303 and memory.settled == [("amend", hold.id, "olga")]
    listed = operator.get("/console/holds").text
    assert "Approved as changed: refund for casey." in listed and "Settled lately" in listed
    assert "Changed by brightlamp/olga" in operator.get(f"/console/holds/{hold.id}").text


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("{", "Nothing was done"),
        ("", "Nothing was done"),
        ('{"a":1,"a":2}', "twice"),
        (None, "Nothing was changed"),
    ],
)
def test_a_change_that_is_none(operator, memory, csrf, text, says):
    hold = memory.hold(ARGUMENTS)
    given = json.dumps(ARGUMENTS) if text is None else text
    token = csrf(operator.get("/console/holds").text)
    form = {"csrf": token, "arguments_hash": hold.arguments_hash, "arguments": given, "alone": "yes"}
    answer = operator.post(f"/console/holds/{hold.id}/amend", data=form)
    assert answer.headers["location"] == f"/console/holds/{hold.id}"
    assert says in operator.get(answer.headers["location"]).text
    assert memory.settled == []


def test_a_settled_hold_is_settled(operator, memory, csrf):
    hold = memory.hold(ARGUMENTS)
    form = {"csrf": csrf(operator.get("/console/holds").text), "arguments_hash": hold.arguments_hash}
    operator.post(f"/console/holds/{hold.id}/refuse", data=form)
    for what in ("approve", "refuse", "amend"):
        more = {"arguments": "{}", "sure": "yes"} if what == "amend" else {}
        operator.post(f"/console/holds/{hold.id}/{what}", data={**form, **more})
    assert memory.settled == [("refuse", hold.id, "olga")]


def test_whoever_asked_confirms_on_the_chat_page(customer, memory, csrf):
    hold = memory.hold(ARGUMENTS, approver="requester")
    page = customer.get("/chat/assistant").text
    assert f"Confirm {hold.tool}" in page
    assert f"Confirm {hold.tool}" in customer.get("/chat/assistant/holds?c=x").text
    form = {"csrf": csrf(page), "arguments_hash": hold.arguments_hash, "c": "new"}
    wrong = {**form, "arguments_hash": "0" * 64}
    customer.post(f"/chat/assistant/holds/{hold.id}/confirm", data=wrong)
    assert (
        customer.post(f"/chat/assistant/holds/{hold.id}/confirm", data={**form, "csrf": "x"}).status_code
        == 403
    )
    assert memory.settled == []
    done = customer.post(f"/chat/assistant/holds/{hold.id}/confirm", data=form)
    assert done.status_code == 303 and memory.settled == [("approve", hold.id, "casey")]
    assert "is confirmed" in customer.get("/chat/assistant").text


def test_nobody_confirms_anothers_call_or_a_four_eyes_one(customer, memory, csrf):
    others = memory.hold(ARGUMENTS, "drew", approver="requester")
    strict = memory.hold({"order": 2})
    elsewhere = memory.hold({"order": 3}, approver="requester", application="another")
    page = customer.get("/chat/assistant").text
    assert "Confirm refund" not in page
    for hold in (others, strict, elsewhere):
        form = {"csrf": csrf(page), "arguments_hash": hold.arguments_hash, "c": "new"}
        for what in ("confirm", "refuse"):
            customer.post(f"/chat/assistant/holds/{hold.id}/{what}", data=form)
    assert memory.settled == []


@pytest.mark.parametrize(
    ("key", "path"), [("key-operator", "/console/holds"), ("key-customer", "/chat/assistant")]
)
def test_hostile_calls_stay_text(sign_in, memory, hostile, key, path):
    memory.hold(
        {"to": hostile, hostile: [hostile]},
        approver="requester",
        doubtful={"to": hostile, f"{hostile}[0]": hostile},
        reasons=(hostile,),
        tool=hostile,
    )
    page = sign_in(key).get(path)
    assert page.status_code == 200 and "␣U+202E" in page.text
    for raw in ("<script>alert", '"onload', "\u202e", "\x00", "\U000e0068"):
        assert raw not in page.text
