"""An observation survives being written as a line and read back."""

from __future__ import annotations

from pathlib import Path

import pytest

from lvstui.kernel.table import TableReader
from lvstui.model import facts as f
from lvstui.model.config import Configuration, Place
from lvstui.model.files import ConfigFile, ConfigFiles
from lvstui.model.finding import Finding, FindingSeverity
from lvstui.model.realserver import Check, Look, Verdict
from lvstui.model.waiting import ChangeStands
from lvstui.model.wire import decode, encode
from tests.unit.world import INSTANCE, WEB, configured, rs, service

TABLE = (Path(__file__).parents[2] / "data" / "ip_vs.txt").read_text()
CONFIG = Configuration((service(configured(1), configured(2, weight=0)),), (INSTANCE,), digest="x")
FACTS: list[f.Fact] = [
    f.ConfigurationSeen(CONFIG, loaded=True),
    f.DaemonSeen(
        True, "2.2.7", 7, (("vrrp", 8),), 1.5, (("vrrp", 2.5),), (1, 10), True, "/etc/x.conf"
    ),
    f.InstanceChanged("LB_1", "MASTER", 150, "fifo"),
    f.AddressesSeen((("eth0", "fd00::1", 64),)),
    f.ServerChanged(WEB, rs(3), False, "removed"),
    f.CheckSeen(False, "TCP_CHECK", "refused [x] “y”", rs(3)),
    f.Missing("proc", "no IPVS", "modprobe ip_vs"),
    f.Done("drain", "alice", "text", WEB, rs(2), 10, 0, "why", "id"),
    f.NamesSeen((("10.0.0.1", "a"),)),
    f.ChangesSeen((ChangeStands("id", "armed", "t", "alice", 5.0, "", 60.5, True, "", True),)),
    f.FilesSeen(
        ConfigFiles(
            (ConfigFile("/etc/k.conf", 7.5, ("global_defs {", "}")),),
            "lb1",
            (
                Finding(
                    "rule", FindingSeverity.ERROR, "text", Place("/etc/k.conf", 2), "seen", "fix"
                ),
            ),
        )
    ),
    f.RealServerSeen(
        Look(
            "10.10.0.3",
            "rs1",
            8.5,
            (("10.10.0.20", (Check("vip", Verdict.BAD, "no", "says", ("seen",), "push"),)),),
            about=(("login", "root"),),
        )
    ),
]


@pytest.mark.parametrize("fact", FACTS, ids=lambda fact: type(fact).__name__)
def test_facts_survive(fact: f.Fact) -> None:
    seen = f.Observation(12.5, "lb1", "test", fact, past=True)
    line = encode(seen)
    assert "\n" not in line
    assert decode(line) == seen


def test_tables_survive() -> None:
    table = TableReader().parse(TABLE)
    back = decode(encode(f.Observation(1.0, "lb1", "proc", f.TableSeen(table)))).fact
    assert isinstance(back, f.TableSeen)
    for old, new in zip(table.services, back.table.services, strict=True):
        assert (old.key, old.destinations, old.netmask) == (new.key, new.destinations, new.netmask)


@pytest.mark.parametrize("line", ["", "{}", "[]", '{"fact":"Nonsense","is":{}}', "\x00", "{"])
def test_what_is_no_observation_is_refused(line: str) -> None:
    with pytest.raises(ValueError, match="not an observation"):
        decode(line)
