"""Real servers of a virtual server and their checks: weight, new ones, and those that go."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from lvstui.keepalived.edit.change import Change, RefusedEdit
from lvstui.keepalived.edit.find import (
    Found,
    FoundServer,
    ensure_editable,
    find_server,
    find_service,
)
from lvstui.keepalived.edit.judge import complaint
from lvstui.keepalived.edit.style import New, NewBlock, NewLine, comment_text
from lvstui.keepalived.edit.tree_writer import TreeWriter
from lvstui.keepalived.edit.values import last_child, put, usable
from lvstui.keepalived.keywords import CHECKERS, KNOWN_WORDS
from lvstui.keepalived.meaning.virtual_servers import MAX_WEIGHT
from lvstui.keepalived.text.tree import Block, Node, Tree
from lvstui.keepalived.text.values import MAX_PORT, NAME_LIMIT
from lvstui.model.config import Place
from lvstui.model.keys import ServerKey, ServiceKey, address_family, canonical_address


@dataclass(frozen=True, slots=True)
class SetWeight:
    """The weight of a real server in the file.

    Weight 0 for the last server that has any is refused unless `last_allowed`.
    """

    service: ServiceKey
    server: ServerKey
    weight: int
    last_allowed: bool = False

    def on(self, tree: Tree) -> Change:
        if not 0 <= self.weight <= MAX_WEIGHT:
            raise RefusedEdit(None, f"a weight is a number from 0 to {MAX_WEIGHT}")
        found = find_server(tree, self.service, self.server)
        caution = "" if self.weight else without(found, self.last_allowed)
        pen = TreeWriter(tree)
        put(pen, found.block, b"weight", [b"%d" % self.weight])
        title = f"weight of {found.whom}: {found.server.weight} → {self.weight}"
        return pen.change(title, *found.cautions, caution)


def without(found: FoundServer, last_allowed: bool) -> str:
    """What must be known before the server of `found` gets no more connections.

    Raises RefusedEdit when it is the last one with a weight and that is not allowed. keepalived
    then takes quorum 0 and a hysteresis that wraps around: up to 2.4.3 the quorum is never
    reached again before the next reload.
    """
    left = [s for s in found.service.servers if s.key != found.server.key and s.weight > 0]
    if left:
        total = sum(server.weight for server in left)
        if total < found.service.quorum:
            return (
                f"the weights left ({total}) are below the quorum of {found.service.quorum}: "
                f"keepalived takes {total} as quorum"
            )
        return ""
    why = "it is the last server with a weight: the service would have none"
    if not last_allowed:
        raise RefusedEdit(found.server.place, why, "drain it only when that is meant")
    sorry = found.service.sorry_server
    return (
        "no server is left: new connections fail"
        + (f" (the sorry server {sorry} may not step in)" if sorry else "")
        + ", and keepalived can not reach the quorum again before the next reload"
    )


@dataclass(frozen=True, slots=True)
class NewServer:
    """A real server to be added."""

    address: str
    port: int = 0
    """0: that of the service, left out of the line when the others leave it out."""
    name: str = ""
    """Becomes the comment beside it."""
    weight: int | None = None
    """None: no line, so that the default counts."""
    checks: tuple[NewBlock, ...] | None = None
    """None: those of the last server of the pool, for the new address."""


@dataclass(frozen=True, slots=True)
class AddServer:
    """A real server more, behind the last one of its service."""

    service: ServiceKey
    new: NewServer

    def on(self, tree: Tree) -> Change:
        new = self.new
        found = find_service(tree, self.service)
        address, port = checked_address(new.address, new.port)
        written = tuple(found.block.blocks(b"real_server"))
        direct = found.service.forwarding in ("DR", "TUN")
        if direct and port not in (0, self.service.port):
            why = f"in {found.service.forwarding} a real server has the port of its service"
            raise RefusedEdit(found.block.place, why, f"use port {self.service.port}")
        if address_family(address) != self.service.family and found.service.forwarding != "TUN":
            raise RefusedEdit(
                found.block.place, f"{address} is not of the address family of {self.service}"
            )
        key = ServerKey(address, self.service.port if direct or not port else port)
        if any(server.key == key for server in found.service.servers):
            raise RefusedEdit(found.block.place, f"{self.service} has {key} already")
        words = [b"real_server", address.encode()]
        if port or (self.service.port and all(len(block.header.words) > 2 for block in written)):
            words.append(b"%d" % (port or self.service.port))
        if new.weight is not None and not 0 <= new.weight <= MAX_WEIGHT:
            raise RefusedEdit(None, f"a weight is a number from 0 to {MAX_WEIGHT}")
        children: list[New] = []
        if new.weight is not None:
            children.append(NewLine((b"weight", b"%d" % new.weight)))
        like = written[-1] if written else None
        checks = copied_checks(like, address) if new.checks is None else new.checks
        children += checks
        for check in new.checks or ():
            ensure_check(found.block, check)
        pen = TreeWriter(tree)
        block = NewBlock(tuple(words), tuple(children), name_comment(new.name))
        pen.insert(found.block, [block], last_place(found.block))
        who = f"{new.name} ({key})" if new.name else str(key)
        return pen.change(
            f"add real server {who} to {found.whom}",
            *found.cautions,
            _lacking(written, block),
            ""
            if checks
            else "nothing checks this server: it gets connections even when it is dead",
            ""
            if found.service.alpha
            else "keepalived sends it connections at once, before its first check",
        )


def _lacking(written: tuple[Block, ...], new: NewBlock) -> str:
    """What every other server of the pool says and the new one does not."""
    own = {child.words[0] for child in new.children}
    sets = [{line.words[0] for line in block.statements()} for block in written]
    common = set.intersection(*sets) - own - {b"{", b"}"} if sets else set()
    names = ", ".join(sorted(word.decode() for word in common if word in KNOWN_WORDS))
    return f"the other servers also set {names}" if names else ""


@dataclass(frozen=True, slots=True)
class RemoveServer:
    """A real server less, with its comment. The last one is refused: keepalived would drop the
    service."""

    service: ServiceKey
    server: ServerKey

    def on(self, tree: Tree) -> Change:
        found = find_server(tree, self.service, self.server)
        if len(found.service.servers) < 2:
            why = "it is the last real server: keepalived drops a virtual server without any"
            raise RefusedEdit(found.block.place, why, "remove the virtual server instead")
        _once(found)
        caution = without(found, last_allowed=True)
        pen = TreeWriter(tree)
        pen.remove(found.block, own_comments=True)
        return pen.change(
            f"remove real server {found.whom}",
            *found.cautions,
            caution,
            "its connections are cut, unless it is drained first",
        )


def _once(found: FoundServer) -> None:
    """Raises RefusedEdit when the pool has it twice: keepalived would then take the other one."""
    mine = found.block.header.words[1:3]
    for block in found.virtual.blocks(b"real_server"):
        if block is not found.block and block.header.words[1:3] == mine:
            why = f"real server {found.server.key} stands here once more: it would take its place"
            raise RefusedEdit(block.place, why, "remove one of the two with the text editor")


def checked_address(address: str, port: int) -> tuple[str, int]:
    """The canonical address, and `port`. Raises RefusedEdit."""
    try:
        canonical = canonical_address(address) if address[:1] != "[" else ""
    except ValueError:
        canonical = ""
    if not canonical or "%" in canonical:
        raise RefusedEdit(None, "that is no IPv4 or IPv6 address")
    if not 0 <= port <= MAX_PORT:
        raise RefusedEdit(None, f"a port is a number up to {MAX_PORT}")
    return canonical, port


def name_comment(name: str) -> bytes:
    """A name as a comment that is read as one again. Raises RefusedEdit."""
    if not name:
        return b""
    text = comment_text(name)
    if len(name) > NAME_LIMIT or b"{" in text or b"}" in text or text.lstrip(b"#! ") != text:
        raise RefusedEdit(
            None, f"a name has up to {NAME_LIMIT} characters, without braces and comment marks"
        )
    return text


def last_place(block: Block) -> Node | None:
    """The child of `block` behind which one more real server goes: the last real server that
    stands in the same file, else the last of what stands there."""
    own = usable(block)
    servers = [child for child in own if child.keyword == b"real_server"]
    return servers[-1] if servers else own[-1] if own else None


_OF_ONE = (b"FILE_CHECK", b"BFD_CHECK")
"""Checks that look at something made for one server."""


def copied_checks(block: Block | None, address: str) -> tuple[NewBlock, ...]:
    """The checks of a real server as those of another at `address`: where its own address stands
    in a value, the other one takes its place.

    Raises RefusedEdit for a check that looks at something made for that server alone.
    """
    if block is None:
        return ()
    own = block.header.words[1] if len(block.header.words) > 1 else b""
    alone = re.compile(rb"(?<![0-9A-Fa-f.:])" + re.escape(own) + rb"(?![0-9A-Fa-f.:])")

    def word(old: bytes) -> bytes:
        return alone.sub(address.encode(), old) if own else old

    def copy(node: Node) -> New:
        if isinstance(node, Block):
            return NewBlock(tuple(map(word, node.header.words)), tuple(map(copy, node.children)))
        return NewLine(tuple(map(word, node.words)))

    result: list[NewBlock] = []
    for check in block.blocks(*CHECKERS):
        if check.keyword in _OF_ONE:
            why = f"the {check.keyword.decode()} of the server beside it is for that server alone"
            raise RefusedEdit(check.place, why, "say how the new one is checked")
        copied = copy(check)
        assert isinstance(copied, NewBlock)
        result.append(copied)
    return tuple(result)


_LIMITED = ("HTTP_GET", "SSL_GET")


@dataclass(frozen=True, slots=True)
class AddCheck:
    """A health check more."""

    service: ServiceKey
    server: ServerKey
    check: NewBlock
    """See `judge.new_check`."""

    def on(self, tree: Tree) -> Change:
        found = find_server(tree, self.service, self.server)
        ensure_check(found.block, self.check)
        pen = TreeWriter(tree)
        own = [block for block in found.block.blocks(*CHECKERS) if block.closing is not None]
        pen.insert(found.block, [self.check], own[-1] if own else last_child(found.block))
        return pen.change(
            f"add {self.check.words[0].decode()} to {found.whom}",
            *found.cautions,
            "a new check counts as passed until it has run" if not found.server.alpha else "",
        )


def ensure_check(block: Block | None, check: NewBlock) -> None:
    """Raises RefusedEdit unless keepalived would take `check` as it is meant."""
    place = None if block is None else block.place
    kind = check.words[0]
    known = CHECKERS.get(kind)
    if known is None or known.inner is None:
        raise RefusedEdit(place, "keepalived has no check of that kind")
    for name, keyword in known.inner.items():
        inner = keyword.inner or {}
        for child in check.children:
            if isinstance(child, NewBlock) and child.words[0] == name:
                _ensure(place, name, child.children, set(inner))
    lines = [child for child in check.children if not isinstance(child, NewBlock)]
    _ensure(place, kind, lines, set(known.inner))
    if kind.decode() in _LIMITED:
        urls = [c for c in check.children if isinstance(c, NewBlock) and c.words[0] == b"url"]
        paths = [u for u in urls if any(line.words[0] == b"path" for line in u.children)]
        if not urls or len(paths) < len(urls):
            raise RefusedEdit(
                place, f"{kind.decode()} needs a url with a path: keepalived crashes without"
            )


def _ensure(place: Place | None, kind: bytes, lines: Sequence[New], known: set[bytes]) -> None:
    for line in lines:
        keyword = line.words[0]
        if keyword not in known:
            raise RefusedEdit(place, f"{kind.decode()} does not know one of the keywords")
        values = [word.decode("utf-8", "surrogateescape") for word in line.words[1:]]
        if fault := complaint(kind.decode(), keyword.decode(), values):
            raise RefusedEdit(place, fault)


def find_check(
    tree: Tree, service: ServiceKey, server: ServerKey, kind: str, number: int = 0
) -> tuple[Found, FoundServer]:
    """The check of that kind (of several the one of that number, from 0), and its server.

    Raises RefusedEdit.
    """
    found = find_server(tree, service, server)
    own = list(found.block.blocks(kind.encode())) if kind.encode() in CHECKERS else []
    if not 0 <= number < len(own):
        raise RefusedEdit(found.block.place, f"{found.whom} has no such check")
    ensure_editable(tree, own[number])
    which = f" {number + 1}" if len(own) > 1 else ""
    return Found(own[number], f"{kind}{which} of {found.whom}", found.cautions), found


@dataclass(frozen=True, slots=True)
class RemoveCheck:
    """A health check less."""

    service: ServiceKey
    server: ServerKey
    kind: str
    number: int = 0

    def on(self, tree: Tree) -> Change:
        found, owner = find_check(tree, self.service, self.server, self.kind, self.number)
        pen = TreeWriter(tree)
        pen.remove(found.block, own_comments=True)
        last = len(list(owner.block.blocks(*CHECKERS))) == 1
        return pen.change(
            f"remove {found.whom}",
            *found.cautions,
            "nothing checks this server any more: it gets connections even when it is dead"
            if last
            else "",
        )
