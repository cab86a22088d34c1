"""Sources that fail are run again; what they say then counts, and the failure is forgotten."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from lvstui import watch
from lvstui.keepalived.meaning.view import load_tree
from lvstui.model.facts import InstanceChanged, Missing
from lvstui.model.picture import Picture
from lvstui.sources import config as config_module
from lvstui.sources.base import Context, Source
from lvstui.sources.config import ConfigurationFiles
from lvstui.sources.proc import ProcTable
from lvstui.watch import Watcher

TABLE = Path(__file__).parents[2] / "data" / "ip_vs.txt"


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watch, "RESTART_S", (0.05,))
    monkeypatch.setattr(watch, "STEADY_S", 0.2)


def until(watcher: Watcher, true: Callable[[Picture], bool]) -> Picture:
    found = watcher.wait_for(true, 20)
    assert found is not None, watcher.picture.gaps
    return found


def gaps(picture: Picture) -> dict[str, str]:
    return {gap.source: gap.what for gap in picture.gaps}


class Breaks(Source):
    """Fails once, then says something and goes on."""

    name = "odd"

    def __init__(self, missing: bool = False) -> None:
        self.runs = 0
        self.missing = missing
        self.may = threading.Event()

    def run(self, context: Context) -> None:
        self.runs += 1
        if self.runs == 1:
            raise RuntimeError("\x1b[31mno")
        self.may.wait(20)
        if self.missing:
            context.emit(self.name, Missing(self.name, "its file may not be read"))
        context.emit(self.name, InstanceChanged("LB_1", "MASTER"))
        context.stop.wait(60)


def test_a_failure_is_said_and_what_comes_after_is_heard() -> None:
    source = Breaks()
    with Watcher([source], host="lb1", interval_s=0.05) as watcher:
        said = gaps(until(watcher, lambda picture: "odd" in gaps(picture)))
        assert said["odd"] == "odd failed: RuntimeError: ␛[31mno"
        source.may.set()
        until(watcher, lambda picture: bool(picture.instances))
        until(watcher, lambda picture: "odd" not in gaps(picture))


def test_what_it_misses_itself_is_not_taken_back() -> None:
    source = Breaks(missing=True)
    source.may.set()
    with Watcher([source], host="lb1", interval_s=0.05) as watcher:
        until(watcher, lambda picture: bool(picture.instances))
        time.sleep(0.6)
        assert gaps(watcher.picture)["odd"] == "its file may not be read"


def fails_once(source: Source, monkeypatch: pytest.MonkeyPatch, name: str) -> threading.Event:
    """Setting the event makes the next call of that method of `source` raise."""
    fail = threading.Event()
    whole = getattr(source, name)

    def call(*arguments: object) -> object:
        if fail.is_set():
            fail.clear()
            raise RuntimeError("once")
        return whole(*arguments)

    monkeypatch.setattr(source, name, call)
    return fail


def test_the_table_comes_back_though_it_did_not_change(monkeypatch: pytest.MonkeyPatch) -> None:
    source = ProcTable(str(TABLE))
    fail = fails_once(source, monkeypatch, "look")
    with Watcher([source], host="lb1", interval_s=0.05) as watcher:
        count = len(until(watcher, lambda picture: bool(picture.services)).services)
        fail.set()
        until(watcher, lambda picture: not picture.table_readable)
        back = until(watcher, lambda picture: picture.table_readable and not picture.gaps)
        assert len(back.services) == count


def test_a_bad_row_of_the_table_is_a_gap_beside_the_table(tmp_path: Path) -> None:
    path = tmp_path / "ip_vs"
    text = TABLE.read_text().rstrip()
    path.write_text(f"{text}\n  -> 0A0A0003:0050  Route  ²  0  0\n")
    with Watcher([ProcTable(str(path))], host="lb1", interval_s=0.05) as watcher:
        picture = until(watcher, lambda picture: "proc-lines" in gaps(picture))
        assert picture.services
        assert picture.table_readable
        path.write_text(f"{text}\n")
        until(watcher, lambda picture: "proc-lines" not in gaps(picture))


def test_a_file_that_we_fail_at_is_said_and_a_mended_one_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "keepalived.conf"
    path.write_text("poison\n")

    def load(name: str, config_id: str | None = None) -> object:
        if "poison" in path.read_text():
            raise RecursionError("too deep")
        return load_tree(name, config_id=config_id)

    monkeypatch.setattr(config_module, "load_tree", load)
    source = ConfigurationFiles(lambda: 0, str(path))
    with Watcher([source], host="lb1", interval_s=0.05) as watcher:
        said = gaps(until(watcher, lambda picture: "file" in gaps(picture)))
        assert "is not understood: RecursionError: too deep" in said["file"]
        path.write_text("vrrp_instance A {\n interface eth0\n virtual_router_id 7\n}\n")
        until(watcher, lambda picture: bool(picture.instances) and "file" not in gaps(picture))
