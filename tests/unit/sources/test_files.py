"""The files of the configuration as an observation: judged, shown masked, seen when they change."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from lvstui.keepalived.meaning.view import load_tree
from lvstui.keepalived.text.tree import Tree
from lvstui.model.facts import FilesSeen, Missing, Observation
from lvstui.model.files import ConfigFiles
from lvstui.model.wire import decode, encode
from lvstui.sources.base import Context
from lvstui.sources.config import ConfigurationFiles

PASSWORD = "g3heim42"
MAIN = f"""\
vrrp_instance LB_1 {{
\tinterface lo
\tvirtual_router_id 51
\tpriority 100
\tauthentication {{
\t\tauth_type PASS
\t\tauth_pass {PASSWORD}
\t}}
}}
include pools.conf
"""
POOL = b"""\
virtual_server 10.10.0.20 80 {
    lb_algo rr
    protocol TCP
    real_server 10.10.0.3 80 {
        weight 1 # \xff\x1b[31m
    }
}
"""


class Site:
    """Two files, and what the source says of them."""

    def __init__(self, folder: Path) -> None:
        self.main, self.pool = folder / "keepalived.conf", folder / "pools.conf"
        self.main.write_text(MAIN)
        self.pool.write_bytes(POOL)
        self.said: list[Observation] = []

    @property
    def files(self) -> list[ConfigFiles]:
        """All that was said of them, in order."""
        return [seen.fact.files for seen in self.said if isinstance(seen.fact, FilesSeen)]

    def until(self, condition: Callable[[], object]) -> None:
        """Wait for something to be said."""
        deadline = time.monotonic() + 60
        while not condition():
            assert time.monotonic() < deadline, [seen.fact for seen in self.said]
            time.sleep(0.01)

    @contextmanager
    def watched(self) -> Iterator[None]:
        """The source runs."""
        stop = threading.Event()
        source = ConfigurationFiles(lambda: 0, str(self.main))
        context = Context("lb1", self.said.append, stop, 0.05)
        thread = threading.Thread(target=source.run, args=(context,), daemon=True)
        thread.start()
        try:
            yield
        finally:
            stop.set()
            thread.join(60)


def test_files_are_judged_and_may_be_shown(tmp_path: Path) -> None:
    site = Site(tmp_path)
    with site.watched():
        site.until(lambda: site.files)
    (seen,) = [one for one in site.said if isinstance(one.fact, FilesSeen)]
    line = encode(seen)
    assert decode(line).fact == seen.fact
    assert PASSWORD not in line
    main, pool = site.files[0].files
    assert (main.path, pool.path) == (str(site.main), str(site.pool))
    assert main.modified == os.stat(site.main).st_mtime
    assert main.lines[1] == "        interface lo"
    assert len(main.lines) == MAIN.count("\n")
    assert pool.lines[4].endswith("# \\xff\u241b[31m")
    (error,) = [one for one in site.files[0].findings if one.rule == "forwarding-defaults-to-nat"]
    assert error.place is not None
    assert (error.place.file, error.severity.value) == (str(site.pool), "error")


def test_a_change_of_any_file_is_seen_and_so_is_its_end(tmp_path: Path) -> None:
    site = Site(tmp_path)
    with site.watched():
        site.until(lambda: site.files)
        site.pool.write_bytes(POOL.replace(b"weight 1", b"weight 12"))
        site.until(lambda: len(site.files) > 1)
        assert "weight 12" in site.files[-1].files[1].lines[4]
        site.main.unlink()
        site.until(lambda: any(isinstance(one.fact, Missing) for one in site.said))


def test_a_file_that_keepalived_would_skip_now_is_seen(tmp_path: Path) -> None:
    site = Site(tmp_path)
    with site.watched():
        site.until(lambda: site.files)
        site.pool.chmod(0o755)
        site.until(lambda: len(site.files) > 1)
    assert [one.path for one in site.files[-1].files] == [str(site.main)]


def test_what_is_written_while_it_is_read_is_read_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    site = Site(tmp_path)
    late = [
        lambda: site.main.write_text(MAIN + "# late\n"),
        lambda: site.pool.write_bytes(POOL.replace(b"weight 1", b"weight 13")),
    ]

    def slowly(path: str, **words: str | None) -> Tree:
        tree = load_tree(path, config_id=words["config_id"])
        if late:
            late.pop(0)()
        return tree

    monkeypatch.setattr("lvstui.sources.config.load_tree", slowly)
    with site.watched():
        site.until(lambda: site.files and site.files[-1].files[0].lines[-1] == "# late")
        site.until(lambda: "weight 13" in site.files[-1].files[1].lines[4])
