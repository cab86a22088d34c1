"""This host as the surroundings of a configuration. No rights are needed, no program is run."""

from __future__ import annotations

import os
import pwd
from collections.abc import Iterable
from pathlib import Path

from lvstui.keepalived.lint.programs import script_paths, script_users
from lvstui.keepalived.lint.surroundings import (
    Link,
    Script,
    Surroundings,
    folders_above,
    judge_scripts,
)
from lvstui.keepalived.text.tree import Tree
from lvstui.model.keys import canonical_address

_IFF_UP = 0x1
_NONLOCAL_BIND = Path("/proc/sys/net/ipv4/ip_nonlocal_bind")


def collect(tree: Tree, version: str = "") -> Surroundings:
    """What this host has of all that `tree` speaks of.

    What cannot be read stays unknown (None). `version` is the daemon's, from whoever knows it.
    The interfaces are those of the caller's network namespace: right unless `net_namespace` is
    used, and then they stay unknown.
    """
    own_namespace = not any(line.words[0] == b"net_namespace" for line in tree.walk())
    return Surroundings(
        links=_links() if own_namespace else None,
        version=version,
        scripts=_scripts(script_paths(tree)),
        modes=_modes(file.path for file in tree.files),
        users=_users(script_users(tree)),
        nonlocal_bind=_nonlocal_bind() if own_namespace else None,
    )


def _links() -> tuple[Link, ...] | None:
    # Costs as much start-up as the screens; needed here only.
    from pyroute2 import IPRoute
    from pyroute2.netlink.exceptions import NetlinkError

    try:
        with IPRoute() as route:
            links = list(route.get_links())
            told = list(route.get_addr())
    except (OSError, NetlinkError):
        return None
    addresses: dict[int, list[tuple[str, int]]] = {}
    for entry in told:
        # IFA_ADDRESS is the far end on a point-to-point link.
        address = entry.get_attr("IFA_LOCAL") or entry.get_attr("IFA_ADDRESS")
        if address:
            found = addresses.setdefault(entry["index"], [])
            found.append((canonical_address(address), entry["prefixlen"]))
    result = []
    for link in links:
        info = link.get_attr("IFLA_LINKINFO")
        kind = info.get_attr("IFLA_INFO_KIND") if info is not None else ""
        name = str(link.get_attr("IFLA_IFNAME"))
        result.append(
            Link(
                name,
                tuple(addresses.get(link["index"], ())),
                "loopback" if name == "lo" else str(kind or ""),
                bool(link["flags"] & _IFF_UP),
            )
        )
    return tuple(result)


def _scripts(paths: Iterable[str]) -> dict[str, Script]:
    seen: dict[str, tuple[int, int]] = {}
    unknown: set[str] = set()
    wanted = tuple(paths)
    for path in wanted:
        for name in (path, *folders_above(path)):
            try:
                found = os.stat(name)
            except (FileNotFoundError, NotADirectoryError):
                continue
            except OSError:
                # It may be there, out of our sight.
                unknown.add(path)
            else:
                seen[name] = (found.st_mode, found.st_uid)
    return judge_scripts((path for path in wanted if path not in unknown), seen)


def _modes(paths: Iterable[str]) -> dict[str, int]:
    result: dict[str, int] = {}
    for path in paths:
        try:
            result[path] = os.stat(path).st_mode
        except OSError:
            continue
    return result


def _users(names: Iterable[str]) -> frozenset[str]:
    result = set()
    for name in names:
        try:
            pwd.getpwnam(name)
        except KeyError:
            continue
        result.add(name)
    return frozenset(result)


def _nonlocal_bind() -> bool | None:
    try:
        return _NONLOCAL_BIND.read_text().strip() == "1"
    except OSError:
        return None
