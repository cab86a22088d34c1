"""What to ask a host before its configuration is judged, and what its answers mean. Pure: whoever
has a Runner runs the commands."""

from __future__ import annotations

from collections.abc import Mapping

from lvstui.keepalived.lint.programs import script_paths, script_users
from lvstui.keepalived.lint.surroundings import (
    Surroundings,
    links_from_json,
    modes_from_stat,
    scripts_from_stat,
    stat_argv,
    users_from_passwd,
)
from lvstui.keepalived.text.tree import Tree

LINKS, FILES, USERS, NONLOCAL_BIND = "links", "files", "users", "nonlocal_bind"


def questions(tree: Tree) -> dict[str, tuple[str, ...]]:
    """Commands by what they tell, to be run in the daemon's network namespace, as root or not.

    `files` and `users` end with a status above 0 when something is missing; that is an answer. What
    `files` says on standard error belongs to its answer, in the words of LC_ALL=C.
    """
    files = (*script_paths(tree), *(file.path for file in tree.files))
    return {
        LINKS: ("ip", "-j", "-d", "addr"),
        FILES: stat_argv(files),
        USERS: ("getent", "passwd", *script_users(tree)),
        NONLOCAL_BIND: ("cat", "/proc/sys/net/ipv4/ip_nonlocal_bind"),
    }


def surroundings_of(tree: Tree, answers: Mapping[str, str], version: str = "") -> Surroundings:
    """What the answers to `questions(tree)` tell. One that is missing, or makes no sense, leaves
    its part unknown; `stat` always knows `/`, so an output without it is none.

    The interfaces are those of the network namespace that was asked in: right unless
    `net_namespace` is used, and then they stay unknown.
    """
    here = not any(line.words[0] == b"net_namespace" for line in tree.walk())
    files = answers.get(FILES, "")
    denied = [line for line in files.splitlines() if line.endswith(": Permission denied")]
    # It may be there, out of the sight of who asked.
    scripts = [p for p in script_paths(tree) if not any(f"'{p}'" in line for line in denied)]
    known = any(line.endswith(" /") for line in files.splitlines())
    told = answers.get(USERS)
    bind = answers.get(NONLOCAL_BIND, "").strip()
    try:
        links = links_from_json(answers.get(LINKS, ""))
    except ValueError:
        links = None
    return Surroundings(
        links=links if here else None,
        version=version,
        scripts=scripts_from_stat(files, scripts) if known else None,
        modes=modes_from_stat(files, (file.path for file in tree.files)) if known else None,
        users=users_from_passwd(told, script_users(tree)) if told is not None else None,
        nonlocal_bind=bind == "1" if here and bind in ("0", "1") else None,
    )
