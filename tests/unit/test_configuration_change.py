"""The scripts of a change, run here on files of a folder, without keepalived."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lvstui.keepalived.daemon import transaction
from lvstui.keepalived.daemon.facts import STATE, DaemonSeen, FileStep
from lvstui.keepalived.daemon.look import script
from lvstui.operations.config_history import merged, parse_history
from lvstui.operations.config_plan import Ended
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
        self.daemon = DaemonSeen("here", pid=0)

    def run(self, text: str, stdin: bytes = b"") -> Ran:
        return self.runner.run(text.replace(STATE, str(self.state)), stdin=stdin, timeout_s=30)

    def begin(self, *files: FileStep, id_: str = ID, seconds: int = 600) -> Ran:
        meta = {"title": "a change", "who": "alice", "files": [file.path for file in files]}
        text, stdin = transaction.begin(id_, files, self.daemon, seconds=seconds, meta=meta)
        assert OLD not in text.encode(), "file contents belong to standard input"
        return self.run(text, stdin)

    def phase(self, word: str, *more: str, id_: str = ID) -> Ran:
        return self.run(transaction.phase(id_, word, *more))

    @property
    def scripts(self) -> str:
        """What the command lines of this host's change hold, for grep, which does not find itself.
        Other workers run the same change at the same time: their folder is another."""
        return f"{self.state}/{ID}[/]change.sh"

    def step(self, after: bytes | None = NEW, before: bytes | None = OLD) -> FileStep:
        return FileStep(str(self.conf), str(self.conf), before, after)

    def standing(self, id_: str = ID) -> Ended:
        text = script("common.sh") + f"S={self.state}\nONLY=\n" + script("history.sh")
        (entry,) = [e for e in parse_history(self.run(text).text, "here") if e.id == id_]
        return entry.ended


@pytest.fixture
def host(tmp_path: Path) -> Iterator[Host]:
    found = Host(tmp_path)
    found.conf.write_bytes(OLD)
    found.conf.chmod(0o640)
    yield found
    for mark in found.state.glob("*/armed"):
        # Its guard ends when there is nothing to guard.
        mark.unlink()


def test_kept(host: Host) -> None:
    assert "armed" in host.begin(host.step()).text
    assert host.conf.read_bytes() == OLD
    assert host.standing() is Ended.WAITING
    assert host.phase("write").text == "written\n"
    assert host.conf.read_bytes() == NEW
    assert host.conf.stat().st_mode & 0o777 == 0o640
    assert host.phase("reload").status == 0
    assert host.phase("confirm", "alice").text == "confirmed\n"
    assert host.standing() is Ended.CONFIRMED
    assert host.phase("revert").status == transaction.GONE
    assert host.conf.read_bytes() == NEW
    assert host.state.stat().st_mode & 0o777 == 0o700
    assert not (host.state / "current").is_symlink()


def test_taken_back_with_everything_it_had(host: Host) -> None:
    os.utime(host.conf, (1, 1))
    host.begin(host.step())
    host.phase("write")
    assert host.phase("revert", "a reason").text == "reverted\n"
    assert (host.conf.read_bytes(), host.conf.stat().st_mtime) == (OLD, 1)
    assert host.standing() is Ended.TAKEN_BACK
    assert (host.state / ID / "outcome").read_text() == "a reason\n"
    assert host.phase("confirm", "alice").status == transaction.GONE


def test_the_timer_takes_it_back_without_anybody(host: Host) -> None:
    host.begin(host.step(), seconds=2)
    host.phase("write")
    until = time.monotonic() + 15
    while host.conf.read_bytes() != OLD:
        assert time.monotonic() < until
        time.sleep(0.1)
    while not (host.state / ID / "outcome").exists():
        assert time.monotonic() < until
        time.sleep(0.1)
    assert "timer ran out" in (host.state / ID / "outcome").read_text()
    assert host.phase("extend", "60").status == transaction.GONE


def test_a_killed_guard_is_replaced(host: Host) -> None:
    host.begin(host.step(), seconds=4)
    host.phase("write")
    killed = host.run(
        f"for p in $(grep -la '{host.scripts}' /proc/[0-9]*/cmdline); do p=${{p#/proc/}};"
        ' kill -9 "${p%/cmdline}" && echo killed; done'
    )
    assert "killed" in killed.text
    until = time.monotonic() + 20
    while host.conf.read_bytes() != OLD:
        assert time.monotonic() < until
        time.sleep(0.1)


def test_somebody_elses_change_is_never_overwritten(host: Host) -> None:
    host.conf.write_bytes(b"theirs")
    ran = host.begin(host.step())
    assert ran.status == transaction.CHANGED
    assert "changed since it was read" in ran.text
    assert host.conf.read_bytes() == b"theirs"
    assert not (host.state / ID).exists()

    host.conf.write_bytes(OLD)
    host.begin(host.step())
    host.conf.write_bytes(b"theirs")
    assert host.phase("write").status == 1
    assert host.conf.read_bytes() == b"theirs"
    assert host.standing() is Ended.TAKEN_BACK


def test_what_somebody_wrote_over_it_stays_and_is_told(host: Host) -> None:
    host.begin(host.step())
    host.phase("write")
    host.conf.write_bytes(b"theirs")
    assert "changed by somebody else" in host.phase("revert").text
    assert host.conf.read_bytes() == b"theirs"
    assert host.standing() is Ended.TROUBLE


def test_one_change_at_a_time(host: Host) -> None:
    other = "20261124T220001-abcdef"
    host.begin(host.step())
    busy = host.begin(host.step(), id_=other)
    assert busy.status == transaction.BUSY
    assert ID in busy.text
    host.phase("revert")
    assert host.begin(host.step(), id_=other).status == 0


def test_files_that_come_and_go(host: Host) -> None:
    new, gone = host.root / "conf.d" / "new.conf", host.root / "gone.conf"
    gone.write_bytes(b"gone")
    files = (
        host.step(),
        FileStep(str(new), str(new), None, b"new"),
        FileStep(str(gone), str(gone), b"gone", None),
    )
    host.begin(*files)
    assert host.phase("write").text == "written\n"
    assert (host.conf.read_bytes(), new.read_bytes(), gone.exists()) == (NEW, b"new", False)
    host.phase("revert")
    assert (host.conf.read_bytes(), new.exists(), gone.read_bytes()) == (OLD, False, b"gone")


def test_a_folder_that_can_not_be_written_leaves_all_as_it_was(host: Host) -> None:
    other = host.root / "file" / "x.conf"
    (host.root / "file").write_text("in the way")
    host.begin(host.step(), FileStep(str(other), str(other), None, b"new"))
    assert host.phase("write").status == 1
    assert host.conf.read_bytes() == OLD
    assert sorted(p.name for p in host.root.iterdir()) == ["file", "keepalived.conf", "state"]


@pytest.mark.parametrize("mark", ["writing", "reverting"])
def test_a_phase_that_was_cut_is_taken_back(host: Host, mark: str) -> None:
    host.begin(host.step())
    folder = host.state / ID
    if mark == "writing":
        # Cut between the copy beside it and the rename.
        (folder / "writing").touch()
        (host.root / f".lvstui-{ID}.1~").write_bytes(NEW[:3])
    else:
        host.phase("write")
        (folder / "armed").rename(folder / "reverting")
    assert host.phase("revert").text == "reverted\n"
    assert host.conf.read_bytes() == OLD
    assert sorted(p.name for p in host.root.iterdir()) == ["keepalived.conf", "state"]


def test_the_oldest_are_forgotten(host: Host) -> None:
    for number in range(transaction.KEEP + 3):
        (host.state / f"20260101T0000{number:02}-abcdef").mkdir(parents=True)
    host.begin(host.step())
    host.phase("revert")
    kept = sorted(p.name for p in host.state.iterdir())
    assert len(kept) == transaction.KEEP
    assert kept[-1] == ID


def test_no_moment_with_a_timer_that_seems_to_have_run_out(host: Host, tmp_path: Path) -> None:
    """Who finds a change armed and without a deadline takes it back."""
    seen = tmp_path / "seen"
    tools = tmp_path / "tools"
    tools.mkdir()
    # The first sync comes after `armed`: what is there at that moment?
    (tools / "sync").write_text(
        f'#!/bin/sh\nfor d in {host.state}/*/; do [ ! -e "$d/armed" ] || '
        f'{{ cat "$d/deadline" || echo none; }} >> {seen} 2>/dev/null; done\n'
    )
    (tools / "sync").chmod(0o755)
    text, stdin = transaction.begin(ID, [host.step()], host.daemon, seconds=600, meta={})
    assert host.run(f"PATH={tools}:$PATH; export PATH\n{text}", stdin).status == 0
    up = float(Path("/proc/uptime").read_text().split()[0])
    lines = seen.read_text().split()
    assert lines
    assert all(up < int(line) <= up + 601 for line in lines), (lines, up)
    host.phase("revert")


def test_a_guard_whose_change_was_removed_ends(host: Host) -> None:
    host.begin(host.step())
    folder = str(host.state / ID)

    def guards() -> list[int]:
        found = []
        for path in Path("/proc").glob("[0-9]*/cmdline"):
            try:
                words = path.read_bytes().split(b"\0")
            except OSError:
                continue
            if b"lvstui-guard" in words and folder.encode() in words:
                found.append(int(path.parent.name))
        return found

    assert len(guards()) == 1
    # The folder goes, and what runs in it is killed: nothing is left to begin again with.
    host.run(
        f"mv {host.state} {host.root}/elsewhere; "
        f"for p in $(grep -la '{host.scripts}' /proc/[0-9]*/cmdline); do p=${{p#/proc/}}; "
        f'p=${{p%/cmdline}}; grep -qa lvstui-guard "/proc/$p/cmdline" || kill -9 "$p"; done'
    )
    until = time.monotonic() + 20
    while guards():
        assert time.monotonic() < until, "it goes on for ever"
        time.sleep(0.1)


@settings(max_examples=15, deadline=None,
          suppress_health_check=[HealthCheck.function_scoped_fixture])  # fmt: skip
@given(old=st.binary(max_size=400), new=st.binary(max_size=400))
def test_any_bytes_arrive_and_come_back(host: Host, old: bytes, new: bytes) -> None:
    host.run(f"rm -rf {host.state}")
    host.conf.write_bytes(old)
    assert host.begin(host.step(new, old)).status == 0
    assert host.phase("write").text == "written\n"
    assert host.conf.read_bytes() == new
    assert host.phase("revert").text == "reverted\n"
    assert host.conf.read_bytes() == old


def test_one_history_of_two_directors() -> None:
    def told(state: str) -> str:
        meta = '{"title": "t", "who": "alice", "at": 5, "hosts": ["lb1", "lb2"], "files": ["/a"]}'
        return f"state {ID} {state}\nmeta {ID} {meta}\nleft {ID} 40\nend\n"

    both = merged([parse_history(told("confirmed"), "lb1"), parse_history(told("armed"), "lb2")])
    (entry,) = both
    assert (entry.ended, entry.left_s, entry.hosts) == (Ended.WAITING, 40, ("lb1", "lb2"))
    assert [s.host for s in entry.standing] == ["lb1", "lb2"]
