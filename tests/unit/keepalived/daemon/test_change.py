"""The scripts of a change, run here on files of a folder, without keepalived."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lvstui.keepalived.daemon import transaction
from lvstui.keepalived.daemon.facts import FileStep
from lvstui.model.changes import Ended
from lvstui.operations.config_history import merged, parse_history
from lvstui.remote import guarded
from tests.unit.keepalived.daemon.change_host import ID, NEW, OLD, Host


@pytest.fixture
def host(tmp_path: Path) -> Iterator[Host]:
    found = Host(tmp_path)
    found.conf.write_bytes(OLD)
    found.conf.chmod(0o640)
    yield found
    found.close()


def test_kept(host: Host) -> None:
    assert "armed" in host.begin(host.step()).text
    assert host.conf.read_bytes() == OLD
    assert host.standing() is Ended.WAITING
    assert host.phase("write").text == "written\n"
    assert host.conf.read_bytes() == NEW
    assert host.conf.stat().st_mode & 0o777 == 0o640
    assert host.phase("reload").status == 0
    assert host.phase("confirm", "alice").text == "confirmed\n"
    assert host.standing() is Ended.KEPT
    assert host.phase("revert").status == guarded.GONE
    assert host.conf.read_bytes() == NEW
    assert host.state.stat().st_mode & 0o777 == 0o700
    assert not (host.state / "current").is_symlink()


def test_a_host_tells_of_all_of_one_or_of_the_one_under_way(host: Host) -> None:
    other = "20261124T220001-abcdef"
    host.begin(host.step())
    host.phase("revert", "a reason")
    assert host.history("current") == ()
    host.begin(host.step(), id_=other)
    for only, ids in (("", [other, ID]), (ID, [ID]), ("current", [other]), ("20261124T2", [])):
        assert [entry.id for entry in host.history(only)] == ids


def test_taken_back_with_everything_it_had(host: Host) -> None:
    os.utime(host.conf, (1, 1))
    host.begin(host.step())
    host.phase("write")
    assert host.phase("revert", "a reason").text == "reverted\n"
    assert (host.conf.read_bytes(), host.conf.stat().st_mtime) == (OLD, 1)
    assert host.standing() is Ended.ROLLED_BACK
    assert host.entry().standing[0].text == "a reason"
    assert host.phase("confirm", "alice").status == guarded.GONE


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
    assert host.phase("extend", "60").status == guarded.GONE


@pytest.mark.parametrize("which", [0, 1])
def test_a_killed_guard_is_started_again_by_the_other(host: Host, which: int) -> None:
    host.begin(host.step(), seconds=6)
    host.phase("write")
    for _ in range(2):
        first = sorted(host.guards())
        host.kill(first[which])
        host.wait(lambda first=first: len(set(host.guards()) - set(first)) == 1, "another guard")  # type: ignore[misc]
    assert len(host.guards()) == 2
    host.wait(lambda: host.conf.read_bytes() == OLD, "the old file")
    host.wait(lambda: host.standing() is Ended.ROLLED_BACK, "the decision")
    host.wait(lambda: not host.guards(), "their end")


def test_somebody_elses_change_is_never_overwritten(host: Host) -> None:
    host.conf.write_bytes(b"theirs")
    ran = host.begin(host.step())
    assert ran.status == guarded.CHANGED
    assert "changed since it was read" in ran.text
    assert host.conf.read_bytes() == b"theirs"
    assert not (host.state / ID).exists()

    host.conf.write_bytes(OLD)
    host.begin(host.step())
    host.conf.write_bytes(b"theirs")
    assert host.phase("write").status == 1
    assert host.conf.read_bytes() == b"theirs"
    assert host.standing() is Ended.ROLLED_BACK


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
    assert busy.status == guarded.BUSY
    assert ID in busy.text
    host.phase("revert")
    assert host.begin(host.step(), id_=other).status == 0


def test_copies_of_one_that_was_killed_while_it_was_laid_out_go(host: Host) -> None:
    killed = "20261124T215959-abcdef"
    host.begin(host.step(), id_=killed)
    host.close()
    laid = host.state / killed
    (laid / "armed").unlink()
    (host.state / "current").unlink()
    copy = host.conf.parent / f".lvstui-{killed}.1.old~"
    assert host.begin(host.step()).status == 0
    assert copy.exists(), "it may still be under way"
    host.phase("revert")
    (laid / "deadline").write_text("0\n")
    assert host.begin(host.step(), id_="20261124T220001-abcdef").status == 0
    assert not copy.exists()
    assert (laid / "never").exists()


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


PROGRAMS = ("cat", "chmod", "chown", "cmp", "cp", "mkdir", "mv", "rm", "stat", "sync")


@pytest.mark.parametrize("phase", ["write", "revert"])
def test_cut_at_any_program_the_file_is_whole_and_comes_back(host: Host, phase: str) -> None:
    """The phase and all that it runs are killed as one of its programs begins: each in turn."""
    told = host.root / "told"
    for name in PROGRAMS:
        # The guards, which are older than CUT, are not meant.
        host.tool(
            name,
            f'[ -n "$CUT" ] || exec {shutil.which(name)} "$@"\n'
            f"echo {name} >> {told}\n[ $(wc -l < {told}) != $CUT ] || kill -9 0\n"
            f'exec {shutil.which(name)} "$@"',
        )
    cut = 0
    while True:
        assert "armed" in host.begin(host.step()).text
        if phase == "revert":
            host.phase("write")
        told.unlink(missing_ok=True)
        cut += 1
        done = host.run(f"CUT={cut}; export CUT\n{transaction.phase(ID, phase)}")
        assert host.conf.read_bytes() in (OLD, NEW)
        if done.status == 0:
            break
        assert done.status in (-9, 137), done
        host.phase("revert")
        assert host.conf.read_bytes() == OLD
        assert not [p.name for p in host.root.iterdir() if p.name.startswith(".lvstui")]
        host.close()
        shutil.rmtree(host.state)
    assert cut > 4, "nothing was cut"


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
    # The first sync comes after `armed`: what is there at that moment?
    host.tool(
        "sync",
        f'for d in {host.state}/*/; do [ ! -e "$d/armed" ] || '
        f'{{ head -n 1 "$d/deadline" || echo none; }} >> {seen} 2>/dev/null; done',
    )
    assert host.begin(host.step()).status == 0
    up = float(Path("/proc/uptime").read_text().split()[0])
    lines = seen.read_text().split()
    assert lines
    assert all(up < int(line) <= up + 601 for line in lines), (lines, up)
    host.phase("revert")


def test_a_guard_whose_change_was_removed_ends(host: Host) -> None:
    host.begin(host.step())
    assert len(host.guards()) == 2
    host.run(f"mv {host.state} {host.root}/elsewhere")
    host.wait(lambda: not host.guards(), "their end")


@settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(old=st.binary(max_size=400), new=st.binary(max_size=400))
def test_any_bytes_arrive_and_come_back(host: Host, old: bytes, new: bytes) -> None:
    id_ = f"{ID}{time.monotonic_ns()}"
    host.conf.write_bytes(old)
    assert host.begin(host.step(new, old), id_=id_).status == 0
    assert host.phase("write", id_=id_).text == "written\n"
    assert host.conf.read_bytes() == new
    assert host.phase("revert", id_=id_).text == "reverted\n"
    assert host.conf.read_bytes() == old


def test_one_history_of_two_directors() -> None:
    def told(state: str) -> str:
        meta = '{"title": "t", "who": "alice", "at": 5, "hosts": ["lb1", "lb2"], "files": ["/a"]}'
        return f"state {ID} {state}\nmeta {ID} {meta}\nleft {ID} 40\nend\n"

    both = merged([parse_history(told("confirmed"), "lb1"), parse_history(told("armed"), "lb2")])
    (entry,) = both
    assert (entry.ended, entry.left_s, entry.hosts) == (Ended.WAITING, 40, ("lb1", "lb2"))
    assert [s.host for s in entry.standing] == ["lb1", "lb2"]
