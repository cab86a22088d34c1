"""Real servers as they were seen, and what came of changing them: data for screens and shell."""

from __future__ import annotations

from dataclasses import dataclass

from lvstui.realserver import checks
from lvstui.realserver.checks import Check, Verdict
from lvstui.realserver.facts import HostFacts
from lvstui.realserver.hosts import Host
from lvstui.realserver.push import HostOutcome


@dataclass(frozen=True, slots=True)
class Row:
    """One real server as it was seen last."""

    host: Host
    at: float = 0.0
    """Epoch seconds of the look; 0: not looked at yet."""
    facts: HostFacts | None = None
    checks: tuple[tuple[str, tuple[Check, ...]], ...] = ()
    """VIP and its checks, in the order of `checks.TITLES`."""
    trouble: str = ""
    """Why it could not be looked at, in one word (`Trouble`); empty: it could."""
    error: str = ""
    """The same in a line."""
    todo: str = ""
    drift: tuple[str, ...] = ()
    """What is worse than at the look before, in words."""

    @property
    def verdict(self) -> Verdict:
        """Of the whole host."""
        return checks.worst([check for _, found in self.checks for check in found])

    def check(self, id_: str) -> Check:
        """The worst verdict on one question over all VIPs."""
        found = [check for _, some in self.checks for check in some if check.id == id_]
        order = (Verdict.BAD, Verdict.WARN, Verdict.UNKNOWN, Verdict.GOOD, Verdict.NONE)
        return min(
            found, key=lambda check: order.index(check.verdict), default=Check(id_, Verdict.UNKNOWN)
        )


@dataclass(frozen=True, slots=True)
class Result:
    """What came of a push or an undo on all hosts."""

    outcomes: tuple[HostOutcome, ...]
    id: str
    """Audit id."""
    heard: tuple[str, ...] = ()
    """Who spoke for a VIP on the wire meanwhile and should not have, in words."""
    listened: str = ""
    """How well was listened, in words; empty: not at all."""
    announced: str = ""
    """What the master told the link at the end, in words."""
    unrecorded: str = ""
    """Why the audit log has nothing of what came of it; empty: it has."""

    @property
    def ok(self) -> bool:
        """Every host is as planned and nobody spoke out of turn."""
        return bool(self.outcomes) and all(o.ok for o in self.outcomes) and not self.heard


def drift(before: Row | None, now: Row) -> tuple[str, ...]:
    """Checks that were good at the look before and are not now."""
    if before is None or before.facts is None or now.facts is None:
        return ()
    good = {
        (vip, check.id)
        for vip, found in before.checks
        for check in found
        if check.verdict is Verdict.GOOD
    }
    return tuple(
        f"{checks.TITLES[check.id]} was good: {check.says}"
        for vip, found in now.checks
        for check in found
        if (vip, check.id) in good and check.verdict in (Verdict.BAD, Verdict.WARN)
    )
