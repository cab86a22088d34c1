"""vrrp_script, track_file and vrrp_track_process: what the priority of an instance hangs on.

Defaults are those of vrrp_data.c and track_file.c (2.2.7 to 2.4.3).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from lvstui.keepalived.text.tree import Block, Statement, Tree
from lvstui.keepalived.text.values import MAX_UNSIGNED, Notes, script_path, shown
from lvstui.model.config import ConfiguredScript, TrackedFile, TrackedProcess

_SIGNED = re.compile(rb"[+-]?[0-9]{1,9}")
MAX_SCRIPT_WEIGHT = 253
MAX_FILE_WEIGHT = 254
_Made = TypeVar("_Made")


@dataclass(frozen=True, slots=True)
class Tracking:
    """Everything that instances and groups can track by name."""

    scripts: tuple[ConfiguredScript, ...] = ()
    files: tuple[TrackedFile, ...] = ()
    processes: tuple[TrackedProcess, ...] = ()


def tracking(tree: Tree, notes: Notes) -> Tracking:
    """All of them, without those that keepalived removes (no script, no file, no process)."""
    return Tracking(
        _named(tree, (b"vrrp_script",), script, notes),
        _named(tree, (b"track_file", b"vrrp_track_file"), file, notes),
        _named(tree, (b"vrrp_track_process",), process, notes),
    )


def _named(
    tree: Tree,
    keywords: tuple[bytes, ...],
    read: Callable[[Block, Notes], _Made | None],
    notes: Notes,
) -> tuple[_Made, ...]:
    """Of two with one name keepalived uses the first."""
    found: dict[bytes, _Made] = {}
    for block in tree.blocks(*keywords):
        if len(block.header.words) < 2:
            notes.say(block.place, f"{block.keyword.decode()}: its name is missing")
            continue
        name = block.header.words[1]
        if name in found:
            notes.say(block.place, f"{block.keyword.decode()} of that name exists already")
            continue
        made = read(block, notes)
        if made is not None:
            found[name] = made
    return tuple(found.values())


def _weight(line: Statement, limit: int, notes: Notes) -> int | None:
    word = line.words[1] if len(line.words) > 1 else b""
    if _SIGNED.fullmatch(word) and -limit <= int(word) <= limit:
        return int(word)
    notes.say(line.place, f"weight: a number from -{limit} to {limit} is expected; line ignored")
    return None


def script(block: Block, notes: Notes) -> ConfiguredScript | None:
    """One vrrp_script; None when it names no script."""
    path = last(block.statements(b"script"), lambda line: script_path(line) or None, "")

    def times(keyword: bytes) -> int:
        lines = block.statements(keyword)
        return last(lines, lambda line: notes.number(line, 1, MAX_UNSIGNED), 1)

    weights = block.statements(b"weight")
    found = ConfiguredScript(
        _name(block),
        path,
        last(block.statements(b"interval"), notes.seconds, 1.0),
        last(block.statements(b"timeout"), notes.seconds, 0.0),
        last(weights, lambda line: _weight(line, MAX_SCRIPT_WEIGHT, notes), 0),
        times(b"rise"),
        times(b"fall"),
        block.place,
    )
    if not path:
        notes.say(block.place, "vrrp_script without script; keepalived removes it")
        return None
    return found


def file(block: Block, notes: Notes) -> TrackedFile | None:
    """One track_file; None when it names no file."""
    path = last(block.statements(b"file"), lambda line: shown(notes.argument(line)), "")
    weights = block.statements(b"weight")
    weight = last(weights, lambda line: _weight(line, MAX_FILE_WEIGHT, notes), 1)
    if not path:
        notes.say(block.place, "track_file without file; keepalived removes it")
        return None
    return TrackedFile(_name(block), path, weight, block.place)


def process(block: Block, notes: Notes) -> TrackedProcess | None:
    """One vrrp_track_process; None when it names no process."""
    program = last(block.statements(b"process"), script_path, "")
    weight = 0
    for line in block.statements(b"weight"):
        # Of several the first one that is not 0 counts.
        given = _weight(line, MAX_FILE_WEIGHT, notes)
        weight = weight or given or 0
    quorums = block.statements(b"quorum")
    quorum = last(quorums, lambda line: notes.number(line, 1, 65535), 1)
    if not program:
        notes.say(block.place, "vrrp_track_process without process; keepalived removes it")
        return None
    return TrackedProcess(_name(block), program, weight, quorum, block.place)


def _name(block: Block) -> str:
    return shown(block.header.words[1])


def tracked(
    block: Block,
    keyword: bytes,
    things: Sequence[ConfiguredScript | TrackedFile | TrackedProcess],
    notes: Notes,
) -> tuple[str, ...]:
    """The names that `keyword`'s entries in `block` track, those of `things` that exist."""
    known = {thing.name for thing in things}
    result: list[str] = []
    for entry in entries(block, keyword):
        name = shown(entry.words[0])
        if name in known:
            result.append(name)
        else:
            what = {b"track_script": "vrrp_script", b"track_file": "track_file"}
            notes.say(
                entry.place,
                f"{keyword.decode()}: no such {what.get(keyword, 'vrrp_track_process')}; "
                "keepalived ignores it",
            )
    return tuple(result)


def entries(block: Block, *keywords: bytes) -> list[Statement]:
    """The entries of the value blocks `keywords` in `block`, in order."""
    return [entry for inner in block.blocks(*keywords) for entry in inner.statements()]


def last(
    lines: Iterable[Statement], read: Callable[[Statement], _Made | None], default: _Made
) -> _Made:
    """What the last of `lines` says that keepalived does not ignore (None)."""
    for line in lines:
        value = read(line)
        default = default if value is None else value
    return default
