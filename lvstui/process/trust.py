"""What only root can have brought about: files, programs and processes that may be believed.

Everybody can call a program, a process or a pid file keepalived, and sudo may hand on variables
that name a file. A file counts when it and every folder down to it belong to root and nobody else
may write there; a sticky bit does not help, as what is not there yet can be put there. Each step
is opened once and that descriptor is looked at, so nothing can be exchanged between the look and
the use.
"""

from __future__ import annotations

import contextlib
import os
import pwd
import stat
from collections import deque
from collections.abc import Iterator, Sequence

ROOT = frozenset({0})
"""Uids that count as root's, as this user namespace sees them."""
_MOST_LINKS = 40
_PATH = os.O_PATH | os.O_CLOEXEC


class NotRootsError(PermissionError):
    """Others than root can change a file or a folder; the text says which."""


def require_roots(fd: int, *, sticky: bool = False) -> os.stat_result:
    """What an open file, folder or link is. Raises NotRootsError unless it is root's alone.

    `sticky`: a folder with that bit will do, on the way to what is root's already: nobody else can
    exchange that.
    """
    info = os.fstat(fd)
    if info.st_uid not in ROOT:
        raise NotRootsError(f"{_where(fd)} belongs to {_owner(info.st_uid)}, not to root")
    held_back = sticky and stat.S_ISDIR(info.st_mode) and info.st_mode & stat.S_ISVTX
    if info.st_mode & 0o022 and not stat.S_ISLNK(info.st_mode) and not held_back:
        raise NotRootsError(f"others than root can write {_where(fd)}")
    return info


def _where(fd: int) -> str:
    return os.readlink(f"/proc/self/fd/{fd}")


def _owner(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"uid {uid}"


@contextlib.contextmanager
def opened(path: str, top: str = "/", *, kind: str = "") -> Iterator[int]:
    """The O_PATH descriptor of a file or folder of root's, links followed.

    `top`: another root folder that the path begins at. `kind`: `file` or `folder`, what it is or
    is yet to be: then the last descriptor that is there, where only root can make the rest; such a
    file is no link, and lies where nobody else may put one. Raises NotRootsError and OSError.
    """
    held = [os.open(top, _PATH | os.O_DIRECTORY)]
    try:
        require_roots(held[0], sticky=bool(kind))
        rest = deque(part for part in path.split("/") if part not in ("", "."))
        links = 0
        missing = False
        while rest:
            name = rest.popleft()
            if name == "..":
                if len(held) > 1:
                    os.close(held.pop())
                continue
            try:
                step = os.open(name, _PATH | os.O_NOFOLLOW, dir_fd=held[-1])
            except FileNotFoundError:
                if not kind:
                    raise
                missing = True
                break
            held.append(step)
            if stat.S_ISLNK(require_roots(step, sticky=bool(kind)).st_mode):
                links += 1
                if links > _MOST_LINKS or (kind == "file" and not rest):
                    raise PermissionError(f"{_where(step)} is a symbolic link")
                target = os.readlink("", dir_fd=step)
                os.close(held.pop())
                while target.startswith("/") and len(held) > 1:
                    os.close(held.pop())
                rest.extendleft(p for p in reversed(target.split("/")) if p not in ("", "."))
        if kind:
            _require_kind(held, "folder" if missing else kind)
        yield held[-1]
    finally:
        for fd in held:
            os.close(fd)


def _require_kind(held: Sequence[int], kind: str) -> None:
    mode = require_roots(held[-1]).st_mode
    if kind == "folder" and not stat.S_ISDIR(mode):
        raise NotADirectoryError(f"{_where(held[-1])} is no folder")
    if kind == "file":
        if not stat.S_ISREG(mode):
            raise PermissionError(f"{_where(held[-1])} is no regular file")
        require_roots(held[-2])


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
