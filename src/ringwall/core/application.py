"""Facts of one application of the workload that its controls may need."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Application:
    """One LLM application behind the gateway. Offered to control factories through ``Services``."""

    name: str
    workload: str = ""
    roles: frozenset[str] = frozenset()
    """Who may use it; empty: every authenticated principal."""
    anonymous: bool = False
    """Whether callers without a credential are served."""
    system_prompt: str = ""
    """As sent to the model, canary included."""
    canary: str = ""
    """A random string planted in the system prompt; its appearance in a response proves a leak."""
    tools: tuple[str, ...] = ()
    """Names of the tools that may be offered."""
    accept: tuple[str, ...] = ()
    """Kinds of parts that requests may carry."""
    collections: tuple[str, ...] = ()
    """Collections that the gateway retrieves from for it."""
    models: tuple[str, ...] = ()
    """Route names that a client may ask for."""

    @property
    def instructions(self) -> str:
        """The system prompt as the operator wrote it: nothing may be traced to the canary."""
        return self.system_prompt.replace(self.canary, "") if self.canary else self.system_prompt
