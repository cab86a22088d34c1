"""The strip under the tabs: what an operator should know now, and what cannot be seen."""

from __future__ import annotations

from collections.abc import Sequence

from textual import events
from textual.content import Content
from textual.widget import Widget

from lvstui.model.picture import Gap, Picture, Severity, Warning
from lvstui.tui.widgets.format import cut
from lvstui.tui.widgets.glyphs import Glyphs
from lvstui.tui.widgets.line import Bit, bits_width, clipped

_RANK = {Severity.BAD: 0, Severity.WARN: 1, Severity.INFO: 2, Severity.GOOD: 3}
SEVERITY_BITS = {
    Severity.BAD: "$sev-bad",
    Severity.WARN: "$sev-warn",
    Severity.INFO: "$sev-info",
    Severity.GOOD: "$sev-good",
}


class WarningStrip(Widget):
    """At most two lines; the rest is counted and listed on a key."""

    ALLOW_SELECT = False
    MOST_LINES = 2

    def __init__(self, glyphs: Glyphs) -> None:
        super().__init__(id="warnings")
        self._glyphs = glyphs
        self._items: tuple[tuple[str, str], ...] = ()
        self.display = False

    def show_picture(
        self, picture: Picture, gaps: Sequence[Gap], first: Sequence[Warning] = ()
    ) -> None:
        """What stays until it was seen, then warnings, worst first, then those gaps that nothing
        else on the screen names."""
        items = [
            (f"{self._glyphs.warn} {warning.text}", SEVERITY_BITS[warning.severity])
            for warning in (*first, *sorted(picture.warnings, key=lambda w: _RANK[w.severity]))
        ]
        if gaps:
            items.append((gap_line(gaps, self._glyphs), "$lv-dim"))
        found = tuple(items)
        if found == self._items:
            return
        self._items = found
        self.display = bool(found)
        self.refresh(layout=True)

    def get_content_height(self, container: object, viewport: object, width: int) -> int:
        return max(len(self._lines(width)), 1)

    def _lines(self, width: int) -> list[list[Bit]]:
        """Warnings laid out in lines; several on one where they fit."""
        room = width - 2
        lines: list[list[Bit]] = []
        waiting = list(self._items)
        while waiting and len(lines) < self.MOST_LINES:
            line: list[Bit] = [waiting.pop(0)]
            while waiting and bits_width(line) + 4 + bits_width(waiting[:1]) <= room:
                line += [("    ", ""), waiting.pop(0)]
            lines.append(line)
        if waiting:
            more = f"   + {len(waiting)} more (W)"
            lines[-1] = [
                *clipped(lines[-1], room - len(more), self._glyphs.ellipsis),
                (more, "bold $lv-text"),
            ]
        return lines

    def render(self) -> Content:
        """The lines, never parsed as markup."""
        width = self.size.width
        parts: list[Bit] = []
        for index, line in enumerate(self._lines(width)):
            if index:
                parts.append(("\n", ""))
            parts.append((" ", ""))
            parts += clipped(line, width - 1, self._glyphs.ellipsis)
        return Content.assemble(*parts)

    async def on_click(self, event: events.Click) -> None:
        event.stop()
        await self.run_action("screen.command('warnings')")


def gap_line(gaps: Sequence[Gap], glyphs: Glyphs) -> str:
    """What cannot be seen here, in one line with the way to see it."""
    whats = "; ".join(gap.what for gap in gaps[:3])
    if len(gaps) > 3:
        whats += f"; {len(gaps) - 3} more"
    remedies: Sequence[str] = tuple(dict.fromkeys(gap.remedy for gap in gaps if gap.remedy))
    line = f"{glyphs.info} Not seen from here: {whats}."
    if remedies:
        line += f" {cut(remedies[0], 200)}"
        if len(remedies) > 1:
            line += " (W lists the rest)"
    return line
