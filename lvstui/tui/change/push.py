"""A push or an undo: what was found, the plan with its diffs, progress, and what came of it.

It shows a `Change` of the desk and can be closed and opened at any time: the work goes on. The
focus starts on Cancel.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.widgets import Input, Static

from lvstui.operations.change import Phase
from lvstui.tui.change.plan_form import PlanForm
from lvstui.tui.change.realserver_change import Change
from lvstui.tui.dialog import PAGE_KEYS, Dialog
from lvstui.tui.realservers.desk import Desk
from lvstui.tui.realservers.text import plan_bits, progress_bits, result_bits
from lvstui.tui.widgets.format import plural
from lvstui.tui.widgets.line import Bit

_WIDTH, _BESIDE = 116, 12
"""Of the box as the stylesheet has it, and of what is beside its text."""


class PushScreen(PlanForm[None]):
    """Follows one change to its end."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("s", "stop", "Stop", show=False), *PAGE_KEYS]

    def __init__(self, desk: Desk, change: Change, finished: Callable[[Change], None]) -> None:
        """finished: hears of the end when nobody looks at this any more."""
        super().__init__()
        self._desk = desk
        self._change = change
        self._finished = finished
        self._drawn: Phase | None = None

    @property
    def change(self) -> Change:
        """What is shown."""
        return self._change

    def heading(self) -> str:
        """The change in one line."""
        return self._change.title

    def on_mount(self) -> None:
        """Follow the desk."""
        self.app.clear_notifications()
        self._desk.watchers.append(self.draw)
        self.set_interval(1.0, self._tick)
        self.draw()

    def on_unmount(self) -> None:
        """Follow it no more."""
        if self.draw in self._desk.watchers:
            self._desk.watchers.remove(self.draw)

    def on_resize(self) -> None:
        """Wrap anew."""
        self.draw()

    def _tick(self) -> None:
        if self._change.phase is Phase.RUNNING:
            self.draw()

    def draw(self) -> None:
        """Show how far it is."""
        if not self.whole:
            return
        change = self._change
        open_ = self._open
        width = max(min(self.size.width - 4, _WIDTH) - _BESIDE, 30)
        self.query_one("#plan-text", Static).update(Content.assemble(*self._bits(width)).rstrip())
        self.show_form(
            # What is typed while the hosts are looked at has to have a place.
            reason=open_ or change.phase is Phase.PLANNING,
            typed=open_ and bool(self.to_type),
            apply="Apply" if open_ else "",
            cancel="Cancel" if open_ else "Close",
        )
        if self._drawn is not change.phase:
            self._drawn = change.phase
            self.query_one("#plan-scroll").scroll_home(animate=False)
            if not isinstance(self.focused, Input):
                self.start()

    @property
    def _open(self) -> bool:
        return self._change.phase is Phase.PLANNED and self._change.ready

    @property
    def to_type(self) -> str:
        """What has to be typed before it is applied."""
        plan = self._change.plan
        return plan.typed if plan is not None else ""

    def keys(self) -> Sequence[tuple[str, str]]:
        """Those of the phase."""
        if self._open:
            return (
                ("Esc n", "cancel"),
                ("y", "apply"),
                ("r", "again"),
                ("j k", "scroll"),
                ("Tab", "reason, buttons"),
            )
        if self._change.phase in (Phase.RUNNING, Phase.PLANNING):
            return ("Esc", "close: it goes on"), ("s", "stop what is not begun")
        return ("Esc", "close"), ("r", "look and plan again"), ("j k", "scroll")

    def _bits(self, width: int) -> list[Bit]:
        change, glyphs = self._change, self.console.glyphs
        if change.phase is Phase.PLANNING:
            bits: list[Bit] = [
                ("Looking first: a plan is made from what is true now.\n\n", "$lv-text")
            ]
            for host in change.hosts:
                stage = self._desk.stages.get(host.address, "seen")
                bits += [
                    (f"  {glyphs.dot} {host.label}  ", "bold $lv-text"),
                    (f"{stage}\n", "$lv-accent"),
                ]
            return bits
        if change.phase is Phase.PLANNED:
            return plan_bits(change, width, glyphs)
        if change.phase is Phase.RUNNING:
            seconds = time.monotonic() - change.started
            bits = progress_bits(change, self._desk.stages, seconds, width, glyphs)
            if change.stopped:
                bits.append(("\nStopping: what has begun comes to its end.", "bold $sev-warn"))
            return bits
        return result_bits(change, width, glyphs)

    # Deciding

    def action_stop(self) -> None:
        """Begin nothing more."""
        if self._change.phase in (Phase.RUNNING, Phase.PLANNING):
            self._desk.stop()

    def action_again(self) -> None:
        """Look and plan anew."""
        if self._change.phase not in (Phase.PLANNED, Phase.ENDED):
            return
        if self._desk.under_way:
            self.notify(f"Wait for this: {self._desk.under_way}.", severity="warning", markup=False)
            return
        for host in self._change.hosts:
            self._desk.rows.pop(host.address, None)
        was = self._change
        self._change = self._desk.begin(was.operation, was.hosts, was.vips, was.cautions)
        self.draw()

    def action_apply(self) -> None:
        """Apply it, unless something is in the way."""
        change = self._change
        if change.phase is not Phase.PLANNED or not change.ready:
            return
        if self._desk.under_way:
            self.notify(f"Wait for this: {self._desk.under_way}.", severity="warning", markup=False)
            return
        if not self.typed_rightly():
            return
        self._desk.apply(change, self.reason, self._ended)
        self.draw()

    def _ended(self) -> None:
        if self.whole and self in self.app.screen_stack:
            self.draw()
        else:
            self._finished(self._change)


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
            self.notify("That is not the name.", severity="warning", markup=False)
