"""The console's backend on the running gateway."""

import asyncio
import math
from collections.abc import AsyncIterator, Sequence

from ringwall.boundaries.application.hold import Approver, HoldState
from ringwall.boundaries.application.holds import Holds
from ringwall.boundaries.application.switches import ToolSwitches
from ringwall.boundaries.interface.keys import key_id
from ringwall.boundaries.interface.scopes import Scope
from ringwall.boundaries.organization.allow_rule import Match
from ringwall.core import Boundary, DataError, IdentityError, Principal
from ringwall.ledger import Record
from ringwall.ledger.checkpoint import Checkpoint
from ringwall.ledger.proof import verify_proof
from ringwall.server.gateway import Gateway
from ringwall.workload import false_alarms, kill_switch
from ringwall.workload.posture import threat_status

from . import runtime_applications, runtime_chat, runtime_holds, runtime_quarantine, runtime_servers
from .quarantined import HeldData, HeldDataPage
from .runtime_reviews import RunningReviews
from .shown import (
    AllowInfo,
    ApplicationInfo,
    BoundaryInfo,
    ChatEvent,
    CollectionInfo,
    ControlInfo,
    DecisionFilter,
    FalseAlarm,
    HoldInfo,
    Message,
    Proof,
    ServerInfo,
    SwitchInfo,
    ThreatRow,
    ToolInfo,
)


class GatewayBackend:
    """See ``backend.Backend``."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway
        self._reviews = RunningReviews(gateway)

    async def sign_in(self, secret: str, address: str) -> Principal | None:
        guessing = self._gateway.guessing
        principal = self._gateway.keys.verify(secret)
        if principal is None:
            wait = math.ceil(guessing.failed(address, key_id(secret)))
            if wait:
                raise IdentityError(f"Too many wrong keys: try again in {wait} s.")
            return None
        guessing.succeeded(address, principal.credential)
        return _for_pages(principal)

    async def renew(self, principal: Principal) -> Principal | None:
        current = self._gateway.keys.principal(principal.credential)
        return _for_pages(current) if current else None

    def may_use_console(self, principal: Principal) -> bool:
        return self._gateway.site.roles.console(principal.roles)

    async def applications(self, principal: Principal) -> Sequence[ApplicationInfo]:
        return [
            runtime_applications.info(app, self._gateway.site.model)
            for app in self._gateway.site.applications.values()
            if not app.application.roles or app.application.roles & principal.roles
            if principal.grant.allows(Scope.CHAT, app.application.name)
        ]

    async def boundaries(self) -> Sequence[BoundaryInfo]:
        gate = self._gateway.site.application().gate
        counts = self._gateway.recorder.counts
        found: dict[Boundary, list[ControlInfo]] = {boundary: [] for boundary in Boundary}
        for post in gate.posts:
            declaration = post.control.declaration
            count = counts.of(declaration.id)
            found[declaration.boundary].append(
                ControlInfo(
                    id=declaration.id,
                    summary=declaration.summary,
                    mode=str(post.mode),
                    fail=str(declaration.fail),
                    crossings=tuple(sorted(map(str, declaration.crossings))),
                    threats=declaration.threats,
                    evaluated=count.evaluated,
                    blocked=count.blocked,
                    failed=count.failed,
                )
            )
        return [BoundaryInfo(boundary, tuple(controls)) for boundary, controls in found.items()]

    async def decisions(self, limit: int, before: int | None, filters: DecisionFilter) -> Sequence[Record]:
        ledger = self._gateway.live.plant.ledger
        return await asyncio.to_thread(
            ledger.latest, limit, before=before, type="decision", match=filters.match()
        )

    async def decision(self, decision_id: str) -> Record | None:
        return await asyncio.to_thread(self._gateway.live.plant.ledger.find, decision_id)

    async def turn(self, turn_id: str) -> Sequence[Record]:
        ledger = self._gateway.live.plant.ledger
        found = await asyncio.to_thread(ledger.latest, 200, type="decision", match={"turn": turn_id})
        return list(reversed(found))

    async def proof(self, decision_id: str) -> Proof | None:
        return await asyncio.to_thread(self._proof, decision_id)

    def _proof(self, decision_id: str) -> Proof | None:
        ledger = self._gateway.live.plant.ledger
        record = ledger.find(decision_id)
        if record is None:
            return None
        proof = ledger.prove(record.index)
        note = "Recomputed here: path up to the root, and the signature of the checkpoint."
        try:
            verify_proof(proof, ledger.vkey)
            verified = True
        except DataError as error:
            verified, note = False, str(error)
        checkpoint = Checkpoint.parse(proof["checkpoint"])
        return Proof(
            index=record.index,
            size=checkpoint.size,
            leaf_hash=record.leaf_hash.hex(),
            path=tuple(proof["path"]),
            root=checkpoint.root.hex(),
            checkpoint=proof["checkpoint"],
            verified=verified,
            note=note,
        )

    async def holds(self) -> Sequence[HoldInfo]:
        return [runtime_holds.info(self._gateway, hold) for hold in self._holds.pending()]

    async def settled_holds(self, limit: int) -> Sequence[HoldInfo]:
        found = await asyncio.to_thread(self._holds.list, 4 * limit)
        return [
            runtime_holds.info(self._gateway, hold) for hold in found if hold.state is not HoldState.PENDING
        ][:limit]

    async def hold_info(self, hold_id: str) -> HoldInfo | None:
        try:
            return runtime_holds.info(self._gateway, self._holds.get(hold_id))
        except DataError:
            return None

    async def own_holds(self, principal: Principal, application: str) -> Sequence[HoldInfo]:
        found = await asyncio.to_thread(self._holds.visible, principal, pending=False)
        return [
            runtime_holds.info(self._gateway, hold)
            for hold in found
            if hold.subject == principal.subject
            if hold.approver is Approver.REQUESTER and hold.application == application
            if hold.state in (HoldState.PENDING, HoldState.APPROVED)
        ]

    async def approve(self, hold_id: str, principal: Principal) -> None:
        await asyncio.to_thread(self._holds.approve, hold_id, principal)

    async def refuse(self, hold_id: str, principal: Principal) -> None:
        await asyncio.to_thread(self._holds.refuse, hold_id, principal)

    async def amend(self, hold_id: str, principal: Principal, arguments: str) -> None:
        await asyncio.to_thread(self._holds.amend, hold_id, principal, arguments)

    @property
    def _holds(self) -> Holds:
        return self._gateway.site.application().holds

    async def allow_rules(self) -> Sequence[AllowInfo]:
        rules = self._gateway.live.plant.allowances
        return [
            AllowInfo(
                id=rule.id,
                control=rule.control,
                rule=rule.rule,
                application=rule.application,
                match=str(rule.match),
                owner=rule.owner,
                reason=rule.reason,
                by=rule.by,
                decision=rule.decision,
                created_at=int(rule.at * 1e6),
                expires_at=int(rule.expires * 1e6),
                in_force=rules.in_force(rule),
            )
            for rule in await asyncio.to_thread(rules.kept)
        ]

    async def report_false_alarm(self, decision_id: str, alarm: FalseAlarm, principal: Principal) -> str:
        site, plant = self._gateway.site, self._gateway.live.plant
        record = await self.decision(decision_id)
        if record is None:
            raise DataError("No decision of this id is on the ledger.")
        match = Match(alarm.match) if alarm.match in set(Match) else None
        wish = false_alarms.Wish(
            alarm.findings, alarm.expires, alarm.reason, match=match, phrase=alarm.phrase
        )
        added = await asyncio.to_thread(false_alarms.report, site, plant, record, wish, principal)
        tested = await false_alarms.test(site, plant.allowances, added)
        return false_alarms.summary(tested)

    async def remove_allow_rule(self, rule_id: str, principal: Principal) -> None:
        site, plant = self._gateway.site, self._gateway.live.plant
        await asyncio.to_thread(false_alarms.remove, site, plant, rule_id, principal)

    async def tools(self) -> Sequence[ToolInfo]:
        switches = ToolSwitches(self._gateway.live.plant.database)
        return [
            ToolInfo(
                name=tool.name,
                effect=str(tool.effect),
                description=tool.description,
                off_by=thrown.target if (thrown := switches.off(tool.name, tool.effect)) else "",
            )
            for tool in self._gateway.site.application().registry
        ]

    async def switches(self) -> Sequence[SwitchInfo]:
        thrown = kill_switch.thrown_switches(self._gateway.live.plant)
        return [SwitchInfo(one.target, one.reason, one.by, one.at) for one in thrown]

    async def switch_off(self, target: str, reason: str, principal: Principal) -> None:
        plant = self._gateway.live.plant
        await asyncio.to_thread(
            kill_switch.switch_off,
            *(plant, target),
            reason=reason,
            by=principal.subject,
            tenant=principal.tenant,
        )

    async def switch_on(self, target: str, principal: Principal) -> bool:
        plant = self._gateway.live.plant
        return await asyncio.to_thread(
            kill_switch.switch_on, plant, target, by=principal.subject, tenant=principal.tenant
        )

    def chat(
        self,
        principal: Principal,
        application: str,
        session: str,
        messages: Sequence[Message],
        *,
        stream: bool,
    ) -> AsyncIterator[ChatEvent]:
        return runtime_chat.chat(self._gateway, principal, application, session, messages, stream=stream)

    async def servers(self) -> Sequence[ServerInfo]:
        return await asyncio.to_thread(runtime_servers.servers, self._gateway)

    async def look_at_server(self, server: str, principal: Principal) -> None:
        await runtime_servers.look(self._gateway, server, principal)

    async def decide_server_tool(
        self, server: str, tool: str, digest: str, principal: Principal, *, approve: bool, despite: bool
    ) -> None:
        await runtime_servers.decide(
            self._gateway, server, tool, digest, principal, approve=approve, despite=despite
        )

    async def quarantine(self, principal: Principal) -> Sequence[HeldData]:
        return await asyncio.to_thread(runtime_quarantine.waiting, self._gateway, principal)

    async def held_data(self, held: str, principal: Principal, start: int) -> HeldDataPage:
        return await runtime_quarantine.page(self._gateway, held, principal, start)

    async def release_data(self, held: str, principal: Principal, reason: str) -> None:
        await runtime_quarantine.release(self._gateway, held, principal, reason)

    async def reject_data(self, held: str, principal: Principal, reason: str) -> None:
        await runtime_quarantine.reject(self._gateway, held, principal, reason)

    async def collections(self, principal: Principal) -> Sequence[CollectionInfo]:
        return await self._reviews.collections(principal)

    async def review_collection(self, collection: str, principal: Principal) -> None:
        await self._reviews.start(collection, principal)

    async def approve_version(
        self, collection: str, version: int, principal: Principal, *, despite: bool
    ) -> str:
        return await self._reviews.approve(collection, version, principal, despite=despite)

    async def threats(self) -> Sequence[ThreatRow]:
        return await asyncio.to_thread(self._threats)

    def _threats(self) -> list[ThreatRow]:
        live = self._gateway.live
        return [
            ThreatRow(
                id=row.threat.id,
                statement=row.threat.statement,
                status=row.status.value,
                why=row.why,
                tags=(*row.threat.tags, *row.threat.stride),
                controls=row.threat.mitigations,
            )
            for row in threat_status(self._gateway.site, live.plant, live.path.parent)
        ]


def _for_pages(principal: Principal) -> Principal | None:
    """A key opens the pages only if it may."""
    return principal if principal.grant.allows(Scope.CONSOLE) else None
