"""The kernel's table of a picture, for the real planner: it takes weights and is read back."""

from __future__ import annotations

import threading

from lvstui.model.keys import ServerKey, ServiceKey
from lvstui.model.picture import Picture
from lvstui.operations.weight_changes import LiveKernel


class RecordedTable(LiveKernel):
    """As LiveKernel, of a recorded state."""

    def __init__(self, picture: Picture) -> None:
        self.weights = {
            (service.key, server.key): server.weights.kernel
            for service in picture.services
            for server in service.servers
            if server.weights.kernel is not None
        }
        self.written: list[tuple[ServiceKey, ServerKey, int]] = []
        self.deaf = False
        """It takes every weight and keeps the one it has."""
        self.raises: Exception | None = None
        self.gate: threading.Event | None = None
        """Writing waits for it."""

    def set_weight(self, key: ServiceKey, server: ServerKey, weight: int) -> None:
        """As in LiveKernel."""
        if self.gate is not None:
            self.gate.wait(30)
        if self.raises is not None:
            raise self.raises
        self.written.append((key, server, weight))
        if not self.deaf:
            self.weights[key, server] = weight

    def weight(self, key: ServiceKey, server: ServerKey) -> int | None:
        """As in LiveKernel."""
        return self.weights.get((key, server))
