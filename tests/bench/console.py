"""The real console over a table in a file: `console.py PATH`.

Only the kernel and the daemon are stood in for; reading, merging and drawing are what operators
run.
"""

from __future__ import annotations

import sys

from lvstui.app import LvstuiApp
from lvstui.frugal import one_arena
from lvstui.model.config import (
    Configuration,
    ConfiguredChecker,
    ConfiguredServer,
    ConfiguredService,
)
from lvstui.model.facts import AddressesSeen, ConfigurationSeen, DaemonSeen
from lvstui.operations.operator import Operator
from lvstui.sources.base import Context
from lvstui.sources.proc import ProcTable, TableReader, read_text
from lvstui.watch import Watcher

CHECK = (ConfiguredChecker("TCP_CHECK", "connect", 1.0, 1.0),)


class Surroundings:
    """Says once what keepalived and its file would: everything is configured and runs."""

    name = "surroundings"

    def __init__(self, path: str) -> None:
        self._path = path

    def run(self, context: Context) -> None:
        """See `Source`."""
        table = TableReader().parse(read_text(self._path))
        services = tuple(
            ConfiguredService(
                service.key,
                service.scheduler,
                "DR",
                tuple(
                    ConfiguredServer(d.key, d.weight, "DR", f"rs{number}", CHECK)
                    for number, d in enumerate(service.destinations)
                ),
            )
            for service in table.services
        )
        configuration = Configuration(services, digest="same")
        context.emit("daemon", DaemonSeen(True, "2.2.7", 1, started=1.0))
        context.emit("file", ConfigurationSeen(configuration))
        context.emit("memfd", ConfigurationSeen(configuration, loaded=True))
        context.emit("rtnetlink", AddressesSeen(()))


def main() -> None:
    """Run it."""
    one_arena()
    path = sys.argv[1]
    with Watcher([ProcTable(path), Surroundings(path)], host="bench") as watcher:
        LvstuiApp(watcher, Operator(read_only=True)).run()


if __name__ == "__main__":
    main()
