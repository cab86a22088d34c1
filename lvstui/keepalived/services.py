"""virtual_server and real_server with the values that keepalived ends up using.

Order and rules follow check_parser.c and validate_check_config (2.2.7 to 2.4.3). A message is
recorded where keepalived itself prints one.
"""

from __future__ import annotations

import socket
from collections.abc import Iterable
from dataclasses import dataclass, field

from lvstui.keepalived.checks import Check, Timing, checks, timing
from lvstui.keepalived.edit.mark import REASON_LIMIT, UNSET, mark_of
from lvstui.keepalived.groups import Group, Member, groups
from lvstui.keepalived.tree import Block, Statement, Tree
from lvstui.keepalived.values import MAX_UNSIGNED, NAME_LIMIT, Notes, name_of, script_path, shown
from lvstui.model.config import ConfiguredServer, ConfiguredService, DisabledBy, Place
from lvstui.model.keys import ServerKey, ServiceKey, address_family
from lvstui.model.text import plain

SCHEDULERS = frozenset(b"rr wrr lc wlc lblc lblcr sh mh dh fo ovf sed nq twos".split())
MAX_WEIGHT = 2147483647
MAX_PERSISTENCE = 2678400
DEFAULT_PERSISTENCE = 360
_METHODS = {b"NAT": "NAT", b"DR": "DR", b"TUN": "TUN"}
_SCHEDULER_FLAGS = frozenset(
    b"hashed flag-1 flag-2 flag-3 sh-port sh-fallback mh-port mh-fallback".split()
)
_PROTOCOLS = {b"TCP": "tcp", b"UDP": "udp", b"SCTP": "sctp"}


@dataclass(slots=True)
class _Real:
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


@dataclass(slots=True)
class _Virtual:
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
    alpha: bool = False
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
    sorry: _Real | None = None
    servers: list[_Real] = field(default_factory=list)
    timing: Timing = field(default_factory=Timing)

    @property
    def place(self) -> Place:
        """Its header."""
        return self.block.place


def services(
    tree: Tree, notes: Notes, among: Iterable[Block] | None = None
) -> tuple[ConfiguredService, ...]:
    """Every virtual service in the order of the configuration, or those of the blocks `among`."""
    known = groups(tree, notes)
    result: list[ConfiguredService] = []
    for block in tree.blocks(b"virtual_server") if among is None else among:
        result.extend(read_service(block, known, notes).services)
    return tuple(result)


@dataclass(frozen=True, slots=True)
class Read:
    """What one virtual_server block gave."""

    services: tuple[ConfiguredService, ...] = ()
    """One, or one for each member of its group; empty when keepalived ignores the block."""
    servers: tuple[Block, ...] = ()
    """The real_server blocks that count, in the order of each service's servers."""


def read_service(block: Block, known: dict[bytes, Group], notes: Notes) -> Read:
    """What `block` means; `known` are the groups of its configuration."""
    virtual = _header(block, known, notes)
    if virtual is None:
        return Read()
    _body(virtual, notes)
    if not virtual.servers:
        notes.say(block.place, "virtual server has no real servers; keepalived ignores it")
        return Read()
    _family(virtual, notes)
    if virtual.grouped and virtual.group is None:
        # keepalived says nothing and sets nothing up.
        notes.say(block.place, "virtual server of an undefined group; keepalived ignores it")
        return Read()
    _defaults(virtual, notes)
    found = tuple(_services(virtual, notes))
    return Read(found, tuple(real.block for real in virtual.servers if real.block is not None))


def _header(block: Block, known: dict[bytes, Group], notes: Notes) -> _Virtual | None:
    header = block.header
    words = header.words
    if len(words) < 2:
        notes.say(header.place, "virtual_server: its address is missing; keepalived ends over this")
        return None
    if words[1] in (b"group", b"fwmark") and len(words) < 3:
        notes.say(header.place, "virtual_server: the group or mark is missing")
        return None
    if words[1] == b"group":
        return _Virtual(block, group=known.get(words[2]), grouped=True)
    if words[1] == b"fwmark":
        mark = notes.number(header, 0, MAX_UNSIGNED, 2)
        return None if mark is None else _Virtual(block, fwmark=mark)
    address, port = notes.address(words[1]), notes.port(header, 2)
    if address is None or port is None:
        notes.say(header.place, "virtual_server: no valid address and port; keepalived skips it")
        return None
    return _Virtual(block, address=address, port=port, family=address_family(address))


def _body(virtual: _Virtual, notes: Notes) -> None:
    for child in virtual.block.children:
        if isinstance(child, Block):
            if child.keyword == b"real_server":
                _real(virtual, child, notes)
        else:
            _line(virtual, child, notes)
    virtual.timing = timing(virtual.block, notes, inner=False)
    virtual.alpha = bool(virtual.timing.alpha)


def _line(virtual: _Virtual, line: Statement, notes: Notes) -> None:
    """One statement of a virtual server."""
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
    elif word == b"ha_suspend":
        virtual.ha_suspend = True
    elif word == b"omega":
        virtual.omega = True
    elif word == b"quorum_up":
        # Of two scripts the first counts, unlike everywhere else.
        virtual.quorum_up = virtual.quorum_up or script_path(line)
    elif word == b"quorum_down":
        virtual.quorum_down = virtual.quorum_down or script_path(line)
    elif word == b"ops":
        virtual.one_packet = True
    elif word == b"inhibit_on_failure":
        virtual.inhibit = True
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


def _granularity(virtual: _Virtual, line: Statement, notes: Notes) -> str:
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


def _sorry(virtual: _Virtual, line: Statement, notes: Notes) -> None:
    word = line.words[0]
    if word == b"sorry_server":
        address, port = notes.address(notes.argument(line)), notes.port(line, 2)
        if address is None or port is None:
            notes.say(line.place, "sorry_server: no valid address and port; line ignored")
        else:
            virtual.sorry = _Real(line.place, address, port, virtual.forwarding)
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


def _real(virtual: _Virtual, block: Block, notes: Notes) -> None:
    """Read one real server and add it, unless keepalived skips it."""
    header = block.header
    address = notes.address(header.words[1]) if len(header.words) > 1 else None
    port = notes.port(header, 2)
    if address is None or port is None:
        notes.say(header.place, "real_server: no valid address and port; keepalived skips it")
        return
    real = _Real(
        header.place, address, port, virtual.forwarding, name_of(header), block=block,
        written_port=port,
    )  # fmt: skip
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
        elif word in (b"uthreshold", b"lthreshold"):
            threshold = notes.number(line, 0, MAX_UNSIGNED)
            if threshold is not None and word == b"uthreshold":
                real.upper = threshold
            elif threshold is not None:
                real.lower = threshold
    real.timing = timing(block, notes)
    family = address_family(address)
    if real.forwarding != "TUN":
        if virtual.family not in (0, family):
            notes.say(header.place, "real_server of another address family; keepalived skips it")
            return
        virtual.family = family
    virtual.servers.append(real)


def _family(virtual: _Virtual, notes: Notes) -> None:
    """The family of a firewall mark or group, taken from its servers."""
    sorry = virtual.sorry
    if sorry is not None and sorry.forwarding != "TUN":
        family = address_family(sorry.address)
        if virtual.family not in (0, family):
            notes.say(sorry.place, "sorry_server of another address family; keepalived skips it")
            virtual.sorry = None
        else:
            virtual.family = family
    if virtual.family == 0:
        found = {address_family(real.address) for real in virtual.servers}
        virtual.family = found.pop() if len(found) == 1 else 4


def _defaults(virtual: _Virtual, notes: Notes) -> None:
    """What keepalived sets or resets once a virtual server is complete, in its order."""
    place = virtual.place
    members = virtual.group.members if virtual.group else ()
    addressed = any(m.address for m in members) if virtual.group else not virtual.fwmark
    if addressed:
        if not virtual.protocol:
            notes.say(place, "no protocol set: keepalived takes UDP")
            virtual.protocol = "udp"
        if virtual.one_packet and virtual.protocol != "udp":
            notes.say(place, "ops needs UDP: keepalived resets it")
            virtual.one_packet = False
        portless = any(m.address and not m.port for m in members) if virtual.group else False
        if virtual.persistence is None and (portless or not (virtual.group or virtual.port)):
            notes.say(place, f"no port: keepalived sets persistence to {DEFAULT_PERSISTENCE} s")
            virtual.persistence = DEFAULT_PERSISTENCE
    elif virtual.protocol:
        notes.say(place, "a protocol means nothing with a firewall mark: keepalived ignores it")
        virtual.protocol = ""
    marked = any(m.fwmark for m in members) if virtual.group else bool(virtual.fwmark)
    if virtual.ha_suspend and marked:
        notes.say(place, "ha_suspend means nothing with a firewall mark: keepalived clears it")
        virtual.ha_suspend = False
    if not virtual.scheduler:
        notes.say(place, "no scheduler set: keepalived takes wlc")
        virtual.scheduler = "wlc"
    _duplicates(virtual, notes)
    everyone = [*virtual.servers, *([virtual.sorry] if virtual.sorry else [])]
    if not virtual.forwarding and any(not real.forwarding for real in everyone):
        notes.say(place, "no forwarding method set: keepalived takes NAT")
        virtual.forwarding = "NAT"
    for real in everyone:
        real.forwarding = real.forwarding or virtual.forwarding
    virtual.forwarding = virtual.forwarding or virtual.servers[0].forwarding
    total = sum(virtual.weight if real.weight is None else real.weight for real in virtual.servers)
    if virtual.quorum > total:
        notes.say(place, f"quorum {virtual.quorum} is over the total weight: reduced to {total}")
        virtual.quorum = total
    if virtual.hysteresis >= virtual.quorum:
        # With quorum 0 the subtraction wraps: the quorum can never be reached again (2.2.7 on).
        virtual.hysteresis = (virtual.quorum - 1) & MAX_UNSIGNED
        notes.say(place, f"hysteresis is not below the quorum: set to {virtual.hysteresis}")


def _duplicates(virtual: _Virtual, notes: Notes) -> None:
    seen: set[tuple[str, int]] = set()
    kept: list[_Real] = []
    for real in virtual.servers:
        if (real.address, real.port) in seen:
            notes.say(real.place, "real server is there already: keepalived removes this one")
        else:
            seen.add((real.address, real.port))
            kept.append(real)
    virtual.servers = kept


def _services(virtual: _Virtual, notes: Notes) -> list[ConfiguredService]:
    if virtual.group is None:
        members: tuple[Member, ...] = (
            Member(virtual.address, virtual.port, virtual.fwmark, virtual.family),
        )
        name, group = name_of(virtual.block.header), ""
        _ports(virtual, notes)
    else:
        members = virtual.group.members
        group = virtual.group.name
        name = name_of(virtual.block.header) or virtual.group.label or group
    found = [
        checks(
            real.block,
            real.timing.over(virtual.timing),
            real.address,
            real.written_port,
            real.port or virtual.port,
            notes,
        )
        if real.block is not None
        else ()
        for real in virtual.servers
    ]
    return [_service(virtual, member, found, name, group) for member in members]


def _ports(virtual: _Virtual, notes: Notes) -> None:
    """Outside NAT a packet keeps its port: keepalived resets any other (2.1 and later)."""
    sorry = [virtual.sorry] if virtual.sorry else []
    for real in [*virtual.servers, *sorry]:
        who = "sorry server" if real is virtual.sorry else "real server"
        if real.forwarding == "NAT":
            continue
        if virtual.address and real.port not in (0, virtual.port):
            notes.say(real.place, f"{who}: its port is not the service's; keepalived resets it")
        elif not virtual.address and real.port:
            notes.say(real.place, f"{who}: a port means nothing with a mark; keepalived clears it")
        real.port = virtual.port


def _key(real: _Real, member: Member, set_port: bool) -> ServerKey:
    """As in the kernel's table. `set_port`: keepalived gives a real server without a port that
    of the service, which it does not do in a group and for a sorry server of NAT."""
    port = real.port
    if real.forwarding != "NAT" or (set_port and not port):
        port = member.port
    return ServerKey(real.address, port)


def _service(
    virtual: _Virtual, member: Member, found: list[tuple[Check, ...]], name: str, group: str
) -> ConfiguredService:
    if member.address:
        key = ServiceKey(
            virtual.protocol, member.address, member.port, 0, address_family(member.address)
        )
    else:
        key = ServiceKey.mark(member.fwmark, member.family or virtual.family or 4)
    servers = tuple(
        _server(virtual, real, member, own)
        for real, own in zip(virtual.servers, found, strict=True)
    )
    sorry = virtual.sorry
    return ConfiguredService(
        key=key,
        scheduler=virtual.scheduler,
        forwarding=virtual.forwarding,
        servers=servers,
        name=name,
        group=group,
        persistence_s=virtual.persistence,
        quorum=virtual.quorum,
        hysteresis=virtual.hysteresis,
        alpha=virtual.alpha,
        sorry_server=_key(sorry, member, False) if sorry else None,
        sorry_forwarding=sorry.forwarding if sorry else "",
        one_packet=virtual.one_packet,
        place=virtual.place,
        persistence_granularity=virtual.granularity,
        persistence_engine=virtual.engine,
        ha_suspend=virtual.ha_suspend,
        omega=virtual.omega,
        flags=tuple(sorted(virtual.flags)),
        quorum_up=virtual.quorum_up,
        quorum_down=virtual.quorum_down,
        sorry_inhibit=virtual.sorry_inhibit,
    )


def _server(
    virtual: _Virtual, real: _Real, member: Member, own: tuple[Check, ...]
) -> ConfiguredServer:
    alpha = bool(virtual.alpha if real.timing.alpha is None else real.timing.alpha)
    return ConfiguredServer(
        key=_key(real, member, virtual.group is None),
        weight=virtual.weight if real.weight is None else real.weight,
        forwarding=real.forwarding,
        name=real.name,
        checkers=tuple(check.checker for check in own),
        inhibit_on_failure=virtual.inhibit if real.inhibit is None else real.inhibit,
        # Only a check that has not run holds a server down.
        alpha=any(check.alpha for check in own) if own else alpha,
        upper_threshold=real.upper,
        lower_threshold=real.lower,
        place=real.place,
        weight_place=real.weight_place,
        notify_up=real.notify_up,
        notify_down=real.notify_down,
        disabled=real.disabled,
    )


def _disabled(line: Statement) -> DisabledBy | None:
    """Who signed for the 0 on this line of a weight."""
    mark = mark_of(line)
    if mark is None:
        return None
    was = None if mark.was == UNSET else int(mark.was.strip(b'"'))
    at = mark.at.strftime("%Y-%m-%d %H:%M")
    return DisabledBy(plain(mark.by, NAME_LIMIT), at, plain(mark.reason, REASON_LIMIT), was)
