"""What is typed into a form is judged as keepalived would, and a password is never repeated."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lvstui.keepalived.edit.forms import (
    BLOCKS,
    CHECKS,
    INSTANCE,
    SCRIPT,
    SERVICE,
    SORRY,
    Field,
    FieldKind,
)
from lvstui.keepalived.edit.judge import (
    check_all,
    check_check,
    check_instance,
    check_server,
    check_service,
    complaint,
    field_of,
    new_check,
    settings,
)
from lvstui.keepalived.keywords import CHECKERS, ROOT, version_of
from lvstui.keepalived.meaning.view import view
from lvstui.keepalived.text.parser import parse_bytes

EVERY = [field for fields in BLOCKS.values() for field in fields]


def test_every_field_is_a_keyword_of_its_block() -> None:
    virtual = ROOT[b"virtual_server"].inner or {}
    real = virtual[b"real_server"].inner or {}
    instance = ROOT[b"vrrp_instance"].inner or {}
    tables = {
        "virtual_server": virtual,
        "real_server": real,
        "vrrp_instance": instance,
        "vrrp_script": ROOT[b"vrrp_script"].inner or {},
        **{kind.decode(): known.inner or {} for kind, known in CHECKERS.items()},
    }
    for block, fields in BLOCKS.items():
        for field in fields:
            if field_of(block, field.keyword) is None and not field.block:
                assert field.keyword in ("address", "port", "fwmark", "group", "name")
                continue
            table = tables[block]
            if field.block and field.block != field.keyword:
                table = table[field.block.encode()].inner or {}
            assert field.keyword.encode() in table, (block, field.keyword)
    assert set(CHECKS) == {kind.decode() for kind in CHECKERS}
    assert {field.keyword.encode() for field in SORRY[2:]} <= virtual.keys()


def test_every_field_says_what_it_is() -> None:
    for field in EVERY:
        assert field.label
        assert field.help
        assert len(field.help) < 70
        assert bool(field.choices) == (field.kind is FieldKind.CHOICE)
    assert [field.keyword for field in EVERY if field.secret] == ["auth_pass"]


@given(st.sampled_from(EVERY), st.text(alphabet=st.characters(codec="utf-8"), max_size=30))
def test_no_fault_repeats_what_was_typed(field: Field, text: str) -> None:
    found = field.check("Zq7" + text, "2.2.7")
    assert "Zq7" not in found
    assert "\n" not in found


@pytest.mark.parametrize(
    ("block", "keyword", "good", "bad"),
    [
        ("real_server", "weight", ["0", "10", "2147483647"], ["-1", "2147483648", "x", "1 2"]),
        ("virtual_server", "weight", ["1"], ["0"]),
        ("virtual_server", "lb_algo", ["wrr", "mh"], ["WRR", "round"]),
        ("virtual_server", "lb_kind", ["DR"], ["dr"]),
        ("virtual_server", "lvs_method", ["TUN"], ["tun"]),
        ("virtual_server", "protocol", ["TCP", "udp"], ["icmp"]),
        ("virtual_server", "persistence_timeout", ["1", "2678400"], ["0", "2678401"]),
        ("virtual_server", "delay_loop", ["1", "0.5"], ["0", "-1", "often"]),
        ("vrrp_instance", "priority", ["1", "255"], ["0", "256"]),
        ("vrrp_instance", "interface", ["eth0"], ["eth 0", "much-too-long-for-linux"]),
        ("TCP_CHECK", "connect_ip", ["10.0.0.1", "fd00::1"], ["10.0.0.1:80", "[fd00::1]", "web"]),
        ("TCP_CHECK", "connect_port", ["1", "65535"], ["0", "65536"]),
        ("TCP_CHECK", "retry", ["0", "3"], ["-1"]),
        ("virtual_server", "retry", ["1"], ["0"]),
        ("MISC_CHECK", "misc_timeout", ["5"], ["0.5"]),
        ("MISC_CHECK", "misc_path", ["/bin/x a 'b c'"], ["/bin/x 'a", "/bin/x \\n", '/bin/x "a"']),
        ("FILE_CHECK", "weight", ["-2"], ["x"]),
        ("url", "path", ["/a b"], ['/a"b', "/a\\"]),
    ],
)
def test_ranges(block: str, keyword: str, good: list[str], bad: list[str]) -> None:
    for text in good:
        assert complaint(block, keyword, [text]) == ""
    for text in bad:
        assert complaint(block, keyword, text.split() if text == "1 2" else [text])


def test_versions() -> None:
    assert version_of("Keepalived v2.2.7 (01/16,2022)") == (2, 2, 7)
    assert version_of("unknown") == ()
    assert (
        "came with keepalived 2.0.20"
        in check_check("PING_CHECK", {"retry": "1"}, "2.0.10")["retry"]
    )
    assert check_check("PING_CHECK", {"retry": "1"}, "2.2.7") == {}
    assert check_check("FILE_CHECK", {"track_file": "x"}, "2.0.20")
    assert "came with" in check_check("FILE_CHECK", {}, "2.0.20")["track_file"]
    weight = field_of("real_server", "weight")
    assert weight is not None
    assert weight.check("70000", "2.2.7") == ""
    assert "65535" in weight.check("70000", "2.0.10")
    assert "whole seconds" in complaint("virtual_server", "delay_loop", ["0.5"], "1.3.5")
    assert complaint("vrrp_script", "interval", ["0.5"], "2.3.2") == ""
    assert "whole seconds" in complaint("vrrp_script", "interval", ["0.5"], "2.2.7")
    assert check_check("UDP_CHECK", {"payload": "00ff"}, "2.2.7")
    assert check_check("UDP_CHECK", {"payload": "00ff"}, "2.3.3") == {}


VIP = {
    "name": "VI",
    "interface": "eth0",
    "virtual_router_id": "5",
    "virtual_ipaddress": "10.0.0.1/24",
}


@pytest.mark.parametrize(
    ("more", "wrong"),
    [
        ({}, ""),
        ({"advert_int": "0.5"}, "advert_int"),
        ({"advert_int": "0.5", "version": "3"}, ""),
        ({"advert_int": "41", "version": "3"}, "advert_int"),
        ({"advert_int": "41"}, ""),
        ({"virtual_ipaddress": "fe80::1/64", "advert_int": "0.5"}, ""),
        ({"virtual_ipaddress": "fe80::1/64", "version": "2"}, "version"),
        ({"nopreempt": "yes", "state": "MASTER"}, "nopreempt"),
        ({"nopreempt": "yes", "preempt_delay": "5"}, "preempt_delay"),
        ({"auth_type": "PASS", "auth_pass": "12345678"}, ""),
        ({"auth_type": "PASS", "auth_pass": "123456789"}, "auth_pass"),
        ({"auth_type": "PASS"}, "auth_pass"),
        ({"auth_pass": "x"}, "auth_type"),
        ({"auth_type": "PASS", "auth_pass": "x", "version": "3"}, "auth_type"),
        ({"auth_type": "AH", "auth_pass": "x", "state": "MASTER"}, "state"),
        ({"unicast_src_ip": "10.0.0.2", "unicast_peer": "10.0.0.2"}, "unicast_peer"),
        ({"name": "VI_1"}, "name"),
        ({"virtual_router_id": "51"}, "virtual_router_id"),
        ({"virtual_router_id": "51", "interface": "eth1"}, ""),
        ({"virtual_router_id": ""}, "virtual_router_id"),
    ],
)
def test_instances(more: dict[str, str], wrong: str) -> None:
    beside = view(
        parse_bytes(
            b"vrrp_instance VI_1 {\ninterface eth0\nvirtual_router_id 51\n"
            b"virtual_ipaddress {\n10.0.0.9\n}\n}\n"
        )
    )
    assert list(check_instance({**VIP, **more}, "2.2.7", beside)) == ([wrong] if wrong else [])


MARK = {"fwmark": "5", "lb_algo": "rr", "lb_kind": "DR"}
WEB = {"address": "10.0.0.1", "port": "80", "protocol": "TCP", "lb_algo": "rr", "lb_kind": "DR"}


@pytest.mark.parametrize(
    ("values", "wrong"),
    [
        (WEB, ""),
        ({**WEB, "protocol": ""}, "protocol"),
        ({**WEB, "lb_kind": ""}, "lb_kind"),
        ({**WEB, "lb_algo": ""}, "lb_algo"),
        ({**WEB, "fwmark": "5", "protocol": ""}, "fwmark"),
        ({**WEB, "address": "", "protocol": "", "port": ""}, "address"),
        ({**MARK}, ""),
        ({**MARK, "protocol": "TCP"}, "protocol"),
        ({**MARK, "fwmark": "", "group": "web", "port": "80"}, "port"),
        ({**WEB, "ops": "yes"}, "ops"),
        ({**WEB, "quorum": "2", "hysteresis": "2"}, "hysteresis"),
        ({**WEB, "quorum": "2", "hysteresis": "1"}, ""),
    ],
)
def test_services(values: dict[str, str], wrong: str) -> None:
    assert list(check_service(values, "2.2.7")) == ([wrong] if wrong else [])


@pytest.mark.parametrize(
    ("values", "wrong"),
    [
        ({"address": "10.0.0.12"}, ""),
        ({"address": "10.0.0.12", "port": "80"}, ""),
        ({"address": "10.0.0.12", "port": "81"}, "port"),
        ({"address": "10.0.0.12", "port": "81", "lvs_method": "NAT"}, ""),
        ({"address": "10.0.0.11"}, "address"),
        ({"address": "fd00::1"}, "address"),
        ({"address": "fd00::1", "lvs_method": "TUN"}, ""),
        ({"address": ""}, "address"),
        ({"address": "10.0.0.12", "uthreshold": "5", "lthreshold": "6"}, "lthreshold"),
        ({"address": "10.0.0.12", "lthreshold": "6"}, ""),
    ],
)
def test_servers(values: dict[str, str], wrong: str) -> None:
    service = view(
        parse_bytes(
            b"virtual_server 10.0.0.1 80 {\nlb_kind DR\nprotocol TCP\n"
            b"real_server 10.0.0.11 80 {\n}\n}\n"
        )
    ).services[0]
    assert list(check_server(values, service, "2.2.7")) == ([wrong] if wrong else [])


@pytest.mark.parametrize(
    ("kind", "values", "wrong"),
    [
        ("HTTP_GET", {}, "path"),
        ("HTTP_GET", {"path": "/"}, ""),
        ("HTTP_GET", {"path": "x"}, "path"),
        ("SSL_GET", {"path": "/", "status_code": "200-299"}, ""),
        ("SSL_GET", {"path": "/", "status_code": "ok"}, "status_code"),
        ("HTTP_GET", {"path": "/", "digest": "xyz"}, "digest"),
        ("UDP_CHECK", {"payload": "00 fe"}, ""),
        ("UDP_CHECK", {"payload": "0g"}, "payload"),
        ("UDP_CHECK", {"min_reply_length": "300"}, "min_reply_length"),
        ("MISC_CHECK", {}, "misc_path"),
        ("BFD_CHECK", {}, "name"),
        ("DNS_CHECK", {"type": "PTR"}, "type"),
        ("DNS_CHECK", {"type": "AAAA", "name": "example.org"}, ""),
    ],
)
def test_checks(kind: str, values: dict[str, str], wrong: str) -> None:
    assert list(check_check(kind, values, "2.2.7")) == ([wrong] if wrong else [])


def test_scripts() -> None:
    assert check_all(SCRIPT, {"name": "chk", "script": "/bin/true", "weight": "-20"}) == {}
    assert list(check_all(SCRIPT, {"name": "chk", "weight": "-254"})) == ["script", "weight"]


def test_what_a_form_writes() -> None:
    made = new_check("SSL_GET", {"path": "/x", "enable_sni": "yes", "alpha": "no", "retry": "2"})
    assert list(made.lines()) == [
        ((b"SSL_GET",), (b"{",)),
        ((b"SSL_GET",), (b"url",), (b"{",)),
        ((b"SSL_GET",), (b"url",), (b"path", b"/x")),
        ((b"SSL_GET",), (b"retry", b"2")),
        ((b"SSL_GET",), (b"enable_sni",)),
    ]
    values = {"address": "10.0.0.1", "lb_algo": "wrr", "ops": "yes", "omega": "no", "quorum": " "}
    assert settings(SERVICE, values) == (("lb_algo", "wrr"), ("ops",))
    auth = {"auth_type": "PASS", "auth_pass": "x y", "state": "MASTER"}
    assert settings(INSTANCE, auth, "authentication") == (
        ("auth_type", "PASS"),
        ("auth_pass", "x y"),
    )
    assert settings(SCRIPT, {"script": "/x y"}) == (("script", "/x y"),)
