"""What the oracle reads: forms of keepalived 2.2.7, ipvsadm 1.31 and the lab's client."""

from __future__ import annotations

import random

import pytest

from lvstui.lab.topology import from_table
from tests.truth import oracle, topologies
from tests.truth.acts import DOING
from tests.truth.choosing import random_acts
from tests.truth.episode import case_of
from tests.truth.oracle import Server, Service
from tests.truth.shrink import candidates

LOOKED = """@table
-A -t 10.10.0.20:80 -s wrr -p 50
-a -t 10.10.0.20:80 -r 10.10.0.3:80 -g -w 10
-A -f 8 -6 -s rr
-a -f 8 -6 -r [fd00:10:10::3]:0 -i -w 0 -x 5
-A -u 10.10.0.20:53 -s mh -o
@addresses
2: eth0    inet 10.10.0.2/24 scope global eth0\\       valid_lft forever preferred_lft forever
2: eth0    inet6 fe80::1/64 scope link \\       valid_lft forever preferred_lft forever
@processes
10 (keepalived) S 3 3 3 0 -1
3 (keepalived) S 1 3 3 0
9 (keepalived_hc) T 3 3 3 0
@children
keepalived 3
checkers 9
vrrp 77
"""


def test_a_director_is_read() -> None:
    truth = oracle.parse(LOOKED)
    assert truth.table == {
        "tcp 10.10.0.20:80": Service("wrr", 50, {"10.10.0.3:80": Server(10, "DR")}),
        "fwmark 8 ipv6": Service("rr", 0, {"fd00:10:10::3": Server(0, "TUN", 5)}),
        "udp 10.10.0.20:53": Service("mh", 0, {}, ops=True),
    }
    assert truth.addresses == {"10.10.0.2", "fe80::1"}
    assert truth.processes == {"keepalived": "S", "checkers": "T"}
    assert truth.running
    assert not truth.works("checkers")
    assert not truth.works("vrrp")


def test_a_sleeping_process_is_the_same_as_a_running_one() -> None:
    truth = oracle.parse(LOOKED)
    assert truth.same(oracle.parse(LOOKED.replace("(keepalived) S 1", "(keepalived) R 1")))
    assert not truth.same(oracle.parse(LOOKED.replace("(keepalived) S 1", "(keepalived) T 1")))


def test_losses_count_when_there_are_some_in_each_second() -> None:
    now = 1_000_000_000
    every = [now - oracle._PATIENCE_MS - 1000 * second - 500 for second in range(5)]
    lines = [f"{at} web rs1 1.0 ok\n{at} web - 1500.0 timeout" for at in every]
    lines += [f"{at} dns - 1500.0 timeout" for at in every[:4]] + [f"{every[4]} dns rs1 1.0 ok"]
    assert oracle.lost(now, "\n".join(lines)) == {"web": 0.5}


@pytest.mark.parametrize("seed", range(40))
def test_every_site_is_one_that_the_lab_takes(seed: int) -> None:
    case = case_of(seed, 6)
    site = case.site
    assert case == case_of(seed, 6)
    topology = site.topology()
    names = {service.name for service in topology.services}
    assert len(names) == len(topology.services)
    table = {
        "directors": list(topology.directors),
        "real_servers": list(topology.real_servers),
        "ipv6": topology.ipv6,
        "service": [
            {
                "name": one.name,
                "protocol": one.protocol,
                "port": one.port,
                "forward": one.forward,
                "servers": list(one.servers),
                **({"sorry_server": one.sorry_server} if one.sorry_server else {}),
            }
            for one in topology.services
        ],
    }
    from_table(table)
    for director in range(site.directors):
        text = topologies.render(site, director)
        assert text.count("{") == text.count("}")
    assert {act.kind for act in random_acts(random.Random(seed), site, 30)} <= DOING.keys()


def test_a_case_gets_smaller_only() -> None:
    case = case_of(3, 6)
    for smaller in candidates(case):
        assert len(smaller.acts) < len(case.acts) or smaller.site != case.site
