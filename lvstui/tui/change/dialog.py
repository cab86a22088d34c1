"""The one dialog of a change: its plan, while it is made, what came of it, until it is decided.

It shows a `Change`, which outlives it: it can be closed and opened at any time, and the work and
the timer go on. What a kind of change adds is its text, and who carries it out.

Two keys apply a plan, so a letter of a text must never be one of them: what is typed belongs to
the reason as soon as it looks like text, and from then on until Enter or Esc. The focus starts on
Cancel; Tab goes to the reason first.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any, ClassVar, Generic, TypeVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, VerticalScroll
from textual.content import Content
from textual.events import Key
from textual.widgets import Button, Input, Static

from lvstui.model.text import plain
from lvstui.operations.change import Phase, TrackedChange
from lvstui.session.jobs import ChangeJobs
from lvstui.tui.dialog import PAGE_KEYS, Dialog
from lvstui.tui.widgets.glyphs import Glyphs
from lvstui.tui.widgets.line import Bit, prose

_BESIDE = 12
"""Cells beside the text: frame, padding, mark and scroll bar."""
_DECIDE = frozenset("ynqbs")
"""Letters that apply, keep, take back, stop or leave: only when they stand alone."""
_MOST_DIFF = 2_000
"""Lines of a diff that are shown; the rest is counted."""
_UNDER_WAY = (Phase.PLANNING, Phase.RUNNING, Phase.DECIDING)


Tracked = TypeVar("Tracked", bound=TrackedChange)
Session = TypeVar("Session", bound=ChangeJobs[Any])


class ChangeScreen(Dialog[bool], Generic[Session, Tracked]):
    """Follows one change to its end; True when it was applied."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("y", "apply", "Apply", show=False),
        Binding("n", "leave", "Cancel", show=False),
        Binding("r", "again", "Plan again", show=False),
        Binding("b", "back", "Undo now", show=False),
        Binding("s", "stop", "Stop", show=False),
        Binding("tab", "onward", "Reason, then buttons", show=False),
        Binding("left,h,right,l", "other_button", "The other button", show=False),
        *PAGE_KEYS,
    ]
    AUTO_FOCUS = "#cancel"
    SCROLLS = "#plan-scroll"

    _fresh = True
    """The focus is where it was put, not where the operator moved it."""
    _burst = ""
    """Keys of the dialog that came one close after the other, the last of them just now: the
    beginning of a text, if the next one is no key of the dialog."""

    WIDTH: ClassVar[int] = 116
    """Of the box, as the stylesheet has it."""
    STOPS: ClassVar[str] = "stop what is not begun"
    """What `s` does while it is made."""

    def __init__(self, session: Session, change: Tracked) -> None:
        super().__init__()
        self.change = change
        """What is shown."""
        self.session = session
        """Carries it out, one piece of work at a time."""
        self._drawn: Phase | None = None

    # What a kind adds

    def bits(self, width: int, glyphs: Glyphs) -> list[Bit]:
        """The plan, or what came of it."""
        raise NotImplementedError

    def progress(self, width: int, glyphs: Glyphs) -> list[Bit]:
        """While something is under way."""
        raise NotImplementedError

    def again(self) -> Tracked:
        """Plan anew from what is true now."""
        raise NotImplementedError

    # The rest is the same for all

    def heading(self) -> str:
        return plain(self.change.title)

    def on_mount(self) -> None:
        """Follow it, with nothing of the last one over its fields and buttons."""
        self.app.clear_notifications()
        self.session.looked_at = self.change
        self.session.watchers.append(self.draw)
        self.query_one("#reason", Input).value = self.change.reason
        self.set_interval(1.0, self._tick)
        self.draw()

    def on_unmount(self) -> None:
        if self.draw in self.session.watchers:
            self.session.watchers.remove(self.draw)
        if self.session.looked_at is self.change:
            self.session.looked_at = None

    def on_resize(self) -> None:
        self.draw()

    def _tick(self) -> None:
        if self.change.phase in (Phase.RUNNING, Phase.WAITING):
            self.draw()

    def draw(self) -> None:
        """Show how far it is."""
        if not self.whole:
            return
        change = self.change
        waits, open_ = change.phase is Phase.WAITING, self.is_open
        width = max(min(self.size.width - 4, self.WIDTH) - _BESIDE, 30)
        self.query_one("#plan-text", Static).update(Content.assemble(*self._bits(width)).rstrip())
        # What is typed while it is being planned has to have a place.
        self.query_one("#reason-line").display = open_ or change.phase is Phase.PLANNING
        self.query_one("#typed-line").display = open_ and bool(self.to_type)
        label = Content.assemble(("Type ", ""), (self.to_type, "bold"), (" to confirm [", ""))
        self.query_one("#typed-label", Static).update(label)
        for id_, name in (
            ("#apply", "Keep it" if waits else "Apply" if open_ else ""),
            ("#cancel", "Undo" if waits else "Cancel" if open_ else "Close"),
        ):
            button = self.query_one(id_, Button)
            button.label = Content(name)
            button.display = bool(name)
        if isinstance(self.focused, Input) and not self._is_open(self.focused):
            self.start()
        self.show_keys()
        if self._drawn is not change.phase:
            self._drawn = change.phase
            self.entered()
            self.query_one("#plan-scroll").scroll_home(animate=False)
            if waits:
                # To keep needs a key; Enter on whatever has the focus must decide nothing.
                self.set_focus(None)
            elif not isinstance(self.focused, Input):
                self.start()

    def entered(self) -> None:
        """It is in another phase."""

    def _bits(self, width: int) -> list[Bit]:
        change, glyphs = self.change, self.console.glyphs
        if change.problem:
            return prose(change.problem, "bold $sev-bad", width, f"{glyphs.no} ")
        if change.phase not in _UNDER_WAY:
            return self.bits(width, glyphs)
        bits = self.progress(width, glyphs)
        if change.stop.is_set():
            bits.append(("\nStopping: what has begun comes to its end.", "bold $sev-warn"))
        return bits

    @property
    def is_open(self) -> bool:
        """It can be applied now."""
        plan = self.change.plan
        return self.change.phase is Phase.PLANNED and plan is not None and plan.ready

    @property
    def seconds(self) -> float:
        """Since it was begun."""
        return time.monotonic() - self.change.started if self.change.started else 0.0

    @property
    def to_type(self) -> str:
        """What has to be typed before it is applied."""
        plan = self.change.plan
        return plan.typed if plan is not None else ""

    def keys(self) -> Sequence[tuple[str, str]]:
        phase = self.change.phase
        if self.is_open:
            return (
                ("Esc n", "cancel"),
                ("y", "apply"),
                ("r", "again"),
                ("j k", "scroll"),
                ("Tab", "reason, buttons"),
            )
        if phase is Phase.WAITING:
            return ("Esc", "close: the timer goes on"), ("y", "keep"), ("b", "undo now")
        if phase is Phase.RUNNING:
            return ("Esc", "close: it goes on"), ("s", self.STOPS)
        if phase in _UNDER_WAY:
            return (("Esc", "close: it goes on"),)
        return ("Esc", "close"), ("j k", "scroll"), ("r", "plan again")

    # Deciding

    def free(self) -> bool:
        """Nothing else is under way; else the operator is told what."""
        if self.session.wait:
            self.tell(self.session.wait, bad=True)
        return not self.session.wait

    def action_stop(self) -> None:
        """Begin nothing more of it."""
        if self.change.phase is Phase.RUNNING:
            self.change.stop.set()
            self.draw()

    def action_again(self) -> None:
        if self.change.phase in (Phase.PLANNED, Phase.ENDED) and self.free():
            self.change = self.session.looked_at = self.again()
            self.draw()

    def action_back(self) -> None:
        if self.change.phase is Phase.WAITING and self.free():
            self.session.decide(self.change, keep=False)

    def action_apply(self) -> None:
        """Apply it, or keep what was applied, unless something is in the way."""
        if self.change.phase is Phase.WAITING:
            if self.free():
                self.session.decide(self.change, keep=True)
        elif self.is_open and self.free() and self.typed_rightly():
            self.session.apply(self.change, self.reason)

    @on(Button.Pressed, "#cancel")
    def cancel(self) -> None:
        """Undo it while it waits to be kept; else close."""
        if self.change.phase is Phase.WAITING:
            self.action_back()
        else:
            self.leave()

    # The form, and what is typed

    def body(self) -> ComposeResult:
        """The text, then reason and typed confirmation as needed, then the buttons."""
        with VerticalScroll(id="plan-scroll", can_focus=False):
            yield Static(id="plan-text", markup=False)
        with Horizontal(id="reason-line", classes="field"):
            # Brackets: a field has to look like one without colours too, and while it is empty.
            yield Static("Reason [", markup=False)
            yield Input(
                placeholder="optional, for the audit log", id="reason", select_on_focus=False
            )
            yield Static("]", markup=False)
        with Horizontal(id="typed-line", classes="field"):
            yield Static("", id="typed-label", markup=False)
            yield Input(id="typed", select_on_focus=False)
            yield Static("]", markup=False)
        with Horizontal(id="buttons"):
            yield Button("Cancel", id="cancel", compact=True)
            yield Button("Apply", id="apply", compact=True)

    @property
    def reason(self) -> str:
        """What was typed as the reason."""
        return plain(self.query_one("#reason", Input).value.strip())

    def start(self) -> None:
        """The focus is on Cancel, as at the beginning."""
        self.set_focus(self.query_one("#cancel"))
        self._fresh = True

    def typed_rightly(self) -> bool:
        """Whether what has to be typed is typed; if not the operator is told, in that field."""
        field = self.query_one("#typed", Input)
        if field.value.split() == self.to_type.split():
            return True
        self.tell(f"Type {self.to_type} to confirm: this is not an everyday step.", bad=True)
        self.set_focus(field)
        return False

    # What is typed

    def take_key(self, event: Key, calm: bool) -> bool:
        """Text goes to the reason. A key that decides does so alone; Enter presses Apply alone."""
        if isinstance(self.focused, Input):
            return False
        if event.key == "enter":
            return not calm and self.focused is self.query_one("#apply")
        if not event.is_printable or event.character is None:
            return False
        known = any(
            event.key in bindings.key_to_bindings for node, bindings in self._modal_binding_chain
        )
        if known and (calm or event.character not in _DECIDE):
            self._burst = (self._burst if not calm else "") + event.character
            return False
        begun, self._burst = "" if calm else self._burst, ""
        self.take_text(begun + event.character)
        return True

    def take_text(self, text: str) -> bool:
        """Into the field that has the focus, or else into the reason; lines become one."""
        field = self.focused
        if not isinstance(field, Input):
            field = self.query_one("#reason", Input)
            if not self._is_open(field):
                return True
            self.set_focus(field)
            field.cursor_position = len(field.value)
        field.insert_text_at_cursor(" ".join(text.splitlines()))
        return True

    def _is_open(self, field: Input) -> bool:
        return all(node.display for node in (field, field.parent) if node is not None)

    def action_onward(self) -> None:
        """To the reason first, then in the order of the screen."""
        field = self.query_one("#reason", Input)
        if self._fresh and not isinstance(self.focused, Input) and self._is_open(field):
            self.set_focus(field)
        else:
            self.focus_next()
        self._fresh = False

    def action_other_button(self) -> None:
        """From Cancel to Apply, or back."""
        here = self.query_one("#cancel", Button)
        there = self.query_one("#apply", Button)
        self.set_focus(there if self.focused is here and there.focusable else here)

    def action_leave(self) -> None:
        """Out of a field, keeping its text; or out of the dialog."""
        if isinstance(self.focused, Input):
            self.start()
        else:
            self.leave()

    def leave(self) -> None:
        """Close it, whatever goes on."""
        self.dismiss(None)

    @on(Button.Pressed, "#apply")
    def _apply_pressed(self) -> None:
        self.action_apply()

    @on(Input.Submitted)
    def _submitted(self, event: Input.Submitted) -> None:
        """Enter in a field goes on to the next thing; it never applies by itself."""
        event.stop()
        typed = self.to_type and event.input.id == "reason"
        self.set_focus(self.query_one("#typed" if typed else "#apply"))


def sections(
    refusals: tuple[str, ...],
    effects: tuple[str, ...],
    cautions: tuple[str, ...],
    width: int,
    glyphs: Glyphs,
) -> list[Bit]:
    """What stands above the parts of every plan."""
    bits: list[Bit] = []
    for title, lines, style, sign in (
        ("Refused", refusals, "bold $sev-bad", glyphs.no),
        ("What it does", effects, "$lv-text", glyphs.dot),
        ("Know before you say yes", cautions, "$sev-warn", glyphs.warn),
    ):
        if lines:
            bits.append((f"{title}\n", "bold $lv-dim"))
            for line in lines:
                bits += prose(plain(line), style, width, f"  {sign} ")
            bits.append(("\n", ""))
    return bits


def diff_bits(diff: str, indent: str = "  ") -> list[Bit]:
    """A unified diff that is masked already."""
    bits: list[Bit] = []
    lines = diff.splitlines()
    for line in lines[:_MOST_DIFF]:
        style = "$lv-dim"
        if line.startswith("+") and not line.startswith("+++"):
            style = "$sev-good"
        elif line.startswith("-") and not line.startswith("---"):
            style = "$sev-bad"
        elif line.startswith("@@"):
            style = "$lv-accent"
        bits.append((f"{indent}{plain(line, 2000)}\n", style))
    if len(lines) > _MOST_DIFF:
        bits.append((f"{indent}… and {len(lines) - _MOST_DIFF} more lines\n", "$lv-dim"))
    return bits
