"""The kernel's table, the file's servers, and the state of each."""

from __future__ import annotations

from collections.abc import Iterator

from tests.truth.rules.registry import rule, steady
from tests.truth.topologies import Pool
from tests.truth.view import WORDS, Document, View, members, sorries


@rule
def exit_status_is_verdict(view: View) -> Iterator[str]:
    verdict = view.document["verdict"]
    if view.status is not None and ("ok", "degraded", "blind")[view.status] != verdict:
        yield f"exit status {view.status}, verdict {verdict}"
    if (verdict == "ok") == bool(view.document["reasons"]):
        yield f"verdict {verdict}, reasons {view.document['reasons']}"
    for _, server, said in view.servers():
        if said["state"] not in WORDS:
            yield f"{server} is “{said['state']}”, which is no word of the schema"


@rule
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


@rule
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


@rule
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


@rule
def foreign_is_what_no_file_has(view: View) -> Iterator[str]:
    known = {
        *members(view.file), *members(view.loaded), *sorries(view.file), *sorries(view.loaded)
    }  # fmt: skip
    for service, server, said in view.servers():
        if said["state"] == "foreign" and (service, server) in known:
            yield f"{server} in {service} is called foreign, the configuration has it"
        if said["state"] != "foreign" and (service, server) not in known:
            yield f"{server} in {service} is {said['state']}, no configuration has it"


@rule
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


@rule
def served_is_not_down(view: View) -> Iterator[str]:
    loaded = members(view.loaded)
    for service, server, said in view.servers():
        kernel, known = view.kernel(service, server), loaded.get((service, server))
        if kernel is None or kernel.weight == 0 or known is None:
            continue
        if said["state"] == "down" and _answers(view, known[0], known[1].node):
            yield f"{server} in {service} is called down: {said['reason']}"


@rule
def a_word_of_the_dump_is_kept(view: View) -> Iterator[str]:
    for service, server, said in view.servers():
        alive = view.truth.alive.get((service, server))
        kernel = view.kernel(service, server)
        if alive and kernel is not None and kernel.weight > 0 and said["state"] == "down":
            yield f"{server} in {service} is called down, keepalived says alive"
        if alive is False and said["state"] in ("up", "drained", "draining"):
            yield f"{server} in {service} is called {said['state']}, keepalived says dead"


@rule
def out_is_not_up(view: View) -> Iterator[str]:
    for service, server, said in view.servers():
        kernel = view.kernel(service, server)
        if kernel is None and said["state"] in ("up", "draining", "drained", "foreign"):
            yield f"{server} in {service} is called {said['state']}, the kernel does not have it"
        if kernel is not None and kernel.weight == 0 and said["state"] in ("up", "overloaded"):
            yield f"{server} in {service} is called {said['state']}, its weight is 0"
        if kernel is not None and kernel.weight and said["state"] in ("drained", "draining"):
            yield f"{server} in {service} is called {said['state']}, its weight is {kernel.weight}"


@rule
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
                shown = steady(" ".join(line.split()))
                yield f"{where} is {said['state']}, on the screen: {shown}"
