"""Real servers as they were seen, and a change of them as data."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields

from lvstui.model.realserver import Look, Verdict
from lvstui.operations.change import Part, Plan, Step
from lvstui.realserver.checks import TITLES, judge, unreachable
from lvstui.realserver.facts import MANIFEST, HostFacts, Manifest
from lvstui.realserver.hosts import Host
from lvstui.realserver.steps import ChangeFile, HostPlan, HostStep
from lvstui.remote.runner import RemoteError


@dataclass(frozen=True, slots=True, kw_only=True)
class Row(Look):
    """A look, with what plans are made from."""

    host: Host
    facts: HostFacts | None = None
    """None: it could not be looked at."""

    @property
    def told(self) -> Look:
        """What everybody may know of it, without what the host's files say."""
        return Look(*(getattr(self, field.name) for field in fields(Look)))


def row_of(host: Host, facts: HostFacts) -> Row:
    """What a look at that host means."""
    plight = facts.unfinished.plight if facts.unfinished is not None else ""
    return Row(
        host.address,
        host.name,
        facts.taken_at,
        tuple((vip.address, judge(facts, vip.address, vip.ports)) for vip in host.vips),
        about=(
            ("system", f"{facts.os_name or 'unknown'}, kernel {facts.kernel}"),
            ("login", "root" if facts.as_root else "without root"),
            ("init", f"systemd {facts.systemd}" if facts.systemd else facts.init or "?"),
            ("frames by", ", ".join(facts.ingress) or "?"),
            ("lvstui has", _managed(facts.manifest)),
            ("firewall", ", ".join(facts.firewall) or "none seen"),
            ("selinux", facts.selinux or "none"),
        ),
        unfinished=plight
        or ("a change is under way there; its timer decides" if facts.unfinished else ""),
        stuck=bool(plight),
        reverted=tuple(facts.reverted.splitlines()[-6:]),
        host=host,
        facts=facts,
    )


def unreached(host: Host, error: RemoteError, at: float) -> Row:
    """A host that could not be looked at."""
    told = unreachable(error.what, error.trouble.value, error.todo)
    return Row(
        host.address,
        host.name,
        at,
        tuple((vip.address, told) for vip in host.vips),
        error.trouble.value,
        error.what,
        error.todo,
        host=host,
    )


def _managed(manifest: Manifest | None) -> str:
    if manifest is None:
        return "done nothing here"
    if manifest.problem:
        return manifest.problem
    return (
        f"{', '.join(manifest.vips)} here, by {manifest.method or 'no file'}, "
        f"pushed {manifest.pushed_at} by {manifest.operator or 'somebody'}"
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
        f"{TITLES[check.id]} was good: {check.says}"
        for vip, found in now.checks
        for check in found
        if (vip, check.id) in good and check.verdict in (Verdict.BAD, Verdict.WARN)
    )
