"""The ``model:`` section of the workload file: providers, artifacts, routes."""

from typing import Annotated, Any, Literal

import re2
from pydantic import Field, field_validator, model_validator

from ringwall.core import Settings

Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$")]
Trained = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_\-]{0,63}@[1-9][0-9]{0,8}$")]
"""``COLLECTION@VERSION``."""
_SECRET_HEADERS = ("authorization", "api-key", "x-api-key", "proxy-authorization", "cookie")


def _quiet() -> Any:
    options = re2.Options()
    options.log_errors = False
    return options


class IntentSettings(Settings):
    """A phrase that makes the extractive model call a tool."""

    tool: str
    """Name of the tool, exactly as offered."""
    pattern: str
    """RE2 pattern, matched anywhere in the last user message."""
    arguments: dict[str, str] = Field(default_factory=dict)
    """Argument name to the name of the group in the pattern that holds its value."""

    @field_validator("pattern")
    @classmethod
    def _compiles(cls, value: str) -> str:
        try:
            re2.compile(value, _quiet())
        except re2.error as error:
            raise ValueError(f"the pattern is no RE2 pattern: {error}") from None
        return value

    @model_validator(mode="after")
    def _groups_exist(self) -> "IntentSettings":
        known = re2.compile(self.pattern).groupindex
        for argument, group in self.arguments.items():
            if group not in known:
                raise ValueError(f"argument '{argument}' names the group '{group}', which the pattern lacks")
        return self


class OpenAISettings(Settings):
    """Any server that speaks Chat Completions."""

    kind: Literal["openai"]
    """An OpenAI-compatible server."""
    base_url: str
    """Address up to and including ``/v1``."""
    api_key_env: str = ""
    """Environment variable that holds the API key. Keys are never written in the workload file."""
    api_key_file: str = ""
    """File that holds the API key, for secrets mounted as files."""
    api_key_header: Literal["authorization", "api-key", "x-api-key"] = "authorization"
    """Header that carries the key; in ``authorization`` it is sent as a bearer token."""
    headers: dict[str, str] = Field(default_factory=dict)
    """Further headers, none of them secret."""
    timeout_s: float = Field(default=300, gt=0, le=3600)
    """Seconds that are waited for the provider in one call, all in all."""
    connect_timeout_s: float = Field(default=5, gt=0, le=60)
    """Seconds to wait for a connection."""
    first_byte_timeout_s: float = Field(default=120, gt=0, le=3600)
    """Seconds to wait for the beginning of an answer."""
    idle_timeout_s: float = Field(default=60, gt=0, le=3600)
    """Seconds of silence that are borne in the middle of an answer."""
    max_response_bytes: int = Field(default=2 * 1024 * 1024, ge=1024)
    """Largest answer, in bytes."""
    max_connections: int = Field(default=256, ge=1, le=10_000)
    """Connections kept to this provider at a time."""
    stream_usage: bool = True
    """Ask for token counts at the end of streams; off for servers that refuse ``stream_options``."""

    @field_validator("base_url")
    @classmethod
    def _plain_address(cls, value: str) -> str:
        if not re2.fullmatch(r"https?://[A-Za-z0-9.\-_\[\]:]+(/[A-Za-z0-9._~/%-]*)?", value):
            raise ValueError("must be http(s)://host[:port][/path], with no user name, query or fragment")
        return value.rstrip("/")

    @field_validator("headers")
    @classmethod
    def _no_secrets(cls, value: dict[str, str]) -> dict[str, str]:
        for name, content in value.items():
            if name.lower() in _SECRET_HEADERS:
                raise ValueError(f"'{name}' is secret: use api_key_env or api_key_file")
            if not re2.fullmatch(r"[A-Za-z0-9-]+", name) or not re2.fullmatch(r"[\x20-\x7e]*", content):
                raise ValueError(f"'{name}' is no valid header")
        return value

    @model_validator(mode="after")
    def _one_key(self) -> "OpenAISettings":
        if self.api_key_env and self.api_key_file:
            raise ValueError("give api_key_env or api_key_file, not both")
        return self


class ExtractiveSettings(Settings):
    """The embedded stand-in when no language model is attached: it retrieves and extracts."""

    kind: Literal["extractive"]
    """Answers with sentences of the retrieved documents."""
    intents: list[IntentSettings] = Field(default_factory=list)
    """Phrases that call a tool. They come before the built-in ones."""
    builtin_intents: bool = True
    """Recognise common phrases (order status, refund, e-mail, fetch a page) for tools of such names."""
    sentences: int = Field(default=3, ge=1, le=10)
    """Sentences in an answer, at most."""


class ScriptedSettings(Settings):
    """For drills and tests: a compromised model, which does what any text that it reads tells it."""

    kind: Literal["scripted"]
    """Does exactly what an attacker wants. Never attach it to real tools."""


class LocalSettings(Settings):
    """A model file run in this process by llama.cpp (extra ``local``)."""

    kind: Literal["local"]
    """An admitted GGUF file."""
    artifact: str
    """Name in ``artifacts``."""
    context: int = Field(default=4096, ge=256, le=1_048_576)
    """Context window, in tokens, for each conversation that runs at the same time."""
    threads: int = Field(default=0, ge=0, le=512)
    """Threads; 0: one less than there are cores. Threads that wait for a busy core slow all others down."""
    parallel: int = Field(default=1, ge=1, le=64)
    """Conversations at the same time; further ones wait."""
    timeout_s: float = Field(default=300, gt=0, le=3600)
    """Seconds that one call may take in all, its waiting included."""


ProviderSettings = Annotated[
    OpenAISettings | ExtractiveSettings | ScriptedSettings | LocalSettings, Field(discriminator="kind")
]


class ArtifactSettings(Settings):
    """A model file."""

    path: str
    """Where it lies, relative to the workload file."""
    sha256: str = Field(pattern=r"^[0-9a-fA-F]{64}$")
    """SHA-256 of its content. What differs is not loaded."""
    trained_on: tuple[Trained, ...] = ()
    """Versions of training sets that it was trained or fine-tuned on, each as ``COLLECTION@VERSION``."""


class RouteSettings(Settings):
    """A name that clients ask for, and who answers under it."""

    provider: str
    """Name in ``providers``."""
    model: str = ""
    """Model name at the provider; empty: what the client asked for is passed on."""
    snapshot: str = ""
    """Which version of the model is meant (date, revision, hash). A changed one must be admitted anew."""
    fallback: str = ""
    """Route that answers when this one can't. Its own fallback is not followed."""
    max_output_tokens: int = Field(default=4096, ge=1, le=1_000_000)
    """Most tokens of an answer; what a client asks beyond this is cut to it."""
    trained_on: tuple[Trained, ...] = ()
    """Versions of training sets that the model was fine-tuned on, each as ``COLLECTION@VERSION``."""
    residency: str = ""
    """Region in which the provider processes the text, for the record and for data rules."""


class BreakerSettings(Settings):
    """When a failing provider is left alone."""

    failures: int = Field(default=5, ge=1, le=1000)
    """Failures within the window that open the circuit."""
    window_s: float = Field(default=30, gt=0, le=3600)
    """Seconds over which failures are counted."""
    open_s: float = Field(default=15, gt=0, le=3600)
    """Seconds until one call is let through to try again."""


class ModelSection(Settings):
    """Which models, from where, used how."""

    providers: dict[Name, ProviderSettings] = Field(default_factory=dict)
    """Where models run. Without any: the embedded extractive stand-in."""
    artifacts: dict[Name, ArtifactSettings] = Field(default_factory=dict)
    """Model files, by name."""
    routes: dict[Name, RouteSettings] = Field(default_factory=dict)
    """Names that clients ask for."""
    breaker: BreakerSettings = BreakerSettings()
    """Circuit breaker, one per provider."""
    controls: dict[str, dict[str, Any]] = Field(default_factory=dict)
    """Settings and mode of this boundary's controls, by control id."""

    @model_validator(mode="before")
    @classmethod
    def _something_to_start_with(cls, data: Any) -> Any:
        if isinstance(data, dict) and not data.get("providers") and not data.get("routes"):
            embedded = {
                "providers": {"embedded": {"kind": "extractive"}},
                "routes": {"default": {"provider": "embedded"}},
            }
            return {**data, **embedded}
        return data

    @model_validator(mode="after")
    def _names_resolve(self) -> "ModelSection":
        for name, route in self.routes.items():
            if route.provider not in self.providers:
                raise ValueError(
                    f"route '{name}' names the provider '{route.provider}', which is not declared"
                )
            if route.fallback == name or (route.fallback and route.fallback not in self.routes):
                raise ValueError(
                    f"route '{name}' names the fallback '{route.fallback}', which is no other route"
                )
        for name, provider in self.providers.items():
            if isinstance(provider, LocalSettings) and provider.artifact not in self.artifacts:
                raise ValueError(
                    f"provider '{name}' names the artifact '{provider.artifact}', which is not declared"
                )
        return self
