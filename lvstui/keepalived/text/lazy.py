"""Virtual servers that stay folded until somebody looks into them.

A generated file of fifty thousand real servers is four hundred thousand lines, and most of them
are asked for by nobody. A virtual server written in the plain form (one statement a line, known
keywords, nothing that a substitution, a quote or a condition could change) can be told from its
text by one regular expression; its children are read when they are first asked for. What is not
in the plain form is read at once, by the ordinary rules.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from lvstui.keepalived.keywords import ROOT, Keyword, Keywords
from lvstui.keepalived.text.lexer import CLOSE, MAX_LINE, OPEN, Text
from lvstui.keepalived.text.tree import Block, Node, Provenance, SourceFile, Statement

KEYWORD = b"virtual_server"

_COMMENT = rb"(?:[#!][^\n\\]*)?"
_REST = rb"[^\n{}\"\\#!$]*"
_END = rb"\}[ \t]*" + _COMMENT + rb"(?:\n|\Z)"
_UNUSUAL = (b"\r", b"\0", b"\v", b"\f")
"""Bytes that end a line or a word in ways of their own."""


def _body(table: Keywords) -> bytes:
    """An expression for the lines of a block whose keywords are `table`, its end included."""
    leaves = [word for word, keyword in table.items() if not (keyword.inner or keyword.values)]
    blocks = [(word, keyword.inner) for word, keyword in table.items() if keyword.inner]
    # Each line can be matched in one way only: a text that does not match is soon given up.
    words = b"|".join(sorted(map(re.escape, leaves), reverse=True))
    ways = [rb"(?:" + words + rb")(?=[ \t\n#!])" + _REST + _COMMENT + rb"\n"]
    inner: dict[bytes, list[bytes]] = {}
    for word, keywords in blocks:
        inner.setdefault(_body(keywords), []).append(word)
    for text, heads in inner.items():
        head = b"|".join(sorted(map(re.escape, heads), reverse=True))
        ways.append(
            rb"(?:" + head + rb")(?=[ \t{])" + _REST + rb"\{[ \t]*" + _COMMENT + rb"\n" + text
        )
    return rb"(?:[ \t]*(?:[#!][^\n\\]*\n|\n|" + rb"|".join(ways) + rb"))*[ \t]*" + _END


def _expression(keyword: Keyword) -> re.Pattern[bytes]:
    assert keyword.inner is not None
    return re.compile(
        KEYWORD + rb"[ \t]" + _REST + rb"\{[ \t]*" + _COMMENT + rb"\n" + _body(keyword.inner)
    )


_PLAIN = _expression(ROOT[KEYWORD])


@dataclass(frozen=True, slots=True)
class LazySpan:
    """Where a folded block lies."""

    file: SourceFile
    line: int
    """Of its header, from 1."""
    lines: int
    start: int
    """File offset of its header."""
    end: int
    """File offset behind its last line."""

    @property
    def data(self) -> bytes:
        """Its text; the last newline may be missing."""
        first = self.line - 1
        return b"\n".join(self.file.lines[first : first + self.lines])

    def rows(self) -> Iterator[tuple[int, int, bytes]]:
        """Number, file offset and text of each of its lines, without comments and outer blanks;
        empty ones are left out."""
        offset = self.start
        for number in range(self.line, self.line + self.lines):
            raw = self.file.lines[number - 1]
            text = raw.strip()
            if b"#" in text or b"!" in text:
                bare = _WITHOUT_COMMENT.match(text)
                text = bare.group().rstrip() if bare else b""
            if text:
                yield number, offset, text
            offset += len(raw) + 1


class Folds:
    """Finds what can stay folded in one file."""

    def __init__(self, file: SourceFile) -> None:
        self.file = file
        self._data = b""
        usable = len(file.lines) > 1 and max(map(len, file.lines)) < MAX_LINE
        if usable:
            data = file.data
            if not any(byte in data for byte in _UNUSUAL):
                self._data = data

    def at(self, line: int, offset: int) -> LazySpan | None:
        """The virtual server whose header is that line; None when it has to be read at once."""
        if not self._data:
            return None
        found = _PLAIN.match(self._data, offset)
        if found is None:
            return None
        end = found.end()
        lines = self._data.count(b"\n", offset, end)
        if not self._data.endswith(b"\n", offset, end):
            lines += 1
        return LazySpan(self.file, line, lines, offset, end)


class LazyBlock(Block):
    """A block that is read when its inside is first asked for. It is equal to the same block
    read at once in all that it says."""

    __slots__ = ("_fold", "_whole")

    def __init__(self, header: Statement, fold: LazySpan) -> None:
        object.__setattr__(self, "header", header)
        object.__setattr__(self, "value_block", False)
        object.__setattr__(self, "_fold", fold)
        object.__setattr__(self, "_whole", None)

    _fold: LazySpan
    _whole: Block | None

    @property
    def folded(self) -> bool:
        """Nobody has looked into it yet."""
        return self._whole is None

    @property
    def data(self) -> bytes:
        """Its text."""
        return self._fold.data

    def unfold(self) -> Block:
        """The block with everything in it."""
        whole = self._whole
        if whole is None:
            whole = _unfolded(self._fold)
            object.__setattr__(self, "_whole", whole)
        return whole

    @property
    def children(self) -> tuple[Node, ...]:
        return self.unfold().children

    @property
    def opening(self) -> Statement | None:
        return self.unfold().opening

    @property
    def closing(self) -> Statement | None:
        return self.unfold().closing

    def words(self) -> Iterator[Sequence[bytes]]:
        """The words of every statement in it, itself included, without unfolding it."""
        for _, _, text in self._fold.rows():
            if text[-1:] == OPEN:
                yield text[:-1].split()
                yield (OPEN,)
            else:
                yield text.split()


def _unfolded(fold: LazySpan) -> Block:
    """What the ordinary rules make of the plain form, without asking them."""
    file = fold.file
    literal = Provenance.LITERAL
    open_blocks: list[tuple[Statement, Statement, list[Node]]] = []
    children: list[Node] = []
    for number, offset, text in fold.rows():
        base = offset + file.lines[number - 1].find(text[:1])
        if text == CLOSE:
            header, opening, outer = open_blocks.pop()
            closing = Statement((CLOSE,), Text(CLOSE, base), file, number, offset)
            outer.append(Block(header, tuple(children), opening, closing))
            children = outer
            continue
        if text[-1:] == OPEN:
            at = base + len(text) - 1
            text = text[:-1].rstrip()
            opening = Statement((OPEN,), Text(OPEN, at), file, number, offset, literal, b"", False)
            header = Statement(tuple(text.split()), Text(text, base), file, number, offset)
            open_blocks.append((header, opening, children))
            children = []
            continue
        children.append(Statement(tuple(text.split()), Text(text, base), file, number, offset))
    (block,) = children
    assert isinstance(block, Block)
    return block


_WITHOUT_COMMENT = re.compile(rb"[^#!]+")
