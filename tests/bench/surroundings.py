"""A keepalived that has configured everything that is in the table, and runs it."""

from __future__ import annotations

from lvstui.kernel.table import TableReader, read_text
from lvstui.model.config import (
    Configuration,
    ConfiguredChecker,
    ConfiguredServer,
    ConfiguredService,
)
from lvstui.model.facts import AddressesSeen, ConfigurationSeen, DaemonSeen
from lvstui.sources.base import Context, Source

CHECK = (ConfiguredChecker("TCP_CHECK", "connect", 1.0, 1.0),)


class Surroundings(Source):
    """Says once what keepalived and its file would: everything is configured and runs."""

    name = "surroundings"

    def __init__(self, path: str) -> None:
        self._path = path

    def run(self, context: Context) -> None:
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
