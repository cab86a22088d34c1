"""What screens need from the app around them: the app is above them and not imported here."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Any, Protocol

from lvstui.model.keys import ServerKey, ServiceKey
from lvstui.model.picture import Picture
from lvstui.operations.change import Outcome, Stop, Tell
from lvstui.operations.weights import WeightsPlan
from lvstui.tui.feed import Feed, Lab, Operator
from lvstui.tui.settings import Settings
from lvstui.tui.widgets.glyphs import Glyphs

if TYPE_CHECKING:
    from lvstui.operations.realservers import RealServers
    from lvstui.remote.runner import Asker
    from lvstui.tui.change.unsettled import Unsettled
    from lvstui.tui.config.desk import ConfigDesk


class Host(Protocol):
    """The app, as its screens see it."""

    feed: Feed
    """Where pictures come from."""
    operator: Operator
    """What changes the world."""
    lab: Lab | None
    """The cluster in a box, when this runs inside one."""
    settings: Settings
    """How the console is set up."""
    glyphs: Glyphs
    """The characters that this terminal can show."""
    realservers: Callable[[Asker], RealServers] | None
    """Makes what looks at and changes real servers; None: none can be asked from here."""
    operator_name: str
    """Who is at the keyboard."""
    picture: Picture
    """The newest picture that was shown."""
    under_way: Callable[[], str]
    """What is being done on other hosts, in words; empty: nothing."""

    @property
    def config_desk(self) -> ConfigDesk:
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
