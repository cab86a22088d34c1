"""Real servers as they were seen, and a change of them as data."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from lvstui.operations.change import Part, Plan, Step
from lvstui.realserver import checks
from lvstui.realserver.checks import Check, Verdict
from lvstui.realserver.facts import MANIFEST, HostFacts
from lvstui.realserver.hosts import Host
from lvstui.realserver.steps import ChangeFile, HostPlan, HostStep


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
class HostsPlan(Plan):
    """A push to real servers, or an undo on them."""

    operation: str = ""
    """push or undo."""
    rows: tuple[Row, ...] = ()
    hosts: tuple[HostPlan, ...] = ()
    """One for each row."""

    @property
    def parts(self) -> tuple[Part, ...]:
        """A host each."""
        return tuple(
            Part(
                plan.host,
                row.host.name,
                row.trouble,
                f"{row.facts.os_name}, {plan.method or 'no method'}" if row.facts else "",
                tuple(map(_step, plan.steps)),
                notes=(*by, *plan.notes),
                cautions=plan.cautions,
                refusals=plan.refusals,
            )
            for row, plan in zip(self.rows, self.hosts, strict=True)
            for by in [(f"by {plan.method}: {plan.why_method}",) if plan.why_method else ()]
        )

    @property
    def shell_lines(self) -> tuple[str, ...]:
        """All of them at once."""
        names = " ".join(row.host.label for row in self.rows)
        return (f"lvstui realserver {self.operation} {names}",)


def _step(one: HostStep) -> Step:
    shown = one.diff if isinstance(one, ChangeFile) and one.path != MANIFEST else ""
    return Step(one.what, one.verify, one.undo, one.why, shown)


def hosts_title(operation: str, hosts: Sequence[Host]) -> str:
    """`push to rs1, rs2`."""
    names = ", ".join(host.label for host in hosts[:4])
    more = f" and {len(hosts) - 4} more" if len(hosts) > 4 else ""
    return f"{operation} {'to' if operation == 'push' else 'on'} {names}{more}"


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
