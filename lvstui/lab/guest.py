"""Starting a guest on the host: folders, memory, keys, the kernel's command line, the keeper."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lvstui.lab import cluster, machines
from lvstui.lab.apt import cache_home, run
from lvstui.lab.cpu import session_of
from lvstui.lab.errors import LabError
from lvstui.lab.packages import Layer
from lvstui.lab.surroundings import PACKAGE_PARENT, bare_python
from lvstui.lab.topology import Topology

DEFAULT_MEMORY_MB = 1024


@dataclass(frozen=True, slots=True)
class Guest:
    """A started guest.  Closing the lifeline (a file descriptor) ends it."""

    name: str
    folder: Path
    lifeline: int
    keeper: subprocess.Popen[bytes]


def runtime_home() -> Path:
    """The folder of all running labs of this user, mode 0700."""
    base = os.environ.get("XDG_RUNTIME_DIR", "")
    if base.startswith("/") and os.access(base, os.W_OK | os.X_OK):
        root = Path(base) / "lvstui"
    else:
        root = Path(f"/tmp/lvstui-{os.getuid()}")
    home = root / "lab"
    for folder in (root, home):
        with contextlib.suppress(FileExistsError):
            folder.mkdir(mode=0o700)
        state = folder.lstat()
        if state.st_uid != os.getuid() or folder.is_symlink():
            raise LabError(
                f"{folder} belongs to somebody else", "", "remove it, or ask its owner to"
            )
        if state.st_mode & 0o077:
            folder.chmod(0o700)
    return home


def running() -> list[str]:
    """Names of this user's running labs."""
    return [path.name for path in _folders() if _is_alive(path)]


def _folders() -> list[Path]:
    return sorted(path for path in runtime_home().iterdir() if path.is_dir())


def _is_alive(folder: Path) -> bool:
    """Whether a keeper (or a start that is not finished) holds the folder's lock."""
    try:
        with (folder / "lock").open("a") as lock:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False
    return False


def remove_stale() -> None:
    """Clear up after labs whose keeper was killed: helper processes and files."""
    for folder in _folders():
        if _is_alive(folder):
            continue
        for path in folder.glob("*.pid"):
            with contextlib.suppress(OSError, ValueError):
                _end_session(int(path.read_text(encoding="ascii")), f"uml_dir={folder}")
        shutil.rmtree(folder, ignore_errors=True)


def _end_session(leader: int, named: str) -> None:
    """Kill a guest's processes until there is none: one that was forked meanwhile waits for ever
    for its tracer."""
    for _ in range(100):
        left = [pid for pid in session_of(leader) if named in _command_line(pid) or _is_stub(pid)]
        if not left:
            return
        for pid in left:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        time.sleep(0.02)


def _is_stub(pid: int) -> bool:
    """A process in which a guest's program runs: since Linux 6.16 without the guest's own command
    line (arch/um/kernel/skas/stub_exe.c)."""
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/comm").read_text(encoding="utf-8") == "uml-userspace\n"
    return False


def _command_line(pid: int) -> str:
    try:
        raw = Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return ""
    return raw.replace(b"\0", b" ").decode("utf-8", "replace")


def _claim(name: str | None) -> tuple[str, Path, int]:
    """A folder of our own and the lock on it (inherited by the keeper, so held while it lives)."""
    home = runtime_home()
    number = 0
    while True:
        number += 1
        chosen = name or f"lab{number}"
        folder = home / chosen
        with contextlib.suppress(FileExistsError):
            folder.mkdir(mode=0o700)
            lock = os.open(folder / "lock", os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600)
            fcntl.flock(lock, fcntl.LOCK_EX)
            return chosen, folder, lock
        if name is not None:
            raise LabError(f"a lab {name!r} runs already", "", "choose another --name")


def memory_folder(memory_mb: int, fallback: Path) -> Path:
    """Where the guest's memory file lies: it is mapped executable and should be in RAM.

    linux.uml removes the file at once, so that it vanishes with the process.
    """
    reasons = []
    for folder in (Path("/dev/shm"), fallback, cache_home(), Path("/var/tmp")):
        try:
            state = os.statvfs(folder)
        except OSError as error:
            reasons.append(f"{folder}: {error.strerror}")
            continue
        free = state.f_bavail * state.f_frsize >> 20
        if state.f_flag & os.ST_NOEXEC:
            reasons.append(f"{folder} is mounted noexec")
        elif free < memory_mb + 16:
            reasons.append(f"{folder} has {free} MB free")
        elif not os.access(folder, os.W_OK):
            reasons.append(f"{folder} is not writable")
        else:
            return folder
    raise LabError(
        f"no place for the guest's {memory_mb} MB of memory",
        "; ".join(reasons),
        "remount /dev/shm with exec and more size, or give less by --memory",
    )


def _compile() -> None:
    """Byte-code for the guest, which cannot write it: compiling takes it ten times longer."""
    import compileall

    for folder in (PACKAGE_PARENT / "lvstui" / "lab", Path(__file__).parent / "inside"):
        with contextlib.suppress(OSError):
            compileall.compile_dir(folder, maxlevels=0, quiet=2)
    with contextlib.suppress(OSError):
        compileall.compile_file(PACKAGE_PARENT / "lvstui" / "__init__.py", quiet=2)


def start(
    topology: Topology,
    layer: Layer,
    name: str | None,
    memory_mb: int,
    outer: Mapping[str, str],
    terminal: int | None = None,
    stack_layers: dict[str, list[Path]] | None = None,
) -> Guest:
    """Start a guest; it is not ready yet (see Lab.start).  LabError when the host cannot.

    terminal: a terminal that the keeper is to restore when this process is killed.
    stack_layers: for the machines, see machines.layers.
    """
    remove_stale()
    name, folder, lock = _claim(name)
    try:
        nodes = [*topology.all_directors, *topology.all_real_servers, "client"]
        keys = _make_keys(folder, nodes, layer)
        plan = cluster.plan(topology, name, layer, keys, outer)
        _compile()
        memory = memory_mb + sum(machine.memory_mb for machine in topology.machines)
        env = {
            "PATH": "/usr/sbin:/usr/bin:/sbin:/bin",
            "HOME": str(folder),
            "TMPDIR": str(memory_folder(memory, folder)),
            **layer.library_path,
        }
        orders = {
            "folder": str(folder),
            "argv": [
                *machines.guest_command(layer, folder, "guest", memory_mb, "inside.agent", plan),
                "ssl0=fd:{line}",
                *machines.lan_arguments(topology, folder),
            ],
            "env": env,
            "machines": machines.prepare(topology, folder, layer, stack_layers or {}, keys, env),
            "terminal": terminal,
            "keep": bool(os.environ.get("LVSTUI_LAB_KEEP")),
        }
        return _start_keeper(name, folder, lock, orders)
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    finally:
        os.close(lock)


def _make_keys(folder: Path, names: Sequence[str], layer: Layer) -> dict[str, tuple[str, str]]:
    """Throw-away ed25519 keys: one for each name (a node's host key), and "" for all roots."""
    program = shutil.which("ssh-keygen")
    env = dict(os.environ)
    if program is None and layer.folder is not None:
        program = str(layer.folder / "usr/bin/ssh-keygen")
        env |= layer.library_path
    keys: dict[str, tuple[str, str]] = {}
    for name in ["", *names]:
        path = folder / "key"
        public = path.with_suffix(".pub")
        words = ("-q", "-t", "ed25519", "-N", "", "-C", name or "lab", "-f")
        done = run([program or "ssh-keygen", *words, path], env)
        if done.returncode != 0:
            raise LabError("ssh-keygen failed", done.stderr or done.stdout)
        keys[name] = (path.read_text(), public.read_text().strip())
        path.unlink()
        public.unlink()
    return keys


def _start_keeper(name: str, folder: Path, lock: int, orders: dict[str, Any]) -> Guest:
    listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        listening.bind(str(folder / "control.sock"))
    except OSError as error:
        raise LabError(
            f"cannot make a socket in {folder}", str(error), "set XDG_RUNTIME_DIR to a shorter path"
        ) from error
    listening.listen(64)
    read, write = os.pipe()
    orders |= {"lifeline": read, "listening": listening.fileno()}
    terminals = [] if orders["terminal"] is None else [orders["terminal"]]
    path = folder / "keeper.json"
    path.write_text(json.dumps(orders), encoding="utf-8")
    with open(folder / "keeper.log", "ab") as log:
        keeper = subprocess.Popen(
            bare_python("keeper", f"main({str(path)!r})"),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            pass_fds=[read, listening.fileno(), lock, *terminals],
            start_new_session=True,
            cwd="/",
        )
    os.close(read)
    listening.close()
    return Guest(name, folder, write, keeper)


def stop(guest: Guest, timeout: float = 5.0) -> None:
    """End a guest and wait until nothing of it is left."""
    with contextlib.suppress(OSError):
        os.close(guest.lifeline)
    try:
        guest.keeper.wait(timeout)
    except subprocess.TimeoutExpired:
        guest.keeper.kill()
        guest.keeper.wait()
        remove_stale()


def last_words(folder: Path) -> str:
    """The end of the guest's console and of the keeper's own errors, for error messages."""
    words = ""
    for name in ("console.log", "keeper.log"):
        with contextlib.suppress(OSError):
            words += (folder / name).read_text(encoding="utf-8", errors="replace")[-1500:]
    return words.strip()


def wait_gone(folder: Path, timeout: float = 5.0) -> bool:
    """Whether a lab's folder vanishes within `timeout` seconds."""
    end = time.monotonic() + timeout
    while folder.exists():
        if time.monotonic() > end:
            return False
        time.sleep(0.05)
    return True
