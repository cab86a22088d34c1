"""What keepalived says that it has loaded, and what we say, in one form that can be compared.

keepalived.data and keepalived_check.data (SIGUSR1, 2.2.7) are no stable format; only lines that
are compared are read.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from lvstui.keepalived.meaning.effective import Effective, Section
from lvstui.keepalived.meaning.view import view
from lvstui.keepalived.text.tree import Tree
from lvstui.model.config import ConfiguredInstance, ConfiguredService
from lvstui.model.ipvs import FORWARDING
from lvstui.model.keys import ServerKey, ServiceKey, canonical_address, join_port

Facts = dict[str, Any]

_GARP = {
    "Gratuitous ARP delay": "garp_master_delay",
    "Gratuitous ARP repeat": "garp_master_repeat",
    "Gratuitous ARP refresh": "garp_master_refresh",
    "Gratuitous ARP refresh repeat": "garp_master_refresh_repeat",
    "Gratuitous ARP lower priority delay": "garp_lower_prio_delay",
    "Gratuitous ARP lower priority repeat": "garp_lower_prio_repeat",
    "Down timer adverts": "down_timer_adverts",
}


def _seconds(text: str) -> float:
    return round(float(text.split()[0]), 3)


def _where(text: str) -> str:
    """`[10.0.0.3]:tcp:80` to `10.0.0.3:80`."""
    match = re.match(r"\[([^\]]*)\](?::[a-z]+)?:(\d+)", text)
    return join_port(canonical_address(match[1]), int(match[2])) if match else text


# Services


def dumped_services(text: str) -> list[Facts]:
    """Virtual servers with their real servers and checks."""
    servers, _, checks = text.partition("------< Health checkers >------")
    found: list[Facts] = []
    now: Facts = {}
    real: Facts = {}
    sorry = False
    for line in servers.splitlines():
        name, _, value = line.strip().partition(" = ")
        if line.startswith(" ------< Virtual server >------"):
            now, real, sorry = {"servers": [], "persistence": None, "sorry": None}, {}, False
            found.append(now)
        elif not now:
            continue
        elif name == "VS GROUP":
            now["id"] = "group " + value.partition("]")[0][1:]
        elif name == "VS FWMARK":
            now["id"] = f"fwmark {value}"
        elif name == "VS VIP":
            address, _, port = value.partition(", VPORT = ")
            now["id"] = join_port(canonical_address(address), int(port))
        elif name == "RIP":
            match = re.match(r"(\S+), RPORT = (\d+)", value)
            assert match
            real = {"server": join_port(canonical_address(match[1]), int(match[2])), "checks": []}
            now["servers"].append(real)
        elif real:
            _real(real, name, value)
        elif line.startswith("   sorry server"):
            now["sorry"], sorry = _where(value), True
        elif name.endswith("forwarding method"):
            now["sorry_forwarding" if sorry else "forwarding"] = value.split()[0].rstrip(",")
        else:
            _virtual(now, name, value)
    _checks(found, checks)
    return found


def _real(real: Facts, name: str, value: str) -> None:
    if name == "forwarding method":
        real["forwarding"] = value.split()[0].rstrip(",")
    elif name == "connection limit range":
        low, _, high = value.partition(" -> ")
        real["thresholds"] = (int(low), int(high))
    elif name.startswith("Inhibit on failure is"):
        real["inhibit"] = name.endswith("ON")
    elif name == "initial weight":
        real["weight"] = int(value)
    elif name.startswith("Alpha is"):
        real["alpha"] = name.endswith("ON")


def _virtual(now: Facts, name: str, value: str) -> None:
    if name == "lvs_sched":
        now["scheduler"] = value
    elif name == "protocol":
        now["protocol"] = value.lower()
    elif name == "persistence timeout":
        now["persistence"] = int(value)
    elif name == "persistence granularity":
        now["granularity"] = value
    elif name == "quorum":
        quorum, _, hysteresis = value.partition(", hysteresis = ")
        now["quorum"], now["hysteresis"] = int(quorum), int(hysteresis)
    elif name.startswith(("alpha is", "omega is")):
        now[name[:5]] = name.endswith("ON")
    elif name == "One packet scheduling":
        now["one_packet"] = value.startswith("enabled")
    elif name == "Using HA suspend":
        now["ha_suspend"] = True


def _checks(services: list[Facts], text: str) -> None:
    """Puts each check to its real server; checks stand in the order of the file."""
    made: list[tuple[str, str, Facts]] = []
    facts: Facts = {}
    for line in text.splitlines():
        if line.startswith("------<"):
            break
        match = re.match(r" (\S.*) -> (\S.*)$", line)
        if match:
            facts = {}
            made.append((match[1], match[2], facts))
            continue
        name, _, value = line.strip().partition(" = ")
        if name == "Keepalive method":
            facts["kind"] = value.split()[0].rstrip(",")
        elif name in ("Delay loop", "Warmup"):
            facts[name] = int(value.split()[0]) / 1e6
        elif name == "Delay before retry":
            # Told when there is a retry.
            facts["before_retry"] = int(value.split()[0]) / 1e6
        elif name == "Retries":
            facts["retry"] = int(value)
        elif name == "Alpha":
            facts["alpha"] = value == "yes"
        elif name == "Dest" and "dest" not in facts:
            facts["dest"] = _where(value)
        elif name == "Timeout" and "timeout" not in facts:
            facts["timeout"] = _seconds(value)
    for virtual, server, facts in made:
        if facts.get("kind") not in ("TCP_CHECK", "HTTP_GET", "SSL_GET", "UDP_CHECK"):
            facts.pop("dest", None)
        for service in services:
            if _same(service["id"], virtual):
                for real in service["servers"]:
                    if real["server"] == _where(server) and facts not in real["checks"]:
                        real["checks"].append(facts)


def _same(identity: str, text: str) -> bool:
    if text.startswith("FWM"):
        return identity == f"fwmark {text.split()[1]}"
    match = re.match(r"\[([^\]]*)\]:(\d+)$", text)
    if match and identity.startswith("group "):
        return identity == f"group {match[1]}"
    return identity == _where(text)


def our_services(tree: Tree) -> list[Facts]:
    """The same of our own view; all members of a group are one."""
    found: list[Facts] = []
    groups: set[object] = set()
    sections = list(Effective(tree).services())
    for service, section in zip(view(tree).services, sections, strict=True):
        if service.group:
            if (service.group, service.place) in groups:
                continue
            groups.add((service.group, service.place))
        found.append(_service(service, section))
    return found


def _service(service: ConfiguredService, section: Section) -> Facts:
    key = service.key
    identity = join_port(key.address, key.port) if key.address else f"fwmark {key.fwmark}"
    facts: Facts = {
        "id": f"group {service.group}" if service.group else identity,
        "scheduler": service.scheduler,
        "forwarding": service.forwarding,
        "protocol": "none" if key.protocol == "fwmark" else key.protocol,
        "persistence": service.persistence_s,
        "quorum": service.quorum,
        "hysteresis": service.hysteresis,
        "alpha": service.alpha,
        "omega": service.omega,
        "one_packet": service.one_packet,
        "sorry": str(service.sorry_server) if service.sorry_server else None,
        "servers": [],
    }
    if service.sorry_server:
        facts["sorry_forwarding"] = service.sorry_forwarding
    if service.ha_suspend:
        facts["ha_suspend"] = True
    if service.persistence_granularity:
        facts["granularity"] = service.persistence_granularity
    for server, inner in zip(service.servers, section.sections, strict=True):
        facts["servers"].append(
            {
                "server": join_port(server.key.address, server.key.port),
                "forwarding": server.forwarding,
                "weight": server.weight,
                "inhibit": server.inhibit_on_failure,
                "thresholds": (server.lower_threshold, server.upper_threshold),
                "alpha": server.alpha,
                "checks": [
                    _check(check, server.key.address, server.key.port) for check in inner.sections
                ],
            }
        )
    return facts


def _check(section: Section, address: str, port: int) -> Facts:
    known = {value.keyword: value.value for value in section.values}
    facts: Facts = {"kind": section.title}
    target = str(known["target"])
    if section.title in ("TCP_CHECK", "HTTP_GET", "SSL_GET", "UDP_CHECK"):
        # `connect A:P`, `UDP A:P`, and `GET PATH at A:P` where it is not the server's own.
        if target.endswith(" port 0"):
            bare = target.removesuffix(" port 0").split()
            target = " ".join((*bare[:-1], join_port(bare[-1], 0)))
        given = target.split()[-1] if not target.startswith("GET") or " at " in target else ""
        facts["dest"] = given or join_port(address, port)
    for keyword, name in (
        ("delay_loop", "Delay loop"),
        ("warmup", "Warmup"),
        ("retry", "retry"),
        ("delay_before_retry", "before_retry"),
        ("connect_timeout", "timeout"),
        ("alpha", "alpha"),
    ):
        if keyword in known:
            facts[name] = known[keyword]
    if not facts.get("retry"):
        facts.pop("before_retry", None)
    return facts


# Instances


def dumped_instances(text: str) -> list[Facts]:
    """VRRP instances."""
    topology = text.partition("------< VRRP Topology >------")[2]
    topology = re.split(r"^------<", topology, flags=re.MULTILINE)[0]
    found: list[Facts] = []
    now: Facts = {}
    into: list[str] | None = None
    for line in topology.splitlines():
        name, _, value = line.strip().partition(" = ")
        if name == "VRRP Instance":
            now = {
                "name": value,
                "vips": [],
                "excluded": [],
                "peers": [],
                "scripts": [],
                "strict": False,
                "skip": False,
                "group": "",
                "preempt_delay": 0.0,
                "auth": "",
            }
            found.append(now)
            into = None
        elif line.startswith("     ") and into is not None:
            into.append(line.strip())
        elif re.match(r"   Virtual IP \(", line):
            into = now["vips"]
        elif line.startswith("   Virtual IP Excluded"):
            into = now["excluded"]
        elif line.startswith("   Unicast Peer"):
            into = now["peers"]
        elif line.startswith("   Tracked scripts"):
            into = now["scripts"]
        else:
            into = None
            _instance(now, name, value)
    for instance in found:
        instance["vips"] = list(map(_vip, instance["vips"]))
        instance["excluded"] = list(map(_vip, instance["excluded"]))
        instance["peers"] = [canonical_address(peer.split()[0]) for peer in instance["peers"]]
        instance["scripts"] = [line.split()[0].rstrip(",") for line in instance["scripts"]]
    return found


def _instance(now: Facts, name: str, value: str) -> None:
    plain = {"VRRP Version": "version", "Virtual Router ID": "vrid", "Priority": "priority"}
    if name in plain:
        now[plain[name]] = int(value)
    elif name in _GARP:
        now[_GARP[name]] = float(value)
    elif name == "Wantstate":
        now["state"] = value
    elif name == "Sync group":
        now["group"] = value
    elif name == "Interface":
        now.setdefault("interface", value.partition(",")[0])
    elif name == "Configured interface":
        now["interface"] = value
    elif name == "Advert interval":
        number, unit = value.split()
        now["advert"] = int(number) / (1000 if unit.startswith("milli") else 1)
    elif name == "Preempt":
        now["nopreempt"] = value == "disabled"
    elif name == "Preempt delay":
        now["preempt_delay"] = _seconds(value)
    elif name == "Skip checking advert IP addresses":
        now["skip"] = True
    elif name == "Enforcing strict VRRP compliance":
        now["strict"] = True
    elif name == "Authentication type":
        kinds = {"SIMPLE_PASSWORD": "PASS", "IPSEC_AH": "AH", "none": ""}
        now["auth"] = kinds.get(value, value)


def _vip(text: str) -> tuple[str, int, str]:
    words = text.split()
    address, _, prefix = words[0].partition("/")
    canonical = canonical_address(address)
    device = words[words.index("dev") + 1] if "dev" in words else ""
    return canonical, int(prefix or (128 if ":" in canonical else 32)), device.partition("@")[0]


def our_instances(tree: Tree) -> list[Facts]:
    """The same of our own view."""
    sections = list(Effective(tree).instances())
    return [
        _our_instance(instance, section)
        for instance, section in zip(view(tree).instances, sections, strict=True)
    ]


def _our_instance(instance: ConfiguredInstance, section: Section) -> Facts:
    def vips(excluded: bool) -> list[tuple[str, int, str]]:
        return [
            (vip.address, vip.prefix, vip.device)
            for vip in instance.addresses
            if vip.excluded is excluded
        ]

    return {
        "name": instance.name,
        "version": instance.version,
        "group": instance.sync_group,
        "state": instance.state,
        "interface": instance.interface,
        "vrid": instance.vrid,
        "priority": instance.priority,
        "advert": instance.advert_interval_s,
        "nopreempt": instance.nopreempt,
        "preempt_delay": instance.preempt_delay_s,
        "skip": instance.skip_check_adv_addr,
        "strict": instance.strict,
        "auth": instance.auth_type,
        "vips": vips(False),
        "excluded": vips(True),
        "peers": list(instance.unicast_peers),
        "scripts": list(instance.track_scripts),
        **{name: float(section.value(name).value or 0) for name in _GARP.values()},
    }


# Both


def differences(dumped: list[Facts], ours: list[Facts], name: str) -> Iterator[str]:
    """Every fact that only one side has; `name` is the key of a fact's name."""
    for number in range(max(len(dumped), len(ours))):
        if number >= len(ours):
            yield f"only keepalived: {dumped[number][name]}"
        elif number >= len(dumped):
            yield f"only we: {ours[number][name]}"
        else:
            yield from _differing(dumped[number], ours[number], str(ours[number][name]))


def _differing(dumped: Facts, ours: Facts, where: str) -> Iterator[str]:
    for key in dict.fromkeys((*ours, *dumped)):
        theirs, own = dumped.get(key, "absent"), ours.get(key, "absent")
        if key in ("servers", "checks") and isinstance(theirs, list) and isinstance(own, list):
            inner = "server" if key == "servers" else "kind"
            for one in differences(theirs, own, inner):
                yield f"{where} / {one}"
        elif key == "alpha" and ours.get("checks"):
            # Ours is that of the checks, which alone hold a server down.
            continue
        elif theirs != own:
            yield f"{where}: {key}: keepalived {theirs!r}, we {own!r}"


def our_table(tree: Tree) -> tuple[set[str], set[str]]:
    """Services and servers that the kernel has to have, and those that it may have: servers with
    a check that may have failed, or that start as down, and sorry servers."""
    must: set[str] = set()
    may: set[str] = set()
    for service in view(tree).services:
        must.add(str(service.key))
        for server in service.servers:
            # The kernel refuses a lower threshold over the upper one.
            refused = server.lower_threshold > server.upper_threshold
            into = may if server.checkers or server.alpha or service.alpha or refused else must
            into.add(f"{service.key} {server.key} {server.forwarding}")
        if service.sorry_server:
            may.add(f"{service.key} {service.sorry_server} {service.sorry_forwarding}")
    return must, may


def kernel_table(text: str) -> set[str]:
    """The same of `ipvsadm -Ln`, which asks by netlink: /proc/net/ip_vs leaves services out when
    it is longer than a page and other namespaces have some. A server of this very host is LOCAL
    there, whatever the file says."""
    found: set[str] = set()
    service = ""
    for line in text.splitlines()[3:]:
        words = line.split()
        if words[0] == "->":
            found.add(f"{service} {ServerKey.parse(words[1])} {FORWARDING[words[2]]}")
            continue
        if words[0] == "FWM":
            key = ServiceKey.mark(int(words[1]), 6 if words[2] == "IPv6" else 4)
        else:
            key = ServiceKey.parse(f"{words[0].lower()} {words[1]}")
        service = str(key)
        found.add(service)
    return found


def table_differences(kernel: set[str], tree: Tree) -> Iterator[str]:
    """What the kernel lacks, and what it has beside."""
    must, may = our_table(tree)
    local = {line.removesuffix(" LOCAL") for line in kernel if line.endswith(" LOCAL")}
    for line in sorted(must - kernel):
        if line.rpartition(" ")[0] not in local:
            yield f"kernel lacks {line}"
    known = must | may
    for line in sorted(kernel - known):
        bare = line.removesuffix(" LOCAL")
        if bare == line or not any(one.startswith(f"{bare} ") for one in known):
            yield f"kernel has {line}"


def folder_of(root: Path) -> Path:
    """Where the documentation's samples lie below the root of the package layer."""
    return root / "usr/share/doc/keepalived/samples"
