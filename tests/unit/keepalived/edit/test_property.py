"""Whatever a configuration looks like, an edit does what it says and nothing else, or refuses."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timezone
from difflib import SequenceMatcher

from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from lvstui.keepalived.edit import intent as i
from lvstui.keepalived.edit.change import RefusedEdit
from lvstui.keepalived.edit.draft import Draft
from lvstui.keepalived.edit.judge import new_check
from lvstui.keepalived.edit.servers import NewServer
from lvstui.keepalived.edit.target import OfNamed, OfService
from lvstui.model.config import Configuration, ConfiguredServer, ConfiguredService
from lvstui.model.keys import ServerKey, ServiceKey
from tests.unit.keepalived.edit.worlds import World, unplaced, worlds

AT = datetime(2026, 11, 24, 21, 50, tzinfo=timezone.utc)
SLOW = settings(max_examples=50, deadline=None, suppress_health_check=list(HealthCheck))
Pick = tuple[ServiceKey, ServerKey]
CHECK = new_check("TCP_CHECK", {"connect_port": "8080", "alpha": "yes"})


def lines_changed(draft: Draft) -> tuple[list[bytes], list[bytes]]:
    """The physical lines that went and came, line ends kept."""
    gone: list[bytes] = []
    come: list[bytes] = []
    for before, after in draft.files.values():
        old, new = before.split(b"\n"), after.split(b"\n")
        for tag, a, b, c, d in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
            if tag != "equal":
                gone += old[a:b]
                come += new[c:d]
    return gone, come


def pick(data: st.DataObject, draft: Draft) -> Pick:
    service = data.draw(st.sampled_from(draft.configuration.services))
    return service.key, data.draw(st.sampled_from(service.servers)).key


def done(draft: Draft, wanted: i.Intent, plain: bool) -> bool:
    """Whether it could be done; a refusal leaves no trace, and plain worlds are never refused."""
    before = draft.configuration
    try:
        draft.apply(wanted.on(draft.tree))
    except RefusedEdit:
        if plain:
            raise
        assert not draft.files
        assert draft.configuration == before
        event(f"{type(wanted).__name__} refused")
        return False
    event(f"{type(wanted).__name__} done")
    return True


def elsewhere(world: World, draft: Draft | None = None) -> list[tuple[ServiceKey, ServerKey, int]]:
    """Every weight as the other director reads it, before or after."""
    files = {path: after for path, (_, after) in draft.files.items()} if draft else {}
    found = replace(world, files={**world.files, **files}, config_id="lb2").draft().configuration
    return [(s.key, server.key, server.weight) for s in found.services for server in s.servers]


def servers_of(
    configuration: Configuration,
    service: ServiceKey,
    change: Callable[[tuple[ConfiguredServer, ...]], tuple[ConfiguredServer, ...]],
) -> Configuration:
    """`configuration` with the servers of `service` (and of its group) changed."""
    group = next(s.group for s in configuration.services if s.key == service)

    def one(found: ConfiguredService) -> ConfiguredService:
        if found.key != service and (not group or found.group != group):
            return found
        total = sum(server.weight for server in change(found.servers))
        made = replace(found, servers=change(found.servers))
        return replace(made, quorum=min(made.quorum, total))

    return replace(configuration, services=tuple(map(one, configuration.services)))


def undone(draft: Draft) -> None:
    """Undo and redo lead to the very same bytes."""
    files = draft.files
    if not draft.titles:
        # It was so already.
        assert files == {}
        return
    assert draft.undo()
    assert draft.files == {}
    assert draft.redo()
    assert draft.files == files


EVERY = st.booleans().flatmap(lambda plain: worlds(plain=plain))


def without_quorum(configuration: Configuration) -> Configuration:
    """What keepalived takes down when weights fall does not count here."""
    return replace(
        configuration,
        services=tuple(
            replace(service, quorum=0, hysteresis=0) for service in configuration.services
        ),
    )


@SLOW
@given(EVERY, st.data(), st.integers(1, 99))
def test_weight(world: World, data: st.DataObject, weight: int) -> None:
    draft = world.draft()
    before = unplaced(draft.configuration)
    service, server = pick(data, draft)
    if not done(draft, i.SetWeight(service, server, weight), world.plain):
        return
    wanted = servers_of(
        before,
        service,
        lambda old: tuple(replace(s, weight=weight) if s.key == server else s for s in old),
    )
    assert without_quorum(unplaced(draft.configuration)) == without_quorum(wanted)
    for was, now in zip(elsewhere(world), elsewhere(world, draft), strict=True):
        assert was[:-1] == now[:-1]
        assert was == now or (now[1], now[2]) == (server, weight)
    gone, come = lines_changed(draft)
    assert len(gone) <= 1
    assert len(come) <= 3
    if world.plain and gone:
        assert len(come) == 1
        head, _, tail = come[0].partition(b"%d" % weight)
        assert gone[0].startswith(head)
        assert gone[0].endswith(tail)
    elif world.plain and draft.files:
        assert len(come) == 1
        assert come[0].strip() == b"weight %d" % weight
    undone(draft)


@SLOW
@given(EVERY, st.data(), st.text(max_size=40))
def test_disable_and_enable(world: World, data: st.DataObject, reason: str) -> None:
    draft = world.draft()
    before = draft.configuration
    service, server = pick(data, draft)
    if not done(draft, i.Disable(service, server, "alice", AT, reason, True), world.plain):
        return
    zero = servers_of(
        unplaced(before),
        service,
        lambda old: tuple(replace(s, weight=0) if s.key == server else s for s in old),
    )
    signed = servers_of(
        unplaced(draft.configuration),
        service,
        lambda now: tuple(replace(s, disabled=None) for s in now),
    )
    assert without_quorum(signed) == without_quorum(zero)
    gone, come = lines_changed(draft)
    assert len(gone) <= 1
    assert len(come) == 1
    marks = {
        one.disabled and (one.disabled.who, one.disabled.at)
        for found in draft.configuration.services
        for one in found.servers
        if (found.key, one.key) == (service, server)
    }
    assert marks == {("alice", f"{AT:%Y-%m-%d %H:%M}")}
    draft.apply(i.Enable(service, server).on(draft.tree))
    assert draft.files == {}
    assert draft.configuration == before


@SLOW
@given(EVERY, st.data(), st.sampled_from([None, 0, 7]), st.booleans())
def test_add_server(world: World, data: st.DataObject, weight: int | None, checked: bool) -> None:
    draft = world.draft()
    before = unplaced(draft.configuration)
    service, _ = pick(data, draft)
    new = NewServer("10.0.0.77", 0, "rs77", weight, (CHECK,) if checked else None)
    if not done(draft, i.AddServer(service, new), world.plain):
        return
    after = unplaced(draft.configuration)
    key = ServerKey("10.0.0.77", service.port)
    added = next(s for f in after.services if f.key == service for s in f.servers if s.key == key)
    assert added.name == "rs77"
    assert weight is None or added.weight == weight
    if checked:
        assert [check.target for check in added.checkers] == ["connect 10.0.0.77:8080"]
        assert added.alpha
    for check in added.checkers:
        assert "10.0.0.77" in check.target or check.kind in ("HTTP_GET", "MISC_CHECK")
    left = servers_of(
        after, service, lambda old: tuple(s for s in old if s.key.address != key.address)
    )
    assert without_quorum(left) == without_quorum(before)
    if world.plain:
        assert lines_changed(draft)[0] == []
    undone(draft)


@SLOW
@given(EVERY, st.data())
def test_remove_server(world: World, data: st.DataObject) -> None:
    draft = world.draft()
    before = unplaced(draft.configuration)
    service, server = pick(data, draft)
    if not done(draft, i.RemoveServer(service, server), world.plain):
        return
    wanted = servers_of(
        before, service, lambda old: tuple(s for s in old if s.key.address != server.address)
    )
    assert without_quorum(unplaced(draft.configuration)) == without_quorum(wanted)
    if world.plain:
        assert lines_changed(draft)[1] == []
    undone(draft)


@SLOW
@given(EVERY, st.data())
def test_checks(world: World, data: st.DataObject) -> None:
    draft = world.draft()
    before = unplaced(draft.configuration)
    service, server = pick(data, draft)
    if done(draft, i.AddCheck(service, server, CHECK), world.plain):
        found = next(
            s
            for f in draft.configuration.services
            if f.key == service
            for s in f.servers
            if s.key == server
        )
        assert found.checkers[-1].target == f"connect {server.address}:8080"
        kinds = [check.kind for check in found.checkers]
        number = kinds.count("TCP_CHECK") - 1
        assert done(draft, i.RemoveCheck(service, server, "TCP_CHECK", number), True)
        assert unplaced(draft.configuration) == before


@SLOW
@given(EVERY, st.data())
def test_values_of_a_service(world: World, data: st.DataObject) -> None:
    draft = world.draft()
    before = unplaced(draft.configuration)
    service, _ = pick(data, draft)
    if not done(draft, i.SetValue(OfService(service), "lb_algo", ("sh",)), world.plain):
        return
    group = next(s.group for s in before.services if s.key == service)
    wanted = replace(
        before,
        services=tuple(
            replace(s, scheduler="sh") if s.key == service or (group and s.group == group) else s
            for s in before.services
        ),
    )
    assert unplaced(draft.configuration) == wanted
    gone, come = lines_changed(draft)
    assert len(gone) <= 1
    assert not world.plain or len(come) == 1
    undone(draft)


@SLOW
@given(EVERY, st.booleans())
def test_vips(world: World, excluded: bool) -> None:
    draft = world.draft()
    before = unplaced(draft.configuration)
    name = before.instances[0].name
    if not done(draft, i.AddVip(name, ("10.0.9.9/24", "dev", "eth0"), excluded), world.plain):
        return
    after = unplaced(draft.configuration)
    assert set(after.instances[0].vips) == {*before.instances[0].vips, "10.0.9.9"}
    assert after.instances[1:] == before.instances[1:]
    assert after.services == before.services
    assert done(draft, i.RemoveVip(name, "10.0.9.9"), True)
    assert unplaced(draft.configuration) == before


@SLOW
@given(EVERY)
def test_priority(world: World) -> None:
    draft = world.draft()
    before = unplaced(draft.configuration)
    name = before.instances[-1].name
    assert done(draft, i.SetValue(OfNamed("vrrp_instance", name), "priority", ("77",)), True)
    last = replace(before.instances[-1], priority=77)
    assert unplaced(draft.configuration) == replace(
        before, instances=(*before.instances[:-1], last)
    )
    gone, come = lines_changed(draft)
    assert (len(gone), len(come)) == (1, 1)
    assert gone[0].replace(b"150", b"77", 1) == come[0]


@SLOW
@given(EVERY)
def test_services(world: World) -> None:
    draft = world.draft()
    before = unplaced(draft.configuration)
    new = i.AddService(
        address="10.0.8.1",
        port=443,
        name="new",
        settings=(("lb_algo", "rr"), ("lb_kind", "DR"), ("protocol", "TCP")),
        servers=(NewServer("10.0.0.1", 0, "rs1", 5, (CHECK,)), NewServer("10.0.0.2")),
    )
    if not done(draft, new, world.plain):
        return
    key = ServiceKey.of("tcp", "10.0.8.1", 443)
    after = unplaced(draft.configuration)
    added = next(service for service in after.services if service.key == key)
    assert (added.name, added.scheduler, added.forwarding) == ("new", "rr", "DR")
    assert [(s.key.port, s.weight) for s in added.servers] == [(443, 5), (443, 1)]
    assert lines_changed(draft)[0] in ([], [b""]) or not world.plain
    assert done(draft, i.RemoveService(key), True)
    assert unplaced(draft.configuration) == before


@SLOW
@given(EVERY, st.data())
def test_services_that_go(world: World, data: st.DataObject) -> None:
    draft = world.draft()
    before = unplaced(draft.configuration)
    service, _ = pick(data, draft)
    if not done(draft, i.RemoveService(service), world.plain):
        return
    group = next(s.group for s in before.services if s.key == service)
    left = tuple(
        s for s in before.services if s.key != service and not (group and s.group == group)
    )
    assert unplaced(draft.configuration) == replace(before, services=left)
    if world.plain:
        assert [line for line in lines_changed(draft)[1] if line.strip()] == []
    undone(draft)


@SLOW
@given(EVERY, st.data())
def test_sorry_server(world: World, data: st.DataObject) -> None:
    draft = world.draft()
    before = unplaced(draft.configuration)
    service, _ = pick(data, draft)
    if not done(draft, i.SetSorryServer(service, "10.0.0.98"), world.plain):
        return
    found = next(s for s in draft.configuration.services if s.key == service)
    assert found.sorry_server == ServerKey("10.0.0.98", service.port)
    assert done(draft, i.SetSorryServer(service), True)
    gone = next(s for s in draft.configuration.services if s.key == service)
    assert gone.sorry_server is None
    assert [s.servers for s in unplaced(draft.configuration).services] == [
        s.servers for s in before.services
    ]
