"""What the screens need from the rest of the house, as small interfaces.

Pictures come in through a `Feed`; the world is changed through a `WeightsOperator`; inside the lab
there is also a `LabControl`. Tests put plain fakes in their place.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Protocol

from lvstui.model.keys import ServerKey, ServiceKey
from lvstui.model.picture import Picture
from lvstui.model.realserver import Look
from lvstui.operations.change import Outcome, Stop, Tell
from lvstui.operations.undo import Offer, Operation
from lvstui.operations.weights import WeightsPlan

Target = tuple[ServiceKey, ServerKey]
"""One real server of one virtual service, as an operation names it."""


class Feed(Protocol):
    """Where pictures come from: a live director, a remote one, a recording."""

    def subscribe(self, listener: Callable[[Picture], None]) -> Callable[[], None]:
        """Call `listener` with every new picture, from another thread. Returns the way out."""
        ...

    @property
    def picture(self) -> Picture:
        """The newest picture."""
        ...

    def watch_closely(self, services: tuple[ServiceKey, ...]) -> None:
        """These services are on the screen now: read their counters every tick."""
        ...

    def report(self, look: Look) -> None:
        """Take in what this session saw of a real server; it comes back with a picture."""
        ...

    def refresh(self) -> None:
        """Look again now."""
        ...

    def ask_daemon(self) -> bool:
        """Ask keepalived once for its dumps, on the operator's wish; False when it cannot be
        asked."""
        ...


class WeightsOperator(Protocol):
    """What changes the world: plans first, then applies."""

    read_only: bool
    """Every change is refused."""

    def plan(
        self,
        picture: Picture,
        operation: str,
        targets: Sequence[Target],
        *,
        weight: int | None = None,
        reason: str = "",
    ) -> WeightsPlan:
        """What `operation` would do. Pure and quick."""
        ...

    def operations(self, picture: Picture) -> Sequence[Operation]:
        """Everything of lvstui that is on record on this host, of any kind, newest first."""
        ...

    def last(self, picture: Picture, number: int | None = None) -> Offer | None:
        """What an undo takes back: the operator's newest operation of any kind, or the one with
        that number in `operations`; None when there is none."""
        ...

    def plan_undo(self, picture: Picture, offer: Offer) -> WeightsPlan:
        """What undoing an operation on weights would do."""
        ...

    def apply(self, plan: WeightsPlan, *, tell: Tell, stop: Stop | None = None) -> Outcome:
        """Do it and read it back; `stop` is heeded between two steps. Blocks: call it in a
        thread."""
        ...


class LabFault(Protocol):
    """One thing that can be broken in the lab."""

    @property
    def name(self) -> str:
        """`stop`, `hang`, `unplug` …"""
        ...

    @property
    def summary(self) -> str:
        """What it does, in a few words."""
        ...

    @property
    def needs(self) -> str:
        """What has to be said with it: `node`, `node argument`, `argument` or nothing."""
        ...


class LabControl(Protocol):
    """The cluster in a box around this director."""

    @property
    def faults(self) -> Sequence[LabFault]:
        """Everything that can be broken."""
        ...

    def targets(self, fault: Any) -> Sequence[str]:
        """The nodes that one of its faults can strike; one empty name for the whole lab."""
        ...

    def inject(self, name: str, node: str, argument: str | None) -> str:
        """Break it (or heal it). Blocks; returns one line on what was done."""
        ...
