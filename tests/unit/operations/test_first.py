"""A first configuration: what is wrong in the answers, and the two files."""

from __future__ import annotations

from dataclasses import replace

import pytest

from lvstui.keepalived.first import (
    CHECKS,
    PROTOCOLS,
    First,
    FirstDirector,
    FirstServer,
    free_vrid,
    render,
    sysctl_file,
    wrong,
)
from lvstui.keepalived.meaning.view import view
from lvstui.keepalived.text.parser import parse_bytes
from lvstui.operations.first import Guess, completed, parse_routes
from lvstui.operations.questions import QUESTIONS

FIRST = First(
    (FirstDirector("lb1", "eth0", "10.10.0.1"), FirstDirector("lb2", "ens3", "10.10.0.2")),
    "10.10.0.20",
    24,
    51,
    80,
    (FirstServer("10.10.0.3", "rs1", 10), FirstServer("10.10.0.4", "rs2", 5)),
    "web",
    scheduler="wrr",
    persistence_s=60,
)

ROUTES = """\
Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT
eth0\t00000000\t01000A0A\t0003\t0\t0\t0\t00000000\t0\t0\t0
eth0\t00000A0A\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0
broken line
"""


@pytest.mark.parametrize("check", CHECKS)
@pytest.mark.parametrize("unicast", [False, True], ids=["multicast", "unicast"])
def test_both_files_are_understood_without_a_complaint(check: str, unicast: bool) -> None:
    path = "/health?x={1}#y"
    first = replace(FIRST, check=check, path=path, unicast=unicast, sync_connections=True)
    assert wrong(first) == ()
    seen = [view(parse_bytes(render(first, index))) for index in (0, 1)]
    for configuration in seen:
        assert configuration.problems == ()
        (web,) = configuration.services
        assert (str(web.key), web.scheduler, web.forwarding, web.persistence_s) == (
            "tcp 10.10.0.20:80",
            "wrr",
            "DR",
            60,
        )
        assert [(str(s.key), s.name, s.weight) for s in web.servers] == [
            ("10.10.0.3:80", "rs1", 10),
            ("10.10.0.4:80", "rs2", 5),
        ]
        kinds = [] if check == "none" else [check]
        assert [c.kind for c in web.servers[0].checkers] == kinds
    (one,), (two,) = (configuration.instances for configuration in seen)
    assert (one.priority, two.priority) == (150, 100)
    assert (one.interface, two.interface) == ("eth0", "ens3")
    assert one.nopreempt
    assert two.nopreempt
    assert (one.state, one.vrid, one.vips) == ("BACKUP", 51, ("10.10.0.20",))
    assert one.unicast_peers == (("10.10.0.2",) if unicast else ())
    assert two.unicast_peers == (("10.10.0.1",) if unicast else ())


def test_only_what_belongs_to_one_director_differs() -> None:
    lines = [set(render(FIRST, index).splitlines()) for index in (0, 1)]
    words = {line.split()[0] for line in lines[0] ^ lines[1]}
    assert words == {b"#", b"router_id", b"interface", b"priority"}


def test_an_ipv6_vip_comes_behind_a_link_local_one() -> None:
    first = replace(FIRST, vip="fd00::20", prefix=64, servers=(FirstServer("fd00::3"),))
    assert wrong(first) == ()
    (instance,) = view(parse_bytes(render(first, 0))).instances
    assert instance.vips == ("fe80::33", "fd00::20")
    assert instance.version == 3


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"vip": "10.10.0.300"}, "vip"),
        ({"vip": "10.10.0.3"}, "service 1 server 1 address"),
        ({"prefix": 0}, "prefix"),
        ({"vrid": 256}, "vrid"),
        ({"vrid": 77}, "vrid"),
        ({"port": 0}, "service 1 port"),
        ({"servers": ()}, "service 1 servers"),
        ({"scheduler": "foo"}, "service 1 scheduler"),
        ({"protocol": "udp"}, "service 1 check"),
        ({"path": "a b"}, "service 1 path"),
        ({"name": "a}"}, "service 1 name"),
        ({"servers": (FirstServer("10.9.0.3"),)}, "service 1 server 1 address"),
        ({"servers": (FirstServer("10.10.0.2"),)}, "service 1 server 1 address"),
        ({"servers": (FirstServer("fd00::2"),)}, "service 1 server 1 address"),
        ({"servers": (FirstServer("10.10.0.9", weight=0),)}, "service 1 servers"),
        ({"directors": (FIRST.directors[0], FirstDirector("lb1", "eth0"))}, "director 2 name"),
        (
            {"directors": (FIRST.directors[0], FirstDirector("lb2", "eth 0"))},
            "director 2 interface",
        ),
        (
            {"unicast": True, "directors": (FIRST.directors[0], FirstDirector("lb2", "eth0"))},
            "director 2 address",
        ),
    ],
)
def test_each_wrong_answer_is_named(change: dict[str, object], field: str) -> None:
    found = wrong(replace(FIRST, **change), frozenset({77}))  # type: ignore[arg-type]
    assert field in {problem.field for problem in found}
    assert all(problem.why for problem in found)


def test_a_vrid_that_nobody_uses() -> None:
    assert free_vrid(frozenset()) == 51
    assert free_vrid(frozenset({51, 52})) == 53
    assert free_vrid(frozenset(range(1, 256)) - {7}) == 7
    assert free_vrid(frozenset(range(1, 256))) == 0


def test_routes_as_the_kernel_prints_them() -> None:
    default, link = parse_routes(ROUTES)
    assert (default.gateway, default.network.prefixlen) == ("10.10.0.1", 0)
    assert (str(link.network), link.gateway, link.interface) == ("10.10.0.0/24", "", "eth0")


def test_the_sysctl_of_both_directors() -> None:
    assert sysctl_file().splitlines()[-1] == b"net.ipv4.ip_nonlocal_bind = 1"


FOUND = Guess("lb1", "eth0", "10.10.0.1", 24, "10.10.0.129", 52, frozenset({51}))


def test_what_is_not_typed_is_guessed_and_said() -> None:
    first, guessed = completed({"servers": "10.10.0.3=rs1*10, 10.10.0.4"}, FOUND)
    assert wrong(first, FOUND.heard_vrids) == ()
    assert (first.vip, first.prefix, first.vrid) == ("10.10.0.129", 24, 52)
    assert [d.name for d in first.directors] == ["lb1", "lb2"]
    assert first.servers == (FirstServer("10.10.0.3", "rs1", 10), FirstServer("10.10.0.4"))
    assert len(guessed) == 4
    typed = {
        "vip": "10.10.0.20/25",
        "vrid": "9",
        "interface": "a,b",
        "directors": "x,y",
        "protocol": "udp",
        "servers": "10.10.0.3",
        "unicast": "10.10.0.1,10.10.0.2",
    }
    first, guessed = completed(typed, FOUND)
    assert guessed == ()
    assert first.check == "none"
    assert (first.prefix, first.directors[1]) == (25, FirstDirector("y", "b", "10.10.0.2"))


@pytest.mark.parametrize(
    "typed",
    [
        {"vip": "10.0.0.1/x"},
        {"vrid": "x"},
        {"port": "-1"},
        {"interface": "a,b,c"},
        {"directors": "a"},
        {"unicast": "10.0.0.1"},
        {"servers": "10.0.0.3*"},
        {"servers": "10.0.0.3:80"},
        {"persistence": "1.5"},
    ],
)
def test_an_answer_that_can_not_be_read_is_named(typed: dict[str, str]) -> None:
    field = next(iter(typed)).removesuffix("s") if "directors" not in typed else "directors"
    with pytest.raises(ValueError, match=field):
        completed(typed, FOUND)


def test_what_can_be_chosen_is_what_is_taken() -> None:
    choices = {question.field: question.choices for question in QUESTIONS if question.choices}
    assert choices == {"protocol": PROTOCOLS, "check": CHECKS}
