"""Small dialogs: choose one of a few, type one line, read a text."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.widgets import Input, OptionList, Static
from textual.widgets.option_list import Option

from lvstui.model.text import plain
from lvstui.tui.dialog import Dialog, PageDialog
from lvstui.tui.widgets.line import Bit


class ChoiceScreen(Dialog[int]):
    """A short list; gives the index that was chosen."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("j", "next", "Down", show=False),
        Binding("k", "previous", "Up", show=False),
    ]
    KEYS = (("Enter", "choose"), ("Esc", "leave"))
    SCROLLS = "#choices"

    def __init__(
        self,
        title: str,
        options: Sequence[str],
        current: int = 0,
        *,
        again: str = "",
        preview: Callable[[int], None] | None = None,
    ) -> None:
        """`again` is the key that opened this: it goes on through the list."""
        super().__init__()
        self.title = title
        self._options = options
        self._current = current
        self._again = again
        self._preview = preview

    def body(self) -> ComposeResult:
        yield OptionList(*(Option(Content(text)) for text in self._options), id="choices")

    def on_mount(self) -> None:
        self._list = self.query_one(OptionList)
        self._list.highlighted = self._current
        self._list.focus()
        if self._again:
            self._bindings.bind(self._again, "next", "Next", show=False)

    def action_next(self) -> None:
        self._list.action_cursor_down()

    def action_previous(self) -> None:
        self._list.action_cursor_up()

    @on(OptionList.OptionHighlighted)
    def _highlighted(self, event: OptionList.OptionHighlighted) -> None:
        if self._preview is not None:
            self._preview(event.option_index)

    @on(OptionList.OptionSelected)
    def _chosen(self, event: OptionList.OptionSelected) -> None:
        self.dismiss(event.option_index)


class AskScreen(Dialog[str]):
    """One line of text."""

    KEYS = (("Enter", "go on"), ("Esc", "leave"))

    def __init__(self, title: str, text: str, placeholder: str, value: str = "") -> None:
        super().__init__()
        self.title, self._text = title, text
        self._placeholder, self._value = placeholder, value

    def body(self) -> ComposeResult:
        yield Static(Content(self._text), classes="prose")
        yield Input(self._value, placeholder=self._placeholder, id="answer")

    @on(Input.Submitted)
    def _answered(self, event: Input.Submitted) -> None:
        self.dismiss(event.value)


class TextScreen(PageDialog):
    """A text that stays as it is."""

    def __init__(self, title: str, bits: Sequence[Bit]) -> None:
        super().__init__()
        self.title, self._bits = plain(title), bits

    def content(self, width: int) -> Content:
        return Content.assemble(*self._bits)
