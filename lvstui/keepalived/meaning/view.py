"""A configuration as the picture needs it: files in, `Configuration` out."""

from __future__ import annotations

import gc
import os
from collections.abc import Iterator
from contextlib import contextmanager

from lvstui.keepalived.meaning.instances import globals_of, instances, sync_groups
from lvstui.keepalived.meaning.services import services
from lvstui.keepalived.meaning.tracking import tracking
from lvstui.keepalived.text.files import local
from lvstui.keepalived.text.parser import parse
from lvstui.keepalived.text.tree import Tree
from lvstui.keepalived.text.values import Notes
from lvstui.model.config import Configuration


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
