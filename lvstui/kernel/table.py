"""The whole IPVS table from /proc/net/ip_vs.

One read of this file is about 150 times cheaper than `ipvsadm -Ln` at 1000 services and needs no
root. The reader keeps what it parsed: a line is parsed once in its life, and a service whose
lines did not change keeps its object, so that a tick costs little more than the read itself.

Format: net/netfilter/ipvs/ip_vs_ctl.c, ip_vs_info_seq_show().
"""

from __future__ import annotations

import ipaddress
import itertools
import re
import sys
import time

from lvstui.model.ipvs import FORWARDING, Destination, KernelService, KernelTable
from lvstui.model.keys import ServerKey, ServiceKey
from lvstui.model.numbers import hexadecimal, number, signed

PATH = "/proc/net/ip_vs"
_COARSE_CLOCK = 6
"""CLOCK_MONOTONIC_COARSE (linux/time.h); the time module does not name it."""
_CACHE_FACTOR = 4
_PAGE = 4096
_MAX = 0xFFFFFFFF
"""Every number in the file is one of 32 bits."""
_SERVICE = re.compile(r"\n(?=[A-Z])")
_SIZE = re.compile(r"\(size=(\d+)\)")


def _address(text: str) -> tuple[str, int]:
    """`0A0A0003:0050` or `[fd00:…]:0050` to canonical address and port."""
    if text.startswith("["):
        host, _, port = text[1:].rpartition("]:")
        return str(ipaddress.IPv6Address(host)), _hex(port, 0xFFFF)
    value = _hex(text[:8], _MAX)
    host = f"{value >> 24}.{value >> 16 & 255}.{value >> 8 & 255}.{value & 255}"
    return host, _hex(text[9:], 0xFFFF)


def _hex(text: str, most: int) -> int:
    value = hexadecimal(text, most)
    if value is None:
        raise ValueError(f"not a hexadecimal number up to {most:X}: {text[:40]!r}")
    return value


def _count(text: str) -> int:
    value = signed(text, _MAX)
    if value is None:
        raise ValueError(f"not a number of the kernel's: {text[:40]!r}")
    return value


def parse_destination(line: str, keys: dict[str, ServerKey]) -> Destination:
    """One `  -> RIP:PORT Forward Weight ActiveConn InActConn` line. Raises ValueError.

    `keys` remembers addresses that were parsed before.
    """
    words = line.split()
    if len(words) != 6 or words[0] != "->":
        raise ValueError(f"not a destination line: {line[:200]!r}")
    _, address, forwarding, weight, active, inactive = words
    key = keys.get(address)
    if key is None:
        key = keys[address] = ServerKey(*_address(address))
    method = FORWARDING.get(forwarding) or forwarding.upper()
    return Destination(key, method, _count(weight), _count(active), _count(inactive))


def kernel_tick_s() -> float:
    """The length of a kernel tick (1/HZ) in seconds: what the coarse clock advances by."""
    return time.clock_getres(_COARSE_CLOCK)


def parse_service(
    line: str, destinations: tuple[Destination, ...] = (), tick_s: float | None = None
) -> KernelService:
    """One service line. Raises ValueError.

    The kernel does not print the family of a firewall mark: it is taken from its destinations. It
    prints the persistence time-out in ticks (`tick_s`, this kernel's by default), and the IPv6
    prefix length byte-swapped (seen on 6.1: 3000 for 30 s at HZ 100, 80000000 for /128).
    """
    words = line.split()
    if len(words) < 3:
        raise ValueError(f"not a service line: {line[:200]!r}")
    if words[0] == "FWM":
        family = destinations[0].key.family if destinations else 4
        key = ServiceKey.mark(_hex(words[1], _MAX), family)
    else:
        address, port = _address(words[1])
        key = ServiceKey.of(words[0], address, port)
    persistence: int | None = None
    netmask = ""
    if "persistent" in words[3:]:
        at = words.index("persistent", 3)
        if len(words) < at + 3:
            raise ValueError(f"not a service line: {line[:200]!r}")
        ticks, mask = _count(words[at + 1]), _hex(words[at + 2], _MAX)
        persistence = round(ticks * (kernel_tick_s() if tick_s is None else tick_s))
        if key.family == 6:
            netmask = f"/{int.from_bytes(mask.to_bytes(4, 'big'), sys.byteorder)}"
        else:
            netmask = str(ipaddress.IPv4Address(mask))
    return KernelService(
        key, words[2], "ops" in words[3:], persistence, netmask, tuple(destinations)
    )


class TableReader:
    """Parses successive reads of the table and keeps what did not change."""

    def __init__(self, tick_s: float | None = None) -> None:
        self._tick_s = tick_s
        self._keys: dict[str, ServerKey] = {}
        self._blocks: dict[str, tuple[str, KernelService]] = {}
        self._text = ""
        self._table: KernelTable | None = None
        self.problems: list[str] = []
        """Lines of the last table that were left out, and why: a row each, in words."""

    def parse(self, text: str) -> KernelTable:
        """The table in `text`; the very object of the last call when nothing changed.

        A line that is not the kernel's is left out (see `problems`), a service line with what
        belongs to it.
        """
        if self._table is not None and text == self._text:
            return self._table
        self.problems = []
        begins = text.find("\n", text.find("RemoteAddress:Port")) + 1
        head = text[:begins]
        services: list[KernelService] = []
        blocks: dict[str, tuple[str, KernelService]] = {}
        old = self._blocks
        # A destination line begins with blanks, a service line does not: splitting on the
        # service lines first lets an unchanged service be recognised by one string comparison.
        starts = [begins] if 0 < begins < len(text) else []
        starts += [match.end() for match in _SERVICE.finditer(text, begins)]
        starts.append(len(text))
        for begin, end in itertools.pairwise(starts):
            block = text[begin:end]
            line, _, rest = block.partition("\n")
            # Two marks that differ only in family have equal lines: the block tells them apart.
            name = line if not line.startswith("FWM") or line not in blocks else block
            known = old.get(name)
            if known is not None and known[0] == block:
                service = known[1]
            else:
                servers = self._destinations(rest, known)
                try:
                    service = parse_service(line, servers, self._tick_s)
                except ValueError as error:
                    self.problems.append(str(error))
                    continue
                if len(servers) < sum(map(bool, rest.split("\n"))):
                    # Not kept: what is wrong with it has to be said again at the next read.
                    services.append(service)
                    continue
            blocks[name] = (block, service)
            services.append(service)
        self._blocks = blocks
        self._text = text
        if len(self._keys) > _CACHE_FACTOR * (sum(len(s.destinations) for s in services) + 64):
            self._keys.clear()
        words = head.split()
        version = words[words.index("version") + 1] if "version" in words else ""
        size = _SIZE.search(head)
        self._table = KernelTable(
            tuple(services), version, (number(size.group(1)) or 0) if size else 0
        )
        return self._table

    def _destinations(
        self, text: str, known: tuple[str, KernelService] | None
    ) -> tuple[Destination, ...]:
        """The destinations in `text`; those whose lines did not change keep their objects."""
        lines = text.split("\n")
        before = known[0].split("\n")[1:] if known is not None else []
        if known is None or len(before) != len(lines):
            read = [self._destination(line) for line in lines if line]
        else:
            read = [
                kept if line == old else self._destination(line)
                for line, old, kept in zip(lines, before, known[1].destinations, strict=False)
            ]
        return tuple([one for one in read if one is not None])

    def _destination(self, line: str) -> Destination | None:
        try:
            return parse_destination(line, self._keys)
        except ValueError as error:
            self.problems.append(str(error))
            return None


class TableFile:
    """Reads the file into a buffer that it keeps: a fresh one would cost its page faults each
    tick. One thread at a time."""

    def __init__(self, path: str = PATH) -> None:
        self.path = path
        self._buffer = bytearray(1 << 16)

    def read(self) -> str:
        """The file whole. Raises OSError (FileNotFoundError: no IPVS in this kernel)."""
        filled = 0
        with open(self.path, "rb", buffering=0) as stream:
            # The kernel gives a page at a time, whatever is asked for.
            while got := stream.readinto(memoryview(self._buffer)[filled:]):
                filled += got
                if filled + _PAGE > len(self._buffer):
                    self._buffer = self._buffer + bytes(len(self._buffer))
            return str(memoryview(self._buffer)[:filled], "ascii", "replace")


def read_text(path: str = PATH) -> str:
    """The file whole, once. Raises OSError."""
    return TableFile(path).read()
