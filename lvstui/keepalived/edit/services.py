"""Virtual servers: new ones, those that go, their sorry server and quorum."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from lvstui.keepalived.edit.change import Change, RefusedEdit
from lvstui.keepalived.edit.find import FoundService, ensure_editable, ensure_once, find_service
from lvstui.keepalived.edit.judge import check_quorum, complaint
from lvstui.keepalived.edit.servers import NewServer, checked_address, ensure_check, name_comment
from lvstui.keepalived.edit.style import New, NewBlock, NewLine, style_of
from lvstui.keepalived.edit.tree_writer import TreeWriter
from lvstui.keepalived.edit.values import put
from lvstui.keepalived.keywords import ROOT
from lvstui.keepalived.meaning.services import services
from lvstui.keepalived.text.tree import Block, Tree
from lvstui.keepalived.text.values import MAX_UNSIGNED, Notes, shown
from lvstui.model.keys import ServiceKey, canonical_address

Setting = tuple[str, ...]
"""A keyword and its words."""


_SAME = {"lvs_sched": "lb_algo", "lvs_method": "lb_kind"}
_DEFAULTS = {"lb_kind": "NAT", "lb_algo": "wlc", "protocol": "UDP"}
"""What keepalived takes, with a message, where nothing is said (2.2.7)."""


@dataclass(frozen=True, slots=True)
class AddService:
    """A virtual server more, behind the last one: an address, a firewall mark or a group."""

    address: str = ""
    port: int = 0
    fwmark: int = 0
    group: str = ""
    name: str = ""
    settings: tuple[Setting, ...] = ()
    """In the order in which they are written: (`lb_algo`, `wrr`), (`protocol`, `TCP`) …"""
    servers: tuple[NewServer, ...] = ()
    """At least one: keepalived drops a virtual server without any."""

    def on(self, tree: Tree) -> Change:
        words, key = _header(tree, self)
        if not self.servers:
            raise RefusedEdit(None, "keepalived drops a virtual server without a real server")
        children = new_lines("virtual_server", self.settings)
        given = {_SAME.get(setting[0], setting[0]) for setting in self.settings}
        for keyword, taken in _DEFAULTS.items():
            if keyword not in given and (self.address or keyword != "protocol"):
                raise RefusedEdit(None, f"say which {keyword}: keepalived would take {taken}")
        seen: set[tuple[bytes, ...]] = set()
        for server in self.servers:
            block = _server(server, self)
            if block.words in seen:
                raise RefusedEdit(None, "the same real server stands twice in it")
            seen.add(block.words)
            for check in server.checks or ():
                ensure_check(None, check)
            children.append(block)
        pen = TreeWriter(tree)
        append_block(pen, NewBlock(tuple(words), tuple(children), name_comment(self.name)))
        unchecked = any(not server.checks for server in self.servers)
        return pen.change(
            f"add virtual server {key}",
            "nothing checks some of its servers" if unchecked else "",
            f"{self.address} must be a VIP of an instance to be reached" if self.address else "",
        )


def _header(tree: Tree, new: AddService) -> tuple[list[bytes], str]:
    if [bool(new.address), bool(new.fwmark), bool(new.group)].count(True) != 1:
        raise RefusedEdit(None, "one of address, firewall mark and group is needed")
    words = [b"virtual_server"]
    if new.fwmark:
        if not 0 < new.fwmark <= MAX_UNSIGNED:
            raise RefusedEdit(None, f"a firewall mark goes from 1 to {MAX_UNSIGNED}")
        words += [b"fwmark", b"%d" % new.fwmark]
    elif new.group:
        name = new.group.encode("utf-8", "surrogateescape")
        if not any(block.header.words[1:2] == (name,) for block in _groups(tree)):
            raise RefusedEdit(None, "there is no virtual_server_group of that name")
        words += [b"group", name]
    else:
        address, port = checked_address(new.address, new.port)
        words += [address.encode(), *([b"%d" % port] if port else [])]
    key = shown(b" ".join(words[1:]))
    given = next((s[1] for s in new.settings if s[0] == "protocol" and len(s) > 1), "")
    for service in services(tree, Notes()):
        there = service.key
        same = (
            there.address == canonical_address(new.address)
            and there.port == new.port
            and there.protocol == given.lower()
            if new.address
            else there.fwmark == new.fwmark
            if new.fwmark
            else service.group == new.group and there.protocol in (given.lower(), "fwmark")
        )
        if same:
            raise RefusedEdit(service.place, f"virtual server {there} is there already")
    return words, f"{given.lower()} {key}".strip()


def _groups(tree: Tree) -> list[Block]:
    return [block for block in tree.blocks(b"virtual_server_group") if len(block.header.words) > 1]


def new_lines(kind: str, settings: Sequence[Setting]) -> list[New]:
    """The lines of a new block of that kind. Raises RefusedEdit for what it would not take."""
    table = ROOT[b"vrrp_instance"].inner or {} if kind == "authentication" else ROOT
    known = table[kind.encode()].inner or {}
    result: list[New] = []
    for setting in settings:
        found = known.get(setting[0].encode())
        if found is None or found.inner is not None or found.values:
            raise RefusedEdit(None, f"{kind} does not know one of the keywords")
        if fault := complaint(kind, setting[0], setting[1:]):
            raise RefusedEdit(None, fault)
        result.append(NewLine(tuple(word.encode("utf-8", "surrogateescape") for word in setting)))
    return result


def _server(server: NewServer, new: AddService) -> NewBlock:
    address, port = checked_address(server.address, server.port)
    direct = any(s[0] in ("lb_kind", "lvs_method") and s[1:2] != ("NAT",) for s in new.settings)
    if direct and port not in (0, new.port):
        raise RefusedEdit(None, "outside NAT a real server has the port of its service")
    words = [b"real_server", address.encode()]
    if port or new.port:
        words.append(b"%d" % (port or new.port))
    children: list[New] = []
    if server.weight is not None:
        if fault := complaint("real_server", "weight", [str(server.weight)]):
            raise RefusedEdit(None, fault)
        children.append(NewLine((b"weight", b"%d" % server.weight)))
    return NewBlock(tuple(words), (*children, *(server.checks or ())), name_comment(server.name))


def last_block(tree: Tree, keyword: bytes) -> Block | None:
    """The last block of that kind behind which another can be written; None when there is none."""
    for block in reversed(list(tree.blocks(keyword))):
        try:
            ensure_editable(tree, block)
        except RefusedEdit:
            continue
        if not block.header.condition:
            return block
    ensure_once(tree, tree.files[0], None)
    return None


def append_block(pen: TreeWriter, block: NewBlock) -> None:
    """Write `block` outside of every other, behind the last one of its kind."""
    keyword = block.words[0]
    after = last_block(pen.tree, keyword)
    file = after.header.file if after is not None else pen.tree.files[0]
    pen.append(file, block, after, style_of(pen.tree, file, keyword))


@dataclass(frozen=True, slots=True)
class RemoveService:
    """A whole virtual server less."""

    service: ServiceKey

    def on(self, tree: Tree) -> Change:
        found = find_service(tree, self.service)
        pen = TreeWriter(tree)
        pen.remove(found.block, own_comments=True)
        count = len(found.service.servers)
        title = f"remove virtual server {found.whom} and its {count} real servers"
        return pen.change(title, *found.cautions, "its clients are cut off")


@dataclass(frozen=True, slots=True)
class SetSorryServer:
    """Who answers when the quorum is lost; no address: nobody."""

    service: ServiceKey
    address: str = ""
    port: int = 0

    def on(self, tree: Tree) -> Change:
        found = find_service(tree, self.service)
        if not self.address:
            return self._nobody(tree, found)
        address, port = checked_address(self.address, self.port)
        if found.service.forwarding != "NAT" and port not in (0, self.service.port):
            raise RefusedEdit(found.block.place, "outside NAT it has the port of its service")
        pen = TreeWriter(tree)
        number = port or self.service.port
        values = [address.encode(), *([b"%d" % number] if number else [])]
        before, _ = put(pen, found.block, b"sorry_server", values)
        title = f"sorry server of {found.whom}: {before or 'none'} → {shown(b' '.join(values))}"
        return pen.change(title, *found.cautions)

    def _nobody(self, tree: Tree, found: FoundService) -> Change:
        lines = list(
            found.block.statements(
                b"sorry_server", b"sorry_server_inhibit", b"sorry_server_lvs_method"
            )
        )
        if not lines:
            raise RefusedEdit(found.block.place, f"{self.service} has no sorry server")
        pen = TreeWriter(tree)
        for line in lines:
            ensure_editable(tree, line)
            pen.remove(line)
        return pen.change(f"remove the sorry server of {found.whom}", *found.cautions)


@dataclass(frozen=True, slots=True)
class SetQuorum:
    """The weight that must be alive. Refused when it cannot be reached."""

    service: ServiceKey
    quorum: int
    hysteresis: int | None = None
    """Its margin; None: as it is."""

    def on(self, tree: Tree) -> Change:
        found = find_service(tree, self.service)
        margin = found.service.hysteresis if self.hysteresis is None else self.hysteresis
        if fault := check_quorum(found.service, self.quorum, margin):
            raise RefusedEdit(found.block.place, fault)
        pen = TreeWriter(tree)
        put(pen, found.block, b"quorum", [b"%d" % self.quorum])
        words = f"quorum of {found.whom}: {found.service.quorum} → {self.quorum}"
        if self.hysteresis is not None and self.hysteresis != found.service.hysteresis:
            put(pen, found.block, b"hysteresis", [b"%d" % self.hysteresis])
            words += f", hysteresis {found.service.hysteresis} → {self.hysteresis}"
        return pen.change(words, *found.cautions)
