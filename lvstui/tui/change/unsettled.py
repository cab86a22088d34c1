"""Changes of keepalived.conf that need the operator: one that waits to be kept, and one that was
rolled back while nobody looked. The same for every screen.

What the host remembers comes with the picture, whoever made the change; what this console applied
and its host does not show (on the peer alone) comes from the session.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lvstui.model.changes import Ended
from lvstui.model.picture import Picture
from lvstui.model.waiting import APPLYING, ChangeStands

if TYPE_CHECKING:
    from lvstui.session.config import ConfigSession

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
    plight: str = ""
    """Why its timer cannot be relied on; empty: it can."""


class Unsettled:
    """One for the console."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._began = clock()
        self._changes: tuple[ChangeStands, ...] = ()
        self._seen: set[str] = set()
        self.session: ConfigSession | None = None
        """What this console changes, once there is such a thing."""

    def follow(self, picture: Picture) -> None:
        """Take up what the host remembers."""
        self._changes = picture.changes

    @property
    def under_way(self) -> ChangeStands | None:
        """The change that is not decided yet, as the host has it."""
        # The host's own word of what was decided here comes with the next tick.
        decided = self.session.decided if self.session is not None else ""
        return next((one for one in self._changes if one.waits and one.id != decided), None)

    @property
    def waiting(self) -> Waiting | None:
        """What the header says."""
        seen = self.under_way
        if seen is not None:
            now = self._clock()
            return Waiting(seen.title, seen.left_s(now), seen.stage, seen.plight(now))
        change = self.session.unkept if self.session is not None else None
        if change is None:
            return None
        return Waiting(change.title, change.left_s, plight=change.plight)

    @property
    def unseen(self) -> ChangeStands | None:
        """The newest that was rolled back and that nobody has looked at. One that ended in trouble
        is a warning until somebody says that he knows."""
        since = self._began - _STILL_NEWS_S
        return next(
            (
                one
                for one in self._changes
                if one.ended is Ended.ROLLED_BACK and one.id not in self._seen and one.came >= since
            ),
            None,
        )

    def saw(self, id_: str) -> None:
        """The operator has looked at the end of it."""
        self._seen.add(id_)

    def why_nothing(self) -> str:
        """Why there is nothing to show, keep or undo; empty: there is."""
        seen = self.under_way
        session = self.session
        here = session is not None and session.change is not None
        if seen is not None and seen.stage == APPLYING and not here:
            return f"{seen.who} applies “{seen.title}” now: it can be kept when it was verified."
        if seen is not None or self.unseen is not None or here:
            return ""
        return "No change waits, and none was planned here yet."
