"""The runner on this host: scripts, outputs, files, deadlines; and the shell snippets."""

from __future__ import annotations

import contextlib
import os
import queue
import stat
import subprocess
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lvstui.remote import scripts
from lvstui.remote.become import Become, Way
from lvstui.remote.credentials import CredentialCache
from lvstui.remote.local import LocalRunner, ProcessStream
from lvstui.remote.runner import Access, ErrorKind, NobodyThere, RemoteError
from lvstui.remote.scripts import encoded
from lvstui.remote.shell import os_error
from lvstui.remote.talk import MOST, CommandLine, Raw, converse

local = LocalRunner()


def test_outputs_status_input() -> None:
    ran = local.run("cat; echo oops >&2; echo \x1b >&2; exit 3", stdin=b"\xff\0data")
    assert (ran.status, ran.out, ran.err) == (3, b"\xff\0data", "oops\n␛")
    assert local.run("kill -9 $$").status == -9


def test_both_outputs_and_input_larger_than_any_pipe() -> None:
    ran = local.run("cat >&2; head -c 2000000 /dev/zero", stdin=b"x" * 2_000_000)
    assert (len(ran.out), len(ran.err)) == (2_000_000, 2000)
    assert local.run(":", stdin=b"x" * 2_000_000).status == 0, "nobody reads it"


def test_what_is_printed_without_end_is_cut() -> None:
    ran = local.run(f"head -c {MOST + 5} /dev/zero", what="flood")
    assert len(ran.out) == MOST
    assert "was dropped" in ran.err


def test_deadline() -> None:
    started = time.monotonic()
    with pytest.raises(RemoteError, match="sleep a little") as caught:
        local.run("sleep 30", timeout_s=0.3, what="sleep a little")
    assert caught.value.trouble is ErrorKind.HANGS
    assert time.monotonic() - started < 5


def test_a_process_left_in_the_background_does_not_hold_us() -> None:
    started = time.monotonic()
    assert local.run("sleep 20 & echo $!").status == 0
    assert time.monotonic() - started < 5


def test_long_scripts() -> None:
    assert local.run("echo " + "a" * 300_000).out == b"a" * 300_000 + b"\n"
    assert local.run("#" + "a" * 40_000 + "\ncat", stdin=b"in").out == b"in"


@settings(max_examples=25, deadline=None)
@given(st.text(alphabet=st.characters(exclude_characters="\0", codec="utf-8"), max_size=60))
def test_any_script_survives_the_way(text: str) -> None:
    word = encoded(text)
    assert "'" not in word
    assert "\n" not in word
    done = subprocess.run(["sh", "-c", f"printf %b '{word}'"], capture_output=True, check=True)
    assert done.stdout == text.encode()


def test_files(tmp_path: Path) -> None:
    path = tmp_path / "it's a file"
    local.write(str(path), b"one\n", mode=0o640)
    link = tmp_path / "link"
    link.symlink_to(path)
    local.write(str(link), b"\0two", mode=0o604)
    assert link.is_symlink()
    assert local.read(str(path)) == b"\0two"
    assert local.read(str(path), most=2) == b"\0t"
    assert stat.S_IMODE(path.stat().st_mode) == 0o604
    assert sorted(os.listdir(tmp_path)) == ["it's a file", "link"]
    assert local.read(str(tmp_path / "none")) is None
    with pytest.raises(IsADirectoryError):
        local.read(str(tmp_path))
    with pytest.raises(IsADirectoryError):
        local.write(str(tmp_path), b"")
    with pytest.raises(FileNotFoundError):
        local.write(str(tmp_path / "no" / "file"), b"")


def test_errors_in_the_hosts_own_words() -> None:
    error = os_error("mv: x\ncat: write error: No space left on device", "/x")
    assert (error.errno, error.filename) == (28, "/x")
    assert "No space left" in str(error)
    assert os_error("", "/x").errno == 5


class FakeHost:
    """Answers like a host on which sudo refuses in some way."""

    def __init__(self, probe: bytes, *replies: tuple[int, bytes]) -> None:
        self.probe = probe
        self.replies = list(replies)
        self.commands: list[str] = []

    def __call__(self, command: CommandLine) -> Raw:
        self.commands.append(command.text)
        if command.stdin == scripts.PROBE_ROOT.encode():
            return Raw(0, self.probe, b"", 0.0)
        status, words = self.replies.pop(0)
        if command.answer is not None and words:
            command.answer.feed(command.answer._nonce)
        return Raw(status, words if command.pty else b"", b"" if command.pty else words, 0.0)


@pytest.mark.parametrize(
    ("probe", "way"), [(b"0\n", Way.IS_ROOT), (b"7\n0\n127\n", Way.SUDO), (b"7\n1\n0\n", Way.DOAS)]
)
def test_ways_without_password(probe: bytes, way: Way) -> None:
    host = FakeHost(probe)
    become = Become(host, Access("rs1"), "ops", CredentialCache(NobodyThere()))
    assert become.is_root() is (way is Way.IS_ROOT)
    assert become.is_root() is (way is Way.IS_ROOT)
    assert become.way is way
    assert len(host.commands) == 1, "asked once"


def test_no_way_is_remembered_and_told() -> None:
    host = FakeHost(b"7\n127\n127\n")
    become = Become(host, Access("rs1"), "ops", CredentialCache(NobodyThere()))
    for _ in range(2):
        with pytest.raises(RemoteError, match="there is no sudo") as caught:
            become.is_root()
        assert caught.value.trouble is ErrorKind.ROOT
    assert len(host.commands) == 1


def test_output_of_sudo_is_not_taken_for_root() -> None:
    host = FakeHost(b"7\n0\n127\n", (0, b"sudo: all is well\n"))
    become = Become(host, Access("rs1"), "ops", CredentialCache(NobodyThere()))
    assert not become.is_root()
    with pytest.raises(RemoteError, match="all is well"):
        become.run("id", CommandLine("", timeout_s=1.0, what="id"))
    assert all("-k" in command for command in host.commands[1:])


@pytest.mark.parametrize("before", [True, False], ids=["reads-late", "hands-over-late"])
def test_a_late_reader_loses_nothing(monkeypatch: pytest.MonkeyPatch, *, before: bool) -> None:
    """The command ended long ago, but the thread that reads its output was kept from running."""
    receive = ProcessStream.receive

    def late(stream: ProcessStream, error: bool) -> bytes:
        time.sleep(1.3 if before else 0.0)
        data = receive(stream, error)
        time.sleep(0.0 if before else 1.3)
        return data

    monkeypatch.setattr(ProcessStream, "receive", late)
    assert LocalRunner().run("echo all of it").text == "all of it\n"
    assert LocalRunner().run("echo all of it; sleep 30 &").text == "all of it\n"


class LateStream:
    """A command whose status comes long before its output, and whose outputs a process in the
    background holds open."""

    def __init__(self, looks: int) -> None:
        self.looks = looks
        self.blocks: dict[bool, queue.SimpleQueue[bytes]] = {
            end: queue.SimpleQueue() for end in (False, True)
        }

    def receive(self, error: bool) -> bytes:
        return self.blocks[error].get()

    def send(self, data: bytes) -> None: ...

    def finish(self) -> None: ...

    def status(self, timeout_s: float) -> int:
        return 0

    def complete(self) -> bool:
        self.looks -= 1
        if self.looks == 0:
            self.blocks[False].put(b"here")
        return self.looks < 0

    def leave(self) -> None:
        for block in self.blocks.values():
            block.put(b"")

    def check(self) -> None: ...

    def kill(self) -> None:
        self.leave()

    def close(self) -> None: ...


def test_output_that_comes_after_the_status_is_waited_for() -> None:
    raw = converse(LateStream(20), CommandLine("", timeout_s=60.0, what="a test"), "rs1")
    assert (raw.status, raw.out) == (0, b"here")


def test_nothing_is_left_open() -> None:
    def run(script: str) -> None:
        with contextlib.suppress(RemoteError):
            LocalRunner().run(script, stdin=b"x" * 200_000, timeout_s=0.5)

    before = len(os.listdir("/proc/self/fd"))
    for script in ("cat", "exit 3", "sleep 0.1 &", "sleep 30", "exec >&- 2>&-; sleep 30"):
        run(script)
    until = time.monotonic() + 20
    while len(os.listdir("/proc/self/fd")) > before and time.monotonic() < until:
        time.sleep(0.05)
    assert len(os.listdir("/proc/self/fd")) <= before
