"""The one table of keepalived's words (2.2.7 to 2.4.3): everything that is known of a keyword.

The parser's nesting, the rule about missing values, forms, masking, programs, effective values
and the words that need a restart derive from it. A row is one line of text:

    NAME[!]  KIND  [LOW..HIGH] [<INHERITED] [+SINCE] [MARKS] [=DEFAULT] | [LABEL:] MEANING

`!`: keepalived ends when its value is missing (measured with 2.2.7). KIND is a `ValueKind`; behind
a colon stand a number's unit, choices, the table of a block, or what the entries of a block are.
A range is that of the value, or of the bytes of a text. MARKS: `secret` for a block that hides
all it holds, `restart` (keepalived refuses a reload that changes it), `start` (read only at its
start), `whole:VERSION` (before it only whole seconds were read), `HIGH<VERSION` (the highest
value before it). Rows are checked against `keepalived -t` in the lab.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import Enum

from lvstui.keepalived.keywords import general, services, vrrp

Version = tuple[int, ...]


class ValueKind(str, Enum):
    """What stands behind a keyword; it decides how that is typed, checked and shown."""

    FLAG = "flag"
    """Nothing: its presence counts."""
    BOOL = "bool"
    """`on` or `off`; alone it is on."""
    NUMBER = "number"
    SECONDS = "seconds"
    PORT = "port"
    ADDRESS = "address"
    NETWORK = "network"
    """An address with its prefix, and options."""
    CHOICE = "choice"
    INTERFACE = "interface"
    NAME = "name"
    """One word that people choose for a thing."""
    NAMES = "names"
    HOST = "host"
    """A host's name or address; a port may follow."""
    MAIL = "mail"
    USER = "user"
    """A user, and a group."""
    PATH = "path"
    """Of a file."""
    COMMAND = "command"
    """A program and its arguments, which may hold anything."""
    NOTIFY = "notify"
    """The same; of two lines the first counts, and unquoted words are a user and a group."""
    PROCESS = "process"
    """The name of a program, and its arguments."""
    URL = "url"
    """The path part of one."""
    SYNC = "sync"
    """Interface, instance and options."""
    WORDS = "words"
    """Numbers, addresses and words of keepalived's own."""
    OPAQUE = "opaque"
    """May hold anything, and says nothing to people."""
    SECRET = "secret"
    BLOCK = "block"
    ENTRIES = "entries"
    """A block of plain values up to the first closing brace."""


@dataclass(frozen=True, slots=True)
class Keyword:
    """What is known of one keyword in one block."""

    name: str
    kind: ValueKind
    inner: Mapping[bytes, Keyword] | None = None
    """The keywords of its block; None when it opens none."""
    entries: ValueKind | None = None
    """What the entries of its block are; None when it has none."""
    needs_value: bool = False
    """Without one the whole daemon ends, at a start and at a reload."""
    secret: bool = False
    """What stands behind it, or in its block, must never be shown."""
    unit: str = ""
    choices: tuple[str, ...] = ()
    low: float = 0
    high: float | None = None
    default: str = ""
    """For people to read."""
    inherits: str = ""
    """The block that it is taken from when it is not set."""
    since: str = ""
    """First version that knows it; empty: every one that lvstui meets."""
    whole_before: str = ""
    """Before this version only whole seconds were read."""
    high_before: tuple[str, float] | None = None
    """Before that version the highest value was another one."""
    restart: bool = False
    """A reload that changes it is refused (main.c)."""
    at_start: bool = False
    """It is read only when keepalived starts."""
    label: str = ""
    help: str = ""

    @property
    def values(self) -> bool:
        """Its block holds plain values up to the first closing brace."""
        return self.entries is not None

    @property
    def runs(self) -> bool:
        """It makes keepalived run a program."""
        return self.kind in (ValueKind.COMMAND, ValueKind.NOTIFY)

    def known(self, version: Version) -> bool:
        """Whether keepalived `version` has it."""
        return version >= version_of(self.since)


Keywords = Mapping[bytes, Keyword]

_TABLES = {**general.TABLES, **vrrp.TABLES, **services.TABLES}
_LIMITS = {"u32": 4294967295.0, "i32": 2147483647.0}


def version_of(text: str) -> Version:
    """`2.2.7` as numbers; what is no number ends it."""
    match = re.match(r"\D*(\d+(?:\.\d+)*)", text)
    return tuple(map(int, match.group(1).split("."))) if match else ()


def _table(text: str) -> dict[bytes, Keyword]:
    rows = map(_row, re.sub(r"\n +", " ", text).split("\n"))
    return {row.name.encode(): row for row in rows if row is not None}


def _row(line: str) -> Keyword | None:
    if not line:
        return None
    left, _, right = map(str.strip, line.partition("|"))
    left, _, default = left.partition(" =")
    name, shape, *marks = left.split()
    kind, _, detail = shape.partition(":")
    label, said, meaning = right.partition(": ")
    if not (said and label[0].isupper()):
        label, meaning = "", right
    made: dict[str, object] = {"unit": "s"} if kind == "seconds" else {}
    if kind == "seconds":
        made["whole_before"] = "2.0.0"
    elif kind == "block":
        made["inner"] = _table(_TABLES[detail or name.rstrip("!")])
    elif kind == "entries":
        made["entries"] = ValueKind(detail)
    elif kind == "choice":
        made["choices"] = tuple(detail.split("/"))
    else:
        made["unit"] = detail
    for mark in marks:
        made |= _marked(mark)
    return Keyword(
        name.rstrip("!"),
        ValueKind(kind),
        needs_value=name.endswith("!"),
        secret=kind == "secret" or "secret" in marks,
        default=default,
        label=label,
        help=meaning,
        **made,  # type: ignore[arg-type]
    )


def _marked(mark: str) -> dict[str, object]:
    if mark[0] == "+":
        return {"since": mark[1:]}
    if mark[0] == "<":
        return {"inherits": mark[1:]}
    if mark.startswith("whole:"):
        return {"whole_before": mark[6:]}
    if ".." in mark:
        low, _, high = mark.partition("..")
        return {"low": _limit(low) or 0, "high": _limit(high)}
    if "<" in mark:
        value, _, version = mark.partition("<")
        return {"high_before": (version, float(value))}
    flags: dict[str, dict[str, object]] = {
        "restart": {"restart": True},
        "start": {"at_start": True},
        "secret": {},
    }
    return flags[mark]


def _limit(text: str) -> float | None:
    sign = -1 if text[:1] == "-" else 1
    text = text.lstrip("-")
    return sign * (_LIMITS.get(text) or float(text)) if text else None


ROOT: Keywords = _table(general.ROOT)
"""The keywords outside every block."""


def walk(table: Keywords = ROOT) -> Iterator[Keyword]:
    """Every keyword of every block."""
    for keyword in table.values():
        yield keyword
        yield from walk(keyword.inner or {})


VIRTUAL_SERVER: Keywords = ROOT[b"virtual_server"].inner or {}
REAL_SERVER: Keywords = VIRTUAL_SERVER[b"real_server"].inner or {}
CHECKERS: Keywords = {k: v for k, v in REAL_SERVER.items() if k.endswith((b"_CHECK", b"_GET"))}
"""Health checks of a real server."""

KNOWN_WORDS = frozenset(keyword.name.encode() for keyword in walk())
"""Every keyword of every block: a comment that begins with one is configuration switched off."""

SECRET_KEYWORDS = frozenset(k.name.encode() for k in walk() if k.kind is ValueKind.SECRET)
"""What stands behind one of these is a secret, wherever it stands."""

SECRET_BLOCKS = frozenset(k.name.encode() for k in walk() if k.secret and k.inner)

ENTRIES = {keyword.name.encode(): keyword.entries for keyword in walk() if keyword.entries}
"""What the entries of a block of values are."""

PROGRAMS = frozenset(keyword.name.encode() for keyword in walk() if keyword.runs)
NOTIFIES = frozenset(k.name.encode() for k in walk() if k.kind is ValueKind.NOTIFY)
"""Of two such lines keepalived keeps the first; unquoted words behind them are a user and a
group, not arguments."""

ENTRY_REQUIRED: Mapping[bytes, frozenset[bytes]] = {
    block.encode(): frozenset(words.encode().split())
    for block, words in vrrp.ENTRY_REQUIRED.items()
}
"""By the keyword of a block of values: words that must not be the last of an entry."""

ROUTE_TYPES = frozenset(vrrp.ROUTE_TYPES.encode().split())
"""Alone in an entry of routes they lack their address; so does a number."""
