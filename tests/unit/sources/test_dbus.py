"""D-Bus signals as the two listeners print them; the listener itself is a script here."""

from __future__ import annotations

import threading
import time
from pathlib import Path

from lvstui.model.facts import Available, DaemonSaid, InstanceChanged, Missing, Observation
from lvstui.sources.base import Context
from lvstui.sources.dbus import DbusSource, parse_signal

PATH = "/org/keepalived/Vrrp1/Instance/eth0/51/IPv4"
GDBUS = f"{PATH}: org.keepalived.Vrrp1.Instance.VrrpStatusChange (uint32 2,)"
BUSCTL = (
    '{"type":"signal","endian":"l","flags":1,"version":1,"cookie":9,'
    f'"path":"{PATH}","interface":"org.keepalived.Vrrp1.Instance",'
    '"member":"VrrpStatusChange","payload":{"type":"u","data":[2]}}'
)


def test_both_listeners_are_understood() -> None:
    assert parse_signal(GDBUS) == (PATH, "VrrpStatusChange", 2)
    assert parse_signal(BUSCTL) == (PATH, "VrrpStatusChange", 2)
    for other in (
        "Monitoring signals from all objects owned by org.keepalived.Vrrp1",
        "The name org.keepalived.Vrrp1 is owned by :1.5",
        "{",
        "{}",
        BUSCTL.replace("org.keepalived.Vrrp1.Instance", "org.freedesktop.DBus"),
        "",
    ):
        assert parse_signal(other) is None


def test_facts() -> None:
    asked: list[str] = []

    def name_of(path: str) -> str:
        asked.append(path)
        return "VI_1"

    source = DbusSource(lambda: True, name_of=name_of, user_of=lambda _: 0)
    for line in (GDBUS, BUSCTL):
        assert source.fact_of(line) == InstanceChanged("VI_1", "MASTER", None, "dbus")
    assert asked == [PATH]
    reloaded = "/org/keepalived/Vrrp1/Vrrp: org.keepalived.Vrrp1.Vrrp.VrrpReloaded ()"
    assert source.fact_of(reloaded) == DaemonSaid("reloaded", "D-Bus: VrrpReloaded", "dbus")
    assert source.fact_of(GDBUS) is not None
    assert len(asked) == 2
    assert (
        DbusSource(lambda: True, name_of=lambda _: "", user_of=lambda _: 0).fact_of(GDBUS) is None
    )


def run(source: DbusSource, seconds: float) -> list[Observation]:
    seen: list[Observation] = []
    context = Context("lb1", seen.append)
    thread = threading.Thread(target=source.run, args=(context,))
    thread.start()
    time.sleep(seconds)
    context.stop.set()
    thread.join(30)
    assert not thread.is_alive()
    return seen


def test_the_listener_is_a_child(tmp_path: Path) -> None:
    script = tmp_path / "listener"
    script.write_text(f"#!/bin/sh\necho $$ > {tmp_path}/pid\necho '{GDBUS}'\nexec sleep 60\n")
    script.chmod(0o755)
    source = DbusSource(lambda: True, lambda: [str(script)], lambda _: "VI_1", lambda _: 0)
    seen = run(source, 0.5)
    assert [o.fact for o in seen] == [
        Available("dbus"),
        InstanceChanged("VI_1", "MASTER", None, "dbus"),
    ]
    pid = int((tmp_path / "pid").read_text())
    assert not Path(f"/proc/{pid}").exists()


def test_what_is_missing_is_said() -> None:
    seen = run(DbusSource(lambda: True, lambda: None), 0.2)
    assert len(seen) == 1
    assert isinstance(seen[0].fact, Missing)
    assert run(DbusSource(lambda: False), 0.2) == []
    seen = run(DbusSource(lambda: True, lambda: ["false"]), 0.3)
    assert isinstance(seen[0].fact, Missing)


def test_only_a_process_of_roots_is_believed() -> None:
    asked: list[str] = []

    def user_of(name: str) -> int | None:
        asked.append(name)
        return {":1.7": 0, ":1.8": 1000, "org.keepalived.Vrrp1": 0}.get(name)

    source = DbusSource(lambda: True, name_of=lambda _: "VI_1", user_of=user_of)

    def of(sender: str) -> str:
        return BUSCTL.replace('"path"', f'"sender":"{sender}","path"')

    assert source.fact_of(of(":1.7")) == InstanceChanged("VI_1", "MASTER", None, "dbus")
    assert source.fact_of(of(":1.8")) is None
    assert source.fact_of(of(":1.9")) is None
    assert source.fact_of(of(":1.7")) is not None
    assert asked == [":1.7", ":1.8", ":1.9"]
    assert source.fact_of(GDBUS) is not None
    assert asked[-1] == "org.keepalived.Vrrp1"
