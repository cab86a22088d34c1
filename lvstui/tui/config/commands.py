"""What can be done with the configuration: looking through it, and changing it in a draft."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from lvstui.model.keys import ServerKey, ServiceKey
from lvstui.session.config import ConfigSession
from lvstui.tui import twins
from lvstui.tui.change.decide import propose_undo
from lvstui.tui.command import Command, HarmlessCommand, Names, first_reason, grouped, needs
from lvstui.tui.config.editing import ConfigEditing, EditedPage


class ConfigPage(EditedPage, Protocol):
    """What the commands ask of the screen."""

    @property
    def session(self) -> ConfigSession: ...

    editing: ConfigEditing
    words: str

    def why_nothing(self) -> str: ...
    def target(self) -> tuple[ServiceKey, ServerKey | None] | None: ...
    def open_here(self) -> None: ...
    def other_pane(self) -> None: ...
    def turn_tree(self) -> None: ...
    def open_search(self) -> None: ...
    def search(self, *, back: bool = False) -> None: ...
    def to_finding(self, *, back: bool = False) -> None: ...
    def show_service(self) -> None: ...
    def step_back(self) -> None: ...


# Guards


def _text(page: ConfigPage) -> str:
    return "" if page.session.document is not None else page.why_nothing()


def _free(page: ConfigPage) -> str:
    """Something changes files, and it is free."""
    return page.editing.why_not()


def _finding(page: ConfigPage) -> str:
    found = page.session.document
    return "Nothing is wrong with it." if found is not None and not found.findings else ""


def _has_editor(page: ConfigPage) -> bool:
    from lvstui.tui.config.editor import editor_command

    return bool(editor_command())


def _to_plan(page: ConfigPage) -> str:
    if not page.session.pending.changed:
        return "The draft is empty: a adds, c changes, x removes, i edits the text."
    return page.session.stale


def _history_free(page: ConfigPage) -> str:
    if not page.session.changeable:
        return "This is a recording: it has no history."
    return page.session.wait


_Guard = Callable[[ConfigPage], str]
_change = first_reason(_text, _free)
"""There must be a text, and nothing else under way."""
_searched: _Guard = first_reason(_text, needs(lambda page: page.words, "Search with / first."))
_on_server: _Guard = first_reason(
    _change, needs(lambda page: page.editing.spot.server, "The cursor is on no real server.")
)


# Twins and deeds


def _server_twin(words: str) -> Callable[[ConfigPage], str]:
    return lambda page: twins.on_server(words, twins.pair_of(page.editing.spot))


def _read(page: ConfigPage) -> None:
    page.console.feed.refresh()
    page.session.follow(page.console.picture, now=True)
    page.tell("Reading again.")


def _switch(page: ConfigPage, *, on: bool) -> None:
    pair, actions = twins.pair_of(page.editing.spot), page.editing
    if pair:
        (actions.enable if on else actions.disable)(pair)


def _add(page: ConfigPage) -> None:
    found = page.session.document
    if found is not None:
        page.editing.add(page.editing.spot, found.configuration)


def _copy_place(page: ConfigPage) -> None:
    if page.text.page is not None:
        page.copy(f"{page.text.page.path}:{page.text.line}")


def _undo(page: ConfigPage) -> None:
    if page.session.pending.undoable:
        page.session.undo()
    else:
        propose_undo(page)


_LOOK: tuple[Command[ConfigPage], ...] = grouped(
    "Configuration",
    HarmlessCommand(
        Names("config-open", "enter", "Open", "open"),
        "On an include: the file that it opens. On a service or a real server: its row on the "
        "Services screen. On anything else in the tree: its place in the text.",
        lambda page: page.open_here(),
        _text,
    ),
    HarmlessCommand(
        Names("config-service", "s", "Show on the Services screen", "service"),
        "The row on the Services screen of what is under the cursor.",
        lambda page: page.show_service(),
        first_reason(
            _text, needs(lambda page: page.target(), "No service or real server is here.")
        ),
    ),
    HarmlessCommand(
        Names("config-search", "slash", "Search", "search"),
        "Find text in all files of the configuration. Only what is shown is found: no password.",
        lambda page: page.open_search(),
        _text,
    ),
    HarmlessCommand(
        Names("config-next", "n", "Next match"),
        "The next place that holds what was searched for, in the next file if need be.",
        lambda page: page.search(),
        _searched,
    ),
    HarmlessCommand(
        Names("config-previous", "N", "Previous match"),
        "The match before this one.",
        lambda page: page.search(back=True),
        _searched,
    ),
    HarmlessCommand(
        Names("config-finding", "f", "Next finding", "finding"),
        "The next line with a finding: what is wrong stands below the text.",
        lambda page: page.to_finding(),
        first_reason(_text, _finding),
        "lvstui config check",
    ),
    HarmlessCommand(
        Names("config-finding-back", "F", "Previous finding"),
        "The finding before this one.",
        lambda page: page.to_finding(back=True),
        first_reason(_text, _finding),
        "lvstui config check",
    ),
    HarmlessCommand(
        Names("config-pane", "tab", "Other pane"),
        "From the tree to the text and back.",
        lambda page: page.other_pane(),
        _text,
        priority=True,
        in_palette=False,
    ),
    HarmlessCommand(
        Names("config-tree", "t", "Tree: hide or show", "tree"),
        "Hide the tree for more room, or show it again.",
        lambda page: page.turn_tree(),
        _text,
    ),
    HarmlessCommand(
        Names("back", "escape,backspace", "Back"),
        "One step back: close the search, then to where the last jump began.",
        lambda page: page.step_back(),
    ),
    HarmlessCommand(
        Names("copy", "y", "Copy the place"),
        "Copy file and line (`/etc/keepalived/keepalived.conf:12`) to your terminal's clipboard.",
        _copy_place,
        _text,
    ),
    HarmlessCommand(
        Names("refresh", "r,f5", "Read the files again"),
        "Read the files again now and judge them anew.",
        _read,
        lambda page: "" if page.session.possible else page.why_nothing(),
    ),
)

_CHANGE: tuple[Command[ConfigPage], ...] = grouped(
    "Change",
    Command(
        Names("config-add", "a", "Add …", "add"),
        "Add a real server, a check, a VIP, a service, an instance or a script, by a form. "
        "What is offered depends on where the cursor is.",
        _add,
        _change,
        lambda page: twins.add(page.editing.spot),
    ),
    Command(
        Names("config-change", "c", "Change a value …", "change"),
        "Another value for the setting under the cursor; on a block, choose which of its settings.",
        lambda page: page.editing.change(),
        first_reason(
            _change, needs(lambda page: page.editing.spot.target, "No block with settings is here.")
        ),
        lambda page: twins.change(page.editing.spot, (page.editing.setting or ("KEYWORD",))[0]),
    ),
    Command(
        Names("config-remove", "x", "Remove", "remove"),
        "Take what is under the cursor out of the file: real server, check, service, VIP, "
        "instance, script. Only in the draft, until it is planned and applied.",
        lambda page: page.editing.remove(page.editing.spot),
        first_reason(
            _change,
            needs(
                lambda page: page.editing.spot.removal,
                "What is here can only be removed with the text editor (i).",
            ),
        ),
        lambda page: twins.remove(page.editing.spot),
    ),
    Command(
        Names("config-disable", "b", "Disable in keepalived.conf (lasting)"),
        "Switch the real server off in the file, with your name and the reason beside the "
        "line: it lasts over reloads and restarts, unlike a drain in the kernel.",
        lambda page: _switch(page, on=False),
        _on_server,
        _server_twin("config disable"),
    ),
    Command(
        Names("config-enable", "B", "Enable in keepalived.conf"),
        "Give a real server that was disabled in the file back what it had.",
        lambda page: _switch(page, on=True),
        _on_server,
        _server_twin("config enable"),
    ),
    Command(
        Names("config-edit", "i", "Edit the text"),
        "Edit the whole file as text, here. Passwords are placeholders that are put back.",
        lambda page: page.editing.edit_text(outside=False),
        _change,
        twins.BY_HAND,
    ),
    Command(
        Names("config-editor", "E", "Edit in $EDITOR"),
        "Edit the whole file in your own editor ($VISUAL, $EDITOR); what you save goes into "
        "the draft. Passwords are placeholders that are put back.",
        lambda page: page.editing.edit_text(outside=True),
        first_reason(_change, needs(_has_editor, "No editor was found: set $EDITOR.")),
        twins.BY_HAND,
    ),
    # It stands for the one of all screens.
    Command(
        Names("undo", "u", "Undo in the draft, else the newest operation", "undo"),
        "Undo the last change of the draft; without a draft your newest operation, whatever "
        "kind it was.",
        _undo,
        lambda page: _change(page) if page.session.pending.undoable else "",
        "lvstui undo",
    ),
    Command(
        Names("config-redo", "U,ctrl+r", "Redo in the draft"),
        "Make the change again that was undone last in the draft.",
        lambda page: page.session.redo(),
        first_reason(
            _change, needs(lambda page: page.session.pending.redoable, "Nothing was undone here.")
        ),
    ),
    HarmlessCommand(
        Names("config-diff", "D", "Difference of the draft", "diff"),
        "What is in the draft and not on the disk: every change, and the text difference.",
        lambda page: page.editing.show_diff(),
        needs(lambda page: page.session.pending.changed, "The draft is empty."),
        "lvstui config diff",
    ),
    Command(
        Names("config-plan", "p", "Plan and apply the draft", "plan"),
        "Test everything in the draft and show what it would do; then apply it.",
        lambda page: page.editing.plan(),
        first_reason(_change, _to_plan),
        twins.BY_HAND,
    ),
    HarmlessCommand(
        Names("config-history", "H", "History and rollback"),
        "What was changed through lvstui: when, by whom, why; the difference, and the way back.",
        lambda page: page.editing.show_history(),
        _history_free,
        "lvstui config history",
    ),
    Command(
        Names("config-first", "I", "First configuration …"),
        "The way from nothing to a working pair of directors in Direct Routing: asks for VIP, "
        "servers and checks, guesses the rest, shows both files and plans them.",
        lambda page: page.editing.first(),
        _free,
        "lvstui config first",
    ),
    Command(
        Names("config-discard", "X", "Discard the draft"),
        "Forget everything that is in the draft.",
        lambda page: page.editing.ask_discard(),
        first_reason(
            _change,
            needs(
                lambda page: page.session.pending.titles or page.session.pending.redoable,
                "The draft is empty.",
            ),
        ),
    ),
)

CONFIG_COMMANDS = (*_LOOK, *_CHANGE)
