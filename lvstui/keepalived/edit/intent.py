"""What an operator wants, without where it stands: the same on every director, and again after an
undo. `intent.on(tree)` is the change that it takes there."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime

from lvstui.keepalived.edit import checkers, disabling, instances, servers, services
from lvstui.keepalived.edit.change import Change
from lvstui.keepalived.edit.instances import NewInstance, NewScript
from lvstui.keepalived.edit.servers import NewServer
from lvstui.keepalived.edit.services import NewService, Setting
from lvstui.keepalived.edit.style import NewBlock
from lvstui.keepalived.edit.target import Target
from lvstui.keepalived.edit.values import remove_value, set_value
from lvstui.keepalived.text.tree import Tree
from lvstui.model.keys import ServerKey, ServiceKey


@dataclass(frozen=True, slots=True)
class SetValue:
    """A keyword of a block gets a value; no words for a flag."""

    target: Target
    keyword: str
    words: tuple[str, ...] = field(default=(), repr=False)

    def on(self, tree: Tree) -> Change:
        """The change for `tree`. Raises RefusedEdit."""
        found = self.target.find(tree)
        change = set_value(tree, found.block, self.keyword, *self.words, whom=found.whom)
        return replace(change, cautions=(*found.cautions, *change.cautions))


@dataclass(frozen=True, slots=True)
class RemoveValue:
    """A keyword of a block goes; its default counts."""

    target: Target
    keyword: str

    def on(self, tree: Tree) -> Change:
        """The change for `tree`. Raises RefusedEdit."""
        found = self.target.find(tree)
        change = remove_value(tree, found.block, self.keyword, whom=found.whom)
        return replace(change, cautions=(*found.cautions, *change.cautions))


@dataclass(frozen=True, slots=True)
class SetWeight:
    """The weight of a real server."""

    service: ServiceKey
    server: ServerKey
    weight: int
    last_allowed: bool = False

    def on(self, tree: Tree) -> Change:
        """The change for `tree`. Raises RefusedEdit."""
        return servers.set_weight(tree, self.service, self.server, self.weight, self.last_allowed)


@dataclass(frozen=True, slots=True)
class AddServer:
    """A real server more."""

    service: ServiceKey
    new: NewServer

    def on(self, tree: Tree) -> Change:
        """The change for `tree`. Raises RefusedEdit."""
        return servers.add_server(tree, self.service, self.new)


@dataclass(frozen=True, slots=True)
class RemoveServer:
    """A real server less."""

    service: ServiceKey
    server: ServerKey

    def on(self, tree: Tree) -> Change:
        """The change for `tree`. Raises RefusedEdit."""
        return servers.remove_server(tree, self.service, self.server)


@dataclass(frozen=True, slots=True)
class Disable:
    """A real server off on purpose."""

    service: ServiceKey
    server: ServerKey
    by: str
    at: datetime
    """With its zone."""
    reason: str = ""
    last_allowed: bool = False

    def on(self, tree: Tree) -> Change:
        """The change for `tree`. Raises RefusedEdit."""
        return disabling.disable(
            tree, self.service, self.server, self.by, self.at, self.reason, self.last_allowed
        )


@dataclass(frozen=True, slots=True)
class Enable:
    """A disabled real server on again."""

    service: ServiceKey
    server: ServerKey

    def on(self, tree: Tree) -> Change:
        """The change for `tree`. Raises RefusedEdit."""
        return disabling.enable(tree, self.service, self.server)


@dataclass(frozen=True, slots=True)
class AddCheck:
    """A health check more."""

    service: ServiceKey
    server: ServerKey
    check: NewBlock
    """See `judge.new_check`."""

    def on(self, tree: Tree) -> Change:
        """The change for `tree`. Raises RefusedEdit."""
        return checkers.add_check(tree, self.service, self.server, self.check)


@dataclass(frozen=True, slots=True)
class RemoveCheck:
    """A health check less."""

    service: ServiceKey
    server: ServerKey
    kind: str
    number: int = 0

    def on(self, tree: Tree) -> Change:
        """The change for `tree`. Raises RefusedEdit."""
        return checkers.remove_check(tree, self.service, self.server, self.kind, self.number)


@dataclass(frozen=True, slots=True)
class AddService:
    """A virtual server more."""

    new: NewService

    def on(self, tree: Tree) -> Change:
        """The change for `tree`. Raises RefusedEdit."""
        return services.add_service(tree, self.new)


@dataclass(frozen=True, slots=True)
class RemoveService:
    """A virtual server less."""

    service: ServiceKey

    def on(self, tree: Tree) -> Change:
        """The change for `tree`. Raises RefusedEdit."""
        return services.remove_service(tree, self.service)


@dataclass(frozen=True, slots=True)
class SetSorryServer:
    """Who answers when the quorum is lost; no address: nobody."""

    service: ServiceKey
    address: str = ""
    port: int = 0

    def on(self, tree: Tree) -> Change:
        """The change for `tree`. Raises RefusedEdit."""
        if not self.address:
            return services.remove_sorry_server(tree, self.service)
        return services.set_sorry_server(tree, self.service, self.address, self.port)


@dataclass(frozen=True, slots=True)
class SetQuorum:
    """The weight that must be alive, and its margin (None: as it is)."""

    service: ServiceKey
    quorum: int
    hysteresis: int | None = None

    def on(self, tree: Tree) -> Change:
        """The change for `tree`. Raises RefusedEdit."""
        return services.set_quorum(tree, self.service, self.quorum, self.hysteresis)


@dataclass(frozen=True, slots=True)
class AddInstance:
    """A vrrp_instance more."""

    new: NewInstance

    def on(self, tree: Tree) -> Change:
        """The change for `tree`. Raises RefusedEdit."""
        return instances.add_instance(tree, self.new)


@dataclass(frozen=True, slots=True)
class RemoveInstance:
    """A vrrp_instance less."""

    name: str

    def on(self, tree: Tree) -> Change:
        """The change for `tree`. Raises RefusedEdit."""
        return instances.remove_instance(tree, self.name)


@dataclass(frozen=True, slots=True)
class AddVip:
    """A VIP more."""

    instance: str
    vip: Setting
    """`10.0.0.9/24` and the options behind it."""
    excluded: bool = False
    """Not in adverts."""

    def on(self, tree: Tree) -> Change:
        """The change for `tree`. Raises RefusedEdit."""
        return instances.add_vip(tree, self.instance, self.vip, self.excluded)


@dataclass(frozen=True, slots=True)
class RemoveVip:
    """A VIP less."""

    instance: str
    address: str

    def on(self, tree: Tree) -> Change:
        """The change for `tree`. Raises RefusedEdit."""
        return instances.remove_vip(tree, self.instance, self.address)


@dataclass(frozen=True, slots=True)
class Untrack:
    """An instance tracks something less."""

    instance: str
    kind: str
    entry: str

    def on(self, tree: Tree) -> Change:
        """The change for `tree`. Raises RefusedEdit."""
        return instances.untrack(tree, self.instance, self.kind, self.entry)


@dataclass(frozen=True, slots=True)
class AddScript:
    """A vrrp_script more."""

    new: NewScript

    def on(self, tree: Tree) -> Change:
        """The change for `tree`. Raises RefusedEdit."""
        return instances.add_script(tree, self.new)


@dataclass(frozen=True, slots=True)
class RemoveScript:
    """A vrrp_script less."""

    name: str

    def on(self, tree: Tree) -> Change:
        """The change for `tree`. Raises RefusedEdit."""
        return instances.remove_script(tree, self.name)


Intent = (
    SetValue
    | RemoveValue
    | SetWeight
    | AddServer
    | RemoveServer
    | Disable
    | Enable
    | AddCheck
    | RemoveCheck
    | AddService
    | RemoveService
    | SetSorryServer
    | SetQuorum
    | AddInstance
    | RemoveInstance
    | AddVip
    | RemoveVip
    | Untrack
    | AddScript
    | RemoveScript
)
