"""Edits in a big plain file look into no more of it than they must, and mean the same."""

from __future__ import annotations

from lvstui.keepalived.edit.change import apply_edits
from lvstui.keepalived.edit.draft import Draft
from lvstui.keepalived.edit.intent import AddServer, Intent, RemoveServer, RemoveService, SetWeight
from lvstui.keepalived.edit.outline import outline, same_lines, whole
from lvstui.keepalived.edit.servers import NewServer
from lvstui.keepalived.meaning.view import view
from lvstui.keepalived.text.files import Files
from lvstui.keepalived.text.lazy import LazyBlock
from lvstui.keepalived.text.parser import parse_bytes
from lvstui.keepalived.text.tree import Tree
from lvstui.model.keys import ServerKey, ServiceKey
from tests.bench.config import generate

MAIN = "/etc/keepalived/keepalived.conf"
DATA = generate(40, 3)
SERVICE, SERVER = ServiceKey("tcp", "10.0.7.1", 80, 0, 4), ServerKey("10.100.0.22", 80)
WANTED: list[Intent] = [
    SetWeight(SERVICE, SERVER, 3),
    AddServer(SERVICE, NewServer("10.200.0.1", 0, "new", 5)),
    RemoveServer(SERVICE, SERVER),
    RemoveService(SERVICE),
]


def folded(tree: Tree) -> int:
    return sum(isinstance(node, LazyBlock) and node.folded for node in tree.root)


def draft() -> Draft:
    return Draft(MAIN, Files({MAIN: DATA}.__getitem__), "lb1")


def test_a_change_made_on_a_folded_tree_is_the_one_that_a_draft_takes() -> None:
    for intent in WANTED:
        tree = parse_bytes(DATA, MAIN, "lb1")
        change = intent.on(tree)
        (data,) = apply_edits({MAIN: DATA}, change.edits).values()
        other = draft()
        assert other.apply(change)
        assert other.data(MAIN) == data
        again = draft()
        again.apply(intent.on(again.tree))
        assert again.data(MAIN) == data
    assert folded(parse_bytes(DATA, MAIN)) == 40


def test_one_weight_looks_into_one_service() -> None:
    tree = parse_bytes(DATA, MAIN, "lb1")
    WANTED[0].on(tree)
    assert folded(tree) == 39


def test_lines_are_the_same_however_much_is_folded() -> None:
    one, other = parse_bytes(DATA, MAIN), parse_bytes(DATA, MAIN)
    view(other)
    assert (folded(one), folded(other)) == (40, 0)
    short, long = outline(one).lines, outline(other).lines
    assert len(short) < len(long)
    assert tuple(whole(short)) == long
    assert same_lines(short, long)
    assert same_lines(long, short)
    assert not same_lines(short, long[:-1])
    assert not same_lines(short[:-1], long)
    changed = outline(parse_bytes(DATA.replace(b"weight 10", b"weight 11", 1), MAIN)).lines
    assert not same_lines(short, changed)
    assert not same_lines(changed, long)
    commented = outline(parse_bytes(DATA.replace(b"# rs", b"# real "), MAIN)).lines
    assert short != commented
    assert same_lines(short, commented)
