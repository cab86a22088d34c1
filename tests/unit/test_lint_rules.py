"""Each rule of our own: what it tells, how bad, where; and that a sound site is quiet."""

from __future__ import annotations

from dataclasses import replace

import pytest

from lvstui.keepalived import load_tree, parse_bytes, view
from lvstui.keepalived.lint.context import Peer
from lvstui.keepalived.lint.finding import Finding, Severity, new_findings
from lvstui.keepalived.lint.rules.losses import unloadable
from lvstui.keepalived.lint.run import lint
from lvstui.keepalived.lint.surroundings import Link, Script, Surroundings

LETHAL, ERROR, WARNING, NOTE = Severity
MAIN = "/etc/keepalived/keepalived.conf"

HOST = Surroundings(
    links=(
        Link("lo", (("127.0.0.1", 8),), "loopback"),
        Link("eth0", (("10.10.0.1", 24),)),
        Link("eth1", (("192.168.7.1", 24),)),
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


@pytest.mark.parametrize("host", [HOST, None], ids=["known", "unknown"])
def test_a_sound_site_is_quiet(host: Surroundings | None) -> None:
    assert judge(SOUND, host) == ()


def test_a_sound_pair_is_quiet() -> None:
    other = SOUND.replace("priority 150", "priority 100").replace("LB1", "LB2")
    assert judge(SOUND, other=other) == ()


CASES: dict[str, tuple[str, str, str, Severity, str]] = {
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
    tree = load_tree(MAIN, config_id="lb1", read=files.__getitem__)
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
def test_strict_unicast_ends_some_versions(version: str, severity: Severity) -> None:
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
def test_url_without_path_crashes_old_versions(version: str, severity: Severity) -> None:
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


PAIR: dict[str, tuple[str, str, str, Severity]] = {
    "vips": ("        10.10.0.21/24\n", "", "vips-differ", ERROR),
    "vrid": ("virtual_router_id 51", "virtual_router_id 52", "vrid-differs", ERROR),
    "auth": ("auth_type PASS", "auth_type AH", "authentication-differs", ERROR),
    "password": ("s#cret!", "s#cret?", "password-differs", ERROR),
    "interval": ("advert_int 1", "advert_int 2", "interval-differs", ERROR),
    "priority": ("priority 100", "priority 150", "priorities-equal", WARNING),
    "server": ("real_server 10.10.0.4", "real_server 10.10.0.5", "servers-differ", WARNING),
    "weight": ("weight 10", "weight 0", "weights-differ", WARNING),
    "scheduler": ("lb_algo wrr", "lb_algo wlc", "scheduler-differs", WARNING),
    "forwarding": ("lb_kind DR", "lb_kind TUN", "forwarding-differs", ERROR),
    "unicast": ("advert_int 1", "unicast_peer {\n 10.10.0.1\n }", "unicast-differs", ERROR),
    "version": ("advert_int 1", "version 3", "vrrp-version-differs", ERROR),
}


@pytest.mark.parametrize("name", sorted(PAIR))
def test_pair(name: str) -> None:
    old, new, rule, severity = PAIR[name]
    other = SOUND.replace("priority 150", "priority 100")
    assert old in other
    finding = told(judge(SOUND, other=other.replace(old, new, 1)), rule)
    assert finding.severity is severity
    assert "s#cret" not in f"{finding}"


def test_a_service_on_one_director_only() -> None:
    other = SOUND.replace("priority 150", "priority 100")
    other = other[: other.index("virtual_server 10.10.0.21")]
    assert told(judge(SOUND, other=other), "service-on-one-director").severity is ERROR
    assert told(judge(other, other=SOUND), "service-on-one-director").severity is ERROR


def test_a_script_that_cannot_move_the_vip() -> None:
    text = changed("weight -60", "weight -20")
    other = SOUND.replace("priority 150", "priority 100")
    finding = told(judge(text, other=other), "weight-cannot-move-vip")
    assert finding.severity is WARNING
    assert "130" in finding.text
    assert not any(f.rule == "weight-cannot-move-vip" for f in judge(SOUND, other=other))


def test_nopreempt_on_the_other_side_holds_the_vip() -> None:
    other = SOUND.replace("priority 150", "priority 100").replace("advert_int 1", "nopreempt")
    assert told(judge(SOUND, other=other), "weight-against-nopreempt").severity is WARNING


@pytest.mark.parametrize(
    ("mine", "theirs", "severity"),
    [("2.2.7", "2.3.4", ERROR), ("2.3.3", "2.3.2", ERROR), ("2.3.3", "2.4.3", WARNING)],
)
def test_newer_versions_take_other_vips(mine: str, theirs: str, severity: Severity) -> None:
    other = SOUND.replace("priority 150", "priority 100").replace("        10.10.0.21/24\n", "")
    other = other[: other.index("virtual_server 10.10.0.21")]
    found = judge(SOUND, replace(HOST, version=mine), other, theirs)
    assert told(found, "vips-differ").severity is severity


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
    tree = load_tree(MAIN, config_id="lb1", read=files.__getitem__)
    found = lint(tree, view(tree), replace(HOST, modes={"/etc/keepalived/more.conf": 0o100744}))
    assert told(found, "include-not-read").severity is ERROR


FATAL = {
    "script with an open quote": 'vrrp_script x {\n    script "/bin/true\n}\n',
    "words behind a sync group": "vrrp_sync_group G x {\n    group {\n        LB_1\n    }\n}\n",
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
