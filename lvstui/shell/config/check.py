"""A configuration of this host judged: our rules, and the installed keepalived's own test."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace

from lvstui.keepalived.daemon.around import around_here
from lvstui.keepalived.daemon.facts import DaemonLook
from lvstui.keepalived.daemon.look import look_daemon
from lvstui.keepalived.daemon.options import options_of
from lvstui.keepalived.daemon.trial import trial
from lvstui.keepalived.lint.context import Peer
from lvstui.keepalived.lint.own_test import classify
from lvstui.keepalived.lint.rules import lint
from lvstui.keepalived.lint.rules.losses import unloadable
from lvstui.keepalived.meaning.view import load_tree, view
from lvstui.keepalived.text.files import NotLoaded
from lvstui.keepalived.text.tree import Tree
from lvstui.model.finding import Finding, told_once, worst_first
from lvstui.process import readonly
from lvstui.remote.local import LocalRunner
from lvstui.remote.runner import RemoteError

_TIMED_OUT = 124
"""Exit status of timeout(1)."""


def judge(
    path: str, config_id: str | None, peer: Peer | None = None
) -> tuple[tuple[Finding, ...], tuple[str, ...]]:
    """What is wrong with the configuration whose main file is `path`, worst first, and what could
    not be looked at.

    `config_id` None: this host's name. Version and options are the running daemon's, else the
    installed one's. Raises OSError when the file is there and may not be read.
    """
    try:
        tree = load_tree(path, config_id=config_id)
    except (NotLoaded, FileNotFoundError) as error:
        return (unloadable(path, error),), ()
    limits = []
    try:
        daemon = look_daemon(LocalRunner(), root=False)
    except RemoteError as error:
        daemon = DaemonLook("localhost")
        limits.append(str(error))
    ours = lint(tree, view(tree), around_here(tree, daemon.version), peer)
    theirs, limit = own_test(tree, path, config_id, daemon)
    limits += [limit] if limit else []
    return worst_first(told_once(ours, theirs)), tuple(limits)


def own_test(
    tree: Tree, path: str, config_id: str | None, daemon: DaemonLook
) -> tuple[Sequence[Finding], str]:
    """What this host's keepalived says of the file; else why it was not asked."""
    if readonly.active():
        return (), "keepalived's own test (-t) was not run: this session is read-only"
    if not daemon.program:
        return (), (
            "keepalived is not installed here, or not as root's own in folders that only root can "
            "write: its own test (-t) was not run"
        )
    argv = [daemon.program, "-f", os.path.abspath(path)]
    options = options_of(daemon.argv) | ({"i": config_id} if config_id else {})
    for letter in "isu":
        if options.get(letter):
            argv += [f"-{letter}", options[letter]]
    try:
        tried = trial(LocalRunner(), replace(daemon, argv=tuple(argv)), (), root=False)
    except RemoteError as error:
        return (), f"{daemon.program} -t could not be run: {error}"
    if tried.before is None or tried.before.status == _TIMED_OUT:
        why = tried.why or "no answer in time"
        return (), f"{daemon.program} -t could not be run ({why})"
    return classify(tried.before.ended, tried.before.text, daemon.version, tree), ""
