"""Themes, and the words for colours that every stylesheet and widget of ours uses.

A widget never names a colour, only a meaning (`$rs-down`). Own themes give every meaning a
value; for any other theme (Textual's, a user's) `meanings` derives them from its palette, so
each theme works, native ANSI ones too.
"""

from __future__ import annotations

from textual.color import Color
from textual.theme import Theme

DEFAULT_THEME = "lvstui-dark"


def _own(
    name: str,
    *,
    dark: bool,
    ground: str,
    bar: str,
    raised: str,
    text: str,
    dim: str,
    faint: str,
    accent: str,
    good: str,
    warn: str,
    bad: str,
    other: str,
    cursor: str,
    mark: str,
    alert: str,
) -> Theme:
    """A theme from the few colours that a console needs."""
    return Theme(
        name=name,
        dark=dark,
        primary=accent,
        secondary=other,
        accent=accent,
        foreground=text,
        background=ground,
        surface=bar,
        panel=raised,
        success=good,
        warning=warn,
        error=bad,
        variables={
            "lv-text": text,
            "lv-dim": dim,
            "lv-faint": faint,
            "lv-accent": accent,
            "lv-graph": Color.parse(ground).blend(Color.parse(accent), 0.62).hex,
            "lv-bar": bar,
            "lv-raised": raised,
            "lv-chip": raised,
            "lv-chip-text": text,
            "lv-on-accent": ground,
            "lv-cursor": cursor,
            "lv-mark": mark,
            "lv-alert": alert,
            "rs-up": good,
            "rs-down": bad,
            "rs-draining": warn,
            "rs-drained": dim,
            "rs-disabled": dim,
            "rs-unverified": other,
            "rs-drifted": warn,
            "rs-foreign": other,
            "sev-info": dim,
            "sev-good": good,
            "sev-warn": warn,
            "sev-bad": bad,
            "scrollbar": faint,
            "scrollbar-hover": dim,
            "scrollbar-active": accent,
            "scrollbar-background": ground,
            "scrollbar-background-hover": ground,
            "scrollbar-background-active": ground,
            "scrollbar-corner-color": ground,
            "border": faint,
            "border-blurred": faint,
            "block-cursor-background": cursor,
            "block-cursor-foreground": text,
            "block-cursor-text-style": "none",
            "block-cursor-blurred-background": cursor,
            "block-cursor-blurred-foreground": text,
            "input-cursor-background": accent,
            "input-cursor-foreground": ground,
            "input-selection-background": cursor,
        },
    )


THEMES = (
    _own(
        "lvstui-dark",
        dark=True,
        ground="#0d1117",
        bar="#151b23",
        raised="#262f3b",
        text="#d5dce5",
        dim="#818b98",
        faint="#323c49",
        accent="#56c2de",
        good="#4ec9a0",
        warn="#e8ab4d",
        bad="#e5675f",
        other="#b49bf0",
        cursor="#1b3049",
        mark="#232a17",
        alert="#211b10",
    ),
    _own(
        "lvstui-light",
        dark=False,
        ground="#fbfbf9",
        bar="#eef0ee",
        raised="#d9dedd",
        text="#22292f",
        dim="#66707a",
        faint="#c9cfd0",
        accent="#0f6f8c",
        good="#18794e",
        warn="#935800",
        bad="#b3261e",
        other="#6b4fbb",
        cursor="#d5e8f0",
        mark="#efe9c8",
        alert="#fbf0d9",
    ),
    _own(
        "lvstui-contrast",
        dark=True,
        ground="#000000",
        bar="#1a1a1a",
        raised="#4d4d4d",
        text="#ffffff",
        dim="#d0d0d0",
        faint="#7a7a7a",
        accent="#4de4ff",
        good="#5cff9d",
        warn="#ffd75f",
        bad="#ff8a80",
        other="#d7b8ff",
        cursor="#003f8a",
        mark="#4a4a00",
        alert="#332600",
    ),
    # Blue against orange is told apart with deuteranopia and protanopia alike (Okabe-Ito).
    _own(
        "lvstui-deuteranopia",
        dark=True,
        ground="#0d1117",
        bar="#151b23",
        raised="#262f3b",
        text="#e3e7ec",
        dim="#8b95a2",
        faint="#323c49",
        accent="#56b4e9",
        good="#56b4e9",
        warn="#f0e442",
        bad="#f08a24",
        other="#cc9ac0",
        cursor="#1b3049",
        mark="#2a2a17",
        alert="#221d10",
    ),
)
"""Ours, the default first."""


def meanings(variables: dict[str, str], *, ansi: bool) -> dict[str, str]:
    """`variables` of a theme, completed with every meaning it does not define itself."""
    if ansi:
        derived = {
            "lv-text": "ansi_default",
            "lv-dim": "ansi_default",
            "lv-faint": "ansi_bright_black",
            "lv-accent": variables["secondary"],
            "lv-graph": variables["secondary"],
            "lv-bar": "ansi_default",
            "lv-raised": "ansi_default",
            "lv-chip": "ansi_default",
            "lv-chip-text": "ansi_default",
            "lv-on-accent": "ansi_black",
            "lv-cursor": "ansi_default",
            "lv-mark": "ansi_default",
            "lv-alert": "ansi_default",
        }
    else:
        text = Color.parse(variables["foreground"])
        ground = Color.parse(variables["background"])
        accent = Color.parse(variables["primary"])
        warning = Color.parse(variables["warning"])

        def mixed(color: Color, share: float) -> str:
            return ground.blend(color, share).hex

        derived = {
            "lv-text": text.hex,
            "lv-dim": mixed(text, 0.58),
            "lv-faint": mixed(text, 0.24),
            "lv-accent": accent.hex,
            "lv-graph": mixed(accent, 0.62),
            "lv-bar": mixed(text, 0.06),
            "lv-raised": mixed(text, 0.16),
            "lv-chip": mixed(text, 0.16),
            "lv-chip-text": text.hex,
            "lv-on-accent": accent.get_contrast_text().hex,
            "lv-cursor": mixed(accent, 0.28),
            "lv-mark": mixed(warning, 0.16),
            "lv-alert": mixed(warning, 0.10),
        }
    states = {
        "rs-up": variables["success"],
        "rs-down": variables["error"],
        "rs-draining": variables["warning"],
        "rs-drained": derived["lv-dim"],
        "rs-disabled": derived["lv-dim"],
        "rs-unverified": variables["secondary"],
        "rs-drifted": variables["warning"],
        "rs-foreign": variables["secondary"],
        "sev-info": derived["lv-dim"],
        "sev-good": variables["success"],
        "sev-warn": variables["warning"],
        "sev-bad": variables["error"],
    }
    return {**derived, **states, **variables}
