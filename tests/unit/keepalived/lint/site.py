"""A sound site of two directors, and how lint judges a change of it."""

from __future__ import annotations

from lvstui.keepalived.lint.context import Peer
from lvstui.keepalived.lint.rules import lint
from lvstui.keepalived.lint.surroundings import InterfaceSeen, Script, Surroundings
from lvstui.keepalived.meaning.view import view
from lvstui.keepalived.text.parser import parse_bytes
from lvstui.model.finding import Finding, FindingSeverity

LETHAL, ERROR, WARNING, NOTE = FindingSeverity
MAIN = "/etc/keepalived/keepalived.conf"

HOST = Surroundings(
    links=(
        InterfaceSeen("lo", (("127.0.0.1", 8),), "loopback"),
        InterfaceSeen("eth0", (("10.10.0.1", 24),)),
        InterfaceSeen("eth1", (("192.168.7.1", 24),)),
    ),
    version="2.2.7",
    scripts={
        "/usr/local/bin/check": Script.GOOD,
        "/usr/local/bin/gone": Script.MISSING,
        "/usr/local/bin/plain": Script.NOT_EXECUTABLE,
        "/home/joe/run": Script.UNSAFE,
    },
    users=frozenset(("root", "keepalived_script")),
)

SOUND = """\
! Configuration File for keepalived
global_defs {
    router_id LB1
    script_user root
    enable_script_security
    vrrp_notify_fifo /run/keepalived.fifo
}

vrrp_script chk_proxy {
    script "/usr/local/bin/check --all"
    interval 2
    weight -60
}

vrrp_instance LB_1 {
    state BACKUP
    interface eth0
    virtual_router_id 51
    priority 150
    advert_int 1
    authentication {
        auth_type PASS
        auth_pass "s#cret!"
    }
    track_script {
        chk_proxy
    }
    track_interface {
        eth1 weight -20
    }
    virtual_ipaddress {
        10.10.0.20/24 dev eth0 label eth0:vip    # web
        10.10.0.21/24
    }
    notify_master "/usr/local/bin/check 'now master'" root
}

virtual_server 10.10.0.20 80 {    # web
    delay_loop 5
    lb_algo wrr
    lb_kind DR
    protocol TCP
    quorum 1
    real_server 10.10.0.3 80 {
        weight 10
        HTTP_GET {
            url {
                path /health
                status_code 200
            }
            connect_timeout 3
        }
    }
    real_server 10.10.0.4 80 {
        weight 10
        TCP_CHECK { connect_timeout 3 }
    }
}

virtual_server 10.10.0.21 53 {
    lb_algo rr
    lb_kind DR
    protocol UDP
    real_server 10.10.0.3 53 {
        UDP_CHECK {
        }
    }
}
"""


def judge(
    text: str, host: Surroundings | None = HOST, other: str | None = None, their: str = "2.2.7"
) -> tuple[Finding, ...]:
    tree = parse_bytes(text.encode(), MAIN, "lb1")
    peer = None
    if other is not None:
        beyond = parse_bytes(other.encode(), MAIN, "lb2")
        peer = Peer("lb2", beyond, view(beyond), Surroundings(version=their))
    return lint(tree, view(tree), host, peer)


def told(found: tuple[Finding, ...], rule: str) -> Finding:
    """The one finding of that rule."""
    (finding,) = [finding for finding in found if finding.rule == rule]
    return finding


def changed(old: str, new: str) -> str:
    assert SOUND.count(old) >= 1
    return SOUND.replace(old, new, 1)
