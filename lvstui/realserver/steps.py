"""A change of one real server as data: steps, each with its reason, its check and its way back."""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from typing import Any

from lvstui.realserver.sysctls import dotted


@dataclass(frozen=True, slots=True)
class SetSysctl:
    """One kernel parameter, now."""

    key: str
    """Below /proc/sys, with slashes."""
    before: str
    after: str
    why: str = ""

    @property
    def what(self) -> str:
        """`net.ipv4.conf.all.arp_ignore: 0 → 1`."""
        return f"{dotted(self.key)}: {self.before or '?'} → {self.after}"

    @property
    def verify(self) -> str:
        return f"read /proc/sys/{self.key} back"

    @property
    def undo(self) -> str:
        return f"{dotted(self.key)} back to {self.before}"


@dataclass(frozen=True, slots=True)
class MoveAddress:
    """One VIP on the loopback or off it, now."""

    vip: str
    prefix: int
    add: bool
    do: str
    """Shell command."""
    back: str
    """The reverse; harmless when there is nothing to reverse."""
    why: str = ""

    @property
    def what(self) -> str:
        """`10.10.0.20/32 on lo`."""
        return f"{self.vip}/{self.prefix} {'on' if self.add else 'off'} lo"

    @property
    def verify(self) -> str:
        return f"ip addr show dev lo {'has' if self.add else 'has not'} {self.vip}/{self.prefix}"

    @property
    def undo(self) -> str:
        return f"{self.vip}/{self.prefix} {'off' if self.add else 'on'} lo"


@dataclass(frozen=True, slots=True)
class ChangeFile:
    """One whole file: made, changed or removed."""

    path: str
    before: bytes | None
    """None: it is not there."""
    after: bytes | None
    """None: it is removed."""
    mode: int = 0o644
    owner: str = "0:0"
    keep: str = ""
    """Name under which the host keeps what is there now for a later undo; empty: need not."""
    why: str = ""

    @property
    def what(self) -> str:
        """`new file /etc/…`."""
        verb = "new file" if self.before is None else "remove" if self.after is None else "change"
        return f"{verb} {self.path}"

    @property
    def verify(self) -> str:
        return "read back byte for byte" if self.after is not None else "it is gone"

    @property
    def undo(self) -> str:
        return f"remove {self.path}" if self.before is None else f"{self.path} from its backup"

    @property
    def diff(self) -> str:
        """Unified diff, undecodable bytes escaped."""

        def lines(data: bytes | None) -> list[str]:
            return (data or b"").decode("utf-8", "backslashreplace").splitlines()

        return "\n".join(
            difflib.unified_diff(
                lines(self.before),
                lines(self.after),
                self.path if self.before is not None else "/dev/null",
                self.path if self.after is not None else "/dev/null",
                lineterm="",
            )
        )


@dataclass(frozen=True, slots=True)
class Run:
    """A command that makes a service take over what the files say."""

    script: str
    why: str = ""
    must: bool = True
    """A failure takes everything back; else it is only reported."""

    @property
    def what(self) -> str:
        return self.script

    @property
    def verify(self) -> str:
        return "its exit status, and everything read back after it" if self.must else "-"

    @property
    def undo(self) -> str:
        """The commands of the way back are the plan's `back`."""
        return "after the files are back, their owner is told again"


HostStep = SetSysctl | MoveAddress | ChangeFile | Run
"""Each says `what` it is, `why`, how it is checked (`verify`) and taken back (`undo`)."""


@dataclass(frozen=True, slots=True)
class HostPlan:
    """What will be done on one host."""

    host: str
    operation: str
    """push or undo."""
    vips: tuple[str, ...]
    """The VIPs that it is about."""
    method: str = ""
    """Name of the stack."""
    why_method: str = ""
    variant: str = ""
    """`all` or `interface`."""
    live: tuple[HostStep, ...] = ()
    """In force at once, gone by themselves at a reboot."""
    commit: tuple[HostStep, ...] = ()
    """Lasting; done only after what is live was proven."""
    back: tuple[Run, ...] = ()
    """On the way back, before the files are restored."""
    back_after: tuple[Run, ...] = ()
    """On the way back, after the files are restored."""
    scratch: bytes = b""
    """A file that commands of `live` read."""
    notes: tuple[str, ...] = ()
    """What differs from the usual recipe, and why."""
    cautions: tuple[str, ...] = ()
    refusals: tuple[str, ...] = ()
    boot_id: str = ""
    """The boot that was looked at."""

    @property
    def steps(self) -> tuple[HostStep, ...]:
        """All, in order."""
        return self.live + self.commit

    @property
    def empty(self) -> bool:
        return not self.steps

    def document(self) -> dict[str, Any]:
        return {
            "host": self.host,
            "operation": self.operation,
            "vips": list(self.vips),
            "method": self.method,
            "why_method": self.why_method,
            "variant": self.variant,
            "steps": [
                {
                    "when": "at once" if step in self.live else "after the proof",
                    "what": step.what,
                    "why": step.why,
                    "verify": step.verify,
                    "undo": step.undo,
                    **({"diff": step.diff} if isinstance(step, ChangeFile) else {}),
                }
                for step in self.steps
            ],
            "notes": list(self.notes),
            "cautions": list(self.cautions),
            "refusals": list(self.refusals),
        }
