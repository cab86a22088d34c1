"""One push or undo, from the first look to its results."""

from __future__ import annotations

from dataclasses import dataclass, field

from lvstui.operations.change import Outcome, Phase
from lvstui.operations.rows import HostsPlan, hosts_title
from lvstui.realserver.hosts import Host
from lvstui.realserver.push import HostOutcome


@dataclass
class Change:
    """A push or an undo from the first look to its results; outlives the dialog that shows it."""

    operation: str
    hosts: tuple[Host, ...]
    phase: Phase = Phase.PLANNING
    plan: HostsPlan | None = None
    outcomes: dict[str, HostOutcome] = field(default_factory=dict)
    """By address, as they come."""
    outcome: Outcome | None = None
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
        hosts = self.plan.hosts if self.plan is not None else ()
        return any(plan.steps and not plan.refusals for plan in hosts)

    @property
    def title(self) -> str:
        """`push to rs1, rs2`."""
        return hosts_title(self.operation, self.hosts)
