"""Read-only: what may run, what is refused, and what root gives up."""

from __future__ import annotations

import argparse
import os
import shutil
import signal
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from lvstui.cli import build_parser, main
from lvstui.keepalived.daemon.facts import DaemonLook
from lvstui.keepalived.text.parser import parse_bytes
from lvstui.operations.audit import AuditLog
from lvstui.operations.config_plan import FileChange
from lvstui.operations.configuration import DirectorConfigs
from lvstui.operations.configuration_hosts import DirectorAccess
from lvstui.operations.weight_changes import LiveKernel
from lvstui.process import newfile, readonly
from lvstui.remote import known_hosts
from lvstui.remote.config import SshSettings
from lvstui.remote.credentials import CredentialCache
from lvstui.remote.known_hosts import HostKeys
from lvstui.remote.local import LocalRunner
from lvstui.remote.openssh import OpenSsh
from lvstui.remote.runner import NobodyThere, RemoteError, UnknownKey
from lvstui.shell.config.check import own_test
from lvstui.shell.config.first import _write as write_first
from lvstui.sources import dumps
from lvstui.tui.command import Command
from lvstui.tui.config.editor import edit_outside
from lvstui.tui.config.placeholder import Redacted
from lvstui.tui.crash import Crash
from tests.command_line import leaves, optional_words

ROOT = Path(__file__).parents[3]
root_only = pytest.mark.skipif(os.geteuid() != 0, reason="only root has rights to give up")

LOOKING = {
    "",
    "check",
    "status",
    "owners",
    "stream",
    "config",
    "config cat",
    "config show",
    "config diff",
    "config check",
    "config history",
    "config first",
    "realserver look",
    "realserver plan",
    "realserver verify",
}


@pytest.fixture
def read_only(monkeypatch: pytest.MonkeyPatch) -> None:
    """As after `enter`, without giving up what the other tests of this process need."""
    monkeypatch.setattr(readonly, "_active", True)


def refused(words: list[str]) -> str:
    return readonly.refusal(build_parser().parse_args(["--read-only", *words]))


def test_of_all_commands_only_those_that_look_may_run() -> None:
    may = {" ".join(leaf.name) for leaf in leaves() if not refused(leaf.words)}
    assert may == LOOKING


@pytest.mark.parametrize(
    "words",
    [
        "status --ask",
        "realserver look --transcript f",
        "realserver verify --reboot",
        "realserver push rs1 --plan --transcript f",
        "realserver undo rs1 --plan --unfinished",
        "config first --output f",
        "config set --service s a b --plan",
        "lab list",
        "lab fault stop rs1",
        "drain rs1 --yes",
        "undo",
        "config rollback 1",
    ],
)
def test_an_option_that_changes_something_is_refused(words: str) -> None:
    assert refused(words.split())


@pytest.mark.parametrize("words", ["drain rs1 --plan", "undo --plan", "realserver push rs1 --plan"])
def test_a_plan_may_be_looked_at(words: str) -> None:
    assert refused(words.split()) == ""


def test_a_refusal_says_why_and_ends_with_two(capsys: pytest.CaptureFixture[str]) -> None:
    for words in (["--read-only", "lab"], ["drain", "rs1", "--read-only"]):
        assert main(words) == 2
        assert readonly.READ_ONLY in capsys.readouterr().err
    assert main(["--replay", "f", "status", "--ask"]) == 2
    assert not readonly.active()


def test_a_command_that_says_nothing_is_refused() -> None:
    args = argparse.Namespace(run=lambda args: 0)
    assert readonly.refusal(args) == readonly.READ_ONLY
    assert Command.changes


KEY = ("10.0.0.1", 80)


def _writes(tmp: Path) -> dict[str, Callable[[], Any]]:
    from lvstui.model.keys import ServerKey, ServiceKey

    service = ServiceKey.parse("tcp 10.0.0.1:80")
    return {
        "a new file": lambda: newfile.create(tmp / "new"),
        "a saved file": lambda: newfile.create_saved(tmp / "state", "x", "txt", 0.0),
        "an accepted host key": lambda: known_hosts.append(str(tmp / "known"), "line"),
        "the audit log": lambda: AuditLog(tmp / "audit", "me").begin([], ""),
        "a signal": lambda: dumps.request(os.getpid(), dumps.DATA),
        "a weight": lambda: LiveKernel().set_weight(service, ServerKey("10.0.0.2", 80), 1),
        "a file of a host": lambda: LocalRunner().write(str(tmp / "over there"), b""),
        "the editor": lambda: edit_outside(["true"], "x", Redacted(b"", {}), 1),
    }


@pytest.mark.parametrize("what", list(_writes(Path())))
@pytest.mark.usefixtures("read_only")
def test_whatever_writes_asks_the_gate(
    what: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dumps, "handled_signals", lambda pid: tuple(range(1, 65)))
    monkeypatch.setattr(os, "kill", lambda *_: pytest.fail("signalled"))
    with pytest.raises(readonly.ReadOnlyError):
        _writes(tmp_path)[what]()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.usefixtures("read_only")
def test_keepalived_is_not_run_to_test_a_file(tmp_path: Path) -> None:
    found, limit = own_test(
        parse_bytes(b""), str(tmp_path / "k.conf"), None, DaemonLook("x", version="2.2.7")
    )
    assert found == ()
    assert "was not run" in limit
    with pytest.raises(RemoteError, match="read-only"):
        OpenSsh()


def test_a_change_of_the_configuration_is_not_even_tried() -> None:
    here = DirectorAccess("lb1", lambda: pytest.fail("a host was asked"), local=True)
    engine = DirectorConfigs([here], audit=AuditLog(Path(), "me"), read_only=True)
    plan = engine.plan("x", {"lb1": [FileChange("/k.conf", b"", b"x")]})
    assert plan.refusals == (readonly.READ_ONLY,)
    assert plan.hosts == ()


@pytest.mark.usefixtures("read_only")
def test_a_crash_leaves_its_trace_on_the_terminal(tmp_path: Path) -> None:
    try:
        raise ValueError("broken \x1b[31m here")
    except ValueError as error:
        text = Crash(tmp_path / "state").report(error).plain
    assert 'raise ValueError("broken' in text
    assert "\x1b" not in text
    assert "Nothing on this host was changed by the crash." in text
    assert list(tmp_path.iterdir()) == []


@pytest.mark.usefixtures("read_only")
def test_an_accepted_key_counts_for_the_session_and_is_kept_nowhere(tmp_path: Path) -> None:
    asked: list[UnknownKey] = []

    class Operator(NobodyThere):
        def accept_key(self, key: UnknownKey) -> bool:
            asked.append(key)
            return True

    file = tmp_path / "known_hosts"
    vault = CredentialCache(Operator())
    check = HostKeys(SshSettings("rs1", "10.0.0.1", known_hosts=(str(file),)))
    for _ in range(2):
        check.check("ssh-ed25519", b"blob", vault)
    assert [key.file for key in asked] == [os.devnull]
    assert not file.exists()


# Files that are asked for


def test_a_file_is_made_new_and_private_or_not_at_all(tmp_path: Path) -> None:
    victim, link, path = tmp_path / "victim", tmp_path / "link", tmp_path / "new"
    victim.write_text("as it was")
    link.symlink_to(victim)
    os.close(newfile.create(path))
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    for there in (victim, link, path):
        with pytest.raises(FileExistsError, match="exists already"):
            newfile.create(there)
    with pytest.raises(FileNotFoundError):
        newfile.create(tmp_path / "no" / "folder")
    assert victim.read_text() == "as it was"


def test_files_of_a_first_configuration_replace_nothing(tmp_path: Path) -> None:
    folder, link = tmp_path / "out", tmp_path / "link"
    files = {"a.conf": b"a", "b.conf": b"b"}
    write_first(folder, files)
    assert {p.name: p.read_bytes() for p in folder.iterdir()} == files
    assert {stat.S_IMODE(p.stat().st_mode) for p in folder.iterdir()} == {0o600}
    (folder / "a.conf").unlink()
    with pytest.raises(FileExistsError, match="exists already"):
        write_first(folder, files)
    # All or none.
    assert [path.name for path in folder.iterdir()] == ["b.conf"]
    link.symlink_to(folder)
    with pytest.raises(NotADirectoryError):
        write_first(link, {"c.conf": b""})
    with pytest.raises(FileNotFoundError):
        write_first(tmp_path / "on" / "the way", files)
    assert not (tmp_path / "on").exists()


# What root gives up


def child(code: str, *front: str, **more: Any) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*front, sys.executable, "-c", code],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
        **more,
    )


GONE = """
import os, subprocess, sys
from lvstui.process import privileges, readonly
sleeper, secret, folder = int(sys.argv[1]), sys.argv[2], sys.argv[3]
readonly.enter()
print("uid", *os.getresuid(), *os.getresgid())
print("reads", open(secret).read(), os.access(secret, os.R_OK), os.access(secret, os.W_OK))
print("sees", os.path.basename(os.readlink(f"/proc/{sleeper}/exe")) != "")
for what, call in {
    "write": lambda: open(secret, "a"),
    "make": lambda: open(folder + "/new", "w"),
    "remove": lambda: os.unlink(secret),
    "signal": lambda: os.kill(sleeper, 15),
    "return": lambda: os.setuid(0),
}.items():
    try:
        call()
        print(what, "DONE")
    except PermissionError:
        print(what, "refused")
look = f"cat {secret} 2>/dev/null; echo; grep -c 'CapPrm:.0000000000000000' /proc/self/status"
print("child", *subprocess.run(["sh", "-c", look], capture_output=True, text=True).stdout.split())
with privileges.lent():
    lent = subprocess.run(["sh", "-c", look], capture_output=True, text=True)
print("lent", *lent.stdout.split())
print("after", *subprocess.run(["sh", "-c", look], capture_output=True, text=True).stdout.split())
"""


@pytest.fixture
def sleeper() -> Iterator[int]:
    """A process of root's."""
    one = subprocess.Popen(["sleep", "300"])
    yield one.pid
    one.kill()
    one.wait()


@root_only
def test_root_goes_on_as_somebody_who_can_only_look(tmp_path: Path, sleeper: int) -> None:
    tmp_path.chmod(0o700)
    secret = tmp_path / "secret"
    secret.write_text("text")
    secret.chmod(0o600)
    done = subprocess.run(
        [sys.executable, "-c", GONE, str(sleeper), str(secret), str(tmp_path)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.stdout.splitlines() == [
        "uid 65534 65534 65534 65534 65534 65534",
        "reads text True False",
        "sees True",
        *(f"{what} refused" for what in ("write", "make", "remove", "signal", "return")),
        "child 1",
        "lent text 0",
        "after 1",
    ], done.stderr


@root_only
@pytest.mark.parametrize("missing", ["setuid", "setgid", "setpcap"])
def test_who_cannot_give_up_roots_rights_does_not_start(missing: str) -> None:
    setpriv = shutil.which("setpriv")
    assert setpriv, "setpriv is a part of util-linux"
    done = child(
        "import sys; from lvstui.cli import main; sys.exit(main(['--read-only', 'config']))",
        setpriv,
        "--bounding-set",
        f"-{missing}",
    )
    assert done.returncode == 2
    assert "root's rights can not be given up" in done.stderr
    assert "Traceback" not in done.stderr


def test_an_ordinary_user_is_what_he_was() -> None:
    front = ["setpriv", "--reuid", "1234", "--clear-groups"] if os.geteuid() == 0 else []
    code = "import os; from lvstui.process import readonly; before = os.getresuid(); "
    done = child(
        code + "readonly.enter(); print(before == os.getresuid(), readonly.active())", *front
    )
    assert done.stdout == "True True\n", done.stderr


@root_only
def test_not_while_another_thread_runs() -> None:
    done = child(
        "import threading, os; from lvstui.process import readonly\n"
        "threading.Thread(target=threading.Event().wait, daemon=True).start()\n"
        "try: readonly.enter()\nexcept OSError as error: print(error.strerror, os.getuid())\n"
    )
    assert done.stdout == "more than one thread runs already 0\n", done.stderr


def test_signal_numbers_are_what_the_gate_stands_before() -> None:
    assert set(dumps._SIGNALS.values()) == {signal.SIGUSR1, signal.SIGUSR2}


def test_every_option_can_be_tried() -> None:
    """The lab tries them all read-only under a tracer; one without a sample would end it there."""
    assert sum(len(list(optional_words(leaf.parser))) for leaf in leaves()) > 100
