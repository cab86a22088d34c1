"""virtual_server and real_server with the values that keepalived ends up using.

Order and rules follow check_parser.c and validate_check_config (2.2.7 to 2.4.3). A message is
recorded where keepalived itself prints one.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from lvstui.keepalived.meaning.checks import checks
from lvstui.keepalived.meaning.virtual_servers import (
    DEFAULT_PERSISTENCE,
    Group,
    Member,
    Real,
    Virtual,
    groups,
    read_body,
    read_header,
)
from lvstui.keepalived.text.tree import Block, Tree
from lvstui.keepalived.text.values import MAX_UNSIGNED, Notes, name_of
from lvstui.model.config import ConfiguredServer, ConfiguredService
from lvstui.model.keys import ServerKey, ServiceKey, address_family


def services(
    tree: Tree, notes: Notes, among: Iterable[Block] | None = None
) -> tuple[ConfiguredService, ...]:
    """Every virtual service in the order of the configuration, or those of the blocks `among`."""
    known = groups(tree, notes)
    result: list[ConfiguredService] = []
    for block in tree.blocks(b"virtual_server") if among is None else among:
        result.extend(read_service(block, known, notes).services)
    return tuple(result)


def candidates(tree: Tree, key: ServiceKey) -> Iterator[Block]:
    """The blocks that may give the service of `key`, told by their headers: nobody looks into the
    others. Those of a group may all."""
    notes = Notes()
    wanted = key.address.encode()
    for block in tree.blocks(b"virtual_server"):
        words = block.header.words
        if len(words) < 2:
            continue
        word = words[1]
        if (
            word == b"group"
            or (word == b"fwmark" and key.fwmark)
            or (wanted and (word == wanted or b":" in word) and notes.address(word) == key.address)
        ):
            yield block


@dataclass(frozen=True, slots=True)
class Read:
    """What one virtual_server block gave."""

    services: tuple[ConfiguredService, ...] = ()
    """One, or one for each member of its group; empty when keepalived ignores the block."""
    servers: tuple[Block, ...] = ()
    """The real_server blocks that count, in the order of each service's servers."""


def read_service(block: Block, known: dict[bytes, Group], notes: Notes) -> Read:
    """What `block` means; `known` are the groups of its configuration."""
    virtual = read_header(block, known, notes)
    if virtual is None:
        return Read()
    read_body(virtual, notes)
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


def _family(virtual: Virtual, notes: Notes) -> None:
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


def _defaults(virtual: Virtual, notes: Notes) -> None:
    """What keepalived sets or resets once a virtual server is complete, in its order."""
    place = virtual.block.place
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


def _duplicates(virtual: Virtual, notes: Notes) -> None:
    seen: set[tuple[str, int]] = set()
    kept: list[Real] = []
    for real in virtual.servers:
        if (real.address, real.port) in seen:
            notes.say(real.place, "real server is there already: keepalived removes this one")
        else:
            seen.add((real.address, real.port))
            kept.append(real)
    virtual.servers = kept


def _services(virtual: Virtual, notes: Notes) -> list[ConfiguredService]:
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
    for real in virtual.servers:
        if real.block is not None:
            outer, serves = real.timing.over(virtual.timing), real.port or virtual.port
            real.checkers, real.alpha = checks(
                real.block, outer, real.address, real.written_port, serves, notes
            )
    return [_service(virtual, member, name, group) for member in members]


def _ports(virtual: Virtual, notes: Notes) -> None:
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


def _key(real: Real, member: Member, set_port: bool) -> ServerKey:
    """As in the kernel's table. `set_port`: keepalived gives a real server without a port that
    of the service, which it does not do in a group and for a sorry server of NAT."""
    port = real.port
    if real.forwarding != "NAT" or (set_port and not port):
        port = member.port
    return ServerKey(real.address, port)


def _service(virtual: Virtual, member: Member, name: str, group: str) -> ConfiguredService:
    if member.address:
        key = ServiceKey(
            virtual.protocol, member.address, member.port, 0, address_family(member.address)
        )
    else:
        key = ServiceKey.mark(member.fwmark, member.family or virtual.family or 4)
    servers = tuple(_server(virtual, real, member) for real in virtual.servers)
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
        alpha=bool(virtual.timing.alpha),
        sorry_server=_key(sorry, member, False) if sorry else None,
        sorry_forwarding=sorry.forwarding if sorry else "",
        one_packet=virtual.one_packet,
        place=virtual.block.place,
        persistence_granularity=virtual.granularity,
        persistence_engine=virtual.engine,
        ha_suspend=virtual.ha_suspend,
        omega=virtual.omega,
        flags=tuple(sorted(virtual.flags)),
        quorum_up=virtual.quorum_up,
        quorum_down=virtual.quorum_down,
        sorry_inhibit=virtual.sorry_inhibit,
    )


def _server(virtual: Virtual, real: Real, member: Member) -> ConfiguredServer:
    return ConfiguredServer(
        key=_key(real, member, virtual.group is None),
        weight=virtual.weight if real.weight is None else real.weight,
        forwarding=real.forwarding,
        name=real.name,
        checkers=real.checkers,
        inhibit_on_failure=virtual.inhibit if real.inhibit is None else real.inhibit,
        alpha=real.alpha,
        upper_threshold=real.upper,
        lower_threshold=real.lower,
        place=real.place,
        weight_place=real.weight_place,
        notify_up=real.notify_up,
        notify_down=real.notify_down,
        disabled=real.disabled,
    )
