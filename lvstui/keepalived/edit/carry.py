"""The change of one director's file made in the other's, where the two say the same.

For text that was edited by hand. An `Intent` is better wherever there is one: it finds its place
by keys, not by lines.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

from lvstui.keepalived.edit.change import Line, RefusedEdit
from lvstui.keepalived.edit.draft import conditions
from lvstui.keepalived.edit.outline import outline, whole
from lvstui.keepalived.text.parser import parse_bytes
from lvstui.keepalived.text.tree import Block, Node, Tree
from lvstui.model.config import Place

CONTEXT = 3
"""Lines before and behind a changed place that both files must have alike."""

PER_DIRECTOR = frozenset(
    b"router_id priority state interface unicast_src_ip mcast_src_ip lvs_sync_daemon".split()
)
"""Keywords whose value differs between the directors of a pair."""
_OWN_BLOCKS = frozenset((b"unicast_peer",))


@dataclass(frozen=True, slots=True)
class _Hunk:
    """Lines `start` up to `end` (from 0) of one file become lines `low` up to `high` of it."""

    start: int
    end: int
    low: int
    high: int


@dataclass(frozen=True, slots=True)
class _Text:
    """A file's lines, and which of them speak of one director alone."""

    lines: tuple[bytes, ...]
    tree: Tree
    own: dict[int, bytes]
    """Index of a line that is per director, and its keyword."""

    @classmethod
    def of(cls, data: bytes) -> _Text:
        tree = parse_bytes(data)
        return cls(tuple(data.split(b"\n")), tree, dict(_own(tree.root)))

    def key(self, index: int) -> tuple[bytes, bytes]:
        """What a line must be in the other file too: itself, or the same keyword."""
        word = self.own.get(index)
        return (b"", self.lines[index]) if word is None else (word, b"")


def _own(nodes: Sequence[Node], inside: bytes = b"") -> list[tuple[int, bytes]]:
    """The lines that speak of one director; those under `@id` are the same in both files."""
    found: list[tuple[int, bytes]] = []
    for node in nodes:
        if isinstance(node, Block):
            found += _own(node.children, node.keyword if node.keyword in _OWN_BLOCKS else inside)
        elif not node.condition and (inside or node.words[0] in PER_DIRECTOR):
            found.append((node.line - 1, inside or node.words[0]))
    return found


def carry(before: bytes, after: bytes, other: bytes, path: str = "keepalived.conf") -> bytes:
    """`other` with the changes that led from `before` to `after`.

    Each is made where its lines and `CONTEXT` lines around them stand in `other` exactly once,
    in the same blocks. `path` is for messages. Raises RefusedEdit for a change that has no such
    place, that touches a line which differs between directors, or that would mean something
    else there.
    """
    if before in (other, after):
        _ensure_shared(_Text.of(before), _Text.of(after), path)
        return after if before == other else other
    old, new, there = _Text.of(before), _Text.of(after), _Text.of(other)
    hunks = _ensure_shared(old, new, path)
    lines = list(there.lines)
    places = [_place(hunk, old, there, path) for hunk in hunks]
    for index, (hunk, at) in enumerate(zip(hunks, places, strict=True)):
        end = at + hunk.end - hunk.start
        if index + 1 < len(places) and places[index + 1] < end:
            raise _refused(path, hunk, "the changes stand in another order in the other file")
    for hunk, at in reversed(list(zip(hunks, places, strict=True))):
        lines[at : at + hunk.end - hunk.start] = new.lines[hunk.low : hunk.high]
    result = b"\n".join(lines)
    for config_id in conditions([before, after, other]) or ("",):
        if _moved(before, after, config_id) != _moved(other, result, config_id):
            why = "the change would mean something else on the other director"
            raise _refused(path, hunks[0], why)
    return result


def _refused(path: str, hunk: _Hunk, why: str) -> RefusedEdit:
    return RefusedEdit(Place(path, hunk.start + 1), why, "make it there by hand")


def _ensure_shared(old: _Text, new: _Text, path: str) -> list[_Hunk]:
    """The changes; raises RefusedEdit when one touches a line that is per director."""
    hunks = _hunks(old.lines, new.lines)
    for hunk in hunks:
        for text, indexes in (
            (old, range(hunk.start, hunk.end)),
            (new, range(hunk.low, hunk.high)),
        ):
            for index in indexes:
                if index in text.own:
                    raise RefusedEdit(
                        Place(path, index + 1),
                        f"{text.own[index].decode()} differs between the directors",
                        "set it on the other one by itself",
                    )
    return hunks


def _hunks(old: Sequence[bytes], new: Sequence[bytes]) -> list[_Hunk]:
    """What differs, with the lines that both begin and end with left out first: they are most."""
    head = 0
    while head < min(len(old), len(new)) and old[head] == new[head]:
        head += 1
    tail = 0
    while tail < min(len(old), len(new)) - head and old[-1 - tail] == new[-1 - tail]:
        tail += 1
    matcher = SequenceMatcher(
        None, old[head : len(old) - tail], new[head : len(new) - tail], autojunk=False
    )
    return [
        _Hunk(head + start, head + end, head + low, head + high)
        for tag, start, end, low, high in matcher.get_opcodes()
        if tag != "equal"
    ]


def _place(hunk: _Hunk, old: _Text, there: _Text, path: str) -> int:
    """The line of the other file where `hunk` belongs."""
    wanted = _enclosing(old.tree, hunk.start)
    places = _matches(hunk, old, there, CONTEXT)
    if not places:
        raise _refused(path, hunk, "the other file has no such lines")
    size = CONTEXT
    while len(places) > 1 and size < len(old.lines):
        size *= 2
        places = _matches(hunk, old, there, size)
    if len(places) != 1:
        raise _refused(path, hunk, "the other file has such lines more than once")
    if _enclosing(there.tree, places[0]) != wanted:
        raise _refused(path, hunk, "such lines stand in another block of the other file")
    return places[0]


def _matches(hunk: _Hunk, old: _Text, there: _Text, context: int) -> list[int]:
    first = max(0, hunk.start - context)
    last = min(len(old.lines), hunk.end + context)
    keys = [old.key(index) for index in range(first, last)]
    known = [there.key(index) for index in range(len(there.lines))]
    found: list[int] = []
    for at in range(len(known) - len(keys) + 1):
        # At an end of the file the other one must end as well: there is no context beyond.
        if (first == 0 and hunk.start < context and at) or (
            last == len(old.lines) and hunk.end + context > last and at + len(keys) != len(known)
        ):
            continue
        if known[at : at + len(keys)] == keys:
            found.append(at + hunk.start - first)
    return found


def _enclosing(tree: Tree, index: int) -> Line:
    """The headers of the blocks that are open before line `index` (from 0)."""
    chain: list[tuple[bytes, ...]] = []
    nodes: Sequence[Node] = tree.root
    while True:
        inner = next(
            (
                node
                for node in nodes
                if isinstance(node, Block)
                and node.header.line - 1 < index
                and (node.closing is None or node.closing.line - 1 >= index)
            ),
            None,
        )
        if inner is None:
            return tuple(chain)
        chain.append(inner.header.words)
        nodes = inner.children


def _moved(before: bytes, after: bytes, config_id: str) -> tuple[Counter[Line], Counter[Line]]:
    """The logical lines that go and that come."""
    old = Counter(whole(outline(parse_bytes(before, config_id=config_id)).lines))
    new = Counter(whole(outline(parse_bytes(after, config_id=config_id)).lines))
    return old - new, new - old
