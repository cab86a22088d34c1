"""Each rule of our own: what it tells, how bad, where; and that a sound site is quiet."""

from __future__ import annotations

import time
from dataclasses import replace

import pytest

from lvstui.keepalived.lint.context import Peer
from lvstui.keepalived.lint.rules import lint
from lvstui.keepalived.lint.rules.losses import unloadable
from lvstui.keepalived.lint.surroundings import Surroundings
from lvstui.keepalived.meaning.view import view
from lvstui.keepalived.text.files import in_memory
from lvstui.keepalived.text.parser import parse, parse_bytes
from lvstui.model.finding import FindingSeverity, new_findings
from tests.unit.keepalived.lint.site import (
    ERROR,
    HOST,
    LETHAL,
    MAIN,
    NOTE,
    SOUND,
    WARNING,
    changed,
    judge,
    told,
)


@pytest.mark.parametrize("host", [HOST, None], ids=["known", "unknown"])
def test_a_sound_site_is_quiet(host: Surroundings | None) -> None:
    assert judge(SOUND, host) == ()


def test_lint_is_no_slower_than_loading() -> None:
    text = SOUND + "".join(
        f"virtual_server 10.10.{number}.20 80 {{\n    lb_algo wrr\n    lb_kind DR\n"
        "    protocol TCP\n"
        + "".join(
            f"    real_server 10.10.0.{server + 3} 80 {{\n        weight {server + 1}\n"
            "        TCP_CHECK {\n            connect_timeout 3\n        }\n    }\n"
            for server in range(10)
        )
        + "}\n"
        for number in range(1, 200)
    )
    loads, lints = [], []
    for _ in range(3):
        began = time.process_time()
        tree = parse_bytes(text.encode(), MAIN, "lb1")
        configuration = view(tree)
        loaded = time.process_time()
        lint(tree, configuration, None, Peer("lb2", tree, configuration))
        loads.append(loaded - began)
        lints.append(time.process_time() - loaded)
    assert min(lints) < min(loads)


CASES: dict[str, tuple[str, str, str, FindingSeverity, str]] = {
    # name: old text, new text, rule, severity, what stands at the place
    "auth on one line": (
        "        auth_type PASS\n        auth_pass",
        "        auth_type PASS auth_pass",
        "password-lost",
        ERROR,
        "auth_type PASS auth_pass",
    ),
    "auth type missing": (
        "        auth_type PASS\n",
        "",
        "authentication-without-type",
        WARNING,
        "authentication {",
    ),
    "password cut": ('"s#cret!"', "s#cret", "password-cut", ERROR, "auth_pass s#cret"),
    "two vips on a line": (
        "dev eth0 label eth0:vip    # web",
        "10.10.0.22/24",
        "entries-on-one-line",
        ERROR,
        "10.10.0.20/24 10.10.0.22",
    ),
    "value behind value": ("weight 10", "weight 10 20", "extra-words", WARNING, "weight 10 20"),
    "java comment": (
        "weight 10",
        "weight 10 // half",
        "foreign-comment",
        NOTE,
        "weight 10 // half",
    ),
    "keyword behind value": (
        "path /health\n",
        "path /health status_code 200\n",
        "keyword-lost",
        ERROR,
        "path /health status_code",
    ),
    "strict": (
        "    router_id LB1",
        "    vrrp_strict",
        "strict-drops-traffic",
        ERROR,
        "vrrp_strict",
    ),
    "strict in spite of off": (
        "    router_id LB1",
        "    vrrp_strict off",
        "strict-drops-traffic",
        ERROR,
        "vrrp_strict",
    ),
    "prefix of a vip": ("10.10.0.20/24", "10.10.0.20/33", "prefix-invalid", ERROR, "10.10.0.20/33"),
    "no accept": ("advert_int 1", "no_accept", "no-accept-drops-traffic", WARNING, "no_accept"),
    "owner by default": (
        "    state BACKUP\n    interface eth0\n    virtual_router_id 51\n    priority 150\n",
        "    state MASTER\n    interface eth0\n    virtual_router_id 51\n",
        "priority-of-owner",
        WARNING,
        "vrrp_instance LB_1 {",
    ),
    "unknown vip device": (
        "dev eth0 label",
        "dev eth9 label",
        "interface-unknown",
        LETHAL,
        "eth9 label eth0:vip    #",
    ),
    "vip nowhere": (
        "virtual_server 10.10.0.21",
        "virtual_server 10.10.0.29",
        "vip-of-no-instance",
        ERROR,
        "virtual_server 10.10.0.2",
    ),
    "server off link": (
        "real_server 10.10.0.4",
        "real_server 10.77.0.4",
        "server-off-link",
        WARNING,
        "real_server 10.77.0.4 80",
    ),
    "server is vip": (
        "real_server 10.10.0.4",
        "real_server 10.10.0.20",
        "server-is-vip",
        WARNING,
        "real_server 10.10.0.20 8",
    ),
    "no check": (
        "        TCP_CHECK { connect_timeout 3 }\n",
        "",
        "server-without-check",
        WARNING,
        "real_server 10.10.0.4 80",
    ),
    "nat server": (
        "        TCP_CHECK",
        "        lvs_method NAT\n        TCP_CHECK",
        "nat-beside-direct-routing",
        WARNING,
        "real_server 10.10.0.4 80",
    ),
    "script gone": (
        'script "/usr/local/bin/check',
        'script "/usr/local/bin/gone',
        "script-not-runnable",
        ERROR,
        'script "/usr/local/bin/g',
    ),
    "script without x": (
        'script "/usr/local/bin/check',
        'script "/usr/local/bin/plain',
        "script-not-runnable",
        ERROR,
        'script "/usr/local/bin/p',
    ),
    "script unsafe": (
        'script "/usr/local/bin/check',
        'script "/home/joe/run',
        "script-unsafe",
        ERROR,
        'script "/home/joe/run --',
    ),
    "notify unquoted": (
        "\"/usr/local/bin/check 'now master'\" root",
        "/usr/local/bin/check now master",
        "script-arguments-unquoted",
        ERROR,
        "notify_master /usr/local",
    ),
    "user unknown": (
        "script_user root",
        "script_user nobody9",
        "script-user-unknown",
        ERROR,
        "script_user nobody9",
    ),
    "nbsp": ("    priority", "    \u00a0priority", "no-break-space", ERROR, "\u00a0priority 150"),
    "smart quotes": (
        "router_id LB1",
        "router_id “LB1”",
        "typographic-quote",
        WARNING,
        "router_id “LB1”",
    ),
    "template": (
        "router_id LB1",
        "router_id {{ id }}",
        "template-leftover",
        ERROR,
        "router_id {{ id }}",
    ),
    "variable": (
        "router_id LB1",
        "router_id ${ID}",
        "undefined-variable",
        ERROR,
        "router_id ${ID}",
    ),
    "track script unknown": (
        "        chk_proxy",
        "        chk_proxi",
        "track-script-unknown",
        ERROR,
        "chk_proxi",
    ),
    "strict and auth": (
        "advert_int 1",
        "version 3",
        "authentication-ignored",
        WARNING,
        "auth_type PASS",
    ),
    "route device": (
        "    track_interface {",
        "    virtual_routes {\n        10.0.0.0/8 dev x9\n    }\n    track_interface {",
        "interface-unknown",
        LETHAL,
        "x9",
    ),
    "route unfinished": (
        "    track_interface {",
        "    virtual_routes {\n        10.0.0.0/8 via\n    }\n    track_interface {",
        "value-missing",
        LETHAL,
        "10.0.0.0/8 via",
    ),
    "definition loops": (
        "global_defs {",
        "$A=\\\n  $A\n$A\nglobal_defs {",
        "definition-loops",
        LETHAL,
        "$A",
    ),
}


@pytest.mark.parametrize("name", sorted(CASES))
def test_rule(name: str) -> None:
    old, new, rule, severity, there = CASES[name]
    text = changed(old, new)
    finding = told(judge(text), rule)
    assert finding.severity is severity
    assert finding.place is not None
    line = text.splitlines()[finding.place.line - 1].encode()
    assert line[finding.place.column - 1 :].decode().startswith(there)


def test_a_swallowed_block_is_lethal() -> None:
    found = judge(changed("        10.10.0.21/24\n    }\n", "        10.10.0.21/24\n"))
    assert found[0].rule == "service-lost"
    assert found[0].severity is LETHAL
    assert found[0].place is not None
    assert found[0].place.line == 37


def test_what_hides_in_an_include_is_found_with_its_place() -> None:
    files = {
        MAIN: b"include conf.d/vrrp.conf\n" + SOUND.encode(),
        "/etc/keepalived/conf.d/vrrp.conf": (
            b"$VRID=\n\nvrrp_instance X {\n    interface eth0\n    virtual_router_id $VRID\n"
            b"    virtual_ipaddress {\n        10.10.0.99/24\n    }\n}\n"
        ),
    }
    tree = parse(MAIN, in_memory(files), "lb1")
    finding = told(lint(tree, view(tree), HOST), "vrid-missing")
    assert finding.severity is LETHAL
    assert finding.place is not None
    assert finding.place.file == "/etc/keepalived/conf.d/vrrp.conf"
    assert finding.place.line == 5


@pytest.mark.parametrize(("config_id", "lethal"), [("lb1", True), ("lb2", False)])
def test_conditionals_count_for_the_host_that_they_name(config_id: str, lethal: bool) -> None:
    text = SOUND.replace("    virtual_router_id 51", "    @^lb1 virtual_router_id 51")
    tree = parse_bytes(text.encode(), MAIN, config_id)
    found = lint(tree, view(tree), HOST)
    assert any(finding.rule == "vrid-missing" for finding in found) is lethal


@pytest.mark.parametrize(
    ("version", "severity"),
    [("", LETHAL), ("2.2.4", LETHAL), ("2.2.7", WARNING), ("2.3.4", WARNING), ("2.4.3", LETHAL)],
)
def test_strict_unicast_ends_some_versions(version: str, severity: FindingSeverity) -> None:
    text = changed("advert_int 1", "strict_mode on\n    unicast_peer {\n        10.10.0.2\n    }")
    found = judge(text, replace(HOST, version=version))
    assert told(found, "strict-with-unicast").severity is severity


@pytest.mark.parametrize(
    ("version", "lethal"),
    [("", True), ("2.0.20", True), ("2.2.7", True), ("2.2.8", False), ("2.4.3", False)],
)
def test_unicast_without_interface(version: str, lethal: bool) -> None:
    text = changed(
        "    interface eth0\n",
        "    unicast_src_ip 10.10.0.1\n    unicast_peer {\n        10.10.0.2\n    }\n",
    )
    found = judge(text, replace(HOST, version=version))
    assert any(finding.rule == "interface-missing" for finding in found) is lethal


@pytest.mark.parametrize(("version", "severity"), [("2.2.7", LETHAL), ("2.2.8", ERROR)])
def test_url_without_path_crashes_old_versions(version: str, severity: FindingSeverity) -> None:
    text = changed("                path /health\n", "")
    found = judge(text, replace(HOST, version=version))
    assert told(found, "http-check-without-path").severity is severity


def test_dynamic_interfaces_may_come_later() -> None:
    text = changed("dev eth0 label", "dev eth9 label").replace(
        "    router_id LB1", "    dynamic_interfaces"
    )
    assert judge(text) == ()


def test_the_same_vrid_is_right_for_other_families_and_networks() -> None:
    second = (
        "vrrp_instance {} {{\n    interface {}\n    virtual_router_id 51\n    priority 100\n"
        "    virtual_ipaddress {{\n        {}\n    }}\n}}\n"
    )
    fine = (
        SOUND
        + second.format("V6", "eth0", "fe80::20/64")
        + second.format("E1", "eth1", "192.168.7.20/24")
    )
    assert all(finding.severity is NOTE for finding in judge(fine))
    bad = fine + second.format("TWICE", "eth0", "10.10.0.30/24")
    assert told(judge(bad), "vrid-twice").severity is LETHAL


def test_a_fifo_before_the_script_user() -> None:
    text = changed("    script_user root\n", "").replace(
        "    vrrp_notify_fifo /run/keepalived.fifo\n",
        "    vrrp_notify_fifo /run/keepalived.fifo\n    script_user root\n",
    )
    assert judge(text) == ()
    found = judge(text, replace(HOST, users=frozenset(("root",))))
    assert told(found, "fifo-before-script-user").severity is ERROR


def test_weights_of_a_sync_group_are_dropped() -> None:
    second = (
        "vrrp_instance LB_2 {\n    interface eth1\n    virtual_router_id 52\n"
        "    virtual_ipaddress {\n        192.168.7.20/24\n    }\n}\n"
        "vrrp_sync_group G {\n    group {\n        LB_1\n        LB_2\n    }\n}\n"
    )
    assert told(judge(SOUND + second), "tracking-in-sync-group").severity is WARNING


def test_the_clamp_at_254() -> None:
    text = changed("weight -60", "weight 60").replace("priority 150", "priority 220")
    assert told(judge(text), "priority-clamped").severity is WARNING


def test_a_main_file_that_cannot_be_loaded() -> None:
    finding = unloadable(MAIN, OSError("an execute bit is set: keepalived skips it"))
    assert finding.severity is LETHAL
    assert "execute bit" in finding.text


@pytest.mark.parametrize(("mode", "lethal"), [(0o100755, True), (0o40755, True), (0o100644, False)])
def test_the_mode_of_the_main_file(mode: int, lethal: bool) -> None:
    found = judge(SOUND, replace(HOST, modes={MAIN: mode}))
    assert any(finding.severity is LETHAL for finding in found) is lethal


def test_an_included_file_with_an_execute_bit_is_skipped() -> None:
    files = {MAIN: b"include more.conf\n" + SOUND.encode(), "/etc/keepalived/more.conf": b"\n"}
    tree = parse(MAIN, in_memory(files), "lb1")
    found = lint(tree, view(tree), replace(HOST, modes={"/etc/keepalived/more.conf": 0o100744}))
    assert told(found, "include-not-read").severity is ERROR


FATAL = {
    "script with an open quote": 'vrrp_script x {\n    script "/bin/true\n}\n',
    "sync group without name and brace": "vrrp_sync_group\n    group {\n        LB_1\n    }\n}\n",
    "words behind a server group": "virtual_server_group G x {\n    10.10.0.20 81\n}\n",
    "server group without brace": "virtual_server_group G\n    10.10.0.20 81\n}\n",
    "mark without number": "virtual_server_group G {\n    fwmark\n}\n",
    "route of a type alone": "static_routes {\n    blackhole\n}\n",
    "rule unfinished": "static_rules {\n    from 10.0.0.0/8 table\n}\n",
    "bfd without name": "bfd_instance {\n    neighbor_ip 10.10.0.2\n}\n",
    "server of no mark": "virtual_server fwmark {\n    real_server 10.10.0.3 {\n    }\n}\n",
    "routes of a missing device": "static_routes {\n    10.0.0.0/8 dev eth9\n}\n",
}


@pytest.mark.parametrize("name", sorted(FATAL))
def test_what_mutated_configurations_showed(name: str) -> None:
    found = judge(SOUND + FATAL[name])
    assert found[0].severity is LETHAL
    assert found[0].place is not None
    assert found[0].place.line > SOUND.count("\n")


@pytest.mark.parametrize(
    "line",
    ["native_ipv6", "unicast_src_ip fd00::1", "mcast_dst_ip ff02::12"],
    ids=["native", "source", "group"],
)
def test_the_first_address_of_an_instance_makes_its_family(line: str) -> None:
    found = judge(changed("    interface eth0\n", f"    interface eth0\n    {line}\n"))
    assert told(found, "vip-missing").severity is LETHAL


def test_words_behind_a_sync_group_lose_it() -> None:
    text = SOUND + "vrrp_sync_group G x {\n    group {\n        LB_1\n    }\n}\n"
    assert told(judge(text), "sync-group-invalid").severity is ERROR


def test_a_value_that_looks_like_a_keyword_is_a_value() -> None:
    text = SOUND + "static_rules {\n    from 10.0.0.0/8 table dev\n}\n"
    assert judge(text) == ()


def test_a_password_among_the_interfaces_is_not_shown() -> None:
    text = changed("        eth1 weight -20\n    }\n", "").replace(
        "    authentication {", "    track_interface {\n    authentication {"
    )
    found = judge(text.replace('"s#cret!"', "abc{hunter2"))
    assert any(finding.rule == "interface-unknown" for finding in found)
    assert not any("hunter2" in f"{finding}" for finding in found)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("weight -60", "weight -60 reverse"),
        ("router_id LB1", 'router_id "l’hôtel"'),
        ("10.10.0.21/24\n", "10.10.0.21/24 brd 10.10.0.255 dev eth0\n"),
        ("eth1 weight -20", "eth1 weight 20 noreverse"),
        ("router_id LB1", "router_id LB1\n    vrrp_version 2"),
    ],
    ids=["reverse", "apostrophe", "broadcast", "noreverse", "version"],
)
def test_what_is_right_is_quiet(old: str, new: str) -> None:
    assert judge(changed(old, new)) == ()


def test_an_address_that_keepalived_always_has_is_held() -> None:
    text = changed("        10.10.0.21/24\n", "")
    assert told(judge(text), "vip-of-no-instance").severity is ERROR
    static = "static_ipaddress {\n    10.10.0.21/24 dev eth0\n}\n"
    assert judge(text + static) == ()


def test_moved_lines_are_no_new_findings() -> None:
    before = judge(changed("weight 10", "weight 10 20"))
    after = judge("# one more line\n" + changed("weight 10", "weight 10 20"))
    assert new_findings(before, after) == ()
    assert before != after
