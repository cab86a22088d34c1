"""keepalived.conf of a lab's director."""

from __future__ import annotations

from lvstui.lab.topology import Service, Topology

CHECK_SCRIPT = "/etc/keepalived/check_service"

CHECK_SCRIPT_TEXT = r"""#!/bin/bash
# check_service tcp|udp ADDRESS PORT: is the service there? UDP: does a DNS question get an answer?
# One process without children: this runs every few seconds.
exec 3<>"/dev/$1/$2/$3" || exit 1
[ "$1" = udp ] || exit 0
printf 'LB\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00\x03lab\x00\x00\x10\x00\x01' >&3
IFS= read -r -t 1 -N 2 -u 3 answer 2>/dev/null
[ "$answer" = LB ]
"""

PRIORITIES = (150, 100, 90)


def render(
    topology: Topology,
    director: int,
    vips: tuple[str, ...],
    gateway: str,
    addresses: dict[str, tuple[str, ...]],
) -> str:
    """The file of the director with that index.

    vips: the IPv4 VIP, then the IPv6 one when there is one.  gateway: for NAT, the inner address
    that moves with the VIP, else "".  addresses: IPv4 (and IPv6) of each real server.
    """
    name = topology.all_directors[director]
    lines = [
        f"# {name}: one of {len(topology.all_directors)} directors",
        "global_defs {",
        f"    router_id {name}",
        "    script_user root",
        "    enable_script_security",
        "    vrrp_notify_fifo /run/keepalived/vrrp.fifo",
        "    lvs_notify_fifo /run/keepalived/lvs.fifo",
        "}",
    ]
    state = "MASTER" if director == 0 else "BACKUP"
    for number, vip in enumerate(vips):
        items = [f"{vip}/{128 if ':' in vip else 24}"]
        if gateway and number == 0:
            items.append(f"{gateway}/24")
        lines += [
            "",
            f"vrrp_instance {'LB_6' if ':' in vip else 'LB_1'} {{",
            f"    state {state}",
            "    interface eth0",
            f"    virtual_router_id {52 if ':' in vip else 51}",
            f"    priority {PRIORITIES[director]}",
            "    advert_int 1",
            "    virtual_ipaddress {",
            *(f"        {item}" for item in items),
            "    }",
            "}",
        ]
    for service in topology.services:
        for number, vip in enumerate(vips):
            lines += ["", *_virtual_server(topology, service, vip, number, addresses)]
    return "\n".join(lines) + "\n"


def _virtual_server(
    topology: Topology,
    service: Service,
    vip: str,
    family: int,
    addresses: dict[str, tuple[str, ...]],
) -> list[str]:
    if service.fwmark:
        lines = [f"virtual_server fwmark {service.fwmark + family} {{ # {service.name}"]
        if family:
            lines.append("    ip_family inet6")
    else:
        lines = [f"virtual_server {vip} {service.port} {{ # {service.name}"]
    lines += [
        f"    delay_loop {1 if len(topology.real_servers) <= 5 else 3}",
        f"    lb_algo {service.scheduler}",
        f"    lb_kind {service.forward}",
    ]
    if service.persistence:
        lines.append(f"    persistence_timeout {service.persistence}")
    if not service.fwmark:
        lines.append(f"    protocol {service.protocol.upper()}")
    # With alpha a full table means checked servers.
    lines += ["    alpha"] if service.alpha else []
    lines.append("    warmup 0")
    if service.sorry_server:
        lines.append(f"    sorry_server {addresses[service.sorry_server][family]} {service.port}")
    for index, server in enumerate(topology.pool(service)):
        address = addresses[server][family]
        port = "" if service.fwmark and service.forward != "NAT" else f" {service.port}"
        lines += [
            "",
            f"    real_server {address}{port} {{ # {server}",
            f"        weight {service.weight(index)}",
            *(f"        {line}" for line in _checker(service, service.checker(index), address)),
            "    }",
        ]
    return [*lines, "}"]


def _checker(service: Service, kind: str, address: str) -> list[str]:
    # A mark has no port of its own, so its checks must name one.
    port = [f"    connect_port {service.port}"] if service.fwmark else []
    # A refused connection is told at once; a busy guest may need seconds to answer, and a check
    # that fails for that would give a drained server its weight back.
    common = ["    connect_timeout 4", "    retry 0"]
    if kind == "none":
        return []
    if kind == "http":
        url = ["    url {", "        path /", "        status_code 200", "    }"]
        return ["HTTP_GET {", *url, *port, *common, "}"]
    if kind == "dns":
        # keepalived takes the delay between retries from delay_loop here.
        return ["DNS_CHECK {", "    type TXT", "    name example.lab", *port, *common, "}"]
    if kind == "misc":
        protocol = "udp" if service.protocol == "udp" else "tcp"
        path = f'"{CHECK_SCRIPT} {protocol} {address} {service.port}"'
        # A process start costs a lot in the guest.
        pace = ["    misc_timeout 5", "    delay_loop 3"]
        return ["MISC_CHECK {", f"    misc_path {path}", *pace, "}"]
    return ["TCP_CHECK {", *port, *common, "}"]
