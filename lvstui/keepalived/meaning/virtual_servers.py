"""virtual_server, real_server and virtual_server_group, line by line, as keepalived reads them.

Order and rules follow check_parser.c (2.2.7 to 2.4.3). What it makes of them in the end is in
`services`. A message is recorded where keepalived itself prints one.
"""

from __future__ import annotations

import ipaddress
import socket
from dataclasses import dataclass, field

from lvstui.keepalived.meaning.checks import Timing, timing
from lvstui.keepalived.text.mark import REASON_LIMIT, UNSET, mark_of
from lvstui.keepalived.text.tree import Block, Statement, Tree
from lvstui.keepalived.text.values import (
    MAX_UNSIGNED,
    NAME_LIMIT,
    Notes,
    name_of,
    script_path,
    shown,
)
from lvstui.model.config import ConfiguredChecker, DisabledBy, Place
from lvstui.model.keys import address_family
from lvstui.model.text import plain

SCHEDULERS = frozenset(b"rr wrr lc wlc lblc lblcr sh mh dh fo ovf sed nq twos".split())
MAX_WEIGHT = 2147483647
MAX_PERSISTENCE = 2678400
DEFAULT_PERSISTENCE = 360
_METHODS = {b"NAT": "NAT", b"DR": "DR", b"TUN": "TUN"}
_SCHEDULER_FLAGS = frozenset(
    b"hashed flag-1 flag-2 flag-3 sh-port sh-fallback mh-port mh-fallback".split()
)
_FLAGS = {
    b"ha_suspend": "ha_suspend",
    b"omega": "omega",
    b"ops": "one_packet",
    b"inhibit_on_failure": "inhibit",
}
"""What takes no value, and its field."""
_PROTOCOLS = {b"TCP": "tcp", b"UDP": "udp", b"SCTP": "sctp"}


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


@dataclass(slots=True)
class Real:
    """A real or sorry server before the virtual server is complete."""

    place: Place
    address: str
    port: int
    forwarding: str
    name: str = ""
    written_port: int = 0
    """As in the header, before keepalived sets it: checks connect there."""
    weight: int | None = None
    weight_place: Place | None = None
    disabled: DisabledBy | None = None
    notify_up: str = ""
    notify_down: str = ""
    inhibit: bool | None = None
    upper: int = 0
    lower: int = 0
    block: Block | None = None
    timing: Timing = field(default_factory=Timing)
    checkers: tuple[ConfiguredChecker, ...] = ()
    alpha: bool = False


@dataclass(slots=True)
class Virtual:
    """A virtual server while its lines are read."""

    block: Block
    address: str = ""
    port: int = 0
    fwmark: int = 0
    group: Group | None = None
    grouped: bool = False
    family: int = 0
    scheduler: str = ""
    forwarding: str = ""
    protocol: str = ""
    persistence: int | None = None
    one_packet: bool = False
    quorum: int = 1
    hysteresis: int = 0
    inhibit: bool = False
    weight: int = 1
    granularity: str = ""
    engine: str = ""
    ha_suspend: bool = False
    omega: bool = False
    flags: set[str] = field(default_factory=set)
    quorum_up: str = ""
    quorum_down: str = ""
    sorry_inhibit: bool = False
    sorry: Real | None = None
    servers: list[Real] = field(default_factory=list)
    timing: Timing = field(default_factory=Timing)


def read_header(block: Block, known: dict[bytes, Group], notes: Notes) -> Virtual | None:
    header = block.header
    words = header.words
    if len(words) < 2:
        notes.say(header.place, "virtual_server: its address is missing; keepalived ends over this")
        return None
    if words[1] in (b"group", b"fwmark") and len(words) < 3:
        notes.say(header.place, "virtual_server: the group or mark is missing")
        return None
    if words[1] == b"group":
        return Virtual(block, group=known.get(words[2]), grouped=True)
    if words[1] == b"fwmark":
        mark = notes.number(header, 0, MAX_UNSIGNED, 2)
        return None if mark is None else Virtual(block, fwmark=mark)
    address, port = notes.address(words[1]), notes.port(header, 2)
    if address is None or port is None:
        notes.say(header.place, "virtual_server: no valid address and port; keepalived skips it")
        return None
    return Virtual(block, address=address, port=port, family=address_family(address))


def read_body(virtual: Virtual, notes: Notes) -> None:
    for child in virtual.block.children:
        if isinstance(child, Block):
            if child.keyword == b"real_server":
                _real(virtual, child, notes)
        else:
            _line(virtual, child, notes)
    virtual.timing = timing(virtual.block, notes)


def _line(virtual: Virtual, line: Statement, notes: Notes) -> None:
    word = line.words[0]
    if word in (b"lb_algo", b"lvs_sched"):
        value = notes.argument(line)
        if value in SCHEDULERS:
            virtual.scheduler = value.decode()
        elif value:
            notes.say(line.place, "unknown scheduler; line ignored")
    elif word in (b"lb_kind", b"lvs_method"):
        virtual.forwarding = _method(line, notes) or virtual.forwarding
    elif word == b"protocol":
        protocol = _PROTOCOLS.get(notes.argument(line).upper())
        if protocol is None:
            notes.say(line.place, "unknown protocol; line ignored")
        virtual.protocol = protocol or virtual.protocol
    elif word == b"persistence_timeout":
        if len(line.words) < 2:
            virtual.persistence = DEFAULT_PERSISTENCE
        else:
            given = notes.number(line, 1, MAX_PERSISTENCE)
            virtual.persistence = virtual.persistence if given is None else given
    elif word == b"persistence_granularity":
        granularity = _granularity(virtual, line, notes)
        if granularity:
            virtual.persistence = virtual.persistence or DEFAULT_PERSISTENCE
            virtual.granularity = granularity
    elif word == b"persistence_engine":
        virtual.engine = shown(notes.argument(line))
    elif word in _SCHEDULER_FLAGS:
        virtual.flags.add(word.decode())
    elif word in _FLAGS:
        setattr(virtual, _FLAGS[word], True)
    elif word == b"quorum_up":
        # Of two scripts the first counts, unlike everywhere else.
        virtual.quorum_up = virtual.quorum_up or script_path(line)
    elif word == b"quorum_down":
        virtual.quorum_down = virtual.quorum_down or script_path(line)
    elif word == b"quorum":
        # Unlike most lines a wrong one is not passed over: it means 1.
        virtual.quorum = notes.number(line, 1, MAX_UNSIGNED) or 1
    elif word == b"hysteresis":
        given = notes.number(line, 0, MAX_UNSIGNED)
        virtual.hysteresis = virtual.hysteresis if given is None else given
    elif word == b"weight":
        virtual.weight = notes.number(line, 1, MAX_WEIGHT) or virtual.weight
    elif word == b"ip_family":
        family = {b"inet": 4, b"inet6": 6}.get(notes.argument(line))
        if family is None or virtual.family not in (0, family):
            notes.say(line.place, "ip_family unknown or not that of the address; line ignored")
        else:
            virtual.family = family
    elif word in (b"sorry_server", b"sorry_server_inhibit", b"sorry_server_lvs_method"):
        _sorry(virtual, line, notes)


def _granularity(virtual: Virtual, line: Statement, notes: Notes) -> str:
    """A netmask for IPv4, a prefix length for IPv6; empty when keepalived ignores the line."""
    word = notes.argument(line)
    if virtual.family == 6 or (virtual.family == 0 and b"." not in word):
        number = notes.number(line, 1, 128, whole=True)
        return str(number or "")
    try:
        # As getaddrinfo: a plain number is one, too.
        return socket.inet_ntoa(socket.inet_aton(word.decode("ascii")))
    except (OSError, ValueError):
        notes.say(line.place, "persistence_granularity: a netmask is expected; line ignored")
        return ""


def _sorry(virtual: Virtual, line: Statement, notes: Notes) -> None:
    word = line.words[0]
    if word == b"sorry_server":
        address, port = notes.address(notes.argument(line)), notes.port(line, 2)
        if address is None or port is None:
            notes.say(line.place, "sorry_server: no valid address and port; line ignored")
        else:
            virtual.sorry = Real(line.place, address, port, virtual.forwarding)
    elif virtual.sorry is None:
        notes.say(line.place, f"{word.decode()} stands before its sorry_server; line ignored")
    elif word == b"sorry_server_inhibit":
        virtual.sorry_inhibit = True
    elif word == b"sorry_server_lvs_method":
        virtual.sorry.forwarding = _method(line, notes) or virtual.sorry.forwarding


def _method(line: Statement, notes: Notes) -> str:
    method = _METHODS.get(notes.argument(line), "")
    if not method:
        notes.say(line.place, "unknown forwarding method (NAT, DR or TUN); line ignored")
    return method


def _real(virtual: Virtual, block: Block, notes: Notes) -> None:
    """Read one real server and add it, unless keepalived skips it."""
    header = block.header
    address = notes.address(header.words[1]) if len(header.words) > 1 else None
    port = notes.port(header, 2)
    if address is None or port is None:
        notes.say(header.place, "real_server: no valid address and port; keepalived skips it")
        return
    real = Real(
        header.place,
        address,
        port,
        virtual.forwarding,
        name_of(header),
        block=block,
        written_port=port,
    )
    for line in block.statements():
        word = line.words[0]
        if word == b"weight":
            weight = notes.number(line, 0, MAX_WEIGHT)
            if weight is not None:
                real.weight, real.weight_place = weight, line.word_place(1)
                real.disabled = None if weight else _disabled(line)
        elif word == b"lvs_method":
            real.forwarding = _method(line, notes) or real.forwarding
        elif word == b"inhibit_on_failure":
            flag = notes.flag(line)
            real.inhibit = real.inhibit if flag is None else flag
        elif word == b"notify_up":
            real.notify_up = real.notify_up or script_path(line)
        elif word == b"notify_down":
            real.notify_down = real.notify_down or script_path(line)
        elif word == b"uthreshold":
            threshold = notes.number(line, 0, MAX_UNSIGNED)
            real.upper = real.upper if threshold is None else threshold
        elif word == b"lthreshold":
            threshold = notes.number(line, 0, MAX_UNSIGNED)
            real.lower = real.lower if threshold is None else threshold
    real.timing = timing(block, notes)
    family = address_family(address)
    if real.forwarding != "TUN":
        if virtual.family not in (0, family):
            notes.say(header.place, "real_server of another address family; keepalived skips it")
            return
        virtual.family = family
    virtual.servers.append(real)


def _disabled(line: Statement) -> DisabledBy | None:
    """Who signed for the 0 on this line of a weight."""
    mark = mark_of(line)
    if mark is None:
        return None
    was = None if mark.was == UNSET else int(mark.was.strip(b'"'))
    at = mark.at.strftime("%Y-%m-%d %H:%M")
    return DisabledBy(plain(mark.by, NAME_LIMIT), at, plain(mark.reason, REASON_LIMIT), was)
