"""The lab as the console inside it sees it: what can be broken, where, and the way to ask."""

from __future__ import annotations

from dataclasses import dataclass

from lvstui.lab.faults import FAULTS, Fault, available, inject, nodes


@dataclass(frozen=True, slots=True)
class Breakable:
    """A fault in the console's terms."""

    name: str
    summary: str
    needs: str
    """What has to be said with it: `node`, `node argument`, `argument` or nothing."""
    role: str


class LabLink:
    """The way from a node's console to the lab around it."""

    def __init__(self, members: list[tuple[str, str]]) -> None:
        self._members = members
        self.faults = tuple(_breakable(fault) for fault in FAULTS)
        self.nodes = tuple(name for name, _ in members)

    def targets(self, fault: Breakable) -> tuple[str, ...]:
        """The nodes that a fault can strike; one empty name for the lab as a whole."""
        if not fault.role:
            return ("",)
        return tuple(name for name, role in self._members if fault.role in ("any", role))

    def inject(self, name: str, node: str, argument: str | None) -> str:
        """Break or heal it; blocks. Returns what was done. Raises LabError."""
        return inject(name, node, argument)


def _breakable(fault: Fault) -> Breakable:
    needs = "node" if fault.role else ""
    # Only `slow` changes its meaning with the argument; elsewhere it narrows the fault to one
    # service, which nobody wants to be asked each time.
    if fault.name == "slow":
        needs += " argument"
    return Breakable(fault.name, fault.summary, needs.strip(), fault.role)


def lab_link() -> LabLink | None:
    """The lab that this process runs in; None outside one. Raises LabError when it is there but
    does not answer."""
    return LabLink(nodes()) if available() else None
