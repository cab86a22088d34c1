"""The ways in which a Linux brings its loopback up: a line each here."""

from __future__ import annotations

from dataclasses import dataclass

from lvstui.realserver.facts import HostFacts
from lvstui.realserver.stacks.base import Stack
from lvstui.realserver.stacks.ifcfg import NetworkScripts, Wicked
from lvstui.realserver.stacks.ifupdown import Ifupdown
from lvstui.realserver.stacks.networkd import Netplan, Networkd
from lvstui.realserver.stacks.networkmanager import NetworkManager
from lvstui.realserver.stacks.own import OpenRc, Unit

STACKS: tuple[Stack, ...] = (
    NetworkScripts(),
    Ifupdown(),
    Netplan(),
    Networkd(),
    NetworkManager(),
    Wicked(),
    OpenRc(),
    Unit(),
)
"""In the order in which they are asked whether they manage lo."""

__all__ = ["STACKS", "Choice", "Stack", "by_name", "choose", "title_of", "unknown"]


def by_name(name: str) -> Stack:
    """Raises ValueError naming those that exist."""
    for stack in STACKS:
        if stack.name == name:
            return stack
    raise ValueError(f"no method {name!r}; there are: {', '.join(s.name for s in STACKS)}")


def title_of(name: str) -> str:
    """A way for people, also one that only another version of lvstui knows."""
    return next((stack.title for stack in STACKS if stack.name == name), name or "no file")


def unknown(name: str) -> str:
    """What is said of a host that another version of lvstui changed."""
    return f"lvstui's VIPs are here by {name!r}, which only another version of it knows"


@dataclass(frozen=True, slots=True)
class Choice:
    """Which way was chosen for a host, and why."""

    stack: Stack | None
    why: str
    passed: tuple[str, ...] = ()
    """Ways that would have come first, and why they could not."""


def choose(facts: HostFacts, vips: tuple[str, ...], wanted: str = "") -> Choice:
    """The way for this host: the one that holds lvstui's VIPs already, the one that was asked for,
    else the first that manages lo and can hold these VIPs. Raises ValueError for an unknown name.
    """
    there = facts.manifest.method if facts.manifest is not None else ""
    if there and not wanted and there not in {stack.name for stack in STACKS}:
        return Choice(None, unknown(there))
    if wanted or there:
        stack = by_name(wanted or there)
        cannot = stack.cannot(facts, vips)
        why = "asked for" if wanted else "lvstui's VIPs are there already"
        return Choice(None if cannot else stack, cannot or why)
    passed: list[str] = []
    owners = [stack for stack in STACKS if _owns(stack, facts)]
    for stack in [*owners, *(s for s in STACKS if s not in owners)]:
        why = stack.manages(facts)
        if not why:
            continue
        cannot = stack.cannot(facts, vips)
        if not cannot:
            return Choice(stack, why, tuple(passed))
        passed.append(f"{stack.title} is here, but {cannot}")
    return Choice(None, "nothing that lvstui knows brings addresses up at boot here", tuple(passed))


def _owns(stack: Stack, facts: HostFacts) -> bool:
    """A manager that has lo now would take foreign addresses away (measured): it comes first."""
    stacks = facts.stacks
    if stack.name == "networkmanager":
        return stacks.nm_lo == "connected"
    if stack.name == "netplan":
        return bool(stacks.netplan_lo) and stacks.networkd_active
    if stack.name == "networkd":
        return stacks.networkd_active and stacks.networkd_lo == "configured"
    return False
