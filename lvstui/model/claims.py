"""Who speaks for our virtual addresses on the wire, and whether he may. Pure; bounded.

Adverts tell who thinks that he is MASTER; ARP and neighbour discovery tell where the clients'
packets go. Only the latter show a second holder whose adverts do not arrive.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from lvstui.model.facts import AddressClaimed, OwnersSeen
from lvstui.model.picture import InstanceView, OwnersView, RivalView
from lvstui.model.vrrp import Advert, is_virtual_router

MACS = 16
"""Claimants of one address that are remembered, the newest."""
ADDRESSES = 4096
SERIES_S = 60.0
"""A claim after a longer silence begins anew."""
HOLDS_S = 600.0
"""A claim that nobody repeated and nobody disproved: how long it counts."""
LEAK_HOLDS_S = 120.0
"""The same of a real server, which a question does not disprove (it may answer none and still
speak for the address in questions of its own)."""
AGAIN_S = 10.0
"""While an alarm stands it is asked again after this time, to see its end."""
TAKEN_S = 30.0
"""How long after taking an address the question whether the old holder let go makes sense."""
AT_ONCE = 64
"""Addresses that are asked for in one go."""
_SETTLE_S = (0.3, 1.0)
_MACS = 256
_Value = TypeVar("_Value")


@dataclass(slots=True)
class _Claim:
    first: float
    last: float
    how: str
    hosts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Around:
    """What else decides about a claim."""

    instances: tuple[InstanceView, ...]
    moved: Callable[[str], float]
    """Epoch at which an address came to this host or left it; 0: before the first look."""
    servers: Mapping[str, str]
    """Real servers by address, and their names."""
    now: float


class Claims:
    """What was heard and answered about virtual addresses."""

    def __init__(self) -> None:
        self._heard: dict[str, dict[str, _Claim]] = {}
        self._answers: dict[str, tuple[OwnersSeen, float]] = {}
        self._senders: dict[str, str] = {}
        """MAC → address of who sent adverts: directors."""
        self._asked: dict[str, float] = {}
        self.pending = False
        """Something will be clear within a moment: look again soon."""

    # -- taking in

    def claimed(self, fact: AddressClaimed, at: float) -> None:
        self._take(fact.address, fact.mac, fact.how, fact.hosts, at)

    def owners(self, fact: OwnersSeen, at: float) -> None:
        """An answer is a claim; who does not answer has let go, if he ever claimed before."""
        _bound(self._answers)
        self._answers[fact.address] = fact, at
        self._asked[fact.address] = at
        if fact.trouble:
            return
        for owner in fact.owners:
            self._take(fact.address, owner.mac, "answers", owner.hosts, at)
        answered = {owner.mac for owner in fact.owners}
        known = self._heard.get(fact.address, {})
        for mac in [mac for mac in known if mac not in answered]:
            # A real server that keeps quiet when asked may still speak unasked.
            if not known[mac].how.startswith("asks"):
                del known[mac]

    def advert(self, advert: Advert) -> None:
        if advert.mac and not advert.outgoing and advert.priority:
            self._senders.pop(advert.mac, None)
            while len(self._senders) >= _MACS:
                del self._senders[next(iter(self._senders))]
            self._senders[advert.mac] = advert.source

    def asked(self, vips: Iterable[str], at: float) -> None:
        """The question is on its way."""
        for vip in vips:
            _bound(self._asked)
            self._asked[vip] = at

    def sends_adverts(self, mac: str) -> bool:
        """It is a director's."""
        return mac in self._senders

    def _take(self, address: str, mac: str, how: str, hosts: tuple[str, ...], at: float) -> None:
        _bound(self._heard)
        claims = self._heard.setdefault(address, {})
        before = claims.pop(mac, None)
        first = before.first if before is not None and at - before.last <= SERIES_S else at
        if before is not None and before.how == "answers" and how == "advertises":
            # The same answer as it was heard besides: IPv6 has one message for both.
            how = before.how
        if len(claims) >= MACS:
            del claims[next(iter(claims))]
        claims[mac] = _Claim(first, at, how, hosts or (before.hosts if before else ()))

    # -- giving out

    def rivals(self, around: Around) -> tuple[RivalView, ...]:
        """Who speaks for an address and must not, oldest first."""
        self.pending = False
        found: list[RivalView] = []
        for instance in around.instances:
            for vip in instance.vips:
                if vip in self._heard:
                    found += self._rivals_of(vip, instance, around)
        return tuple(sorted(found, key=lambda rival: (rival.first, rival.address, rival.mac)))

    def _rivals_of(self, vip: str, instance: InstanceView, around: Around) -> Iterable[RivalView]:
        here = vip in instance.vips_here
        settle = settle_s(instance)
        since = around.moved(vip) + settle if here else 0.0
        answers, asked_at = self._answers.get(vip, (None, 0.0))
        several = (
            answers is not None
            and asked_at >= around.moved(vip)
            and len(self._hosts(answers, around)) > 1
        )
        for mac, claim in self._heard[vip].items():
            host = self.host(mac, claim.hosts, around.servers)
            server = not self.sends_adverts(mac) and any(
                address in around.servers for address in claim.hosts
            )
            holds = LEAK_HOLDS_S if claim.how.startswith("asks") else HOLDS_S
            if around.now - claim.last > holds:
                continue
            counted = max(claim.first, since)
            if here and not server:
                if claim.last < since:
                    continue
                # The holder before us may just be about to let go.
                if not claim.how.startswith("answers") and around.now - counted < settle:
                    self.pending = True
                    continue
            elif not server and not (several and claim.last >= asked_at):
                continue
            yield RivalView(
                vip, mac, host, claim.how, counted, claim.last, here=here, server=server
            )

    def _hosts(self, answers: OwnersSeen, around: Around) -> set[str]:
        """The hosts that answered. One with a VMAC link answers with that link's MAC and with that
        of the interface below it, and all of them have the same virtual MAC."""
        owners = {
            self.host(owner.mac, owner.hosts, around.servers) or owner.mac
            for owner in answers.owners
            if not is_virtual_router(owner.mac)
        }
        return owners or {owner.mac for owner in answers.owners}

    def host(self, mac: str, hosts: Sequence[str], servers: Mapping[str, str]) -> str:
        """Who has that MAC: `rs2 (10.10.0.4)`, `10.10.0.3`; empty: nobody knows."""
        sender = self._senders.get(mac)
        if sender is not None:
            return sender
        for address in hosts:
            if address in servers:
                name = servers[address]
                return f"{name} ({address})" if name else address
        return hosts[0] if hosts else ""

    def answers(self, around: Around) -> tuple[OwnersView, ...]:
        """What came of the last question for each virtual address."""
        found = []
        for instance in around.instances:
            for vip in instance.vips:
                if vip not in self._answers:
                    continue
                fact, at = self._answers[vip]
                owners = tuple(
                    (owner.mac, self.host(owner.mac, owner.hosts, around.servers))
                    for owner in fact.owners
                )
                here = vip in instance.vips_here
                found.append(OwnersView(vip, at, here, owners, fact.trouble))
        return tuple(found)

    def questions(self, around: Around, rivals: Collection[RivalView]) -> tuple[str, ...]:
        """Virtual addresses of which it should be asked now who has them: each that is here at the
        first look; when it comes to this host, once the holder before must have let go; and while
        an alarm stands, so that it ends by evidence, too."""
        alarmed = {rival.address: rival.first for rival in rivals}
        wanted = []
        for instance in around.instances:
            settle = settle_s(instance)
            for vip in instance.vips_here:
                asked = self._asked.get(vip, 0.0)
                moved = around.moved(vip)
                age = around.now - moved
                if moved and asked < moved and age <= TAKEN_S:
                    if age >= settle:
                        wanted.append(vip)
                    else:
                        self.pending = True
                elif not (moved or asked) or (instance.others and around.now - asked >= AGAIN_S):
                    wanted.append(vip)
            for vip in instance.vips:
                asked = self._asked.get(vip, 0.0)
                began = alarmed.get(vip)
                if began is not None and (asked < began or around.now - asked >= AGAIN_S):
                    wanted.append(vip)
        return tuple(dict.fromkeys(wanted))[:AT_ONCE]


def settle_s(instance: InstanceView) -> float:
    """How long an address may be with two directors when it changes hands: about one interval."""
    low, high = _SETTLE_S
    return min(max(instance.advert_interval_s, low), high)


def _bound(book: dict[str, _Value]) -> None:
    if len(book) >= ADDRESSES:
        book.clear()
