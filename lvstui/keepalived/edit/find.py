"""From keys to the blocks that gave them, or why those cannot be edited."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from lvstui.keepalived.edit.change import RefusedEdit
from lvstui.keepalived.keywords import KNOWN_WORDS
from lvstui.keepalived.meaning.services import candidates, services
from lvstui.keepalived.text.tree import Block, Node, Provenance, SourceFile, Statement, Tree
from lvstui.keepalived.text.values import Notes, shown
from lvstui.model.config import ConfiguredServer, ConfiguredService, Place
from lvstui.model.keys import ServerKey, ServiceKey

_USED = re.compile(rb"\$(?:\{([A-Za-z_][A-Za-z0-9_]*)|([A-Za-z_][A-Za-z0-9_]*))")


@dataclass(frozen=True, slots=True)
class Found:
    """A block, and whom a change in it concerns."""

    block: Block
    whom: str
    """In words: `tcp 10.10.0.20:80`, `rs2 (10.10.0.4:80) in tcp 10.10.0.20:80`."""
    cautions: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class FoundService(Found):
    """A virtual_server block."""

    service: ConfiguredService = field(kw_only=True)


@dataclass(frozen=True, slots=True)
class FoundServer(FoundService):
    """A real_server block, and the virtual server around it."""

    server: ConfiguredServer = field(kw_only=True)
    virtual: Block = field(kw_only=True)


def find_service(tree: Tree, key: ServiceKey) -> FoundService:
    """The virtual_server of `key`.

    Raises RefusedEdit when there is none, more than one, or one that stands nowhere itself.
    """
    everyone = services(tree, Notes(), candidates(tree, key))
    matches = [service for service in everyone if service.key == key]
    if not matches:
        raise RefusedEdit(None, f"the configuration has no virtual server {key}")
    service = matches[0]
    if len(matches) > 1 and matches[1].place != service.place:
        why = f"virtual server {key} stands here once more (first at {service.place})"
        raise RefusedEdit(matches[1].place, why, "remove one of the two by hand")
    block = _only(
        tree, list(tree.blocks(b"virtual_server")), service.place, f"virtual server {key}"
    )
    ensure_editable(tree, block)
    whom = str(key)
    cautions: list[str] = []
    if service.group:
        whom, caution = _whole_group(service, everyone)
        cautions.append(caution)
    return FoundService(
        block, whom + only_for(block.header), tuple(filter(None, cautions)), service=service
    )


def find_server(tree: Tree, key: ServiceKey, server: ServerKey) -> FoundServer:
    """The real_server of `server` in the virtual server of `key`. Raises RefusedEdit."""
    pool = find_service(tree, key)
    known = [found for found in pool.service.servers if found.key == server]
    if not known:
        raise RefusedEdit(pool.block.place, f"{key} has no real server {server}")
    block = _only(
        tree, list(pool.block.blocks(b"real_server")), known[0].place, f"real server {server}"
    )
    ensure_editable(tree, block)
    whom = f"{_named(known[0].name, str(server))} in {pool.whom}{only_for(block.header)}"
    return FoundServer(
        block, whom, pool.cautions, service=pool.service, server=known[0], virtual=pool.block
    )


def find_named(tree: Tree, keyword: str, name: str) -> Found:
    """The block `keyword name` outside of every other: vrrp_instance, vrrp_script,
    vrrp_sync_group, virtual_server_group and their like. Of two with one name the first counts.

    Raises RefusedEdit.
    """
    wanted = name.encode("utf-8", "surrogateescape")
    for block in tree.blocks(keyword.encode()):
        if len(block.header.words) > 1 and wanted in (
            block.header.words[1],
            shown(block.header.words[1]).encode(),
        ):
            ensure_editable(tree, block)
            return Found(block, f"{_KINDS.get(keyword, keyword)} {name}{only_for(block.header)}")
    raise RefusedEdit(None, f"the configuration has no {keyword} of that name")


def find_globals(tree: Tree) -> Found:
    """The last global_defs, where a value counts most. Raises RefusedEdit."""
    blocks = list(tree.blocks(b"global_defs"))
    if not blocks:
        raise RefusedEdit(None, "there is no global_defs", "write it with the text editor")
    ensure_editable(tree, blocks[-1])
    return Found(blocks[-1], f"global_defs{only_for(blocks[-1].header)}")


_KINDS = {
    "vrrp_instance": "instance",
    "vrrp_script": "script",
    "vrrp_sync_group": "sync group",
    "virtual_server_group": "virtual server group",
}


def _named(name: str, key: str) -> str:
    return f"{name} ({key})" if name else key


def _whole_group(
    service: ConfiguredService, everyone: tuple[ConfiguredService, ...]
) -> tuple[str, str]:
    """Words for the pool that a group shares, and what must be known about it."""
    members = [other.key for other in everyone if other.place == service.place]
    words = f"{service.key} of group {service.group}"
    if len(members) < 2:
        return words, ""
    shared = ", ".join(map(str, members[:5])) + (
        f" and {len(members) - 5} more" if len(members) > 5 else ""
    )
    return (
        f"group {service.group} ({shared})",
        f"the pool is shared: {len(members)} services of group {service.group} change alike",
    )


def only_for(statement: Statement | None, whom: str = "") -> str:
    """Words for a line under `@id`: it is not there for every host. None where `whom` has them."""
    if statement is None or not statement.condition:
        return ""
    name = shown(statement.condition.lstrip(b"^"))
    words = f" (not for {name})" if statement.condition[:1] == b"^" else f" (only for {name})"
    return "" if words in whom else words


def _only(tree: Tree, blocks: list[Block], place: Place | None, what: str) -> Block:
    """The one of `blocks` that stands at `place`."""
    found = [block for block in blocks if block.place == place]
    if not found:
        raise RefusedEdit(place, f"{what} can not be found where it is said to stand")
    if len(found) > 1:
        # Several blocks from one place: a repetition, or a file that is included again.
        ensure_editable(tree, found[0])
        raise RefusedEdit(place, f"{what} stands there more than once")
    return found[0]


def ensure_editable(tree: Tree, node: Node) -> None:
    """Raises RefusedEdit unless `node` stands where it says, once, and begins and ends."""
    head = node.header if isinstance(node, Block) else node
    if tree.consolidated:
        raise RefusedEdit(None, "this is the daemon's own copy, not a file")
    if head.provenance is Provenance.REPEATED:
        why = f"{known_word(head)} is given by {_giver(tree, head)}"
        raise RefusedEdit(head.place, why, "change it there with the text editor")
    ensure_once(tree, head.file, head)
    if not isinstance(node, Block):
        return
    if node.opening is None or node.closing is None:
        raise RefusedEdit(head.place, f"{known_word(head)} has a brace missing", "mend that first")
    for brace in (node.opening, node.closing):
        if brace.provenance is Provenance.REPEATED:
            why = f"a brace of {known_word(head)} is given by {_giver(tree, brace)}"
            raise RefusedEdit(head.place, why, "change it there with the text editor")
        if brace.file is not head.file:
            why = f"{known_word(head)} begins here and has a brace in {brace.file.path}"
            raise RefusedEdit(head.place, why, "use the text editor")


def ensure_once(tree: Tree, file: SourceFile, node: Statement | None) -> None:
    """Raises RefusedEdit when `file` is read more than once: an edit would change every place."""
    opened = [found for found in tree.includes if file.path in found.files]
    times = sum(found.files.count(file.path) for found in opened)
    if file is tree.files[0]:
        times += 1
    if times > 1:
        places = ", ".join(str(found.statement.place) for found in opened[:5])
        raise RefusedEdit(
            Place(file.path, 1) if node is None else node.place,
            f"this file is included {times} times ({places}): all those places would change",
            "use the text editor when that is meant",
        )


def given_by(tree: Tree, statement: Statement, index: int) -> RefusedEdit:
    """Why word `index` of `statement`, which has no span, cannot be edited."""
    why = f"{known_word(statement)}: its value is given by {_giver(tree, statement)}"
    return RefusedEdit(statement.place, why, "change it there with the text editor")


def known_word(statement: Statement) -> str:
    """Its keyword for people; any other word may be a secret."""
    word = statement.words[0]
    return word.decode() if word in KNOWN_WORDS else "this"


def _giver(tree: Tree, statement: Statement) -> str:
    """What a line that is not written as it is comes from, with its place."""
    raw = statement.file.lines[statement.line - 1]
    bare = re.sub(rb"\A[ \t]*(?:@\S*[ \t]+)?", b"", raw)
    parts = []
    if bare.startswith((b"~SEQ", b"~LST")):
        parts.append(f"the {bare[:4].decode()} at {Place(statement.file.path, statement.line)}")
    for match in _USED.finditer(raw):
        name = match.group(1) or match.group(2)
        place = _definition(tree, name, statement)
        if place is not None:
            parts.append(f"${name.decode()}, defined at {place}")
    return " and ".join(dict.fromkeys(parts)) or "a repetition or definition"


def _definition(tree: Tree, name: bytes, user: Statement) -> Place | None:
    """Where `$name` was given its value before `user`; of several the last one read."""
    pattern = re.compile(rb"[ \t]*(?:@\S*[ \t]+)?\$" + re.escape(name) + rb"=")
    found = None
    for file in tree.files:
        for number, line in enumerate(file.lines, 1):
            if file is user.file and number >= user.line:
                break
            if pattern.match(line):
                found = Place(file.path, number)
    return found


FIRST_WINS = frozenset((b"notify_up", b"notify_down", b"quorum_up", b"quorum_down"))
"""Of these keywords the first counts, of every other the last (2.2.7, 2.4.3)."""


def effective(block: Block, keyword: bytes, *synonyms: bytes) -> Statement | None:
    """The statement of `keyword` (or a synonym) that counts; None when there is none."""
    if keyword in FIRST_WINS:
        return next(block.statements(keyword, *synonyms), None)
    return block.last(keyword, *synonyms)
