"""Source `proc`: the whole IPVS table of this host, every tick."""

from __future__ import annotations

import threading
import time

from lvstui.kernel.table import PATH, TableFile, TableReader
from lvstui.kernel.truncated import LeftOut
from lvstui.model.facts import Available, Missing, TableSeen
from lvstui.model.ipvs import KernelTable
from lvstui.model.text import plain
from lvstui.sources.base import Context, Source

DOUBT_S = 0.05
"""After a table that lost a lot at once, the next look is so soon."""


class ProcTable(Source):
    """Pushes the table whenever it changed, and the first read in any case. A table that is cut
    off, or from which most services are gone at once, is believed when a second look says the
    same."""

    name = "proc"
    look_within_s = 5.0

    def __init__(self, path: str = PATH) -> None:
        self._file = TableFile(path)
        self._reader = TableReader()
        self._last: KernelTable | None = None
        self._missing = self._ran = False
        self._problems: list[str] = []
        self._wake = threading.Event()
        self._left_out = LeftOut() if path == PATH else None

    def look_now(self) -> None:
        self._wake.set()

    def look(self) -> TableSeen | Missing:
        """One look. Never raises for what a host can lack."""
        try:
            text = self._file.read()
            if self._is_odd(text):
                time.sleep(DOUBT_S)
                text = self._file.read()
            return TableSeen(self._reader.parse(text))
        except FileNotFoundError:
            remedy = "load it: modprobe ip_vs (keepalived does so at its start)"
            return Missing(self.name, "this kernel has no IPVS (no /proc/net/ip_vs)", remedy)
        except PermissionError:
            what = f"{self._file.path} may not be read"
            return Missing(self.name, what, "run lvstui as root: sudo lvstui")

    def _is_odd(self, text: str) -> bool:
        """Whether it is cut off, or has lost most services since the last look."""
        if not text.endswith("\n"):
            return True
        before = self._last.services if self._last is not None else ()
        # A line of a service begins with its protocol; the two lines of the head are no services.
        lines = text.count("\nTCP") + text.count("\nUDP") + text.count("\nSCTP")
        return len(before) > 2 * (lines + text.count("\nFWM"))

    def run(self, context: Context) -> None:
        # Again after a failure: what was said before has been taken back by it.
        self._last, self._problems = None, []
        self._missing, self._ran = self._ran, True
        while True:
            fact = self.look()
            if isinstance(fact, Missing):
                if not self._missing:
                    context.emit(self.name, fact)
                self._missing, self._last = True, None
            else:
                if self._missing:
                    context.emit(self.name, Available(self.name))
                    self._missing = False
                self._say_problems(context)
                if self._left_out is None or self._last is None:
                    # The first one not later than it must be: netlink takes its time to load.
                    self._say(context, fact.table)
                if self._left_out is not None:
                    self._say(context, self._left_out.complete(fact.table))
            if self._wait(context):
                break
        if self._left_out is not None:
            self._left_out.close()

    def _say_problems(self, context: Context) -> None:
        """A source of its own for the gap: the rest of the table is as good as ever."""
        problems = self._reader.problems
        if problems == self._problems:
            return
        self._problems = problems
        if problems:
            what = f"{len(problems)} lines of {self._file.path} are not understood: "
            context.emit(self.name, Missing("proc-lines", plain(what + problems[0], 300)))
        else:
            context.emit(self.name, Available("proc-lines"))

    def _say(self, context: Context, table: KernelTable) -> None:
        if table is not self._last:
            self._last = table
            context.emit(self.name, TableSeen(table))

    def _wait(self, context: Context) -> bool:
        """Wait for the tick or the call to look now; True when it is time to end."""
        due = time.monotonic() + context.interval_s
        while not context.stop.is_set():
            left = due - time.monotonic()
            if left <= 0 or self._wake.wait(min(left, 0.5)):
                self._wake.clear()
                return context.stop.is_set()
        return True
