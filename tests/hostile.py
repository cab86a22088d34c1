"""Observations whose every text does harm: what a recording of somebody else may hold.

Made from the dataclasses of the facts, so that a fact or a field that comes new is among them.
"""

from __future__ import annotations

import dataclasses
import itertools
import json
import types
import typing
from collections.abc import Iterator
from enum import Enum
from pathlib import Path
from typing import Any

from lvstui.model import facts
from lvstui.model.ipvs import Destination, KernelService, KernelTable
from lvstui.model.keys import ServerKey, ServiceKey
from lvstui.model.wire import ADDRESSES, FORMAT, encode

AT = 1_795_000_000.0
TITLE, RED, LINK = "\x1b]0;PWNED\x07", "\x1b[31m", "\x1b]8;;http://x/\x1b\\"
TEXTS = (
    f"a{TITLE}b",
    f"a{RED}b",
    f"a{LINK}b",
    "a\x9b31mb",
    "a\u202eb\u202c",
    "a\u2066b\u2069",
    "a\x00b",
    "a\u200bb",
    "a\u200db\ufeff",
    "a\r\nb\tc",
    "a\x7fb\x85c",
    "a\u2028b",
    "[bold red]a[/]",
    "[@click=app.quit]a[/]",
    "a\U000e0067b",
    "a\u3164b",
    "a\x1b]52;c;aGk=\x07b",
    "a\x90qb\x9c",
)
"""Title, colour, C1, bidirectional override and isolate, NUL, hyperlink, zero width, line ends,
markup, tags, blank letters, clipboard, a device control string."""
HONEST = ("größe", "東京", "naïve-Ωμέγα", "🚀 web", "⚠️")
"""Names that stay as they are."""
VIP = "10.10.0.20"
WEB = ServiceKey("tcp", VIP, 80, 0, 4)
KINDS: tuple[type, ...] = typing.get_args(facts.Fact)


class Maker:
    """Makes values of any type that a fact holds; the texts go round."""

    def __init__(self, keys: bool) -> None:
        self.texts = itertools.cycle(TEXTS)
        self.servers = itertools.cycle(ServerKey(f"10.10.0.{n}", 80) for n in (3, 4, 5))
        self.keys = keys
        """Addresses are addresses, so that rows of one server come together."""
        self.simple: dict[type, Any] = {int: 1, float: AT, bool: True}

    def make(self, hint: Any) -> Any:
        """A value of that type."""
        if self.keys and hint in (ServiceKey, ServerKey):
            return WEB if hint is ServiceKey else next(self.servers)
        if hint in self.simple:
            return self.simple[hint]
        if hint is str:
            return next(self.texts)
        if isinstance(hint, type) and dataclasses.is_dataclass(hint):
            hints = typing.get_type_hints(hint)
            values = {f.name: self.make(hints[f.name]) for f in dataclasses.fields(hint)}
            if self.keys:
                # Without these the line would be left out.
                for name in ADDRESSES.get(hint, ()):
                    values[name] = VIP if isinstance(values[name], str) else (VIP,)
            return hint(**values)
        origin, inner = typing.get_origin(hint), typing.get_args(hint)
        if origin is tuple:
            kinds = (inner[0],) * 3 if inner[1:] == (Ellipsis,) else inner
            return tuple(self.make(kind) for kind in kinds)
        if origin in (typing.Union, types.UnionType):
            return self.make(next(kind for kind in inner if kind is not type(None)))
        assert isinstance(hint, type)
        assert issubclass(hint, Enum), hint
        return next(iter(hint))


def table(scheduler: str) -> KernelTable:
    """A table that lets its real servers be seen."""
    servers = tuple(
        Destination(ServerKey(f"10.10.0.{n}", 80), scheduler, 1, 5, 2) for n in (3, 4, 5)
    )
    return KernelTable((KernelService(WEB, scheduler, False, 30, scheduler, servers),))


def observations(keys: bool = True) -> Iterator[facts.Observation]:
    """Each kind of fact, with every text."""
    maker = Maker(keys)
    for round_, kind in itertools.product(range(len(TEXTS)), KINDS):
        at, host, source = AT + round_ / 100, next(maker.texts), next(maker.texts)
        yield facts.Observation(at, host, source, maker.make(kind))
    yield facts.Observation(AT + 1, TEXTS[0], "proc", facts.TableSeen(table(TEXTS[1])))
    names = tuple((f"10.10.0.{n}", TEXTS[n]) for n in range(3, 6))
    yield facts.Observation(AT + 1, TEXTS[0], "names", facts.NamesSeen(names))


def lines() -> list[str]:
    """A recording of it, uncleaned."""
    head = json.dumps({"lvstui": FORMAT, "version": TITLE})
    return [head, *map(encode, observations(keys=False)), *map(encode, observations())]


def write(path: Path) -> Path:
    """Write it as a file for `lvstui --replay`."""
    path.write_text("\n".join(lines()) + "\n", "utf-8", "surrogatepass")
    return path
