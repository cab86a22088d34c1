"""The operator's draft of the configuration: every change can be taken back, nothing is written.

The draft itself is only touched in the desk's thread, one piece of work at a time; what screens
show of it is copied out when a piece ends.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from lvstui.keepalived.edit.change import RefusedEdit
from lvstui.keepalived.edit.draft import Draft
from lvstui.keepalived.edit.intent import Intent
from lvstui.keepalived.mask import masked_diff, secrets_of

Edit = Callable[[Draft], tuple[str, ...]]
"""Works on the draft, in a thread; gives what must be known. Raises RefusedEdit."""


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
    known = secrets_of(draft.tree)
    diffs = tuple(masked_diff(old, new, path, known) for path, (old, new) in files.items())
    return Pending(draft.titles, draft.undoable, draft.redoable, files, diffs)


def carrying(intents: Sequence[Intent]) -> Edit:
    """An edit that makes all of these, or none. Gives what they warn of."""

    def work(draft: Draft) -> tuple[str, ...]:
        cautions: list[str] = []
        done = 0
        try:
            for intent in intents:
                change = intent.on(draft.tree)
                draft.apply(change)
                done += 1
                cautions += change.cautions
        except RefusedEdit:
            for _ in range(done):
                draft.undo()
            raise
        return tuple(cautions)

    return work
