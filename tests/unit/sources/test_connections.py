"""The source of samples: nothing is read without services, and what cannot be read is said."""

from __future__ import annotations

import threading
from pathlib import Path

from lvstui.model import facts as f
from lvstui.model.keys import ServiceKey
from lvstui.sources.base import Context
from lvstui.sources.connections import ConnectionSamples
from lvstui.sources.local_routes import LocalRoutes, is_local

WEB = ServiceKey.of("tcp", "127.0.0.1", 80)
ENTRY = "TCP 0A0A000A DC34 0A0A0014 0050 0A0A0003 0050 SYN_RECV         59\n"


def seen(source: ConnectionSamples | LocalRoutes, *services: ServiceKey) -> list[f.Fact]:
    """What it says until its first tick is over."""
    stop, found = threading.Event(), []

    class Once(threading.Event):
        def wait(self, timeout: float | None = None) -> bool:
            return True

    stop = Once()
    source.services(services)
    source.run(Context("lb1", lambda one: found.append(one.fact), stop))
    return found


def test_the_table_is_sampled_while_there_are_services(tmp_path: Path) -> None:
    path = tmp_path / "ip_vs_conn"
    path.write_text(ENTRY)
    source = ConnectionSamples(str(path))
    (fact,) = seen(source, WEB)
    assert isinstance(fact, f.ConnectionsSeen)
    assert [row.state for row in fact.seen.rows] == ["SYN_RECV"]
    assert seen(source) == []


def test_what_may_not_be_read_is_said_once(tmp_path: Path) -> None:
    path = tmp_path / "ip_vs_conn"
    assert seen(ConnectionSamples(str(path)), WEB) == []  # no IPVS: the table's source says so
    path.mkdir()
    source = ConnectionSamples(str(path))
    (fact,) = seen(source, WEB)
    assert isinstance(fact, f.Missing)
    assert seen(source, WEB) == []
    path.rmdir()
    path.write_text(ENTRY)
    back, _ = seen(source, WEB)
    assert back == f.Available("connections")


def test_the_routes_of_each_service_are_asked_and_told_when_they_change() -> None:
    source = LocalRoutes()
    assert seen(source, WEB, ServiceKey.mark(7)) == [f.LocalSeen((("127.0.0.1", True),))]
    assert seen(source, WEB) == []
    assert seen(source) == []


def test_an_address_of_others_is_not_local() -> None:
    assert is_local("192.0.2.1") is False
    assert is_local("no address") is None
