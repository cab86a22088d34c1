"""A change that any host takes back itself unless it is confirmed: one dead man's switch.

`guard.sh` holds the mechanism for every kind of host; the change's own script says how to go back.
"""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from functools import cache
from importlib.resources import files

UNWRITABLE, BUSY, GONE, CHANGED = 73, 75, 76, 77
"""Exit statuses of a change's scripts: no room or right to lay it out; another one is under way;
it was decided already; a file is not as it was seen."""


@cache
def packaged(package: str, name: str) -> str:
    """One of the shell scripts that come with lvstui."""
    return (files(package) / name).read_text(encoding="utf-8")


def tools() -> str:
    """The shell functions that every script has."""
    return packaged("lvstui.remote.guarded", "tools.sh")


def script() -> str:
    """The shell functions that every change is guarded by."""
    return tools() + packaged("lvstui.remote.guarded", "guard.sh")


def steps(words: Sequence[str], functions: Mapping[str, Sequence[str]]) -> str:
    """The change's own part, `steps.sh`: its variables, and what it does in functions."""
    lines = list(words)
    for name, body in functions.items():
        lines += [f"{name}() {{", *(f"  {line}" for line in (body or [":"])), "}"]
    return "\n".join(lines) + "\n"


def phase(folder: str, word: str, *arguments: str) -> str:
    """A script that runs one phase of the change in `folder`, detached: it goes on when the
    connection ends. Exit status GONE when the change was decided already."""
    words = " ".join([word, *(shlex.quote(argument) for argument in arguments)])
    return (
        f"T={folder}\n"
        f'[ -e "$T/change.sh" ] || {{ echo "gone: there is no such change here"; exit {GONE}; }}\n'
        "umask 077\n"
        # What it says is wanted most when the disk with the change is full.
        "out=$(mktemp /run/lvstui-XXXXXXXXXX 2>/dev/null) || { out=$T/out.$$; printf '' > $out; }\n"
        'exec 4>> "$out" 3< "$out"; rm -f "$out"\n'
        "own=; command -v setsid >/dev/null 2>&1 && own=setsid\n"
        f'$own sh "$T/change.sh" {words} >&4 2>&1 3<&- 4>&- </dev/null &\n'
        "wait $!; status=$?; cat <&3; exit $status\n"
    )
