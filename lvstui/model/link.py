"""What the link shows of our virtual addresses: claims, answers, strays."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from lvstui.model.claims import Around, Claims
from lvstui.model.config import Configuration
from lvstui.model.facts import AddressClaimed, OwnersSeen, StraysSeen
from lvstui.model.picture import InstanceView, OwnersView, RivalView, StrayView
from lvstui.model.strays import Strays


@dataclass(frozen=True, slots=True)
class LinkView:
    """What it comes to at one moment; as in `Picture`."""

    rivals: tuple[RivalView, ...]
    owners: tuple[OwnersView, ...]
    strays: tuple[StrayView, ...]


class LinkState:
    """What was heard on the link."""

    def __init__(self) -> None:
        self.claims = Claims()
        self.questions: tuple[str, ...] = ()
        """Virtual addresses of which it should be asked now who has them."""
        self._strays = Strays()
        self._servers_of: Configuration | None = None
        self._servers: dict[str, str] = {}

    def learn(self, fact: AddressClaimed | OwnersSeen | StraysSeen, at: float) -> None:
        if isinstance(fact, AddressClaimed):
            self.claims.claimed(fact, at)
        elif isinstance(fact, OwnersSeen):
            self.claims.owners(fact, at)
        elif not self.claims.sends_adverts(fact.mac):
            # A director that forwards to this host knows what it does.
            self._strays.seen(fact, at)

    def view(
        self,
        instances: tuple[InstanceView, ...],
        moved: Callable[[str], float],
        config: Configuration | None,
        now: float,
    ) -> LinkView:
        """moved: as in `Around`; config: the one in force, for the names of real servers."""
        if config is not self._servers_of:
            self._servers_of = config
            services = config.services if config is not None else ()
            self._servers = {
                server.key.address: server.name
                for service in services
                for server in service.servers
            }
        around = Around(instances, moved, self._servers, now)
        rivals = self.claims.rivals(around)
        self.questions = self.claims.questions(around, rivals)
        answers = self.claims.answers(around)
        return LinkView(rivals, answers, self._strays.views(instances, moved, now))
