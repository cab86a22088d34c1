"""The screen of real servers: which host has what it needs, the evidence, and the ways to mend it.

Nothing is asked of any host until the operator says so.
"""

from __future__ import annotations

from typing import Any, ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical, VerticalScroll
from textual.content import Content
from textual.widgets import Static

from lvstui.model.picture import Picture
from lvstui.model.realserver import Look
from lvstui.model.say import moment
from lvstui.operations.change import Phase
from lvstui.operations.rows import Row, loaded
from lvstui.operations.undo import Offer
from lvstui.realserver.checks import MEANINGS, TITLES
from lvstui.realserver.hosts import Host
from lvstui.session.realservers import HostsChange, RealServerSession
from lvstui.tui.command import Command
from lvstui.tui.dialog import PageDialog, ask
from lvstui.tui.filtered import FilteredScreen, hidden_field
from lvstui.tui.realservers.commands import NO_WAY, REALSERVER_COMMANDS
from lvstui.tui.realservers.matrix import Matrix
from lvstui.tui.realservers.text import (
    cell_bits,
    host_bits,
    matrix_lines,
    passes,
    target_bits,
    untouched_bits,
    verified,
    wrong_bits,
)
from lvstui.tui.widgets.keybar import TargetLine
from lvstui.tui.widgets.line import Bit, RuleStrip

_BELOW = 9
"""Lines that the evidence, the rule and the footer need at least."""


class RealServersScreen(FilteredScreen):
    """Hosts × checks."""

    MODE = "realservers"
    OWN: ClassVar[tuple[Command[Any], ...]] = REALSERVER_COMMANDS
    FOOTER = "refresh rs-push rs-verify rs-undo rs-mark rs-evidence rs-filter rs-faults"

    def body(self) -> ComposeResult:
        glyphs = self.console.glyphs
        yield Static("", id="rs-state", markup=False)
        yield Matrix(glyphs, id="main")
        with Vertical(id="rs-pane"):
            yield RuleStrip("EVIDENCE", glyphs)
            with VerticalScroll(id="rs-cell", can_focus=False):
                yield Static(id="rs-cell-text", markup=False)
        yield hidden_field()
        yield TargetLine(glyphs)

    def on_mount(self) -> None:
        """Start with what the configuration says; nobody is asked anything."""
        self.matrix = self.query_one(Matrix)
        self._pattern = ""
        self._faults = False
        self.session.watchers.append(self.redraw)
        self.session.read_own()

    @property
    def session(self) -> RealServerSession:
        return self.console.realserver_session

    # What is shown

    def show_picture(self, picture: Picture) -> None:
        """The configuration may have changed; the age of what is known has."""
        super().show_picture(picture)
        self.redraw()

    def on_resize(self) -> None:
        self.call_after_refresh(self.redraw)

    def redraw(self) -> None:
        """Everything below the header, from what is known now."""
        if not self.whole:
            return
        self.session.follow(self.console.picture)
        lines = matrix_lines(
            self.session, self.console.picture.looks, self.console.settings.clock()
        )
        self._total = len(lines)
        shown = [line for line in lines if passes(line, self._pattern, self._faults)]
        self.matrix.show_lines(shown)
        most = max(self.size.height - _BELOW - 3, 4)
        self.matrix.styles.height = min(len(shown) + 1, max(most // 2 + 1, 4))
        self._say_state()
        self._show_cell()
        self.keys.look_again()

    def _say_state(self) -> None:
        """What stands above the matrix: why it is empty, or what is in the way."""
        session, glyphs = self.session, self.console.glyphs
        bits: list[Bit] = []
        if not session.hosts and self.console.picture.ready:
            bits.append(
                (
                    "No real server in Direct Routing is in the configuration of "
                    f"{self.console.picture.host}.",
                    "$lv-text",
                )
            )
        elif session.hosts and not self.matrix.rows:
            what = f"/{self._pattern.strip()}" if self._pattern.strip() else "not good only"
            bits.append((f"Nothing to show ({what}): Esc shows all.", "$lv-text"))
        if not session.possible:
            bits.append(("\n" if bits else "", ""))
            bits.append(
                (f"{glyphs.info} No host can be asked from here: this is a recording.", "$sev-warn")
            )
        if session.own_trouble:
            bits.append(("\n" if bits else "", ""))
            bits.append((f"{glyphs.warn} {session.own_trouble}", "$sev-warn"))
        state = self.query_one("#rs-state", Static)
        state.display = bool(bits)
        if bits:
            state.update(Content.assemble(*bits))

    def _show_cell(self) -> None:
        line, looks = self.matrix.here, self.console.picture.looks
        width = max(self.size.width - 4, 40)
        bits: list[Bit] = []
        glyphs = self.console.glyphs
        seen = [look for host in self.session.hosts if (look := looks.get(host.address))]
        if line is not None and not seen:
            bits += untouched_bits(len(self.session.hosts), self.console.picture.host, width)
        elif line is not None:
            look = looks.get(line.address)
            bits += cell_bits(
                line.label, line.vip, self.matrix.check_id, self.matrix.check, look, width, glyphs
            )
            bits += wrong_bits(seen, width, glyphs)
        self.query_one("#rs-cell-text", Static).update(Content.assemble(*bits).rstrip())
        self.show_target()

    def show_target(self) -> None:
        """What a key acts on, and what is under way."""
        left, right = target_bits(
            self.session, self.matrix, self.console.picture, self._total, self.console.glyphs
        )
        if self._pattern.strip():
            right.insert(0, (f"/{self._pattern.strip()}  ", "bold $lv-accent"))
        if self._faults:
            right.insert(0, ("not good only  ", "bold $sev-warn"))
        self.query_one(TargetLine).show(left, right)

    @property
    def _changing(self) -> bool:
        change = self.session.change
        return change is not None and change.phase is Phase.RUNNING

    # What commands ask

    def marked(self) -> list[Host]:
        """The marked hosts, in the order of the configuration."""
        return [host for host in self.session.hosts if host.address in self.matrix.marks]

    def here(self) -> Host | None:
        """The host under the cursor."""
        line = self.matrix.here
        if line is None:
            return None
        return next((host for host in self.session.hosts if host.address == line.address), None)

    def targets(self) -> list[Host]:
        """What a change acts on: the marked hosts, else the one under the cursor."""
        here = self.here()
        return self.marked() or ([here] if here is not None else [])

    def look_here(self) -> Look | None:
        """What was seen of the host under the cursor."""
        line = self.matrix.here
        return self.console.picture.looks.get(line.address) if line is not None else None

    def verify(self) -> None:
        """Look again and say what came of it."""

        def then(rows: tuple[Row, ...]) -> None:
            text, bad = verified(rows)
            self.tell(text, bad=bad)

        self.session.look(self.marked() or self.session.hosts, then)

    def propose(self, operation: str) -> None:
        self._open_change(self.session.begin(operation, self.targets()))

    def propose_undo_of(self, offer: Offer) -> None:
        """What takes back a push or an undo of before, on the same hosts and VIPs."""
        operation = "push" if offer.operation.is_undo else "undo"
        addresses = offer.operation.hosts
        self.session.follow(self.console.picture)
        hosts = [host for host in self.session.hosts if host.address in addresses]
        if not self.session.possible:
            self.tell(NO_WAY, bad=True)
        elif self.session.wait:
            self.tell(self.session.wait, bad=True)
        elif len(hosts) < len(addresses):
            gone = ", ".join(sorted(set(addresses) - {host.address for host in hosts}))
            self.tell(
                f"{gone} is no real server of the configuration now: "
                f"lvstui realserver {operation} {gone} --vip ADDR",
                bad=True,
            )
        else:
            self._open_change(
                self.session.begin(operation, hosts, offer.operation.vips, offer.cautions)
            )

    def open_last(self) -> None:
        if self.session.change is not None:
            self._open_change(self.session.change)

    def _open_change(self, change: HostsChange) -> None:
        from lvstui.tui.change.push import PushScreen

        self.app.push_screen(PushScreen(self.session, change))

    def ask_reboot(self) -> None:
        """Their names have to be typed."""
        from lvstui.tui.change.push import RebootScreen

        hosts = self.targets()

        cautions = tuple(loaded(hosts, self.session.weights))
        dialog = RebootScreen(tuple(h.label for h in hosts), cautions)
        ask(self.app, dialog, lambda yes: self.session.reboot(hosts))

    def open_evidence(self) -> None:
        look = self.look_here()
        if look is not None:
            self.app.push_screen(EvidenceScreen(look))

    def turn_faults(self) -> None:
        self._faults = not self._faults
        self.redraw()

    def filter_by(self, pattern: str) -> None:
        self._pattern = pattern
        self.redraw()

    def step_back(self) -> None:
        """Esc: stop a look, then the filter, then not-good-only, then the marks."""
        if self.session.under_way and not self._changing and not self.session.stopping:
            self.session.stop()
        elif self.filter_open or self._pattern:
            self.close_filter(clear=True)
        elif self._faults:
            self.turn_faults()
        elif self.matrix.marks:
            self.matrix.mark(set(self.matrix.marks), False)

    @on(Matrix.Moved)
    @on(Matrix.Marked)
    def _cell_changed(self) -> None:
        self._show_cell()
        self.keys.look_again()

    @on(Matrix.Headed)
    def _heading_clicked(self, event: Matrix.Headed) -> None:
        self.tell(f"{TITLES[event.check]}: {MEANINGS[event.check]}")

    @on(Matrix.Opened)
    def _cell_opened(self) -> None:
        self.action_command("rs-evidence")


class EvidenceScreen(PageDialog):
    """Everything that one look saw of a host and what it means."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("y", "copy", "Copy the page", show=False)]
    KEYS = (("j k", "scroll"), ("y", "copy"), ("Esc", "close"))

    def __init__(self, look: Look) -> None:
        super().__init__()
        self._look = look

    def heading(self) -> str:
        look = self._look
        at = moment(look.at, self.console.settings.clock())
        where = f" ({look.address})" if look.name else ""
        return f"{look.label}{where}, looked at {at}"

    def content(self, width: int) -> Content:
        return Content.assemble(*host_bits(self._look, width, self.console.glyphs)).rstrip()

    def action_copy(self) -> None:
        """The page, as wide as most terminals."""
        bits = host_bits(self._look, 100, self.console.glyphs)
        self.copy("".join(text for text, _ in bits), "the page")
