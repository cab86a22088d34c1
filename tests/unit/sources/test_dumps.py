"""Dumps of keepalived 2.2.7 and 2.4.3, recorded; and files that are still being written."""

from __future__ import annotations

import os
import sys
import threading
import time
from pathlib import Path

import pytest

from lvstui.model.facts import Available, ChecksSeen, CheckState, Fact, InstancesSeen, Observation
from lvstui.model.keys import ServerKey, ServiceKey
from lvstui.sources import dumps
from lvstui.sources.base import Context
from lvstui.sources.dump_text import parse_checks, parse_data, parse_json, parse_stats
from lvstui.sources.dumps import DATA as DATA_DUMP
from lvstui.sources.dumps import STATS, DumpSource, request
from tests import stand_ins
from tests.stand_ins import we_are_root

__all__ = ["we_are_root"]

pytestmark = [pytest.mark.usefixtures("we_are_root"), pytest.mark.xdist_group("stand-in")]

DATA = Path(__file__).parents[2] / "data" / "keepalived-dumps"


def text_of(name: str) -> str:
    return (DATA / name).read_text()


def test_json_of_a_backup() -> None:
    instances = parse_json(text_of("keepalived-2.2.7-backup.json"))
    assert instances is not None
    first, second, third = instances
    assert (first.name, first.state, first.interface, first.vrid) == ("VI_1", "BACKUP", "eth0", 51)
    assert first.vips == ("10.9.0.100", "10.9.0.101")
    assert first.master_priority == 150
    assert first.last_transition == 1795364667.871110
    assert first.stats is not None
    assert (first.stats.adverts_received, first.stats.adverts_sent) == (23, 5)
    assert first.stats.became_master == 1
    assert first.stats.errors == ()
    assert (second.version, second.vips) == (3, ("fe80::100", "fd00:9::100"))
    assert (third.base_priority, third.effective_priority) == (100, 102)


@pytest.mark.parametrize(
    "name",
    [
        "keepalived-2.2.7-master.json",
        "keepalived-v2.4.3-jsonv2-backup.json",
        "keepalived-v2.4.3-jsonv2-master.json",
        "keepalived.json",
    ],
)
def test_every_json_sample_is_read(name: str) -> None:
    instances = parse_json(text_of(name))
    assert instances
    assert all(i.vrid and i.vips and i.state in ("MASTER", "BACKUP") for i in instances)


def test_json_errors_are_kept_by_name() -> None:
    text = text_of("keepalived.json").replace('"addr_list_err":0', '"addr_list_err":7')
    (instance,) = parse_json(text) or ()
    assert instance.stats is not None
    assert instance.stats.errors == (("addr_list_err", 7),)


def test_no_password_gets_out() -> None:
    for name in DATA.iterdir():
        text = name.read_text()
        for parse in (parse_json, parse_data, parse_checks, parse_stats):
            assert "s3cr3t" not in repr(parse(text))


@pytest.mark.parametrize("name", ["keepalived.json", "keepalived-v2.4.3-jsonv2-master.json"])
def test_partial_json_is_refused_calmly(name: str) -> None:
    text = text_of(name).rstrip("\n")
    for end in (0, 1, 10, len(text) // 2, len(text) - 1):
        assert parse_json(text[:end]) is None
    assert parse_json("[1, 2]") is None
    assert parse_json('{"vrrp": 3}') is None


def test_data_of_a_backup_knows_the_master() -> None:
    instances = parse_data(text_of("keepalived-2.2.7-backup.data"))
    assert instances is not None
    first, second, third = instances
    assert (first.name, first.state, first.sync_group) == ("VI_1", "BACKUP", "G1")
    assert (first.master_address, first.master_priority) == ("10.9.0.1", 150)
    assert first.vips == ("10.9.0.100", "10.9.0.101")
    assert first.last_transition == 1795364667.871110
    assert second.master_address == "fe80::cc7b:65ff:feb4:6077"
    assert (second.version, second.advert_interval_s) == (3, 1.0)
    assert (third.sync_group, third.effective_priority, third.vips) == ("", 102, ("10.9.0.110",))
    assert (third.vrid, third.interface) == (71, "eth0")


def test_data_and_json_agree() -> None:
    for name in ("keepalived-2.2.7-backup", "keepalived-2.2.7-master", "keepalived"):
        one = parse_json(text_of(f"{name}.json"))
        two = parse_data(text_of(f"{name}.data"))
        assert one is not None
        assert two is not None
        for a, b in zip(one, two, strict=True):
            for field in ("name", "interface", "vrid", "version", "vips", "base_priority"):
                assert getattr(a, field) == getattr(b, field), (name, field)
    assert parse_data(text_of("keepalived-v2.4.3-backup.data")) is not None


def test_partial_data_is_refused() -> None:
    assert parse_data("") is None
    assert parse_data(text_of("keepalived.data")[:500]) is None
    assert parse_data(text_of("keepalived_parent-2.2.7.data")) is None


def test_stats() -> None:
    stats = parse_stats(text_of("keepalived-2.2.7-master.stats"))
    assert stats is not None
    assert list(stats) == ["VI_1", "VI_6", "VI_U"]
    assert (stats["VI_1"].adverts_received, stats["VI_1"].adverts_sent) == (3, 24)
    newer = text_of("keepalived-v2.4.3.stats").replace("Invalid HMAC: 0", "Invalid HMAC: 4")
    parsed = parse_stats(newer)
    assert parsed is not None
    assert parsed["VI_1"].errors == (("Authentication Extension Errors: Invalid HMAC", 4),)
    assert parse_stats(newer[: len(newer) // 2]) is None
    assert parse_stats("") is None


VS = ServiceKey("tcp", "10.10.0.20", 80)


def test_checks() -> None:
    states = parse_checks(text_of("keepalived_check.data"))
    assert states == tuple(
        CheckState(VS, ServerKey(f"10.10.0.{n}", 80), True, 10, 10) for n in (3, 4, 5)
    )


def test_checks_that_failed_or_wait() -> None:
    text = text_of("keepalived_check.data")
    head, mark, tail = text.partition("------< Health checkers >------")
    one, two, three, four = tail.split("   Enabled = yes\n")[1:]
    tail = (
        tail.split("   Enabled = yes\n")[0]
        + "   Enabled = yes\n"
        + one.replace("Has run = yes", "Has run = no")
        + "   Enabled = yes\n"
        + two
        + "   Enabled = yes\n"
        + three.replace("Up = yes", "Up = no")
        + "   Enabled = yes\n"
        + four.replace("Up = yes", "Up = no")
    )
    states = parse_checks(head + mark + tail)
    assert states is not None
    assert [s.verified for s in states] == [False, True, True]
    assert [s.failed_checkers for s in states] == [(), (), ("TCP_CHECK", "FILE_CHECK")]


def test_checks_of_marks_and_groups() -> None:
    text = (
        " VS FWMARK = 7\n   Address family = inet6\n   protocol = none\n   alive = 1\n"
        "   RIP = fd00::5, RPORT = 0, WEIGHT = 3 EFF WEIGHT = 3\n   alive = 0\n"
        " VS GROUP = [web]:1\n   Address family = inet\n   protocol = UDP\n"
        "   RIP = 10.0.0.5, RPORT = 53, WEIGHT = 1\n   alive = 1\n"
        "------< Health checkers >------\n"
        " FWM 7 -> [fd00::5]:none:0\n   Up = no\n   Keepalive method = PING_CHECK\n"
        " [web]:1 -> [10.0.0.5]:udp:53\n   Up = no\n   Keepalive method = DNS_CHECK\n"
    )
    assert parse_checks(text) == (
        CheckState(ServiceKey.mark(7, 6), ServerKey("fd00::5", 0), False, 3, 3, ("PING_CHECK",)),
        CheckState(
            ServiceKey("udp", ""),
            ServerKey("10.0.0.5", 53),
            True,
            1,
            1,
            ("DNS_CHECK",),
            service_name="web",
        ),
    )
    assert parse_checks(text[:100]) is None


class Run:
    """A source in its thread, with what it pushed."""

    def __init__(self, source: DumpSource) -> None:
        self.seen: list[Observation] = []
        self.context = Context("lb1", self.seen.append)
        self.thread = threading.Thread(target=source.run, args=(self.context,))

    def __enter__(self) -> Run:
        self.thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.context.stop.set()
        self.thread.join(30)
        assert not self.thread.is_alive()

    def wait_for(self, kind: type[Fact], count: int = 1) -> list[Observation]:
        deadline = time.monotonic() + 3
        while time.monotonic() < deadline:
            found = [o for o in self.seen if isinstance(o.fact, kind)]
            if len(found) >= count:
                return found
            time.sleep(0.01)
        raise AssertionError(f"no {kind.__name__} in {self.seen}")


def test_the_source_reads_what_lies_there_and_what_appears(tmp_path: Path) -> None:
    (tmp_path / "keepalived.json").write_text(text_of("keepalived-2.2.7-master.json"))
    with Run(DumpSource(lambda: 0, str(tmp_path))) as run:
        (first,) = run.wait_for(InstancesSeen)
        assert first.past
        # As keepalived does it: the name appears first, the contents follow.
        new = tmp_path / "new"
        with new.open("w") as file:
            new.rename(tmp_path / "keepalived.json")
            time.sleep(0.3)
            text = text_of("keepalived-2.2.7-backup.json")
            file.write(text[:700])
            file.flush()
            time.sleep(0.2)
            file.write(text[700:])
        second = run.wait_for(InstancesSeen, 2)[1]
        assert not second.past
        assert isinstance(second.fact, InstancesSeen)
        assert second.fact.instances[0].state == "BACKUP"
        (tmp_path / "keepalived.data").write_text(text_of("keepalived-2.2.7-backup.data"))
        third = run.wait_for(InstancesSeen, 3)[2]
        assert isinstance(third.fact, InstancesSeen)
        assert third.fact.instances[0].master_address == "10.9.0.1"
        assert third.fact.instances[0].sync_group == "G1"
        assert third.fact.instances[0].stats is not None
        (tmp_path / "keepalived_check.data").write_text(text_of("keepalived_check.data"))
        run.wait_for(ChecksSeen)


def test_its_first_word_comes_when_all_that_lies_there_is_read(tmp_path: Path) -> None:
    with Run(DumpSource(lambda: 0, str(tmp_path))) as run:
        run.wait_for(Available)
    assert len(run.seen) == 1
    for name in ("2.2.7-backup.data", "2.2.7-backup.json"):
        kind = name.rpartition(".")[2]
        (tmp_path / f"keepalived.{kind}").write_text(text_of(f"keepalived-{name}"))
    (tmp_path / "keepalived_check.data").write_text(text_of("keepalived_check.data"))
    with Run(DumpSource(lambda: 0, str(tmp_path))) as run:
        run.wait_for(Available)
    *facts, last = [type(seen.fact) for seen in run.seen]
    assert last is Available
    assert (facts.count(InstancesSeen), facts.count(ChecksSeen)) == (2, 1)


def test_a_planted_file_is_not_read(tmp_path: Path) -> None:
    (tmp_path / "real").write_text("[]")
    (tmp_path / "keepalived.json").symlink_to(tmp_path / "real")
    assert dumps.read_safely(str(tmp_path / "keepalived.json")) is None
    os.mkfifo(tmp_path / "keepalived.data")
    assert dumps.read_safely(str(tmp_path / "keepalived.data")) is None


@stand_ins.as_root
def test_a_strangers_file_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "keepalived.json"
    path.write_text("[]")
    assert dumps.read_safely(str(path)) is not None
    os.chown(path, stand_ins.NOBODY, stand_ins.NOBODY)
    assert dumps.read_safely(str(path)) is None


def test_only_handled_signals_are_sent() -> None:
    code = (
        "import signal, sys, time\n"
        "signal.signal(signal.SIGUSR1, lambda *_: sys.exit(7))\n"
        "print('ready', flush=True)\n"
        "time.sleep(30)\n"
    )
    with stand_ins.own_folder() as folder:
        program, env = stand_ins.pythons_keepalived(folder)
        with stand_ins.running([str(program), "-c", code], env=env, ready=True) as process:
            assert not request(process.pid, STATS)
            assert process.poll() is None
            assert request(process.pid, DATA_DUMP)
            assert process.wait(5) == 7
            assert not request(process.pid, DATA_DUMP)


def test_nobody_else_is_signalled() -> None:
    code = (
        "import signal, time\n"
        "signal.signal(signal.SIGUSR1, lambda *_: None)\n"
        "print('ready', flush=True)\n"
        "time.sleep(30)\n"
    )
    with stand_ins.running([sys.executable, "-c", code], ready=True) as process:
        assert not request(process.pid, DATA_DUMP)
