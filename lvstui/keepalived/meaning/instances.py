"""vrrp_instance, vrrp_sync_group and global_defs, without any password."""

from __future__ import annotations

from dataclasses import dataclass

from lvstui.keepalived.meaning.election import (
    DEFAULT_PRIORITY,
    MAX_PREEMPT_DELAY,
    Election,
    advert_interval,
    elect,
    family_and_version,
    fitting_interval,
)
from lvstui.keepalived.meaning.tracking import Tracking, entries, last, tracked
from lvstui.keepalived.text.tree import Block, Statement, Tree
from lvstui.keepalived.text.values import Notes, script_path, shown
from lvstui.model.config import ConfiguredInstance, VirtualAddress
from lvstui.model.keys import address_family

_NOTIFY = frozenset(
    b"notify notify_master notify_backup notify_fault notify_stop "
    b"notify_master_rx_lower_pri".split()
)
MAX_PASSWORD = 8
"""Bytes of auth_pass that an advert has room for."""


@dataclass(frozen=True, slots=True)
class Globals:
    """What the picture needs of global_defs; several blocks count as one."""

    router_id: str = ""
    notify_fifo: str = ""
    vrrp_notify_fifo: str = ""
    lvs_notify_fifo: str = ""
    enable_dbus: bool = False
    vrrp_version: int = 2
    skip_check_adv_addr: bool = False
    strict: bool = False


def globals_of(tree: Tree, notes: Notes) -> Globals:
    """All global_defs together; of a key that stands twice the last counts."""

    def lines(keyword: bytes) -> list[Statement]:
        blocks = tree.blocks(b"global_defs")
        return [line for block in blocks for line in block.statements(keyword)]

    def word(keyword: bytes) -> str:
        return last(lines(keyword), lambda line: shown(notes.argument(line)), "")

    return Globals(
        router_id=word(b"router_id"),
        notify_fifo=word(b"notify_fifo"),
        vrrp_notify_fifo=word(b"vrrp_notify_fifo"),
        lvs_notify_fifo=word(b"lvs_notify_fifo"),
        enable_dbus=bool(lines(b"enable_dbus")),
        vrrp_version=last(lines(b"vrrp_version"), lambda line: notes.number(line, 2, 3), 2),
        # These take no value.
        skip_check_adv_addr=bool(lines(b"vrrp_skip_check_adv_addr")),
        strict=bool(lines(b"vrrp_strict")),
    )


def sync_groups(tree: Tree, notes: Notes) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """Each vrrp_sync_group with the names it lists; several on a line are several."""
    defined = {
        shown(block.header.words[1])
        for block in tree.blocks(b"vrrp_instance")
        if len(block.header.words) == 2
    }
    result: list[tuple[str, tuple[str, ...]]] = []
    for block in tree.blocks(b"vrrp_sync_group"):
        if len(block.header.words) < 2:
            notes.say(block.place, "vrrp_sync_group: its name is missing")
            continue
        members: list[str] = []
        for entry in entries(block, b"group"):
            for word in map(shown, entry.words):
                if word in defined:
                    members.append(word)
                else:
                    notes.say(entry.place, "the sync group names an instance that does not exist")
        result.append((shown(block.header.words[1]), tuple(members)))
    return tuple(result)


def instances(
    tree: Tree,
    settings: Globals,
    groups: tuple[tuple[str, tuple[str, ...]], ...],
    found: Tracking,
    notes: Notes,
) -> tuple[ConfiguredInstance, ...]:
    """Every vrrp_instance in the order of the configuration."""
    result: dict[str, ConfiguredInstance] = {}
    for block in tree.blocks(b"vrrp_instance"):
        if len(block.header.words) != 2:
            # More than one name is none at all (seen with 2.2.7).
            notes.say(block.place, "vrrp_instance: one name is expected; keepalived ignores it")
            continue
        name = shown(block.header.words[1])
        if name in result:
            notes.say(block.place, "vrrp_instance of that name exists; keepalived ignores this one")
            continue
        group = next((group for group, members in groups if name in members), "")
        result[name] = _instance(block, name, group, settings, found, notes)
    return tuple(result.values())


def _given(block: Block, notes: Notes) -> Election:
    """What the lines say about the election."""

    def delay(line: Statement) -> float:
        seconds = notes.seconds(line, zero=True)
        return seconds if seconds and seconds <= MAX_PREEMPT_DELAY else 0.0

    state = ""
    for line in block.statements(b"state"):
        state = _state(line, state, notes)
    priorities = block.statements(b"priority")
    preempts = block.statements(b"nopreempt", b"preempt")
    return Election(
        last(priorities, lambda line: notes.number(line, 1, 255) or DEFAULT_PRIORITY, 0),
        state,
        last(preempts, lambda line: line.keyword == b"nopreempt", False),
        last(block.statements(b"preempt_delay"), delay, 0.0),
    )


def _skips_check(line: Statement, notes: Notes) -> bool | None:
    flag = notes.flag(line)
    if flag is False:
        # vrrp_parser.c, up to 2.4.3.
        notes.say(line.place, "skip_check_adv_addr: keepalived takes `off` for on")
    return None if flag is None else True


def _instance(
    block: Block, name: str, group: str, settings: Globals, found: Tracking, notes: Notes
) -> ConfiguredInstance:
    def word(line: Statement) -> str:
        return shown(notes.argument(line))

    interface = last(block.statements(b"interface"), word, "")
    router_ids = block.statements(b"virtual_router_id")
    vrid = last(router_ids, lambda line: notes.number(line, 1, 255), 0)
    strict = last(block.statements(b"strict_mode"), notes.flag, settings.strict)
    skips = block.statements(b"skip_check_adv_addr")
    intervals = block.statements(b"advert_int")
    sources = block.statements(b"mcast_src_ip", b"unicast_src_ip")
    notify: dict[str, str] = {}
    for line in block.statements(*_NOTIFY):
        # keepalived keeps the first of two and says so.
        notify.setdefault(line.keyword.decode(), script_path(line))
    vips = _addresses(block, b"virtual_ipaddress", notes)
    excluded = _addresses(block, b"virtual_ipaddress_excluded", notes)
    family, version = family_and_version(block, settings.vrrp_version, strict, notes)
    kept = _of_family(family, vips, "address", notes)
    peers = _of_family(family, _addresses(block, b"unicast_peer", notes), "peer", notes)
    interval = last(intervals, lambda line: advert_interval(line, notes), 1.0)
    interval = fitting_interval(block, interval, version, notes)
    auth = _auth(block, version, notes)
    if auth == b"AH" and family == 6:
        notes.say(block.place, "AH knows no IPv6: keepalived uses no authentication")
        auth = None
    if auth is not None and strict:
        notes.say(block.place, "strict mode knows no authentication: keepalived uses none")
        auth = None
    election = elect(block, _given(block, notes), strict, auth == b"AH", notes)
    if not vrid:
        notes.say(block.place, "virtual_router_id is missing; keepalived ends over this")
    advertised = tuple(address for _, address in kept)
    beside = tuple(address for _, address in excluded)
    return ConfiguredInstance(
        name=name,
        interface=interface,
        vrid=vrid,
        priority=election.priority,
        state=election.state,
        advert_interval_s=interval,
        version=version,
        vips=tuple(dict.fromkeys((*advertised, *beside))),
        nopreempt=election.nopreempt,
        unicast_peers=tuple(address for _, address in peers),
        track_scripts=tracked(block, b"track_script", found.scripts, notes),
        sync_group=group,
        has_auth=auth is not None,
        place=block.place,
        advertised=advertised,
        excluded=beside,
        addresses=(
            *(_virtual(entry, address, interface) for entry, address in kept),
            *(_virtual(entry, address, interface, True) for entry, address in excluded),
        ),
        auth_type=auth.decode() if auth else "",
        preempt_delay_s=election.preempt_delay_s,
        skip_check_adv_addr=last(
            skips, lambda line: _skips_check(line, notes), settings.skip_check_adv_addr
        ),
        strict=strict,
        unicast_source=last(sources, lambda line: notes.address(notes.argument(line)), ""),
        track_interfaces=tuple(
            shown(entry.words[0]) for entry in entries(block, b"track_interface")
        ),
        track_files=tracked(block, b"track_file", found.files, notes),
        track_processes=tracked(block, b"track_process", found.processes, notes),
        notify=tuple(sorted(notify.items())),
    )


def _of_family(
    family: int, found: list[tuple[Statement, str]], what: str, notes: Notes
) -> list[tuple[Statement, str]]:
    for entry, address in found:
        if address_family(address) != family:
            notes.say(entry.place, f"{what} of the other family; keepalived ignores it")
    return [(entry, address) for entry, address in found if address_family(address) == family]


def _virtual(
    entry: Statement, address: str, interface: str, excluded: bool = False
) -> VirtualAddress:
    bits = prefix_of(entry, address)
    if bits is None:
        bits = 128 if ":" in address else 32
    return VirtualAddress(address, bits, device_of(entry) or interface, excluded, entry.place)


def prefix_of(entry: Statement, address: str) -> int | None:
    """The length of the prefix of `address`, which `entry` begins with; None when none is written,
    and when it is impossible: keepalived takes the address alone then (seen with 2.2.7)."""
    prefix = entry.words[0].partition(b"/")[2]
    possible = prefix.isdigit() and int(prefix) <= (128 if ":" in address else 32)
    return int(prefix) if possible else None


def device_of(entry: Statement) -> str:
    """The interface after `dev`; empty: that of the instance."""
    if b"dev" in entry.words[1:-1]:
        return shown(entry.words[entry.words.index(b"dev", 1) + 1])
    return ""


def _state(line: Statement, before: str, notes: Notes) -> str:
    word = notes.argument(line)
    if word not in (b"MASTER", b"BACKUP"):
        notes.say(line.place, "unknown state: keepalived takes BACKUP")
    elif word == b"MASTER":
        return "MASTER"
    elif before == "MASTER":
        notes.say(line.place, "state was MASTER before; keepalived ignores this line")
        return before
    return "BACKUP"


def _addresses(block: Block, keyword: bytes, notes: Notes) -> list[tuple[Statement, str]]:
    """The first word of each entry as canonical address without its prefix."""
    result: list[tuple[Statement, str]] = []
    for entry in entries(block, keyword):
        address = notes.address(entry.words[0].partition(b"/")[0])
        if address is None:
            notes.say(entry.place, f"{keyword.decode()}: no address; keepalived skips the entry")
        else:
            result.append((entry, address))
    return result


def _auth(block: Block, version: int, notes: Notes) -> bytes | None:
    """How adverts are authenticated: PASS or AH (VRRP 2, with a password), HMAC, or None."""
    for inner in block.blocks(b"auth_hmac"):
        if any(len(line.words) > 1 for line in inner.statements(b"key")):
            return b"HMAC"
    if version != 2:
        return None
    kind: bytes | None = None
    secret = False
    for inner in block.blocks(b"authentication"):
        for line in inner.statements():
            if line.words[0] == b"auth_type" and len(line.words) > 1:
                kind = line.words[1] if line.words[1] in (b"PASS", b"AH") else None
            elif line.words[0] == b"auth_pass" and len(line.words) > 1:
                secret = True
                if len(line.words[1]) > MAX_PASSWORD:
                    notes.say(
                        line.place, f"auth_pass: keepalived uses its first {MAX_PASSWORD} bytes"
                    )
    return kind if secret else None
