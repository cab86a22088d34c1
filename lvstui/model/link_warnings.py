"""What the link shows that an operator should know: who else speaks for our addresses. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from lvstui.model.picture import (
    InstanceView,
    OwnersView,
    Picture,
    RivalView,
    Severity,
    StrayView,
    VridClash,
    Warning,
)
from lvstui.model.say import duration, plural

SHOWN = 3
"""Claimants, clients or addresses that are named; the others are counted."""


def some(words: tuple[str, ...]) -> str:
    """The first few of them, and how many there are besides."""
    left = len(words) - SHOWN
    return ", ".join(words[:SHOWN]) + (f" and {left} more" if left > 0 else "")


def link_warnings(picture: Picture) -> list[Warning]:
    """Second holders of a virtual address, real servers that speak for one, strays, clashes."""
    return [
        *_rivals(picture),
        *(_stray(stray, picture.at) for stray in picture.strays),
        *(warning for instance in picture.instances for warning in _adverts(instance)),
    ]


def who(mac: str, host: str) -> str:
    """`10.10.0.3 (02:…)`, the bare MAC of somebody unknown."""
    return f"{host} ({mac})" if host else mac


@dataclass(frozen=True, slots=True)
class OwnerLine:
    """Who answers for one virtual address, in a sentence."""

    address: str
    text: str
    good: bool
    """Exactly one host has it, as far as it was seen."""


def owner_lines(picture: Picture) -> list[OwnerLine]:
    """What came of the last question who has each virtual address."""
    return [_owner_line(owners, picture) for owners in picture.owners]


def _owner_line(view: OwnersView, picture: Picture) -> OwnerLine:
    vip = view.address
    if view.trouble:
        return OwnerLine(vip, f"{vip}: nobody could be asked: {view.trouble}", good=False)
    named = [who(mac, host) for mac, host in view.owners]
    wrong = {r.mac for r in picture.rivals if r.address == vip}
    if view.here:
        if not named:
            return OwnerLine(vip, f"{vip} is on this host, and nobody else answers", good=True)
        text = f"{vip} is on this host, and {', '.join(named)} answers as well"
        return OwnerLine(vip, text, good=False)
    if not named:
        return OwnerLine(vip, f"nobody answers for {vip}, and it is not on this host", good=False)
    if wrong:
        bad = ", ".join(who(mac, host) for mac, host in view.owners if mac in wrong)
        text = f"{', '.join(named)} answers for {vip}; of these must not or are too many: {bad}"
        return OwnerLine(vip, text, good=False)
    return OwnerLine(vip, f"{' = '.join(named)} answers for {vip}", good=True)


def _did(how: str) -> str:
    return how if how in ("announces", "advertises") else how.split(" ")[0]


def _heard(rival: RivalView, now: float) -> str:
    last = max(now - rival.last, 0.0)
    ago = f"last {duration(last)} ago" if last >= 1 else "just now"
    since = now - rival.first
    return f"for {duration(since)}, {ago}" if since >= 1 and since - last >= 1 else ago


def _rivals(picture: Picture) -> Iterator[Warning]:
    by_address: dict[tuple[str, bool], list[RivalView]] = {}
    for rival in picture.rivals:
        by_address.setdefault((rival.address, rival.server), []).append(rival)
    for (address, server), rivals in by_address.items():
        named = some(
            tuple(f"{who(r.mac, r.host)} {_did(r.how)} ({_heard(r, picture.at)})" for r in rivals)
        )
        speaks = "speaks NDP" if ":" in address else "speaks ARP"
        if server:
            text = (
                f"a real server {speaks} for {address}: {named}; whoever hears it sends its "
                "packets there, past the director"
            )
            ends = f"no real server {speaks} for {address} any more"
            id_ = f"leak {address}"
        elif rivals[0].here:
            text = (
                f"split brain: {address} is on this host, and somebody else {speaks} for it: "
                f"{named}"
            )
            ends = f"nobody else {speaks} for {address} any more"
            id_ = f"rival {address}"
        else:
            text = f"split brain: {len(rivals)} hosts answer for {address}: {named}"
            ends = f"one host answers for {address} again"
            id_ = f"rivals {address}"
        yield Warning(Severity.BAD, text, id=id_, ends=ends)


def _stray(stray: StrayView, now: float) -> Warning:
    clients = some(stray.clients) + (" and others" if stray.more else "")
    text = (
        f"packets for {stray.address} still arrive at this host, which does not hold it, and are "
        f"lost: from {clients}, since {duration(max(now - stray.since, 0.0))}; the MASTER should "
        "announce the address again (lvstui announce)"
    )
    ends = f"no more packets for {stray.address} arrive at this host"
    return Warning(Severity.BAD, text, id=f"stray {stray.address}", ends=ends)


def _adverts(instance: InstanceView) -> Iterator[Warning]:
    for clash in instance.clashes:
        text, ends = _clash(instance, clash)
        id_ = f"clash {instance.name} {clash.address}"
        yield Warning(Severity.BAD, text, id=id_, ends=ends)
    if not instance.own_heard:
        text = (
            f"{instance.name} is MASTER, and no advert of this host is heard on "
            f"{instance.interface}: another director will take over as well"
        )
        ends = f"{instance.name} sends adverts again"
        yield Warning(Severity.BAD, text, id=f"mute {instance.name}", ends=ends)


def _clash(instance: InstanceView, clash: VridClash) -> tuple[str, str]:
    theirs = some(clash.vips) or "no address"
    priority = f"priority {clash.priority}"
    if clash.peer:
        ours = plural(len(instance.vips), "other address", "other addresses")
        text = (
            f"the director {clash.address} announces {theirs} for VRID {instance.vrid} "
            f"({priority}), {instance.name} here has {ours}: the lists must be the same"
        )
        return text, f"{clash.address} announces nothing else for VRID {instance.vrid} any more"
    text = (
        f"another cluster uses VRID {instance.vrid} on {instance.interface}: {clash.address} "
        f"announces {theirs} ({priority}), which is not {instance.name}; give one of them "
        "another VRID"
    )
    return text, f"no other cluster is heard with VRID {instance.vrid} any more"
