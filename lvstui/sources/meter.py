"""What lvstui itself costs this host."""

from __future__ import annotations

import os
import resource
import time

from lvstui.model.picture import Cost
from lvstui.process.memory import give_back

TRIM_S = 60.0
"""How often freed memory is given back."""
_PAGE = os.sysconf("SC_PAGE_SIZE")


class Meter:
    """What lvstui itself costs: CPU share over the last seconds and resident memory."""

    def __init__(self) -> None:
        self.tick_ms = 0.0
        self._at = time.monotonic()
        self._trim_at = self._at + 4.0
        self._cpu = time.process_time()

    def cost(self, last: Cost) -> Cost:
        now = time.monotonic()
        if now - self._at < 2.0:
            return last if last.resident_bytes else Cost(None, _resident())
        cpu = time.process_time()
        share = (cpu - self._cpu) / (now - self._at)
        self._at, self._cpu = now, cpu
        if now >= self._trim_at:
            self._trim_at = now + TRIM_S
            give_back()
        return Cost(round(share, 4), _resident(), round(self.tick_ms, 2))


def _resident() -> int:
    try:
        with open("/proc/self/statm", "rb") as stream:
            return int(stream.read().split()[1]) * _PAGE
    except (OSError, ValueError, IndexError):
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
