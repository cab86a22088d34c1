"""One change of the configuration, from the first question to its end."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from time import monotonic

from lvstui.model.changes import Ended
from lvstui.operations.change import Outcome, Phase, Stop
from lvstui.operations.config_plan import ConfigPlan
from lvstui.tui.config.engine import ConfigEngine

MakePlan = Callable[[ConfigEngine], ConfigPlan]


@dataclass
class ConfigChange:
    """Outlives the dialog that shows it."""

    title: str
    make: MakePlan
    from_draft: bool = False
    """The draft becomes what is in force when this is kept."""
    phase: Phase = Phase.PLANNING
    plan: ConfigPlan | None = None
    outcome: Outcome | None = None
    reason: str = ""
    """What was said already when it was asked for."""
    cautions: tuple[str, ...] = ()
    """What those who made it said that one must know."""
    problem: str = ""
    """Why it could not even be planned, or was lost on the way."""
    stages: list[str] = field(default_factory=list)
    """What was and is being done, in order."""
    started: float = 0.0
    stop: Stop = field(default_factory=Stop)
    """Set: what is under way is to be stopped."""
    deadline: float = 0.0
    """Monotonic time at which the timer rolls it back."""
    plight_here: str = ""
    """Why the timer of this host can not be relied on, as the picture says; empty: it can."""
    plight_told: str = ""
    """The same of any director, as they said when they were asked last."""

    @property
    def plight(self) -> str:
        """Why its timer can not be relied on (WAITING); empty: it can."""
        return self.plight_here or self.plight_told

    @property
    def then(self) -> str:
        """What becomes of it unless somebody decides (WAITING)."""
        return self.plight or f"rolled back in {self.left_s:.0f} s"

    @property
    def ready(self) -> bool:
        """There is something to apply, and nothing forbids it."""
        plan = self.plan
        return plan is not None and not plan.empty and not plan.refusals

    @property
    def left_s(self) -> float:
        """Seconds until the timer rolls it back."""
        return max(self.deadline - monotonic(), 0.0)

    @property
    def kept(self) -> bool:
        """It came to a good end."""
        return self.outcome is not None and self.outcome.ended is Ended.KEPT

    def ended(self, outcome: Outcome) -> None:
        """Take up what came of it."""
        self.outcome = outcome
        self.phase = Phase.ENDED
        if outcome.ended is Ended.WAITING:
            self.phase = Phase.WAITING
            self.deadline = monotonic() + outcome.left_s
