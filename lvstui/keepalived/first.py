"""A first configuration: from a few answers to the files of a pair of directors in Direct Routing.

Both files say the same but for router_id, interface, priority and, with unicast adverts, the
addresses. Both begin as BACKUP with nopreempt: a director that comes back does not take the VIP
from the one that has it, so a failure interrupts clients once and not twice.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable
from dataclasses import dataclass

from lvstui.keepalived.meaning.virtual_servers import MAX_PERSISTENCE, SCHEDULERS
from lvstui.model.keys import address_family, canonical_address

PRIORITIES = (150, 100)
CHECKS = ("TCP_CHECK", "HTTP_GET", "SSL_GET", "none")
PROTOCOLS = ("tcp", "udp", "sctp")
MAX_SERVER_WEIGHT = 65535
NONLOCAL_BIND = "net.ipv4.ip_nonlocal_bind"
"""Lets a proxy or resolver on the BACKUP bind to a VIP that it does not hold yet
(Documentation/networking/ip-sysctl.rst)."""
SYSCTL_FILE = "/etc/sysctl.d/60-lvstui-director.conf"

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,39}")
_INTERFACE = re.compile(r"[^\s/{}\"#!$]{1,15}")
_PATH = re.compile(r"/[!-~]*")


_Say = Callable[[str, str], None]


@dataclass(frozen=True, slots=True)
class FirstDirector:
    """One of the two directors."""

    name: str
    interface: str
    address: str = ""
    """Its own address; needed for unicast adverts only."""


@dataclass(frozen=True, slots=True)
class FirstServer:
    """One real server."""

    address: str
    name: str = ""
    weight: int = 1


@dataclass(frozen=True, slots=True)
class FirstService:
    """One service on the VIP."""

    port: int
    servers: tuple[FirstServer, ...]
    name: str = ""
    protocol: str = "tcp"
    scheduler: str = "wlc"
    persistence_s: int = 0
    """0: none."""
    check: str = "TCP_CHECK"
    path: str = "/"
    """For HTTP_GET and SSL_GET; any answer with status 200 is good."""
    delay_loop_s: int = 6


@dataclass(frozen=True, slots=True)
class First:
    """All the answers."""

    directors: tuple[FirstDirector, FirstDirector]
    """The first one begins as MASTER: it has the higher priority."""
    vip: str
    prefix: int
    """Of the VIP's network."""
    vrid: int
    services: tuple[FirstService, ...]
    instance: str = "LB_1"
    advert_s: int = 1
    unicast: bool = False
    sync_connections: bool = False
    """Both directors know all connections (lvs_sync_daemon): those that run survive a failover."""


@dataclass(frozen=True, slots=True)
class Wrong:
    """An answer that cannot be used."""

    field: str
    """`vip`, `vrid`, `director 2 interface`, `service 1 server 3 address` …"""
    why: str


def wrong(first: First, heard_vrids: frozenset[int] = frozenset()) -> tuple[Wrong, ...]:
    """What is not right in the answers; empty when files can be made.

    heard_vrids: those that others use on the wire.
    """
    found: list[Wrong] = []

    def say(field: str, why: str) -> None:
        found.append(Wrong(field, why))

    vip = _address(first.vip)
    if not vip:
        say("vip", "an address is expected, without prefix")
    elif not 1 <= first.prefix <= (32 if address_family(vip) == 4 else 128):
        say("prefix", "from 1 to 32 (IPv6: 128)")
    if not 1 <= first.vrid <= 255:
        say("vrid", "from 1 to 255")
    elif first.vrid in heard_vrids:
        say(
            "vrid",
            f"{first.vrid} is in use on this network: another pair would take it for its own",
        )
    if not _NAME.fullmatch(first.instance):
        say("instance", "letters, digits, dot, dash and underscore")
    if not 1 <= first.advert_s <= 255:
        say("advert_s", "whole seconds from 1 to 255")
    _wrong_directors(first, say)
    seen: set[tuple[str, int]] = set()
    for number, service in enumerate(first.services, 1):
        if (service.protocol, service.port) in seen:
            say(f"service {number} port", "there is a service of that protocol and port already")
        seen.add((service.protocol, service.port))
        _wrong_service(first, service, f"service {number}", vip, say)
    if not first.services:
        say("services", "at least one is needed")
    return tuple(found)


def _wrong_directors(first: First, say: _Say) -> None:
    for number, director in enumerate(first.directors, 1):
        if not _NAME.fullmatch(director.name):
            say(f"director {number} name", "letters, digits, dot, dash and underscore")
        if not _INTERFACE.fullmatch(director.interface):
            say(f"director {number} interface", "the name of an interface is expected")
        if first.unicast and not _address(director.address):
            say(f"director {number} address", "unicast adverts need the address of each director")
    one, two = first.directors
    if one.name == two.name:
        say("director 2 name", "both directors have the same name")
    if one.address and one.address == two.address:
        say("director 2 address", "both directors have the same address")


def _wrong_service(first: First, service: FirstService, where: str, vip: str, say: _Say) -> None:
    if not 1 <= service.port <= 65535:
        say(f"{where} port", "from 1 to 65535")
    if service.protocol not in PROTOCOLS:
        say(f"{where} protocol", "tcp, udp or sctp")
    if service.scheduler.encode() not in SCHEDULERS:
        say(f"{where} scheduler", "one of " + ", ".join(sorted(map(bytes.decode, SCHEDULERS))))
    if not 0 <= service.persistence_s <= MAX_PERSISTENCE:
        say(f"{where} persistence_s", f"seconds from 0 (none) to {MAX_PERSISTENCE}")
    if service.check not in CHECKS:
        say(f"{where} check", "one of " + ", ".join(CHECKS))
    elif service.protocol == "udp" and service.check == "TCP_CHECK":
        say(
            f"{where} check",
            "a UDP service does not answer a TCP connect; choose none, or add a "
            "check of its own later",
        )
    if not _PATH.fullmatch(service.path) or '"' in service.path:
        say(f"{where} path", "begins with / and has no blank and no quote")
    if service.name and not _NAME.fullmatch(service.name):
        say(f"{where} name", "letters, digits, dot, dash and underscore")
    if not 1 <= service.delay_loop_s <= 3600:
        say(f"{where} delay_loop_s", "seconds from 1 to 3600")
    if not service.servers:
        say(f"{where} servers", "at least one is needed: keepalived drops a service without any")
    directors = {_address(director.address) for director in first.directors} - {""}
    addresses: set[str] = set()
    for number, server in enumerate(service.servers, 1):
        field = f"{where} server {number}"
        address = _address(server.address)
        if not address:
            say(f"{field} address", "an address is expected")
            continue
        if vip and address_family(address) != address_family(vip):
            say(f"{field} address", "not of the VIP's family")
        elif address == vip:
            say(f"{field} address", "this is the VIP itself")
        elif address in directors:
            say(f"{field} address", "this is a director")
        elif vip and 1 <= first.prefix <= 128 and not _on_link(address, vip, first.prefix):
            say(
                f"{field} address",
                "not in the VIP's network: Direct Routing reaches servers on the same link only",
            )
        if address in addresses:
            say(f"{field} address", "it is in this service already")
        addresses.add(address)
        if server.name and not _NAME.fullmatch(server.name):
            say(f"{field} name", "letters, digits, dot, dash and underscore")
        if not 0 <= server.weight <= MAX_SERVER_WEIGHT:
            say(f"{field} weight", f"from 0 to {MAX_SERVER_WEIGHT}")
    if service.servers and not any(server.weight for server in service.servers):
        say(f"{where} servers", "all of them have weight 0: nobody would take a connection")


def render(first: First, director: int) -> bytes:
    """keepalived.conf of the director with that index. The answers must not be `wrong`."""
    me, other = first.directors[director], first.directors[1 - director]
    vip = _address(first.vip)
    six = address_family(vip) == 6
    lines = [
        f"# {first.instance}: {me.name}, with {other.name}",
        "global_defs {",
        f"    router_id {me.name}",
        "    script_user nobody",
        "    enable_script_security",
    ]
    if first.sync_connections:
        lines.append(f"    lvs_sync_daemon {me.interface} {first.instance}")
    lines += [
        "}",
        "",
        f"vrrp_instance {first.instance} {{",
        "    state BACKUP",
        "    nopreempt",
        f"    interface {me.interface}",
        f"    virtual_router_id {first.vrid}",
        f"    priority {PRIORITIES[director]}",
        f"    advert_int {first.advert_s}",
    ]
    if first.unicast:
        lines += [
            f"    unicast_src_ip {_address(me.address)}",
            "    unicast_peer {",
            f"        {_address(other.address)}",
            "    }",
        ]
    lines.append("    virtual_ipaddress {")
    if six:
        # The first address of an IPv6 instance should be link-local (RFC 9568 5.2.9).
        lines.append(f"        fe80::{first.vrid:x}/64")
    lines += [f"        {vip}/{first.prefix}", "    }", "}"]
    for service in first.services:
        lines += ["", *_service(service, vip)]
    return ("\n".join(lines) + "\n").encode()


def _service(service: FirstService, vip: str) -> list[str]:
    name = f" # {service.name}" if service.name else ""
    lines = [
        f"virtual_server {vip} {service.port} {{{name}",
        f"    delay_loop {service.delay_loop_s}",
        f"    lb_algo {service.scheduler}",
        "    lb_kind DR",
        f"    protocol {service.protocol.upper()}",
    ]
    if service.persistence_s:
        lines.append(f"    persistence_timeout {service.persistence_s}")
    for server in service.servers:
        label = f" # {server.name}" if server.name else ""
        lines += [
            "",
            f"    real_server {_address(server.address)} {service.port} {{{label}",
            f"        weight {server.weight}",
            *_check(service),
            "    }",
        ]
    return [*lines, "}"]


def _check(service: FirstService) -> list[str]:
    if service.check == "none":
        return []
    inside = []
    if service.check in ("HTTP_GET", "SSL_GET"):
        path = service.path
        if set(path) & set("#!{}"):
            path = f'"{path}"'
        inside = ["url {", f"    path {path}", "    status_code 200", "}"]
    inside += ["connect_timeout 3", "retry 2", "delay_before_retry 1"]
    return [f"        {service.check} {{", *(f"            {line}" for line in inside), "        }"]


def sysctl_file() -> bytes:
    """What `SYSCTL_FILE` holds, for both directors."""
    return f"# written by lvstui\n{NONLOCAL_BIND} = 1\n".encode()


def free_vrid(heard: frozenset[int]) -> int:
    """A VRID that nobody was heard using, 51 when it is free; 0 when all are taken."""
    wanted = [51, *range(52, 256), *range(1, 51)]
    return next((vrid for vrid in wanted if vrid not in heard), 0)


def _address(text: str) -> str:
    """The canonical address; empty when it is none."""
    try:
        return canonical_address(text) if "[" not in text else ""
    except ValueError:
        return ""


def _on_link(address: str, vip: str, prefix: int) -> bool:
    try:
        network = ipaddress.ip_network(f"{vip}/{prefix}", strict=False)
    except ValueError:
        return True
    return ipaddress.ip_address(address) in network
