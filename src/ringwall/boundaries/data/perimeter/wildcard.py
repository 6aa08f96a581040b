"""``*`` and ``?`` as IAM reads them."""


def fits(pattern: str, text: str) -> bool:
    """Whether the pattern matches the whole text. Never more than its length times the text's."""
    at = place = 0
    star, resumed = -1, 0
    while place < len(text):
        if at < len(pattern) and pattern[at] == "*":
            star, resumed = at, place
            at += 1
        elif at < len(pattern) and pattern[at] in ("?", text[place]):
            at, place = at + 1, place + 1
        elif star >= 0:
            resumed += 1
            at, place = star + 1, resumed
        else:
            return False
    return all(sign == "*" for sign in pattern[at:])
