"""Source `netlink`: counters and thresholds of what is on screen, a slow sweep for the rest.

Each service costs a round trip, so the work is bounded by time, not by the size of the table: a
share of each tick for what is on screen, a smaller one for the sweep.
"""

from __future__ import annotations

import time
from collections.abc import Sequence

from lvstui.kernel.ipvs import KernelIpvs
from lvstui.model.facts import Available, CountersSeen
from lvstui.model.keys import ServiceKey
from lvstui.sources.base import Context, Source

SCREEN_SHARE = 0.02
"""Most of a tick spent on what is on screen."""
SWEEP_SHARE = 0.005
"""Most of a tick spent on the rest."""


class NetlinkCounters(Source):
    """Reads what is on screen each tick and sweeps over the rest."""

    name = "netlink"

    def __init__(self) -> None:
        self._close: tuple[ServiceKey, ...] = ()
        self._all: tuple[ServiceKey, ...] = ()
        self._turn = 0
        self._sweep = 0

    def watch_closely(self, services: tuple[ServiceKey, ...]) -> None:
        self._close = services

    def services(self, services: tuple[ServiceKey, ...]) -> None:
        self._all = services

    def run(self, context: Context) -> None:
        try:
            with KernelIpvs() as ipvs:
                context.emit(self.name, Available(self.name))
                for _ in context.ticks():
                    self._tick(ipvs, context)
        except PermissionError:
            # The socket opens for everybody; reading is what needs the right.
            what = "connection and traffic rates, thresholds"
            context.missing(self.name, what, "run lvstui as root: sudo lvstui")
        except FileNotFoundError:
            return  # the table source says that there is no IPVS

    def _tick(self, ipvs: KernelIpvs, context: Context) -> None:
        close, everything = self._close, self._all
        living, shown = set(everything), set(close)
        close_now = [key for key in close if key in living]
        rest = [key for key in everything if key not in shown]
        interval = context.interval_s
        self._turn = self._read(ipvs, context, close_now, self._turn, SCREEN_SHARE * interval)
        self._sweep = self._read(ipvs, context, rest, self._sweep, SWEEP_SHARE * interval)

    def _read(
        self,
        ipvs: KernelIpvs,
        context: Context,
        keys: Sequence[ServiceKey],
        turn: int,
        budget_s: float,
    ) -> int:
        """Read from `turn` on until all were read or the time is up; the next turn."""
        if not keys:
            return 0
        started = time.perf_counter()
        for step in range(len(keys)):
            key = keys[(turn + step) % len(keys)]
            try:
                reading = ipvs.read(key)
            except LookupError:
                continue  # removed since the table was read
            context.emit(self.name, CountersSeen((reading,)))
            if time.perf_counter() - started > budget_s:
                return (turn + step + 1) % len(keys)
        return 0
