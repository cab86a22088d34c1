"""VRRP instances, groups and what they track: what a changed one does to the VIPs.

At a reload keepalived knows an instance by virtual_router_id, family, interface, and whether and
from where it is unicast (vrrp_exist in vrrp.c, 2.2.7), not by its name.
"""

from __future__ import annotations

from lvstui.keepalived.diff.collect import Collector, lists
from lvstui.keepalived.diff.form import Impact
from lvstui.model.config import Configuration, ConfiguredInstance

BOTH = "both directors must have it at once"


def label(instance: ConfiguredInstance) -> str:
    """How the operator knows it."""
    return f"instance {instance.name}"


def compare_instances(before: Configuration, after: Configuration, to: Collector) -> None:
    """Everything about VRRP."""
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
            _renamed(instance, same[0], to)
    moved = _moved(before, after, to)
    for instance in gone:
        to.say(
            "instance-removed",
            Impact.CUTS,
            label(instance),
            f"this instance leaves: {_addresses(instance.vips)} go from here, priority 0 is sent "
            "and the other director takes over",
            before=instance.name,
            place=instance.place,
            gone=instance.place,
        )
    for instance in come:
        to.say(
            "instance-added",
            Impact.MOVES,
            label(instance),
            f"new instance: {_addresses(instance.vips)} on {instance.interface or 'no interface'}, "
            f"VRID {instance.vrid}, priority {instance.priority}",
            after=instance.name,
            place=instance.place,
            come=instance.place,
        )
    for was, now in pairs:
        _compare(was, now, moved, to)
    _groups(before, after, to)
    _tracking(before, after, to)
    _globals(before, after, to)


def _addresses(vips: tuple[str, ...]) -> str:
    return ", ".join(vips[:4]) + (f" and {len(vips) - 4} more" if len(vips) > 4 else "") or "no VIP"


def _renamed(old: ConfiguredInstance, new: ConfiguredInstance, to: Collector) -> None:
    to.say(
        "instance-renamed",
        Impact.WATCHES,
        label(new),
        f"was called {old.name}; what asks for it by name (groups, scripts, fifos) must follow",
        before=old.name,
        after=new.name,
        place=new.place,
        blocks=(new.place,),
        keywords="header",
    )
    to.pair(old.place, new.place)


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
        to.say(
            "vip-moved",
            Impact.CUTS,
            vip,
            f"moves from {label(home)} to {label(instance)}: keepalived needs two reloads (first "
            "take it out, then put it in), and both directors must have it",
            before=home.name,
            after=instance.name,
            place=instance.place,
            blocks=(now[vip].place, names.get(home.name)),
            keywords="virtual_ipaddress virtual_ipaddress_excluded",
        )
    return frozenset(moved)


def _compare(
    old: ConfiguredInstance, new: ConfiguredInstance, moved: frozenset[str], to: Collector
) -> None:
    subject, blocks = label(new), (new.place,)
    _vips(old, new, moved, to)
    for field, kind, impact, keywords, follows, word, tail in _FIELDS:
        was, now = getattr(old, field), getattr(new, field)
        if was == now:
            continue
        unit = " s" if field.endswith("_s") else ""
        text = f"{word} {_word(was)}{unit} → {_word(now)}{unit}"
        if kind == "priority":
            tail = (
                "; a BACKUP of higher priority does not take over (nopreempt)"
                if new.nopreempt
                else "; may fail over, the higher priority wins"
            )
        if kind == "source" and old.unicast_peers and new.unicast_peers:
            impact, tail = Impact.CUTS, _ANEW
        if kind == "advert-interval" and new.version == 2:
            impact, tail = Impact.CUTS, f"; with VRRP 2 {BOTH}, else both become MASTER"
        to.say(
            kind,
            impact,
            subject,
            text + tail,
            before=was,
            after=now,
            place=new.place,
            blocks=blocks,
            keywords=keywords,
            follows=follows,
        )
    gone, come = lists(old.unicast_peers, new.unicast_peers)
    for peer in gone:
        to.say(
            "unicast-peer-removed",
            Impact.CUTS,
            subject,
            f"adverts no longer go to {peer}",
            before=peer,
            place=new.place,
            blocks=blocks,
            keywords="unicast_peer",
        )
    for peer in come:
        to.say(
            "unicast-peer-added",
            Impact.MOVES,
            subject,
            f"adverts also go to {peer}",
            after=peer,
            place=new.place,
            blocks=blocks,
            keywords="unicast_peer",
        )
    if bool(old.unicast_peers) != bool(new.unicast_peers):
        to.say(
            "unicast",
            Impact.CUTS,
            subject,
            ("multicast → unicast" if new.unicast_peers else "unicast → multicast")
            + f": keepalived takes the instance down and makes it anew; {BOTH}",
            place=new.place,
            blocks=blocks,
            keywords="unicast_peer",
        )
    for field, keyword in (
        ("track_scripts", "track_script"),
        ("track_interfaces", "track_interface"),
        ("track_files", "track_file"),
        ("track_processes", "track_process"),
    ):
        gone, come = lists(getattr(old, field), getattr(new, field))
        for name in gone:
            to.say(
                "tracking",
                Impact.MOVES,
                subject,
                f"{keyword} {name} no longer counts",
                before=name,
                place=new.place,
                blocks=blocks,
                keywords=keyword,
            )
        for name in come:
            to.say(
                "tracking",
                Impact.MOVES,
                subject,
                f"{keyword} {name} counts: its failure lowers the priority or makes a fault",
                after=name,
                place=new.place,
                blocks=blocks,
                keywords=keyword,
            )
    was_told, now_told = dict(old.notify), dict(new.notify)
    for keyword in sorted({*was_told, *now_told}):
        if was_told.get(keyword) != now_told.get(keyword):
            to.say(
                "notify",
                Impact.WATCHES,
                subject,
                f"{keyword} {_word(was_told.get(keyword))} → {_word(now_told.get(keyword))}",
                before=was_told.get(keyword),
                after=now_told.get(keyword),
                place=new.place,
                blocks=blocks,
                keywords=keyword,
            )


_ANEW = f": keepalived takes the instance down and makes it anew; {BOTH}"
_FIELDS = (
    ("interface", "interface", Impact.CUTS, "interface", "", "interface", _ANEW),
    ("vrid", "vrid", Impact.CUTS, "virtual_router_id", "", "virtual_router_id", _ANEW),
    (
        "version",
        "version",
        Impact.CUTS,
        "version",
        "vrrp_version",
        "VRRP version",
        f"; {BOTH}, else both become MASTER",
    ),
    (
        "auth_type",
        "auth",
        Impact.CUTS,
        "authentication auth_hmac auth_type",
        "",
        "authentication of adverts",
        f"; {BOTH}, else both become MASTER",
    ),
    ("priority", "priority", Impact.MOVES, "priority", "", "priority", ""),
    (
        "advert_interval_s",
        "advert-interval",
        Impact.MOVES,
        "advert_int",
        "",
        "advert_int",
        "; better on both directors at once",
    ),
    (
        "state",
        "state",
        Impact.WATCHES,
        "state",
        "",
        "state",
        "; it counts when keepalived starts, a reload keeps who is MASTER",
    ),
    ("nopreempt", "nopreempt", Impact.MOVES, "nopreempt preempt", "", "nopreempt", ""),
    ("preempt_delay_s", "preempt-delay", Impact.WATCHES, "preempt_delay", "", "preempt_delay", ""),
    (
        "unicast_source",
        "source",
        Impact.MOVES,
        "mcast_src_ip unicast_src_ip",
        "",
        "source of adverts",
        "",
    ),
    (
        "skip_check_adv_addr",
        "skip-check",
        Impact.WATCHES,
        "skip_check_adv_addr",
        "vrrp_skip_check_adv_addr",
        "skip_check_adv_addr",
        "",
    ),
    ("strict", "strict", Impact.MOVES, "strict_mode", "vrrp_strict", "strict_mode", ""),
)


def _vips(
    old: ConfiguredInstance, new: ConfiguredInstance, moved: frozenset[str], to: Collector
) -> None:
    subject, blocks = label(new), (new.place,)
    split = new.version != 0 and not new.skip_check_adv_addr
    warn = (
        "; the adverts change: up to 2.3.2 the other director rejects them and becomes MASTER too "
        "until it has the same list"
        if split
        else ""
    )
    gone, come = lists(old.vips, new.vips)
    for vip in gone:
        if vip in moved:
            continue
        to.say(
            "vip-removed",
            Impact.CUTS,
            subject,
            f"VIP {vip} goes: its clients are cut off" + (warn if vip in old.advertised else ""),
            before=vip,
            place=new.place,
            blocks=blocks,
            keywords="virtual_ipaddress virtual_ipaddress_excluded",
        )
    for vip in come:
        if vip in moved:
            continue
        to.say(
            "vip-added",
            Impact.MOVES,
            subject,
            f"VIP {vip} comes" + (warn if vip in new.advertised else ""),
            after=vip,
            place=new.place,
            blocks=blocks,
            keywords="virtual_ipaddress virtual_ipaddress_excluded",
        )
    both = [vip for vip in new.vips if vip in old.vips]
    for vip in both:
        if (vip in old.advertised) != (vip in new.advertised):
            where = "adverts" if vip in new.advertised else "virtual_ipaddress_excluded"
            to.say(
                "vip-advertised",
                Impact.MOVES,
                subject,
                f"VIP {vip} goes to {where}{warn}",
                before=vip in old.advertised,
                after=vip in new.advertised,
                place=new.place,
                blocks=blocks,
                keywords="virtual_ipaddress virtual_ipaddress_excluded",
            )
    if set(old.advertised) == set(new.advertised) and len(old.advertised) != len(new.advertised):
        to.say(
            "vip-count",
            Impact.MOVES,
            subject,
            f"adverts list {len(old.advertised)} → {len(new.advertised)} addresses (one that is "
            f"written twice counts twice){warn}",
            before=len(old.advertised),
            after=len(new.advertised),
            place=new.place,
            blocks=blocks,
            keywords="virtual_ipaddress",
        )
    # One address may be listed twice, even with two prefixes.
    was: dict[str, list[tuple[int, str]]] = {}
    for listed in old.addresses:
        was.setdefault(listed.address, []).append((listed.prefix, listed.device))
    for address in new.addresses:
        known = was.get(address.address)
        before = known.pop(0) if known else None
        if before is not None and before != (address.prefix, address.device):
            to.say(
                "vip-changed",
                Impact.MOVES,
                subject,
                f"VIP {address.address}: /{before[0]} on {before[1]} → /{address.prefix} on "
                f"{address.device}; keepalived removes it and puts it anew",
                before=f"/{before[0]} {before[1]}",
                after=f"/{address.prefix} {address.device}",
                place=address.place,
                blocks=blocks,
                keywords="virtual_ipaddress virtual_ipaddress_excluded interface",
            )
    order = [vip for vip in dict.fromkeys(old.advertised) if vip in new.advertised]
    if order != [vip for vip in dict.fromkeys(new.advertised) if vip in old.advertised]:
        to.say(
            "vip-order",
            Impact.WATCHES,
            subject,
            "adverts list the VIPs in another order",
            before=old.advertised,
            after=new.advertised,
            place=new.place,
            blocks=blocks,
            keywords="virtual_ipaddress",
        )


def _word(value: object) -> str:
    if isinstance(value, bool):
        return "on" if value else "off"
    if isinstance(value, float):
        return f"{value:g}"
    return "none" if value in (None, "") else str(value)


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
        to.say(
            kind,
            Impact.MOVES,
            f"sync group {name}",
            f"{text}: which instances change state together",
            before=was,
            after=now,
        )
        to.everywhere.add(f"group of {name}")


def _tracking(before: Configuration, after: Configuration, to: Collector) -> None:
    sets = (
        (
            "vrrp_script",
            before.scripts,
            after.scripts,
            {
                "script": "script",
                "interval_s": "interval",
                "timeout_s": "timeout",
                "weight": "weight",
                "rise": "rise",
                "fall": "fall",
            },
        ),
        ("track_file", before.track_files, after.track_files, {"path": "file", "weight": "weight"}),
        (
            "vrrp_track_process",
            before.track_processes,
            after.track_processes,
            {"process": "process", "weight": "weight", "quorum": "quorum"},
        ),
    )
    for keyword, was, now, fields in sets:
        old = {item.name: item for item in was}
        new = {item.name: item for item in now}
        for name in dict.fromkeys((*old, *new)):
            a, b = old.get(name), new.get(name)
            subject = f"{keyword} {name}"
            if a is None or b is None:
                there = a or b
                to.say(
                    "tracked-removed" if b is None else "tracked-added",
                    Impact.WATCHES,
                    subject,
                    "is gone" if b is None else "is new",
                    place=there.place if there else None,
                    gone=a.place if a else None,
                    come=b.place if b else None,
                )
                continue
            for field, word in fields.items():
                x, y = getattr(a, field), getattr(b, field)
                if x != y:
                    moves = field == "weight"
                    to.say(
                        "tracked-weight" if moves else "tracked",
                        Impact.MOVES if moves else Impact.WATCHES,
                        subject,
                        f"{word} {_word(x)} → {_word(y)}",
                        before=x,
                        after=y,
                        place=b.place,
                        blocks=(b.place,),
                        keywords=word,
                    )


def _globals(before: Configuration, after: Configuration, to: Collector) -> None:
    for field, word in (
        ("router_id", "router_id"),
        ("notify_fifo", "notify_fifo"),
        ("vrrp_notify_fifo", "vrrp_notify_fifo"),
        ("lvs_notify_fifo", "lvs_notify_fifo"),
        ("enable_dbus", "enable_dbus"),
    ):
        was, now = getattr(before, field), getattr(after, field)
        if was != now:
            to.say(
                "global",
                Impact.WATCHES,
                "global_defs",
                f"{word} {_word(was)} → {_word(now)}",
                before=was,
                after=now,
                follows=word,
            )
