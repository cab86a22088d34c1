"""What an operator should know of the way that packets take, and what of it nobody looked at."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from operator import itemgetter

from lvstui.model.connections import Handshakes, StrandedFlows
from lvstui.model.keys import ServerKey, ServiceKey, join_port
from lvstui.model.picture import InstanceView, Picture, ServiceView, Severity, Warning
from lvstui.model.say import duration, plural

SIBLINGS = 3
"""Named in one text."""
SETTLED_S = 3.0
"""Between becoming MASTER and having the addresses."""
MARKS = 8
_NODEST = "net.ipv4.vs.expire_nodest_conn"


def packet_warnings(picture: Picture) -> list[Warning]:
    """Servers that drop what they are handed, flows to servers that are gone, VIPs nowhere."""
    services = {service.key: service for service in picture.services}
    return [
        *_black_holes(picture, services),
        *_climbs(picture, services),
        *_stranded(picture, services),
        *_nowhere(picture),
    ]


def never_established(seen: Handshakes, name: Callable[[ServerKey], str]) -> str:
    """`56 of 59 connections of the last 10 s never got established; rs1 1 of 12`."""
    text = f"{seen.never} of {plural(seen.of, 'connection')} of the last {seen.window_s} s "
    text += "never got established"
    if seen.siblings:
        shown = [f"{name(server)} {n} of {of}" for server, n, of in seen.siblings[:SIBLINGS]]
        more = len(seen.siblings) - len(shown)
        text += "; " + ", ".join(shown) + (f" and {more} more" if more else "")
    return text


def _black_holes(picture: Picture, services: Mapping[ServiceKey, ServiceView]) -> Iterator[Warning]:
    for (key, server), seen in sorted(picture.packets.handshakes.items(), key=itemgetter(0)):
        service = services.get(key)
        if not seen.lost or service is None:
            continue
        labels = {view.key: view.label for view in service.servers}
        method = next((v.forwarding for v in service.servers if v.key == server), "")

        def name(one: ServerKey, labels: Mapping[ServerKey, str] = labels) -> str:
            return labels.get(one, str(one))

        why = "it does not answer: its way back, or a filter"
        if method in ("DR", "TUN"):
            vip = key.address or "the VIP"
            why = f"it drops what comes for {vip}: is the VIP on it, does a filter drop it?"
        text = f"{name(server)} in {key}: {never_established(seen, name)}; {why}"
        yield Warning(Severity.BAD, text, key, server, f"handshakes {key} {server}")


def _climbs(picture: Picture, services: Mapping[ServiceKey, ServiceView]) -> Iterator[Warning]:
    for (key, server), climb in sorted(picture.packets.climbs.items(), key=itemgetter(0)):
        service, seen = services.get(key), picture.packets.handshakes.get((key, server))
        if service is None or (seen is not None and seen.lost):
            continue
        labels = {view.key: view.label for view in service.servers}
        shown = [f"{labels.get(one, one)} {count}" for one, count in climb.siblings[:SIBLINGS]]
        text = (
            f"{labels.get(server, server)} in {key}: active connections climb away from the "
            f"others': {climb.before} → {climb.now} in {duration(climb.seconds)}; "
            f"{', '.join(shown)}: does it answer what it accepts?"
        )
        yield Warning(Severity.WARN, text, key, server, f"climbs {key} {server}")


def _stranded(picture: Picture, services: Mapping[ServiceKey, ServiceView]) -> Iterator[Warning]:
    if picture.sysctl(_NODEST) == "1":
        # The next packet of each is scheduled anew.
        return
    for flows in picture.packets.stranded:
        key = _service_of(flows)
        service = services.get(key)
        if service is not None and service.vip_here is False:
            continue
        if not flows.living and flows.protocol == "udp":
            # A client that asks once, from a new port each time, does not mind.
            continue
        label = _label(service, flows.server)
        many = plural(flows.living or flows.entries, "connection")
        text = (
            f"{key}: {many} of clients still {'go' if flows.living != 1 else 'goes'} to {label}, "
            f"which is in the service no more: dropped until they expire; sysctl {_NODEST}=1 "
            "gives them to another server"
        )
        severity = Severity.WARN if flows.living else Severity.INFO
        yield Warning(severity, text, key, flows.server, f"stranded {key} {flows.server}")


def _service_of(flows: StrandedFlows) -> ServiceKey:
    virtual = flows.virtual
    return ServiceKey(flows.protocol, virtual.address, virtual.port, 0, virtual.family)


def _label(service: ServiceView | None, server: ServerKey) -> str:
    for view in service.servers if service is not None else ():
        if view.key.address == server.address and view.name:
            return view.name
    return join_port(server.address, server.port)


def _nowhere(picture: Picture) -> Iterator[Warning]:
    """VIPs of services that this MASTER takes no packets for, and that no instance brings."""
    if not any(_settled_master(instance, picture.at) for instance in picture.instances):
        return
    brought = {vip for instance in picture.instances for vip in instance.vips}
    found: dict[str, list[ServiceKey]] = {}
    for service in picture.services:
        address = service.key.address
        if (
            service.in_kernel
            and service.vip_here is False
            and picture.packets.local.get(address) is False
            and address not in brought
            and not _has_traffic(service)
        ):
            found.setdefault(address, []).append(service.key)
    for address, keys in found.items():
        more = f" and {plural(len(keys) - 1, 'more service')}" if len(keys) > 1 else ""
        text = (
            f"{address} of {keys[0]}{more} is on no interface of this MASTER, no local route "
            "covers it, and no vrrp_instance has it: no packet for it is taken"
        )
        yield Warning(Severity.WARN, text, keys[0], None, f"nowhere {address}")


def _settled_master(instance: InstanceView, now: float) -> bool:
    since = instance.since
    return instance.state == "MASTER" and (since is None or now - since >= SETTLED_S)


def _has_traffic(service: ServiceView) -> bool:
    rates = service.rates
    return rates is not None and (rates.connections > 0 or rates.packets_in > 0)


def marks_not_looked_at(picture: Picture) -> list[str]:
    """Firewall marks of which nobody can say that anything sets them, in words for a list.

    What marks packets stands in the rules of nftables or iptables, which are not read; while
    packets come that is proof enough.
    """
    marks = [
        str(service.key.fwmark)
        for service in picture.services
        if service.key.fwmark
        and not service.active
        and not service.inactive
        and not _has_traffic(service)
    ]
    return [f"whether anything marks packets with {', '.join(marks[:MARKS])}"] if marks else []
