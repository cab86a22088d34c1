"""The screen of the configuration: its outline, its text, and whether it is what runs."""

from __future__ import annotations

from typing import Any, ClassVar

from textual import on
from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.content import Content
from textual.widgets import Input, Static

from lvstui.model.config import Place
from lvstui.model.keys import ServerKey, ServiceKey
from lvstui.model.picture import Picture
from lvstui.model.text import plain
from lvstui.session.config import ConfigSession
from lvstui.session.outline import NodeId
from lvstui.session.selection import spot_of, word_at
from lvstui.tui.choice import ChoiceScreen
from lvstui.tui.command import Command
from lvstui.tui.config.commands import CONFIG_COMMANDS
from lvstui.tui.config.editing import ConfigEditing
from lvstui.tui.config.summary import (
    count_bits,
    finding_bits,
    place_bits,
    step_bits,
    word_bits,
    work_bits,
)
from lvstui.tui.config.text import ConfigText
from lvstui.tui.config.tree import ConfigTree
from lvstui.tui.console import ConsoleScreen
from lvstui.tui.dialog import ask
from lvstui.tui.filtered import hidden_field
from lvstui.tui.widgets.keybar import TargetLine
from lvstui.tui.widgets.line import Bit
from lvstui.tui.widgets.lines import LineList

_MOST_JUMPS = 50


class ConfigScreen(ConsoleScreen):
    """Outline and text of the configuration."""

    MODE = "config"
    OWN: ClassVar[tuple[Command[Any], ...]] = CONFIG_COMMANDS
    FOOTER = (
        "config-open config-search config-add config-change config-remove undo config-plan "
        "config-diff config-finding"
    )
    AUTO_FOCUS = "#config-tree"

    def body(self) -> ComposeResult:
        glyphs = self.console.glyphs
        yield Static("", id="config-state", markup=False)
        with Horizontal(id="config-panes"):
            yield ConfigTree(glyphs, id="config-tree")
            yield ConfigText(glyphs, id="main")
        yield Static("", id="config-finding", markup=False)
        yield hidden_field("text to find in all files; Enter goes there, Esc leaves")
        yield TargetLine(glyphs)

    def on_mount(self) -> None:
        """Read in a thread; nothing is shown until that is done."""
        self.tree_view, self.text = self.query_one(ConfigTree), self.query_one(ConfigText)
        self.words = ""
        self._jumps: list[Place] = []
        self._wanted: tuple[ServiceKey, ServerKey | None] | Place | None = None
        self._shown: object = None
        self.session.watchers.append(self.redraw)
        self.editing = ConfigEditing(self)

    @property
    def session(self) -> ConfigSession:
        return self.console.config_session

    # What is shown

    def show_picture(self, picture: Picture) -> None:
        """What runs may be another one now; so may the files."""
        super().show_picture(picture)
        self.session.follow(picture)
        self._say_state()

    def redraw(self) -> None:
        """Everything below the header, from what is known now."""
        if not self.whole:
            return
        found = self.session.document
        if found is not self._shown and found is not None:
            self._shown = found
            page = self.text.page
            path = page.path if page is not None and page.path in found.pages else found.main.path
            self.tree_view.show(found.outline)
            self.text.show(found.pages[path])
            self._go_wanted()
        self._say_state()
        self._line_changed()
        self.keys.look_again()

    def tick(self) -> None:
        super().tick()
        if self.session.unkept is not None or self.session.under_way:
            self._say_state()

    def why_nothing(self) -> str:
        """Why there is no text."""
        if not self.session.possible:
            if self.session.document is not None:
                return "This is a recording: its files can not be read again."
            return "This is a recording: the text of its configuration is not in it."
        if self.session.trouble:
            more = " I makes a first configuration." if self.session.changeable else ""
            return f"{self.session.trouble.rstrip('.')}.{more}"
        return "The configuration is being read."

    def _say_state(self) -> None:
        glyphs, found = self.console.glyphs, self.session.document
        bits: list[Bit] = []
        bits += step_bits(self.console.picture, glyphs)
        if found is not None:
            bits += [("    ", ""), *count_bits(found, glyphs)]
        bits += work_bits(self.session, glyphs)
        if found is None or self.session.trouble:
            bits += [("\n", ""), (f"{glyphs.info} {self.why_nothing()}", "$sev-warn")]
        self.query_one("#config-state", Static).update(Content.assemble(*bits))

    def _line_changed(self) -> None:
        page = self.text.page
        bits: list[Bit] = []
        if page is not None:
            bits = finding_bits(self.text.findings, page, self.text.line, self.console.glyphs)
            found = self.session.document
            word = word_at(found, page, self.text.line) if found and not bits else None
            bits = word_bits(*word) if word else bits
        said = self.query_one("#config-finding", Static)
        said.update(Content.assemble(*bits))
        self._show_target()

    def _show_target(self) -> None:
        glyphs = self.console.glyphs
        bits: list[Bit] = [(self.console.picture.host, "bold $lv-text")]
        right: list[Bit] = [(f"/{self.words}", "bold $lv-accent")] if self.words else []
        page = self.text.page
        if page is not None:
            bits += [(f" {glyphs.chevron} ", "$lv-dim"), *place_bits(page, self.text.line)]
        target = self.target()
        if target is not None:
            bits += [(f" {glyphs.chevron} ", "$lv-dim"), (str(target[0]), "bold $lv-text")]
            if target[1] is not None:
                bits += [(f" {glyphs.chevron} ", "$lv-dim"), (str(target[1]), "bold $lv-accent")]
        self.query_one(TargetLine).show(bits, right)

    # Where we are

    def target(self) -> tuple[ServiceKey, ServerKey | None] | None:
        """The service, and the real server of it, that the cursor is in."""
        found, page = self.session.document, self.text.page
        if found is None or page is None:
            return None
        if self.tree_view.has_focus:
            item = self.tree_view.item
            return (item.service, item.server) if item is not None and item.service else None
        spot = spot_of(found, found.node_at(page.path, self.text.line))
        return (spot.service, spot.server) if spot.service is not None else None

    @property
    def node(self) -> NodeId | None:
        """The node of the outline that the cursor is in."""
        found, page = self.session.document, self.text.page
        if self.tree_view.has_focus:
            return self.tree_view.item.id if self.tree_view.item is not None else None
        if found is None or page is None:
            return None
        return found.node_at(page.path, self.text.line)

    @on(LineList.Moved)
    def _moved(self, event: LineList.Moved) -> None:
        """The cursor of the other pane follows."""
        found, page = self.session.document, self.text.page
        if found is None or page is None:
            return
        if event.view is self.tree_view:
            item = self.tree_view.item
            if item is not None and item.place is not None:
                self._show_place(item.place)
        else:
            self.tree_view.reveal(found.node_at(page.path, self.text.line))
        self._line_changed()
        self.keys.look_again()

    def _show_place(self, place: Place) -> bool:
        found = self.session.document
        page = found.pages.get(place.file) if found is not None else None
        if page is None:
            return False
        self.text.show(page, min(place.line, len(page.lines)))
        return True

    def go_to(self, place: Place, *, remember: bool = True) -> None:
        """The text at that place, the tree beside it."""
        found, page = self.session.document, self.text.page
        if found is None:
            self._wanted = place
            return
        here = Place(page.path, self.text.line) if page is not None else None
        if not self._show_place(place):
            self.tell(f"{place.file} is not part of the configuration now.", bad=True)
            return
        if remember and here is not None and here != place:
            self._jumps = [*self._jumps[-_MOST_JUMPS:], here]
        id_ = found.node_at(place.file, place.line)
        if id_ is not None:
            self.tree_view.open_to(id_)
        self._line_changed()
        self.keys.look_again()

    def show_row(self, service: ServiceKey, server: ServerKey | None) -> None:
        """The place of a service, or of one of its real servers, in the file."""
        found = self.session.document
        if found is None:
            self._wanted = (service, server)
            return
        id_ = found.outline.service_id(service, server)
        if id_ is None:
            self.tell(f"{server or service} is in no file.", bad=True)
            return
        one = found.configuration.services[int(id_[1])]
        place = one.servers[int(id_[2])].place if len(id_) > 2 else one.place
        if place is not None:
            self.go_to(place)
            self.tree_view.open_to(id_)
            self.text.focus()

    def _go_wanted(self) -> None:
        """What was asked for before the files were read."""
        wanted, self._wanted = self._wanted, None
        if isinstance(wanted, Place):
            self.go_to(wanted)
        elif wanted is not None:
            self.show_row(*wanted)

    # What commands ask

    def open_here(self) -> None:
        page = self.text.page
        if self.tree_view.has_focus:
            item = self.tree_view.item
            if item is not None and item.kind in ("service", "server"):
                self.show_service()
            elif item is not None and item.place is not None:
                self.go_to(item.place)
                self.text.focus()
            else:
                self.tree_view.action_turn()
        elif page is not None and (files := page.includes.get(self.text.line)):
            if len(files) == 1:
                self.go_to(Place(files[0], 1))
            else:
                self._choose_file(files)
        elif self.target() is not None:
            self.show_service()
        else:
            self.tell("Nothing opens here: Enter works on includes, services and real servers.")

    def _choose_file(self, files: tuple[str, ...]) -> None:
        choice = ChoiceScreen("Open", [plain(name) for name in files])
        ask(self.app, choice, lambda at: self.go_to(Place(files[at], 1)))

    def show_service(self) -> None:
        target = self.target()
        if target is not None:
            self.run_worker(self.console.show_server(*target))

    def other_pane(self) -> None:
        if self.text.has_focus and self.tree_view.display:
            self.tree_view.focus()
        else:
            self.text.focus()
        self.keys.look_again()

    def turn_tree(self) -> None:
        self.tree_view.display = not self.tree_view.display
        if not self.tree_view.display:
            self.text.focus()

    def open_search(self) -> None:
        field = self.query_one("#filter", Input)
        field.value = ""
        field.display = True
        field.focus()

    def search(self, *, back: bool = False) -> None:
        found, page = self.session.document, self.text.page
        if found is None or page is None:
            return
        place = found.find(self.words, page.path, self.text.line, back=back)
        if place is None:
            self.tell(f"{self.words!r} is nowhere.", bad=True)
        else:
            self.go_to(Place(*place))

    def to_finding(self, *, back: bool = False) -> None:
        """To the next line that something is said about."""
        found, page = self.session.document, self.text.page
        if found is None or page is None:
            return
        finding = found.next_finding(page.path, self.text.line, back=back)
        if finding is not None and finding.place is not None:
            self.go_to(finding.place)
        elif found.findings:
            self.tell(found.findings[0].text, bad=True)

    def step_back(self) -> None:
        """Esc."""
        if self.query_one("#filter").display:
            self._close_search()
        elif self._jumps:
            self.go_to(self._jumps.pop(), remember=False)
        elif self.words:
            self.words = ""
            self.text.look_for("")
            self._show_target()

    def _close_search(self) -> None:
        self.query_one("#filter").display = False
        self.text.focus()

    @on(Input.Submitted, "#filter")
    def _searched(self, event: Input.Submitted) -> None:
        self.words = event.value.strip()
        self.text.look_for(self.words)
        self._close_search()
        if self.words:
            self.search()
        self._show_target()

    @on(LineList.Opened)
    def _line_opened(self) -> None:
        self.action_command("config-open")
