"""VRRP: instances, their VIPs, and the scripts that they track."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass, field

from lvstui.keepalived.edit.change import Change, RefusedEdit
from lvstui.keepalived.edit.entries import add_entry, remove_entry
from lvstui.keepalived.edit.find import ensure_editable, find_named
from lvstui.keepalived.edit.judge import complaint
from lvstui.keepalived.edit.services import Setting, last_block
from lvstui.keepalived.edit.style import New, NewBlock, NewLine, style_of
from lvstui.keepalived.edit.tree_writer import TreeWriter
from lvstui.keepalived.keywords import ROOT
from lvstui.keepalived.text.tree import Block, Tree
from lvstui.keepalived.text.values import shown
from lvstui.model.keys import address_family, canonical_address

BOTH = "every director needs it within three adverts: up to 2.3.2 they part company over the VIPs"
"""Adverts of another number of VIPs are dropped, and both become master (measured, 2.2.7)."""


@dataclass(frozen=True, slots=True)
class NewInstance:
    """A vrrp_instance to be added."""

    name: str
    settings: tuple[Setting, ...]
    """In order: (`state`, `BACKUP`), (`interface`, `eth0`), (`virtual_router_id`, `51`) …"""
    vips: tuple[Setting, ...]
    """Each as words: (`10.0.0.9/24`, `dev`, `eth0`)."""
    auth: tuple[Setting, ...] = field(default=(), repr=False)
    """(`auth_type`, `PASS`), (`auth_pass`, …); a secret."""
    peers: tuple[str, ...] = ()


def add_instance(tree: Tree, new: NewInstance) -> Change:
    """Add `new` behind the last instance. Raises RefusedEdit."""
    if not new.name or len(new.name.split()) > 1:
        raise RefusedEdit(None, "an instance needs a name of one word")
    if _named(tree, b"vrrp_instance", new.name) is not None:
        raise RefusedEdit(None, "there is an instance of that name")
    given = {setting[0] for setting in new.settings}
    for needed in ("interface", "virtual_router_id"):
        if needed not in given:
            raise RefusedEdit(None, f"an instance needs {needed}")
    if not new.vips:
        raise RefusedEdit(None, "an instance needs a VIP: keepalived removes one without")
    children: list[New] = _lines("vrrp_instance", new.settings)
    if new.auth:
        lines = tuple(_lines("authentication", new.auth))
        children.append(NewBlock((b"authentication",), lines))
    if new.peers:
        for peer in new.peers:
            _address(peer)
        lines = tuple(NewLine((peer.encode(),)) for peer in new.peers)
        children.append(NewBlock((b"unicast_peer",), lines))
    for vip in new.vips:
        _address(vip[0])
    entries = tuple(NewLine(tuple(word.encode() for word in vip)) for vip in new.vips)
    children.append(NewBlock((b"virtual_ipaddress",), entries))
    pen = TreeWriter(tree)
    _append(pen, tree, NewBlock((b"vrrp_instance", new.name.encode()), tuple(children)))
    return pen.change(
        f"add instance {new.name}",
        "every director needs an instance with the same router id, VIPs and interval",
    )


def remove_instance(tree: Tree, name: str) -> Change:
    """Take an instance out. Raises RefusedEdit when a sync group still names it."""
    found = find_named(tree, "vrrp_instance", name)
    wanted = found.block.header.words[1]
    for group in tree.blocks(b"vrrp_sync_group"):
        for inner in group.blocks(b"group"):
            if any(wanted in line.words for line in inner.statements()):
                raise RefusedEdit(
                    group.place,
                    "a sync group names this instance",
                    "take it out of the group first",
                )
    pen = TreeWriter(tree)
    pen.remove(found.block, own_comments=True)
    return pen.change(f"remove {found.whom}", *found.cautions, "its VIPs leave this director")


def add_vip(tree: Tree, name: str, vip: Setting, excluded: bool = False) -> Change:
    """Add a VIP (address with prefix, then options) to an instance; `excluded`: to those that
    adverts do not carry. Raises RefusedEdit."""
    found = find_named(tree, "vrrp_instance", name)
    address = _address(vip[0] if vip else "")
    there = _vips(found.block)
    if any(address == other for _, other in there):
        raise RefusedEdit(found.block.place, "the instance has that VIP already")
    advertised = [other for keyword, other in there if keyword == "virtual_ipaddress"]
    if not excluded and advertised and address_family(advertised[0]) != address_family(address):
        raise RefusedEdit(
            found.block.place,
            "the adverts of an instance carry one address family",
            "add it as an excluded one",
        )
    into = "virtual_ipaddress_excluded" if excluded else "virtual_ipaddress"
    return add_entry(tree, found.block, into, vip, found.whom, "" if excluded else BOTH)


def remove_vip(tree: Tree, name: str, address: str) -> Change:
    """Take a VIP away from an instance. Raises RefusedEdit for its last advertised one."""
    found = find_named(tree, "vrrp_instance", name)
    wanted = _address(address)
    there = _vips(found.block)
    into = next((keyword for keyword, other in there if other == wanted), "")
    if not into:
        raise RefusedEdit(found.block.place, "the instance has no such VIP")
    advertised = into == "virtual_ipaddress"
    if advertised and sum(keyword == into for keyword, _ in there) < 2:
        raise RefusedEdit(
            found.block.place,
            "it is the last VIP: keepalived removes an instance without any",
            "remove the instance instead",
        )
    return remove_entry(
        tree,
        found.block,
        into,
        wanted,
        found.whom,
        BOTH if advertised else "",
        "clients of this address are cut off",
    )


def untrack(tree: Tree, name: str, kind: str, entry: str) -> Change:
    """Let an instance not track `entry` any more. Raises RefusedEdit."""
    found = find_named(tree, "vrrp_instance", name)
    return remove_entry(tree, found.block, kind, entry, found.whom)


@dataclass(frozen=True, slots=True)
class NewScript:
    """A vrrp_script to be added."""

    name: str
    settings: tuple[Setting, ...]
    """(`script`, `/path arguments`), (`interval`, `2`) …"""


def add_script(tree: Tree, new: NewScript) -> Change:
    """Add `new` before the first instance or sync group, or behind the last vrrp_script.

    An instance finds only scripts that stand before it (2.2.7). Raises RefusedEdit.
    """
    if not new.name or len(new.name.split()) > 1:
        raise RefusedEdit(None, "a script needs a name of one word")
    if _named(tree, b"vrrp_script", new.name) is not None:
        raise RefusedEdit(None, "there is a vrrp_script of that name")
    if not any(setting[0] == "script" and len(setting) > 1 for setting in new.settings):
        raise RefusedEdit(None, "a vrrp_script needs a command")
    block = NewBlock(
        (b"vrrp_script", new.name.encode()), tuple(_lines("vrrp_script", new.settings))
    )
    pen = TreeWriter(tree)
    users = list(tree.blocks(b"vrrp_instance", b"vrrp_sync_group"))
    last = last_block(tree, b"vrrp_script")
    if users and (last is None or pen.outline.start(last) > pen.outline.start(users[0])):
        ensure_editable(tree, users[0])
        file = users[0].header.file
        pen.prepend(block, users[0], style_of(tree, file, b"vrrp_script"))
    else:
        _append(pen, tree, block)
    return pen.change(f"add script {new.name}")


def remove_script(tree: Tree, name: str) -> Change:
    """Take a vrrp_script out. Raises RefusedEdit while something tracks it."""
    found = find_named(tree, "vrrp_script", name)
    wanted = found.block.header.words[1]
    for block in tree.blocks(b"vrrp_instance", b"vrrp_sync_group"):
        for inner in block.blocks(b"track_script"):
            if any(line.words[0] == wanted for line in inner.statements()):
                raise RefusedEdit(
                    inner.place, "an instance or sync group tracks it", "take it out there first"
                )
    pen = TreeWriter(tree)
    pen.remove(found.block, own_comments=True)
    return pen.change(f"remove {found.whom}")


def _append(pen: TreeWriter, tree: Tree, block: NewBlock) -> None:
    keyword = block.words[0]
    after = last_block(tree, keyword)
    file = after.header.file if after is not None else tree.files[0]
    pen.append(file, block, after, style_of(tree, file, keyword))


def _lines(kind: str, settings: tuple[Setting, ...]) -> list[New]:
    known = ROOT.get(kind.encode())
    if kind == "authentication":
        known = (ROOT[b"vrrp_instance"].inner or {})[b"authentication"]
    assert known is not None
    result: list[New] = []
    for setting in settings:
        found = (known.inner or {}).get(setting[0].encode())
        if found is None or found.inner is not None or found.values:
            raise RefusedEdit(None, f"{kind} does not know one of the keywords")
        if fault := complaint(kind, setting[0], setting[1:]):
            raise RefusedEdit(None, fault)
        result.append(NewLine(tuple(word.encode("utf-8", "surrogateescape") for word in setting)))
    return result


def _named(tree: Tree, keyword: bytes, name: str) -> Block | None:
    for block in tree.blocks(keyword):
        if len(block.header.words) > 1 and shown(block.header.words[1]) == name:
            return block
    return None


def _vips(block: Block) -> list[tuple[str, str]]:
    """Which list each VIP of an instance stands in, and its address."""
    result: list[tuple[str, str]] = []
    for keyword in ("virtual_ipaddress", "virtual_ipaddress_excluded"):
        for inner in block.blocks(keyword.encode()):
            for entry in inner.statements():
                bare = entry.words[0].partition(b"/")[0].decode("ascii", "replace")
                try:
                    result.append((keyword, canonical_address(bare)))
                except ValueError:
                    continue
    return result


def _address(text: str) -> str:
    try:
        if "%" in text or "[" in text:
            raise ValueError
        return str(ipaddress.ip_interface(text).ip)
    except ValueError:
        raise RefusedEdit(None, "an address is needed, with its prefix: 10.0.0.9/24") from None
