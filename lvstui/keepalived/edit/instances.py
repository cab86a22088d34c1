"""VRRP: instances, their VIPs, and the scripts that they track."""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass, field

from lvstui.keepalived.edit.change import Change, RefusedEdit
from lvstui.keepalived.edit.find import ensure_editable, find_named
from lvstui.keepalived.edit.services import Setting, append_block, last_block, new_lines
from lvstui.keepalived.edit.style import New, NewBlock, NewLine, style_of
from lvstui.keepalived.edit.tree_writer import TreeWriter
from lvstui.keepalived.edit.values import last_child, place_for, table_of
from lvstui.keepalived.text.tree import Block, Statement, Tree
from lvstui.keepalived.text.values import shown
from lvstui.model.keys import address_family, canonical_address

BOTH = "every director needs it within three adverts: up to 2.3.2 they part company over the VIPs"
"""Adverts of another number of VIPs are dropped, and both become master (measured, 2.2.7)."""


@dataclass(frozen=True, slots=True)
class AddInstance:
    """A vrrp_instance more, behind the last one."""

    name: str
    settings: tuple[Setting, ...]
    """In order: (`state`, `BACKUP`), (`interface`, `eth0`), (`virtual_router_id`, `51`) …"""
    vips: tuple[Setting, ...]
    """Each as words: (`10.0.0.9/24`, `dev`, `eth0`)."""
    auth: tuple[Setting, ...] = field(default=(), repr=False)
    """(`auth_type`, `PASS`), (`auth_pass`, …); a secret."""
    peers: tuple[str, ...] = ()

    def on(self, tree: Tree) -> Change:
        _ensure_new(tree, b"vrrp_instance", self.name, "an instance")
        given = {setting[0] for setting in self.settings}
        for needed in ("interface", "virtual_router_id"):
            if needed not in given:
                raise RefusedEdit(None, f"an instance needs {needed}")
        if not self.vips:
            raise RefusedEdit(None, "an instance needs a VIP: keepalived removes one without")
        children: list[New] = new_lines("vrrp_instance", self.settings)
        if self.auth:
            lines = tuple(new_lines("authentication", self.auth))
            children.append(NewBlock((b"authentication",), lines))
        if self.peers:
            for peer in self.peers:
                _address(peer)
            lines = tuple(NewLine((peer.encode(),)) for peer in self.peers)
            children.append(NewBlock((b"unicast_peer",), lines))
        for vip in self.vips:
            _address(vip[0])
        entries = tuple(NewLine(tuple(word.encode() for word in vip)) for vip in self.vips)
        children.append(NewBlock((b"virtual_ipaddress",), entries))
        pen = TreeWriter(tree)
        append_block(pen, NewBlock((b"vrrp_instance", self.name.encode()), tuple(children)))
        return pen.change(
            f"add instance {self.name}",
            "every director needs an instance with the same router id, VIPs and interval",
        )


@dataclass(frozen=True, slots=True)
class RemoveInstance:
    """An instance less. Refused while a sync group names it."""

    name: str

    def on(self, tree: Tree) -> Change:
        found = find_named(tree, "vrrp_instance", self.name)
        wanted = found.block.header.words[1]
        for group in tree.blocks(b"vrrp_sync_group"):
            for inner in group.blocks(b"group"):
                if any(wanted in line.words for line in inner.statements()):
                    why = "a sync group names this instance"
                    raise RefusedEdit(group.place, why, "take it out of the group first")
        pen = TreeWriter(tree)
        pen.remove(found.block, own_comments=True)
        return pen.change(f"remove {found.whom}", *found.cautions, "its VIPs leave this director")


@dataclass(frozen=True, slots=True)
class AddVip:
    """A VIP more."""

    instance: str
    vip: Setting
    """`10.0.0.9/24` and the options behind it."""
    excluded: bool = False
    """Among those that adverts do not carry."""

    def on(self, tree: Tree) -> Change:
        found = find_named(tree, "vrrp_instance", self.instance)
        address = _address(self.vip[0] if self.vip else "")
        there = _vips(found.block)
        if any(address == other for _, other in there):
            raise RefusedEdit(found.block.place, "the instance has that VIP already")
        advertised = [other for keyword, other in there if keyword == "virtual_ipaddress"]
        if (
            not self.excluded
            and advertised
            and address_family(advertised[0]) != address_family(address)
        ):
            why = "the adverts of an instance carry one address family"
            raise RefusedEdit(found.block.place, why, "add it as an excluded one")
        into = "virtual_ipaddress_excluded" if self.excluded else "virtual_ipaddress"
        return _add_entry(
            tree, found.block, into, self.vip, found.whom, "" if self.excluded else BOTH
        )


@dataclass(frozen=True, slots=True)
class RemoveVip:
    """A VIP less. The last advertised one is refused."""

    instance: str
    address: str

    def on(self, tree: Tree) -> Change:
        found = find_named(tree, "vrrp_instance", self.instance)
        wanted = _address(self.address)
        there = _vips(found.block)
        into = next((keyword for keyword, other in there if other == wanted), "")
        if not into:
            raise RefusedEdit(found.block.place, "the instance has no such VIP")
        advertised = into == "virtual_ipaddress"
        if advertised and sum(keyword == into for keyword, _ in there) < 2:
            why = "it is the last VIP: keepalived removes an instance without any"
            raise RefusedEdit(found.block.place, why, "remove the instance instead")
        return _remove_entry(
            tree,
            found.block,
            into,
            wanted,
            found.whom,
            BOTH if advertised else "",
            "clients of this address are cut off",
        )


@dataclass(frozen=True, slots=True)
class Untrack:
    """An instance tracks something less."""

    instance: str
    kind: str
    entry: str

    def on(self, tree: Tree) -> Change:
        found = find_named(tree, "vrrp_instance", self.instance)
        return _remove_entry(tree, found.block, self.kind, self.entry, found.whom)


@dataclass(frozen=True, slots=True)
class AddScript:
    """A vrrp_script more, before the first instance or sync group, or behind the last vrrp_script.

    An instance finds only scripts that stand before it (2.2.7).
    """

    name: str
    settings: tuple[Setting, ...]
    """(`script`, `/path arguments`), (`interval`, `2`) …"""

    def on(self, tree: Tree) -> Change:
        _ensure_new(tree, b"vrrp_script", self.name, "a script")
        if not any(setting[0] == "script" and len(setting) > 1 for setting in self.settings):
            raise RefusedEdit(None, "a vrrp_script needs a command")
        lines = tuple(new_lines("vrrp_script", self.settings))
        block = NewBlock((b"vrrp_script", self.name.encode()), lines)
        pen = TreeWriter(tree)
        users = list(tree.blocks(b"vrrp_instance", b"vrrp_sync_group"))
        last = last_block(tree, b"vrrp_script")
        if users and (last is None or pen.outline.start(last) > pen.outline.start(users[0])):
            ensure_editable(tree, users[0])
            file = users[0].header.file
            pen.prepend(block, users[0], style_of(tree, file, b"vrrp_script"))
        else:
            append_block(pen, block)
        return pen.change(f"add script {self.name}")


@dataclass(frozen=True, slots=True)
class RemoveScript:
    """A vrrp_script less. Refused while something tracks it."""

    name: str

    def on(self, tree: Tree) -> Change:
        found = find_named(tree, "vrrp_script", self.name)
        wanted = found.block.header.words[1]
        for block in tree.blocks(b"vrrp_instance", b"vrrp_sync_group"):
            for inner in block.blocks(b"track_script"):
                if any(line.words[0] == wanted for line in inner.statements()):
                    why = "an instance or sync group tracks it"
                    raise RefusedEdit(inner.place, why, "take it out there first")
        pen = TreeWriter(tree)
        pen.remove(found.block, own_comments=True)
        return pen.change(f"remove {found.whom}")


_ADDRESSES = (b"virtual_ipaddress", b"virtual_ipaddress_excluded", b"unicast_peer")


def _add_entry(
    tree: Tree, block: Block, into: str, words: Sequence[str], whom: str, *cautions: str
) -> Change:
    """Add an entry to the value block `into` of `block`; that is made when it is missing. Raises
    RefusedEdit.
    """
    keyword = into.encode()
    known = table_of(tree, block)
    if known is None or keyword not in known or not known[keyword].values:
        raise RefusedEdit(block.place, f"{block.keyword.decode()} has no such list")
    if not words:
        raise RefusedEdit(block.place, f"{into}: an entry is needed")
    new = tuple(word.encode("utf-8", "surrogateescape") for word in words)
    lists = list(block.blocks(keyword))
    if any(_same_entry(keyword, entry, new[0]) for inner in lists for entry in inner.statements()):
        raise RefusedEdit(lists[-1].place, f"{into} has that entry already")
    pen = TreeWriter(tree)
    if lists:
        ensure_editable(tree, lists[-1])
        pen.insert(lists[-1], [NewLine(new)], last_child(lists[-1]))
    else:
        made = NewBlock((keyword,), (NewLine(new),))
        pen.insert(block, [made], place_for(tree, block, keyword, last=True))
    entry = shown(b" ".join(new))
    return pen.change(f"add {entry} to {into} of {whom}", *cautions)


def _remove_entry(
    tree: Tree, block: Block, into: str, entry: str, whom: str, *cautions: str
) -> Change:
    """Take the entry whose first word (or address) is `entry` out of the value block `into` of
    `block`, and the block with it when it was the only one. Raises RefusedEdit."""
    keyword = into.encode()
    wanted = entry.encode("utf-8", "surrogateescape")
    lists = list(block.blocks(keyword))
    for inner in lists:
        for line in inner.statements():
            if not _same_entry(keyword, line, wanted):
                continue
            pen = TreeWriter(tree)
            ensure_editable(tree, line)
            if len(inner.children) == 1:
                ensure_editable(tree, inner)
                pen.remove(inner, own_comments=True)
            else:
                pen.remove(line)
            title = f"remove {shown(wanted)} from {into} of {whom}"
            return pen.change(title, *cautions)
    raise RefusedEdit(block.place, f"{into} has no such entry")


def _same_entry(keyword: bytes, line: Statement, wanted: bytes) -> bool:
    """Whether `line` is the entry of `wanted`: its first word, or for addresses that address
    whatever its spelling and prefix."""
    if keyword not in _ADDRESSES:
        return line.words[0] == wanted
    return _bare_address(line.words[0]) == _bare_address(wanted)


def _bare_address(word: bytes) -> str:
    bare = word.partition(b"/")[0].decode("ascii", "replace")
    try:
        return canonical_address(bare)
    except ValueError:
        return bare


def _ensure_new(tree: Tree, keyword: bytes, name: str, what: str) -> None:
    """Raises RefusedEdit unless a block of `keyword` can have that name."""
    if not name or len(name.split()) > 1:
        raise RefusedEdit(None, f"{what} needs a name of one word")
    if any(shown(word) == name for b in tree.blocks(keyword) for word in b.header.words[1:2]):
        called = "a vrrp_script" if keyword == b"vrrp_script" else what
        raise RefusedEdit(None, f"there is {called} of that name")


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
