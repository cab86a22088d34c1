"""What a change of one director's file does to the pair."""

from __future__ import annotations

from dataclasses import replace

import pytest

from lvstui.keepalived.meaning.view import view
from lvstui.keepalived.text.parser import parse_bytes
from lvstui.model.finding import FindingSeverity
from lvstui.operations.configuration_rules import (
    Side,
    authentication,
    master_down_s,
    nat_findings,
    refusals,
    typed,
    version_of,
)

BASE = b"""\
global_defs {
    router_id lb
}
vrrp_instance LB_1 {
    interface eth0
    virtual_router_id 51
    priority 150
    advert_int 1
    authentication {
        auth_type PASS
        auth_pass hunter22
    }
    virtual_ipaddress {
        10.10.0.20/24
    }
}
virtual_server 10.10.0.20 80 {
    lb_algo wrr
    lb_kind DR
    protocol TCP
    real_server 10.10.0.3 80 {
        weight 10
    }
    real_server 10.10.0.4 80 {
        weight 10
    }
}
"""
MORE = BASE.replace(b"10.10.0.20/24\n", b"10.10.0.20/24\n        10.10.0.21/24\n")
EXCLUDED = BASE.replace(
    b"    }\n}\nvirtual_server",
    b"    }\n    virtual_ipaddress_excluded {\n        10.10.0.21/24\n    }\n}\nvirtual_server",
)
SKIP = b"    router_id lb\n    vrrp_skip_check_adv_addr\n"


def side(
    before: bytes,
    after: bytes | None = None,
    host: str = "lb1",
    version: str = "2.2.7",
    running: bool = True,
) -> Side:
    old = parse_bytes(before, path="/etc/keepalived/keepalived.conf", config_id=host)
    new = parse_bytes(
        before if after is None else after, path="/etc/keepalived/keepalived.conf", config_id=host
    )
    return Side(
        host, version, running, view(old), view(new), authentication(old), authentication(new)
    )


def test_a_list_of_vips_changes_on_both_or_not_at_all() -> None:
    (why,) = refusals([side(BASE, MORE), side(BASE, host="lb2")])
    for way in (
        "both directors in one go",
        "virtual_ipaddress_excluded",
        "vrrp_skip_check_adv_addr",
    ):
        assert way in why
    assert "2 VIPs" in why
    assert refusals([side(BASE, MORE), side(BASE, MORE, host="lb2")]) == ()


@pytest.mark.parametrize("version", ["2.3.3", "2.4.3", "2.10.0"])
def test_newer_versions_only_log_a_list_that_differs(version: str) -> None:
    both = [side(BASE, MORE, version=version), side(BASE, host="lb2", version=version)]
    assert refusals(both) == ()
    # The older one of a pair decides.
    both[1] = replace(both[1], version="2.3.2")
    assert refusals(both)
    both[1] = replace(both[1], version="")
    assert refusals(both)


def test_an_excluded_address_is_in_no_advert() -> None:
    assert refusals([side(BASE, EXCLUDED), side(BASE, host="lb2")]) == ()


def test_skip_check_must_be_in_force_before() -> None:
    skip, both = (
        BASE.replace(b"    router_id lb\n", SKIP),
        MORE.replace(b"    router_id lb\n", SKIP),
    )
    assert refusals([side(skip, both), side(skip, host="lb2")]) == ()
    assert refusals([side(BASE, both), side(skip, host="lb2")])


def test_making_the_lists_equal_again_is_allowed() -> None:
    assert refusals([side(BASE, MORE), side(MORE, host="lb2")]) == ()


def test_a_director_that_does_not_run_hears_nothing() -> None:
    assert refusals([side(BASE, MORE), side(BASE, host="lb2", running=False)]) == ()
    assert refusals([side(BASE, MORE, running=False), side(BASE, host="lb2")]) == ()


def test_one_director_alone_must_be_said_to_be_alone() -> None:
    assert refusals([side(BASE, MORE)])
    assert refusals([side(BASE, MORE)], alone=True) == ()


@pytest.mark.parametrize(
    ("old", "new", "word"),
    [
        (b"advert_int 1", b"advert_int 2", "advert_int"),
        (b"virtual_router_id 51", b"virtual_router_id 52", "virtual_router_id"),
        (b"advert_int 1", b"advert_int 1\n    version 3", "vrrp_version"),
        (b"auth_pass hunter22", b"auth_pass hunter23", "authentication"),
    ],
    ids=["interval", "router id", "version", "password"],
)
def test_what_both_must_have_at_every_moment(old: bytes, new: bytes, word: str) -> None:
    changed = BASE.replace(old, new)
    (why,) = refusals([side(BASE, changed), side(BASE, host="lb2")])
    assert word in why
    assert "hunter" not in why
    assert refusals([side(BASE, changed), side(BASE, changed, host="lb2")]) == ()


def test_a_weight_concerns_one_director_only() -> None:
    less = BASE.replace(b"weight 10", b"weight 5", 1)
    assert refusals([side(BASE, less), side(BASE, host="lb2")]) == ()
    assert refusals([side(BASE, less)]) == ()


def test_what_has_to_be_typed() -> None:
    gone = BASE[: BASE.index(b"virtual_server")]
    idle = BASE.replace(b"weight 10", b"weight 0")
    one = BASE.replace(b"weight 10", b"weight 0", 1)
    assert typed([side(MORE, BASE)]) == "10.10.0.21"
    assert typed([side(BASE, gone)]) == "tcp 10.10.0.20:80"
    assert typed([side(BASE, idle)]) == "tcp 10.10.0.20:80"
    assert typed([side(BASE, one)]) == ""
    assert typed([side(BASE, MORE)]) == ""


def test_master_down_interval() -> None:
    (instance,) = side(BASE).before.instances
    assert master_down_s(instance) == pytest.approx(3 + 106 / 256)
    assert master_down_s(replace(instance, version=3, advert_interval_s=0.1)) == pytest.approx(
        0.3 + 0.1 * 106 / 256
    )


def test_versions_compare_as_numbers() -> None:
    assert version_of("2.2.7") < version_of("2.3.3") <= version_of("2.3.3") < version_of("2.10.0")
    assert version_of("v2") == ()


def test_what_becomes_nat_has_to_be_forced() -> None:
    changed = side(BASE, BASE.replace(b"lb_kind DR", b"lb_kind NAT"))
    (finding,) = nat_findings(changed.before, changed.after)
    assert finding.severity is FindingSeverity.ERROR
    assert "2 of 2 real servers go from DR to NAT" in finding.text
    left_out = side(BASE, BASE.replace(b"    lb_kind DR\n", b""))
    assert len(nat_findings(left_out.before, left_out.after)) == 1
    back = side(BASE.replace(b"lb_kind DR", b"lb_kind NAT"), BASE)
    assert nat_findings(back.before, back.after) == ()
    assert nat_findings(back.before, back.before) == ()
    new = side(BASE[: BASE.index(b"virtual_server")], BASE.replace(b"lb_kind DR", b"lb_kind NAT"))
    assert nat_findings(new.before, new.after) == ()


def test_what_this_director_has_says_nothing_about_one_that_is_not_asked() -> None:
    (why,) = refusals([side(BASE, MORE, version="2.3.3")])
    assert "unless its keepalived is 2.3.3 or later" in why
    assert refusals([side(BASE, MORE, version="2.3.3")], alone=True) == ()


@pytest.mark.parametrize(("version", "refused"), [("2.1.5", True), ("2.2.7", False), ("", False)])
def test_weight_0_where_it_is_served_as_1(version: str, refused: bool) -> None:
    zero = BASE.replace(b"weight 10\n    }\n}", b"weight 0\n    }\n}")
    found = refusals([side(BASE, zero, version=version)], alone=True)
    assert bool(found) is refused
    if found:
        assert "gives 10.10.0.4:80 in tcp 10.10.0.20:80 weight 1" in found[0]
    # It was so before: whatever else is changed may be changed.
    assert refusals([side(zero, zero + b"\n# more\n", version=version)], alone=True) == ()
