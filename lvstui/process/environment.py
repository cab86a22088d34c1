"""What of the environment is believed by root: no variable that another user may have filled in
chooses which file is read or written.

sudo clears the environment, `sudo -E`, doas with keepenv and old sudoers that keep HOME do not.
"""

from __future__ import annotations

import os
import pwd
import stat
from collections.abc import MutableMapping
from pathlib import Path

FILES = {"LVSTUI_AUDIT": "/var/log/lvstui/audit.jsonl", "LVSTUI_HOSTS": "/etc/lvstui/hosts.toml"}
"""Variables that name one file, and where root's own is without them."""
FOLDERS = ("XDG_CONFIG_HOME", "XDG_STATE_HOME", "XDG_CACHE_HOME", "XDG_RUNTIME_DIR")
_OTHERS_WRITE = stat.S_IWGRP | stat.S_IWOTH
_MOST_LINKS = 20


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
    left = list(reversed(Path(path).parts[1:]))
    here, links = "/", 0
    info = os.lstat(here)
    while True:
        if why := _not_roots(here, info):
            return why
        if not left:
            break
        # Behind a sticky bit nobody renames what is root's, but may make what is not there.
        open_to_all = bool(info.st_mode & _OTHERS_WRITE)
        if open_to_all and not info.st_mode & stat.S_ISVTX:
            return f"others can write to {here}"
        part = left.pop()
        child = os.path.dirname(here) if part == ".." else os.path.join(here, part)
        try:
            info = os.lstat(child)
        except FileNotFoundError:
            return f"others can make it in {here}" if open_to_all else ""
        except OSError as error:
            return f"{child}: {error.strerror}"
        last = not left and not folder
        if last and open_to_all:
            return f"others can write to {here}"
        if stat.S_ISLNK(info.st_mode):
            links += 1
            if last or links > _MOST_LINKS or info.st_uid != 0:
                return f"{child} is a symbolic link"
            target = os.readlink(child)
            left += reversed([part for part in target.split("/") if part])
            if target.startswith("/"):
                here = "/"
            info = os.lstat(here)
            continue
        if last and not stat.S_ISREG(info.st_mode):
            return f"{child} is no regular file"
        if not last and not stat.S_ISDIR(info.st_mode):
            return f"{child} is no folder"
        here = child
    return f"others can write to {here}" if info.st_mode & _OTHERS_WRITE else ""


def _not_roots(path: str, info: os.stat_result) -> str:
    if info.st_uid == 0:
        return ""
    try:
        owner = pwd.getpwuid(info.st_uid).pw_name
    except KeyError:
        owner = f"uid {info.st_uid}"
    return f"{path} belongs to {owner}"
