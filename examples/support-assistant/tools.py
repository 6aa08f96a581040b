"""The tools of Brightlamp's assistant: plain functions, run by the gateway after it has judged the call.

Each takes the arguments of its manifest and ``principal``, the verified person behind the conversation, and
returns text for the model. They check again what they can check: the gateway is one layer, the tool's own
rights are another.

The shop is invented, so nothing leaves this machine: e-mail goes to ``outbox.jsonl`` and refunds to
``refunds.jsonl`` in the folder named by ``BRIGHTLAMP_STATE`` (else ``state/`` beside this file), and
``fetch_page`` serves the help site from ``site/``.
"""

import json
import os
import sqlite3
import threading
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from ringwall.boundaries.application.egress import ToolEgress
from ringwall.core import Principal

HERE = Path(__file__).resolve().parent
HELP_HOST = "help.brightlamp.example"
_PAYING = threading.Lock()  # two refunds of one order at a time would both see the full amount


def lookup_order(order_id: str, *, principal: Principal) -> str:
    """One order as JSON. A customer sees their own orders only; staff see all."""
    order = _order(order_id)
    if order is None or not _may_see(order, principal):
        return f"There is no order {order_id} that you may see."
    return json.dumps({**order, "refunded": _refunded(order_id)}, ensure_ascii=False)


def refund(order_id: str, amount: float, reason: str, *, principal: Principal) -> str:
    """Pay back at most what the order cost, less what was paid back before."""
    order = _order(order_id)
    if order is None:
        return f"There is no order {order_id}."
    with _PAYING:
        left = round(order["total"] - _refunded(order_id), 2)
        if not 0 < amount <= left:
            return f"Not refunded: at most {left:.2f} euros of order {order_id} can still be paid back."
        entry = {"order_id": order_id, "amount": amount, "reason": reason, "by": principal.subject}
        _append("refunds.jsonl", entry)
    return f"Refunded {amount:.2f} euros for order {order_id}."


def send_email(to: str, subject: str, body: str, *, principal: Principal) -> str:
    """Put an e-mail into the outbox."""
    _append("outbox.jsonl", {"to": to, "subject": subject, "body": body, "by": principal.subject})
    return f"The e-mail to {to} is on its way."


async def fetch_page(url: str, *, egress: ToolEgress) -> str:
    """A page of the invented help site, served from ``site/`` so that the sample works offline."""
    try:
        address = urlsplit(url)
    except ValueError:
        return "This is no address of a page."
    if address.scheme != "https" or address.hostname != HELP_HOST:
        return (await egress.fetch(url)).text
    name = address.path.strip("/") or "returns"
    pages = {page.stem: page for page in (HERE / "site").glob("*.html")}
    page = pages.get(name.removesuffix(".html"))
    return page.read_text("utf-8") if page else f"The help site has no page {name}."


def read_guide(file: str) -> str:
    """A guide from ``guides/``. The gateway has brought the name into its shortest form below that folder."""
    path = HERE / "guides" / file
    return path.read_text("utf-8") if path.is_file() else f"There is no guide {file}."


def _order(order_id: str) -> dict[str, Any] | None:
    database = sqlite3.connect(":memory:")
    try:
        database.row_factory = sqlite3.Row
        database.executescript((HERE / "data.sql").read_text("utf-8"))
        row = database.execute(
            "SELECT o.*, c.name, c.email, c.city FROM orders o JOIN customers c ON c.id = o.customer_id"
            " WHERE o.id = ?",
            (order_id,),
        ).fetchone()
        return dict(row) if row else None
    finally:
        database.close()


def _may_see(order: Mapping[str, Any], principal: Principal) -> bool:
    staff = not principal.roles.isdisjoint({"agent", "manager"})
    return staff or order["customer_id"] == principal.attributes.get("customer_id")


def _refunded(order_id: str) -> float:
    path = _state() / "refunds.jsonl"
    if not path.exists():
        return 0.0
    entries = (json.loads(line) for line in path.read_text("utf-8").splitlines() if line)
    return float(sum(entry["amount"] for entry in entries if entry["order_id"] == order_id))


def _append(file: str, entry: Mapping[str, Any]) -> None:
    folder = _state()
    folder.mkdir(parents=True, exist_ok=True)
    line = json.dumps({"at": datetime.now(UTC).isoformat(), **entry}, ensure_ascii=False)
    with (folder / file).open("a", encoding="utf-8") as out:
        out.write(line + "\n")


def _state() -> Path:
    return Path(os.environ.get("BRIGHTLAMP_STATE") or HERE / "state")
