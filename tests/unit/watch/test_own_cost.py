"""What lvstui itself takes is told from the first picture on, and never made up."""

from __future__ import annotations

from lvstui.watch import Watcher


def test_memory_is_known_at_once_and_the_share_of_a_core_when_it_was_measured() -> None:
    with Watcher([], host="lb1", interval_s=0.05) as watcher:
        first = watcher.wait_for(lambda picture: picture.cost.resident_bytes > 0, 5)
        assert first is not None
        assert first.cost.cpu_share is None
        later = watcher.wait_for(lambda picture: picture.cost.cpu_share is not None, 10)
        assert later is not None
        assert later.cost.resident_bytes > 1_000_000
