"""A configuration as the picture needs it: files in, `Configuration` out.

Also of what the daemon has loaded, from its own copy. Since 2.2.0 keepalived keeps the text it read
in a memory file (`consolidated_configuration` among the descriptors of the main process, root
only): comments taken out, each file between `# PATH` and `!`, include lines left blank, lines kept
so that numbers still count.
"""

from __future__ import annotations

import gc
import os
import posixpath
from collections.abc import Iterator
from contextlib import contextmanager

from lvstui.keepalived.meaning.instances import globals_of, instances, sync_groups
from lvstui.keepalived.meaning.services import services
from lvstui.keepalived.meaning.tracking import tracking
from lvstui.keepalived.text.files import in_memory, local, resolve
from lvstui.keepalived.text.parser import built, parse
from lvstui.keepalived.text.reader import Reader
from lvstui.keepalived.text.tree import SourceFile, Tree
from lvstui.keepalived.text.values import Notes
from lvstui.model.config import Configuration, Place


@contextmanager
def many_objects() -> Iterator[None]:
    """The collector at rest: a big configuration is a million objects that all stay, and it would
    walk through them again and again (a third of the time)."""
    if not gc.isenabled():
        yield
        return
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def default_config_id() -> str:
    """This host's name up to the first dot: what keepalived takes for its configuration id when
    `-i` gives none."""
    return os.uname().nodename.partition(".")[0]


def load_tree(path: str, *, config_id: str | None = None) -> Tree:
    """The tree of the configuration whose main file is `path`, for one host.

    `config_id` is what `@id` lines are compared with (keepalived's `-i`), this host's short name
    unless given.

    Raises OSError when the main file cannot be read, and when keepalived would not load it
    (`NotLoaded`: an execute bit is set, or it is no regular file). Everything else is a problem
    in the result, never an error.
    """
    main = path if os.path.isabs(path) else os.path.abspath(path)
    return parse(main, local(), default_config_id() if config_id is None else config_id)


def view(tree: Tree) -> Configuration:
    """The effective values of `tree`."""
    notes = Notes(list(tree.problems))
    settings = globals_of(tree, notes)
    groups = sync_groups(tree, notes)
    found_services = services(tree, notes)
    found_tracking = tracking(tree, notes)
    found_instances = instances(tree, settings, groups, found_tracking, notes)
    order = {file.path: index for index, file in enumerate(tree.files)}
    notes.problems.sort(key=lambda found: (order.get(found[0].file, -1), found[0]))
    return Configuration(
        services=found_services,
        instances=found_instances,
        sync_groups=groups,
        notify_fifo=settings.notify_fifo,
        vrrp_notify_fifo=settings.vrrp_notify_fifo,
        lvs_notify_fifo=settings.lvs_notify_fifo,
        enable_dbus=settings.enable_dbus,
        router_id=settings.router_id,
        files=tuple(file.path for file in tree.files),
        digest=tree.digest,
        scripts=found_tracking.scripts,
        track_files=found_tracking.files,
        track_processes=found_tracking.processes,
        skip_check_adv_addr=settings.skip_check_adv_addr,
        strict=settings.strict,
        problems=tuple(notes.problems),
    )


def same(a: Configuration, b: Configuration) -> bool:
    """Whether two configurations mean the same; where they stand in files does not count."""
    return bool(a.digest) and a.digest == b.digest


def parse_consolidated(data: bytes, *, config_id: str) -> Configuration:
    """What the daemon has loaded; places refer to the files it read.

    `data` is the whole copy, `config_id` the daemon's. Equal to the configuration on disk by
    `same` when they mean the same. A daemon that was just asked to reload may have a copy that
    it rejected (3.4 of the facts: only with reload_check_config).
    """
    return view(tree_of_copy(data, config_id=config_id))


def tree_of_copy(data: bytes, *, config_id: str) -> Tree:
    """The tree of the daemon's copy. It has no comments and no spans, and every column is 1."""
    raw, files, problems = _taken_apart(data)
    reader = Reader(in_memory({}), config_id, follow=False)
    reader.problems.extend(problems)
    for file in files:
        reader.sources.setdefault(file.path, file)
    lines = ((files[index], number, _NOWHERE, line, True) for index, number, line in raw)
    return built(reader, reader.statements(lines), consolidated=True)


_Raw = list[tuple[int, int, bytes]]
"""Index of the file, line number in it, its bytes."""

_NOWHERE = -(1 << 40)
"""Offset of a line whose indentation is lost: no column of it can be told."""


def _taken_apart(data: bytes) -> tuple[_Raw, list[SourceFile], list[tuple[Place, str]]]:
    """The copy as lines that know their file."""
    raw: _Raw = []
    paths: list[str] = []
    texts: list[list[bytes]] = []
    stack: list[int] = []
    problems: list[tuple[Place, str]] = []

    def opened(path: str) -> None:
        stack.append(len(paths))
        paths.append(path)
        texts.append([])

    lines = data.split(b"\n")
    if lines and not lines[-1]:
        lines.pop()
    for line in lines:
        if line.startswith(b"# "):
            folder = posixpath.dirname(paths[stack[-1]]) if stack else "/"
            opened(resolve(folder, os.fsdecode(line[2:])))
            continue
        if line == b"!":
            # The main file is closed last; nothing follows, and without it nothing could be said.
            if len(stack) > 1:
                stack.pop()
            continue
        if not stack:
            opened("/")
        index = stack[-1]
        if line.startswith(b"#!"):
            place = Place(paths[index], max(1, len(texts[index])))
            problems.append((place, "keepalived could not read what is included here"))
            continue
        texts[index].append(line)
        raw.append((index, len(texts[index]), line))
    files = [SourceFile(path, tuple(text)) for path, text in zip(paths, texts, strict=True)]
    return raw, files, problems
