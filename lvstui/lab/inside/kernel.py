"""System calls that Python 3.10 lacks, and loading kernel modules without modprobe."""

from __future__ import annotations

import contextlib
import ctypes
import fcntl
import os
import struct
import termios

CLONE_NEWNS = 0x00020000
CLONE_NEWUTS = 0x04000000
CLONE_NEWIPC = 0x08000000
CLONE_NEWPID = 0x20000000
CLONE_NEWNET = 0x40000000

MS_RDONLY = 1
MS_NOSUID = 2
MS_NODEV = 4
MS_REMOUNT = 32
MS_BIND = 4096
MS_REC = 16384
MS_PRIVATE = 1 << 18
MNT_DETACH = 2

_SYS_PIVOT_ROOT = 155  # x86-64, the only port of User-Mode Linux in use
_SYS_FINIT_MODULE = 313

_libc = ctypes.CDLL(None, use_errno=True)


def _checked(result: int, *words: str) -> None:
    if result < 0:
        code = ctypes.get_errno()
        raise OSError(code, f"{' '.join(words)}: {os.strerror(code)}")


def mount(source: str, target: str, kind: str = "", flags: int = 0, data: str = "") -> None:
    """mount(2); raises OSError."""
    result = _libc.mount(
        source.encode(),
        target.encode(),
        kind.encode() or None,
        ctypes.c_ulong(flags),
        data.encode() or None,
    )
    _checked(result, "mount", kind, source, target)


def bind(source: str, target: str, read_only: bool = False) -> None:
    mount(source, target, flags=MS_BIND)
    if read_only:
        mount(source, target, flags=MS_BIND | MS_REMOUNT | MS_RDONLY)


def unmount_lazily(target: str) -> None:
    """umount2(2) with MNT_DETACH."""
    _checked(_libc.umount2(target.encode(), MNT_DETACH), "umount", target)


def unshare(flags: int) -> None:
    _checked(_libc.unshare(flags), "unshare")


def pivot_root(new: str, old: str) -> None:
    _checked(_libc.syscall(_SYS_PIVOT_ROOT, new.encode(), old.encode()), "pivot_root", new)


def set_host_name(name: str) -> None:
    """sethostname(2)."""
    raw = name.encode()
    _checked(_libc.sethostname(raw, len(raw)), "sethostname", name)


def set_size(fd: int, rows: int, columns: int) -> None:
    """Resize a terminal; its foreground processes get SIGWINCH."""
    fcntl.ioctl(fd, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))


class Modules:
    """Loads modules from a folder with modules.dep; faster than one modprobe process (0.3 s)."""

    def __init__(self, folder: str) -> None:
        self._folder = folder
        self._needs: dict[str, list[str]] = {}
        self._path: dict[str, str] = {}
        self._done: set[str] = set()
        with open(folder + "/modules.dep", encoding="utf-8") as lines:
            for line in lines:
                path, _, needs = line.partition(":")
                self._path[_module_name(path)] = path
                self._needs[path] = needs.split()

    def load(self, name: str) -> bool:
        """Load a module and what it needs; False when this kernel has no such module."""
        path = self._path.get(name)
        if path is None:
            return False
        # modules.dep lists the nearest needs first.
        for item in [*reversed(self._needs[path]), path]:
            if item not in self._done:
                self._done.add(item)
                self._insert(item)
        return True

    def _insert(self, path: str) -> None:
        fd = os.open(f"{self._folder}/{path}", os.O_RDONLY | os.O_CLOEXEC)
        try:
            with contextlib.suppress(FileExistsError):
                _checked(_libc.syscall(_SYS_FINIT_MODULE, fd, b"", 0), "module", path)
        finally:
            os.close(fd)


def _module_name(path: str) -> str:
    return path.rsplit("/", 1)[-1].split(".ko", 1)[0].replace("-", "_")
