"""What would be gone after a reload: whole files, instances and services that are not read."""

from __future__ import annotations

import stat
from collections.abc import Iterator

from lvstui.keepalived.lint.context import LintContext, error, lethal
from lvstui.keepalived.text.tree import Block, Statement
from lvstui.model.config import Place
from lvstui.model.finding import Finding, FindingSeverity

_BOM = b"\xef\xbb\xbf"
_HEADS = frozenset((b"vrrp_instance", b"virtual_server"))
_INNER = frozenset((b"real_server", b"vrrp_sync_group", b"virtual_server_group", b"vrrp_script"))


def unloadable(path: str, error: OSError) -> Finding:
    """The finding for a main file that cannot be loaded at all (`load_tree` raised `error`)."""
    why = error.strerror or str(error)
    return lethal(
        "main-file-not-loaded",
        f"keepalived would not load its main file ({why}): it reloads to nothing",
        Place(path, 1),
        evidence="it says so in its log and goes on with an empty configuration; -t gives 0",
        fix="a regular file that can be read and has no execute bit: chmod 644",
    )


def modes(context: LintContext) -> Iterator[Finding]:
    """Files that keepalived skips for their mode, seen where a reader does not ask for it."""
    known = context.surroundings.modes or {}
    for index, file in enumerate(context.tree.files):
        mode = known.get(file.path)
        if mode is None or (stat.S_ISREG(mode) and not mode & 0o111):
            continue
        why = "an execute bit is set" if stat.S_ISREG(mode) else "it is no regular file"
        if index == 0:
            yield unloadable(file.path, OSError(why))
        else:
            text = f"keepalived skips an included file: {why}"
            yield error("include-not-read", text, Place(file.path, 1), fix="chmod 644")


def emptiness(context: LintContext) -> Iterator[Finding]:
    """Nothing that keepalived would run."""
    main = Place(context.tree.files[0].path if context.tree.files else "", 1)
    if not context.tree.root:
        yield lethal(
            "configuration-empty",
            "the configuration is empty: keepalived gives up every VIP and every service",
            main,
            evidence="keepalived -t says nothing about it and gives 0",
            fix="an include that finds nothing? a file that was cut off?",
        )
        return
    services = context.configuration.services
    if not context.routers and not services:
        yield lethal(
            "nothing-configured",
            "no vrrp_instance and no virtual_server of it is understood: keepalived gives up "
            "every VIP and every service",
            main,
            fix="mend the first error of the file: one brace may hide everything",
        )
        return
    if context.virtual_servers and not services:
        text = (
            f"none of its {len(context.virtual_servers)} virtual_servers is kept: the IPVS table "
            "would be empty"
        )
        yield lethal("no-service-left", text, context.virtual_servers[0].place)
    if not context.routers and any(context.tree.blocks(b"vrrp_instance")):
        text = "none of its vrrp_instances is kept: every VIP would be given up"
        yield lethal("no-instance-left", text, next(context.tree.blocks(b"vrrp_instance")).place)


def lost_blocks(context: LintContext) -> Iterator[Finding]:
    """Instances and services that stand where keepalived does not look for them."""
    for block in context.tree.blocks(b"vrrp_instance", b"virtual_server"):
        if block.keyword == b"vrrp_instance" and len(block.header.words) != 2:
            yield lethal(
                "instance-lost",
                "vrrp_instance takes exactly one name: keepalived ignores this instance, and its "
                "VIPs are given up",
                block.place,
                fix='a name with blanks needs quotes: vrrp_instance "A B" {',
            )
        if block.opening is None:
            yield _lost(
                block.header, f"{block.keyword.decode()} has no '{{': keepalived does not read it"
            )
    yield from _headers(context)
    for line, inside in _strays(context):
        word = line.words[0].removeprefix(_BOM)
        where = f"within {inside.decode()}" if inside else "where it is not understood"
        if word in _HEADS:
            yield _lost(
                line, f"{word.decode()} stands {where}: keepalived ignores it and all that is in it"
            )
        elif word in _INNER:
            yield error(
                "block-lost",
                f"{word.decode()} stands {where}: keepalived ignores it and all that is in it",
                line.place,
                fix="look for a brace that is missing or one too many above it",
            )


def _headers(context: LintContext) -> Iterator[Finding]:
    """Headers of groups that are lost, or end the daemon (seen with 2.2.7)."""
    for block in context.tree.blocks(b"virtual_server_group"):
        if len(block.header.words) > 2 or block.opening is None:
            text = (
                "virtual_server_group: "
                + ("no '{'" if block.opening is None else "words behind its name")
                + ": keepalived ends over this"
            )
            yield lethal("header-fatal", text, block.place, fix="virtual_server_group NAME {")
    for block in context.tree.blocks(b"vrrp_sync_group"):
        if len(block.header.words) == 2:
            continue
        if block.opening is None:
            text = (
                "vrrp_sync_group without one name and '{': keepalived works on memory that is not "
                "its own, and crashes"
            )
            yield lethal("header-fatal", text, block.place, fix="vrrp_sync_group NAME {")
        elif len(block.header.words) > 2:
            yield error(
                "sync-group-invalid",
                "vrrp_sync_group: words behind its name: keepalived skips the group",
                block.place,
                fix="one name, in double quotes when it has blanks",
            )


def _lost(line: Statement, text: str) -> Finding:
    instance = b"vrrp_instance" in line.words[0]
    return Finding(
        "instance-lost" if instance else "service-lost",
        FindingSeverity.LETHAL,
        text,
        line.place,
        evidence="at a reload its VIPs are given up" if instance else "at a reload it is deleted",
        fix="look for a brace that is missing or one too many above it",
    )


def _strays(context: LintContext) -> Iterator[tuple[Statement, bytes]]:
    """Statements, with the block around each, that begin with a keyword that opens a block."""
    wanted = _HEADS | _INNER
    waiting: list[tuple[bytes, Block | None]] = [(b"", None)]
    while waiting:
        inside, block = waiting.pop()
        for node in context.tree.root if block is None else block.children:
            if isinstance(node, Block):
                waiting.append((node.keyword, node))
            elif node.words[0].removeprefix(_BOM) in wanted:
                yield node, inside
