"""The logical lines of a configuration in order: what a change must leave as it was.

The typed view knows some keywords; this knows every word that keepalived reads, so an edit that
shifts a brace or hides a line is seen whatever stands there.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from lvstui.keepalived.edit.change import OPENS, ExpectedLines, Line
from lvstui.keepalived.text.lazy import LazyBlock
from lvstui.keepalived.text.parser import parse_bytes
from lvstui.keepalived.text.tree import Block, Node, Tree

UNCLOSED = (b"{", b"never closed")


FOLDED = b"folded"
"""Stands for all lines of a block that is still folded; its text comes behind it. No logical line
looks so: that of a block ends in `OPENS`, any other begins in no such word alone."""


@dataclass(frozen=True, slots=True)
class FileOutline:
    """The logical lines of one tree, and where each of its nodes stands among them. What was
    folded when it was drawn is one line of its own (see `whole`)."""

    lines: tuple[Line, ...]
    starts: dict[int, int]
    """`id()` of a node of that tree to the index of its (first) line."""
    ends: dict[int, int]
    """`id()` of a node to the index behind its last line."""

    def start(self, node: Node) -> int:
        return self.starts[id(node)]

    def end(self, node: Node) -> int:
        return self.ends[id(node)]

    def around(self, node: Node) -> Line:
        """The words of every header around `node`."""
        line = self.lines[self.start(node)]
        if _text_of(line) is not None:
            return ()
        return line[:-2] if isinstance(node, Block) else line[:-1]


def outline(tree: Tree) -> FileOutline:
    """The logical lines of `tree`."""
    lines: list[Line] = []
    starts: dict[int, int] = {}
    ends: dict[int, int] = {}

    def add(nodes: Sequence[Node], chain: Line) -> None:
        for node in nodes:
            starts[id(node)] = len(lines)
            if isinstance(node, LazyBlock) and node.folded:
                lines.append(((FOLDED, node.data),))
            elif isinstance(node, Block):
                inner = (*chain, node.header.words)
                closed = node.opening is not None and node.closing is not None
                lines.append((*inner, OPENS if closed else UNCLOSED))
                add(node.children, inner)
            else:
                lines.append((*chain, node.words))
            ends[id(node)] = len(lines)

    add(tree.root, ())
    return FileOutline(tuple(lines), starts, ends)


def _text_of(line: Line) -> bytes | None:
    """The text of a folded block; None for an ordinary line."""
    if len(line) == 1 and len(line[0]) == 2 and line[0][0] == FOLDED and b"\n" in line[0][1]:
        return line[0][1]
    return None


def whole(lines: Iterable[Line]) -> Iterator[Line]:
    """`lines` with those of what is folded."""
    for line in lines:
        text = _text_of(line)
        if text is None:
            yield line
            continue
        tree = parse_bytes(text)
        for block in tree.blocks():
            # Asked for, they are no longer folded.
            _ = block.children
        yield from outline(tree).lines


def same_lines(one: Sequence[Line], other: Sequence[Line]) -> bool:
    """Whether both mean the same lines, however much of each is folded."""
    left, right = deque(one), deque(other)
    while left and right:
        a, b = left.popleft(), right.popleft()
        if a == b:
            continue
        if _text_of(a) is None and _text_of(b) is None:
            return False
        left.extendleft(reversed(list(whole([a]))))
        right.extendleft(reversed(list(whole([b]))))
        if left[0] != right[0]:
            return False
    return not left and not right


def as_meant(lines: Sequence[Line], meant: Iterable[ExpectedLines]) -> tuple[Line, ...]:
    """The logical lines that should be there after a change."""
    result: list[Line] = []
    at = 0
    for part in sorted(meant, key=lambda part: (part.start, part.end)):
        result += lines[at : part.start]
        result += part.lines
        at = part.end
    result += lines[at:]
    return tuple(result)


def strays(
    before: Sequence[Line],
    after: Sequence[Line],
    lines: Sequence[Line],
    meant: Iterable[ExpectedLines],
) -> int:
    """How many logical lines changed for another configuration id without being meant.

    `before` and `after` are those of the other id, `lines` and `meant` those of the one that the
    change was made for. A line is meant when it is the same for both, or stands in a block that
    goes or comes as a whole.
    """
    gone: set[Line] = set()
    come: set[Line] = set()
    for part in meant:
        gone.update(whole(lines[part.start : part.end]))
        come.update(part.lines)
    was, now = tuple(whole(before)), tuple(whole(after))
    count = 0
    for changed, allowed in (
        (Counter(was) - Counter(now), gone),
        (Counter(now) - Counter(was), come),
    ):
        blocks = {line[:-1] for line in allowed if line[-1] == OPENS}
        for line, times in changed.items():
            within = any(line[:depth] in blocks for depth in range(1, len(line)))
            count += 0 if line in allowed or within else times
    return count
