"""The characters we draw with: one set for Unicode terminals, one for plain ASCII."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from lvstui.model.picture import ASCII_GLYPHS, GLYPHS, State


@dataclass(frozen=True, slots=True)
class Glyphs:
    """Every character that is no letter, digit or plain punctuation."""

    states: Mapping[State, str]
    opened: str = "▾"
    folded: str = "▸"
    cursor: str = "▌"
    mark: str = "✚"
    bar: str = "━"
    track: str = "─"
    spark: str = "▁▂▃▄▅▆▇"
    """Not the full block: rows below each other would melt into a wall."""
    ellipsis: str = "…"
    none: str = "–"
    yes: str = "✓"
    no: str = "✗"
    warn: str = "▲"
    info: str = "◌"
    differs: str = "≠"
    arrow: str = "→"
    ascending: str = "▲"
    descending: str = "▼"
    severity: str = "▎"
    rule: str = "─"
    dot: str = "·"
    chevron: str = "›"
    lock: str = "⊘"
    master: str = "●"
    backup: str = "○"
    braille: bool = True
    enter: str = "⏎"


UNICODE = Glyphs(GLYPHS)
ASCII = Glyphs(
    ASCII_GLYPHS,
    opened="v",
    folded=">",
    cursor=">",
    mark="*",
    bar="=",
    track="-",
    spark="__..--^^",
    ellipsis="~",
    none="-",
    yes="ok",
    no="!!",
    warn="!",
    info="?",
    differs="!",
    arrow="->",
    ascending="^",
    descending="v",
    severity="|",
    rule="-",
    dot=".",
    chevron=">",
    lock="#",
    master="*",
    backup="o",
    braille=False,
    enter="Enter",
)


def glyphs(ascii_only: bool) -> Glyphs:
    """The set for this terminal."""
    return ASCII if ascii_only else UNICODE
