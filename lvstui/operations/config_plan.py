"""A change of keepalived.conf as data: what will be written, what it means, what came of it."""

from __future__ import annotations

from dataclasses import dataclass, field

from lvstui.keepalived.diff import Difference
from lvstui.keepalived.lint.finding import Finding, Severity
from lvstui.model.changes import Ended as Ended


@dataclass(frozen=True, slots=True)
class FileChange:
    """One file before and after. The texts hold passwords: they are never shown or logged as they
    are, only through a mask."""

    path: str
    before: bytes | None = field(repr=False)
    """None when it did not exist."""
    after: bytes | None = field(repr=False)
    """None when it goes away."""


@dataclass(frozen=True, slots=True)
class Director:
    """keepalived on one director, as it was when the plan was made."""

    host: str
    main: str
    """Its main configuration file, absolute."""
    config_id: str
    pid: int = 0
    """0: it does not run."""
    started: float = 0.0
    children: tuple[tuple[str, int], ...] = ()
    """(vrrp|checkers|bfd, pid)."""
    version: str = ""
    in_step: bool | None = None
    """What it has loaded is what the files say; None when that can not be known (before 2.2.0,
    not root)."""


@dataclass(frozen=True, slots=True)
class HostChange:
    """What is done on one director."""

    director: Director
    files: tuple[FileChange, ...]
    differences: tuple[Difference, ...] = ()
    findings: tuple[Finding, ...] = ()
    """What lint and `keepalived -t` say about the new files and did not about the old ones."""
    known: tuple[Finding, ...] = ()
    """What they said before as well."""
    diff: str = ""
    """Unified text diff, secrets masked."""


@dataclass(frozen=True, slots=True)
class ConfigPlan:
    """A change of the configuration on one or both directors, before it is applied."""

    title: str
    hosts: tuple[HostChange, ...]
    effects: tuple[str, ...] = ()
    """What it will do to the site, one sentence each."""
    cautions: tuple[str, ...] = ()
    refusals: tuple[str, ...] = ()
    """Why it can not be applied; a plan with a refusal is never applied."""
    typed: str = ""
    """What has to be typed to confirm; empty: a plain yes."""
    reason: str = ""
    timer_s: int = 60
    """Seconds after which it is rolled back by itself unless it is kept; 0: no timer."""
    undoes: str = ""
    """History id of the change that a rollback takes back."""
    unproven: tuple[str, ...] = ()
    """Servers that come in with their first check only, one in words each: unless it succeeds the
    change is rolled back."""
    unchecked: bool = False
    """The operator insists: it stays even when those checks fail."""

    @property
    def empty(self) -> bool:
        """Nothing would be written."""
        return not any(host.files for host in self.hosts)

    @property
    def on_proof(self) -> tuple[str, ...]:
        """What becomes of it by the first checks of new servers, a sentence each."""
        if self.unchecked:
            return tuple(f"kept even when this fails: {one}" for one in self.unproven)
        return tuple(f"rolled back unless {one}" for one in self.unproven)

    @property
    def to_force(self) -> tuple[Finding, ...]:
        """New findings that stop it unless the operator insists."""
        return tuple(
            finding
            for host in self.hosts
            for finding in host.findings
            if finding.severity is Severity.ERROR
        )


@dataclass(frozen=True, slots=True)
class Verified:
    """One thing that was read back after the reload."""

    host: str
    what: str
    """In words: `VIPs on eth0`, `same children`, `tcp 10.10.0.20:80 in the kernel`."""
    ok: bool
    seen: str = ""


@dataclass(frozen=True, slots=True)
class ConfigOutcome:
    """What came of a plan."""

    plan: ConfigPlan
    ended: Ended
    id: str
    """History and audit id; empty when nothing was written."""
    text: str
    """One line for the operator."""
    verified: tuple[Verified, ...] = ()
    left_s: float = 0.0
    """Seconds until the timer rolls it back (WAITING)."""
    unrecorded: str = ""
    """Why the audit log has nothing of what came of it; empty: it has."""

    @property
    def ok(self) -> bool:
        """It is in force as planned."""
        return self.ended.good
