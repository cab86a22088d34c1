"""Where configuration text comes from: this host's files, or any reader that is handed in."""

from __future__ import annotations

import errno
import fnmatch
import glob
import os
import posixpath
import re
import stat
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

Reader = Callable[[str], bytes]
"""Absolute path to the bytes of the file. Raises OSError."""
Expander = Callable[[str], Sequence[str]]
"""Absolute pattern without braces to the paths that exist, sorted. Raises OSError."""

MAX_ALTERNATIVES = 1000
_MAGIC = re.compile(r"[*?\[]")


class NotLoaded(OSError):
    """keepalived would skip this file: it is no regular file, or an execute bit is set."""


@dataclass(frozen=True, slots=True)
class Files:
    """How to read a file and how to list what a pattern matches."""

    read: Reader
    expand: Expander | None = None
    """None: only patterns without wildcards can be followed."""

    def matches(self, pattern: str) -> list[str]:
        """The paths that `include PATTERN` opens, in keepalived's order.

        A pattern without wildcards is given back as it is, whether it exists or not. Raises
        OSError when the pattern cannot be listed here.
        """
        result: list[str] = []
        for alternative in braces(pattern):
            if not _MAGIC.search(alternative):
                result.append(alternative.replace("\\", ""))
            elif self.expand is None:
                raise OSError("wildcards cannot be listed through this reader")
            else:
                result.extend(self.expand(alternative))
        return result


def local() -> Files:
    """The files of this host, read at once: for who looks every tick. Plans read a director's
    files, this host's too, through a Runner (`keepalived.daemon.look`)."""

    def read(path: str) -> bytes:
        mode = os.stat(path).st_mode
        if why := why_skipped(stat.S_ISREG(mode), mode):
            raise NotLoaded(why)
        with open(path, "rb") as file:
            return file.read()

    def expand(pattern: str) -> Sequence[str]:
        # glob(3) takes [^x] for what Python writes [!x].
        return sorted(glob.glob(pattern.replace("[^", "[!")), key=os.fsencode)

    return Files(read, expand)


def why_skipped(regular: bool, mode: int) -> str:
    """Why keepalived passes over a file (lib/parser.c); empty: it reads it."""
    if not regular:
        return "not a regular file: keepalived skips it"
    return "an execute bit is set: keepalived skips it" if mode & 0o111 else ""


def glob_matches(pattern: str, path: str) -> bool:
    """Whether glob(3) would find a path: wildcards stop at slashes and at leading dots."""
    wanted, have = pattern.replace("[^", "[!").split("/"), path.split("/")
    return len(wanted) == len(have) and all(
        fnmatch.fnmatchcase(b, a) and (not b.startswith(".") or a.startswith("."))
        for a, b in zip(wanted, have, strict=True)
    )


def in_memory(files: Mapping[str, bytes]) -> Files:
    """Texts by path; nothing else exists."""

    def read(path: str) -> bytes:
        try:
            return files[path]
        except KeyError:
            raise FileNotFoundError(errno.ENOENT, "No such file", path) from None

    def expand(pattern: str) -> Sequence[str]:
        return sorted(path for path in files if glob_matches(pattern, path))

    return Files(read, expand)


def stamp(paths: Sequence[str]) -> object:
    """Equal as long as none of these files changed, nor who may read it, and none came into or
    left a folder that one of them lies in (it may match an include)."""
    folders = {os.path.dirname(path) for path in paths}
    return tuple(stamp_of(path) for path in (*paths, *sorted(folders)))


def stamp_of(path: str) -> object:
    """The same for one file; None when it is not there."""
    try:
        status = os.stat(path)
    except OSError:
        return None
    rights = status.st_mode, status.st_uid, status.st_gid
    return status.st_ino, status.st_size, status.st_mtime_ns, rights


def resolve(directory: str, path: str) -> str:
    """`path` as an absolute one, relative to the folder of the file that names it.

    `..` stays: it may lead out of a linked folder.
    """
    joined = posixpath.join(directory, path)
    return joined if "/../" in joined else posixpath.normpath(joined)


def braces(pattern: str) -> list[str]:
    """`a{b,c}` to `ab`, `ac`, in order, nested ones too; at most `MAX_ALTERNATIVES`."""
    waiting = [pattern]
    done: list[str] = []
    while waiting and len(waiting) + len(done) < MAX_ALTERNATIVES:
        current = waiting.pop(0)
        found = _first_group(current)
        if found is None:
            done.append(current)
            continue
        before, parts, after = found
        waiting[:0] = [before + part + after for part in parts]
    return done


def _first_group(pattern: str) -> tuple[str, list[str], str] | None:
    """The text before the first brace group, its alternatives, and the text behind it."""
    start = at = -1
    depth = 0
    parts: list[str] = []
    skip = False
    for index, char in enumerate(pattern):
        if skip or char == "\\":
            skip = not skip
        elif char == "{":
            if depth == 0:
                start = index
                at = index + 1
            depth += 1
        elif char == "," and depth == 1:
            parts.append(pattern[at:index])
            at = index + 1
        elif char == "}" and depth > 0:
            depth -= 1
            if depth == 0:
                parts.append(pattern[at:index])
                return pattern[:start], parts, pattern[index + 1 :]
    return None
