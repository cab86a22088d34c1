"""`lvstui status --watch` misses no picture."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from lvstui.model.picture import Picture
from lvstui.process.printing import as_json
from lvstui.shell import status


class _Ended(Exception):
    """The picture after which nothing more comes was waited for."""


class _Feed:
    """A watcher whose next picture comes while the one before is told."""

    def __init__(self) -> None:
        self._pictures = [Picture(1.0, "lb1"), Picture(2.0, "lb2")]
        self.picture = self._pictures[0]

    def settle(self) -> Picture:
        """As in Watcher."""
        return self.picture

    def comes(self) -> None:
        """The next one."""
        self.picture = self._pictures[-1]

    def wait_for(self, condition: Callable[[Picture], bool], _: float) -> None:
        """As in Watcher."""
        if not condition(self.picture):
            raise _Ended


def test_a_picture_that_comes_while_one_is_told_is_told_too(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    feed = _Feed()

    def slowly(document: object) -> str:
        feed.comes()
        return as_json(document)

    monkeypatch.setattr(status, "as_json", slowly)
    with pytest.raises(_Ended):
        status._watch(feed)
    said = [json.loads(line)["host"] for line in capsys.readouterr().out.splitlines()]
    assert said == ["lb1", "lb2"]
