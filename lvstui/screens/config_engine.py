"""What the screens need from what edits, plans and applies configurations, as small interfaces."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from lvstui.keepalived.edit.draft import Draft
from lvstui.keepalived.tree import Tree
from lvstui.operations.config_plan import ConfigOutcome, ConfigPlan, Ended

Progress = Callable[[str, str], None]
"""Host, and what is being done there; called from the engine's thread."""


class Past(Protocol):
    """One change of the past."""

    @property
    def id(self) -> str:
        """History id."""
        ...

    @property
    def at(self) -> float:
        """Epoch seconds."""
        ...

    @property
    def who(self) -> str:
        """Who made it."""
        ...

    @property
    def reason(self) -> str:
        """Why, in their words."""
        ...

    @property
    def title(self) -> str:
        """What it was."""
        ...

    @property
    def ended(self) -> Ended:
        """How it stands, the worst of all directors."""
        ...


@dataclass(frozen=True, slots=True)
class Waiting:
    """A change whose timer runs."""

    id: str
    title: str
    left_s: float
    who: str = ""


class ConfigEngine(Protocol):
    """Plans, applies, confirms, takes back. Every call blocks: make it in a thread."""

    def plan(
        self, title: str, files: Mapping[str, bytes], *, before: Mapping[str, bytes]
    ) -> ConfigPlan:
        """What writing `files` (absolute path to all of its bytes) would do; `before` holds them
        as they were when the operator began."""
        ...

    def apply(
        self, plan: ConfigPlan, *, reason: str, force: bool, progress: Progress
    ) -> ConfigOutcome:
        """Write, reload, read back."""
        ...

    def confirm(self, id: str) -> ConfigOutcome:
        """Keep it."""
        ...

    def take_back(self, id: str, why: str) -> ConfigOutcome:
        """Put the old files back."""
        ...

    def waiting(self) -> Sequence[Waiting]:
        """Changes whose timer runs, of other sessions too."""
        ...

    def history(self) -> Sequence[Past]:
        """The newest first."""
        ...

    def diff(self, id: str) -> str:
        """Text diff of a change of the past, secrets masked."""
        ...

    def plan_rollback(self, id: str) -> ConfigPlan:
        """What taking a change of the past back would do."""
        ...


class ConfigFiles(Protocol):
    """The configuration files of this host."""

    def read(self, pid: int = 0, daemon_file: str = "") -> Tree:
        """The tree of the main file. Blocks. Raises OSError."""
        ...

    def stamp(self, paths: Sequence[str]) -> object:
        """Equal as long as the files did not change. Blocks."""
        ...

    def draft(self, pid: int = 0, daemon_file: str = "") -> Draft:
        """The same files, to be worked on. Blocks. Raises OSError."""
        ...
