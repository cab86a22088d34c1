"""What `P` opens, on every screen: a change of keepalived.conf that waits, or what became of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lvstui.model.changes import ConfigChangeSeen, Ended
from lvstui.model.text import plain
from lvstui.widgets.line import Bit

if TYPE_CHECKING:
    from lvstui.screens.console import ConsoleScreen


def show_change(screen: ConsoleScreen) -> None:
    """The change that waits; else one that was rolled back unseen; else the last one."""
    unsettled = screen.console.unsettled
    waits, unseen = unsettled.under_way, unsettled.unseen
    desk = unsettled.desk
    change = desk.change if desk is not None else None
    mine = change.outcome.id if change is not None and change.outcome is not None else ""
    if waits is None and unseen is not None and unseen.id != mine:
        unsettled.saw(unseen.id)
        _tell_story(screen, unseen)
    elif waits is not None and (change is None or screen.console.operator.read_only):
        _tell_story(screen, waits)
    elif desk is not None and change is not None:
        from lvstui.screens.config_plan import ConfigPlanScreen

        screen.app.push_screen(ConfigPlanScreen(desk, change))
    screen.show_picture(screen.console.picture)


def _tell_story(screen: ConsoleScreen, seen: ConfigChangeSeen) -> None:
    from lvstui.screens.config_history import TextScreen

    todo = {
        Ended.TAKEN_BACK: "The old files are back. 4 H shows what the change was; to make it "
        "again, plan it again.",
        Ended.TROUBLE: "Compare the files with what keepalived runs: lvstui config history, "
        "lvstui config diff.",
        Ended.WAITING: "It can not be kept or undone from here: lvstui config keep, lvstui config "
        "back.",
    }
    bits: list[Bit] = [(f"{plain(line)}\n", "$lv-text") for line in seen.story()]
    bits += [("\n", ""), (todo.get(seen.ended, ""), "$lv-accent")]
    screen.app.push_screen(TextScreen(seen.title, bits))
