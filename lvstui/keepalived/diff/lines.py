"""Differences that the typed view does not know: line by line, so that none is ever silent."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from lvstui.keepalived.diff.form import CUTS, WATCHES, Collector
from lvstui.keepalived.keywords import ROOT, SECRET_BLOCKS, Keyword, Keywords, ValueKind
from lvstui.keepalived.text.shown import HIDDEN, value_of
from lvstui.keepalived.text.tree import Block, Node, Statement, Tree
from lvstui.keepalived.text.values import shown
from lvstui.model.config import Place

_AUTH = frozenset((b"authentication", b"auth_hmac", b"auth_type", b"auth_pass"))
_SHOWN_LINES = 4

_Key = tuple[tuple[bytes, ...], int]
"""What a block is known by, and the how many-th of those it is."""


@dataclass(frozen=True, slots=True)
class _Where:
    """The block whose lines are compared."""

    title: str
    places: tuple[Place, ...]
    """Its own and those of the blocks around it, in the new configuration."""
    inner: Keywords | None
    entries: ValueKind | None
    secret: bool
    keyword: bytes = b""
    name: str = ""

    @property
    def values(self) -> bool:
        """It holds plain entries."""
        return self.entries is not None


def compare_lines(before: Tree, after: Tree, to: Collector) -> None:
    """Every line that differs and that `to` does not tell of."""
    where = _Where("outside every block", (), ROOT, None, False)
    count = len(to.found)
    same = _nodes(before.root, after.root, where, to)
    if same and len(to.found) == count and not _equal(before, after):
        text = "the same lines stand in another order"
        to.about("the configuration").say("order", WATCHES, text)


def _equal(before: Tree, after: Tree) -> bool:
    old = [statement.words for statement in before.walk()]
    return old == [statement.words for statement in after.walk()]


def _key(block: Block) -> tuple[bytes, ...]:
    """What a block is known by: its header, without what keepalived ignores behind the name."""
    words = block.header.words
    return words[:3] if words[0] in (b"virtual_server", b"real_server") else words[:2]


def _nodes(before: tuple[Node, ...], after: tuple[Node, ...], where: _Where, to: Collector) -> bool:
    """Compare the children of one block; True when only their order may differ."""
    same = _statements(before, after, where, to)
    old, new = _numbered(before), _numbered(after)
    for old_key, new_key in _paired(old, new, to):
        same &= _blocks(old.pop(old_key), new.pop(new_key), where, to)
    for key in dict.fromkeys((*old, *new)):
        was, now = old.get(key), new.get(key)
        if was is None or now is None:
            there = was or now
            assert there is not None
            _one_sided(there, was is None, where, to)
            same = False
        else:
            same &= _blocks(was, now, where, to)
    return same


def _numbered(nodes: tuple[Node, ...]) -> dict[_Key, Block]:
    count: Counter[tuple[bytes, ...]] = Counter()
    found: dict[_Key, Block] = {}
    for node in nodes:
        if isinstance(node, Block):
            key = _key(node)
            count[key] += 1
            found[key, count[key]] = node
    return found


def _paired(
    old: Mapping[_Key, Block], new: Mapping[_Key, Block], to: Collector
) -> list[tuple[_Key, _Key]]:
    """Blocks whose headers differ and that are the same service, server or instance."""
    by_place = {block.place: key for key, block in new.items() if key not in old}
    found = []
    for key, block in old.items():
        if key in new or block.place not in to.paired:
            continue
        other = by_place.pop(to.paired[block.place], None)
        if other is not None and new[other].keyword == block.keyword:
            found.append((key, other))
    return found


def _inside(block: Block, where: _Where, *places: Place) -> _Where:
    word = block.keyword
    keyword = (where.inner or {}).get(word)
    own = _title(block)
    return _Where(
        own if where.keyword == b"" else f"{own} of {where.title}",
        (*where.places, *places),
        keyword.inner if keyword else None,
        keyword.entries if keyword and block.value_block else None,
        where.secret or bool(keyword and keyword.secret),
        word,
        shown(block.header.words[1]) if len(block.header.words) > 1 else where.name,
    )


def _title(block: Block) -> str:
    words = block.header.words
    named = words[1:3] if words[0] in (b"virtual_server", b"real_server") else words[1:2]
    if words[0] in SECRET_BLOCKS:
        named = ()
    return " ".join((words[0].decode("ascii", "replace"), *map(shown, named)))


def _blocks(was: Block, now: Block, where: _Where, to: Collector) -> bool:
    inside = _inside(now, where, now.place)
    same = was.header.words == now.header.words
    if not same:
        _line(inside, b"header", [was.header], [now.header], to)
    if (was.closing is None) != (now.closing is None) or (
        (was.opening is None) != (now.opening is None)
    ):
        same = False
        _say(inside, now.place, "its braces", "", "", to)
    return _nodes(was.children, now.children, inside, to) and same


def _one_sided(block: Block, new: bool, where: _Where, to: Collector) -> None:
    """A block that only one side has."""
    if block.place in (to.come if new else to.gone) or _told(where, block.keyword, to):
        return
    inside = _inside(block, where, block.place)
    members = {b"vrrp_sync_group": "group of ", b"virtual_server_group": "members of "}
    if f"{members.get(block.keyword, '')}{inside.name}" in to.everywhere:
        return
    impact = CUTS if block.keyword in _AUTH else WATCHES
    kind, text = ("block-added", "is new") if new else ("block-removed", "is gone")
    to.about(inside.title, block.place).say(kind, impact, text)


def _told(where: _Where, keyword: bytes, to: Collector) -> bool:
    word = keyword.decode("ascii", "replace")
    if any(to.tells(place, word) for place in where.places):
        return True
    if where.keyword == b"global_defs":
        return word in to.everywhere
    if keyword == b"group":
        return f"group of {where.name}" in to.everywhere
    if keyword == b"virtual_server_group":
        return f"members of {where.name}" in to.everywhere
    return False


def _statements(
    before: tuple[Node, ...], after: tuple[Node, ...], where: _Where, to: Collector
) -> bool:
    old, new = _by_keyword(before, where.values), _by_keyword(after, where.values)
    same = True
    for keyword in dict.fromkeys((*old, *new)):
        was, now = old.get(keyword, []), new.get(keyword, [])
        # Of two lines the last counts, so their order is a value; that of entries is not.
        old_words, new_words = [s.words for s in was], [s.words for s in now]
        if old_words == new_words or (where.values and Counter(old_words) == Counter(new_words)):
            continue
        same = False
        _line(where, keyword, was, now, to)
    return same


def _by_keyword(nodes: tuple[Node, ...], values: bool) -> Mapping[bytes, list[Statement]]:
    found: dict[bytes, list[Statement]] = {}
    for node in nodes:
        if isinstance(node, Statement):
            found.setdefault(b"" if values else node.words[0], []).append(node)
    return found


def _line(
    where: _Where, keyword: bytes, was: list[Statement], now: list[Statement], to: Collector
) -> None:
    """One keyword of one block whose lines differ."""
    own = where.keyword if where.values else keyword
    told = _told(where, own, to)
    if told and not where.values:
        return
    if where.values:
        old, new = Counter(s.words for s in was), Counter(s.words for s in now)
        was = [s for s in was if s.words in old - new]
        now = [s for s in now if s.words in new - old]
        if told:
            # Of entries that came or went others tell; an entry with other options is left.
            both = {s.words[0] for s in was} & {s.words[0] for s in now}
            was = [s for s in was if s.words[0] in both]
            now = [s for s in now if s.words[0] in both]
            if not was:
                return
    known = (where.inner or {}).get(keyword)
    place = (now or was)[0].place
    shows = keyword != b"header" and known is not None
    what = _name(keyword, where, known)
    before = _text(was, where, known if shows else None)
    after = _text(now, where, known if shows else None)
    _say(where, place, what, before, after, to, own, bool(was), bool(now))


def _name(keyword: bytes, where: _Where, known: Keyword | None) -> str:
    if where.values:
        return "entries"
    if keyword == b"header":
        return "what stands behind its name"
    if known is None:
        # It may be a password that lost its keyword.
        return "a line that keepalived does not know"
    return keyword.decode("ascii")


def _text(lines: list[Statement], where: _Where, known: Keyword | None) -> str:
    if where.secret or (known is not None and known.secret):
        return HIDDEN if lines else ""
    kind = where.entries or (known.kind if known is not None else None)
    shown_lines = [value_of(line, kind, where.values) for line in lines[:_SHOWN_LINES]]
    if len(lines) > _SHOWN_LINES:
        shown_lines.append(f"and {len(lines) - _SHOWN_LINES} more")
    return ", ".join(text for text in shown_lines if text)


def _say(
    where: _Where,
    place: Place,
    what: str,
    before: str,
    after: str,
    to: Collector,
    keyword: bytes = b"",
    was: bool = True,
    now: bool = True,
) -> None:
    kind, impact, tail = "line", WATCHES, ""
    known = (where.inner or {}).get(keyword)
    if known is not None and known.restart:
        kind, impact = "needs-restart", CUTS
        tail = ": a reload can not change it and is refused; a restart gives up the VIPs"
    elif known is not None and known.at_start:
        tail = ": in force when keepalived starts"
    elif where.keyword in _AUTH or keyword in _AUTH or where.secret:
        kind, impact = "auth", CUTS
        tail = ": both directors must have it at once, else both become MASTER"
        if where.keyword == b"SSL":
            kind, impact, tail = "line", WATCHES, ""
    if HIDDEN in (before, after) and was and now:
        change = f"{what} changed"
    elif not was:
        change = f"{what} {after or 'set'} (was not there)" if after else f"{what} is set"
    elif not now:
        change = f"{what} {before} is gone" if before else f"{what} is no longer set"
    elif before or after:
        change = f"{what} {before or 'none'} → {after or 'none'}"
    else:
        change = f"{what} changed"
    to.about(where.title, place).say(kind, impact, change + tail, before=before, after=after)
