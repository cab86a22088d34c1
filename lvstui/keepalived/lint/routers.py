"""vrrp_instances as the rules look at them: values of the typed view, with their lines."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable
from dataclasses import dataclass

from lvstui.keepalived.meaning.election import OWNER as OWNER
from lvstui.keepalived.meaning.election import family_and_version
from lvstui.keepalived.meaning.instances import device_of, globals_of, prefix_of
from lvstui.keepalived.meaning.tracking import entries as entries
from lvstui.keepalived.text.tree import Block, Statement, Tree
from lvstui.keepalived.text.values import Notes, shown
from lvstui.model.config import Configuration, ConfiguredInstance
from lvstui.model.keys import address_family

_DIGITS = re.compile(rb"\+?([0-9]{1,9})")


@dataclass(frozen=True, slots=True)
class InstanceAddress:
    """One entry of a block of addresses."""

    line: Statement
    address: str
    """Canonical."""
    prefix: int | None
    """Length of the prefix; None when none is written, or an impossible one."""
    interface: str
    """After `dev`; empty for the instance's own."""


@dataclass(frozen=True, slots=True)
class InstanceLines:
    """One vrrp_instance."""

    block: Block
    name: str
    interface: Statement | None
    vrid_line: Statement | None
    vrid: int
    """0 when it is missing or out of range."""
    priority_line: Statement | None
    priority: int
    """Without `priority` 255 when the state is MASTER, else 100 (vrrp.c)."""
    state_line: Statement | None
    master: bool
    """`state MASTER` is written."""
    strict: bool
    version: int
    family: int
    """4 without any address."""
    vips: tuple[InstanceAddress, ...]
    """Those that keepalived takes, the excluded ones not among them."""
    excluded: tuple[InstanceAddress, ...]
    peers: tuple[InstanceAddress, ...]
    unicast: bool
    """It has a unicast peer."""
    source: Statement | None
    """mcast_src_ip or unicast_src_ip."""
    group: str
    """mcast_dst_ip; empty for the usual one."""

    @property
    def interface_name(self) -> str:
        """Empty when none is given."""
        return shown(self.interface.words[1]) if self.interface else ""

    @property
    def addresses(self) -> tuple[InstanceAddress, ...]:
        """Advertised and excluded ones."""
        return self.vips + self.excluded


def value(statement: Statement | None) -> bytes:
    """Its first value; empty when there is none."""
    return statement.words[1] if statement is not None and len(statement.words) > 1 else b""


def number(statement: Statement | None) -> int | None:
    """Its first value as a number; None when it is none."""
    match = _DIGITS.fullmatch(value(statement))
    return int(match.group(1)) if match else None


def routers(tree: Tree, configuration: Configuration) -> tuple[InstanceLines, ...]:
    """The vrrp_instances that keepalived keeps. `configuration` is the typed view of `tree`."""
    known = {made.name: made for made in configuration.instances}
    version = globals_of(tree, Notes()).vrrp_version
    result = []
    for block in tree.blocks(b"vrrp_instance"):
        # Of two with one name the first counts; by place they could not be told apart, as one line
        # may make several (~SEQ).
        name = shown(block.header.words[1]) if len(block.header.words) == 2 else ""
        if made := known.pop(name, None):
            result.append(_router(block, made, version))
    return tuple(result)


def addresses(block: Block, keyword: bytes) -> tuple[InstanceAddress, ...]:
    """The entries of the inner blocks of that keyword that begin with an address."""
    return _addresses(entries(block, keyword))


def static_addresses(tree: Tree) -> tuple[InstanceAddress, ...]:
    """Those that keepalived sets for as long as it runs."""
    return _addresses(
        line for block in tree.blocks(b"static_ipaddress") for line in block.statements()
    )


def _addresses(lines: Iterable[Statement]) -> tuple[InstanceAddress, ...]:
    result: list[InstanceAddress] = []
    notes = Notes()
    for line in lines:
        address = notes.address(line.words[0].partition(b"/")[0])
        if address is not None and not ipaddress.ip_address(address).is_unspecified:
            result.append(InstanceAddress(line, address, prefix_of(line, address), device_of(line)))
    return tuple(result)


def _router(block: Block, made: ConfiguredInstance, version: int) -> InstanceLines:
    interface = block.last(b"interface")
    family, version = family_and_version(block, version, made.strict, Notes())
    peers = addresses(block, b"unicast_peer")
    return InstanceLines(
        block=block,
        name=made.name,
        interface=interface if value(interface) else None,
        vrid_line=block.last(b"virtual_router_id"),
        vrid=made.vrid,
        priority_line=block.last(b"priority"),
        priority=made.priority,
        state_line=block.last(b"state"),
        master=any(value(line) == b"MASTER" for line in block.statements(b"state")),
        strict=made.strict,
        version=version,
        family=family,
        vips=tuple(
            vip
            for vip in addresses(block, b"virtual_ipaddress")
            if address_family(vip.address) == family
        ),
        excluded=addresses(block, b"virtual_ipaddress_excluded"),
        peers=peers,
        unicast=bool(peers),
        source=block.last(b"mcast_src_ip", b"unicast_src_ip"),
        group=shown(value(block.last(b"mcast_dst_ip"))),
    )
