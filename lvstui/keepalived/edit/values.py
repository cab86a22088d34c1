"""One value of one block: where it stands, or where it would."""

from __future__ import annotations

from collections.abc import Sequence

from lvstui.keepalived.edit.change import RefusedEdit
from lvstui.keepalived.edit.find import effective, ensure_editable, given_by, only_for
from lvstui.keepalived.edit.judge import complaint
from lvstui.keepalived.edit.style import NewLine
from lvstui.keepalived.edit.tree_writer import TreeWriter
from lvstui.keepalived.keywords import ROOT, SECRET_KEYWORDS, Keyword, Keywords
from lvstui.keepalived.text.allowed import kind_of
from lvstui.keepalived.text.lazy import LazyBlock
from lvstui.keepalived.text.mark import mark_of
from lvstui.keepalived.text.shown import shown_text
from lvstui.keepalived.text.tree import Block, Node, Statement, Tree
from lvstui.keepalived.text.values import shown
from lvstui.model.text import plain

SYNONYMS = (
    (b"lb_algo", b"lvs_sched"),
    (b"lb_kind", b"lvs_method"),
    (b"retry", b"nb_get_retry"),
    (b"preempt", b"nopreempt"),
    (b"accept", b"no_accept"),
)
"""Keywords that set the same thing: the last line of either counts."""

_FALSE = (b"false", b"off", b"no")
_FIRST = (b"weight", b"state", b"script")
"""Stand at the head of their block where nothing else says."""


def title(keyword: str, whom: str, line: Statement | None, before: str, after: str) -> str:
    """`weight of rs2: 10 → 0`, without the values of a secret."""
    where = only_for(line, whom)
    if keyword.encode() in SECRET_KEYWORDS:
        return f"{keyword} of {whom}{where}"
    values = f"{before or 'default'} → {after or 'on'}" if before or after else "on"
    return shown(f"{keyword} of {whom}{where}: {values}".encode())


def told(keyword: bytes, words: Sequence[bytes]) -> str:
    """A value for people, without what may be a secret."""
    return shown_text(kind_of(keyword), words)


def put(
    pen: TreeWriter, block: Block, keyword: bytes, values: Sequence[bytes]
) -> tuple[str, Statement | None]:
    """Write `keyword` with `values` into `block`; the value before, and its line if there was
    one."""
    fault = complaint(block.keyword.decode(), _text(keyword), list(map(_text, values)))
    if fault:
        raise RefusedEdit(block.place, fault)
    pair = next((pair for pair in SYNONYMS if keyword in pair), (keyword,))
    known = table_of(pen.tree, block)
    if known is not None and keyword not in known:
        raise RefusedEdit(
            block.place, f"{block.keyword.decode()} knows no keyword {shown(keyword)}"
        )
    if known is not None and (known[keyword].inner is not None or known[keyword].values):
        raise RefusedEdit(block.place, f"{shown(keyword)} is a block of its own")
    line = effective(block, keyword, *(word for word in pair if known is None or word in known))
    if line is None:
        ensure_editable(pen.tree, block)
        new = NewLine((keyword, *values))
        pen.insert(block, [new], place_for(pen.tree, block, keyword))
        return "", None
    ensure_editable(pen.tree, line)
    ensure_unmarked(line)
    before = line.words[1 : 1 + max(1, len(values))]
    if keyword != line.words[0] and not values:
        # A flag and its opposite: the word itself is the value.
        pen.set_words(line, 0, keyword)
        return shown(line.words[0]), line
    if not values and len(line.words) > 1 and line.words[1].lower() in _FALSE:
        # A flag that is switched off: alone it is on.
        if line.word(1).span is None:
            raise given_by(pen.tree, line, 1)
        pen.drop_word(line, 1)
        return shown(line.words[1]), line
    for index in range(1, min(len(line.words), len(values) + 1)):
        if line.word(index).span is None:
            raise given_by(pen.tree, line, index)
    pen.set_words(line, 1, *values)
    return told(keyword, before), line


def ensure_unmarked(line: Statement) -> None:
    """Raises RefusedEdit when the real server of this weight is disabled: its mark would lie."""
    mark = mark_of(line) if line.words[0] == b"weight" else None
    if mark is not None:
        raise RefusedEdit(line.place, f"it is disabled by {plain(mark.by, 40)}", "enable it first")


def table_of(tree: Tree, block: Block) -> Keywords | None:
    """The keywords that `block` may hold; None for a block of plain values."""

    def search(nodes: Sequence[Node], table: Keywords) -> tuple[bool, Keyword | None]:
        for node in nodes:
            if not isinstance(node, Block):
                continue
            keyword = table.get(node.keyword)
            if node is block:
                return True, keyword
            # Who has the block at hand has looked into those around it.
            folded = isinstance(node, LazyBlock) and node.folded
            if keyword is not None and keyword.inner is not None and not folded:
                found, inner = search(node.children, keyword.inner)
                if found:
                    return True, inner
        return False, None

    _, keyword = search(tree.root, ROOT)
    return None if keyword is None else keyword.inner


def place_for(tree: Tree, block: Block, keyword: bytes, last: bool = False) -> Node | None:
    """The child behind which a new line of `keyword` belongs; None for the head of the block.

    Where other blocks of the kind have the keyword, it stands behind the same neighbour here.
    Else behind the plain lines at the head of the block, or behind everything (`last`).
    """
    own = usable(block)
    for sibling in _siblings(tree, block):
        names = [child.keyword for child in sibling.children]
        if keyword not in names or sibling is block:
            continue
        at = names.index(keyword)
        for before in reversed(names[:at]):
            matching = [child for child in own if child.keyword == before]
            if matching:
                return matching[-1]
        return None
    if keyword in _FIRST:
        return None
    if last:
        return own[-1] if own else None
    found = None
    for child in own:
        if isinstance(child, Block):
            break
        found = child
    return found


def last_child(block: Block) -> Node | None:
    """The child of `block` behind which more can be written; None for its head."""
    own = usable(block)
    return own[-1] if own else None


def usable(block: Block) -> list[Node]:
    """The children behind which a line can be written: of the same file and written there."""
    file = block.header.file
    result: list[Node] = []
    for child in block.children:
        head = child.header if isinstance(child, Block) else child
        tail = child.closing if isinstance(child, Block) else child
        if tail is not None and head.file is tail.file is file and head.literal and tail.literal:
            result.append(child)
    return result


def _siblings(tree: Tree, block: Block) -> list[Block]:
    """Blocks of the same kind: those beside it first, then those of other parents."""
    beside: list[Block] = []
    others: list[Block] = []
    waiting: list[Sequence[Node]] = [tree.root]
    unfold = 20
    while waiting:
        nodes = waiting.pop()
        same = [n for n in nodes if isinstance(n, Block) and n.keyword == block.keyword]
        if any(found is block for found in same):
            beside += same
        else:
            others += same
        for node in nodes:
            if isinstance(node, LazyBlock) and node.folded:
                # The habits of a file show in a few of them.
                if unfold <= 0:
                    continue
                unfold -= 1
            if isinstance(node, Block):
                waiting.append(node.children)
    return beside + others[:200]


def _text(word: bytes) -> str:
    return word.decode("utf-8", "surrogateescape")
