import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ringwall.boundaries.model.sse import EventParser, SseError

ENDS = st.sampled_from([b"\n", b"\r\n", b"\r"])
DATA = st.binary(max_size=12).map(lambda raw: raw.replace(b"\r", b"").replace(b"\n", b""))


def feed(stream: bytes, cuts: list[int], parser: EventParser | None = None) -> list[bytes]:
    parser = parser or EventParser()
    out: list[bytes] = []
    at = 0
    for cut in [*sorted(cut % (len(stream) + 1) for cut in cuts), len(stream)]:
        out += parser.feed(stream[at:cut])
        at = cut
    return out


@given(
    st.lists(st.tuples(st.lists(DATA, min_size=1, max_size=3), st.binary(max_size=3)), max_size=6),
    ENDS,
    st.booleans(),
    st.lists(st.integers(0, 1000), max_size=12),
)
@settings(max_examples=100, deadline=None)
def test_the_events_are_the_same_however_the_bytes_are_cut(
    events: list[tuple[list[bytes], bytes]], end: bytes, bom: bool, cuts: list[int]
) -> None:
    stream = b"\xef\xbb\xbf" if bom else b""
    for lines, noise in events:
        stream += b": " + noise.replace(b"\r", b"").replace(b"\n", b"") + end + b"event: x" + end
        stream += b"".join(b"data: " + line + end for line in lines) + end
    expected = [b"\n".join(lines) for lines, _ in events]
    assert feed(stream, cuts) == expected
    assert feed(stream, list(range(len(stream)))) == expected


@given(st.binary(max_size=300), st.lists(st.integers(0, 300), max_size=10))
@settings(max_examples=100, deadline=None)
def test_any_bytes_give_the_same_events_whole_and_cut(stream: bytes, cuts: list[int]) -> None:
    assert feed(stream, cuts) == feed(stream, [])


def test_line_ends_mix_and_a_cut_crlf_is_one_end() -> None:
    parser = EventParser()
    assert parser.feed(b"data: a\r") == []
    assert parser.feed(b"\n\r\ndata: b\r\rdata:c\n\n") == [b"a", b"b", b"c"]


def test_no_space_one_space_two_spaces() -> None:
    assert EventParser().feed(b"data:a\n\ndata: b\n\ndata:  c\n\ndata\n\n") == [b"a", b"b", b" c", b""]


def test_an_unfinished_event_is_not_an_event() -> None:
    assert EventParser().feed(b"data: a\n") == []


@pytest.mark.parametrize("piece", [b"x", b"data: x\n", b"x" * 65])
def test_endless_lines_and_events_are_stopped(piece: bytes) -> None:
    parser = EventParser(max_event=64)
    with pytest.raises(SseError):
        for _ in range(100):
            parser.feed(piece)


def test_a_long_line_in_tiny_pieces_takes_linear_time() -> None:
    parser = EventParser(max_event=2_000_000)
    for _ in range(200_000):
        parser.feed(b"xxxxx")
    assert parser.feed(b"\ndata: a\n\n") == [b"a"]
