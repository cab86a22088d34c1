"""Whole lines or a refusal: the audit log, known_hosts and transcripts append by one helper."""

from __future__ import annotations

import contextlib
import fcntl
import multiprocessing
import os
import resource
from collections.abc import Iterator
from pathlib import Path

import pytest

from lvstui.operations.audit import AuditLog, Deed
from lvstui.remote import append, known_hosts
from lvstui.remote.append import append_lines
from lvstui.remote.credentials import Redactor
from lvstui.remote.transcript import Record, Transcript
from lvstui.sources.audit import entries
from tests.unit.chain import broken

CHANGE = Deed("10.10.0.3", "rs1", "push", "the VIP on lo")


@contextlib.contextmanager
def room_for(path: Path, more: int) -> Iterator[None]:
    """No file of this process grows beyond `path` and some bytes: the kernel writes a part and
    says so by the count, as on a full disk."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    size = path.stat().st_size if path.exists() else 0
    resource.setrlimit(resource.RLIMIT_FSIZE, (size + more, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@contextlib.contextmanager
def opened(path: Path) -> Iterator[int]:
    fd = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o600)
    try:
        yield fd
    finally:
        os.close(fd)


@pytest.mark.parametrize("more", [0, 1, 100])
def test_without_room_for_the_record_the_change_is_refused(tmp_path: Path, more: int) -> None:
    log = AuditLog(tmp_path / "audit.jsonl", who="alice")
    log.begin([CHANGE], "before")
    whole = log.path.read_bytes()
    with room_for(log.path, more), pytest.raises(OSError, match="too large"):
        log.begin([CHANGE], "x" * 200)
    assert log.path.read_bytes() == whole
    log.begin([CHANGE], "after")
    assert [entry.reason for entry in entries(log.path)] == ["before", "after"]
    assert broken(log.path.read_bytes().split(b"\n")) == ()


def test_after_the_change_it_is_said_and_not_raised(tmp_path: Path) -> None:
    log = AuditLog(tmp_path / "audit.jsonl", who="alice")
    id_ = log.begin([CHANGE], "")
    with room_for(log.path, 50):
        said = log.end(id_, [CHANGE.came(True, "done")], "")
    assert said.startswith("not recorded in the audit log: ")
    assert log.end(id_, [CHANGE.came(True, "done")], "") == ""


def test_a_torn_line_does_not_swallow_the_next_record(tmp_path: Path) -> None:
    log = AuditLog(tmp_path / "audit.jsonl", who="alice")
    log.begin([CHANGE], "one")
    with log.path.open("ab") as stream:
        stream.write(b'{"id": "torn", "phase": "pl')
    log.begin([CHANGE], "two")
    assert [entry.reason for entry in entries(log.path)] == ["one", "two"]
    assert broken(log.path.read_bytes().split(b"\n")) == (), "a crash is no forgery"


@pytest.mark.parametrize("there", [b"", b"\n", b"a\n", b"a\nb", b"x" * 200_000, b"a\n\n\n"])
def test_the_last_line_is_known_to_the_writer(tmp_path: Path, there: bytes) -> None:
    path = tmp_path / "file"
    path.write_bytes(there)
    seen: list[bytes] = []
    with opened(path) as fd:

        def lines(last: bytes) -> bytes:
            seen.append(last)
            return b"new\n"

        append_lines(fd, lines)
    assert seen == [([line for line in there.split(b"\n") if line] or [b""])[-1]]
    ended = there in (b"",) or there.endswith(b"\n")
    assert path.read_bytes() == there + (b"" if ended else b"\n") + b"new\n"


def test_nobody_waits_for_ever_for_the_lock(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(append, "LOCK_S", 0.1)
    with opened(tmp_path / "file") as mine, opened(tmp_path / "file") as theirs:
        fcntl.flock(theirs, fcntl.LOCK_EX)
        with pytest.raises(OSError, match="another process has held its lock"):
            append_lines(mine, b"x\n")


def _many(path: Path, who: str) -> None:
    log = AuditLog(path, who=who)
    for number in range(60):
        log.begin([CHANGE, CHANGE], str(number))


def test_two_processes_write_one_chain(tmp_path: Path) -> None:
    path = tmp_path / "audit.jsonl"
    context = multiprocessing.get_context("fork")
    both = [context.Process(target=_many, args=(path, who)) for who in ("alice", "bob")]
    for process in both:
        process.start()
    for process in both:
        process.join(60)
    assert [process.exitcode for process in both] == [0, 0]
    for who in ("alice", "bob"):
        mine = [entry.reason for entry in entries(path) if entry.who == who]
        assert mine == [str(number) for number in range(60) for _ in range(2)]
    assert broken(path.read_bytes().split(b"\n")) == ()


def test_known_hosts_stays_as_it_was_when_the_disk_is_full(tmp_path: Path) -> None:
    path = tmp_path / "known_hosts"
    path.write_text("# no newline at the end")
    line = known_hosts.line("rs1", "ssh-ed25519", b"blob" * 30)
    with room_for(path, 20), pytest.raises(OSError, match="too large"):
        known_hosts.append(str(path), line)
    assert path.read_text() == "# no newline at the end"
    known_hosts.append(str(path), line)
    (entry,) = known_hosts.parse(path.read_text())
    assert (entry.hosts, entry.kind, entry.blob) == ("rs1", "ssh-ed25519", b"blob" * 30)


def record(what: str) -> Record:
    return Record(1.0, "rs1", "ops", "", what, "true", False, 0, "", "", 0.1)


def test_a_transcript_has_whole_lines_only(tmp_path: Path) -> None:
    path = tmp_path / "transcript"
    transcript = Transcript(Redactor(), path)
    try:
        transcript.add(record("one"))
        with room_for(path, 10):
            transcript.add(record("two"))
        assert [record.what for record in transcript.records()] == ["one", "two"]
    finally:
        transcript.close()
    text = path.read_text()
    assert (text.count("\n"), text.endswith("}\n"), '"one"' in text) == (1, True, True)


def test_only_a_regular_file_is_an_audit_log(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")
    with pytest.raises(OSError, match="no regular file"):
        AuditLog(tmp_path / "fifo", who="alice").begin([CHANGE], "")
    (tmp_path / "link").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(OSError, match="symbolic links"):
        AuditLog(tmp_path / "link", who="alice").begin([CHANGE], "")
    assert not (tmp_path / "elsewhere").exists()
