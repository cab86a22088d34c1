"""Weights in the kernel in one sitting of an operator: planned, changed and undone in its turn.

What reads the audit log (for the weight before a drain, for the operation that an undo takes back)
is a job like the change itself.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING

from lvstui.model.text import plain
from lvstui.operations.change import Outcome, TrackedChange
from lvstui.session.jobs import Begin, ChangeJobs, Later, in_thread

if TYPE_CHECKING:
    from lvstui.operations.weight_changes import WeightChanges
    from lvstui.operations.weights import WeightsPlan

ENABLE = "enable"
"""The operation that asks what was there before."""


@dataclass
class WeightsChange(TrackedChange):
    """One change of weights, made at once: there is nothing to keep."""

    operation: str = field(kw_only=True)
    """drain, enable, weight or undo."""
    make: Callable[[], WeightsPlan] = field(kw_only=True)
    """Plans it from what is true now; called in a thread."""
    plan: WeightsPlan | None = None

    @property
    def line(self) -> str:
        if not self.good:
            return super().line
        u = "makes it again" if self.operation == "undo" else "undoes it"
        return f"{super().line}. u {u}."


class WeightSession(ChangeJobs[WeightsChange]):
    """One for the console."""

    def __init__(
        self,
        operator: WeightChanges,
        later: Later,
        refresh: Callable[[], None],
        begin: Begin = in_thread,
    ) -> None:
        """refresh: has the kernel looked at when something was done to it."""
        super().__init__(later, begin)
        self._operator, self._refresh = operator, refresh

    def plan(self, operation: str, make: Callable[[], WeightsPlan]) -> WeightsChange:
        """Plan a change; it tells by its phase how far that is."""
        change = WeightsChange(operation, operation=operation, make=make)
        if operation == ENABLE:
            self.start("planning", make, change.planned, change.lost)
        else:
            # At once: what an operator knows by heart (`d y`) is typed without waiting.
            change.planned(make())
        return change

    def apply(self, change: WeightsChange, reason: str) -> None:
        """What went as planned is told even to who looks at it: its dialog closes."""
        assert change.plan is not None
        plan = change.plan = replace(change.plan, reason=reason)

        def done(outcome: Outcome) -> None:
            change.ended(outcome)
            over()

        def failed(text: str) -> None:
            change.lost(f"It failed: {text}")
            over()

        def over() -> None:
            self._refresh()
            if change.good or self.looked_at is not change:
                self.tell_end(change)

        tell = partial(self.told, change)
        change.begin()
        self.start(
            f"applying {change.title}",
            lambda: self._operator.apply(plan, tell=tell, stop=change.stop),
            done,
            failed,
        )

    def words_of(self, error: Exception) -> str:
        return plain(str(error) or type(error).__name__)
