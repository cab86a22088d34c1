"""What cluster a lab is: frozen dataclasses, and the TOML file that describes them.

Everything has a default; the empty file is the default cluster.  An example with every key:

    directors = 2                # or names: ["lb1", "lb2"]
    real_servers = 3             # or names: ["rs1", "rs2", "rs3"]
    ipv6 = false                 # true: a second VIP, VRRP instance and set of services
    bare = ["rs2"]               # real servers without VIP and ARP sysctls, as freshly installed;
                                 # true: all of them. `heal` neither puts them there nor takes away
                                 # what somebody pushed. Checks pass: they ask the real address.
    release = "trixie"           # the Debian release that keepalived and ipvsadm of the directors
                                 # are from, or of some of them: { lb2 = "bullseye" }; the others
                                 # have what this host has

    [[service]]
    name = "web"                 # letters, digits, "-"; names the service in faults and logs
    protocol = "tcp"             # tcp | udp | sctp
    port = 80
    fwmark = 7                   # optional: the service is this mark; `port` is what gets marked
    scheduler = "wrr"
    forward = "DR"               # DR | NAT | TUN, one for the whole cluster when it is NAT
    weight = 10                  # or one for each real server: [10, 10, 5]
    persistence = 0              # seconds, 0: none
    checker = "tcp"              # tcp | http | dns | misc | none; or one for each real server
    alpha = true                 # false, keepalived's default: in the table before any check
    servers = ["rs1", "rs2"]     # optional: only these
    sorry_server = "rs3"         # optional: a real server that is not in `servers`
    per_second = 20              # requests of the client
    downloads = 4                # long downloads at a time (tcp only)

    [[machine]]                  # a host that is a guest of its own, see Machine
    name = "m1"
    role = "realserver"          # realserver | director: the last in rank; for services with ports
    stack = "ifupdown"           # ifupdown | netplan | networkmanager | networkd | plain
    memory = 256                 # MB
"""

from __future__ import annotations

import importlib
import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from lvstui.lab.errors import LabError

PROTOCOLS = ("tcp", "udp", "sctp")
SCHEDULERS = tuple("rr wrr lc wlc lblc lblcr sh mh dh fo ovf sed nq twos".split())  # noqa: SIM905
METHODS = ("DR", "NAT", "TUN")
CHECKERS = ("tcp", "http", "dns", "misc", "none")
MAX_DIRECTORS = 3
MAX_REAL_SERVERS = 60
MAX_MACHINES = 8
ROLES = ("realserver", "director")
RELEASES = ("bullseye", "bookworm", "trixie", "sid")
STACKS = ("ifupdown", "netplan", "networkmanager", "networkd", "plain")
_NAME = re.compile(r"[a-z][a-z0-9-]{0,11}\Z")


@dataclass(frozen=True, slots=True)
class Service:
    """One virtual service on the VIP (on both VIPs when the cluster has IPv6)."""

    name: str
    protocol: str = "tcp"
    port: int = 80
    fwmark: int = 0
    scheduler: str = "wrr"
    forward: str = "DR"
    weights: tuple[int, ...] = (10,)
    persistence: int = 0
    checkers: tuple[str, ...] = ("tcp",)
    alpha: bool = True
    servers: tuple[str, ...] = ()
    sorry_server: str = ""
    per_second: float = 10.0
    downloads: int = 0

    def weight(self, index: int) -> int:
        """The weight of the real server at this place in the pool."""
        return self.weights[index % len(self.weights)]

    def checker(self, index: int) -> str:
        """The kind of check of the real server at this place in the pool."""
        return self.checkers[index % len(self.checkers)]


WEB = Service("web", checkers=("http", "http", "tcp"), per_second=20.0, downloads=4)
DNS = Service("dns", "udp", 53, scheduler="rr", checkers=("dns", "dns", "misc"), per_second=10.0)


@dataclass(frozen=True, slots=True)
class Machine:
    """A host that is a machine of its own: systemd as init, a disk, real reboots.

    A real server is bare, as freshly installed; a director has keepalived as Debian's unit, logging
    to a journal that is lost at a reboot.  stack: what manages its network.
    """

    name: str
    stack: str = "ifupdown"
    memory_mb: int = 256
    role: str = "realserver"


@dataclass(frozen=True, slots=True)
class Topology:
    """A cluster: two directors, three real servers, web and DNS unless told otherwise."""

    directors: tuple[str, ...] = ("lb1", "lb2")
    real_servers: tuple[str, ...] = ("rs1", "rs2", "rs3")
    services: tuple[Service, ...] = field(default=(WEB, DNS))
    ipv6: bool = False
    bare: tuple[str, ...] = ()
    machines: tuple[Machine, ...] = ()
    releases: tuple[tuple[str, str], ...] = ()
    """Directors whose keepalived is of that Debian release; the others have the host's."""

    def of_release(self, release: str) -> Topology:
        """The same cluster, with that release for each director that has none of its own."""
        own = dict(self.releases)
        return replace(self, releases=tuple((n, own.get(n, release)) for n in self.all_directors))

    def stripped(self) -> Topology:
        """The same cluster with all real servers bare."""
        return replace(self, bare=self.real_servers)

    @property
    def nat(self) -> bool:
        """Whether replies pass the director."""
        return any(service.forward == "NAT" for service in self.services)

    @property
    def tunnel(self) -> bool:
        """Whether requests come to real servers in IP-in-IP."""
        return any(service.forward == "TUN" for service in self.services)

    def pool(self, service: Service) -> tuple[str, ...]:
        """The real servers of a service, in order; machines are the last."""
        return service.servers or self.all_real_servers

    @property
    def all_real_servers(self) -> tuple[str, ...]:
        """Real servers that are nodes, then those that are machines."""
        return (*self.real_servers, *self._machines("realserver"))

    @property
    def all_directors(self) -> tuple[str, ...]:
        """Directors by rank: those that are nodes, then those that are machines."""
        return (*self.directors, *self._machines("director"))

    def _machines(self, role: str) -> tuple[str, ...]:
        return tuple(machine.name for machine in self.machines if machine.role == role)


class _Reader:
    """Takes keys out of a table and complains about what is left."""

    def __init__(self, source: str, where: str, table: Mapping[str, Any]) -> None:
        self.source, self.where, self.left = source, where, dict(table)

    def wrong(self, key: str, expected: str, value: object) -> LabError:
        return LabError(
            f"{self.source}: {self.where}{key} is wrong", f"{value!r}; expected {expected}"
        )

    def number(self, key: str, default: int, low: int, high: int) -> int:
        value = self.left.pop(key, default)
        if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
            raise self.wrong(key, f"a whole number from {low} to {high}", value)
        return value

    def word(self, key: str, default: str, choices: tuple[str, ...]) -> str:
        value = self.left.pop(key, default)
        if value not in choices:
            raise self.wrong(key, "one of " + ", ".join(choices), value)
        return str(value)

    def name(self, key: str, default: str | None) -> str:
        value = self.left.pop(key, default)
        if not isinstance(value, str) or not _NAME.match(value):
            raise self.wrong(key, "a name of up to 12 letters a-z, digits and -", value)
        return value

    def names(self, key: str, default: tuple[str, ...], prefix: str, high: int) -> tuple[str, ...]:
        value = self.left.pop(key, default)
        if isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= high:
            return tuple(f"{prefix}{number}" for number in range(1, value + 1))
        names = tuple(value) if isinstance(value, list | tuple) else ()
        good = all(isinstance(name, str) and _NAME.match(name) for name in names)
        if not (names or not default) or not good or len(set(names)) != len(names):
            raise self.wrong(key, f"a number from 1 to {high}, or a list of different names", value)
        if len(names) > high:
            raise self.wrong(key, f"at most {high}", value)
        return names

    def several(self, key: str, default: Any, check: Any, expected: str) -> tuple[Any, ...]:
        value = self.left.pop(key, default)
        items = tuple(value) if isinstance(value, list) else (value,)
        if not items or not all(check(item) for item in items):
            raise self.wrong(key, expected, value)
        return items

    def truth(self, key: str, default: bool) -> bool:
        value = self.left.pop(key, default)
        if not isinstance(value, bool):
            raise self.wrong(key, "true or false", value)
        return value

    def some(self, key: str, names: tuple[str, ...]) -> tuple[str, ...]:
        value = self.left.pop(key, False)
        if isinstance(value, bool):
            return names if value else ()
        if not isinstance(value, list) or not all(item in names for item in value):
            raise self.wrong(key, "true, false, or some of " + ", ".join(names), value)
        return tuple(name for name in names if name in value)

    def releases(self, directors: tuple[str, ...]) -> tuple[tuple[str, str], ...]:
        value = self.left.pop("release", {})
        if isinstance(value, str):
            value = dict.fromkeys(directors, value)
        good = isinstance(value, dict) and all(
            name in directors and release in RELEASES for name, release in value.items()
        )
        if not good:
            releases = ", ".join(RELEASES)
            raise self.wrong("release", f"one of {releases}, or a table of directors", value)
        return tuple(value.items())

    def tables(self, key: str) -> list[Mapping[str, Any]]:
        value = self.left.pop(key, None)
        good = isinstance(value, list) and value and all(isinstance(t, dict) for t in value)
        if value is not None and not good:
            raise self.wrong(key, f"[[{key}]] tables", value)
        return value or []

    def done(self, known: str) -> None:
        if self.left:
            key = sorted(self.left)[0]
            raise LabError(
                f"{self.source}: {self.where}{key} is no key of a lab", f"known: {known}"
            )


def read(path: Path) -> Topology:
    """Read a TOML file; LabError names file, key and what was expected."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise LabError(f"cannot read the topology {path}", str(error)) from error
    return parse(text, str(path))


def parse(text: str, source: str = "topology") -> Topology:
    # The standard library has it since 3.11; tomli is the same for 3.10.
    toml = importlib.import_module("tomllib" if sys.version_info >= (3, 11) else "tomli")
    try:
        table = toml.loads(text)
    except toml.TOMLDecodeError as error:
        raise LabError(f"{source} is not TOML", str(error)) from error
    return from_table(table, source)


def from_table(table: Mapping[str, Any], source: str = "topology") -> Topology:
    reader = _Reader(source, "", table)
    default = Topology()
    directors = reader.names("directors", default.directors, "lb", MAX_DIRECTORS)
    real_servers = reader.names("real_servers", default.real_servers, "rs", MAX_REAL_SERVERS)
    ipv6 = reader.truth("ipv6", False)
    bare = reader.some("bare", real_servers)
    machines = tuple(
        _machine(_Reader(source, f"machine {number}: ", item))
        for number, item in enumerate(reader.tables("machine"), 1)
    )
    items = reader.tables("service")
    services = default.services
    topology = Topology(directors, real_servers, services, ipv6, bare, machines)
    topology = replace(topology, releases=reader.releases(topology.all_directors))
    reader.done("directors, real_servers, ipv6, bare, release, [[service]], [[machine]]")
    if items:
        services = tuple(
            _service(_Reader(source, f"service {number}: ", item), topology.all_real_servers)
            for number, item in enumerate(items, 1)
        )
        topology = replace(topology, services=services)
    _check(topology, source)
    return topology


def _machine(reader: _Reader) -> Machine:
    machine = Machine(
        name=reader.name("name", None),
        stack=reader.word("stack", "ifupdown", STACKS),
        memory_mb=reader.number("memory", 256, 192, 4096),
        role=reader.word("role", "realserver", ROLES),
    )
    reader.done("name, role, stack, memory")
    return machine


def _service(reader: _Reader, real_servers: tuple[str, ...]) -> Service:
    protocol = reader.word("protocol", "tcp", PROTOCOLS)
    weight_ok = lambda w: isinstance(w, int) and not isinstance(w, bool) and 0 <= w <= 65535  # noqa: E731
    service = Service(
        name=reader.name("name", None),
        protocol=protocol,
        port=reader.number("port", 53 if protocol == "udp" else 80, 1, 65535),
        fwmark=reader.number("fwmark", 0, 0, 2**31 - 1),
        scheduler=reader.word("scheduler", "wrr", SCHEDULERS),
        forward=reader.word("forward", "DR", METHODS),
        weights=reader.several("weight", 10, weight_ok, "0 to 65535, or a list of such"),
        persistence=reader.number("persistence", 0, 0, 2678400),
        checkers=reader.several(
            "checker",
            "dns" if protocol == "udp" else "tcp",
            lambda c: c in CHECKERS,
            "one of " + ", ".join(CHECKERS) + ", or a list of such",
        ),
        alpha=reader.truth("alpha", True),
        servers=reader.names("servers", (), "rs", MAX_REAL_SERVERS),
        sorry_server=reader.left.pop("sorry_server", ""),
        per_second=float(reader.number("per_second", 10, 0, 500)),
        downloads=reader.number("downloads", 0, 0, 100),
    )
    reader.done(
        "name, protocol, port, fwmark, scheduler, forward, weight, persistence, checker, alpha, "
        "servers, sorry_server, per_second, downloads"
    )
    pool = service.servers or real_servers
    for name in (*service.servers, service.sorry_server):
        if name and name not in real_servers:
            raise reader.wrong("servers", "names of real servers: " + ", ".join(real_servers), name)
    if service.sorry_server and service.sorry_server in pool:
        raise reader.wrong(
            "sorry_server", "a real server that is not in `servers`", service.sorry_server
        )
    return service


def _check(topology: Topology, source: str) -> None:
    names = [*topology.all_directors, *topology.all_real_servers, "client"]
    if len(set(names)) != len(names):
        raise LabError(f"{source}: two nodes have the same name", ", ".join(sorted(names)))
    services = [service.name for service in topology.services]
    if len(set(services)) != len(services):
        raise LabError(f"{source}: two services have the same name", ", ".join(services))
    sockets = [(service.protocol, service.port) for service in topology.services]
    if len(set(sockets)) != len(sockets):
        raise LabError(f"{source}: two services have the same protocol and port")
    methods = {service.forward for service in topology.services}
    if "NAT" in methods and (len(methods) > 1 or topology.ipv6):
        raise LabError(
            f"{source}: NAT cannot be mixed with other methods or IPv6",
            "real servers send all replies through the director then",
            "make a topology of its own for NAT",
        )
    if len(topology.machines) > MAX_MACHINES:
        raise LabError(f"{source}: a lab has at most {MAX_MACHINES} machines")
    if topology.machines and methods != {"DR"}:
        raise LabError(f"{source}: machines are for DR only")
    if len(topology.all_directors) > MAX_DIRECTORS:
        raise LabError(
            f"{source}: a lab has at most {MAX_DIRECTORS} directors",
            ", ".join(topology.all_directors),
        )
    if topology.all_directors != topology.directors and any(s.fwmark for s in topology.services):
        raise LabError(
            f"{source}: a director that is a machine has no firewall marks",
            "what gives packets their mark is set up on nodes only",
        )
    if topology.nat and topology.bare:
        raise LabError(
            f"{source}: with NAT no real server has the VIP, so none can be bare", "", "drop `bare`"
        )
    if "TUN" in methods and topology.ipv6:
        raise LabError(f"{source}: TUN is for IPv4 only in the lab")
