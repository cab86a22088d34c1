"""What decides who is MASTER: family, version, interval, priority, state and preemption.

Each of them follows the others where it is not set, and is reset where it does not go with them
(vrrp_parser.c and vrrp_complete_instance in vrrp.c, 2.2.7).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from lvstui.keepalived.text.tree import Block, Node, Statement
from lvstui.keepalived.text.values import Notes
from lvstui.model.keys import address_family

DEFAULT_PRIORITY = 100
OWNER = 255
"""Priority of the owner of an address."""
MIN_INTERVAL, MAX_INTERVAL = 0.01, 255.0
MAX_INTERVAL_3 = 40.95
"""Seconds; an advert of VRRP 3 has 12 bits of centiseconds for it."""
MAX_PREEMPT_DELAY = 1000.0


def advert_interval(line: Statement, notes: Notes) -> float | None:
    """advert_int; keepalived takes 0.01 to 255 s and ignores a line with anything else."""
    seconds = notes.seconds(line)
    if seconds is not None and not MIN_INTERVAL <= seconds <= MAX_INTERVAL:
        notes.say(line.place, "advert_int: 0.01 to 255 s are expected; line ignored")
        return None
    return seconds


def fitting_interval(block: Block, interval: float, version: int, notes: Notes) -> float:
    """The interval that adverts of this version can say."""
    if version == 3 and interval > MAX_INTERVAL_3:
        notes.say(block.place, f"VRRP 3 knows {MAX_INTERVAL_3:g} s at most: that is advert_int")
        return MAX_INTERVAL_3
    if version == 2 and interval != int(interval):
        interval = float(max(1, int(interval + 0.5)))
        notes.say(block.place, f"VRRP 2 knows whole seconds only: advert_int becomes {interval:g}")
    return interval


def family_and_version(block: Block, default: int, strict: bool, notes: Notes) -> tuple[int, int]:
    """4 or 6, and 2 or 3. What the first line says that says anything counts, so `version 2`
    stands behind an IPv6 address for nothing and before one for VRRP 2."""
    family = version = 0
    for child in block.children:
        if isinstance(child, Statement) and child.keyword == b"version":
            given = notes.number(child, 2, 3) or 0
            if (version and given and given != version) or (given == 2 and family == 6):
                notes.say(child.place, "version: another one is set already; line ignored")
            else:
                version = given or version
        elif isinstance(child, Statement) and child.keyword == b"native_ipv6":
            family = family or 6
            version = 3 if family == 6 else version
        else:
            family = family or _family(child, notes)
    family = family or 4
    if strict and family == 6 and version == 2:
        notes.say(block.place, "strict mode: IPv6 needs VRRP 3, keepalived takes that")
        version = 3
    return family, version or (3 if family == 6 else default)


def _family(child: Node, notes: Notes) -> int:
    """What one line or block says about the family; 0: nothing."""
    words: list[bytes] = []
    if isinstance(child, Block):
        if child.keyword in (b"virtual_ipaddress", b"unicast_peer"):
            words = [entry.words[0].partition(b"/")[0] for entry in child.statements()]
    elif child.keyword in (b"mcast_src_ip", b"unicast_src_ip", b"mcast_dst_ip"):
        words = list(child.words[1:2])
    found = next((address for word in words if (address := notes.address(word))), None)
    return address_family(found) if found else 0


@dataclass(frozen=True, slots=True)
class Election:
    """How an instance takes part."""

    priority: int
    """0: not set."""
    state: str
    """Empty: not set."""
    nopreempt: bool
    preempt_delay_s: float


def elect(block: Block, given: Election, strict: bool, ah: bool, notes: Notes) -> Election:
    """What keepalived makes of `given`. `ah`: adverts are authenticated by AH."""
    priority, state = given.priority, given.state
    if not priority:
        priority = OWNER if state == "MASTER" else DEFAULT_PRIORITY
        if priority == OWNER:
            notes.say(
                block.place, f"state MASTER without a priority: keepalived takes {OWNER} (owner)"
            )
    owner = "MASTER" if priority == OWNER else "BACKUP"
    if strict and state not in ("", owner):
        notes.say(
            block.place, f"strict mode: the state has to fit the priority, keepalived takes {owner}"
        )
        state = owner
    state = state or owner
    if ah and state == "MASTER" and priority != OWNER:
        notes.say(block.place, "state MASTER does not go with AH: keepalived takes BACKUP")
        state = "BACKUP"
    return _preemption(block, replace(given, priority=priority, state=state), strict, notes)


def _preemption(block: Block, given: Election, strict: bool, notes: Notes) -> Election:
    """nopreempt and preempt_delay as far as they go together with the rest."""
    nopreempt, delay = given.nopreempt, given.preempt_delay_s
    master = given.state == "MASTER"
    if nopreempt and (master or given.priority == OWNER):
        notes.say(block.place, "nopreempt needs state BACKUP: keepalived clears it")
        nopreempt = False
    if delay and (master or strict or nopreempt):
        notes.say(
            block.place,
            "preempt_delay does not go with state MASTER, strict mode or nopreempt: keepalived "
            "clears it",
        )
        delay = 0.0
    return replace(given, nopreempt=nopreempt, preempt_delay_s=delay)
