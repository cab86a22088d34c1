"""A configuration while it is being changed: what was read, what it would become."""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from lvstui.keepalived.edit.change import Change, Intent, Line, RefusedEdit, apply_edits
from lvstui.keepalived.edit.outline import as_meant, outline, same_lines, strays
from lvstui.keepalived.meaning.view import many_objects, view
from lvstui.keepalived.text.files import Files
from lvstui.keepalived.text.parser import parse
from lvstui.keepalived.text.tree import Tree
from lvstui.model.config import Configuration
from lvstui.model.text import plain

_CONDITION = re.compile(rb"^[ \t]*@\^?([^ \t\r\n]+)[ \t]", re.MULTILINE)
NOBODY = "-"
"""A configuration id that no host has: what `@^id` lines are for."""


@dataclass(frozen=True, slots=True)
class _State:
    title: str
    """The change that led here."""
    over: Mapping[str, bytes] = field(default_factory=dict, repr=False)
    """The files that are not as they were read."""


class Draft:
    """What an operator works on: every change can be taken back, and nothing is written.

    `tree` and `configuration` are always those of the files with all changes. A change that
    would do anything but what it was meant to is refused, and the draft stays as it was.
    """

    def __init__(self, main: str, files: Files, config_id: str) -> None:
        """Read the configuration at `main` (absolute) as the host `config_id` does.

        Raises OSError when that file cannot be read.
        """
        self.main = main
        self.config_id = config_id
        self._under = files
        self._seen: dict[str, bytes] = {}
        """What was read, as it was the first time: each file is read once."""
        self._done: list[_State] = [_State("")]
        self._undone: list[_State] = []
        self._load()

    def _parse(self, over: Mapping[str, bytes], config_id: str) -> Tree:
        """With what `over` holds in place of the files beneath."""

        def read(path: str) -> bytes:
            if path in over:
                return over[path]
            if path not in self._seen:
                self._seen[path] = self._under.read(path)
            return self._seen[path]

        return parse(self.main, Files(read, self._under.expand), config_id)

    def _load(self, tree: Tree | None = None, configuration: Configuration | None = None) -> None:
        with many_objects():
            self.tree = self._parse(self._done[-1].over, self.config_id) if tree is None else tree
            self.configuration = view(self.tree) if configuration is None else configuration

    @property
    def base(self) -> Mapping[str, bytes]:
        """The files as they were read, absolute path to bytes."""
        return dict(self._seen)

    @property
    def files(self) -> dict[str, tuple[bytes, bytes]]:
        """Each file that is different now: as read, and as it would become."""
        seen = self._seen
        over = self._done[-1].over.items()
        return {path: (seen[path], data) for path, data in over if data != seen[path]}

    def data(self, path: str) -> bytes:
        """The file at `path` as it is in the draft. Raises KeyError."""
        return self.tree.file(path).data

    @property
    def changed(self) -> bool:
        return bool(self.files)

    @property
    def titles(self) -> tuple[str, ...]:
        """Every change that is in force, in order."""
        return tuple(state.title for state in self._done[1:])

    @property
    def undoable(self) -> str:
        """Title of the change that `undo` takes back; empty when there is none."""
        return self._done[-1].title if len(self._done) > 1 else ""

    @property
    def redoable(self) -> str:
        """Title of the change that `redo` makes again; empty when there is none."""
        return self._undone[-1].title if self._undone else ""

    def undo(self) -> bool:
        """Take the last change back; False when there is none."""
        if len(self._done) < 2:
            return False
        self._undone.append(self._done.pop())
        self._load()
        return True

    def redo(self) -> bool:
        """Make the change again that was taken back last; False when there is none."""
        if not self._undone:
            return False
        self._done.append(self._undone.pop())
        self._load()
        return True

    def apply(self, change: Change) -> bool:
        """Make `change`, which was made for `tree`; False when there was nothing to do.

        Raises RefusedEdit, and leaves everything as it was, when the files would not mean what
        the change says or would mean more than that.
        """
        if change.empty:
            return False
        with many_objects():
            over, tree = self._after(change)
            # Before the view of it looks into every block.
            lines = outline(tree).lines
            configuration = view(tree)
            if change.meant is not None:
                self._check(change, over, tree, configuration, lines)
        self._take(change.title, over, tree, configuration)
        return True

    def apply_all(self, wanted: Sequence[Intent], title: str) -> tuple[Change, ...]:
        """Make several changes one after the other, as one that is undone at once; what each of
        them came to, for its title and cautions.

        Each is judged on what the ones before it left (the last server of a pool is the last
        one). Raises RefusedEdit, with nothing changed, when one of them is refused.
        """
        done, undone = list(self._done), list(self._undone)
        made: list[Change] = []
        try:
            for one in wanted:
                change = one.on(self.tree)
                if self.apply(change):
                    made.append(change)
        except RefusedEdit:
            self._done, self._undone = done, undone
            self._load()
            raise
        if made:
            self._done = [*done, _State(title, self._done[-1].over)]
        return tuple(made)

    def replace(self, path: str, data: bytes, title: str) -> None:
        """Exchange the whole file at `path`, as the text editor does: no question is asked.

        Raises RefusedEdit when it is none of the configuration's files.
        """
        if path not in self._seen:
            raise RefusedEdit(None, "that file is no part of the configuration")
        over = {**self._done[-1].over, path: data}
        tree = self._parse(over, self.config_id)
        self._take(title, over, tree, view(tree))

    def _take(
        self, title: str, over: Mapping[str, bytes], tree: Tree, configuration: Configuration
    ) -> None:
        self._done.append(_State(title, over))
        self._undone.clear()
        self._load(tree, configuration)

    def _after(self, change: Change) -> tuple[dict[str, bytes], Tree]:
        now = {file.path: file.data for file in self.tree.files}
        try:
            changed = apply_edits(now, change.edits)
        except (KeyError, ValueError):
            raise RefusedEdit(None, "the change was made for another state of the files") from None
        over = {**self._done[-1].over, **changed}
        return over, self._parse(over, self.config_id)

    def _check(
        self,
        change: Change,
        over: Mapping[str, bytes],
        tree: Tree,
        configuration: Configuration,
        lines: tuple[Line, ...],
    ) -> None:
        assert change.meant is not None
        before = change.frame or outline(self.tree).lines
        if not same_lines(as_meant(before, change.meant), lines):
            raise RefusedEdit(None, "the files would mean something else than was asked for", _HAND)
        known = Counter(what for _, what in self.tree.problems)
        new = Counter(what for _, what in tree.problems) - known
        if new:
            raise RefusedEdit(None, f"keepalived would stumble: {next(iter(new))}", _HAND)
        if renamed := _renamed(self.configuration, configuration):
            raise RefusedEdit(None, f"{renamed} would lose the name in its comment", _HAND)
        was = self._done[-1].over
        for other in conditions([file.data for file in self.tree.files]):
            if other == self.config_id:
                continue
            old = outline(self._parse(was, other)).lines
            then = outline(self._parse(over, other)).lines
            if strays(old, then, before, change.meant):
                why = f"lines that only host {plain(other, 40)} reads would change as well"
                raise RefusedEdit(None, why, _HAND)


_HAND = "use the text editor"


def conditions(files: Sequence[bytes]) -> tuple[str, ...]:
    """Every configuration id that lines of `files` name, and one that none does when there are
    any."""
    names: dict[str, None] = {}
    for data in files:
        if b"@" in data:
            names.update((os.fsdecode(name), None) for name in _CONDITION.findall(data))
    return (*names, NOBODY) if names else ()


def _renamed(before: Configuration, after: Configuration) -> str:
    """Who is in both and has another name now; empty when nobody."""
    old, new = _names(before), _names(after)
    for key, name in old.items():
        if new.get(key, name) != name:
            return " in ".join(map(str, reversed(key)))
    return ""


def _names(configuration: Configuration) -> dict[tuple[object, ...], str]:
    found: dict[tuple[object, ...], str] = {}
    for service in configuration.services:
        # The file says how a group's name is written once for all of it.
        found.setdefault((service.key,), service.name)
        for server in service.servers:
            found.setdefault((service.key, server.key), server.name)
    return found
