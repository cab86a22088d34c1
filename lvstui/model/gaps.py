"""What cannot be seen, as the sources say it, and which of them work."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from lvstui.model.facts import Missing
from lvstui.model.picture import Gap


class Gaps:
    """What each source cannot see."""

    def __init__(self) -> None:
        self._gaps: dict[str, Gap] = {}
        self._covered_by: dict[str, str] = {}
        """For each gap the source that tells the same, if there is one."""
        self._working: set[str] = set()
        """Sources that said that they work."""

    def __contains__(self, source: str) -> bool:
        return source in self._gaps

    def missing(self, fact: Missing) -> None:
        self._gaps[fact.source] = Gap(fact.source, fact.what, fact.remedy)
        self._covered_by[fact.source] = fact.covered_by
        self._working.discard(fact.source)

    def available(self, source: str) -> bool:
        """It works; True when that takes back what it said before."""
        self._working.add(source)
        return self._gaps.pop(source, None) is not None

    def seen(self, silent: Collection[str], idle: bool) -> Iterator[Gap]:
        """Those worth telling. silent: sources of which worse is told. idle: keepalived does not
        run: it makes its fifos, and without it they are no news."""
        for source, gap in self._gaps.items():
            told = self._covered_by.get(source) in self._working or source in silent
            if not told and not (source == "fifo" and idle):
                yield gap
