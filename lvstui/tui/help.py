"""Every key and command of a screen, made from the commands themselves."""

from __future__ import annotations

import textwrap

from textual.content import Content

from lvstui.tui.command import shown_key
from lvstui.tui.dialog import PageDialog
from lvstui.tui.host import PageHost
from lvstui.tui.widgets.format import fit, width_of
from lvstui.tui.widgets.line import Bit

_Row = tuple[str, str, str, str, str]
"""(keys, title, summary, why not now, twin on the shell)."""


class HelpScreen(PageDialog):
    """Grouped; what cannot be used now says why."""

    def __init__(self, about: PageHost) -> None:
        super().__init__()
        self.title, self._about = f"help: {about.MODE}", about

    def rows(self) -> dict[str, list[_Row]]:
        """Group to its lines."""
        groups: dict[str, list[_Row]] = {}
        for command in self._about.commands:
            groups.setdefault(command.group, []).append(
                (
                    command.names.shown_keys or ":",
                    command.names.title,
                    command.help,
                    self._about.why_not(command),
                    command.shell(self._about),
                )
            )
        moves: list[_Row] = []
        main = self._about.query_one("#main")
        for binding in type(main).BINDINGS:
            assert not isinstance(binding, tuple)
            keys = binding.key_display or " ".join(shown_key(key) for key in binding.key.split(","))
            moves.append((keys, binding.description, "", "", ""))
        if moves:
            groups["Move"] = moves
        return groups

    def content(self, width: int) -> Content:
        groups = self.rows()
        wide = max(width_of(row[0]) for rows in groups.values() for row in rows)
        indent = wide + 3
        bits: list[Bit] = []

        def prose(text: str, style: str, mark: str = "") -> None:
            lines = textwrap.wrap(mark + text, max(width - indent, 20))
            bits.extend((f"{' ' * indent}{line}\n", style) for line in lines)

        for group, rows in groups.items():
            bits.append((("\n" if bits else "") + group.upper() + "\n", "bold $lv-dim"))
            for keys, title, summary, reason, twin in rows:
                bits.append(
                    (f" {fit(keys, wide)}  ", "bold $lv-accent" if not reason else "$lv-dim")
                )
                bits.append((title + "\n", "bold $lv-text"))
                if summary and summary != title:
                    prose(summary, "$lv-text")
                if reason:
                    prose(reason, "$sev-warn", "Not now: ")
                if twin:
                    prose(twin, "$lv-accent", "$ ")
        bits.append(("\nMOUSE\n", "bold $lv-dim"))
        prose(
            "Click selects, on the fold mark folds, on a title sorts; double click opens; the "
            "wheel scrolls. To select text with the terminal itself hold Shift (Option on a Mac).",
            "$lv-text",
        )
        bits.append(("\nSTATES\n", "bold $lv-dim"))
        for state, glyph in self.console.glyphs.states.items():
            bits.append((f" {glyph} {fit(state.value, wide)}", f"$rs-{state.value}"))
            bits.append((f"{_STATES[state.value]}\n", "$lv-text"))
        differs = f" {self.console.glyphs.differs} {fit('beside a state', wide)}"
        bits.append((differs, "bold $rs-differs"))
        bits.append(("file, keepalived and kernel disagree; who made it stands there", "$lv-text"))
        return Content.assemble(*bits).rstrip()


_STATES = {
    "up": "takes new connections",
    "down": "keepalived says that a check failed; the reason stands beside it",
    "draining": "no new connections, some left",
    "drained": "no new connections, none left",
    "disabled": "off on purpose, durable",
    "overloaded": "its upper threshold is reached: the kernel gives it nothing new",
    "standby": "a sorry server that waits",
    "unverified": "no check has spoken yet, or it has none",
    "foreign": "in the kernel, in no file",
}
