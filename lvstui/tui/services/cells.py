"""What each cell of the table shows of a service and of a real server.

A cell is a tuple of (text, meaning) pieces; meanings are the component classes of the table,
so nothing here knows a colour.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from lvstui.model.picture import ServerView, ServiceView, Severity, State, weight_mark
from lvstui.model.say import clock, compact, duration
from lvstui.tui.services.rows import Row
from lvstui.tui.widgets.format import cut, fit, width_of
from lvstui.tui.widgets.glyphs import Glyphs
from lvstui.tui.widgets.spark import sparkline

Piece = tuple[str, str]
Cell = tuple[Piece, ...]

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
    if not view.pool:
        return (("no servers", "warn"),)
    if view.sorry_active:
        return (("sorry server", "down"),)
    return ((f"{view.up} of {view.pool} up", style),)


def server_state(view: ServerView, paint: Paint) -> Cell:
    """The state in a word, with how long or how long still."""
    word = view.state.value
    if view.sorry:
        word = "sorry"
    if view.state is State.DRAINING and not paint.noted and view.drain_left_s is not None:
        # "draining 12m" is all that fits.
        left = duration(view.drain_left_s).replace(" ", "").replace("min", "m")
        return ((f"{word} {left}", view.state.value),)
    text = word
    if view.state in (State.DOWN, State.DISABLED) and view.since is not None:
        text = f"{word} {duration(paint.now - view.since)}"
    if not view.differs:
        return ((text, view.state.value),)
    mark = f" {paint.glyphs.differs}{weight_mark(view)}"
    return (text, view.state.value), (mark, "differs")


WEIGHT_WIDTHS = (4, 4, 7)
"""Cells of the weight in the file, in keepalived and in the kernel."""
NARROW_WEIGHT_WIDTHS = (4, 4, 4)


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
    widths = WEIGHT_WIDTHS if paint.width == sum(WEIGHT_WIDTHS) else NARROW_WEIGHT_WIDTHS
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


def spark_cell(view: Row, paint: Paint) -> Cell:
    """New connections over the last minute."""
    if not view.in_kernel:
        return ()
    text = sparkline(view.history, paint.width, paint.glyphs)
    if isinstance(view, ServiceView):
        return ((text, "spark"),)
    live = view.weights.kernel and any(view.history)
    return ((text, "spark-server" if live else "spark-idle"),)


def count_cell(field: str) -> Callable[[Row, Paint], Cell]:
    """A cell for connection entries: `active` (TCP: established or half open) or `inactive` (all
    others)."""

    def cell(view: Row, paint: Paint) -> Cell:
        if not view.in_kernel:
            return _dash(paint)
        return _number(compact(getattr(view, field), paint.width))

    return cell


def traffic_cell(field: str, shown: Callable[[float], str]) -> Callable[[Row, Paint], Cell]:
    """A cell for one of the rates."""

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
        parts += [(f"quorum {view.quorum} ", "muted"), (mark, "up" if view.quorum_ok else "down")]
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
    if view.reason and (view.state is not State.UP or view.differs):
        meaning = "differs" if view.differs_only else view.state.value
        return ((view.reason, "reason-down" if view.state is State.DOWN else meaning),)
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


def limits_cell(view: ServerView, paint: Paint) -> Cell:
    """Lower and upper threshold of a server."""
    detail = view.detail
    if detail is None:
        return _dash(paint)
    if not detail.upper_threshold and not detail.lower_threshold:
        return (("none", "faint"),)
    return (
        (f"{compact(detail.lower_threshold, 7)}..{compact(detail.upper_threshold, 7)}", "number"),
    )


def total_cell(view: Row, paint: Paint) -> Cell:
    """Connections since it was added."""
    counters = None
    if isinstance(view, ServiceView):
        counters = view.counters
    elif view.detail is not None:
        counters = view.detail.counters
    return _dash(paint) if counters is None else _number(compact(counters.connections, paint.width))


def place_cell(view: Row, paint: Paint) -> Cell:
    """File and line."""
    if view.configured is None:
        return (("in no file", "foreign"),)
    place = view.configured.place
    return ((f"{place.file.rsplit('/', 1)[-1]}:{place.line}", "muted"),) if place else ()


def checks_cell(view: ServerView, paint: Paint) -> Cell:
    """Kinds of checks and how often they look."""
    kinds = view.configured.checkers if view.configured else ()
    if not kinds:
        return (("no check", "unverified"),)
    return ((", ".join(f"{c.kind} {c.delay_loop_s:g} s" for c in kinds), "muted"),)


def checked_cell(view: ServerView, paint: Paint) -> Cell:
    """When a check spoke last, and what its verdict was."""
    if not view.checks:
        return _dash(paint)
    last = view.checks[0]
    mark = (paint.glyphs.yes, "up") if last.ok else (paint.glyphs.no, "down")
    return (mark, (f" {clock(last.at)}", "muted"))


def said_cell(view: ServerView, paint: Paint) -> Cell:
    """The last check in its own words."""
    if not view.checks:
        return ((view.reason, view.state.value),)
    last = view.checks[0]
    text = last.message
    if not text or (width_of(text) > paint.width and view.reason):
        # Our few words in full say more than keepalived's many cut off; details have both.
        text = view.reason
    return ((text, "muted" if last.ok else "reason-down"),)


def service_said(view: ServiceView, paint: Paint) -> Cell:
    """What is wrong with a service."""
    return ((view.reason, SEVERITY_STYLE[view.severity]),) if view.reason else ()


def persistent_cell(view: ServerView, paint: Paint) -> Cell:
    """Clients bound to a server."""
    return _dash(paint) if view.detail is None else _number(compact(view.detail.persistent, 9))


def no_cell(view: object, paint: Paint) -> Cell:
    return ()
