"""Blocks of a configuration by names that hold on any director's tree, and their values."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol

from lvstui.keepalived.edit.change import Change, RefusedEdit
from lvstui.keepalived.edit.find import (
    Found,
    ensure_editable,
    find_globals,
    find_named,
    find_server,
    find_service,
)
from lvstui.keepalived.edit.servers import find_check
from lvstui.keepalived.edit.tree_writer import TreeWriter
from lvstui.keepalived.edit.values import ensure_unmarked, put, title, told
from lvstui.keepalived.keywords import CHECKERS
from lvstui.keepalived.text.tree import Block, Tree
from lvstui.model.keys import ServerKey, ServiceKey


class NamedBlock(Protocol):
    """A block, without where it stands."""

    def find(self, tree: Tree) -> Found:
        """The block. Raises RefusedEdit."""
        ...


@dataclass(frozen=True, slots=True)
class OfGlobals:
    """global_defs."""

    def find(self, tree: Tree) -> Found:
        return find_globals(tree)


@dataclass(frozen=True, slots=True)
class OfService:
    """A virtual_server."""

    service: ServiceKey

    def find(self, tree: Tree) -> Found:
        return find_service(tree, self.service)


@dataclass(frozen=True, slots=True)
class OfServer:
    """A real_server."""

    service: ServiceKey
    server: ServerKey

    def find(self, tree: Tree) -> Found:
        return find_server(tree, self.service, self.server)


@dataclass(frozen=True, slots=True)
class OfCheck:
    """A check of a real server: of several of a kind the one of that number, from 0."""

    service: ServiceKey
    server: ServerKey
    kind: str
    number: int = 0

    def find(self, tree: Tree) -> Found:
        return find_check(tree, self.service, self.server, self.kind, self.number)[0]


@dataclass(frozen=True, slots=True)
class OfNamed:
    """A block with a name: (`vrrp_instance`, `VI_1`), (`vrrp_script`, `chk`) …"""

    keyword: str
    name: str

    def find(self, tree: Tree) -> Found:
        return find_named(tree, self.keyword, self.name)


@dataclass(frozen=True, slots=True)
class SetValue:
    """A keyword of a block gets a value; no words for a flag.

    Only the value is exchanged where the keyword stands (the line that counts); else a line is
    written in the style of its neighbours.
    """

    target: NamedBlock
    keyword: str
    words: tuple[str, ...] = field(default=(), repr=False)

    def on(self, tree: Tree) -> Change:
        found = self.target.find(tree)
        pen = TreeWriter(tree)
        keyword = self.keyword.encode()
        words = [word.encode("utf-8", "surrogateescape") for word in self.words]
        before, line = put(pen, found.block, keyword, words)
        words_ = title(self.keyword, found.whom, line, before, told(keyword, words))
        return pen.change(words_, *found.cautions, consequence(found.block, self.keyword))


@dataclass(frozen=True, slots=True)
class RemoveValue:
    """Every line of a keyword in a block goes, so that its default is in force. Refused when there
    is none."""

    target: NamedBlock
    keyword: str

    def on(self, tree: Tree) -> Change:
        found = self.target.find(tree)
        pen = TreeWriter(tree)
        keyword = self.keyword.encode()
        lines = list(found.block.statements(keyword))
        if not lines:
            raise RefusedEdit(found.block.place, f"there is no {self.keyword} to take out")
        for line in lines:
            ensure_editable(tree, line)
            ensure_unmarked(line)
            pen.remove(line)
        before = told(keyword, lines[-1].words[1:])
        words = title(self.keyword, found.whom, lines[-1], before, "default")
        return pen.change(words, *found.cautions, consequence(found.block, self.keyword))


_EVERYWHERE = "every director needs it at once: until then they do not hear each other"
_MASTER = "a director that does not preempt keeps its role; with preempt the master may change"
_CHECKED = "a changed check counts as passed until it has run: a failed server gets traffic again"

_OF_VALUES = {
    ("vrrp_instance", "virtual_router_id"): _EVERYWHERE,
    ("vrrp_instance", "advert_int"): "every director needs it: with VRRP 2 they drop each other's "
    "adverts until then",
    ("vrrp_instance", "version"): _EVERYWHERE,
    ("vrrp_instance", "interface"): "the VIPs leave the old interface",
    ("vrrp_instance", "priority"): _MASTER,
    ("vrrp_instance", "state"): "it counts at the start only; the priority decides after that",
    ("authentication", "auth_pass"): _EVERYWHERE,
    ("authentication", "auth_type"): _EVERYWHERE,
    ("virtual_server", "protocol"): "keepalived makes it anew: its connections are lost",
    ("virtual_server", "lb_kind"): "every real server must be set up for it",
    ("virtual_server", "lvs_method"): "every real server must be set up for it",
    ("real_server", "lvs_method"): "the real server must be set up for it",
    ("real_server", "uthreshold"): "a reload does not apply it before the weight changes too",
    ("real_server", "lthreshold"): "a reload does not apply it before the weight changes too",
}
"""What must be known before a single value is changed: it is more than the value. Measured with
2.2.7 and 2.4.3, or read in check_parser.c and ipwrapper.c (thresholds)."""


def consequence(block: Block, keyword: str) -> str:
    """One sentence about a change of `keyword` in a block; empty when there is nothing to say."""
    if block.keyword in CHECKERS or block.keyword == b"url":
        return _CHECKED
    return _OF_VALUES.get((block.keyword.decode(), keyword), "")
