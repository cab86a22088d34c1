"""Health checks of a real server: new ones, and those that go."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from lvstui.keepalived.edit.change import Change, RefusedEdit
from lvstui.keepalived.edit.find import Found, FoundServer, ensure_editable, find_server
from lvstui.keepalived.edit.judge import complaint
from lvstui.keepalived.edit.style import New, NewBlock
from lvstui.keepalived.edit.tree_writer import TreeWriter
from lvstui.keepalived.edit.values import last_child
from lvstui.keepalived.keywords import CHECKERS
from lvstui.keepalived.text.tree import Block, Tree
from lvstui.model.config import Place
from lvstui.model.keys import ServerKey, ServiceKey

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
