"""Each rule of the truth machine is silent about what is so, and speaks about what is not."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import replace
from typing import Any, cast

import pytest

from tests.labs import Lab
from tests.truth import rules, topologies
from tests.truth.acts import Act, World
from tests.truth.oracle import Server, Service, Truth
from tests.truth.topologies import Member, Pool, Site
from tests.truth.view import Document, View

SITE = Site(
    directors=2,
    real_servers=3,
    pools=(Pool("web", (Member("rs1"), Member("rs2", 0), Member("rs3"))),),
    second=True,
)
WEB = "tcp 10.10.0.20:80"
RS1, RS2 = "10.10.0.3:80", "10.10.0.4:80"


class _NoLab:
    """Takes commands and does nothing."""

    def run(self, *_: object, **__: object) -> object:
        return type("Ran", (), {"stdout": "", "stderr": "", "status": 0})()

    def write(self, *_: object, **__: object) -> None:
        """As in Lab."""

    def fault(self, *_: object) -> None:
        """As in Lab."""


def _server(id_: str, weight: int, state: str) -> Document:
    return {
        "id": id_,
        "state": state,
        "reason": "",
        "differs": [],
        "weight_file": weight,
        "weight_kernel": weight,
        "forwarding": "DR",
        "sorry": False,
    }


def _document() -> Document:
    return {
        "verdict": "ok",
        "reasons": [],
        "warnings": [],
        "daemon": {"running": True, "loaded_is_file": True},
        "instances": [
            {
                "name": "LB_1",
                "state": "MASTER",
                "priority": 150,
                "vips_here": ["10.10.0.20"],
                "master_address": "10.10.0.2",
                "adverts_on_time": True,
            },
            {
                "name": "LB_S",
                "state": "BACKUP",
                "priority": 110,
                "vips_here": [],
                "master_address": "10.10.0.6",
                "adverts_on_time": True,
            },
        ],
        "services": [
            {
                "id": WEB,
                "address": "10.10.0.20",
                "vip_here": True,
                "in_kernel": True,
                "scheduler": "wrr",
                "persistence_s": None,
                "severity": "good",
                "reason": "",
                "differs": [],
                "sorry_server_active": False,
                "servers": [
                    _server(RS1, 10, "up"),
                    _server(RS2, 0, "disabled"),
                    _server("10.10.0.5:80", 10, "up"),
                ],
            }
        ],
    }


def _truths() -> dict[str, Truth]:
    table = {
        WEB: Service("wrr", 0, {s["id"]: Server(s["weight_kernel"], "DR") for s in _servers()})
    }
    processes = {"keepalived": "S", "checkers": "R", "vrrp": "S"}
    return {
        "lb1": Truth(table, frozenset({"10.10.0.20"}), processes),
        "lb2": Truth(table, frozenset({topologies.SECOND_VIP}), processes),
    }


def _servers() -> list[Document]:
    return list(_document()["services"][0]["servers"])


def _view() -> View:
    world = World(cast(Lab, _NoLab()), SITE)
    return View("lb1", "fresh", _document(), 0, world, _truths(), {})


def test_what_is_so_is_no_disagreement() -> None:
    view = _view()
    assert rules.is_healthy(view)
    assert rules.compare(view) == []


def _said(view: View) -> Document:
    return cast(Document, view.document["services"][0]["servers"][0])


def _kernel(view: View, **changes: Any) -> View:
    """rs1 in the kernel of lb1, otherwise."""
    truth, service = view.truth, view.truth.table[WEB]
    servers = dict(service.servers)
    servers[RS1] = replace(servers[RS1], **changes)
    table = {WEB: replace(service, servers=servers)}
    return replace(view, truths={**view.truths, "lb1": replace(truth, table=table)})


def _without(view: View) -> View:
    servers = {k: v for k, v in view.truth.table[WEB].servers.items() if k != RS1}
    table = {WEB: replace(view.truth.table[WEB], servers=servers)}
    return replace(view, truths={**view.truths, "lb1": replace(view.truth, table=table)})


def _frozen(view: View) -> View:
    processes = {**view.truth.processes, "checkers": "T"}
    return replace(view, truths={**view.truths, "lb1": replace(view.truth, processes=processes)})


def _twice(view: View) -> View:
    both = replace(view.truths["lb2"], addresses=frozenset({"10.10.0.20"}))
    return replace(view, truths={**view.truths, "lb2": both})


def _say(**changes: Any) -> Callable[[View], View]:
    def change(view: View) -> View:
        view.document.update(changes)
        return view

    return change


def _say_of_rs1(**changes: Any) -> Callable[[View], View]:
    def change(view: View) -> View:
        _said(view).update(changes)
        return view

    return change


def _wrong(act: Act) -> Callable[[View], View]:
    def change(view: View) -> View:
        view.world.wrong["end"] = act
        return view

    return change


def _instance(**changes: Any) -> Callable[[View], View]:
    def change(view: View) -> View:
        view.document["instances"][0].update(changes)
        return view

    return change


def _service(**changes: Any) -> Callable[[View], View]:
    def change(view: View) -> View:
        view.document["services"][0].update(changes)
        return view

    return change


def _foreign(view: View) -> View:
    service = view.truth.table[WEB]
    table = {WEB: replace(service, servers={**service.servers, "10.9.9.9:80": Server(5, "DR")})}
    return replace(view, truths={**view.truths, "lb1": replace(view.truth, table=table)})


def _dead(view: View) -> View:
    truth = replace(view.truth, alive={(WEB, RS1): False})
    return replace(view, truths={**view.truths, "lb1": truth})


def _scheduled(view: View) -> View:
    table = {WEB: replace(view.truth.table[WEB], scheduler="rr")}
    return replace(view, truths={**view.truths, "lb1": replace(view.truth, table=table)})


def _stopped(view: View) -> View:
    view.world.wrong["start rs1"] = Act("stop", "rs1")
    _said(view)["state"] = "unverified"
    return _without(view)


SPEAKS: tuple[tuple[str, Callable[[View], View]], ...] = (
    ("exit status is verdict", lambda view: replace(view, status=1)),
    ("exit status is verdict", _say(verdict="degraded")),
    ("exit status is verdict", _say_of_rs1(state="lost")),
    ("table is the kernels", _service(scheduler="rr")),
    ("table is the kernels", _say(services=[])),
    ("weights are the kernels", _say_of_rs1(weight_kernel=3)),
    ("weights are the kernels", _without),
    ("weights are the files", _say_of_rs1(weight_file=None)),
    ("foreign is what no file has", _say_of_rs1(state="foreign")),
    ("a foreign server is not ok", _foreign),
    ("served is not down", _say_of_rs1(state="down")),
    ("a word of the dump is kept", _dead),
    ("out is not up", _without),
    ("out is not up", lambda view: _kernel(view, weight=0)),
    ("out is not up", _say_of_rs1(state="drained")),
    ("failed is down", _stopped),
    ("instances are those that run", _instance(name="OLD")),
    ("master here iff the vip is", _instance(state="BACKUP")),
    ("master here iff the vip is", _instance(vips_here=[])),
    ("master here iff the vip is", _instance(priority=7)),
    ("master is who has the vip", _instance(master_address="10.10.0.9")),
    ("master is who has the vip", _instance(adverts_on_time=False)),
    ("vip is here iff it is", _service(vip_here=False)),
    ("two holders are not ok", _twice),
    ("no split brain is invented", _say(reasons=["split brain: it is here"])),
    ("a clash is named", _wrong(Act("clash", "rs3", ("51", "50", "10.10.0.77")))),
    ("daemon is what it is", _say(daemon={"running": False, "loaded_is_file": None})),
    ("daemon is what it is", _say(daemon={"running": True, "loaded_is_file": False})),
    ("a frozen process is named", _frozen),
    ("nobody is blamed who did nothing", _say_of_rs1(reason="removed by hand?")),
    ("a sorry server answers iff it does", _service(sorry_server_active=True)),
    ("a difference from the file is named", _scheduled),
    ("a difference from the file is named", lambda view: _kernel(view, weight=7)),
    ("a healthy site is ok", _say(reasons=["something"], verdict="degraded")),
    ("a healthy site is ok", _say_of_rs1(state="unverified")),
    ("a healthy site is ok", _service(severity="warn")),
    ("lost requests are not ok", lambda view: replace(view, losses={"web": 0.5})),
)


@pytest.mark.parametrize(("rule", "change"), SPEAKS)
def test_what_is_not_so_is_a_disagreement(rule: str, change: Callable[[View], View]) -> None:
    said = {one.rule for one in rules.compare(change(_view()))}
    assert rule in said


def test_every_rule_is_seen_to_speak() -> None:
    assert {rule for rule, _ in SPEAKS} == set(rules.RULES)


def test_a_mark_names_a_difference() -> None:
    view = _kernel(_view(), weight=7)
    _said(view)["weight_kernel"] = 7
    marked = copy.deepcopy(view.document)
    mark = {"what": "weight", "text": "kernel weight 7, configured 10", "by": "somebody"}
    marked["services"][0]["servers"][0]["differs"] = [mark]
    rule = "a difference from the file is named"
    assert rule in {one.rule for one in rules.compare(view)}
    blamed = {one.rule for one in rules.compare(replace(view, document=marked))}
    assert rule not in blamed
    assert "nobody is blamed who did nothing" in blamed


def test_a_kind_is_the_same_for_all_names_and_numbers() -> None:
    ours = "10.10.0.3:80 in tcp 10.10.0.20:80: weight 7, file 10"
    other = "[fd00::3]:443 in tcp [fd00::20]:443: weight 3, file 1"
    assert rules.kind(ours) == rules.kind(other)


SCREEN = """
▌ ▾ tcp 10.10.0.20:80 web              2 of 3 up      wrr   DR
    ● 10.10.0.3:80 rs1                 up               10  10     10
    ⊘ 10.10.0.4:80 rs2                 disabled          0   0      0
    ● 10.10.0.5:80 rs3                 up               10  10     10
"""


def test_a_screen_is_read() -> None:
    document = _document()
    assert list(rules.not_on_screen(document, SCREEN)) == []
    assert len(list(rules.not_on_screen(document, SCREEN.replace("disabled", "drained ")))) == 1
    assert len(list(rules.not_on_screen(document, SCREEN.replace("10.10.0.3", "10.10.0.7")))) == 1
