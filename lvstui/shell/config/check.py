"""A configuration of this host judged: our rules, and the installed keepalived's own test."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Sequence

from lvstui.keepalived import load_tree
from lvstui.keepalived.lint.config_test import classify, test_argv
from lvstui.keepalived.lint.context import Peer
from lvstui.keepalived.lint.local import collect
from lvstui.keepalived.lint.rules.losses import unloadable
from lvstui.keepalived.lint.run import lint
from lvstui.keepalived.meaning.view import view
from lvstui.keepalived.text.files import NotLoaded
from lvstui.keepalived.text.tree import Tree
from lvstui.model.finding import Finding, worst_first
from lvstui.process import readonly
from lvstui.sources.daemon import binary_of, installed
from lvstui.sources.processes import command_line, options_of

TEST_SECONDS = 20.0
"""It takes 40 ms for 4000 real servers (2.2.7); a script user that has to be looked up may take
longer."""


def judge(
    path: str, config_id: str | None, pid: int = 0, peer: Peer | None = None
) -> tuple[tuple[Finding, ...], tuple[str, ...]]:
    """What is wrong with the configuration whose main file is `path`, worst first, and what could
    not be looked at.

    `config_id` None: this host's name. `pid` is the running daemon's, 0 for none: its version and
    its options count. Raises OSError when the file is there and may not be read.
    """
    try:
        tree = load_tree(path, config_id=config_id)
    except (NotLoaded, FileNotFoundError) as error:
        return (unloadable(path, error),), ()
    version = binary_of(pid).version
    ours = lint(tree, view(tree), collect(tree, version), peer)
    theirs, limit = own_test(tree, path, config_id, version, pid)
    return worst_first([*ours, *theirs]), (limit,) if limit else ()


def own_test(
    tree: Tree, path: str, config_id: str | None, version: str, pid: int = 0
) -> tuple[Sequence[Finding], str]:
    """What the installed keepalived says of the file; else why it was not asked."""
    if readonly.active():
        return (), "keepalived's own test (-t) was not run: this session is read-only"
    program = installed()
    if not program:
        return (), (
            "keepalived is not installed here, or not as root's own in folders that only root can "
            "write: its own test (-t) was not run"
        )
    options = options_of(command_line(pid)) if pid else {}
    extra: list[str] = []
    for letter in "su":
        if options.get(letter):
            extra += [f"-{letter}", options[letter]]
    try:
        done = subprocess.run(
            test_argv(program, os.path.abspath(path), config_id or "", extra),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=TEST_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return (), f"{program} -t could not be run ({type(error).__name__})"
    return classify(done.returncode, done.stdout, version, tree), ""
