"""Forms: one line for each thing that can be said, with its help, its default and what is wrong.

They are made from the schema of keepalived's own values; nothing about keepalived is known here.
"""

from __future__ import annotations

from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.content import Content
from textual.events import DescendantFocus
from textual.widgets import Input, Static

from lvstui.keepalived.edit.forms import FieldKind
from lvstui.model.text import plain
from lvstui.tui.config.forms import Form
from lvstui.tui.dialog import Dialog
from lvstui.tui.widgets.line import Bit

Values = dict[str, str]


_BELOW = 10
"""Lines of the box beside the fields: frame, what is said, keys."""


class FormScreen(Dialog[Values]):
    """Gives what was filled in: keyword to text, empty ones left out."""

    BINDINGS: ClassVar[list[BindingType]] = [
        # By way of the field, behind what was typed into it; on to the next one at once, before
        # what is typed next arrives: a slow host or a paste must not mix two fields up.
        Binding("ctrl+s", "done", "Done", show=False),
        Binding("tab", "app.focus_next", "Next field", show=False, priority=True),
        Binding("shift+tab", "app.focus_previous", "Previous field", show=False, priority=True),
        Binding("escape", "leave", "Leave", show=False, priority=True),
        Binding("down", "app.focus_next", "Next field", show=False),
        Binding("up", "app.focus_previous", "Previous field", show=False),
        Binding("ctrl+n", "turn(1)", "Next choice", show=False, priority=True),
    ]
    KEYS = (
        ("Enter", "next field; on the last: done"),
        ("Ctrl+S", "done"),
        ("Ctrl+N", "next choice"),
        ("Esc", "leave"),
    )
    SCROLLS = "#form"

    def __init__(self, form: Form, version: str = "") -> None:
        """`version` is that of the installed keepalived: fields that it does not know are left
        out."""
        super().__init__()
        self.title = plain(form.title)
        self._form, self._version = form, version
        self._fields = [field for field in form.fields if field.known(version)]

    def body(self) -> ComposeResult:
        """A line for each field; below, what the one with the focus means."""
        if self._form.about:
            yield Static(Content(plain(self._form.about)), classes="prose")
        with VerticalScroll(id="form", can_focus=False):
            for index, field in enumerate(self._fields):
                with Horizontal(classes="form-line"):
                    need = " *" if field.required else ""
                    yield Static(Content(f"{field.label}{need}"), classes="form-label")
                    yield Input(
                        self._form.values.get(field.keyword, ""),
                        placeholder=field.default or field.help,
                        password=field.secret,
                        id=f"field-{index}",
                        compact=True,
                    )
        with Vertical(id="form-said"):
            yield Static("", id="form-help", markup=False)

    def on_mount(self) -> None:
        if self._fields:
            self.query_one("#field-0", Input).focus()
        self._say()

    @property
    def _at(self) -> int:
        focused = self.focused
        id_ = focused.id or "" if focused is not None else ""
        return int(id_.removeprefix("field-")) if id_.startswith("field-") else -1

    def _text(self, index: int) -> str:
        return self.query_one(f"#field-{index}", Input).value.strip(" ")

    def values(self) -> Values:
        """What is filled in now."""
        texts = {field.keyword: self._text(index) for index, field in enumerate(self._fields)}
        return {keyword: text for keyword, text in texts.items() if text}

    @on(DescendantFocus)
    @on(Input.Changed)
    def _say(self) -> None:
        """What the field with the focus means, and what is wrong with what is in it."""
        at = self._at
        if at < 0:
            return
        field = self._fields[at]
        glyphs = self.console.glyphs
        bits: list[Bit] = [(f"{field.keyword}  ", "bold $lv-accent"), (field.help, "$lv-text")]
        if field.default:
            bits.append((f"  empty: {field.default}", "$lv-dim"))
        if field.choices:
            bits.append((f"\n{'  '.join(field.choices)}", "$lv-dim"))
        wrong = field.check(self._text(at), self._version) if self._text(at) else ""
        if wrong:
            bits.append((f"\n{glyphs.no} {wrong}", "bold $sev-bad"))
        self.query_one("#form-help", Static).update(Content.assemble(*bits))

    def fit_height(self) -> None:
        """What is said about a field keeps its lines; the fields scroll."""
        most = max(self.size.height - 2, 8)
        below = _BELOW + (2 if self._form.about else 0) + self._keys_height - 1
        self.query_one("#box").styles.max_height = most
        self.query_one("#form").styles.max_height = max(most - below, 3)

    @on(Input.Submitted)
    def _entered(self, event: Input.Submitted) -> None:
        event.stop()
        at = self._at
        if at == len(self._fields) - 1:
            self.action_done()
        else:
            self.query_one(f"#field-{at + 1}", Input).focus()

    def action_turn(self, by: int) -> None:
        """The next of a field's choices."""
        at = self._at
        if at < 0:
            return
        field = self._fields[at]
        choices = ("yes", "no") if field.kind is FieldKind.FLAG else field.choices
        if choices:
            now = self._text(at)
            index = choices.index(now) + by if now in choices else 0
            box = self.query_one(f"#field-{at}", Input)
            box.value = choices[index % len(choices)]
            box.cursor_position = len(box.value)

    def action_done(self) -> None:
        """Give it back when nothing is wrong; else go to the first thing that is."""
        values = self.values()
        faults = self._form.faults(values)
        for index, field in enumerate(self._fields):
            if field.keyword in faults:
                self.query_one(f"#field-{index}", Input).focus()
                self.tell(plain(faults[field.keyword]), bad=True)
                return
        if faults:
            self.tell(plain(next(iter(faults.values()))), bad=True)
            return
        self.dismiss(values)
