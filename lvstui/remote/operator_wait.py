"""Time that a host is not to blame for: the operator is thinking."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Iterator

_here = threading.local()


class OperatorWait:
    """Counts the time one job waits for answers of the operator."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._depth = 0
        self._since = 0.0
        self._total = 0.0

    @contextlib.contextmanager
    def asking(self) -> Iterator[None]:
        """A question is open, or another one must be answered first."""
        with self._lock:
            if self._depth == 0:
                self._since = time.monotonic()
            self._depth += 1
        try:
            yield
        finally:
            with self._lock:
                self._depth -= 1
                if self._depth == 0:
                    self._total += time.monotonic() - self._since

    def waited_s(self) -> float:
        """Seconds so far, the open question included."""
        with self._lock:
            running = time.monotonic() - self._since if self._depth else 0.0
            return self._total + running


def current() -> OperatorWait:
    """The one of this thread; made when there is none."""
    found: OperatorWait | None = getattr(_here, "patience", None)
    if found is None:
        found = _here.patience = OperatorWait()
    return found


@contextlib.contextmanager
def using(patience: OperatorWait) -> Iterator[None]:
    """Make it this thread's for a while."""
    before = getattr(_here, "patience", None)
    _here.patience = patience
    try:
        yield
    finally:
        _here.patience = before
