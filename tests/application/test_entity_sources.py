"""Known entities from services: only what they named last counts, and nothing of it without them for ever."""

import asyncio
import json
import socket
import threading
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
from aiohttp import web
from aiohttp.abc import AbstractResolver, ResolveResult
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from ringwall.boundaries.application.egress import Egress
from ringwall.boundaries.application.entities import Entities
from ringwall.boundaries.application.entity_document import MAX_ENTITIES, compared, read_document
from ringwall.boundaries.application.entity_settings import EntityFields, EntitySource
from ringwall.boundaries.application.entity_sources import EntitySources, Outcome
from ringwall.boundaries.application.entity_store import EntityStore
from ringwall.boundaries.application.settings import KnownEntities
from ringwall.core import ConfigError
from ringwall.storage.database import Database

FIELDS = {"emails": ["email"], "accounts": ["iban"], "names": ["login"], "hosts": ["host"]}
ANNA = {
    "people": [{"email": "Anna@Partner.example", "iban": "DE12 3456", "login": "#ops", "note": "x@y.example"}]
}


class Clock:
    now = 1_700_000_000.0

    def __call__(self) -> float:
        return self.now


class Service:
    """Answers with what ``body`` says, and counts."""

    def __init__(self) -> None:
        self.url = ""
        self.status = 200
        self.body: Any = ANNA
        self.headers: dict[str, str] = {}
        self.type = "application/json"
        self.seen: list[dict[str, str]] = []
        self.hold: asyncio.Event | None = None
        self.arrived = asyncio.Event()

    async def answer(self, request: web.Request) -> web.StreamResponse:
        self.seen.append({name.lower(): value for name, value in request.headers.items()})
        self.arrived.set()
        if self.hold is not None:
            await self.hold.wait()
        body = self.body if isinstance(self.body, bytes) else json.dumps(self.body).encode()
        return web.Response(status=self.status, body=body, content_type=self.type, headers=self.headers)


@pytest.fixture
async def service() -> AsyncIterator[Service]:
    made, app = Service(), web.Application()
    app.router.add_get("/{rest:.*}", made.answer)
    runner = web.AppRunner(app, shutdown_timeout=0.1, handler_cancellation=True)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    made.url = f"http://127.0.0.1:{runner.addresses[0][1]}/people"
    yield made
    await runner.cleanup()


def source(url: str, **more: Any) -> EntitySource:
    return EntitySource.model_validate({"url": url, "fields": FIELDS, "private": True, **more})


class Inward(AbstractResolver):
    """A name service that leads every name into the house."""

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        kind = socket.AF_INET
        return [ResolveResult(hostname=host, host="127.0.0.1", port=port, family=kind, proto=0, flags=0)]

    async def close(self) -> None:
        return None


class Process:
    """What one gateway process has of it."""

    def __init__(self, database: Database, clock: Clock, *sources: EntitySource, **more: Any) -> None:
        self.sources = EntitySources(sources, EntityStore(database, clock=clock), clock=clock, **more)
        self.entities = Entities(KnownEntities(emails=frozenset({"own@shop.example"})), (), self.sources)
        self.told: list[Outcome] = []

    async def look(self) -> list[Outcome]:
        """One round; what it told."""
        before = len(self.told)
        await self.sources.refresh(self._told)
        return self.told[before:]

    async def _told(self, outcome: Outcome) -> None:
        self.told.append(outcome)

    def knows(self, *values: str) -> list[bool]:
        return [self.entities.knows_value(value) for value in values]


async def test_what_a_service_names_is_known(database: Database, service: Service) -> None:
    process = Process(database, Clock(), source(service.url))
    assert process.knows("anna@partner.example", "own@shop.example") == [False, True]
    (outcome,) = await process.look()
    assert (outcome.changed, outcome.entities, outcome.host) == (True, 3, "127.0.0.1")
    assert process.knows("anna@partner.example", "DE123456", "#OPS", "own@shop.example") == [True] * 4
    assert process.knows("x@y.example", "bert@partner.example", "partner.example", "email") == [False] * 4
    await process.sources.close()


async def test_it_is_asked_when_it_is_due_and_changes_are_told_once(
    database: Database, service: Service
) -> None:
    clock = Clock()
    process = Process(database, clock, source(service.url, refresh_s=300))
    assert len(await process.look()) == 1
    for later, asked, told in ((1, 1, 0), (298, 1, 0), (2, 2, 0)):
        clock.now += later
        assert len(await process.look()) == told
        assert len(service.seen) == asked
    service.body = {"email": ["bert@partner.example"]}
    clock.now += 300
    (outcome,) = await process.look()
    assert outcome.changed
    assert process.knows("anna@partner.example", "bert@partner.example") == [False, True]
    await process.sources.close()


BAD = {
    "status": {"status": 503},
    "redirect": {"status": 302, "headers": {"Location": "http://127.0.0.2/people"}},
    "redirect-path": {"status": 302, "headers": {"Location": "/other"}},
    "html": {"type": "text/html"},
    "events": {"type": "text/event-stream"},
    "no-json": {"body": b"anna@evil.example"},
    "yaml": {"body": b"email: anna@evil.example"},
    "nan": {"body": b'{"email": "anna@evil.example", "x": NaN}'},
    "twice": {"body": b'{"email": "a@b.example", "email": "anna@evil.example"}'},
    "deep": {"body": b"[" * 5000 + b"]" * 5000},
    "half": {"body": b'{"email": "\\ud800"}'},
    "number": {"body": b'{"iban": ' + b"9" * 100 + b"}"},
    "cut": {"body": b'{"email": "anna@evil.example"'},
    "large": {"body": b'{"email": "' + b"a" * 5000 + b'"}'},
    "compressed": {"headers": {"Content-Encoding": "gzip"}},
    "many": {"body": json.dumps({"email": [f"{n}" for n in range(9)]}).encode()},
}


@pytest.mark.parametrize("bad", BAD.values(), ids=BAD)
async def test_a_bad_answer_changes_nothing_until_the_last_good_one_is_too_old(
    database: Database, service: Service, bad: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ringwall.boundaries.application.entity_document.MAX_ENTITIES", 8)
    clock = Clock()
    process = Process(database, clock, source(service.url, refresh_s=300, max_age_s=3600, max_bytes=4000))
    await process.look()
    for name, value in bad.items():
        setattr(service, name, value)
    clock.now += 300
    (outcome,) = await process.look()
    assert outcome.problem
    assert outcome.entities == 3
    assert "evil" not in outcome.problem
    for _ in range(4):  # the same again is no news
        clock.now += 300
        assert await process.look() == []
    assert process.knows("anna@partner.example", "anna@evil.example") == [True, False]
    clock.now += 3600 - 1500
    assert process.knows("anna@partner.example", "own@shop.example") == [False, True]
    (outcome,) = await process.look()
    assert outcome.entities == 0
    service.status, service.headers, service.body, service.type = 200, {}, ANNA, "application/json"
    clock.now += 300
    (outcome,) = await process.look()
    assert not outcome.problem
    assert not outcome.changed
    assert process.knows("anna@partner.example") == [True]
    await process.sources.close()


async def test_a_failure_is_tried_again_ever_later(database: Database, service: Service) -> None:
    clock, service.status = Clock(), 500
    process = Process(database, clock, source(service.url, refresh_s=100))
    asked = []
    for second in range(300):
        clock.now = Clock.now + second
        before = len(service.seen)
        await process.look()
        asked += [second] * (len(service.seen) - before)
    assert asked == [0, 15, 45, 105, 205]
    assert len(process.told) == 1
    await process.sources.close()


async def test_a_slow_one_holds_nothing_up(database: Database, service: Service) -> None:
    service.hold = asyncio.Event()
    process = Process(database, Clock(), source(service.url, timeout_s=0.1))
    looking = asyncio.ensure_future(process.look())
    await service.arrived.wait()
    assert process.knows("anna@partner.example", "own@shop.example") == [False, True]
    (outcome,) = await looking
    assert "in time" in outcome.problem
    await process.sources.close()


async def test_after_a_restart_without_network_the_last_answer_counts(
    database: Database, service: Service
) -> None:
    clock = Clock()
    process = Process(database, clock, source(service.url))
    await process.look()
    await process.sources.close()
    clock.now += 3600
    again = Process(database, clock, source(service.url), client=lambda rule: Egress([]))
    assert again.knows("anna@partner.example") == [True]
    (outcome,) = await again.look()
    assert outcome.problem
    assert outcome.entities == 3
    assert again.knows("anna@partner.example") == [True]
    clock.now += 86_400
    assert Process(database, clock, source(service.url)).knows("anna@partner.example") == [False]


async def test_a_restart_asks_again_at_once_after_a_failure(database: Database, service: Service) -> None:
    clock, service.status = Clock(), 500
    process = Process(database, clock, source(service.url))
    await process.look()
    service.status = 200
    await process.look()
    assert len(service.seen) == 1
    again = Process(database, clock, source(service.url))
    await again.look()
    assert again.knows("anna@partner.example") == [True]
    await process.sources.close()
    await again.sources.close()


async def test_of_two_processes_one_asks_and_both_know(database: Database, service: Service) -> None:
    clock, service.hold = Clock(), asyncio.Event()
    other = Database(database.path)
    first, second = (Process(each, clock, source(service.url)) for each in (database, other))
    looking = asyncio.ensure_future(first.look())
    await service.arrived.wait()
    assert await second.look() == []
    assert second.knows("anna@partner.example") == [False]
    service.hold.set()
    assert len(await looking) == 1
    assert await second.look() == []
    assert len(service.seen) == 1
    assert first.knows("anna@partner.example") == second.knows("anna@partner.example") == [True]
    for process in (first, second):
        await process.sources.close()
    other.close()


async def test_a_process_that_died_leaves_the_source_to_the_next(
    database: Database, service: Service
) -> None:
    clock = Clock()
    store, one = EntityStore(database, clock=clock), source(service.url, timeout_s=5)
    process = Process(database, clock, one)
    (key,) = process.sources._sources
    assert store.claim(one, key)
    assert await process.look() == []
    clock.now += 36
    assert len(await process.look()) == 1
    await process.sources.close()


async def test_a_fetch_that_is_cancelled_is_nobodys(database: Database, service: Service) -> None:
    service.hold = asyncio.Event()
    process = Process(database, Clock(), source(service.url))
    looking = asyncio.ensure_future(process.look())
    await service.arrived.wait()
    looking.cancel()
    await asyncio.wait([looking])
    service.hold.set()
    assert len(await process.look()) == 1
    await process.sources.close()


async def test_headers_come_from_the_environment_and_are_never_told(
    database: Database, service: Service
) -> None:
    secret = "Bearer t0p-s3cret"
    one = source(service.url, headers_env={"Authorization": "DIRECTORY"})
    process = Process(database, Clock(), one, environment={"DIRECTORY": secret + "\n"})
    process.sources.check()
    service.status = 500
    (outcome,) = await process.look()
    assert service.seen[0]["authorization"] == secret
    assert "s3cret" not in repr(outcome)
    await process.sources.close()
    without = Process(database, Clock(), one, environment={})
    with pytest.raises(ConfigError, match="DIRECTORY"):
        without.sources.check()
    assert "DIRECTORY" in (await without.look())[0].problem
    assert len(service.seen) == 1
    bad = Process(database, Clock(), one, environment={"DIRECTORY": "Bearer a\r\nX-Other: s3cret"})
    (outcome,) = await bad.look()
    assert "s3cret" not in repr(outcome)
    assert len(service.seen) == 1
    await bad.sources.close()


async def test_a_private_host_needs_leave(database: Database, service: Service) -> None:
    """A public name that stands for an address in the house is not asked."""
    with pytest.raises(ValidationError, match="use https"):
        source(service.url, private=False)
    with pytest.raises(ValidationError):
        source("https://127.0.0.1/people", private=False)
    public = source(service.url.replace("http://127.0.0.1", "https://api.example"), private=False)
    process = Process(database, Clock(), public, client=lambda rule: Egress([rule], resolver=Inward()))
    (outcome,) = await process.look()
    assert "address" in outcome.problem
    assert not service.seen
    await process.sources.close()


async def test_what_was_read_under_other_keys_does_not_count(database: Database, service: Service) -> None:
    clock = Clock()
    process = Process(database, clock, source(service.url))
    await process.look()
    other = Process(database, clock, source(service.url, fields={"emails": ["note"]}))
    assert other.knows("anna@partner.example") == [False]
    assert len(await other.look()) == 1
    assert other.knows("anna@partner.example", "x@y.example") == [False, True]
    for one in (process, other):
        await one.sources.close()


async def test_a_clock_that_was_wrong_keeps_nothing_alive(database: Database, service: Service) -> None:
    clock = Clock()
    clock.now += 10 * 86_400
    process = Process(database, clock, source(service.url))
    await process.look()
    clock.now -= 10 * 86_400
    assert process.knows("anna@partner.example") == [False]
    await process.look()
    assert process.knows("anna@partner.example") == [True]
    await process.sources.close()


async def test_sealed_content_is_not_readable(database: Database, service: Service) -> None:
    class Sealer:
        def seal(self, owner: str, plaintext: bytes, aad: bytes) -> bytes:
            return aad + bytes(byte ^ 0x55 for byte in plaintext)

        def open(self, owner: str, sealed: bytes, aad: bytes) -> bytes:
            assert sealed.startswith(aad)
            return bytes(byte ^ 0x55 for byte in sealed[len(aad) :])

    clock = Clock()
    for _ in range(2):
        sources = EntitySources(
            [source(service.url)], EntityStore(database, Sealer(), clock=clock), clock=clock
        )
        await sources.refresh(_nobody)
        assert Entities(KnownEntities(), (), sources).knows_value("anna@partner.example")
        await sources.close()
    row = database.one("SELECT content FROM entity_sources")
    assert row is not None
    assert b"partner" not in row["content"]


async def _nobody(outcome: Outcome) -> None:
    return None


async def test_decisions_beside_a_replacement_see_a_whole_answer(
    database: Database, service: Service
) -> None:
    """Each answer names two mailboxes; nobody ever sees one of them without the other being there."""
    clock, service.body = Clock(), {"email": ["0@a.example", "0@b.example"]}
    process = Process(database, clock, source(service.url, refresh_s=10))
    await process.look()
    done, torn = threading.Event(), []

    def decide() -> None:
        while not done.is_set():
            for one in process.sources.current():
                if len(one.mailboxes) != 2:
                    torn.append(one)

    deciding = threading.Thread(target=decide)
    deciding.start()
    for number in range(1, 8):
        service.body = {"email": [f"{number}@a.example", f"{number}@b.example"]}
        clock.now += 10
        await process.look()
    done.set()
    deciding.join()
    assert not torn
    await process.sources.close()


def test_settings_name_fields_and_one_plain_address() -> None:
    for wrong in (
        {"fields": {}},
        {"fields": {"emails": []}},
        {"fields": {"mails": ["email"]}},
        {"url": "https://user:word@api.example/"},
        {"url": "https://api.example/#x"},
        {"url": "https://*.example/"},
        {"url": "ftp://api.example/"},
        {"url": "https://169.254.169.254/latest"},
        {"headers_env": {"Author ization": "X"}},
        {"headers_env": {"Authorization": "Bearer secret"}},
        {"refresh_s": 1},
        {"refresh_s": 600, "max_age_s": 300},
        {"max_bytes": 10**9},
    ):
        with pytest.raises(ValidationError):
            source(**{"url": "https://api.example/people", **wrong})


def test_hosts_and_domains_are_plain_names() -> None:
    fields = EntityFields(hosts=frozenset({"h"}), email_domains=frozenset({"d"}))
    text = json.dumps(
        {
            "h": ["shop.example", "*.shop.example", "*", "*.com", "https://evil.example/", ""],
            "d": ["partner.example", "a@gmail.example", "*.example", " "],
        }
    )
    entities = Entities(KnownEntities(), (), _Fixed(compared(read_document(text, fields, 10_000))))
    assert entities.knows_host("shop.example")
    assert entities.knows_value("x@partner.example")
    for value in ("a.shop.example", "evil.example", "x@gmail.example", "x@sub.partner.example", "a.com"):
        assert not entities.knows_value(value)


class _Fixed:
    def __init__(self, *sets: Any) -> None:
        self._sets = sets

    def current(self) -> Any:
        return self._sets


_TEXTS = st.text("ab@. /*", max_size=8) | st.sampled_from(
    ["a@b.example", "b.example", "*.b.example", "DE 12", "https://b.example/x"]
)
_JSON = st.recursive(
    _TEXTS | st.integers(-9, 99) | st.none() | st.booleans(),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.sampled_from(["email", "iban", "login", "host", "other"]), inner, max_size=4)
    ),
    max_leaves=12,
)


@given(_JSON, _TEXTS)
def test_what_the_source_does_not_name_is_not_known(document: Any, value: str) -> None:
    fields = EntityFields.model_validate(FIELDS)
    named = read_document(json.dumps(document), fields, 10_000)
    entities = Entities(KnownEntities(), (), _Fixed(compared(named)))
    said = {_bare(text) for text in _below_keys(document, inside=False)}
    if entities.knows_value(value):
        # Several addresses in one value are known when each is; a page is where its host is.
        pieces = {_bare(piece) for piece in value.replace("https://", " ").replace("/x", " ").split()}
        assert _bare(value) in said or pieces <= said


def _below_keys(value: Any, *, inside: bool) -> Iterator[str]:
    """All that stands anywhere below a key that the settings name: more than what is read."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from [key] if inside else []
            yield from _below_keys(inner, inside=inside or key != "other")
    elif isinstance(value, list):
        for inner in value:
            yield from _below_keys(inner, inside=inside)
    elif inside:
        yield str(value)


def _bare(text: str) -> str:
    return "".join(text.split()).casefold().strip(".")


def test_the_bound_of_entities_is_for_all_kinds_together() -> None:
    fields = EntityFields.model_validate({"emails": ["e"], "names": ["n"]})
    half = MAX_ENTITIES // 2
    fits = {"e": list(range(half)), "n": list(range(half))}
    assert len(read_document(json.dumps(fits), fields, 10**7)["names"]) == half
    with pytest.raises(ValueError, match="more than"):
        read_document(json.dumps({**fits, "n": list(range(half + 1))}), fields, 10**7)
