"""Topologies: what a file may say, how wrong ones are answered, and what is made of them."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from lvstui.lab import LabError, Machine, Topology, cluster, conf, machines, stacks, surroundings
from lvstui.lab.kernels import Kernel
from lvstui.lab.packages import Layer
from lvstui.lab.topology import STACKS, parse, read

FULL = """
directors = ["east", "west"]
real_servers = 4
ipv6 = true
[[service]]
name = "web"
port = 8080
scheduler = "sh"
weight = [1, 2, 3]
persistence = 60
checker = ["http", "tcp"]
servers = ["rs1", "rs2", "rs3"]
sorry_server = "rs4"
[[service]]
name = "dns"
protocol = "udp"
fwmark = 7
"""


def test_an_empty_file_is_the_default_cluster() -> None:
    assert parse("") == Topology()


def test_every_key() -> None:
    topology = parse(FULL)
    web, dns = topology.services
    assert topology.directors == ("east", "west")
    assert topology.real_servers == ("rs1", "rs2", "rs3", "rs4")
    assert (web.weight(0), web.weight(2), web.checker(1), web.sorry_server) == (1, 3, "tcp", "rs4")
    assert (dns.port, dns.fwmark, dns.checkers) == (53, 7, ("dns",))
    assert topology.pool(web) == ("rs1", "rs2", "rs3")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("directors = 9", r"directors is wrong.*9; expected a number from 1 to 3"),
        ("directors = [1]", r"directors is wrong.*list of different names"),
        ("real_server = 3", r"real_server is no key.*known: directors"),
        ("ipv6 = 1", r"ipv6 is wrong.*true or false"),
        ('bare = ["rs9"]', r"bare is wrong.*true, false, or some of rs1, rs2, rs3"),
        ("bare = 1", r"bare is wrong"),
        ('bare = true\n[[service]]\nname="a"\nforward="NAT"', r"none can be bare"),
        ('[[machine]]\nname="m1"\nstack="wicked"', r"machine 1: stack is wrong.*one of ifupdown"),
        ('[[machine]]\nname="rs1"', r"two nodes have the same name"),
        ('[[machine]]\nname="lb3"\nrole="boss"', r"machine 1: role is wrong.*realserver, director"),
        ('directors=3\n[[machine]]\nname="lb4"\nrole="director"', r"most 3 directors.*lb3, lb4"),
        (
            '[[machine]]\nname="lb3"\nrole="director"\n[[service]]\nname="a"\nfwmark=1',
            r"no firewall marks",
        ),
        ('[[machine]]\nname="m1"\n[[service]]\nname="a"\nforward="NAT"', r"for DR only"),
        ("machine = 1", r"machine is wrong.*\[\[machine\]\] tables"),
        ("service = 1", r"service is wrong"),
        ("[[service]]", r"service 1: name is wrong"),
        ('[[service]]\nname="a"\nport=0', r"service 1: port is wrong.*0; expected a whole number"),
        ('[[service]]\nname="a"\nscheduler="best"', r"scheduler is wrong.*one of rr, wrr"),
        ('[[service]]\nname="a"\nweight=[1,-1]', r"weight is wrong"),
        ('[[service]]\nname="a"\nsorry_server="rs1"', r"sorry_server is wrong"),
        ('[[service]]\nname="a"\nservers=["rs7"]', r"servers is wrong.*rs1, rs2, rs3"),
        ('[[service]]\nname="a"\n[[service]]\nname="a"', r"two services have the same name"),
        ('[[service]]\nname="a"\nforward="NAT"\n[[service]]\nname="b"\nport=1', r"NAT cannot be"),
        ('real_servers = ["lb1"]', r"two nodes have the same name"),
        ("directors = ", r"is not TOML"),
    ],
)
def test_wrong_files_are_explained(text: str, words: str) -> None:
    with pytest.raises(LabError) as caught:
        parse(text, "my.toml")
    assert "my.toml" in str(caught.value)
    assert re.search(words, str(caught.value), re.S)


def test_a_missing_file_is_explained(tmp_path: Path) -> None:
    with pytest.raises(LabError, match="cannot read the topology"):
        read(tmp_path / "none.toml")


def test_bare_real_servers_have_no_vip_and_no_arp_sysctls() -> None:
    topology = parse('bare = ["rs3", "rs1"]')
    assert topology.bare == ("rs1", "rs3")
    assert parse("bare = true") == Topology().stripped()
    keys = dict.fromkeys(["", *topology.directors, *topology.real_servers, "client"], ("", ""))
    layer = Layer(None, Kernel(Path("/k"), Path("/m")))
    plan = cluster.plan(topology, "lab1", layer, keys, {})
    for node in plan["nodes"]:
        planned = any("arp_ignore" in path for path, _ in node["sysctls"])
        assert (bool(node["loopback"]), planned) == (node["name"] == "rs2",) * 2


DIRECTOR = """
[[machine]]
name = "lb2"
role = "director"
"""
MACHINES = """
real_servers = 1
[[machine]]
name = "m1"
[[machine]]
name = "m2"
stack = "netplan"
memory = 320
"""


def test_machines_are_real_servers() -> None:
    topology = parse(MACHINES)
    assert topology.machines == (Machine("m1"), Machine("m2", "netplan", 320))
    assert topology.pool(topology.services[0]) == ("rs1", "m1", "m2")
    assert cluster.addresses(topology)["m2"] == ("10.10.0.52",)
    lan = cluster.addresses(topology)
    text = conf.render(topology, 0, cluster.vips(topology), "", lan)
    assert text.count("real_server 10.10.0.52 ") == 2
    assert tuple(stacks.STACKS) == STACKS


def test_a_machine_can_be_the_last_director() -> None:
    topology = parse('directors = 1\n[[machine]]\nname = "m1"\n' + DIRECTOR)
    assert topology.all_directors == ("lb1", "lb2")
    assert topology.all_real_servers == ("rs1", "rs2", "rs3", "m1")
    files = machines._director_files(topology, "lb2")
    text = files["/etc/keepalived/keepalived.conf"][1]
    assert "# lb2: one of 2 directors" in text
    assert "priority 100" in text
    assert "10.10.0.51 80 { # m1" in text
    assert "10.10.0.52 80" not in text
    known = json.loads(files["/usr/local/share/lab/director.json"][1])
    assert known["files"]["/etc/keepalived/keepalived.conf"] == [0o644, text]
    assert set(known["expect"]) == {"TCP 10.10.0.20:80", "UDP 10.10.0.20:53"}
    enabled = {path.rsplit("/", 1)[-1] for path in stacks.links(stacks.STACKS["plain"], True)}
    assert "keepalived.service" in enabled
    assert "lab-services.service" not in enabled


@pytest.mark.parametrize("name", STACKS)
@pytest.mark.parametrize("ipv6", [False, True])
def test_each_stack_configures_all_addresses(name: str, ipv6: bool) -> None:
    addresses = ("10.10.0.51/24", "fd00:10:10::51/64")[: 1 + ipv6]
    stack = stacks.STACKS[name]
    text = "".join(text for _, text in stack.files(addresses).values())
    assert stack.configures_itself == all(address in text for address in addresses)
    enabled = {path.rsplit("/", 1)[-1] for path in stacks.links(stack)}
    assert {"ssh.service", "lab-services.service", *stack.units} <= enabled


def test_keepalived_conf_of_the_default_cluster() -> None:
    topology = Topology()
    lan = cluster.addresses(topology)
    text = conf.render(topology, 0, cluster.vips(topology), "", lan)
    assert "real_server 10.10.0.3 80 { # rs1" in text
    assert "virtual_server 10.10.0.20 53 { # dns" in text
    assert {"HTTP_GET {", "TCP_CHECK {", "DNS_CHECK {", "MISC_CHECK {"} <= {
        line.strip() for line in text.splitlines()
    }
    assert text.index("script_user root") < text.index("vrrp_notify_fifo")
    assert text.count("{") == text.count("}")
    other = conf.render(topology, 1, cluster.vips(topology), "", lan)
    assert "priority 100" in other
    assert "state BACKUP" in other


def test_both_families_and_marks() -> None:
    topology = parse(FULL)
    lan = cluster.addresses(topology)
    assert lan["west"] == ("10.10.0.6", "fd00:10:10::6")
    text = conf.render(topology, 0, cluster.vips(topology), "", lan)
    assert text.count("vrrp_instance") == 2
    assert "virtual_server fwmark 8 { # dns" in text
    assert "ip_family inet6" in text
    assert "sorry_server fd00:10:10::103 8080" in text


def test_only_the_terminal_and_our_own_words_of_the_environment_go_in() -> None:
    outer = {
        "TERM": "xterm",
        "AWS_SECRET": "x",
        "TEXTUAL_FPS": "30",
        "LVSTUI_LAB": "/x",
        "LANG": "C",
    }
    assert surroundings.environment(outer) == {"TERM": "xterm", "TEXTUAL_FPS": "30", "LANG": "C"}


def test_python_below_a_covered_folder_is_bound_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.base_prefix", "/root/.pyenv/versions/3.12")
    monkeypatch.setattr("sys.prefix", "/home/me/project/.venv")
    monkeypatch.setattr("sys.path", ["", "/usr/lib/python3"])
    monkeypatch.setattr("sys.executable", "/home/me/project/.venv/bin/python")
    found = surroundings.binds((("/root", 0), ("/home", 0)), "/home/me")
    assert "/root/.pyenv/versions/3.12" in found
    assert "/home/me/project/.venv" in found
    assert not {"/home/me", "/root", "/home"} & set(found)
    assert not any(path.startswith("/usr") for path in found)


def test_directors_may_have_keepalived_of_another_release() -> None:
    assert parse('release = "trixie"').releases == (("lb1", "trixie"), ("lb2", "trixie"))
    mixed = parse('release = { lb2 = "bullseye" }')
    assert mixed.releases == (("lb2", "bullseye"),)
    assert mixed.of_release("sid").releases == (("lb1", "sid"), ("lb2", "bullseye"))


@pytest.mark.parametrize("text", ['"slink"', '{ rs1 = "sid" }', '{ lb1 = "slink" }', "3"])
def test_a_release_that_no_director_can_have_is_refused(text: str) -> None:
    with pytest.raises(LabError, match="release is wrong"):
        parse(f"release = {text}")
