"""Words to values, as keepalived reads them, and the names that people write beside a line.

No message repeats a value: whatever stands in a wrong place may be a password.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from lvstui.keepalived.keywords import KNOWN_WORDS
from lvstui.keepalived.text.allowed import comment_shown
from lvstui.keepalived.text.lexer import script_words
from lvstui.keepalived.text.shown import MASK, shown_program
from lvstui.keepalived.text.tree import Provenance, Statement
from lvstui.model.config import Place
from lvstui.model.keys import canonical_address
from lvstui.model.text import plain

NAME_LIMIT = 40
MAX_PORT = 65535
MAX_UNSIGNED = 0xFFFFFFFF

_NUMBER = re.compile(rb"\+?([0-9]{1,20})")
_LEADING = re.compile(rb"[ \t]*([+-]?)([0-9]{0,20})")
_SECONDS = re.compile(rb"\+?([0-9]{1,12}(?:\.[0-9]{0,9})?|\.[0-9]{1,9})")
_TRUE = frozenset((b"true", b"on", b"yes"))
_FALSE = frozenset((b"false", b"off", b"no"))


@dataclass(slots=True)
class Notes:
    """Collects what could not be understood, and remembers addresses already read."""

    problems: list[tuple[Place, str]] = field(default_factory=list)
    _addresses: dict[bytes, str | None] = field(default_factory=dict)

    def say(self, place: Place, message: str) -> None:
        self.problems.append((place, message))

    def address(self, word: bytes) -> str | None:
        """The canonical address that `word` is, or None."""
        if word not in self._addresses:
            try:
                # Unlike our own spelling, keepalived takes no brackets.
                text = word.decode("ascii") if word[:1] != b"[" else ""
                self._addresses[word] = canonical_address(text)
            except ValueError:
                self._addresses[word] = None
        return self._addresses[word]

    def number(
        self, statement: Statement, low: int, high: int, index: int = 1, whole: bool = False
    ) -> int | None:
        """Word `index` as a number from `low` to `high`; None, with a problem, when it is not.

        A running keepalived takes the digits that a word begins with, and 0 for a word without
        any (read_unsigned_func in lib/parser.c); its test mode, and it itself where `whole` is
        set, take whole numbers only.
        """
        words = statement.words
        given = words[index] if len(words) > index else None
        match = _NUMBER.fullmatch(given) if given is not None else None
        keyword = statement.words[0].decode("ascii", "replace")
        if match and low <= int(match.group(1)) <= high:
            return int(match.group(1))
        if match is None and given is not None and not whole:
            value = leading_number(given)
            if value is not None and low <= value <= high:
                self.say(
                    statement.place,
                    f"{keyword}: a number from {low} to {high} is expected; keepalived takes "
                    f"{value}",
                )
                return value
        self.say(
            statement.place, f"{keyword}: a number from {low} to {high} is expected; line ignored"
        )
        return None

    def seconds(self, statement: Statement, zero: bool = False) -> float | None:
        """Its value in seconds; None, with a problem, when it is not a time above 0."""
        words = statement.words
        match = _SECONDS.fullmatch(words[1]) if len(words) > 1 else None
        if match and (float(match.group(1)) > 0 or zero):
            return float(match.group(1))
        keyword = statement.words[0].decode("ascii", "replace")
        self.say(statement.place, f"{keyword}: a time in seconds is expected; line ignored")
        return None

    def flag(self, statement: Statement) -> bool | None:
        """A flag that may be followed by true or false; alone it is true."""
        if len(statement.words) < 2:
            return True
        word = statement.words[1].lower()
        if word in _TRUE or word in _FALSE:
            return word in _TRUE
        keyword = statement.words[0].decode("ascii", "replace")
        self.say(statement.place, f"{keyword}: true or false is expected; line ignored")
        return None

    def argument(self, statement: Statement) -> bytes:
        """Its first value; empty, with a problem, when there is none (fatal to keepalived)."""
        if len(statement.words) > 1:
            return statement.words[1]
        keyword = plain(statement.words[0], NAME_LIMIT)
        self.say(statement.place, f"{keyword}: its value is missing; keepalived ends over this")
        return b""

    def port(self, header: Statement, index: int) -> int | None:
        """Word `index` as a port; 0 when it is absent or 0; None when it is no port."""
        words = header.words
        if len(words) <= index or not words[index].strip(b"0"):
            return 0
        match = _NUMBER.fullmatch(words[index])
        if match and int(match.group(1)) <= MAX_PORT:
            return int(match.group(1))
        return None


def leading_number(word: bytes) -> int | None:
    """What strtoul makes of a word; None for a negative one, which is never in range."""
    match = _LEADING.match(word)
    if match is None or match[1] == b"-":
        return None
    return int(match[2] or b"0")


def shown(word: bytes) -> str:
    """A word of the configuration, harmless to show."""
    return plain(word, 200)


def script_path(statement: Statement) -> str:
    """The path of a script, without its arguments: they may hold passwords."""
    words = script_words(statement.text.data)
    inner = words[1].split() if len(words) > 1 else []
    return shown(shown_program(inner[0])) if inner else ""


def name_of(statement: Statement) -> str:
    """The name that a person gave: the comment behind the line, or else the one right above it.

    Empty when there is none, when it is over `NAME_LIMIT` characters, when it is configuration
    that was switched off, and when it speaks of a secret.
    """
    if statement.provenance is Provenance.REPEATED:
        return ""
    if name := _name(statement.comment, False):
        return name
    lines, number = statement.file.lines, statement.line
    if number < 2:
        return ""
    above = lines[number - 2].strip()
    return _name(above, True) if above[:1] in (b"#", b"!") else ""


def _name(comment: bytes, above: bool) -> str:
    bare = comment.lstrip(b"#! \t").strip()
    if not bare or b"{" in bare or b"}" in bare:
        return ""
    if above and bare.split()[0] in KNOWN_WORDS:
        return ""
    name = plain(bare, NAME_LIMIT + 1)
    if len(name) > NAME_LIMIT or MASK in comment_shown(b"# " + bare):
        return ""
    return name if any(char.isalnum() for char in name) else ""
