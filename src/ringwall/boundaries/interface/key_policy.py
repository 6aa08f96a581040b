"""What the workload file says of API keys: whether they are taken, and how long they live."""

from pydantic import Field

from ringwall.core import Settings

DAY_S = 86_400.0


class ApiKeySettings(Settings):
    """API keys as credentials."""

    enabled: bool = True
    """Whether keys are taken at all, at the API and on the pages."""
    expire_days: int | None = Field(default=None, ge=1, le=3650)
    """Days that a new key lives where nothing else is asked for; left out: for ever."""
    longest_days: int | None = Field(default=None, ge=1, le=3650)
    """Most days that a new key may be given; left out: any time, and for ever."""
    warn_days: int = Field(default=14, ge=1, le=365)
    """``ringwall key list --expiring`` lists keys that end within so many days."""
    overlap_hours: float = Field(default=24.0, ge=0, le=720)
    """Hours that the old secret of a rotated key stays good."""

    def default_end(self, now: float) -> float | None:
        """When a key made now ends, in seconds since the epoch; None: never."""
        days = self.longest_days if self.expire_days is None else self.expire_days
        if days is None:
            return None
        return now + DAY_S * (days if self.longest_days is None else min(days, self.longest_days))

    def latest_end(self, now: float) -> float:
        """The latest end that a key made now may have; infinite when there is no bound."""
        return float("inf") if self.longest_days is None else now + DAY_S * self.longest_days + 1
