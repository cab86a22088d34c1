"""What lint wants to know of the host that will run a configuration, asked through a Runner."""

from __future__ import annotations

import os
import shlex
from collections.abc import Sequence

from lvstui.keepalived.daemon.facts import DaemonLook
from lvstui.keepalived.daemon.look import script, taken_apart
from lvstui.keepalived.lint.surroundings import Surroundings, questions, surroundings_of
from lvstui.keepalived.text.tree import Tree
from lvstui.remote.local import LocalRunner
from lvstui.remote.runner import RemoteError, Runner


def look_around(
    runner: Runner, daemon: DaemonLook, trees: Sequence[Tree], *, root: bool = True
) -> tuple[Surroundings, ...]:
    """Interfaces, scripts and users, as far as each of `trees` names them. Raises RemoteError."""
    commands: dict[tuple[str, ...], int] = {}
    for tree in trees:
        for command in questions(tree).values():
            commands.setdefault(command, len(commands))
    lines = [
        f"{shlex.join(command)} 2>{'&1' if command[0] == 'stat' else '/dev/null'} | blob {number}"
        for command, number in commands.items()
    ]
    text = "\n".join([script("common.sh"), *lines, "echo end"]) + "\n"
    ran = runner.run(text, root=root, timeout_s=30, what="look at interfaces and scripts")
    _, blobs = taken_apart(ran.text, runner.host)
    return tuple(
        surroundings_of(
            tree,
            {
                name: os.fsdecode(blobs.get(str(commands[command]), b""))
                for name, command in questions(tree).items()
            },
            daemon.version,
        )
        for tree in trees
    )


def around_here(tree: Tree, version: str) -> Surroundings:
    """The same of this host, with no more rights than this process has. What cannot be asked
    stays unknown."""
    here = DaemonLook("localhost", version=version)
    try:
        return look_around(LocalRunner(), here, [tree], root=False)[0]
    except RemoteError:
        return Surroundings(version=version)
