"""keepalived's processes as /proc shows them: options, environment, signals, loaded copy.

Nothing here is ever signalled. Facts rest on keepalived 1.2 to 2.4: all its processes share one
command line and, unless `process_names` is set, one comm; signals that it handles are blocked
for a signalfd (2.x) or caught (1.x).
"""

from __future__ import annotations

import contextlib
import os
import re
import time
from pathlib import Path

from lvstui.keepalived.daemon import options
from lvstui.keepalived.daemon.options import DEFAULT_CONFIG as DEFAULT_CONFIG
from lvstui.keepalived.daemon.options import options_of as options_of

PROC = Path("/proc")


def command_line(pid: int) -> tuple[str, ...]:
    """The arguments of a process; empty when it is gone."""
    try:
        raw = (PROC / str(pid) / "cmdline").read_bytes()
    except OSError:
        return ()
    return tuple(os.fsdecode(word) for word in raw.rstrip(b"\0").split(b"\0")) if raw else ()


def config_file(pid: int) -> str:
    """The main configuration file of a running daemon (`-f`, else the usual one)."""
    return options.main_file(command_line(pid))


def config_id(pid: int) -> str:
    """What `@id` lines are compared with."""
    return options.config_id(command_line(pid), os.uname().nodename)


def _environment(pid: int) -> dict[str, str]:
    try:
        raw = (PROC / str(pid) / "environ").read_bytes()
    except OSError:
        return {}
    pairs = (os.fsdecode(entry).partition("=") for entry in raw.split(b"\0") if entry)
    return {name: value for name, _, value in pairs}


def inside(pid: int, path: str) -> str:
    """`path` as the daemon sees it, reachable from here (PrivateTmp, containers).

    The plain path when the daemon shares our root and mounts, or when we may not look.
    """
    try:
        same = os.path.samestat(
            os.stat(PROC / str(pid) / "ns/mnt"), os.stat(PROC / "self/ns/mnt")
        ) and os.path.samestat(os.stat(PROC / str(pid) / "root"), os.stat("/"))
    except OSError:
        return path
    return path if same else f"{PROC}/{pid}/root{path}"


def tmp_dir(pid: int) -> str:
    """Where the daemon's dumps lie, as a path that can be opened here.

    `/tmp` unless its environment has an absolute TMPDIR (2.2.1 and later).
    """
    chosen = _environment(pid).get("TMPDIR", "")
    return inside(pid, chosen if chosen.startswith("/") else "/tmp")


def loaded_path(pid: int) -> str:
    """Where the configuration lies that the daemon has loaded (2.2.0 and later); else empty.

    It is a memfd of the parent, or an unlinked file with `tmp_config_directory`. Root only.
    """
    folder = PROC / str(pid) / "fd"
    try:
        names = os.listdir(folder)
    except OSError:
        return ""
    for name in names:
        # The descriptor may be closed at any moment (a reload makes a new copy).
        with contextlib.suppress(OSError):
            path = folder / name
            target = os.readlink(path)
            if "consolidated_configuration" in target:
                return str(path)
            if re.search(r"/#\d+ \(deleted\)$", target):
                # Other unlinked files exist; the copy opens with the main file's name.
                with path.open("rb") as file:
                    if file.read(3) == b"# /":
                        return str(path)
    return ""


def read_loaded(pid: int) -> bytes | None:
    """The configuration that the daemon has loaded; None when there is none to be read.

    The text holds passwords: a caller must neither keep nor show it.
    """
    path = loaded_path(pid)
    try:
        return Path(path).read_bytes() if path else None
    except OSError:
        return None


def _status(pid: int) -> dict[str, str]:
    try:
        text = (PROC / str(pid) / "status").read_text("utf-8", "replace")
    except OSError:
        return {}
    return dict(line.split(":\t", 1) for line in text.splitlines() if ":\t" in line)


def handled_signals(pid: int) -> tuple[int, ...]:
    """Signals a process handles: blocked for signalfd (2.x) or caught (1.x).

    Before 1.2.20 an unhandled SIGUSR1 kills the daemon, so this is asked before any signal.
    """
    status = _status(pid)
    mask = 0
    for field in ("SigBlk", "SigCgt"):
        with contextlib.suppress(ValueError):
            mask |= int(status.get(field, "0"), 16)
    return tuple(n for n in range(1, 65) if mask >> (n - 1) & 1)


def _stat_fields(pid: int) -> list[str]:
    """Fields of /proc/PID/stat from the state on (index 0 = field 3); empty when gone."""
    try:
        text = (PROC / str(pid) / "stat").read_text("utf-8", "replace")
    except OSError:
        return []
    return text.rpartition(")")[2].split()


def _is_alive(fields: list[str]) -> bool:
    return bool(fields) and fields[0] not in ("Z", "X")


_started: dict[tuple[int, int], float] = {}


def start_time(pid: int) -> float | None:
    """Epoch seconds at which a process started; the same number each time it is asked."""
    fields = _stat_fields(pid)
    if len(fields) < 20:
        return None
    ticks = int(fields[19])
    key = (pid, ticks)
    if key not in _started:
        if len(_started) > 64:
            _started.clear()
        boot = time.time() - time.clock_gettime(time.CLOCK_BOOTTIME)
        _started[key] = round(boot + ticks / os.sysconf("SC_CLK_TCK"), 2)
    return _started[key]


def is_keepalived(pid: int) -> bool:
    """Whether a live process is one of keepalived's, by comm or by its program's name."""
    try:
        comm = (PROC / str(pid) / "comm").read_text("utf-8", "replace").strip()
    except OSError:
        return False
    if not comm.lower().startswith("keepalived"):
        # `process_names` may have renamed it.
        words = command_line(pid)
        if not words or os.path.basename(words[0]) != "keepalived":
            return False
    return _is_alive(_stat_fields(pid))


def in_our_network(pid: int) -> bool | None:
    """Whether a process is in our network namespace; None when we may not know."""
    try:
        return os.path.samestat(os.stat(PROC / str(pid) / "ns/net"), os.stat(PROC / "self/ns/net"))
    except OSError:
        return None


def parent_of(pid: int) -> int:
    """The parent's pid; 0 when the process is gone."""
    fields = _stat_fields(pid)
    return int(fields[1]) if len(fields) > 1 else 0
