"""The configuration files of this host, for those who look at them again and again."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence

from lvstui.keepalived.edit.draft import Draft
from lvstui.keepalived.lint.surroundings import Surroundings
from lvstui.keepalived.meaning.view import default_config_id, load_tree, many_objects
from lvstui.keepalived.text.files import local, stamp
from lvstui.keepalived.text.tree import Tree


class OnDisk:
    """Reads the configuration that keepalived would, and tells when it may have changed."""

    def __init__(
        self,
        path: str = "",
        default: str = "/etc/keepalived/keepalived.conf",
        config_id: Callable[[int], str] | None = None,
    ) -> None:
        """`path` overrides where the daemon says its file lies, `default` stands for it while
        that is not known; `config_id` gives, for the daemon's pid, what `@id` lines are compared
        with."""
        self._path, self._default, self._config_id = path, default, config_id

    def read(self, pid: int = 0, daemon_file: str = "") -> Tree:
        """The tree of the main file as the daemon `pid` (0: none) reads it. Raises OSError."""
        with many_objects():
            return load_tree(self._main(daemon_file), config_id=self._id(pid))

    def surroundings(self, tree: Tree, version: str) -> Surroundings:
        """What this host has of all that `tree` speaks of: interfaces, scripts, users."""
        # Brings the scripts along, which nothing else about files needs.
        from lvstui.keepalived.daemon.around import around_here

        return around_here(tree, version)

    def draft(self, pid: int = 0, daemon_file: str = "") -> Draft:
        """The same files, to be worked on. Raises OSError."""
        main = os.path.abspath(self._main(daemon_file))
        with many_objects():
            return Draft(main, local(), self._id(pid) or default_config_id())

    def _main(self, daemon_file: str) -> str:
        return self._path or daemon_file or self._default

    def _id(self, pid: int) -> str | None:
        return self._config_id(pid) if pid and self._config_id is not None else None

    def stamp(self, paths: Sequence[str]) -> object:
        """See `files.stamp`."""
        return stamp(paths)
