"""One push or undo, from the first look to its results."""

from __future__ import annotations

from dataclasses import dataclass, field

from lvstui.operations.change import TrackedChange
from lvstui.operations.rows import HostsPlan
from lvstui.realserver.hosts import Host
from lvstui.realserver.push import HostOutcome


@dataclass
class HostsChange(TrackedChange):
    """It is looked at all of its hosts before it is planned."""

    plan: HostsPlan | None = None
    operation: str = field(kw_only=True)
    """push or undo."""
    hosts: tuple[Host, ...] = field(kw_only=True)
    vips: tuple[str, ...] = ()
    """Only these; none: all of each host."""
    outcomes: dict[str, HostOutcome] = field(default_factory=dict)
    """By address, as they come."""

    @property
    def line(self) -> str:
        """What came of it, for a notification."""
        came = self.outcome
        if self.problem or came is None:
            return f"{self.title}: {self.problem}"
        return f"{'; '.join((came.text, *came.wrong[:1]))}. o shows it whole."
