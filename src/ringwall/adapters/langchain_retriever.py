"""LangChain and LangGraph: a retriever behind the gate.

retriever = GuardedRetriever(source=OverHttp("https://gateway.example/v1", "handbook", api_key=key))
retriever = GuardedRetriever(source=InProcess(wall))
documents = retriever.invoke("How long may a lamp be returned?")
"""

from typing import Any

from pydantic import ConfigDict

from .missing import missing
from .passages import Hit, InProcess, OverHttp, Passages

try:
    from langchain_core.callbacks import (
        AsyncCallbackManagerForRetrieverRun,
        CallbackManagerForRetrieverRun,
    )
    from langchain_core.documents import Document
    from langchain_core.retrievers import BaseRetriever
except ImportError as error:
    raise missing("langchain-core", "langchain") from error

__all__ = ["GuardedRetriever", "InProcess", "OverHttp"]


class GuardedRetriever(BaseRetriever):
    """Documents that the principal may read and that the gate let through, marked as data. Their metadata
    has citation, labels, origin and score."""

    model_config = ConfigDict(arbitrary_types_allowed=True)

    source: Any
    """``OverHttp`` or ``InProcess``."""

    def _get_relevant_documents(
        self, query: str, *, run_manager: CallbackManagerForRetrieverRun
    ) -> list[Document]:
        source: Passages = self.source
        return list(map(_document, source.find(query)))

    async def _aget_relevant_documents(
        self, query: str, *, run_manager: AsyncCallbackManagerForRetrieverRun
    ) -> list[Document]:
        source: Passages = self.source
        return list(map(_document, await source.afind(query)))


def _document(hit: Hit) -> Document:
    return Document(hit.text, id=hit.id, metadata={**hit.metadata, "score": hit.score})
