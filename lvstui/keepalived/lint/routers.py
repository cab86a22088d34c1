"""vrrp_instances as the rules look at them: effective values with the lines they come from."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from lvstui.keepalived.tree import Block, Statement, Tree
from lvstui.keepalived.values import shown
from lvstui.model.keys import address_family, canonical_address

DEFAULT_PRIORITY = 100
OWNER = 255
"""Priority of the router that owns the addresses."""

_TRUE = frozenset((b"true", b"on", b"yes"))
_DIGITS = re.compile(rb"\+?([0-9]{1,9})")


@dataclass(frozen=True, slots=True)
class Address:
    """One entry of a block of addresses."""

    line: Statement
    address: str
    """Canonical."""
    prefix: int | None
    """Length of the prefix; None when none is written."""
    interface: str
    """After `dev`; empty for the instance's own."""


@dataclass(frozen=True, slots=True)
class Router:
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
    native_ipv6: bool
    version: int
    family: int
    """4 without any address."""
    vips: tuple[Address, ...]
    """Those that keepalived takes, the excluded ones not among them."""
    excluded: tuple[Address, ...]
    peers: tuple[Address, ...]
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
    def addresses(self) -> tuple[Address, ...]:
        """Advertised and excluded ones."""
        return self.vips + self.excluded

    def line(self, *keywords: bytes) -> Statement | None:
        """The last statement with one of `keywords`."""
        return last(self.block, *keywords)


def last(block: Block, *keywords: bytes) -> Statement | None:
    """Of a keyword that stands more than once the last one counts."""
    found = None
    for statement in block.statements(*keywords):
        found = statement
    return found


def value(statement: Statement | None) -> bytes:
    """Its first value; empty when there is none."""
    return statement.words[1] if statement is not None and len(statement.words) > 1 else b""


def number(statement: Statement | None) -> int | None:
    """Its first value as a number; None when it is none."""
    match = _DIGITS.fullmatch(value(statement))
    return int(match.group(1)) if match else None


def entries(block: Block, *keywords: bytes) -> Iterator[Statement]:
    """The entries of the value blocks with one of `keywords`."""
    for inner in block.blocks(*keywords):
        yield from inner.statements()


def routers(tree: Tree, settings: Mapping[bytes, Statement]) -> tuple[Router, ...]:
    """The vrrp_instances that keepalived keeps: a header of exactly two words, each name once."""
    result: dict[str, Router] = {}
    for block in tree.blocks(b"vrrp_instance"):
        if len(block.header.words) == 2:
            name = shown(block.header.words[1])
            if name not in result:
                result[name] = _router(block, name, settings)
    return tuple(result.values())


def addresses(block: Block, keyword: bytes) -> tuple[Address, ...]:
    """The entries of the inner blocks of that keyword that begin with an address."""
    return _addresses(entries(block, keyword))


def static_addresses(tree: Tree) -> tuple[Address, ...]:
    """Those that keepalived sets for as long as it runs."""
    return _addresses(
        line for block in tree.blocks(b"static_ipaddress") for line in block.statements()
    )


def _addresses(lines: Iterable[Statement]) -> tuple[Address, ...]:
    result: list[Address] = []
    for line in lines:
        text, slash, length = line.words[0].partition(b"/")
        try:
            address = canonical_address(text.decode("ascii"))
        except ValueError:
            continue
        if ipaddress.ip_address(address).is_unspecified:
            continue
        prefix: int | None = None
        if slash:
            if not length.isdigit() or int(length) > (128 if ":" in address else 32):
                continue
            prefix = int(length)
        device = ""
        if b"dev" in line.words[1:-1]:
            device = shown(line.words[line.words.index(b"dev", 1) + 1])
        result.append(Address(line, address, prefix, device))
    return tuple(result)


def link_local(address: str) -> bool:
    """Whether it is valid on one link only."""
    return ipaddress.ip_address(address).is_link_local


def _flag(line: Statement | None) -> bool | None:
    if line is None:
        return None
    return len(line.words) < 2 or line.words[1].lower() in _TRUE


def _priority(block: Block, master: bool) -> int:
    given = None
    for line in block.statements(b"priority"):
        count = number(line)
        given = count if count is not None and 1 <= count <= OWNER else DEFAULT_PRIORITY
    if given is not None:
        return given
    return OWNER if master else DEFAULT_PRIORITY


def _family(block: Block) -> int:
    """4 or 6, by the first line that tells; 4 when none does."""
    for child in block.children:
        words: Iterable[bytes] = ()
        if isinstance(child, Block):
            if child.keyword in (b"virtual_ipaddress", b"unicast_peer"):
                words = (entry.words[0].partition(b"/")[0] for entry in child.statements())
        elif child.words[0] == b"native_ipv6":
            return 6
        elif child.words[0] in (b"mcast_src_ip", b"unicast_src_ip", b"mcast_dst_ip"):
            words = child.words[1:2]
        for word in words:
            try:
                return address_family(canonical_address(word.decode("ascii")))
            except ValueError:
                continue
    return 4


def _router(block: Block, name: str, settings: Mapping[bytes, Statement]) -> Router:
    vrid_line = vrid = None
    for line in block.statements(b"virtual_router_id"):
        vrid_line, count = line, number(line)
        vrid = count if count is not None and 1 <= count <= 255 else vrid
    interface = last(block, b"interface")
    state_line = last(block, b"state")
    master = any(value(line) == b"MASTER" for line in block.statements(b"state"))
    native = any(block.statements(b"native_ipv6"))
    written = addresses(block, b"virtual_ipaddress")
    family = _family(block)
    strict = _flag(last(block, b"strict_mode"))
    if strict is None:
        strict = bool(_flag(settings.get(b"vrrp_strict")))
    version = number(last(block, b"version")) or 0
    if version not in (2, 3):
        version = 3 if family == 6 else number(settings.get(b"vrrp_version")) or 2
    if family == 6 and strict:
        version = 3
    peers = addresses(block, b"unicast_peer")
    return Router(
        block=block,
        name=name,
        interface=interface if value(interface) else None,
        vrid_line=vrid_line,
        vrid=vrid or 0,
        priority_line=last(block, b"priority"),
        priority=_priority(block, master),
        state_line=state_line,
        master=master,
        strict=strict,
        native_ipv6=native,
        version=version,
        family=family,
        vips=tuple(vip for vip in written if address_family(vip.address) == family),
        excluded=addresses(block, b"virtual_ipaddress_excluded"),
        peers=peers,
        unicast=bool(peers),
        source=last(block, b"mcast_src_ip", b"unicast_src_ip"),
        group=shown(value(last(block, b"mcast_dst_ip"))),
    )
