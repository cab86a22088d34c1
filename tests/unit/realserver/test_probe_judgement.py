"""What answers mean, who may speak for a VIP, and what this host's interfaces are."""

from __future__ import annotations

import errno

import pytest

from lvstui.kernel.rtnetlink import Link
from lvstui.realserver import probes
from lvstui.realserver.probes import arp, links
from lvstui.realserver.probes.arp import AskState, judge
from lvstui.realserver.probes.asking import Asked, Expectation, ProbeAnswer
from lvstui.realserver.probes.links import Network
from lvstui.realserver.probes.results import CannotProbe, cannot

VIP = "10.10.0.20"
LB1, LB2, RS3, ODD = (f"02:00:0a:0a:00:{n:02x}" for n in (2, 6, 5, 9))
VMAC = "00:00:5e:00:01:33"
NAMES = {RS3: "rs3 10.10.0.5"}
ETH0 = Link(2, "eth0", LB1)
MASTER = Network((ETH0,), (("eth0", "10.10.0.2"), ("eth0", VIP)))
BACKUP = Network((ETH0,), (("eth0", "10.10.0.2"),))


def asked(
    network: Network, *macs: str, expected: dict[str, str] | None = None, moved: bool = False
) -> arp.ArpAnswers:
    answers = tuple(ProbeAnswer(mac, mac, 3, 0.5) for mac in macs)
    who = Expectation(network.owns(VIP), network.macs(), expected or {}, NAMES)
    return judge(VIP, Asked("eth0", "0.0.0.0", 3, 0.25), answers, who, moved, network)


@pytest.mark.parametrize(
    ("network", "macs", "expected", "state", "text", "offenders"),
    [
        (MASTER, (), {}, AskState.CLEAN, "only this host", ()),
        (MASTER, (RS3,), {}, AskState.OFFENDERS, "rs3 answers", (RS3,)),
        (MASTER, (RS3, ODD), {}, AskState.OFFENDERS, f"rs3, {ODD} answer", (RS3, ODD)),
        (MASTER, (LB2,), {LB2: "lb2"}, AskState.OFFENDERS, "lb2 answers", (LB2,)),
        (MASTER, (VMAC,), {}, AskState.OFFENDERS, f"{VMAC} answers", (VMAC,)),
        (BACKUP, (), {}, AskState.NOBODY, "nobody answers", ()),
        (BACKUP, (LB2,), {LB2: "lb2"}, AskState.CLEAN, "only lb2", ()),
        (BACKUP, (ODD,), {}, AskState.CLEAN, f"only {ODD}", ()),
        (BACKUP, (ODD,), {LB2: "lb2"}, AskState.OFFENDERS, f"{ODD} answers", (ODD,)),
        (BACKUP, (LB2, RS3), {}, AskState.OFFENDERS, "rs3 answers", (RS3,)),
        (BACKUP, (LB2, ODD), {}, AskState.SEVERAL, "2 MACs answer", ()),
        (BACKUP, (VMAC, ODD), {}, AskState.OFFENDERS, f"{ODD} answers", (ODD,)),
        (BACKUP, (RS3,), {}, AskState.OFFENDERS, "rs3 answers", (RS3,)),
        (BACKUP, (RS3,), {RS3: "lb2"}, AskState.CLEAN, "only rs3", ()),
    ],
)
def test_judgement(
    network: Network,
    macs: tuple[str, ...],
    expected: dict[str, str],
    state: AskState,
    text: str,
    offenders: tuple[str, ...],
) -> None:
    found = asked(network, *macs, expected=expected)
    assert (found.state, found.text, found.offenders) == (state, text, offenders)
    assert len(found.evidence) >= 2


def test_a_failover_meanwhile_makes_no_offender() -> None:
    assert asked(MASTER, LB2, moved=True).state is AskState.MOVED


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
    assert caught.value.result.why == why
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
    assert part in cannot("x", OSError(number, "y"), "eth0").result.why


def test_this_host_can_be_read() -> None:
    network = links.read_network()
    assert any(link.loopback for link in network.links)
    assert ("lo", "127.0.0.1") in network.held


def test_what_is_no_address_is_said() -> None:
    for result in (
        probes.ask("VIP\x1b[31m"),
        probes.mac_of("nowhere"),
        probes.watch(0, ["x"]),
        probes.try_path("x", 80, "10.0.0.1"),
        probes.announce(["x"]),
    ):
        assert isinstance(result, probes.Unavailable)
        assert result.why.endswith("is no IP address")
        assert "\x1b" not in result.why


def test_what_has_no_probe_is_unknown() -> None:
    udp = probes.try_path(VIP, 53, "10.10.0.3", protocol="udp")
    assert isinstance(udp, probes.PathResult)
    assert (udp.state, udp.text) == (probes.PathState.UNKNOWN, "udp has no general probe")
    mixed = probes.try_path("fd00::1", 80, "10.10.0.3")
    assert isinstance(mixed, probes.PathResult)
    assert mixed.state is probes.PathState.UNKNOWN


def test_all_results_share_their_face() -> None:
    found: list[probes.ProbeResult] = [asked(MASTER), probes.Unavailable("a", "b")]
    assert [result.text for result in found] == ["only this host", "b"]
