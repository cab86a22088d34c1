"""Whoever only says that he is keepalived is not believed, and nothing of his is run.

`tests/lab/test_identity.py` shows the same with a real keepalived and its peer.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from lvstui.keepalived.daemon.look import parse_daemon, script
from lvstui.process import trust
from lvstui.sources import daemon, processes
from tests import stand_ins
from tests.stand_ins import NOBODY, as_root, running, we_are_root

__all__ = ["we_are_root"]

pytestmark = pytest.mark.xdist_group("stand-in")
SHELLS = [path for shell in ("dash", "bash", "busybox") if (path := shutil.which(shell))]


class Site:
    """Folders of root's and of a stranger's, with programs that note when root runs them."""

    def __init__(self, roots: Path, strangers: Path) -> None:
        self.roots, self.strangers = roots, strangers
        self.mark = roots / "mark"
        self.pid_dir = roots / "run"
        self.pid_dir.mkdir()
        self.program = roots / "keepalived"
        shutil.copy("/bin/sleep", self.program)
        self.impostor = strangers / "keepalived"
        stand_ins.recorder(self.impostor, self.mark)
        os.chown(self.impostor, NOBODY, NOBODY)

    def pid_file(self, pid: int, name: str = "keepalived.pid") -> Path:
        path = self.pid_dir / name
        path.write_text(f"{pid}\n")
        return path

    def look(self, shell: str, extra: str = "") -> str:
        """What the script for a director prints here, its pid files in our folder."""
        text = script("common.sh") + "BRIEF=\n" + script("look.sh")
        for folder in ("/var/run/", "/run/keepalived", "/run/"):
            text = text.replace(folder, f"{self.pid_dir}/{folder.rpartition('run/')[2]}")
        text = text.replace("command -v keepalived", "command -v no-such-keepalived")
        done = subprocess.run(
            [shell, *(["sh"] if shell.endswith("busybox") else []), "-c", text + extra],
            capture_output=True,
            timeout=60,
            check=False,
            stdin=subprocess.DEVNULL,
        )
        assert done.stderr == b"", done.stderr
        return done.stdout.decode()


@pytest.fixture
def site(monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    with stand_ins.own_folder() as roots, stand_ins.strangers_folder() as strangers:
        found = Site(roots, strangers)
        monkeypatch.setattr(daemon, "PID_DIRS", (str(found.pid_dir),))
        monkeypatch.setenv("PATH", f"{strangers}:/usr/bin:/bin")
        monkeypatch.setattr(daemon, "BINARIES", (str(found.impostor),))
        yield found


def nothing_of(site: Site, pid: int) -> None:
    """Nothing is run, read or believed of this process, by either look."""
    assert daemon.find_pid() == 0
    seen = daemon.find_daemon()
    assert (seen.running, seen.version, seen.installed) == (False, "", False)
    assert daemon.binary_of(pid) == daemon.Binary()
    assert processes.command_line(pid) == ()
    assert processes.config_file(pid) == processes.DEFAULT_CONFIG
    assert processes.tmp_dir(pid) == "/tmp"
    assert processes.loaded_path(pid) == ""
    assert processes.read_loaded(pid) is None
    assert processes.handled_signals(pid) == ()
    for shell in SHELLS:
        told = site.look(shell, f'program {pid}; echo "may run [$REPLY]"; "${{REPLY:-true}}"\n')
        assert "\npid 0\n" in told, told
        assert "may run []" in told, told
        assert "argv" not in told
        assert parse_daemon(told, "x").pid == 0
    assert not site.mark.exists(), site.mark.read_text()


NEWLINES = "x\nLVSTUI-END\n}\ntouch pwned\n'\"$(touch pwned)"


@as_root
@pytest.mark.parametrize("words", [("-f", "/x"), ("-p", "/tmp/x.pid"), ("-f", NEWLINES), ("-n",)])
@pytest.mark.parametrize("has_pid_file", [True, False])
def test_a_strangers_process(site: Site, words: tuple[str, ...], has_pid_file: bool) -> None:
    environment = {"TMPDIR": str(site.strangers)}
    with running([str(site.impostor), *words], uid=NOBODY, env=environment) as process:
        if has_pid_file:
            site.pid_file(process.pid)
            site.pid_file(process.pid, "vrrp.pid")
        nothing_of(site, process.pid)
        assert daemon.not_believed() == "", "anybody could have anything said"
        assert parse_daemon(site.look(SHELLS[0]), "x").unbelieved == ""


@as_root
def test_roots_own_program_run_by_a_stranger(site: Site) -> None:
    with running([str(site.program), "60"], uid=NOBODY) as process:
        site.pid_file(process.pid)
        nothing_of(site, process.pid)


@as_root
@pytest.mark.parametrize("uids", [(0, 0, NOBODY), (NOBODY, 0, 0), (0, NOBODY, 0)])
def test_all_three_uids_count(site: Site, uids: tuple[int, int, int]) -> None:
    program, env = stand_ins.pythons_keepalived(site.roots)
    code = f"import os, time; os.setresuid{uids}; print('ready', flush=True); time.sleep(60)"
    with running([str(program), "-c", code], env=env, ready=True) as process:
        site.pid_file(process.pid)
        nothing_of(site, process.pid)


@as_root
@pytest.mark.parametrize("linked", [True, False])
def test_a_setuid_program_under_that_name(site: Site, linked: bool) -> None:
    """As `exec -a keepalived sudo` is, or sudo by a link of that name: root's in all but name."""
    program = site.strangers / "sudo" / "keepalived" if linked else Path("/bin/sleep")
    if linked:
        program.parent.mkdir()
        program.symlink_to("/bin/sleep")
    with running(["keepalived", "60"], program=program) as process:
        site.pid_file(process.pid)
        nothing_of(site, process.pid)


@as_root
@pytest.mark.parametrize("how", ["owner", "group", "others", "folder", "sticky", "above"])
def test_a_program_that_others_can_exchange(site: Site, how: str) -> None:
    folder = site.roots / "above" / "sbin"
    folder.mkdir(parents=True)
    program = folder / "keepalived"
    shutil.copy("/bin/sleep", program)
    assert trust.program(str(program)) == str(program)
    spoiled, mode = {
        "owner": (program, 0o755),
        "group": (program, 0o775),
        "others": (program, 0o757),
        "folder": (folder, 0o777),
        "sticky": (folder, 0o1777),
        "above": (folder.parent, 0o775),
    }[how]
    spoiled.chmod(mode)
    if how == "owner":
        os.chown(program, NOBODY, 0)
    with running([str(program), "60"]) as process:
        site.pid_file(process.pid)
        nothing_of(site, process.pid)
        # root started it, and is told why it does not count.
        why = daemon.not_believed()
        assert why.startswith(f"process {process.pid} is called keepalived and is not believed")
        assert str(spoiled) in why
        for shell in SHELLS:
            seen = parse_daemon(site.look(shell), "x")
            assert seen.unbelieved == f"process {process.pid} runs {program}"
    with pytest.raises(PermissionError):
        trust.program(str(program))


@as_root
def test_the_real_one_is_found_beside_impostors(site: Site) -> None:
    with (
        running([str(site.impostor), "-n"], uid=NOBODY) as first,
        running([str(site.program), "60"]) as real,
        running([str(site.impostor), "-n"], uid=NOBODY),
    ):
        # Elsewhere (-p), and a stale pid file that leads to the impostor.
        site.pid_file(first.pid)
        assert daemon.find_pid() == real.pid
        assert daemon.find_daemon().running
        assert processes.command_line(real.pid) == (str(site.program), "60")
        for shell in SHELLS:
            told = site.look(shell, f'program {real.pid}; readlink "$REPLY"; echo "$HELD"\n')
            seen = parse_daemon(told, "x")
            assert (seen.pid, seen.argv) == (real.pid, (str(site.program), "60")), told
            assert told.endswith(f"{site.program}\n{site.program}\n"), told
        assert not site.mark.exists()
        # Its program is replaced by an upgrade: it is itself still.
        site.program.unlink()
        shutil.copy(site.impostor, site.program)
        assert daemon.find_pid() == real.pid
        for shell in SHELLS:
            told = site.look(shell, f'program {real.pid}; "$REPLY" 0 && echo slept\n')
            assert parse_daemon(told, "x").pid == real.pid, told
            assert told.endswith("slept\n")
        assert not site.mark.exists()


@as_root
def test_a_pid_file_of_a_strangers_is_not_believed(site: Site) -> None:
    with running([str(site.program), "60"]) as one, running([str(site.program), "61"]) as other:
        expected = min(one.pid, other.pid)
        unexpected = max(one.pid, other.pid)
        path = site.pid_file(unexpected)
        assert daemon.find_pid() == unexpected
        os.chown(path, NOBODY, NOBODY)
        assert daemon.find_pid() == expected
        for shell in SHELLS:
            assert f"\npid {expected}\n" in site.look(shell)
        os.chown(path, 0, 0)
        path.chmod(0o666)
        assert daemon.find_pid() == expected
        for shell in SHELLS:
            assert f"\npid {expected}\n" in site.look(shell)


@pytest.mark.usefixtures("we_are_root")
def test_links_are_followed_only_where_root_made_them() -> None:
    with stand_ins.own_folder() as folder:
        (folder / "sbin").mkdir()
        (folder / "open").mkdir()
        (folder / "open").chmod(0o1777)
        program = folder / "sbin" / "keepalived-2.3"
        shutil.copy("/bin/true", program)
        program.chmod(0o755)
        for name, target in (
            ("relative", "sbin/../sbin/keepalived-2.3"),
            ("absolute", str(program)),
            ("twice", "relative"),
            ("loop", "loop"),
            ("out", "open/keepalived"),
        ):
            (folder / name).symlink_to(target)
        (folder / "open" / "keepalived").symlink_to(program)
        real = str(program.resolve())
        for name in ("relative", "absolute", "twice"):
            assert trust.program(str(folder / name)) == real
        for name in ("loop", "out", "open/keepalived"):
            with pytest.raises(PermissionError):
                trust.program(str(folder / name))
        with pytest.raises(PermissionError):
            trust.program(str(folder))


@pytest.mark.usefixtures("we_are_root")
def test_an_installed_program_that_others_can_write_is_none(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """In a folder of PATH where everybody can write; the next one in PATH is taken."""
    with stand_ins.own_folder() as folder:
        (folder / "open").mkdir()
        (folder / "sbin").mkdir()
        for name in ("open", "sbin"):
            shutil.copy("/bin/true", folder / name / "keepalived")
            (folder / name / "keepalived").chmod(0o755)
        (folder / "open").chmod(0o777)
        monkeypatch.setattr(daemon, "BINARIES", ())
        monkeypatch.setenv("PATH", f"{folder}/open:.:{tmp_path}")
        assert daemon.installed() == ""
        monkeypatch.setenv("PATH", f"{folder}/open:{folder}/sbin")
        assert daemon.installed() == str((folder / "sbin" / "keepalived").resolve())
