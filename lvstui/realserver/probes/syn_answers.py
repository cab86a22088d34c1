"""What a frame says about a SYN that was sent for the VIP. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from lvstui.realserver.probes.asking import claim
from lvstui.realserver.probes.frames import ETH_P_IP, ETH_P_IPV6
from lvstui.realserver.probes.packets import ACK, RST, SYN, IcmpError, Tcp
from lvstui.realserver.probes.raw import Heard


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
