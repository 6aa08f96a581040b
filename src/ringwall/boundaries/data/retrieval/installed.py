"""What a workload asks of its search has to be there: nothing is left out in silence."""

import os
from collections.abc import Mapping
from importlib.util import find_spec

from ringwall.core import ConfigError, Problem
from ringwall.detect.embed import available

from ..settings import CollectionSettings
from .settings import RetrievalSettings


def check_installed(collections: Mapping[str, CollectionSettings]) -> None:
    """ConfigError when a collection is to be searched by vectors and the extra ``embeddings`` is missing."""
    hybrid = [name for name, settings in collections.items() if settings.search == "hybrid"]
    if hybrid and not available():
        raise ConfigError(
            Problem(
                f"data.collections.{hybrid[0]}: search: hybrid needs embeddings: "
                "pip install 'ringwall[embeddings]', or set search: words"
            )
        )


def check_store(settings: RetrievalSettings) -> None:
    """ConfigError when PostgreSQL is asked for and the extra, or an address, is missing."""
    if settings.kind != "postgres":
        return
    if find_spec("asyncpg") is None:
        raise _wrong("kind: postgres needs a driver: pip install 'ringwall[postgres]'")
    for name in ("url_env", "reader_url_env"):
        variable = getattr(settings, name)
        if not variable:
            raise _wrong(
                f"kind: postgres needs {name}: the environment variable that holds the URL of that role"
            )
        if not os.environ.get(variable):
            raise _wrong(f"the environment variable {variable} ({name}) is not set")


def _wrong(message: str) -> ConfigError:
    return ConfigError(Problem(f"data.retrieval: {message}"))
