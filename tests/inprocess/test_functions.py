"""Every kind of function, every way to call it."""

import asyncio
import enum
import functools
import inspect
import json
import threading
import typing
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Annotated, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel, Field, SecretStr

from ringwall import Ringwall
from ringwall.boundaries.application.registry import ToolRegistry
from ringwall.boundaries.application.settings import ToolSettings
from ringwall.core import ConfigError
from ringwall.inprocess import NoSessionError, Refusal, ToolFault
from ringwall.inprocess.grant import apart
from ringwall.inprocess.signature import Shape, as_json, plain
from ringwall.ledger import verify


class Colour(enum.StrEnum):
    RED = "red"


class Address(BaseModel):
    street: str
    number: int = Field(ge=1)


class Order(BaseModel):
    address: Address
    colour: Colour = Colour.RED


def takes_anything(first, second=2, *rest, third=None, principal, **more):
    return {
        "first": first,
        "second": second,
        "rest": rest,
        "third": third,
        "principal": principal,
        "more": more,
    }


TAKES_ANYTHING = Shape.of(takes_anything, "takes_anything", frozenset())


@pytest.fixture
def told(session):
    """A session in which the user has named what the calls below use."""
    session.user("Use Main Street 7, the names alpha, beta, gamma, and the numbers 4711 and 4712.")
    with session:
        yield session


def inside(text: str) -> str:
    """A result without its marks."""
    return text.split("\n", 1)[1].rsplit("\n", 1)[0] if text.startswith("[data ") else text


def test_it_looks_like_the_function(wall):
    @wall.guard_tool(effect="read")
    def described(
        name: str, amount: "Annotated[int, Field(ge=1)]" = 2, *, colour: Colour = Colour.RED
    ) -> bool:
        """Says what it does."""
        return True

    assert described.__name__ == "described"
    assert described.__doc__ == "Says what it does."
    assert described.__module__ == __name__
    parameters = inspect.signature(described).parameters
    assert list(parameters) == ["name", "amount", "colour"]
    assert typing.get_type_hints(described)["colour"] is Colour
    assert not hasattr(described, "__wrapped__")
    assert inspect.unwrap(described) is described


def test_a_manifest_from_the_signature(wall):
    @wall.guard_tool(effect="write", target=["order"])
    def place(order: Order, note: str = "", *tags: str, **more: int) -> None:
        """Place an order."""

    manifest = place.__ringwall_tool__.manifest
    assert (manifest.effect, manifest.settings.target) == ("write", ("order",))
    schema = manifest.parameters
    assert schema["required"] == ["order"]
    assert schema["properties"]["order"]["properties"]["address"]["properties"]["number"]["minimum"] == 1
    assert schema["additionalProperties"] is True
    assert "$ref" not in json.dumps(schema)


def test_a_manifest_of_arguments_with_awkward_names(wall):
    class Default(BaseModel):
        title: str
        default: Address

    @wall.guard_tool(effect="write")
    def awkward(default: Default, title: str, model_config: int, properties: list[Default]) -> None:
        """Names that schemas use themselves."""

    properties = awkward.__ringwall_tool__.manifest.parameters["properties"]
    assert set(properties) == {"default", "title", "model_config", "properties"}
    assert properties["default"]["properties"]["default"]["properties"]["street"] == {"type": "string"}
    assert properties["properties"]["items"]["properties"]["title"] == {"type": "string"}


def test_what_a_person_amends_arrives_as_its_type():
    shape = TAKES_ANYTHING
    given = shape.bound(
        (1, [2]), {"third": "x"}, {"first": True, "more": 1.0, "new": None}, {"principal": "casey"}
    )
    arrived = takes_anything(*given.args, **given.kwargs)
    assert arrived["first"] is True
    assert (arrived["second"], arrived["third"]) == (2, None)  # left out: the function's own
    assert arrived["more"] == {"more": 1.0, "new": None}


def test_models_rest_and_keywords_arrive_as_they_were(wall, told):
    seen: list[Any] = []

    @wall.guard_tool(effect="read")
    def place_all(order: Order, *tags: str, colour: Colour = Colour.RED, **more: int) -> str:
        seen.extend([order, tags, colour, more])
        return "done"

    order = Order(address=Address(street="Main Street", number=7))
    assert inside(place_all(order, "alpha", "beta", gamma=4711)) == "done"
    assert seen == [order, ("alpha", "beta"), Colour.RED, {"gamma": 4711}]
    assert seen[0] is not order


def test_an_object_that_holds_more_than_it_says(wall, told):
    """What is not in its JSON was not judged, so it does not arrive."""

    class Letter(BaseModel):
        to: SecretStr
        copy_to: str = Field(default="", exclude=True)

    seen: list[Letter] = []

    @wall.guard_tool(effect="read")
    def write_letter(letter: Letter) -> str:
        seen.append(letter)
        return "done"

    write_letter(Letter(to=SecretStr("mallory@evil.example"), copy_to="mallory@evil.example"))
    assert [letter for letter in seen if "mallory" in letter.to.get_secret_value() + letter.copy_to] == []


def test_arguments_outside_of_the_schema_are_the_models_mistake(wall, told):
    @wall.guard_tool(effect="read")
    def count(name: str, amount: Annotated[int, Field(ge=1)]) -> str:
        raise AssertionError("never called")

    for args, kwargs in (
        ((), {"name": "alpha"}),
        (("alpha", 0), {}),
        (("alpha", 1, 2), {}),
        ((), {"name": "alpha", "amount": 1, "more": 1}),
        ((), {"name": "alpha", "amount": float("nan")}),
        ((), {"name": "\ud800", "amount": 1}),
        ((), {"name": ["alpha"], "amount": 1}),
    ):
        refused = count(*args, **kwargs)
        assert isinstance(refused, Refusal), (args, kwargs)
        assert "Correct the arguments" in refused


def test_what_the_program_gives_is_not_judged_and_what_a_model_could_write_is(wall, told):
    class Connection:
        pass

    @wall.guard_tool(effect="read", given=["connection"])
    def search(connection: Any, name: str) -> str:
        return type(connection).__name__

    assert "connection" not in search.__ringwall_tool__.manifest.parameters["properties"]
    assert inside(search(Connection(), "alpha")) == "Connection"
    assert isinstance(search("postgres://mallory@evil.example", "alpha"), Refusal)
    assert isinstance(search(name="alpha", connection={"host": "evil.example"}), Refusal)


def test_the_tool_learns_for_whom_it_works(wall, told):
    @wall.guard_tool(effect="read")
    def mine(first: str, principal: Any, *rest: str) -> str:
        return f"{first} {rest} of {principal.subject}"

    assert list(inspect.signature(mine).parameters) == ["first", "rest"]
    assert inside(mine("alpha", "beta")) == "alpha ('beta',) of casey"
    assert inside(mine(first="alpha")) == "alpha () of casey"
    assert isinstance(mine(first="alpha", principal="morgan"), Refusal)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats(-1e6, 1e6) | st.text(max_size=12),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
NAMES = st.sampled_from(["first", "second", "rest", "third", "principal", "more", "Ärger", "self", "a b"])


@given(st.lists(JSON, max_size=4), st.dictionaries(NAMES, JSON, max_size=4))
@settings(max_examples=100, deadline=None)
def test_what_is_judged_is_what_arrives(args, kwargs):
    shape = TAKES_ANYTHING
    try:
        judged = plain(shape.named(tuple(args), kwargs))
    except TypeError:
        return  # as Python would
    bound = shape.bound(tuple(args), kwargs, json.loads(as_json(judged)), {"principal": "casey"})
    arrived = takes_anything(*bound.args, **bound.kwargs)
    assert arrived["principal"] == "casey"
    seen = {name: arrived[name] for name in ("first", "second", "third")} | arrived["more"]
    expected = {"second": 2, "third": None} | judged
    assert list(arrived["rest"]) == expected.pop("rest", [])
    assert seen == expected


def test_async_functions_and_generators(wall, told):
    @wall.guard_tool(effect="read")
    async def fetch(name: str) -> str:
        await asyncio.sleep(0)
        return name

    @wall.guard_tool(effect="read")
    def lines(name: str) -> Iterator[str]:
        yield from (name, " and ", name)

    @wall.guard_tool(effect="read")
    async def rows(name: str) -> AsyncIterator[dict[str, str]]:
        yield {"name": name}
        yield {"name": name}

    class Callable_:
        async def __call__(self, name: str) -> str:
            return name

    assert inspect.iscoroutinefunction(fetch)
    assert inside(asyncio.run(fetch("alpha"))) == "alpha"
    assert inside(lines("alpha")) == "alpha and alpha"
    assert json.loads(inside(asyncio.run(rows("alpha")))) == [{"name": "alpha"}] * 2
    made = wall.guard_tool(Callable_(), name="made", effect="read")
    assert inside(asyncio.run(made("alpha"))) == "alpha"
    half = wall.guard_tool(functools.partial(Callable_.__call__, Callable_()), name="half", effect="read")
    assert inside(asyncio.run(half("alpha"))) == "alpha"


def test_a_sync_function_that_returns_an_awaitable_is_not_run_unseen(wall, told):
    async def later() -> str:
        return "x"

    @wall.guard_tool(effect="read")
    def sly(name: str) -> Any:
        return later()

    with pytest.raises(TypeError, match="async def"):
        sly("alpha")


async def test_a_sync_tool_inside_a_running_loop(wall, session, shop):
    send = wall.guard_tool(shop.send_email)
    with session:
        await session.auser("Write to dana@client.example.")
        assert "sent" in send("dana@client.example", "1")
        assert "sent" in await asyncio.to_thread(send, "dana@client.example", "2")
    assert len(shop.sent) == 2


async def test_tasks_keep_their_sessions_apart(wall):
    @wall.guard_tool(effect="send", target=["to"])
    async def post(to: str) -> str:
        await asyncio.sleep(0.001)
        return to

    async def one(number: int) -> tuple[bool, bool]:
        with wall.session(wall.principal(f"casey{number}", roles=["clerk"])) as session:
            await session.auser(f"Write to dana{number}@client.example.")
            await asyncio.sleep(0)
            own, other = await asyncio.gather(
                post(f"dana{number}@client.example"), post(f"dana{number + 1}@client.example")
            )
            return isinstance(own, Refusal), isinstance(other, Refusal)

    assert await asyncio.gather(*(one(number) for number in range(8))) == [(False, True)] * 8


def test_threads_keep_their_sessions_apart(wall, shop):
    send = wall.guard_tool(shop.send_email)

    def one(number: int) -> tuple[bool, bool]:
        with wall.session(wall.principal(f"robin{number}", roles=["clerk"])) as session:
            session.user(f"Write to dana{number}@client.example.")
            return (
                isinstance(send(f"dana{number}@client.example", "x"), Refusal),
                isinstance(send(f"dana{number + 1}@client.example", "x"), Refusal),
            )

    with ThreadPoolExecutor(6) as threads:
        assert list(threads.map(one, range(12))) == [(False, True)] * 12
    assert sorted({to for to, _ in shop.sent}) == sorted(
        f"dana{number}@client.example" for number in range(12)
    )


def test_a_bare_thread_has_no_session_but_a_bound_tool_has(wall, session, shop):
    free, bound = wall.guard_tool(shop.send_email), session.guard_tool(shop.send_email)
    results: list[object] = []

    def work(tool: Any) -> None:
        try:
            results.append(tool("dana@client.example", "x"))
        except NoSessionError as error:
            results.append(error)

    with session:
        session.user("Write to dana@client.example.")
        for tool in (free, bound):
            thread = threading.Thread(target=work, args=(tool,))
            thread.start()
            thread.join()
    assert isinstance(results[0], NoSessionError)
    assert "sent" in str(results[1])


def test_calls_at_the_same_time_in_one_session(wall, session, events):
    @wall.guard_tool(effect="read")
    def look(number: int) -> str:
        return f"row {number}"

    def one(number: int) -> str:
        with session:
            return inside(look(number))

    session.user("Look at all rows.")
    with ThreadPoolExecutor(8) as threads:
        assert list(threads.map(one, range(24))) == [f"row {number}" for number in range(24)]
    kinds = [event.get("kind") or event["type"] for event in events(session)]
    assert {kind: kinds.count(kind) for kind in set(kinds)} == {
        "request": 1, "tool_call": 24, "tool.called": 24, "tool_result": 24,
    }  # fmt: skip


def test_exceptions_pass_and_what_they_say_is_seen(wall, told, secret):
    class OutOfPaper(Exception):
        pass

    @wall.guard_tool(effect="read")
    def printer(name: str) -> str:
        raise OutOfPaper(f"no paper for {name}: ask helper@evil.example")

    @wall.guard_tool(effect="read")
    async def leaky(name: str) -> str:
        raise OutOfPaper(f"bad key {secret}")

    with pytest.raises(OutOfPaper, match="no paper for alpha"):
        printer("alpha")
    with pytest.raises(ToolFault) as fault:
        asyncio.run(leaky("alpha"))
    assert secret not in str(fault.value)
    assert fault.value.__cause__ is None

    @wall.guard_tool(effect="send", target=["to"])
    def tell(to: str) -> str:
        raise AssertionError("the address came from an error's text")

    assert isinstance(tell("helper@evil.example"), Refusal)


async def test_a_cancelled_call_is_cancelled(wall, told):
    started = asyncio.Event()

    @wall.guard_tool(effect="read")
    async def slow(name: str) -> str:
        started.set()
        await asyncio.sleep(60)
        return name

    task = asyncio.create_task(slow("alpha"))
    await started.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


def test_mistakes_of_the_program(wall, shop):
    def unknown(name: str) -> str:
        return name

    def lookup(customer: str) -> str:
        return customer

    def pay(iban: str, amount: float, urgent: bool) -> str:
        return iban

    def odd(thing: threading.Thread) -> str:
        return ""

    class Endless(BaseModel):
        inner: "list[Endless]"

    def endless(thing: Endless) -> str:
        return ""

    Endless.model_rebuild(_types_namespace={"Endless": Endless})
    for function, facts, problem in (
        (unknown, {}, "give its effect"),
        (unknown, {"effect": "explode"}, "effect"),
        (unknown, {"effect": "read", "targets": ["name"]}, "targets"),
        (lookup, {}, "does not require customer"),
        (pay, {}, "does not require urgent"),
        (shop.send_email, {"effect": "read"}, "leave out effect"),
        (odd, {"effect": "read"}, "given"),
        (endless, {"effect": "read"}, "without end"),
    ):
        with pytest.raises(ConfigError, match=problem):
            wall.guard_tool(function, **facts)
    with pytest.raises(ConfigError, match="no parameter 'context'"):
        wall.guard_tool(unknown, effect="read", given=["context"])


def test_a_name_means_one_tool(wall):
    def twice(name: str) -> str:
        """One."""
        return name

    def other(name: str) -> str:
        """Another."""
        return name

    wall.guard_tool(twice, effect="read")
    wall.guard_tool(twice, effect="read")
    with pytest.raises(ConfigError, match="declared differently"):
        wall.guard_tool(other, name="twice", effect="send")


def test_a_tool_that_the_application_does_not_list(workload, tmp_path):
    def pay(iban: str, amount: float) -> str:
        return iban

    made = Ringwall(workload, application="other", data_dir=tmp_path)
    with made, pytest.raises(ConfigError, match="does not list"):
        made.guard_tool(pay)


def test_the_end(workload, tmp_path, shop):
    made = Ringwall(workload, application="assistant", data_dir=tmp_path)
    send = made.guard_tool(shop.send_email)
    session = made.session(made.principal("casey", roles=["clerk"]))
    made.close()
    made.close()
    with session, pytest.raises(RuntimeError, match="closed"):
        send("dana@shop.example", "x")
    assert shop.sent == []
    with pytest.raises(ConfigError, match="no application"):
        Ringwall(workload, application="nobody", data_dir=tmp_path)


def test_two_processes_on_one_data_directory(wall, workload, data_dir, session, shop):
    """Another wall stands for another process: it shares nothing but the directory."""
    send = wall.guard_tool(shop.send_email)
    with Ringwall(workload, application="assistant", data_dir=data_dir) as other, session:
        session.result("read_inbox", shop.inbox)
        held = send("mallory@evil.example", "Orders")
        other.holds.approve(held.hold, other.principal("morgan", roles=["manager"]))
        with ThreadPoolExecutor(4) as threads:
            made = list(threads.map(lambda number: speak(other, number), range(8)))
        assert all(made)
        assert "sent" in send("mallory@evil.example", "Orders")
    assert verify(data_dir).ok


def speak(wall: Any, number: int) -> bool:
    return bool(wall.session(wall.principal(f"kim{number}", roles=["clerk"])).user("Hello there."))


def test_an_argument_that_may_be_anything_has_no_default():
    anything = {"type": "object", "properties": {"x": True}}
    tool = ToolRegistry.of({"t": ToolSettings(parameters=anything)}).get("t")
    assert apart('{"x": 1}', tool) == ('{"x": 1}', {})
