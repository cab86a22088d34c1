"""An operator who stops a change of keepalived.conf has the old files back at once."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest

from lvstui.keepalived.daemon.facts import ConfigSeen, DaemonLook, DirectorSeen, FileStep
from lvstui.model.changes import Ended
from lvstui.model.config import Configuration
from lvstui.operations.change import Progress, Stop
from lvstui.operations.configuration_apply import STAGES, ApplyRun, Target
from lvstui.operations.configuration_hosts import DirectorAccess
from lvstui.remote.runner import Ran

WORDS = ("write", "reload", "extend", "confirm", "revert")


@dataclass
class Host:
    """Does what it is told, and remembers the phases."""

    host: str = "lb1"
    phases: list[str] = field(default_factory=list)

    def run(self, script: str, *, what: str = "", **_: object) -> Ran:
        word = "revert" if what == "take it back" else what.partition(" ")[0]
        self.phases.append(word)
        said = {"begin": b"armed process", "revert": b"reverted"}.get(word, b"")
        return Ran(0, said, "")

    def read(self, path: str, *, root: bool = False, most: int = 1) -> bytes | None:
        raise AssertionError

    def write(self, path: str, data: bytes, *, mode: int = 0, root: bool = False) -> None:
        raise AssertionError

    def close(self) -> None:
        pass


def applied(host: Host, stop_at: str) -> tuple[Ended, str, list[str]]:
    """How it ended when it is stopped at that stage, in words, and what was told."""
    stop, told = Stop(), []

    def tell(progress: Progress) -> None:
        told.append(str(progress))
        if progress.text.startswith(stop_at):
            stop.set()

    seen = DirectorSeen(DaemonLook("lb1", systemd=False), ConfigSeen(None, None, ()))
    file = FileStep("/etc/k.conf", "/etc/k.conf", b"old", b"new")
    came = ApplyRun(
        "20261124T220000-abcdef",
        [Target(DirectorAccess("lb1", lambda: host), seen, (file,), Configuration())],
        {"who": "alice"},
        60,
        tell,
        stop=stop,
    ).run()
    return came.ended, came.text, told


@pytest.mark.parametrize(
    ("stop_at", "phases"),
    [("laying", ["begin", "revert"]), ("writing", ["begin", "write", "revert"])],
)
def test_what_was_written_is_taken_back_and_nothing_more_is_begun(
    stop_at: str, phases: list[str]
) -> None:
    host = Host()
    ended, text, told = applied(host, stop_at)
    assert (ended, host.phases) == (Ended.UNDONE, phases)
    assert text == "undone by alice; the old files are back"
    assert told[0] == f"2 of {STAGES}, lb1: laying it out, under a timer"
    assert told[-1].endswith("stopped: the old files are put back")


def test_without_a_stop_it_waits_to_be_kept() -> None:
    host = Host()
    ended, _, told = applied(host, "never")
    assert (ended, host.phases) == (Ended.WAITING, ["begin", "write", "reload", "extend"])
    assert not any("stopped" in one for one in told)
