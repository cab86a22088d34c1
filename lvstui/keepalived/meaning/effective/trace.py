"""From an effective value back to the line that it comes from.

The values themselves are those of the typed view; only their origin is looked for here, so the
two cannot disagree.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from lvstui.keepalived.keywords import ENTRIES, NOTIFIES, Keyword, Keywords
from lvstui.keepalived.meaning.effective.value import Origin, Value
from lvstui.keepalived.text.shown import value_of
from lvstui.keepalived.text.tree import Block, Statement, Tree
from lvstui.keepalived.text.values import Notes, leading_number, script_path, shown

Plain = str | int | float | bool | None
Read = Callable[[Statement], Plain]
"""A statement to its value; None when keepalived ignores the line."""

_WHOLE = re.compile(rb"[+-]?[0-9]{1,19}")


@dataclass(frozen=True, slots=True)
class Level:
    """One place where a value may be written, the innermost first."""

    block: Block
    keywords: tuple[bytes, ...]
    title: str = ""
    """What it is inherited from; empty for the block itself."""


def number(statement: Statement) -> Plain:
    """A whole number, as the typed view reads one; negative ones too."""
    word = statement.words[1] if len(statement.words) > 1 else None
    if word is None:
        return None
    return int(word) if _WHOLE.fullmatch(word) else leading_number(word)


def count(statement: Statement) -> Plain:
    """A whole number from 0."""
    found = number(statement)
    return found if isinstance(found, int) and found >= 0 else None


def adverts(statement: Statement) -> Plain:
    """How many adverts may be missed, 1 to 100."""
    found = number(statement)
    return found if isinstance(found, int) and 1 <= found <= 100 else None


def seconds(statement: Statement) -> Plain:
    """A time in seconds, 0 too."""
    return Notes().seconds(statement, zero=True)


def flag(statement: Statement) -> Plain:
    """A flag, alone or with true or false."""
    return Notes().flag(statement)


def present(statement: Statement) -> Plain:
    """A flag that knows no value."""
    return True


def word(statement: Statement) -> Plain:
    """Its first value."""
    return shown(statement.words[1]) if len(statement.words) > 1 else None


def lower(statement: Statement) -> Plain:
    """Its first value, in small letters."""
    found = word(statement)
    return found.lower() if isinstance(found, str) else None


def script(statement: Statement) -> Plain:
    """The path of a script."""
    return script_path(statement) or None


def address(statement: Statement) -> Plain:
    """A canonical address."""
    return Notes().address(statement.words[1]) if len(statement.words) > 1 else None


def trace(
    keyword: str,
    effective: Plain,
    levels: Iterable[Level],
    read: Read,
    *,
    unit: str = "",
    why: str = "",
    absent: str = "",
) -> Value:
    """`effective` with its origin. `why` tells what makes keepalived take something else than a
    line says, `absent` where the default comes from."""
    for depth, level in enumerate(levels):
        found = [
            (line, value)
            for line in level.block.statements(*level.keywords)
            if (value := read(line)) is not None
        ]
        if not found:
            continue
        same = [line for line, value in found if value == effective]
        first = found[0][0].words[0] in NOTIFIES
        line = found[0][0] if first else found[-1][0]
        place = line.word_place(1) if len(line.words) > 1 else line.place
        if line not in same:
            # Another one of its lines may be the one that counts (`state` keeps MASTER).
            if not same:
                text = why or "keepalived uses another value than this line says"
                return Value(keyword, effective, Origin.ADJUSTED, place, text, unit)
            line = same[-1]
            place = line.word_place(1) if len(line.words) > 1 else line.place
        origin = Origin.INHERITED if depth else Origin.WRITTEN
        return Value(keyword, effective, origin, place, level.title, unit)
    return Value(keyword, effective, Origin.DEFAULT, None, absent, unit)


def others(
    block: Block | Tree, inner: Keywords | None, done: Iterable[str], version: tuple[int, ...]
) -> list[Value]:
    """What is written in `block` beside the keywords `done`, as it is written.

    Lines that the installed version does not know are told; lines that none knows are problems
    of the tree and not here.
    """
    known, skip = inner or {}, frozenset(done)
    last: dict[bytes, Statement] = {}
    lines = block.statements() if isinstance(block, Block) else block.root
    for line in lines:
        if not isinstance(line, Statement):
            continue
        keyword = line.words[0]
        if keyword in known and keyword.decode("ascii", "replace") not in skip:
            if keyword in NOTIFIES:
                last.setdefault(keyword, line)
            else:
                last[keyword] = line
    return [
        _written(keyword.decode("ascii"), line, known[keyword], version)
        for keyword, line in last.items()
    ]


def _written(name: str, line: Statement, keyword: Keyword, version: tuple[int, ...]) -> Value:
    value: Plain = value_of(line, keyword.kind) if len(line.words) > 1 else True
    place = line.word_place(1) if len(line.words) > 1 and not keyword.secret else line.place
    if not keyword.known(version):
        text = f"known from {keyword.since} on: ignored by this version"
        return Value(name, None, Origin.ADJUSTED, place, text)
    if not keyword.runs and isinstance(value, str) and value.isdigit():
        value = int(value)
    return Value(name, value, Origin.WRITTEN, place)


def entries(
    block: Block, keyword: bytes, counts: Callable[[Statement], bool] | None = None
) -> list[Value]:
    """Each entry of the value blocks `keyword`, as written; those that do not count are told."""
    name = keyword.decode("ascii")
    made = []
    for inner in block.blocks(keyword):
        for entry in inner.statements():
            text = value_of(entry, ENTRIES.get(keyword), True)
            if counts is None or counts(entry):
                made.append(Value(name, text, Origin.WRITTEN, entry.place))
            else:
                made.append(
                    Value(name, None, Origin.ADJUSTED, entry.place, f"keepalived ignores {text}")
                )
    return made
