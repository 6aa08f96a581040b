from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringwall.boundaries.data import Access, Chunk, Document, retrieval
from ringwall.boundaries.data.corroboration import SINGLE, Corroboration, CorroborationSettings, voices
from ringwall.boundaries.interface.sources import SINGLE_SOURCE, single_source
from ringwall.core import Action, Principal, Verdict, untrusted

CASEY = Principal("casey", "north", frozenset({"customer"}), credential="k")
TEXTS = (
    "Returns are possible for thirty days after the parcel arrived at your door.",
    "A lamp that was bought from us may be sent back within a month of its arrival.",
    "Refunds are paid to the card that was used, three working days after we have the lamp.",
    "For repairs, ask the workshop for a label; it is free within the warranty.",
)


def chunks(*contributors: str, texts: tuple[str, ...] = TEXTS) -> list[Chunk]:
    return [
        Chunk("handbook", f"page-{at}", 1, 0, "Page", texts[at], 1.0, untrusted("document:x"), Access(), name)
        for at, name in enumerate(contributors)
    ]  # fmt: skip


def judged(found: list[Chunk], **kept: object) -> Verdict:
    return Corroboration(CorroborationSettings.model_validate(kept)).inspect(retrieval(CASEY, found))


def test_two_contributors_bear_each_other_out() -> None:
    assert judged(chunks("eddy", "robin")).action is Action.ALLOW


@pytest.mark.parametrize("names", [("eddy",), ("eddy", "eddy", "eddy"), ("", "")])
def test_one_contributor_is_marked_on_every_passage(names: tuple[str, ...]) -> None:
    found = judged(chunks(*names))
    assert found.action is Action.ANNOTATE
    assert [(one.rule, one.part) for one in found.findings] == [(SINGLE, at) for at in range(len(names))]
    assert not found.edits


def test_what_hardly_touches_the_question_bears_nothing_out() -> None:
    ranked = zip(chunks("eddy", "robin", "steward"), (1, 0.4, 0.3), strict=True)
    found = [replace(one, score=score) for one, score in ranked]
    single = judged(found)
    assert single.action is Action.ANNOTATE and [one.part for one in single.findings] == [0]
    assert judged(found, near=0.35).action is Action.ALLOW
    assert judged(found, near=0).action is Action.ALLOW
    assert judged([replace(one, score=0.0) for one in found]).action is Action.ALLOW


def test_copies_and_one_document_are_one_voice() -> None:
    copied = chunks("eddy", "robin", texts=(TEXTS[0], TEXTS[0] + " Truly."))
    assert judged(copied).action is Action.ANNOTATE
    one = [replace(chunk, document="page", ordinal=at) for at, chunk in enumerate(chunks("eddy", "robin"))]
    assert judged(one).action is Action.ANNOTATE


def test_a_trusted_contributor_needs_nobody() -> None:
    assert judged(chunks("steward")).action is Action.ALLOW
    assert judged(chunks("steward"), trusted=[]).action is Action.ANNOTATE
    assert judged(chunks("legal", "legal"), trusted=["legal"]).action is Action.ALLOW


def test_it_may_drop_or_block() -> None:
    dropped = judged(chunks("eddy", "eddy"), single="drop")
    assert dropped.action is Action.TRANSFORM and {one.part for one in dropped.edits if one.drop} == {0, 1}
    assert judged(chunks("eddy", "eddy"), single="block").action is Action.BLOCK


def test_a_document_asked_for_by_its_name_needs_nobody() -> None:
    read = retrieval(CASEY, chunks("eddy", "eddy"))
    strict = Corroboration(CorroborationSettings(single="block", max_share=0.1))
    assert strict.inspect(read).action is Action.BLOCK
    assert strict.inspect(replace(read, context={"query_chars": 0})).action is Action.ALLOW


def test_the_last_of_too_many_passages_are_dropped() -> None:
    found = judged(chunks("eddy", "robin", "eddy", "eddy"), max_share=0.5)
    assert [(edit.part, edit.drop) for edit in found.edits] == [(3, True)]
    assert (
        judged(chunks("eddy", "robin", "eddy", "eddy"), max_share=0.5, excess="annotate").action
        is Action.ANNOTATE
    )
    assert judged(chunks("robin", "steward", "steward", "steward"), max_share=0.5).action is Action.ALLOW
    assert judged(chunks("eddy", "robin"), max_share=0.01).action is Action.ALLOW


@given(st.lists(st.sampled_from(["a", "b", "c", ""]), max_size=4))
def test_voices_are_never_more_than_contributors(names: list[str]) -> None:
    found = retrieval(CASEY, chunks(*names)).parts
    assert voices(found) == len(set(names))


def test_the_answer_is_told() -> None:
    assert SINGLE_SOURCE == SINGLE
    assert single_source([{"notes": [SINGLE]}, {"notes": [SINGLE, "instruction"]}])
    for other in ([{}, {"notes": [SINGLE]}], [], None, [{"notes": 5}], [7], "x"):
        assert not single_source(other)
    mixed = [{"notes": [SINGLE]}, {}]
    assert single_source(mixed) and single_source(mixed, "Ninety years [1]. [9]")
    assert not single_source(mixed, "Three years [2].") and not single_source(mixed, "Either [1] or [2].")


def test_the_index_says_who_contributed(stores, section) -> None:  # type: ignore[no-untyped-def]
    document = Document(
        "handbook", "lamps", "Lamps", "The lamp Fjell is blue.", "lamps.md", "eddy", 1, Access()
    )
    stores.vault.commit("handbook", add=[document], author="eddy", note="added")
    (found,) = stores.index.search(CASEY, ["handbook"], "Fjell")
    assert found.contributor == "eddy"
    assert retrieval(CASEY, [found]).parts[0].data["contributor"] == "eddy"
