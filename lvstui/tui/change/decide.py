"""What `P` and `u` open, on every screen: a change of keepalived.conf that waits, or what became of
it; and the undo of the newest operation, whatever kind it was.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from lvstui.model.changes import Ended
from lvstui.model.text import plain
from lvstui.model.waiting import ChangeStands
from lvstui.operations.undo import Kind, Offer, Operation, listed, undo_title
from lvstui.operations.weights import plan_undo
from lvstui.tui.choice import ChoiceScreen, TextScreen
from lvstui.tui.dialog import ask
from lvstui.tui.widgets.line import Bit

if TYPE_CHECKING:
    from lvstui.tui.host import PageHost

_READING = "reading the audit log"


def show_change(screen: PageHost) -> None:
    """The change that waits; else one that was rolled back unseen; else the last one."""
    unsettled = screen.console.unsettled
    waits, unseen = unsettled.under_way, unsettled.unseen
    session = unsettled.session
    change = session.change if session is not None else None
    mine = change.outcome.id if change is not None and change.outcome is not None else ""
    if waits is None and unseen is not None and unseen.id != mine:
        unsettled.saw(unseen.id)
        _tell_story(screen, unseen)
    elif waits is not None and (change is None or screen.console.operator.read_only):
        _tell_story(screen, waits)
    elif session is not None and change is not None:
        from lvstui.tui.change.config_plan import ConfigPlanScreen

        screen.app.push_screen(ConfigPlanScreen(session, change))
    screen.show_picture(screen.console.picture)


def _tell_story(screen: PageHost, seen: ChangeStands) -> None:
    todo = {
        Ended.ROLLED_BACK: "The old files are back. 4 H shows what the change was; to make it "
        "again, plan it again.",
        Ended.TROUBLE: "Compare the files with what keepalived runs: lvstui config history, "
        "lvstui config diff.",
        Ended.WAITING: "It can not be kept or undone from here: lvstui config keep, lvstui config "
        "back.",
    }
    bits: list[Bit] = [(f"{plain(line)}\n", "$lv-text") for line in seen.story()]
    bits += [("\n", ""), (todo.get(seen.ended, ""), "$lv-accent")]
    screen.app.push_screen(TextScreen(seen.title, bits))


# The undo


def propose_undo(screen: PageHost, number: int | None = None) -> None:
    """Show what takes back the newest operation, or the one with that number of the list."""
    console = screen.console

    def offered(found: Offer | None) -> None:
        if not screen.is_active:
            # A key may be meant for what was opened meanwhile: nothing comes up over it.
            return
        if found is None:
            screen.tell("There is nothing to undo: you have changed nothing here yet.", bad=True)
        elif found.refusal:
            screen.tell(f"{found.refusal[:1].upper()}{found.refusal[1:]}", bad=True)
        elif found.operation.kind is Kind.WEIGHTS:
            from lvstui.tui.change.plan import PlanScreen

            change = console.weights.plan("undo", lambda: plan_undo(console.picture, found))
            screen.app.push_screen(PlanScreen(console.weights, change))
        elif found.operation.kind is Kind.FILE:
            _undo_in_file(screen, found)
        else:
            screen.run_worker(console.undo_on_hosts(found))

    console.weights.start(_READING, lambda: console.operator.last(console.picture, number), offered)


def choose_undo(screen: PageHost) -> None:
    """Any operation of the list."""
    console = screen.console

    def read(found: tuple[Operation, ...]) -> None:
        if not found:
            propose_undo(screen)
            return
        lines = [plain(line) for line in listed(found, console.picture.at)]
        choice = ChoiceScreen("Undo which operation?", lines)
        ask(screen.app, choice, lambda at: propose_undo(screen, at + 1))

    console.weights.start(_READING, lambda: console.operator.operations(console.picture), read)


def _undo_in_file(screen: PageHost, found: Offer) -> None:
    from lvstui.tui.config.actions import ConfigActions

    operation, session = found.operation, screen.console.config_session
    actions = ConfigActions(screen, at_once=True)
    if operation.ended is Ended.WAITING:
        _undo_waiting(screen)
        return
    why = actions.why_not()
    if session.pending.changed:
        why = "A draft of the configuration is open: apply or discard it first (screen 4)."
    if why:
        screen.tell(why, bad=True)
        return
    again = operation.ended is Ended.UNDONE
    title = undo_title(operation.title, again=again)
    session.know(screen.console.picture)
    change = session.plan(
        title, lambda engine: engine.plan_rollback(operation.id, again=again, strict=True)
    )
    change.cautions = found.cautions
    actions.open(change)


def _undo_waiting(screen: PageHost) -> None:
    """Here `y` would mean the opposite: it is asked in words."""
    from lvstui.tui.change.config_plan import ConfigPlanScreen

    unsettled = screen.console.unsettled
    seen, session = unsettled.under_way, screen.console.config_session
    change = session.unkept
    if change is None:
        show_change(screen)
        return

    def chosen(at: int) -> None:
        if at not in (0, 1) or session.unkept is not change:
            return
        if session.wait:
            screen.tell(session.wait, bad=True)
            return
        session.decide(change, keep=at == 1)
        screen.app.push_screen(ConfigPlanScreen(session, change))

    title = plain(seen.title if seen is not None else change.title)
    choices = (
        "Undo it now: the old file is put back and loaded",
        "Keep it",
        "Leave it to its timer",
    )
    ask(screen.app, ChoiceScreen(f"{title}: not kept yet", choices), chosen)
