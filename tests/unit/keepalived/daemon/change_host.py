"""A folder that stands for a director, for the scripts of a change; no keepalived runs there."""

from __future__ import annotations

import os
import shlex
import signal
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from unittest.mock import patch

from lvstui.keepalived.daemon import transaction
from lvstui.keepalived.daemon.facts import STATE, DaemonLook, FileStep
from lvstui.keepalived.daemon.look import script
from lvstui.model.changes import Ended
from lvstui.operations.config_history import HistoryEntry, parse_history
from lvstui.remote import guarded
from lvstui.remote.local import LocalRunner
from lvstui.remote.runner import Ran

ID = "20261124T220000-abcdef"
OLD, NEW = b"old \x00 'text' \xff\n", b"new % \\ text\n"


class Host:
    """A folder that stands for a host; no keepalived runs there."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.state = root / "state"
        self.conf = root / "keepalived.conf"
        self.runner = LocalRunner("here")
        self.daemon = DaemonLook("here", pid=0)
        self.tools = root / "tools"
        """Programs that stand in for the host's own."""
        self.inside = 0
        """A process in whose mount namespace the host is; 0: in ours."""

    def run(self, text: str, stdin: bytes = b"") -> Ran:
        text = self.here(text)
        text = f"PATH={self.tools}:$PATH; export PATH\n{text}"
        if self.inside:
            text = f"exec nsenter -t {self.inside} -m sh -c {shlex.quote(text)}\n"
        return self.runner.run(text, stdin=stdin, timeout_s=30)

    def here(self, text: str) -> str:
        for folder, stand_in in (
            (STATE, self.state),
            ("/run/systemd/system", self.root / "systemd"),
            ("/etc/systemd/system", self.root / "units"),
        ):
            text = text.replace(folder, str(stand_in))
        return text

    def tool(self, name: str, text: str) -> None:
        """Put a shell script in a program's place."""
        self.tools.mkdir(exist_ok=True)
        (self.tools / name).write_text(f"#!/bin/sh\n{text}\n")
        (self.tools / name).chmod(0o755)

    def begin(self, *files: FileStep, id_: str = ID, seconds: int = 600) -> Ran:
        meta = {"title": "a change", "who": "alice", "files": [file.path for file in files]}
        whole = guarded.script()
        with (
            patch.object(transaction, "script", lambda name: self.here(script(name))),
            patch.object(guarded, "script", lambda: self.here(whole)),
        ):
            text, stdin = transaction.begin(id_, files, self.daemon, seconds=seconds, meta=meta)
        assert OLD not in text.encode(), "file contents belong to standard input"
        return self.run(text, stdin)

    def phase(self, word: str, *more: str, id_: str = ID) -> Ran:
        return self.run(transaction.phase(id_, word, *more))

    def guards(self) -> list[int]:
        """The processes that go back when nobody else does."""
        found = []
        for path in Path("/proc").glob("[0-9]*/cmdline"):
            try:
                words = path.read_bytes().split(b"\0")
            except OSError:
                continue
            if b"guard" in words and any(os.fsencode(self.state) in word for word in words):
                found.append(int(path.parent.name))
        return found

    def close(self) -> None:
        """End what runs there; a systemd that stands in starts nothing again."""
        with suppress(OSError):
            (self.root / "systemd").rmdir()

        def gone() -> bool:
            self.kill(*self.guards())
            return not self.guards()

        self.wait(gone, "the guards' end")

    def kill(self, *pids: int) -> None:
        for pid in pids:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    def wait(self, condition: Callable[[], object], what: str, timeout_s: float = 60) -> None:
        until = time.monotonic() + timeout_s
        while not condition():
            assert time.monotonic() < until, f"{what} did not come: {self.log()}"
            time.sleep(0.1)

    def log(self) -> str:
        try:
            return (self.state / ID / "log").read_text()
        except OSError as error:
            return str(error)

    def step(self, after: bytes | None = NEW, before: bytes | None = OLD) -> FileStep:
        return FileStep(str(self.conf), str(self.conf), before, after)

    def standing(self, id_: str = ID) -> Ended:
        return self.entry(id_).ended

    def entry(self, id_: str = ID) -> HistoryEntry:
        (entry,) = self.history(id_)
        return entry

    def history(self, only: str) -> tuple[HistoryEntry, ...]:
        text = script("common.sh") + guarded.script() + f"S={self.state}\nONLY={only}\n"
        return parse_history(self.run(text + script("history.sh")).text, "here")
