"""Logical statements to a tree: which keyword opens a block, and where it ends.

Follows process_stream and alloc_value_block of keepalived's lib/parser.c. Nothing is an error
here: what keepalived would not understand stays in the tree and is named in its problems.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field

from lvstui.keepalived.keywords import ROOT, SECRET_KEYWORDS, Keyword, Keywords
from lvstui.keepalived.text.files import Files, in_memory
from lvstui.keepalived.text.lazy import LazyBlock
from lvstui.keepalived.text.reader import Reader
from lvstui.keepalived.text.shown import shows_keyword
from lvstui.keepalived.text.tree import Block, Node, Provenance, Statement, Tree
from lvstui.model.config import Place
from lvstui.model.text import plain


def _digested(word: bytes) -> bytes:
    return hashlib.sha256(b"lvstui\0" + word).hexdigest()[:4].encode()


class Digest:
    """Collects statements; `value()` is one number for what they mean.

    Over the words of every logical statement in order, so comments, spacing, quoting, includes and
    definitions do not count. Secrets enter as 16 bits each: a changed one is noticed, and a digest
    that was recorded or sent says next to nothing about it.
    """

    __slots__ = ("_parts", "_secret", "_value")

    def __init__(self) -> None:
        self._parts: list[bytes | LazyBlock] = []
        self._value = ""
        self._secret: tuple[str, int] | None = None

    def add(self, statement: Statement) -> None:
        words = statement.words
        if words[0] in SECRET_KEYWORDS:
            self._secret = (statement.file.path, statement.line)
            words = (words[0], *map(_digested, words[1:]))
        elif len(words) > 2 and b"auth_pass" in words:
            at = words.index(b"auth_pass") + 1
            words = (*words[:at], *map(_digested, words[at:]))
        elif (
            not statement.leading
            and self._secret == (statement.file.path, statement.line)
            and words[0] not in (b"{", b"}")
        ):
            # An unquoted brace cuts a password in two: the rest is part of it.
            words = tuple(map(_digested, words))
        self._parts.append(b"\0".join(words))

    def add_folded(self, block: LazyBlock) -> None:
        """Take up a whole block; its words are asked for when the value is."""
        self._parts.append(block)

    def value(self) -> str:
        """SHA-256 in hexadecimal over everything, once all of it was added."""
        if not self._value:
            lines: list[bytes] = []
            for part in self._parts:
                if isinstance(part, bytes):
                    lines.append(part)
                else:
                    lines += map(b"\0".join, part.words())
            self._value = hashlib.sha256(b"\n".join(lines)).hexdigest()
            self._parts.clear()
        return self._value


@dataclass(slots=True)
class _Frame:
    """A block that is being read."""

    header: Statement
    keyword: Keyword
    children: list[Node] = field(default_factory=list)
    opening: Statement | None = None
    waiting: bool = True
    """Its `{` has not come yet."""

    def closed(self, closing: Statement | None) -> Block:
        return Block(self.header, tuple(self.children), self.opening, closing, self.keyword.values)


@dataclass(slots=True)
class Builder:
    """Puts statements together; `finish()` gives the outermost nodes."""

    problems: list[tuple[Place, str]] = field(default_factory=list)
    digest: Digest = field(default_factory=Digest)
    _root: list[Node] = field(default_factory=list)
    _frames: list[_Frame] = field(default_factory=list)
    _after_secret: bool = False

    def outermost(self) -> bool:
        """Whether no block is open, and no secret expected either."""
        return not self._frames and not self._after_secret

    def take(self, statements: Iterator[Statement | LazyBlock]) -> None:
        add = self.digest.add
        frames, root = self._frames, self._root
        for statement in statements:
            if isinstance(statement, Block):
                self.digest.add_folded(statement)
                root.append(statement)
                continue
            add(statement)
            word = statement.words[0]
            if frames:
                frame = frames[-1]
                if frame.waiting and self._opened(frame, statement):
                    continue
                if word == b"}":
                    frames.pop()
                    (frames[-1].children if frames else root).append(frame.closed(statement))
                    continue
                frame.children.append(statement)
                if frame.keyword.values:
                    continue
                table, children = frame.keyword.inner, frame.children
            else:
                root.append(statement)
                table, children = ROOT, root
            keyword = table.get(word) if table is not None else None
            if keyword is None:
                self._unknown(statement, table)
            elif keyword.inner is not None or keyword.values:
                children.pop()
                frames.append(_Frame(statement, keyword))
            else:
                self._after_secret = keyword.secret and len(statement.words) < 2

    def _opened(self, frame: _Frame, statement: Statement) -> bool:
        """Whether `statement` was the `{` that `frame` was waiting for, and only that."""
        frame.waiting = False
        if statement.words[0] == b"{":
            frame.opening = statement
            return len(statement.words) == 1
        self.problems.append(
            (statement.place, f"'{{' is missing at the beginning of {_shown(frame.header)}")
        )
        return False

    def _unknown(self, statement: Statement, table: Keywords | None) -> None:
        word = statement.words[0]
        if word == b"{":
            message = "'{' opens no block here and is ignored; its '}' will close another one"
        elif word == b"}":
            message = "'}' closes nothing"
        elif self._may_show(statement):
            message = f"unknown keyword '{plain(word)}'"
        else:
            message = "unknown keyword"
        # An authentication block whose braces are lost still has its password on the next line.
        self._after_secret = word in SECRET_KEYWORDS and len(statement.words) < 2
        self.problems.append((statement.place, message))

    def _may_show(self, statement: Statement) -> bool:
        """Whether its first word cannot be a password, or a part of one that was cut in two."""
        return (
            statement.leading
            and statement.provenance is Provenance.LITERAL
            and not self._after_secret
            and not any(frame.keyword.secret for frame in self._frames)
            and shows_keyword(statement.words[0])
        )

    def finish(self) -> tuple[Node, ...]:
        """The outermost nodes; blocks that never ended end here."""
        if self._frames:
            header = self._frames[-1].header
            self.problems.append(
                (header.place, f"the configuration ends within {_shown(header)}: a '}}' is missing")
            )
        while self._frames:
            frame = self._frames.pop()
            (self._frames[-1].children if self._frames else self._root).append(frame.closed(None))
        return tuple(self._root)


def _shown(header: Statement) -> str:
    """The keyword of a block; its other words are left out, they may be anything."""
    return header.words[0].decode()


def parse(path: str, files: Files, config_id: str) -> Tree:
    """The tree of the configuration whose main file is `path` (absolute).

    Raises OSError when that file cannot be read.
    """
    reader = Reader(files, config_id)
    return built(reader, reader.read(path))


def built(
    reader: Reader, statements: Iterator[Statement | LazyBlock], *, consolidated: bool = False
) -> Tree:
    """The tree of all that `reader` gives; see `Tree.consolidated`."""
    builder = Builder(problems=reader.problems)
    if not consolidated:
        reader.may_fold = builder.outermost
    builder.take(statements)
    root = builder.finish()
    return Tree(
        files=tuple(reader.sources.values()),
        root=root,
        config_id=reader.config_id,
        includes=tuple(reader.includes),
        problems=tuple(reader.problems),
        measure=builder.digest.value,
        consolidated=consolidated,
    )


def parse_bytes(data: bytes, path: str = "/keepalived.conf", config_id: str = "") -> Tree:
    """The tree of `data` alone, as if it were the file at `path` and no other existed."""
    return parse(path, Files(in_memory({path: data}).read), config_id)
