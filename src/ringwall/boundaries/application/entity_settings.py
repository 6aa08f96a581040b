"""``application.known_entities.sources``: services that say who and what belongs to the workload."""

from typing import Annotated, Self

from pydantic import Field, model_validator

from ringwall.core import Settings

from .egress_settings import EgressRule, one_address

_TYPES = ("application/*", "text/json", "text/plain")
"""No event streams: their end is not theirs to choose."""
_HEADER = r"^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,128}$"
_VARIABLE = r"^[A-Za-z_][A-Za-z0-9_]{0,127}$"
Keys = Annotated[frozenset[Annotated[str, Field(min_length=1, max_length=200)]], Field(max_length=32)]


class EntityFields(Settings):
    """Keys, at any depth of the answer, whose values are the entities. Name only those that no outsider can
    fill."""

    email_domains: Keys = frozenset()
    """Their values are domains whose mailboxes are known."""
    emails: Keys = frozenset()
    """Their values are single mailboxes."""
    hosts: Keys = frozenset()
    """Their values are host names, each exactly as it stands: there is no ``*.`` here."""
    accounts: Keys = frozenset()
    """Their values are account numbers, IBANs, customer numbers."""
    names: Keys = frozenset()
    """Their values are channels, rooms, file paths, people."""

    @model_validator(mode="after")
    def _some(self) -> Self:
        if not any(keys for _, keys in self):
            raise ValueError("name at least one key of the answer, such as `emails: [email]`")
        return self


class EntitySource(Settings):
    """A service that is asked again and again. Calls are judged by what it answered last."""

    url: str = Field(pattern=r"^https?://[^\s]{1,2000}$")
    """Where its JSON document is fetched from. Only this address is ever contacted. ``http`` needs
    ``private``."""
    fields: EntityFields
    """Which keys of the document name what."""
    headers_env: dict[Annotated[str, Field(pattern=_HEADER)], Annotated[str, Field(pattern=_VARIABLE)]] = (
        Field(default_factory=dict, max_length=16)
    )
    """Header → environment variable with its whole value, such as ``Authorization: DIRECTORY_TOKEN``."""
    private: bool = False
    """Whether the host may stand for a private or loopback address."""
    refresh_s: int = Field(default=300, ge=10, le=86_400)
    """Seconds from one fetch to the next."""
    max_age_s: int = Field(default=86_400, ge=60, le=30 * 86_400)
    """Seconds that an answer counts when no newer one can be had. After that it names nothing."""
    timeout_s: float = Field(default=10.0, gt=0, le=60)
    """Seconds for a whole fetch."""
    max_bytes: int = Field(default=1_000_000, ge=1, le=10_000_000)
    """Largest answer."""

    @model_validator(mode="after")
    def _sound(self) -> Self:
        if self.url.startswith("http:") and not self.private:
            raise ValueError("use https: who is known must not be anybody's to say on the way")
        if self.max_age_s < self.refresh_s:
            raise ValueError("max_age_s is shorter than refresh_s")
        _ = self.rule
        return self

    @property
    def rule(self) -> EgressRule:
        """The one thing that may be reached for it."""
        return one_address(
            self.url,
            methods=["GET"],
            private=self.private,
            types=_TYPES,
            timeout_s=self.timeout_s,
            max_bytes=self.max_bytes,
        )
