"""Names of interfaces against those that the host has. One that does not exist ends the daemon,
except with dynamic_interfaces (vrrp_if.c)."""

from __future__ import annotations

from collections.abc import Iterator

from lvstui.keepalived.lint.context import LintContext, error, lethal
from lvstui.keepalived.lint.routers import entries
from lvstui.keepalived.lint.secrets import SecretWords, secret_words
from lvstui.keepalived.text.tree import Statement
from lvstui.keepalived.text.values import shown
from lvstui.model.config import Place
from lvstui.model.finding import Finding

_ADDRESS_BLOCKS = (b"virtual_ipaddress", b"virtual_ipaddress_excluded")
_ROUTE_BLOCKS = (b"virtual_routes", b"virtual_rules")
_STATIC_BLOCKS = (b"static_ipaddress", b"static_routes", b"static_rules")
_DEVICE_WORDS = frozenset((b"dev", b"iif", b"oif"))


def existence(context: LintContext) -> Iterator[Finding]:
    """Each interface that is named must be there."""
    links = context.surroundings.links
    if links is None or b"dynamic_interfaces" in context.settings:
        return
    there = {link.name for link in links} | _made_by_keepalived(context)
    have = ", ".join(sorted(link.name for link in links)[:12])
    told: set[tuple[Place, str]] = set()
    secrets: SecretWords | None = None
    for place, word, ends in _named(context):
        if word in there or (place, word) in told:
            continue
        told.add((place, word))
        # A lost brace may put a piece of a password where names of interfaces stand.
        secrets = secrets or secret_words(context.tree)
        name = secrets.mask(word, (place.file, place.line))
        if ends:
            yield lethal(
                "interface-unknown",
                f"interface {name} does not exist: keepalived ends over this, and leaves the "
                "VIPs where they are",
                place,
                evidence=f"this host has {have}",
                fix="mend the name, or bring the interface up first",
            )
        else:
            yield error(
                "interface-unknown",
                f"interface {name} does not exist: keepalived ignores the line",
                place,
                evidence=f"this host has {have}",
                fix="mend the name",
            )


def _made_by_keepalived(context: LintContext) -> set[str]:
    """VMACs that keepalived makes itself."""
    result: set[str] = set()
    for router in context.routers:
        for line in router.block.statements(b"use_vmac", b"use_ipvlan"):
            result.add(f"vrrp.{router.vrid}")
            result.add(f"vrrp6.{router.vrid}")
            result.update(map(shown, line.words[1:]))
    return result


def _named(context: LintContext) -> Iterator[tuple[Place, str, bool]]:
    """Each place that names an interface, and whether a wrong one ends the daemon."""
    for router in context.routers:
        for line in router.block.statements(b"interface", b"vrf"):
            yield from _value(line)
        for line in entries(router.block, b"track_interface"):
            yield line.place, shown(line.words[0]), True
        for line in entries(router.block, *_ADDRESS_BLOCKS, *_ROUTE_BLOCKS):
            yield from _devices(line)
    for block in context.tree.blocks(b"vrrp_sync_group"):
        for line in entries(block, b"track_interface"):
            yield line.place, shown(line.words[0]), True
    for block in context.tree.blocks(*_STATIC_BLOCKS):
        for line in block.statements():
            yield from _devices(line)
    for block in context.tree.blocks(b"garp_group"):
        for line in block.statements(b"interface"):
            yield from _value(line)
        for line in entries(block, b"interfaces"):
            for index, word in enumerate(line.words):
                yield line.word_place(index), shown(word), True
    for block in context.tree.blocks(b"linkbeat_interfaces", b"interface_up_down_delays"):
        for line in block.statements():
            yield line.place, shown(line.words[0]), False


def _value(line: Statement) -> Iterator[tuple[Place, str, bool]]:
    if len(line.words) > 1:
        yield line.word_place(1), shown(line.words[1]), True


def _devices(line: Statement) -> Iterator[tuple[Place, str, bool]]:
    for index, word in enumerate(line.words[:-1]):
        if word in _DEVICE_WORDS:
            yield line.word_place(index + 1), shown(line.words[index + 1]), True
