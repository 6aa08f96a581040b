"""Words as a store sees them: keyed hashes, so that an index of words does not undo the encryption."""

from ..keys import CollectionKeys
from ..words import words

_QUERY_CHARS = 4000
_QUERY_WORDS = 48


class BlindWords:
    """Each word is stemmed and replaced by the first 64 bits of its HMAC under the collection's secret."""

    def __init__(self, keys: CollectionKeys) -> None:
        self._keys = keys

    def of_text(self, collection: str, text: str) -> tuple[str, ...]:
        """The hashes of a text, with repeats, sorted: word order is gone."""
        return tuple(sorted(self.hash(collection, word) for word in words(text)))

    def of_query(self, collection: str, query: str) -> list[str]:
        """The distinct hashes of a query of any length, in order."""
        asked = list(dict.fromkeys(words(query[:_QUERY_CHARS])))[:_QUERY_WORDS]
        return [self.hash(collection, word) for word in asked]

    def hash(self, collection: str, word: str) -> str:
        """16 hexadecimal digits."""
        return self._keys.digest(collection, "word", word.encode("utf-8", "replace"))[:8].hex()
