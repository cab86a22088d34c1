"""What a rule is given: one configuration, where it runs, and the other director's."""

from __future__ import annotations

from dataclasses import dataclass, field

from lvstui.keepalived.lint.programs import Program, programs
from lvstui.keepalived.lint.routers import InstanceLines, routers
from lvstui.keepalived.lint.surroundings import Surroundings
from lvstui.keepalived.text.tree import Block, Statement, Tree
from lvstui.model.config import Configuration, Place
from lvstui.model.finding import Finding, FindingSeverity


@dataclass(frozen=True, slots=True)
class Peer:
    """The other director."""

    name: str
    tree: Tree
    configuration: Configuration
    surroundings: Surroundings = field(default_factory=Surroundings)


@dataclass(frozen=True, slots=True)
class LintContext:
    """Everything that a rule may look at."""

    tree: Tree
    configuration: Configuration
    surroundings: Surroundings
    peer: Peer | None
    settings: dict[bytes, Statement]
    """Of each keyword of global_defs the line that counts."""
    routers: tuple[InstanceLines, ...]
    """The vrrp_instances that keepalived keeps."""
    virtual_servers: tuple[Block, ...]
    """As written, those that keepalived drops too."""
    programs: tuple[Program, ...]
    """Every line that makes keepalived run something."""
    block_of: dict[Place, Block]
    """Each of them by the place that its services name."""

    def known_from(self, *version: int) -> bool:
        """keepalived's version is known, and is `version` or newer."""
        return self.surroundings.release >= version


def context_of(
    tree: Tree,
    configuration: Configuration,
    surroundings: Surroundings | None = None,
    peer: Peer | None = None,
) -> LintContext:
    """What the rules need, read once."""
    settings = settings_of(tree)
    virtual_servers = tuple(tree.blocks(b"virtual_server"))
    return LintContext(
        tree=tree,
        configuration=configuration,
        surroundings=surroundings or Surroundings(),
        peer=peer,
        settings=settings,
        routers=routers(tree, configuration),
        virtual_servers=virtual_servers,
        programs=tuple(programs(tree)),
        block_of={block.place: block for block in virtual_servers},
    )


@dataclass(frozen=True, slots=True)
class Judged:
    """Makes findings of one severity."""

    severity: FindingSeverity

    def __call__(
        self, rule: str, text: str, place: Place | None = None, evidence: str = "", fix: str = ""
    ) -> Finding:
        return Finding(rule, self.severity, text, place, evidence, fix)


lethal, error, warning, note = map(Judged, FindingSeverity)


def settings_of(tree: Tree) -> dict[bytes, Statement]:
    """All global_defs together; of a keyword that stands twice the last line counts."""
    return {
        line.words[0]: line
        for block in tree.blocks(b"global_defs")
        for line in block.statements()
        if line.words[0] != b"}"
    }
