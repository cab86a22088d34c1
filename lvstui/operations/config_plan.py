"""A change of keepalived.conf as data: what will be written, and what it means."""

from __future__ import annotations

from dataclasses import dataclass, field

from lvstui.keepalived.diff import Difference
from lvstui.model.finding import Finding, FindingSeverity
from lvstui.operations.change import Part, Plan, Step

_CHECKED = "same processes, loaded copy, kernel table and VIPs are read back"
_UNDONE = "the old files are put back and loaded"


@dataclass(frozen=True, slots=True)
class FileChange:
    """One file before and after. The texts hold passwords: they are never shown or logged as they
    are, only through a mask."""

    path: str
    before: bytes | None = field(repr=False)
    """None when it did not exist."""
    after: bytes | None = field(repr=False)
    """None when it goes away."""

    @property
    def what(self) -> str:
        """`change /etc/keepalived/keepalived.conf`."""
        verb = "new file" if self.before is None else "remove" if self.after is None else "change"
        return f"{verb} {self.path}"


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
    version: str = ""
    in_step: bool | None = None
    """What it has loaded is what the files say; None when that cannot be known (before 2.2.0,
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
class ConfigPlan(Plan):
    """A change of the configuration on one or both directors, before it is applied."""

    hosts: tuple[HostChange, ...] = ()
    timer_s: int = 60
    """Seconds after which it is rolled back by itself unless it is kept; 0: no timer."""
    unproven: tuple[str, ...] = ()
    """Servers that come in with their first check only, one in words each: unless it succeeds the
    change is rolled back."""
    unchecked: bool = False
    """The operator insists: it stays even when those checks fail."""

    @property
    def parts(self) -> tuple[Part, ...]:
        return tuple(
            Part(
                host.director.host,
                about=f"keepalived {host.director.version}"
                if host.director.pid
                else "keepalived does not run",
                steps=tuple(Step(one.what, _CHECKED, _UNDONE) for one in host.files),
                differences=host.differences,
                findings=host.findings,
                known=host.known,
                diff=host.diff,
            )
            for host in self.hosts
        )

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
            if finding.severity is FindingSeverity.ERROR
        )
