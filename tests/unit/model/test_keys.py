"""Identities are read back from how they are printed."""

from __future__ import annotations

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lvstui.model.keys import ServerKey, ServiceKey, canonical_address

ADDRESSES = st.one_of(st.ip_addresses(v=4), st.ip_addresses(v=6)).filter(
    lambda a: not getattr(a, "scope_id", None)
)
PORTS = st.integers(0, 65535)


@given(ADDRESSES, PORTS, st.sampled_from(["tcp", "udp", "sctp"]))
def test_services_survive_printing(
    address: ipaddress.IPv4Address | ipaddress.IPv6Address, port: int, protocol: str
) -> None:
    key = ServiceKey.of(protocol, str(address), port)
    assert ServiceKey.parse(str(key)) == key


@given(st.integers(1, 2**32 - 1), st.sampled_from([4, 6]))
def test_marks_survive_printing(mark: int, family: int) -> None:
    key = ServiceKey.mark(mark, family)
    assert ServiceKey.parse(str(key)) == key


@given(ADDRESSES, PORTS)
def test_servers_survive_printing(
    address: ipaddress.IPv4Address | ipaddress.IPv6Address, port: int
) -> None:
    key = ServerKey(canonical_address(str(address)), port)
    assert ServerKey.parse(str(key)) == key


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("tcp:10.0.0.1:80", "tcp 10.0.0.1:80"),
        ("TCP/10.0.0.1:80", "tcp 10.0.0.1:80"),
        ("udp [FD00::0:1]:53", "udp [fd00::1]:53"),
        ("fwmark:7", "fwmark 7"),
        ("fwmark 7 ipv6", "fwmark 7 ipv6"),
    ],
)
def test_other_spellings(text: str, expected: str) -> None:
    assert str(ServiceKey.parse(text)) == expected


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("web", "names no virtual service"),
        ("tcp 10.0.0.300:80", "is no address"),
        ("tcp 10.0.0.1:70000", "over 65535"),
        ("fwmark 0", "from 1 to"),
        ("fwmark 7 ipv9", "only 'ipv6'"),
        ("", "names no virtual service"),
    ],
)
def test_what_is_no_service_says_why(text: str, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        ServiceKey.parse(text)
