"""The whole workload file as a type: five sections for the five boundaries, the applications, the people."""

from typing import Any

from pydantic import Field

from ringwall.boundaries.application.settings import ApplicationSection
from ringwall.boundaries.data.settings import DataSection
from ringwall.boundaries.interface.purpose import PurposeSettings
from ringwall.boundaries.interface.settings import InterfaceSection, PrincipalsSection
from ringwall.boundaries.model.settings import ModelSection
from ringwall.boundaries.organization.settings import OrganizationSection
from ringwall.core import Mode, Settings


class ApplicationSettings(Settings):
    """One application: who uses it, which models, tools and collections it has."""

    mode: Mode | None = None
    """``enforce`` or ``monitor``; the workload's own when left out."""
    roles: tuple[str, ...] = ()
    """Roles that may use it; empty: every authenticated principal."""
    anonymous: bool | None = None
    """Serve callers without a credential; as ``interface.anonymous`` says when left out."""
    models: tuple[str, ...] = ("default",)
    """Routes that a client may ask for; the first one is the default."""
    system_prompt: str = ""
    """Path of a text file, relative to the workload file: sent ahead of every conversation, canary added."""
    trust_instructions: bool = False
    """Give system messages of the *client* system integrity. Only for clients that users can't reach into."""
    tools: tuple[str, ...] = ()
    """Tools that may be offered to the model."""
    collections: tuple[str, ...] = ()
    """Collections that the gateway retrieves from for each turn."""
    accept: tuple[str, ...] = ("text", "tool_call", "tool_result")
    """Kinds of parts that requests may carry; any other kind is refused."""
    purpose: PurposeSettings = PurposeSettings()
    """What it is for and what not; judged by ``interface.topic``."""
    greeting: str = ""
    """Shown on the chat page before the first message."""
    suggestions: tuple[str, ...] = ()
    """First questions that the chat page offers."""
    controls: dict[str, dict[str, Any]] = Field(default_factory=dict)
    """Settings of single controls for this application alone, by control id; ``mode`` among them."""


class Workload(Settings):
    """``ringwall.yaml``."""

    workload: str = Field(pattern=r"^[a-z0-9][a-z0-9-]{0,62}$")
    """Name of the workload: lower-case letters, digits and hyphens."""
    mode: Mode = Mode.ENFORCE
    """``enforce``: decisions are carried out. ``monitor``: recorded only."""
    applications: dict[str, ApplicationSettings] = Field(min_length=1)
    """The LLM applications under protection, by name. The first one answers at ``/v1``."""
    principals: PrincipalsSection = PrincipalsSection()
    interface: InterfaceSection = InterfaceSection()
    application: ApplicationSection = ApplicationSection()
    model: ModelSection = ModelSection()
    data: DataSection = DataSection()
    organization: OrganizationSection = OrganizationSection()

    def mode_of(self, application: str) -> Mode:
        """The application's mode, or else the workload's."""
        return self.applications[application].mode or self.mode
