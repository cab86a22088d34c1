"""Which acts come, from the seed alone; and how all of it is mended."""

from __future__ import annotations

import random

from tests.truth import topologies
from tests.truth.acts import EDITS, Act, World
from tests.truth.topologies import Pool, Site


def random_acts(chance: random.Random, site: Site, count: int) -> list[Act]:
    """That many."""
    acts: list[Act] = []
    open_: list[Act] = []
    while len(acts) < count:
        if open_ and chance.random() < 0.4:
            acts.append(open_.pop(chance.randrange(len(open_))))
            continue
        act, end = _choose(chance, site)
        acts.append(act)
        open_ += [end] if end is not None else []
    return acts


def _choose(chance: random.Random, site: Site) -> tuple[Act, Act | None]:
    director = chance.choice(site.director_names)
    server = chance.choice(site.server_names)
    pool = chance.choice(site.pools)

    def fault(begin: str, end: str, node: str, *words: str) -> tuple[Act, Act]:
        return Act(begin, node, words), Act(end, node)

    kind = chance.choices(
        tuple(_WEIGHTS), [0 if _cannot(k, site) else w for k, w in _WEIGHTS.items()]
    )[0]
    if kind in ("stop", "hang"):
        return fault(kind, "start", server, *((pool.name,) if chance.random() < 0.5 else ()))
    if kind in ("unplug-server", "unplug-director"):
        return fault("unplug", "plug", server if kind == "unplug-server" else director)
    if kind in ("arp", "remove-vip"):
        return fault(kind, {"arp": "no-arp", "remove-vip": "add-vip"}[kind], server)
    if kind == "split":
        return fault("split", "unsplit", "")
    if kind == "freeze":
        child = chance.choice(("checkers", "vrrp"))
        return Act("freeze", director, (child,)), Act("thaw", director, (child,))
    if kind == "clash":
        vrid = chance.choice((51, 51, 61)) if site.second else 51
        advert = (str(vrid), chance.choice(("50", "200")), "10.10.0.77")
        return Act("clash", server, advert), Act("no-clash", server)
    if kind in ("stop-keepalived", "kill-keepalived"):
        return Act(kind, director), Act("start-keepalived", director)
    if kind in ("restart", "start-quietly"):
        return Act(kind, director), None
    if kind == "kill-child":
        return Act(kind, director, (chance.choice(("checkers", "vrrp")),)), None
    if kind == "track":
        return Act(kind, director, (chance.choice(("1", "7", "60")),)), Act(kind, director, ("0",))
    if kind == "code":
        address = site.addresses(server)[0]
        words = (address, chance.choice(("1", "3", "22", "120")))
        return Act("code", "all", words), Act("code", "all", (address, "0"))
    if kind == "del-vip":
        return Act("del-vip", director, (f"{site.vips()[0]}/24",)), Act("restart", director)
    if kind == "ipvsadm":
        return Act("ipvsadm", director, _by_hand(chance, site, pool)), None
    if kind == "edit":
        names = tuple(name for name in EDITS if name != "back")
        named = (chance.choice(names), str(chance.randrange(1000)))
        return Act("edit", director, named), Act("reload", director)
    if kind == "edit-back":
        return Act("edit", director, ("back", "0")), Act("reload", director)
    return Act(kind, director), None


_WEIGHTS = {
    "stop": 5.0,
    "hang": 2.0,
    "unplug-server": 2.0,
    "unplug-director": 1.5,
    "arp": 1.0,
    "remove-vip": 1.5,
    "split": 1.5,
    "freeze": 2.0,
    "clash": 1.5,
    "stop-keepalived": 2.0,
    "kill-keepalived": 1.0,
    "restart": 2.5,
    "code": 3.0,
    "del-vip": 1.0,
    "ipvsadm": 5.0,
    "edit": 6.0,
    "edit-back": 1.5,
    "reload": 2.5,
    "rotate": 1.5,
    "start-quietly": 1.5,
    "kill-child": 1.0,
    "track": 6.0,
}


def _cannot(kind: str, site: Site) -> bool:
    if kind == "code":
        return not any("dynamic" in m.checks for pool in site.pools for m in pool.members)
    if kind in ("arp", "remove-vip"):
        return site.nat
    if kind == "clash":
        return site.unicast or site.version == 3
    if kind == "track":
        return not site.tracked
    return kind == "split" and site.directors == 1


_FLAGS = {"tcp": "-t", "udp": "-u", "fwmark": "-f"}


def _by_hand(chance: random.Random, site: Site, pool: Pool) -> tuple[str, ...]:
    name, family = chance.choice(topologies.services(site, pool))
    protocol, _, address = name.partition(" ")
    mark = address.removesuffix(" ipv6")
    service = (_FLAGS[protocol], mark, *(("-6",) if mark != address else ()))
    way = {"DR": "-g", "NAT": "-m", "TUN": "-i"}[pool.forward]
    member = chance.choice(pool.members).node
    server = topologies.socket_of(site, pool, member, family)
    if pool.fwmark:
        server = f"[{server}]:0" if family else f"{server}:0"
    kind = chance.choice(("weight", "weight", "zero", "scheduler", "foreign", "away", "service"))
    if kind in ("weight", "zero"):
        weight = "0" if kind == "zero" else chance.choice(("3", "77"))
        return ("-e", *service, "-r", server, way, "-w", weight)
    if kind == "scheduler":
        other = chance.choice([s for s in ("rr", "wlc", "sh") if s != pool.scheduler])
        more = ("-p", "77") if chance.random() < 0.4 else ()
        return ("-E", *service, "-s", other, *more)
    if kind == "foreign":
        unknown = "[fd00:10:10::99]" if family else "10.10.0.99"
        port = 0 if pool.fwmark else pool.port
        return ("-a", *service, "-r", f"{unknown}:{port}", way, "-w", "5")
    if kind == "away":
        return ("-d", *service, "-r", server)
    return ("-D", *service)


def calm(world: World) -> list[Act]:
    """What puts an end to all that is wrong: faults, files, and last the daemons."""
    acts = []
    for key in sorted(world.wrong):
        kind, _, rest = key.partition(" ")
        node, *words = rest.split() or [""]
        acts.append(Act(kind, node, tuple(words)))
    acts.sort(key=lambda act: act.kind in ("restart", "start-keepalived"))
    for name, site in world.files.items():
        if site != world.site:
            acts.insert(0, Act("edit", name, ("back", "0")))
    for name in world.site.director_names:
        stale = world.loaded[name] != world.site or world.files[name] != world.site
        if stale and Act("start-keepalived", name) not in acts:
            acts.append(Act("reload", name))
        if world.by_hand[name] and Act("restart", name) not in acts:
            acts.append(Act("restart", name))
    return acts
