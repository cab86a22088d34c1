"""The screen of real servers: which host has what it needs, the evidence, and the ways to mend it.

Nothing is asked of any host until the operator says so.
"""

from __future__ import annotations

from typing import Any, ClassVar

from textual import on
from textual.app import ComposeResult
from textual.containers import Vertical, VerticalScroll
from textual.content import Content
from textual.message import Message
from textual.widgets import Static

from lvstui.model.picture import Picture
from lvstui.operations.change import Phase
from lvstui.operations.effects import loaded
from lvstui.operations.rows import Row
from lvstui.realserver.checks import MEANINGS, TITLES
from lvstui.realserver.hosts import Host
from lvstui.tui.change.realserver_change import HostsChange
from lvstui.tui.command import Command
from lvstui.tui.filtered import FilteredScreen, hidden_field
from lvstui.tui.realservers.commands import NO_WAY, REALSERVER_COMMANDS
from lvstui.tui.realservers.desk import Desk
from lvstui.tui.realservers.lines import matrix_lines, passes, target_bits, verified
from lvstui.tui.realservers.matrix import Matrix
from lvstui.tui.realservers.text import cell_bits, untouched_bits, wrong_bits
from lvstui.tui.widgets.keybar import TargetLine
from lvstui.tui.widgets.line import Bit, RuleStrip

_BELOW = 9
"""Lines that the evidence, the rule and the footer need at least."""


class _Later(Message):
    """Something to do on the UI's thread."""

    def __init__(self, call: Any) -> None:
        super().__init__()
        self.call = call


class RealServersScreen(FilteredScreen):
    """Hosts × checks."""

    MODE = "realservers"
    OWN: ClassVar[tuple[Command[Any], ...]] = REALSERVER_COMMANDS
    FOOTER = (
        "refresh",
        "rs-push",
        "rs-verify",
        "rs-undo",
        "rs-mark",
        "rs-evidence",
        "rs-filter",
        "rs-faults",
    )

    def body(self) -> ComposeResult:
        """Matrix, evidence, filter, what a key acts on."""
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
        make, asker = self.console.realservers, self._asker()
        self.desk = Desk(
            None if make is None else (lambda: make(asker)),
            lambda call: self.post_message(_Later(call)),
            self.console.settings.clock,
        )
        self.desk.watchers.append(self.redraw)
        self.console.under_way = lambda: self.desk.under_way
        self.desk.read_own()

    def _asker(self) -> Any:
        from lvstui.tui.questions import ScreenAsker

        return ScreenAsker(self.app)

    @on(_Later)
    def _do_later(self, event: _Later) -> None:
        event.stop()
        event.call()

    # What is shown

    def show_picture(self, picture: Picture) -> None:
        """The configuration may have changed; the age of what is known has."""
        super().show_picture(picture)
        self.redraw()

    def on_resize(self) -> None:
        """Other heights, other lines."""
        self.call_after_refresh(self.redraw)

    def redraw(self) -> None:
        """Everything below the header, from what is known now."""
        if not self.whole:
            return
        self.desk.follow(self.console.picture)
        lines = matrix_lines(self.desk, self.console.settings.clock())
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
        desk, glyphs = self.desk, self.console.glyphs
        bits: list[Bit] = []
        if not desk.hosts and self.console.picture.ready:
            bits.append(
                (
                    "No real server in Direct Routing is in the configuration of "
                    f"{self.console.picture.host}.",
                    "$lv-text",
                )
            )
        elif desk.hosts and not self.matrix.lines:
            what = f"/{self._pattern.strip()}" if self._pattern.strip() else "not good only"
            bits.append((f"Nothing to show ({what}): Esc shows all.", "$lv-text"))
        if not desk.possible:
            bits.append(("\n" if bits else "", ""))
            bits.append(
                (f"{glyphs.info} No host can be asked from here: this is a recording.", "$sev-warn")
            )
        if desk.own_trouble:
            bits.append(("\n" if bits else "", ""))
            bits.append((f"{glyphs.warn} {desk.own_trouble}", "$sev-warn"))
        state = self.query_one("#rs-state", Static)
        state.display = bool(bits)
        if bits:
            state.update(Content.assemble(*bits))

    def _show_cell(self) -> None:
        line = self.matrix.line
        width = max(self.size.width - 4, 40)
        bits: list[Bit] = []
        glyphs = self.console.glyphs
        if line is not None and not self.desk.rows:
            bits += untouched_bits(len(self.desk.hosts), self.console.picture.host, width)
        elif line is not None:
            row = self.desk.rows.get(line.address)
            bits += cell_bits(
                line.label, line.vip, self.matrix.check_id, self.matrix.check, row, width, glyphs
            )
            bits += wrong_bits(
                [
                    r
                    for host in self.desk.hosts
                    if (r := self.desk.rows.get(host.address)) is not None
                ],
                width,
                glyphs,
            )
        self.query_one("#rs-cell-text", Static).update(Content.assemble(*bits).rstrip())
        self.show_target()

    def show_target(self) -> None:
        """What a key acts on, and what is under way."""
        left, right = target_bits(
            self.desk, self.matrix, self.console.picture.host, self._total, self.console.glyphs
        )
        if self._pattern.strip():
            right.insert(0, (f"/{self._pattern.strip()}  ", "bold $lv-accent"))
        if self._faults:
            right.insert(0, ("not good only  ", "bold $sev-warn"))
        self.query_one(TargetLine).show(left, right)

    @property
    def _changing(self) -> bool:
        change = self.desk.change
        return change is not None and change.phase is Phase.RUNNING

    # What commands ask

    def marked(self) -> list[Host]:
        """The marked hosts, in the order of the configuration."""
        return [host for host in self.desk.hosts if host.address in self.matrix.marks]

    def here(self) -> Host | None:
        """The host under the cursor."""
        line = self.matrix.line
        if line is None:
            return None
        return next((host for host in self.desk.hosts if host.address == line.address), None)

    def targets(self) -> list[Host]:
        """What a change acts on: the marked hosts, else the one under the cursor."""
        here = self.here()
        return self.marked() or ([here] if here is not None else [])

    def row_here(self) -> Row | None:
        """What was seen of the host under the cursor."""
        line = self.matrix.line
        return self.desk.rows.get(line.address) if line is not None else None

    def look(self) -> None:
        """At the marked hosts, else at all."""
        self.desk.look(self.marked() or self.desk.hosts, failed=self._failed)

    def _failed(self, text: str) -> None:
        self.tell(text, bad=True)

    def verify(self) -> None:
        """Look again and say what came of it."""

        def then(rows: tuple[Row, ...]) -> None:
            text, bad = verified(rows)
            self.tell(text, bad=bad)

        self.desk.look(self.marked() or self.desk.hosts, then, self._failed)

    def propose(self, operation: str) -> None:
        """Look if need be, then show the plan."""
        self._open_change(self.desk.begin(operation, self.targets()))

    def propose_for(
        self,
        operation: str,
        addresses: tuple[str, ...],
        vips: tuple[str, ...],
        cautions: tuple[str, ...],
    ) -> None:
        """The same for hosts and VIPs that were chosen elsewhere."""
        self.desk.follow(self.console.picture)
        hosts = [host for host in self.desk.hosts if host.address in addresses]
        if not self.desk.possible:
            self.tell(NO_WAY, bad=True)
        elif self.desk.under_way:
            self.tell(f"Wait for this: {self.desk.under_way}.", bad=True)
        elif len(hosts) < len(addresses):
            gone = ", ".join(sorted(set(addresses) - {host.address for host in hosts}))
            self.tell(
                f"{gone} is no real server of the configuration now: "
                f"lvstui realserver {operation} {gone} --vip ADDR",
                bad=True,
            )
        else:
            self._open_change(self.desk.begin(operation, hosts, vips, cautions))

    def open_last(self) -> None:
        """The last push or undo again."""
        if self.desk.change is not None:
            self._open_change(self.desk.change)

    def _open_change(self, change: HostsChange) -> None:
        from lvstui.tui.change.push import PushScreen

        self.app.push_screen(PushScreen(self.desk, change, self._ended))

    def _ended(self, change: HostsChange) -> None:
        ok = change.outcome is not None and change.outcome.ok
        self.app.notify(
            change.line, title=change.title, markup=False, severity="information" if ok else "error"
        )

    def ask_reboot(self) -> None:
        """Their names have to be typed."""
        from lvstui.tui.change.push import RebootScreen

        hosts = self.targets()

        def answered(yes: bool | None) -> None:
            if yes:
                self.desk.reboot(hosts, lambda text, bad: self.tell(text, bad=bad))

        cautions = tuple(loaded(hosts, self.desk.weights))
        self.app.push_screen(RebootScreen(tuple(h.label for h in hosts), cautions), answered)

    def take_back(self) -> None:
        """What an earlier change left half done."""
        self.desk.take_back(self.targets(), lambda text, bad: self.tell(text, bad=bad))

    def save_transcript(self) -> None:
        """To a new file in the state folder, in a thread."""
        settings = self.console.settings
        self.desk.save_transcript(
            settings.state_folder, settings.clock(), lambda text, bad: self.tell(text, bad=bad)
        )

    def open_evidence(self) -> None:
        """Everything about the host under the cursor."""
        from lvstui.tui.realservers.evidence import EvidenceScreen

        row = self.row_here()
        if row is not None:
            self.app.push_screen(EvidenceScreen(row))

    def turn_faults(self) -> None:
        """Only what is not good, or everything."""
        self._faults = not self._faults
        self.redraw()

    def filter_by(self, pattern: str) -> None:
        """Show only hosts that hold these words."""
        self._pattern = pattern
        self.redraw()

    def step_back(self) -> None:
        """Esc: stop a look, then the filter, then not-good-only, then the marks."""
        if self.desk.under_way and not self._changing and not self.desk.stopping:
            self.desk.stop()
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
