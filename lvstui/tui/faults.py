"""Breaking things in the lab, from the palette."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import TYPE_CHECKING

from lvstui.model.text import plain
from lvstui.tui.choice import AskScreen
from lvstui.tui.dialog import ask

if TYPE_CHECKING:
    from lvstui.lab.faults import Fault, LabLink
    from lvstui.tui.host import PageHost

_Entry = tuple[str, str, Callable[[], None]]


def fault_entries(screen: PageHost, lab: LabLink) -> Iterator[_Entry]:
    """`fault: stop rs3`, one for each fault and node that it can act on."""
    for fault in lab.faults:
        for node in lab.targets(fault):
            title = f"fault: {fault.name} {node}".rstrip()
            yield title, fault.summary, partial(start_fault, screen, lab, fault, node)


def start_fault(screen: PageHost, lab: LabLink, fault: Fault, node: str) -> None:
    """Ask for the argument when it needs one, then inject it in a thread."""
    if "argument" not in fault.needs:
        _inject(screen, lab, fault, node, None)
        return
    title = f"fault: {fault.name} {node}"
    question = AskScreen(title, fault.summary, "argument, may be empty")
    ask(screen.app, question, lambda given: _inject(screen, lab, fault, node, given or None))


def _inject(screen: PageHost, lab: LabLink, fault: Fault, node: str, argument: str | None) -> None:
    app = screen.app
    what = f"fault: {fault.name} {node}".rstrip()

    def work() -> None:
        try:
            text, bad = plain(lab.inject(fault.name, node, argument)), False
        except Exception as problem:
            # Whatever goes wrong in the lab is news for the operator, not the console's end.
            text, bad = plain(f"failed: {problem}"), True
        app.call_from_thread(
            app.notify,
            text or what,
            title=what,
            severity="error" if bad else "information",
            markup=False,
        )

    screen.tell(f"{what} …")
    app.run_worker(work, thread=True, exit_on_error=False, group="faults")
