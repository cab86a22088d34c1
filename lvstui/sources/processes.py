"""keepalived's processes as /proc shows them: options, environment, signals, loaded copy.

Only processes that pass `held` are read and believed, and nothing here is ever signalled. Facts
rest on keepalived 1.2 to 2.4: all its processes share one command line and, unless `process_names`
is set, one comm; signals that it handles are blocked for a signalfd (2.x) or caught (1.x).
"""

from __future__ import annotations

import contextlib
import os
import re
import time
from collections.abc import Iterator
from pathlib import Path

from lvstui.keepalived.daemon import options
from lvstui.keepalived.daemon.options import DEFAULT_CONFIG as DEFAULT_CONFIG
from lvstui.keepalived.daemon.options import options_of as options_of
from lvstui.process import trust

PROC = Path("/proc")


@contextlib.contextmanager
def held(pid: int) -> Iterator[int]:
    """The /proc folder of a live process of keepalived, as a descriptor.

    It names this very process: when it ends, reading fails, whoever gets its number. Raises
    OSError when it is gone or is not keepalived's. Everybody can call a process keepalived, so
    what nobody but root can bring about decides: all three uids are root's, and so is the program,
    which is called keepalived where it lies. Whose program may not be seen (not root) is judged by
    its uids and its name alone, and nothing of it may be run.
    """
    folder = os.open(PROC / str(pid), os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        _require_keepalived(pid, folder)
        yield folder
    finally:
        os.close(folder)


def _require_keepalived(pid: int, folder: int) -> None:
    # Names first: they are cheap, and most processes end here.
    comm = _read(folder, "comm").strip().lower()
    words = _read(folder, "cmdline").split(b"\0", 1)
    if not comm.startswith(b"keepalived") and os.path.basename(words[0]) != b"keepalived":
        # `process_names` may have renamed it, but not its command line.
        raise ProcessLookupError(f"process {pid} is not called keepalived")
    _require_roots_process(pid, folder)
    with contextlib.suppress(_Unseen), program(folder):
        pass
    # Once more: it may have become another program meanwhile, as a setuid one.
    _require_roots_process(pid, folder)
    if not _is_alive(_fields(_read(folder, "stat"))):
        raise ProcessLookupError(f"process {pid} has ended")


def _require_roots_process(pid: int, folder: int) -> None:
    # As this user namespace sees them: the root of another one is somebody else here.
    uids = _status(_read(folder, "status")).get("Uid", "").split()[:3]
    if len(uids) != 3 or any(uid not in map(str, trust.ROOT) for uid in uids):
        raise PermissionError(f"process {pid} has the uids {'/'.join(uids)}, not root's")


class _Unseen(PermissionError):
    """Which program a process runs may not be seen."""


@contextlib.contextmanager
def program(folder: int) -> Iterator[int]:
    """The program that a process runs, as an O_PATH descriptor, when it is a keepalived of root's.

    `folder`: see `held`. The file may have been replaced since, or be another root folder's.
    Raises OSError.
    """
    with contextlib.ExitStack() as stack:
        try:
            fd = os.open("exe", os.O_PATH | os.O_CLOEXEC, dir_fd=folder)
            stack.callback(os.close, fd)
            top = os.open("root", os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC, dir_fd=folder)
            stack.callback(os.close, top)
        except PermissionError as error:
            raise _Unseen(error.errno, error.strerror) from None
        path = os.readlink(f"{PROC}/self/fd/{fd}").removesuffix(" (deleted)")
        if "keepalived" not in os.path.basename(path):
            raise PermissionError(f"{path} is not called keepalived")
        trust.require_roots(fd)
        stack.enter_context(trust.opened(os.path.dirname(path), f"{PROC}/self/fd/{top}"))
        yield fd


def _read(folder: int, name: str) -> bytes:
    with open(os.open(name, os.O_RDONLY | os.O_CLOEXEC, dir_fd=folder), "rb") as file:
        return file.read()


def _read_of(pid: int, name: str) -> bytes:
    """A file of /proc/PID of keepalived's; empty when it is gone or is not keepalived's."""
    try:
        with held(pid) as folder:
            return _read(folder, name)
    except OSError:
        return b""


def command_line(pid: int) -> tuple[str, ...]:
    """The arguments of a process of keepalived's; empty when it is gone."""
    raw = _read_of(pid, "cmdline").removesuffix(b"\0")
    return tuple(os.fsdecode(word) for word in raw.split(b"\0")) if raw else ()


def config_file(pid: int) -> str:
    """The main configuration file of a running daemon (`-f`, else the usual one)."""
    return options.main_file(command_line(pid))


def config_id(pid: int) -> str:
    """What `@id` lines are compared with."""
    return options.config_id(command_line(pid), os.uname().nodename)


def _environment(pid: int) -> dict[str, str]:
    raw = _read_of(pid, "environ")
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
    if not is_keepalived(pid):
        return ""
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
        data = Path(path).read_bytes() if path else None
    except OSError:
        return None
    # Asked last: then it was the daemon's number all the time.
    return data if is_keepalived(pid) else None


def _status(raw: bytes) -> dict[str, str]:
    text = raw.decode("utf-8", "replace")
    return dict(line.split(":\t", 1) for line in text.splitlines() if ":\t" in line)


def handled_signals(pid: int) -> tuple[int, ...]:
    """Signals a process handles: blocked for signalfd (2.x) or caught (1.x).

    Before 1.2.20 an unhandled SIGUSR1 kills the daemon, so this is asked before any signal.
    """
    status = _status(_read_of(pid, "status"))
    mask = 0
    for field in ("SigBlk", "SigCgt"):
        with contextlib.suppress(ValueError):
            mask |= int(status.get(field, "0"), 16)
    return tuple(n for n in range(1, 65) if mask >> (n - 1) & 1)


def stat_fields(pid: int) -> list[str]:
    """Fields of /proc/PID/stat from the state on (index 0 = field 3); empty when gone."""
    try:
        return _fields((PROC / str(pid) / "stat").read_bytes())
    except OSError:
        return []


def _fields(stat: bytes) -> list[str]:
    return stat.decode("utf-8", "replace").rpartition(")")[2].split()


def _is_alive(fields: list[str]) -> bool:
    return bool(fields) and fields[0] not in ("Z", "X")


_STEP_S = 1.0
"""What the clock moves beside the one that nobody sets, before it counts as set."""
_started: dict[tuple[int, int], tuple[float, float]] = {}
"""(pid, start in ticks since the boot): epoch of the start, and of the boot as it was then."""


def start_time(pid: int) -> float | None:
    """Epoch seconds at which a process started; the same number each time it is asked, until
    somebody sets the clock."""
    fields = stat_fields(pid)
    if len(fields) < 20:
        return None
    ticks = int(fields[19])
    key = (pid, ticks)
    boot = time.time() - time.clock_gettime(time.CLOCK_BOOTTIME)
    if key not in _started or abs(_started[key][1] - boot) > _STEP_S:
        if len(_started) > 64:
            _started.clear()
        _started[key] = round(boot + ticks / os.sysconf("SC_CLK_TCK"), 2), boot
    return _started[key][0]


def is_keepalived(pid: int) -> bool:
    """Whether a live process is one of keepalived's, and nobody else can have made it so."""
    try:
        with held(pid):
            return True
    except OSError:
        return False


def why_not_believed(pid: int) -> str:
    """Why a process of root's that is called keepalived, program and all, is not taken for it;
    empty for all others."""
    try:
        with held(pid):
            return ""
    except trust.NotRootsError as error:
        return str(error)
    except OSError:
        return ""


def in_our_network(pid: int) -> bool | None:
    """Whether a process is in our network namespace; None when we may not know."""
    try:
        return os.path.samestat(os.stat(PROC / str(pid) / "ns/net"), os.stat(PROC / "self/ns/net"))
    except OSError:
        return None


def parent_of(pid: int) -> int:
    """The parent's pid; 0 when the process is gone."""
    fields = stat_fields(pid)
    return int(fields[1]) if len(fields) > 1 else 0
