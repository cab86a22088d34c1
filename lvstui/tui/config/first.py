"""The wizard for a first configuration: answers above, what they give below, nothing written."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, VerticalScroll
from textual.content import Content
from textual.widgets import Button, Input, Static

from lvstui.keepalived.first import NONLOCAL_BIND, SYSCTL_FILE, First, render, wrong
from lvstui.model.text import plain
from lvstui.operations.first import Guess, completed, peer_name
from lvstui.operations.questions import QUESTIONS
from lvstui.tui.dialog import Dialog
from lvstui.tui.widgets.line import Bit


class FirstScreen(Dialog[First]):
    """Asks, shows the two files as they become, and gives the answers once they are right."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "leave", "Close", show=False),
        Binding("q", "nothing", "", show=False),
        # At once: what is typed next belongs to the next field, however slow the host is.
        Binding("tab", "app.focus_next", "Next", show=False, priority=True),
        Binding("shift+tab", "app.focus_previous", "Previous", show=False, priority=True),
        Binding("up", "app.focus_previous", "Previous", show=False),
        Binding("down,enter", "app.focus_next", "Next", show=False),
        Binding("f2", "other", "The other director's file", show=False),
        Binding("pageup", "page(-1)", "A page up", show=False),
        Binding("pagedown", "page(1)", "A page down", show=False),
    ]
    TITLE = "first configuration: a pair of directors in Direct Routing"
    KEYS = (("Tab ↓ ↑", "fields"), ("F2", "other file"), ("PgDn", "scroll"), ("Esc", "close"))
    AUTO_FOCUS = "#first-servers"
    SCROLLS = "#first-scroll"

    def __init__(self, guess: Callable[[], Guess]) -> None:
        """guess: blocks some seconds, called in a thread."""
        super().__init__()
        self._guess = guess
        self._found: Guess | None = None
        self._first: First | None = None
        self._shown = 0

    def body(self) -> ComposeResult:
        with VerticalScroll(id="first-scroll", can_focus=False):
            for question in QUESTIONS:
                with Horizontal(classes="first-line"):
                    yield Static(question.label, markup=False, classes="first-label")
                    yield Input(
                        question.default,
                        placeholder=question.hint,
                        id=f"first-{question.field}",
                        compact=True,
                    )
            yield Static("", id="first-help", markup=False)
            yield Static("", id="first-text", markup=False)
        with Horizontal(id="buttons"):
            yield Button("Cancel", id="cancel", compact=True)
            yield Button("Plan", id="plan", compact=True, disabled=True)

    def on_mount(self) -> None:
        """Look at the host meanwhile."""
        self._draw()

        def work() -> None:
            found = self._guess()
            self.app.call_from_thread(self._guessed, found)

        self.run_worker(work, thread=True, exit_on_error=False, group="guess")

    def _guessed(self, found: Guess) -> None:
        if not self.whole:
            return
        self._found = found
        hints = {"vrid": str(found.vrid), "interface": found.interface}
        if found.vip:
            hints["vip"] = f"{found.vip}/{found.prefix}"
        hints["directors"] = f"{found.host},{peer_name(found.host)}"
        for field, hint in hints.items():
            self.query_one(f"#first-{field}", Input).placeholder = hint
        self._draw()

    def on_descendant_focus(self) -> None:
        at = self.focused.id if self.focused is not None else ""
        for question in QUESTIONS:
            if at == f"first-{question.field}":
                self.query_one("#first-help", Static).update(Content(question.help))

    @on(Input.Changed)
    def _draw(self) -> None:
        text = self.query_one("#first-text", Static)
        self._first = None
        if self._found is None:
            text.update(
                Content.assemble(("Looking at this host, listening for adverts …", "$lv-dim"))
            )
        else:
            text.update(Content.assemble(*self._bits(self._found)))
        self.query_one("#plan", Button).disabled = self._first is None
        self.fit_height()

    def _bits(self, found: Guess) -> list[Bit]:
        glyphs = self.console.glyphs
        bits: list[Bit] = [(f"{glyphs.dot} {plain(note)}\n", "$lv-dim") for note in found.notes]
        if not self.query_one("#first-servers", Input).value.strip():
            return [*bits, ("\nName the real servers to see the two files.\n", "$lv-text")]
        try:
            first, guessed = completed(
                {q.field: self.query_one(f"#first-{q.field}", Input).value for q in QUESTIONS},
                found,
            )
        except ValueError as error:
            return [*bits, (f"\n{glyphs.warn} {plain(str(error))}\n", "$sev-warn")]
        problems = wrong(first, found.heard_vrids)
        if guessed:
            bits.append((f"{glyphs.dot} guessed: {', '.join(guessed)}\n", "$sev-warn"))
        if problems:
            bits.append(("\n", ""))
            bits += [(f"{glyphs.warn} {p.field}: {p.why}\n", "$sev-warn") for p in problems]
            return bits
        self._first = first
        director = first.directors[self._shown]
        other = first.directors[1 - self._shown]
        bits += [
            (f"\nkeepalived.conf of {director.name}", "bold $lv-accent"),
            (f"   F2: {other.name}\n", "$lv-dim"),
            (render(first, self._shown).decode(), "$lv-text"),
            ("\nOn both directors ", "$lv-dim"),
            (f"{NONLOCAL_BIND} = 1", "$lv-accent"),
            (
                f" in {SYSCTL_FILE}. Then real servers get the VIP and ARP silence on screen 5.\n",
                "$lv-dim",
            ),
        ]
        return bits

    def action_nothing(self) -> None:
        """q is a letter here."""

    def action_other(self) -> None:
        self._shown = 1 - self._shown
        self._draw()

    @on(Button.Pressed, "#plan")
    def _plan_pressed(self) -> None:
        if self._first is not None:
            self.dismiss(self._first)

    @on(Button.Pressed, "#cancel")
    def _cancel_pressed(self) -> None:
        self.action_leave()

    @on(Input.Submitted)
    def _submitted(self, event: Input.Submitted) -> None:
        event.stop()
        self.app.action_focus_next()


class AfterFirstScreen(Dialog[str]):
    """What is still to be done once the file is in force; gives `sysctl`, `realservers` or None."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("s", "choose('sysctl')", "Set the sysctl", show=False),
        Binding("r", "choose('realservers')", "Real servers", show=False),
    ]
    TITLE = "the first configuration is written"
    KEYS = (("s", "set the sysctl"), ("r", "real servers"), ("Esc", "close"))
    AUTO_FOCUS = "#sysctl"

    def __init__(self, both: bool, runs: bool) -> None:
        """both: the peer was changed as well. runs: keepalived runs here."""
        super().__init__()
        self._both, self._runs = both, runs

    def body(self) -> ComposeResult:
        where = "both directors" if self._both else "this director"
        steps = []
        if not self._both:
            steps.append(
                "The peer has nothing yet: start lvstui with --peer HOST, or there, with "
                "the same answers."
            )
        if not self._runs:
            steps.append("keepalived does not run: systemctl enable --now keepalived")
        steps += [
            f"{NONLOCAL_BIND} = 1 on {where}, so that a proxy can bind to a VIP that is elsewhere.",
            "The real servers need the VIP on their loopback, and silence on ARP: screen 5.",
        ]
        bits: list[Bit] = []
        for number, step in enumerate(steps, 1):
            bits += [(f"{number}  ", "$lv-accent"), (f"{step}\n", "$lv-text")]
        yield Static(Content.assemble(*bits), classes="prose", markup=False)
        with Horizontal(id="buttons"):
            yield Button("Close", id="cancel", compact=True)
            yield Button("Real servers", id="realservers", compact=True)
            yield Button("Set the sysctl", id="sysctl", compact=True)

    def action_choose(self, what: str) -> None:
        self.dismiss(what)

    @on(Button.Pressed)
    def _pressed(self, event: Button.Pressed) -> None:
        self.dismiss(None if event.button.id == "cancel" else event.button.id)
