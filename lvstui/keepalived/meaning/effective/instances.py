"""The values of VRRP instances, sync groups, what they track, and of global_defs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial

from lvstui.keepalived.keywords import ROOT, Version
from lvstui.keepalived.meaning.effective.trace import Level, entries, others, trace, typed, written
from lvstui.keepalived.meaning.effective.value import Origin, Plain, Section, Value
from lvstui.keepalived.meaning.election import OWNER
from lvstui.keepalived.text.shown import HIDDEN
from lvstui.keepalived.text.tree import Block, Statement, Tree
from lvstui.keepalived.text.values import Notes, shown
from lvstui.model.config import ConfiguredInstance, ConfiguredScript, TrackedFile, TrackedProcess

_INSTANCE = ROOT[b"vrrp_instance"].inner or {}
_GLOBAL = ROOT[b"global_defs"].inner or {}
_WHY = {
    "state": "it does not go with the rest",
    "advert_int": "VRRP 2 knows whole seconds only, VRRP 3 at most 40.95",
    "nopreempt": "needs state BACKUP",
    "preempt_delay": "not with state MASTER, strict_mode or nopreempt",
    "skip_check_adv_addr": "keepalived takes `off` for on",
}
"""What makes keepalived take something else than a line says."""
_TRACKED = ("track_interface", "track_script", "track_file", "track_process", "track_bfd")
_ADDRESSES = ("virtual_ipaddress", "virtual_ipaddress_excluded", "unicast_peer")
_PACE = (
    "garp_master_delay",
    "garp_master_repeat",
    "garp_master_refresh",
    "garp_master_refresh_repeat",
    "garp_lower_prio_delay",
    "garp_lower_prio_repeat",
    "down_timer_adverts",
)
"""What an instance takes from global_defs, under the same name behind `vrrp_`, unless it says
otherwise."""
_STRICT_PACE = {"garp_lower_prio_delay": 0, "garp_lower_prio_repeat": 0, "down_timer_adverts": 3}
"""What strict mode makes of it, whatever is written."""


def instance_section(
    block: Block, instance: ConfiguredInstance, everywhere: tuple[Block, ...], version: Version
) -> Section:
    """One vrrp_instance; `everywhere` are the global_defs blocks."""
    i = instance
    # Of several global_defs the last line counts.
    outside = [Level(b, _GLOBAL, "global_defs", by_word=True) for b in reversed(everywhere)]
    levels = (Level(block, _INSTANCE), *outside)
    absent = {
        "state": "priority 255" if i.state == "MASTER" else "",
        "priority": "state MASTER without a priority: owner" if i.priority == OWNER else "",
        "version": "3 for IPv6" if i.version == 3 else "",
        "source": "the address of the interface",
    }
    values = typed(
        "state interface virtual_router_id priority advert_int version nopreempt preempt_delay "
        "skip_check_adv_addr strict_mode source",
        i,
        levels,
        _WHY,
        absent,
    )
    if i.sync_group:
        values.append(Value("sync_group", i.sync_group, Origin.WRITTEN))
    values += _authentication(block, i, version)
    values += [trace(notify, path or None, levels) for notify, path in i.notify]
    for name in _PACE:
        if i.strict and name in _STRICT_PACE:
            why = "as strict_mode wants it"
            values.append(trace(name, _STRICT_PACE[name], levels[:1], why=why, absent=why))
        else:
            values.append(_pace(name, levels))
    named = {
        "virtual_ipaddress": i.advertised,
        "virtual_ipaddress_excluded": i.excluded,
        "unicast_peer": i.unicast_peers,
        "track_script": i.track_scripts,
        "track_file": i.track_files,
        "track_process": i.track_processes,
    }
    for keyword in (*_ADDRESSES, *_TRACKED, "virtual_routes", "virtual_rules"):
        values += entries(block, keyword, partial(_counts, named.get(keyword)))
    values += others(block, _INSTANCE, values, version)
    return Section("instance", i.name, block.place, tuple(values))


def _counts(known: tuple[str, ...] | None, entry: Statement) -> bool:
    """Whether the typed view has this entry; `known` is None where it holds none of the kind."""
    first = entry.words[0]
    address = Notes().address(first.partition(b"/")[0])
    return known is None or shown(first) in known or address in known


def _pace(name: str, levels: Sequence[Level]) -> Value:
    """What is written for `name`, else for the keyword that its default names, else the default."""
    keyword = _GLOBAL[f"vrrp_{name.removeprefix('vrrp_')}".encode()]
    default = keyword.default
    if not default.isdigit():
        outside = [replace(level, alias=default) for level in levels if level.table is _GLOBAL]
        levels = (*levels, *outside)
        default = _GLOBAL[default.encode()].default
    found = written(name, levels)
    effective = max(int(keyword.low), found) if isinstance(found, int) else int(default)
    why = f"at least {keyword.low:g}"
    return trace(name, effective, levels, why=why, unit=keyword.unit)


def _authentication(block: Block, instance: ConfiguredInstance, version: Version) -> list[Value]:
    written = secret = None
    for inner in block.blocks(b"authentication", b"auth_hmac"):
        for line in inner.statements(b"auth_type"):
            written = line.word_place(1) if len(line.words) > 1 else line.place
        for line in inner.statements(b"auth_pass", b"key"):
            secret = line.place
        written = written or inner.place
    kind = instance.auth_type or None
    origin = Origin.WRITTEN if written else Origin.DEFAULT
    why = ""
    if kind == "HMAC" and version < (2, 4, 0):
        why = "auth_hmac is known from 2.4.0 on"
        return [Value("authentication", None, Origin.ADJUSTED, written, why)]
    if kind is None and written is not None:
        origin = Origin.ADJUSTED
        why = "VRRP 3 knows no password" if instance.version == 3 else "without password or type"
    values = [Value("authentication", kind, origin, written, why)]
    if secret is not None:
        values.append(Value("auth_pass", HIDDEN, Origin.WRITTEN, secret))
    return values


def group_section(block: Block, members: tuple[str, ...], version: Version) -> Section:
    """One vrrp_sync_group."""
    values: list[Value] = []
    for inner in block.blocks(b"group"):
        for entry in inner.statements():
            for index, raw in enumerate(entry.words):
                if (member := shown(raw)) in members:
                    place = entry.word_place(index)
                    values.append(Value("group", member, Origin.WRITTEN, place))
    for keyword in _TRACKED:
        values += entries(block, keyword)
    values += others(block, ROOT[b"vrrp_sync_group"].inner or {}, (), version)
    return Section("sync-group", shown(block.header.words[1]), block.place, tuple(values))


def tracked_section(
    block: Block, found: ConfiguredScript | TrackedFile | TrackedProcess, version: Version
) -> Section:
    """One vrrp_script, track_file or vrrp_track_process."""
    table = ROOT[block.keyword].inner or {}
    levels = (Level(block, table),)
    if isinstance(found, ConfiguredScript):
        kind = "script"
        values = typed("script interval", found, levels)
        if found.timeout_s:
            values.append(trace("timeout", found.timeout_s, levels))
        else:
            absent = "as long as interval"
            values.append(trace("timeout", found.interval_s, (), absent=absent, unit="s"))
        values += typed("weight rise fall", found, levels)
    elif isinstance(found, TrackedFile):
        kind, values = "track-file", typed("file weight", found, levels)
    else:
        kind, values = "track-process", typed("process weight quorum", found, levels)
    values += others(block, table, values, version)
    return Section(kind, found.name, block.place, tuple(values))


def global_section(tree: Tree, version: Version) -> Section:
    """global_defs, several of them together, and what stands outside every block."""
    blocks = tuple(tree.blocks(b"global_defs"))
    found: dict[str, Value] = {}
    for block in blocks:
        found |= {value.keyword: value for value in others(block, _GLOBAL, (), version)}
    levels = [Level(block, _GLOBAL, by_word=True) for block in reversed(blocks)]
    for name in _PACE:
        found.setdefault(f"vrrp_{name}", _pace(f"vrrp_{name}", levels))
    usual: dict[str, Plain] = {"vrrp_version": 2, "vrrp_strict": False}
    usual |= {"vrrp_skip_check_adv_addr": False, "enable_dbus": False}
    for name, default in usual.items():
        found.setdefault(name, Value(name, default, Origin.DEFAULT))
    values = list(found.values())
    for block in blocks:
        values += entries(block, "notification_email")
    values += others(tree, ROOT, (), version)
    place = blocks[0].place if blocks else None
    return Section("globals", "global_defs", place, tuple(values))
