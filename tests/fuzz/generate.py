"""Configurations as people and their tools write them: every style, then damage."""

from __future__ import annotations

import random
from collections.abc import Callable

KEYWORDS = {
    "global": [
        "router_id lb1",
        "enable_script_security",
        "script_user root",
        "vrrp_strict",
        'notification_email_from "a b@c"',
        "vrrp_version 3",
    ],
    "instance": [
        "state MASTER",
        "state BACKUP",
        "interface eth0",
        "virtual_router_id 51",
        "priority 150",
        "advert_int 1",
        "nopreempt",
        'notify "/bin/x a b" root',
        "@lb1 priority 150",
        "@^lb1 priority 100",
        "advert_int 0.5",
        "version 3",
    ],
    "service": [
        "lb_algo wrr",
        "lb_kind DR",
        "lb_kind NAT",
        "protocol TCP",
        "protocol UDP",
        "delay_loop 5",
        "persistence_timeout 60",
        "quorum 1",
        "alpha",
        "omega",
        "ops",
        "sorry_server 10.0.0.99 80",
        "weight 5",
        'virtualhost "www.a"',
        "ha_suspend",
    ],
    "server": [
        "weight 10",
        "weight 0",
        "weight $W",
        "inhibit_on_failure",
        "uthreshold 5",
        'notify_up "/bin/up 1"',
        "lvs_method NAT",
        'weight "3"',
        "weight 5 6",
    ],
    "check": ["connect_timeout 3", "connect_port 8080", "retry 2", "delay_before_retry 1"],
}
COMMENTS = [
    "# rs1",
    "! web",
    "# { not a brace",
    "# } either",
    "#",
    "# 備註",
    "# auth_pass x",
    "# \\",
    '# "quoted',
    "!!!",
]


class _Style:
    """How one author writes."""

    def __init__(self, chance: random.Random) -> None:
        self.chance = chance
        self.indent = chance.choice(["    ", "\t", "  ", "", "   \t"])
        self.end = chance.choice(["\n", "\n", "\n", "\r\n"])
        self.glued = chance.random() < 0.2
        self.next_line = chance.random() < 0.1
        self.comments = chance.choice([0.0, 0.1, 0.5])
        self.blank = chance.choice([0.0, 0.1, 0.3])
        self.odd = chance.random() < 0.3

    def line(self, text: str, depth: int) -> str:
        chance = self.chance
        comment = f" {chance.choice(COMMENTS)}" if chance.random() < self.comments else ""
        before = self.end if chance.random() < self.blank else ""
        trailing = "  " if self.odd and chance.random() < 0.2 else ""
        return f"{before}{self.indent * depth}{text}{comment}{trailing}{self.end}"

    def block(self, head: str, inside: list[str], depth: int) -> str:
        if self.next_line:
            opened = self.line(head, depth) + self.line("{", depth)
        else:
            opened = self.line(head + ("{" if self.glued else " {"), depth)
        if self.odd and len(inside) == 1 and self.chance.random() < 0.5:
            return self.line(f"{head} {{ {inside[0].strip()} }}", depth)
        return opened + "".join(inside) + self.line("}", depth)


def _some(style: _Style, kind: str, depth: int, most: int = 6) -> list[str]:
    chance = style.chance
    return [style.line(chance.choice(KEYWORDS[kind]), depth) for _ in range(chance.randrange(most))]


def _check(style: _Style, depth: int) -> str:
    chance = style.chance
    kind = chance.choice(
        ["TCP_CHECK", "HTTP_GET", "MISC_CHECK", "DNS_CHECK", "SMTP_CHECK", "X_CHECK"]
    )
    inside = _some(style, "check", depth + 1, 3)
    if kind == "HTTP_GET":
        inside.append(style.block("url", [style.line("path /", depth + 2)], depth + 1))
    if kind == "MISC_CHECK":
        inside.append(style.line("misc_path \"/bin/check --a='b c' 10.0.0.1\"", depth + 1))
    return style.block(kind, inside, depth)


def _server(style: _Style, depth: int) -> str:
    chance = style.chance
    address = chance.choice([f"10.0.0.{chance.randrange(1, 255)}", f"fd00::{chance.randrange(99)}"])
    inside = _some(style, "server", depth + 1, 4)
    inside += [_check(style, depth + 1) for _ in range(chance.randrange(3))]
    return style.block(f"real_server {address} {chance.choice(['80', '8080', ''])}", inside, depth)


def _service(style: _Style) -> str:
    chance = style.chance
    head = chance.choice(
        ["10.0.1.1 80", "fd00::1 80", "fwmark 5", "group G1", "10.0.1.2", "10.0.1.1:80"]
    )
    inside = _some(style, "service", 1)
    inside += [_server(style, 1) for _ in range(chance.randrange(4))]
    if chance.random() < 0.1:
        inside.append(style.line("~SEQ(i,3,5) $POOL", 1))
    return style.block(f"virtual_server {head}", inside, 0)


def _instance(style: _Style) -> str:
    chance = style.chance
    inside = _some(style, "instance", 1)
    vips = [style.line(f"10.0.1.{n}/24 dev eth0", 2) for n in range(chance.randrange(4))]
    inside.append(style.block("virtual_ipaddress", vips, 1))
    if chance.random() < 0.5:
        secret = [style.line("auth_type PASS", 2), style.line('auth_pass "a#b"', 2)]
        inside.append(style.block("authentication", secret, 1))
    return style.block(f"vrrp_instance VI_{chance.randrange(3)}", inside, 0)


_Maker = Callable[[_Style], str]
_PARTS: list[_Maker] = [
    _service,
    _service,
    _instance,
    lambda style: style.block("global_defs", _some(style, "global", 1), 0),
    lambda style: style.block("virtual_server_group G1", [style.line("10.0.1.3-5 80", 1)], 0),
    lambda style: style.line("include conf.d/*.conf", 0),
    lambda style: style.block("vrrp_script chk", [style.line('script "/bin/true"', 1)], 0),
]


def configuration(chance: random.Random) -> bytes:
    """One whole file in one author's style."""
    style = _Style(chance)
    parts = [style.line("! Configuration File for keepalived", 0)] if chance.random() < 0.5 else []
    if chance.random() < 0.2:
        parts += [
            "$W=5" + style.end,
            "$POOL=real_server 10.0.0.$i 80 { \\" + style.end,
            "weight 1 \\" + style.end,
            "}" + style.end,
        ]
    for _ in range(chance.randrange(1, 5)):
        parts.append(chance.choice(_PARTS)(style))
    data = "".join(parts).encode()
    return data if chance.random() < 0.8 else data.rstrip(b"\r\n")


def damaged(data: bytes, chance: random.Random) -> bytes:
    """`data` after some accidents: bytes lost, doubled, exchanged; foreign ones put in."""
    broken = bytearray(data)
    for _ in range(chance.randrange(1, 6)):
        at = chance.randrange(len(broken) + 1)
        kind = chance.randrange(5)
        if kind == 0:
            del broken[at : at + chance.randrange(1, 30)]
        elif kind == 1:
            broken[at:at] = broken[at : at + chance.randrange(1, 60)]
        elif kind == 2:
            broken[at:at] = chance.choice(
                [
                    b"{",
                    b"}",
                    b'"',
                    b"#",
                    b"\\\n",
                    b"\0",
                    b"\xff",
                    b"\xef\xbb\xbf",
                    b"\xc2\xa0",
                    b"$W",
                    b"@lb1 ",
                    b"~SEQ(i,1,3) ",
                    b"\r",
                    b"include x\n",
                    b"x" * 1100,
                ]
            )
        elif kind == 3:
            broken[at : at + 1] = bytes([chance.randrange(256)])
        else:
            del broken[at:]
    return bytes(broken)
