"""Bytes to words, as keepalived's own parser does it (lib/parser.c, 2.2.0 to 2.4.3).

Everything works on bytes: a configuration may hold any of them, offsets are then file offsets,
and `bytes.split()` knows exactly keepalived's six blanks.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

MAX_LINE = 1023
"""Bytes of one physical line that keepalived reads at once (its buffer holds 1024)."""

BLANKS = b" \t"
OPEN = b"{"
CLOSE = b"}"

_COMMENT_MARKS = re.compile(rb'[!#"\\]')
_BRACE_MARKS = re.compile(rb'[{}"]')
_WORD = re.compile(rb'[ \t\n\r\v\f]*(?:"([^"]*)"|([^" \t\n\r\v\f]+))')
_ESCAPES = {b"a": 7, b"b": 8, b"E": 27, b"f": 12, b"n": 10, b"r": 13, b"t": 9, b"v": 11}


@dataclass(frozen=True, slots=True)
class Text:
    """Bytes that still know where in the file each of them stands."""

    data: bytes
    base: int = -1
    """File offset of the first byte; -1 when the text stands in no file."""
    origins: tuple[int, ...] | None = None
    """File offset of each byte (-1 for none) once they are no longer one run."""

    def origin(self, index: int) -> int:
        """File offset of byte `index`, -1 when it was not written there."""
        if self.origins is not None:
            return self.origins[index]
        return self.base + index if self.base >= 0 else -1

    def part(self, start: int, end: int | None = None) -> Text:
        """The bytes from `start` up to `end`."""
        stop = len(self.data) if end is None else end
        if self.origins is not None:
            return Text(self.data[start:stop], -1, self.origins[start:stop])
        return Text(self.data[start:stop], self.base + start if self.base >= 0 else -1)

    def replaced(self, start: int, end: int, value: bytes) -> Text:
        """This text with `start` to `end` exchanged for `value`, which stands nowhere."""
        if self.origins is None and self.base < 0:
            return Text(self.data[:start] + value + self.data[end:])
        known = self.origins
        if known is None:
            known = tuple(range(self.base, self.base + len(self.data)))
        return Text(
            self.data[:start] + value + self.data[end:],
            -1,
            known[:start] + (-1,) * len(value) + known[end:],
        )

    def span(self, start: int, end: int) -> tuple[int, int] | None:
        """File offsets of `start` to `end`, or None unless they are one run of the file."""
        if self.origins is None:
            return (self.base + start, self.base + end) if self.base >= 0 else None
        first = self.origins[start]
        if first < 0 or any(self.origins[i] != first + i - start for i in range(start, end)):
            return None
        return first, first + end - start


@dataclass(frozen=True, slots=True)
class Stripped:
    """Where the meaning of a physical line lies, after comments and outer blanks are taken off."""

    start: int
    end: int
    escapes: tuple[int, ...] = ()
    """Offsets of the backslashes that keepalived takes out before `#` and `!`."""
    continued: bool = False
    """A backslash was the last byte (it continues a multi-line definition only)."""
    open_quote: bool = False
    """A double quote is never closed."""
    comment: int = -1
    """Offset of the mark that begins the comment, -1 when there is none."""


def strip(data: bytes) -> Stripped:
    """One pass of keepalived's comment remover over one line without its end.

    `#` and `!` begin a comment anywhere outside double quotes; up to 2.3.4 a comment that ends
    in a backslash still counts as continued, and so it does here.
    """
    start = len(data) - len(data.lstrip(BLANKS))
    at, end = start, len(data)
    quoted = continued = False
    comment = -1
    escapes: list[int] = []
    while match := _COMMENT_MARKS.search(data, at):
        at = match.start()
        mark = data[at]
        if mark == 0x22:
            if comment < 0:
                quoted = not quoted
        elif mark == 0x5C:
            if at + 1 >= len(data):
                continued = True
                end = at
                break
            if not quoted and data[at + 1] in b"#!" and comment < 0:
                escapes.append(at)
            at += 1
        elif not quoted and comment < 0:
            comment = at
        at += 1
    if comment >= 0:
        end = comment
    end = max(start, len(data[:end].rstrip(BLANKS)))
    return Stripped(start, end, tuple(escapes), continued, quoted, comment)


def decomment(text: Text) -> tuple[Text, bool, bool]:
    """`text` without comment and outer blanks; whether it is continued; whether a quote is open.

    A continued text does not hold its backslash any more.
    """
    found = strip(text.data)
    if not found.escapes:
        return text.part(found.start, found.end), found.continued, found.open_quote
    keep = [i for i in range(found.start, found.end) if i not in set(found.escapes)]
    return (
        Text(bytes(text.data[i] for i in keep), -1, tuple(text.origin(i) for i in keep)),
        found.continued,
        found.open_quote,
    )


def find_brace(data: bytes) -> int:
    """Offset of the first brace outside double quotes, -1 when there is none.

    As in keepalived a quote that is never closed hides every brace after it.
    """
    if data[:1] in (OPEN, CLOSE):
        return 0
    at = 0
    while match := _BRACE_MARKS.search(data, at):
        if match.group() != b'"':
            return match.start()
        closing = data.find(b'"', match.end())
        if closing < 0:
            return -1
        at = closing + 1
    return -1


def words(data: bytes) -> tuple[bytes, ...]:
    """The words of a logical line, quotes removed; what follows an unclosed quote is lost."""
    if b'"' not in data:
        return tuple(data.split())
    return tuple(word for word, _, _ in spans(data))


def spans(data: bytes) -> Iterator[tuple[bytes, int, int]]:
    """Each word with the offsets where it begins and ends, its quotes included."""
    at = 0
    while match := _WORD.match(data, at):
        quoted, bare = match.group(1), match.group(2)
        if quoted is not None:
            yield quoted, match.start(1) - 1, match.end(1) + 1
        else:
            yield bare, match.start(2), match.end(2)
        at = match.end()


def script_words(data: bytes) -> tuple[bytes, ...]:
    """Words as keepalived's second tokeniser splits them, used for scripts.

    Both kinds of quotes, backslash escapes, adjacent pieces joined. Empty when a quote is not
    closed or the text ends in a backslash: keepalived then has no script.
    """
    result: list[bytes] = []
    at = 0
    while True:
        while at < len(data) and data[at : at + 1].isspace():
            at += 1
        if at >= len(data):
            return tuple(result)
        word = bytearray()
        quote = b""
        while at < len(data):
            char = data[at : at + 1]
            if char == b"\\":
                value, at = _escape(data, at + 1)
                if value < 0:
                    return ()
                word.append(value & 0xFF)
            elif quote:
                at += 1
                if char == quote:
                    quote = b""
                else:
                    word += char
            elif char in (b'"', b"'"):
                quote = char
                at += 1
            elif char.isspace():
                break
            else:
                word += char
                at += 1
        if quote:
            return ()
        result.append(bytes(word))


def _escape(data: bytes, at: int) -> tuple[int, int]:
    """The byte that an escape stands for, and the offset behind it; -1 at the end of the text."""
    char = data[at : at + 1]
    if not char:
        return -1, at
    if match := re.compile(rb"x([0-9A-Fa-f]+)|([0-7]{1,3})").match(data, at):
        value = int(match.group(1), 16) if match.group(1) else int(match.group(2), 8)
        return value, match.end()
    if char == b"c" and at + 1 < len(data):
        return data[at + 1] & 0x1F, at + 2
    return _ESCAPES.get(char, char[0]), at + 1


def chunks(line: bytes, ended: bool) -> Sequence[tuple[int, bytes]]:
    """A physical line as keepalived reads it: offset and bytes of each piece, ends taken off.

    A line over `MAX_LINE` bytes is read as several; a NUL hides the rest of its piece (up to
    2.3.4; later versions drop the piece). `ended` tells whether the line has a newline.
    """
    if len(line) < MAX_LINE and b"\0" not in line:
        return ((0, line.rstrip(b"\r")),)
    whole = line + b"\n" if ended else line
    result: list[tuple[int, bytes]] = []
    for at in range(0, len(whole), MAX_LINE):
        piece = whole[at : at + MAX_LINE].split(b"\0", 1)[0]
        result.append((at, piece.rstrip(b"\r\n")))
    return result
