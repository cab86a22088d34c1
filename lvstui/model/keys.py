"""Identities: how a virtual service and a real server are named everywhere.

Never by position and never by a label: the kernel, keepalived and the file agree only on
addresses, so those are the key.
"""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass

from lvstui.model.numbers import number

PROTOCOLS = ("tcp", "udp", "sctp", "fwmark")
_MAX_PORT = 65535
_MAX_MARK = 0xFFFFFFFF


def canonical_address(text: str) -> str:
    """The one spelling of an address that we compare (RFC 5952 for IPv6).

    Raises ValueError when `text` is no IPv4 or IPv6 address.
    """
    bare = text.strip().removeprefix("[").removesuffix("]")
    return str(ipaddress.ip_address(bare))


def address_family(address: str) -> int:
    """4 or 6, for an address in canonical spelling."""
    return 6 if ":" in address else 4


def join_port(address: str, port: int) -> str:
    """`10.0.0.1:80`, `[fd00::1]:80`; port 0 (every port) leaves the port out."""
    host = f"[{address}]" if ":" in address else address
    return f"{host}:{port}" if port else host


def split_port(text: str) -> tuple[str, int]:
    """The reverse of `join_port`: canonical address and port (0 when absent).

    Accepts `10.0.0.1`, `10.0.0.1:80`, `fd00::1`, `[fd00::1]`, `[fd00::1]:80`.
    Raises ValueError naming what is wrong.
    """
    text = text.strip()
    match = re.fullmatch(r"\[([^\]]+)\](?::(\d+))?|([^:\[\]]+)(?::(\d+))?", text)
    if match:
        host = match.group(1) or match.group(3)
        said = number(match.group(2) or match.group(4) or "0")
        if said is None:
            raise ValueError(f"{text[:80]!r}: a port is a number up to {_MAX_PORT}")
        port = said
    else:
        host, port = text, 0
    try:
        address = canonical_address(host)
    except ValueError:
        raise ValueError(
            f"{text!r} is no address (expected ADDR, ADDR:PORT or [ADDR]:PORT)"
        ) from None
    if port > _MAX_PORT:
        raise ValueError(f"{text!r}: port {port} is over {_MAX_PORT}")
    return address, port


@dataclass(frozen=True, slots=True, order=True)
class ServerKey:
    """A real server within one virtual service: address and port (0 = the service's)."""

    address: str
    port: int

    def __str__(self) -> str:
        return join_port(self.address, self.port)

    @classmethod
    def parse(cls, text: str) -> ServerKey:
        """From `ADDR[:PORT]`. Raises ValueError."""
        return cls(*split_port(text))

    @property
    def family(self) -> int:
        return address_family(self.address)


@dataclass(frozen=True, slots=True, order=True)
class ServiceKey:
    """A virtual service as the kernel tells them apart (net/netfilter/ipvs/ip_vs_ctl.c).

    Either protocol, address and port, or a firewall mark and family.
    """

    protocol: str
    """One of `PROTOCOLS`."""
    address: str = ""
    """Canonical; empty for a firewall mark."""
    port: int = 0
    """0 means every port (persistent services)."""
    fwmark: int = 0
    """0 unless `protocol` is `fwmark`."""
    family: int = 4
    """4 or 6."""

    def __str__(self) -> str:
        if self.protocol == "fwmark":
            return f"fwmark {self.fwmark}" + (" ipv6" if self.family == 6 else "")
        return f"{self.protocol} {join_port(self.address, self.port)}"

    @classmethod
    def of(cls, protocol: str, address: str, port: int) -> ServiceKey:
        """A protocol service; canonicalises the address. Raises ValueError."""
        canonical = canonical_address(address)
        return cls(protocol.lower(), canonical, port, 0, address_family(canonical))

    @classmethod
    def mark(cls, fwmark: int, family: int = 4) -> ServiceKey:
        return cls("fwmark", "", 0, fwmark, family)

    @classmethod
    def parse(cls, text: str) -> ServiceKey:
        """From what `str()` gives, and `tcp:ADDR:PORT`, `tcp/ADDR:PORT`, `fwmark:7`.

        Raises ValueError saying what was expected.
        """
        words = re.split(r"[\s/]+", text.strip().lower())
        if len(words) == 1 and ":" in words[0]:
            head, _, tail = words[0].partition(":")
            if head in PROTOCOLS:
                words = [head, tail]
        if len(words) >= 2 and words[0] == "fwmark":
            mark = number(words[1], _MAX_MARK)
            if not mark:
                raise ValueError(f"{text!r}: a firewall mark is a number from 1 to {_MAX_MARK}")
            if words[2:] not in ([], ["ipv6"]):
                raise ValueError(f"{text!r}: after the mark only 'ipv6' may follow")
            return cls.mark(mark, 6 if words[2:] else 4)
        if len(words) == 2 and words[0] in PROTOCOLS:
            address, port = split_port(words[1])
            return cls.of(words[0], address, port)
        raise ValueError(
            f"{text!r} names no virtual service (expected 'tcp ADDR:PORT', 'udp ADDR:PORT', "
            "'sctp ADDR:PORT' or 'fwmark N')"
        )
