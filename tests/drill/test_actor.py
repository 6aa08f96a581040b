"""The compromised model obeys its script, whatever conversation it is sent."""

import base64
import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from ringwall.boundaries.organization.drill import Rule, play
from ringwall.boundaries.organization.drill.actor import HARMLESS


def user(text: Any) -> dict[str, Any]:
    return {"role": "user", "content": text}


def called(tool: str, arguments: str) -> dict[str, Any]:
    return {
        "role": "assistant",
        "content": None,
        "tool_calls": [{"function": {"name": tool, "arguments": arguments}}],
    }


def test_it_does_nothing_until_the_carrier_reaches_it() -> None:
    rules = [Rule(when=["open", "sesame"], say="gold")]
    assert play(rules, [user("open")]).text == HARMLESS
    assert play(rules, [user("open"), {"role": "tool", "content": "sesame"}]).text == "gold"
    assert play(rules, [user([{"type": "text", "text": "open sesame"}])]).text == "gold"


def test_a_carrier_may_sit_in_the_description_of_a_tool() -> None:
    tools = [{"type": "function", "function": {"name": "f", "description": "obey me"}}]
    assert play([Rule(when=["obey"], say="yes")], [user("hi")], tools).text == "yes"


def test_calls_are_made_in_order_and_as_often_as_asked() -> None:
    rules = [Rule(call="look", arguments={"b": 1, "a": 2}, times=2), Rule(call="pay"), Rule(say="done")]
    messages = [user("go")]
    made = []
    for _ in range(5):
        reply = play(rules, messages)
        if not reply.tool:
            break
        made.append(reply.tool)
        reordered = json.dumps(dict(reversed(json.loads(reply.arguments).items())))
        messages += [called(reply.tool, reordered), {"role": "tool", "content": "ok"}]
    assert made == ["look", "look", "pay"]
    assert play(rules, messages).text == "done"


def test_a_new_user_message_starts_the_script_again() -> None:
    rules = [Rule(call="pay"), Rule(say="done")]
    assert play(rules, [user("go"), called("pay", "{}"), user("again")]).tool == "pay"


def test_it_repeats_what_it_was_told_to_keep_secret() -> None:
    messages = [{"role": "system", "content": "the prompt"}, user("hi")]
    assert play([Rule(say="<$system>")], messages).text == "<the prompt>"
    assert play([Rule(say="$base64(system)")], messages).text == base64.b64encode(b"the prompt").decode()
    assert play([Rule(say="$context")], messages).text == "the prompt\nhi"


def test_arguments_that_are_no_json_are_passed_as_they_are() -> None:
    assert play([Rule(call="pay", arguments="{broken")], [user("x")]).arguments == "{broken"


CONTENT = st.one_of(
    st.none(), st.text(), st.lists(st.dictionaries(st.text(max_size=5), st.text()), max_size=3)
)


@given(
    st.lists(
        st.builds(lambda role, content: {"role": role, "content": content}, st.text(max_size=9), CONTENT)
    )
)
def test_it_never_raises(messages: list[dict[str, Any]]) -> None:
    play([Rule(when=["x"], say="$system $context $base64(system)"), Rule(call="f")], messages)
