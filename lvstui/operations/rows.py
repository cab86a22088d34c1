"""Real servers as they were seen, and what came of changing them: data for screens and shell."""

from __future__ import annotations

from dataclasses import dataclass, fields

from lvstui.model.realserver import Look, Verdict
from lvstui.realserver.checks import TITLES, judge, unreachable
from lvstui.realserver.facts import HostFacts, Manifest
from lvstui.realserver.hosts import Host
from lvstui.realserver.push import HostOutcome
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
        f"{TITLES[check.id]} was good: {check.says}"
        for vip, found in now.checks
        for check in found
        if (vip, check.id) in good and check.verdict in (Verdict.BAD, Verdict.WARN)
    )
