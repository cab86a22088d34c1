"""What a line becomes before it has a meaning: `$NAME`, `~SEQ` and `~LST`.

Follows keepalived's lib/parser.c (2.2.7) where it is well defined, and stops with a message
where keepalived would never end.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from lvstui.keepalived.text.lexer import BLANKS, Text

MAX_TEXT = 1024
"""Longest line that a substitution may give (keepalived's buffer)."""

_DEFINITION = re.compile(rb"\$([A-Za-z_][A-Za-z0-9_]*)=[ \t]*")
_USE = re.compile(
    rb"\$(?:([A-Za-z_][A-Za-z0-9_]*)(?=[ \t,)]|\Z)"
    rb"|\{([A-Za-z_][A-Za-z0-9_]*)((?:[ \t]+[A-Za-z0-9_]+)*)\})"
)
_NUMBER = re.compile(rb"[ \t]*([+-]?(?:0[xX][0-9A-Fa-f]+|[0-9]+))?[ \t]*")
_MAX_ROUNDS = 256
MAX_REPLACED = 1_000_000
"""Names replaced in one configuration; keepalived itself knows no limit."""


@dataclass(slots=True)
class Definition:
    """The value of one `$NAME`."""

    lines: list[bytes]
    """One line, or all those of a multi-line definition."""
    multiline: bool = False


@dataclass(slots=True)
class Repetition:
    """A `~SEQ` or `~LST` that still has rounds to give."""

    text: bytes
    rounds: Iterator[tuple[tuple[bytes, bytes], ...]]
    """For each round the names to set and their values."""
    active: frozenset[bytes] = frozenset()
    """Multi-line definitions that this came from; using one of them again would never end."""


@dataclass(slots=True)
class Substituted:
    """A line after its `$` were replaced."""

    text: Text
    changed: bool = False
    rests: list[tuple[list[bytes], frozenset[bytes]]] = field(default_factory=list)
    """For each multi-line definition that was used, the innermost last: its further lines, and
    the names that must not be used in them again."""
    message: str = ""
    too_long: bool = False
    """It grew over `MAX_TEXT`, most often because a definition uses itself."""


@dataclass(slots=True)
class Definitions:
    """Every `$NAME` known at this point of the configuration."""

    instance: bytes
    """What `${_INSTANCE}` gives: the configuration id."""
    directory: Callable[[], bytes]
    """What `${_PWD}` gives: the folder of the file being read."""
    known: dict[bytes, Definition] = field(default_factory=dict)
    _rounds: int = 0
    _endless: dict[bytes, bool] = field(default_factory=dict)
    """Whether a definition uses itself, for those that were asked for since the last change."""

    def define(self, text: bytes) -> Definition | None:
        """Take up `text` when it is a definition; None when it is none.

        One that ends in a backslash is multi-line; the caller adds its other lines.
        """
        match = _DEFINITION.match(text)
        if not match:
            return None
        value = text[match.end() :]
        if value.endswith(b"\\"):
            value = value[:-1].rstrip(BLANKS)
            made = Definition([value] if value else [], True)
        else:
            made = Definition([value])
        self.known[match.group(1)] = made
        self._endless.clear()
        return made

    def set(self, name: bytes, value: bytes) -> None:
        """Give `name` a plain value, as each round of a repetition does."""
        self.known[name] = Definition([value])
        if b"$" in value or any(self._endless.values()):
            self._endless.clear()

    def uses_itself(self, name: bytes) -> bool:
        """Whether replacing `name` would go on for ever."""
        if name not in self._endless:
            waiting, seen = [name], set[bytes]()
            while waiting:
                found = self.known.get(waiting.pop())
                # A multi-line definition is stopped by name where it is used.
                for line in found.lines[:1] if found and not found.multiline else ():
                    used = {match[1] or match[2] for match in _USE.finditer(line)} - seen
                    seen |= used
                    waiting += used
            self._endless[name] = name in seen
        return self._endless[name]

    def _find(self, name: bytes, parameters: bytes) -> tuple[Definition | None, str]:
        if not parameters and name in self.known:
            return self.known[name], ""
        if name == b"_RANDOM":
            bounds = parameters.split()
            low = bounds[0] if bounds and bounds[0].isdigit() else b"0"
            return Definition([low]), "${_RANDOM} is another number at each start; shown as lowest"
        if name == b"_ENV" and parameters:
            return None, "${_ENV} depends on the environment of the daemon and stays as it is"
        if parameters:
            return None, ""
        if name == b"_PWD":
            return Definition([self.directory()]), ""
        if name == b"_INSTANCE":
            return Definition([self.instance]), ""
        if name in (b"_HASH", b"_BANG"):
            return Definition([b"#" if name == b"_HASH" else b"!"]), ""
        return None, ""

    def substitute(self, text: Text, active: frozenset[bytes] = frozenset()) -> Substituted:
        """Replace every known `$NAME` and `${NAME}` of `text`, as often as values hold more.

        Those in `active` are left, with a message: `text` is a part of their own value.
        """
        done = Substituted(text)
        at = rounds = 0
        while match := _USE.search(done.text.data, at):
            name = match.group(1) or match.group(2)
            found, message = self._find(name, match.group(3) or b"")
            done.message = done.message or message
            if found and found.multiline:
                if match.end() != len(done.text.data):
                    found = None
                elif name in active:
                    done.message = "a definition uses itself; keepalived would never end"
                    found = None
            if found is None:
                at = match.start() + 1
                continue
            rounds += 1
            self._rounds += 1
            if self.uses_itself(name) or self._rounds > MAX_REPLACED:
                done.too_long = True
                return done
            value = found.lines[0] if found.lines else b""
            if found.multiline:
                active |= {name}
                done.rests.append((found.lines[1:], active))
            size = len(done.text.data) + len(value) - len(match.group())
            if size >= MAX_TEXT or rounds > _MAX_ROUNDS:
                done.too_long = True
                return done
            done.text = done.text.replaced(match.start(), match.end(), value)
            done.changed = True
            at = match.start()
            if value.lstrip(BLANKS).startswith(b"~"):
                break
        return done

    def repetition(self, text: bytes) -> Repetition | None:
        """The `~SEQ` or `~LST` that `text` is; None when it is written wrongly."""
        return self._sequence(text) if text.startswith(b"~SEQ") else _list(text)

    def _sequence(self, text: bytes) -> Repetition | None:
        match = re.match(
            rb"~SEQ(x?)[ \t]*\([ \t]*([^ \t,)]+)[ \t]*[^) \t][ \t]*([^)]*)\)[ \t]*", text
        )
        if not match:
            return None
        given = self.substitute(Text(match.group(3)))
        numbers: list[int] = []
        for part in given.text.data.split(b","):
            number = _NUMBER.fullmatch(part)
            if not number or given.rests:
                return None
            numbers.append(_integer(number.group(1) or b"0"))
        if len(numbers) == 1:
            end = numbers[0]
            start, step = (-1 if end < 0 else 1), (-1 if end < 1 else 1)
        elif len(numbers) == 2:
            start, end = numbers
            step = 1 if start <= end else -1
        elif len(numbers) == 3:
            start, step, end = numbers
            if not step or (start < end and step < 0) or (start > end and step > 0):
                return None
        else:
            return None
        hexadecimal = bool(match.group(1))
        if hexadecimal and (start < 0 or end < 0):
            return None
        name = match.group(2)

        def rounds() -> Iterator[tuple[tuple[bytes, bytes], ...]]:
            # keepalived emits the first value before it looks at the end.
            value = start
            while True:
                yield ((name, (b"%x" if hexadecimal else b"%d") % value),)
                value += step
                if (step > 0 and value > end) or (step < 0 and value < end):
                    return

        return Repetition(text[match.end() :], rounds())


def _integer(text: bytes) -> int:
    """As strtol with base 0: 0x is hexadecimal, a leading 0 octal."""
    digits = text.lstrip(b"+-")
    sign = -1 if text.startswith(b"-") else 1
    if digits[:2].lower() == b"0x":
        return sign * int(digits, 16)
    if digits.startswith(b"0"):
        octal = re.match(rb"[0-7]*", digits)
        return sign * int(octal.group() or b"0", 8) if octal else 0
    return sign * int(digits)


# Each blank can be matched in one way only: otherwise a long list that does not match never ends.
_SET = rb"\{[^{}()]*\}|[^{},() \t]+"
_LIST = re.compile(
    rb"~LST[ \t]*\([ \t]*(" + _SET + rb")[ \t]*"
    rb"((?:,[ \t]*(?:(?:" + _SET + rb")[ \t]*)?)+)\)[ \t]*"
)
_VALUES = re.compile(rb",[ \t]*(" + _SET + rb"|)")


def _members(text: bytes) -> list[bytes]:
    if text.startswith(b"{"):
        return [part.strip(BLANKS) for part in text[1:-1].split(b",")]
    return [text]


def _list(text: bytes) -> Repetition | None:
    match = _LIST.match(text)
    if not match:
        return None
    names = _members(match.group(1))
    sets = [_members(found) for found in _VALUES.findall(match.group(2))]
    if any(len(values) > len(names) for values in sets):
        return None
    rounds = (
        tuple(zip(names, values + [b""] * (len(names) - len(values)), strict=True))
        for values in sets
    )
    return Repetition(text[match.end() :], rounds)
