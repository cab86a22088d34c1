"""One look at a director: the daemon, its host, and the whole configuration on disk.

Everything comes through a Runner, so this host and the peer are seen by the same eyes.
"""

from __future__ import annotations

import base64
import binascii
import contextlib
import errno
import itertools
import os
import re
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from lvstui.keepalived.daemon.facts import (
    Child,
    ConfigSeen,
    DaemonLook,
    DirectorSeen,
    FileSeen,
    Process,
    roles,
)
from lvstui.keepalived.meaning.view import parse_consolidated, same, view
from lvstui.keepalived.text.files import Files, NotLoaded, glob_matches
from lvstui.keepalived.text.parser import parse
from lvstui.model.keys import canonical_address
from lvstui.model.numbers import PIDS, decimal, hexadecimal, number
from lvstui.model.text import plain
from lvstui.remote import guarded
from lvstui.remote.runner import ErrorKind, RemoteError, Runner

_MOST_HZ = 10_000
_USR2 = 1 << 11
"""SIGUSR2 in a signal mask."""
_DEEPEST = 32
"""Rounds of reading; each takes the includes of the one before."""


def script(name: str) -> str:
    """One of those for directors."""
    before = guarded.tools() if name == "common.sh" else ""
    return before + guarded.packaged("lvstui.keepalived.daemon", f"scripts/{name}")


def judge(daemon: DaemonLook, config: ConfigSeen) -> DirectorSeen:
    """What is loaded, held against what the files say."""
    if not daemon.loaded:
        return DirectorSeen(daemon, config)
    running = parse_consolidated(daemon.loaded, config_id=daemon.config_id)
    in_step = config.configuration is not None and same(running, config.configuration)
    return DirectorSeen(daemon, config, in_step, running)


def look_daemon(runner: Runner, *, root: bool = True, brief: bool = False) -> DaemonLook:
    """The daemon and its host, without the files; `brief`: only what may change while it runs
    (processes, what is loaded, kernel, addresses). Raises RemoteError."""
    ran = runner.run(
        script("common.sh") + f"BRIEF={'yes' if brief else ''}\n" + script("look.sh"),
        root=root,
        timeout_s=30,
        what="look at keepalived",
        private=True,
    )
    return parse_daemon(ran.text, runner.host)


def parse_daemon(text: str, host: str) -> DaemonLook:
    """What `look.sh` printed. Raises RemoteError when it did not come whole."""
    lines, blobs = taken_apart(text, host)
    words: dict[str, str] = {}
    children: list[Process] = []
    ticks_of: dict[int, int] = {}
    named: dict[int, str] = {}
    for line in lines:
        key, _, rest = line.partition(" ")
        parts = rest.split()
        if key == "child" and len(parts) >= 4:
            pid, ticks = number(parts[0], PIDS), number(parts[1])
            blocked = hexadecimal(parts[2])
            if pid is not None and ticks is not None and blocked is not None:
                children.append(Process(pid, plain(parts[3], 64), bool(blocked & _USR2)))
                ticks_of[pid] = ticks
        elif key == "pidfile" and len(parts) == 2:
            pid = number(parts[1], PIDS)
            if pid is not None:
                named[pid] = parts[0]
        else:
            words.setdefault(key, rest)
    version = re.match(rb"Keepalived v(\S+)", blobs.get("version", b""))
    argv = blobs.get("argv", b"").removesuffix(b"\0")
    with_addresses: list[tuple[str, str]] = []
    for line in blobs.get("addresses", b"").decode("utf-8", "replace").splitlines():
        parts = line.split()
        if len(parts) > 3 and parts[2] in ("inet", "inet6"):
            with contextlib.suppress(ValueError):
                with_addresses.append((parts[1], canonical_address(parts[3].partition("/")[0])))
    return DaemonLook(
        host=host,
        node=plain(words.get("node", "")),
        root=words.get("user") == "0",
        boot=words.get("boot", ""),
        booted=decimal(words.get("booted", "")) or 0.0,
        hz=number(words.get("hz", ""), _MOST_HZ) or 100,
        pid=number(words.get("pid", ""), PIDS) or 0,
        ticks=number(words.get("ticks", "")) or 0,
        unit=plain(words.get("unit", "")),
        systemd="systemd" in words,
        children=tuple(
            sorted(Child(role, pid, ticks_of[pid]) for role, pid in roles(children, named).items())
        ),
        version=plain(os.fsdecode(version.group(1))) if version else "",
        program=words.get("program", ""),
        argv=tuple(os.fsdecode(word) for word in argv.split(b"\0")) if argv else (),
        tmpdir=os.fsdecode(blobs.get("tmpdir", b"").removesuffix(b"\n")),
        unbelieved=plain(blobs.get("unbelieved", b"")),
        loaded=blobs.get("loaded"),
        table=blobs.get("table", b"").decode("ascii", "replace"),
        addresses=tuple(with_addresses),
    )


def taken_apart(text: str, host: str) -> tuple[list[str], dict[str, bytes]]:
    """Plain lines and blobs of what a script printed. Raises RemoteError unless it is whole."""
    lines: list[str] = []
    blobs: dict[str, bytes] = {}
    whole = False
    told = iter(text.splitlines())
    for line in told:
        if line == "end":
            whole = True
        elif line.startswith(("@", "=")):
            data = "".join(itertools.takewhile(lambda part: part != ".", told))
            try:
                blobs[line[1:]] = (
                    base64.b64decode(data, validate=True) if line[0] == "@" else bytes.fromhex(data)
                )
            except (binascii.Error, ValueError):
                break
        else:
            lines.append(line)
    if not whole:
        raise RemoteError(
            ErrorKind.LOST, f"{host}: what keepalived's host tells did not come whole"
        )
    return lines, blobs


@dataclass(slots=True)
class FileCache:
    """What was read of a host's files so far, and what the parser asks for next. A reader for
    `Files`, for which nothing else exists."""

    over: Mapping[str, bytes | None] = field(default_factory=dict)
    """A candidate's files: they take the place of those on disk (None: not there)."""
    files: dict[str, FileSeen | OSError] = field(default_factory=dict)
    matches: dict[str, tuple[str, ...]] = field(default_factory=dict)
    wanted: dict[str, None] = field(default_factory=dict)
    patterns: dict[str, None] = field(default_factory=dict)

    def read(self, path: str) -> bytes:
        """See `files.Reader`."""
        found = self.files.get(path)
        if path in self.over:
            data = self.over[path]
            if data is None:
                raise FileNotFoundError(errno.ENOENT, "it would be removed", path)
            if isinstance(found, FileSeen) and found.skipped:
                raise NotLoaded(found.why_skipped)
            if found is None:
                self.wanted[path] = None
            return data
        if found is None:
            self.wanted[path] = None
            raise FileNotFoundError(errno.ENOENT, "not read yet", path)
        if isinstance(found, OSError):
            raise found
        if not found.exists:
            raise FileNotFoundError(errno.ENOENT, "there is no such file", path)
        if found.skipped:
            raise NotLoaded(found.why_skipped)
        return found.data

    def expand(self, pattern: str) -> Sequence[str]:
        """See `files.Expander`."""
        found = self.matches.get(pattern)
        if found is None:
            self.patterns[pattern] = None
            found = tuple(
                path
                for path, file in self.files.items()
                if isinstance(file, FileSeen) and file.exists and glob_matches(pattern, path)
            )
        gone = {path for path, data in self.over.items() if data is None}
        new = {
            path
            for path, data in self.over.items()
            if data is not None and path not in found and glob_matches(pattern, path)
        }
        return sorted((set(found) - gone) | new, key=os.fsencode)


def look_config(
    runner: Runner,
    main: str,
    config_id: str,
    *,
    over: Mapping[str, bytes | None] | None = None,
    root: bool = True,
) -> ConfigSeen:
    """The configuration on a host's disk, includes and all.

    over: files of a candidate in place of those on disk. Raises RemoteError; a file that cannot
    be read is no error but a problem of the tree, or `why` when it is the main one.
    """
    cache = FileCache(dict(over or {}))
    cache.wanted = dict.fromkeys((main, *cache.over))
    files = Files(cache.read, cache.expand)
    tree, why = None, ""
    for _ in range(_DEEPEST):
        if cache.wanted or cache.patterns:
            _fetch(runner, cache, root)
        try:
            tree, why = parse(main, files, config_id), ""
        except OSError as error:
            tree, why = None, f"{main}: {error.strerror or error}"
        if not cache.wanted and not cache.patterns:
            break
    seen = tuple(file for file in cache.files.values() if isinstance(file, FileSeen))
    return ConfigSeen(tree, view(tree) if tree is not None else None, seen, why)


def read_files(runner: Runner, paths: Sequence[str], *, root: bool = True) -> tuple[FileSeen, ...]:
    """Files as they are now. Raises RemoteError, and OSError for one that may not be read."""
    cache = FileCache(wanted=dict.fromkeys(paths))
    _fetch(runner, cache, root)
    result = []
    for path in paths:
        found = cache.files[path]
        if isinstance(found, OSError):
            raise found
        result.append(found)
    return tuple(result)


def _fetch(runner: Runner, cache: FileCache, root: bool) -> None:
    paths, patterns = list(cache.wanted), list(cache.patterns)
    cache.wanted, cache.patterns = {}, {}
    lines = [f"want {n} {shlex.quote(path)}" for n, path in enumerate(paths)]
    lines += [f"match {n} {shlex.quote(p.replace('[^', '[!'))}" for n, p in enumerate(patterns)]
    text = script("common.sh") + script("read.sh") + "\n".join([*lines, "echo end"]) + "\n"
    ran = runner.run(text, root=root, timeout_s=60, what="read the configuration", private=True)
    told, blobs = taken_apart(ran.text, runner.host)
    facts = {
        (key, number): rest
        for key, number, rest in ((*line.split(" ", 2), "", "")[:3] for line in told)
    }
    for n, path in enumerate(paths):
        cache.files[path] = _file(path, str(n), facts, blobs)
    for n, pattern in enumerate(patterns):
        found = blobs.get(f"match.{n}", b"").split(b"\0")
        cache.matches[pattern] = tuple(os.fsdecode(path) for path in found if path)


def _file(
    path: str, n: str, facts: Mapping[tuple[str, str], str], blobs: Mapping[str, bytes]
) -> FileSeen | OSError:
    real = os.fsdecode(blobs.get(f"real.{n}", b"").removesuffix(b"\n")) or path
    seen = FileSeen(path, real, exists=("gone", n) not in facts, regular=("odd", n) not in facts)
    if ("denied", n) in facts:
        return PermissionError(errno.EACCES, "it may not be read", path)
    if ("file", n) not in facts:
        return seen
    words = facts["file", n].split()
    mode = hexadecimal(words[0]) if len(words) == 4 else None
    uid, gid, links = (number(word) for word in words[1:]) if len(words) == 4 else (None,) * 3
    if mode is None or uid is None or gid is None or links is None:
        # Without owner and mode it cannot be written back as it was.
        return OSError(errno.EIO, "what its host tells of it is not understood", path)
    return replace(
        seen, mode=mode & 0o7777, uid=uid, gid=gid, links=links, data=blobs.get(f"data.{n}", b"")
    )
