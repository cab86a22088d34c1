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
        self.bits.append((f"{chr(10) if self.bits else ''}{title.upper()}\n", "bold $lv-dim"))

    def line(
        self,
        label: str,
        value: object,
        note: str = "",
        style: str = "$lv-text",
        note_style: str = "$lv-dim",
    ) -> None:
        """`label   value  note`."""
        self.bits += [
            (fit(label, _LABEL), "$lv-dim"),
            (str(value), style),
            (note, note_style),
            ("\n", ""),
        ]


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
        service, server = self._wanted
        what = f"{server} in {service}" if server is not None else str(service)
        return f"{what}  on {self.console.picture.host}"

    def on_mount(self) -> None:
        """Ask for counters every tick."""
        self.console.feed.watch_closely((self._wanted[0],))

    def show_picture(self, picture: Picture) -> None:
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
        page = self._page
        text = {"address": page.address, "place": page.place, "page": page.text}[what]
        if not text:
            self.tell("It is in no file.", bad=True)
        else:
            self.copy(text, "the page" if what == "page" else text)


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
    page.line("State", f"{glyphs.states[view.state]} {view.state.value}", since, f"bold {state}")
    if view.reason:
        page.line("Because", view.reason, style=state)
    page.line("Real server", view.key, f" {view.name}", "bold $lv-text")
    page.line("Of service", view.service)
    page.line("Forwarding", view.forwarding)
    if view.sorry:
        page.line("Role", "sorry server: answers when the quorum is lost")
    _weights(page, view, glyphs)
    _graph(page, view.history, width, glyphs)
    page.heading("Now")
    page.line("Active", grouped(view.active), "  TCP: established or half open")
    page.line("Inactive", grouped(view.inactive), "  all other entries")
    seen = picture.packets.handshakes.get(view.id)
    if seen is not None:
        half = f"{seen.never} of {seen.of}"
        lately = f"  never established, of those of the last {seen.window_s} s in a sample"
        page.line("Half open", half, lately, "$sev-bad" if seen.lost else "")
    _rates(page, view.rates)
    if view.share_of_traffic is not None and view.share_of_weight is not None:
        of = f"  of new connections, {view.share_of_weight:.1%} of the weight"
        page.line("Share", f"{view.share_of_traffic:.1%}", of)
    detail = view.detail
    if detail is not None:
        _counters(page, detail.counters)
        page.heading("Limits")
        for label, threshold, meaning in (
            ("Upper", detail.upper_threshold, "  no new connections beyond it"),
            ("Lower", detail.lower_threshold, "  takes new ones again below it"),
        ):
            page.line(label, grouped(threshold) if threshold else "none", meaning)
        page.line("Persistent", grouped(detail.persistent), "  clients bound to it")
        if detail.tunnel:
            page.line("Tunnel", detail.tunnel)
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
            _checker(page, checker)
    elif not view.checks:
        page.bits.append(("No health check: nobody looks after it.\n", "$sev-warn"))
    foreign = "it was added to the kernel by hand or by another program"
    _configured(page, configured is not None, foreign)
    if configured is not None:
        on_failure = "weight 0 (inhibit_on_failure)" if configured.inhibit_on_failure else "removed"
        page.line("When it fails", on_failure)
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
    page.line("Service", view.key, f" {view.name}", "bold $lv-text")
    page.line("Up", f"{view.up} of {view.pool}", style=f"bold {style}")
    if view.reason:
        page.line("Because", view.reason, style=style)
    quorum = glyphs.yes if view.quorum_ok else glyphs.no
    page.line("Quorum", f"{view.quorum} ", quorum, note_style=style)
    page.line("Scheduler", view.scheduler)
    page.line("Forwarding", view.forwarding)
    persistence = f"{view.persistence_s} s" if view.persistence_s else "none"
    if view.kernel is not None and view.kernel.netmask:
        persistence += f", clients grouped by {view.kernel.netmask}"
    page.line("Persistence", persistence)
    if view.one_packet:
        page.line("One packet", "each packet is scheduled by itself")
    if view.vip_here is not None:
        here = "on this host" if view.vip_here else "not on this host (the other director's)"
        page.line("Address", here)
    if configured is not None and configured.sorry_server is not None:
        answers = "answers now" if view.sorry_active else "waits"
        page.line("Sorry server", f"{configured.sorry_server}, {answers}")
    _graph(page, view.history, width, glyphs)
    page.heading("Now")
    page.line("Active", grouped(view.active))
    page.line("Inactive", grouped(view.inactive))
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
    _configured(page, configured is not None, "made with ipvsadm or by another program")
    if configured is not None and configured.group:
        page.line("Group", configured.group)
    _events(page, picture, str(view.key), view, now)
    return page


def _place(place: Place | None) -> str:
    return f"{place.file}:{place.line}" if place is not None else ""


def _configured(page: DetailPage, known: bool, foreign: str) -> None:
    page.heading("Configuration")
    if known:
        page.line("At", page.place or "unknown", style="$lv-accent")
    else:
        page.line("In no file", foreign, style="$rs-foreign")


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
            page.line(label, f"{glyphs.none}  not there", style="$lv-dim")
        elif value == known[0]:
            page.line(label, value)
        else:
            note = f"  {glyphs.differs} file"
            page.line(label, value, note, "bold $rs-differs", "$rs-differs")


def _graph(page: DetailPage, history: tuple[float, ...], width: int, glyphs: Glyphs) -> None:
    if not history:
        return
    page.heading("new connections per second, last minute")
    lines = graph(history, min(width - 10, _MOST_GRAPH), _GRAPH_HEIGHT, glyphs)
    for index, line in enumerate(lines):
        mark = per_second(max(history)) if index == 0 else "0" if index == len(lines) - 1 else ""
        page.bits += [(f"{mark:>6} ", "$lv-dim"), (line + "\n", "$lv-accent")]


def _rates(page: DetailPage, rates: Rates | None) -> None:
    if rates is None:
        return
    page.line("New", f"{per_second(rates.connections)} connections/s")
    packets = f"  {per_second(rates.packets_in)} packets/s"
    page.line("In", bits_per_second(rates.bytes_in), packets)
    packets = f"  {per_second(rates.packets_out)} packets/s  (DR and TUN answer past the director)"
    page.line("Out", bits_per_second(rates.bytes_out), packets)


def _counters(page: DetailPage, counters: Counters) -> None:
    page.heading("Since it was added")
    page.line("Connections", grouped(counters.connections))
    page.line("Packets in", grouped(counters.packets_in))
    page.line("Packets out", grouped(counters.packets_out))
    page.line("Bytes in", grouped(counters.bytes_in), f"  {size(counters.bytes_in)}")
    page.line("Bytes out", grouped(counters.bytes_out), f"  {size(counters.bytes_out)}")


def _checker(page: DetailPage, checker: ConfiguredChecker) -> None:
    where = f"  {_place(checker.place)}" if checker.place else ""
    page.line(
        "Configured",
        f"{checker.kind} {checker.target}",
        f"  every {checker.delay_loop_s:g} s, gives up after {checker.connect_timeout_s:g} s,"
        f" {checker.retry} retries{where}",
    )


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
