"""Facts about the looking itself: what else is known is as old and as whole as they say."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class SourceSilent:
    """A source has not ended a look for longer than it may take, or does look again."""

    source: str
    since: float | None
    """Epoch of its last look; None: it looks again."""


@dataclass(frozen=True, slots=True)
class Overrun:
    """More came than could be taken in: some of it was left out."""

    what: str
    """In words, in the plural."""
    count: int


@dataclass(frozen=True, slots=True)
class ClockStepped:
    """Somebody set this host's clock: what was dated before is dated by the old one."""

    by_s: float
    back: bool
    """False: forward."""
