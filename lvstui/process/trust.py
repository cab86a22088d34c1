"""What only root can have brought about: files, programs and processes that may be believed.

Everybody can call a program, a process or a pid file keepalived. A file counts when it and every
folder down to it belong to root and nobody else may write there; a sticky bit does not help, as
what is not there yet can be put there. Each step is opened once and that descriptor is looked at,
so nothing can be exchanged between the look and the use.
"""

from __future__ import annotations

import contextlib
import os
import stat
from collections import deque
from collections.abc import Iterator

ROOT = frozenset({0})
"""Uids that count as root's, as this user namespace sees them."""
_MOST_LINKS = 40
_PATH = os.O_PATH | os.O_CLOEXEC


class NotRootsError(PermissionError):
    """Others than root can change a file or a folder; the text says which."""


def require_roots(fd: int) -> os.stat_result:
    """What an open file, folder or link is. Raises NotRootsError unless it is root's alone."""
    info = os.fstat(fd)
    if info.st_uid not in ROOT:
        raise NotRootsError(f"{_where(fd)} belongs to uid {info.st_uid}, not to root")
    if info.st_mode & 0o022 and not stat.S_ISLNK(info.st_mode):
        raise NotRootsError(f"others than root can write {_where(fd)}")
    return info


def _where(fd: int) -> str:
    return os.readlink(f"/proc/self/fd/{fd}")


@contextlib.contextmanager
def opened(path: str, top: str = "/") -> Iterator[int]:
    """The O_PATH descriptor of a file or folder of root's, links followed.

    `top`: another root folder that the path begins at. Raises NotRootsError and OSError.
    """
    held = [os.open(top, _PATH | os.O_DIRECTORY)]
    try:
        require_roots(held[0])
        rest = deque(path.split("/"))
        links = 0
        while rest:
            name = rest.popleft()
            if name in ("", "."):
                continue
            if name == "..":
                if len(held) > 1:
                    os.close(held.pop())
                continue
            step = os.open(name, _PATH | os.O_NOFOLLOW, dir_fd=held[-1])
            held.append(step)
            if stat.S_ISLNK(require_roots(step).st_mode):
                links += 1
                if links > _MOST_LINKS:
                    raise PermissionError(f"{path} has too many links")
                target = os.readlink("", dir_fd=step)
                os.close(held.pop())
                while target.startswith("/") and len(held) > 1:
                    os.close(held.pop())
                rest.extendleft(reversed(target.split("/")))
        yield held[-1]
    finally:
        for fd in held:
            os.close(fd)


def read(path: str, most: int) -> bytes:
    """The beginning of a regular file of root's. Raises OSError."""
    with opened(path) as fd:
        if not stat.S_ISREG(os.fstat(fd).st_mode):
            raise PermissionError(f"{path} is no regular file")
        with open(f"/proc/self/fd/{fd}", "rb") as file:
            return file.read(most)


def program(path: str) -> str:
    """Where a program lies when links are followed. Raises OSError unless it is root's alone."""
    with opened(path) as fd:
        info = os.fstat(fd)
        if not stat.S_ISREG(info.st_mode) or not info.st_mode & 0o111:
            raise PermissionError(f"{path} is no program")
        return _where(fd)
