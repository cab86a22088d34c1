"""What screens need from the app around them, and commands from their screen: both are above and
not imported here."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Protocol

from textual.app import App

from lvstui.model.keys import ServerKey, ServiceKey
from lvstui.model.picture import Picture
from lvstui.tui.command import Command
from lvstui.tui.settings import Settings
from lvstui.tui.widgets.glyphs import Glyphs

if TYPE_CHECKING:
    from lvstui.lab.faults import LabLink
    from lvstui.operations.undo import Offer
    from lvstui.operations.weight_changes import WeightChanges
    from lvstui.session.announce import AnnounceSession
    from lvstui.session.checking import CheckSession
    from lvstui.session.config import ConfigSession
    from lvstui.session.realservers import RealServerSession
    from lvstui.session.weights import WeightSession
    from lvstui.tui.change.unsettled import Unsettled
    from lvstui.watch import Watcher


class ConsoleHost(Protocol):
    """The app, as its screens see it; what each of these is stands there."""

    feed: Watcher
    operator: WeightChanges
    weights: WeightSession
    announcements: AnnounceSession
    lab: LabLink | None
    settings: Settings
    glyphs: Glyphs
    operator_name: str
    picture: Picture
    warned_of: str
    unsettled: Unsettled

    @property
    def realserver_session(self) -> RealServerSession: ...
    @property
    def config_session(self) -> ConfigSession: ...
    @property
    def check_session(self) -> CheckSession | None: ...

    def left_behind(self) -> tuple[str, str]: ...
    def show_screen(self, mode: str) -> None: ...
    async def show_server(self, service: ServiceKey, server: ServerKey | None) -> None: ...
    async def show_in_file(self, service: ServiceKey, server: ServerKey | None) -> None: ...
    async def undo_on_hosts(self, offer: Offer) -> None: ...
    def choose_theme(self) -> None: ...


class PageHost(Protocol):
    """A screen, as its commands and what they open see it."""

    MODE: ClassVar[str]

    @property
    def app(self) -> App[object]: ...
    @property
    def console(self) -> ConsoleHost: ...
    @property
    def is_active(self) -> bool: ...
    @property
    def commands(self) -> tuple[Command[Any], ...]: ...

    def why_not(self, command: Command[Any]) -> str: ...
    def tell(self, text: str, *, bad: bool = False) -> None: ...
    def copy(self, text: str) -> None: ...
    def show_picture(self, picture: Picture) -> None: ...
    def query_one(self, selector: str) -> Any: ...
    def refresh(self) -> object: ...
    def run_worker(self, work: Any) -> object: ...


class FilteredPage(PageHost, Protocol):
    """A screen that shows only what holds the words of a filter."""

    def open_filter(self) -> None: ...
    def step_back(self) -> None: ...
