"""Source `sysctl`: kernel settings of this network namespace that decide what operations do.

Documentation/networking/ipvs-sysctl.rst of the kernel tells what each one means.
"""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from lvstui.model.facts import SysctlsSeen
from lvstui.sources.base import Context, Source

ROOT = Path("/proc/sys")
NAMES = (
    "net.ipv4.vs.backup_only",
    "net.ipv4.vs.conn_reuse_mode",
    "net.ipv4.vs.expire_nodest_conn",
    "net.ipv4.vs.expire_quiescent_template",
    "net.ipv4.vs.sloppy_tcp",
    "net.ipv4.ip_nonlocal_bind",
)
EVERY_S = 10.0


def read_sysctls(root: Path = ROOT) -> tuple[tuple[str, str], ...]:
    """(name, value) of those that this kernel has."""
    found = []
    for name in NAMES:
        with suppress(OSError):
            value = (root / name.replace(".", "/")).read_text("ascii", "replace").strip()
            found.append((name, value))
    return tuple(found)


class Sysctls(Source):
    """Pushes them at the start and when one changed."""

    name = "sysctl"

    def run(self, context: Context) -> None:
        """Look now and then: nobody changes these often."""
        last: tuple[tuple[str, str], ...] | None = None
        for _ in context.ticks(EVERY_S):
            values = read_sysctls()
            if values != last:
                last = values
                context.emit(self.name, SysctlsSeen(values))
