"""What an application is for: by meaning where the extra is there, by words without it."""

import pytest

from ringwall.boundaries.interface import topic
from ringwall.boundaries.interface.purpose import PurposeSettings
from ringwall.boundaries.interface.topic import Topic
from ringwall.core import MODEL, USER, Action, ConfigError, Crossing, CrossingKind, Part, PartKind, Principal
from ringwall.detect import embed

PURPOSE = {
    "allowed": [
        "questions on lamps and lighting",
        "orders, delivery and shipping of the shop",
        "returns, refunds, repairs and warranty",
        "invoices, payment, gift cards, sales and prices",
        "accounts and passwords of the shop",
    ],
    "denied": ["medical advice", "investment advice"],
    "examples": [
        "How long may I return a lamp?",
        "Where is my order B-2041?",
        "How do I clean a paper lampshade?",
        "Which bulb replaces 60 watt?",
        "I forgot my password.",
    ],
}
meaning = pytest.mark.skipif(not embed.available(), reason="the extra `embeddings` is not installed")


def made(engine, **more):
    return Topic(PurposeSettings(**{**PURPOSE, "engine": engine, **more}), "assistant")


def ask(control, *texts, session="s"):
    parts = [Part(PartKind.TEXT, text, USER, "user") for text in texts]
    answers = [Part(PartKind.TEXT, "Yes.", MODEL, "assistant")] * len(parts)
    both = [part for pair in zip(parts, answers, strict=True) for part in pair][:-1]
    return control.inspect(
        Crossing(CrossingKind.REQUEST, Principal("casey"), tuple(both), "assistant", session)
    )


WELCOME = [
    ("How long may I return a lamp that I bought last week?",),
    ("Act as a lighting designer and suggest three lamps for a small reading corner.",),
    ("Refund 150 euros for order B-2041, it arrived scratched.",),
    ("How do I reach support?",),
    ("Hi",),
    ("Hello there, how are you?",),
    ("Thank you so much, have a nice day!",),
    ("ok",),
    ("Do you have floor lamps?", "and the blue one?"),
    ("Do you have floor lamps?", "And how tall is it?"),
    ("Where is my order B-2041?", "Why is that?"),
    ("Wie lange habe ich Garantie auf die Stehlampe?",),
    ("```\nimport os\nprint(os.getcwd())\n```",),
    ("",),
]
ELSEWHERE = [
    ("What is the capital of France?",),
    ("Write a Python function that sorts a list.",),
    ("Who should I vote for in the election?",),
    ("Do you have floor lamps?", "What about the capital of France?"),
    ("Do you have floor lamps?", "And write me a poem about the sea."),
]


@meaning
def test_by_meaning():
    control = made("embeddings", off_topic="block")
    assert 0.15 <= control.judge.threshold <= 0.45
    for texts in WELCOME:
        assert ask(control, *texts).action is Action.ALLOW, texts
    for texts in ELSEWHERE:
        given = ask(control, *texts, session=texts[-1])
        assert given.action is Action.BLOCK, texts
        assert given.findings[0].rule == "off-topic (embeddings)"
    denied = ask(control, "Should I buy or sell shares of the lamp maker?")
    assert denied.findings[0].rule == "denied (embeddings)"


@meaning
def test_what_was_stopped_does_not_reach_the_model_later():
    control = made("embeddings", off_topic="block")
    ask(control, "What is the capital of France?")
    later = ask(control, "What is the capital of France?", "Do you have floor lamps?")
    assert later.action is Action.TRANSFORM
    assert [edit.part for edit in later.edits] == [0]


@meaning
def test_a_general_subject_that_is_the_workloads_own_is_welcome():
    purpose = PurposeSettings(allowed=("recipes and cooking",), off_topic="block", engine="embeddings")
    assert ask(Topic(purpose), "Give me a recipe for a quick dinner.").action is Action.ALLOW


def test_by_words_nothing_but_the_denied_is_stopped():
    control = made("words", off_topic="block")
    for texts in WELCOME:
        assert ask(control, *texts).action is Action.ALLOW, texts
    given = ask(control, "Write a Python function that sorts a list.")
    assert given.action is Action.ANNOTATE
    assert "Judged by words" in given.findings[0].message
    assert ask(control, "I need your medical advice on my headache.").action is Action.BLOCK
    assert "Judged by words." in control.declaration.summary


def test_which_one_runs_is_said(monkeypatch, caplog):
    topic._said.cache_clear()
    monkeypatch.setattr(topic, "available", lambda: False)
    assert made("auto").judge.name == "words"
    assert "judged by words" in caplog.text
    monkeypatch.setattr(embed, "_find", lambda places: None)
    embed.embedder.cache_clear()
    with pytest.raises(ConfigError, match=r"ringwall\[embeddings\]"):
        made("embeddings")
    embed.embedder.cache_clear()


def test_without_a_purpose_everything_is_welcome():
    assert ask(Topic(PurposeSettings()), "What is the capital of France?").action is Action.ALLOW
