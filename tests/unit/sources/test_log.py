"""Following keepalived's log: files, rotation, floods, and a journalctl that is a script."""

from __future__ import annotations

import json
import os
import re
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from lvstui.model.facts import (
    Available,
    DaemonSaid,
    Fact,
    InstanceChanged,
    Missing,
    Observation,
    Overrun,
)
from lvstui.sources import log as log_module
from lvstui.sources import log_lines, log_places
from lvstui.sources.base import Context
from lvstui.sources.log import LogSource, journal_command
from lvstui.sources.log_follow import FileTail, Inotify
from lvstui.sources.log_places import LogPlace
from lvstui.sources.voices import Voices


class Run:
    """The source in a thread, with the moment at which each fact came."""

    def __init__(self, place: LogPlace | Missing | Callable[[int], LogPlace | Missing]) -> None:
        self.seen: list[tuple[float, Observation]] = []
        self.context = Context("lb1", lambda o: self.seen.append((time.time(), o)))
        find = place if callable(place) else lambda _: place
        source = LogSource(lambda: 0, place=find)
        self.thread = threading.Thread(target=source.run, args=(self.context,))

    def __enter__(self) -> Run:
        self.thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.context.stop.set()
        self.thread.join(30)
        assert not self.thread.is_alive()

    def wait_for(self, what: Callable[[Fact], bool]) -> tuple[float, Observation]:
        deadline = time.monotonic() + 5
        while time.monotonic() < deadline:
            for at, observation in list(self.seen):
                if what(observation.fact):
                    return at, observation
            time.sleep(0.002)
        raise AssertionError(self.seen[-20:])

    def ready(self) -> None:
        self.wait_for(lambda f: isinstance(f, Available))


def line(text: str, at: float | None = None) -> str:
    stamp = time.strftime("%b %e %H:%M:%S", time.localtime(at))
    return f"{stamp} lb1 Keepalived_vrrp[42]: {text}\n"


def enters(name: str) -> str:
    return line(f"({name}) Entering MASTER STATE")


def is_master(name: str) -> Callable[[Fact], bool]:
    return lambda fact: fact == InstanceChanged(name, "MASTER")


@pytest.fixture
def log(tmp_path: Path) -> Path:
    path = tmp_path / "syslog"
    path.write_text("")
    return path


def append(path: Path, text: str) -> None:
    with path.open("a") as file:
        file.write(text)


def test_back_and_then_on(log: Path) -> None:
    append(log, line("(old) Entering MASTER STATE", time.time() - 7200))
    then = time.time() - 600
    append(log, line("(recent) Entering MASTER STATE", then))
    append(log, f"{time.strftime('%b %e %H:%M:%S')} lb1 sshd[1]: not Keepalived: at all\n")
    with Run(LogPlace("file", (str(log),))) as run:
        run.ready()
        past = [o for _, o in run.seen if isinstance(o.fact, InstanceChanged)]
        assert [(o.fact, o.past) for o in past] == [(InstanceChanged("recent", "MASTER"), True)]
        assert then - 1 <= past[0].at <= then
        for n in range(10):
            sent = time.time()
            append(log, enters(f"n{n}"))
            at, observation = run.wait_for(is_master(f"n{n}"))
            assert not observation.past
            # No fraction in the stamp: the moment of reading is better.
            assert sent <= observation.at <= at


def test_half_lines_are_waited_for(log: Path) -> None:
    with Run(LogPlace("file", (str(log),))) as run:
        run.ready()
        text = enters("whole")
        append(log, text[:30])
        time.sleep(0.1)
        append(log, text[30:])
        run.wait_for(is_master("whole"))


def test_rotation_and_truncation(log: Path) -> None:
    with Run(LogPlace("file", (str(log),))) as run:
        run.ready()
        append(log, enters("a"))
        log.rename(log.with_suffix(".1"))
        append(log.with_suffix(".1"), enters("b"))
        time.sleep(0.05)
        log.write_text(enters("c"))
        for name in "abc":
            run.wait_for(is_master(name))
        time.sleep(0.1)
        log.write_text("")
        time.sleep(0.6)
        append(log, enters("d"))
        run.wait_for(is_master("d"))
        names = [o.fact.instance for _, o in run.seen if isinstance(o.fact, InstanceChanged)]
        assert names == ["a", "b", "c", "d"]


def test_without_inotify_it_is_a_little_slower(log: Path) -> None:
    inotify = Inotify()
    inotify.close()
    tail = FileTail(str(log), inotify)
    assert tail.open(100) == []
    append(log, "x\n")
    inotify.wait(0.5)
    assert tail.new_lines() == [b"x"]
    tail.close()


def test_only_the_end_of_a_big_file_is_read_back(log: Path) -> None:
    log.write_text("".join(f"line {n}\n" for n in range(200000)))
    inotify = Inotify()
    tail = FileTail(str(log), inotify)
    lines = tail.open(1000)
    assert lines[-1] == b"line 199999"
    assert len(lines) < 100
    append(log, "y" * (9 << 20) + "\nlast\n")
    assert tail.new_lines(1 << 24)[-1] == b"last"
    assert tail.skipped > 8 << 20
    tail.close()
    inotify.close()


def test_a_flood_is_bounded_and_said(log: Path) -> None:
    with Run(LogPlace("file", (str(log),))) as run:
        run.ready()
        chatter = "".join(line(f"something that nobody knows {n}") for n in range(20000))
        append(log, chatter + enters("after"))
        run.wait_for(is_master("after"))
        said = [o for _, o in run.seen if isinstance(o.fact, DaemonSaid)]
        assert 100 < len(said) < 2500
        time.sleep(1.1)
        append(log, enters("later"))
        run.wait_for(lambda f: isinstance(f, Overrun) and f.count > 1000)


def test_repeats_are_left_out(log: Path) -> None:
    with Run(LogPlace("file", (str(log),))) as run:
        run.ready()
        for _ in range(5):
            append(log, line("(a) received lower priority (9) advert from 10.0.0.1 - discarding"))
        append(log, enters("end"))
        run.wait_for(is_master("end"))
        assert len([o for _, o in run.seen if isinstance(o.fact, DaemonSaid)]) == 1


def test_own_files_of_several_processes(tmp_path: Path) -> None:
    one, two = tmp_path / "k.log", tmp_path / "k_vrrp.log"
    one.write_text("")
    two.write_text("")
    with Run(LogPlace("own", (str(one), str(two)))) as run:
        run.ready()
        stamp = time.strftime("%a %b %d %H:%M:%S.123456789 %Y")
        append(one, f"{stamp}: Reload complete\n")
        append(two, f"{stamp}: (VI) Entering MASTER STATE\n")
        run.wait_for(is_master("VI"))
        run.wait_for(lambda f: isinstance(f, DaemonSaid) and f.kind == "reloaded")


def test_a_log_that_came_up_after_us_is_news(log: Path) -> None:
    with Run(LogPlace("file", (str(log.with_suffix(".late")),))) as run:
        run.wait_for(lambda f: isinstance(f, Missing))

    def late(_: int) -> LogPlace:
        append(log, line("(x) Entering MASTER STATE", time.time() + 1))
        return LogPlace("file", (str(log),))

    with Run(late) as run:
        _, seen = run.wait_for(is_master("x"))
        assert not seen.past


def test_missing_is_said_once_and_taken_back(log: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    places: list[LogPlace | Missing] = [Missing("log", "nothing", "do this")]
    monkeypatch.setattr(Context, "wait", lambda self, s: self.stop.wait(min(s, 0.02)))
    with Run(lambda _: places[0]) as run:
        run.wait_for(lambda f: isinstance(f, Missing))
        time.sleep(0.2)
        assert len(run.seen) == 1
        places[0] = LogPlace("file", (str(log),))
        run.ready()


@pytest.fixture
def journalctl(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A journalctl that prints what a file holds and then what is appended to it."""
    feed = tmp_path / "feed"
    feed.write_text("")
    program = tmp_path / "bin" / "journalctl"
    program.parent.mkdir()
    program.write_text(f"#!/bin/sh\necho $$ > {tmp_path}/pid\nexec tail -n +1 -f {feed}\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}:{os.environ['PATH']}")
    yield feed
    pid = int((tmp_path / "pid").read_text())
    assert not Path(f"/proc/{pid}").exists()


def entry(text: object, at: float) -> str:
    return (
        json.dumps(
            {
                "MESSAGE": text,
                "__REALTIME_TIMESTAMP": str(int(at * 1e6)),
                "SYSLOG_IDENTIFIER": "Keepalived_vrrp",
                "SYSLOG_PID": "77",
            }
        )
        + "\n"
    )


def test_the_journal(journalctl: Path) -> None:
    now = time.time()
    append(journalctl, entry("(old) Entering MASTER STATE", now - 60))
    with Run(LogPlace("journal")) as run:
        _, old = run.wait_for(is_master("old"))
        assert old.past
        assert old.at == pytest.approx(now - 60, abs=1e-5)
        append(journalctl, "garbage\n")
        append(journalctl, entry(list(b"(\xff) Entering MASTER STATE"), time.time()))
        run.wait_for(is_master("\\xff"))
        stamp = time.strftime("%a %b %d %H:%M:%S %Y")
        append(journalctl, entry(f"{stamp}: (console) Entering MASTER STATE", time.time()))
        run.wait_for(is_master("console"))
        append(journalctl, entry("VRRP_Script(a) succeeded", time.time()))
        _, said = run.wait_for(lambda f: isinstance(f, DaemonSaid))
        assert said.fact == DaemonSaid("script", "VRRP_Script(a) succeeded", "Keepalived_vrrp", 77)


def test_the_journal_is_asked_for_all_idents_of_root() -> None:
    command = journal_command("now")
    asked = " ".join(word for word in command if not word.startswith("-")).split(" + ")
    assert asked[0] == "journalctl _COMM=keepalived _UID=0"
    assert len(asked) == 5
    assert all(re.fullmatch(r"SYSLOG_IDENTIFIER=Keepalived\w* _UID=0", term) for term in asked[1:])


def test_places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log_places, "_journal_has_it", lambda: False)
    syslog, messages = tmp_path / "syslog", tmp_path / "messages"
    files = (str(syslog), str(messages))
    found = log_places.find(0, files)
    assert isinstance(found, Missing)
    assert "journald" in found.remedy
    syslog.write_text("nothing\n")
    messages.write_text(enters("x"))
    os.utime(messages, (1, 1))
    assert log_places.find(0, files) == LogPlace("file", (str(messages),))
    messages.write_text("")
    os.utime(messages, (1, 1))
    assert log_places.find(0, files) == LogPlace("file", (str(syslog),), sure=False)
    monkeypatch.setattr(log_places, "_journal_has_it", lambda: True)
    monkeypatch.setattr(log_places, "_journal_readable", lambda: True)
    assert log_places.find(0, files) == LogPlace("journal")
    monkeypatch.setattr(log_places, "_journal_readable", lambda: False)
    monkeypatch.setattr(os, "access", lambda *_: False)
    found = log_places.find(0, files)
    assert isinstance(found, Missing)
    assert "systemd-journal" in found.remedy


def test_own_files_are_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    main = tmp_path / "k.log"
    words = ("keepalived", "-n", "-G", f"-g{main}")
    monkeypatch.setattr(log_places, "command_line", lambda _: words)
    for name in ("k.log", "k_vrrp.log", "k_bfd_ns.log", "other.log"):
        (tmp_path / name).write_text("")
    assert log_places.own_files(os.getpid()) == tuple(
        str(tmp_path / name) for name in ("k.log", "k_bfd_ns.log", "k_vrrp.log")
    )
    place = log_places.find(os.getpid())
    assert isinstance(place, LogPlace)
    assert place.kind == "own"
    # In a folder that others can write (as /tmp, with `-g` alone), a link may lead anywhere.
    tmp_path.chmod(0o1777)
    (tmp_path / "k_vrrp.log").unlink()
    (tmp_path / "k_vrrp.log").symlink_to("other.log")
    assert str(tmp_path / "k_vrrp.log") not in log_places.own_files(os.getpid())


def test_a_rotated_log_that_is_not_there_yet_is_no_gap(
    log: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Some syslog daemons make the new file with the next line only."""
    monkeypatch.setattr("lvstui.sources.log._LOOK_AGAIN_S", 0.05)
    monkeypatch.setattr("lvstui.sources.log._SURE_LOOK_AGAIN_S", 0.05)

    def find(_: int) -> LogPlace | Missing:
        return LogPlace("file", (str(log),)) if log.exists() else Missing("log", "none", "run one")

    append(log, enters("a"))
    with Run(find) as run:
        run.wait_for(is_master("a"))
        run.ready()
        log.rename(log.with_suffix(".1"))
        time.sleep(0.7)
        append(log, enters("b"))
        run.wait_for(is_master("b"))
        assert not [o for _, o in run.seen if isinstance(o.fact, Missing)]


def test_nothing_is_lost_on_the_way_to_another_log(
    log: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("lvstui.sources.log._LOOK_AGAIN_S", 0.05)
    monkeypatch.setattr("lvstui.sources.log._SURE_LOOK_AGAIN_S", 0.05)
    other = log.with_name("messages")
    other.write_text(line("(x) Entering MASTER STATE", time.time() - 60))
    place = [LogPlace("file", (str(log),))]
    with Run(lambda _: place[0]) as run:
        run.ready()
        append(log, enters("a"))
        run.wait_for(is_master("a"))
        time.sleep(1.1)
        append(other, enters("b"))
        place[0] = LogPlace("file", (str(other),))
        run.wait_for(is_master("b"))
        assert not [o for _, o in run.seen if is_master("x")(o.fact)]


@pytest.mark.parametrize(
    "bad", [f"Keepalived_vrrp[{'9' * 5000}]: x", "Keepalived_vrrp[²]: x", "Keepalived[١]: x"]
)
def test_a_line_with_an_impossible_number_hides_nothing_behind_it(log: Path, bad: str) -> None:
    stamp = time.strftime("%b %e %H:%M:%S")
    append(log, enters("before") + f"{stamp} lb1 {bad}\n" + enters("after"))
    with Run(LogPlace("file", (str(log),))) as run:
        run.ready()
        append(log, f"{stamp} lb1 {bad}\n" + enters("live"))
        for name in ("before", "after", "live"):
            run.wait_for(is_master(name))


def test_a_line_that_we_fail_at_is_said_and_the_next_is_read(
    log: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = log_lines.split_syslog

    def fails(line: str) -> object:
        if "poison" in line:
            raise ZeroDivisionError
        return whole(line)

    monkeypatch.setattr(log_module, "split_syslog", fails)
    with Run(LogPlace("file", (str(log),))) as run:
        run.ready()
        append(log, line("poison") * 50 + enters("after"))
        run.wait_for(is_master("after"))
        run.wait_for(lambda f: isinstance(f, DaemonSaid) and "not understood" in f.text)
        said = [o.fact for _, o in run.seen if isinstance(o.fact, DaemonSaid)]
    assert len(said) == 1, "a flood of them is one word"
    assert "ZeroDivisionError" in said[0].text


def test_after_a_failure_it_goes_on_where_it_was(
    log: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A source that failed is run again by whoever runs it: nothing twice, nothing lost."""
    fail = threading.Event()
    whole = FileTail.new_lines

    def new_lines(tail: FileTail, limit: int = 1 << 18) -> list[bytes]:
        if fail.is_set():
            raise OSError("the disk is away")
        return whole(tail, limit)

    monkeypatch.setattr(FileTail, "new_lines", new_lines)
    seen: list[Observation] = []
    context = Context("lb1", seen.append)
    source = LogSource(lambda: 0, place=lambda _: LogPlace("file", (str(log),)))

    def run() -> None:
        while not context.stop.is_set():
            try:
                source.run(context)
            except OSError:
                context.stop.wait(0.01)

    def masters() -> list[str]:
        return [o.fact.instance for o in seen if isinstance(o.fact, InstanceChanged)]

    def until(names: list[str]) -> None:
        deadline = time.monotonic() + 10
        while masters() != names:
            assert time.monotonic() < deadline, seen
            time.sleep(0.01)

    thread = threading.Thread(target=run)
    thread.start()
    try:
        append(log, enters("a"))
        until(["a"])
        fail.set()
        # All within the second of the last line: its stamp does not tell them apart.
        append(log, enters("b") + enters("c"))
        time.sleep(0.6)
        assert masters() == ["a"]
        fail.clear()
        until(["a", "b", "c"])
        time.sleep(0.6)
        assert masters() == ["a", "b", "c"]
    finally:
        context.stop.set()
        thread.join(5)


def test_the_journal_is_followed_on_from_its_last_entry() -> None:
    cursor = "s=0a1b;i=7f;b=00;m=1;t=2;x=3"
    entry = {
        "MESSAGE": "(A) Entering MASTER STATE",
        "SYSLOG_IDENTIFIER": "Keepalived_vrrp",
        "__REALTIME_TIMESTAMP": f"{time.time():.6f}".replace(".", ""),
        "SYSLOG_PID": "²",
        "__CURSOR": cursor,
    }
    assert "--after-cursor=" not in " ".join(journal_command("now"))
    assert f"--after-cursor={cursor}" in journal_command("now", cursor)
    assert not any(word.startswith("--since") for word in journal_command("now", cursor))
    seen: list[Observation] = []
    sink = log_module._Sink(Context("lb1", seen.append), "log", Voices(lambda: 0))
    for wrong in ("[" * 100_000, "5", "{}", '{"MESSAGE": 5}', "²", '{"MESSAGE": [1, "x", 1e999]}'):
        sink.journal_line(wrong.encode())
    for stamp in ("²", "9" * 5000, "-1", "", "1e9"):
        sink.journal_line(json.dumps({**entry, "__REALTIME_TIMESTAMP": stamp}).encode())
    assert seen == []
    sink.journal_line(json.dumps({**entry, "__CURSOR": "--rotate"}).encode())
    sink.journal_line(json.dumps(entry).encode())
    assert [o.fact for o in seen] == [InstanceChanged("A", "MASTER")] * 2
    assert sink.cursor == cursor


def test_a_stamp_of_another_year_does_not_make_what_follows_old() -> None:
    sink = log_module._Sink(Context("lb1", lambda seen: None), "log", Voices(lambda: 0))
    sink.message(time.time() + 1e8, "Keepalived", 1, "x", False)
    assert sink.newest <= time.time()
