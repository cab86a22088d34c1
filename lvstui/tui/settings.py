"""How the console is set up: decided outside, handed in once."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from lvstui.process.newfile import state_folder


def speaks_unicode() -> bool:
    """Whether the terminal's encoding can show our glyphs."""
    encoding = (getattr(sys.__stdout__, "encoding", "") or "").lower().replace("-", "")
    return encoding.startswith("utf")


@dataclass(frozen=True)
class Settings:
    """Everything that a test or a command line may want to change."""

    theme: str = ""
    """Empty: TEXTUAL_THEME, else our own dark one."""
    ascii: bool | None = None
    """Only ASCII on the screen; None: as the terminal's encoding demands."""
    clock: Callable[[], float] = time.time
    """Epoch seconds."""
    state_folder: Path = field(default_factory=state_folder)
    """For crash traces and what the screens save."""
    events_height: int | None = None
    """Lines of the events pane at the start, its title among them; 0: hidden; None: as many as
    suit the terminal."""
    watch_terminal: bool = True
    """End cleanly when the terminal goes away."""
