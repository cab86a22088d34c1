"""Pictures of the screen, for documents: SVG, as Textual draws it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from textual.app import App


def save_svg(app: App[None], path: Path, title: str = "lvstui") -> Path:
    """Write what `app` shows now to `path` and return it. Call it on the app's own loop."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(app.export_screenshot(title=title), encoding="utf-8")
    return path
