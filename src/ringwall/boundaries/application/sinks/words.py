"""Lists of words in code."""


def words(text: str) -> frozenset[str]:
    """The words of a text."""
    return frozenset(text.split())
