"""A feed, an operator and a lab that are all in memory; `python -m tests.ui.fakes` shows them."""

from __future__ import annotations

import random
import sys
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from lvstui.lab.faults import Fault, LabLink
from lvstui.model.changes import Ended
from lvstui.model.keys import ServerKey, ServiceKey
from lvstui.model.picture import Picture, ServiceView, State
from lvstui.model.realserver import Look
from lvstui.operations.change import NOT_BEGUN, Outcome, Progress, ReadBack, Stop, Tell, silent
from lvstui.operations.undo import Kind, Offer, Operation, offer
from lvstui.operations.weight_changes import WeightChanges
from lvstui.operations.weights import SetKernelWeight, WeightsPlan, planned
from lvstui.sources.audit import AuditEntry
from lvstui.watch import Watcher

Target = tuple[ServiceKey, ServerKey]
_ENTRY = AuditEntry(
    "op",
    "done",
    0.0,
    "",
    "alice",
    "lb1",
    "drain",
    "tcp 10.10.0.20:80",
    "10.10.0.3:80",
    before=0,
    after=10,
)


class FakeFeed(Watcher):
    """Holds one picture; `show` gives the next from this thread."""

    def __init__(self, picture: Picture) -> None:
        super().__init__([])
        self._picture = picture
        self.listeners: list[Callable[[Picture], None]] = []
        self.watched: list[tuple[ServiceKey, ...]] = []
        self.refreshes = 0
        self.asked = 0

    def subscribe(self, listener: Callable[[Picture], None]) -> Callable[[], None]:
        """As in Watcher."""
        self.listeners.append(listener)
        return lambda: self.listeners.remove(listener)

    def watch_closely(self, services: tuple[ServiceKey, ...]) -> None:
        """As in Watcher."""
        self.watched.append(services)

    def report(self, look: Look) -> None:
        """As in Watcher: it comes back with a picture."""
        self.show(replace(self.picture, looks={**self.picture.looks, look.address: look}))

    def refresh(self) -> None:
        """As in Watcher."""
        self.refreshes += 1

    def ask_daemon(self) -> bool:
        """As in Watcher."""
        self.asked += 1
        return True

    def show(self, picture: Picture) -> None:
        """The next picture."""
        self._picture = picture
        for listener in list(self.listeners):
            listener(picture)


@dataclass
class FakeOperator(WeightChanges):
    """Makes believable plans and remembers what was applied."""

    read_only: bool = False
    refusal: str = ""
    typed: str = ""
    fails: bool = False
    raises: Exception | None = None
    effects: tuple[str, ...] = (
        "1 of 3 left taking new connections, quorum 1.",
        "10.10.0.3 takes all new connections (+100 %).",
        "612 active connections keep going until they end.",
    )
    applied: list[WeightsPlan] = field(default_factory=list)
    asked: list[tuple[str, tuple[Target, ...], int | None]] = field(default_factory=list)
    gate: threading.Event | None = None
    others: tuple[Operation, ...] = ()
    """What was done besides, newer than all that was applied."""

    def plan(
        self,
        picture: Picture,
        operation: str,
        targets: Sequence[Target],
        *,
        weight: int | None = None,
        reason: str = "",
    ) -> WeightsPlan:
        """As in WeightChanges."""
        self.asked.append((operation, tuple(targets), weight))
        after = {"drain": 0, "enable": 10}.get(operation, weight or 0)
        steps = []
        for service, server in targets:
            view = picture.server(service, server)
            before = view.weights.kernel if view and view.weights.kernel is not None else 0
            name = view.label if view else str(server)
            steps.append(
                SetKernelWeight(
                    picture.host,
                    service,
                    server,
                    before,
                    after,
                    f"kernel weight of {name} ({server}) in {service}: {before} → {after}",
                    "the kernel's table is read back",
                    f"kernel weight {before} again",
                )
            )
        return replace(
            planned(picture.host, operation, steps),
            effects=self.effects,
            cautions=(
                "Kernel only: when its check fails and recovers, keepalived sets weight 10 again.",
            ),
            refusals=(self.refusal,) if self.refusal else (),
            typed=self.typed,
            reason=reason,
        )

    def operations(self, picture: Picture) -> tuple[Operation, ...]:
        """As in WeightChanges."""
        done = [
            Operation(
                f"op-{number}",
                Kind.WEIGHTS,
                picture.at,
                "alice",
                plan.title,
                True,
                (_ENTRY,),
                undoes=plan.undoes,
            )
            for number, plan in enumerate(self.applied, 1)
        ]
        return (*self.others, *reversed(done))

    def last(self, picture: Picture, number: int | None = None) -> Offer | None:
        """As in WeightChanges."""
        return offer(self.operations(picture), picture.at, number)

    def apply(self, plan: WeightsPlan, *, tell: Tell = silent, stop: Stop | None = None) -> Outcome:
        """As in WeightChanges."""
        first = plan.steps[0]
        tell(Progress(1, len(plan.steps), first.host, first.what))
        if self.gate is not None:
            self.gate.wait(5)
        if self.raises is not None:
            raise self.raises
        self.applied.append(plan)
        if stop is not None and stop.is_set():
            left = tuple(ReadBack(s.host, str(s.server), False, NOT_BEGUN) for s in plan.steps)
            return Outcome(plan, Ended.STOPPED, "op-1", "stopped", left)
        results = tuple(
            ReadBack(
                step.host,
                str(step.server),
                not self.fails,
                f"weight {step.before}; the kernel still says so"
                if self.fails
                else f"weight {step.after}",
            )
            for step in plan.steps
        )
        text = f"{plan.title}: {'not done' if self.fails else 'done, read back'}"
        ended = Ended.TROUBLE if self.fails else Ended.DONE
        return Outcome(plan, ended, "op-1", text, results)


class FakeLab(LabLink):
    """Remembers what was broken."""

    def __init__(self) -> None:
        self.faults = (
            Fault("stop", "stop the web server", "any"),
            Fault("slow", "answer slowly", "any", "milliseconds"),
            Fault("heal", "heal everything"),
        )
        self.injected: list[tuple[str, str, str | None]] = []

    def targets(self, fault: Fault) -> tuple[str, ...]:
        """As in LabLink."""
        return ("rs1", "rs3") if "node" in fault.needs else ("",)

    def inject(self, name: str, node: str, argument: str | None) -> str:
        """As in LabLink."""
        self.injected.append((name, node, argument))
        return f"[{name}] done on {node}"


def alive(picture: Picture, dice: random.Random) -> Picture:
    """The next second of a site: counters move, nothing else."""
    services: list[ServiceView] = []
    for view in picture.services:
        servers = []
        for server in view.servers:
            if server.state is State.UP and server.rates:
                rate = max(server.rates.connections * dice.uniform(0.85, 1.18), 0.2)
                server = replace(
                    server,
                    rates=replace(server.rates, connections=rate),
                    history=(*server.history[-59:], rate),
                    active=max(server.active + dice.randint(-3, 3), 0),
                )
            servers.append(server)
        total = sum(s.rates.connections for s in servers if s.rates)
        rates = replace(view.rates, connections=total) if view.rates else None
        services.append(
            replace(view, servers=tuple(servers), rates=rates, history=(*view.history[-59:], total))
        )
    return replace(picture, services=tuple(services), at=time.time())


def main() -> None:
    """Show the made-up site; `large` shows 10,000 real servers."""
    from lvstui.tui.app import LvstuiApp
    from lvstui.tui.settings import Settings

    from . import pictures

    which = sys.argv[1] if len(sys.argv) > 1 else "site"
    picture = pictures.large(1000, 10) if which == "large" else getattr(pictures, which)()
    feed = FakeFeed(picture)

    def run() -> None:
        dice = random.Random(1)
        while True:
            time.sleep(1)
            feed.show(alive(feed.picture, dice))

    threading.Thread(target=run, daemon=True).start()
    app = LvstuiApp(
        feed,
        FakeOperator(read_only="--read-only" in sys.argv),
        lab=FakeLab(),
        settings=Settings(state_folder=Path("/tmp/lvstui-state")),
    )
    app.run()
    sys.exit(app.return_code)


if __name__ == "__main__":
    main()
