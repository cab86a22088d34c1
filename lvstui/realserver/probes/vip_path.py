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
from lvstui.realserver.probes.asking import MacState, claim, macs_of
from lvstui.realserver.probes.frames import (
    ACK,
    ETH_P_IP,
    ETH_P_IPV6,
    RST,
    SYN,
    Ethernet,
    IcmpError,
    Tcp,
    family,
    mac_bytes,
)
from lvstui.realserver.probes.links import Network, Reach, address_of, reach, read_network, usable
from lvstui.realserver.probes.raw import ETH_P_ALL, Heard, Wire, conversation
from lvstui.realserver.probes.results import CannotProbe, Unavailable

_WAIT_S = 0.5
_TRIES = 2


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

    port: int
    state: PathState
    text: str
    evidence: tuple[str, ...]
    round_trip_ms: float | None = None
    leaked: bool = False
    """While answering it spoke for the VIP in ARP (arp_announce): clients may now go there."""


def try_path(vip: str, port: int, server: str, mac: str = "") -> PathResult | Unavailable:
    """Send a SYN for `vip`:`port` to the real server with address `server`; what came back.

    mac: the real server's, asked for when empty. Blocks until the answer, or `_TRIES` times
    `_WAIT_S` (twice that for a server that forwards). Needs CAP_NET_RAW.

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
        if family(vip) != family(server):
            return _untried(port, "VIP and real server are of different families")
        if not 0 < port < 65536:
            raise CannotProbe(what, f"{port} is no port")
        network = read_network()
        way = reach(server, network)
        if way is None:
            return _untried(port, f"no route to {server}")
        if way.local:
            return _untried(port, "this host itself")
        if way.gateway:
            return _untried(port, f"behind {way.gateway}: no Direct Routing")
        link = network.wire(usable(network, way.interface, what))
        source = _source(vip, way, network, link, what)
        if not mac:
            found = macs_of([server])[server]
            if isinstance(found, Unavailable):
                return found
            if found.state is not MacState.FOUND:
                return _untried(port, f"no MAC: {found.text}", found.evidence)
            mac = found.macs[0]
        mac = _mac(mac, what)
        result = _Try(vip, port, source, mac, link, what).run(1)
        if result.state is PathState.FORWARDS:
            if not network.owns(vip):
                line = "the VIP is missing there, or the port is a container's: the MASTER can tell"
                return replace(result, evidence=(*result.evidence, line))
            second = _Try(vip, port, source, mac, link, what).run(64)
            lines = (*result.evidence, *second.evidence)
            if second.state in (PathState.ANSWERED, PathState.REFUSED):
                line = "it passes the packet on inside the host, to a container perhaps"
                return replace(second, evidence=(*lines, line))
            return replace(result, evidence=(*lines, "the VIP is missing there"))
    except CannotProbe as error:
        return error.result
    return result


def _untried(port: int, text: str, evidence: tuple[str, ...] = ()) -> PathResult:
    return PathResult(port, PathState.UNKNOWN, text, evidence or (text,))


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

    def __init__(self, vip: str, port: int, source: str, mac: str, link: Link, what: str) -> None:
        self._mac, self._link, self._what = mac, link, what
        self._kind = ETH_P_IPV6 if ":" in vip else ETH_P_IP
        own_port = 49152 + secrets.randbelow(16384)
        self._syn = Tcp(source, own_port, vip, port, SYN, secrets.randbits(32))

    def _frame(self, segment: Tcp) -> bytes:
        return Ethernet(self._mac, self._link.mac, self._kind, segment.pack()).pack()

    def run(self, hops: int) -> PathResult:
        syn = replace(self._syn, hops=hops)
        told: Told | None = None
        leaked = False
        sent_at = 0.0
        tried = 0
        # All protocols: a reply may be on its way to a VMAC, which only that kind of socket hears.
        with Wire(self._what, self._link.name, ETH_P_ALL, conversation(syn.source_port)) as wire:
            while told is None and tried < _TRIES:
                tried += 1
                sent_at = time.monotonic()
                wire.send(self._frame(syn))
                told, leak = self._listen(wire, syn, sent_at + _WAIT_S)
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
            told = understand(heard, syn, self._mac)
            if told is None:
                continue
            if told.kind is not SynAnswerKind.LEAK:
                return told, leaked
            leaked = True
        return None, leaked

    def _result(
        self, told: Told | None, syn: Tcp, tried: int, sent_at: float, leaked: bool
    ) -> PathResult:
        vip, port = syn.destination, syn.destination_port
        times = "" if tried == 1 else f", {tried} times"
        lines = [
            f"SYN {syn.source}:{syn.source_port} to {vip}:{port} in a frame to {self._mac} on "
            f"{self._link.name}{times}"
        ]
        if leaked:
            lines.append(f"meanwhile it spoke for {vip} in ARP: set arp_announce to 2")
        if told is None:
            lines.append(f"no answer within {_WAIT_S * 1000:.0f} ms")
            return PathResult(port, PathState.SILENT, "no answer", tuple(lines), None, leaked)
        ms = (told.at - sent_at) * 1000
        lines.append(f"{told.words} after {ms:.1f} ms")
        state, text = _STATES[told.kind]
        if told.kind in (SynAnswerKind.SYN_ACK, SynAnswerKind.RST):
            if told.mac != self._mac:
                state, text = PathState.ELSEWHERE, f"answered by {told.mac}"
                lines.append(f"the packet went to {self._mac}: another host or interface answered")
            else:
                text = text.format(ms=ms)
        elif told.kind is SynAnswerKind.ERROR:
            text = f"{told.error} from {told.reporter}"
        return PathResult(port, state, text, tuple(lines), ms, leaked)


class SynAnswerKind(Enum):
    """Kinds of things that can be said."""

    SYN_ACK = 1
    RST = 2
    EXCEEDED = 3
    """ICMP: the host would have passed it on."""
    RETURNED = 4
    """The SYN itself came back: the host passed it on."""
    ERROR = 5
    """Another ICMP error."""
    LEAK = 6
    """The host spoke for the VIP in ARP."""


@dataclass(frozen=True, slots=True)
class Told:
    """One thing that was said."""

    kind: SynAnswerKind
    mac: str
    """Source of the frame."""
    at: float
    """time.monotonic()."""
    words: str
    error: str = ""
    """The ICMP error in words."""
    reporter: str = ""
    """Who sent it."""


def understand(heard: Heard, syn: Tcp, mac: str) -> Told | None:
    """What `heard` says about `syn`, sent to `mac`; None when it is about something else."""
    frame, at = heard.frame, heard.at
    claimed = claim(heard, replies_only=False)
    if claimed is not None:
        if claimed == (syn.destination, mac):
            return Told(SynAnswerKind.LEAK, frame.source, at, "ARP as the VIP")
        return None
    if frame.kind not in (ETH_P_IP, ETH_P_IPV6):
        return None
    segment = Tcp.parse(frame.payload)
    if segment is not None:
        return _segment(segment, frame.source, at, syn)
    trouble = IcmpError.parse(frame.payload)
    if trouble is None or (
        (trouble.source, trouble.source_port, trouble.destination, trouble.destination_port)
        != (syn.source, syn.source_port, syn.destination, syn.destination_port)
    ):
        return None
    words = f"{trouble.what} from {trouble.reporter} ({frame.source})"
    kind = SynAnswerKind.ERROR
    if trouble.exceeded or trouble.what == "redirect":
        kind = SynAnswerKind.EXCEEDED
    return Told(kind, frame.source, at, words, trouble.what, trouble.reporter)


def _segment(segment: Tcp, mac: str, at: float, syn: Tcp) -> Told | None:
    there = (segment.source, segment.source_port, segment.destination, segment.destination_port)
    if there == (syn.source, syn.source_port, syn.destination, syn.destination_port):
        return Told(SynAnswerKind.RETURNED, mac, at, f"the SYN itself came back from {mac}")
    if there != (syn.destination, syn.destination_port, syn.source, syn.source_port):
        return None
    if segment.acknowledgement != (syn.sequence + 1) & 0xFFFFFFFF or not segment.flags & ACK:
        return None
    if segment.flags & RST:
        return Told(SynAnswerKind.RST, mac, at, f"RST from {segment.source} ({mac})")
    if segment.flags & SYN:
        return Told(SynAnswerKind.SYN_ACK, mac, at, f"SYN-ACK from {segment.source} ({mac})")
    return None


_STATES = {
    SynAnswerKind.SYN_ACK: (PathState.ANSWERED, "answers, {ms:.1f} ms"),
    SynAnswerKind.RST: (PathState.REFUSED, "port closed"),
    SynAnswerKind.EXCEEDED: (PathState.FORWARDS, "passes it on"),
    SynAnswerKind.RETURNED: (PathState.FORWARDS, "passes it on"),
    SynAnswerKind.ERROR: (PathState.REJECTED, ""),
}
