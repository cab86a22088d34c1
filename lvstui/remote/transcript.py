"""What was done on other hosts: every command and how it ended."""

from __future__ import annotations

import json
import os
import threading
from collections import deque
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from lvstui.process import newfile
from lvstui.remote.append import append_lines
from lvstui.remote.credentials import Redactor

KEPT = 500
"""Records a host in memory."""

SIZE = 8000
"""Characters kept of a script and of each output."""


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

    def records(self) -> list[Record]:
        """What is kept, oldest first."""
        with self._lock:
            return sorted((r for ring in self._hosts.values() for r in ring), key=lambda r: r.at)

    def lines(self) -> list[str]:
        """What is kept, a JSON object a line."""
        return [_line(record) for record in self.records()]

    def close(self) -> None:
        with self._lock:
            fd, self._fd = self._fd, -1
        if fd >= 0:
            os.close(fd)

    def add(self, record: Record) -> None:
        """A command ended, or was not run."""
        clean = self._redactor.clean
        record = replace(
            record,
            what=clean(record.what),
            # Cleaned before it is cut, or half a secret would stay.
            script=cut(clean(record.script)),
            out=cut(clean(record.out)),
            err=cut(clean(record.err)),
        )
        with self._lock:
            self._hosts.setdefault(record.host, deque(maxlen=KEPT)).append(record)
            if self._fd >= 0:
                try:
                    append_lines(self._fd, _line(record).encode(), sync=False)
                except OSError:
                    # A full disk here must not stop work over there; memory has the record.
                    os.close(self._fd)
                    self._fd = -1


def _line(record: Record) -> str:
    return json.dumps(asdict(record), ensure_ascii=True) + "\n"
