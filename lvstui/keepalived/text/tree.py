"""The configuration as a tree that loses no byte.

A `SourceFile` owns the bytes; statements and blocks say what they mean and where they stand.
Writing a tree gives the files back as they were read, and an edit is a change of one span.
The nesting is the one that keepalived sees, which is not always the one that the braces draw
(an unknown keyword opens no block).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from enum import Enum

from lvstui.keepalived.text.lexer import Text, spans, strip
from lvstui.model.config import Place


class Provenance(Enum):
    """How a statement came into being; only `LITERAL` ones can be edited where they stand."""

    LITERAL = "literal"
    """Written in the file as it is."""
    SUBSTITUTED = "substituted"
    """Parts came from a `$NAME`; the words that did not still have a span."""
    REPEATED = "repeated"
    """Given by a `~SEQ`, a `~LST` or a multi-line definition; it stands nowhere itself."""


@dataclass(frozen=True, slots=True)
class SourceFile:
    """One file as it was read."""

    path: str
    """Absolute."""
    lines: tuple[bytes, ...]
    """Its lines without the newline; the last is empty when the file ends in one."""

    @property
    def data(self) -> bytes:
        return b"\n".join(self.lines)

    @property
    def text_lines(self) -> tuple[bytes, ...]:
        """Its lines, without the empty one after the last newline."""
        return self.lines[:-1] if len(self.lines) > 1 and not self.lines[-1] else self.lines

    @property
    def newline(self) -> bytes:
        """How its first line ends: `\\r\\n` or `\\n`."""
        return b"\r\n" if len(self.lines) > 1 and self.lines[0].endswith(b"\r") else b"\n"


@dataclass(frozen=True, slots=True)
class Word:
    """One word of a statement."""

    value: bytes
    """Without its quotes."""
    span: tuple[int, int] | None
    """Where it stands in the file, quotes included; None when a substitution made it."""

    @property
    def text(self) -> str:
        """The value as text; bytes that are no UTF-8 become surrogates, so none is lost."""
        return self.value.decode("utf-8", "surrogateescape")


@dataclass(frozen=True, slots=True)
class Statement:
    """One logical line: a keyword and its values, an entry of a value block, or a lone brace."""

    words: tuple[bytes, ...]
    text: Text
    file: SourceFile
    line: int
    """From 1. For what a repetition gave, the line that asked for it."""
    line_start: int
    """File offset of the first byte of that line."""
    provenance: Provenance = Provenance.LITERAL
    condition: bytes = b""
    """`lb1` for a line that begins with `@lb1`, `^lb1` for `@^lb1`."""
    leading: bool = True
    """The first statement of its physical line."""

    @property
    def keyword(self) -> bytes:
        return self.words[0]

    @property
    def column(self) -> int:
        """Byte column of its first byte, from 1; 1 when it stands nowhere."""
        if not self.text.data:
            return 1
        at = self.text.origin(0)
        return at - self.line_start + 1 if at >= max(0, self.line_start) else 1

    @property
    def place(self) -> Place:
        """File, line and column of its first word."""
        return Place(self.file.path, self.line, self.column)

    @property
    def literal(self) -> bool:
        """Every byte stands in the file, once."""
        return self.provenance is Provenance.LITERAL

    def word(self, index: int) -> Word:
        """Word number `index` with its span. Raises IndexError."""
        value, start, end = list(spans(self.text.data))[index]
        if self.provenance is Provenance.REPEATED:
            return Word(value, None)
        return Word(value, self.text.span(start, end))

    def word_place(self, index: int) -> Place:
        """Where word number `index` stands; the statement's place when it stands nowhere."""
        span = self.word(index).span
        if span is None or span[0] < self.line_start:
            return self.place
        return Place(self.file.path, self.line, span[0] - self.line_start + 1)

    @property
    def comment(self) -> bytes:
        """The comment at the end of its physical line, mark included; empty when none."""
        raw = self.file.lines[self.line - 1].rstrip(b"\r")
        at = strip(raw).comment
        return raw[at:] if at >= 0 else b""


@dataclass(frozen=True, slots=True)
class Block:
    """A keyword with a body in braces."""

    header: Statement
    children: tuple[Node, ...]
    opening: Statement | None
    """The `{`; None when it is missing."""
    closing: Statement | None
    """The `}`; None when the configuration ended before it."""
    value_block: bool = False
    """Its children are plain entries (addresses, interfaces …), not keywords."""

    @property
    def keyword(self) -> bytes:
        return self.header.words[0]

    @property
    def place(self) -> Place:
        """Where the header begins."""
        return self.header.place

    def statements(self, *keywords: bytes) -> Iterator[Statement]:
        """Its own statements, those with one of `keywords` when any are given."""
        for child in self.children:
            if isinstance(child, Statement) and (not keywords or child.words[0] in keywords):
                yield child

    def last(self, *keywords: bytes) -> Statement | None:
        """Its last statement with one of `keywords`: of a keyword that stands more than once that
        one counts."""
        return next(iter(deque(self.statements(*keywords), maxlen=1)), None)

    def blocks(self, *keywords: bytes) -> Iterator[Block]:
        """The blocks directly in it, those with one of `keywords` when any are given."""
        for child in self.children:
            if isinstance(child, Block) and (not keywords or child.header.words[0] in keywords):
                yield child


Node = Statement | Block


@dataclass(frozen=True, slots=True)
class Include:
    """One `include` line and what it opened."""

    statement: Statement
    files: tuple[str, ...]
    """Absolute paths, in order; empty when nothing was opened."""


@dataclass(frozen=True, slots=True)
class Tree:
    """A whole configuration: its files, and what they mean for one configuration id."""

    files: tuple[SourceFile, ...]
    """Every file once, the main file first, then in the order of reading."""
    root: tuple[Node, ...]
    config_id: str
    includes: tuple[Include, ...] = ()
    problems: tuple[tuple[Place, str], ...] = ()
    measure: Callable[[], str] = field(default=str, repr=False, compare=False)
    """Gives the digest; what is folded is only read for it when it is asked for."""
    consolidated: bool = field(default=False)
    """Read from the daemon's own copy: no comments, no spans, and every column is 1."""

    @property
    def digest(self) -> str:
        """Hash over the words of every statement: equal ones mean the same."""
        return self.measure()

    def file(self, path: str) -> SourceFile:
        """The file of that absolute path. Raises KeyError."""
        for file in self.files:
            if file.path == path:
                return file
        raise KeyError(path)

    def blocks(self, *keywords: bytes) -> Iterator[Block]:
        """The outermost blocks, those with one of `keywords` when any are given."""
        for node in self.root:
            if isinstance(node, Block) and (not keywords or node.header.words[0] in keywords):
                yield node

    def every_block(self) -> Iterator[Block]:
        """All blocks, inner ones too."""
        waiting = list(self.blocks())
        while waiting:
            block = waiting.pop()
            yield block
            waiting.extend(block.blocks())

    def walk(self) -> Iterator[Statement]:
        """Every statement, headers and braces of blocks included, in reading order."""
        waiting: list[Node] = list(reversed(self.root))
        while waiting:
            node = waiting.pop()
            if isinstance(node, Statement):
                yield node
                continue
            yield node.header
            if node.opening is not None:
                yield node.opening
            if node.closing is not None:
                waiting.append(node.closing)
            waiting.extend(reversed(node.children))


def write(tree: Tree, path: str | None = None) -> bytes:
    """The bytes of the main file, or of the file at `path`, as they were read.

    Raises KeyError when `path` is none of the tree's files.
    """
    return (tree.files[0] if path is None else tree.file(path)).data
