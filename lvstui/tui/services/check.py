"""A real server checked now: what was tried, what came, how long it took."""

from __future__ import annotations

from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.content import Content

from lvstui.session.checking import CheckSession, ServerCheck
from lvstui.tui.dialog import PageDialog
from lvstui.tui.widgets.line import Bit


class CheckScreen(PageDialog):
    """Follows one check; closing it stops nothing that is on the wire for long."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("s", "stop", "Stop", show=False),
        Binding("C", "again", "Check again", show=False),
    ]

    def __init__(self, session: CheckSession, check: ServerCheck) -> None:
        super().__init__()
        self._session, self._check = session, check

    def heading(self) -> str:
        return f"{self._check.title}  from {self.console.picture.host}"

    def keys(self) -> tuple[tuple[str, str], ...]:
        now = ("C", "again") if self._check.ended else ("s", "stop")
        return (("j k", "scroll"), now, ("Esc", "close"))

    def on_mount(self) -> None:
        self._session.watchers.append(self._news)
        self.call_after_refresh(self._news)

    def on_unmount(self) -> None:
        if self._news in self._session.watchers:
            self._session.watchers.remove(self._news)

    def _news(self) -> None:
        if self.whole:
            self.show_keys()
            self.draw()

    def content(self, width: int) -> Content:
        check, glyphs = self._check, self.console.glyphs
        marks: dict[bool | None, Bit] = {
            True: (glyphs.yes, "$sev-good"),
            False: (glyphs.no, "$sev-bad"),
            None: (glyphs.dot, "$lv-dim"),
        }
        bits: list[Bit] = []
        for came in check.came:
            bits += [marks[came.good], (f" {came.what}\n", "$lv-text")]
            style = "$sev-bad" if came.good is False else "$lv-text" if came.good else "$lv-dim"
            bits.append((f"  {came.line}\n", style))
            bits += [(f"  {line}\n", "$lv-dim") for line in came.evidence]
        if check.problem:
            bits.append((check.problem + "\n", "bold $sev-bad"))
        if not check.ended:
            ahead = check.asks[len(check.came) :]
            step = f"{len(check.came) + 1} of {len(check.asks)}: {ahead[0].what}" if ahead else ""
            bits.append(
                (f"{glyphs.ellipsis} {step or 'reading the configuration'}\n", "$lv-accent")
            )
        elif check.asks and not any(came.good is not None for came in check.came):
            bits.append(("Nothing of it can be tried from here.\n", "$sev-warn"))
        return Content.assemble(*bits).rstrip()

    def action_stop(self) -> None:
        if not self._check.ended:
            self._check.stop.set()

    def action_again(self) -> None:
        """The same once more, in the same box."""
        if self._check.ended:
            self._check = self._session.check(self._check.server)
            self._news()

    def action_leave(self) -> None:
        self._check.stop.set()
        super().action_leave()
