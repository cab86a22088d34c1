"""The columns of the table: what each shows of a service and of a real server.

A cell is a tuple of (text, meaning) pieces; meanings are the component classes of the table,
so nothing here knows a colour. `Layout` chooses the columns that a width can hold.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from lvstui.model.picture import ServerView, ServiceView, Severity, State
from lvstui.widgets.format import (
    age,
    bits,
    compact,
    cut,
    fit,
    per_second,
    width_of,
)
from lvstui.widgets.glyphs import UNICODE, Glyphs
from lvstui.widgets.rows import Row, Sort
from lvstui.widgets.spark import sparkline

Piece = tuple[str, str]
Cell = tuple[Piece, ...]

GUTTER = 2
"""Cells left of the first column: the cursor's bar and the mark."""
GAP = 2
"""Cells between columns."""
NARROW = 100
"""Below this many cells gaps and weights are narrower."""

SEVERITY_STYLE = {
    Severity.GOOD: "up",
    Severity.INFO: "muted",
    Severity.WARN: "warn",
    Severity.BAD: "down",
}


@dataclass(frozen=True, slots=True)
class Paint:
    """What a cell may ask about its surroundings."""

    glyphs: Glyphs
    now: float
    folded: bool
    width: int
    """Of this column."""
    noted: bool
    """There is a notes column."""


@dataclass(frozen=True, slots=True)
class Column:
    """One column."""

    id: str
    title: str
    width: int
    service: Callable[[ServiceView, Paint], Cell]
    server: Callable[[ServerView, Paint], Cell]
    right: bool = False
    grow: int = 0
    """Cells it takes beyond `width` when there is room."""
    sort: Sort | None = None
    """What a click on its title orders by."""


def service_name(view: ServiceView, paint: Paint) -> Cell:
    """`▾ tcp 10.10.0.20:80 web`."""
    fold = paint.glyphs.folded if paint.folded else paint.glyphs.opened
    if not view.servers:
        fold = paint.glyphs.dot
    return _named(str(view.key), view.name, (fold + " ", "fold"), "service", paint)


def server_name(view: ServerView, paint: Paint) -> Cell:
    """`  ● 10.10.0.3:80 rs1`."""
    glyph = paint.glyphs.states[view.state]
    return _named(str(view.key), view.name, (f"  {glyph} ", view.state.value), "address", paint)


def _named(address: str, name: str, head: Piece, style: str, paint: Paint) -> Cell:
    room = paint.width - width_of(head[0])
    if width_of(address) > room:
        # The end of an address tells more than its beginning: cut in the middle.
        keep = max(room - width_of(paint.glyphs.ellipsis), 2)
        tail = min(keep - 1, max(keep * 2 // 3, 1))
        address = address[: keep - tail] + paint.glyphs.ellipsis + address[-tail:]
    left = room - width_of(address) - 1
    if not name or left < 2:
        return head, (address, style)
    return head, (address, style), (" " + cut(name, left, ellipsis=paint.glyphs.ellipsis), "name")


def service_state(view: ServiceView, paint: Paint) -> Cell:
    """`2 of 3 up`, or that the sorry server answers."""
    style = SEVERITY_STYLE[view.severity]
    real = sum(not server.sorry for server in view.servers)
    if not real:
        return (("no servers", "warn"),)
    if view.sorry_active:
        return (("sorry server", "down"),)
    return ((f"{view.up} of {real} up", style),)


def server_state(view: ServerView, paint: Paint) -> Cell:
    """The state in a word, with how long or how long still."""
    word = view.state.value
    if view.sorry:
        word = "sorry"
    if view.state is State.DRAINING and not paint.noted and view.drain_left_s is not None:
        return ((f"{word} {age(view.drain_left_s).replace(' ', '')}", view.state.value),)
    text = word
    if view.state in (State.DOWN, State.DISABLED) and view.since is not None:
        text = f"{word} {age(paint.now - view.since)}"
    return ((text, view.state.value),)


_WEIGHT_WIDTHS = (4, 4, 7)
_NARROW_WEIGHT_WIDTHS = (4, 4, 4)


def service_weights(view: ServiceView, paint: Paint) -> Cell:
    """Scheduler and forwarding method, in the place of the weights."""
    extra = " ops" if view.one_packet else ""
    return ((fit(view.scheduler, 5), "muted"), (" " + view.forwarding + extra, "muted"))


def server_weights(view: ServerView, paint: Paint) -> Cell:
    """The weight in the file, in keepalived and in the kernel, disagreement marked."""
    weights = view.weights
    values = (weights.file, weights.keepalived, weights.kernel)
    odd = _odd_ones(values)
    pieces: list[Piece] = []
    widths = _WEIGHT_WIDTHS if paint.width == sum(_WEIGHT_WIDTHS) else _NARROW_WEIGHT_WIDTHS
    for index, (value, width) in enumerate(zip(values, widths, strict=True)):
        if value is None:
            pieces.append((fit(paint.glyphs.none, width, right=True), "faint"))
            continue
        text = compact(value, width - 1)
        if odd[index]:
            text = paint.glyphs.differs + text
            pieces.append((" " * (width - width_of(text)), "plain"))
            pieces.append((text, "differs"))
        else:
            pieces.append((fit(text, width, right=True), "weight"))
    return tuple(pieces)


def _odd_ones(values: Sequence[int | None]) -> tuple[bool, ...]:
    """Which of the three differ from what the place before them says."""
    odd = []
    before: int | None = None
    for value in values:
        odd.append(value is not None and before is not None and value != before)
        before = before if value is None else value
    return tuple(odd)


def _number(text: str, style: str = "number") -> Cell:
    return ((text, "faint" if text == "0" else style),)


def _dash(paint: Paint) -> Cell:
    return ((paint.glyphs.none, "faint"),)


def rate_cell(view: Row, paint: Paint) -> Cell:
    """New connections per second."""
    if view.rates is None or not view.in_kernel:
        return _dash(paint)
    return _number(per_second(view.rates.connections))


def spark_cell(view: Row, paint: Paint) -> Cell:
    """New connections over the last minute."""
    if not view.in_kernel:
        return ()
    text = sparkline(view.history, paint.width, paint.glyphs)
    if isinstance(view, ServiceView):
        return ((text, "spark"),)
    live = view.weights.kernel and any(view.history)
    return ((text, "spark-server" if live else "spark-idle"),)


def active_cell(view: Row, paint: Paint) -> Cell:
    """Established TCP connections."""
    return _number(compact(view.active, paint.width)) if view.in_kernel else _dash(paint)


def inactive_cell(view: Row, paint: Paint) -> Cell:
    """Every other connection entry."""
    return _number(compact(view.inactive, paint.width)) if view.in_kernel else _dash(paint)


def _traffic_cell(field: str, shown: Callable[[float], str]) -> Callable[[Row, Paint], Cell]:
    def cell(view: Row, paint: Paint) -> Cell:
        if view.rates is None or not view.in_kernel:
            return _dash(paint)
        return _number(shown(getattr(view.rates, field)))

    return cell


def service_note(view: ServiceView, paint: Paint) -> Cell:
    """What is wrong; else quorum and persistence."""
    if view.reason and view.severity in (Severity.BAD, Severity.WARN):
        return ((view.reason, SEVERITY_STYLE[view.severity]),)
    glyphs = paint.glyphs
    parts: list[Piece] = []
    if view.configured is not None:
        mark = glyphs.yes if view.quorum_ok else glyphs.no
        parts += [
            (f"quorum {view.quorum} ", "muted"),
            (mark, "up" if view.quorum_ok else "down"),
        ]
    for text in (
        f"persistent {view.persistence_s} s" if view.persistence_s else "",
        "one packet" if view.one_packet else "",
    ):
        if text:
            parts.append((f" {glyphs.dot} {text}" if parts else text, "muted"))
    if len(parts) > 2 and view.quorum_ok and sum(width_of(t) for t, _ in parts) > paint.width:
        text, style = parts[2]
        parts[:3] = [(text.removeprefix(f" {glyphs.dot} "), style)]
    return tuple(parts)


def server_note(view: ServerView, paint: Paint) -> Cell:
    """Why it is not up; else its share of traffic beside its share of weight."""
    if view.state is State.DRAINING:
        left = f"{compact(view.active, 7)} left"
        if view.drain_left_s is not None:
            left += f", ~{age(view.drain_left_s)}"
        return ((left, "draining"), *_because(view, paint))
    if view.reason and view.state is not State.UP:
        return ((view.reason, "reason-down" if view.state is State.DOWN else view.state.value),)
    if view.share_of_traffic is None or view.share_of_weight is None:
        return ((view.reason, "muted"),) if view.reason else ()
    traffic, weight = view.share_of_traffic, view.share_of_weight
    numbers = f"{traffic * 100:3.0f} / {weight * 100:.0f} %"
    length = min(paint.width - len("100 / 100 %") - 1, 20)
    pieces: list[Piece] = []
    if length >= 4:
        full = round(min(max(traffic, 0.0), 1.0) * length)
        pieces = [
            (paint.glyphs.bar * full, "bar"),
            (paint.glyphs.track * (length - full) + " ", "track"),
        ]
    apart = abs(traffic - weight)
    return (*pieces, (numbers, "warn" if apart > 0.25 and traffic > 0 else "share"))


def _because(view: ServerView, paint: Paint) -> Cell:
    return ((f" {paint.glyphs.dot} {view.reason}", "muted"),) if view.reason else ()


def _limits(view: ServerView, paint: Paint) -> Cell:
    detail = view.detail
    if detail is None:
        return _dash(paint)
    if not detail.upper_threshold and not detail.lower_threshold:
        return (("none", "faint"),)
    return ((f"{compact(detail.lower_threshold, 7)}..{compact(detail.upper_threshold, 7)}",
             "number"),)  # fmt: skip


def _total(view: Row, paint: Paint) -> Cell:
    counters = None
    if isinstance(view, ServiceView):
        counters = view.counters
    elif view.detail is not None:
        counters = view.detail.counters
    return _dash(paint) if counters is None else _number(compact(counters.connections, paint.width))


def _place(view: Row, paint: Paint) -> Cell:
    if view.configured is None:
        return (("in no file", "foreign"),)
    place = view.configured.place
    return ((f"{place.file.rsplit('/', 1)[-1]}:{place.line}", "muted"),) if place else ()


def _checks(view: ServerView, paint: Paint) -> Cell:
    kinds = view.configured.checkers if view.configured else ()
    if not kinds:
        return (("no check", "unverified"),)
    return ((", ".join(f"{c.kind} {c.delay_loop_s:g} s" for c in kinds), "muted"),)


def _persistent(view: ServerView, paint: Paint) -> Cell:
    return _dash(paint) if view.detail is None else _number(compact(view.detail.persistent, 9))


def _nothing(view: object, paint: Paint) -> Cell:
    return ()


NAME = Column("name", "SERVICE / REAL SERVER", 24, service_name, server_name, sort=Sort.NAME)
STATE = Column("state", "STATE", 13, service_state, server_state, sort=Sort.STATE)
WEIGHTS = Column("weights", "FILE  KA KERNEL", sum(_WEIGHT_WIDTHS), service_weights, server_weights)
NARROW_WEIGHTS = Column(
    "weights", "FILE  KA KRN", sum(_NARROW_WEIGHT_WIDTHS), service_weights, server_weights
)
RATE = Column("rate", "CONN/S", 6, rate_cell, rate_cell, right=True, sort=Sort.RATE)
SPARK = Column("spark", "LAST MINUTE", 12, spark_cell, spark_cell, grow=12)
ACTIVE = Column("active", "ACTIVE", 7, active_cell, active_cell, right=True, sort=Sort.ACTIVE)
INACTIVE = Column("inactive", "INACTIVE", 8, inactive_cell, inactive_cell, right=True)
_BYTES_IN = _traffic_cell("bytes_in", bits)
_BYTES_OUT = _traffic_cell("bytes_out", bits)
_PACKETS_IN = _traffic_cell("packets_in", per_second)
_PACKETS_OUT = _traffic_cell("packets_out", per_second)
IN = Column("in", "IN", 8, _BYTES_IN, _BYTES_IN, right=True, sort=Sort.TRAFFIC)
OUT = Column("out", "OUT", 8, _BYTES_OUT, _BYTES_OUT, right=True)
PACKETS_IN = Column("packets_in", "PKT/S IN", 8, _PACKETS_IN, _PACKETS_IN, right=True)
PACKETS_OUT = Column("packets_out", "OUT", 6, _PACKETS_OUT, _PACKETS_OUT, right=True)
NOTE = Column("note", "SHARE OF CONN / WEIGHT", 22, service_note, server_note, grow=26)
TOTAL = Column("total", "CONN SINCE START", 16, _total, _total, right=True)
LIMITS = Column("limits", "THRESHOLDS", 12, _nothing, _limits)
PERSISTENT = Column("persistent", "PERSIST", 9, _nothing, _persistent, right=True)
CHECKS = Column("checks", "CHECKS", 18, _nothing, _checks, grow=20)
PLACE = Column("place", "CONFIGURED AT", 20, _place, _place, grow=8)


_NARROWER = {"weights": NARROW_WEIGHTS, "state": replace(STATE, width=12)}


@dataclass(frozen=True, slots=True)
class ColumnSet:
    """Columns that belong together, in display order, with the order in which they give way."""

    name: str
    columns: tuple[Column, ...]
    keep: tuple[str, ...]
    """Ids after name and state, most important first."""


COLUMN_SETS = (
    ColumnSet(
        "load",
        (NAME, STATE, WEIGHTS, RATE, SPARK, ACTIVE, INACTIVE, IN, NOTE),
        ("weights", "active", "rate", "inactive", "note", "spark", "in"),
    ),
    ColumnSet(
        "traffic",
        (NAME, STATE, RATE, SPARK, PACKETS_IN, PACKETS_OUT, IN, OUT, TOTAL, NOTE),
        ("rate", "in", "out", "packets_in", "packets_out", "spark", "total", "note"),
    ),
    ColumnSet(
        "settings",
        (NAME, STATE, WEIGHTS, CHECKS, LIMITS, PERSISTENT, PLACE, NOTE),
        ("weights", "place", "checks", "limits", "persistent", "note"),
    ),
)
"""What `c` cycles through."""


@dataclass(frozen=True, slots=True)
class Layout:
    """The columns of one width, each with its place."""

    width: int
    columns: tuple[Column, ...]
    starts: tuple[int, ...]
    widths: tuple[int, ...]
    glyphs: Glyphs = UNICODE
    gap: int = GAP

    @property
    def noted(self) -> bool:
        """There is a notes column, so reasons need not be put over the numbers."""
        return self.columns[-1].id == "note"

    @classmethod
    def choose(cls, width: int, wanted: int, chosen: ColumnSet, glyphs: Glyphs) -> Layout:
        """For a table `width` cells wide whose longest name needs `wanted` cells."""
        narrow = width < NARROW
        gap = 1 if narrow else GAP
        room = width - GUTTER - (0 if narrow else 1)
        offered = [
            _NARROWER.get(column.id, column) if narrow else column for column in chosen.columns
        ]
        by_id = {column.id: column for column in offered}
        name = min(max(wanted, NAME.width - 3), max(NAME.width, room // 2))
        used = name + gap + by_id["state"].width
        taken = {"name", "state"}
        for id_ in chosen.keep:
            needs = by_id[id_].width + gap
            if used + needs <= room:
                taken.add(id_)
                used += needs
        columns = tuple(column for column in offered if column.id in taken)
        spare = room - used
        widths = [name if column is NAME else column.width for column in columns]
        # Room left over goes to the name as far as it needs it, then evenly to what can grow.
        more = min(spare, max(wanted - name, 0))
        widths[0] += more
        spare -= more
        growing = [i for i, column in enumerate(columns) if column.grow]
        while spare > 0 and growing:
            for i in list(growing):
                if widths[i] - columns[i].width >= columns[i].grow:
                    growing.remove(i)
                elif spare > 0:
                    widths[i] += 1
                    spare -= 1
        widths[0] += min(spare, 12)
        starts, at = [], GUTTER
        for each in widths:
            starts.append(at)
            at += each + gap
        return cls(width, columns, tuple(starts), tuple(widths), glyphs, gap)
