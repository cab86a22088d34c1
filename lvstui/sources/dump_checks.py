"""Pure parser of keepalived_check.data: the health of every real server, as its checkers see it.

Written by SIGUSR1 (2.0.14 and later), not a stable format: unknown lines are passed over.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace

from lvstui.model.facts import CheckState
from lvstui.model.keys import ServerKey, ServiceKey
from lvstui.model.numbers import number, signed
from lvstui.model.text import plain
from lvstui.sources.log_lines import server_of, service_of

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
            state = CheckState(service, server, True, weight, in_force)
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
