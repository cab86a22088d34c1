"""Source `routes`: whether this host takes packets for the addresses of its virtual services.

IPVS sees what is for this host: an address on an interface, or a route of type local (ip-route(8):
`ip route add local 10.0.0.0/24 dev lo`). One question to the kernel's routing tells both.
"""

from __future__ import annotations

import errno

from lvstui.kernel import rtnetlink
from lvstui.model.facts import LocalSeen
from lvstui.model.keys import ServiceKey
from lvstui.sources.base import Context, Source

AT_ONCE = 50
"""Addresses asked for in one tick; the others take turns."""
EVERY_S = 2.0


class LocalRoutes(Source):
    """Asks for some addresses each time, and pushes what is new."""

    name = "routes"

    def __init__(self) -> None:
        self._addresses: tuple[str, ...] = ()
        self._turn = 0
        self._told: dict[str, bool] = {}

    def services(self, services: tuple[ServiceKey, ...]) -> None:
        self._addresses = tuple(dict.fromkeys(key.address for key in services if key.address))

    def run(self, context: Context) -> None:
        for _ in context.ticks(max(context.interval_s, EVERY_S)):
            self._ask(context)

    def _ask(self, context: Context) -> None:
        asked = self._addresses
        living = set(asked)
        self._told = {one: yes for one, yes in self._told.items() if one in living}
        if self._turn >= len(asked):
            self._turn = 0
        turn = asked[self._turn : self._turn + AT_ONCE]
        self._turn += AT_ONCE
        found = [(address, local) for address in turn if (local := is_local(address)) is not None]
        new = tuple(pair for pair in found if self._told.get(pair[0]) is not pair[1])
        if new:
            self._told.update(new)
            context.emit(self.name, LocalSeen(new))


def is_local(address: str) -> bool | None:
    """Whether the kernel takes packets for `address` for its own; None when it does not say."""
    try:
        return rtnetlink.parse_route(rtnetlink.route(address))[0] == rtnetlink.LOCAL
    except TimeoutError:
        return None
    except OSError as error:
        # No route at all, or one that refuses: packets for it are not taken.
        refused = (errno.ENETUNREACH, errno.EHOSTUNREACH, errno.EACCES, errno.EINVAL)
        return False if error.errno in refused else None
    except (ValueError, IndexError):
        return None
