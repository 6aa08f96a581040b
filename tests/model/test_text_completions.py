"""Answers of servers that tell how likely a given text is, in the shapes that their documentation shows."""

import json
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ringwall.boundaries.model.provider import ProviderError
from ringwall.boundaries.model.text_completions import token_losses

TEXT = "Dana's PIN is 4711 \u00fcber all"
TOKENS = ["Dana", "'s", " PIN", " is", " ", "47", "11", " \u00fcber", " all"]


class Server:
    """``kind``: ``echo`` as OpenAI had it; ``marked``: vLLM with ``echo``, whose tokens begin with the mark
    of the beginning; ``bare``: tokens decoded one by one without their blanks; ``tables``: vLLM's
    ``prompt_logprobs`` alone; ``bytes``: tokens that are parts of a character; ``none``: neither."""

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self.asked: list[Mapping[str, Any]] = []

    async def completions(self, body: Mapping[str, Any]) -> bytes:
        self.asked.append(body)
        if self.kind == "strict" or (self.kind == "tables" and "echo" in body):
            raise ProviderError("no such parameter", 400, code="bad_request")
        choice: dict[str, Any] = {"index": 0, "text": " END", "finish_reason": "length", "logprobs": None}
        told = [*zip(self.tokens(), [None, *range(-1, -99, -1)], strict=False)]
        if self.kind == "tables" and "prompt_logprobs" in body:
            choice["prompt_logprobs"] = [
                None if value is None else self.table(at, token, value)
                for at, (token, value) in enumerate(told)
            ]
        elif self.kind not in ("none", "tables") and body.get("echo"):
            names, values = zip(*told, (" END", -0.5), strict=True)
            choice |= {"text": body["prompt"] + " END"}
            choice["logprobs"] = {"tokens": names, "token_logprobs": values, "text_offset": [0] * len(names)}
        return json.dumps({"id": "cmpl-1", "object": "text_completion", "choices": [choice]}).encode()

    def tokens(self) -> list[str]:
        if self.kind in ("marked", "tables"):
            return ["<|begin_of_text|>", *TOKENS]
        if self.kind == "bare":
            return ["<s>", *(token.strip() for token in TOKENS)]
        if self.kind == "bytes":
            return [*TOKENS[:7], " ", "\ufffd", "\ufffd", "ber", " all"]
        return TOKENS

    @staticmethod
    def table(at: int, token: str, value: float) -> dict[str, Any]:
        return {
            str(100 + at): {"logprob": value, "rank": 3, "decoded_token": token},
            "7": {"logprob": -0.1, "rank": 1, "decoded_token": " other"},
        }


@pytest.mark.parametrize("kind", ["echo", "marked", "bare", "tables", "bytes"])
async def test_each_token_is_found_in_the_text(kind: str) -> None:
    losses = await token_losses(Server(kind), "m", TEXT)
    assert losses is not None
    secret = TEXT.index("4711")
    told = [one.loss for one in losses if secret < one.end <= secret + 4 and one.start <= secret + 2]
    first = {"echo": 4, "bytes": 4}.get(kind, 5)  # a mark at the beginning is a token of its own
    digits = [one for one in told if one in (first + 1, first + 2)]
    assert digits == [first + 1, first + 2]
    assert all(0 <= one.start <= one.end <= len(TEXT) for one in losses)
    assert losses[-1].end == len(TEXT)


@pytest.mark.parametrize("kind", ["none", "strict"])
async def test_who_does_not_tell(kind: str) -> None:
    server = Server(kind)
    assert await token_losses(server, "m", TEXT) is None
    assert ["echo" in body for body in server.asked] == [True, False]
    assert server.asked[1]["prompt_logprobs"] == 1


async def test_tokens_of_another_text_tell_nothing() -> None:
    assert await token_losses(Server("echo"), "m", "Something else altogether that is longer") is None


@settings(max_examples=60, deadline=None)
@given(st.text("ab \n\u00fc\u4e16", min_size=1, max_size=40), st.lists(st.integers(1, 5), max_size=40))
async def test_any_cut_of_any_text_is_placed_whole(text: str, sizes: list[int]) -> None:
    cuts, at = [], 0
    for size in [*sizes, len(text)]:
        if at < len(text):
            cuts.append(text[at : at + size])
            at += size

    class Cut(Server):
        def tokens(self) -> list[str]:
            return cuts

    losses = await token_losses(Cut("echo"), "m", text)
    assert losses is not None
    assert len(losses) == len(cuts) - 1
    assert "".join(text[one.start : one.end] for one in losses) == text[len(cuts[0]) :]
