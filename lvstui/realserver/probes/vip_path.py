"""Whether a real server takes what a director would hand it: a SYN for the VIP to its MAC.

This is what Direct Routing does with a client's packet, done by hand: the frame goes to the real
server's MAC, the packet to the VIP. It needs neither IPVS nor a login, and proves at once that the
VIP is there, that the service listens on it, that no filter drops it and that the reply with the
VIP as its source leaves the host. The service itself never sees it: no connection is completed.
"""

from __future__ import annotations

import secrets
import time
from dataclasses import dataclass, replace
from enum import Enum

from lvstui.kernel.rtnetlink import Link
from lvstui.realserver.probes.frames import ETH_P_IP, ETH_P_IPV6, Ethernet, family, mac_bytes
from lvstui.realserver.probes.links import Network, Reach, address_of, reach, read_network, usable
from lvstui.realserver.probes.macs import MacState, mac_of
from lvstui.realserver.probes.packets import RST, SYN, Tcp
from lvstui.realserver.probes.raw import ETH_P_ALL, Wire, conversation
from lvstui.realserver.probes.results import CannotProbe, Unavailable
from lvstui.realserver.probes.syn_answers import SynAnswerKind, Told, understand

WAIT_S = 0.5
TRIES = 2


class PathState(str, Enum):
    """How a real server takes packets for the VIP."""

    ANSWERED = "answered"
    """SYN-ACK from the VIP by this real server: all is well."""
    REFUSED = "refused"
    """RST from the VIP: it is there, nothing listens on the port."""
    SILENT = "silent"
    """Nothing came back: the VIP is missing, a firewall or rp_filter drops the packet."""
    FORWARDS = "forwards"
    """It would pass the packet on: the VIP is missing and the host is a router."""
    REJECTED = "rejected"
    """An ICMP error: a firewall says no."""
    ELSEWHERE = "elsewhere"
    """The reply came from another MAC than the packet went to."""
    UNKNOWN = "unknown"
    """It cannot be asked this way; the reason is told."""


@dataclass(frozen=True, slots=True)
class PathResult:
    """What one real server made of one SYN for the VIP."""

    vip: str
    port: int
    server: str
    state: PathState
    text: str
    evidence: tuple[str, ...]
    mac: str = ""
    interface: str = ""
    round_trip_ms: float | None = None
    leaked: bool = False
    """While answering it spoke for the VIP in ARP (arp_announce): clients may now go there."""


def try_path(
    vip: str,
    port: int,
    server: str,
    *,
    protocol: str = "tcp",
    mac: str = "",
    interface: str = "",
    tries: int = TRIES,
    wait_s: float = WAIT_S,
) -> PathResult | Unavailable:
    """Send a SYN for `vip`:`port` to the real server with address `server`; what came back.

    protocol: anything but `tcp` has no general probe and gives `unknown`. mac: the real server's,
    asked for when empty. interface: found by the route to the server when empty. Blocks until the
    answer, or `tries` times `wait_s` (twice that for a server that forwards). Needs CAP_NET_RAW.

    The source is this host's own address and a random high port. The hop limit is 1: a real
    server that has the VIP does not care, one that would pass the packet on says so instead, and
    no other host's IPVS ever sees it. Only where this host holds the VIP, and so gets the packet
    back itself, a second SYN with a usual hop limit tells containers from a missing VIP. This
    host's kernel drops the SYN-ACK where it holds the VIP (and says so with log_martians); the
    probe itself ends what the real server began.
    """
    what = f"the path to {vip} by {server} can not be tried"
    try:
        vip, server = address_of(vip, what), address_of(server, what)
        blank = PathResult(vip, port, server, PathState.UNKNOWN, "", ())
        if protocol.lower() != "tcp":
            text = f"{protocol} has no general probe"
            why = "a datagram that a service does not understand gets no answer, working or not"
            return replace(blank, text=text, evidence=(f"{text}: {why}",))
        if family(vip) != family(server):
            text = "VIP and real server are of different families"
            return replace(blank, text=text, evidence=(text,))
        if not 0 < port < 65536:
            raise CannotProbe(what, f"{port} is no port")
        network = read_network()
        way = reach(server, network, interface)
        if way is None or way.local or way.gateway:
            return _not_on_link(blank, way)
        link = network.wire(usable(network, way.interface, what))
        source = _source(vip, way, network, link, what)
        if not mac:
            found = mac_of(server, link.name)
            if isinstance(found, Unavailable):
                return found
            if found.state is not MacState.FOUND:
                text = f"no MAC: {found.text}"
                return replace(blank, text=text, evidence=found.evidence, interface=link.name)
            mac = found.macs[0]
        mac = _mac(mac, what)
        blank = replace(blank, mac=mac, interface=link.name)
        first = _Try(blank, source, link, tries, wait_s, what)
        result = first.run(1)
        if result.state is PathState.FORWARDS:
            if not network.owns(vip):
                line = "the VIP is missing there, or the port is a container's: the MASTER can tell"
                return replace(result, evidence=(*result.evidence, line))
            second = _Try(blank, source, link, tries, wait_s, what).run(64)
            lines = (*result.evidence, *second.evidence)
            if second.state in (PathState.ANSWERED, PathState.REFUSED):
                line = "it passes the packet on inside the host, to a container perhaps"
                return replace(second, evidence=(*lines, line))
            return replace(result, evidence=(*lines, "the VIP is missing there"))
    except CannotProbe as error:
        return error.result
    return result


def _not_on_link(blank: PathResult, way: Reach | None) -> PathResult:
    if way is None:
        text = f"no route to {blank.server}"
    elif way.local:
        text = "this host itself"
    else:
        text = f"behind {way.gateway}: no Direct Routing"
    return replace(blank, text=text, evidence=(text,))


def _source(vip: str, way: Reach, network: Network, link: Link, what: str) -> str:
    """This host's own address on the link: never the VIP, which the real server has, too."""
    own = [
        address
        for address in network.addresses(link.name, family(vip))
        if address != vip and not address.startswith("fe80:")
    ]
    if way.source and way.source != vip and way.source in own:
        return way.source
    if not own:
        raise CannotProbe(
            what, f"{link.name} has no address besides the VIP", "give the director its own address"
        )
    return own[0]


def _mac(text: str, what: str) -> str:
    try:
        return mac_bytes(text).hex(":")
    except ValueError:
        raise CannotProbe(what, "that is no MAC address") from None


class _Try:
    """One SYN, its repetitions and its end."""

    def __init__(
        self, blank: PathResult, source: str, link: Link, tries: int, wait_s: float, what: str
    ) -> None:
        self._blank, self._link = blank, link
        self._tries, self._wait_s, self._what = tries, wait_s, what
        self._kind = ETH_P_IPV6 if ":" in blank.vip else ETH_P_IP
        port = 49152 + secrets.randbelow(16384)
        sequence = secrets.randbits(32)
        self._syn = Tcp(source, port, blank.vip, blank.port, SYN, sequence)

    def _frame(self, segment: Tcp) -> bytes:
        packet = segment.pack()
        return Ethernet(self._blank.mac, self._link.mac, self._kind, packet).pack()

    def run(self, hops: int) -> PathResult:
        syn = replace(self._syn, hops=hops)
        told: Told | None = None
        leaked = False
        sent_at = 0.0
        tried = 0
        # All protocols: a reply may be on its way to a VMAC, which only that kind of socket hears.
        with Wire(self._what, self._link.name, ETH_P_ALL, conversation(syn.source_port)) as wire:
            while told is None and tried < self._tries:
                tried += 1
                sent_at = time.monotonic()
                wire.send(self._frame(syn))
                told, leak = self._listen(wire, syn, sent_at + self._wait_s)
                leaked = leaked or leak
            # Also when nothing came: a late SYN-ACK leaves a half-open connection behind.
            if told is None or told.kind is SynAnswerKind.SYN_ACK:
                end = replace(syn, flags=RST, sequence=(syn.sequence + 1) & 0xFFFFFFFF)
                wire.send(self._frame(end))
        return self._result(told, syn, tried, sent_at, leaked)

    def _listen(self, wire: Wire, syn: Tcp, until: float) -> tuple[Told | None, bool]:
        """The first thing that was said about the SYN; whether the VIP leaked meanwhile."""
        leaked = False
        while (heard := wire.receive(until)) is not None:
            told = understand(heard, syn, self._blank.mac)
            if told is None:
                continue
            if told.kind is not SynAnswerKind.LEAK:
                return told, leaked
            leaked = True
        return None, leaked

    def _result(
        self, told: Told | None, syn: Tcp, tried: int, sent_at: float, leaked: bool
    ) -> PathResult:
        blank = self._blank
        times = "" if tried == 1 else f", {tried} times"
        lines = [
            f"SYN {syn.source}:{syn.source_port} to {blank.vip}:{blank.port} in a frame to "
            f"{blank.mac} on {self._link.name}{times}"
        ]
        if leaked:
            lines.append(f"meanwhile it spoke for {blank.vip} in ARP: set arp_announce to 2")
        if told is None:
            lines.append(f"no answer within {self._wait_s * 1000:.0f} ms")
            return replace(
                blank,
                state=PathState.SILENT,
                text="no answer",
                evidence=tuple(lines),
                leaked=leaked,
            )
        ms = (told.at - sent_at) * 1000
        lines.append(f"{told.words} after {ms:.1f} ms")
        state, text = _STATES[told.kind]
        if told.kind in (SynAnswerKind.SYN_ACK, SynAnswerKind.RST):
            if told.mac != blank.mac:
                state, text = PathState.ELSEWHERE, f"answered by {told.mac}"
                lines.append(f"the packet went to {blank.mac}: another host or interface answered")
            else:
                text = text.format(ms=ms)
        elif told.kind is SynAnswerKind.ERROR:
            text = f"{told.error} from {told.reporter}"
        return replace(
            blank, state=state, text=text, evidence=tuple(lines), round_trip_ms=ms, leaked=leaked
        )


_STATES = {
    SynAnswerKind.SYN_ACK: (PathState.ANSWERED, "answers, {ms:.1f} ms"),
    SynAnswerKind.RST: (PathState.REFUSED, "port closed"),
    SynAnswerKind.EXCEEDED: (PathState.FORWARDS, "passes it on"),
    SynAnswerKind.RETURNED: (PathState.FORWARDS, "passes it on"),
    SynAnswerKind.ERROR: (PathState.REJECTED, ""),
}
