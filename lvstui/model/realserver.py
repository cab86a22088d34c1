"""A real server as a look at it found it: one verdict for each thing that Direct Routing needs."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class Verdict(str, Enum):
    """The same words in TUI, JSON and docs."""

    GOOD = "good"
    WARN = "warn"
    """Works, but not for long or not for everybody."""
    BAD = "bad"
    UNKNOWN = "unknown"
    NONE = "none"
    """Does not apply."""


_OF_HOST = (Verdict.BAD, Verdict.UNKNOWN, Verdict.WARN, Verdict.GOOD, Verdict.NONE)
_OF_CHECK = (Verdict.BAD, Verdict.WARN, Verdict.UNKNOWN, Verdict.GOOD, Verdict.NONE)
"""The worst first."""


@dataclass(frozen=True, slots=True)
class Check:
    """One verdict."""

    id: str
    verdict: Verdict
    text: str = ""
    """For a cell: a few characters beside the glyph; empty when the glyph says it all."""
    says: str = ""
    """One sentence."""
    evidence: tuple[str, ...] = ()
    """What was asked and what was seen, a line each."""
    fix: str = ""
    """What mends it; empty: nothing to mend."""


@dataclass(frozen=True, slots=True)
class Look:
    """What one look at a real server saw, by SSH and from the director. Holds no file and no
    secret of the host: what plans are made from stays with whoever looked."""

    address: str
    """As the configuration has it."""
    name: str = ""
    at: float = 0.0
    """Epoch seconds of the look."""
    checks: tuple[tuple[str, tuple[Check, ...]], ...] = ()
    """VIP and its checks, in the order of `realserver.checks.CHECKS`."""
    trouble: str = ""
    """Why it could not be looked at, in one word (`remote.runner.Trouble`); empty: it could."""
    error: str = ""
    """The same in a line."""
    todo: str = ""
    drift: tuple[str, ...] = ()
    """What is worse than at the look before, in words."""
    about: tuple[tuple[str, str], ...] = ()
    """What the host is: a word and what was seen (`system`, `login` …)."""
    unfinished: str = ""
    """A change of lvstui that is neither kept nor taken back there, in a sentence."""
    stuck: bool = False
    """Its timer cannot be relied on."""
    reverted: tuple[str, ...] = ()
    """The last lines of what a change that took itself back said."""

    @property
    def label(self) -> str:
        """Name or address, for prose."""
        return self.name or self.address

    @property
    def verdict(self) -> Verdict:
        """Of the whole host."""
        found = {check.verdict for _, some in self.checks for check in some}
        return next((verdict for verdict in _OF_HOST if verdict in found), Verdict.UNKNOWN)

    def check(self, id_: str) -> Check:
        """The worst verdict on one question over all VIPs."""
        found = [check for _, some in self.checks for check in some if check.id == id_]
        return min(
            found, key=lambda c: _OF_CHECK.index(c.verdict), default=Check(id_, Verdict.UNKNOWN)
        )
