"""Entries of blocks of plain values: VIPs, peers, what an instance tracks."""

from __future__ import annotations

from collections.abc import Sequence

from lvstui.keepalived.edit.change import Change, RefusedEdit
from lvstui.keepalived.edit.find import ensure_editable
from lvstui.keepalived.edit.style import NewBlock, NewLine
from lvstui.keepalived.edit.tree_writer import TreeWriter
from lvstui.keepalived.edit.values import default_whom, last_child, place_for, table_of
from lvstui.keepalived.text.tree import Block, Statement, Tree
from lvstui.keepalived.text.values import shown
from lvstui.model.keys import canonical_address

_ADDRESSES = (b"virtual_ipaddress", b"virtual_ipaddress_excluded", b"unicast_peer")


def add_entry(
    tree: Tree, block: Block, into: str, words: Sequence[str], whom: str = "", *cautions: str
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
    if any(same_entry(keyword, entry, new[0]) for inner in lists for entry in inner.statements()):
        raise RefusedEdit(lists[-1].place, f"{into} has that entry already")
    pen = TreeWriter(tree)
    if lists:
        ensure_editable(tree, lists[-1])
        pen.insert(lists[-1], [NewLine(new)], last_child(lists[-1]))
    else:
        made = NewBlock((keyword,), (NewLine(new),))
        pen.insert(block, [made], place_for(tree, block, keyword, last=True))
    entry = shown(b" ".join(new))
    return pen.change(f"add {entry} to {into} of {whom or default_whom(block)}", *cautions)


def remove_entry(
    tree: Tree, block: Block, into: str, entry: str, whom: str = "", *cautions: str
) -> Change:
    """Take the entry whose first word (or address) is `entry` out of the value block `into` of
    `block`, and the block with it when it was the only one. Raises RefusedEdit."""
    keyword = into.encode()
    wanted = entry.encode("utf-8", "surrogateescape")
    lists = list(block.blocks(keyword))
    for inner in lists:
        for line in inner.statements():
            if not same_entry(keyword, line, wanted):
                continue
            pen = TreeWriter(tree)
            ensure_editable(tree, line)
            if len(inner.children) == 1:
                ensure_editable(tree, inner)
                pen.remove(inner, own_comments=True)
            else:
                pen.remove(line)
            title = f"remove {shown(wanted)} from {into} of {whom or default_whom(block)}"
            return pen.change(title, *cautions)
    raise RefusedEdit(block.place, f"{into} has no such entry")


def same_entry(keyword: bytes, line: Statement, wanted: bytes) -> bool:
    """Whether `line` is the entry of `wanted`: its first word, or for addresses that address
    whatever its spelling and prefix."""
    if keyword not in _ADDRESSES:
        return line.words[0] == wanted
    return _address(line.words[0]) == _address(wanted)


def _address(word: bytes) -> str:
    bare = word.partition(b"/")[0].decode("ascii", "replace")
    try:
        return canonical_address(bare)
    except ValueError:
        return bare
