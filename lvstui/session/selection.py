"""What the cursor is in, and what can be done to it. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass

from lvstui.keepalived.edit import intent
from lvstui.keepalived.edit.intent import Intent
from lvstui.keepalived.edit.target import (
    NamedBlock,
    OfCheck,
    OfGlobals,
    OfNamed,
    OfServer,
    OfService,
)
from lvstui.keepalived.keywords import KNOWN_WORDS, ROOT, Keyword, walk
from lvstui.keepalived.meaning.effective.trace import TYPED
from lvstui.keepalived.text.lexer import strip
from lvstui.keepalived.text.shown import MASK
from lvstui.model.keys import ServerKey, ServiceKey
from lvstui.session.document import Document, FilePage
from lvstui.session.outline import NodeId, OutlineEntry

_FIRST = re.compile(rb"[ \t]*(?:@\S+[ \t]+)?([A-Za-z][A-Za-z0-9_-]*)")
_SETTING = re.compile(rb"[ \t]*(?:@\S+[ \t]+)?([A-Za-z][A-Za-z0-9_-]*)(?:[ \t]+([^{}]*))?$")


@dataclass(frozen=True, slots=True)
class Selection:
    """What the cursor is in; the innermost that is set counts."""

    service: ServiceKey | None = None
    server: ServerKey | None = None
    check: str = ""
    """Kind of the check."""
    number: int = 0
    """Of several of a kind, from 0."""
    block: str = ""
    """Keyword of another block: `vrrp_instance`, `vrrp_script`, `global_defs`."""
    name: str = ""
    """Of that block."""
    inside: str = ""
    """A block of plain values within it: `virtual_ipaddress`."""
    entry: str = ""
    """The entry of it."""

    @property
    def target(self) -> NamedBlock | None:
        """The block, for an edit of one of its values."""
        if self.service is not None:
            if self.server is None:
                return OfService(self.service)
            if not self.check:
                return OfServer(self.service, self.server)
            return OfCheck(self.service, self.server, self.check, self.number)
        if self.block == "global_defs":
            return OfGlobals()
        return OfNamed(self.block, self.name) if self.block and self.name else None

    @property
    def removal(self) -> tuple[str, Intent] | None:
        """What can be removed here, in words, and how."""
        if self.service is not None:
            if self.server is None:
                return f"service {self.service}", intent.RemoveService(self.service)
            who = f"{self.server} in {self.service}"
            if self.check:
                return f"{self.check} of {who}", intent.RemoveCheck(
                    self.service, self.server, self.check, self.number
                )
            return f"real server {who}", intent.RemoveServer(self.service, self.server)
        if self.block == "vrrp_instance":
            if self.entry and self.inside.startswith("virtual_ipaddress"):
                address = self.entry.split()[0]
                return f"VIP {address}", intent.RemoveVip(self.name, address)
            if self.entry and self.inside.startswith("track_"):
                name = self.entry.split()[0]
                return f"{self.inside} {name}", intent.Untrack(self.name, self.inside, name)
            if not self.inside:
                return f"instance {self.name}", intent.RemoveInstance(self.name)
        if self.block == "vrrp_script":
            return f"script {self.name}", intent.RemoveScript(self.name)
        return None


def spot_of(found: Document, id: NodeId | None) -> Selection:
    """The spot of a node of the outline."""
    if not id or len(id) < 2:
        return Selection()
    steps = [step for step in id[1:] if isinstance(step, int)]
    if id[0] == "services":
        service = found.configuration.services[steps[0]]
        if len(steps) < 2:
            return Selection(service.key)
        server = service.servers[steps[1]]
        if len(steps) < 3:
            return Selection(service.key, server.key)
        kind = server.checkers[steps[2]].kind
        number = sum(one.kind == kind for one in server.checkers[: steps[2]])
        return Selection(service.key, server.key, kind, number)
    if id[0] == "instances":
        name = found.configuration.instances[steps[0]].name
        inside = _labels(found.outline.instances[steps[0]], steps[1:])
        return Selection(
            block="vrrp_instance",
            name=name,
            inside=inside[0] if inside else "",
            entry=inside[1] if len(inside) > 1 else "",
        )
    if id[0] == "blocks":
        block = found.outline.blocks[steps[0]]
        return Selection(block=block.label, name=block.detail)
    return Selection()


def _labels(entries: tuple[OutlineEntry, ...], steps: list[int]) -> list[str]:
    labels = []
    for step in steps:
        labels.append(entries[step].label)
        entries = entries[step].entries
    return labels


def word_at(found: Document, page: FilePage, line: int) -> tuple[Keyword, str] | None:
    """The keyword on that line, and what keepalived takes for its value; empty when the typed view
    does not hold it, or when it is a secret."""
    raw = page.line(line)
    match = _FIRST.match(raw[: strip(raw).end])
    if match is None or line in page.unknown:
        return None
    id = found.node_at(page.path, line)
    spot = spot_of(found, id)
    names = [spot.block] if spot.block else ["virtual_server"] * bool(spot.service)
    names += ["real_server"] * (spot.server is not None) + [spot.check] * bool(spot.check)
    table = ROOT
    for name in names:
        table = (table[name.encode()].inner or {}) if name.encode() in table else {}
    word = match.group(1)
    keyword = next((k for k in walk(table) if k.name.encode() == word), ROOT.get(word))
    if keyword is None or keyword.secret:
        return None if keyword is None else (keyword, "")
    thing: object = None
    if id is not None and id[0] == "services":
        service = found.configuration.services[int(id[1])]
        server = service.servers[int(id[2])] if spot.server is not None else None
        thing = server.checkers[int(id[3])] if server and spot.check else server or service
    elif id is not None and id[0] == "instances":
        thing = found.configuration.instances[int(id[1])]
    value = getattr(thing, TYPED.get(keyword.name, keyword.name), None)
    if value is None or isinstance(value, tuple) or value == "":
        return keyword, ""
    if isinstance(value, bool):
        return keyword, "on" if value else "off"
    text = f"{value:g}" if isinstance(value, float) else str(value)
    return keyword, f"{text} {keyword.unit}".strip()


def setting_at(page: FilePage, line: int) -> tuple[str, str] | None:
    """Keyword and value of a line that sets one; the value is empty for a secret. None when the
    line opens a block, or says nothing that keepalived knows."""
    raw = page.line(line)
    end = strip(raw).end
    match = _SETTING.fullmatch(raw[:end])
    if match is None or match.group(1) not in KNOWN_WORDS:
        return None
    value = (match.group(2) or b"").strip()
    if MASK in value:
        value = b""
    text = value.decode("utf-8", "replace")
    if len(text) > 1 and text[0] == text[-1] == '"' and text.count('"') == 2:
        text = text[1:-1]
    return match.group(1).decode(), text
