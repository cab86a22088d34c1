"""Names of real servers by their keys, whatever the service."""

from __future__ import annotations

from collections.abc import Mapping

from lvstui.model.config import ConfiguredService
from lvstui.model.keys import ServerKey, ServiceKey

Services = Mapping[ServiceKey, ConfiguredService]


class NamesInConfigurations:
    """Looked up anew only when one of the configurations is another one."""

    def __init__(self) -> None:
        self._by: tuple[Services, Services] = ({}, {})
        self._named: dict[ServerKey, str] = {}

    def of(self, file: Services, loaded: Services) -> Mapping[ServerKey, str]:
        """The names in both; the file's count before those that are loaded."""
        if self._by[0] is not file or self._by[1] is not loaded:
            self._by = file, loaded
            self._named = {
                server.key: server.name
                for services in (loaded, file)
                for service in services.values()
                for server in service.servers
                if server.name
            }
        return self._named
