"""Names for the blocks of a configuration that hold on any director's tree."""

from __future__ import annotations

from dataclasses import dataclass

from lvstui.keepalived.edit.change import RefusedEdit
from lvstui.keepalived.edit.checkers import find_check
from lvstui.keepalived.edit.find import Found, find_globals, find_named, find_server, find_service
from lvstui.keepalived.text.tree import Tree
from lvstui.model.keys import ServerKey, ServiceKey


@dataclass(frozen=True, slots=True)
class OfGlobals:
    """global_defs."""

    def find(self, tree: Tree) -> Found:
        """The block. Raises RefusedEdit."""
        found = find_globals(tree)
        if found is None:
            raise RefusedEdit(None, "there is no global_defs", "write it with the text editor")
        return found


@dataclass(frozen=True, slots=True)
class OfService:
    """A virtual_server."""

    service: ServiceKey

    def find(self, tree: Tree) -> Found:
        """The block. Raises RefusedEdit."""
        return find_service(tree, self.service)


@dataclass(frozen=True, slots=True)
class OfServer:
    """A real_server."""

    service: ServiceKey
    server: ServerKey

    def find(self, tree: Tree) -> Found:
        """The block. Raises RefusedEdit."""
        return find_server(tree, self.service, self.server)


@dataclass(frozen=True, slots=True)
class OfCheck:
    """A check of a real server: of several of a kind the one of that number, from 0."""

    service: ServiceKey
    server: ServerKey
    kind: str
    number: int = 0

    def find(self, tree: Tree) -> Found:
        """The block. Raises RefusedEdit."""
        return find_check(tree, self.service, self.server, self.kind, self.number)[0]


@dataclass(frozen=True, slots=True)
class OfNamed:
    """A block with a name: (`vrrp_instance`, `VI_1`), (`vrrp_script`, `chk`) …"""

    keyword: str
    name: str

    def find(self, tree: Tree) -> Found:
        """The block. Raises RefusedEdit."""
        return find_named(tree, self.keyword, self.name)


Target = OfGlobals | OfService | OfServer | OfCheck | OfNamed
