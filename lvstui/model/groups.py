"""What is said of a virtual_server_group, said of each service that comes from it.

keepalived names the group, not its members, in log, fifo and dump (2.2.7).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TypeVar

from lvstui.model import facts as f
from lvstui.model.config import ConfiguredService
from lvstui.model.keys import ServiceKey

_Named = TypeVar("_Named", f.ServerChanged, f.WeightChanged, f.QuorumChanged, f.CheckState)
Services = Callable[[], Mapping[ServiceKey, ConfiguredService]]
"""Gives the configured services; asked only when a group is named."""


def of_members(fact: f.Fact, services: Services) -> list[f.Fact]:
    """The fact for each member; none while no configuration has that group; of any other kind of
    fact only itself."""
    if isinstance(fact, f.ChecksSeen):
        states = [one for state in fact.servers for one in _each(state, services)]
        return [f.ChecksSeen(tuple(states))]
    if isinstance(fact, f.ServerChanged):
        return list(_each(fact, services))
    if isinstance(fact, f.WeightChanged):
        return list(_each(fact, services))
    return list(_each(fact, services)) if isinstance(fact, f.QuorumChanged) else [fact]


def _each(fact: _Named, services: Services) -> list[_Named]:
    name = fact.service_name
    if not name or fact.service.address or fact.service.fwmark:
        return [fact]
    return [replace(fact, service=key) for key, one in services().items() if one.group == name]
