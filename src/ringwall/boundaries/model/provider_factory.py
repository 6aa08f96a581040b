"""Settings to providers: the one place that knows all kinds."""

from collections.abc import Callable, Collection
from typing import assert_never

from .extractive import ExtractiveProvider
from .local import LocalProvider
from .openai_upstream import OpenAIProvider
from .provider import Provider
from .scripted import ScriptedProvider
from .settings import (
    ExtractiveSettings,
    LocalSettings,
    ModelSection,
    OpenAISettings,
    ProviderSettings,
    ScriptedSettings,
)
from .verified_file import VerifiedFile


def build_providers(
    section: ModelSection, open_artifact: Callable[[str], VerifiedFile], replaced: Collection[str] = ()
) -> dict[str, Provider]:
    """The providers of the section, by name, without those that are ``replaced``. Nothing is connected or
    loaded yet.

    ``open_artifact`` is ``Admissions.open``. Raises ConfigError: a missing API key, a missing extra.
    """
    return {
        name: _build(settings, open_artifact)
        for name, settings in section.providers.items()
        if name not in replaced
    }


def _build(settings: ProviderSettings, open_artifact: Callable[[str], VerifiedFile]) -> Provider:
    match settings:
        case OpenAISettings():
            return OpenAIProvider.from_settings(settings)
        case ExtractiveSettings():
            return ExtractiveProvider(settings)
        case ScriptedSettings():
            return ScriptedProvider()
        case LocalSettings():
            return LocalProvider(settings, open_artifact)
        case _:
            assert_never(settings)
