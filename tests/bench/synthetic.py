"""A table of any size in the kernel's own form, and the configuration that goes with it.

This stands in for the kernel where the bench machine has no IPVS; the same reader reads it.
"""

from __future__ import annotations

import os
import random
import sys
import time
from pathlib import Path

HEAD = (
    "IP Virtual Server version 1.2.1 (size=4096)\n"
    "Prot LocalAddress:Port Scheduler Flags\n"
    "  -> RemoteAddress:Port Forward Weight ActiveConn InActConn\n"
)
PER_SERVICE = 10


class Table:
    """`servers` real servers, ten to a service; `churn` of them change at each step."""

    def __init__(self, servers: int, churn: float = 0.01, seed: int = 1) -> None:
        self._random = random.Random(seed)
        self._churn = churn
        self.services = max(servers // PER_SERVICE, 1)
        self._active = [[5] * PER_SERVICE for _ in range(self.services)]

    def step(self) -> None:
        """Change a share of the lines."""
        for _ in range(max(int(self.services * PER_SERVICE * self._churn), 1)):
            service = self._random.randrange(self.services)
            self._active[service][self._random.randrange(PER_SERVICE)] = self._random.randrange(
                9999
            )

    def text(self) -> str:
        """/proc/net/ip_vs."""
        lines = [HEAD]
        for number, active in enumerate(self._active):
            lines.append(f"TCP  {0x0A0A0000 + number:08X}:0050 wrr \n")
            for server, count in enumerate(active):
                address = 0x0A800000 + number * PER_SERVICE + server
                lines.append(
                    f"  -> {address:08X}:0050      {'Route':<7} {10:<6d} {count:<10d} {3:<10d}\n"
                )
        return "".join(lines)

    def write(self, path: Path) -> None:
        """Write it as one file, replaced whole."""
        beside = path.with_suffix(".new")
        beside.write_text(self.text())
        os.replace(beside, path)


def main() -> None:
    """Keep a table at PATH changing once a second: `synthetic.py SERVERS PATH`."""
    table = Table(int(sys.argv[1]))
    path = Path(sys.argv[2])
    while True:
        table.step()
        table.write(path)
        time.sleep(1)


if __name__ == "__main__":
    main()
