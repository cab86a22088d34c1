"""Real servers as they were seen, and a change of them as data."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace

from lvstui.model.realserver import Look, Verdict
from lvstui.operations.change import Part, Plan, Step
from lvstui.realserver.checks import TITLES, judge, unreachable
from lvstui.realserver.facts import MANIFEST, HostFacts, Manifest
from lvstui.realserver.hosts import Host
from lvstui.realserver.steps import ChangeFile, HostPlan, HostStep
from lvstui.remote.runner import RemoteError

FRESH_S = 60.0
"""A plan is made from a look that is no older."""


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


def row_of(host: Host, facts: HostFacts | RemoteError) -> Row:
    """What a look at that host means, or why there is none."""
    if isinstance(facts, RemoteError):
        error = facts
        told = unreachable(error.what, error.trouble.value, error.todo)
        checks = tuple((vip.address, told) for vip in host.vips)
        why = (error.trouble.value, error.what, error.todo)
        return Row(host.address, host.name, time.time(), checks, *why, host=host)
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


# What a change means for those who use them: said before it is made


def serves(row: Row | None, vip: str) -> bool:
    """The look saw that this host has the VIP."""
    return row is not None and any(
        check.id == "vip" and check.verdict is Verdict.GOOD
        for address, found in row.checks
        if address == vip
        for check in found
    )


def hosts_plan(
    operation: str,
    rows: Sequence[Row],
    plans: Sequence[HostPlan],
    everybody: Sequence[Host],
    known: Mapping[str, Row],
    weights: Mapping[str, int],
    timer_s: int,
) -> HostsPlan:
    """The plans of all hosts as one, with what it means.

    everybody: all real servers, none when nothing is known of the others; known: their last looks
    by address; weights: kernel weight of those that take new connections."""
    whole = HostsPlan(
        hosts_title(operation, [row.host for row in rows]), operation, tuple(rows), tuple(plans)
    )
    ready = [
        (row, plan)
        for row, plan in zip(rows, plans, strict=True)
        if not plan.refusals and not plan.empty
    ]
    if not ready:
        return whole
    lines = []
    names = [row.host.label for row, _ in ready]
    if len(ready) > 1:
        rest = names[1] if len(names) == 2 else f"the other {len(names) - 1} together"
        lines.append(f"{names[0]} goes first, {rest} only when that went well.")
    proof = "a new login proves it"
    if operation == "push":
        proof = "a new login and ARP silence prove it"
    who = "Each host" if len(ready) > 1 else names[0]
    lines.append(f"{who} goes back by itself after {timer_s} s unless {proof}.")
    if operation != "undo" or not everybody:
        return replace(whole, effects=tuple(lines))
    cautions = []
    typed = ""
    changing = {row.host.address for row, _ in ready}
    for vip in dict.fromkeys(vip for _, plan in ready for vip in plan.vips):
        from_ = [row.host.label for row, plan in ready if vip in plan.vips]
        having = [host for host in everybody if vip in host.vip_addresses]
        others = [host for host in having if host.address not in changing]
        left = [host.label for host in others if serves(known.get(host.address), vip)]
        gone = f"{vip} is taken from {', '.join(from_)}"
        if left:
            lines.append(f"{gone}; {len(left)} of {len(having)} still have it: {', '.join(left)}.")
        else:
            cautions.append(
                f"{gone}: no real server is known to have it then. Packets for it are "
                "dropped by whoever gets them."
            )
            typed = typed or vip
    cautions += loaded([row.host for row, _ in ready], weights)
    return replace(whole, effects=tuple(lines), cautions=tuple(cautions), typed=typed)


def loaded(hosts: Sequence[Host], weights: Mapping[str, int]) -> list[str]:
    """Who takes new connections and should be drained first."""
    busy = [host.label for host in hosts if weights.get(host.address)]
    if not busy:
        return []
    take = "takes" if len(busy) == 1 else "take"
    return [f"{', '.join(busy)} {take} new connections now: drain first (screen 1, d)."]
