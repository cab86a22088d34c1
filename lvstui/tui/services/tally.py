"""How many real servers are in which state: counted by difference, as pictures come."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from lvstui.model.keys import ServiceKey
from lvstui.model.picture import ServiceView


class Tally:
    """Counts of states over all services."""

    def __init__(self) -> None:
        self.states: Counter[str] = Counter()
        """Word of the state to number of real servers."""
        self.servers = 0
        """All of them."""
        self._last: Sequence[ServiceView] = ()
        self._kept: dict[ServiceKey, tuple[ServiceView, Counter[str]]] = {}

    def count(self, services: Sequence[ServiceView]) -> None:
        """Take these services; only new objects are looked into."""
        if services is self._last:
            return
        self._last = services
        kept: dict[ServiceKey, tuple[ServiceView, Counter[str]]] = {}
        before = self._kept
        for view in services:
            known = before.pop(view.key, None)
            if known is None or known[0] is not view:
                counts = Counter([server.state.value for server in view.servers])
                if known is not None:
                    self._remove(known[1])
                self.states.update(counts)
                self.servers += len(view.servers)
                known = (view, counts)
            kept[view.key] = known
        for _, counts in before.values():
            self._remove(counts)
        self._kept = kept

    def _remove(self, counts: Counter[str]) -> None:
        self.states.subtract(counts)
        self.servers -= sum(counts.values())
