"""A push or an undo in its dialog; and the question before hosts are started anew."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from textual import on
from textual.app import ComposeResult
from textual.content import Content
from textual.widgets import Input, Static

from lvstui.model.say import plural
from lvstui.operations.change import Phase
from lvstui.session.realserver_change import HostsChange
from lvstui.session.realservers import RealServerSession
from lvstui.tui.change.dialog import ChangeScreen
from lvstui.tui.change.push_text import plan_bits, progress_bits, result_bits
from lvstui.tui.dialog import Dialog
from lvstui.tui.widgets.glyphs import Glyphs
from lvstui.tui.widgets.line import Bit


class PushScreen(ChangeScreen):
    """One of the session's changes."""

    def __init__(
        self,
        session: RealServerSession,
        change: HostsChange,
        finished: Callable[[HostsChange], None],
    ) -> None:
        """finished: hears of the end when nobody looks at this any more."""
        super().__init__(change, session.watchers)
        self._session = session
        self._finished = finished

    @property
    def change(self) -> HostsChange:
        """What is shown."""
        assert isinstance(self._change, HostsChange)
        return self._change

    def keys(self) -> Sequence[tuple[str, str]]:
        """Looking can be stopped as well."""
        if self.change.phase is Phase.PLANNING:
            return ("Esc", "close: it goes on"), ("s", self.STOPS)
        if self.is_open or self.change.phase is Phase.RUNNING:
            return super().keys()
        return ("Esc", "close"), ("r", "look and plan again"), ("j k", "scroll")

    def bits(self, width: int, glyphs: Glyphs) -> list[Bit]:
        """Host by host, with the diffs; then how each ended."""
        if self.change.phase is Phase.PLANNED:
            return plan_bits(self.change, width, glyphs)
        return result_bits(self.change, width, glyphs)

    def progress(self, width: int, glyphs: Glyphs) -> list[Bit]:
        """A line for each host."""
        change, stages = self.change, self._session.stages
        if change.phase is not Phase.PLANNING:
            return progress_bits(change, stages, self.seconds, width, glyphs)
        bits: list[Bit] = [("Looking first: a plan is made from what is true now.\n\n", "$lv-text")]
        for host in change.hosts:
            bits += [
                (f"  {glyphs.dot} {host.label}  ", "bold $lv-text"),
                (f"{stages.get(host.address, 'seen')}\n", "$lv-accent"),
            ]
        return bits

    def action_stop(self) -> None:
        """Begin nothing more."""
        if self.change.phase in (Phase.RUNNING, Phase.PLANNING):
            self._session.stop()

    def again(self) -> HostsChange:
        """Look anew."""
        was = self.change
        for host in was.hosts:
            self._session.rows.pop(host.address, None)
        return self._session.begin(was.operation, was.hosts, was.vips, was.cautions)

    def begin(self) -> None:
        """Its end is drawn here, or told elsewhere."""
        self._session.apply(self.change, self.reason, self._ended)

    def busy(self) -> str:
        """One piece of work at a time."""
        return self._session.under_way

    def _ended(self) -> None:
        if self.whole and self in self.app.screen_stack:
            self.draw()
        else:
            self._finished(self.change)


class RebootScreen(Dialog[bool]):
    """Asks before hosts are started anew: their names have to be typed."""

    KEYS = (("Enter", "reboot, when the name is typed"), ("Esc", "leave"))

    def __init__(self, names: tuple[str, ...], cautions: tuple[str, ...]) -> None:
        super().__init__()
        self._names = names
        self._cautions = cautions

    def heading(self) -> str:
        """Which ones."""
        return f"reboot {' '.join(self._names)}"

    def body(self) -> ComposeResult:
        """What happens, and the field."""
        glyphs = self.console.glyphs
        count = plural(len(self._names), "host")
        bits: list[Bit] = [
            (
                f"{count}: started anew, one after the other, each awaited for 5 minutes; then "
                "looked\nat. What comes back by itself proves that the push survives a reboot.\n",
                "$lv-text",
            )
        ]
        bits += [(f"{glyphs.warn} {text}\n", "$sev-warn") for text in self._cautions]
        bits.append(("\nType ", "$lv-dim"))
        bits += [(" ".join(self._names), "bold $lv-accent"), (" to confirm", "$lv-dim")]
        yield Static(Content.assemble(*bits), classes="prose")
        yield Input(id="answer")

    @on(Input.Submitted)
    def _typed(self, event: Input.Submitted) -> None:
        if event.value.split() == list(self._names):
            self.dismiss(True)
        else:
            self.tell("That is not the name.", bad=True)
