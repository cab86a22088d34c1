"""The operator's draft of the configuration, in which every change can be taken back and nothing is
written; and the change that comes of it.

The draft itself is only touched in the session's thread, one piece of work at a time; what screens
show of it is copied out when a piece ends.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from lvstui.keepalived.edit.change import Change, RefusedEdit
from lvstui.keepalived.edit.draft import Draft
from lvstui.keepalived.edit.intent import Intent
from lvstui.keepalived.text.mask import masked_diff, secrets_in, secrets_of
from lvstui.operations.change import TrackedChange
from lvstui.operations.config_plan import ConfigPlan

if TYPE_CHECKING:
    from lvstui.operations.configuration import DirectorConfigs

Edit = Callable[[Draft], object]
"""Works on the draft, in a thread. Raises RefusedEdit."""


@dataclass(frozen=True, slots=True)
class Pending:
    """What is in a draft. The files hold secrets."""

    titles: tuple[str, ...] = ()
    """Every change, in order."""
    undoable: str = ""
    redoable: str = ""
    files: Mapping[str, tuple[bytes, bytes]] = field(default_factory=dict, repr=False)
    """By path: as it is on the disk, as it would become."""
    diffs: tuple[str, ...] = ()
    """Text diff of each file, secrets masked."""

    @property
    def changed(self) -> bool:
        """There is something to apply."""
        return bool(self.files)

    @property
    def title(self) -> str:
        """All of it in one line."""
        if len(self.titles) == 1:
            return self.titles[0]
        return f"{len(self.titles)} changes: {'; '.join(self.titles)}"[:200]


def pending(draft: Draft) -> Pending:
    """What is in that draft now."""
    files = draft.files
    known = secrets_of(draft.tree) | secrets_in(old for old, _ in files.values())
    diffs = tuple(masked_diff(old, new, path, known) for path, (old, new) in files.items())
    return Pending(draft.titles, draft.undoable, draft.redoable, files, diffs)


def make_all(draft: Draft, intents: Sequence[Intent], title: str) -> tuple[str, ...]:
    """Make all of these as one step, or none; what they warn of. `title` is for several of them.
    Raises RefusedEdit."""
    if len(intents) == 1:
        change = intents[0].on(draft.tree)
        made: tuple[Change, ...] = (change,) if draft.apply(change) else ()
    else:
        made = draft.apply_all(intents, title)
    if not made:
        raise RefusedEdit(None, "the file says so already")
    return tuple(caution for change in made for caution in change.cautions)


@dataclass
class IntentLog:
    """What each step of the draft was asked for: it can be asked of the other director too."""

    _steps: list[tuple[Intent, ...] | None] = field(default_factory=list)

    def made(self, before: int, intents: tuple[Intent, ...] | None) -> None:
        """A step was made on top of `before` ones; None: text by hand. What had been taken back
        is gone by that."""
        self._steps = [*self._steps[:before], intents]

    def of(self, count: int) -> tuple[Intent, ...] | None:
        """All that the first `count` steps asked for, in order; None when one was by hand."""
        result: list[Intent] = []
        for step in self._steps[:count]:
            if step is None:
                return None
            result += step
        return tuple(result)


MakePlan = Callable[["DirectorConfigs"], ConfigPlan]


@dataclass
class ConfigChange(TrackedChange):
    """One change of the configuration, from the first question to its end: written under a timer on
    each director."""

    make: MakePlan = field(kw_only=True)
    from_draft: bool = False
    """The draft becomes what is in force when this is kept."""
    plan: ConfigPlan | None = None
    plight_here: str = ""
    """Why the timer of this host cannot be relied on, as the picture says; empty: it can."""
    plight_told: str = ""
    """The same of any director, as they said when they were asked last."""

    @property
    def plight(self) -> str:
        """Why its timer cannot be relied on (WAITING); empty: it can."""
        return self.plight_here or self.plight_told

    @property
    def then(self) -> str:
        """What becomes of it unless somebody decides (WAITING)."""
        return self.plight or f"rolled back in {self.left_s:.0f} s"
