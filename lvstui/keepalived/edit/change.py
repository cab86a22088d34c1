"""A change to configuration files as data, and why one cannot be made."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from lvstui.keepalived.text.tree import Tree
from lvstui.model.config import Place


@dataclass(frozen=True, slots=True, order=True)
class Edit:
    """Bytes `start` up to `end` of one file become `text`."""

    path: str
    """Absolute, as in `Tree.files`."""
    start: int
    end: int
    text: bytes = field(repr=False)


Line = tuple[tuple[bytes, ...], ...]
"""A logical line: the words of each header around it, the outermost first, then its own words. A
block is the line of its header's words followed by `OPENS`."""

OPENS = (b"{",)


@dataclass(frozen=True, slots=True)
class ExpectedLines:
    """Logical lines `start` up to `end` of a configuration become `lines`: what an edit must mean,
    all of it. Passwords may be in it, so it is never printed."""

    start: int
    end: int
    lines: tuple[Line, ...] = field(default=(), repr=False)


@dataclass(frozen=True, slots=True)
class Change:
    """One thing that the operator wants, and the edits that make it."""

    title: str
    """In words, harmless to show: `weight of rs2 (10.10.0.4:80) in tcp 10.10.0.20:80: 10 → 0`."""
    edits: tuple[Edit, ...] = field(repr=False)
    cautions: tuple[str, ...] = ()
    """What the operator must know before he says yes, one sentence each."""
    meant: tuple[ExpectedLines, ...] | None = field(default=None, repr=False)
    """What the edits must do to the logical lines; None when nobody can say (text by hand)."""
    frame: tuple[Line, ...] = field(default=(), repr=False, compare=False)
    """The logical lines that `meant` speaks of."""

    @property
    def empty(self) -> bool:
        """It is so already."""
        return not self.edits

    @property
    def paths(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(edit.path for edit in self.edits))


class Intent(Protocol):
    """What an operator wants, without where it stands: the same on every director, and again after
    an undo. See `edit.intent` for all there are."""

    def on(self, tree: Tree) -> Change:
        """The change that it takes on `tree`. Raises RefusedEdit."""
        ...


class RefusedEdit(Exception):
    """An edit that cannot be made safely. `str()` is one line without secrets: where, why, and
    what to do instead."""

    def __init__(self, place: Place | None, why: str, todo: str = "") -> None:
        where = f"{place}: " if place is not None else ""
        super().__init__(f"{where}{why}" + (f"; {todo}" if todo else ""))
        self.place = place
        self.why = why
        self.todo = todo


def apply_edits(files: Mapping[str, bytes], edits: Iterable[Edit]) -> dict[str, bytes]:
    """The files after `edits`, whose offsets all refer to the files as given.

    Only files that change are in the result. Raises KeyError for a file that is not there and
    ValueError for edits that overlap or lie outside of their file.
    """
    by_path: dict[str, list[Edit]] = {}
    for edit in edits:
        by_path.setdefault(edit.path, []).append(edit)
    result: dict[str, bytes] = {}
    for path, wanted in by_path.items():
        data = files[path]
        pieces: list[bytes] = []
        at = 0
        for edit in sorted(wanted):
            if not at <= edit.start <= edit.end <= len(data):
                raise ValueError(f"edits of {path} overlap or lie outside of it")
            pieces += (data[at : edit.start], edit.text)
            at = edit.end
        pieces.append(data[at:])
        result[path] = b"".join(pieces)
    return result
