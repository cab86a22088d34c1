"""The values of VRRP instances, sync groups, what they track, and of global_defs.

Defaults that the typed view does not hold are those of global_data.c and vrrp.c (2.2.7 to 2.4.3).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial

from lvstui.keepalived.keywords import ROOT, Keywords
from lvstui.keepalived.meaning.effective.trace import (
    Level,
    Plain,
    Read,
    address,
    adverts,
    count,
    entries,
    flag,
    number,
    others,
    script,
    seconds,
    trace,
    word,
)
from lvstui.keepalived.meaning.effective.value import Origin, Section, Value
from lvstui.keepalived.meaning.election import OWNER
from lvstui.keepalived.text.shown import HIDDEN
from lvstui.keepalived.text.tree import Block, Statement, Tree
from lvstui.keepalived.text.values import Notes, shown
from lvstui.model.config import ConfiguredInstance, ConfiguredScript, TrackedFile, TrackedProcess

_INSTANCE: Keywords = ROOT[b"vrrp_instance"].inner or {}
_TRACKED = (b"track_interface", b"track_script", b"track_file", b"track_process", b"track_bfd")
_ADDRESSES = (b"virtual_ipaddress", b"virtual_ipaddress_excluded", b"unicast_peer")
_ROUTES = (b"virtual_routes", b"virtual_rules")


@dataclass(frozen=True, slots=True)
class _Garp:
    """A number that an instance takes from global_defs unless it says otherwise."""

    keyword: bytes
    outer: bytes
    default: float
    read: Read
    unit: str = ""
    fallback: bytes = b""
    """The keyword of global_defs that counts when `outer` is not there."""
    low: int = 0
    """keepalived takes it for anything smaller."""
    strict: float | None = None
    """What strict mode makes of it, whatever is written."""


_GARP = (
    _Garp(b"garp_master_delay", b"vrrp_garp_master_delay", 5, count, "s"),
    _Garp(b"garp_master_repeat", b"vrrp_garp_master_repeat", 5, count, low=1),
    _Garp(b"garp_master_refresh", b"vrrp_garp_master_refresh", 0, count, "s"),
    _Garp(b"garp_master_refresh_repeat", b"vrrp_garp_master_refresh_repeat", 1, count, low=1),
    _Garp(
        b"garp_lower_prio_delay",
        b"vrrp_garp_lower_prio_delay",
        5,
        count,
        "s",
        fallback=b"vrrp_garp_master_delay",
        strict=0,
    ),
    _Garp(
        b"garp_lower_prio_repeat",
        b"vrrp_garp_lower_prio_repeat",
        5,
        count,
        fallback=b"vrrp_garp_master_repeat",
        strict=0,
    ),
    _Garp(b"down_timer_adverts", b"vrrp_down_timer_adverts", 3, adverts, strict=3),
)


def instance_section(
    block: Block,
    instance: ConfiguredInstance,
    everywhere: tuple[Block, ...],
    version: tuple[int, ...],
) -> Section:
    """One vrrp_instance; `everywhere` are the global_defs blocks."""

    def own(*keywords: bytes) -> tuple[Level, ...]:
        return (Level(block, keywords),)

    def with_global(keyword: bytes, outer: bytes) -> tuple[Level, ...]:
        # Of several global_defs the last line counts.
        title = f"global_defs {outer.decode()}"
        return (*own(keyword), *(Level(b, (outer,), title) for b in reversed(everywhere)))

    i = instance
    values = [
        trace(
            "state",
            i.state,
            own(b"state"),
            word,
            why="it does not go with the rest",
            absent="priority 255" if i.state == "MASTER" else "",
        ),
        trace("interface", i.interface or None, own(b"interface"), word),
        trace("virtual_router_id", i.vrid, own(b"virtual_router_id"), number),
        trace(
            "priority",
            i.priority,
            own(b"priority"),
            number,
            absent="state MASTER without a priority: owner" if i.priority == OWNER else "",
        ),
        trace(
            "advert_int",
            i.advert_interval_s,
            own(b"advert_int"),
            seconds,
            unit="s",
            why="VRRP 2 knows whole seconds only, VRRP 3 at most 40.95",
        ),
        trace(
            "version",
            i.version,
            with_global(b"version", b"vrrp_version"),
            number,
            absent="3 for IPv6" if i.version == 3 else "",
        ),
        _preempt(block, i),
        trace(
            "preempt_delay",
            i.preempt_delay_s,
            own(b"preempt_delay"),
            seconds,
            unit="s",
            why="not with state MASTER, strict_mode or nopreempt",
        ),
        trace(
            "skip_check_adv_addr",
            i.skip_check_adv_addr,
            with_global(b"skip_check_adv_addr", b"vrrp_skip_check_adv_addr"),
            flag,
            why="keepalived takes `off` for on",
        ),
        trace("strict_mode", i.strict, with_global(b"strict_mode", b"vrrp_strict"), flag),
        trace(
            "source",
            i.unicast_source or None,
            own(b"mcast_src_ip", b"unicast_src_ip"),
            address,
            absent="the address of the interface",
        ),
    ]
    if i.sync_group:
        values.append(Value("sync_group", i.sync_group, Origin.WRITTEN))
    values += _authentication(block, i, version)
    for notify, path in i.notify:
        values.append(trace(notify, path or None, own(notify.encode()), script))
    values += _garp(i, with_global)
    for keyword in (*_ADDRESSES, *_TRACKED, *_ROUTES):
        values += entries(block, keyword, partial(_counts, i, keyword))
    done = {value.keyword for value in values} | {"mcast_src_ip", "unicast_src_ip", "preempt"}
    values += others(block, _INSTANCE, done, version)
    return Section("instance", i.name, block.place, tuple(values))


def _counts(instance: ConfiguredInstance, keyword: bytes, entry: Statement) -> bool:
    """Whether the typed view has this entry."""
    first = entry.words[0]
    named = {
        b"track_script": instance.track_scripts,
        b"track_file": instance.track_files,
        b"track_process": instance.track_processes,
    }
    if keyword in named:
        return shown(first) in named[keyword]
    addresses = {
        b"virtual_ipaddress": instance.advertised,
        b"virtual_ipaddress_excluded": instance.excluded,
        b"unicast_peer": instance.unicast_peers,
    }
    if keyword in addresses:
        return Notes().address(first.partition(b"/")[0]) in addresses[keyword]
    return True


def _preempt(block: Block, instance: ConfiguredInstance) -> Value:
    def read(line: Statement) -> Plain:
        return line.words[0] == b"nopreempt"

    levels = (Level(block, (b"nopreempt", b"preempt")),)
    return trace("nopreempt", instance.nopreempt, levels, read, why="needs state BACKUP")


def _authentication(
    block: Block, instance: ConfiguredInstance, version: tuple[int, ...]
) -> Iterator[Value]:
    written = None
    secret = None
    for inner in block.blocks(b"authentication", b"auth_hmac"):
        for line in inner.statements(b"auth_type"):
            written = line.word_place(1) if len(line.words) > 1 else line.place
        for line in inner.statements(b"auth_pass", b"key"):
            secret = line.place
        written = written or inner.place
    kind = instance.auth_type or None
    if instance.auth_type == "HMAC" and version < (2, 4, 0):
        yield Value(
            "authentication", None, Origin.ADJUSTED, written, "auth_hmac is known from 2.4.0 on"
        )
        return
    if kind is None and written is not None:
        why = "VRRP 3 knows no password" if instance.version == 3 else "without password or type"
        yield Value("authentication", None, Origin.ADJUSTED, written, why)
    else:
        origin = Origin.WRITTEN if written else Origin.DEFAULT
        yield Value("authentication", kind, origin, written)
    if secret is not None:
        yield Value("auth_pass", HIDDEN, Origin.WRITTEN, secret)


def _garp(
    instance: ConfiguredInstance, with_global: Callable[[bytes, bytes], tuple[Level, ...]]
) -> Iterator[Value]:
    for item in _GARP:
        levels = with_global(item.keyword, item.outer)
        if item.fallback:
            levels = (*levels, *with_global(item.fallback, item.fallback)[1:])
        name = item.keyword.decode()
        if instance.strict and item.strict is not None:
            why = "as strict_mode wants it"
            yield trace(
                name, item.strict, levels[:1], item.read, unit=item.unit, why=why, absent=why
            )
            continue
        found = _written(levels, item.read)
        effective: Plain = item.default
        if isinstance(found, int):
            effective = max(item.low, found)
        why = f"at least {item.low}"
        yield trace(name, effective, levels, item.read, unit=item.unit, why=why)


def _written(levels: Iterable[Level], read: Read) -> Plain:
    """What the innermost level says that says something; of its lines the last."""
    for level in levels:
        values = [
            v for line in level.block.statements(*level.keywords) if (v := read(line)) is not None
        ]
        if values:
            return values[-1]
    return None


def group_section(block: Block, members: tuple[str, ...], version: tuple[int, ...]) -> Section:
    """One vrrp_sync_group."""
    name = shown(block.header.words[1])
    values: list[Value] = []
    for inner in block.blocks(b"group"):
        for entry in inner.statements():
            for index, raw in enumerate(entry.words):
                member = shown(raw)
                if member in members:
                    place = entry.word_place(index)
                    values.append(Value("group", member, Origin.WRITTEN, place))
    for keyword in _TRACKED:
        values += entries(block, keyword)
    values += others(block, ROOT[b"vrrp_sync_group"].inner, (), version)
    return Section("sync-group", name, block.place, tuple(values))


def script_section(block: Block, found: ConfiguredScript, version: tuple[int, ...]) -> Section:
    """One vrrp_script."""

    def own(keyword: bytes) -> tuple[Level, ...]:
        return (Level(block, (keyword,)),)

    values = [
        trace("script", found.script, own(b"script"), script),
        trace("interval", found.interval_s, own(b"interval"), seconds, unit="s"),
        _timeout(block, found),
        trace("weight", found.weight, own(b"weight"), number),
        trace("rise", found.rise, own(b"rise"), number),
        trace("fall", found.fall, own(b"fall"), number),
    ]
    done = {value.keyword for value in values}
    values += others(block, ROOT[b"vrrp_script"].inner, done, version)
    return Section("script", found.name, block.place, tuple(values))


def _timeout(block: Block, found: ConfiguredScript) -> Value:
    levels = (Level(block, (b"timeout",)),)
    if found.timeout_s:
        return trace("timeout", found.timeout_s, levels, seconds, unit="s")
    return Value("timeout", found.interval_s, Origin.DEFAULT, None, "as long as interval", "s")


def file_section(block: Block, found: TrackedFile, version: tuple[int, ...]) -> Section:
    """One track_file."""
    values = [
        trace("file", found.path, (Level(block, (b"file",)),), word),
        trace("weight", found.weight, (Level(block, (b"weight",)),), number),
    ]
    values += others(block, ROOT[b"track_file"].inner, ("file", "weight"), version)
    return Section("track-file", found.name, block.place, tuple(values))


def process_section(block: Block, found: TrackedProcess, version: tuple[int, ...]) -> Section:
    """One vrrp_track_process."""
    values = [
        trace("process", found.process, (Level(block, (b"process",)),), script),
        trace("weight", found.weight, (Level(block, (b"weight",)),), number),
        trace("quorum", found.quorum, (Level(block, (b"quorum",)),), number),
    ]
    done = {value.keyword for value in values}
    values += others(block, ROOT[b"vrrp_track_process"].inner, done, version)
    return Section("track-process", found.name, block.place, tuple(values))


def global_section(tree: Tree, version: tuple[int, ...]) -> Section:
    """global_defs, several of them together, and what stands outside every block."""
    inner = ROOT[b"global_defs"].inner or {}
    blocks = tuple(tree.blocks(b"global_defs"))
    found: dict[str, Value] = {}
    for block in blocks:
        for value in others(block, inner, (), version):
            found[value.keyword] = value
    values = list(found.values())
    for item in _GARP:
        if item.outer.decode() not in found:
            outer = next((b for b in reversed(blocks) if any(b.statements(item.fallback))), None)
            if item.fallback and outer is not None:
                level = Level(outer, (item.fallback,), item.fallback.decode())
                effective = _written((level,), item.read)
                made = trace(item.outer.decode(), effective, (level,), item.read, unit=item.unit)
                values.append(
                    Value(
                        made.keyword,
                        effective,
                        Origin.INHERITED,
                        made.place,
                        level.title,
                        item.unit,
                    )
                )
            else:
                values.append(
                    Value(item.outer.decode(), item.default, Origin.DEFAULT, None, "", item.unit)
                )
    if "vrrp_version" not in found:
        values.append(Value("vrrp_version", 2, Origin.DEFAULT))
    values += [
        Value(keyword, False, Origin.DEFAULT)
        for keyword in ("vrrp_strict", "vrrp_skip_check_adv_addr", "enable_dbus")
        if keyword not in found
    ]
    for block in blocks:
        values += entries(block, b"notification_email")
    values += others(tree, ROOT, (), version)
    place = blocks[0].place if blocks else None
    return Section("globals", "global_defs", place, tuple(values))
