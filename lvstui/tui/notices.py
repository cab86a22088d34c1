"""Every warning in full, everything that cannot be seen from here with the way to it, and what
lvstui itself takes of this host."""

from __future__ import annotations

from textual.content import Content

from lvstui.model.picture import Picture
from lvstui.model.say import size
from lvstui.tui.dialog import PageDialog
from lvstui.tui.widgets.line import Bit
from lvstui.tui.widgets.warnings import SEVERITY_BITS


class WarningsScreen(PageDialog):
    """A list to read."""

    def heading(self) -> str:
        return f"warnings on {self.console.picture.host}"

    def show_picture(self, picture: Picture) -> None:
        self.draw()

    def content(self, width: int) -> Content:
        picture, glyphs = self.console.picture, self.console.glyphs
        bits: list[Bit] = []
        for warning in picture.warnings:
            bits.append((f"{glyphs.warn} ", SEVERITY_BITS[warning.severity]))
            bits.append((warning.text + "\n", "$lv-text"))
            about = " ".join(str(key) for key in (warning.service, warning.server) if key)
            if about:
                bits.append((f"  {about}\n", "$lv-dim"))
        if not picture.warnings:
            bits.append(("No warning.\n", "$lv-dim"))
        if picture.gaps:
            bits.append(("\nNot seen from here\n", "bold $lv-dim"))
        for gap in picture.gaps:
            bits += [(f"{glyphs.info} ", "$lv-dim"), (gap.what + "\n", "$lv-text")]
            if gap.remedy:
                bits.append((f"  {glyphs.arrow} {gap.remedy}\n", "$lv-accent"))
        cost = picture.cost
        if cost.cpu_share is not None:
            share, memory = f"{cost.cpu_share * 100:.1f} % of a core", size(cost.resident_bytes)
            bits.append((f"\nlvstui itself takes {share}, {memory} of memory\n", "$lv-dim"))
        return Content.assemble(*bits).rstrip()
