"""Where the stylesheets are: beside the package when installed, in the repository otherwise."""

from __future__ import annotations

from pathlib import Path, PurePath

from textual._styles_cache import StylesCache


def style_paths() -> list[str | PurePath]:
    """Every stylesheet, `base.tcss` first. Raises FileNotFoundError when there are none."""
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
