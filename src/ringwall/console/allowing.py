"""False alarms: reported at a decision, listed with their owners, ended before their time."""

from dataclasses import asdict

from starlette.responses import RedirectResponse, Response

from ringwall.core import RingwallError

from .guard import Refused
from .operate import json_answer, path_id, record_of, waiting
from .pages import Visit, render
from .present import findings_of
from .shown import FalseAlarm

_MOST = 20


async def report(visit: Visit) -> Response:
    """The finding of the form, or with it all of its control in the same part."""
    record = await record_of(visit)
    number = visit.form.get("finding", "")
    chosen = {one.number: one for one in findings_of(record)}
    if not (number.isascii() and number.isdecimal() and len(number) <= 6 and int(number) in chosen):
        raise Refused(400, "This decision has no such finding.")
    mark = chosen[int(number)]
    together = [
        one.number
        for one in chosen.values()
        if one.reportable and (one.control, one.part) == (mark.control, mark.part)
    ]
    alarm = FalseAlarm(
        findings=tuple(together[:_MOST]) if visit.form.get("all") else (mark.number,),
        expires=visit.form.get("expires", ""),
        reason=visit.form.get("reason", ""),
        match=visit.form.get("match", ""),
        phrase=visit.form.get("phrase", ""),
    )
    address = f"/console/decisions/{path_id(visit)}"
    try:
        told = await visit.backend.report_false_alarm(path_id(visit), alarm, visit.principal)
    except RingwallError as error:
        return _back(visit, address, "problem", str(error))
    return _back(visit, address, "done", told)


async def show(visit: Visit) -> Response:
    rules = await visit.backend.allow_rules()
    told = visit.session.take_flash()
    return render("allowances.html", visit, rules=rules, told=told, holds=await waiting(visit))


async def show_json(visit: Visit) -> Response:
    return json_answer({"allowances": [asdict(rule) for rule in await visit.backend.allow_rules()]})


async def remove(visit: Visit) -> Response:
    rule_id = path_id(visit)
    try:
        await visit.backend.remove_allow_rule(rule_id, visit.principal)
    except RingwallError as error:
        return _back(visit, "/console/allowances", "problem", str(error))
    return _back(visit, "/console/allowances", "done", f"Removed: {rule_id}.")


def _back(visit: Visit, address: str, kind: str, sentence: str) -> Response:
    visit.session.flash = (kind, sentence)
    return RedirectResponse(address, 303)
