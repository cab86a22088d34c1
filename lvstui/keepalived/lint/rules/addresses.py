"""Addresses of instances, services and servers against each other and the host's subnets."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator

from lvstui.keepalived.lint.context import LintContext, error, note, warning
from lvstui.keepalived.lint.routers import static_addresses, value
from lvstui.keepalived.text.values import shown
from lvstui.model.config import Place
from lvstui.model.finding import Finding, FindingSeverity
from lvstui.model.keys import canonical_address


def vips_of_services(context: LintContext) -> Iterator[Finding]:
    """A service whose address nobody brings up, an instance whose VIPs nobody serves."""
    held = {vip.address for router in context.routers for vip in router.addresses}
    held.update(address.address for address in static_addresses(context.tree))
    own = context.surroundings.own_addresses
    known = context.surroundings.links is not None
    told: set[tuple[Place | None, str]] = set()
    for service in context.configuration.services:
        address = service.key.address
        if not address or not context.routers or address in held or address in own:
            continue
        if (service.place, address) in told:
            continue
        told.add((service.place, address))
        yield Finding(
            "vip-of-no-instance",
            FindingSeverity.ERROR if known else FindingSeverity.WARNING,
            f"{service.key}: {address} is in no vrrp_instance"
            + (" and on no interface of this host" if known else ""),
            service.place,
            evidence="IPVS sees a packet only when the address is local",
            fix="add it to virtual_ipaddress of an instance, on both directors",
        )
    if not context.configuration.services:
        return
    # A mark stands for addresses that only the firewall knows.
    if any(service.key.fwmark for service in context.configuration.services):
        return
    served = {service.key.address for service in context.configuration.services}
    for router in context.routers:
        vips = router.addresses
        if vips and not any(vip.address in served for vip in vips):
            yield note(
                "vip-without-service",
                f"instance {router.name}: none of its VIPs has a virtual_server",
                router.block.place,
                fix="right for a gateway address; otherwise compare the addresses",
            )


def links(context: LintContext) -> Iterator[Finding]:
    """Direct routing reaches a server on a common network only."""
    known = context.surroundings.links
    if known is None:
        return
    nets = [
        ipaddress.ip_network(f"{address}/{length}", strict=False)
        for link in known
        if link.kind != "loopback"
        for address, length in link.addresses
        if length < (128 if ":" in address else 32)
    ]
    judged: dict[str, bool] = {}
    told: set[tuple[Place | None, str]] = set()
    for service in context.configuration.services:
        for server in service.servers:
            if server.forwarding != "DR":
                continue
            address = server.key.address
            if address not in judged:
                wanted = ipaddress.ip_address(address)
                judged[address] = (
                    wanted.is_loopback
                    or address in context.surroundings.own_addresses
                    or any(wanted in net for net in nets)
                )
            if judged[address] or (server.place, address) in told:
                continue
            told.add((server.place, address))
            yield warning(
                "server-off-link",
                f"{service.key}: {address} is in no subnet of this host: direct routing does not "
                "cross a router",
                server.place,
                evidence="subnets: " + ", ".join(map(str, nets[:8])),
                fix="an address on a common network, or lvs_method TUN",
            )
    own = context.surroundings.own_addresses
    for router in context.routers:
        source = _source(value(router.source))
        if not source or source in own or context.surroundings.nonlocal_bind:
            continue
        yield error(
            "source-not-local",
            f"instance {router.name}: its source address {source} is not on this host",
            router.source.place if router.source else router.block.place,
            evidence="no advert can be sent from it",
            fix="the director's own address",
        )


def _source(word: bytes) -> str:
    try:
        return canonical_address(shown(word))
    except ValueError:
        return ""
