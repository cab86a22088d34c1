"""Physical lines to logical statements, in the order and by the rules of keepalived.

Since 2.2.0 the children of keepalived read the text that the parent has already freed of
comments, and free it again: that double pass is why `\\#` does not protect a `#` (seen with
2.2.7), and why a comment line ends a multi-line definition.
"""

from __future__ import annotations

import os
import posixpath
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from lvstui.keepalived.text.expand import Definition, Definitions, Repetition
from lvstui.keepalived.text.files import Files, resolve
from lvstui.keepalived.text.lazy import KEYWORD, Folds, LazyBlock
from lvstui.keepalived.text.lexer import (
    BLANKS,
    CLOSE,
    MAX_LINE,
    OPEN,
    Text,
    chunks,
    decomment,
    find_brace,
    words,
)
from lvstui.keepalived.text.tree import Include, Provenance, SourceFile, Statement
from lvstui.model.config import Place
from lvstui.model.text import plain

MAX_GENERATED = 200_000
"""Lines that repetitions may give in one configuration; keepalived itself knows no limit."""
MAX_INCLUDES = 20_000
MAX_BYTES = 256 * 1024 * 1024
"""Bytes read in all, files that are included again counted again."""
MAX_DEPTH = 50

_SPECIAL = re.compile(rb'["\\#!${}\0]|\A[@~]')
_INCLUDE = re.compile(rb"include(?:[ \t\n\r\v\f]|[rmwba][ \t\n\r\v\f])[ \t]*")

Line = tuple[SourceFile, int, int, bytes, bool]
"""File, number from 1, file offset, bytes without newline, whether a newline ends it."""


@dataclass(slots=True)
class _Open:
    """A file that is being read."""

    file: SourceFile
    next: int = 0
    offset: int = 0
    folds: Folds | None = None


@dataclass(slots=True)
class Reader:
    """Reads one configuration. Use it once."""

    files: Files
    config_id: str
    may_fold: Callable[[], bool] | None = None
    """Tells whether no block is open, so that one may stay folded; None: fold nothing."""
    follow: bool = True
    """Open what `include` names; off for the daemon's copy, where that has happened."""
    sources: dict[str, SourceFile] = field(default_factory=dict)
    includes: list[Include] = field(default_factory=list)
    problems: list[tuple[Place, str]] = field(default_factory=list)
    _stack: list[_Open] = field(default_factory=list)
    _definitions: Definitions = field(init=False)
    _defining: Definition | None = None
    _residue: tuple[Text, Provenance, bytes] | None = None
    _repetitions: list[Repetition] = field(default_factory=list)
    _depth: int = 0
    _lines: list[bytes] = field(default_factory=list)
    _names: frozenset[bytes] = frozenset()
    _outer: list[tuple[list[bytes], int, frozenset[bytes]]] = field(default_factory=list)
    _active: frozenset[bytes] = frozenset()
    _generated: int = 0
    _opened: int = 0
    _bytes: int = 0
    _here: tuple[SourceFile, int, int] = field(init=False)

    def __post_init__(self) -> None:
        self._definitions = Definitions(
            os.fsencode(self.config_id), lambda: os.fsencode(posixpath.dirname(self._here[0].path))
        )

    def read(self, path: str) -> Iterator[Statement | LazyBlock]:
        """Every statement of the configuration at `path` (absolute); see `may_fold`.

        Raises OSError when that file cannot be read; one that is included and cannot be read
        becomes a problem.
        """
        self._push(path)
        return self.statements(self._feed())

    # Lines in

    def _push(self, path: str) -> None:
        file = self.sources.get(path)
        if file is None:
            file = self.sources[path] = SourceFile(path, tuple(self.files.read(path).split(b"\n")))
        self._bytes += sum(map(len, file.lines))
        self._stack.append(_Open(file))

    def _feed(self) -> Iterator[Line]:
        while self._stack:
            current = self._stack[-1]
            lines = current.file.lines
            number, last = current.next, len(lines) - 1
            if number > last or (number == last and not lines[number]):
                self._stack.pop()
                continue
            raw, offset = lines[number], current.offset
            current.next += 1
            current.offset += len(raw) + 1
            yield current.file, number + 1, offset, raw, number < last

    def _fold(self, number: int, offset: int) -> LazyBlock | None:
        """The virtual server that begins on the line just fed, when it can stay folded."""
        current = self._stack[-1]
        if current.folds is None:
            current.folds = Folds(current.file)
        fold = current.folds.at(number, offset)
        if fold is None:
            return None
        current.next += fold.lines - 1
        current.offset = fold.end
        head = current.file.lines[number - 1]
        text = Text(head[: head.index(OPEN)].rstrip(), offset)
        words_ = tuple(text.data.split())
        return LazyBlock(Statement(words_, text, current.file, number, offset), fold)

    def statements(self, feed: Iterator[Line]) -> Iterator[Statement | LazyBlock]:
        """Every statement of lines that are already put in order."""
        literal = Provenance.LITERAL
        for file, number, offset, raw, ended in feed:
            if (
                raw.startswith(KEYWORD)
                and self.may_fold is not None
                and self._defining is None
                and self.may_fold()
            ):
                folded = self._fold(number, offset)
                if folded is not None:
                    yield folded
                    continue
            # Most lines hold nothing but words and a brace at the end.
            line = raw.strip()
            if self._defining is None and len(raw) < MAX_LINE:
                if not line:
                    continue
                base = offset + raw.find(line[:1])
                found = _SPECIAL.search(line)
                if found is None:
                    if not line.startswith(b"include"):
                        text = Text(line, base)
                        yield Statement(tuple(line.split()), text, file, number, offset)
                        continue
                elif (at := _simple(line, found.start())) >= 0 and line[:7] != b"include":
                    head = line[:at].rstrip()
                    if head:
                        text = Text(head, base)
                        yield Statement(tuple(head.split()), text, file, number, offset)
                    if found.group() in (OPEN, CLOSE):
                        brace = Text(found.group(), base + at)
                        yield Statement(
                            (brace.data,), brace, file, number, offset, literal, b"", not head
                        )
                    continue
            self._here = (file, number, offset)
            if len(raw) >= MAX_LINE:
                self._problem(f"longer than {MAX_LINE} bytes: keepalived reads it as several lines")
            if b"\0" in raw:
                self._problem("a NUL byte hides the rest of the line")
            for at, piece in chunks(raw, ended):
                yield from self._physical(Text(piece, offset + at), at == 0)

    def _problem(self, message: str) -> None:
        file, line, _ = self._here
        self.problems.append((Place(file.path, line), message))

    # One physical line

    def _physical(self, raw: Text, leading: bool) -> Iterator[Statement]:
        text, continued, open_quote = decomment(raw)
        text, again, _ = decomment(text)
        continued = continued or again
        if open_quote:
            self._problem("a double quote is not closed: keepalived refuses the line")
        if self._defining is not None:
            defining = self._defining
            if text.data:
                defining.lines.append(text.data)
            if not continued:
                self._defining = None
                defining.multiline = bool(defining.lines)
            return
        if not text.data:
            # A lone backslash left over from a comment means nothing to any version.
            return
        self._active = frozenset()
        self._residue = (_with_backslash(text, continued), Provenance.LITERAL, b"")
        while (waiting := self._next()) is not None:
            statement = self._one(*waiting, leading)
            if statement is not None:
                leading = False
                yield statement

    def _next(self) -> tuple[Text, Provenance, bytes] | None:
        """The next text of the current line: what is left of it, then repetitions."""
        if self._residue is not None:
            waiting, self._residue = self._residue, None
            if waiting[1] is Provenance.LITERAL or self._counted():
                return waiting
            return None
        if len(self._repetitions) <= self._depth and not self._lines:
            self._depth = 0
            if not self._repetitions:
                return None
        if not self._counted():
            return None
        if len(self._repetitions) > self._depth:
            repetition = self._repetitions[-1]
            values = next(repetition.rounds, None)
            if values is None:
                self._repetitions.pop()
                return Text(b""), Provenance.REPEATED, b""
            for name, value in values:
                self._definitions.set(name, value)
            self._active = repetition.active
            return Text(repetition.text), Provenance.REPEATED, b""
        line = self._lines.pop(0)
        self._active = self._names
        if not self._lines:
            outer = self._outer.pop() if self._outer else ([], 0, frozenset[bytes]())
            self._lines, self._depth, self._names = outer
        return Text(line), Provenance.REPEATED, b""

    def _counted(self) -> bool:
        """Whether one more text may be generated; if not, nothing is left to be read."""
        self._generated += 1
        if self._generated <= MAX_GENERATED:
            return True
        if self._generated == MAX_GENERATED + 1:
            self._problem(f"repetitions give over {MAX_GENERATED} lines; the rest is not read")
        self._repetitions.clear()
        self._lines, self._outer, self._depth = [], [], 0
        return False

    def _one(
        self, text: Text, provenance: Provenance, condition: bytes, leading: bool
    ) -> Statement | None:
        """What one logical line means; None when it gives no statement."""
        while True:
            data = text.data
            if data.startswith(b"@"):
                found = re.match(rb"@(\^?)([^ \t]*)[ \t]+", data)
                if not found:
                    return None
                if (found.group(2) == os.fsencode(self.config_id)) == bool(found.group(1)):
                    return None
                condition = found.group(1) + found.group(2)
                text = text.part(found.end())
                data = text.data
            if data.startswith(b"$"):
                made = self._definitions.define(data)
                if made is not None:
                    self._defining = made if made.multiline else None
                    return None
            if data.startswith((b"~SEQ", b"~LST")):
                repetition = self._definitions.repetition(data)
                if repetition is None:
                    self._problem(f"{data[:4].decode()} is written wrongly and repeats nothing")
                else:
                    repetition.active = self._active
                    self._repetitions.append(repetition)
                return None
            if b"$" not in data or data.startswith(b"~"):
                break
            done = self._definitions.substitute(text, self._active)
            if done.message:
                self._problem(done.message)
            if done.too_long:
                # keepalived goes on with what it has, for ever when the definition uses itself.
                self._problem("a substitution makes this line too long; it is not read")
                return None
            if not done.changed:
                break
            for rest, names in done.rests:
                self._active = names
                if not rest:
                    continue
                if self._lines:
                    self._outer.append((self._lines, self._depth, self._names))
                self._depth = len(self._repetitions)
                self._lines, self._names = rest, names
            if provenance is Provenance.LITERAL:
                provenance = Provenance.SUBSTITUTED
            text, continued, _ = decomment(done.text)
            text = _with_backslash(text, continued)
            if not (text.data.startswith(b"@") or b"$" in text.data):
                break
        return self._split(text, provenance, condition, leading)

    def _split(
        self, text: Text, provenance: Provenance, condition: bytes, leading: bool
    ) -> Statement | None:
        """Open an include, or take the statement up to the next brace."""
        data = text.data
        included = _INCLUDE.match(data)
        at = find_brace(data)
        if included is None and at >= 0:
            cut = at or 1
            rest = data[cut:]
            blanks = len(rest) - len(rest.lstrip(BLANKS))
            if rest.strip(BLANKS):
                end = len(data.rstrip(BLANKS))
                self._residue = (text.part(cut + blanks, end), provenance, condition)
            text = text.part(0, cut)
        text = text.part(0, len(text.data.rstrip(BLANKS)))
        file, number, offset = self._here
        found = words(text.data)
        if not found:
            return None
        statement = Statement(found, text, file, number, offset, provenance, condition, leading)
        if included is not None:
            self._include(statement, data[included.end() :])
            return None
        return statement

    # Includes

    def _include(self, statement: Statement, pattern: bytes) -> None:
        if not self.follow:
            return
        directory = posixpath.dirname(self._stack[-1].file.path if self._stack else "/")
        wanted = resolve(directory, os.fsdecode(pattern).rstrip())
        shown = plain(os.fsencode(wanted), 200)
        try:
            paths = [resolve("/", path) for path in self.files.matches(wanted)] if pattern else []
        except OSError as error:
            self._problem(f"include {shown}: {error.strerror or error}")
            paths = []
        else:
            if not paths:
                self._problem(f"include {shown}: no such file")
        opened = self._open_all(paths)
        self.includes.append(Include(statement, tuple(opened)))

    def _open_all(self, paths: list[str]) -> list[str]:
        before = len(self._stack)
        busy = {current.file.path for current in self._stack}
        opened: list[str] = []
        for path in paths:
            shown = plain(os.fsencode(path), 200)
            if path in busy:
                self._problem(f"include {shown}: that file is being read already")
            elif before >= MAX_DEPTH or self._opened >= MAX_INCLUDES or self._bytes > MAX_BYTES:
                self._problem(f"include {shown}: too many files included")
                break
            else:
                try:
                    self._push(path)
                except (OSError, ValueError) as error:
                    why = error.strerror if isinstance(error, OSError) else None
                    self._problem(f"include {shown}: {why or error}")
                    continue
                self._opened += 1
                opened.append(path)
        self._stack[before:] = reversed(self._stack[before:])
        return opened


def _simple(line: bytes, at: int) -> int:
    """`at`, when from there on the line holds at most one brace and a comment; -1 when more."""
    if line[-1] == 0x5C:
        return -1
    if line[at] in b"#!":
        return at
    if line[at] not in b"{}":
        return -1
    after = line[at + 1 :].lstrip(BLANKS)
    return at if not after or after[0] in b"#!" else -1


def _with_backslash(text: Text, continued: bool) -> Text:
    return text.replaced(len(text.data), len(text.data), b"\\") if continued else text
