"""What was changed in the past: when, by whom, why; its diff, and the way back."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from lvstui.model.changes import Ended
from lvstui.model.say import moment
from lvstui.model.text import plain
from lvstui.operations.config_history import HistoryEntry
from lvstui.tui.change.config_plan import ENDED
from lvstui.tui.dialog import Dialog
from lvstui.tui.widgets.format import fit
from lvstui.tui.widgets.line import Bit


class HistoryScreen(Dialog[HistoryEntry]):
    """The newest first; gives a change to be undone."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("j", "move(1)", "Down", show=False),
        Binding("k", "move(-1)", "Up", show=False),
        Binding("R", "rollback", "Undo it", show=False),
    ]
    TITLE = "history of the configuration"
    KEYS = (("Enter", "diff"), ("R", "undo it"), ("Esc", "close"))

    def __init__(
        self,
        past: Sequence[HistoryEntry],
        show: Callable[[HistoryEntry], None],
        why_not_back: Callable[[], str] = lambda: "",
    ) -> None:
        """`show` opens the diff of one; `why_not_back`: why nothing can be undone now."""
        super().__init__()
        self._past, self._show, self._why_not_back = past, show, why_not_back

    def body(self) -> ComposeResult:
        if not self._past:
            yield Static("Nothing was changed through lvstui yet.", classes="prose", markup=False)
        yield OptionList(*(Option(self._line(one)) for one in self._past), id="history")

    def _line(self, one: HistoryEntry) -> Content:
        bits: list[Bit] = [
            (f"{moment(one.at)}  ", "$lv-dim"),
            (f"{fit(plain(one.who), 10)} ", "bold $lv-text"),
            (f"{fit(one.ended.value, 11)} ", ENDED.get(one.ended, "$lv-text")),
            (plain(one.title), "$lv-text"),
        ]
        if one.reason:
            bits.append((f"  “{plain(one.reason)}”", "$lv-dim"))
        if one.ended is not Ended.WAITING:
            came = f" ({moment(one.came)})" if one.came else ""
            bits.append((f"\n{' ' * 21}{plain(one.end)}{came}", "$lv-dim"))
        return Content.assemble(*bits)

    def on_mount(self) -> None:
        self.query_one(OptionList).focus()

    @property
    def _here(self) -> HistoryEntry | None:
        at = self.query_one(OptionList).highlighted
        return self._past[at] if at is not None and at < len(self._past) else None

    def action_move(self, by: int) -> None:
        some = self.query_one(OptionList)
        (some.action_cursor_down if by > 0 else some.action_cursor_up)()

    @on(OptionList.OptionSelected)
    def _chosen(self) -> None:
        one = self._here
        if one is not None:
            self._show(one)

    def action_rollback(self) -> None:
        """Ask for the plan that undoes it."""
        one, why = self._here, self._why_not_back()
        if why:
            self.tell(why, bad=True)
        elif one is not None:
            self.dismiss(one)
