"""Changes of keepalived.conf that need the operator: one that waits to be kept, and one that was
rolled back while nobody looked. The same for every screen.

What the host remembers comes with the picture, whoever made the change; what this console applied
and its host does not show (on the peer alone) comes from the desk.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lvstui.model.changes import APPLYING, ConfigChangeSeen, Ended
from lvstui.model.picture import Picture

if TYPE_CHECKING:
    from lvstui.screens.config_desk import ConfigDesk

_STILL_NEWS_S = 3600.0
"""What was rolled back this long before the console was opened is history."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """A change that is in force and not kept yet."""

    title: str
    left_s: float
    """Until the timer rolls it back."""
    stage: str = ""
    """`applying`, `going back`; empty: it can be kept or undone."""
    guarded: bool = True
    """Its timer lives, as far as that can be seen."""


class Unsettled:
    """One for the console."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._began = clock()
        self._changes: tuple[ConfigChangeSeen, ...] = ()
        self._seen: set[str] = set()
        self.desk: ConfigDesk | None = None
        """What this console changes, once there is such a thing."""

    def follow(self, picture: Picture) -> None:
        """Take up what the host remembers."""
        self._changes = picture.changes

    @property
    def under_way(self) -> ConfigChangeSeen | None:
        """The change that is not decided yet, as the host has it."""
        # The host's own word of what was decided here comes with the next tick.
        decided = self.desk.decided if self.desk is not None else ""
        return next((one for one in self._changes
                     if one.ended is Ended.WAITING and one.id != decided), None)  # fmt: skip

    @property
    def waiting(self) -> Waiting | None:
        """What the header says."""
        seen = self.under_way
        if seen is not None:
            left = max(seen.deadline - self._clock(), 0.0)
            return Waiting(seen.title, left, seen.stage, seen.guarded)
        change = self.desk.unkept if self.desk is not None else None
        return Waiting(change.title, change.left_s) if change is not None else None

    @property
    def unseen(self) -> ConfigChangeSeen | None:
        """The newest that was rolled back, or ended in trouble, and that nobody has looked at."""
        since = self._began - _STILL_NEWS_S
        return next(
            (
                one
                for one in self._changes
                if one.ended in (Ended.TAKEN_BACK, Ended.TROUBLE)
                and one.id not in self._seen
                and one.came >= since
            ),
            None,
        )

    def saw(self, id_: str) -> None:
        """The operator has looked at the end of it."""
        self._seen.add(id_)

    def why_nothing(self) -> str:
        """Why there is nothing to show, keep or undo; empty: there is."""
        seen = self.under_way
        desk = self.desk
        here = desk is not None and desk.change is not None
        if seen is not None and seen.stage == APPLYING and not here:
            return f"{seen.who} applies “{seen.title}” now: it can be kept when it was verified."
        if seen is not None or self.unseen is not None or here:
            return ""
        return "No change waits, and none was planned here yet."
