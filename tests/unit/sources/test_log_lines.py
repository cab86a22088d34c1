"""keepalived's log lines: the recorded ones of 2.2.7 and 2.4.3, and shapes of older versions."""

from __future__ import annotations

import os
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from lvstui.model.facts import (
    CheckSeen,
    DaemonSaid,
    Fact,
    GroupChanged,
    InstanceChanged,
    PriorityChanged,
    QuorumChanged,
    ServerChanged,
    WeightChanged,
)
from lvstui.model.keys import ServerKey, ServiceKey
from lvstui.sources.log_lines import Repeats, facts_of, masked, split_syslog

DATA = Path(__file__).parents[2] / "data" / "keepalived-log"

RS = ServerKey("10.10.0.5", 80)
VS = ServiceKey("tcp", "10.10.0.20", 80)


@pytest.fixture(autouse=True)
def _zone(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    with monkeypatch.context() as patch:
        patch.setenv("TZ", "UTC")
        time.tzset()
        yield
    os.environ.get("TZ")
    time.tzset()


def recorded(name: str) -> list[Fact]:
    facts: list[Fact] = []
    for line in (DATA / name).read_text().splitlines():
        if line.startswith("##"):
            continue
        at, _, ident, _, text = split_syslog(line)
        assert at is not None, line
        assert ident == "Keepalived"
        facts.extend(facts_of(text, ident))
    return facts


@pytest.mark.parametrize("version", ["2.2.7", "2.4.3"])
def test_the_recorded_failovers_are_understood(version: str) -> None:
    facts = recorded(f"log-{version}-A.txt")
    states = [(f.instance, f.state) for f in facts if isinstance(f, InstanceChanged)]
    assert states[:3] == [("VI_1", "BACKUP"), ("VI_2", "BACKUP"), ("VI_3", "BACKUP")]
    assert Counter(states)[("VI_3", "MASTER")] == 3
    assert Counter(states)[("VI_1", "FAULT")] == 1
    assert {(f.group, f.state) for f in facts if isinstance(f, GroupChanged)} == {
        ("G1", "MASTER"),
        ("G1", "FAULT"),
        ("G1", "BACKUP"),
    }
    assert [f for f in facts if isinstance(f, PriorityChanged)] == [
        PriorityChanged("VI_3", 150, 90),
        PriorityChanged("VI_3", 90, 150),
    ]
    kinds = Counter(f.kind for f in facts if isinstance(f, DaemonSaid))
    assert kinds["start"] == 1
    assert kinds["stop"] == 1
    assert kinds["reload"] == 4
    assert kinds["reloaded"] == 3
    assert kinds["fatal"] == 1
    assert kinds["link"] == 2
    assert kinds["script"] >= 4
    # Nothing is left that no table knows.
    assert [f for f in facts if isinstance(f, DaemonSaid) and f.kind == "other"] == []


@pytest.mark.parametrize("version", ["2.2.7", "2.4.3"])
def test_the_backup_side_is_understood(version: str) -> None:
    facts = recorded(f"log-{version}-B.txt")
    assert [f for f in facts if isinstance(f, DaemonSaid) and f.kind == "other"] == []
    assert facts.count(InstanceChanged("VI_3", "MASTER")) == 2


@pytest.mark.parametrize(
    ("text", "facts"),
    [
        (
            "Removing service [10.10.0.5]:tcp:80 from VS [10.10.0.20]:tcp:80",
            ServerChanged(VS, RS, False, "removed"),
        ),
        (
            "Adding service [10.10.0.5]:tcp:80 to VS [10.10.0.20]:tcp:80",
            ServerChanged(VS, RS, True, "added"),
        ),
        (
            "Disabling service [10.10.0.5]:tcp:80 of VS [10.10.0.20]:tcp:80",
            ServerChanged(VS, RS, False, "disabled"),
        ),
        (
            "Enabling service [10.10.0.5]:80 to VS [10.10.0.20]:80",  # 1.2
            ServerChanged(VS, RS, True, "enabled"),
        ),
        (
            "Removing (inhibited) service [10.10.0.5]:tcp:80 from VS [10.10.0.20]:tcp:80",
            ServerChanged(VS, RS, False, "removed"),
        ),
        (
            "Shutting down service [10.10.0.5]:tcp:80 from VS [10.10.0.20]:tcp:80",
            ServerChanged(VS, RS, False, "stopped"),
        ),
        (
            "Removing service [fd00::5]:udp:53 from VS [FD00:0::20]:udp:53",
            ServerChanged(
                ServiceKey("udp", "fd00::20", 53, 0, 6), ServerKey("fd00::5", 53), False, "removed"
            ),
        ),
        (
            "Adding service [fd00::5]:none:0 to VS FWM 7",
            ServerChanged(ServiceKey.mark(7, 6), ServerKey("fd00::5", 0), True, "added"),
        ),
        (
            "Removing service [10.10.0.5]:udp:53 from VS [dns pool]:1",
            ServerChanged(
                ServiceKey("udp", ""),
                ServerKey("10.10.0.5", 53),
                False,
                "removed",
                "log",
                "dns pool",
            ),
        ),
        (
            "Changing weight from 10 to 0 for inactive service [10.10.0.5]:tcp:80 of VS "
            "[10.10.0.20]:tcp:80",
            WeightChanged(VS, RS, 10, 0),
        ),
        (
            "Changing weight from 1 to 253 for active service [10.10.0.5]:80 of VS [10.10.0.20]:80",
            WeightChanged(VS, RS, 1, 253),
        ),
    ],
)
def test_servers_and_weights(text: str, facts: Fact) -> None:
    assert facts_of(text) == (facts,)


@pytest.mark.parametrize(
    ("text", "up"),
    [
        ("Gained quorum 1+0=1 <= 30 for VS [10.10.0.20]:tcp:80", True),
        ("Lost quorum 1-0=1 > 0 for VS [10.10.0.20]:tcp:80", False),
        ("Starting with quorum down 1-0=1 > 0 for VS [10.10.0.20]:tcp:80", False),
        ("Lost quorum 1-0=1 > 0 for VS [10.10.0.20]:80", False),
    ],
)
def test_quorum(text: str, up: bool) -> None:
    assert facts_of(text) == (QuorumChanged(VS, up, text),)


@pytest.mark.parametrize(
    ("text", "checker", "ok"),
    [
        ("TCP connection to [10.10.0.5]:tcp:80 failed.", "TCP_CHECK", False),
        ("TCP connection to [10.10.0.5]:80 failed !!!", "TCP_CHECK", False),
        ("TCP connection to [10.10.0.5]:tcp:80 timeout.", "TCP_CHECK", False),
        ("TCP connection to [10.10.0.5]:tcp:80 success.", "TCP_CHECK", True),
        ("TCP_CHECK on service [10.10.0.5]:tcp:80 failed after 2 retries.", "TCP_CHECK", False),
        ("TCP_CHECK on service [10.10.0.5]:tcp:80 failed.", "TCP_CHECK", False),
        ("HTTP_CHECK on service [10.10.0.5]:tcp:80 failed after 3 retries.", "HTTP_GET", False),
        ("Check on service [10.10.0.5]:80 failed after 3 retry.", "HTTP_GET", False),
        ("Error connecting server [10.10.0.5]:tcp:80.", "HTTP_GET", False),
        ("Timeout connecting server [10.10.0.5]:tcp:80.", "HTTP_GET", False),
        ("Timeout WEB read server [10.10.0.5]:tcp:80.", "HTTP_GET", False),
        ("Connection failed server [10.10.0.5]:tcp:80.", "HTTP_GET", False),
        ("Read, no data received from  server [10.10.0.5]:tcp:80.", "HTTP_GET", False),
        ("HTTP status code error to server [10.10.0.5]:tcp:80.", "HTTP_GET", False),
        (
            "HTTP status code error to [10.10.0.5]:tcp:80 url(/health), status_code [503].",
            "HTTP_GET",
            False,
        ),
        ("HTTP status code success to [10.10.0.5]:tcp:80 url(/health)", "HTTP_GET", True),
        (
            "MD5 digest error to [10.10.0.5]:80 url[/], MD5SUM [0123456789abcdef].",
            "HTTP_GET",
            False,
        ),
        ("Regex match failed server [10.10.0.5]:tcp:80.", "HTTP_GET", False),
        ("Remote Web server [10.10.0.5]:tcp:80 succeed on service.", "HTTP_GET", True),
        (
            "SSL handshake/communication error connecting to server [10.10.0.5]:tcp:80.",
            "SSL_GET",
            False,
        ),
        (
            "SSL handshake/communication error connecting to server (openssl errno: 1) "
            "[10.10.0.5]:80.",
            "SSL_GET",
            False,
        ),
        ("Remote SMTP server [10.10.0.5]:tcp:80 succeed on service.", "SMTP_CHECK", True),
        ("SMTP_CHECK Read timeout from server [10.10.0.5]:80", "SMTP_CHECK", False),
        (
            "SMTP_CHECK Network unreachable for server [10.9.9.9]:25 - real server "
            "[10.10.0.5]:tcp:80",
            "SMTP_CHECK",
            False,
        ),
        ("ICMP connection to [10.10.0.5]:tcp:80 success.", "PING_CHECK", True),
        ("ICMP connection to address [10.10.0.5]:tcp:80 timeout.", "PING_CHECK", False),
        ("UDP connection to [10.10.0.5]:udp:80 failed.", "UDP_CHECK", False),
        ("DNS_CHECK ([10.10.0.5]:udp:80) read timeout after 3 retries", "DNS_CHECK", False),
        ("BFD check of [rs3] RS([10.10.0.5]:tcp:80) is DOWN", "BFD_CHECK", False),
        ("BFD check of [rs3] RS([10.10.0.5]:tcp:80) is UP", "BFD_CHECK", True),
    ],
)
def test_checks(text: str, checker: str, ok: bool) -> None:
    assert facts_of(text) == (CheckSeen(ok, checker, text, RS, None),)


def test_checks_that_name_the_service() -> None:
    text = (
        "Misc check for [[10.10.0.5]:tcp:80 VS [10.10.0.20]:tcp:80] by [/usr/bin/check] failed "
        "after 2 retries (exited with status 1)."
    )
    assert facts_of(text) == (CheckSeen(False, "MISC_CHECK", text, RS, VS),)
    text = (
        "Misc check for [[10.10.0.5]:tcp:80 VS [10.10.0.20]:tcp:80] by [/usr/bin/check] succeeded."
    )
    assert facts_of(text) == (CheckSeen(True, "MISC_CHECK", text, RS, VS),)
    text = "ICMP connection to [10.10.0.5]:tcp:80 of [10.10.0.20]:tcp:80 failed."
    assert facts_of(text)[0] in (
        CheckSeen(False, "PING_CHECK", text, RS, VS),
        CheckSeen(False, "PING_CHECK", text, RS, None),
    )


def test_old_misc_check_names_the_address_only() -> None:
    text = "Misc check to [10.10.0.5] for [/usr/bin/check] failed."
    expected = CheckSeen(False, "MISC_CHECK", text, ServerKey("10.10.0.5", 0))
    assert facts_of(text) == (expected,)
    text = "Misc check to [10.10.0.5] for [/usr/bin/check] success."
    assert facts_of(text) == (CheckSeen(True, "MISC_CHECK", text, ServerKey("10.10.0.5", 0)),)


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("VRRP_Instance(VI_1) Transition to MASTER STATE", "election"),
        ("VRRP_Instance(VI_1) Received higher prio advert", "election"),
        ("VRRP_Instance(VI_1) Received advert with higher priority 150, ours 100", "election"),
        ("VRRP_Instance(VI_1) forcing a new MASTER election", "election"),
        ("VRRP_Instance(VI_1) setting protocol VIPs.", "vip"),
        ("VRRP_Instance(VI_1) removing protocol Virtual Routes", "vip"),
        ("receive an invalid passwd!", "mismatch"),
        ("bogus VRRP packet received on eth0 !!!", "mismatch"),
        ("(VI_1) received an invalid passwd!", "mismatch"),
        ("(VI_1) expected 2 VIPs but received 1", "mismatch"),
        ("(VI_1): received an unexpected ip number count 1, expected 2!", "mismatch"),
        ("Unknown VRID(52) received on interface(eth0). ignoring...", "mismatch"),
        ("Kernel is reporting: interface eth0 DOWN", "link"),
        ("Netlink reports eth0 down", "link"),
        ("Got SIGHUP, reloading checker configuration", "reload"),
        ("Reloading ...", "reload"),
        ("Reload complete", "reloaded"),
        ("Starting Keepalived v1.3.5 (03/19,2017), git commit v1.3.5-6-g6fa32f2", "start"),
        ("Stopping", "stop"),
        ("Stopped Keepalived v2.0.10 (11/12,2018)", "stop"),
        ("IPVS: Can't initialize ipvs: Protocol not available", "fatal"),
        ("VRRP child process(123) died: Respawning", "fatal"),
        ("daemon is already running", "fatal"),
        ("pid 16028 exited with permanent error CONFIG. Terminating", "fatal"),
        ("(/etc/keepalived/keepalived.conf: Line 36) Unknown keyword 'foo'", "config"),
        ("Unknown keyword 'foo'", "config"),
        ("SECURITY VIOLATION - scripts are being executed", "config"),
        ("(X) the virtual router id must be set", "config"),
        ("VRRP_Script(chk) timed out", "script"),
        ("service [10.10.0.5]:tcp:80 no longer exist", "other"),
        ("Removing Virtual Server [10.10.0.20]:tcp:80", "other"),
    ],
)
def test_what_the_daemon_says(text: str, kind: str) -> None:
    (fact,) = facts_of(text, "Keepalived_vrrp", 7)
    assert isinstance(fact, DaemonSaid)
    assert (fact.kind, fact.text, fact.ident, fact.pid) == (kind, text, "Keepalived_vrrp", 7)


@pytest.mark.parametrize(
    ("text", "state"),
    [
        ("VRRP_Instance(VI_1) Entering MASTER STATE", "MASTER"),
        ("VRRP_Instance(VI_1): Entering BACKUP STATE", "BACKUP"),
        ("VRRP_Instance(VI_1) Now in FAULT state", "FAULT"),
        ("(VI_1) Entering FAULT STATE (init)", "FAULT"),
    ],
)
def test_transitions_of_all_versions(text: str, state: str) -> None:
    assert facts_of(text) == (InstanceChanged("VI_1", state),)


def test_a_fault_keeps_its_cause() -> None:
    text = "(VI_1): entering FAULT state (interface eth0 down)"
    assert facts_of(text) == (
        InstanceChanged("VI_1", "FAULT"),
        DaemonSaid("link", text, instance="VI_1"),
    )


@pytest.mark.parametrize(
    "text",
    [
        "Sending gratuitous ARP on eth0 for 10.9.0.102",
        "(VI_2) Sending/queueing gratuitous ARPs on eth0 for 10.9.0.102",
        "VRRP_Instance(VI_1) Sending gratuitous ARPs on eth0 for 10.0.0.1",
        "Registering Kernel netlink reflector",
        "Assigned address 10.9.0.1 for interface eth0",
        "Printing VRRP as json for process(15836) on signal",
        "   Password = s3cr3t",
        "",
    ],
)
def test_noise_gives_nothing(text: str) -> None:
    assert facts_of(text) == ()


@pytest.mark.parametrize(
    "text",
    [
        "Unmatched quote: '    auth_pass \"s3cr3t'",
        "(Line 7) Unmatched quote: 'auth_pass \"s3cr3t and more'",
        "(/etc/keepalived/k.conf: Line 7) Unknown keyword 'auth_pass=s3cr3t'",
        "Misc check to [10.0.0.3] for [/bin/chk --password=s3cr3t] failed.",
        "SSL password:s3cr3t",
    ],
)
def test_no_password_passes(text: str) -> None:
    assert all("s3cr3t" not in repr(fact) for fact in facts_of(text))
    assert "s3cr3t" not in masked(text)


def test_harmless_words_about_passwords_stay() -> None:
    for text in (
        "Truncating auth_pass to 8 characters",
        "(VI_1) received an invalid passwd from 10.0.0.2!",
        "(VI_1): Authentication specified but no password given. Ignoring",
    ):
        assert masked(text) == text


def test_foreign_bytes_are_made_harmless() -> None:
    (fact,) = facts_of("(VI\x1b[31m_1) Entering MASTER STATE")
    assert isinstance(fact, InstanceChanged)
    assert "\x1b" not in fact.instance


NOW = 1795366800.0  # 2026-11-22 17:00:00 UTC


@pytest.mark.parametrize(
    ("line", "at", "host", "ident", "pid"),
    [
        ("Nov 22 16:59:15 lb1 Keepalived_vrrp[123]: x y", NOW - 45, "lb1", "Keepalived_vrrp", 123),
        ("<30>Nov 22 16:59:15 lb1 Keepalived[1]: x y", NOW - 45, "lb1", "Keepalived", 1),
        (
            "Nov 22 16:59:15 lb1 daemon.info Keepalived_vrrp[123]: x y",
            NOW - 45,
            "lb1",
            "Keepalived_vrrp",
            123,
        ),
        (
            "2026-11-22T17:59:15.250000+01:00 lb1 Keepalived_healthcheckers_ns1[9]: x y",
            NOW - 44.75,
            "lb1",
            "Keepalived_healthcheckers_ns1",
            9,
        ),
        ("2026-11-22T16:59:15Z lb1 Keepalived_bfd: x y", NOW - 45, "lb1", "Keepalived_bfd", 0),
        (
            "<30>1 2026-11-22T16:59:15.003Z lb1 Keepalived_vrrp 123 - - x y",
            NOW - 44.997,
            "lb1",
            "Keepalived_vrrp",
            123,
        ),
        (
            '<30>1 2026-11-22T16:59:15Z lb1 Keepalived 1 ID [a@1 b="]"][c d="e"] \ufeffx y',
            NOW - 45,
            "lb1",
            "Keepalived",
            1,
        ),
        ("Sun Nov 22 16:59:15 2026: x y", NOW - 45, "", "Keepalived", 0),
        ("Sun Nov 22 16:59:15.500000000 2026: x y", NOW - 44.5, "", "Keepalived", 0),
        ("Nov 22 16:59:15.500000 lb1 Keepalived[5]: x y", NOW - 44.5, "lb1", "Keepalived", 5),
        ("2026-11-22T16:59:15+0000 lb1 Keepalived[5]: x y", NOW - 45, "lb1", "Keepalived", 5),
        ("Sun 2026-11-22 16:59:15 UTC lb1 Keepalived[5]: x y", NOW - 45, "lb1", "Keepalived", 5),
    ],
)
def test_syslog_shapes(line: str, at: float, host: str, ident: str, pid: int) -> None:
    got = split_syslog(line, NOW)
    assert got[0] == pytest.approx(at, abs=0.0011)
    assert got[1:] == (host, ident, pid, "x y")


def test_the_year_is_guessed_from_the_clock() -> None:
    new_year = 1798765200.0  # 2027-01-01 01:00:00 UTC
    assert split_syslog("Dec 31 23:59:59 h Keepalived[1]: x", new_year)[0] == 1798761599.0
    just_before = 1798761590.0  # a host whose clock is a little ahead writes 2027 already
    assert split_syslog("Jan  1 00:00:05 h Keepalived[1]: x", just_before)[0] == 1798761605.0
    leap = split_syslog("Feb 29 12:00:00 h Keepalived[1]: x", NOW)[0]
    assert leap == 1709208000.0  # 2024


def test_local_time_is_local(monkeypatch: pytest.MonkeyPatch) -> None:
    from lvstui.sources import log_lines

    monkeypatch.setenv("TZ", "America/New_York")
    time.tzset()
    log_lines._second.cache_clear()
    try:
        at = split_syslog("Nov 22 11:59:15 lb1 Keepalived[1]: x", NOW)[0]
    finally:
        log_lines._second.cache_clear()
    assert at == NOW - 45


@pytest.mark.parametrize("line", ["", "hello", "Foo 99 99:99:99 x y: z", "Nov 31 10:00:00 h a: b"])
def test_other_lines_are_survived(line: str) -> None:
    at, _, _, _, text = split_syslog(line, NOW)
    assert at is None
    assert text in (line, "b", "z")


def test_repeats_are_said_once() -> None:
    repeats = Repeats()
    (fact,) = facts_of("(VI_3) received lower priority (90) advert from 10.9.0.1 - discarding")
    assert not repeats.is_repeat(fact, 100.0)
    assert repeats.is_repeat(fact, 101.0)
    assert repeats.is_repeat(fact, 160.5)  # renewed
    assert not repeats.is_repeat(fact, 221.0)
    assert not repeats.is_repeat(InstanceChanged("VI_3", "MASTER"), 222.0)
    assert not repeats.is_repeat(InstanceChanged("VI_3", "MASTER"), 222.0)
