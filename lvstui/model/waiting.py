"""A change that a host takes back unless it is kept: whether that can be relied on, in words."""

from __future__ import annotations

LATE_S = 15.0
"""How long after its time a timer that lives may take to be done with going back."""
WHAT_TO_DO = "lvstui config back"


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
        why = "the host was started anew, and the timer is gone" if other_boot else (
            "the timer is gone")  # fmt: skip
        failed = f" ({trouble})" if trouble else ""
        return f"{why}: NOT taken back{failed}; {WHAT_TO_DO}"
    if left_s < -LATE_S:
        return f"its time is over since {-left_s:.0f} s: NOT taken back; {WHAT_TO_DO}"
    return ""
