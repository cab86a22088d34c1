"""The footer: which host and service a key acts on, and the keys."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from lvstui.tui.widgets.glyphs import Glyphs
from lvstui.tui.widgets.line import Bit, CommandStrip, LineStrip, bits_width, clipped


@dataclass(frozen=True, slots=True)
class Key:
    """One key of the footer."""

    id: str
    key: str
    label: str
    enabled: bool = True


class KeyBar(CommandStrip):
    """` d  drain  e  enable …`; a key that cannot be used now is dim."""

    def __init__(self, keys: Callable[[], Sequence[Key]], right: Callable[[], Bit]) -> None:
        super().__init__(id="keys")
        self._keys = keys
        self._right = right

    def bits(self, width: int) -> Sequence[Bit]:
        """As many keys as fit; help never falls out."""
        keys = list(self._keys())
        right = self._right()
        roomy = width >= 100
        if not roomy and right[1] == "$lv-dim":
            # Nothing out of the ordinary: the room is better used for keys.
            right = ("", "")
        room = width - bits_width([right]) - 2

        def drawn(shown: Sequence[Key]) -> list[Bit]:
            bits: list[Bit] = []
            for key in shown:
                style = "$lv-chip-text" if key.enabled else "$lv-dim"
                bits.append((f" {key.key} ", f"{style} on $lv-chip"))
                bits.append(
                    (
                        f" {key.label}{'   ' if roomy else ' '}",
                        "$lv-text" if key.enabled else "$lv-dim",
                    )
                )
            return bits

        while len(keys) > 1 and bits_width(drawn(keys)) > room:
            keys.pop(-2)
        bits = drawn(keys)
        spans, at = [], 0
        for index, key in enumerate(keys):
            length = bits_width(bits[2 * index : 2 * index + 2])
            spans.append((at, at + length, key.id))
            at += length
        self.spans = spans
        pad = max(width - at - bits_width([right]) - 1, 0)
        return [*bits, (" " * pad, ""), right, (" ", "")]


class TargetLine(LineStrip):
    """`lb1 › tcp 10.10.0.20:80 web › 10.10.0.4:80 rs2`: what a key acts on."""

    def __init__(self, glyphs: Glyphs) -> None:
        super().__init__(id="target")
        self._glyphs = glyphs
        self._left: tuple[Bit, ...] = ()
        self._right: tuple[Bit, ...] = ()

    def show(self, left: Sequence[Bit], right: Sequence[Bit]) -> None:
        """What keys act on (left), how the table is ordered and filtered (right)."""
        self._left, self._right = tuple(left), tuple(right)
        self.look_again()

    def bits(self, width: int) -> Sequence[Bit]:
        """Both ends of the line; the target has precedence."""
        left = clipped(self._left, width - 2, self._glyphs.ellipsis)
        room = width - 2 - bits_width(left) - 2
        right = list(self._right) if bits_width(self._right) <= room else []
        pad = width - 2 - bits_width(left) - bits_width(right)
        return [(" ", ""), *left, (" " * max(pad, 0), ""), *right, (" ", "")]
