"""What the screens need from what edits, plans and applies configurations, as small interfaces.

`lvstui.operations.configuration.Configurations` and `lvstui.session.on_disk.OnDisk` are what
stands behind them; tests put plain fakes in their place.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from lvstui.keepalived.daemon.facts import DirectorSeen
from lvstui.keepalived.edit.draft import Draft
from lvstui.keepalived.lint.surroundings import Surroundings
from lvstui.keepalived.text.tree import Tree
from lvstui.model.changes import Ended
from lvstui.operations.change import Outcome, Stop, Tell
from lvstui.operations.config_plan import ConfigPlan, FileChange
from lvstui.remote.runner import RemoteError


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

    @property
    def left_s(self) -> float:
        """Seconds until the first timer rolls it back (WAITING)."""
        ...

    @property
    def end(self) -> str:
        """How it ended, why, and after how long, in words."""
        ...

    @property
    def came(self) -> float:
        """When it came to that, epoch seconds; 0: it has not, or nobody knows."""
        ...

    @property
    def plight(self) -> str:
        """Why a timer of it can not be relied on (WAITING); empty: they can."""
        ...


class ConfigEngine(Protocol):
    """Plans, applies, confirms, takes back. Every call blocks: make it in a thread."""

    @property
    def here(self) -> str:
        """This director's name in plans."""
        ...

    @property
    def directors(self) -> Sequence[object]:
        """This one, then its peers."""
        ...

    def look(self) -> Mapping[str, DirectorSeen | RemoteError]:
        """Every director as it is now, or why it can not be seen."""
        ...

    def plan(
        self, title: str, files: Mapping[str, Sequence[FileChange]], *, timer_s: int = 60
    ) -> ConfigPlan:
        """What writing `files` (by director) would do."""
        ...

    def apply(
        self, plan: ConfigPlan, *, force: bool = False, tell: Tell, stop: Stop | None = None
    ) -> Outcome:
        """Write, reload, read back; `stop` is heeded between two stages."""
        ...

    def confirm(self, id_: str) -> Outcome:
        """Keep it."""
        ...

    def take_back(self, id_: str) -> Outcome:
        """Put the old files back, because the operator wishes so."""
        ...

    def waiting(self) -> Sequence[Past]:
        """Changes whose timer runs, of other sessions too."""
        ...

    def history(self) -> Sequence[Past]:
        """The newest first."""
        ...

    def bind_nonlocal(self) -> Sequence[str]:
        """Set `net.ipv4.ip_nonlocal_bind` on every director; what came of it, a line for each."""
        ...

    def diff(self, id_: str) -> str:
        """Text diff of a change of the past, secrets masked."""
        ...

    def plan_rollback(self, id_: str, *, again: bool = False, strict: bool = False) -> ConfigPlan:
        """What undoing a change of the past would do; `again`: what making it again would.
        `strict`: refused when a file was changed since."""
        ...


class ConfigFiles(Protocol):
    """The configuration files of this host."""

    def read(self, pid: int = 0, daemon_file: str = "") -> Tree:
        """The tree of the main file. Blocks. Raises OSError."""
        ...

    def stamp(self, paths: Sequence[str]) -> object:
        """Equal as long as the files did not change. Blocks."""
        ...

    def surroundings(self, tree: Tree, version: str) -> Surroundings:
        """What the host has of all that `tree` speaks of. Blocks."""
        ...

    def draft(self, pid: int = 0, daemon_file: str = "") -> Draft:
        """The same files, to be worked on. Blocks. Raises OSError."""
        ...
