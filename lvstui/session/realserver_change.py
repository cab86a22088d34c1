"""One push or undo, from the first look to its results."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum

from lvstui.operations.effects import Effects
from lvstui.operations.rows import Result, Row
from lvstui.realserver.hosts import Host
from lvstui.realserver.push import HostOutcome
from lvstui.realserver.steps import HostPlan


class Phase(Enum):
    """Where a change stands."""

    LOOKING = "looking"
    PLANNED = "planned"
    RUNNING = "running"
    ENDED = "ended"


@dataclass
class Change:
    """A push or an undo from the first look to its results; outlives the dialog that shows it."""

    operation: str
    hosts: tuple[Host, ...]
    phase: Phase = Phase.LOOKING
    rows: tuple[Row, ...] = ()
    plans: tuple[HostPlan, ...] = ()
    effects: Effects = field(default_factory=Effects)
    outcomes: dict[str, HostOutcome] = field(default_factory=dict)
    result: Result | None = None
    problem: str = ""
    """Why it could not even be tried."""
    vips: tuple[str, ...] = ()
    """Only these; none: all of each host."""
    cautions: tuple[str, ...] = ()
    """What those who asked for it know of it."""
    started: float = 0.0
    stopped: bool = False

    @property
    def ready(self) -> bool:
        """There is something to apply."""
        return any(plan.steps and not plan.refusals for plan in self.plans)

    @property
    def title(self) -> str:
        """`push to rs1, rs2`."""
        names = ", ".join(host.label for host in self.hosts[:4])
        more = f" and {len(self.hosts) - 4} more" if len(self.hosts) > 4 else ""
        return f"{self.operation} {'to' if self.operation == 'push' else 'on'} {names}{more}"
