"""Random sites: what a lab and a keepalived.conf can be, as data that can be made smaller.

The text of keepalived.conf is rendered here and not by the lab, whose own are all alike.
"""

from __future__ import annotations

import random
from dataclasses import MISSING, dataclass, fields, replace

from lvstui.lab import cluster
from lvstui.lab.topology import Service, Topology

DYNAMIC = "/etc/keepalived/dynamic"
DYNAMIC_TEXT = """#!/bin/bash
# dynamic ADDRESS: ends with the number that stands in a file, 0 without one
code=0
[ -r "/etc/keepalived/code-$1" ] && read -r code < "/etc/keepalived/code-$1"
exit "$code"
"""
"""A check with misc_dynamic: 0 is a success, 1 a failure, 2 and more a weight plus two."""
TRACKED = "/etc/keepalived/number"
SECOND_VIP = "10.10.0.21"
CHECK_TIMEOUT_S = 2
PRIORITIES = (150, 100, 90)
BACKWARDS = (110, 160, 120)
"""Of an instance whose master is lb2."""


@dataclass(frozen=True, slots=True)
class Member:
    """A real server of a pool."""

    node: str
    weight: int = 10
    checks: tuple[str, ...] = ("tcp",)
    """tcp, http, misc, dns, udp, dynamic; empty: nobody checks it."""
    inhibit: bool = False
    upper: int = 0


@dataclass(frozen=True, slots=True)
class Pool:
    """A virtual service, on all VIPs of the site."""

    name: str
    members: tuple[Member, ...]
    protocol: str = "tcp"
    port: int = 80
    fwmark: int = 0
    scheduler: str = "wrr"
    forward: str = "DR"
    persistence: int = 0
    alpha: bool = True
    retry: int = 0
    quorum: int = 1
    hysteresis: int = 0
    sorry: str = ""
    grouped: bool = False
    ops: bool = False


@dataclass(frozen=True, slots=True)
class Site:
    """A cluster and what every director's file says; edits of a file make another one."""

    directors: int
    real_servers: int
    pools: tuple[Pool, ...]
    ipv6: bool = False
    second: bool = False
    """Another instance, whose master is the second director."""
    synced: bool = False
    unicast: bool = False
    nopreempt: bool = False
    tracked: bool = False
    """A file whose number is added to the priorities."""
    fifos: bool = True
    version: int = 2
    delay: int = 1
    """delay_loop."""
    instance: str = "LB"
    """How the names of instances begin."""
    priority: int = 0
    """Added to each priority."""

    @property
    def director_names(self) -> tuple[str, ...]:
        return tuple(f"lb{number}" for number in range(1, self.directors + 1))

    @property
    def server_names(self) -> tuple[str, ...]:
        return tuple(f"rs{number}" for number in range(1, self.real_servers + 1))

    @property
    def nat(self) -> bool:
        return any(pool.forward == "NAT" for pool in self.pools)

    def topology(self) -> Topology:
        """The lab that serves it."""
        return Topology(
            directors=self.director_names,
            real_servers=self.server_names,
            services=tuple(map(_service, self.pools)),
            ipv6=self.ipv6,
        )

    def addresses(self, node: str) -> tuple[str, ...]:
        """IPv4, then IPv6 when there is one."""
        return cluster.addresses(self.topology())[node]

    def vips(self) -> tuple[str, ...]:
        """Of the instances whose master is the first director."""
        return cluster.vips(self.topology())

    def settles_in_s(self) -> float:
        """Seconds by which every check has spoken of something that has just happened."""
        retry = max(pool.retry for pool in self.pools)
        return 2.0 + self.delay + (retry + 1) * CHECK_TIMEOUT_S + retry

    def __str__(self) -> str:
        return told(self)


def told(part: Site | Pool | Member) -> str:
    """What is out of the ordinary in it."""
    words = []
    for one in fields(part):
        value = getattr(part, one.name)
        if one.name in ("pools", "members"):
            words.append("[" + "; ".join(map(told, value)) + "]")
        elif one.default is MISSING or value != one.default:
            words.append(f"{one.name}={value}" if one.name not in ("name", "node") else value)
    return " ".join(words)


def _service(pool: Pool) -> Service:
    return Service(
        name=pool.name,
        protocol=pool.protocol,
        port=pool.port,
        fwmark=pool.fwmark,
        scheduler=pool.scheduler,
        forward=pool.forward,
        weights=tuple(member.weight for member in pool.members),
        persistence=pool.persistence,
        checkers=("tcp",),
        alpha=pool.alpha,
        servers=tuple(member.node for member in pool.members),
        sorry_server=pool.sorry,
        per_second=8.0,
    )


def random_site(chance: random.Random) -> Site:
    """What the directors' files say at first, the same on each."""
    real_servers = chance.randint(2, 4)
    way = chance.choices(("DR", "TUN", "NAT"), (7, 1, 1.5))[0]
    ipv6 = way == "DR" and chance.random() < 0.3
    names = tuple(f"rs{number}" for number in range(1, real_servers + 1))
    count = chance.choices((1, 2, 3), (3, 5, 2))[0]
    pools = tuple(_random_pool(chance, number, names, way) for number in range(count))
    directors = chance.choices((1, 2, 3), (1, 7, 1))[0]
    second = way == "DR" and directors > 1 and chance.random() < 0.4
    if second and not pools[0].fwmark and chance.random() < 0.5:
        pools = (replace(pools[0], grouped=True), *pools[1:])
    synced = (second or ipv6) and chance.random() < 0.4
    return Site(
        directors=directors,
        real_servers=real_servers,
        pools=pools,
        ipv6=ipv6,
        second=second,
        synced=synced,
        unicast=directors > 1 and not ipv6 and chance.random() < 0.25,
        nopreempt=chance.random() < 0.2,
        # In a sync group a number other than 0 is a fault.
        tracked=not synced and chance.random() < 0.2,
        fifos=chance.random() < 0.6,
        version=3 if chance.random() < 0.25 else 2,
        delay=chance.choice((1, 1, 2)),
    )


def _random_pool(chance: random.Random, number: int, names: tuple[str, ...], way: str) -> Pool:
    udp = number == 1 and chance.random() < 0.6
    sorry = names[-1] if len(names) > 2 and not udp and chance.random() < 0.3 else ""
    kinds = ("dns", "udp", "misc") if udp else ("tcp", "http", "misc", "dynamic")
    members = []
    for name in names:
        if name != sorry:
            checks = tuple(chance.sample(kinds, chance.choices((0, 1, 2), (1, 7, 1))[0]))
            weight = chance.choice((1, 10, 10, 10, 100))
            members.append(Member(name, weight, checks, chance.random() < 0.15))
    if len(members) > 1 and chance.random() < 0.12:
        members[-1] = replace(members[-1], weight=0)
    total = sum(member.weight for member in members)
    quorum = chance.randint(1, total) if chance.random() < 0.25 else 1
    name = ("web", "dns", "shop")[number] if not (number == 1 and not udp) else "api"
    return Pool(
        name=name,
        members=tuple(members),
        protocol="udp" if udp else "tcp",
        port=53 if udp else (80, 8080, 443)[number],
        fwmark=7 + 10 * number if way != "NAT" and chance.random() < 0.15 else 0,
        scheduler=chance.choice(("rr", "wrr", "lc", "wlc", "sh", "mh", "sed", "nq")),
        forward="DR" if way == "TUN" and chance.random() < 0.4 else way,
        persistence=chance.choice((0, 0, 0, 50)),
        alpha=chance.random() < 0.5,
        retry=chance.choice((0, 0, 1)),
        quorum=quorum,
        hysteresis=chance.randint(0, quorum - 1) if quorum > 1 else 0,
        sorry=sorry,
        ops=udp and chance.random() < 0.1,
    )


# keepalived.conf


def render(site: Site, director: int) -> str:
    """keepalived.conf of the director with that index."""
    lines = ["global_defs {", f"    router_id lb{director + 1}", "    script_user root"]
    lines += ["    enable_script_security"]
    if site.fifos:
        lines += ["    vrrp_notify_fifo /run/keepalived/vrrp.fifo"]
        lines += ["    lvs_notify_fifo /run/keepalived/lvs.fifo"]
    if site.version == 3:
        lines += ["    vrrp_version 3"]
    lines += ["}", ""]
    if site.tracked:
        lines += ["vrrp_track_file number {", f"    file {TRACKED}", "}", ""]
    for instance in instances(site, director):
        lines += instance.lines(site, director)
    if site.synced:
        names = [f"        {instance.name}" for instance in instances(site, director)]
        lines += ["vrrp_sync_group ALL {", "    group {", *names, "    }", "}", ""]
    for pool in site.pools:
        lines += _pool_lines(site, pool)
    return "\n".join(lines) + "\n"


@dataclass(frozen=True, slots=True)
class Instance:
    """A vrrp_instance as a director's file has it."""

    name: str
    vrid: int
    vips: tuple[str, ...]
    priority: int

    def lines(self, site: Site, director: int) -> list[str]:
        """As text."""
        first = self.priority in (PRIORITIES[0] + site.priority, BACKWARDS[1] + site.priority)
        state = "MASTER" if first and not site.nopreempt else "BACKUP"
        lines = [f"vrrp_instance {self.name} {{", f"    state {state}", "    interface eth0"]
        lines += [f"    virtual_router_id {self.vrid}", f"    priority {self.priority}"]
        lines += ["    advert_int 1"]
        if site.nopreempt:
            lines += ["    nopreempt"]
        if site.tracked:
            lines += ["    track_file {", "        number weight 1", "    }"]
        if site.unicast:
            own = site.addresses(f"lb{director + 1}")[0]
            others = [site.addresses(n)[0] for n in site.director_names if n != f"lb{director + 1}"]
            peers = [f"        {address}" for address in others]
            lines += [f"    unicast_src_ip {own}", "    unicast_peer {", *peers, "    }"]
        vips = [f"        {vip}/{128 if ':' in vip else 24}" for vip in self.vips]
        if site.nat:
            vips.append(f"        {cluster.NET}.1/24")
        return [*lines, "    virtual_ipaddress {", *vips, "    }", "}", ""]


def instances(site: Site, director: int) -> list[Instance]:
    """What vrrp_instances the director's file has; VIPs without the inner address of NAT."""
    found = []
    for number, vip in enumerate(site.vips()):
        priority = PRIORITIES[director] + site.priority
        found.append(Instance(f"{site.instance}_{number + 1}", 51 + number, (vip,), priority))
    if site.second:
        priority = (PRIORITIES if site.synced else BACKWARDS)[director] + site.priority
        found.append(Instance(f"{site.instance}_S", 61, (SECOND_VIP,), priority))
    return found


def services(site: Site, pool: Pool) -> list[tuple[str, int]]:
    """The pool's virtual services as lvstui calls them, and the family (0: IPv4, 1: IPv6)."""
    if pool.fwmark:
        words = ("", " ipv6")
        families = range(len(site.vips()))
        return [(f"fwmark {pool.fwmark + family}{words[family]}", family) for family in families]
    found = [(_at(vip, pool.port), family) for family, vip in enumerate(site.vips())]
    if pool.grouped and site.second:
        found.append((_at(SECOND_VIP, pool.port), 0))
    return [(f"{pool.protocol} {socket}", family) for socket, family in found]


def _at(address: str, port: int) -> str:
    if not port:
        return address
    return f"[{address}]:{port}" if ":" in address else f"{address}:{port}"


def socket_of(site: Site, pool: Pool, node: str, family: int) -> str:
    """ADDR:PORT of a real server as lvstui calls it; of a mark it is the address alone."""
    return _at(site.addresses(node)[family], 0 if pool.fwmark else pool.port)


def _pool_lines(site: Site, pool: Pool) -> list[str]:
    lines: list[str] = []
    for family, vip in enumerate(site.vips()):
        if pool.fwmark:
            head = [f"virtual_server fwmark {pool.fwmark + family} {{ # {pool.name}"]
            head += ["    ip_family inet6"] if family else []
        elif pool.grouped and site.second and not family:
            group = f"G_{pool.name}"
            members = [f"    {vip} {pool.port}", f"    {SECOND_VIP} {pool.port}"]
            lines += [f"virtual_server_group {group} {{", *members, "}", ""]
            head = [f"virtual_server group {group} {{ # {pool.name}"]
        else:
            head = [f"virtual_server {vip} {pool.port} {{ # {pool.name}"]
        lines += [*head, *_options(site, pool, family)]
        for member in pool.members:
            lines += _member_lines(site, pool, member, family)
        lines += ["}", ""]
    return lines


def _options(site: Site, pool: Pool, family: int) -> list[str]:
    words = [f"delay_loop {site.delay}", f"lb_algo {pool.scheduler}", f"lb_kind {pool.forward}"]
    if not pool.fwmark:
        words.append(f"protocol {pool.protocol.upper()}")
    if pool.persistence:
        words.append(f"persistence_timeout {pool.persistence}")
    if pool.alpha:
        words.append("alpha")
    if pool.ops:
        words.append("ops")
    if pool.quorum > 1:
        words.append(f"quorum {pool.quorum}")
    if pool.hysteresis:
        words.append(f"hysteresis {pool.hysteresis}")
    words.append("warmup 0")
    if pool.sorry:
        words.append(f"sorry_server {site.addresses(pool.sorry)[family]} {pool.port}")
    return [f"    {word}" for word in words]


def _member_lines(site: Site, pool: Pool, member: Member, family: int) -> list[str]:
    address = site.addresses(member.node)[family]
    port = "" if pool.fwmark else f" {pool.port}"
    lines = [
        f"    real_server {address}{port} {{ # {member.node}",
        f"        weight {member.weight}",
    ]
    if member.inhibit:
        lines.append("        inhibit_on_failure")
    if member.upper:
        lines.append(f"        uthreshold {member.upper}")
    for kind in member.checks:
        lines += [f"        {line}" for line in _check(pool, kind, address)]
    return [*lines, "    }"]


def _check(pool: Pool, kind: str, address: str) -> list[str]:
    to = [f"    connect_port {pool.port}"] if pool.fwmark else []
    to += [f"    connect_timeout {CHECK_TIMEOUT_S}", f"    retry {pool.retry}"]
    pace = [*to, "    delay_before_retry 1"]
    if kind == "http":
        return [
            "HTTP_GET {",
            "    url {",
            "        path /",
            "        status_code 200",
            "    }",
            *pace,
            "}",
        ]
    if kind == "dns":
        return ["DNS_CHECK {", "    type TXT", "    name example.lab", *to, "}"]
    if kind == "udp":
        return ["UDP_CHECK {", *pace, "}"]
    if kind == "misc":
        path = f"/etc/keepalived/check_service {pool.protocol} {address} {pool.port}"
        return ["MISC_CHECK {", f'    misc_path "{path}"', "    misc_timeout 3", "}"]
    if kind == "dynamic":
        script = f'    misc_path "{DYNAMIC} {address}"'
        return ["MISC_CHECK {", script, "    misc_timeout 3", "    misc_dynamic", "}"]
    return ["TCP_CHECK {", *pace, "}"]
