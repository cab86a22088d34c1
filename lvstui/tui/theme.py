"""Themes, the words for colours that every stylesheet and widget of ours uses, and the stylesheets.

A widget never names a colour, only a meaning (`$rs-down`). Own themes give every meaning a
value; for any other theme (Textual's, a user's) `meanings` derives them from its palette, so
each theme works, native ANSI ones too.
"""

from __future__ import annotations

from pathlib import Path, PurePath

from textual._styles_cache import StylesCache
from textual.color import Color
from textual.theme import Theme

DEFAULT_THEME = "lvstui-dark"
_COLOURS = {
    # dark, light, contrast, deuteranopia (blue against orange is told apart with protanopia as
    # well: Okabe-Ito)
    "ground": ("#0d1117", "#fbfbf9", "#000000", "#0d1117"),
    "bar": ("#151b23", "#eef0ee", "#1a1a1a", "#151b23"),
    "raised": ("#262f3b", "#d9dedd", "#4d4d4d", "#262f3b"),
    "text": ("#d5dce5", "#22292f", "#ffffff", "#e3e7ec"),
    "dim": ("#818b98", "#66707a", "#d0d0d0", "#8b95a2"),
    "faint": ("#323c49", "#c9cfd0", "#7a7a7a", "#323c49"),
    "accent": ("#56c2de", "#0f6f8c", "#4de4ff", "#56b4e9"),
    "good": ("#4ec9a0", "#18794e", "#5cff9d", "#56b4e9"),
    "warn": ("#e8ab4d", "#935800", "#ffd75f", "#f0e442"),
    "bad": ("#e5675f", "#b3261e", "#ff8a80", "#f08a24"),
    "other": ("#b49bf0", "#6b4fbb", "#d7b8ff", "#cc9ac0"),
    "cursor": ("#1b3049", "#d5e8f0", "#003f8a", "#1b3049"),
    "mark": ("#232a17", "#efe9c8", "#4a4a00", "#2a2a17"),
    "alert": ("#211b10", "#fbf0d9", "#332600", "#221d10"),
}
"""The few colours that a console needs, in each of our themes."""


_USED_FOR = {
    "text": "lv-text lv-chip-text block-cursor-foreground block-cursor-blurred-foreground",
    "dim": "lv-dim scrollbar-hover",
    "faint": "lv-faint scrollbar border border-blurred",
    "accent": "lv-accent scrollbar-active input-cursor-background",
    "bar": "lv-bar",
    "raised": "lv-raised lv-chip",
    "ground": "lv-on-accent input-cursor-foreground scrollbar-corner-color scrollbar-background "
    "scrollbar-background-hover scrollbar-background-active",
    "cursor": "lv-cursor block-cursor-background block-cursor-blurred-background "
    "input-selection-background",
    "mark": "lv-mark",
    "alert": "lv-alert",
}
_STATES = {
    "good": "rs-up sev-good",
    "warn": "rs-draining rs-overloaded rs-differs sev-warn",
    "bad": "rs-down sev-bad",
    "other": "rs-unverified rs-foreign",
    "dim": "rs-drained rs-disabled rs-standby sev-info",
}
"""Of real servers, and severities."""


def _spread(uses: dict[str, str], colours: dict[str, str]) -> dict[str, str]:
    return {name: colours[key] for key, names in uses.items() for name in names.split()}


def _own(name: str, at: int) -> Theme:
    """The theme in column `at`; what it does not say `meanings` derives."""
    colours = {key: of[at] for key, of in _COLOURS.items()}
    return Theme(
        name=name,
        dark=name != "lvstui-light",
        primary=colours["accent"],
        secondary=colours["other"],
        accent=colours["accent"],
        foreground=colours["text"],
        background=colours["ground"],
        surface=colours["bar"],
        panel=colours["raised"],
        success=colours["good"],
        warning=colours["warn"],
        error=colours["bad"],
        variables={
            **_spread(_USED_FOR, colours),
            **_spread(_STATES, colours),
            "block-cursor-text-style": "none",
        },
    )


THEMES = tuple(
    _own(f"lvstui-{name}", at)
    for at, name in enumerate(("dark", "light", "contrast", "deuteranopia"))
)
"""Ours, the default first."""


def meanings(variables: dict[str, str], *, ansi: bool) -> dict[str, str]:
    """`variables` of a theme, completed with every meaning it does not define itself."""
    if ansi:
        names = "text dim bar raised chip chip-text cursor mark alert"
        derived = {f"lv-{name}": "ansi_default" for name in names.split()}
        derived |= {"lv-faint": "ansi_bright_black", "lv-on-accent": "ansi_black"}
        derived |= dict.fromkeys(("lv-accent", "lv-graph"), variables["secondary"])
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
    colours = {
        "good": variables["success"],
        "warn": variables["warning"],
        "bad": variables["error"],
        "other": variables["secondary"],
        "dim": derived["lv-dim"],
    }
    return {**derived, **_spread(_STATES, colours), **variables}


def style_paths() -> list[str | PurePath]:
    """Every stylesheet, `base.tcss` first: beside the package when installed, in the repository
    otherwise. Raises FileNotFoundError when there are none."""
    package = Path(__file__).resolve().parent.parent
    for folder in (package / "styles", package.parent / "styles"):
        sheets: list[str | PurePath] = [*sorted(folder.glob("*.tcss"), key=_base_first)]
        if sheets:
            return sheets
    raise FileNotFoundError("lvstui's stylesheets are missing: install the package again")


def _base_first(path: Path) -> tuple[bool, str]:
    return path.stem != "base", path.stem


def free_closed_widgets() -> None:
    """Let go of what closed screens have drawn. Call it once, before the first screen.

    Textual 8.2 keeps the last 1,024 results of `StylesCache.get_inner_outer` by its first
    argument. It is called `cls` and is not used, but the method is no class method: the key is
    the cache of one widget, which holds every line that the widget has drawn. So each dialog
    that was opened stayed in memory (0.7 MB for the help).
    """
    kept = vars(StylesCache)["get_inner_outer"]
    if not isinstance(kept, classmethod):
        StylesCache.get_inner_outer = classmethod(kept)  # type: ignore[method-assign,assignment]
