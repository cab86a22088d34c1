"""What there is to try for a real server, and the trying of it as a job."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest

from lvstui.keepalived.meaning.view import view
from lvstui.keepalived.text.parser import parse_bytes
from lvstui.keepalived.text.tree import Tree
from lvstui.model import facts as f
from lvstui.model.picture import ServerView
from lvstui.realserver.check_now import Ask, Came
from lvstui.session.checking import CheckSession, asks_of
from lvstui.session.jobs import at_once
from tests.unit.world import World

FILE = b"""virtual_server 10.10.0.20 80 {
    lb_kind %s
    protocol TCP
    virtualhost shop.example
    real_server 10.10.0.3 %s {
        HTTP_GET {
            url {
                path /health?token=s3cret
                virtualhost deep.example
            }
            url {
                path /
            }
            connect_timeout 3
        }
        SSL_GET {
            connect_port 8443
            url {
                path /tls
            }
        }
        TCP_CHECK {
            connect_port 81
        }
        MISC_CHECK {
            misc_path "/usr/local/bin/check it"
        }
    }
}
"""


def configured(kind: bytes = b"DR", port: bytes = b"80") -> tuple[Tree, ServerView]:
    tree = parse_bytes(FILE % (kind, port))
    world = World().say(f.ConfigurationSeen(view(tree)))
    return tree, world.picture().services[0].servers[0]


def test_in_direct_routing_all_checks_and_the_way_of_the_vip_are_tried() -> None:
    tree, server = configured()
    asks = asks_of(server, tree)
    assert [ask.what for ask in asks] == [
        "connect 10.10.0.3:80",
        "HTTP_GET: GET /health?… at 10.10.0.3:80",
        "HTTP_GET: GET / at 10.10.0.3:80",
        "SSL_GET: GET /tls at 10.10.0.3:8443",
        "TCP_CHECK: connect 10.10.0.3:81",
        "MISC_CHECK: /usr/local/bin/check",
        "SYN for 10.10.0.20 to the MAC of 10.10.0.3",
    ]
    assert [(ask.path, ask.host, ask.tls) for ask in asks[1:4]] == [
        (b"/health?token=s3cret", b"deep.example", False),
        (b"/", b"shop.example", False),
        (b"/tls", b"shop.example", True),
    ]
    assert asks[1].within_s == 3.0
    assert asks[5].not_done
    assert (asks[6].vip, asks[6].port) == ("10.10.0.20", 80)


def test_under_nat_the_real_port_is_asked_and_no_mac() -> None:
    tree, server = configured(b"NAT", b"8080")
    asks = asks_of(server, tree)
    assert asks[0].what == "connect 10.10.0.3:8080"
    assert not any(ask.vip for ask in asks)
    assert [ask.port for ask in asks if ask.path == b"/"] == [8080]


def test_without_the_files_no_request_is_made_up() -> None:
    asks = asks_of(configured()[1], None)
    assert not any(ask.path for ask in asks)
    assert any("could not be read" in ask.not_done for ask in asks)


def session(tree: Tree, run: Callable[..., object]) -> CheckSession:
    return CheckSession(lambda: tree, begin=at_once, run=run)


def test_what_comes_is_told_one_by_one() -> None:
    tree, server = configured()

    def run(asks: Sequence[Ask], stopped: object, came: Callable[[Came], None]) -> None:
        for ask in asks:
            came(Came(ask.what, None if ask.not_done else True, "x"))

    checks = session(tree, run)
    heard: list[Came] = []
    checks.heard = heard.append
    check = checks.check(server)
    assert check.ended
    assert check.good
    assert heard == check.came
    assert len(heard) == len(check.asks) == 7


@pytest.mark.parametrize(("goods", "good"), [([True, False], False), ([None], False), ([], False)])
def test_good_is_what_was_tried_and_did_not_fail(goods: list[bool | None], good: bool) -> None:
    tree, server = configured()
    run = lambda asks, stopped, came: [came(Came("x", one, "y")) for one in goods]  # noqa: E731
    assert session(tree, run).check(server).good is good


def test_what_breaks_is_told_with_the_check() -> None:
    tree, server = configured()

    def run(*_: object) -> None:
        raise RuntimeError("no")

    check = session(tree, run).check(server)
    assert check.ended
    assert "no" in check.problem
