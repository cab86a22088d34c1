"""Where the differences gather, with what they explain."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from lvstui.keepalived.diff.form import Difference, Impact
from lvstui.model.config import Place


@dataclass(slots=True)
class Collector:
    """Differences, and which lines of which blocks they already tell of."""

    found: list[Difference] = field(default_factory=list)
    explained: set[tuple[Place, str]] = field(default_factory=set)
    """(a block's place in the new configuration, a keyword in it). Places of the old one are no
    key: something else may stand there now."""
    gone: set[Place] = field(default_factory=set)
    """Blocks of the old configuration that are told to be gone."""
    come: set[Place] = field(default_factory=set)
    """Blocks of the new one that are told to be new."""
    everywhere: set[str] = field(default_factory=set)
    """Keywords of global_defs that an instance or service follows."""
    paired: dict[Place, Place] = field(default_factory=dict)
    """Blocks that are the same thing though their headers differ: before to after."""

    def pair(self, before: Place | None, after: Place | None) -> None:
        """Both blocks are one service, server or instance."""
        if before is not None and after is not None:
            self.paired[before] = after

    def say(
        self,
        kind: str,
        impact: Impact,
        subject: str,
        text: str,
        *,
        before: object = "",
        after: object = "",
        place: Place | None = None,
        blocks: Iterable[Place | None] = (),
        keywords: str = "",
        follows: str = "",
        gone: Place | None = None,
        come: Place | None = None,
    ) -> None:
        """Record one. `keywords` are those (blank between) of `blocks` (places in the new
        configuration) that it tells of, `follows` those of global_defs; `gone` or `come` is the
        place of a whole block that it tells of."""
        self.found.append(
            Difference(kind, impact, subject, text, _text(before), _text(after), place)
        )
        self.explain(blocks, keywords)
        self.everywhere.update(follows.split())
        if gone is not None:
            self.gone.add(gone)
        if come is not None:
            self.come.add(come)

    def explain(self, blocks: Iterable[Place | None], keywords: str) -> None:
        """Other differences tell of these lines already."""
        for block in blocks:
            if block is not None:
                self.explained.update((block, keyword) for keyword in keywords.split())

    def tells(self, block: Place, keyword: str) -> bool:
        """Whether a difference tells of this already."""
        return (block, keyword) in self.explained


def _text(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:g}"
    if isinstance(value, tuple):
        return ", ".join(str(item) for item in value)
    return "" if value is None else str(value)


def lists(before: tuple[str, ...], after: tuple[str, ...]) -> tuple[list[str], list[str]]:
    """What is only in `before`, and what is only in `after`, in order, each once."""
    gone = [item for item in dict.fromkeys(before) if item not in after]
    new = [item for item in dict.fromkeys(after) if item not in before]
    return gone, new
