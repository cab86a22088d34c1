"""The main screen: virtual services, their real servers, and what has just happened."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar

from textual import on
from textual.app import ComposeResult
from textual.containers import Vertical, VerticalScroll
from textual.content import Content
from textual.widgets import Static

from lvstui.model.config import Configuration
from lvstui.model.keys import ServerKey, ServiceKey
from lvstui.model.picture import Gap, Picture, ServerView, ServiceView
from lvstui.model.say import grouped, plural
from lvstui.operations.weights import disabled_words
from lvstui.tui.choice import ChoiceScreen
from lvstui.tui.command import Command
from lvstui.tui.dialog import ask
from lvstui.tui.events.event_list import EventList
from lvstui.tui.filtered import FilteredScreen, hidden_field
from lvstui.tui.services.commands import SERVICES_COMMANDS
from lvstui.tui.services.explain import Explanation, explain, unexplained
from lvstui.tui.services.rows import RowId, Sort, ViewOptions
from lvstui.tui.services.server_table import ServerTable
from lvstui.tui.widgets.keybar import TargetLine
from lvstui.tui.widgets.line import Bit, RuleStrip

if TYPE_CHECKING:
    from lvstui.session.selection import Selection
    from lvstui.tui.config.actions import ConfigActions

_LEAST_EVENTS, _MOST_EVENTS = 2, 40
_LEAST_HEIGHT = 16
"""Lines of a terminal below which events are not shown."""
_EVENTS_SHARE, _FEW_EVENTS, _MANY_EVENTS = 5, 4, 12
"""The events take a fifth of the terminal's lines, within these bounds."""


class ServicesScreen(FilteredScreen):
    """Services and real servers."""

    MODE = "services"
    OWN: ClassVar[tuple[Command[Any], ...]] = SERVICES_COMMANDS
    FOOTER = "drain enable weight details undo filter file-disable file-add sort faults"

    def body(self) -> ComposeResult:
        glyphs = self.console.glyphs
        yield ServerTable(glyphs, id="main")
        with VerticalScroll(id="explanation", can_focus=False):
            yield Static(id="explanation-text", markup=False)
        yield hidden_field()
        with Vertical(id="events-pane"):
            yield RuleStrip("EVENTS", glyphs)
            yield EventList(glyphs, cursor=False, id="events")
        yield TargetLine(glyphs)

    def on_mount(self) -> None:
        """Start with the events as set up."""
        self.table = self.query_one(ServerTable)
        self._why: Explanation | None = None
        self.query_one("#explanation").display = False
        pane = self.query_one("#events-pane")
        height = self.console.settings.events_height
        if height is None:
            height = min(max(self.app.size.height // _EVENTS_SHARE, _FEW_EVENTS), _MANY_EVENTS)
        pane.styles.height = max(height, _LEAST_EVENTS)
        self._events_wanted = height > 0
        self._fit_events()

    def on_resize(self) -> None:
        """A very low terminal has no room for events."""
        self._fit_events()

    def _fit_events(self) -> None:
        room = self.app.size.height >= _LEAST_HEIGHT
        self.query_one("#events-pane").display = self._events_wanted and room

    # Pictures

    def gaps(self, picture: Picture) -> tuple[Gap, ...]:
        """Without those that the explanation in the table's place names."""
        return unexplained(picture)

    def show_picture(self, picture: Picture) -> None:
        super().show_picture(picture)
        self.table.show_services(picture.services, self.console.settings.clock())
        self._explain(picture)
        self._show_events()
        self.show_target()

    def _explain(self, picture: Picture) -> None:
        """Say why there is no row, where there is none."""
        why = explain(picture)
        if why is None and not self.table.rows:
            shape = self.table.shape
            if shape.pattern.strip():
                what = f"Nothing matches {shape.pattern.strip()!r}"
                why = Explanation(what, (), ("Esc clears the filter.",))
            else:
                good = ("Every real server is up or has no check.", "Esc shows them all.")
                why = Explanation("No fault to show", good[:1], good[1:])
        if why == self._why:
            return
        self._why = why
        self.query_one("#explanation").display = why is not None
        # Not `display`: a widget that is not displayed loses the focus, and the keys with it.
        self.table.set_class(why is not None, "-explained")
        self.table.set_class(not picture.services, "-empty")
        if why is not None:
            self.query_one("#explanation-text", Static).update(_explained(why))

    def _show_events(self) -> None:
        pane = self.query_one("#events-pane")
        if not pane.display:
            return
        events = self.query_one(EventList)
        events.show_events(self.console.picture.events, self.console.settings.clock())

    def show_target(self) -> None:
        """What a key acts on, and how the table is shown."""
        self.query_one(TargetLine).show(self._target_bits(), self._shape_bits())

    def _target_bits(self) -> list[Bit]:
        glyphs = self.console.glyphs
        arrow: Bit = (f" {glyphs.chevron} ", "$lv-dim")
        bits: list[Bit] = [(self.console.picture.host, "bold $lv-text")]
        marked = self.marked()
        if marked:
            shown = {row.id for row in self.table.rows if isinstance(row, ServerView)}
            hidden = sum(server.id not in shown for server in marked)
            services = len({server.service for server in marked})
            text = f"{glyphs.mark} {len(marked)} marked in {plural(services, 'service')}"
            bits += [arrow, (text, "bold $lv-accent")]
            if hidden:
                bits.append((f" ({hidden} not shown)", "$sev-warn"))
            bits.append((": keys act on these; Esc unmarks", "$lv-dim"))
            return bits
        row = self.table.row
        if row is None:
            return bits
        service = row if isinstance(row, ServiceView) else self.service_here()
        if service is not None:
            bits += [arrow, (str(service.key), "bold $lv-text")]
            if service.name:
                bits.append((f" {service.name}", "$lv-dim"))
        if isinstance(row, ServerView):
            bits += [arrow, (str(row.key), "bold $lv-accent")]
            if row.name:
                bits.append((f" {row.name}", "$lv-dim"))
        return bits

    def _shape_bits(self) -> list[Bit]:
        shape, table = self.table.shape, self.table
        bits: list[Bit] = []
        if shape.pattern.strip():
            bits.append((f"/{shape.pattern.strip()}", "bold $lv-accent"))
        if shape.faults:
            bits.append(("   faults only", "bold $sev-warn"))
        if table.hidden:
            bits.append((f"   {grouped(table.hidden)} hidden", "$lv-dim"))
        if shape.sort is not Sort.FILE or shape.reverse:
            turned = ", reversed" if shape.reverse else ""
            bits.append((f"   by {shape.sort.value}{turned}", "$lv-dim"))
        if table.column_set.name != "load":
            bits.append((f"   columns: {table.column_set.name}", "$lv-dim"))
        return bits

    # What commands ask

    def marked(self) -> list[ServerView]:
        """The marked real servers, in the order of the picture."""
        if not self.table.marks:
            return []
        services = {mark[0] for mark in self.table.marks}
        return [
            server
            for service in self.console.picture.services
            if service.key in services
            for server in service.servers
            if server.id in self.table.marks
        ]

    def targets(self) -> list[ServerView]:
        """What an operation acts on: the marked servers, else the one under the cursor."""
        marked = self.marked()
        if marked:
            return marked
        row = self.table.row
        return [row] if isinstance(row, ServerView) else []

    def service_here(self) -> ServiceView | None:
        """The service under the cursor, or that of the server under it."""
        row = self.table.row
        if isinstance(row, ServerView):
            return self.console.picture.service(row.service)
        return row

    # Operations

    def disabled_targets(self) -> list[ServerView]:
        """Those of the targets that are off in the file on purpose, and in the kernel."""
        return [s for s in self.targets() if disabled_words(s) and not s.weights.kernel]

    def choose_enable(self) -> None:
        """Say which targets are disabled in the file, and enable them there; or the others in the
        kernel."""
        off = self.disabled_targets()
        drained = [server.id for server in self.targets() if server not in off]
        lines = ["; ".join(disabled_words(server) for server in off[:3])]
        if len(off) > 3:
            lines[0] += f"; and {len(off) - 3} more"
        lines[0] += ". Enter: its plan."
        if drained:
            lines.append(f"The other {plural(len(drained), 'server')}: e, in the kernel.")

        def chosen(at: int) -> None:
            if at == 1:
                self.propose("enable", targets=drained)
            else:
                why = self.in_file.why_not()
                if why:
                    self.tell(why, bad=True)
                else:
                    self.in_file.enable([server.id for server in off])

        ask(self.app, ChoiceScreen("Enable", lines), chosen)

    def propose(
        self,
        operation: str,
        weight: int | None = None,
        targets: Sequence[tuple[ServiceKey, ServerKey]] | None = None,
    ) -> None:
        """Show the plan of an operation on `targets`, or on those that are chosen."""
        from lvstui.tui.change.plan import PlanScreen

        if targets is None:
            targets = [server.id for server in self.targets()]
        wanted, console = tuple(targets), self.console
        change = console.weights.plan(
            operation,
            lambda: console.operator.plan(console.picture, operation, wanted, weight=weight),
        )
        self.app.push_screen(PlanScreen(console.weights, change), self._plan_closed)

    def _plan_closed(self, applied: bool | None) -> None:
        if applied and self.table.marks:
            self.table.mark(set(self.table.marks), False)

    def ask_weight(self) -> None:
        from lvstui.tui.services.weight import WeightScreen

        ask(self.app, WeightScreen(self.targets()), lambda weight: self.propose("weight", weight))

    def check_now(self) -> None:
        """Ask the server under the cursor, and show what comes."""
        from lvstui.tui.services.check import CheckScreen

        session, row = self.console.check_session, self.table.row
        if session is not None and isinstance(row, ServerView):
            self.app.push_screen(CheckScreen(session, session.check(row)))

    def open_details(self, wanted: RowId | None = None) -> None:
        """Everything about a row (the one under the cursor)."""
        from lvstui.tui.services.details import DetailsScreen

        row = self.table.row
        if wanted is None and row is not None:
            wanted = row.id if isinstance(row, ServerView) else (row.key, None)
        if wanted is not None:
            self.app.push_screen(DetailsScreen(wanted))

    def mark_here(self) -> None:
        """Mark or unmark the row under the cursor and go on."""
        row = self.table.row
        if isinstance(row, ServerView):
            self.table.mark([row.id], row.id not in self.table.marks)
            self.table.action_move(1)
        elif row is not None:
            self.mark_servers(row.servers)

    def mark_servers(self, servers: Sequence[ServerView]) -> None:
        """Mark these; when all are marked already, unmark them."""
        ids = {server.id for server in servers}
        self.table.mark(ids, bool(ids - self.table.marks))

    # In the file

    @property
    def in_file(self) -> ConfigActions:
        """What can be done to keepalived.conf from here."""
        from lvstui.tui.config.actions import ConfigActions

        return ConfigActions(self, at_once=True)

    @property
    def spot(self) -> Selection:
        """What the cursor is on, as the file has it."""
        from lvstui.session.selection import Selection

        row = self.table.row
        if isinstance(row, ServerView):
            return Selection(row.service, row.key)
        return Selection(row.key) if row is not None else Selection()

    def add_in_file(self) -> None:
        """Choose what, fill it in, see the plan."""
        services = tuple(v.configured for v in self.console.picture.services if v.configured)
        self.in_file.add(self.spot, Configuration(services=services))

    # View

    def reshape(self, shape: ViewOptions) -> None:
        self.table.reshape(shape)
        self._explain(self.console.picture)
        self.show_target()

    def choose_sort(self) -> None:
        orders = list(Sort)
        now = self.table.shape.sort

        def chosen(at: int) -> None:
            sort = orders[at]
            again = sort is now and sort is not Sort.FILE
            reverse = again and not self.table.shape.reverse
            self.reshape(replace(self.table.shape, sort=sort, reverse=reverse))

        names = [order.value for order in orders]
        ask(self.app, ChoiceScreen("Sort by", names, orders.index(now), again="s"), chosen)

    def filter_by(self, pattern: str) -> None:
        self.reshape(replace(self.table.shape, pattern=pattern))

    def step_back(self) -> None:
        """Esc: close or clear the filter, then faults-only, then the marks."""
        shape = self.table.shape
        if self.filter_open or shape.pattern:
            self.close_filter(clear=True)
        elif shape.faults:
            self.reshape(replace(shape, faults=False))
        elif self.table.marks:
            self.table.mark(set(self.table.marks), False)

    def resize_events(self, by: int | None) -> None:
        """Larger or smaller; None hides or shows them."""
        pane = self.query_one("#events-pane")
        if by is None:
            self._events_wanted = not self._events_wanted
            self._fit_events()
        else:
            most = min(_MOST_EVENTS, self.size.height - 8)
            height = (pane.size.height if pane.display else 0) + by
            self._events_wanted = height >= _LEAST_EVENTS
            self._fit_events()
            pane.styles.height = max(min(height, most), _LEAST_EVENTS)
        self._show_events()

    @on(ServerTable.CursorMoved)
    @on(ServerTable.MarksChanged)
    @on(ServerTable.Reshaped)
    def _table_changed(self) -> None:
        self.show_target()
        self.keys.look_again()

    @on(ServerTable.Opened)
    def _row_opened(self) -> None:
        self.action_command("details")

    @on(ServerTable.VisibleChanged)
    def _watch(self, event: ServerTable.VisibleChanged) -> None:
        self.console.feed.watch_closely(event.services)


def _explained(why: Explanation) -> Content:
    parts: list[Bit] = [(why.title + "\n", "bold $lv-accent")]
    if why.text:
        parts += [("\n", ""), *((line + "\n", "$lv-text") for line in why.text)]
    if why.todo:
        parts.append(("\nWhat to do\n", "$lv-dim"))
        parts += [(f"  {line}\n", "$lv-text") for line in why.todo]
    return Content.assemble(*parts)
