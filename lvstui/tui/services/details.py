"""Everything known about one service or one real server, on one page that stays live."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.content import Content

from lvstui.model.config import ConfiguredChecker, Place
from lvstui.model.ipvs import Counters, Rates
from lvstui.model.picture import Picture, ServerView, ServiceView
from lvstui.model.say import bits as bits_per_second
from lvstui.model.say import clock_ms, duration, grouped, moment, per_second, size
from lvstui.tui.dialog import PageDialog
from lvstui.tui.events.event_list import event_matches
from lvstui.tui.services.rows import RowId
from lvstui.tui.widgets.format import fit
from lvstui.tui.widgets.glyphs import Glyphs
from lvstui.tui.widgets.line import Bit
from lvstui.tui.widgets.spark import graph
from lvstui.tui.widgets.warnings import SEVERITY_BITS

_LABEL = 16
_GRAPH_HEIGHT = 5
_MOST_EVENTS = 8
_MOST_GRAPH = 60


@dataclass(slots=True)
class DetailPage:
    """A page: its pieces, and what can be copied from it."""

    address: str
    place: str = ""
    bits: list[Bit] = field(default_factory=list)

    @property
    def text(self) -> str:
        """Without colours."""
        return "".join(text for text, _ in self.bits)

    def heading(self, title: str) -> None:
        """A heading with a blank line before it."""
        self.bits.append((f"{chr(10) if self.bits else ''}{title.upper()}\n", "bold $lv-dim"))

    def line(self, label: str, *values: Bit) -> None:
        """`label   value`."""
        self.bits.append((fit(label, _LABEL), "$lv-dim"))
        self.bits += [*values, ("\n", "")]


class DetailsScreen(PageDialog):
    """Follows its row from picture to picture."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("y", "copy('address')", "Copy the address", show=False),
        Binding("c", "copy('place')", "Copy the place in the file", show=False),
        Binding("p", "copy('page')", "Copy the page", show=False),
    ]
    KEYS = (
        ("j k", "scroll"),
        ("y", "copy address"),
        ("c", "copy file:line"),
        ("p", "copy page"),
        ("Esc", "close"),
    )

    def __init__(self, wanted: RowId) -> None:
        super().__init__()
        self._wanted = wanted
        self._page = DetailPage("")

    def heading(self) -> str:
        """What it is about, and on which host."""
        service, server = self._wanted
        what = f"{server} in {service}" if server is not None else str(service)
        return f"{what}  on {self.console.picture.host}"

    def on_mount(self) -> None:
        """Ask for counters every tick."""
        self.console.feed.watch_closely((self._wanted[0],))

    def show_picture(self, picture: Picture) -> None:
        """Follow the pictures."""
        self.draw()

    def content(self, width: int) -> Content:
        service, server = self._wanted
        picture = self.console.picture
        view = picture.server(service, server) if server else picture.service(service)
        if view is None:
            gone = "It is gone: neither the file nor keepalived nor the kernel has it any more.\n\n"
            return Content.assemble((gone, "bold $sev-warn"))
        # The graph is as wide as the page.
        width = max(min(self.size.width - 12, 92), 40)
        now, glyphs = self.console.settings.clock(), self.console.glyphs
        if isinstance(view, ServerView):
            self._page = server_page(view, picture, now, width, glyphs)
        else:
            self._page = service_page(view, picture, now, width, glyphs)
        return Content.assemble(*self._page.bits)

    def action_copy(self, what: str) -> None:
        """To the terminal's clipboard."""
        page = self._page
        text = {"address": page.address, "place": page.place, "page": page.text}[what]
        if not text:
            self.tell("It is in no file.", bad=True)
        else:
            self.copy(text, "the page" if what == "page" else text)


def _text(value: object, style: str = "$lv-text") -> Bit:
    return str(value), style


def server_page(
    view: ServerView, picture: Picture, now: float, width: int, glyphs: Glyphs
) -> DetailPage:
    """All about one real server."""
    configured = view.configured
    page = DetailPage(str(view.key), _place(configured.place) if configured else "")
    state = f"$rs-{view.state.value}"
    since = (
        f"  since {moment(view.since, now)} ({duration(now - view.since)})" if view.since else ""
    )
    page.line(
        "State",
        (f"{glyphs.states[view.state]} {view.state.value}", f"bold {state}"),
        _text(since, "$lv-dim"),
    )
    if view.reason:
        page.line("Because", _text(view.reason, state))
    page.line("Real server", (str(view.key), "bold $lv-text"), _text(f" {view.name}", "$lv-dim"))
    page.line("Of service", _text(view.service))
    page.line("Forwarding", _text(view.forwarding))
    if view.sorry:
        page.line("Role", _text("sorry server: answers when the quorum is lost"))
    _weights(page, view, glyphs)
    _graph(page, view.history, width, glyphs, "new connections per second, last minute")
    page.heading("Now")
    page.line("Active", _text(grouped(view.active)), _text("  established TCP", "$lv-dim"))
    page.line("Inactive", _text(grouped(view.inactive)), _text("  all other entries", "$lv-dim"))
    _rates(page, view.rates)
    if view.share_of_traffic is not None and view.share_of_weight is not None:
        page.line(
            "Share",
            _text(f"{view.share_of_traffic:.1%}"),
            _text(f"  of new connections, {view.share_of_weight:.1%} of the weight", "$lv-dim"),
        )
    detail = view.detail
    if detail is not None:
        _counters(page, detail.counters)
        page.heading("Limits")
        none = "none"
        page.line(
            "Upper",
            _text(grouped(detail.upper_threshold) if detail.upper_threshold else none),
            _text("  no new connections beyond it", "$lv-dim"),
        )
        lower = grouped(detail.lower_threshold) if detail.lower_threshold else none
        page.line("Lower", _text(lower), _text("  takes new ones again below it", "$lv-dim"))
        page.line(
            "Persistent",
            _text(grouped(detail.persistent)),
            _text("  clients bound to it", "$lv-dim"),
        )
        if detail.tunnel:
            page.line("Tunnel", _text(detail.tunnel))
    elif view.in_kernel:
        page.heading("Counters")
        page.bits.append(("Not read: see the warnings (W) for what is missing.\n", "$lv-dim"))
    page.heading("Checks")
    for result in view.checks:
        mark = (glyphs.yes, "$sev-good") if result.ok else (glyphs.no, "$sev-bad")
        page.bits += [
            (f"{clock_ms(result.at)}  ", "$lv-dim"),
            mark,
            (f" {result.checker}  ", "$lv-text"),
            (result.message + "\n", "$lv-text" if result.ok else "$sev-bad"),
        ]
    if configured is not None and configured.checkers:
        for checker in configured.checkers:
            page.line("Configured", *_checker(checker))
    elif not view.checks:
        page.bits.append(("No health check: nobody looks after it.\n", "$sev-warn"))
    page.heading("Configuration")
    if configured is None:
        page.line(
            "In no file",
            _text("it was added to the kernel by hand or by another program", "$rs-foreign"),
        )
    else:
        page.line("At", _text(page.place or "unknown", "$lv-accent"))
        on_failure = "weight 0 (inhibit_on_failure)" if configured.inhibit_on_failure else "removed"
        page.line("When it fails", _text(on_failure))
    _events(page, picture, f"{view.key}", view, now)
    return page


def service_page(
    view: ServiceView, picture: Picture, now: float, width: int, glyphs: Glyphs
) -> DetailPage:
    """All about one virtual service."""
    configured = view.configured
    page = DetailPage(
        str(view.key).split(" ", 1)[-1], _place(configured.place) if configured else ""
    )
    style = SEVERITY_BITS[view.severity]
    page.line("Service", (str(view.key), "bold $lv-text"), _text(f" {view.name}", "$lv-dim"))
    page.line("Up", (f"{view.up} of {view.pool}", f"bold {style}"))
    if view.reason:
        page.line("Because", _text(view.reason, style))
    quorum = glyphs.yes if view.quorum_ok else glyphs.no
    page.line("Quorum", _text(f"{view.quorum} "), (quorum, style))
    page.line("Scheduler", _text(view.scheduler))
    page.line("Forwarding", _text(view.forwarding))
    persistence = f"{view.persistence_s} s" if view.persistence_s else "none"
    if view.kernel is not None and view.kernel.netmask:
        persistence += f", clients grouped by {view.kernel.netmask}"
    page.line("Persistence", _text(persistence))
    if view.one_packet:
        page.line("One packet", _text("each packet is scheduled by itself"))
    if view.vip_here is not None:
        here = "on this host" if view.vip_here else "not on this host (the other director's)"
        page.line("Address", _text(here))
    if configured is not None and configured.sorry_server is not None:
        answers = "answers now" if view.sorry_active else "waits"
        page.line("Sorry server", _text(f"{configured.sorry_server}, {answers}"))
    _graph(page, view.history, width, glyphs, "new connections per second, last minute")
    page.heading("Now")
    page.line("Active", _text(grouped(view.active)))
    page.line("Inactive", _text(grouped(view.inactive)))
    _rates(page, view.rates)
    if view.counters is not None:
        _counters(page, view.counters)
    page.heading("Real servers")
    wide = max((len(str(server.key)) for server in view.servers), default=0)
    for server in view.servers:
        state = f"$rs-{server.state.value}"
        page.bits += [
            (f"{glyphs.states[server.state]} ", state),
            (f"{fit(str(server.key), wide)}  ", "$lv-text"),
            (fit(server.name, 10) + "  ", "$lv-dim"),
            (fit(server.state.value, 11), state),
            (server.reason + "\n", state),
        ]
    page.heading("Configuration")
    if configured is None:
        page.line("In no file", _text("made with ipvsadm or by another program", "$rs-foreign"))
    else:
        page.line("At", _text(page.place or "unknown", "$lv-accent"))
        if configured.group:
            page.line("Group", _text(configured.group))
    _events(page, picture, str(view.key), view, now)
    return page


def _place(place: Place | None) -> str:
    return f"{place.file}:{place.line}" if place is not None else ""


def _weights(page: DetailPage, view: ServerView, glyphs: Glyphs) -> None:
    page.heading("Weight")
    weights = view.weights
    known = [w for w in (weights.file, weights.keepalived, weights.kernel) if w is not None]
    for label, value in (
        ("File", weights.file),
        ("keepalived", weights.keepalived),
        ("Kernel", weights.kernel),
    ):
        if value is None:
            page.line(label, _text(f"{glyphs.none}  not there", "$lv-dim"))
        else:
            odd = value != known[0]
            note = f"  {glyphs.differs} file" if odd else ""
            page.line(
                label,
                _text(value, "bold $rs-drifted" if odd else "$lv-text"),
                _text(note, "$rs-drifted"),
            )


def _graph(
    page: DetailPage, history: tuple[float, ...], width: int, glyphs: Glyphs, title: str
) -> None:
    if not history:
        return
    page.heading(title)
    across = min(width - 10, _MOST_GRAPH)
    top = max(history)
    lines = graph(history, across, _GRAPH_HEIGHT, glyphs)
    for index, line in enumerate(lines):
        mark = per_second(top) if index == 0 else "0" if index == len(lines) - 1 else ""
        page.bits += [(f"{mark:>6} ", "$lv-dim"), (line + "\n", "$lv-accent")]


def _rates(page: DetailPage, rates: Rates | None) -> None:
    if rates is None:
        return
    page.line("New", _text(f"{per_second(rates.connections)} connections/s"))
    page.line(
        "In",
        _text(bits_per_second(rates.bytes_in)),
        _text(f"  {per_second(rates.packets_in)} packets/s", "$lv-dim"),
    )
    page.line(
        "Out",
        _text(bits_per_second(rates.bytes_out)),
        _text(
            f"  {per_second(rates.packets_out)} packets/s  (DR and TUN answer past the director)",
            "$lv-dim",
        ),
    )


def _counters(page: DetailPage, counters: Counters) -> None:
    page.heading("Since it was added")
    page.line("Connections", _text(grouped(counters.connections)))
    page.line("Packets in", _text(grouped(counters.packets_in)))
    page.line("Packets out", _text(grouped(counters.packets_out)))
    for label, count in (("Bytes in", counters.bytes_in), ("Bytes out", counters.bytes_out)):
        page.line(label, _text(grouped(count)), _text(f"  {size(count)}", "$lv-dim"))


def _checker(checker: ConfiguredChecker) -> list[Bit]:
    where = f"  {_place(checker.place)}" if checker.place else ""
    return [
        _text(f"{checker.kind} {checker.target}"),
        _text(
            f"  every {checker.delay_loop_s:g} s, gives up after {checker.connect_timeout_s:g} s,"
            f" {checker.retry} retries{where}",
            "$lv-dim",
        ),
    ]


def _events(
    page: DetailPage, picture: Picture, needle: str, view: ServerView | ServiceView, now: float
) -> None:
    server = view.key if isinstance(view, ServerView) else None
    service = view.service if isinstance(view, ServerView) else view.key
    found = [
        event
        for event in reversed(picture.events)
        if (event.service == service and (server is None or event.server == server))
        or (event.service is None and event_matches(event, needle))
    ][:_MOST_EVENTS]
    if not found:
        return
    page.heading("Events")
    for event in found:
        page.bits += [
            (f"{moment(event.at, now)}  ", "$lv-dim"),
            (f"{event.host}  ", "$lv-dim"),
            (event.text + "\n", SEVERITY_BITS[event.severity]),
        ]
