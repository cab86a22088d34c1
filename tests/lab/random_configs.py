"""Random configurations, legal or not line by line, that keepalived 2.2.7 loads as a whole."""

from __future__ import annotations

import random

GLOBALS = (
    "",
    "global_defs {\n vrrp_version 3\n}\n",
    "global_defs {\n vrrp_strict\n}\n",
    "global_defs {\n vrrp_garp_master_delay 2\n vrrp_garp_master_repeat 9\n"
    " vrrp_down_timer_adverts 4\n vrrp_skip_check_adv_addr\n}\n",
    "global_defs {\n vrrp_garp_lower_prio_delay 3\n vrrp_version 5\n}\n",
)

_LINES = (
    "state MASTER",
    "state BACKUP",
    "state FOO",
    "priority 0",
    "priority 255",
    "priority 99",
    "priority 300",
    "priority abc",
    "nopreempt",
    "preempt",
    "preempt_delay 3",
    "preempt_delay 0",
    "preempt_delay 5000",
    "strict_mode",
    "strict_mode on",
    "strict_mode off",
    "strict_mode foo",
    "version 2",
    "version 3",
    "version 4",
    "advert_int 0.3",
    "advert_int 1.5",
    "advert_int 2",
    "advert_int 0",
    "advert_int 300",
    "advert_int 0.005",
    "advert_int 41",
    "skip_check_adv_addr",
    "skip_check_adv_addr off",
    "garp_master_delay 0",
    "garp_master_delay 7",
    "garp_master_repeat 0",
    "garp_master_repeat 3",
    "garp_master_refresh 11",
    "garp_master_refresh_repeat 0",
    "garp_lower_prio_delay 2",
    "garp_lower_prio_repeat 4",
    "down_timer_adverts 5",
    "down_timer_adverts 1",
    "down_timer_adverts 500",
    "dont_track_primary",
    "accept",
    "no_accept",
)


def instances(seed: int, count: int = 60) -> str:
    """global_defs and that many vrrp_instances; each has an address of its family, for VRRP 3
    without any ends the daemon."""
    chance = random.Random(seed)
    return chance.choice(GLOBALS) + "".join(_instance(chance, n) for n in range(1, count + 1))


def _instance(chance: random.Random, number: int) -> str:
    four = number % 2 == 1
    only = ["unicast_src_ip 10.0.0.1", "mcast_src_ip 10.0.0.1"] if four else ["native_ipv6"]
    lines = [f"virtual_router_id {number}", chance.choice(["interface eth0", "interface eth1"])]
    lines += chance.sample([*_LINES, *only], chance.randint(1, 9))
    if chance.random() < 0.4:
        kind = chance.choice(["auth_type PASS", "auth_type AH", "auth_type FOO", ""])
        lines += ["authentication {", kind, chance.choice(["auth_pass abc", ""]), "}"]
    own = f"10.0.{number}.9/24" if four else f"fe80::{number}:9"
    more = [
        f"10.0.{number}.1/24",
        f"10.0.{number}.2",
        f"10.0.{number}.3/33",
        f"10.0.{number}.4/0 dev eth2",
        f"fd00::{number}:1/64",
        f"fe80::{number}:1",
        f"10.0.{number}.400",
        f"10.0.{number}.6/24 label eth0:x scope link",
        f"fd00::{number}:2/129",
    ]
    lines += ["virtual_ipaddress {", own, *chance.sample(more, chance.randint(1, 3)), "}"]
    if chance.random() < 0.3:
        lines += ["virtual_ipaddress_excluded {", *chance.sample(more, chance.randint(1, 2)), "}"]
    if chance.random() < 0.2:
        peer = "10.0.0.77" if four else "fe80::77"
        lines += ["unicast_peer {", peer, chance.choice(["10.0.0.78", "fd00::1", "foo"]), "}"]
    body = "\n  ".join(line for line in lines if line)
    return f"vrrp_instance I{number} {{\n  {body}\n}}\n"


_VIRTUAL = (
    "lb_algo rr",
    "lb_algo sh",
    "lb_algo foo",
    "lvs_sched wrr",
    "lb_kind NAT",
    "lb_kind DR",
    "lb_kind TUN",
    "lb_kind dr",
    "protocol TCP",
    "protocol udp",
    "protocol foo",
    "ops",
    "hashed",
    "persistence_timeout",
    "persistence_timeout 77",
    "persistence_timeout 0",
    "persistence_granularity 255.255.255.0",
    "persistence_granularity 400",
    "quorum 2",
    "quorum 0",
    "quorum 99",
    "hysteresis 1",
    "hysteresis 5",
    "hysteresis x",
    "alpha",
    "omega",
    "weight 3",
    "weight 0",
    "inhibit_on_failure",
    "delay_loop 7",
    "delay_loop 1.5",
    "delay_loop 0",
    "connect_timeout 2",
    "connect_timeout x",
    "retry 4",
    "retry 0",
    "delay_before_retry 2",
    "warmup 3",
    "warmup 0",
    "ha_suspend",
    "sorry_server 192.168.210.99 80",
    "sorry_server 192.168.210.98",
    "sorry_server fd00::99 80",
    "sorry_server nope 80",
    "sorry_server_inhibit",
    "sorry_server_lvs_method TUN",
    "ip_family inet",
    "ip_family inet6",
)
_REAL = (
    "weight 2",
    "weight 0",
    "weight -1",
    "weight 70000",
    "weight x",
    "lvs_method DR",
    "lvs_method NAT",
    "lvs_method TUN",
    "lvs_method foo",
    "inhibit_on_failure",
    "inhibit_on_failure no",
    "inhibit_on_failure foo",
    "alpha",
    "alpha no",
    "alpha foo",
    "uthreshold 9",
    "lthreshold 4",
    "uthreshold x",
    "delay_loop 9",
    "connect_timeout 1",
    "retry 3",
    "warmup 2",
    "delay_before_retry 6",
)
_CHECK = (
    "connect_timeout 4",
    "connect_timeout 0",
    "retry 2",
    "retry 0",
    "retry x",
    "delay_before_retry 5",
    "delay_loop 8",
    "delay_loop 0",
    "warmup 1",
    "alpha",
    "alpha no",
    "connect_port 99",
    "connect_port 0",
    "connect_port x",
    "connect_ip 192.168.210.50",
    "connect_ip nope",
)


def services(seed: int, count: int = 40) -> str:
    """That many virtual_servers with odd pools and checks."""
    chance = random.Random(seed)
    return "".join(_service(chance, number) for number in range(1, count + 1))


def _service(chance: random.Random, number: int) -> str:
    header = chance.choice(
        [
            f"192.168.202.{number} 80",
            f"192.168.202.{number} 80",
            f"fwmark {number}",
            f"192.168.202.{number}",
            f"fd00::{number} 80",
        ]
    )
    lines = chance.sample(_VIRTUAL, chance.randint(2, 12))
    for server in range(chance.randint(1, 3)):
        lines.insert(chance.randint(0, len(lines)), _server(chance, server, ":" in header))
    body = "\n  ".join(lines)
    return f"virtual_server {header} {{\n  {body}\n}}\n"


def _server(chance: random.Random, number: int, six: bool) -> str:
    address = f"fd00::a{number}" if six else f"192.168.210.{number + 10}"
    if chance.random() < 0.1:
        # Without checks: keepalived skips it and leaves them to the server before.
        other = f"192.168.210.7{number}" if six else f"fd00::7{number}"
        return f"real_server {other} 80 {{\n    weight 2\n    }}"
    port = chance.choice([" 80", " 80", " 8080", "", " 0", " 99999"])
    lines = chance.sample(_REAL, chance.randint(0, 6))
    for kind in chance.sample(["TCP_CHECK", "HTTP_GET", "MISC_CHECK", "UDP_CHECK"], 2):
        if chance.random() < 0.5:
            own = chance.sample(_CHECK, chance.randint(0, 5))
            if kind == "MISC_CHECK":
                own = [line for line in own if not line.startswith("connect")]
                own.append("misc_path /bin/true")
            if kind == "HTTP_GET":
                own += ["url {", "path /", "status_code 200", "}"]
            lines.insert(chance.randint(0, len(lines)), "\n    ".join([f"{kind} {{", *own, "}"]))
    return "\n    ".join([f"real_server {address}{port} {{", *lines, "}"])
