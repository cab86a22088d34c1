"""Samples of the connection table, /proc/net/ip_vs_conn.

It may hold millions of entries, so it is never read whole on a busy director: a look reads a
slice, the next one goes on behind it. Entries stand in the order of a hash over the client's
address and port, so a slice is as good as a random sample. Where the kernel has to walk long
before it comes to the place where the last look ended, the sweep begins anew at the top.

Format: net/netfilter/ipvs/ip_vs_conn.c, ip_vs_conn_seq_show(). `Expires` is the time left of the
time-out of the entry's state, which starts anew with each packet that is let through: seconds since
the last packet are the time-out less that. How long time-outs are (`ipvsadm --set`) is told by the
freshest entry of each state seen lately.
"""

from __future__ import annotations

import ipaddress
import os
import time
from collections.abc import Iterable

from lvstui.model.connections import AGES_S, SLICES, ConnectionCount, ConnectionSlice
from lvstui.model.keys import ServerKey
from lvstui.model.numbers import hexadecimal, number

PATH = "/proc/net/ip_vs_conn"
MOST_BYTES = 128 << 10
"""Read in one look, about 1,900 entries."""
MOST_ROWS = 1000
"""Told of one look; entries that would make more are left out."""
CLIENTS = 8
"""Clients of one row told apart."""
_PAGE = 4096
_FAR_S = 0.003
"""A read that takes longer walked far: what is behind it costs too much."""
_FRESHEST_S = 15.0
"""How long the freshest entries are remembered at least."""
_FLOWS = 4096
"""Flows whose packets are followed."""
_KEYS = 4096
_LONGEST = 1000
"""Seconds: the longest time-out believed is that of an established connection, 15 minutes."""
_MAX = 0xFFFFFFFF


class ConnectionFile:
    """Reads slice after slice; one thread uses it."""

    def __init__(self, path: str = PATH) -> None:
        self._path = path
        self._descriptor = -1
        self._rest = b""
        self._position = 0
        self._parser = ConnectionParser()

    def close(self) -> None:
        """End the sweep: the next look begins at the top."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
        self._descriptor, self._rest, self._position = -1, b"", 0

    def look(self, budget_s: float) -> ConnectionSlice:
        """The next slice: what can be read within `budget_s` of this thread's time (one page at
        least) and `MOST_BYTES`. Raises OSError (FileNotFoundError: no IPVS)."""
        # This thread's own time: on a busy host it waits for the processor as well.
        started = before = time.thread_time()
        if self._descriptor < 0:
            self._descriptor = os.open(self._path, os.O_RDONLY | os.O_CLOEXEC)
        read, ended, position = 0, False, self._position
        self._parser.begin(time.monotonic())
        while not ended and read < MOST_BYTES and before - started < budget_s:
            try:
                page = os.read(self._descriptor, _PAGE)
            except OSError:
                self.close()
                raise
            read += len(page)
            ended = not page or time.thread_time() - before > _FAR_S
            *lines, self._rest = (self._rest + page).split(b"\n")
            self._parser.take(lines)
            before = time.thread_time()
        self._position += 1
        if ended or self._position >= SLICES:
            ended = True
            self.close()
        return ConnectionSlice(position, ended, self._parser.rows())


class ConnectionParser:
    """Counts entries; what is no entry is passed over."""

    def __init__(self) -> None:
        self._keys: dict[str, ServerKey] = {}
        self._freshest: tuple[dict[str, int], dict[str, int]] = ({}, {})
        """The longest time left of each protocol and state: lately, and before that."""
        self._turned = 0.0
        self._flows: dict[int, tuple[float, bool]] = {}
        """Of flows without an end (UDP): when the entry is to expire, and whether a packet has put
        that off before."""
        self._now = 0.0
        self._entries: list[tuple[list[str], int]] = []

    def begin(self, now: float) -> None:
        """Start a slice at `now` (monotonic seconds)."""
        self._now, self._entries = now, []
        if now - self._turned > _FRESHEST_S:
            self._turned, self._freshest = now, ({}, self._freshest[0])

    def take(self, lines: Iterable[bytes]) -> None:
        """Remember the entries in some lines."""
        freshest = self._freshest[0]
        for line in lines:
            # Behind the time may stand what a client chose (a SIP call id).
            words = str(line, "ascii", "replace").split(None, 9)
            left = number(words[8], _LONGEST) if len(words) > 8 else None
            if left is None:
                continue
            self._entries.append((words, left))
            state = f"{words[0]} {words[7]}"
            if left > freshest.get(state, -1) and len(freshest) < 64:
                freshest[state] = left

    def rows(self) -> tuple[ConnectionCount, ...]:
        """The entries of this slice, counted."""
        counted: dict[tuple[str, ...], _EntryTally] = {}
        new, old = self._freshest
        for words, left in self._entries:
            place = (words[0], *words[3:8])
            row = counted.get(place)
            if row is None:
                if len(counted) >= MOST_ROWS:
                    continue
                row = counted[place] = _EntryTally()
            state = f"{words[0]} {words[7]}"
            age = max(new.get(state, 0), old.get(state, 0)) - left
            row.ages[sum(age >= edge for edge in AGES_S)] += 1
            if len(row.clients) < CLIENTS:
                row.clients.add(words[1])
            if words[0] == "UDP" and self._repeats(words, left):
                row.living += 1
        self._entries = []
        found = (self._count(place, row) for place, row in counted.items())
        return tuple(row for row in found if row is not None)

    def _repeats(self, words: list[str], left: int) -> bool:
        """Whether this flow had packets at several times: its client keeps its port."""
        flow = hash(tuple(words[:7]))
        known = self._flows.pop(flow, None)
        ends = self._now + left
        # The time left is in whole seconds.
        repeats = known is not None and (known[1] or ends > known[0] + 2.0)
        if len(self._flows) >= _FLOWS:
            del self._flows[next(iter(self._flows))]
        self._flows[flow] = (ends, repeats)
        return repeats

    def _count(self, place: tuple[str, ...], row: _EntryTally) -> ConnectionCount | None:
        protocol, to, port, server, server_port, state = place
        virtual, real = self._key(to, port), self._key(server, server_port)
        if virtual is None or real is None or not (protocol.isalpha() and len(protocol) <= 4):
            return None
        return ConnectionCount(
            protocol.lower(),
            virtual,
            real,
            state if state.replace("_", "").isalnum() and len(state) <= 16 else "?",
            tuple(row.ages),
            len(row.clients),
            row.living,
        )

    def _key(self, address: str, port: str) -> ServerKey | None:
        text = f"{address} {port}"
        key = self._keys.get(text)
        if key is None:
            digits = address.replace(":", "")
            value, number_ = _address_of(digits), hexadecimal(port, 0xFFFF)
            if value is None or number_ is None:
                return None
            if len(self._keys) >= _KEYS:
                self._keys.clear()
            key = self._keys[text] = ServerKey(value, number_)
        return key


class _EntryTally:
    """Entries of one service, server and state."""

    __slots__ = ("ages", "clients", "living")

    def __init__(self) -> None:
        self.ages = [0] * (len(AGES_S) + 1)
        self.clients: set[str] = set()
        self.living = 0


def _address_of(digits: str) -> str | None:
    """Eight or 32 hexadecimal digits as an address; None when they are none."""
    if len(digits) == 8:
        value = hexadecimal(digits, _MAX)
        return str(ipaddress.IPv4Address(value)) if value is not None else None
    if len(digits) != 32:
        return None
    halves = [hexadecimal(digits[at : at + 16]) for at in (0, 16)]
    if None in halves:
        return None
    return str(ipaddress.IPv6Address((halves[0] or 0) << 64 | (halves[1] or 0)))
