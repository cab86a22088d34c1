"""Files that keepalived itself stumbles over: an edit refuses or does what it says."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timezone
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lvstui.keepalived.edit import intent as i
from lvstui.keepalived.edit.change import RefusedEdit
from lvstui.keepalived.edit.draft import Draft
from lvstui.keepalived.edit.judge import new_check
from lvstui.keepalived.edit.servers import NewServer
from lvstui.keepalived.edit.target import OfGlobals, OfNamed, OfService
from lvstui.keepalived.text import reader
from lvstui.keepalived.text.files import Files
from lvstui.model.config import Configuration
from tests.unit.keepalived.edit.worlds import unplaced

DATA = Path(__file__).parents[3] / "data" / "keepalived"
SAMPLES = [path.read_bytes() for path in sorted(DATA.glob("*.conf"))]
AT = datetime(2026, 11, 24, 21, 50, tzinfo=timezone.utc)
PIECES = st.sampled_from(
    [
        *[
            "{",
            "}",
            "#",
            "!",
            '"',
            "'",
            "\\",
            "@lb1",
            "@^lb1",
            "$A",
            "${A}",
            "$A=1",
            "~SEQ(i,1,2)",
            "include",
            "weight",
            "1",
        ],
        "virtual_server 10.9.9.9 80 {\n",
        "real_server 10.9.9.8 80 {\n",
        "\n",
        "\n}\n",
        "\r\n",
        "\0",
        "\xff",
        "\\\n",
        " ",
        "$B= \\\n",
    ]
)
DAMAGE = st.lists(st.tuples(st.floats(0, 1), st.integers(0, 15), PIECES), max_size=6)
MAIN = "/etc/keepalived/keepalived.conf"


@pytest.fixture(autouse=True, scope="module")
def small_limit() -> Iterator[None]:
    """Repetitions end early: damaged text is full of them."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(reader, "MAX_GENERATED", 2000)
        yield


def intents(found: Configuration) -> list[i.Intent]:
    """One of each that the configuration gives a place for."""
    wanted: list[i.Intent] = [
        i.SetValue(OfGlobals(), "router_id", ("LB 9#",)),
        i.AddService(
            fwmark=9,
            settings=(("lb_kind", "DR"), ("lb_algo", "rr")),
            servers=(NewServer("10.0.0.1", checks=(new_check("TCP_CHECK", {}),)),),
        ),
    ]
    for instance in found.instances[:2]:
        wanted += [
            i.SetValue(OfNamed("vrrp_instance", instance.name), "advert_int", ("2",)),
            i.SetValue(OfNamed("vrrp_instance", instance.name), "nopreempt"),
            i.AddVip(instance.name, ("10.99.0.1/24",)),
            i.AddVip(instance.name, ("10.99.0.1/24",), True),
            i.RemoveInstance(instance.name),
        ]
    for service in found.services[:2] + found.services[-1:]:
        wanted += [
            i.SetValue(OfService(service.key), "lb_algo", ("sh",)),
            i.SetQuorum(service.key, 1),
            i.SetSorryServer(service.key, service.servers[0].key.address),
            i.AddServer(service.key, NewServer("10.99.0.2", 0, "new", 4)),
            i.RemoveService(service.key),
        ]
        for server in service.servers[:2] + service.servers[-1:]:
            wanted += [
                i.SetWeight(service.key, server.key, 9, True),
                i.Disable(service.key, server.key, "bob", AT, "why", True),
                i.AddCheck(service.key, server.key, new_check("PING_CHECK", {})),
                i.RemoveServer(service.key, server.key),
            ]
            wanted += [
                i.RemoveCheck(service.key, server.key, check.kind) for check in server.checkers[:1]
            ]
    return wanted


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.sampled_from(SAMPLES), DAMAGE)
def test_an_edit_of_a_damaged_file_is_right_or_refused(
    data: bytes, damage: list[tuple[float, int, str]]
) -> None:
    for where, cut, piece in damage:
        at = int(where * len(data))
        data = data[:at] + piece.encode("latin-1") + data[at + cut :]

    def read(path: str) -> bytes:
        if path != MAIN:
            raise FileNotFoundError(2, "No such file", path)
        return data

    draft = Draft(MAIN, Files(read), "lb1")
    before = unplaced(draft.configuration)
    for wanted in intents(draft.configuration):
        try:
            draft.apply(wanted.on(draft.tree))
        except RefusedEdit:
            pass
        else:
            after = unplaced(draft.configuration)
            assert abs(len(after.services) - len(before.services)) <= 20
            if isinstance(wanted, i.SetWeight):
                changed = [
                    server.weight
                    for old, new in zip(before.services, after.services, strict=True)
                    for was, server in zip(old.servers, new.servers, strict=True)
                    if was != server
                ]
                assert set(changed) <= {9}
            draft.undo()
        assert draft.files == {}
