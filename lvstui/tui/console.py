"""What all full screens have in common: header, tabs, warnings, body, keys."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from textual.app import ComposeResult

from lvstui.model.picture import Gap, Picture, Severity, Warning
from lvstui.model.say import clock
from lvstui.process.readonly import READ_ONLY
from lvstui.tui.command import Command, bindings
from lvstui.tui.common import COMMON
from lvstui.tui.live import LiveScreen
from lvstui.tui.widgets.header import HeaderStrip, TabStrip
from lvstui.tui.widgets.keybar import Key, KeyBar
from lvstui.tui.widgets.line import Bit
from lvstui.tui.widgets.warnings import WarningStrip


def _with_common(own: Sequence[Command[Any]]) -> tuple[Command[Any], ...]:
    """Own commands, then the common ones that no own one stands for."""
    ids = {command.id for command in own}
    return (*own, *(command for command in COMMON if command.id not in ids))


class ConsoleScreen(LiveScreen[None]):
    """A tab of the console."""

    MODE: ClassVar[str]
    """Its name among the app's modes."""
    OWN: ClassVar[tuple[Command[Any], ...]] = ()
    """What can be done here and not elsewhere, in footer order."""
    FOOTER: ClassVar[str] = ""
    """Ids of the commands in the footer, in order; help comes last by itself."""

    AUTO_FOCUS = "#main"
    VERTICAL_BREAKPOINTS = [(0, "-short"), (30, "-tall")]  # noqa: RUF012 (Textual has it so)

    def __init_subclass__(cls, **kwargs: Any) -> None:
        # Textual reads BINDINGS when the class is made.
        if "BINDINGS" not in cls.__dict__:
            cls.BINDINGS = bindings(_with_common(cls.OWN))
        super().__init_subclass__(**kwargs)

    @property
    def commands(self) -> tuple[Command[Any], ...]:
        """Everything that can be done here."""
        return _with_common(self.OWN)

    def command(self, id_: str) -> Command[Any] | None:
        return next((command for command in self.commands if command.id == id_), None)

    def compose(self) -> ComposeResult:
        """The frame; `body` fills it."""
        glyphs = self.console.glyphs
        header = HeaderStrip(glyphs, self.console.settings.clock, self._waiting_bits)
        header.read_only = self.console.operator.read_only
        yield header
        yield TabStrip(self.MODE)
        yield WarningStrip(glyphs)
        yield from self.body()
        yield KeyBar(self._keys, self._lock)

    def body(self) -> ComposeResult:
        """What is between the warnings and the keys."""
        yield from ()

    @property
    def keys(self) -> KeyBar:
        return self.query_one(KeyBar)

    def on_screen_resume(self) -> None:
        """On the screen (again): show what is true now."""
        self.show_picture(self.console.picture)

    def show_picture(self, picture: Picture) -> None:
        """Show this picture; subclasses add their body."""
        self.query_one(HeaderStrip).show_picture(picture)
        self.query_one(TabStrip).show_picture(picture)
        self.query_one(WarningStrip).show_picture(picture, self.gaps(picture), self._to_be_seen())
        self.keys.look_again()

    def _waiting_bits(self) -> tuple[Bit, Bit] | None:
        """A change that waits: its seconds and its key, then what it is."""
        waiting = self.console.unsettled.waiting
        if waiting is None:
            return None
        glyphs, left = self.console.glyphs, f"{waiting.left_s:.0f} s"
        style = "bold $lv-on-accent on $sev-warn"
        if waiting.plight:
            style = "bold $lv-on-accent on $sev-bad"
            text = f"{glyphs.no} NOT rolled back: P"
        elif waiting.stage:
            text = f"{glyphs.warn} {waiting.stage}"
        else:
            text = f"{glyphs.warn} {left}: P keep/undo"
        about = f"{waiting.title}: {waiting.plight}" if waiting.plight else waiting.title
        return (f" {text} ", style), (about, "bold $sev-warn")

    def _to_be_seen(self) -> tuple[Warning, ...]:
        """What was rolled back and nobody has looked at."""
        unseen = self.console.unsettled.unseen
        if unseen is None:
            return ()
        word = unseen.ended.value
        why = unseen.end.removeprefix(f"{word}: ")
        text = f"{word} {clock(unseen.came)}, P: {unseen.title}: {why}"
        return (Warning(Severity.WARN, text, id=f"change {unseen.id}"),)

    def gaps(self, picture: Picture) -> tuple[Gap, ...]:
        """What the strip says cannot be seen: each gap once on a screen."""
        return picture.gaps

    def tick(self) -> None:
        """A second has passed without a picture: the clock goes on."""
        self.query_one(HeaderStrip).look_again()

    # Commands

    def why_not(self, command: Command[Any]) -> str:
        """Why a command cannot be used now."""
        if command.changes and self.console.operator.read_only:
            return READ_ONLY
        return command.why_not(self)

    def action_command(self, id_: str) -> None:
        """Run a command, or say why not."""
        command = self.command(id_)
        if command is None:
            return
        reason = self.why_not(command)
        if reason:
            self.tell(reason, bad=True)
        else:
            command.run(self)

    def _keys(self) -> Sequence[Key]:
        keys = []
        read_only = self.console.operator.read_only
        unsettled = self.console.unsettled
        waits = unsettled.waiting is not None
        first = ("change-last",) if waits or unsettled.unseen else ()
        for id_ in (*first, *self.FOOTER.split(), "palette", "help"):
            command = self.command(id_)
            if command is None or (command.changes and read_only):
                continue
            key = command.names.first_key
            if key == "Enter":
                key = self.console.glyphs.enter
            label = command.names.label if waits or id_ != "change-last" else "rolled back"
            keys.append(Key(id_, key, label, not self.why_not(command)))
        return keys

    def _lock(self) -> Bit:
        if self.console.operator.read_only:
            return f"{self.console.glyphs.lock} read-only", "$sev-warn"
        return "read-write", "$lv-dim"
