"""The rules: what `lvstui status --json` may not say, given what is so.

Each is a small function; what it yields is a disagreement.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from tests.truth import topologies
from tests.truth.topologies import Pool
from tests.truth.view import WORDS, Disagreement, Document, View, marked, members, sorries

FEW = 0.1
"""A share of lost requests below which nobody has to say anything."""

Rule = Callable[[View], Iterator[str]]
RULES: dict[str, Rule] = {}


def _rule(function: Rule) -> Rule:
    RULES[function.__name__.replace("_", " ")] = function
    return function


def compare(view: View) -> list[Disagreement]:
    """All that is wrong with a document."""
    return [
        Disagreement(name, view.director, view.source, what)
        for name, rule in RULES.items()
        for what in rule(view)
    ]


# The document


@_rule
def exit_status_is_verdict(view: View) -> Iterator[str]:
    verdict = view.document["verdict"]
    if view.status is not None and ("ok", "degraded", "blind")[view.status] != verdict:
        yield f"exit status {view.status}, verdict {verdict}"
    if (verdict == "ok") == bool(view.document["reasons"]):
        yield f"verdict {verdict}, reasons {view.document['reasons']}"
    for _, server, said in view.servers():
        if said["state"] not in WORDS:
            yield f"{server} is “{said['state']}”, which is no word of the schema"


# The table


@_rule
def table_is_the_kernels(view: View) -> Iterator[str]:
    said = {service["id"]: service for service in view.document["services"]}
    for name, service in view.truth.table.items():
        found = said.pop(name, None)
        if found is None:
            yield f"{name} is missing"
            continue
        if not found["in_kernel"]:
            yield f"{name} is said not to be in the kernel"
        if found["scheduler"] != service.scheduler:
            yield f"{name}: scheduler {found['scheduler']}, the kernel's is {service.scheduler}"
        if (found["persistence_s"] or 0) != service.persistence:
            yield f"{name}: persistence {found['persistence_s']}, kernel {service.persistence}"
    for name, left in said.items():
        if left["in_kernel"]:
            yield f"{name} is not in the kernel"


@_rule
def weights_are_the_kernels(view: View) -> Iterator[str]:
    seen = set()
    for service, server, said in view.servers():
        kernel = view.kernel(service, server)
        seen.add((service, server))
        if said["weight_kernel"] != (kernel.weight if kernel else None):
            has = kernel.weight if kernel else "nothing"
            yield f"{server} in {service}: {said['weight_kernel']}, the kernel has {has}"
        if kernel is not None and said["forwarding"] != kernel.forward:
            yield f"{server} in {service}: {said['forwarding']}, kernel {kernel.forward}"
    for name, kept in view.truth.table.items():
        for server in kept.servers:
            if (name, server) not in seen:
                yield f"{server} in {name} is missing"


@_rule
def weights_are_the_files(view: View) -> Iterator[str]:
    file = members(view.file)
    for service, server, said in view.servers():
        has = file.pop((service, server), None)
        if said["sorry"]:
            continue
        if said["weight_file"] != (has[1].weight if has else None):
            yield f"{server} in {service}: {said['weight_file']}, file {has and has[1].weight}"
    for service, server in file:
        yield f"{server} in {service} stands in the file and is missing"


# States


@_rule
def foreign_is_what_no_file_has(view: View) -> Iterator[str]:
    known = {
        *members(view.file), *members(view.loaded), *sorries(view.file), *sorries(view.loaded)
    }  # fmt: skip
    for service, server, said in view.servers():
        if said["state"] == "foreign" and (service, server) in known:
            yield f"{server} in {service} is called foreign, the configuration has it"
        if said["state"] != "foreign" and (service, server) not in known:
            yield f"{server} in {service} is {said['state']}, no configuration has it"


@_rule
def a_foreign_server_is_not_ok(view: View) -> Iterator[str]:
    known = {
        *members(view.file), *members(view.loaded), *sorries(view.file), *sorries(view.loaded)
    }  # fmt: skip
    for name, service in view.truth.table.items():
        for server, kernel in service.servers.items():
            strange = kernel.weight > 0 and (name, server) not in known
            if strange and view.document["verdict"] == "ok":
                yield f"ok, {server} in {name} is in no file"


def _answers(view: View, pool: Pool, node: str) -> bool:
    """Nothing that we know of keeps that real server from answering its checks."""
    return not any(
        act.kind in ("stop", "hang", "slow", "unplug", "code")
        and act.node in (node, view.director, "all")
        and (act.kind in ("unplug", "code") or not act.words or act.words[0] == pool.name)
        for act in view.world.wrong.values()
    )


@_rule
def served_is_not_down(view: View) -> Iterator[str]:
    loaded = members(view.loaded)
    for service, server, said in view.servers():
        kernel, known = view.kernel(service, server), loaded.get((service, server))
        if kernel is None or kernel.weight == 0 or known is None:
            continue
        if said["state"] == "down" and _answers(view, known[0], known[1].node):
            yield f"{server} in {service} is called down: {said['reason']}"


@_rule
def a_word_of_the_dump_is_kept(view: View) -> Iterator[str]:
    for service, server, said in view.servers():
        alive = view.truth.alive.get((service, server))
        kernel = view.kernel(service, server)
        if alive and kernel is not None and kernel.weight > 0 and said["state"] == "down":
            yield f"{server} in {service} is called down, keepalived says alive"
        if alive is False and said["state"] in ("up", "drained", "draining"):
            yield f"{server} in {service} is called {said['state']}, keepalived says dead"


@_rule
def out_is_not_up(view: View) -> Iterator[str]:
    for service, server, said in view.servers():
        kernel = view.kernel(service, server)
        if kernel is None and said["state"] in ("up", "draining", "drained", "foreign"):
            yield f"{server} in {service} is called {said['state']}, the kernel does not have it"
        if kernel is not None and kernel.weight == 0 and said["state"] in ("up", "overloaded"):
            yield f"{server} in {service} is called {said['state']}, its weight is 0"
        if kernel is not None and kernel.weight and said["state"] in ("drained", "draining"):
            yield f"{server} in {service} is called {said['state']}, its weight is {kernel.weight}"


@_rule
def failed_is_down(view: View) -> Iterator[str]:
    """Where a check can see it, and keepalived has acted."""
    if not view.checked() or view.touched() or view.file != view.loaded:
        return
    for (service, server), (pool, member) in members(view.loaded).items():
        kernel = view.kernel(service, server)
        gone = kernel is None or (kernel.weight == 0 and member.inhibit)
        if not gone or not member.weight or not member.checks:
            continue
        if any(
            act.kind == "stop" and act.node == member.node and act.words in ((), (pool.name,))
            for act in view.world.wrong.values()
        ):
            for service_, server_, said in view.servers():
                if (service_, server_) == (service, server) and said["state"] != "down":
                    yield f"{server} in {service} failed and is called {said['state']}"


# VRRP


@_rule
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


@_rule
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


@_rule
def two_holders_are_not_ok(view: View) -> Iterator[str]:
    for vip in view.loaded.vips():
        holders = [name for name, truth in view.truths.items() if vip in truth.addresses]
        if len(holders) > 1 and view.director in holders and view.document["verdict"] == "ok":
            yield f"ok, {vip} is on {', '.join(holders)}"


@_rule
def no_split_brain_is_invented(view: View) -> Iterator[str]:
    vips = (*view.loaded.vips(), topologies.SECOND_VIP)
    twice = any(sum(v in t.addresses for t in view.truths.values()) > 1 for v in vips)
    if "split brain" in view.text.lower() and not twice:
        yield "split brain, every VIP is on one director"


@_rule
def a_clash_is_named(view: View) -> Iterator[str]:
    for act in view.world.wrong.values():
        if act.kind == "clash" and not view.world.is_wrong("unplug", view.director):
            sender = view.world.site.addresses(act.node)[0]
            if sender not in view.text:
                yield f"{act}: {sender} is not named"


# keepalived


@_rule
def daemon_is_what_it_is(view: View) -> Iterator[str]:
    said = view.document["daemon"]
    if said["running"] is not view.truth.running:
        yield f"running {said['running']}, it is {view.truth.running}"
    if view.truth.running and said["loaded_is_file"] is not None:
        number = view.world.site.director_names.index(view.director)
        texts = [topologies.render(site, number) for site in (view.file, view.loaded)]
        if said["loaded_is_file"] != (texts[0] == texts[1]):
            yield f"loaded_is_file {said['loaded_is_file']}"


@_rule
def a_frozen_process_is_named(view: View) -> Iterator[str]:
    for name, letter in view.truth.processes.items():
        if letter in "Tt":
            if view.document["verdict"] == "ok":
                yield f"ok, {name} is stopped (T)"
            elif not re.search(r"frozen|stopped|does not run on|state T", view.text):
                yield f"nobody says that {name} is stopped (T)"


@_rule
def nobody_is_blamed_who_did_nothing(view: View) -> Iterator[str]:
    if view.touched() or not view.truth.running or view.world.is_wrong("kill-keepalived"):
        return
    for service, server, told in view.servers():
        for one in told["differs"]:
            if one["by"] not in ("", "keepalived"):
                yield f"{server} in {service}: {one['by']}: {_steady(one['text'])}"
    said = [(f"{server} in {service}", told["reason"]) for service, server, told in view.servers()]
    said += [(service["id"], service["reason"]) for service in view.document["services"]]
    said += [("", text) for text in view.document["reasons"]]
    for where, text in said:
        if re.search(r"by hand|[Rr]estart of keepalived|set outside|re-weighted", text):
            yield f"{where}: {_steady(text)}"


# Services


@_rule
def a_sorry_server_answers_iff_it_does(view: View) -> Iterator[str]:
    active = {name for name, server in sorries(view.loaded) if view.kernel(name, server)}
    for service in view.document["services"]:
        if service["sorry_server_active"] != (service["id"] in active):
            yield f"{service['id']}: sorry_server_active {service['sorry_server_active']}"


@_rule
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


# The whole


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


@_rule
def a_healthy_site_is_ok(view: View) -> Iterator[str]:
    if not is_healthy(view):
        return
    for reason in view.document["reasons"]:
        yield f"all is well, the reason is: {_steady(reason)}"
    if view.document["verdict"] != "ok":
        yield f"all is well, the verdict is {view.document['verdict']}"
    expected = expected_states(view)
    for service, server, said in view.servers():
        words = expected.get((service, server), ())
        if said["state"] not in words or marked(said):
            yield f"{server} in {service} is called {said['state']}: {_steady(said['reason'])}"
    for service_ in view.document["services"]:
        if service_["severity"] in ("bad", "warn"):
            yield f"{service_['id']} is {service_['severity']}: {_steady(service_['reason'])}"


@_rule
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


def not_on_screen(document: Document, text: str) -> Iterator[str]:
    """What the table of the first screen says otherwise than the document."""
    lines: dict[tuple[str, str], str] = {}
    service = ""
    for line in text.splitlines():
        words = line.split()
        for head in document["services"]:
            if f" {head['id']} " in f"{line} " and "▾" in words:
                service = head["id"]
        if service and len(words) > 2 and words[1][:1] in "[0123456789":
            lines.setdefault((service, words[1]), line)
    for head in document["services"]:
        for said in head["servers"]:
            line = lines.get((head["id"], said["id"]), "")
            where = f"{said['id']} in {head['id']}"
            if not line:
                yield f"{where} is not on the screen"
            elif said["state"] not in line and not said["sorry"]:
                shown = _steady(" ".join(line.split()))
                yield f"{where} is {said['state']}, on the screen: {shown}"


def _steady(text: str) -> str:
    """Without numbers that count up."""
    return re.sub(r"\b\d+(\.\d+)? (s|min|h|d|ms)\b", "N s", text)


def kind(what: str) -> str:
    """The same for all that differ in names and numbers only."""
    what = re.sub(r"(tcp|udp) \S+|fwmark \d+", "SERVICE", what)
    what = re.sub(r"\[?[0-9a-f]*[.:][0-9a-f.:]+\]?(:\d+)?", "ADDRESS", what)
    return re.sub(r"\d+", "N", what)
