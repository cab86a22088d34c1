"""Random acts: what breaks, what somebody does by hand, what an operator does to his files.

An act is data, made from the seed alone, and can be done in any state: so acts can be left out.
"""

from __future__ import annotations

import random
import shlex
import sys
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

from lvstui.lab import LabError
from tests.labs import Lab
from tests.truth import topologies
from tests.truth.topologies import CHECK_TIMEOUT_S, DYNAMIC, DYNAMIC_TEXT, Member, Pool, Site

CONFIG = "/etc/keepalived/keepalived.conf"
ROOT = Path(__file__).parents[2]
SENDER = shlex.join(["env", f"PYTHONPATH={ROOT}", sys.executable, "-m", "tests.truth.sender"])
PID = "$(cat /run/keepalived.pid /run/keepalived/keepalived.pid 2>/dev/null)"


@dataclass(frozen=True, slots=True)
class Act:
    """One thing that is done; `kind` names a function of this module."""

    kind: str
    node: str = ""
    words: tuple[str, ...] = ()

    def settles_in_s(self, site: Site) -> float:
        """Seconds by which what follows from it has happened."""
        if self.kind in ("edit", "ipvsadm", "rotate", "freeze"):
            return 2.0
        if self.kind in ("hang", "unplug", "slow", "code", "reload"):
            return site.settles_in_s()
        # A master is missed after three adverts and less than a second.
        return max(4.5, site.settles_in_s() - CHECK_TIMEOUT_S)

    def __str__(self) -> str:
        return " ".join(word for word in (self.kind, self.node, *self.words) if word)


@dataclass
class World:
    """The lab, and what was done to it."""

    lab: Lab
    site: Site
    files: dict[str, Site] = field(default_factory=dict)
    """What each director's file says."""
    loaded: dict[str, Site] = field(default_factory=dict)
    """What its keepalived has read."""
    wrong: dict[str, Act] = field(default_factory=dict)
    """What is broken now, by what puts an end to it."""
    by_hand: dict[str, list[Act]] = field(default_factory=dict)
    """What somebody did to the table or the addresses of a director since keepalived began."""

    numbers: dict[str, int] = field(default_factory=dict)
    """What the tracked file of each director holds."""

    def __post_init__(self) -> None:
        for name in self.site.director_names:
            self.files[name] = self.loaded[name] = self.site
            self.by_hand[name] = []
            self.lab.write(name, DYNAMIC, DYNAMIC_TEXT, mode=0o755)
            self.numbers[name] = 0
        if self.site.second:
            for name in self.site.server_names:
                self.sh(name, f"ip addr add {topologies.SECOND_VIP}/32 dev lo")

    def sh(self, node: str, script: str) -> str:
        """Run it, whatever becomes of it."""
        done = self.lab.run(node, script, check=False, timeout=60)
        return done.stdout + done.stderr

    def fault(self, name: str, node: str = "", argument: str | None = None) -> None:
        """One of the lab's; where it makes no sense nothing happens."""
        try:
            self.lab.fault(name, node, argument)
        except LabError as error:
            if "does not answer" in str(error):
                raise

    def is_wrong(self, kind: str, node: str = "") -> bool:
        """Something of that kind is in force (on that node)."""
        return any(a.kind == kind and node in ("", a.node) for a in self.wrong.values())

    def write(self, node: str, site: Site) -> None:
        """Another file, which nobody has read yet."""
        number = self.site.director_names.index(node)
        self.lab.write(node, CONFIG, topologies.render(site, number))
        self.files[node] = site


Doing = Callable[[World, Act], None]
DOING: dict[str, Doing] = {}
"""How each act is done."""


def _doing(function: Doing) -> Doing:
    DOING[function.__name__.rstrip("_").replace("_", "-")] = function
    return function


def do(world: World, act: Act) -> None:
    """Do it, and remember."""
    DOING[act.kind](world, act)


# What breaks and is mended


def _pair(begin: str, end: str) -> None:
    """Two faults of the lab, the second of which ends the first."""

    def first(world: World, act: Act) -> None:
        world.fault(begin, act.node, act.words[0] if act.words else None)
        world.wrong[f"{end} {act.node}"] = act

    def second(world: World, act: Act) -> None:
        world.fault(end, act.node)
        world.wrong.pop(f"{end} {act.node}", None)

    DOING[begin], DOING[end] = first, second


for _begin, _end in (
    ("stop", "start"),
    ("hang", "start"),
    ("slow", "start"),
    ("unplug", "plug"),
    ("arp", "no-arp"),
    ("remove-vip", "add-vip"),
    ("split", "unsplit"),
):
    _pair(_begin, _end)


@_doing
def freeze(world: World, act: Act) -> None:
    """SIGSTOP to a child."""
    world.sh(act.node, f"kill -STOP $(cat /run/{act.words[0]}.pid)")
    world.wrong[f"thaw {act.node} {act.words[0]}"] = act


@_doing
def thaw(world: World, act: Act) -> None:
    """SIGCONT to a child."""
    world.sh(act.node, f"kill -CONT $(cat /run/{act.words[0]}.pid)")
    world.wrong.pop(f"thaw {act.node} {act.words[0]}", None)


@_doing
def clash(world: World, act: Act) -> None:
    """Adverts of somebody else for a VRID of ours: VRID, priority, VIPs."""
    script = f"{SENDER} {' '.join(act.words)} >/dev/null 2>&1 & echo $! > /run/sender.pid"
    world.sh(act.node, script)
    world.wrong[f"no-clash {act.node}"] = act


@_doing
def no_clash(world: World, act: Act) -> None:
    """They end."""
    world.sh(act.node, "kill $(cat /run/sender.pid)")
    world.wrong.pop(f"no-clash {act.node}", None)


@_doing
def code(world: World, act: Act) -> None:
    """The exit status of the check script with misc_dynamic: address, number."""
    for name in world.site.director_names:
        world.sh(name, f"echo {act.words[1]} > /etc/keepalived/code-{act.words[0]}")
    key = f"code all {act.words[0]} 0"
    world.wrong.pop(key, None)
    if act.words[1] != "0":
        world.wrong[key] = act


@_doing
def track(world: World, act: Act) -> None:
    """Another number in the tracked file."""
    world.sh(act.node, f"echo {act.words[0]} > {topologies.TRACKED}")
    world.numbers[act.node] = int(act.words[0])
    world.wrong.pop(f"track {act.node} 0", None)
    if act.words[0] != "0":
        world.wrong[f"track {act.node} 0"] = act


@_doing
def kill_child(world: World, act: Act) -> None:
    """SIGKILL: the parent starts it anew."""
    world.sh(act.node, f"kill -KILL $(cat /run/{act.words[0]}.pid)")
    world.wrong.pop(f"thaw {act.node} {act.words[0]}", None)


# keepalived


@_doing
def stop_keepalived(world: World, act: Act) -> None:
    """In order."""
    world.fault("stop-keepalived", act.node)
    world.sh(act.node, f"kill -TERM {PID}")
    _unfrozen(world, act.node)
    world.by_hand[act.node] = []
    world.wrong.pop(f"restart {act.node}", None)
    world.wrong[f"start-keepalived {act.node}"] = act


@_doing
def kill_keepalived(world: World, act: Act) -> None:
    """Table and VIP stay."""
    world.fault("kill-keepalived", act.node)
    _unfrozen(world, act.node)
    world.wrong[f"start-keepalived {act.node}"] = act


def _unfrozen(world: World, node: str) -> None:
    for key in [key for key in world.wrong if key.startswith(f"thaw {node} ")]:
        del world.wrong[key]
    world.sh(node, "kill -CONT $(cat /run/checkers.pid /run/vrrp.pid)")


@_doing
def start_keepalived(world: World, act: Act) -> None:
    """Unless it runs."""
    if not world.is_wrong("stop-keepalived", act.node) and not world.is_wrong(
        "kill-keepalived", act.node
    ):
        return
    world.fault("start-keepalived", act.node)
    world.loaded[act.node] = world.files[act.node]
    world.wrong.pop(f"start-keepalived {act.node}", None)


@_doing
def start_quietly(world: World, act: Act) -> None:
    """As a container does: its words go to its standard output, the log has those of before."""
    do(world, Act("stop-keepalived", act.node))
    world.sh(act.node, "sleep 2")
    command = "exec keepalived --dont-fork --log-console --dump-conf >/dev/null 2>&1"
    world.lab.spawn(act.node, command)
    world.loaded[act.node] = world.files[act.node]
    world.wrong.pop(f"start-keepalived {act.node}", None)
    world.wrong[f"restart {act.node}"] = act


@_doing
def reload_(world: World, act: Act) -> None:
    """SIGHUP."""
    if not world.is_wrong("stop-keepalived", act.node) and not world.is_wrong(
        "kill-keepalived", act.node
    ):
        world.sh(act.node, f"kill -HUP {PID}")
        world.loaded[act.node] = world.files[act.node]


@_doing
def rotate(world: World, act: Act) -> None:
    """The log is another file."""
    world.sh(act.node, "mv /var/log/syslog /var/log/syslog.1")


# By hand


@_doing
def ipvsadm(world: World, act: Act) -> None:
    """A command of ipvsadm."""
    said = world.sh(act.node, f"ipvsadm {' '.join(act.words)}")
    if not said.strip():
        world.by_hand[act.node].append(act)


@_doing
def del_vip(world: World, act: Act) -> None:
    """`ip addr del` of a VIP on a director."""
    if not world.sh(act.node, f"ip addr del {act.words[0]} dev eth0").strip():
        world.by_hand[act.node].append(act)
        world.wrong[f"restart {act.node}"] = act


@_doing
def restart(world: World, act: Act) -> None:
    """Stopped in order and started."""
    do(world, Act("stop-keepalived", act.node))
    world.sh(act.node, "sleep 2")
    do(world, Act("start-keepalived", act.node))
    world.by_hand[act.node] = []
    world.wrong.pop(f"restart {act.node}", None)


# Files


Edit = Callable[[random.Random, Site], Site]


def _pool(chance: random.Random, site: Site, change: Callable[[Pool], Pool]) -> Site:
    number = chance.randrange(len(site.pools))
    pools = list(site.pools)
    pools[number] = change(pools[number])
    return replace(site, pools=tuple(pools))


def _edit_weight(chance: random.Random, site: Site) -> Site:
    def change(pool: Pool) -> Pool:
        number = chance.randrange(len(pool.members))
        members = list(pool.members)
        members[number] = replace(members[number], weight=chance.choice((0, 1, 5, 20)))
        return replace(pool, members=tuple(members))

    return _pool(chance, site, change)


def _edit_less(chance: random.Random, site: Site) -> Site:
    def change(pool: Pool) -> Pool:
        kept = list(pool.members)
        if len(kept) > 1:
            del kept[chance.randrange(len(kept))]
        return replace(pool, members=tuple(kept))

    return _pool(chance, site, change)


def _edit_checks(chance: random.Random, site: Site) -> Site:
    def change(pool: Pool) -> Pool:
        kinds = ("dns", "udp", "misc") if pool.protocol == "udp" else ("tcp", "http", "misc")

        def one(member: Member) -> Member:
            return replace(member, checks=tuple(chance.sample(kinds, chance.randint(0, 2))))

        return replace(pool, members=tuple(map(one, pool.members)))

    return _pool(chance, site, change)


EDITS: dict[str, Edit] = {
    "weight": _edit_weight,
    "less": _edit_less,
    "checks": _edit_checks,
    "scheduler": lambda chance, site: _pool(
        chance, site, lambda pool: replace(pool, scheduler=chance.choice(("rr", "wrr", "wlc")))
    ),
    "persistence": lambda chance, site: _pool(
        chance, site, lambda pool: replace(pool, persistence=chance.choice((0, 60, 300)))
    ),
    "alpha": lambda chance, site: _pool(
        chance, site, lambda pool: replace(pool, alpha=not pool.alpha)
    ),
    "quorum": lambda chance, site: _pool(
        chance, site, lambda pool: replace(pool, quorum=chance.choice((1, 2, 11)), hysteresis=0)
    ),
    "sorry": lambda _, site: replace(
        site, pools=tuple(replace(pool, sorry="") for pool in site.pools)
    ),
    "rename": lambda chance, site: replace(site, instance=chance.choice(("VI", "LB", "EDGE"))),
    "priority": lambda chance, site: replace(site, priority=chance.choice((0, 2, 5))),
    "second": lambda _, site: replace(site, second=False, synced=site.synced and site.ipv6),
    "pool": lambda _, site: replace(site, pools=site.pools[:1]),
    "back": lambda _, site: site,
}


@_doing
def edit(world: World, act: Act) -> None:
    """Change the file: name of an edit, seed of its choices."""
    base = world.site if act.words[0] == "back" else world.files[act.node]
    world.write(act.node, EDITS[act.words[0]](random.Random(int(act.words[1])), base))
