"""``application.holds`` of the workload file."""

from typing import Literal, Self

from pydantic import Field, field_validator, model_validator

from ringwall.core import Settings

from .egress_settings import EgressRule, one_address
from .hold import HoldEvent


class ConfirmSettings(Settings):
    """Holds that whoever asked may lift by confirming the call, where the policy does not say who may. All
    others need somebody else."""

    effects: frozenset[Literal["read", "write", "send", "pay", "delete", "fetch", "execute"]] = frozenset()
    """Effects of tools. Think twice before naming ``pay``, ``delete`` or ``execute``."""
    tools: frozenset[str] = frozenset()
    """Single tools by name."""


class WebhookSettings(Settings):
    """A place that is told of holds."""

    url: str = Field(pattern=r"^https?://[^\s]{1,2000}$")
    """Where the message is posted to. Only this address is ever contacted; redirects are not followed."""
    secret_env: str = Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]{0,127}$")
    """Environment variable with the secret that messages are signed with: ``whsec_`` and base64, or at least
    24 characters as they are."""
    events: frozenset[HoldEvent] = frozenset({HoldEvent.REQUESTED})
    """Changes that are told."""
    include_arguments: bool = False
    """Whether the message holds the arguments of the call. They may be confidential, and leave the gateway
    with it."""
    private: bool = False
    """Whether the host may stand for a private or loopback address."""

    @model_validator(mode="after")
    def _readable(self) -> Self:
        _ = self.rule
        return self

    @property
    def rule(self) -> EgressRule:
        """The one thing that may be reached for it."""
        return one_address(self.url, methods=["POST"], private=self.private, types=["*"])


class HoldSettings(Settings):
    """Calls that wait for a person."""

    expire_s: int = Field(default=900, ge=1, le=7 * 24 * 3600)
    """Seconds after which a hold that nobody decided, or an approval that nobody used, is refused."""
    wait_s: float = Field(default=0, ge=0, le=3600)
    """Seconds that a turn waits for the decision about a held call. 0: the model is told at once that it
    waits, and makes the call again once it was approved."""
    confirm: ConfirmSettings = ConfirmSettings()
    """Holds that whoever asked may confirm."""
    webhooks: tuple[WebhookSettings, ...] = Field(default=(), max_length=16)
    """Places that are told of holds."""
    console_url: str = ""
    """Address of this gateway as people reach it, for links in messages: ``https://gateway.example``."""

    @field_validator("console_url")
    @classmethod
    def _address(cls, value: str) -> str:
        if value and not value.startswith(("https://", "http://")):
            raise ValueError("write the whole address: https://gateway.example")
        return value.rstrip("/")
