"""Every key and command of a screen, made from the commands themselves."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.content import Content
from textual.widgets import Static

from lvstui.commands.base import shown_key
from lvstui.screens.console import ConsoleScreen
from lvstui.screens.dialog import Dialog
from lvstui.widgets.format import fit, width_of
from lvstui.widgets.line import Bit

_TWIN_GROUP = "Real servers"


class HelpScreen(Dialog[None]):
    """Grouped; what can not be used now says why."""

    KEYS = (("j k", "scroll"), ("Esc", "close"))

    def __init__(self, about: ConsoleScreen) -> None:
        super().__init__()
        self._about = about

    def heading(self) -> str:
        """For which screen."""
        return f"help: {self._about.MODE}"

    def body(self) -> ComposeResult:
        """One long text that scrolls."""
        with VerticalScroll(id="help-scroll"):
            yield Static(self._content(), id="help-text", markup=False)

    def on_mount(self) -> None:
        """Keys scroll."""
        self.query_one("#help-scroll").focus()

    def rows(self) -> dict[str, list[tuple[str, str, str, str]]]:
        """Group to (keys, what, why not now, shell twin)."""
        groups: dict[str, list[tuple[str, str, str, str]]] = {}
        for command in self._about.commands:
            groups.setdefault(command.group, []).append(
                (
                    command.shown_keys or ":",
                    f"{command.title}. {command.summary}",
                    self._about.why_not(command),
                    command.shell(self._about),
                )
            )
        moves = []
        main = self._about.query_one("#main")
        for binding in type(main).BINDINGS:
            assert not isinstance(binding, tuple)
            keys = binding.key_display or " ".join(shown_key(key) for key in binding.key.split(","))
            moves.append((keys, f"{binding.description}.", "", ""))
        if moves:
            groups["Move"] = moves
        return groups

    def _content(self) -> Content:
        groups = self.rows()
        wide = max(width_of(row[0]) for rows in groups.values() for row in rows)
        bits: list[Bit] = []
        for index, (group, rows) in enumerate(groups.items()):
            bits.append((("\n" if index else "") + group.upper() + "\n", "bold $lv-dim"))
            for keys, text, reason, twin in rows:
                title, _, rest = text.partition(". ")
                bits.append((f"  {fit(keys, wide)}  ", "bold $lv-accent" if not reason else
                             "$lv-dim"))  # fmt: skip
                bits.append((title, "bold $lv-text"))
                if rest and rest.rstrip(".") != title:
                    bits.append((f"  {rest}", "$lv-text"))
                bits.append(("\n", ""))
                if reason:
                    bits.append((f"  {' ' * wide}  not now: {reason}\n", "$sev-warn"))
                if twin:
                    bits.append((f"  {' ' * wide}  $ {twin}\n", "$lv-dim"))
        bits.append(("\nMOUSE\n", "bold $lv-dim"))
        bits.append((
            "  Click selects, on the fold mark folds, on a title sorts; double click opens; "
            "the wheel scrolls.\n  To select text with the terminal itself hold Shift "
            "(Option on a Mac).\n", "$lv-text"))  # fmt: skip
        bits.append(("\nSTATES\n", "bold $lv-dim"))
        for state, glyph in self.console.glyphs.states.items():
            bits.append((f"  {glyph} {state.value:<11}", f"$rs-{state.value}"))
            bits.append((f" {_STATES[state.value]}\n", "$lv-text"))
        return Content.assemble(*bits)


_STATES = {
    "up": "takes new connections",
    "down": "keepalived says that a check failed; the reason stands beside it",
    "draining": "no new connections, some left",
    "drained": "no new connections, none left",
    "disabled": "off on purpose, durable",
    "unverified": "no check has spoken yet, or it has none",
    "drifted": "file, keepalived and kernel disagree",
    "foreign": "in the kernel, in no file",
}
