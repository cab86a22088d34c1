"""Editing the configuration on its own screen: forms, values, text, undo, diff, history."""

from __future__ import annotations

from typing import Protocol

from lvstui.keepalived.edit.change import RefusedEdit
from lvstui.keepalived.edit.draft import Draft
from lvstui.keepalived.text.mask import secrets_of
from lvstui.model.text import plain
from lvstui.operations.config_history import HistoryEntry
from lvstui.process.readonly import READ_ONLY
from lvstui.session.outline import NodeId
from lvstui.session.selection import Selection, setting_at, spot_of
from lvstui.tui.change.dialog import diff_bits
from lvstui.tui.choice import ChoiceScreen, TextScreen
from lvstui.tui.config import forms
from lvstui.tui.config.actions import ConfigActions
from lvstui.tui.config.placeholder import Redacted, editable, veil
from lvstui.tui.config.text import ConfigText
from lvstui.tui.config.tree import ConfigTree
from lvstui.tui.dialog import ask
from lvstui.tui.host import PageHost
from lvstui.tui.widgets.line import Bit

_READING = "reading the history"


class EditedPage(PageHost, Protocol):
    """What editing asks of the screen."""

    tree_view: ConfigTree
    text: ConfigText

    @property
    def node(self) -> NodeId | None: ...


class ConfigEditing(ConfigActions):
    """For the screen of the configuration."""

    _screen: EditedPage

    def __init__(self, screen: EditedPage) -> None:
        super().__init__(screen, at_once=False)

    # What the cursor is in

    @property
    def spot(self) -> Selection:
        """What keys act on."""
        found = self._session.document
        return spot_of(found, self._screen.node) if found is not None else Selection()

    @property
    def setting(self) -> tuple[str, str] | None:
        """Keyword and value of the line under the cursor of the text."""
        screen = self._screen
        if screen.tree_view.has_focus or screen.text.page is None:
            return None
        return setting_at(screen.text.page, screen.text.line)

    # Forms

    def change(self) -> None:
        """Another value for the line under the cursor, or for a value of the block it is in."""
        target, setting = self.spot.target, self.setting
        if target is None:
            return
        version = self._version
        if setting is not None:
            self.fill(forms.value_form(target, *setting, version))
            return
        names = forms.settable(target, version)
        titles = [f"{field.keyword}  {field.label}: {field.help}" for field in names]
        ask(
            self._screen.app,
            ChoiceScreen(f"Set in {forms.block_of(target)}", titles),
            lambda at: self.fill(forms.value_form(target, names[at].keyword, "", version)),
        )

    # Text

    def edit_text(self, *, outside: bool) -> None:
        """The whole file under the cursor: within lvstui, or in the operator's own editor."""
        page = self._screen.text.page
        if page is None:
            return
        path, line = page.path, self._screen.text.line
        held: list[tuple[bytes, Redacted]] = []

        def read(draft: Draft) -> None:
            data = draft.data(path)
            held.append((data, veil(data, secrets_of(draft.tree))))

        def show() -> None:
            data, veiled = held[0]
            if outside:
                self._run_editor(path, veiled, line)
                return
            why = editable(data)
            if why:
                self._screen.tell(
                    f"{why[0].upper()}{why[1:]}: E opens it in your own editor.", bad=True
                )
                return
            self._open_editor(path, veiled, line)

        self._session.edit("opening the text", then=show, work=read)

    def _open_editor(self, path: str, veiled: Redacted, line: int) -> None:
        from lvstui.tui.config.editor import EditorScreen

        editor = EditorScreen(path, veiled, line)
        ask(self._screen.app, editor, lambda data: self._take(path, data))

    def _run_editor(self, path: str, veiled: Redacted, line: int) -> None:
        from textual.app import SuspendNotSupported

        from lvstui.tui.config.editor import edit_outside, editor_command

        try:
            with self._screen.app.suspend():
                data = edit_outside(editor_command(), path, veiled, line)
        except SuspendNotSupported:
            self._screen.tell("This terminal can not be lent to an editor: i edits here.", bad=True)
        except (OSError, ValueError) as problem:
            self._screen.tell(plain(str(problem)), bad=True)
        else:
            self._take(path, data)

    def _take(self, path: str, data: bytes) -> None:
        """Text by hand into the draft."""
        screen = self._screen

        def work(draft: Draft) -> None:
            if draft.data(path) == data:
                raise RefusedEdit(None, "nothing was changed")
            draft.replace(path, data, f"text of {plain(path)} by hand")

        def then() -> None:
            screen.tell("In the draft. p plans it, u takes it back.")

        self._session.edit("taking the text over", then=then, work=work, by_hand=True)

    # The draft

    def show_diff(self) -> None:
        """What is in the draft, as text."""
        waiting = self._session.pending
        bits: list[Bit] = [
            (f"{self._screen.console.glyphs.dot} {plain(title)}\n", "$lv-text")
            for title in waiting.titles
        ]
        bits.append(("\n", ""))
        for text in self._session.pending.diffs:
            bits += diff_bits(text)
        self._screen.app.push_screen(TextScreen("what is in the draft", bits))

    def ask_discard(self) -> None:
        """Forget the draft, after a question."""
        count = len(self._session.pending.titles)

        def chosen(at: int) -> None:
            if at == 1:
                self._session.discard()
                self._session.follow(self._screen.console.picture, now=True)

        title = f"Discard the draft ({count} changes)?"
        ask(self._screen.app, ChoiceScreen(title, ["Keep it", "Discard it"]), chosen)

    # Past and present changes

    def show_history(self) -> None:
        """What was changed in the past, the newest first."""
        from lvstui.tui.config.history import HistoryScreen

        screen = self._screen

        def read(past: tuple[HistoryEntry, ...]) -> None:
            ask(screen.app, HistoryScreen(past, show, self._why_no_rollback), back)

        def show(one: HistoryEntry) -> None:
            def came(text: str) -> None:
                screen.app.push_screen(TextScreen(f"{one.title}  {one.id}", diff_bits(text)))

            if not self._session.under_way:
                self._session.ask(_READING, lambda engine: engine.diff(one.id), came)

        def back(one: HistoryEntry) -> None:
            title = f"undo: {plain(one.title)}"
            change = self._session.plan(title, lambda engine: engine.plan_rollback(one.id))
            self.open(change)

        self._session.ask(_READING, lambda engine: engine.history(), read)

    def _why_no_rollback(self) -> str:
        if self._screen.console.operator.read_only:
            return READ_ONLY
        if self._session.pending.changed:
            return "A draft is open: apply or discard it first."
        return self.why_not()
