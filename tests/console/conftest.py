"""A console on real core objects: a real gate with small controls decides, real records are shown."""

import asyncio
import hashlib
import json
import re
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from ringwall.console import SessionStore, routes
from ringwall.console.quarantined import HeldData, HeldDataPage
from ringwall.console.shown import (
    AllowInfo,
    ApplicationInfo,
    BoundaryInfo,
    ChatEvent,
    CollectionInfo,
    ControlInfo,
    DecisionFilter,
    Delta,
    FalseAlarm,
    Final,
    HoldInfo,
    Message,
    Proof,
    ServerInfo,
    SwitchInfo,
    ThreatRow,
    ToolInfo,
)
from ringwall.core import (
    ALLOW,
    MODEL,
    USER,
    Action,
    Boundary,
    Crossing,
    CrossingKind,
    DataError,
    Declaration,
    DeniedError,
    Edit,
    FailMode,
    Finding,
    Gate,
    Mode,
    Part,
    PartKind,
    Post,
    Principal,
    Verdict,
    decision_body,
    decision_event,
    new_id,
    untrusted,
    verdict,
)

HOSTILE = (
    "<script>alert(1)</script> \"onload=alert(2) ' javascript:alert(3) \u202egnp.exe\u202c {{7*7}} &lt; "
    "\ud800 \x00\U000e0068\U000e0069 ]]> </textarea></pre>"
)


class Pattern:
    """A small real control: what its expression finds gets its action."""

    def __init__(
        self, id_: str, kinds: set[CrossingKind], expression: str, action: Action, summary: str, **more: Any
    ) -> None:
        self.declaration = Declaration(
            id=id_,
            boundary=Boundary(id_.partition(".")[0]),
            summary=summary,
            crossings=frozenset(kinds),
            parts=frozenset({PartKind.TEXT, PartKind.DOCUMENT, PartKind.TOOL_CALL}),
            threats=("LLM01@2023", "LLM01@2025"),
            inline=True,
            **more,
        )
        self._expression = re.compile(expression, re.IGNORECASE)
        self._action = action

    def inspect(self, crossing: Crossing) -> Verdict:
        id_ = self.declaration.id
        findings, edits = [], []
        for index, part in enumerate(crossing.parts):
            for hit in self._expression.finditer(part.text):
                message = f"Found what “{self.declaration.summary}” looks for."
                findings.append(Finding(id_, "pattern", message, index, *hit.span(), "injection", 0.97))
                edits.append(Edit(index, *hit.span(), "[removed]"))
        if not findings:
            return ALLOW
        changes = edits if self._action is Action.TRANSFORM else ()
        return verdict(self._action, f"{self.declaration.summary}.", findings, changes)


class Breaks(Pattern):
    def inspect(self, crossing: Crossing) -> Verdict:
        raise RuntimeError("broken on purpose")


def _posts() -> list[Post]:
    kinds = CrossingKind
    both = {kinds.REQUEST, kinds.RESPONSE}
    return [
        Post(
            Pattern(
                "interface.injection",
                both,
                r"ignore (all )?(previous )?instructions",
                Action.BLOCK,
                "Stops attempts to override the system's instructions",
            )
        ),
        Post(
            Pattern(
                "interface.override",
                both,
                r"instructions and say",
                Action.ANNOTATE,
                "Notes attempts to make the answer say something",
            )
        ),
        Post(
            Pattern(
                "interface.secrets",
                both,
                r"sk-[a-z0-9]{8,}",
                Action.TRANSFORM,
                "Takes secrets out of what is sent and received",
            )
        ),
        Post(
            Breaks(
                "interface.language", both, "x", Action.BLOCK, "Recognises the language", fail=FailMode.OPEN
            )
        ),
        Post(
            Pattern(
                "application.authorization",
                {kinds.TOOL_CALL},
                r"refund",
                Action.HOLD,
                "Asks a person before money leaves",
            )
        ),
        Post(
            Pattern("model.route", {kinds.MODEL_CALL}, r"$^", Action.BLOCK, "Routes only to admitted models")
        ),
        Post(
            Pattern(
                "data.access",
                {kinds.RETRIEVAL},
                r"secret plan",
                Action.BLOCK,
                "Returns only what the principal may read",
            ),
            Mode.MONITOR,
        ),
        Post(
            Pattern(
                "organization.quarantine",
                {kinds.REQUEST},
                r"$^",
                Action.BLOCK,
                "Stops sessions that an incident has contained",
            )
        ),
    ]


@dataclass(frozen=True)
class Kept:
    index: int
    event: dict[str, Any]
    body: dict[str, Any] | None


PEOPLE = {
    "key-operator": Principal("olga", "brightlamp", frozenset({"operator"}), credential="k1"),
    "key-customer": Principal("casey", "brightlamp", frozenset({"customer"}), credential="k2"),
    "key-other": Principal("drew", "brightlamp", frozenset({"customer"}), credential="k3"),
}


@dataclass
class Memory:
    """Everything in memory; every decision made by the gate."""

    records: list[Kept] = field(default_factory=list)
    waiting: dict[str, HoldInfo] = field(default_factory=dict)
    settled: list[tuple[str, str, str]] = field(default_factory=list)
    done: list[HoldInfo] = field(default_factory=list)
    revoked: set[str] = field(default_factory=set)
    heard: list[list[Message]] = field(default_factory=list)
    gate: Gate = field(default_factory=lambda: Gate(_posts(), application="assistant", policy="f3a9c1"))
    attached: bool = False
    reported: list[tuple[str, FalseAlarm, str]] = field(default_factory=list)
    allowed: dict[str, AllowInfo] = field(default_factory=dict)
    known_tools: list[ToolInfo] = field(
        default_factory=lambda: [ToolInfo("refund", "pay", "Pays back."), ToolInfo("git__log", "read", "<b>")]
    )
    off: dict[str, SwitchInfo] = field(default_factory=dict)
    held_pages: dict[str, HeldDataPage] = field(default_factory=dict)
    decided: list[tuple[str, str, str, str]] = field(default_factory=list)
    mcp: list[ServerInfo] = field(default_factory=list)
    looked: list[tuple[str, str]] = field(default_factory=list)
    data: dict[str, CollectionInfo] = field(default_factory=dict)
    approvals: list[tuple[str, int, str]] = field(default_factory=list)
    missing: str = ""
    """What each approval is said to take still."""
    decided: list[tuple[str, str, str, bool]] = field(default_factory=list)

    async def cross(
        self, kind: CrossingKind, text: str, principal: Principal, turn: str, session: str = "", **part: Any
    ) -> Kept:
        label = {CrossingKind.RESPONSE: MODEL, CrossingKind.RETRIEVAL: untrusted("document:handbook/7")}
        parts = (
            Part(
                part.get("part_kind", PartKind.TEXT),
                text,
                label.get(kind, USER),
                role=part.get("role", ""),
                name=part.get("name", ""),
            ),
        )
        crossing = Crossing(kind, principal, parts, "assistant", session, "chat.completions")
        decision = await self.gate.decide(crossing)
        kept = Kept(len(self.records), decision_event(decision, turn), decision_body(decision, crossing))
        self.records.append(kept)
        return kept

    async def sign_in(self, secret: str, address: str) -> Principal | None:
        return PEOPLE.get(secret)

    async def renew(self, principal: Principal) -> Principal | None:
        return None if principal.credential in self.revoked else principal

    def may_use_console(self, principal: Principal) -> bool:
        return "operator" in principal.roles

    async def applications(self, principal: Principal) -> Sequence[ApplicationInfo]:
        note = "gpt-x through remote" if self.attached else "Answers are sentences taken from the documents."
        return [
            ApplicationInfo(
                "assistant",
                note,
                self.attached,
                "Hello, this is Brightlamp support. What can be done for you?",
                ("Where is my order 1001?", "How long is the warranty?", "Refund my order 1001"),
            )
        ]

    async def boundaries(self) -> Sequence[BoundaryInfo]:
        lines = [line for record in self.records for line in record.event["lines"]]

        def info(post: Post) -> ControlInfo:
            told = post.control.declaration
            mine = [line for line in lines if line["control"] == told.id]
            return ControlInfo(
                told.id,
                told.summary,
                str(post.mode),
                str(told.fail),
                tuple(sorted(map(str, told.crossings))),
                told.threats,
                sum(line["status"] == "evaluated" for line in mine),
                sum(line["counted"] in ("block", "hold") for line in mine),
                sum(line["status"] == "failed" for line in mine),
            )

        posts = self.gate.posts
        return [
            BoundaryInfo(one, tuple(info(post) for post in posts if post.control.declaration.boundary == one))
            for one in Boundary
        ]

    async def decisions(self, limit: int, before: int | None, filters: DecisionFilter) -> Sequence[Kept]:
        chosen = [
            record
            for record in reversed(self.records)
            if (before is None or record.index < before)
            and all(record.event[name] == value for name, value in filters.match().items())
        ]
        return chosen[:limit]

    async def decision(self, decision_id: str) -> Kept | None:
        return next((record for record in self.records if record.event["id"] == decision_id), None)

    async def turn(self, turn_id: str) -> Sequence[Kept]:
        return [record for record in self.records if record.event["turn"] == turn_id]

    async def proof(self, decision_id: str) -> Proof | None:
        record = await self.decision(decision_id)
        if record is None:
            return None
        leaf = hashlib.sha256(b"\0" + json.dumps(record.event).encode()).hexdigest()
        path = tuple(hashlib.sha256(bytes([n])).hexdigest() for n in range(4))
        checkpoint = (
            f"brightlamp.example/ledger\n{len(self.records)}\n{path[0]}\n\n— brightlamp.example Az3gr\n"
        )
        told = "Path and signature were recomputed just now and agree."
        return Proof(record.index, len(self.records), leaf, path, path[0], checkpoint, True, told)

    async def holds(self) -> Sequence[HoldInfo]:
        return list(self.waiting.values())

    def hold(self, arguments: dict[str, Any], subject: str = "casey", **more: Any) -> HoldInfo:
        now = time.time_ns() // 1000
        digest = hashlib.sha256(json.dumps(dict(arguments)).encode()).hexdigest()
        made = HoldInfo(
            new_id("hold"),
            "refund",
            arguments,
            digest,
            subject,
            "assistant",
            now,
            now + 860_000_000,
            ("Paying calls over 50 need a manager.",),
            "brightlamp",
            effect="pay",
        )
        self.waiting[made.id] = made = replace(made, **more)
        return made

    async def settled_holds(self, limit: int) -> Sequence[HoldInfo]:
        return list(reversed(self.done))[:limit]

    async def hold_info(self, hold_id: str) -> HoldInfo | None:
        known = {hold.id: hold for hold in (*self.done, *self.waiting.values())}
        return known.get(hold_id)

    async def own_holds(self, principal: Principal, application: str) -> Sequence[HoldInfo]:
        return [
            hold
            for hold in (*self.waiting.values(), *self.done)
            if (hold.subject, hold.application) == (principal.subject, application)
            if hold.approver == "requester" and hold.state in ("pending", "approved")
        ]

    async def amend(self, hold_id: str, principal: Principal, arguments: str) -> None:
        await self._settle("amend", hold_id, principal)
        self.done[-1] = replace(self.done[-1], amended=json.loads(arguments))

    async def approve(self, hold_id: str, principal: Principal) -> None:
        await self._settle("approve", hold_id, principal)

    async def refuse(self, hold_id: str, principal: Principal) -> None:
        await self._settle("refuse", hold_id, principal)

    async def _settle(self, verb: str, hold_id: str, principal: Principal) -> None:
        hold = self.waiting[hold_id]
        if hold.subject == principal.subject and hold.approver != "requester":
            raise DataError("You asked for this yourself, so somebody else must decide.")
        del self.waiting[hold_id]
        by = f"{principal.tenant}/{principal.subject}"
        state = "refused" if verb == "refuse" else "approved"
        self.done.append(replace(hold, state=state, decided_by=by))
        self.settled.append((verb, hold_id, principal.subject))

    async def servers(self) -> Sequence[ServerInfo]:
        return list(self.mcp)

    async def look_at_server(self, server: str, principal: Principal) -> None:
        self.looked.append((server, principal.subject))

    async def decide_server_tool(
        self, server: str, tool: str, digest: str, principal: Principal, *, approve: bool, despite: bool
    ) -> None:
        if (
            approve
            and not despite
            and any(one.findings for info in self.mcp for one in info.tools if one.tool == tool)
        ):
            raise DataError("Read the findings first.")
        self.decided.append((server, tool, digest, approve))

    async def collections(self, principal: Principal) -> Sequence[CollectionInfo]:
        return list(self.data.values())

    async def review_collection(self, collection: str, principal: Principal) -> None:
        if self.data[collection].running:
            raise DataError("A review is running.")
        self.data[collection] = replace(self.data[collection], running=True)

    async def approve_version(
        self, collection: str, version: int, principal: Principal, *, despite: bool
    ) -> str:
        review = self.data[collection].review
        if review is None or (review.stops and not despite):
            raise DataError("Read its findings.")
        self.approvals.append((collection, version, principal.subject))
        return self.missing

    async def allow_rules(self) -> Sequence[AllowInfo]:
        return list(self.allowed.values())

    async def report_false_alarm(self, decision_id: str, alarm: FalseAlarm, principal: Principal) -> str:
        if not alarm.reason:
            raise DataError("An allow-rule needs a reason.")
        self.reported.append((decision_id, alarm, principal.subject))
        return "Allowed as alw_1."

    async def remove_allow_rule(self, rule_id: str, principal: Principal) -> None:
        if self.allowed.pop(rule_id, None) is None:
            raise DataError("There is no allow-rule of this id that was not removed.")

    async def tools(self) -> Sequence[ToolInfo]:
        return [replace(tool, off_by=tool.name if tool.name in self.off else "") for tool in self.known_tools]

    async def switches(self) -> Sequence[SwitchInfo]:
        return list(self.off.values())

    async def switch_off(self, target: str, reason: str, principal: Principal) -> None:
        if not reason:
            raise DataError("A switch needs a reason.")
        self.off[target] = SwitchInfo(target, reason, principal.subject, 1)

    async def switch_on(self, target: str, principal: Principal) -> bool:
        return self.off.pop(target, None) is not None

    async def quarantine(self, principal: Principal) -> Sequence[HeldData]:
        return [page.held for page in self.held_pages.values()]

    async def held_data(self, held: str, principal: Principal, start: int) -> HeldDataPage:
        page = self.held_pages.get(held)
        if page is None:
            raise DataError("Nothing was quarantined under this id.")
        if page.held.barred:
            raise DeniedError(page.held.barred, "")
        return replace(page, start=start, texts=page.texts[start : start + 25])

    async def release_data(self, held: str, principal: Principal, reason: str) -> None:
        await self.held_data(held, principal, 0)
        self.decided.append(("release", held, principal.subject, reason))
        del self.held_pages[held]

    async def reject_data(self, held: str, principal: Principal, reason: str) -> None:
        await self.held_data(held, principal, 0)
        self.decided.append(("reject", held, principal.subject, reason))
        del self.held_pages[held]

    async def chat(
        self,
        principal: Principal,
        application: str,
        session: str,
        messages: Sequence[Message],
        *,
        stream: bool,
    ) -> AsyncIterator[ChatEvent]:
        self.heard.append(list(messages))
        turn, question = new_id("turn"), messages[-1].content
        asked = await self.cross(CrossingKind.REQUEST, question, principal, turn, session, role="user")
        if asked.event["action"] == "block":
            yield Final(asked.body["reasons"][0], turn, "blocked")
            return
        document = {"name": "warranty.md", "part_kind": PartKind.DOCUMENT}
        await self.cross(
            CrossingKind.RETRIEVAL, "The warranty is two years.", principal, turn, session, **document
        )
        await self.cross(CrossingKind.MODEL_CALL, question, principal, turn, session)
        if "wait for me" in question:
            hold = self.hold({"order": 1001, "amount": 8}, principal.subject, approver="requester")
            while hold.id in self.waiting:
                await asyncio.sleep(0.05)
            yield Final("It is done.", turn)
            return
        if "refund" in question.lower():
            call = {"name": "refund", "part_kind": PartKind.TOOL_CALL}
            await self.cross(CrossingKind.TOOL_CALL, '{"refund": 1001}', principal, turn, session, **call)
            self.hold({"order": 1001, "amount": 80}, principal.subject)
            yield Final("A person must approve this refund first.", turn, "held")
            return
        answer = f"You said: {question} The warranty is two years."
        await self.cross(CrossingKind.RESPONSE, answer, principal, turn, session, role="assistant")
        if stream:
            for piece in re.findall(r".{1,7}", answer, re.DOTALL):
                yield Delta(piece)
        yield Final(answer, turn)

    async def threats(self) -> Sequence[ThreatRow]:
        said = "A customer who plants text in a ticket can make the assistant send data of other customers"
        rows = [
            (
                "T1",
                said,
                "proven",
                "Drill of today: 2 controls stop it, each alone.",
                ("interface.injection",),
            ),
            ("T2", "A caller can spend the budget of others", "degraded", "1 of 2 controls failed open.", ()),
            ("T3", "A changed model file answers", "stale", "Last drill 40 days ago.", ("model.route",)),
            ("T4", "An operator approves by habit", "asserted", "Attested by support-team.", ()),
            ("T5", "Documents leak across tenants", "broken", "Knock-out test failed.", ("data.access",)),
            ("T6", "A plugin is replaced", "none", "Nothing stands against it.", ()),
        ]
        return [ThreatRow(i, text, s, why, ("LLM01@2025", "tampering"), c) for i, text, s, why, c in rows]


@dataclass
class Clock:
    now: float = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def memory() -> Memory:
    return Memory()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def app(memory: Memory, clock: Clock) -> Starlette:
    return Starlette(routes=routes(memory, SessionStore(clock)))


@pytest.fixture
def browser_client(app: Starlette) -> Iterator[TestClient]:
    """A client that keeps cookies, follows nothing, and is not signed in."""
    with TestClient(app, base_url="http://ringwall.example", follow_redirects=False) as client:
        yield client


def token_of(page: str) -> str:
    found = re.search(r'name="csrf" value="([^"]+)"', page)
    assert found, page
    return found.group(1)


@pytest.fixture
def sign_in(browser_client: TestClient):
    def go(key: str) -> TestClient:
        token = token_of(browser_client.get("/login").text)
        answer = browser_client.post("/login", data={"csrf": token, "key": key, "next": ""})
        assert answer.status_code == 303, answer.text
        return browser_client

    return go


@pytest.fixture
def operator(sign_in) -> TestClient:
    return sign_in("key-operator")


@pytest.fixture
def customer(sign_in) -> TestClient:
    return sign_in("key-customer")


@pytest.fixture
def csrf():
    """The token in a page."""
    return token_of


@pytest.fixture
def hostile() -> str:
    return HOSTILE


@pytest.fixture
def principals() -> dict[str, Principal]:
    return PEOPLE
