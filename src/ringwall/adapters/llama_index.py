"""LlamaIndex: a retriever behind the gate.

retriever = GuardedRetriever(OverHttp("https://gateway.example/v1", "handbook", api_key=key))
retriever = GuardedRetriever(InProcess(wall))
nodes = retriever.retrieve("How long may a lamp be returned?")
"""

from .missing import missing
from .passages import Hit, InProcess, OverHttp, Passages

try:
    from llama_index.core.base.base_retriever import BaseRetriever
    from llama_index.core.schema import NodeWithScore, QueryBundle, TextNode
except ImportError as error:
    raise missing("llama-index-core", "llama-index") from error

__all__ = ["GuardedRetriever", "InProcess", "OverHttp"]

_SHOWN = frozenset({"citation", "title"})
"""Of the metadata, what LlamaIndex puts before a passage for the model."""


class GuardedRetriever(BaseRetriever):
    """Nodes that the principal may read and that the gate let through, marked as data. Their metadata has
    citation, labels and origin."""

    def __init__(self, source: Passages) -> None:
        """``source``: ``OverHttp`` or ``InProcess``."""
        self._source = source
        super().__init__()

    def _retrieve(self, query_bundle: QueryBundle) -> list[NodeWithScore]:
        return list(map(_node, self._source.find(query_bundle.query_str)))

    async def _aretrieve(self, query_bundle: QueryBundle) -> list[NodeWithScore]:
        return list(map(_node, await self._source.afind(query_bundle.query_str)))


def _node(hit: Hit) -> NodeWithScore:
    hidden = [key for key in hit.metadata if key not in _SHOWN]
    node = TextNode(
        id_=hit.id,
        text=hit.text,
        metadata=dict(hit.metadata),
        excluded_llm_metadata_keys=hidden,
        excluded_embed_metadata_keys=list(hit.metadata),
    )
    return NodeWithScore(node=node, score=hit.score)
