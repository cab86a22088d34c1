"""Listening on the wire while real servers are changed."""

from __future__ import annotations

import threading
from collections.abc import Sequence

from lvstui.model.text import plain
from lvstui.realserver import probes
from lvstui.realserver.hosts import Host


class ArpListener:
    """Listens on the wire while hosts are changed: nobody but the master may speak for a VIP."""

    def __init__(self, vips: Sequence[str], hosts: Sequence[Host]) -> None:
        self._vips, self._hosts = vips, hosts
        self._stop = threading.Event()
        self._result: probes.Listened | probes.Unavailable | None = None
        self._thread = threading.Thread(target=self._listen, name="arp-ear", daemon=True)

    def _listen(self) -> None:
        found = probes.macs_of([host.address for host in self._hosts])
        names = {
            mac: host.label
            for host in self._hosts
            for mac in getattr(found[host.address], "macs", ())
        }
        self._result = probes.watch(float("inf"), self._vips, servers=names, stop=self._stop)

    def __enter__(self) -> ArpListener:
        if self._vips:
            self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        if self._vips:
            self._thread.join(10)

    @property
    def wrong(self) -> tuple[str, ...]:
        """Who spoke and should not have."""
        if not isinstance(self._result, probes.Listened):
            return ()
        return tuple(
            dict.fromkeys(plain(seen.text) for seen in self._result.sightings if seen.wrong)
        )

    @property
    def words(self) -> str:
        """How well was listened."""
        result = self._result
        if result is None:
            return ""
        if isinstance(result, probes.Listened):
            return f"{result.heard} ARP packets heard in {result.seconds:.0f} s: {result.text}"
        return result.text
