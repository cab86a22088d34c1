"""The outline of a configuration in the operator's terms, made branch by branch when opened."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from lvstui.keepalived.keywords import SECRET_BLOCKS, ValueKind
from lvstui.keepalived.text.shown import shown_words
from lvstui.keepalived.text.tree import Block, Node, Provenance, Statement, Tree
from lvstui.model.config import (
    Configuration,
    ConfiguredInstance,
    ConfiguredServer,
    ConfiguredService,
    Place,
)
from lvstui.model.keys import ServerKey, ServiceKey
from lvstui.model.text import plain
from lvstui.session.pieces import shown

NodeId = tuple[str | int, ...]
"""From the root to the node; stable while the configuration is the same."""
Masked = Mapping[str, Mapping[int, bytes]]
"""By path and line: lines that hold a secret, as they may be shown."""
_MOST_ENTRIES = 5_000
"""Lines of one block that are no service; address groups can be long."""
_LISTS = (
    b"virtual_ipaddress virtual_ipaddress_excluded unicast_peer track_script track_interface "
    b"virtual_routes virtual_rules track_process track_file track_bfd"
).split()


@dataclass(frozen=True, slots=True)
class Item:
    """One line of the outline."""

    id: NodeId
    kind: str
    """section, file, block, instance, service, server, checker, entry."""
    label: str
    detail: str = ""
    place: Place | None = None
    service: ServiceKey | None = None
    server: ServerKey | None = None
    opens: bool = False
    """There is something in it."""


@dataclass(frozen=True, slots=True)
class OutlineEntry:
    """A line or block that is no virtual server."""

    label: str
    detail: str
    place: Place
    entries: tuple[OutlineEntry, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Outline:
    """Gives the children of any node; nothing is made before it is asked for."""

    configuration: Configuration
    files: tuple[tuple[str, Place | None], ...]
    """Path, and the include that opened it first."""
    blocks: tuple[OutlineEntry, ...]
    """Outermost blocks that are neither instance nor service."""
    instances: tuple[tuple[OutlineEntry, ...], ...]
    """What is in each instance."""
    sections: tuple[tuple[Place, Place], ...] = ()
    """Where blocks begin and end, outer ones before what is in them; let go once marks are made."""

    def roots(self) -> tuple[Item, ...]:
        """The outermost lines."""
        configuration = self.configuration
        items = [
            Item(("files",), "section", "Files", str(len(self.files)), opens=True),
            *(_entry(("blocks", index), entry, "block") for index, entry in enumerate(self.blocks)),
        ]
        for name, title, some in (
            ("instances", "Instances", configuration.instances),
            ("services", "Services", configuration.services),
        ):
            items.append(Item((name,), "section", title, str(len(some)), opens=bool(some)))
        return tuple(items)

    def children(self, id: NodeId) -> tuple[Item, ...]:
        """What is directly in that node. Raises IndexError or KeyError for one that is not."""
        kind, *rest = id
        if kind == "files":
            return tuple(self._files()) if not rest else ()
        if kind == "blocks":
            return _entries(id, self.blocks, rest)
        if kind == "instances":
            if not rest:
                return tuple(
                    _instance((kind, index), instance, bool(self.instances[index]))
                    for index, instance in enumerate(self.configuration.instances)
                )
            inside = self.instances[int(rest[0])]
            if len(rest) == 1:
                return tuple(_entry((*id, i), entry) for i, entry in enumerate(inside))
            return _entries(id, inside, rest[1:])
        services = self.configuration.services
        if not rest:
            return tuple(_service((kind, index), service) for index, service in enumerate(services))
        service = services[int(rest[0])]
        if len(rest) == 1:
            return tuple(_servers(id, service))
        if len(rest) == 2 and isinstance(rest[1], int):
            return tuple(_checkers(id, service, service.servers[rest[1]]))
        return ()

    def service_id(self, service: ServiceKey, server: ServerKey | None) -> NodeId | None:
        """Where a service, or one of its real servers, is in the outline."""
        for index, found in enumerate(self.configuration.services):
            if found.key != service:
                continue
            if server is None:
                return "services", index
            for inner, one in enumerate(found.servers):
                if one.key == server:
                    return "services", index, inner
        return None

    def marks(self) -> dict[str, tuple[tuple[int, ...], tuple[NodeId, ...]]]:
        """By path: the lines on which nodes begin, in order, and the innermost node of each."""
        found: dict[str, dict[int, NodeId]] = {}

        def mark(place: Place | None, id: NodeId) -> None:
            if place is not None:
                # Of several on one line (a group's services, a checker) the first is named.
                found.setdefault(place.file, {}).setdefault(place.line, id)

        def entries(some: tuple[OutlineEntry, ...], id: NodeId) -> None:
            for index, entry in enumerate(some):
                mark(entry.place, (*id, index))
                entries(entry.entries, (*id, index))

        entries(self.blocks, ("blocks",))
        for index, instance in enumerate(self.configuration.instances):
            mark(instance.place, ("instances", index))
            entries(self.instances[index], ("instances", index))
        for index, service in enumerate(self.configuration.services):
            mark(service.place, ("services", index))
            for inner, server in enumerate(service.servers):
                mark(server.place, ("services", index, inner))
                for last, checker in enumerate(server.checkers):
                    mark(checker.place, ("services", index, inner, last))
        for begin, end in self.sections:
            # Behind a block one is in what it is in.
            id = found.get(begin.file, {}).get(begin.line)
            if id is not None and (end.file, end.line) != (begin.file, begin.line):
                # Where a block ended on the line above, and nothing begins, one is in nothing.
                listed = id[:1] in (("blocks",), ("instances",))
                outer = id[:-1][:2] if listed else id[:-1]
                after = found.setdefault(end.file, {})
                after.setdefault(end.line + 1, outer if len(outer) > 1 else ())
        result = {}
        for path, lines in found.items():
            order = sorted(lines)
            result[path] = (tuple(order), tuple(lines[line] for line in order))
        return result

    def _files(self) -> Iterator[Item]:
        folder = posixpath.dirname(self.files[0][0]) + "/"
        for index, (path, opened) in enumerate(self.files):
            detail = "main file"
            if opened is not None:
                detail = f"from {posixpath.basename(opened.file)}:{opened.line}"
            label = plain(path.removeprefix(folder), 200)
            yield Item(("files", index), "file", label, plain(detail), Place(path, 1))


def _sections(tree: Tree) -> Iterator[tuple[Place, Place]]:
    waiting: list[Node] = list(reversed(tree.root))
    while waiting:
        node = waiting.pop()
        if isinstance(node, Block):
            if node.closing is not None:
                yield node.place, node.closing.place
            waiting.extend(reversed(node.children))


def outline(tree: Tree, configuration: Configuration, masked: Masked) -> Outline:
    """The outline of `tree`, whose effective values are `configuration`."""
    opened: dict[str, Place] = {}
    for include in tree.includes:
        for path in include.files:
            opened.setdefault(path, include.statement.place)
    inside: dict[Place, Block] = {}
    blocks: list[OutlineEntry] = []
    for node in tree.root:
        if isinstance(node, Block) and node.keyword == b"vrrp_instance":
            inside[node.place] = node
        elif isinstance(node, Block) and node.keyword != b"virtual_server":
            blocks.append(_of_block(node, masked))
    instances = tuple(
        tuple(_of_lists(inside[instance.place], masked))
        if instance.place is not None and instance.place in inside
        else ()
        for instance in configuration.instances
    )
    files = tuple((file.path, opened.get(file.path)) for file in tree.files)
    return Outline(configuration, files, tuple(blocks), instances, tuple(_sections(tree)))


def _of_lists(block: Block, masked: Masked) -> Iterator[OutlineEntry]:
    for child in block.blocks(*_LISTS):
        yield _of_block(child, masked)


def _of_block(block: Block, masked: Masked) -> OutlineEntry:
    entries = tuple(_of_node(child, masked) for child in block.children[:_MOST_ENTRIES])
    kind = ValueKind.SECRET if block.keyword in SECRET_BLOCKS else ValueKind.BLOCK
    name = b" ".join(shown_words(kind, block.header.words[1:]))
    return OutlineEntry(plain(block.keyword, 60), plain(name, 80), block.place, entries)


def _of_node(node: Node, masked: Masked) -> OutlineEntry:
    if isinstance(node, Block):
        return _of_block(node, masked)
    return OutlineEntry(_statement(node, masked), "", node.place)


def _statement(statement: Statement, masked: Masked) -> str:
    """Its words; a line that holds a secret is shown as its masked line is."""
    safe = masked.get(statement.file.path, {}).get(statement.line)
    if safe is not None:
        return shown(safe).strip()
    if statement.provenance is not Provenance.LITERAL:
        # What a definition made of it may be a password; the line says which definition.
        return shown(statement.file.lines[statement.line - 1]).strip()
    return shown(b" ".join(statement.words)).strip()


def _entry(id: NodeId, entry: OutlineEntry, kind: str = "entry") -> Item:
    return Item(id, kind, entry.label, entry.detail, entry.place, opens=bool(entry.entries))


def _entries(id: NodeId, some: tuple[OutlineEntry, ...], path: list[str | int]) -> tuple[Item, ...]:
    for step in path:
        some = some[int(step)].entries
    return tuple(_entry((*id, index), entry) for index, entry in enumerate(some))


def _instance(id: NodeId, instance: ConfiguredInstance, opens: bool) -> Item:
    detail = f"{instance.interface} vrid {instance.vrid} prio {instance.priority}"
    name = plain(instance.name, 60)
    return Item(id, "instance", name, plain(detail), instance.place, opens=opens)


def _service(id: NodeId, service: ConfiguredService) -> Item:
    key, words = service.key, (service.name, service.scheduler, service.forwarding)
    detail = " ".join(filter(None, words))
    opens = bool(service.servers) or service.sorry_server is not None
    return Item(id, "service", str(key), detail, service.place, key, opens=opens)


def _servers(id: NodeId, service: ConfiguredService) -> Iterator[Item]:
    for index, server in enumerate(service.servers):
        key, opens = server.key, bool(server.checkers)
        detail = f"{server.name} weight {server.weight}".strip()
        if server.forwarding != service.forwarding:
            detail += f" {server.forwarding}"
        at = (*id, index)
        yield Item(at, "server", str(key), detail, server.place, service.key, key, opens)
    if service.sorry_server is not None:
        sorry = str(service.sorry_server)
        yield Item((*id, "sorry"), "entry", sorry, "sorry server", service.place, service.key)


def _checkers(id: NodeId, service: ConfiguredService, server: ConfiguredServer) -> Iterator[Item]:
    for index, checker in enumerate(server.checkers):
        at, target = (*id, index), plain(checker.target, 120)
        yield Item(at, "checker", checker.kind, target, checker.place, service.key, server.key)
