"""A line of a configuration in pieces that mean something, for colours and for the mask."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum

from lvstui.keepalived.keywords import KNOWN_WORDS
from lvstui.keepalived.text.lexer import strip
from lvstui.keepalived.text.shown import MASK
from lvstui.model.text import plain

HIDDEN = "••••"
"""Stands for every secret on the screen, however long it is."""
TAB = 8
"""Cells between tab stops."""
_LONGEST = 4000
"""Bytes of a line that are shown; keepalived itself reads 1,023 at once."""

_TOKEN = re.compile(rb'[ \t\n\r\v\f]+|[{}]|"[^"]*"?|[^ \t\n\r\v\f{}"]+')
_MASKED = re.compile(re.escape(MASK))
_CONDITION = re.compile(rb"@(\^?)([^ \t]*)[ \t]+")
_NUMBER = re.compile(rb"[+-]?[0-9]+(?:\.[0-9]+)?")
_INCLUDE = re.compile(rb"include[rmwba]?[ \t]")


class Meaning(str, Enum):
    """What a piece is."""

    BLANK = "blank"
    KEYWORD = "keyword"
    UNKNOWN = "unknown"
    """A keyword that keepalived does not know."""
    VALUE = "value"
    NUMBER = "number"
    ADDRESS = "address"
    STRING = "string"
    BRACE = "brace"
    COMMENT = "comment"
    SPECIAL = "special"
    """A condition, a definition, an include."""
    SECRET = "secret"


@dataclass(frozen=True, slots=True)
class Piece:
    """Text without control characters or secrets, and what it is."""

    text: str
    meaning: Meaning


def pieces(line: bytes, *, unknown: bool = False) -> tuple[Piece, ...]:
    """A line whose secrets are masked already (`lvstui.keepalived.text.mask`). `unknown`:
    keepalived does not know its keyword. Depends on no other line, so only what is visible is taken
    apart."""
    line = line.rstrip(b"\r")
    cut = line[:_LONGEST]
    hidden = [match.span() for match in _MASKED.finditer(cut)]
    result: list[Piece] = []
    column = 0
    for start, end, meaning in _masked(list(_tokens(cut, unknown)), hidden):
        if meaning is Meaning.SECRET:
            text = HIDDEN
        elif meaning is Meaning.BLANK:
            text = _blanks(cut[start:end], column)
        else:
            text = plain(cut[start:end], _LONGEST)
        column += len(text)
        result.append(Piece(text, meaning))
    if len(line) > _LONGEST:
        result.append(Piece("…", Meaning.COMMENT))
    return tuple(result)


def shown(line: bytes) -> str:
    """The same as one text."""
    return "".join(piece.text for piece in pieces(line))


def in_force(line: bytes, config_id: str) -> bool:
    """Whether the line is for the host with that configuration id: `@lb1 …`, `@^lb1 …`."""
    start = line.lstrip(b" \t")
    if start[:1] != b"@":
        return True
    found = _CONDITION.match(start)
    if found is None:
        return False
    return (found.group(2).decode("utf-8", "replace") == config_id) != bool(found.group(1))


def _blanks(blanks: bytes, column: int) -> str:
    text = ""
    for byte in blanks:
        text += " " * (TAB - (column + len(text)) % TAB) if byte == 0x09 else " "
    return text


def _tokens(line: bytes, unknown: bool) -> Iterator[tuple[int, int, Meaning]]:
    parts = strip(line)
    first = True
    for match in _TOKEN.finditer(line, 0, parts.end):
        start, end = match.span()
        word = match.group()
        meaning = _meaning(word, line[start : parts.end], first, unknown)
        if meaning is not Meaning.BLANK:
            # A condition stands before the keyword and is none itself.
            first = meaning is Meaning.BRACE or (first and word[:1] == b"@")
        yield start, end, meaning
    if parts.comment >= 0:
        if parts.comment > parts.end:
            yield parts.end, parts.comment, Meaning.BLANK
        yield parts.comment, len(line), Meaning.COMMENT
    elif parts.end < len(line):
        rest = line[parts.end :]
        yield parts.end, len(line), Meaning.VALUE if rest.strip() else Meaning.BLANK


def _meaning(word: bytes, rest: bytes, first: bool, unknown: bool) -> Meaning:
    if word.isspace():
        return Meaning.BLANK
    if word in (b"{", b"}"):
        return Meaning.BRACE
    if word[:1] == b'"':
        return Meaning.STRING
    if word[:1] in b"@$~" or (first and _INCLUDE.match(rest)):
        return Meaning.SPECIAL
    if first and word in KNOWN_WORDS:
        return Meaning.UNKNOWN if unknown else Meaning.KEYWORD
    if _NUMBER.fullmatch(word):
        return Meaning.NUMBER
    if _is_address(word):
        return Meaning.ADDRESS
    if first and unknown:
        return Meaning.UNKNOWN
    return Meaning.VALUE


def _is_address(word: bytes) -> bool:
    if b"." not in word and b":" not in word:
        return False
    try:
        ipaddress.ip_interface(word.decode("ascii").split("-")[0].split("%")[0])
    except ValueError:
        return False
    return True


def _masked(
    tokens: list[tuple[int, int, Meaning]], hidden: list[tuple[int, int]]
) -> Iterator[tuple[int, int, Meaning]]:
    """The tokens with every hidden run taken out of them; one secret piece for each run."""
    waiting = list(hidden)
    for start, end, meaning in tokens:
        at = start
        while waiting and waiting[0][0] < end:
            first, last = waiting[0]
            if first > at:
                yield at, first, meaning
            if first >= start:
                yield first, last, Meaning.SECRET
            at = max(at, min(last, end))
            if last > end:
                break
            waiting.pop(0)
        if at < end:
            yield at, end, meaning
