"""Announcements in one sitting of an operator: planned, made, and what came of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING

from lvstui.operations.change import Outcome, TrackedChange
from lvstui.session.jobs import Begin, ChangeJobs, Later, in_thread

if TYPE_CHECKING:
    from lvstui.operations.announce import Announcements, AnnouncePlan


@dataclass
class Announcement(TrackedChange):
    """One, made at once: there is nothing to keep."""

    make: Callable[[], AnnouncePlan] = field(kw_only=True)
    """Plans it from what is true now."""
    plan: AnnouncePlan | None = None


class AnnounceSession(ChangeJobs[Announcement]):
    """One for the console."""

    def __init__(
        self, make: Callable[[], Announcements], later: Later, begin: Begin = in_thread
    ) -> None:
        """make: makes who carries them out, when it is first needed."""
        super().__init__(later, begin)
        self._make = make

    def plan(self, make: Callable[[], AnnouncePlan]) -> Announcement:
        change = Announcement("announce", make=make)
        change.planned(make())
        return change

    def apply(self, change: Announcement, reason: str) -> None:
        assert change.plan is not None
        plan = change.plan = replace(change.plan, reason=reason)

        def done(outcome: Outcome) -> None:
            change.ended(outcome)
            over()

        def failed(text: str) -> None:
            change.lost(f"It failed: {text}")
            over()

        def over() -> None:
            if change.good or self.looked_at is not change:
                self.tell_end(change)

        def work() -> Outcome:
            tell = partial(self.told, change)
            return self._make().apply(plan, tell=tell, stop=change.stop)

        change.begin()
        self.start(f"applying {change.title}", work, done, failed)
