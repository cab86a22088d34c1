"""From a topology to the plan that the agent in the guest carries out."""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Mapping, Sequence
from typing import Any

from lvstui.lab import conf
from lvstui.lab.packages import Layer
from lvstui.lab.surroundings import COVERS, PACKAGE_PARENT, binds, environment
from lvstui.lab.topology import Topology

Files = dict[str, tuple[int, str]]
"""Path: mode and text."""

NET = "10.10.0"
OUTSIDE = "10.20.0"
NET6 = "fd00:10:10:"
CLIENT = 10
VIP = 20


def numbers(topology: Topology) -> dict[str, int]:
    """The last part of each node's address."""
    result = {"client": CLIENT}
    for index, name in enumerate(topology.directors):
        result[name] = (2, 6, 7)[index]
    for index, name in enumerate(topology.real_servers):
        result[name] = 3 + index if index < 3 else 100 + index
    for index, machine in enumerate(topology.machines):
        result[machine.name] = 51 + index
    return result


def vips(topology: Topology) -> tuple[str, ...]:
    """The VIPs: IPv4, then IPv6 if the cluster has it."""
    four = f"{OUTSIDE if topology.nat else NET}.{VIP}"
    return (four, f"{NET6}:{VIP}") if topology.ipv6 else (four,)


def addresses(topology: Topology) -> dict[str, tuple[str, ...]]:
    """Each node's addresses on the LAN: IPv4, then IPv6 if the cluster has it."""
    result: dict[str, tuple[str, ...]] = {}
    for name, number in numbers(topology).items():
        net = OUTSIDE if topology.nat and name == "client" else NET
        result[name] = (f"{net}.{number}", f"{NET6}:{number}")[: 2 if topology.ipv6 else 1]
    return result


def with_prefix(topology: Topology, name: str) -> list[str]:
    """A node's addresses on the LAN with their prefix length."""
    return [f"{address}/{64 if ':' in address else 24}" for address in addresses(topology)[name]]


def plan(
    topology: Topology,
    name: str,
    layer: Layer,
    keys: dict[str, tuple[str, str]],
    outer: Mapping[str, str],
) -> dict[str, Any]:
    """The agent's plan as JSON-able data.

    keys: (private, public) SSH host key of each node and, under "", the key of all roots.
    """
    home = os.path.normpath(os.path.expanduser("~"))
    covers = COVERS
    if not any((home + "/").startswith(folder + "/") for folder, _ in COVERS) and home != "/":
        covers = (*COVERS, (home, 0o700))
    env = environment(outer)
    env.setdefault("LANG", "C.UTF-8")
    nodes = [
        {
            **_node(topology, node, role, keys),
            "release": str(layer.releases.get(dict(topology.releases).get(node, ""), "")),
        }
        for role, names in (
            ("director", topology.directors),
            ("realserver", topology.real_servers),
            ("client", ("client",)),
        )
        for node in names
    ]
    return {
        "name": name,
        "layer": "" if layer.folder is None else str(layer.folder),
        "modules": str(layer.kernel.modules),
        "more_modules": _modules(topology),
        "covers": [list(item) for item in covers],
        "binds": binds(covers, home),
        "env": env,
        "ipv6": topology.ipv6,
        "ssh_after": 0.8,
        "nodes": nodes,
        "machines": [
            {"name": one.name, "role": one.role, "address": addresses(topology)[one.name][0]}
            for one in topology.machines
        ],
    }


def _modules(topology: Topology) -> list[str]:
    result = ["ipip"] if topology.tunnel else []
    if topology.nat:
        result += ["nf_nat", "iptable_nat"]
    if any(service.protocol == "sctp" for service in topology.services):
        result.append("sctp")
    return result


def _node(
    topology: Topology, name: str, role: str, keys: dict[str, tuple[str, str]]
) -> dict[str, Any]:
    number = numbers(topology)[name]
    lan = with_prefix(topology, name)
    gateways: list[str] = []
    if topology.nat and role == "director":
        lan.append(f"{OUTSIDE}.{number}/24")
    if topology.nat and role == "realserver":
        gateways.append(f"{NET}.1")
    all_vips: list[str] = []
    if role == "realserver" and not topology.nat:
        all_vips = [f"{vip}/{128 if ':' in vip else 32}" for vip in vips(topology)]
    loopback = [] if name in topology.bare else all_vips
    sysctls = sysctls_of(topology, role, name in topology.bare)
    return {
        "name": name,
        "role": role,
        "addresses": lan,
        "gateways": gateways,
        "loopback": loopback,
        # What a bare server may get from somebody else; faults act on these.
        "all_vips": all_vips,
        "loopback_link": "tunl0" if topology.tunnel and role == "realserver" else "lo",
        "sysctls": sysctls,
        "files": {
            **network_files(lan, loopback, [s for s in sysctls if "arp" in s[0]]),
            **common_files(topology, name, keys),
            **lvstui_files(),
            **(director_files(topology, name) if role == "director" else {}),
        },
        "services": services_of(topology, name) if role == "realserver" else [],
        "targets": _targets(topology) if role == "client" else [],
        "setup": _setup(topology) if role == "director" else [],
        **(watched(topology) if role == "director" else {}),
    }


def sysctls_of(topology: Topology, role: str, bare: bool = False) -> list[tuple[str, str]]:
    """Path below /proc/sys and value of what a node of that role has set."""
    result = [(f"net/ipv6/conf/{link}/accept_dad", "0") for link in ("all", "eth0")]
    if role == "realserver" and not topology.nat:
        for link in () if bare else ("all", "eth0"):
            result += [
                (f"net/ipv4/conf/{link}/arp_ignore", "1"),
                (f"net/ipv4/conf/{link}/arp_announce", "2"),
            ]
        if topology.tunnel:
            result += [(f"net/ipv4/conf/{link}/rp_filter", "0") for link in ("all", "tunl0")]
    if role == "director" and not topology.nat:
        # In direct routing the last state that a director sees is FIN_WAIT. With the kernel's
        # default (1) a client that takes a source port again goes back to a drained real server.
        result.append(("net/ipv4/vs/conn_reuse_mode", "2"))
    if role == "director" and topology.nat:
        result.append(("net/ipv4/ip_forward", "1"))
        result += [(f"net/ipv4/conf/{link}/send_redirects", "0") for link in ("all", "eth0")]
    return result


def services_of(topology: Topology, node: str) -> list[dict[str, Any]]:
    """The services that a real server has to offer."""
    return [
        {"name": service.name, "protocol": service.protocol, "port": service.port}
        for service in topology.services
        if node in topology.pool(service) or node == service.sorry_server
    ]


def _targets(topology: Topology) -> list[dict[str, Any]]:
    return [
        {
            "name": service.name + ("6" if ":" in vip else ""),
            "protocol": service.protocol,
            "address": vip,
            "port": service.port,
            "per_second": service.per_second,
            "downloads": service.downloads,
        }
        for service in topology.services
        for vip in vips(topology)
    ]


def _setup(topology: Topology) -> list[str]:
    """Shell commands on a director before keepalived starts: what gives packets their marks.

    By tc, because the guest's kernel has nftables for bridges and devices only.
    """
    numbers_of = {"tcp": 6, "udp": 17, "sctp": 132}
    lines = []
    for number, vip in enumerate(vips(topology)):
        protocol, ip, size = ("ipv6", "ip6", 128) if number else ("ip", "ip", 32)
        lines += [
            f"filter add dev eth0 parent ffff: protocol {protocol} u32 match {ip} dst {vip}/{size} "
            f"match {ip} protocol {numbers_of[service.protocol]} 0xff "
            f"match {ip} dport {service.port} 0xffff action skbedit mark {service.fwmark + number}"
            for service in topology.services
            if service.fwmark
        ]
    if not lines:
        return []
    script = "\n".join(["qdisc add dev eth0 ingress", *lines])
    return [f"tc -batch - <<'END'\n{script}\nEND"]


def watched(topology: Topology) -> dict[str, Any]:
    """What a director must have when all is well: "vips", and "expect", its kernel's table, keyed
    as director.read_table does."""
    table: dict[str, dict[str, int]] = {}
    lan = addresses(topology)
    for service in topology.services:
        for family, vip in enumerate(vips(topology)):
            key = f"{service.protocol.upper()} {_socket(vip, service.port)}"
            if service.fwmark:
                key = f"FWM {service.fwmark + family}"
            port = 0 if service.fwmark and service.forward != "NAT" else service.port
            table[key] = {
                _socket(lan[server][family], port): service.weight(index)
                for index, server in enumerate(topology.pool(service))
            }
    return {"vips": list(vips(topology)), "expect": table}


def _socket(address: str, port: int) -> str:
    return f"[{address}]:{port}" if ":" in address else f"{address}:{port}"


def network_files(
    addresses: Sequence[str], loopback: Sequence[str], sysctls: Sequence[tuple[str, str]]
) -> Files:
    """The network configuration that nodes have on disk, as a Debian without systemd has it.

    Nothing reads it when a node starts (the node sets its addresses itself); it is there for
    programs that ask how this host would come up again, and for `ifup` and `ifdown`.

    addresses: of eth0, with prefix; loopback: VIPs with prefix, none on a bare host; sysctls: path
    below /proc/sys and value.
    """
    lines = ["auto eth0"]
    for address in addresses:
        lines += [f"iface eth0 {_inet(address)} static", f"    address {address}"]
    result = {
        "/etc/network/interfaces": (0o644, _INTERFACES),
        "/etc/network/interfaces.d/eth0": (0o644, "\n".join(lines) + "\n"),
        "/etc/rcS.d/S10networking": (0o755, "#!/bin/sh\n# the lab sets its addresses itself\n"),
        "/run/network/ifstate": (0o644, "lo=lo\neth0=eth0\n"),
    }
    if loopback:
        lines = []
        for number, vip in enumerate(loopback):
            lines += [f"auto lo:{number}", f"iface lo:{number} {_inet(vip)} static"]
            lines += [f"    address {vip}", ""]
        result["/etc/network/interfaces.d/vip"] = (0o644, "\n".join(lines))
        text = "".join(f"{path.replace('/', '.')} = {value}\n" for path, value in sysctls)
        result["/etc/sysctl.d/99-zz-vip.conf"] = (0o644, text)
    return result


def _inet(address: str) -> str:
    return "inet6" if ":" in address else "inet"


def common_files(topology: Topology, name: str, keys: dict[str, tuple[str, str]]) -> Files:
    """Files of every host of the lab: names, SSH."""
    lan = addresses(topology)
    hosts = ["127.0.0.1 localhost", "::1 localhost ip6-localhost"]
    for node, items in lan.items():
        hosts += [f"{address} {node}" for address in items]
    hosts += [f"{vip} vip" for vip in vips(topology)]
    known = "".join(f"{','.join((node, *items))} {keys[node][1]}\n" for node, items in lan.items())
    root_key = keys[""]
    return {
        "/etc/hostname": (0o644, name + "\n"),
        "/etc/hosts": (0o644, "\n".join(hosts) + "\n"),
        "/etc/resolv.conf": (0o644, "# the lab has no name server of its own\n"),
        "/etc/nsswitch.conf": (0o644, "passwd: files\ngroup: files\nshadow: files\nhosts: files\n"),
        "/etc/ssh/ssh_host_ed25519_key": (0o600, keys[name][0]),
        "/etc/ssh/ssh_host_ed25519_key.pub": (0o644, keys[name][1] + "\n"),
        "/etc/ssh/ssh_known_hosts": (0o644, known),
        "/etc/ssh/ssh_config": (0o644, "Host *\n    GSSAPIAuthentication no\n"),
        "/etc/ssh/sshd_config": (0o644, _SSHD),
        "/etc/pam.d/sshd": (0o644, "auth required pam_deny.so\naccount required pam_permit.so\n"),
        "/root/.ssh/authorized_keys": (0o600, root_key[1] + "\n"),
        "/root/.ssh/id_ed25519": (0o600, root_key[0]),
        "/root/.ssh/id_ed25519.pub": (0o644, root_key[1] + "\n"),
        "/root/.bashrc": (0o644, "PS1='\\u@\\h:\\w\\$ '\n"),
    }


def director_files(topology: Topology, name: str) -> Files:
    """What a director has besides: keepalived's configuration."""
    number = topology.all_directors.index(name)
    gateway = f"{NET}.1" if topology.nat else ""
    text = conf.render(topology, number, vips(topology), gateway, addresses(topology))
    return {
        "/etc/keepalived/keepalived.conf": (0o644, text),
        conf.CHECK_SCRIPT: (0o755, conf.CHECK_SCRIPT_TEXT),
        "/run/keepalived/README": (0o644, "fifos of keepalived's events\n"),
    }


def lvstui_files() -> Files:
    """`lvstui` for the shells: the one that started the lab, installed or a checkout."""
    path, python = shlex.quote(str(PACKAGE_PARENT)), shlex.quote(sys.executable)
    text = (
        f"#!/bin/sh\nPYTHONDONTWRITEBYTECODE=1 PYTHONPATH={path}${{PYTHONPATH:+:$PYTHONPATH}} "
        f'exec {python} -m lvstui "$@"\n'
    )
    return {"/usr/local/bin/lvstui": (0o755, text)}


_INTERFACES = """\
source /etc/network/interfaces.d/*

auto lo
iface lo inet loopback
"""

_SSHD = """\
PermitRootLogin prohibit-password
PasswordAuthentication no
KbdInteractiveAuthentication no
HostKey /etc/ssh/ssh_host_ed25519_key
AuthorizedKeysFile .ssh/authorized_keys
UsePAM no
UseDNS no
Subsystem sftp internal-sftp
"""
