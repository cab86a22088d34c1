"""Packet sockets: the only place of the probes that sends and receives (packet(7)).

Frames go past the host's own firewall, routing and IPVS in both directions. Each socket has a
kernel filter that lets in only what the probe waits for: a busy director loses nothing by it.
"""

from __future__ import annotations

import contextlib
import ctypes
import socket
import struct
import time
from collections.abc import Sequence
from dataclasses import dataclass

from lvstui.model.text import plain
from lvstui.realserver.probes.frames import ETH_P_ARP, ETH_P_IP, ETH_P_IPV6, Ethernet
from lvstui.realserver.probes.results import cannot

ETH_P_ALL = 3
SEND_ONLY = 0
"""A protocol for `Wire`: hear nothing."""
_SOL_PACKET, _IGNORE_OUTGOING = 263, 23
_SO_ATTACH_FILTER = 26
_OUTGOING = 4
_MOST = 2048

Step = tuple[str, int] | tuple[str, int, str, str]
"""(operation, operand) or (jump, operand, label when true, label when false); "" = go on."""

_CODES = {
    "ld_byte": 0x30,  # A = byte at operand
    "ld_word": 0x20,  # A = four bytes at operand
    "ld_half": 0x28,  # A = two bytes at operand
    "ld_half_x": 0x48,  # A = two bytes at X + operand
    "ld_byte_x": 0x50,  # A = byte at X + operand
    "ldx_header": 0xB1,  # X = length of the IPv4 header at operand
    "equal": 0x15,
    "above": 0x35,  # A >= operand
    "any_bit": 0x45,
    "return": 0x06,
}


def assemble(steps: Sequence[Step | str]) -> tuple[tuple[int, int, int, int], ...]:
    """A classic BPF program (linux/filter.h); a plain string is a label for what follows it.

    Labels `take` and `leave` are there already. Jumps lead forwards only.
    """
    code: list[tuple[int, int, int, int]] = []
    labels: dict[str, int] = {}
    plain_steps: list[Step] = []
    for step in (*steps, "take", ("return", 0xFFFF), "leave", ("return", 0)):
        if isinstance(step, str):
            labels[step] = len(plain_steps)
        else:
            plain_steps.append(step)
    for at, step in enumerate(plain_steps):
        jumps = [labels[label] - at - 1 if label else 0 for label in step[2:]] or [0, 0]
        code.append((_CODES[step[0]], jumps[0], jumps[1], step[1]))
    return tuple(code)


ADVERTISEMENTS: tuple[Step | str, ...] = (
    ("ld_half", 12),
    ("equal", ETH_P_IPV6, "", "leave"),
    ("ld_byte", 20),  # next header
    ("equal", 58, "", "leave"),
    ("ld_byte", 54),  # ICMPv6 type
    ("equal", 136, "take", "leave"),
)
"""Neighbour advertisements only."""


def conversation(port: int) -> tuple[Step | str, ...]:
    """ARP, TCP from or to that port, and ICMP errors."""
    return (
        ("ld_half", 12),
        ("equal", ETH_P_ARP, "take", ""),
        ("equal", ETH_P_IPV6, "six", ""),
        ("equal", ETH_P_IP, "", "leave"),
        ("ld_byte", 23),  # protocol
        ("equal", 1, "icmp", ""),
        ("equal", 6, "", "leave"),
        ("ld_half", 20),
        ("any_bit", 0x1FFF, "leave", ""),  # a later fragment
        ("ldx_header", 14),
        ("ld_half_x", 14),
        ("equal", port, "take", ""),
        ("ld_half_x", 16),
        ("equal", port, "take", "leave"),
        "icmp",
        ("ldx_header", 14),
        ("ld_byte_x", 14),  # type: unreachable, redirect, time exceeded
        ("equal", 3, "take", ""),
        ("equal", 5, "take", ""),
        ("equal", 11, "take", "leave"),
        "six",
        ("ld_byte", 20),
        ("equal", 58, "icmp6", ""),
        ("equal", 6, "", "leave"),
        ("ld_half", 54),
        ("equal", port, "take", ""),
        ("ld_half", 56),
        ("equal", port, "take", "leave"),
        "icmp6",
        ("ld_byte", 54),
        ("above", 5, "", "take"),
        # Advertisements, for a leak of the VIP meanwhile.
        ("equal", 136, "take", "leave"),
    )


@dataclass(frozen=True, slots=True)
class Heard:
    """One frame that came in."""

    frame: Ethernet
    interface: str
    at: float
    """time.monotonic()."""


class Wire:
    """A packet socket. Raises CannotProbe in words when it cannot be had, or the link goes.

    interface: empty to hear all of them (then nothing can be sent).
    protocol: ETH_P_ARP …, or ETH_P_ALL, which also hears frames for macvlans on the interface.
    """

    def __init__(
        self, what: str, interface: str, protocol: int, steps: Sequence[Step | str] = ()
    ) -> None:
        self._what, self._interface = what, interface
        kind = socket.SOCK_RAW | socket.SOCK_CLOEXEC
        try:
            # Without a protocol nothing comes in before the filter is there. A socket for all
            # interfaces cannot be bound later: Python asks for a name; its users check again.
            first = 0 if interface else socket.htons(protocol)
            self._socket = socket.socket(socket.AF_PACKET, kind, first)
        except OSError as error:
            raise cannot(what, error, interface) from error
        try:
            if steps:
                code = b"".join(struct.pack("=HBBI", *step) for step in assemble(steps))
                buffer = ctypes.create_string_buffer(code)
                program = struct.pack("@HP", len(code) // 8, ctypes.addressof(buffer))
                self._socket.setsockopt(socket.SOL_SOCKET, _SO_ATTACH_FILTER, program)
            if interface:
                self._socket.bind((interface, protocol))
            if protocol == ETH_P_ALL:
                # Before Linux 4.20 it cannot: they are thrown away below.
                with contextlib.suppress(OSError):
                    self._socket.setsockopt(_SOL_PACKET, _IGNORE_OUTGOING, 1)
        except OSError as error:
            self._socket.close()
            raise cannot(what, error, interface) from error

    def __enter__(self) -> Wire:
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()

    def fileno(self) -> int:
        """For waiting on several."""
        return self._socket.fileno()

    def send(self, frame: bytes) -> None:
        try:
            self._socket.send(frame)
        except OSError as error:
            raise cannot(self._what, error, self._interface) from error

    def receive(self, until: float) -> Heard | None:
        """The next frame that somebody else sent; None when `until` (monotonic) has passed."""
        while True:
            left = until - time.monotonic()
            if left <= 0:
                return None
            try:
                self._socket.settimeout(left)
                data, address = self._socket.recvfrom(_MOST)
            except TimeoutError:
                return None
            except OSError as error:
                raise cannot(self._what, error, self._interface) from error
            at = time.monotonic()
            frame = Ethernet.parse(data)
            if address[2] != _OUTGOING and frame is not None:
                return Heard(frame, plain(str(address[0]), 32), at)
