"""Changes of keepalived.conf that lvstui made: how they stand, and the words for it.

One word for each thing: a change that waits is *kept*, or *undone* by an operator, or *rolled
back* by the timer or by a check that failed.
"""

from __future__ import annotations

from enum import Enum

from lvstui.model.say import duration


class Ended(str, Enum):
    """How a change stands, or a part of it: the same words on screens, in JSON and in records."""

    REFUSED = "refused"
    """Nothing was written."""
    NOTHING = "nothing to do"
    """Everything was like this already."""
    STOPPED = "stopped"
    """An operator stopped it before this part was begun, or before all parts were done."""
    WAITING = "waiting"
    """Applied and verified; the timer rolls it back unless it is kept."""
    DONE = "done"
    """Applied, verified, and nobody has to keep it."""
    KEPT = "kept"
    """Applied, verified, kept."""
    UNDONE = "undone"
    """An operator did not keep it: the old state is back."""
    ROLLED_BACK = "rolled back"
    """By the timer, or because a check failed: the old state is back, loaded and verified."""
    FAILED = "failed"
    """It could not be done, and nothing was changed."""
    UNKNOWN = "unknown"
    """The host does not answer, and what it decided could not be seen."""
    TROUBLE = "trouble"
    """Neither could be had: the text says what is where."""

    @property
    def good(self) -> bool:
        """It is as planned."""
        return self in (Ended.WAITING, Ended.KEPT, Ended.DONE, Ended.NOTHING)


TIMER_RAN_OUT = "the timer ran out"
"""As the guard on the host writes it."""
UNDONE_BY = "undone by "
_BY_OPERATOR = (UNDONE_BY, "the operator said so")
_KEPT_BY = ("kept by ", "confirmed by ")


def settled(marker: str, outcome: str) -> Ended:
    """How a change stands, by the marker in its folder and what the host says came of it."""
    if marker == "reverted":
        return Ended.UNDONE if outcome.startswith(_BY_OPERATOR) else Ended.ROLLED_BACK
    return {
        "armed": Ended.WAITING,
        "reverting": Ended.WAITING,
        "confirmed": Ended.KEPT,
        "trouble.end": Ended.TROUBLE,
    }.get(marker, Ended.REFUSED)


def end_in_words(ended: Ended, outcome: str, made: float, came: float) -> str:
    """How it ended, why, and after how long (`made`, `came`: epoch seconds, `came` 0: unknown):
    `rolled back: not kept in time (timer), 62 s after it was made`."""
    after = f", {duration(came - made)} after it was made" if came > made > 0 else ""
    if ended is Ended.KEPT:
        who = next((outcome[len(one) :] for one in _KEPT_BY if outcome.startswith(one)), "")
        return (f"kept by {who}" if who else "kept") + after
    if ended is Ended.UNDONE:
        who = outcome[len(UNDONE_BY) :] if outcome.startswith(UNDONE_BY) else ""
        return (f"undone by {who}" if who else "undone by the operator") + after
    if ended is Ended.WAITING:
        return "waits to be kept"
    why = outcome or "the host does not say why"
    if outcome == TIMER_RAN_OUT:
        why = "not kept in time (timer)"
    return f"{ended.value}: {why}{after}"
