"""What keepalived of each Debian release wrote, as recorded in the lab, is understood alike."""

from __future__ import annotations

import pytest

from lvstui.keepalived.lint.own_test import classify
from lvstui.keepalived.text.parser import parse_bytes
from lvstui.model import facts as f
from lvstui.model.finding import FindingSeverity
from lvstui.model.keys import ServerKey, ServiceKey
from lvstui.sources.dump_text import parse_checks, parse_data, parse_json, parse_stats
from lvstui.sources.log_lines import facts_of, split_syslog
from tests.unit.keepalived.lint.cases import CASES
from tests.unit.sources.releases import recorded, versions

WEB = ServiceKey.of("tcp", "10.10.0.20", 80)
RS1 = ServerKey("10.10.0.3", 80)
VERSIONS = versions()


def said(version: str, node: str) -> list[f.Fact]:
    lines = recorded(version).logs[node].splitlines()
    parts = [split_syslog(line) for line in lines]
    return [fact for _, _, ident, pid, text in parts for fact in facts_of(text, ident, pid)]


def test_every_release_was_recorded() -> None:
    assert VERSIONS == ["2.1.5", "2.2.7", "2.3.3", "2.3.4"]


@pytest.mark.parametrize("version", VERSIONS)
def test_a_server_that_fails_and_recovers(version: str) -> None:
    facts = said(version, "lb1")
    moves = [
        (fact.up, fact.how)
        for fact in facts
        if isinstance(fact, f.ServerChanged) and (fact.service, fact.server) == (WEB, RS1)
    ]
    # Without its cable lb1 loses all servers once more.
    assert moves[:3] == [(True, "added"), (False, "removed"), (True, "added")]
    checks = [fact for fact in facts if isinstance(fact, f.CheckSeen) and fact.server == RS1]
    assert {fact.ok for fact in checks} == {True, False}
    assert {fact.checker for fact in checks} <= {"HTTP_GET", "HTTP_CHECK", "TCP_CHECK", ""}


@pytest.mark.parametrize("version", VERSIONS)
def test_a_failover_there_and_back(version: str) -> None:
    ours = [fact.state for fact in said(version, "lb1") if isinstance(fact, f.InstanceChanged)]
    theirs = [fact.state for fact in said(version, "lb2") if isinstance(fact, f.InstanceChanged)]
    assert [state for state in ours if state == "MASTER"] == ["MASTER"] * 2
    assert "FAULT" in ours
    assert theirs == ["BACKUP", "MASTER", "BACKUP"]
    kinds = {fact.kind for fact in said(version, "lb1") if isinstance(fact, f.DaemonSaid)}
    assert {"start", "reload"} <= kinds


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize(("node", "state"), [("lb1", "MASTER"), ("lb2", "BACKUP")])
def test_dumps(version: str, node: str, state: str) -> None:
    dumps = recorded(version).dumps
    for name, parse in (("keepalived.data", parse_data), ("keepalived.json", parse_json)):
        if f"{node}-{name}" not in dumps:
            assert (name, version) == ("keepalived.json", "2.1.5")  # built without it
            continue
        instances = parse(dumps[f"{node}-{name}"])
        assert instances is not None
        (one,) = instances
        assert (one.name, one.state, one.vrid, one.vips) == ("LB_1", state, 51, ("10.10.0.20",))
        assert one.effective_priority == one.base_priority == {"lb1": 150, "lb2": 100}[node]
    stats = parse_stats(dumps[f"{node}-keepalived.stats"])
    assert stats is not None
    assert stats["LB_1"].became_master == (state == "MASTER")


@pytest.mark.parametrize("version", VERSIONS)
def test_the_dump_of_the_checks_agrees_with_ipvsadm(version: str) -> None:
    whole = recorded(version)
    checks = parse_checks(whole.dumps["lb1-keepalived_check.data"])
    assert checks is not None
    alive = {(one.service, str(one.server)) for one in checks if one.alive}
    (web, dns) = whole.table.split("\nUDP ")
    for key, part in ((WEB, web), (ServiceKey.of("udp", "10.10.0.20", 53), dns)):
        listed = {line.split()[1] for line in part.splitlines() if line.startswith("  -> 1")}
        assert {server for service, server in alive if service == key} == listed
    down = [one for one in checks if not one.alive]
    assert all(one.server.address == RS1.address for one in down)
    assert all(one.failed_checkers for one in down)


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("name", sorted(CASES))
def test_what_its_own_test_prints_is_known(version: str, name: str) -> None:
    status, text = recorded(version).tests[name]
    tree = parse_bytes(CASES[name][0].encode(), "/tmp/lint/a.conf", "router")
    found = classify(status, text, version, tree)
    assert not any(one.rule in ("-t:status", "-t:unknown") for one in found), text
    if status == 0 and not text:
        assert not [one for one in found if one.severity is not FindingSeverity.NOTE]
