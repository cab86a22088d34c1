"""What screens need from the app around them, and commands from their screen: both are above and
not imported here."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

from textual.app import App

from lvstui.model.keys import ServerKey, ServiceKey
from lvstui.model.picture import Picture
from lvstui.operations.change import Outcome, Stop, Tell
from lvstui.operations.weights import WeightsPlan
from lvstui.tui.command import Command
from lvstui.tui.feed import Feed, LabControl, WeightsOperator
from lvstui.tui.settings import Settings
from lvstui.tui.widgets.glyphs import Glyphs

if TYPE_CHECKING:
    from lvstui.session.config import ConfigSession
    from lvstui.session.realservers import RealServerSession
    from lvstui.tui.change.unsettled import Unsettled


class ConsoleHost(Protocol):
    """The app, as its screens see it."""

    feed: Feed
    """Where pictures come from."""
    operator: WeightsOperator
    """What changes the world."""
    lab: LabControl | None
    """The cluster in a box, when this runs inside one."""
    settings: Settings
    """How the console is set up."""
    glyphs: Glyphs
    """The characters that this terminal can show."""
    operator_name: str
    """Who is at the keyboard."""
    picture: Picture
    """The newest picture that was shown."""
    warned_of: str
    """What would be lost by leaving, when that was said last: a second press leaves."""

    @property
    def under_way(self) -> str:
        """What is being done on real servers, in words; empty: nothing."""
        ...

    @property
    def realserver_session(self) -> RealServerSession:
        """What is known of the real servers, and what is under way there."""
        ...

    @property
    def config_session(self) -> ConfigSession:
        """What is known of the configuration, and the operator's draft of it."""
        ...

    @property
    def unsettled(self) -> Unsettled:
        """Changes that wait to be kept, or were rolled back unseen."""
        ...

    def left_behind(self) -> tuple[str, str]:
        """What would be lost, or left to its timer, by leaving now: what it is, the same as long as
        it is the same thing, and that in a sentence; both empty: nothing."""
        ...

    def show_screen(self, mode: str) -> None:
        """Go to another tab."""
        ...

    def show_server(
        self, service: ServiceKey, server: ServerKey | None
    ) -> Coroutine[Any, Any, None]:
        """Go to the services screen with the cursor on that row."""
        ...

    def show_in_file(
        self, service: ServiceKey, server: ServerKey | None
    ) -> Coroutine[Any, Any, None]:
        """Go to the screen of the configuration with the cursor on that place."""
        ...

    def change_hosts(
        self,
        operation: str,
        addresses: tuple[str, ...],
        vips: tuple[str, ...],
        cautions: tuple[str, ...],
    ) -> Coroutine[Any, Any, None]:
        """Go to the screen of real servers and plan a push or an undo there."""
        ...

    def choose_theme(self) -> None:
        """A list of themes."""
        ...

    def carry_out(
        self,
        plan: WeightsPlan,
        finished: Callable[[Outcome | Exception], bool],
        tell: Tell,
        stop: Stop,
    ) -> None:
        """Apply a plan in a thread; `finished` and `tell` are called on the UI's."""
        ...


class PageHost(Protocol):
    """A screen, as its commands and what they open see it."""

    MODE: ClassVar[str]

    @property
    def app(self) -> App[object]: ...

    @property
    def console(self) -> ConsoleHost: ...

    @property
    def commands(self) -> tuple[Command[Any], ...]:
        """Everything that can be done here."""
        ...

    def why_not(self, command: Command[Any]) -> str:
        """Why a command cannot be used now; empty when it can."""
        ...

    def tell(self, text: str, *, bad: bool = False) -> None:
        """One line to the operator, never parsed as markup."""
        ...

    def copy(self, text: str) -> None:
        """To the terminal's clipboard."""
        ...

    def show_picture(self, picture: Picture) -> None:
        """Show what is true now."""
        ...

    def query_one(self, selector: str) -> Any: ...
    def refresh(self) -> object: ...
    def run_worker(self, work: Any) -> object: ...


class FilteredPage(PageHost, Protocol):
    """A screen that shows only what holds the words of a filter."""

    def open_filter(self) -> None: ...

    def step_back(self) -> None:
        """Undo the narrowest of what is set."""
        ...
