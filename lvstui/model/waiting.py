"""A change of the configuration that a host takes back unless it is kept, and whether it will."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from lvstui.model.changes import Ended, end_in_words, settled
from lvstui.model.say import moment

APPLYING, GOING_BACK = "applying", "going back"
LATE_S = 15.0
"""How long after its time a timer that lives may take to be done with going back."""
WHAT_TO_DO = "lvstui config back"
LEAVE_IT = "look at the files, then: lvstui config back --give-up"
NO_REBOOT = (
    "without systemd a reboot ends the timer: only `lvstui config back` undoes what waited then"
)


@dataclass(frozen=True, slots=True)
class ChangeStands:
    """One change of the configuration, as the host's own marks say that it stands."""

    id: str
    state: str
    """armed (it waits to be kept), reverting (on its way back), confirmed, reverted, trouble.end
    (neither could be had), or another that changed nothing."""
    title: str = ""
    who: str = ""
    at: float = 0.0
    """Epoch seconds at which it was made."""
    outcome: str = ""
    """What came of it and why; empty while it waits."""
    deadline: float = 0.0
    """Epoch seconds at which the timer takes it back (armed)."""
    guarded: bool = False
    """The timer's process was seen (armed, reverting)."""
    trouble: str = ""
    """Why the last try to go back failed (reverting)."""
    other_boot: bool = False
    """The host was started anew since (armed, reverting)."""
    seen: bool = False
    """An operator was told of its trouble and left it (trouble.end)."""
    reason: str = ""
    undoes: str = ""
    """Id of the change that this one undoes."""
    came: float = 0.0
    """Epoch seconds at which it came to its end; 0: it has not, or nobody knows."""
    applying: bool = False
    """It was not verified yet (armed)."""

    @property
    def ended(self) -> Ended:
        """How it stands, in one word."""
        return settled(self.state, self.outcome)

    @property
    def end(self) -> str:
        """How it ended, why, and after how long, in words."""
        return end_in_words(self.ended, self.outcome, self.at, self.came)

    @property
    def stage(self) -> str:
        """What is being done to one that waits; empty: nothing, it can be kept or undone."""
        if self.state == "reverting":
            return GOING_BACK
        return APPLYING if self.applying else ""

    @property
    def can_settle(self) -> bool:
        """It can be kept or undone now."""
        return self.waits and not self.stage

    def story(self) -> tuple[str, ...]:
        """What happened, a sentence a line."""
        made = f"{self.who} made it at {moment(self.at)}"
        end = self.end[:1].upper() + self.end[1:]
        came = f" (at {moment(self.came)})" if self.came else ""
        return made + (f": “{self.reason}”" if self.reason else ""), f"{end}{came}."

    @property
    def waits(self) -> bool:
        """It is neither kept nor back."""
        return self.state in ("armed", "reverting")

    def left_s(self, now: float) -> float:
        """Seconds from `now` (epoch) until the timer takes it back; never negative."""
        return max(self.deadline - now, 0.0) if self.state == "armed" else 0.0

    def plight(self, now: float) -> str:
        """What is wrong with it at `now` (epoch) and what to do; empty: nothing."""
        if self.state == "trouble.end":
            return "" if self.seen else f"{self.outcome or 'it ended in trouble'}; {LEAVE_IT}"
        if not self.waits:
            return ""
        left = self.deadline - now
        return plight(self.guarded, left, self.state == "reverting", self.trouble, self.other_boot)


def pressing(changes: Sequence[ChangeStands]) -> tuple[ChangeStands, ...]:
    """Of all that a host remembers, newest first: the newest, and what waits."""
    return tuple(one for number, one in enumerate(changes) if not number or one.waits)


def plight(guarded: bool, left_s: float, going_back: bool, trouble: str, other_boot: bool) -> str:
    """Why a change may not go back without anybody's help; empty: its timer lives and does it.

    guarded: the timer's process was seen just now. left_s: negative when its time is over.
    going_back: a try was begun. trouble: why the last one failed. other_boot: the host was started
    anew since.
    """
    if guarded and trouble:
        return f"going back fails, and is tried again: {trouble}"
    if guarded and going_back:
        return ""
    if not guarded:
        why = ("the host was started anew, and " if other_boot else "") + "the timer is gone"
        failed = f" ({trouble})" if trouble else ""
        return f"{why}: NOT rolled back{failed}; {WHAT_TO_DO}"
    if left_s < -LATE_S:
        return f"its time is over since {-left_s:.0f} s: NOT rolled back; {WHAT_TO_DO}"
    return ""
