"""Where the stylesheets are: beside the package when installed, in the repository otherwise."""

from __future__ import annotations

from pathlib import Path, PurePath


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
