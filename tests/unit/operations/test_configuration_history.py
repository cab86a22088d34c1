"""What the directors remember, as it may be shown."""

from __future__ import annotations

import pytest

from lvstui.keepalived.daemon.facts import ConfigSeen, DaemonLook, DirectorSeen
from lvstui.keepalived.text.parser import parse_bytes
from lvstui.operations import config_history, configuration
from lvstui.operations.audit import AuditLog
from lvstui.operations.config_history import HistoryEntry
from lvstui.operations.config_plan import FileChange
from lvstui.operations.configuration import DirectorConfigs
from lvstui.operations.configuration_hosts import DirectorAccess
from lvstui.remote.local import LocalRunner

AUTHENTICATION = b"vrrp_instance V {\n authentication {\n  auth_type PASS\n  auth_pass %s\n }\n}\n"
BEFORE = b"priority 150\n" + AUTHENTICATION % b"MKA1pass"
AFTER = b"priority 151 # MKA1pass, MKA2pass, MKA3pass\n" + AUTHENTICATION % b"MKA2pass"
NOW = AUTHENTICATION % b"MKA3pass"


@pytest.mark.parametrize("named", ["lb1", "10.0.0.1"])
def test_the_difference_of_a_past_change_has_no_password(
    monkeypatch: pytest.MonkeyPatch, named: str
) -> None:
    """Neither one that went, nor one that came, nor one that is there since."""
    entry = HistoryEntry("i", 1.0, "alice", "a change", hosts=(named,), files=("/k.conf", "/o"))
    seen = DirectorSeen(DaemonLook("lb1"), ConfigSeen(parse_bytes(NOW), None, ()))
    kept = (
        FileChange("/k.conf", BEFORE, AFTER),
        FileChange("/other.conf", None, b"# MKA1pass MKA2pass\n"),
    )
    monkeypatch.setattr(config_history, "read_history", lambda runner, only: (entry,))
    monkeypatch.setattr(config_history, "read_kept", lambda runner, id_, files: kept)
    monkeypatch.setattr(configuration, "look_at", lambda where, runner: seen)
    where = DirectorAccess("lb1", lambda: LocalRunner("lb1"), local=True)
    text = DirectorConfigs([where], audit=AuditLog(who="alice")).diff("i")
    assert "MKA" not in text
    assert "-priority 150\n+priority 151 # ********, ********, ********\n" in text
    assert "+# ******** ********\n" in text
