"""Services, and whether all is well."""

from __future__ import annotations

from collections.abc import Iterator

from tests.truth import topologies
from tests.truth.rules.registry import rule, steady
from tests.truth.view import View, marked, members, sorries

LATE = ("lost requests are not ok",)
"""Rules about what is known only after a while."""
FEW = 0.1
"""A share of lost requests below which nobody has to say anything."""


@rule
def a_sorry_server_answers_iff_it_does(view: View) -> Iterator[str]:
    active = {name for name, server in sorries(view.loaded) if view.kernel(name, server)}
    for service in view.document["services"]:
        if service["sorry_server_active"] != (service["id"] in active):
            yield f"{service['id']}: sorry_server_active {service['sorry_server_active']}"


@rule
def a_difference_from_the_file_is_named(view: View) -> Iterator[str]:
    """Scheduler, persistence and weights of what both have."""
    said = {service["id"]: service for service in view.document["services"]}
    for pool in view.loaded.pools:
        for name, _ in topologies.services(view.loaded, pool):
            kernel = view.truth.table.get(name)
            if kernel is None or name not in said:
                continue
            ours, has = (pool.scheduler, pool.persistence), (kernel.scheduler, kernel.persistence)
            for what, one, other in zip(("scheduler", "persisten"), ours, has, strict=True):
                if one != other and view.document["verdict"] == "ok":
                    yield f"ok, {name}: {what} {other}, the file has {one}"
                elif one != other and what not in view.text:
                    yield f"{name}: {what} {other} is not named, the file has {one}"
    loaded = members(view.loaded)
    for service, server, told in view.servers():
        known, kernel_ = loaded.get((service, server)), view.kernel(service, server)
        if known is None or kernel_ is None or not kernel_.weight or told["state"] == "down":
            continue
        fixed = "dynamic" not in known[1].checks and (service, server) not in sorries(view.loaded)
        if fixed and known[1].weight != kernel_.weight and not marked(told):
            yield f"{server} in {service}: weight {kernel_.weight}, file {known[1].weight}, no mark"


def expected_states(view: View) -> dict[tuple[str, str], tuple[str, ...]]:
    """Of a site on which nothing is wrong."""
    found: dict[tuple[str, str], tuple[str, ...]] = {}
    for key, (_, member) in members(view.loaded).items():
        words = ("up",) if member.checks else ("up", "unverified")
        found[key] = words if member.weight else ("disabled",)
    for key in sorries(view.loaded):
        found.setdefault(key, ("disabled", "standby"))
    return found


def is_healthy(view: View) -> bool:
    """Nothing was done that still holds, and everything is as the file says, on all directors."""
    world, truths = view.world, view.truths
    if world.wrong or any(world.by_hand.values()) or view.losses:
        return False
    for name, truth in truths.items():
        site = world.files[name]
        if site != world.loaded[name] or site != world.site:
            return False
        if not all(truth.works(child) for child in ("keepalived", "checkers", "vrrp")):
            return False
        weights = {
            (service, server): kernel.weight
            for service, kept in truth.table.items()
            for server, kernel in kept.servers.items()
        }
        if weights != {key: member.weight for key, (_, member) in members(site).items()}:
            return False
        for pool in site.pools:
            for service, _ in topologies.services(site, pool):
                kernel = truth.table[service]
                if (kernel.scheduler, kernel.persistence) != (pool.scheduler, pool.persistence):
                    return False
    vips = [vip for one in topologies.instances(world.site, 0) for vip in one.vips]
    return all(sum(vip in truth.addresses for truth in truths.values()) == 1 for vip in vips)


@rule
def a_healthy_site_is_ok(view: View) -> Iterator[str]:
    if not is_healthy(view):
        return
    for reason in view.document["reasons"]:
        yield f"all is well, the reason is: {steady(reason)}"
    if view.document["verdict"] != "ok":
        yield f"all is well, the verdict is {view.document['verdict']}"
    expected = expected_states(view)
    for service, server, said in view.servers():
        words = expected.get((service, server), ())
        if said["state"] not in words or marked(said):
            yield f"{server} in {service} is called {said['state']}: {steady(said['reason'])}"
    for service_ in view.document["services"]:
        if service_["severity"] in ("bad", "warn"):
            yield f"{service_['id']} is {service_['severity']}: {steady(service_['reason'])}"


@rule
def lost_requests_are_not_ok(view: View) -> Iterator[str]:
    """On the director that has the VIP; on each of them when nobody has it. A server that takes a
    connection and never answers looks well from a director: only a check can tell."""
    if view.document["verdict"] != "ok":
        return
    vips = view.loaded.vips()
    held = [name for name, truth in view.truths.items() if set(vips) & truth.addresses]
    if held and view.director not in held:
        return
    for name, share in view.losses.items():
        if share >= FEW and not view.world.is_wrong("hang") and not view.world.is_wrong("slow"):
            yield f"ok, clients of {name} lose requests in each second"
