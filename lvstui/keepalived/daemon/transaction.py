"""From a change of files to the scripts that carry it out on a director. Pure.

`scripts/change.sh` holds the mechanism; what is made here is its `steps.sh` and the parcel.
"""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping, Sequence

from lvstui.keepalived.daemon.facts import STATE, DaemonLook, FileStep
from lvstui.keepalived.daemon.look import script
from lvstui.keepalived.daemon.trial import ConfigTest, Payload, test_words
from lvstui.remote import guarded

KEEP = 50
"""Changes that a host remembers, with both texts of each file."""


def begin(
    id_: str,
    files: Sequence[FileStep],
    daemon: DaemonLook,
    *,
    seconds: int,
    meta: Mapping[str, object],
    tested: ConfigTest | None = None,
    old_is_lethal: bool = False,
) -> tuple[str, bytes]:
    """Script and standard input that lay a change out on the host and arm its guard.

    tested: what the host's keepalived said of the present files. old_is_lethal: it must never be
    asked to load these. The script prints `armed HOW`; exit status BUSY when another change is
    under way, CHANGED when a file is not as it was seen, UNWRITABLE without room.
    """
    parcel = Payload()
    # By standard input too, and no text between marks in the script: a path or a word of the
    # daemon's command line may hold any line.
    parcel.add_text("change.sh", script("common.sh") + guarded.script() + script("change.sh"))
    parcel.add_text("steps.sh", steps(id_, files, daemon, old_is_lethal))
    parcel.add_text("meta.json", json.dumps(meta) + "\n")
    parcel.add_text("argv", "".join(f"{word}\0" for word in daemon.argv))
    if tested is not None:
        parcel.add("test.before", tested.record)
    copies = []
    for number, file in enumerate(files, 1):
        if file.after is not None:
            parcel.add(f"new/{number}", file.after)
        real = shlex.quote(file.real)
        if file.before is not None:
            parcel.add(f"seen/{number}", file.before)
            copies.append(
                f'  cp -a -- {real} "$T/old/{number}" && '
                f'same "$T/seen/{number}" "$T/old/{number}" || '
                f"give_up {shlex.quote(f'{file.path} changed since it was read: look again')} 77"
            )
        else:
            copies.append(
                f"  [ ! -e {real} ] || "
                f"give_up {shlex.quote(f'{file.path} appeared since it was read: look again')} 77"
            )
    head = (
        f"ID={id_}\nSECONDS_={seconds}\nKEEP={KEEP}\nSIZE={len(parcel.data)}\n"
        + parcel.unpack()
        + "\n".join(["copy_old() {", *copies, "  :", "}", ""])
    )
    return script("common.sh") + head + script("begin.sh"), bytes(parcel.data)


def phase(id_: str, word: str, *arguments: str) -> str:
    """Run one phase: write, reload, extend, confirm, revert, stop (see `guarded.phase`)."""
    return guarded.phase(f"{STATE}/{id_}", word, *arguments)


def steps(
    id_: str, files: Sequence[FileStep], daemon: DaemonLook, old_is_lethal: bool = False
) -> str:
    """The change's own part: what it is about, and each file's steps and way back."""
    expect, put, back, keep, release = [], [], [], [], []
    for number, file in enumerate(files, 1):
        path, real = shlex.quote(file.path), shlex.quote(file.real)
        expect.append(f"expect_file {number} {path} {real}")
        put.append(f"{'drop' if file.after is None else 'put'}_file {number} {real}")
        back.append(f"restore_file {number} {real}")
        keep.append(f"reserve_file {number} {real} || return 1")
        release.append(f"release_file {number} {real}")
    options = " ".join(shlex.quote(word) for word in test_words(daemon))
    environment = "TMPDIR=" + shlex.quote(daemon.tmpdir) + " " if daemon.tmpdir else ""
    argv = " ".join(shlex.quote(word) for word in daemon.argv)
    functions = {
        "expect_all": expect,
        "write_all": put,
        "restore_all": back,
        "reserve_all": keep,
        "release_all": release,
        "run_test": [
            'if command -v timeout >/dev/null 2>&1; then set -- timeout 20 "$1"; fi',
            f'"$@" {options}',
        ],
        "start_daemon": [
            f"set -- {argv}",
            'installed "$1"; [ -n "$REPLY" ] || return 1; shift',
            "own=; command -v setsid >/dev/null 2>&1 && own=setsid",
            # Ignored signals would stay ignored in the daemon, SIGHUP among them; descriptor 7 is
            # the program that was looked at.
            f'(trap - HUP PIPE; cd / && umask 022 && {environment}exec $own "$REPLY" "$@" '
            "</dev/null >/dev/null 2>&1 7<&-) &",
        ],
    }
    words = [
        f"ID={id_}",
        f"PID={daemon.pid}",
        f"TICKS_WERE={daemon.ticks}",
        f"UNIT={shlex.quote(daemon.unit)}",
        f"OLD_IS_LETHAL={'yes' if old_is_lethal else ''}",
    ]
    return guarded.steps(words, functions)
