"""What answers mean, who may speak for a VIP, and what this host's interfaces are."""

from __future__ import annotations

import errno

import pytest

from lvstui.kernel.rtnetlink import Link
from lvstui.realserver import probes
from lvstui.realserver.probes import links
from lvstui.realserver.probes.asking import Expectation, ProbeAnswer, judge
from lvstui.realserver.probes.links import Network
from lvstui.realserver.probes.results import CannotProbe, cannot

VIP = "10.10.0.20"
LB1, LB2, RS3, ODD = (f"02:00:0a:0a:00:{n:02x}" for n in (2, 6, 5, 9))
VMAC = "00:00:5e:00:01:33"
NAMES = {RS3: "rs3 10.10.0.5"}
ETH0 = Link(2, "eth0", LB1)
MASTER = Network((ETH0,), (("eth0", "10.10.0.2"), ("eth0", VIP)))
BACKUP = Network((ETH0,), (("eth0", "10.10.0.2"),))


def offenders(network: Network, *macs: str, expected: dict[str, str] | None = None) -> list[str]:
    """Whose answers the evidence says must not be."""
    answers = tuple(ProbeAnswer(mac, mac, 3, 0.5) for mac in macs)
    who = Expectation(network.owns(VIP), network.macs(), expected or {}, NAMES)
    evidence = judge(VIP, "asked 3 times", answers, who, network).evidence
    assert len(evidence) >= 2
    return [line.split()[2] for line in evidence if line.endswith(": it must not")]


@pytest.mark.parametrize(
    ("network", "macs", "expected", "wrong"),
    [
        (MASTER, [], {}, []),
        (MASTER, [RS3], {}, [RS3]),
        (MASTER, [RS3, ODD], {}, [RS3, ODD]),
        (MASTER, [LB2], {LB2: "lb2"}, [LB2]),
        (MASTER, [VMAC], {}, [VMAC]),
        (BACKUP, [], {}, []),
        (BACKUP, [LB2], {LB2: "lb2"}, []),
        (BACKUP, [ODD], {}, []),
        (BACKUP, [ODD], {LB2: "lb2"}, [ODD]),
        (BACKUP, [LB2, RS3], {}, [RS3]),
        (BACKUP, [LB2, ODD], {}, []),
        (BACKUP, [VMAC, ODD], {}, [ODD]),
        (BACKUP, [RS3], {}, [RS3]),
        (BACKUP, [RS3], {RS3: "lb2"}, []),
    ],
)
def test_judgement(
    network: Network, macs: list[str], expected: dict[str, str], wrong: list[str]
) -> None:
    assert offenders(network, *macs, expected=expected) == wrong


def test_vmac_links_hold_the_vip_and_the_base_asks() -> None:
    vmac = Link(5, "vrrp.51", VMAC, kind="macvlan", base=2)
    lo = Link(1, "lo", "", ethernet=False, loopback=True)
    dummy = Link(6, "lvs0", ODD, ethernet=False, kind="dummy")
    network = Network(
        (lo, ETH0, vmac, dummy), (("vrrp.51", VIP), ("lo", "10.9.9.9"), ("lvs0", "10.9.9.8"))
    )
    assert network.holders(VIP) == (vmac,)
    assert network.wire(vmac) is ETH0
    assert links.asking_link(VIP, network, "", "x") is ETH0
    assert links.asking_link(VIP, network, "vrrp.51", "x") is ETH0
    assert VMAC in network.macs()
    assert not network.owns("10.9.9.9"), "on the loopback nobody else sees it"
    assert not network.owns("10.9.9.8"), "nor on a dummy"


@pytest.mark.parametrize(
    ("link", "why"),
    [
        (Link(2, "eth0", LB1, up=False), "eth0 is down"),
        (Link(2, "eth0", "", ethernet=False), "eth0 does not speak ARP"),
        (Link(2, "eth1", LB1), "there is no interface eth0"),
    ],
)
def test_unusable_links(link: Link, why: str) -> None:
    with pytest.raises(CannotProbe) as caught:
        links.usable(Network((link,), ()), "eth0", "no probe")
    assert caught.value.result.text == why
    assert caught.value.result.evidence[0] == f"no probe: {why}"


@pytest.mark.parametrize(
    ("number", "part"),
    [
        (errno.EPERM, "no raw sockets"),
        (errno.ENODEV, "no interface eth0"),
        (errno.ENETDOWN, "eth0 is down"),
        (errno.EAFNOSUPPORT, "no packet sockets"),
        (errno.ENOBUFS, "eth0: "),
    ],
)
def test_errors_in_words(number: int, part: str) -> None:
    assert part in cannot("x", OSError(number, "y"), "eth0").result.text


def test_this_host_can_be_read() -> None:
    network = links.read_network()
    assert any(link.loopback for link in network.links)
    assert ("lo", "127.0.0.1") in network.held


def test_what_is_no_address_is_said() -> None:
    odd = "VIP\x1b[31m"
    for result in (
        probes.ask_all([odd])[odd],
        probes.macs_of(["nowhere"])["nowhere"],
        probes.try_path("x", 80, "10.0.0.1"),
    ):
        assert isinstance(result, probes.Unavailable)
        assert result.text.endswith("is no IP address")
        assert "\x1b" not in result.text
    with probes.ArpListener(["x"], {}) as ear:
        pass
    assert ear.words == "x is no IP address"
    assert probes.announce(["x"]) == "x is no IP address"


def test_what_has_no_probe_is_unknown() -> None:
    mixed = probes.try_path("fd00::1", 80, "10.10.0.3")
    assert isinstance(mixed, probes.PathResult)
    assert mixed.state is probes.PathState.UNKNOWN
