"""Every value that keepalived ends up using, with where it comes from; made only when asked for."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from itertools import islice

from lvstui.keepalived.keywords import version_of
from lvstui.keepalived.meaning.effective.instances import (
    global_section,
    group_section,
    instance_section,
    tracked_section,
)
from lvstui.keepalived.meaning.effective.services import service_section
from lvstui.keepalived.meaning.effective.value import Origin, Section, Value
from lvstui.keepalived.meaning.instances import globals_of, instances, sync_groups
from lvstui.keepalived.meaning.services import candidates, read_service
from lvstui.keepalived.meaning.tracking import Tracking, tracking
from lvstui.keepalived.meaning.virtual_servers import Group, groups
from lvstui.keepalived.text.tree import Block, Tree
from lvstui.keepalived.text.values import Notes, shown
from lvstui.model.config import ConfiguredInstance
from lvstui.model.keys import ServiceKey

__all__ = ["Effective", "Origin", "Section", "Value"]

DEFAULT_VERSION = "2.2.7"


class Effective:
    """The effective values of `tree` for one version of keepalived.

    Cheap to make: one service costs one service (a look at each header to find it), `sections`
    streams everything.
    """

    def __init__(self, tree: Tree, version: str = DEFAULT_VERSION) -> None:
        self.tree = tree
        self.version = version
        self._version = version_of(version) or version_of(DEFAULT_VERSION)

    @cached_property
    def _groups(self) -> dict[bytes, Group]:
        return groups(self.tree, Notes())

    @cached_property
    def _tracking(self) -> Tracking:
        return tracking(self.tree, Notes())

    @cached_property
    def _sync_groups(self) -> dict[str, tuple[str, ...]]:
        return dict(sync_groups(self.tree, Notes()))

    @cached_property
    def _instances(self) -> tuple[ConfiguredInstance, ...]:
        notes = Notes()
        return instances(
            self.tree,
            globals_of(self.tree, notes),
            tuple(self._sync_groups.items()),
            self._tracking,
            notes,
        )

    def sections(self) -> Iterator[Section]:
        """Everything, in this order: globals, what is tracked, groups, instances, services."""
        yield self.globals()
        yield from self.tracked()
        yield from self.sync_groups()
        yield from self.instances()
        yield from self.services()

    def globals(self) -> Section:
        """global_defs and what stands outside every block."""
        return global_section(self.tree, self._version)

    def services(self) -> Iterator[Section]:
        """Each virtual service, as `Configuration.services` has them."""
        for block in self.tree.blocks(b"virtual_server"):
            yield from self._of(block)

    def service(self, key: ServiceKey, number: int = 1) -> Section | None:
        """The `number`-th service of that key (keepalived takes two that are the same)."""
        blocks = candidates(self.tree, key)
        found = (s for block in blocks for s in self._of(block) if s.service == key)
        return next(islice(found, number - 1, None), None)

    def _of(self, block: Block) -> list[Section]:
        read = read_service(block, self._groups, Notes())
        return [service_section(block, read, found, self._version) for found in read.services]

    def instances(self) -> Iterator[Section]:
        everywhere = tuple(self.tree.blocks(b"global_defs"))
        blocks = self._named(b"vrrp_instance")
        for instance in self._instances:
            yield instance_section(blocks[instance.name], instance, everywhere, self._version)

    def instance(self, name: str) -> Section | None:
        return next((s for s in self.instances() if s.title == name), None)

    def sync_groups(self) -> Iterator[Section]:
        for block in self.tree.blocks(b"vrrp_sync_group"):
            if len(block.header.words) > 1:
                members = self._sync_groups.get(shown(block.header.words[1]), ())
                yield group_section(block, members, self._version)

    def tracked(self) -> Iterator[Section]:
        found = self._tracking
        for keywords, things in (
            ((b"vrrp_script",), found.scripts),
            ((b"track_file", b"vrrp_track_file"), found.files),
            ((b"vrrp_track_process",), found.processes),
        ):
            blocks = self._named(*keywords)
            for thing in things:
                yield tracked_section(blocks[thing.name], thing, self._version)

    def _named(self, *keywords: bytes) -> dict[str, Block]:
        """Blocks by the name in their header; of two the first counts."""
        found: dict[str, Block] = {}
        for block in self.tree.blocks(*keywords):
            if len(block.header.words) > 1:
                found.setdefault(shown(block.header.words[1]), block)
        return found
