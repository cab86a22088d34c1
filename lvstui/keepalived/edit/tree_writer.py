"""Writes into a tree's files, and notes what each stroke must mean."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from lvstui.keepalived.edit.change import Change, Edit, ExpectedLines, Line, RefusedEdit
from lvstui.keepalived.edit.find import known_word
from lvstui.keepalived.edit.outline import FileOutline, outline
from lvstui.keepalived.edit.style import (
    LINE_LIMIT,
    New,
    NewLine,
    Style,
    block_indent,
    child_indent,
    head_of,
    quoted,
    style_of,
)
from lvstui.keepalived.keywords import KNOWN_WORDS
from lvstui.keepalived.text.lexer import strip
from lvstui.keepalived.text.tree import Block, Node, Provenance, SourceFile, Statement, Tree
from lvstui.model.config import Place

_CONDITION_ONLY = re.compile(rb"[ \t]*@\^?[^ \t]+[ \t]+\Z")
_BLANK = b" \t"


@dataclass(slots=True)
class TreeWriter:
    """Collects the edits of one change. Use it once."""

    tree: Tree
    outline: FileOutline = field(init=False)
    edits: list[Edit] = field(default_factory=list)
    meant: list[ExpectedLines] = field(default_factory=list)
    _data: dict[str, bytes] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.outline = outline(self.tree)

    def data(self, file: SourceFile) -> bytes:
        if file.path not in self._data:
            self._data[file.path] = file.data
        return self._data[file.path]

    def change(self, title: str, *cautions: str) -> Change:
        return Change(
            title,
            tuple(self.edits),
            tuple(filter(None, cautions)),
            tuple(self.meant),
            self.outline.lines,
        )

    # Words

    def set_words(self, statement: Statement, index: int, *values: bytes) -> None:
        """Words `index` and those behind it, as many as `values`, become `values`; more than
        there are go behind the last. Nothing else of the line moves."""
        count = len(statement.words)
        if index > count:
            raise IndexError(index)
        words = list(statement.words)
        for offset, value in enumerate(values):
            if index + offset >= count:
                break
            if words[index + offset] == value:
                continue
            self.edit(statement.file, *_span(statement, index + offset), quoted(value))
            words[index + offset] = value
        added = values[max(0, count - index) :]
        if added:
            end = end_of(statement)
            self.edit(statement.file, end, end, b"".join(b" " + quoted(word) for word in added))
            words += added
        self._means(statement, (*self.outline.around(statement), tuple(words)))

    def _means(self, node: Node, *lines: Line) -> None:
        self.meant.append(ExpectedLines(self.outline.start(node), self.outline.end(node), lines))

    def edit(self, file: SourceFile, start: int, end: int, text: bytes) -> None:
        """Exchange a part of a line. What it means is not noted: nothing where it is a comment."""
        data = self.data(file)
        first = data.rfind(b"\n", 0, start) + 1
        last = data.find(b"\n", end)
        last = len(data) if last < 0 else last
        head, tail = data[first:start] + text.split(b"\n")[0], text.split(b"\n")[-1]
        longest = len(head) + (last - end if b"\n" not in text else 0)
        if max(longest, len(tail)) > LINE_LIMIT:
            why = f"the line would be over {LINE_LIMIT} bytes long"
            raise RefusedEdit(Place(file.path, data.count(b"\n", 0, start) + 1), why)
        self._add(Edit(file.path, start, end, text))

    def _add(self, edit: Edit) -> None:
        """Note an edit; of two that write at one place the second goes behind the first."""
        for index, known in enumerate(self.edits):
            same = (known.path, known.start, known.end) == (edit.path, edit.start, edit.end)
            if same and edit.start == edit.end:
                self.edits[index] = Edit(edit.path, edit.start, edit.end, known.text + edit.text)
                return
        self.edits.append(edit)

    def exchange(self, statement: Statement, index: int, spelled: bytes) -> None:
        """Word `index` becomes `spelled`, its quotes included. Raises RefusedEdit."""
        self.edit(statement.file, *_span(statement, index), spelled)
        words = list(statement.words)
        words[index] = spelled.strip(b'"')
        self._means(statement, (*self.outline.around(statement), tuple(words)))

    def drop_word(self, statement: Statement, index: int) -> None:
        """Word `index`, not the first, goes, with the blanks before it."""
        end, start = _span(statement, index)[1], _span(statement, index - 1)[1]
        self.edit(statement.file, start, end, b"")
        words = statement.words[:index] + statement.words[index + 1 :]
        self._means(statement, (*self.outline.around(statement), words))

    # New lines

    def insert(
        self, block: Block, news: Sequence[New], after: Node | None = None, suffix: bytes = b""
    ) -> None:
        """Write `news` into `block` behind its child `after` (None: as the first thing in it).

        `suffix` goes behind the last of their lines as it is, a comment that is more than one
        word's.
        """
        opening = block.opening
        if opening is None or block.closing is None:
            raise RefusedEdit(block.place, "the block has a brace missing", "mend that first")
        file = block.header.file
        anchor: Node = opening if after is None else after
        if head_of(anchor).file is not file:
            raise RefusedEdit(
                head_of(anchor).place, "this part of the block is included from another file"
            )
        style = style_of(self.tree, file, *(new.words[0] for new in news))
        indent = child_indent(self.tree, block, news[0].words[0])
        prefix = b"@" + block.header.condition + b" " if block.header.condition else b""
        lines: list[bytes] = []
        for new in news:
            if lines and not isinstance(new, NewLine):
                lines += [b""] * style.gap
            lines += style.render(new, indent, prefix)
        if after is not None and isinstance(after, Block) and not isinstance(news[0], NewLine):
            lines = [b""] * style.gap + lines
        if suffix:
            lines[-1] += suffix
        self._lines_behind(file, end_of(anchor), lines, indent, block_indent(block))
        at = self.outline.start(block) + 1 if after is None else self.outline.end(after)
        chain = (*self.outline.around(block), block.header.words)
        self.meant.append(
            ExpectedLines(at, at, tuple(line for new in news for line in new.lines(chain)))
        )

    def append(self, file: SourceFile, new: New, after: Node | None, style: Style) -> None:
        """Write `new` outside of every block: behind `after`, or at the end of `file`."""
        data = self.data(file)
        lines = style.render(new, b"")
        if after is not None:
            self._lines_behind(file, end_of(after), [b""] * max(1, style.gap) + lines)
            at = self.outline.end(after)
        else:
            text = style.newline.join(lines) + style.newline
            if data and not data.endswith(b"\n"):
                text = style.newline + text
            blank = bool(data) and bool(data.rstrip(b"\r\n").rpartition(b"\n")[2].strip())
            already = re.search(rb"\n[ \t\r]*\n\Z", data) is not None
            text = (style.newline if blank and not already else b"") + text
            self._add(Edit(file.path, len(data), len(data), text))
            at = len(self.outline.lines)
        self.meant.append(ExpectedLines(at, at, tuple(new.lines())))

    def prepend(self, new: New, before: Block, style: Style) -> None:
        """Write `new` outside of every block, before `before` and the comments that are its own.

        Raises RefusedEdit when something else stands on that line.
        """
        file = before.header.file
        data = self.data(file)
        start = start_of(before.header)
        first = data.rfind(b"\n", 0, start) + 1
        if data[first:start].strip(_BLANK):
            raise RefusedEdit(before.place, "something else begins this line", "break it first")
        first = self._with_comments(data, first, data[first:start])
        lines = style.render(new, b"")
        text = b"".join(line + style.newline for line in (*lines, b""))
        self._add(Edit(file.path, first, first, text))
        at = self.outline.start(before)
        self.meant.append(ExpectedLines(at, at, tuple(new.lines())))

    def _lines_behind(
        self, file: SourceFile, at: int, lines: list[bytes], indent: bytes = b"", outer: bytes = b""
    ) -> None:
        """Physical lines behind offset `at`, where a statement or brace ends. What follows on its
        line goes to the next, by `indent`, or by `outer` when that closes the block."""
        data = self.data(file)
        stop = data.find(b"\n", at)
        tail = data[at : len(data) if stop < 0 else stop]
        rest = tail.rstrip(b"\r")
        found = strip(rest)
        newline = _newline(data, at, file)
        if max(map(len, lines)) > LINE_LIMIT:
            raise RefusedEdit(None, f"the line would be over {LINE_LIMIT} bytes long")
        if found.end <= found.start:
            if stop < 0:
                text = newline + newline.join(lines)
                self._add(Edit(file.path, len(data), len(data), text))
            else:
                text = b"".join(line + newline for line in lines)
                self._add(Edit(file.path, stop + 1, stop + 1, text))
            return
        text = newline + newline.join(lines)
        end = at
        closes = rest[found.start :].startswith(b"}")
        if not closes or data[at - 1 : at] == b"{":
            text += newline + (outer if closes else indent)
            end = at + found.start
        self.edit(file, at, end, text)

    # Lines that go

    def remove(self, node: Node, own_comments: bool = False) -> None:
        """Take `node` out, with its lines where nothing else stands on them.

        `own_comments`: with the comment lines right above it that speak of it alone, and with
        one of the two blank lines that would be left together.
        """
        head = head_of(node)
        file = head.file
        tail_statement = node.closing if isinstance(node, Block) else node
        if tail_statement is None:
            raise RefusedEdit(head.place, "the block is never closed", "mend that first")
        if tail_statement.file is not file:
            raise RefusedEdit(head.place, "the block ends in another file than it begins in")
        data = self.data(file)
        start, end = start_of(head), end_of(tail_statement)
        first = data.rfind(b"\n", 0, start) + 1
        stop = data.find(b"\n", end)
        last = len(data) if stop < 0 else stop
        before = data[first:start]
        clean = not before.strip(_BLANK) or (
            bool(head.condition) and _CONDITION_ONLY.match(before) is not None
        )
        found = strip(data[end:last].rstrip(b"\r"))
        if clean and found.end <= found.start:
            stop = last + 1 if stop >= 0 else last
            if own_comments:
                first = self._with_comments(data, first, before)
                first, stop = _one_blank_less(data, first, stop)
            if stop == len(data) and data[-1:] != b"\n" and first > 0:
                first -= 2 if data[first - 2 : first] == b"\r\n" else 1
            self._add(Edit(file.path, first, stop, b""))
        elif clean:
            self._add(Edit(file.path, start, end + found.start, b""))
        else:
            begin = first + len(before.rstrip(_BLANK))
            self._add(Edit(file.path, begin, end, b""))
        self._means(node)

    def _with_comments(self, data: bytes, first: int, indent: bytes) -> int:
        """The offset where the comment lines right above `first` begin. What begins the file
        speaks of the file."""
        block = first
        while first > 0:
            above = data.rfind(b"\n", 0, first - 1) + 1
            line = data[above : first - 1].rstrip(b"\r")
            bare = line.strip(_BLANK).lstrip(b"#! \t")
            if (
                line.lstrip(_BLANK)[:1] not in (b"#", b"!")
                or line[: len(line) - len(line.lstrip(_BLANK))] != indent
                or not any(byte > 0x7F or chr(byte).isalnum() for byte in bare)
                or bare.split()[0] in KNOWN_WORDS
                or b"{" in bare
                or b"}" in bare
            ):
                break
            first = above
        return first or block


def _one_blank_less(data: bytes, first: int, stop: int) -> tuple[int, int]:
    """`first` to `stop` with a blank line beside it, when another (or a brace) is left there."""
    above = data.rfind(b"\n", 0, max(0, first - 1)) + 1
    over = data[above:first].strip() if first else None
    below = data.find(b"\n", stop)
    under = data[stop : len(data) if below < 0 else below].strip()
    if below >= 0 and not under and (over is None or not over or over.endswith(b"{")):
        return first, below + 1
    if over is not None and not over and (under.startswith(b"}") or stop >= len(data)):
        return above, stop
    return first, stop


def start_of(statement: Statement) -> int:
    """File offset of its first byte. Raises RefusedEdit when it has none."""
    at = -1 if statement.provenance is Provenance.REPEATED else statement.text.origin(0)
    if at < 0:
        raise RefusedEdit(statement.place, f"{known_word(statement)} stands in no line of its own")
    return at


def end_of(node: Node) -> int:
    """File offset behind its last byte. Raises RefusedEdit when it has none."""
    statement = node.closing if isinstance(node, Block) else node
    if statement is None:
        raise RefusedEdit(head_of(node).place, "the block is never closed", "mend that first")
    at = -1
    if statement.provenance is not Provenance.REPEATED:
        at = statement.text.origin(len(statement.text.data) - 1)
    if at < 0:
        raise RefusedEdit(
            statement.place, f"the end of {known_word(statement)} stands in no line of its own"
        )
    return at + 1


def _span(statement: Statement, index: int) -> tuple[int, int]:
    """File offsets of word `index`. Raises RefusedEdit when it has none."""
    span = statement.word(index).span
    if span is None:
        raise RefusedEdit(statement.place, f"{known_word(statement)}: its value stands elsewhere")
    return span


def _newline(data: bytes, at: int, file: SourceFile) -> bytes:
    """How the line at offset `at` ends."""
    stop = data.find(b"\n", at)
    if stop < 0:
        return file.newline
    return b"\r\n" if data[stop - 1 : stop] == b"\r" else b"\n"
