"""What every way of bringing up the loopback gives: whether it is this host's, its files, and the
narrowest commands that make it take them over. Pure: no module here touches a host."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar

from lvstui.realserver.facts import HostFacts, SeenFile, host_prefix
from lvstui.realserver.steps import Run

HEAD = "# Written by lvstui: virtual addresses of an LVS director, on the loopback."


@dataclass(frozen=True, slots=True)
class WantedFile:
    """A file as it has to be; content None: it must not be there."""

    path: str
    content: bytes | None
    mode: int = 0o644


@dataclass(frozen=True, slots=True)
class Transition:
    """What has to run around the change of a stack's files."""

    before: tuple[Run, ...] = ()
    after: tuple[Run, ...] = ()


class Stack(ABC):
    """One way. Subclasses are registered in `stacks/__init__.py`."""

    name: ClassVar[str]
    """In plans, JSON and on the command line."""
    title: ClassVar[str]
    """For people."""
    seen_working: ClassVar[bool] = True
    """False: made after the stack's own documentation, not run on such a host."""
    arriving: ClassVar[Transition] = Transition()
    """Around a change after which its files hold a VIP."""
    leaving: ClassVar[Transition] = Transition()
    """Around one after which they hold none."""

    @abstractmethod
    def manages(self, facts: HostFacts) -> str:
        """Why this host's loopback is this stack's, in words; empty: it is not."""

    @abstractmethod
    def cannot(self, facts: HostFacts, vips: tuple[str, ...]) -> str:
        """Why it cannot hold these VIPs here; empty: it can."""

    @abstractmethod
    def files(self, facts: HostFacts, vips: tuple[str, ...]) -> tuple[WantedFile, ...]:
        """Its files for exactly these VIPs (none: as if lvstui had never been there)."""

    def transition(self, vips: tuple[str, ...]) -> Transition:
        """Commands around the change of its files to those for `vips`."""
        return self.arriving if vips else self.leaving

    def live(self, facts: HostFacts, vip: str, vips: tuple[str, ...]) -> str:
        """The command that puts a VIP on the loopback now; `vips` are all that will be there."""
        return add_address(facts, vip)

    def unlive(self, facts: HostFacts, vip: str) -> str:
        """The command that takes it away now; done twice it does no harm."""
        return f"{delete_address(facts, vip)} 2>/dev/null || :"

    def scratch(self, facts: HostFacts, vips: tuple[str, ...]) -> bytes:
        """A file that `live` and `unlive` need on the host while the change runs; empty: none."""
        return b""

    def persistent(self, facts: HostFacts, vip: str) -> str:
        """The file that brings this VIP back after a reboot, by this stack; empty: none."""
        for wanted in self.files(facts, (vip,)):
            seen = facts.file(wanted.path)
            if seen is not None and wanted.content is not None and mentions(seen, vip):
                return seen.path
        return ""


class OwnFileStack(Stack):
    """One that holds all VIPs in one file of lvstui's own."""

    file: ClassVar[str]
    mode: ClassVar[int] = 0o644

    def path(self, facts: HostFacts) -> str:
        """The file on this host."""
        return self.file

    @abstractmethod
    def lines(self, facts: HostFacts, vips: tuple[str, ...]) -> list[str]:
        """What stands in it for these VIPs (one at least)."""

    def files(self, facts: HostFacts, vips: tuple[str, ...]) -> tuple[WantedFile, ...]:
        content = None
        if vips:
            content = "".join(f"{line}\n" for line in self.lines(facts, vips)).encode()
        return (WantedFile(self.path(facts), content, self.mode),)


def mentions(seen: SeenFile, vip: str) -> bool:
    """Whether a file of ours holds that VIP."""
    return vip in re.split(r"""[\s/="',\[\]]+""", seen.text)


def ip(facts: HostFacts) -> str:
    """The host's `ip`."""
    return facts.program("ip") or "ip"


def add_address(facts: HostFacts, vip: str, label: str = "") -> str:
    """`replace` does nothing where the address is there already (`add` fails)."""
    if ":" in vip:
        # Deprecated at once, so that the host does not choose it as a source (measured).
        return f"{ip(facts)} -6 addr replace {vip}/128 dev lo preferred_lft 0"
    named = f" label {label}" if label else ""
    return f"{ip(facts)} addr replace {vip}/32 dev lo{named}"


def delete_address(facts: HostFacts, vip: str, prefix: int | None = None) -> str:
    """Takes it from the loopback."""
    family = " -6" if ":" in vip else ""
    return f"{ip(facts)}{family} addr del {vip}/{prefix or host_prefix(vip)} dev lo"


def slashed(vip: str) -> str:
    return f"{vip}/{host_prefix(vip)}"
