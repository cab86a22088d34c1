"""Whether a script that fails can move the VIP at all."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from lvstui.keepalived.lint.context import LintContext, Peer, note, warning
from lvstui.keepalived.lint.routers import OWNER, InstanceLines, entries, routers
from lvstui.keepalived.lint.rules.pair import partner
from lvstui.keepalived.text.tree import Statement, Tree
from lvstui.keepalived.text.values import shown
from lvstui.model.finding import Finding

HIGHEST = 254
"""Above it keepalived lets no tracking raise a priority."""


@dataclass(frozen=True, slots=True)
class Weighted:
    """A script that an instance tracks."""

    name: str
    line: Statement
    weight: int
    """0: a failure sets the instance to FAULT. Above 0 a success raises the priority, below 0 a
    failure lowers it."""


def tracked_scripts(tree: Tree, router: InstanceLines) -> tuple[Weighted, ...]:
    """The scripts of one instance, with the weight that counts."""
    default: dict[bytes, int] = {}
    for block in tree.blocks(b"vrrp_script"):
        if len(block.header.words) > 1 and block.last(b"script") is not None:
            line = block.last(b"weight")
            weight = _integer(line, 1)
            flipped = line is not None and b"reverse" in line.words[2:]
            default[block.header.words[1]] = -weight if flipped else weight
    result: list[Weighted] = []
    for line in entries(router.block, b"track_script"):
        words = line.words
        if words[0] not in default:
            continue
        weight = default[words[0]]
        if b"weight" in words[1:-1]:
            weight = _integer(line, words.index(b"weight", 1) + 1)
        if b"reverse" in words[1:]:
            weight = -weight
        result.append(Weighted(shown(words[0]), line, weight))
    return tuple(result)


def _integer(line: Statement | None, index: int) -> int:
    if line is None or len(line.words) <= index:
        return 0
    try:
        return int(line.words[index])
    except ValueError:
        return 0


def arithmetic(context: LintContext) -> Iterator[Finding]:
    """A failing script must lower this director below the other one."""
    grouped = _in_groups(context)
    for router in context.routers:
        scripts = tracked_scripts(context.tree, router)
        weighted = [script for script in scripts if script.weight]
        if not weighted:
            continue
        if router.priority == OWNER:
            text = f"instance {router.name}: priority 255 is not lowered by any script"
            yield warning(
                "tracking-without-effect", text, weighted[0].line.place, fix="priority 1 to 254"
            )
            continue
        if router.name in grouped:
            yield warning(
                "tracking-in-sync-group",
                f"instance {router.name} is in a sync group: its scripts with a weight are dropped",
                weighted[0].line.place,
                evidence="one priority must not move alone within a group",
                fix="weight 0, or sync_group_tracking_weight in the group",
            )
            continue
        yield from _judged(context, router, weighted)


def _judged(
    context: LintContext, router: InstanceLines, scripts: list[Weighted]
) -> Iterator[Finding]:
    best = router.priority + sum(max(0, script.weight) for script in scripts)
    if best > HIGHEST:
        yield warning(
            "priority-clamped",
            f"instance {router.name}: priority {router.priority} and the weights of its scripts "
            f"make {best}: keepalived stops at {HIGHEST}",
            router.block.place,
            fix="smaller weights, or a lower priority",
        )
    other = _partner(context.peer, router)
    for script in scripts:
        failed = max(1, min(HIGHEST, best - abs(script.weight)))
        if other is None:
            if abs(script.weight) == 1:
                yield note(
                    "weight-tiny",
                    f"instance {router.name}: script {script.name} moves the priority by 1 only",
                    script.line.place,
                    fix="more than the distance to the other director's priority",
                )
            continue
        against = other.priority
        if context.peer is not None:
            theirs = tracked_scripts(context.peer.tree, other)
            against = min(HIGHEST, against + sum(max(0, one.weight) for one in theirs))
        if min(best, HIGHEST) <= against:
            continue
        if failed >= against:
            yield warning(
                "weight-cannot-move-vip",
                f"instance {router.name}: when script {script.name} fails, {min(best, HIGHEST)} "
                f"becomes {failed}, still not below the {against} of the other director: the VIP "
                "stays",
                script.line.place,
                fix=f"a weight over {min(best, HIGHEST) - against}, or 0: then a failure is FAULT",
            )
        elif other.block and any(other.block.statements(b"nopreempt")):
            yield warning(
                "weight-against-nopreempt",
                f"instance {router.name}: script {script.name} lowers the priority, but the other "
                "director has nopreempt and does not take over from a living master",
                script.line.place,
                fix="weight 0: then a failure is FAULT, and the VIP moves",
            )


def _partner(peer: Peer | None, router: InstanceLines) -> InstanceLines | None:
    """The other director's instance of the same VRID and family."""
    if peer is None:
        return None
    other = partner(router, routers(peer.tree, peer.configuration))
    return other if other is not None and other.vrid == router.vrid else None


def _in_groups(context: LintContext) -> set[str]:
    """Members of sync groups that keep weights out."""
    floating = {
        shown(block.header.words[1])
        for block in context.tree.blocks(b"vrrp_sync_group")
        if len(block.header.words) > 1 and any(block.statements(b"sync_group_tracking_weight"))
    }
    return {
        member
        for name, members in context.configuration.sync_groups
        if name not in floating and len(members) > 1
        for member in members
    }
