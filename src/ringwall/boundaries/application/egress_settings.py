"""One line of ``application.egress``: a destination that tools may reach over the network."""

from functools import lru_cache
from typing import Any, Literal, Self
from urllib.parse import urlsplit

from pydantic import Field, field_validator, model_validator

from ringwall.core import Settings

from .addresses import Host, host_of, is_metadata

Method = Literal["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"]
ALL_METHODS: frozenset[Method] = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"})
ANY = "*"
"""As a segment of a path: any one segment. As a content type: any type."""


class EgressRule(Settings):
    """One destination that tools may reach."""

    host: str = Field(min_length=1, max_length=253)
    """Host name or address; ``*.shop.example`` covers every name below, not the name itself."""
    methods: frozenset[Method] = frozenset({"GET"})
    """Methods allowed there."""
    tools: frozenset[str] = frozenset()
    """Tools that may go there; empty: every tool."""
    schemes: frozenset[Literal["https", "http"]] = frozenset({"https"})
    """Schemes allowed there."""
    ports: frozenset[int] = frozenset()
    """Ports allowed; empty: the default port of the scheme."""
    path: str = Field(default="/", max_length=1000)
    """Prefix that the path must have, matched on whole segments; ``*`` stands for any one segment."""
    exact: bool = False
    """The path must be ``path``, and nothing below it."""
    private: bool = False
    """Allow this host to resolve to a private or loopback address (an internal service). Metadata and
    link-local addresses stay refused."""
    agents: bool = False
    """Another agent behind a gateway answers there: requests carry the token of the chain of agents."""
    tunnel: bool = False
    """Let TLS tunnels of the forward proxy through although this rule narrows path or methods, which can't be
    seen inside a tunnel."""
    types: frozenset[str] = frozenset()
    """Content types of answers, such as ``image/png``, ``image/*`` or ``*``; empty: text, JSON and XML."""
    max_bytes: int | None = Field(default=None, ge=1)
    """Largest answer; left out: 1,000,000 bytes."""
    max_request_bytes: int | None = Field(default=None, ge=0)
    """Largest body of a request; left out: 1,000,000 bytes."""
    timeout_s: float | None = Field(default=None, gt=0, le=600)
    """Seconds for a whole answer (of an event stream: until it begins); left out: 10."""

    @field_validator("ports")
    @classmethod
    def _ports(cls, value: frozenset[int]) -> frozenset[int]:
        if not all(1 <= port <= 65_535 for port in value):
            raise ValueError("ports go from 1 to 65535")
        return value

    @field_validator("path")
    @classmethod
    def _path(cls, value: str) -> str:
        plain = value.isprintable() and not any(sign in value for sign in "?#%\\ ")
        if not plain or not value.startswith("/") or "//" in value:
            raise ValueError("a path begins with / and is written out, without query and percent signs")
        if {".", ".."} & set(value.split("/")):
            raise ValueError("a path has no . or .. in it")
        return value

    @model_validator(mode="after")
    def _readable(self) -> Self:
        host = self.known_host
        plain = host.address or (host.name and not any(sign in self.host for sign in "/:@\\"))
        if not plain or (host.address and self.host.startswith("*.")):
            raise ValueError(f"{self.host!r} is no host name: write it without scheme, port and path")
        if host.address is not None and is_metadata(host.address):
            raise ValueError(f"{self.host!r} is a metadata or link-local address, which no rule opens")
        if host.problem and not self.private:
            raise ValueError(
                f"{self.host!r} is refused ({host.problem}) unless the rule says `private: true`"
            )
        return self

    @property
    def known_host(self) -> Host:
        """The host as ``addresses.host_of`` reads it, without the ``*.`` before it."""
        return _known(self.host.removeprefix("*."))

    @property
    def narrows(self) -> bool:
        """Whether the rule depends on what a TLS tunnel hides."""
        return self.path != "/" or self.exact or not self.methods >= ALL_METHODS or bool(self.types)


@lru_cache(4096)
def _known(host: str) -> Host:
    return host_of(host)


def one_address(url: str, **more: Any) -> EgressRule:
    """The rule that opens exactly this address. Raises ValueError for one that can't be opened as it is."""
    split = urlsplit(url)
    if split.username is not None or split.fragment or "*" in url:
        raise ValueError("the address has no user, no # and no *")
    return EgressRule.model_validate(
        {
            "host": split.hostname or "",
            "schemes": [split.scheme],
            "ports": [split.port] if split.port else [],
            "path": split.path or "/",
            "exact": True,
            **more,
        }
    )
