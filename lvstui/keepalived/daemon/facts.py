"""What was seen of keepalived on a director at one moment."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from lvstui.keepalived.daemon.options import config_id, main_file
from lvstui.keepalived.text.files import why_skipped
from lvstui.keepalived.text.tree import Tree
from lvstui.model.config import Configuration
from lvstui.model.ipvs import KernelService

STATE = "/var/lib/lvstui/config"
"""Where a host keeps changes under way and those of the past (0700 root)."""
_NAMED_SO = (("vrrp", "vrrp"), ("health", "checkers"), ("bfd", "bfd"))
"""Parts of names that keepalived gives its processes, and their roles."""


@dataclass(frozen=True, slots=True)
class FileSeen:
    """One file of the configuration."""

    path: str
    """Absolute, as keepalived opens it."""
    real: str
    """Where it lies when links are followed; where it would lie when it is not there."""
    exists: bool = True
    regular: bool = True
    mode: int = 0o644
    uid: int = 0
    gid: int = 0
    links: int = 1
    """Hard links."""
    data: bytes = field(default=b"", repr=False)

    @property
    def skipped(self) -> bool:
        """keepalived would pass over it: no regular file, or an execute bit (lib/parser.c)."""
        return self.exists and bool(self.why_skipped)

    @property
    def why_skipped(self) -> str:
        """The reason in words; empty when it would be read."""
        return why_skipped(self.regular, self.mode)


@dataclass(frozen=True, slots=True)
class FileStep:
    """One file of a change."""

    path: str
    real: str
    """Where it lies when links are followed."""
    before: bytes | None = field(repr=False)
    after: bytes | None = field(repr=False)


@dataclass(frozen=True, slots=True, order=True)
class Child:
    """One of the daemon's processes."""

    role: str
    """vrrp, checkers or bfd."""
    pid: int
    ticks: int
    """When it started, in clock ticks since boot: with the pid it names a process for good."""


@dataclass(frozen=True, slots=True)
class Process:
    """A child of the daemon that is keepalived itself, not a script that it runs."""

    pid: int
    comm: str
    usr2: bool
    """It handles SIGUSR2: only the VRRP process does."""


def roles(children: Sequence[Process], named: Mapping[int, str]) -> dict[str, int]:
    """The pid of each role: by pid file (`named`), by name (`process_names`), at last by its
    signals."""
    found: dict[str, int] = {}
    for child in children:
        if child.pid in named:
            found.setdefault(named[child.pid], child.pid)
    for child in children:
        if child.pid not in named:
            by_name = (role for word, role in _NAMED_SO if word in child.comm)
            found.setdefault(next(by_name, "vrrp" if child.usr2 else "checkers"), child.pid)
    return found


@dataclass(frozen=True, slots=True)
class DaemonLook:
    """The daemon and the host under it."""

    host: str
    """As the operator names it."""
    node: str = ""
    """Its own name (uname -n)."""
    root: bool = True
    """Seen with root's eyes; else much may be missing."""
    boot: str = ""
    booted: float = 0.0
    """Epoch seconds by the host's clock (btime of /proc/stat)."""
    hz: int = 100
    pid: int = 0
    """0: it does not run."""
    unbelieved: str = ""
    """`process PID runs PATH`: root's and called keepalived, but others than root can write that
    program, so it counts for nothing."""
    ticks: int = 0
    unit: str = ""
    """The systemd unit whose main process it is, or that would start it."""
    systemd: bool = True
    """It runs there: a change that waits is taken back at boot, too."""
    children: tuple[Child, ...] = ()
    version: str = ""
    """Of the running program, else of the installed one; empty without any."""
    program: str = ""
    """Where the running program lies, else the installed one; empty without one that nobody but
    root can have put there."""
    argv: tuple[str, ...] = ()
    tmpdir: str = ""
    loaded: bytes | None = field(default=None, repr=False)
    """Its copy of what it loaded (2.2.0 and later, root); holds secrets."""
    table: str = field(default="", repr=False)
    """/proc/net/ip_vs."""
    left_out: tuple[KernelService, ...] = ()
    """Services that the table lacks (`lvstui.kernel.truncated`), as far as somebody asked."""
    addresses: tuple[tuple[str, str], ...] = ()
    """(interface, address in canonical spelling)."""

    @property
    def main(self) -> str:
        return main_file(self.argv)

    @property
    def config_id(self) -> str:
        """What `@id` lines are compared with."""
        return config_id(self.argv, self.node)

    @property
    def started(self) -> float:
        """Epoch seconds; 0 when it does not run."""
        return round(self.booted + self.ticks / self.hz, 2) if self.pid else 0.0

    def child(self, role: str) -> Child | None:
        return next((child for child in self.children if child.role == role), None)

    def interfaces_of(self, address: str) -> tuple[str, ...]:
        return tuple(name for name, found in self.addresses if found == address)


@dataclass(frozen=True, slots=True)
class ConfigSeen:
    """The configuration on a director's disk, read whole for its own conditionals."""

    tree: Tree | None
    """None when the main file cannot be read or would not be loaded: `why` says so."""
    configuration: Configuration | None
    files: tuple[FileSeen, ...] = ()
    """Every file that was asked for, main file first; also those that are not there."""
    why: str = ""

    def file(self, path: str) -> FileSeen | None:
        """One file; None when nobody asked for it."""
        return next((file for file in self.files if file.path == path), None)


@dataclass(frozen=True, slots=True)
class DirectorSeen:
    """One look at a director."""

    daemon: DaemonLook
    config: ConfigSeen
    in_step: bool | None = None
    """What the daemon has loaded is what the files say; None when that cannot be known."""
    running: Configuration | None = None
    """What it has loaded."""
