"""From an effective value back to the line that it comes from.

The values themselves are those of the typed view; only their origin is looked for here, so the
two cannot disagree. How a line is read, its unit, and what a keyword is inherited from are in the
table of keywords.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache

from lvstui.keepalived.keywords import ENTRIES, NOTIFIES, Keyword, Keywords, ValueKind
from lvstui.keepalived.meaning.effective.value import Origin, Plain, Value
from lvstui.keepalived.meaning.virtual_servers import DEFAULT_PERSISTENCE
from lvstui.keepalived.text.shown import value_of
from lvstui.keepalived.text.tree import Block, Statement, Tree
from lvstui.keepalived.text.values import Notes, leading_number, script_path, shown

_WHOLE = re.compile(rb"[+-]?[0-9]{1,19}")

TYPED = {
    "lb_algo": "scheduler",
    "lvs_sched": "scheduler",
    "lb_kind": "forwarding",
    "lvs_method": "forwarding",
    "ops": "one_packet",
    "persistence_timeout": "persistence_s",
    "uthreshold": "upper_threshold",
    "lthreshold": "lower_threshold",
    "delay_loop": "delay_loop_s",
    "connect_timeout": "connect_timeout_s",
    "virtual_router_id": "vrid",
    "advert_int": "advert_interval_s",
    "preempt_delay": "preempt_delay_s",
    "strict_mode": "strict",
    "unicast_src_ip": "unicast_source",
    "source": "unicast_source",
    "interval": "interval_s",
    "file": "path",
}
"""Where the typed view calls a value by another name than keepalived does."""

_SPELLINGS = {
    "lb_algo": ("lvs_sched",),
    "lb_kind": ("lvs_method",),
    "lvs_method": ("lb_kind",),
    "retry": ("nb_get_retry",),
    "nopreempt": ("preempt",),
    "source": ("mcast_src_ip", "unicast_src_ip"),
    "strict_mode": ("vrrp_strict",),
}
"""Other keywords that set the same, those of global_defs by another rule than `vrrp_` too."""


def _number(line: Statement) -> int | None:
    """A whole number, as the typed view reads one; negative ones too."""
    word = line.words[1] if len(line.words) > 1 else None
    if word is None:
        return None
    return int(word) if _WHOLE.fullmatch(word) else leading_number(word)


def _count(line: Statement) -> int | None:
    found = _number(line)
    return found if found is not None and found >= 0 else None


def _adverts(line: Statement) -> int | None:
    found = _number(line)
    return found if found is not None and 1 <= found <= 100 else None


def _word(line: Statement) -> str | None:
    return shown(line.words[1]) if len(line.words) > 1 else None


Read = Callable[[Statement], Plain]
"""A statement to its value; None when keepalived ignores the line."""

_READ: dict[ValueKind, Read] = {
    ValueKind.FLAG: lambda line: True,
    ValueKind.BOOL: lambda line: Notes().flag(line),
    ValueKind.NUMBER: _count,
    ValueKind.SECONDS: lambda line: Notes().seconds(line, zero=True),
    ValueKind.ADDRESS: lambda line: Notes().address(line.words[1]) if line.words[1:] else None,
    **dict.fromkeys(
        (ValueKind.COMMAND, ValueKind.NOTIFY, ValueKind.PROCESS),
        lambda line: script_path(line) or None,
    ),
}
_READ_ALSO: dict[str, Read] = {
    "priority": _number,
    "version": _count,
    "vrrp_version": _count,
    "nopreempt": lambda line: True,
    "preempt": lambda line: False,
    "protocol": lambda line: (_word(line) or "").lower() or None,
    "persistence_timeout": lambda line: _count(line) if line.words[1:] else DEFAULT_PERSISTENCE,
    "persistence_granularity": _word,
    "misc_timeout": _READ[ValueKind.SECONDS],
    "down_timer_adverts": _adverts,
    "vrrp_down_timer_adverts": _adverts,
}
"""Those that are read in another way than their kind says."""


def read(keyword: Keyword, line: Statement) -> Plain:
    """What `line` says, None when keepalived ignores it."""
    special = _READ_ALSO.get(keyword.name)
    if special is not None:
        return special(line)
    if "garp_" in keyword.name or (keyword.kind is ValueKind.NUMBER and keyword.low < 0):
        # keepalived reads the times of gratuitous ARP as whole numbers.
        return (_count if keyword.low >= 0 else _number)(line)
    return _READ.get(keyword.kind, _word)(line)


@cache
def _words(name: str) -> tuple[bytes, ...]:
    """Every spelling of a keyword, that of global_defs among them."""
    spellings = (name, *_SPELLINGS.get(name, ()), f"vrrp_{name}")
    return tuple(text.encode() for text in spellings)


@dataclass(frozen=True, slots=True)
class Level:
    """One place where values may be written."""

    block: Block
    table: Keywords
    title: str = ""
    """What is inherited from it; empty for the block itself."""
    by_word: bool = False
    """The keyword is part of the title."""
    alias: str = ""
    """The keyword that counts here, whatever is asked for."""

    def lines(self, name: str) -> list[tuple[Statement, Plain]]:
        """The lines that set `name` here, with their values; those that keepalived ignores are
        left out."""
        words = _words(self.alias or name)
        found: list[tuple[Statement, Plain]] = []
        for line in self.block.statements(*words):
            keyword = self.table.get(line.words[0])
            value = None if keyword is None else read(keyword, line)
            if value is not None:
                found.append((line, value))
        return found

    def source(self, line: Statement) -> str:
        """From where the value of `line` is inherited."""
        return f"{self.title} {line.keyword.decode()}".strip() if self.by_word else self.title


def _reach(name: str, levels: Sequence[Level]) -> list[Level]:
    """Where `name` counts: in the block itself, further out when it is inherited."""
    keyword = levels[0].table.get(name.encode()) if levels else None
    inherits = keyword is not None and keyword.inherits
    return [level for level in levels if level is levels[0] or inherits or level.alias]


def written(name: str, levels: Sequence[Level]) -> Plain:
    """What the innermost level says that says something; of its lines the last."""
    for level in _reach(name, levels):
        if found := level.lines(name):
            return found[-1][1]
    return None


def trace(
    name: str,
    effective: Plain,
    levels: Sequence[Level],
    *,
    why: str = "",
    absent: str = "",
    unit: str = "",
) -> Value:
    """`effective` with its origin; `levels` are the block itself and, the innermost first, those
    that it may inherit from. `why` tells what makes keepalived take something else than a line
    says, `absent` where the default comes from."""
    keyword = levels[0].table.get(name.encode()) if levels else None
    unit = keyword.unit if keyword is not None else unit
    for depth, level in enumerate(_reach(name, levels)):
        found = level.lines(name)
        if not found:
            continue
        same = [line for line, value in found if value == effective]
        line = found[0 if found[0][0].keyword in NOTIFIES else -1][0]
        if same and line not in same:
            # Another one of its lines may be the one that counts (`state` keeps MASTER).
            line = same[-1]
        place = line.word_place(1) if len(line.words) > 1 else line.place
        if not same:
            text = why or "keepalived uses another value than this line says"
            return Value(name, effective, Origin.ADJUSTED, place, text, unit)
        origin = Origin.INHERITED if depth else Origin.WRITTEN
        return Value(name, effective, origin, place, level.source(line) if depth else "", unit)
    return Value(name, effective, Origin.DEFAULT, None, absent, unit)


def typed(
    names: str,
    thing: object,
    levels: Sequence[Level],
    why: Mapping[str, str] | None = None,
    absent: Mapping[str, str] | None = None,
) -> list[Value]:
    """The values of the keywords `names` as the typed view has them in `thing`; see `trace`."""
    made = []
    for name in names.split():
        value = getattr(thing, TYPED.get(name, name))
        effective = None if value == "" else value
        told = {"why": (why or {}).get(name, ""), "absent": (absent or {}).get(name, "")}
        made.append(trace(name, effective, levels, **told))
    return made


def others(
    block: Block | Tree,
    table: Keywords,
    values: Iterable[Value],
    version: tuple[int, ...],
    done: str = "",
) -> list[Value]:
    """What is written in `block` beside what `values` and the keywords `done` tell, as it is
    written.

    Lines that the installed version does not know are told; lines that none knows are problems
    of the tree and not here.
    """
    names = {*(value.keyword for value in values), *done.split()}
    names |= {other for name in names for other in _SPELLINGS.get(name, ())}
    last: dict[bytes, Statement] = {}
    for line in block.statements() if isinstance(block, Block) else block.root:
        if not isinstance(line, Statement) or line.keyword not in table:
            continue
        if table[line.keyword].name not in names:
            if line.keyword in NOTIFIES:
                last.setdefault(line.keyword, line)
            else:
                last[line.keyword] = line
    return [_as_written(line, table[keyword], version) for keyword, line in last.items()]


def _as_written(line: Statement, keyword: Keyword, version: tuple[int, ...]) -> Value:
    value: Plain = value_of(line, keyword.kind) if len(line.words) > 1 else True
    place = line.word_place(1) if len(line.words) > 1 and not keyword.secret else line.place
    if not keyword.known(version):
        text = f"known from {keyword.since} on: ignored by this version"
        return Value(keyword.name, None, Origin.ADJUSTED, place, text)
    if not keyword.runs and isinstance(value, str) and value.isdigit():
        value = int(value)
    return Value(keyword.name, value, Origin.WRITTEN, place)


def entries(
    block: Block, keyword: str, counts: Callable[[Statement], bool] | None = None
) -> list[Value]:
    """Each entry of the value blocks `keyword`, as written; those that do not count are told."""
    word = keyword.encode()
    made = []
    for inner in block.blocks(word):
        for entry in inner.statements():
            text = value_of(entry, ENTRIES.get(word), True)
            if counts is None or counts(entry):
                made.append(Value(keyword, text, Origin.WRITTEN, entry.place))
            else:
                why = f"keepalived ignores {text}"
                made.append(Value(keyword, None, Origin.ADJUSTED, entry.place, why))
    return made
