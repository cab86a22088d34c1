"""A first configuration from what the operator typed, completed by what this host suggests."""

from __future__ import annotations

import ipaddress
import select
import socket
import struct
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from lvstui.keepalived.first import (
    NONLOCAL_BIND,
    SYSCTL_FILE,
    First,
    FirstDirector,
    FirstServer,
    free_vrid,
    render,
    sysctl_file,
)
from lvstui.model.keys import split_port
from lvstui.model.numbers import hexadecimal, number
from lvstui.operations.audit import Deed
from lvstui.operations.config_plan import ConfigPlan, FileChange
from lvstui.operations.configuration_hosts import DirectorAccess, at_once, with_runner
from lvstui.operations.questions import QUESTIONS
from lvstui.process.readonly import READ_ONLY
from lvstui.realserver.probes.asking import ask_all
from lvstui.realserver.probes.links import Network, read_network
from lvstui.realserver.probes.results import Unavailable
from lvstui.remote.runner import ErrorKind, RemoteError, Runner
from lvstui.sources.wire import open_socket, parse_advert

if TYPE_CHECKING:
    from lvstui.operations.configuration import DirectorConfigs

ROUTES = Path("/proc/net/route")
LISTEN_S = 3.5
"""A MASTER with adverts each second, the usual pace, is heard three times in it."""
CANDIDATES = 6
"""Addresses that are asked for, to find one that nobody has."""


@dataclass(frozen=True, slots=True)
class DefaultRoute:
    """One line of /proc/net/route (net/ipv4/fib_trie.c)."""

    interface: str
    network: ipaddress.IPv4Network
    gateway: str
    """Empty for the link's own network."""


@dataclass(frozen=True, slots=True)
class Guess:
    """What is suggested, and why."""

    host: str
    interface: str = ""
    address: str = ""
    prefix: int = 24
    vip: str = ""
    vrid: int = 51
    heard_vrids: frozenset[int] = frozenset()
    notes: tuple[str, ...] = ()
    """How each was found, or why it could not be, one sentence each."""


def parse_routes(text: str) -> tuple[DefaultRoute, ...]:
    """The IPv4 routes of a `/proc/net/route`; lines that cannot be read are left out."""
    found = []
    for line in text.splitlines()[1:]:
        words = line.split()
        if len(words) < 8:
            continue
        try:
            to, via, mask = (_address(words[index]) for index in (1, 2, 7))
            network = ipaddress.IPv4Network(f"{to}/{mask}", strict=False)
        except ValueError:
            continue
        found.append(DefaultRoute(words[0], network, "" if via == "0.0.0.0" else via))
    return tuple(found)


def _address(word: str) -> str:
    value = hexadecimal(word, 0xFFFFFFFF)
    if value is None:
        raise ValueError(f"{word[:40]!r} is no address of the kernel's")
    # The kernel prints the network-order word as a number of this machine.
    return socket.inet_ntoa(struct.pack("=I", value))


def completed(
    answers: Mapping[str, str], found: Guess, sync: bool = False
) -> tuple[First, tuple[str, ...]]:
    """The whole setup, and what in it was guessed, in words; `answers` are by the field of
    `QUESTIONS`. Raises ValueError saying which of them cannot be read; whether they are right is
    for `keepalived.first.wrong` to say."""
    typed = {q.field: answers.get(q.field, q.default).strip() for q in QUESTIONS}
    guessed = []
    vip, slash, prefix = typed["vip"].partition("/")
    if not vip:
        if not found.vip:
            raise ValueError("vip: none is given and none can be guessed")
        vip, prefix = found.vip, str(found.prefix)
        guessed.append(f"VIP {vip}/{prefix}")
    elif slash and number(prefix, 128) is None:
        raise ValueError("vip: a number is expected behind the /")
    if not typed["vrid"]:
        guessed.append(f"VRID {found.vrid}")
    if not typed["interface"]:
        guessed.append(f"interface {found.interface}")
    interfaces = _pair(typed["interface"] or found.interface, "interface", alone=True)
    names = _pair(typed["directors"] or f"{found.host},{peer_name(found.host)}", "directors")
    if not typed["directors"]:
        guessed.append(f"directors {' and '.join(names)}")
    addresses = _pair(typed["unicast"], "unicast") if typed["unicast"] else ("", "")
    one, two = map(FirstDirector, names, interfaces, addresses)
    protocol = typed["protocol"].lower()
    first = First(
        (one, two),
        vip,
        int(prefix) if prefix else found.prefix,
        _number(typed["vrid"] or str(found.vrid), "vrid"),
        _number(typed["port"], "port"),
        tuple(map(_server, typed["servers"].replace(",", " ").split())),
        typed["name"],
        protocol,
        typed["scheduler"],
        _number(typed["persistence"] or "0", "persistence"),
        typed["check"] or ("none" if protocol == "udp" else "TCP_CHECK"),
        typed["path"] or "/",
        unicast=bool(typed["unicast"]),
        sync_connections=sync,
    )
    return first, tuple(guessed)


def peer_name(host: str) -> str:
    """`lb2` for `lb1` and the other way round; else with -peer."""
    stem, digit = host[:-1], host[-1:]
    return f"{stem}{3 - int(digit)}" if digit in ("1", "2") else f"{host}-peer"


def _number(text: str, what: str) -> int:
    text = text.strip()
    if not text.isascii() or not text.isdigit() or len(text) > 10:
        raise ValueError(f"{what}: a whole number is expected")
    return int(text)


def _pair(text: str, what: str, alone: bool = False) -> tuple[str, str]:
    parts = [part.strip() for part in text.split(",")]
    if len(parts) == 1 and alone:
        return parts[0], parts[0]
    if len(parts) != 2 or not all(parts):
        raise ValueError(f"{what}: two are expected, with a comma between")
    return parts[0], parts[1]


def _server(text: str) -> FirstServer:
    """`10.0.0.3=rs1*10`. Raises ValueError."""
    rest, star, weight = text.partition("*")
    address, _, name = rest.partition("=")
    try:
        bare, port = split_port(address)
    except ValueError:
        bare, port = address, 0
    if port:
        raise ValueError(f"server {text}: in Direct Routing its port is the service's")
    return FirstServer(bare, name, _number(weight, f"server {text}: weight") if star else 1)


def guess(host: str, *, suggest_vip: bool = True) -> Guess:
    """Look at this host's routes, listen for adverts, ask the link for free addresses.

    Blocks `LISTEN_S` and about as long for the asking. Without the right to listen or to ask
    (CAP_NET_RAW) that part is left out and said; never raises for what the host lacks.
    `suggest_vip` False: the VIP is known, nobody is asked about a free address.
    """
    notes: list[str] = []
    try:
        routes = parse_routes(ROUTES.read_text("ascii", "replace"))
        network = read_network()
    except OSError as error:
        return Guess(host, notes=(f"routes and addresses can not be read: {error}",))
    interface, subnet, gateway = _way(routes)
    heard = _hear(notes)
    vrid = free_vrid(heard)
    if subnet is None:
        notes.append("no IPv4 network is on a link of this host: name the interface and the VIP")
        return Guess(host, vrid=vrid, heard_vrids=heard, notes=tuple(notes))
    own = next(
        (
            held
            for held in network.addresses(interface, socket.AF_INET)
            if ipaddress.ip_address(held) in subnet
        ),
        "",
    )
    why = f"the way to the gateway {gateway}" if gateway else "the first link"
    notes.insert(0, f"{interface} with {own or 'no address'} in {subnet}: {why}")
    vip = _free(interface, subnet, own, gateway, network, notes) if suggest_vip else ""
    return Guess(host, interface, own, subnet.prefixlen, vip, vrid, heard, tuple(notes))


def _way(routes: tuple[DefaultRoute, ...]) -> tuple[str, ipaddress.IPv4Network | None, str]:
    """Interface, network and gateway of the default route, else of the first link."""
    links = [r for r in routes if not r.gateway and r.network.prefixlen and r.interface != "lo"]
    for route in routes:
        if route.gateway and not route.network.prefixlen:
            for link in links:
                at = ipaddress.ip_address(route.gateway)
                if link.interface == route.interface and at in link.network:
                    return link.interface, link.network, route.gateway
    if links:
        return links[0].interface, links[0].network, ""
    return "", None, ""


def _hear(notes: list[str]) -> frozenset[int]:
    """The VRIDs that others advertise on any link, heard for `LISTEN_S`."""
    try:
        sock = open_socket()
    except OSError as error:
        notes.append(
            f"adverts can not be heard ({error.strerror}): make sure by yourself that no "
            "other pair uses the VRID"
        )
        return frozenset()
    found: dict[int, str] = {}
    deadline = time.monotonic() + LISTEN_S
    with sock:
        while (left := deadline - time.monotonic()) > 0:
            if not select.select([sock], [], [], left)[0]:
                continue
            try:
                packet, where = sock.recvfrom(2048)
            except OSError:
                continue
            advert = parse_advert(packet, str(where[0]), where[2] == socket.PACKET_OUTGOING)
            if advert is not None and not advert.outgoing:
                found[advert.vrid] = advert.source
    if found:
        heard = ", ".join(f"{vrid} by {source}" for vrid, source in sorted(found.items()))
        notes.append(f"heard on the wire: VRID {heard}")
    else:
        notes.append(f"no adverts in {LISTEN_S:g} s: no other pair seems to be on this link")
    return frozenset(found)


def _free(
    interface: str,
    subnet: ipaddress.IPv4Network,
    own: str,
    gateway: str,
    network: Network,
    notes: list[str],
) -> str:
    """An address of the link that nobody answers for; empty when none can be told."""
    candidates = _candidates(subnet, {own, gateway, *(held for _, held in network.held)})
    answers = ask_all(candidates, interface)
    for candidate in candidates:
        answer = answers[candidate]
        if isinstance(answer, Unavailable):
            notes.append(f"no address is suggested as VIP: {answer.text}")
            return ""
        if not answer.answers:
            notes.append(
                f"nobody answers for {candidate} now; that it is yours to use only you know"
            )
            return candidate
    notes.append("no address is suggested as VIP: those that were tried are all in use")
    return ""


def _candidates(subnet: ipaddress.IPv4Network, taken: set[str]) -> list[str]:
    """Some addresses of the network: from its middle on, where routers and hosts seldom are."""
    size = subnet.num_addresses
    if size < 4:
        return []
    first = int(subnet.network_address)
    wanted = [first + 1 + (size // 2 + step) % (size - 2) for step in range(min(size - 2, 64))]
    addresses = [str(ipaddress.IPv4Address(number)) for number in wanted]
    return [address for address in addresses if address not in taken][:CANDIDATES]


def plan_first(engine: DirectorConfigs, first: First) -> ConfigPlan:
    """The plan that puts the answers in force: this director's file, and its peer's when the
    engine knows one. Raises CannotEdit when a director cannot be seen."""
    from lvstui.operations.config_edit import CannotEdit

    files: dict[str, tuple[FileChange, ...]] = {}
    replaced = []
    looks = engine.look()
    if len(looks) > len(first.directors):
        raise CannotEdit("a first configuration is for two directors, not more")
    for index, (name, seen) in enumerate(looks.items()):
        if isinstance(seen, Exception):
            raise CannotEdit(f"{name}: {seen}")
        main = seen.config.file(seen.daemon.main)
        before = main.data if main is not None and main.exists else None
        if before:
            replaced.append(f"{name}: {seen.daemon.main} exists and is replaced as a whole")
        files[name] = (FileChange(seen.daemon.main, before, render(first, index)),)
    plan = engine.plan("first configuration", files)
    return replace(plan, cautions=(*replaced, *plan.cautions))


def bind_nonlocal(engine: DirectorConfigs) -> tuple[str, ...]:
    """Let programs bind to a VIP that a director does not hold, now and after a reboot, on each
    director; what came of it, a line for each. Recorded like every write; taken back by removing
    the file and setting the value to 0. Raises OSError when it cannot be recorded."""
    if engine.read_only:
        return (f"refused: {READ_ONLY}",)
    what = f"{NONLOCAL_BIND} = 1 ({SYSCTL_FILE})"
    deeds = [Deed(where.name, "", "sysctl", what) for where in engine.directors]

    def one(where: DirectorAccess) -> str:
        def work(runner: Runner) -> str:
            runner.write(SYSCTL_FILE, sysctl_file(), mode=0o644, root=True)
            path = "/proc/sys/" + NONLOCAL_BIND.replace(".", "/")
            ran = runner.run(f"echo 1 > {path}; cat {path}", root=True, what=f"set {NONLOCAL_BIND}")
            kept = runner.read(SYSCTL_FILE, root=True)
            if ran.text.strip() != "1" or kept != sysctl_file():
                raise RemoteError(ErrorKind.LOST, f"{NONLOCAL_BIND} does not read back as 1")
            return "set, now and after a reboot; read back"

        return with_runner(where, work)

    with engine.audit.around(deeds, "first configuration") as record:
        came = at_once(engine.directors, one)
        ends = [text or str(error) for _, text, error in came]
        record.came = [
            deed.came(error is None, end)
            for deed, end, (_, _, error) in zip(deeds, ends, came, strict=True)
        ]
    said = [f"{where.name}: {end}" for where, end in zip(engine.directors, ends, strict=True)]
    return tuple([*said, record.unrecorded] if record.unrecorded else said)
