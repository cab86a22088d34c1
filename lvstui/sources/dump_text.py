"""Pure parsers of what keepalived writes when it is signalled: JSON and its text dumps.

Passwords (`auth_data`, `Password = …`) are dropped while reading. A file that is still being
written (keepalived 2.0.10 to 2.4.3 renames first and fills later) gives None, never an error.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from lvstui.model.facts import CheckState
from lvstui.model.keys import ServerKey, ServiceKey, canonical_address
from lvstui.model.numbers import LAST_SECOND, MOST, decimal, number, signed
from lvstui.model.text import plain
from lvstui.model.vrrp import InstanceSeen, InstanceStats
from lvstui.sources.log_lines import server_of, service_of

_STATES = {0: "INIT", 1: "BACKUP", 2: "MASTER", 3: "FAULT", 97: "DELETED", 98: "STOP"}
_COUNTED = ("advert_rcvd", "advert_sent", "become_master", "release_master")
_NO_ERROR = (*_COUNTED, "pri_zero_rcvd", "pri_zero_sent")


def _vip(text: str) -> str | None:
    """The address of a VIP as dumped (`10.9.0.100/24 dev eth0 scope global set`)."""
    words = text.split()
    try:
        return canonical_address(words[0].partition("/")[0]) if words else None
    except ValueError:
        return None


def _number(value: object, default: float = 0.0) -> float:
    """A number of the JSON dump; else `default`, for `NaN` and `1e999` too."""
    known = isinstance(value, (int, float)) and -LAST_SECOND <= value <= LAST_SECOND
    return float(value) if known and isinstance(value, (int, float)) else default


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []


def _json_stats(stats: dict[str, Any]) -> InstanceStats:
    errors = tuple(
        (plain(name, 64), int(value))
        for name, value in stats.items()
        if name not in _NO_ERROR and isinstance(value, int) and 0 < value <= MOST
    )
    received, sent, became, released = (int(_number(stats.get(name))) for name in _COUNTED)
    return InstanceStats(received, sent, became, released, errors)


def parse_json(text: str) -> tuple[InstanceSeen, ...] | None:
    """Instances of keepalived.json, both layouts (`json_version` 1 and 2).

    None when the text is empty, cut off, or not that file.
    """
    try:
        top = json.loads(text)
    except (ValueError, RecursionError):
        return None
    rows = top.get("vrrp") if isinstance(top, dict) else top
    if not isinstance(rows, list):
        return None
    found = []
    for row in rows:
        data = row.get("data") if isinstance(row, dict) else None
        if not isinstance(data, dict) or not isinstance(data.get("iname"), str):
            continue
        stats = row.get("stats")
        vips = [v for key in ("vips", "evips") for v in _list(data.get(key)) if isinstance(v, str)]
        moved = data.get("last_transition")
        found.append(
            InstanceSeen(
                name=plain(data["iname"], 255),
                state=_STATES.get(int(_number(data.get("state"), -1)), "INIT"),
                interface=plain(str(data.get("ifp_ifname") or data.get("vmac_ifname") or ""), 64),
                vrid=int(_number(data.get("vrid"))),
                version=int(_number(data.get("version"), 2)),
                base_priority=int(_number(data.get("base_priority"))),
                effective_priority=int(_number(data.get("effective_priority"))),
                advert_interval_s=_number(data.get("adver_int"), 1.0),
                last_transition=_number(moved) or None,
                vips=tuple(a for a in map(_vip, vips) if a),
                master_priority=int(_number(data.get("master_priority"))),
                stats=_json_stats(stats) if isinstance(stats, dict) else None,
            )
        )
    return tuple(found) if found or not rows else None


def _sections(text: str) -> Iterator[tuple[str, list[str]]]:
    """(title, lines) of each `------< Title >------` that starts a line."""
    title = ""
    lines: list[str] = []
    for line in text.splitlines():
        match = re.match(r"------< (.*) >------", line)
        if match:
            yield title, lines
            title, lines = match.group(1), []
        else:
            lines.append(line)
    yield title, lines


def _field(line: str) -> tuple[str, str]:
    name, _, value = line.strip().partition(" = ")
    return name, value.strip()


def _interval_s(value: str) -> float:
    """`1 sec`, `1000 milli-sec`, `1.00 sec`."""
    words = value.split()
    found = decimal(words[0]) if words else None
    if found is None:
        return 1.0
    return found / 1000 if len(words) > 1 and words[1].startswith("milli") else found


def _integer(value: str) -> int:
    match = re.match(r"-?\d+", value)
    return (signed(match.group()) or 0) if match else 0


def parse_data(text: str) -> tuple[InstanceSeen, ...] | None:
    """Instances of keepalived.data; None while the file is empty or ends within a line.

    There is no end mark: a caller reads again until the file stays as it is.

    Not a stable format: unknown lines are passed over. `Master router` and `Master priority`
    stand there on a BACKUP only.
    """
    sections = list(_sections(text))
    topology = next((lines for title, lines in sections if title == "VRRP Topology"), None)
    if topology is None or not text.endswith("\n"):
        return None
    found: list[InstanceSeen] = []
    now: dict[str, Any] = {}
    in_vips = False

    def finish() -> None:
        if now:
            found.append(InstanceSeen(**{**now, "vips": tuple(now["vips"])}))

    for line in topology:
        name, value = _field(line)
        if name == "VRRP Instance":
            finish()
            now = {"name": plain(value, 255), "state": "INIT", "vips": []}
            in_vips = False
            continue
        if not now:
            continue
        if re.match(r"\s+Virtual IP(?: \(\d+\))?|\s+Virtual IP Excluded", line):
            in_vips = True
            continue
        if in_vips:
            # Entries are indented deeper than fields.
            if line.startswith("     "):
                address = _vip(line.strip())
                if address:
                    now["vips"].append(address)
                continue
            in_vips = False
        if name in _DATA_FIELDS:
            key, read = _DATA_FIELDS[name]
            now[key] = read(value)
    finish()
    return tuple(found)


def _moved(value: str) -> float | None:
    match = re.match(r"\d+(?:\.\d+)?", value)
    return decimal(match.group()) or None if match else None


_DATA_FIELDS: dict[str, tuple[str, Callable[[str], Any]]] = {
    "State": ("state", lambda value: plain(value.split(" ")[0], 16)),
    "Interface": ("interface", lambda value: plain(value.partition(",")[0], 64)),
    "Sync group": ("sync_group", lambda value: plain(value, 255)),
    "Master router": ("master_address", lambda value: _vip(value) or ""),
    "Last transition": ("last_transition", _moved),
    "Advert interval": ("advert_interval_s", _interval_s),
    "VRRP Version": ("version", _integer),
    "Master priority": ("master_priority", _integer),
    "Virtual Router ID": ("vrid", _integer),
    "Priority": ("base_priority", _integer),
    "Base priority": ("base_priority", _integer),
    "Effective priority": ("effective_priority", _integer),
}
"""Name in keepalived.data: field, and how its value is read."""


_STATS = ("Advertisements/Received", "Advertisements/Sent", "Became master", "Released master")


def parse_stats(text: str) -> dict[str, InstanceStats] | None:
    """Counters of each instance from keepalived.stats; None while it is incomplete."""
    if not text.endswith("\n"):
        return None
    found: dict[str, InstanceStats] = {}
    name, heading = "", ""
    errors: list[tuple[str, int]] = []
    values: dict[str, int] = {}

    def finish() -> bool:
        if not name:
            return True
        if "Priority Zero/Sent" not in values:
            return False
        received, sent, became, released = (values.get(key, 0) for key in _STATS)
        found[name] = InstanceStats(received, sent, became, released, tuple(errors))
        return True

    for line in text.splitlines():
        key, _, value = line.strip().partition(":")
        value = value.strip()
        if line.startswith("VRRP Instance:"):
            if not finish():
                return None
            name, heading, errors, values = plain(value, 255), "", [], {}
        elif not value:
            heading = key
        elif (count := signed(value)) is not None:
            nested = line.startswith("    ")
            values[f"{heading}/{key}" if nested else key] = count
            if nested and "Errors" in heading and count:
                errors.append((plain(f"{heading}: {key}", 64), count))
    return found if finish() and found else None


# keepalived_check.data: the health of every real server, as its checkers see it (2.0.14 and later)

_MAX_PORT, _MAX_WEIGHT = 65535, 0x7FFFFFFF
_CHECKERS = "------< Health checkers >------"
_SERVER = re.compile(r"RIP = (\S+), RPORT = (\d+), WEIGHT = (-?\d+)(?: EFF WEIGHT = (-?\d+))?")
_PAIR = re.compile(r" (?P<vs>\S.*) -> \[(?P<rs>\S+)\]:(?:(?P<proto>\S+):)?(?P<port>\d+)$")

_Where = tuple[ServiceKey | str, ServerKey]
"""A real server within its virtual server: by key, or by the name of its group."""


@dataclass(slots=True)
class _Checkers:
    """What all checkers of one real server say."""

    down: list[str] = field(default_factory=list)
    waiting: bool = False


def parse_checks(text: str) -> tuple[CheckState, ...] | None:
    """Every real server of the dump; None while it is still being written.

    A checker that says `Has run = no` leaves its server unverified: a new real server without
    `alpha` counts as alive from the start. A member of a virtual_server_group has a service key
    without an address, as in the log.
    """
    servers, end, checkers = text.partition(_CHECKERS)
    if not end or not text.endswith("\n"):
        return None
    said = _read_checkers(checkers)
    found = []
    for where, state in _read_servers(servers):
        words = said.get(where)
        if words is not None:
            state = replace(state, failed_checkers=tuple(words.down), verified=not words.waiting)
        found.append(state)
    return tuple(found)


def _service(line: str) -> tuple[ServiceKey, str] | None:
    """Key and group of ` VS VIP = A, VPORT = P`, ` VS FWMARK = N`, ` VS GROUP = [NAME]:SEQ`.

    The protocol stands some lines below.
    """
    match = re.match(r"VS VIP = (\S+), VPORT = (\d+)", line)
    if match:
        port = number(match[2], _MAX_PORT)
        try:
            return None if port is None else (ServiceKey.of("tcp", match[1], port), "")
        except ValueError:
            return None
    match = re.match(r"VS FWMARK = (\d+)", line)
    if match:
        mark = number(match[1], 0xFFFFFFFF)
        return None if mark is None else (ServiceKey.mark(mark), "")
    match = re.match(r"VS GROUP = \[(.*)\](?::\d+)?$", line)
    return (ServiceKey("tcp", ""), plain(match[1], 255)) if match else None


def _read_servers(text: str) -> list[tuple[_Where, CheckState]]:
    found: list[tuple[_Where, CheckState]] = []
    service: ServiceKey | None = None
    group = ""
    in_server = False
    for line in text.splitlines():
        words = line.strip()
        name, _, value = words.partition(" = ")
        if words.startswith(("VS VIP", "VS FWMARK", "VS GROUP")):
            known = _service(words)
            service, group = known if known else (None, "")
            in_server = False
        elif service is None:
            continue
        elif name == "protocol" and not in_server:
            if service.protocol != "fwmark" and value.lower() in ("tcp", "udp", "sctp"):
                service = replace(service, protocol=value.lower())
        elif name == "Address family" and not in_server:
            if not service.address:
                service = replace(service, family=6 if value == "inet6" else 4)
        elif words.startswith("RIP = "):
            match = _SERVER.match(words)
            in_server = True
            if match is None:
                continue
            server = server_of(match[1], match[2])
            weight = signed(match[3], _MAX_WEIGHT)
            in_force = signed(match[4], _MAX_WEIGHT) if match[4] else weight
            if server is None or weight is None or in_force is None:
                continue
            state = CheckState(service, server, True, weight, in_force, service_name=group)
            found.append(((group or service, server), state))
        elif in_server and found and name in ("alive", "initial weight"):
            where, state = found[-1]
            if name == "alive":
                state = replace(state, alive=value == "1")
            else:
                weight = signed(value, _MAX_WEIGHT)
                state = state if weight is None else replace(state, weight=weight)
            found[-1] = (where, state)
    return found


def _read_checkers(text: str) -> dict[_Where, _Checkers]:
    found: dict[_Where, _Checkers] = {}
    where: _Where | None = None
    facts: dict[str, str] = {}

    def finish() -> None:
        if where is None:
            return
        words = found.setdefault(where, _Checkers())
        if facts.get("Enabled", "yes") == "no":
            return
        if facts.get("Has run") == "no":
            words.waiting = True
        if facts.get("Up") == "no":
            words.down.append(plain(facts.get("Keepalive method", "?"), 32))

    for line in text.splitlines():
        if line.startswith("------<"):
            # Track files and what else follows.
            break
        match = _PAIR.match(line)
        if match is None:
            name, _, value = line.strip().partition(" = ")
            facts[name] = value
            continue
        finish()
        facts = {}
        server = server_of(match["rs"], match["port"])
        where = None
        if server is None:
            continue
        try:
            service, group = service_of(match["vs"], match["proto"] or "", server.family)
            where = (plain(group, 255) or service, server)
        except ValueError:
            continue
    finish()
    return found
