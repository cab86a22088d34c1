"""What lint wants to know of the host that will run a configuration, asked through a Runner."""

from __future__ import annotations

import contextlib
import os
import re
import shlex
from collections.abc import Sequence

from lvstui.keepalived.daemon.facts import DaemonSeen
from lvstui.keepalived.daemon.look import script, taken_apart
from lvstui.keepalived.lint.programs import script_paths, script_users
from lvstui.keepalived.lint.surroundings import (
    Surroundings,
    folders_above,
    links_from_json,
    scripts_from_stat,
)
from lvstui.keepalived.tree import Tree
from lvstui.remote.runner import Runner

_NAME = re.compile(r"[A-Za-z0-9_.][A-Za-z0-9_.$-]{0,63}")


def look_around(
    runner: Runner, daemon: DaemonSeen, trees: Sequence[Tree], *, root: bool = True
) -> Surroundings:
    """Interfaces, scripts and users, as far as `trees` name them. Raises RemoteError."""
    paths = tuple(dict.fromkeys(path for tree in trees for path in script_paths(tree)))
    users = tuple(dict.fromkeys(
        user for tree in trees for user in script_users(tree) if _NAME.fullmatch(user)
    ))  # fmt: skip
    wanted = dict.fromkeys(p for path in paths for p in (path, *folders_above(path)))
    words = " ".join(shlex.quote(path) for path in wanted)
    lines = [
        script("common.sh"),
        "ip -j -d addr show 2>/dev/null | blob links",
        f"stat -L -c '%f %u %n' -- {words} 2>/dev/null | blob scripts" if wanted else "",
        *(f"id -u {shlex.quote(user)} >/dev/null 2>&1 && echo user {user}" for user in users),
        "line /proc/sys/net/ipv4/ip_nonlocal_bind && echo nonlocal $REPLY",
        "echo end",
    ]
    ran = runner.run("\n".join(lines) + "\n", root=root, timeout_s=30,
                     what="look at interfaces and scripts")  # fmt: skip
    told, blobs = taken_apart(ran.text, runner.host)
    links = None
    with contextlib.suppress(ValueError):
        links = links_from_json(blobs.get("links", b"").decode("utf-8", "replace"))
    nonlocal_bind = next((line.split()[1] == "1" for line in told
                          if line.startswith("nonlocal ")), None)  # fmt: skip
    return Surroundings(
        links=links,
        version=daemon.version,
        scripts=scripts_from_stat(os.fsdecode(blobs.get("scripts", b"")), paths),
        users=frozenset(line.split()[1] for line in told if line.startswith("user ")),
        nonlocal_bind=nonlocal_bind,
    )
