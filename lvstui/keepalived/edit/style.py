"""How the lines around an edit are written, so that a new one looks like them."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

from lvstui.keepalived.edit.change import OPENS, Line, RefusedEdit
from lvstui.keepalived.text.tree import Block, Node, Provenance, SourceFile, Statement, Tree

LINE_LIMIT = 1000
"""Bytes of one line that we write: keepalived reads 1023, longer ones come apart."""
DEFAULT_UNIT = b"    "

_BLANK = b" \t"
_CONDITION = re.compile(rb"@\^?[^ \t]*[ \t]+")
_QUOTE_FOR = re.compile(rb"[ \t\v\f#!{}]")


@dataclass(frozen=True, slots=True)
class NewLine:
    """A logical line to be written: its words without quotes. They may hold a password."""

    words: tuple[bytes, ...] = field(repr=False)

    def lines(self, chain: Line = ()) -> Iterator[Line]:
        """What it means within `chain`."""
        yield (*chain, self.words)


@dataclass(frozen=True, slots=True)
class NewBlock:
    """A block to be written."""

    words: tuple[bytes, ...]
    children: tuple[NewLine | NewBlock, ...] = field(default=(), repr=False)
    comment: bytes = b""
    """Beside its header, without its mark."""

    def lines(self, chain: Line = ()) -> Iterator[Line]:
        """What it means within `chain`, each logical line."""
        inner = (*chain, self.words)
        yield (*inner, OPENS)
        for child in self.children:
            yield from child.lines(inner)


New = NewLine | NewBlock


def quoted(word: bytes) -> bytes:
    """`word` as it must be written so that keepalived reads it whole.

    Raises RefusedEdit for what no spelling can carry: a double quote has no escape, and a
    backslash before a quote or a line's end takes that away.
    """
    for mark, name in ((b'"', "a double quote"), (b"\n", "a line break"), (b"\r", "a line break")):
        if mark in word:
            raise RefusedEdit(None, f"keepalived can not read a value with {name} in it")
    if b"\0" in word:
        raise RefusedEdit(None, "keepalived can not read a value with a NUL byte in it")
    if word.endswith(b"\\"):
        raise RefusedEdit(None, "a backslash at the end of a value hides what follows it")
    return b'"' + word + b'"' if not word or _QUOTE_FOR.search(word) else word


def comment_text(text: str) -> bytes:
    """`text` harmless in a comment: one line, no control characters, no backslash at its end
    (up to 2.3.4 that continues a definition)."""
    clean = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    return clean.encode("utf-8", "replace").rstrip(b"\\ ")


@dataclass(frozen=True, slots=True)
class Style:
    """How blocks of one kind are written in one file."""

    unit: bytes = DEFAULT_UNIT
    """One step of indentation."""
    newline: bytes = b"\n"
    before_brace: bytes = b" "
    """Between header and `{`; only when that stands on the same line."""
    brace_below: bool = False
    """`{` has a line of its own."""
    comment_below: bool = False
    """A name's comment stands in the line above the header, not beside it."""
    comment_mark: bytes = b" # "
    gap: int = 0
    """Blank lines between two such blocks."""

    def render(self, new: New, indent: bytes, prefix: bytes = b"") -> list[bytes]:
        """The physical lines of `new` without newlines; `prefix` (`@lb1 `) before each.

        Raises RefusedEdit when a line would be too long, or a word cannot be written.
        """
        result: list[bytes] = []
        head = b" ".join(map(quoted, new.words))
        if isinstance(new, NewLine):
            result.append(indent + head)
        else:
            comment = self.comment_mark + new.comment if new.comment else b""
            if new.comment and self.comment_below:
                result.append(indent + comment.lstrip(_BLANK))
                comment = b""
            if self.brace_below:
                result += [indent + head + comment, indent + b"{"]
            else:
                result.append(indent + head + self.before_brace + b"{" + comment)
            for child in new.children:
                result += self.render(child, indent + self.unit)
            result.append(indent + b"}")
        if any(len(line) + len(prefix) > LINE_LIMIT for line in result):
            raise RefusedEdit(None, f"the line would be over {LINE_LIMIT} bytes long")
        return [prefix + line for line in result]


def indent_of(file: SourceFile, line: int) -> bytes:
    """The blanks at the beginning of line number `line` (from 1)."""
    raw = file.lines[line - 1]
    return raw[: len(raw) - len(raw.lstrip(_BLANK))]


def plain_line(node: Statement, file: SourceFile) -> bool:
    """It begins a line of `file`, as it is meant, so that its indentation says something."""
    return (
        node.file is file
        and node.leading
        and not node.condition
        and node.provenance is not Provenance.REPEATED
    )


def child_indent(tree: Tree, block: Block, like: bytes = b"") -> bytes:
    """The indentation of what stands in `block`, that of the keyword `like` before others."""
    file = block.header.file
    found = [
        (head.words[0] == like, indent_of(file, head.line))
        for head in map(head_of, block.children)
        if plain_line(head, file) and head.line > block.header.line
    ]
    same = [indent for alike, indent in found if alike] or [indent for _, indent in found]
    if same:
        return Counter(same).most_common(1)[0][0]
    return block_indent(block) + unit_of(tree, file)


def block_indent(block: Block) -> bytes:
    """The indentation of its header's line; blanks behind `@id` count as that."""
    raw = block.header.file.lines[block.header.line - 1].lstrip(_BLANK)
    match = _CONDITION.match(raw) if block.header.condition else None
    if match:
        return b""
    return indent_of(block.header.file, block.header.line)


def head_of(node: Node) -> Statement:
    return node.header if isinstance(node, Block) else node


def unit_of(tree: Tree, file: SourceFile) -> bytes:
    """One step of indentation in `file`; that of the other files when it has none."""
    everyone = list(tree.every_block())
    own = _unit([block for block in everyone if block.header.file is file])
    return own or _unit(everyone) or DEFAULT_UNIT


def _unit(blocks: list[Block]) -> bytes:
    """By how much the first line in most of `blocks` is indented against the header."""
    votes: Counter[bytes] = Counter()
    for block in blocks:
        if block.header.condition or not block.header.leading:
            continue
        outer = indent_of(block.header.file, block.header.line)
        for head in map(head_of, block.children):
            if not plain_line(head, block.header.file) or head.line <= block.header.line:
                continue
            inner = indent_of(head.file, head.line)
            if inner.startswith(outer) and inner != outer:
                votes[inner[len(outer) :]] += 1
            break
    return votes.most_common(1)[0][0] if votes else b""


def style_of(tree: Tree, file: SourceFile, *keywords: bytes) -> Style:
    """How blocks with one of `keywords` are written in `file`; where there are none, how any
    block is."""
    same = [
        block
        for block in tree.every_block()
        if block.opening is not None
        and block.header.literal
        and block.opening.file is block.header.file
        and not block.header.condition
    ]
    here = [block for block in same if block.header.file is file]
    kind = [block for block in here if block.keyword in keywords]
    chosen = kind or [block for block in same if block.keyword in keywords] or here or same
    votes = Counter(_brace(block) for block in chosen)
    below, before = votes.most_common(1)[0][0] if votes else (False, b" ")
    return Style(
        unit=_unit(kind) or unit_of(tree, file),
        newline=file.newline,
        before_brace=before,
        brace_below=below,
        comment_below=_names_above(kind),
        comment_mark=_mark(kind),
        gap=_gap(kind),
    )


def _brace(block: Block) -> tuple[bool, bytes]:
    header, opening = block.header, block.opening
    assert opening is not None
    if opening.line != header.line:
        return True, b""
    start, end = header.text.origin(len(header.text.data) - 1) + 1, opening.text.origin(0)
    return False, b" " * (end - start) if 0 <= end - start < 8 else b" "


def _mark(blocks: list[Block]) -> bytes:
    """What stands between `{` and the text of a comment beside it."""
    votes: Counter[bytes] = Counter()
    for block in blocks:
        raw = block.header.file.lines[block.header.line - 1]
        match = re.search(rb"[{0-9]([ \t]*[#!]+[ \t]*)[^ \t#!\r]", raw)
        if match and block.header.comment:
            votes[match.group(1)] += 1
    return votes.most_common(1)[0][0] if votes else b" # "


def _names_above(blocks: list[Block]) -> bool:
    above = beside = 0
    for block in blocks:
        header = block.header
        if header.comment:
            beside += 1
        elif header.line > 1 and header.file.lines[header.line - 2].lstrip(_BLANK)[:1] in (
            b"#",
            b"!",
        ):
            above += 1
    return above > beside


def _gap(blocks: list[Block]) -> int:
    """Blank lines between one block of the kind and the next."""
    votes: Counter[int] = Counter()
    ends = {block.closing.line: block for block in blocks if block.closing is not None}
    for block in blocks:
        at = block.header.line - 1
        while at >= 1 and block.header.file.lines[at - 1].lstrip(_BLANK)[:1] in (b"#", b"!"):
            at -= 1
        gap = 0
        while at >= 1 and not block.header.file.lines[at - 1].strip():
            at, gap = at - 1, gap + 1
        if at in ends:
            votes[gap] += 1
    return votes.most_common(1)[0][0] if votes else 0
