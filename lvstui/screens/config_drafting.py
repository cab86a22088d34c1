"""The operator's draft of the configuration: every change can be taken back, nothing is written.

The draft itself is only touched in the desk's thread, one piece of work at a time; what screens
show of it is copied out when a piece ends.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from lvstui.keepalived.edit.change import Change
from lvstui.keepalived.edit.draft import Draft
from lvstui.keepalived.tree import Tree

MakeChange = Callable[[Tree], Change]
"""A change for a tree. Raises RefusedEdit."""
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
    return Pending(draft.titles, draft.undoable, draft.redoable, draft.files)


def changing(make: MakeChange) -> Edit:
    """An edit that makes one change."""

    def work(draft: Draft) -> Change:
        change = make(draft.tree)
        draft.apply(change)
        return change

    return work
