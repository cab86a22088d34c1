"""The console's app: pictures in, screens out."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import TYPE_CHECKING, ClassVar

from textual import events
from textual.app import App
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.scrollbar import ScrollBar, ScrollBarRender

from lvstui.model.keys import ServerKey, ServiceKey
from lvstui.model.picture import Picture
from lvstui.model.say import plural
from lvstui.operations.change import TrackedChange
from lvstui.operations.identity import identify
from lvstui.session.announce import AnnounceSession
from lvstui.session.weights import WeightSession
from lvstui.tui.change.unsettled import Unsettled
from lvstui.tui.choice import ChoiceScreen
from lvstui.tui.console import ConsoleScreen
from lvstui.tui.crash import Crash, TerminalWatch
from lvstui.tui.keyboard import Keyboard
from lvstui.tui.live import LiveScreen
from lvstui.tui.palette import CommandProvider, Palette
from lvstui.tui.screens import SCREENS
from lvstui.tui.settings import Settings, speaks_unicode
from lvstui.tui.theme import DEFAULT_THEME, THEMES, free_closed_widgets, meanings, style_paths
from lvstui.tui.widgets.door import AsciiFilter, PlainScrollBar, TerminalFilter
from lvstui.tui.widgets.glyphs import glyphs

if TYPE_CHECKING:
    from lvstui.keepalived.text.tree import Tree
    from lvstui.lab.faults import LabLink
    from lvstui.operations.announce import Announcements
    from lvstui.operations.configuration import DirectorConfigs
    from lvstui.operations.realservers import RealServers
    from lvstui.operations.undo import Offer
    from lvstui.operations.weight_changes import WeightChanges
    from lvstui.remote.runner import Asker
    from lvstui.session.checking import CheckSession
    from lvstui.session.config import ConfigSession
    from lvstui.session.on_disk import OnDisk
    from lvstui.session.realservers import RealServerSession
    from lvstui.watch import Watcher


class PictureChanged(Message):
    """A new picture came; only the newest counts."""

    def __init__(self, picture: Picture) -> None:
        super().__init__()
        self.picture = picture

    def can_replace(self, message: Message) -> bool:
        """Late pictures fall out."""
        return isinstance(message, PictureChanged)


class LvstuiApp(App[None], inherit_bindings=False):
    """lvstui on a terminal."""

    TITLE = "lvstui"
    ENABLE_COMMAND_PALETTE = True
    COMMANDS: ClassVar = {CommandProvider}
    BINDINGS: ClassVar[list[BindingType]] = [
        # On every screen, in dialogs and in the palette; the command of that name tells of it.
        Binding("ctrl+l", "redraw", "Draw everything again", show=False, priority=True)
    ]
    CSS_PATH = style_paths()
    MODES: ClassVar = {entry.mode: entry.make for entry in SCREENS}
    DEFAULT_MODE = "services"
    ALLOW_SELECT = False

    def __init__(
        self,
        feed: Watcher,
        operator: WeightChanges,
        *,
        lab: LabLink | None = None,
        realservers: Callable[[Asker], RealServers] | None = None,
        configuration: OnDisk | None = None,
        config_engine: Callable[[Asker], DirectorConfigs] | None = None,
        settings: Settings | None = None,
    ) -> None:
        """`realservers` and `config_engine` make what looks at and changes hosts, when it is first
        needed, in a thread; None: there is nobody to ask."""
        self.settings = settings or Settings()
        free_closed_widgets()
        super().__init__()
        self.feed = feed
        """Where pictures come from."""
        self.operator = operator
        """What changes weights in the kernel."""
        self.weights = WeightSession(operator, self.call_later, feed.refresh)
        """What is under way with them."""
        self.weights.tell, self.weights.tell_end = self._session_tells, self._tell_end
        self.announcements = AnnounceSession(self._announcer, self.call_later)
        """Virtual addresses that are being announced."""
        self.announcements.tell = self._session_tells
        self.announcements.tell_end = self._tell_end
        self.lab = lab
        """The cluster in a box, when this runs inside one."""
        self._realservers = realservers
        self._configuration, self._config_engine = configuration, config_engine
        self._config_session: ConfigSession | None = None
        self._realserver_session: RealServerSession | None = None
        self._check_session: CheckSession | None = None
        self.operator_name = str(identify())
        """Who is at the keyboard."""
        ascii_only = self.settings.ascii
        self.glyphs = glyphs(not speaks_unicode() if ascii_only is None else ascii_only)
        """The characters that this terminal can show."""
        self._filters.append(TerminalFilter())
        if not self.glyphs.braille:
            self._filters.append(AsciiFilter())
        ScrollBar.renderer = ScrollBarRender if self.glyphs.braille else PlainScrollBar
        self.picture = feed.picture
        """The newest picture that was shown."""
        self.warned_of = ""
        """What would be lost by leaving, when that was said last: a second press leaves."""
        self.unsettled = Unsettled(self.settings.clock)
        """Changes that wait to be kept, or were rolled back unseen."""
        self.animation_level = "none"
        self._unsubscribe: Callable[[], None] | None = None
        self._crash = Crash(self.settings.state_folder)
        self._keyboard = Keyboard(self)
        self._terminal = TerminalWatch(self)
        for theme in THEMES:
            self.register_theme(theme)
        wanted = self.settings.theme or os.environ.get("TEXTUAL_THEME", "")
        self.theme = wanted if wanted in self.available_themes else DEFAULT_THEME

    def _announcer(self) -> Announcements:
        from lvstui.operations.announce import Announcements

        return Announcements(read_only=self.operator.read_only, audit=self.operator.audit)

    @property
    def config_session(self) -> ConfigSession:
        """What is known of the configuration; made when it is first asked for."""
        if self._config_session is None:
            from lvstui.session.config import ConfigSession
            from lvstui.tui.questions import ScreenAsker

            make, asker = self._config_engine, ScreenAsker(self)
            session = ConfigSession(
                self._configuration,
                self.call_later,
                self.settings.clock,
                None if make is None else (lambda: make(asker)),
            )
            session.tell = self._session_tells
            session.watchers.append(self._session_changed)
            self._config_session = self.unsettled.session = session
        return self._config_session

    @property
    def realserver_session(self) -> RealServerSession:
        """What is known of the real servers; made when it is first asked for."""
        if self._realserver_session is None:
            from lvstui.session.realservers import RealServerSession
            from lvstui.tui.questions import ScreenAsker

            make, asker = self._realservers, ScreenAsker(self)
            session = RealServerSession(
                None if make is None else (lambda: make(asker)),
                self.call_later,
                self.feed.report,
                self.settings.clock,
            )
            session.tell, session.tell_end = self._session_tells, self._tell_end
            self._realserver_session = session
        return self._realserver_session

    @property
    def check_session(self) -> CheckSession | None:
        """What asks real servers now; None over a recording."""
        files = self._configuration
        if self._check_session is None and files is not None:
            from lvstui.session.checking import CheckSession

            def read() -> Tree:
                daemon = self.picture.daemon
                return files.read(daemon.pid, daemon.config_file)

            self._check_session = CheckSession(read, self.call_later)
            self._check_session.tell = self._session_tells
        return self._check_session

    def left_behind(self) -> tuple[str, str]:
        """What would be lost, or left to its timer, by leaving now: what it is, the same as long as
        it is the same thing, and that in a sentence; both empty: nothing."""
        hosts = self._realserver_session
        if hosts is not None and hosts.under_way:
            work = hosts.under_way
            return work, f"{work} is under way: what is not confirmed yet is left to its timer."
        session = self._config_session
        if session is None:
            return "", ""
        change = session.unkept
        if change is not None:
            return change.title, f"{change.title} is not kept yet: {change.then}."
        if session.under_way:
            sentence = f"{session.under_way} is under way: what is not kept is left to its timer."
            return session.under_way, sentence
        count = len(session.pending.titles)
        if count:
            what = f"The draft of the configuration ({plural(count, 'change')})"
            return what, f"{what} is not applied."
        return "", ""

    def _session_changed(self) -> None:
        """What waits and what can be done now is another thing: headers and footers say so
        without waiting for a picture."""
        for screen in self._tabs():
            screen.tick()
            screen.keys.look_again()

    def _session_tells(self, text: str, bad: bool) -> None:
        self.notify(text, severity="warning" if bad else "information", markup=False)

    def _tell_end(self, change: TrackedChange) -> None:
        self.notify(
            change.line,
            title=change.title,
            severity="information" if change.good else "error",
            markup=False,
        )

    def get_css_variables(self) -> dict[str, str]:
        """The theme's variables, completed with the meanings that our styles use."""
        variables = meanings(super().get_css_variables(), ansi=self.native_ansi_color)
        self.theme_variables = variables
        return variables

    def on_mount(self) -> None:
        self.set_class(not self.glyphs.braille, "-ascii")
        self._unsubscribe = self.feed.subscribe(self._picture_came)
        # What came while we were starting; the next one may be a tick away.
        self._picture_came(self.feed.picture)
        self.set_interval(1.0, self._tick)
        if self.settings.watch_terminal:
            self._terminal.start()

    def on_unmount(self) -> None:
        if self._unsubscribe is not None:
            self._unsubscribe()

    def _picture_came(self, picture: Picture) -> None:
        """Called from the feed's thread."""
        self.post_message(PictureChanged(picture))

    async def on_event(self, event: events.Event) -> None:
        """Keys are ours to give out, while there is a screen to give them to."""
        if isinstance(event, events.InputEvent) and (self._exit or not self.screen_stack):
            return
        if not await self._keyboard.took(event):
            await super().on_event(event)

    def on_resize(self) -> None:
        """Another size; also what comes when the terminal is ours again after `fg`, with nothing
        of us left on it."""
        self.action_redraw()

    def action_redraw(self) -> None:
        """Draw everything again: something else wrote on the terminal."""
        if self.screen_stack:
            self.screen.refresh()

    def on_picture_changed(self, event: PictureChanged) -> None:
        """Hand it to every screen that can be seen."""
        self.picture = event.picture
        self.unsettled.follow(event.picture)
        seen = event.picture.changes
        if self._config_session is not None or (
            self._config_engine is not None and any(one.can_settle for one in seen)
        ):
            self.config_session.heed(seen)
        with self.batch_update():
            for screen in self.screen_stack:
                show = getattr(screen, "show_picture", None)
                if show is not None and isinstance(screen, LiveScreen) and screen.ready:
                    show(event.picture)

    def _tick(self) -> None:
        if self._config_session is not None:
            self._config_session.tick(self.picture)
        for screen in self._tabs():
            screen.tick()

    def _tabs(self) -> list[ConsoleScreen]:
        return [s for s in self.screen_stack if isinstance(s, ConsoleScreen) and s.ready]

    def show_screen(self, mode: str) -> None:
        """Go to another tab."""
        if mode in self.MODES and mode != self.current_mode:
            self.switch_mode(mode)

    async def show_server(self, service: ServiceKey, server: ServerKey | None) -> None:
        """Go to the services screen with the cursor on that row."""
        from lvstui.tui.services.screen import ServicesScreen

        await self.switch_mode("services")
        screen = self.screen
        if isinstance(screen, ServicesScreen) and not screen.table.go_to((service, server)):
            screen.tell(f"{server or service} is not shown now.", bad=True)

    async def show_in_file(self, service: ServiceKey, server: ServerKey | None) -> None:
        """Go to the screen of the configuration with the cursor on that place."""
        from lvstui.tui.config.screen import ConfigScreen

        await self.switch_mode("config")
        if isinstance(self.screen, ConfigScreen):
            self.screen.show_row(service, server)

    async def undo_on_hosts(self, offer: Offer) -> None:
        """Go to the screen of real servers and plan there what takes a push or an undo back."""
        from lvstui.tui.realservers.screen import RealServersScreen

        await self.switch_mode("realservers")
        if isinstance(self.screen, RealServersScreen):
            self.screen.propose_undo_of(offer)

    def choose_theme(self) -> None:
        """A list of themes, each shown while it is under the cursor."""
        ours = [theme.name for theme in THEMES]
        names = ours + sorted(set(self.available_themes) - set(ours))
        before = self.theme

        def preview(at: int) -> None:
            self.theme = names[at]

        def chosen(at: int | None) -> None:
            self.theme = before if at is None else names[at]

        current = names.index(before) if before in names else 0
        self.push_screen(ChoiceScreen("Theme", names, current, again="T", preview=preview), chosen)

    def action_command_palette(self) -> None:
        if not isinstance(self.screen, Palette):
            self.push_screen(Palette(id="--command-palette"))

    def action_exit_now(self) -> None:
        """Leave from within a dialog."""
        self.exit()

    # Ends

    def _handle_exception(self, error: Exception) -> None:
        """Leave with one clear line; the trace goes to a file, without any local variable."""
        self._return_code = 1
        if self._exception is None:
            self._exception = error
            self._exception_event.set()
        self._exit_renderables.append(self._crash.report(error))
        self._close_messages_no_wait()

    def _fatal_error(self) -> None:
        """Textual's own way prints local variables, secrets among them; ours never does."""
        self._exit_renderables.append(self._crash.report(None))
        self._close_messages_no_wait()
