"""What a configuration is judged against: the host that will run it. What to ask of it, and what
its answers mean; whoever has a Runner runs the commands."""

from __future__ import annotations

import json
import re
import stat
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import Enum

from lvstui.keepalived.keywords import Version
from lvstui.keepalived.lint.programs import script_paths, script_users
from lvstui.keepalived.text.tree import Tree
from lvstui.model.keys import canonical_address
from lvstui.model.numbers import hexadecimal, number

_VERSION = re.compile(r"v?(\d{1,9})\.(\d{1,9})(?:\.(\d{1,9}))?")
_WRITABLE_BY_OTHERS = stat.S_IWGRP | stat.S_IWOTH


class Script(Enum):
    """What became of a look at a program that keepalived is to run."""

    GOOD = "good"
    MISSING = "missing"
    NOT_EXECUTABLE = "not executable"
    UNSAFE = "unsafe"
    """Somebody other than root may change it, or a folder above it: with enable_script_security
    keepalived does not run it as root (lib/notify.c, check_security)."""


@dataclass(frozen=True, slots=True)
class InterfaceSeen:
    """One network interface with its addresses."""

    name: str
    addresses: tuple[tuple[str, int], ...] = ()
    """Canonical address and length of its prefix, in the order of the kernel."""
    kind: str = ""
    """`dummy`, `veth`, `bond`, `vlan`, `macvlan`, `loopback` …; empty when not known."""
    up: bool | None = None


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a host has. None: not known, and no rule then guesses."""

    links: tuple[InterfaceSeen, ...] | None = None
    """Those of the daemon's network namespace."""
    version: str = ""
    """keepalived's: `2.2.7`. Empty when not known."""
    scripts: Mapping[str, Script] | None = None
    """By absolute path; a path that is not in it was not looked at."""
    modes: Mapping[str, int] | None = None
    """st_mode of the configuration's own files, by absolute path."""
    users: frozenset[str] | None = None
    """Of the configured script users and `keepalived_script`, those that exist."""
    nonlocal_bind: bool | None = None
    """net.ipv4.ip_nonlocal_bind."""

    @property
    def release(self) -> Version:
        """The version to compare with, `(2, 2, 7)`; empty when not known."""
        return release(self.version)

    @property
    def own_addresses(self) -> frozenset[str]:
        return frozenset(own for link in self.links or () for own, _ in link.addresses)


def release(version: str) -> Version:
    """`Keepalived v2.2.7 (01/16,2022)` as `(2, 2, 7)`; empty when there is no version in it."""
    match = _VERSION.search(version)
    return tuple(int(part or 0) for part in match.groups()) if match else ()


def _held(given: object) -> tuple[str, int] | None:
    """An address and its prefix length; None for what is none."""
    if not isinstance(given, dict):
        return None
    length = number(str(given.get("prefixlen", "")), 128)
    try:
        address = canonical_address(str(given.get("local", "")))
    except ValueError:
        return None
    return None if length is None else (address, length)


def links_from_json(text: str) -> tuple[InterfaceSeen, ...]:
    """The interfaces that `ip -j addr` (or `ip -j -d addr`) printed.

    Raises ValueError when that is no such JSON.
    """
    try:
        told = json.loads(text)
    except RecursionError:
        raise ValueError("no list of interfaces") from None
    if not isinstance(told, list):
        raise ValueError("no list of interfaces")
    result: list[InterfaceSeen] = []
    for entry in told:
        if not isinstance(entry, dict) or not isinstance(entry.get("ifname"), str):
            continue
        given = entry.get("addr_info")
        addresses = tuple(filter(None, map(_held, given if isinstance(given, list) else ())))
        details = entry.get("linkinfo")
        kind = str(details.get("info_kind", "")) if isinstance(details, dict) else ""
        if entry.get("link_type") == "loopback":
            kind = "loopback"
        flags = entry.get("flags")
        up = "UP" in flags if isinstance(flags, list) else None
        result.append(InterfaceSeen(entry["ifname"], addresses, kind, up))
    return tuple(result)


def stated(text: str) -> dict[str, tuple[int, int]]:
    """Mode and owner by path, of what `stat_argv` printed."""
    seen: dict[str, tuple[int, int]] = {}
    for line in text.splitlines():
        mode, _, rest = line.partition(" ")
        owner, _, path = rest.partition(" ")
        bits, uid = hexadecimal(mode), number(owner)
        if bits is not None and uid is not None:
            seen[path] = bits, uid
    return seen


def stat_argv(wanted: Iterable[str]) -> tuple[str, ...]:
    """The command that tells mode and owner of files and of all folders above them: raw mode in
    hexadecimal, owner, path, one a line. Its status is 1 when one of them is missing, and that is
    no failure."""
    names = dict.fromkeys(name for path in wanted for name in (path, *folders_above(path)))
    return ("stat", "-L", "-c", "%f %u %n", "--", *names)


def folders_above(path: str) -> tuple[str, ...]:
    """`/a/b/c` to `/a/b`, `/a`, `/`."""
    result: list[str] = []
    while path not in ("/", ""):
        path = path.rpartition("/")[0] or "/"
        result.append(path)
    return tuple(result)


def judged(path: str, seen: Mapping[str, tuple[int, int]]) -> Script:
    """What a script is, by `stated` of itself and the folders above it."""
    if path not in seen:
        return Script.MISSING
    mode, _ = seen[path]
    if not stat.S_ISREG(mode):
        return Script.MISSING
    if not mode & 0o111:
        return Script.NOT_EXECUTABLE
    for name in (path, *folders_above(path)):
        if name not in seen:
            continue
        bits, owner = seen[name]
        # A folder with the sticky bit lets only the owner of a file exchange it.
        open_to_others = bits & _WRITABLE_BY_OTHERS and not (
            stat.S_ISDIR(bits) and bits & stat.S_ISVTX
        )
        if owner != 0 or open_to_others:
            return Script.UNSAFE
    return Script.GOOD


LINKS, FILES, USERS, NONLOCAL_BIND = "links", "files", "users", "nonlocal_bind"


def questions(tree: Tree) -> dict[str, tuple[str, ...]]:
    """Commands by what they tell, to be run in the daemon's network namespace, as root or not.

    `files` and `users` end with a status above 0 when something is missing; that is an answer. What
    `files` says on standard error belongs to its answer, in the words of LC_ALL=C.
    """
    files = (*script_paths(tree), *(file.path for file in tree.files))
    return {
        LINKS: ("ip", "-j", "-d", "addr"),
        FILES: stat_argv(files),
        USERS: ("getent", "passwd", *script_users(tree)),
        NONLOCAL_BIND: ("cat", "/proc/sys/net/ipv4/ip_nonlocal_bind"),
    }


def surroundings_of(tree: Tree, answers: Mapping[str, str], version: str = "") -> Surroundings:
    """What the answers to `questions(tree)` tell. One that is missing, or makes no sense, leaves
    its part unknown; `stat` always knows `/`, so an output without it is none.

    The interfaces are those of the network namespace that was asked in: right unless
    `net_namespace` is used, and then they stay unknown.
    """
    here = not any(line.words[0] == b"net_namespace" for line in tree.walk())
    files = answers.get(FILES, "")
    denied = [line for line in files.splitlines() if line.endswith(": Permission denied")]
    # It may be there, out of the sight of who asked.
    scripts = [p for p in script_paths(tree) if not any(f"'{p}'" in line for line in denied)]
    known = any(line.endswith(" /") for line in files.splitlines())
    seen = stated(files)
    users = {line.partition(":")[0] for line in answers.get(USERS, "").splitlines()}
    bind = answers.get(NONLOCAL_BIND, "").strip()
    try:
        links = links_from_json(answers.get(LINKS, ""))
    except ValueError:
        links = None
    return Surroundings(
        links=links if here else None,
        version=version,
        scripts={path: judged(path, seen) for path in scripts} if known else None,
        modes={f.path: seen[f.path][0] for f in tree.files if f.path in seen} if known else None,
        users=frozenset(script_users(tree)) & users if USERS in answers else None,
        nonlocal_bind=bind == "1" if here and bind in ("0", "1") else None,
    )
