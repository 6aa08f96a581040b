"""Messages about holds: signed, retried, kept over a restart, without arguments, only where they may go."""

import asyncio
import base64
import hashlib
import hmac
import json
import socket
from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp import web
from aiohttp.abc import AbstractResolver, ResolveResult
from pydantic import ValidationError

from ringwall.boundaries.application.egress import Egress
from ringwall.boundaries.application.hold import Why
from ringwall.boundaries.application.hold_outbox import BACKOFF_S, CLAIM_S, Message, Outbox
from ringwall.boundaries.application.hold_settings import HoldSettings, WebhookSettings
from ringwall.boundaries.application.hold_webhooks import Webhooks, secret_of, signature
from ringwall.boundaries.application.holds import Holds
from ringwall.boundaries.application.rights import ApprovalRights
from ringwall.core import ConfigError, Principal
from ringwall.storage.database import Database

RIGHTS = ApprovalRights({"manager": frozenset({"refund"})})
CASEY = Principal("casey", "brightlamp", frozenset({"agent"}), credential="key_1")
MORGAN = Principal("morgan", "brightlamp", frozenset({"manager"}), credential="key_2")
CALL: tuple[str, dict[str, Any]] = ("refund", {"to": "very-secret-account", "amount": 5})
KEY = b"0123456789abcdef0123456789abcdef"
SECRETS = {"HOOK": "whsec_" + base64.b64encode(KEY).decode()}


class Clock:
    now = 1_700_000_000.0

    def __call__(self) -> float:
        return self.now


class Receiver:
    """A webhook's other end: answers what it is told to, and keeps what it got."""

    def __init__(self) -> None:
        self.url = ""
        self.answers: list[int] = []
        self.got: list[tuple[dict[str, str], bytes]] = []

    async def take(self, request: web.Request) -> web.Response:
        self.got.append(({k.lower(): v for k, v in request.headers.items()}, await request.read()))
        status = self.answers.pop(0) if self.answers else 204
        headers = {"Location": self.url} if status in (302, 307) else {}
        return web.Response(status=status, headers=headers, text="approve" if status != 204 else None)


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    made, app = Receiver(), web.Application()
    app.router.add_route("*", "/{rest:.*}", made.take)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    made.url = f"http://127.0.0.1:{runner.addresses[0][1]}/hooks/ringwall"
    yield made
    await runner.cleanup()


class Inward(AbstractResolver):
    """A name service that leads every name into the house."""

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        kind = socket.AF_INET
        return [ResolveResult(hostname=host, host="127.0.0.1", port=port, family=kind, proto=0, flags=0)]

    async def close(self) -> None:
        return None


class Bench:
    """Holds with an outbox, and a sender; as one process has them."""

    def __init__(
        self, database: Database, clock: Clock, *hooks: WebhookSettings, egress: Egress | None = None
    ) -> None:
        self.told: list[tuple[str, str]] = []
        self.settings = HoldSettings(webhooks=hooks, console_url="https://gateway.example/")
        self.outbox = Outbox(database, clock=clock)
        self.holds = Holds(
            database,
            RIGHTS,
            clock=clock,
            expire_s=7 * 24 * 3600,
            journal=lambda event, hold, subject, tenant: self.outbox.put(
                hooks, event, hold, f"{tenant}/{subject}"
            ),
        )
        self.sender = Webhooks(
            self.settings,
            self.outbox,
            self.holds,
            self._told,
            egress=egress,
            environment=SECRETS,
            clock=clock,
        )

    async def _told(self, message: Message, host: str, outcome: str) -> None:
        self.told.append((str(message.event), outcome))


def hook(url: str, **more: Any) -> WebhookSettings:
    return WebhookSettings.model_validate({"url": url, "secret_env": "HOOK", "private": True, **more})


async def test_a_message_is_signed_and_holds_no_arguments(database: Database, receiver: Receiver) -> None:
    clock = Clock()
    bench = Bench(database, clock, hook(receiver.url, events=["requested", "amended", "used"]))
    hold = bench.holds.request("s1", CASEY, *CALL, Why("Money needs a person.", application="shop"))
    bench.holds.amend(hold.id, MORGAN, '{"to": "another-secret", "amount": 4}')
    assert await bench.sender.send_due() == 2
    assert await bench.sender.send_due() == 0
    for headers, body in receiver.got:
        signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
        wanted = base64.b64encode(hmac.new(KEY, signed, hashlib.sha256).digest()).decode()
        assert headers["webhook-signature"] == f"v1,{wanted}"
        assert headers["webhook-timestamp"] == "1700000000"
        assert b"secret" not in body
    by_type = {(content := json.loads(body))["type"]: content["data"] for _, body in receiver.got}
    asked, amended = by_type["hold.requested"], by_type["hold.amended"]
    assert (asked["tool"], asked["subject"], asked["by"]) == ("refund", "casey", "brightlamp/casey")
    assert asked["link"] == f"https://gateway.example/console/holds/{hold.id}"
    assert (amended["state"], amended["by"]) == ("approved", "brightlamp/morgan")
    assert sorted(bench.told) == [("amended", "delivered"), ("requested", "delivered")]
    assert bench.holds.get(hold.id).state == "approved", "the answer's body decides nothing"
    await bench.sender.close()


async def test_arguments_where_they_are_wanted(database: Database, receiver: Receiver) -> None:
    bench = Bench(database, Clock(), hook(receiver.url, include_arguments=True))
    bench.holds.request("s1", CASEY, *CALL, Why("why"))
    await bench.sender.send_due()
    assert json.loads(receiver.got[0][1])["data"]["arguments"] == CALL[1]
    await bench.sender.close()


async def test_what_fails_is_tried_again_later_and_at_last_given_up(
    database: Database, receiver: Receiver
) -> None:
    clock = Clock()
    bench = Bench(database, clock, hook(receiver.url))
    bench.holds.request("s1", CASEY, *CALL, Why("why"))
    receiver.answers = [500, 302, 307, 429, 404, 503, 500, 500, 204]
    for wait in (0, *BACKOFF_S):
        clock.now += wait - 1
        assert await bench.sender.send_due() == 0
        clock.now += 1
        assert await bench.sender.send_due() == 1
    assert len(receiver.got) == 1 + len(BACKOFF_S), "redirects are not followed"
    assert len({headers["webhook-id"] for headers, _ in receiver.got}) == 1
    assert bench.told == [("requested", "given up: status 500")]
    clock.now += 100_000
    assert await bench.sender.send_due() == 0
    await bench.sender.close()


async def test_gone_is_gone(database: Database, receiver: Receiver) -> None:
    bench = Bench(database, Clock(), hook(receiver.url))
    bench.holds.request("s1", CASEY, *CALL, Why("why"))
    receiver.answers = [410]
    await bench.sender.send_due()
    assert bench.told == [("requested", "given up: gone")]
    await bench.sender.close()


async def test_a_restart_loses_nothing_and_two_processes_send_it_once(
    database: Database, receiver: Receiver
) -> None:
    clock = Clock()
    Bench(database, clock, hook(receiver.url)).holds.request("s1", CASEY, *CALL, Why("why"))
    dead = Bench(Database(database.path), clock, hook(receiver.url))
    assert len(dead.outbox.claim()) == 1  # and then it dies
    others = [Bench(Database(database.path), clock, hook(receiver.url)) for _ in range(3)]
    assert [await one.sender.send_due() for one in others] == [0, 0, 0]
    clock.now += CLAIM_S
    sent = await asyncio.gather(*(one.sender.send_due() for one in others))
    assert sorted(sent) == [0, 0, 1]
    assert len(receiver.got) == 1
    for one in others:
        await one.sender.close()


async def test_private_addresses_only_where_allowed(database: Database, receiver: Receiver) -> None:
    with pytest.raises(ValidationError, match="private"):
        hook(receiver.url, private=False)
    closed = hook(receiver.url.replace("127.0.0.1", "hook.example"), private=False)
    bench = Bench(database, Clock(), closed, egress=Egress([closed.rule], resolver=Inward()))
    bench.holds.request("s1", CASEY, *CALL, Why("why"))
    await bench.sender.send_due()
    assert receiver.got == []
    assert bench.told[0][1].startswith("given up: refused")
    await bench.sender.close()


@pytest.mark.parametrize(
    "url",
    [
        "ftp://x.example/",
        "https://user:pass@x.example/",
        "https://x.example/#a",
        "https://*.x.example/",
        "https://169.254.169.254/latest",
        "http://[::ffff:169.254.169.254]/",
        "https:///nothing",
        "https://x.example/a b",
        "https://x.example/../a",
    ],
)
def test_addresses_that_are_no_webhook(url: str) -> None:
    with pytest.raises(ValidationError):
        hook(url)


@pytest.mark.parametrize("text", ["", "short", "whsec_!!!", "whsec_c2hvcnQ="])
def test_a_weak_secret_is_none(text: str) -> None:
    with pytest.raises(ConfigError, match="HOOK"):
        secret_of(hook("https://x.example/"), {"HOOK": text})


def test_the_signature_is_that_of_the_specification() -> None:
    """The example of the Standard Webhooks documentation."""
    key = base64.b64decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    body = b'{"test": 2432232314}'
    made = signature(key, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, body)
    assert made == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
