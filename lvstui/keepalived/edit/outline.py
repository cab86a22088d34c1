"""The logical lines of a configuration in order: what a change must leave as it was.

The typed view knows some keywords; this knows every word that keepalived reads, so an edit that
shifts a brace or hides a line is seen whatever stands there.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from lvstui.keepalived.edit.change import OPENS, Line, Meant
from lvstui.keepalived.tree import Block, Node, Tree

UNCLOSED = (b"{", b"never closed")


@dataclass(frozen=True, slots=True)
class Outline:
    """The logical lines of one tree, and where each of its nodes stands among them."""

    lines: tuple[Line, ...]
    starts: dict[int, int]
    """`id()` of a node of that tree to the index of its (first) line."""
    ends: dict[int, int]
    """`id()` of a node to the index behind its last line."""

    def start(self, node: Node) -> int:
        """Index of the first line of `node`."""
        return self.starts[id(node)]

    def end(self, node: Node) -> int:
        """Index behind the last line of `node`."""
        return self.ends[id(node)]

    def chain(self, block: Block) -> Line:
        """The words of every header around `block`, its own the last."""
        return self.lines[self.start(block)][:-1]


def outline(tree: Tree) -> Outline:
    """The logical lines of `tree`."""
    lines: list[Line] = []
    starts: dict[int, int] = {}
    ends: dict[int, int] = {}

    def add(nodes: Sequence[Node], chain: Line) -> None:
        for node in nodes:
            starts[id(node)] = len(lines)
            if isinstance(node, Block):
                inner = (*chain, node.header.words)
                closed = node.opening is not None and node.closing is not None
                lines.append((*inner, OPENS if closed else UNCLOSED))
                add(node.children, inner)
            else:
                lines.append((*chain, node.words))
            ends[id(node)] = len(lines)

    add(tree.root, ())
    return Outline(tuple(lines), starts, ends)


def as_meant(lines: Sequence[Line], meant: Iterable[Meant]) -> tuple[Line, ...]:
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
    before: Sequence[Line], after: Sequence[Line], lines: Sequence[Line], meant: Iterable[Meant]
) -> int:
    """How many logical lines changed for another configuration id without being meant.

    `before` and `after` are those of the other id, `lines` and `meant` those of the one that the
    change was made for. A line is meant when it is the same for both, or stands in a block that
    goes or comes as a whole.
    """
    gone: set[Line] = set()
    come: set[Line] = set()
    for part in meant:
        gone.update(lines[part.start : part.end])
        come.update(part.lines)
    count = 0
    for changed, allowed in (
        (Counter(before) - Counter(after), gone),
        (Counter(after) - Counter(before), come),
    ):
        whole = {line[:-1] for line in allowed if line[-1] == OPENS}
        for line, times in changed.items():
            within = any(line[:depth] in whole for depth in range(1, len(line)))
            count += 0 if line in allowed or within else times
    return count
