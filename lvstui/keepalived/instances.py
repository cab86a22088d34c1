"""vrrp_instance, vrrp_sync_group and global_defs, without any password."""

from __future__ import annotations

from dataclasses import dataclass, replace

from lvstui.keepalived.tree import Block, Statement, Tree
from lvstui.keepalived.values import Notes, shown
from lvstui.model.config import ConfiguredInstance
from lvstui.model.keys import address_family

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


def globals_of(tree: Tree, notes: Notes) -> Globals:
    """All global_defs together; of a key that stands twice the last counts."""
    found = Globals()
    for block in tree.blocks(b"global_defs"):
        for line in block.statements():
            word = line.words[0]
            if word == b"router_id":
                found = replace(found, router_id=shown(notes.argument(line)))
            elif word == b"notify_fifo":
                found = replace(found, notify_fifo=shown(notes.argument(line)))
            elif word == b"vrrp_notify_fifo":
                found = replace(found, vrrp_notify_fifo=shown(notes.argument(line)))
            elif word == b"lvs_notify_fifo":
                found = replace(found, lvs_notify_fifo=shown(notes.argument(line)))
            elif word == b"enable_dbus":
                found = replace(found, enable_dbus=True)
            elif word == b"vrrp_version":
                version = notes.number(line, 2, 3)
                found = replace(found, vrrp_version=version or found.vrrp_version)
    return found


def sync_groups(tree: Tree, notes: Notes) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """Each vrrp_sync_group with the names it lists; several on a line are several."""
    defined = {
        shown(block.header.words[1])
        for block in tree.blocks(b"vrrp_instance")
        if len(block.header.words) > 1
    }
    result: list[tuple[str, tuple[str, ...]]] = []
    for block in tree.blocks(b"vrrp_sync_group"):
        if len(block.header.words) < 2:
            notes.say(block.place, "vrrp_sync_group: its name is missing")
            continue
        members: list[str] = []
        for entry in _entries(block, b"group"):
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
    notes: Notes,
) -> tuple[ConfiguredInstance, ...]:
    """Every vrrp_instance in the order of the configuration."""
    result: dict[str, ConfiguredInstance] = {}
    scripts = _scripts(tree)
    for block in tree.blocks(b"vrrp_instance"):
        if len(block.header.words) < 2:
            notes.say(block.place, "vrrp_instance: its name is missing")
            continue
        name = shown(block.header.words[1])
        if name in result:
            notes.say(block.place, "vrrp_instance of that name exists; keepalived ignores this one")
            continue
        group = next((group for group, members in groups if name in members), "")
        result[name] = _instance(block, name, group, settings, scripts, notes)
    return tuple(result.values())


def _scripts(tree: Tree) -> frozenset[bytes]:
    """The vrrp_scripts that exist: keepalived removes one without `script`."""
    return frozenset(
        block.header.words[1]
        for block in tree.blocks(b"vrrp_script")
        if len(block.header.words) > 1 and any(block.statements(b"script"))
    )


def _tracked(block: Block, scripts: frozenset[bytes], notes: Notes) -> tuple[str, ...]:
    result: list[str] = []
    for entry in _entries(block, b"track_script"):
        if entry.words[0] in scripts:
            result.append(shown(entry.words[0]))
        else:
            notes.say(entry.place, "track_script: no such vrrp_script; keepalived ignores it")
    return tuple(result)


def _entries(block: Block, *keywords: bytes) -> list[Statement]:
    return [entry for inner in block.blocks(*keywords) for entry in inner.statements()]


def _instance(
    block: Block,
    name: str,
    group: str,
    settings: Globals,
    scripts: frozenset[bytes],
    notes: Notes,
) -> ConfiguredInstance:
    interface, vrid, priority, state, interval, version = "", 0, 100, "", 1.0, 0
    nopreempt = False
    for line in block.statements():
        word = line.words[0]
        if word == b"interface":
            interface = shown(notes.argument(line))
        elif word == b"virtual_router_id":
            vrid = notes.number(line, 1, 255) or vrid
        elif word == b"priority":
            priority = notes.number(line, 1, 255) or 100
        elif word == b"advert_int":
            interval = notes.seconds(line) or interval
        elif word == b"version":
            version = notes.number(line, 2, 3) or version
        elif word == b"nopreempt":
            nopreempt = True
        elif word == b"preempt":
            nopreempt = False
        elif word == b"state":
            state = _state(line, state, notes)
    vips = _addresses(block, b"virtual_ipaddress", notes)
    excluded = _addresses(block, b"virtual_ipaddress_excluded", notes)
    family = address_family(vips[0][1]) if vips else 4
    kept = [address for _, address in vips if address_family(address) == family]
    for entry, address in vips:
        if address_family(address) != family:
            notes.say(entry.place, "address of the other family; keepalived ignores it")
    version = version or (3 if family == 6 else settings.vrrp_version)
    if version == 2 and interval != int(interval):
        interval = float(max(1, int(interval + 0.5)))
        notes.say(block.place, f"VRRP 2 knows whole seconds only: advert_int becomes {interval:g}")
    auth = _auth(block, version, notes)
    if auth == b"AH" and state == "MASTER":
        notes.say(block.place, "state MASTER does not go with AH: keepalived takes BACKUP")
        state = "BACKUP"
    if nopreempt and state == "MASTER":
        notes.say(block.place, "nopreempt needs state BACKUP: keepalived clears it")
        nopreempt = False
    if not vrid:
        notes.say(block.place, "virtual_router_id is missing; keepalived ends over this")
    return ConfiguredInstance(
        name=name,
        interface=interface,
        vrid=vrid,
        priority=priority,
        state=state or "BACKUP",
        advert_interval_s=interval,
        version=version,
        vips=tuple(dict.fromkeys((*kept, *(address for _, address in excluded)))),
        nopreempt=nopreempt,
        unicast_peers=tuple(address for _, address in _addresses(block, b"unicast_peer", notes)),
        track_scripts=_tracked(block, scripts, notes),
        sync_group=group,
        has_auth=auth is not None,
        place=block.place,
    )


def _state(line: Statement, before: str, notes: Notes) -> str:
    word = notes.argument(line)
    if word == b"MASTER":
        return "MASTER"
    if word != b"BACKUP":
        notes.say(line.place, "unknown state: keepalived takes BACKUP")
        return "BACKUP"
    if before == "MASTER":
        notes.say(line.place, "state was MASTER before; keepalived ignores this line")
        return before
    return "BACKUP"


def _addresses(block: Block, keyword: bytes, notes: Notes) -> list[tuple[Statement, str]]:
    """The first word of each entry as canonical address without its prefix."""
    result: list[tuple[Statement, str]] = []
    for entry in _entries(block, keyword):
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
