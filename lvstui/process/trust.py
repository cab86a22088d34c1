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
from collections.abc import Iterator, MutableMapping, Sequence

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


# What of the environment is believed by root: no variable that another user may have filled in
# chooses which file is read or written. sudo clears the environment, `sudo -E`, doas with keepenv
# and old sudoers that keep HOME do not.

FILES = {"LVSTUI_AUDIT": "/var/log/lvstui/audit.jsonl", "LVSTUI_HOSTS": "/etc/lvstui/hosts.toml"}
"""Variables that name one file, and where root's own is without them."""
FOLDERS = ("XDG_CONFIG_HOME", "XDG_STATE_HOME", "XDG_CACHE_HOME", "XDG_RUNTIME_DIR")


class NotBelieved(Exception):
    """A variable names a file that is not root's; the text says which, why, what to do."""


def believe(environ: MutableMapping[str, str]) -> list[str]:
    """As root, take out of `environ` what is not to be believed; what was taken out, in words.
    Without root's rights everything is believed: the files are the user's own.

    Raises NotBelieved for a variable of lvstui's own: whoever set it must know that it does not
    count, before anything is recorded or done.
    """
    if os.geteuid() != 0:
        return []
    for name, ours in FILES.items():
        value = environ.get(name, "")
        why = value and not_roots(value)
        if why:
            raise NotBelieved(
                f"{name}={value} is not believed as root: {why}. Unset it ({ours} is used then), "
                "or name a file of root's in a folder of root's"
            )
    said = []
    for name in FOLDERS:
        value = environ.get(name, "")
        why = value and not_roots(value, folder=True)
        if why:
            del environ[name]
            said.append(f"{name} is not believed as root: {why}")
    own = pwd.getpwuid(0).pw_dir
    home = environ.get("HOME", "")
    if home and home != own and (why := not_roots(home, folder=True)):
        environ["HOME"] = own
        said.append(f"HOME is not believed as root: {why}; it is {own}")
    return said


def not_roots(path: str, *, folder: bool = False) -> str:
    """Why somebody else than root may choose what `path` is (a file, or a `folder`), in words;
    empty: nobody can. What is not there yet has to be in a folder that only root writes to."""
    if not path.startswith("/"):
        return f"{path or 'it'} is no absolute path"
    try:
        with opened(path, kind="folder" if folder else "file"):
            return ""
    except OSError as error:
        return f"{path}: {error.strerror}" if error.strerror else str(error)
