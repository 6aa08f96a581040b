"""The slow part of adding a document, the same for every store: cut, hash, seal, embed."""

from ..document import Document
from ..keys import CollectionKeys, Sealer
from ..passages import passages
from ..settings import CollectionSettings
from .blind import BlindWords
from .chunk import Prepared, PreparedPassage, seal_passage
from .embedding import Embedding


class Preparer:
    """Thread-safe."""

    def __init__(self, envelope: Sealer, keys: CollectionKeys) -> None:
        self.words = BlindWords(keys)
        self.embedding = Embedding(keys)
        self._envelope = envelope

    def prepare(self, document: Document, owner: str, settings: CollectionSettings) -> Prepared:
        """To be done outside the transaction. ``owner``: whose key seals it."""
        collection = document.collection
        pieces = passages(document.text, settings.chunk_chars)
        rows = tuple(
            PreparedPassage(
                self.words.of_text(collection, f"{document.title} {piece.heading}"),
                self.words.of_text(collection, piece.text),
                seal_passage(self._envelope, owner, document, ordinal, piece.text),
            )
            for ordinal, piece in enumerate(pieces)
        )
        if settings.search == "words" or not pieces:
            return Prepared(document, owner, rows)
        texts = [f"{document.title}\n{piece.text}" for piece in pieces]
        return Prepared(document, owner, rows, self.embedding.of_texts(collection, texts))
