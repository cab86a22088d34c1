"""One document of `lvstui status --json` (lvstui.status/2) beside what is so."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from tests.truth import topologies
from tests.truth.acts import World
from tests.truth.oracle import Server, Truth
from tests.truth.topologies import Member, Pool, Site

Document = dict[str, Any]
WORDS = (
    *("up", "down", "draining", "drained", "disabled", "unverified", "foreign"),
    *("standby", "overloaded"),
)
"""States of the schema."""


@dataclass(frozen=True, slots=True)
class Disagreement:
    """Something that lvstui said, and what is so."""

    rule: str
    director: str
    source: str
    """fresh: a run of its own, running: one that has watched all the while."""
    what: str

    def __str__(self) -> str:
        return f"{self.rule} on {self.director} ({self.source}): {self.what}"


@dataclass(frozen=True, slots=True)
class View:
    """One document, and all that is known besides."""

    director: str
    source: str
    document: Document
    status: int | None
    """Exit status; None of one that runs on."""
    world: World
    truths: Mapping[str, Truth]
    losses: Mapping[str, float]

    @property
    def truth(self) -> Truth:
        return self.truths[self.director]

    @property
    def file(self) -> Site:
        return self.world.files[self.director]

    @property
    def loaded(self) -> Site:
        return self.world.loaded[self.director]

    @property
    def text(self) -> str:
        """All that it gives as reasons, in one string."""
        words = [*self.document["reasons"], *(w["text"] for w in self.document["warnings"])]
        for service in self.document["services"]:
            for part in (service, *service["servers"]):
                words += [part["reason"], *(one["text"] for one in part["differs"])]
        return "\n".join(word for word in words if word)

    def servers(self) -> Iterator[tuple[str, str, Document]]:
        """Service, server, what is said of it."""
        for service in self.document["services"]:
            for server in service["servers"]:
                yield service["id"], server["id"], server

    def kernel(self, service: str, server: str) -> Server | None:
        """What the kernel has."""
        found = self.truth.table.get(service)
        return found.servers.get(server) if found is not None else None

    def checked(self) -> bool:
        """keepalived's checks run here."""
        return self.truth.works("checkers")

    def touched(self) -> bool:
        """Somebody changed the table or an address here by hand, and keepalived runs on."""
        return bool(self.world.by_hand[self.director])


def members(site: Site) -> dict[tuple[str, str], tuple[Pool, Member]]:
    """(service, server) of a file."""
    return {
        (service, topologies.socket_of(site, pool, member.node, family)): (pool, member)
        for pool in site.pools
        for service, family in topologies.services(site, pool)
        for member in pool.members
    }


def sorries(site: Site) -> set[tuple[str, str]]:
    """(service, server) of sorry servers."""
    return {
        (service, topologies.socket_of(site, pool, pool.sorry, family))
        for pool in site.pools
        if pool.sorry
        for service, family in topologies.services(site, pool)
    }


def marked(server: Document) -> bool:
    """That file, keepalived and kernel disagree is said of it."""
    return bool(server["differs"])
