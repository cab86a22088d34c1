"""The kernel's table as /proc/net/ip_vs prints it."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lvstui.kernel.table import TableReader, parse_destination, parse_service
from lvstui.model.keys import ServerKey, ServiceKey

TABLE = (Path(__file__).parents[2] / "data" / "ip_vs.txt").read_text()
HEAD = "".join(TABLE.splitlines(keepends=True)[:3])


def test_every_shape() -> None:
    table = TableReader(tick_s=0.01).parse(TABLE)
    assert table.version == "1.2.1"
    assert table.size == 4096
    assert [str(service.key) for service in table.services] == [
        "tcp 10.10.0.20:80",
        "udp 10.10.0.20:53",
        "fwmark 7",
        "fwmark 7 ipv6",
        "tcp [fd00::20]:443",
        "sctp 10.10.0.20:132",
    ]
    web, dns, mark, mark6, https, sctp = table.services
    assert web.scheduler == "wrr"
    assert web.persistence_s is None
    assert [(d.key, d.forwarding, d.weight, d.active, d.inactive) for d in web.destinations] == [
        (ServerKey("10.10.0.3", 80), "DR", 10, 612, 4050),
        (ServerKey("10.10.0.4", 80), "DR", 0, 41, 300),
    ]
    assert dns.one_packet
    assert dns.destinations[0].forwarding == "NAT"
    assert (mark.persistence_s, mark.netmask) == (300, "255.255.255.0")
    assert mark.destinations[0].forwarding == "TUN"
    assert mark6.key == ServiceKey.mark(7, 6)
    assert (https.persistence_s, https.netmask) == (60, "/64")
    assert https.destinations[0].forwarding == "LOCAL"
    assert sctp.destinations == ()


def test_what_did_not_change_keeps_its_object() -> None:
    reader = TableReader()
    first = reader.parse(TABLE)
    assert reader.parse(TABLE) is first
    second = reader.parse(TABLE.replace("612        4050", "613        4050"))
    assert second is not first
    assert second.services[0] is not first.services[0]
    assert second.services[0].destinations[0].active == 613
    assert second.services[0].destinations[1] is first.services[0].destinations[1]
    for old, new in zip(first.services[1:], second.services[1:], strict=True):
        assert new is old


def test_services_that_come_and_go() -> None:
    reader = TableReader()
    assert reader.parse(HEAD).services == ()
    assert len(reader.parse(TABLE).services) == 6
    assert reader.parse(HEAD).services == ()
    assert reader.parse("").services == ()


@pytest.mark.parametrize(
    "line", ["", "  -> 0A0A0003:0050 Route 1 2", "x" * 10, "  -> zz:0 a 1 2 3"]
)
def test_a_line_that_is_not_the_kernels(line: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        parse_destination(line, {})


def test_a_service_line_that_is_not_the_kernels() -> None:
    with pytest.raises(ValueError, match="not a service line"):
        parse_service("TCP")


@given(
    st.integers(0, 2**32 - 1),
    st.integers(0, 65535),
    st.integers(0, 2**31 - 1),
    st.integers(0, 2**31 - 1),
)
def test_any_ipv4_destination(address: int, port: int, weight: int, active: int) -> None:
    line = f"  -> {address:08X}:{port:04X}      {'Route':<7} {weight:<6d} {active:<10d} {0:<10d}"
    found = parse_destination(line, {})
    octets = ".".join(str(address >> shift & 255) for shift in (24, 16, 8, 0))
    assert found.key == ServerKey(octets, port)
    assert (found.weight, found.active) == (weight, active)
