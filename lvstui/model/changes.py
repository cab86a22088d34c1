"""Changes of keepalived.conf that lvstui made: how they stand, and the words for it.

One word for each thing: a change that waits is *kept*, or *undone* by an operator, or *rolled
back* by the timer or by a check that failed.
"""

from __future__ import annotations

from enum import Enum

from lvstui.model.say import duration


class Ended(str, Enum):
    """How a change of the configuration stands."""

    REFUSED = "refused"
    """Nothing was written."""
    WAITING = "waiting"
    """Applied and verified; the timer rolls it back unless it is kept."""
    CONFIRMED = "kept"
    """Applied, verified, kept."""
    UNDONE = "undone"
    """An operator did not keep it: the old files are back."""
    TAKEN_BACK = "rolled back"
    """By the timer, or because a check failed: the old files are back, loaded and verified."""
    TROUBLE = "trouble"
    """Neither could be had: the text says what is where."""


TIMER_RAN_OUT = "the timer ran out"
"""As the guard on the host writes it."""
UNDONE_BY = "undone by "
_BY_OPERATOR = (UNDONE_BY, "the operator said so")
_KEPT_BY = ("kept by ", "confirmed by ")


def settled(marker: str, outcome: str) -> Ended:
    """How a change stands, by the marker in its folder and what the host says came of it."""
    if marker == "reverted":
        return Ended.UNDONE if outcome.startswith(_BY_OPERATOR) else Ended.TAKEN_BACK
    return {
        "armed": Ended.WAITING,
        "reverting": Ended.WAITING,
        "confirmed": Ended.CONFIRMED,
        "trouble.end": Ended.TROUBLE,
    }.get(marker, Ended.REFUSED)


def end_in_words(ended: Ended, outcome: str, made: float, came: float) -> str:
    """How it ended, why, and after how long (`made`, `came`: epoch seconds, `came` 0: unknown):
    `rolled back: not kept in time (timer), 62 s after it was made`."""
    after = f", {duration(came - made)} after it was made" if came > made > 0 else ""
    if ended is Ended.CONFIRMED:
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
