"""What a change of the configuration means for the pair of directors. Pure.

Facts: keepalived before 2.3.3 compares the addresses of a peer's advert with its own list and
throws the advert away when they differ (vrrp.c, vrrp_check_packet), so that it becomes MASTER
beside the other one after three intervals and the skew; interval, authentication, version and
router id are compared by every version.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from lvstui.keepalived.daemon.facts import DirectorSeen
from lvstui.keepalived.text.tree import Statement, Tree
from lvstui.model.config import Configuration, ConfiguredInstance
from lvstui.model.finding import Finding, FindingSeverity
from lvstui.remote.runner import RemoteError

TAKES_ZERO = (2, 2)
"""Before, a real server with weight 0 in the file got weight 1 in the kernel (measured 2.1.5; not
2.2.7)."""
TOLERANT = (2, 3, 3)
"""From this version on a list of VIPs that differs is only logged (measured 2.3.4, 2.4.3)."""


@dataclass(frozen=True, slots=True)
class Side:
    """One director before and after."""

    host: str
    version: str
    running: bool
    before: Configuration
    after: Configuration
    secrets_before: Mapping[str, str] = field(default_factory=dict)
    """Digest of the authentication of each instance."""
    secrets_after: Mapping[str, str] = field(default_factory=dict)

    @property
    def changes(self) -> bool:
        """Something is different afterwards."""
        return self.before.digest != self.after.digest


def authentication(tree: Tree | None) -> dict[str, str]:
    """By instance a digest over what its authentication says, so that a change is noticed and
    nothing can be read from it."""
    found: dict[str, str] = {}
    for block in tree.blocks(b"vrrp_instance") if tree is not None else ():
        words = block.header.words
        name = words[1].decode("utf-8", "replace") if len(words) > 1 else ""
        parts = [
            b"\0".join(line.words)
            for inner in block.blocks(b"authentication", b"auth_hmac")
            for line in inner.children
            if isinstance(line, Statement)
        ]
        if parts:
            found[name] = hashlib.sha256(b"lvstui auth\0" + b"\n".join(parts)).hexdigest()[:12]
    return found


def version_of(text: str) -> tuple[int, ...]:
    """`2.2.7` as numbers; empty when it is not known."""
    match = re.match(r"([0-9]{1,9})\.([0-9]{1,9})(?:\.([0-9]{1,9}))?", text)
    return tuple(int(part or 0) for part in match.groups()) if match else ()


def master_down_s(instance: ConfiguredInstance) -> float:
    """After how long without a good advert a BACKUP takes over: three intervals and the skew
    (RFC 3768, RFC 9568)."""
    skew = (256 - instance.priority) / 256
    return 3 * instance.advert_interval_s + skew * (
        instance.advert_interval_s if instance.version == 3 else 1.0
    )


def pairs(side: Side) -> list[tuple[ConfiguredInstance, ConfiguredInstance]]:
    """The instances that are there before and after."""
    after = {instance.name: instance for instance in side.after.instances}
    return [(i, after[i.name]) for i in side.before.instances if i.name in after]


_SHARED = {
    "virtual_router_id": "vrid",
    "vrrp_version": "version",
    "advert_int": "advert_interval_s",
    "auth_type": "auth_type",
}
"""What has to be the same on both directors: keepalived's word, and ours."""


def _unlike(one: ConfiguredInstance, other: ConfiguredInstance) -> list[str]:
    return [word for word, name in _SHARED.items() if getattr(one, name) != getattr(other, name)]


def refusals(sides: Sequence[Side], *, alone: bool = False) -> tuple[str, ...]:
    """Why a change would split the cluster. `alone`: the operator says that there is no other
    director than those of `sides`."""
    found: list[str] = []
    for side in sides:
        if not side.running or not side.changes:
            continue
        others = [other for other in sides if other is not side and other.running]
        found += _served_all_the_same(side)
        for old, new in pairs(side):
            found += _about(side, old, new, others, alone or len(sides) > 1)
    return tuple(dict.fromkeys(found))


def _served_all_the_same(side: Side) -> list[str]:
    """Servers that get weight 0 from a keepalived that serves it as 1."""
    version = version_of(side.version)
    if not version or version >= TAKES_ZERO:
        return []
    old = {(s.key, r.key): r.weight for s in side.before.services for r in s.servers}
    return [
        f"keepalived {side.version} on {side.host} gives {server.key} in {service.key} weight 1 "
        "when the file says 0: it would go on getting connections; drain it, or remove it"
        for service in side.after.services
        for server in service.servers
        if server.weight == 0 and old.get((service.key, server.key)) != 0
    ]


def _about(
    side: Side,
    old: ConfiguredInstance,
    new: ConfiguredInstance,
    others: Sequence[Side],
    all_known: bool,
) -> list[str]:
    found = []
    what = _unlike(old, new)
    if old.interface != new.interface:
        what.append("interface")
    secret = side.secrets_after.get(new.name)
    if side.secrets_before.get(old.name) != secret:
        what.append("authentication")
    list_changes = sorted(old.advertised) != sorted(new.advertised)
    if what and not all_known:
        found.append(
            f"instance {old.name}: {', '.join(what)} must be the same on both directors at every "
            "moment: change both in one go (name the peer)"
        )
    # The one that hears another list decides: its version is not known, whatever this one has.
    if list_changes and not all_known and not _skips_check(side, new):
        found.append(
            f"instance {old.name}: its VIPs would differ from those of the other director, which "
            f"may then become MASTER beside this one after {master_down_s(old):.1f} s, unless its "
            f"keepalived is 2.3.3 or later; {_WAYS}"
        )
    for other in others:
        for theirs_old, theirs in pairs(other):
            if theirs_old.vrid != old.vrid or _family(theirs_old) != _family(old):
                continue
            unequal = [name for name in _unlike(new, theirs) if name in what]
            if "interface" in what and theirs_old.interface == theirs.interface:
                unequal.append("interface")
            if "authentication" in what and secret != other.secrets_after.get(theirs.name):
                unequal.append("authentication")
            if unequal:
                found.append(
                    f"instance {old.name}: {', '.join(unequal)} would differ between {side.host} "
                    f"and {other.host}, and each would become MASTER: change both in one go"
                )
            if (
                list_changes
                and sorted(new.advertised) != sorted(theirs.advertised)
                and not (_tolerates(other, theirs) and _tolerates(side, new))
            ):
                found.append(
                    f"instance {old.name}: {side.host} would have {len(new.advertised)} VIPs in its"
                    f" adverts and {other.host} {len(theirs.advertised)}; keepalived before 2.3.3"
                    f" then becomes MASTER on both after {master_down_s(old):.1f} s; {_WAYS}"
                )
    return found


_WAYS = (
    "safe: change both directors in one go, put the address into virtual_ipaddress_excluded, or "
    "first set vrrp_skip_check_adv_addr on both"
)


def _tolerates(side: Side, instance: ConfiguredInstance) -> bool:
    version = version_of(side.version)
    return bool(version and version >= TOLERANT) or _skips_check(side, instance)


def _skips_check(side: Side, instance: ConfiguredInstance) -> bool:
    # It must be in force already, not come with this very change.
    return any(
        i.skip_check_adv_addr or side.before.skip_check_adv_addr
        for i in side.before.instances
        if i.name == instance.name
    )


def _family(instance: ConfiguredInstance) -> int:
    first = (*instance.advertised, *instance.vips, "")[0]
    return 6 if ":" in first else 4


def nat_findings(before: Configuration, after: Configuration) -> tuple[Finding, ...]:
    """Services whose servers go from DR or TUN to NAT: only an operator who insists does that,
    for nothing on this host can tell beforehand that their replies will pass it."""
    found = []
    old = {
        (service.key, server.key): server.forwarding
        for service in before.services
        for server in service.servers
    }
    for service in after.services:
        moved = [
            server
            for server in service.servers
            if server.forwarding == "NAT"
            and old.get((service.key, server.key), "NAT") in ("DR", "TUN")
        ]
        if moved:
            were = ", ".join(sorted({old[service.key, server.key] for server in moved}))
            found.append(
                Finding(
                    "forwarding-becomes-nat",
                    FindingSeverity.ERROR,
                    f"{service.key}: {len(moved)} of {len(service.servers)} real servers go from "
                    f"{were} to NAT, and clients get no answer unless every reply passes here",
                    service.place,
                    evidence="they answer clients directly now; lb_kind that is left out is NAT",
                    fix=f"lb_kind {were}; or force it when the servers' route to clients is this "
                    "director: replies are counted, and without any it is rolled back",
                )
            )
    return tuple(found)


def typed(sides: Sequence[Side]) -> str:
    """What has to be typed: the VIP, service or real server that goes, or the service whose last
    server does; else empty. A real server that gets no connections may go without."""
    server = ""
    for side in sides:
        left = {vip for instance in side.after.instances for vip in instance.vips}
        for instance in side.before.instances:
            for vip in instance.vips:
                if vip not in left:
                    return vip
        after = {service.key: service for service in side.after.services}
        for service in side.before.services:
            now = after.get(service.key)
            if now is None:
                return str(service.key)
            had = any(one.weight > 0 for one in service.servers)
            if had and not any(one.weight > 0 for one in now.servers):
                return str(service.key)
            left_over = {one.key for one in now.servers}
            gone = [one.key for one in service.servers if one.weight and one.key not in left_over]
            if gone:
                server = server or str(gone[0])
    return server


def directors_as_servers(
    sides: Sequence[Side], looks: Mapping[str, DirectorSeen | RemoteError]
) -> list[str]:
    """New real servers whose address is that of another director: seldom what is meant."""
    found: dict[str, None] = {}
    for side in sides:
        known = {server.key for service in side.before.services for server in service.servers}
        peers = {peer for instance in side.after.instances for peer in instance.unicast_peers}
        for service in side.after.services:
            for server in service.servers:
                if server.key in known:
                    continue
                address = server.key.address
                owner = next(
                    (
                        name
                        for name, seen in looks.items()
                        if name != side.host
                        and isinstance(seen, DirectorSeen)
                        and seen.daemon.interfaces_of(address)
                    ),
                    "",
                )
                if owner or address in peers:
                    who = f"the director {owner}" if owner else "another director (unicast_peer)"
                    found[f"{address} is an address of {who}: is that the real server?"] = None
    return list(found)
