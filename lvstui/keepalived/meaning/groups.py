"""virtual_server_group: the addresses and firewall marks that share one pool."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass

from lvstui.keepalived.text.tree import Statement, Tree
from lvstui.keepalived.text.values import MAX_UNSIGNED, Notes, name_of, shown

MAX_RANGE = 1024
"""Addresses of one range that are shown; keepalived sets up every one."""


@dataclass(frozen=True, slots=True)
class Member:
    """One virtual service of a group: an address and port, or a mark."""

    address: str = ""
    port: int = 0
    fwmark: int = 0
    family: int = 0
    """4, 6, or 0 for a mark that leaves it to the virtual server."""


@dataclass(frozen=True, slots=True)
class Group:
    """A virtual_server_group that keepalived keeps."""

    name: str
    members: tuple[Member, ...]
    label: str = ""
    """From the comment beside it."""


def groups(tree: Tree, notes: Notes) -> dict[bytes, Group]:
    """Every group by its name as written; of two with one name the first counts."""
    result: dict[bytes, Group] = {}
    for block in tree.blocks(b"virtual_server_group"):
        if len(block.header.words) < 2:
            notes.say(block.place, "virtual_server_group: its name is missing")
            continue
        members: list[Member] = []
        for entry in block.statements():
            members.extend(_members(entry, notes))
        if not members:
            notes.say(block.place, "virtual_server_group has no entries; keepalived removes it")
            continue
        name = block.header.words[1]
        result.setdefault(name, Group(shown(name), tuple(members), name_of(block.header)))
    return result


def _members(entry: Statement, notes: Notes) -> list[Member]:
    words = entry.words
    if words[0] == b"fwmark":
        mark = notes.number(entry, 0, MAX_UNSIGNED)
        family = {b"inet": 4, b"inet6": 6}.get(words[2], -1) if len(words) > 2 else 0
        if family < 0:
            notes.say(entry.place, "fwmark: inet or inet6 is expected; line ignored")
        return [] if mark is None or family < 0 else [Member(fwmark=mark, family=family)]
    port = notes.port(entry, 1)
    found = _range(words[0].decode("ascii", "replace"))
    if port is None or found is None:
        notes.say(entry.place, "no address, range or port of a virtual server group; line ignored")
        return []
    first, last = found
    count = int(last) - int(first) + 1
    if count > MAX_RANGE:
        notes.say(entry.place, f"a range of {count} addresses: the first {MAX_RANGE} are shown")
    return [
        Member(str(first + offset), port, 0, first.version)
        for offset in range(min(count, MAX_RANGE))
    ]


_Address = ipaddress.IPv4Address | ipaddress.IPv6Address


def _range(text: str) -> tuple[_Address, _Address] | None:
    """First and last address of `A`, `A/24`, `A.B.C.D-E`, `fd00::1-ff` or `A-B`."""
    try:
        if "/" in text:
            network = ipaddress.ip_network(text)
            return (network[0], network[-1]) if network.prefixlen else None
        start, dash, end = text.partition("-")
        first = ipaddress.ip_address(start)
        if not dash:
            return first, first
        last: _Address
        if "." in end or ":" in end:
            last = ipaddress.ip_address(end)
        elif first.version == 4:
            last = ipaddress.ip_address(int(first) & ~0xFF | _limited(end, 10, 0xFF))
        else:
            low = _limited(end, 16, 0xFFFF)
            last = ipaddress.IPv6Address(int(first) & ~0xFFFF | low)
    except ValueError:
        return None
    return (first, last) if first.version == last.version and int(first) <= int(last) else None


def _limited(text: str, base: int, high: int) -> int:
    value = int(text, base)
    if not 0 <= value <= high:
        raise ValueError("end of range out of bounds")
    return value
