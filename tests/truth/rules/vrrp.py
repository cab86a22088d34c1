"""Instances, addresses, and the daemon itself."""

from __future__ import annotations

import re
from collections.abc import Iterator

from tests.truth import topologies
from tests.truth.rules.registry import rule, steady
from tests.truth.view import View


@rule
def instances_are_those_that_run(view: View) -> Iterator[str]:
    number = view.world.site.director_names.index(view.director)
    known = {one.name for site in (view.file, view.loaded)
             for one in topologies.instances(site, number)}  # fmt: skip
    has = {one.name for one in topologies.instances(view.loaded, number)}
    said = {instance["name"] for instance in view.document["instances"]}
    if view.truth.running:
        for name in sorted(said - known):
            yield f"{name} is told of, no configuration has it"
        for name in sorted(has - said):
            yield f"{name} is not told of"


@rule
def master_here_iff_the_vip_is(view: View) -> Iterator[str]:
    number = view.world.site.director_names.index(view.director)
    said = {instance["name"]: instance for instance in view.document["instances"]}
    for one in topologies.instances(view.loaded, number):
        instance = said.get(one.name)
        if instance is None:
            continue
        here = [vip for vip in one.vips if vip in view.truth.addresses]
        told = [vip for vip in instance["vips_here"] if vip in one.vips]
        if sorted(here) != sorted(told):
            yield f"{one.name}: {told} said to be here, {here} are"
        works = view.truth.works("vrrp") and not view.touched()
        if works and (instance["state"] == "MASTER") != bool(here):
            yield f"{one.name} is called {instance['state']}, its VIPs here: {here}"
        added = view.world.numbers[view.director] if view.loaded.tracked else 0
        priority = min(254, one.priority + added)
        if works and instance["priority"] != priority:
            yield f"{one.name}: priority {instance['priority']}, it is {priority}"


@rule
def master_is_who_has_the_vip(view: View) -> Iterator[str]:
    """As a director that is heard by all others says, while exactly one has it."""
    number = view.world.site.director_names.index(view.director)
    if any(view.world.is_wrong(kind) for kind in ("split", "unplug", "clash")):
        return
    said = {instance["name"]: instance for instance in view.document["instances"]}
    for one in topologies.instances(view.loaded, number):
        holders = [n for n, truth in view.truths.items() if set(one.vips) & truth.addresses]
        if len(holders) != 1 or not view.truth.works("vrrp") or one.name not in said:
            continue
        (holder,) = holders
        instance, address = said[one.name], view.world.site.addresses(holder)[0]
        sends = view.truths[holder].works("vrrp")
        if sends and ":" not in one.vips[0] and instance["master_address"] != address:
            yield f"{one.name}: master {instance['master_address'] or 'nobody'}, it is {address}"
        if sends and instance["adverts_on_time"] is False:
            yield f"{one.name}: adverts are late, {holder} sends them"


@rule
def vip_is_here_iff_it_is(view: View) -> Iterator[str]:
    for service in view.document["services"]:
        here = service["address"] in view.truth.addresses if service["address"] else None
        if service["vip_here"] is not None and service["vip_here"] != here:
            yield f"{service['id']}: vip_here {service['vip_here']}"


@rule
def two_holders_are_not_ok(view: View) -> Iterator[str]:
    for vip in view.loaded.vips():
        holders = [name for name, truth in view.truths.items() if vip in truth.addresses]
        if len(holders) > 1 and view.director in holders and view.document["verdict"] == "ok":
            yield f"ok, {vip} is on {', '.join(holders)}"


@rule
def no_split_brain_is_invented(view: View) -> Iterator[str]:
    vips = (*view.loaded.vips(), topologies.SECOND_VIP)
    twice = any(sum(v in t.addresses for t in view.truths.values()) > 1 for v in vips)
    if "split brain" in view.text.lower() and not twice:
        yield "split brain, every VIP is on one director"


@rule
def a_clash_is_named(view: View) -> Iterator[str]:
    for act in view.world.wrong.values():
        if act.kind == "clash" and not view.world.is_wrong("unplug", view.director):
            sender = view.world.site.addresses(act.node)[0]
            if sender not in view.text:
                yield f"{act}: {sender} is not named"


@rule
def daemon_is_what_it_is(view: View) -> Iterator[str]:
    said = view.document["daemon"]
    if said["running"] is not view.truth.running:
        yield f"running {said['running']}, it is {view.truth.running}"
    if view.truth.running and said["loaded_is_file"] is not None:
        number = view.world.site.director_names.index(view.director)
        texts = [topologies.render(site, number) for site in (view.file, view.loaded)]
        if said["loaded_is_file"] != (texts[0] == texts[1]):
            yield f"loaded_is_file {said['loaded_is_file']}"


@rule
def a_frozen_process_is_named(view: View) -> Iterator[str]:
    for name, letter in view.truth.processes.items():
        if letter in "Tt":
            if view.document["verdict"] == "ok":
                yield f"ok, {name} is stopped (T)"
            elif not re.search(r"frozen|stopped|does not run on|state T", view.text):
                yield f"nobody says that {name} is stopped (T)"


@rule
def nobody_is_blamed_who_did_nothing(view: View) -> Iterator[str]:
    if view.touched() or not view.truth.running or view.world.is_wrong("kill-keepalived"):
        return
    for service, server, told in view.servers():
        for one in told["differs"]:
            if one["by"] not in ("", "keepalived"):
                yield f"{server} in {service}: {one['by']}: {steady(one['text'])}"
    said = [(f"{server} in {service}", told["reason"]) for service, server, told in view.servers()]
    said += [(service["id"], service["reason"]) for service in view.document["services"]]
    said += [("", text) for text in view.document["reasons"]]
    for where, text in said:
        # A check that sets weights is what it says first, by hand is what else it can be.
        if re.search(r"(?<! or )by hand|[Rr]estart of keepalived|set outside|re-weighted", text):
            yield f"{where}: {steady(text)}"
