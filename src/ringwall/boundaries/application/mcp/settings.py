"""``application.mcp``: the servers behind ``/mcp/{server}``, and what is needed to govern them."""

import re
from typing import Literal
from urllib.parse import urlsplit

from pydantic import Field, field_validator, model_validator

from ringwall.core import Settings

from ..effect import Effect
from ..egress_settings import EgressRule

SERVER_NAME = r"^[a-z0-9](?:-?[a-z0-9]){0,29}$"
"""Lower-case letters, digits and single hyphens: no underscore, so that ``server__tool`` is read one way."""
_HEADER = re.compile(r"[A-Za-z0-9-]{1,64}")
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,127}")


class Credential(Settings):
    """Where a secret is taken from when a server is contacted. Itself it never stands in this file."""

    env: str = Field(default="", pattern=r"^([A-Za-z_][A-Za-z0-9_]{0,127})?$")
    """Name of an environment variable of the gateway."""
    file: str = ""
    """Path of a file with the secret, relative to the workload file; blank space around it is left out."""
    prefix: str = ""
    """What stands before the secret, such as ``"Bearer "``."""

    @model_validator(mode="after")
    def _one(self) -> "Credential":
        if bool(self.env) == bool(self.file):
            raise ValueError("name either `env` or `file`")
        return self


class McpTool(Settings):
    """What the operator knows better than the server says. What is left out is inferred from the manifest."""

    effect: Effect | None = None
    """What it does to the world."""
    roles: frozenset[str] | None = None
    """Who may use it; left out: who may use the server."""
    target: tuple[str, ...] | None = None
    """Names of the arguments that say where the effect goes."""
    result: Literal["untrusted", "user", "system"] = "untrusted"
    """Integrity of what it returns."""
    sensitivity: frozenset[str] = frozenset()
    """Data classes of what it returns."""
    reversible: bool = False
    """Whether a person can undo the effect without loss."""


class McpLimits(Settings):
    """Bounds for one server."""

    result_bytes: int = Field(default=1_000_000, ge=1_000, le=64_000_000)
    """Longest message that is read from the server; a longer one ends the session with it."""
    timeout_s: float = Field(default=60.0, gt=0, le=3600)
    """Seconds after which a call counts as failed."""
    start_s: float = Field(default=20.0, gt=0, le=300)
    """Seconds that the server has to start and to tell its tools."""
    sessions: int = Field(default=64, ge=1)
    """Sessions with the server at once."""
    sessions_per_principal: int = Field(default=4, ge=1)
    """Of these, how many one principal may have. A further one ends the principal's oldest idle one."""
    idle_s: float = Field(default=600.0, gt=0)
    """Seconds without a call after which a session ends."""
    recheck_s: float = Field(default=60.0, ge=0)
    """Seconds after which the server's manifests are asked for again before a call."""
    memory_mb: int = Field(default=4096, ge=64)
    """Address space of a started server, in MB."""


class McpServer(Settings):
    """One MCP server. Nothing of it is offered before an operator approved it."""

    url: str = ""
    """Address of a streamable HTTP server."""
    command: str = ""
    """Program that is started and spoken to over its standard input and output; no shell is involved."""
    args: tuple[str, ...] = ()
    """Arguments of the program."""
    env: dict[str, str | Credential] = Field(default_factory=dict)
    """Environment of the program, beside ``PATH`` and an empty home. Secrets as ``{env: NAME}`` or
    ``{file: PATH}``."""
    headers: dict[str, str | Credential] = Field(default_factory=dict)
    """Headers of every request to ``url``. Secrets as ``{env: NAME}`` or ``{file: PATH}``."""
    cwd: str = ""
    """Working directory of the program, relative to the workload file; left out: an empty one that is thrown
    away."""
    protocol: Literal["auto", "handshake"] = "auto"
    """``auto`` tries the protocol without sessions (from 2026-07-28 on) first; ``handshake`` speaks the older
    one at once, which servers need that ask back in the middle of a call."""
    private: bool = False
    """Whether ``url`` may be at a private or loopback address."""
    egress: tuple[EgressRule, ...] = ()
    """Destinations that the started program may reach, by the proxy that its environment names; empty: none.
    A program that ignores the proxy must be kept in by the network."""
    roles: frozenset[str] = frozenset()
    """Who may use the server; empty: every role of the application."""
    tools: dict[str, McpTool] = Field(default_factory=dict)
    """By the server's own name of the tool."""
    names: Literal["plain", "prefixed"] = "plain"
    """Names of the tools at ``/mcp/{server}``: the server's own, or ``server__tool`` as in the rest of this
    file (for clients whose model is asked through this gateway as well). A call may use either."""
    chat: Literal["gateway", "client"] = "gateway"
    """Who makes the calls of its tools in a chat turn: the gateway, which then offers them to the model by
    itself, or a client that declares them (by their names in this workload) and makes them here."""
    shared: bool = False
    """One session with the server for all principals. Only for a server that keeps nothing between calls."""
    structured: bool = True
    """Whether structured results are passed on. They are scanned; no marks can stand in them."""
    images: bool = False
    """Whether pictures in results are passed on. Their content is not looked into."""
    sampling: bool = False
    """Whether the server may ask the client's model. What it asks and what it is told pass the gate."""
    elicitation: bool = False
    """Whether the server may ask the client's user. What it asks and what it is told pass the gate."""
    limits: McpLimits = McpLimits()
    """Bounds."""

    @field_validator("url")
    @classmethod
    def _url(cls, value: str) -> str:
        if value:
            split = urlsplit(value)
            if (
                split.scheme not in ("https", "http")
                or not split.hostname
                or split.username
                or split.fragment
            ):
                raise ValueError(
                    "write an http(s) address without a user name; credentials go into `headers`"
                )
        return value

    @field_validator("headers")
    @classmethod
    def _headers(cls, value: dict[str, str | Credential]) -> dict[str, str | Credential]:
        for name, given in value.items():
            if not _HEADER.fullmatch(name):
                raise ValueError(f"{name!r} is no name of a header")
            if isinstance(given, str) and not given.isprintable():
                raise ValueError(f"the value of {name!r} holds control characters")
        return value

    @field_validator("env")
    @classmethod
    def _env(cls, value: dict[str, str | Credential]) -> dict[str, str | Credential]:
        for name in value:
            if not _VARIABLE.fullmatch(name):
                raise ValueError(f"{name!r} is no name of an environment variable")
        return value

    @model_validator(mode="after")
    def _kind(self) -> "McpServer":
        if bool(self.url) == bool(self.command):
            raise ValueError("give either `url` or `command`")
        if self.url and (self.args or self.env or self.cwd or self.egress):
            raise ValueError("`args`, `env`, `cwd` and `egress` are for servers with a `command`")
        if self.command and (self.headers or self.private):
            raise ValueError("`headers` and `private` are for servers with a `url`")
        return self


class McpSection(Settings):
    """MCP servers behind the gateway."""

    servers: dict[str, McpServer] = Field(default_factory=dict)
    """By name: lower-case letters, digits and hyphens, at most 30."""
    hosts: frozenset[str] = frozenset()
    """Host names under which clients reach the gateway; empty: loopback names on a loopback listener, else
    any."""
    origins: frozenset[str] = frozenset()
    """Origins of web pages that may call, such as ``https://app.example``; others are refused."""

    @field_validator("servers")
    @classmethod
    def _names(cls, value: dict[str, McpServer]) -> dict[str, McpServer]:
        for name in value:
            if not re.fullmatch(SERVER_NAME, name):
                raise ValueError(f"server name {name!r}: use lower-case letters, digits and single hyphens")
        return value
