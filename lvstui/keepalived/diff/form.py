"""The difference between two configurations in the operator's terms, and where each gathers."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import Enum

from lvstui.model.config import Place


class Impact(str, Enum):
    """What a difference does to those who use the site."""

    CUTS = "cuts"
    """Clients lose service or connections: a backend or VIP vanishes, forwarding changes."""
    MOVES = "moves"
    """Traffic goes elsewhere: weights, schedulers, priorities, new backends."""
    WATCHES = "watches"
    """Only how things are watched and told: checks, quorum, notify scripts, names."""


CUTS, MOVES, WATCHES = Impact


@dataclass(frozen=True, slots=True)
class Difference:
    """One difference."""

    kind: str
    """Stable name: `server-added`, `server-removed`, `weight`, `forwarding`, `vip-removed` …"""
    impact: Impact
    subject: str
    """Whom it concerns: `rs2 (10.10.0.4:80) in tcp 10.10.0.20:80`, `instance LB_1`."""
    text: str
    """One sentence: `weight 10 → 0: no new connections`."""
    before: str = ""
    after: str = ""
    place: Place | None = None
    """In the new configuration, or where it stood in the old one."""


@dataclass(slots=True)
class Collector:
    """Differences, and which lines of which blocks they already tell of."""

    found: list[Difference] = field(default_factory=list)
    explained: set[tuple[Place, str]] = field(default_factory=set)
    """(a block's place in the new configuration, a keyword in it). Places of the old one are no
    key: something else may stand there now."""
    gone: set[Place] = field(default_factory=set)
    """Blocks of the old configuration that are told to be gone."""
    come: set[Place] = field(default_factory=set)
    """Blocks of the new one that are told to be new."""
    everywhere: set[str] = field(default_factory=set)
    """Keywords of global_defs that an instance or service follows."""
    paired: dict[Place, Place] = field(default_factory=dict)
    """Blocks that are the same thing though their headers differ: before to after."""

    def pair(self, before: Place | None, after: Place | None) -> None:
        """Both blocks are one service, server or instance."""
        if before is not None and after is not None:
            self.paired[before] = after

    def about(self, subject: str, place: Place | None = None, *around: Place | None) -> About:
        """Whom the next differences concern."""
        return About(self, subject, place, around)

    def explain(self, blocks: Iterable[Place | None], keywords: str) -> None:
        """Other differences tell of these lines already."""
        for block in blocks:
            if block is not None:
                self.explained.update((block, keyword) for keyword in keywords.split())

    def tells(self, block: Place, keyword: str) -> bool:
        """Whether a difference tells of this already."""
        return (block, keyword) in self.explained


@dataclass(frozen=True, slots=True)
class Compared:
    """One field of the typed view, and what a change of it is to those who use the site."""

    name: str
    impact: Impact
    words: str = ""
    """What people call it; empty: its name."""
    keywords: str = ""
    """Whose lines give it, blank between; empty: `words` is the keyword."""
    tail: str = ""
    """Behind the values: what comes of it."""
    unit: str = ""
    follows: str = ""
    """The keyword of global_defs that counts where its own is not written."""
    kind: str = ""
    """Of the difference; empty: its name."""


@dataclass(frozen=True, slots=True)
class About:
    """Whom differences concern."""

    to: Collector
    subject: str
    place: Place | None
    """Its block in the new configuration, or in the old one when it is gone."""
    around: tuple[Place | None, ...]
    """Other blocks whose lines are told of."""

    def say(
        self,
        kind: str,
        impact: Impact,
        text: str,
        keywords: str = "",
        *,
        before: object = "",
        after: object = "",
        place: Place | None = None,
        follows: str = "",
        gone: Place | None = None,
        come: Place | None = None,
    ) -> None:
        """Record one. `keywords` (blank between) are those whose lines it tells of, `follows`
        those of global_defs; `gone` or `come` is the place of a whole block that it tells of."""
        to = self.to
        values = _text(before), _text(after)
        to.found.append(Difference(kind, impact, self.subject, text, *values, place or self.place))
        to.explain((self.place, *self.around), keywords)
        to.everywhere.update(follows.split())
        if gone is not None:
            to.gone.add(gone)
        if come is not None:
            to.come.add(come)

    def fields(
        self, fields: Iterable[Compared], old: object, new: object, before: str = ""
    ) -> None:
        """Each of `fields` that is another one in `new`; `before` begins the sentence."""
        for one in fields:
            was, now = getattr(old, one.name), getattr(new, one.name)
            if was != now:
                words = one.words or one.name
                values = f"{word(was, one.unit)} → {word(now, one.unit)}"
                self.say(
                    one.kind or one.name.replace("_", "-"),
                    one.impact,
                    f"{before}{words} {values}{one.tail}",
                    one.keywords or words,
                    before=was,
                    after=now,
                    follows=one.follows,
                )

    def entries(
        self,
        old: tuple[str, ...],
        new: tuple[str, ...],
        keywords: str,
        gone: tuple[str, Impact, str],
        come: tuple[str, Impact, str],
    ) -> None:
        """Entries of a list that went and that came: kind, impact, and sentence with `{}` for the
        entry."""
        kind, impact, text = gone
        for entry in only_in(old, new):
            self.say(kind, impact, text.format(entry), keywords, before=entry)
        kind, impact, text = come
        for entry in only_in(new, old):
            self.say(kind, impact, text.format(entry), keywords, after=entry)


def word(value: object, unit: str = "") -> str:
    """A value in a sentence."""
    if isinstance(value, bool):
        return "on" if value else "off"
    if isinstance(value, tuple):
        return " ".join(map(str, value)) or "none"
    if value is None or value == "":
        return "none"
    return (f"{value:g}" if isinstance(value, float) else str(value)) + unit


def _text(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:g}"
    if isinstance(value, tuple):
        return ", ".join(str(item) for item in value)
    return "" if value is None else str(value)


def only_in(these: tuple[str, ...], others: tuple[str, ...]) -> list[str]:
    """What `others` lacks, in order, each once."""
    return [item for item in dict.fromkeys(these) if item not in others]
