"""What holds for every test of this process."""

from __future__ import annotations

import pytest

from lvstui.process import privileges, readonly


@pytest.fixture(autouse=True)
def _rights_stay(monkeypatch: pytest.MonkeyPatch) -> None:
    """A read-only command gives up root's rights and the right to write for its whole process, for
    good: the tests of that run it in a process of its own, all others go on after it."""
    monkeypatch.setattr(privileges, "drop", lambda: None)
    monkeypatch.setattr(readonly, "_active", False)
