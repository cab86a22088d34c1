"""What can be done with the configuration: looking through it, and changing it in a draft."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from lvstui.model.keys import ServerKey, ServiceKey
from lvstui.session.config import ConfigSession
from lvstui.tui import twins
from lvstui.tui.change.decide import propose_undo
from lvstui.tui.command import Command, HarmlessCommand, first_reason, grouped
from lvstui.tui.config.editing import ConfigEditing, EditedPage


class ConfigPage(EditedPage, Protocol):
    """What the commands ask of the screen."""

    @property
    def session(self) -> ConfigSession: ...

    editing: ConfigEditing
    words: str

    def why_nothing(self) -> str:
        """Why there is no text."""
        ...

    def target(self) -> tuple[ServiceKey, ServerKey | None] | None: ...
    def open_here(self) -> None: ...
    def other_pane(self) -> None: ...
    def turn_tree(self) -> None: ...
    def open_search(self) -> None: ...
    def search(self, *, back: bool = False) -> None: ...
    def to_finding(self, *, back: bool = False) -> None: ...
    def show_service(self) -> None: ...
    def step_back(self) -> None: ...
    def copy_place(self) -> None: ...


# Guards


def _text(page: ConfigPage) -> str:
    return "" if page.session.document is not None else page.why_nothing()


def _free(page: ConfigPage) -> str:
    """Something changes files, and it is free."""
    return page.editing.actions.why_not()


def _searched(page: ConfigPage) -> str:
    return "" if page.words else "Search with / first."


def _finding(page: ConfigPage) -> str:
    found = page.session.document
    return "Nothing is wrong with it." if found is not None and not found.findings else ""


def _settings(page: ConfigPage) -> str:
    return "" if page.editing.spot.target else "No block with settings is here."


def _removable(page: ConfigPage) -> str:
    if page.editing.spot.removal:
        return ""
    return "What is here can only be removed with the text editor (i)."


def _server(page: ConfigPage) -> str:
    return "" if page.editing.spot.server else "The cursor is on no real server."


def _editor(page: ConfigPage) -> str:
    from lvstui.tui.config.editor import editor_command

    return "" if editor_command() else "No editor was found: set $EDITOR."


def _to_plan(page: ConfigPage) -> str:
    if not page.session.pending.changed:
        return "The draft is empty: a adds, c changes, x removes, i edits the text."
    return page.session.stale


def _to_discard(page: ConfigPage) -> str:
    pending = page.session.pending
    return "" if pending.titles or pending.redoable else "The draft is empty."


def _history_free(page: ConfigPage) -> str:
    if not page.session.changeable:
        return "This is a recording: it has no history."
    return f"Wait for this: {page.session.under_way}." if page.session.under_way else ""


_change = first_reason(_text, _free)
"""There must be a text, and nothing else under way."""


# Twins and deeds


def _on_server(words: str) -> Callable[[ConfigPage], str]:
    return lambda page: twins.on_server(words, twins.pair_of(page.editing.spot))


def _read(page: ConfigPage) -> None:
    page.console.feed.refresh()
    page.session.follow(page.console.picture, now=True)
    page.tell("Reading again.")


def _switch(page: ConfigPage, *, on: bool) -> None:
    pair, actions = twins.pair_of(page.editing.spot), page.editing.actions
    if pair:
        (actions.enable if on else actions.disable)(pair)


def _undo(page: ConfigPage) -> None:
    if page.session.pending.undoable:
        page.session.undo()
    else:
        propose_undo(page)


_LOOK: tuple[Command[ConfigPage], ...] = grouped(
    "Configuration",
    HarmlessCommand(
        id="config-open",
        keys="enter",
        label="open",
        title="Open",
        help="On an include: the file that it opens. On a service or a real server: its row on the "
        "Services screen. On anything else in the tree: its place in the text.",
        run=lambda page: page.open_here(),
        why_not=_text,
    ),
    HarmlessCommand(
        id="config-service",
        keys="s",
        label="service",
        title="Show on the Services screen",
        help="The row on the Services screen of what is under the cursor.",
        run=lambda page: page.show_service(),
        why_not=first_reason(
            _text, lambda page: "" if page.target() else "No service or real server is here."
        ),
    ),
    HarmlessCommand(
        id="config-search",
        keys="slash",
        label="search",
        title="Search",
        help="Find text in all files of the configuration. Only what is shown is found: no "
        "password.",
        run=lambda page: page.open_search(),
        why_not=_text,
    ),
    HarmlessCommand(
        id="config-next",
        keys="n",
        title="Next match",
        help="The next place that holds what was searched for, in the next file if need be.",
        run=lambda page: page.search(),
        why_not=first_reason(_text, _searched),
    ),
    HarmlessCommand(
        id="config-previous",
        keys="N",
        title="Previous match",
        help="The match before this one.",
        run=lambda page: page.search(back=True),
        why_not=first_reason(_text, _searched),
    ),
    HarmlessCommand(
        id="config-finding",
        keys="f",
        label="finding",
        title="Next finding",
        help="The next line with a finding: what is wrong stands below the text.",
        run=lambda page: page.to_finding(),
        why_not=first_reason(_text, _finding),
        twin="lvstui config check",
    ),
    HarmlessCommand(
        id="config-finding-back",
        keys="F",
        title="Previous finding",
        help="The finding before this one.",
        run=lambda page: page.to_finding(back=True),
        why_not=first_reason(_text, _finding),
        twin="lvstui config check",
    ),
    HarmlessCommand(
        id="config-pane",
        keys="tab",
        title="Other pane",
        help="From the tree to the text and back.",
        run=lambda page: page.other_pane(),
        why_not=_text,
        priority=True,
        in_palette=False,
    ),
    HarmlessCommand(
        id="config-tree",
        keys="t",
        label="tree",
        title="Tree: hide or show",
        help="Hide the tree for more room, or show it again.",
        run=lambda page: page.turn_tree(),
        why_not=_text,
    ),
    HarmlessCommand(
        id="back",
        keys="escape,backspace",
        title="Back",
        help="One step back: close the search, then to where the last jump began.",
        run=lambda page: page.step_back(),
    ),
    HarmlessCommand(
        id="copy",
        keys="y",
        title="Copy the place",
        help="Copy file and line (`/etc/keepalived/keepalived.conf:12`) to your terminal's "
        "clipboard.",
        run=lambda page: page.copy_place(),
        why_not=_text,
    ),
    HarmlessCommand(
        id="refresh",
        keys="r,f5",
        title="Read the files again",
        help="Read the files again now and judge them anew.",
        run=_read,
        why_not=lambda page: "" if page.session.possible else page.why_nothing(),
    ),
)

_CHANGE: tuple[Command[ConfigPage], ...] = grouped(
    "Change",
    Command(
        id="config-add",
        keys="a",
        label="add",
        title="Add …",
        help="Add a real server, a check, a VIP, a service, an instance or a script, by a form. "
        "What is offered depends on where the cursor is.",
        run=lambda page: page.editing.add(),
        why_not=_change,
        twin=lambda page: twins.add(page.editing.spot),
    ),
    Command(
        id="config-change",
        keys="c",
        label="change",
        title="Change a value …",
        help="Another value for the setting under the cursor; on a block, choose which of its "
        "settings.",
        run=lambda page: page.editing.change(),
        why_not=first_reason(_change, _settings),
        twin=lambda page: twins.change(
            page.editing.spot, (page.editing.setting or ("KEYWORD",))[0]
        ),
    ),
    Command(
        id="config-remove",
        keys="x",
        label="remove",
        title="Remove",
        help="Take what is under the cursor out of the file: real server, check, service, VIP, "
        "instance, script. Only in the draft, until it is planned and applied.",
        run=lambda page: page.editing.actions.remove(page.editing.spot),
        why_not=first_reason(_change, _removable),
        twin=lambda page: twins.remove(page.editing.spot),
    ),
    Command(
        id="config-disable",
        keys="b",
        title="Disable in keepalived.conf (lasting)",
        help="Switch the real server off in the file, with your name and the reason beside the "
        "line: it lasts over reloads and restarts, unlike a drain in the kernel.",
        run=lambda page: _switch(page, on=False),
        why_not=first_reason(_change, _server),
        twin=_on_server("config disable"),
    ),
    Command(
        id="config-enable",
        keys="B",
        title="Enable in keepalived.conf",
        help="Give a real server that was disabled in the file back what it had.",
        run=lambda page: _switch(page, on=True),
        why_not=first_reason(_change, _server),
        twin=_on_server("config enable"),
    ),
    Command(
        id="config-edit",
        keys="i",
        title="Edit the text",
        help="Edit the whole file as text, here. Passwords are placeholders that are put back.",
        run=lambda page: page.editing.edit_text(outside=False),
        why_not=_change,
        twin=twins.BY_HAND,
    ),
    Command(
        id="config-editor",
        keys="E",
        title="Edit in $EDITOR",
        help="Edit the whole file in your own editor ($VISUAL, $EDITOR); what you save goes into "
        "the draft. Passwords are placeholders that are put back.",
        run=lambda page: page.editing.edit_text(outside=True),
        why_not=first_reason(_change, _editor),
        twin=twins.BY_HAND,
    ),
    # It stands for the one of all screens.
    Command(
        id="undo",
        keys="u",
        label="undo",
        title="Undo in the draft, else the newest operation",
        help="Undo the last change of the draft; without a draft your newest operation, whatever "
        "kind it was.",
        run=_undo,
        why_not=lambda page: _change(page) if page.session.pending.undoable else "",
        twin="lvstui undo",
    ),
    Command(
        id="config-redo",
        keys="U,ctrl+r",
        title="Redo in the draft",
        help="Make the change again that was undone last in the draft.",
        run=lambda page: page.session.redo(),
        why_not=first_reason(
            _change,
            lambda page: "" if page.session.pending.redoable else "Nothing was undone here.",
        ),
    ),
    HarmlessCommand(
        id="config-diff",
        keys="D",
        label="diff",
        title="Difference of the draft",
        help="What is in the draft and not on the disk: every change, and the text difference.",
        run=lambda page: page.editing.show_diff(),
        why_not=lambda page: "" if page.session.pending.changed else "The draft is empty.",
        twin="lvstui config diff",
    ),
    Command(
        id="config-plan",
        keys="p",
        label="plan",
        title="Plan and apply the draft",
        help="Test everything in the draft and show what it would do; then apply it.",
        run=lambda page: page.editing.actions.plan(),
        why_not=first_reason(_change, _to_plan),
        twin=twins.BY_HAND,
    ),
    HarmlessCommand(
        id="config-history",
        keys="H",
        title="History and rollback",
        help="What was changed through lvstui: when, by whom, why; the difference, and the way "
        "back.",
        run=lambda page: page.editing.show_history(),
        why_not=_history_free,
        twin="lvstui config history",
    ),
    Command(
        id="config-first",
        keys="I",
        title="First configuration …",
        help="The way from nothing to a working pair of directors in Direct Routing: asks for VIP, "
        "servers and checks, guesses the rest, shows both files and plans them.",
        run=lambda page: page.editing.actions.first(),
        why_not=_free,
        twin="lvstui config first",
    ),
    Command(
        id="config-discard",
        keys="X",
        title="Discard the draft",
        help="Forget everything that is in the draft.",
        run=lambda page: page.editing.ask_discard(),
        why_not=first_reason(_change, _to_discard),
    ),
)

CONFIG_COMMANDS = (*_LOOK, *_CHANGE)
