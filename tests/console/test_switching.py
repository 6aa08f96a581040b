"""The page of tools: throwing kill switches and putting them back."""

import pytest


@pytest.mark.parametrize("target", ["refund", "git__*", "effect:pay", "*"])
def test_an_operator_switches_off_and_on(operator, memory, csrf, target):
    page = operator.get("/console/tools").text
    form = {"csrf": csrf(page), "target": target, "reason": "incident 7"}
    answer = operator.post("/console/tools/off", data=form)
    assert (answer.status_code, answer.headers["location"]) == (303, "/console/tools")
    assert (memory.off[target].reason, memory.off[target].by) == ("incident 7", "olga")
    page = operator.get("/console/tools").text
    assert "Switched off from the next call on" in page
    assert "incident 7" in page
    operator.post("/console/tools/on", data=form)
    assert memory.off == {}
    assert "Switched on" in operator.get("/console/tools").text
    operator.post("/console/tools/on", data=form)
    assert "put back already" in operator.get("/console/tools").text


def test_what_names_nothing_or_has_no_reason_switches_nothing(operator, memory, csrf):
    form = {"csrf": csrf(operator.get("/console/tools").text), "target": "refund", "reason": "x"}
    for wrong in ({"target": ""}, {"target": "refnud"}, {"target": "effect:read; x"}, {"reason": ""}):
        operator.post("/console/tools/off", data={**form, **wrong})
        assert "Switched off" not in operator.get("/console/tools").text
    assert operator.post("/console/tools/off", data={**form, "csrf": "no"}).status_code == 403
    assert operator.post("/console/tools/on", data={**form, "csrf": "no"}).status_code == 403
    assert memory.off == {}


def test_who_is_no_operator_switches_nothing(customer, memory, csrf):
    form = {"csrf": csrf(customer.get("/chat/assistant").text), "target": "refund", "reason": "x"}
    for path in ("/console/tools/off", "/console/tools/on"):
        assert customer.post(path, data=form).status_code == 403
    assert memory.off == {}


async def test_hostile_text_stays_text(operator, memory, principals, hostile):
    await memory.switch_off(hostile, hostile, principals["key-operator"])
    page = operator.get("/console/tools").text
    for raw in ("<script>alert", '"onload', "\u202e", "\x00"):
        assert raw not in page
    assert "&lt;b&gt;" in page
    assert operator.get("/console/api/tools").json()["switches"][0]["reason"] == hostile
