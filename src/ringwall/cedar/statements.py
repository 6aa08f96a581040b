"""A policy file, statement by statement, so that a mistake has a line."""

from collections.abc import Iterator


def statements(text: str) -> Iterator[tuple[int, str]]:
    """Each policy with the line (1-based) that it begins on. What follows the last ``;`` counts as one too,
    so that an unfinished policy is a mistake and not silence."""
    start, at = _skip_blank(text, 0), 0
    at = start
    while at < len(text):
        sign = text[at]
        if sign == '"':
            at = _end_of_string(text, at)
        elif text.startswith("//", at):
            at = _end_of_line(text, at)
        elif sign == ";":
            yield text.count("\n", 0, start) + 1, text[start : at + 1]
            start = at = _skip_blank(text, at + 1)
        else:
            at += 1
    if start < len(text):
        yield text.count("\n", 0, start) + 1, text[start:]


def _skip_blank(text: str, at: int) -> int:
    while at < len(text):
        if text[at].isspace():
            at += 1
        elif text.startswith("//", at):
            at = _end_of_line(text, at)
        else:
            break
    return at


def _end_of_line(text: str, at: int) -> int:
    end = text.find("\n", at)
    return len(text) if end < 0 else end


def _end_of_string(text: str, at: int) -> int:
    at += 1
    while at < len(text) and text[at] != '"':
        at += 2 if text[at] == "\\" else 1
    return at + 1
