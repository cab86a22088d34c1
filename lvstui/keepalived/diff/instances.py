"""VRRP instances, groups and what they track: what a changed one does to the VIPs.

At a reload keepalived knows an instance by virtual_router_id, family, interface, and whether and
from where it is unicast (vrrp_exist in vrrp.c, 2.2.7), not by its name.
"""

from __future__ import annotations

from dataclasses import replace

from lvstui.keepalived.diff.form import (
    CUTS,
    MOVES,
    WATCHES,
    About,
    Collector,
    Compared,
    only_in,
    word,
)
from lvstui.model.config import Configuration, ConfiguredInstance

BOTH = "both directors must have it at once"


def label(instance: ConfiguredInstance) -> str:
    """How the operator knows it."""
    return f"instance {instance.name}"


def compare_instances(before: Configuration, after: Configuration, to: Collector) -> None:
    old = {instance.name: instance for instance in before.instances}
    new = {instance.name: instance for instance in after.instances}
    pairs = [(old[name], new[name]) for name in new if name in old]
    gone = [instance for name, instance in old.items() if name not in new]
    come = [instance for name, instance in new.items() if name not in old]
    for instance in list(gone):
        same = [c for c in come if (c.vrid, c.interface) == (instance.vrid, instance.interface)]
        if len(same) == 1:
            gone.remove(instance)
            come.remove(same[0])
            pairs.append((instance, same[0]))
            to.about(label(same[0]), same[0].place).say(
                "instance-renamed",
                WATCHES,
                f"was called {instance.name}; what asks for it by name (groups, scripts, fifos) "
                "must follow",
                "header",
                before=instance.name,
                after=same[0].name,
            )
            to.pair(instance.place, same[0].place)
    moved = _moved(before, after, to)
    for instance in gone:
        to.about(label(instance), instance.place).say(
            "instance-removed",
            CUTS,
            f"this instance leaves: {_addresses(instance.vips)} go from here, priority 0 is sent "
            "and the other director takes over",
            before=instance.name,
            gone=instance.place,
        )
    for instance in come:
        to.about(label(instance), instance.place).say(
            "instance-added",
            MOVES,
            f"new instance: {_addresses(instance.vips)} on {instance.interface or 'no interface'}, "
            f"VRID {instance.vrid}, priority {instance.priority}",
            after=instance.name,
            come=instance.place,
        )
    for was, now in pairs:
        _compare(was, now, moved, to)
    _groups(before, after, to)
    _tracking(before, after, to)
    to.about("global_defs").fields(_GLOBALS, before, after)


def _addresses(vips: tuple[str, ...]) -> str:
    return ", ".join(vips[:4]) + (f" and {len(vips) - 4} more" if len(vips) > 4 else "") or "no VIP"


_LISTS = "virtual_ipaddress virtual_ipaddress_excluded"


def _moved(before: Configuration, after: Configuration, to: Collector) -> frozenset[str]:
    """VIPs that leave one instance for another."""
    was = {vip: instance for instance in before.instances for vip in instance.vips}
    now = {vip: instance for instance in after.instances for vip in instance.vips}
    names = {instance.name: instance.place for instance in after.instances}
    moved = []
    for vip, instance in now.items():
        home = was.get(vip)
        if home is None or home.name == instance.name or home.name not in names:
            continue
        if instance.name not in {other.name for other in before.instances}:
            continue
        moved.append(vip)
        to.about(vip, instance.place, names[home.name]).say(
            "vip-moved",
            CUTS,
            f"moves from {label(home)} to {label(instance)}: keepalived needs two reloads (first "
            "take it out, then put it in), and both directors must have it",
            _LISTS,
            before=home.name,
            after=instance.name,
        )
    return frozenset(moved)


_ANEW = f": keepalived takes the instance down and makes it anew; {BOTH}"
_TWICE = f"{BOTH}, else both become MASTER"
_FIELDS = (
    Compared("interface", CUTS, tail=_ANEW),
    Compared("vrid", CUTS, "virtual_router_id", tail=_ANEW),
    Compared("version", CUTS, "VRRP version", "version", f"; {_TWICE}", follows="vrrp_version"),
    Compared(
        "auth_type",
        CUTS,
        "authentication of adverts",
        "authentication auth_hmac auth_type",
        f"; {_TWICE}",
        kind="auth",
    ),
    Compared("priority", MOVES, tail="; may fail over, the higher priority wins"),
    Compared(
        "advert_interval_s",
        MOVES,
        "advert_int",
        tail="; better on both directors at once",
        unit=" s",
        kind="advert-interval",
    ),
    Compared(
        "state", WATCHES, tail="; it counts when keepalived starts, a reload keeps who is MASTER"
    ),
    Compared("nopreempt", MOVES, keywords="nopreempt preempt"),
    Compared("preempt_delay_s", WATCHES, "preempt_delay", unit=" s", kind="preempt-delay"),
    Compared(
        "unicast_source", MOVES, "source of adverts", "mcast_src_ip unicast_src_ip", kind="source"
    ),
    Compared("skip_check_adv_addr", WATCHES, follows="vrrp_skip_check_adv_addr", kind="skip-check"),
    Compared("strict", MOVES, "strict_mode", follows="vrrp_strict"),
)


def _judged(field: Compared, old: ConfiguredInstance, new: ConfiguredInstance) -> Compared:
    """What a change of `field` means for this instance."""
    if field.name == "priority" and new.nopreempt:
        tail = "; a BACKUP of higher priority does not take over (nopreempt)"
        return replace(field, tail=tail)
    if field.name == "unicast_source" and old.unicast_peers and new.unicast_peers:
        return replace(field, impact=CUTS, tail=_ANEW)
    if field.name == "advert_interval_s" and new.version == 2:
        return replace(field, impact=CUTS, tail=f"; with VRRP 2 {_TWICE}")
    return field


def _compare(
    old: ConfiguredInstance, new: ConfiguredInstance, moved: frozenset[str], to: Collector
) -> None:
    about = to.about(label(new), new.place)
    _vips(old, new, moved, about)
    about.fields((_judged(field, old, new) for field in _FIELDS), old, new)
    about.entries(
        old.unicast_peers,
        new.unicast_peers,
        "unicast_peer",
        ("unicast-peer-removed", CUTS, "adverts no longer go to {}"),
        ("unicast-peer-added", MOVES, "adverts also go to {}"),
    )
    if bool(old.unicast_peers) != bool(new.unicast_peers):
        way = "multicast → unicast" if new.unicast_peers else "unicast → multicast"
        about.say("unicast", CUTS, way + _ANEW, "unicast_peer")
    for keyword in ("track_script", "track_interface", "track_file", "track_process"):
        fails = "counts: its failure lowers the priority or makes a fault"
        names = "track_processes" if keyword == "track_process" else f"{keyword}s"
        about.entries(
            getattr(old, names),
            getattr(new, names),
            keyword,
            ("tracking", MOVES, f"{keyword} {{}} no longer counts"),
            ("tracking", MOVES, f"{keyword} {{}} {fails}"),
        )
    was_told, now_told = dict(old.notify), dict(new.notify)
    for keyword in sorted({*was_told, *now_told}):
        was, now = was_told.get(keyword), now_told.get(keyword)
        if was != now:
            text = f"{keyword} {word(was)} → {word(now)}"
            about.say("notify", WATCHES, text, keyword, before=was, after=now)


def _vips(
    old: ConfiguredInstance, new: ConfiguredInstance, moved: frozenset[str], about: About
) -> None:
    split = new.version != 0 and not new.skip_check_adv_addr
    warn = (
        "; the adverts change: up to 2.3.2 the other director rejects them and becomes MASTER too "
        "until it has the same list"
        if split
        else ""
    )
    for vip in only_in(old.vips, new.vips):
        if vip not in moved:
            tail = warn if vip in old.advertised else ""
            text = f"VIP {vip} goes: its clients are cut off{tail}"
            about.say("vip-removed", CUTS, text, _LISTS, before=vip)
    for vip in only_in(new.vips, old.vips):
        if vip not in moved:
            tail = warn if vip in new.advertised else ""
            about.say("vip-added", MOVES, f"VIP {vip} comes{tail}", _LISTS, after=vip)
    for vip in new.vips:
        was, now = vip in old.advertised, vip in new.advertised
        if vip in old.vips and was != now:
            where = "adverts" if now else "virtual_ipaddress_excluded"
            text = f"VIP {vip} goes to {where}{warn}"
            about.say("vip-advertised", MOVES, text, _LISTS, before=was, after=now)
    counts = len(old.advertised), len(new.advertised)
    if set(old.advertised) == set(new.advertised) and counts[0] != counts[1]:
        about.say(
            "vip-count",
            MOVES,
            f"adverts list {counts[0]} → {counts[1]} addresses (one that is written twice counts "
            f"twice){warn}",
            "virtual_ipaddress",
            before=counts[0],
            after=counts[1],
        )
    # One address may be listed twice, even with two prefixes.
    known: dict[str, list[tuple[int, str]]] = {}
    for listed in old.addresses:
        known.setdefault(listed.address, []).append((listed.prefix, listed.device))
    for address in new.addresses:
        waiting = known.get(address.address)
        before = waiting.pop(0) if waiting else None
        if before is not None and before != (address.prefix, address.device):
            about.say(
                "vip-changed",
                MOVES,
                f"VIP {address.address}: /{before[0]} on {before[1]} → /{address.prefix} on "
                f"{address.device}; keepalived removes it and puts it anew",
                f"{_LISTS} interface",
                before=f"/{before[0]} {before[1]}",
                after=f"/{address.prefix} {address.device}",
                place=address.place,
            )
    order = [vip for vip in dict.fromkeys(old.advertised) if vip in new.advertised]
    if order != [vip for vip in dict.fromkeys(new.advertised) if vip in old.advertised]:
        about.say(
            "vip-order",
            WATCHES,
            "adverts list the VIPs in another order",
            "virtual_ipaddress",
            before=old.advertised,
            after=new.advertised,
        )


def _groups(before: Configuration, after: Configuration, to: Collector) -> None:
    old, new = dict(before.sync_groups), dict(after.sync_groups)
    for name in dict.fromkeys((*old, *new)):
        was, now = old.get(name), new.get(name)
        if was == now:
            continue
        if was is None or now is None:
            members = ", ".join(was or now or ()) or "no instance"
            how = "is new" if was is None else "is gone"
            text = f"the group of {members} {how}"
            kind = "sync-group-added" if was is None else "sync-group-removed"
        else:
            text = f"members {', '.join(was)} → {', '.join(now)}"
            kind = "sync-group"
        text += ": which instances change state together"
        to.about(f"sync group {name}").say(kind, MOVES, text, before=was, after=now)
        to.everywhere.add(f"group of {name}")


_WEIGHT = Compared("weight", MOVES, kind="tracked-weight")
_TRACKED = (
    (
        "vrrp_script",
        "scripts",
        (
            Compared("script", WATCHES, kind="tracked"),
            Compared("interval_s", WATCHES, "interval", kind="tracked"),
            Compared("timeout_s", WATCHES, "timeout", kind="tracked"),
            _WEIGHT,
            Compared("rise", WATCHES, kind="tracked"),
            Compared("fall", WATCHES, kind="tracked"),
        ),
    ),
    ("track_file", "track_files", (Compared("path", WATCHES, "file", kind="tracked"), _WEIGHT)),
    (
        "vrrp_track_process",
        "track_processes",
        (
            Compared("process", WATCHES, kind="tracked"),
            _WEIGHT,
            Compared("quorum", WATCHES, kind="tracked"),
        ),
    ),
)
"""Keyword, the field of the configuration that has them, and their own fields."""


def _tracking(before: Configuration, after: Configuration, to: Collector) -> None:
    for keyword, things, fields in _TRACKED:
        old = {item.name: item for item in getattr(before, things)}
        new = {item.name: item for item in getattr(after, things)}
        for name in dict.fromkeys((*old, *new)):
            subject = f"{keyword} {name}"
            if name not in new:
                place = old[name].place
                to.about(subject, place).say("tracked-removed", WATCHES, "is gone", gone=place)
            elif name not in old:
                place = new[name].place
                to.about(subject, place).say("tracked-added", WATCHES, "is new", come=place)
            else:
                to.about(subject, new[name].place).fields(fields, old[name], new[name])


_GLOBALS = tuple(
    Compared(name, WATCHES, follows=name, kind="global")
    for name in ("router_id", "notify_fifo", "vrrp_notify_fifo", "lvs_notify_fifo", "enable_dbus")
)
