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

INSTANCE = "LB_1"
_NAMED = "letters, digits, dot, dash and underscore"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,39}")
_INTERFACE = re.compile(r"[^\s/{}\"#!$]{1,15}")
_PATH = re.compile(r"/[!#-~]*")


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
class First:
    """All the answers: a VIP with one service."""

    directors: tuple[FirstDirector, FirstDirector]
    """The first one begins as MASTER: it has the higher priority."""
    vip: str
    prefix: int
    """Of the VIP's network."""
    vrid: int
    port: int
    servers: tuple[FirstServer, ...]
    name: str = ""
    """Of the service."""
    protocol: str = "tcp"
    scheduler: str = "wlc"
    persistence_s: int = 0
    """0: none."""
    check: str = "TCP_CHECK"
    path: str = "/"
    """For HTTP_GET and SSL_GET; any answer with status 200 is good."""
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

    def need(ok: object, field: str, why: str) -> bool:
        if not ok:
            found.append(Wrong(field, why))
        return bool(ok)

    vip = _address(first.vip)
    if need(vip, "vip", "an address is expected, without prefix"):
        bits = 32 if address_family(vip) == 4 else 128
        need(1 <= first.prefix <= bits, "prefix", "from 1 to 32 (IPv6: 128)")
    if need(1 <= first.vrid <= 255, "vrid", "from 1 to 255"):
        used = f"{first.vrid} is in use on this network: another pair would take it for its own"
        need(first.vrid not in heard_vrids, "vrid", used)
    for number, director in enumerate(first.directors, 1):
        where = f"director {number}"
        need(_NAME.fullmatch(director.name), f"{where} name", _NAMED)
        known = _INTERFACE.fullmatch(director.interface)
        need(known, f"{where} interface", "the name of an interface is expected")
        own = not first.unicast or _address(director.address)
        need(own, f"{where} address", "unicast adverts need the address of each director")
    one, two = first.directors
    need(one.name != two.name, "director 2 name", "both directors have the same name")
    apart = not one.address or one.address != two.address
    need(apart, "director 2 address", "both directors have the same address")
    _judge_service(first, vip, need)
    return tuple(found)


def _judge_service(first: First, vip: str, need: Callable[[object, str, str], bool]) -> None:
    need(1 <= first.port <= 65535, "service 1 port", "from 1 to 65535")
    need(first.protocol in PROTOCOLS, "service 1 protocol", "tcp, udp or sctp")
    schedulers = sorted(map(bytes.decode, SCHEDULERS))
    known = first.scheduler in schedulers
    need(known, "service 1 scheduler", "one of " + ", ".join(schedulers))
    most = f"seconds from 0 (none) to {MAX_PERSISTENCE}"
    need(0 <= first.persistence_s <= MAX_PERSISTENCE, "service 1 persistence_s", most)
    if need(first.check in CHECKS, "service 1 check", "one of " + ", ".join(CHECKS)):
        need(
            first.protocol != "udp" or first.check != "TCP_CHECK",
            "service 1 check",
            "a UDP service does not answer a TCP connect; choose none, or add a "
            "check of its own later",
        )
    path = _PATH.fullmatch(first.path)
    need(path, "service 1 path", "begins with / and has no blank and no quote")
    need(not first.name or _NAME.fullmatch(first.name), "service 1 name", _NAMED)
    some = "at least one is needed: keepalived drops a service without any"
    need(first.servers, "service 1 servers", some)
    seen: set[str] = set()
    for number, server in enumerate(first.servers, 1):
        where = f"service 1 server {number}"
        address = _address(server.address)
        if not need(address, f"{where} address", "an address is expected"):
            continue
        unfit = _unfit(address, first, vip)
        need(not unfit, f"{where} address", unfit)
        need(address not in seen, f"{where} address", "it is in this service already")
        seen.add(address)
        need(not server.name or _NAME.fullmatch(server.name), f"{where} name", _NAMED)
        weight = 0 <= server.weight <= MAX_SERVER_WEIGHT
        need(weight, f"{where} weight", f"from 0 to {MAX_SERVER_WEIGHT}")
    need(
        not first.servers or any(server.weight for server in first.servers),
        "service 1 servers",
        "all of them have weight 0: nobody would take a connection",
    )


def _unfit(address: str, first: First, vip: str) -> str:
    """Why no real server can have that address; empty when one can."""
    if vip and address_family(address) != address_family(vip):
        return "not of the VIP's family"
    if address == vip:
        return "this is the VIP itself"
    if address in {_address(director.address) for director in first.directors}:
        return "this is a director"
    if vip and 1 <= first.prefix <= 128 and not _on_link(address, vip, first.prefix):
        return "not in the VIP's network: Direct Routing reaches servers on the same link only"
    return ""


def _block(head: str, *lines: str, name: str = "") -> list[str]:
    """A block of keepalived.conf, and the name beside it."""
    inner = [f"    {line}" if line else "" for line in lines]
    return [f"{head} {{" + (f" # {name}" if name else ""), *inner, "}"]


def render(first: First, director: int) -> bytes:
    """keepalived.conf of the director with that index. The answers must not be `wrong`."""
    me, other = first.directors[director], first.directors[1 - director]
    vip = _address(first.vip)
    addresses = [f"{vip}/{first.prefix}"]
    if address_family(vip) == 6:
        # The first address of an IPv6 instance should be link-local (RFC 9568 5.2.9).
        addresses.insert(0, f"fe80::{first.vrid:x}/64")
    sync = [f"lvs_sync_daemon {me.interface} {INSTANCE}"] if first.sync_connections else []
    unicast = []
    if first.unicast:
        peer = _block("unicast_peer", _address(other.address))
        unicast = [f"unicast_src_ip {_address(me.address)}", *peer]
    service = [
        "delay_loop 6",
        f"lb_algo {first.scheduler}",
        "lb_kind DR",
        f"protocol {first.protocol.upper()}",
    ]
    if first.persistence_s:
        service.append(f"persistence_timeout {first.persistence_s}")
    for server in first.servers:
        real = f"real_server {_address(server.address)} {first.port}"
        service += ["", *_block(real, f"weight {server.weight}", *_check(first), name=server.name)]
    lines = [
        f"# {INSTANCE}: {me.name}, with {other.name}",
        *_block(
            "global_defs",
            f"router_id {me.name}",
            "script_user nobody",
            "enable_script_security",
            *sync,
        ),
        "",
        *_block(
            f"vrrp_instance {INSTANCE}",
            "state BACKUP",
            "nopreempt",
            f"interface {me.interface}",
            f"virtual_router_id {first.vrid}",
            f"priority {PRIORITIES[director]}",
            "advert_int 1",
            *unicast,
            *_block("virtual_ipaddress", *addresses),
        ),
        "",
        *_block(f"virtual_server {vip} {first.port}", *service, name=first.name),
    ]
    return ("\n".join(lines) + "\n").encode()


def _check(first: First) -> list[str]:
    if first.check == "none":
        return []
    page = []
    if first.check in ("HTTP_GET", "SSL_GET"):
        path = f'"{first.path}"' if set(first.path) & set("#!{}") else first.path
        page = _block("url", f"path {path}", "status_code 200")
    return _block(first.check, *page, "connect_timeout 3", "retry 2", "delay_before_retry 1")


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
