"""A minute of the truth machine; what that is and more of it: `python -m tests.truth`."""

from __future__ import annotations

from tests.truth.cases import MINUTE
from tests.truth.episode import run


def test_what_is_said_is_so() -> None:
    assert [str(found) for found in run(MINUTE, tell=print)] == []
