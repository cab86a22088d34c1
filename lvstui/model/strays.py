"""Packets for virtual addresses that still arrive at a director without them. Pure; bounded."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from lvstui.model.facts import StraysSeen
from lvstui.model.picture import InstanceView, StrayView

CLIENTS = 8
"""Clients of one address that are remembered, the newest."""
SERIES_S = 5.0
"""After so much silence it is over."""
HANDOVER_S = 3.0
"""What was on its way when the address left is no news."""
PACKETS = 3
"""One packet may be anything."""
_ADDRESSES = 4096


@dataclass(slots=True)
class _Seen:
    since: float
    last: float
    interface: str
    packets: int
    clients: dict[str, None]
    more: bool = False


class Strays:
    """What was seen of them."""

    def __init__(self) -> None:
        self._seen: dict[str, _Seen] = {}

    def seen(self, fact: StraysSeen, at: float) -> None:
        before = self._seen.get(fact.address)
        if before is None or at - before.last > SERIES_S or before.interface != fact.interface:
            if len(self._seen) >= _ADDRESSES:
                self._seen.clear()
            before = self._seen[fact.address] = _Seen(at, at, fact.interface, 0, {})
        before.last = at
        before.packets += fact.packets
        for client in fact.clients:
            before.clients.pop(client, None)
            before.clients[client] = None
            if len(before.clients) > CLIENTS:
                before.more = True
                del before.clients[next(iter(before.clients))]

    def views(
        self, instances: tuple[InstanceView, ...], moved: Callable[[str], float], now: float
    ) -> tuple[StrayView, ...]:
        """Those that last. What comes in elsewhere than on the instance's own interface is routed
        by this host, and none of its business."""
        found = []
        for instance in instances:
            for vip in instance.vips:
                seen = self._seen.get(vip)
                if seen is None or vip in instance.vips_here or now - seen.last > SERIES_S:
                    continue
                since = max(seen.since, moved(vip))
                if seen.interface != instance.interface or seen.last - moved(vip) < HANDOVER_S:
                    continue
                if seen.packets >= PACKETS:
                    clients = tuple(seen.clients)
                    found.append(StrayView(vip, clients, seen.more, since, seen.last))
        return tuple(found)
