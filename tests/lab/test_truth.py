"""A minute of the truth machine: cases that once found a fault, and one that is ordinary in
nothing that the lab's own configurations have alike."""

from __future__ import annotations

import pytest

from tests.truth.cases import FOUND, ORDINARY
from tests.truth.episode import Case, run


@pytest.mark.parametrize("case", [FOUND, ORDINARY], ids=["found", "ordinary"])
def test_what_is_said_is_so(case: Case) -> None:
    assert [str(found) for found in run(case, tell=print)] == []
