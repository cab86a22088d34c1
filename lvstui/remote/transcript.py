"""What was done on other hosts: every command and how it ended."""

from __future__ import annotations

import json
import os
import threading
import time
from collections import deque
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Protocol

from lvstui.process import newfile
from lvstui.remote.append import append_lines
from lvstui.remote.credentials import Redactor
from lvstui.remote.runner import Ran, RemoteError

KEPT = 500
"""Records a host in memory."""

SIZE = 8000
"""Characters kept of a script and of each output."""


class Party(Protocol):
    """What the transcript wants to know about the runner."""

    @property
    def host(self) -> str: ...
    @property
    def user(self) -> str: ...
    @property
    def fingerprint(self) -> str: ...


@dataclass(frozen=True, slots=True)
class Record:
    """One command."""

    at: float
    """Seconds since the epoch, when it had ended."""
    host: str
    user: str
    key: str
    """The host key's fingerprint; empty for this host itself."""
    what: str
    script: str
    root: bool
    status: int | None
    """None when it is not known how it ended."""
    out: str
    err: str
    took_s: float
    trouble: str = ""


def cut(text: str, size: int = SIZE) -> str:
    """The beginning and the end of a long text, with a word about what is left out."""
    if len(text) <= size:
        return text
    half = size // 2
    return f"{text[:half]}\n… {len(text) - 2 * half} characters left out …\n{text[-half:]}"


class Transcript:
    """Keeps the last records of each host, and writes them to a file if there is one.

    What goes in by standard input is never recorded. Used from many threads.
    """

    def __init__(self, redactor: Redactor, path: Path | None = None) -> None:
        """path: a new file to write to, made with mode 0600. Raises OSError when it cannot be."""
        self._redactor = redactor
        self._lock = threading.Lock()
        self._hosts: dict[str, deque[Record]] = {}
        self._fd = -1
        if path is not None:
            self._fd = newfile.create(path)

    def records(self, host: str | None = None) -> list[Record]:
        """The records of one host, or of all, oldest first."""
        with self._lock:
            rings = [self._hosts.get(host, deque())] if host is not None else self._hosts.values()
            return sorted((r for ring in rings for r in ring), key=lambda r: r.at)

    def ran(self, party: Party, what: str, script: str, *, root: bool, ran: Ran) -> None:
        """A command ended."""
        out = ran.out.decode("utf-8", "backslashreplace")
        self._add(party, what, script, root, ran.status, out, ran.err, ran.took_s, "")

    def failed(
        self, party: Party, what: str, script: str, *, root: bool, error: RemoteError, took_s: float
    ) -> None:
        """A command was not run, or its end is not known."""
        trouble = error.trouble.value
        self._add(party, what, script, root, None, "", str(error), took_s, trouble)

    def lines(self) -> list[str]:
        """What is kept, a JSON object a line."""
        return [_line(record) for record in self.records()]

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            fd, self._fd = self._fd, -1
        if fd >= 0:
            os.close(fd)

    def _add(
        self,
        party: Party,
        what: str,
        script: str,
        root: bool,
        status: int | None,
        out: str,
        err: str,
        took_s: float,
        trouble: str,
    ) -> None:
        clean = self._redactor.clean
        record = Record(
            time.time(),
            party.host,
            party.user,
            party.fingerprint,
            clean(what),
            # Cleaned before it is cut, or half a secret would stay.
            cut(clean(script)),
            root,
            status,
            cut(clean(out)),
            cut(clean(err)),
            round(took_s, 3),
            trouble,
        )
        with self._lock:
            self._hosts.setdefault(party.host, deque(maxlen=KEPT)).append(record)
            if self._fd >= 0:
                try:
                    append_lines(self._fd, _line(record).encode(), sync=False)
                except OSError:
                    # A full disk here must not stop work over there; memory has the record.
                    os.close(self._fd)
                    self._fd = -1


def _line(record: Record) -> str:
    return json.dumps(asdict(record), ensure_ascii=True) + "\n"
