"""Which hosts are real servers, and what lvstui's own file says of them."""

from __future__ import annotations

from pathlib import Path

import pytest

from lvstui.model.config import ConfiguredServer, ConfiguredService
from lvstui.model.keys import ServerKey, ServiceKey
from lvstui.realserver.hosts import (
    HostsFileError,
    OwnFile,
    Vip,
    find,
    from_services,
    own_path,
    read_own,
)
from lvstui.remote.config import resolve


def service(key: str, *servers: tuple[str, str], forwarding: str = "DR") -> ConfiguredService:
    return ConfiguredService(
        ServiceKey.parse(key),
        "wrr",
        forwarding,
        tuple(ConfiguredServer(ServerKey.parse(s), 10, forwarding, name) for s, name in servers),
    )


def test_real_servers_in_direct_routing_with_all_their_services() -> None:
    hosts = from_services(
        [
            service("tcp 10.0.0.20:80", ("10.0.0.3:80", "rs1"), ("10.0.0.4:80", "")),
            service("udp 10.0.0.20:53", ("10.0.0.3:53", "")),
            service("tcp 10.0.0.21:443", ("10.0.0.3:443", "rs1")),
            service("tcp 10.0.0.22:80", ("10.0.0.9:80", "nat"), forwarding="NAT"),
        ],
        OwnFile(),
    )
    assert [(h.address, h.name) for h in hosts] == [("10.0.0.3", "rs1"), ("10.0.0.4", "")]
    assert hosts[0].vips == (
        Vip("10.0.0.20", (("tcp", 80), ("udp", 53))),
        Vip("10.0.0.21", (("tcp", 443),)),
    )
    assert hosts[0].access.host == "rs1"
    assert hosts[0].access.address == "10.0.0.3"


@pytest.mark.parametrize(
    "comment", ["web server 2 (rack 4)", "$(touch${IFS}/x)", "-oX=y", "größte"]
)
def test_a_comment_that_is_no_host_name_is_a_name_on_the_screen_only(comment: str) -> None:
    (host,) = from_services([service("tcp 10.0.0.20:80", ("10.0.0.3:80", comment))], OwnFile())
    assert (host.name, host.label) == (comment, comment)
    assert (host.access.host, host.access.address) == ("10.0.0.3", "10.0.0.3")
    assert resolve(host.access, config="/dev/null", program="").hostname == "10.0.0.3"
    assert find([host], comment, OwnFile(), ()) is host
    assert find([host], "10.0.0.3", OwnFile(), ()) is host


def test_one_row_for_a_machine_of_both_families() -> None:
    hosts = from_services(
        [
            service("tcp 10.0.0.20:80", ("10.0.0.3:80", "rs1")),
            service("tcp [fd00::20]:80", ("[fd00::3]:80", "rs1")),
        ],
        OwnFile(),
    )
    (host,) = hosts
    assert host.vip_addresses == ("10.0.0.20", "fd00::20")
    assert host.address_for("10.0.0.20") == "10.0.0.3"
    assert host.address_for("fd00::20") == "fd00::3"


def test_a_mark_stands_for_the_addresses_of_the_instances() -> None:
    hosts = from_services(
        [service("fwmark 7", ("10.0.0.3", "rs1"))], OwnFile(), ("10.0.0.20", "10.0.0.21")
    )
    assert hosts[0].vip_addresses == ("10.0.0.20", "10.0.0.21")


def test_the_own_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "hosts.toml"
    path.write_text(
        '[defaults]\nuser = "ops"\njump = "bastion"\n\n[host."10.0.0.3"]\n'
        'address = "192.168.7.3"\nport = 2222\nmethod = "unit"\nuser = "root"\n'
    )
    monkeypatch.setenv("LVSTUI_HOSTS", str(path))
    assert own_path() == path
    one, two = from_services(
        [service("tcp 10.0.0.20:80", ("10.0.0.3:80", "rs1"), ("10.0.0.4:80", "rs2"))], read_own()
    )
    assert (one.access.user, one.access.port, one.access.address) == ("root", 2222, "192.168.7.3")
    assert (two.access.user, two.access.jump, one.method) == ("ops", "bastion", "unit")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[hosts]\n", "'hosts' is unknown"),
        ("user = 3", "'user' is unknown"),
        ('[defaults]\nport = "22"', "expected 1 to 65535"),
        ("[defaults]\nport = 0", "expected 1 to 65535"),
        ("[host.rs1]\nusr = 'x'", "host.rs1.usr is unknown; known:"),
        ("[host.rs1]\nuser = 3", "expected a text"),
        ("[host.rs1]\nmethod = 'magic'", "expected network-scripts, ifupdown"),
        ("[host]\nrs1 = 3", "[host.rs1] is not a table"),
        ("[defaults", "is not TOML"),
    ],
)
def test_what_is_wrong_in_the_own_file_is_named(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "hosts.toml"
    path.write_text(text)
    with pytest.raises(HostsFileError, match=r"hosts\.toml") as caught:
        read_own(path)
    assert said in str(caught.value)
    with pytest.raises(HostsFileError, match="can not be read"):
        read_own(tmp_path / "missing.toml")


def test_a_word_on_the_command_line() -> None:
    hosts = from_services([service("tcp 10.0.0.20:80", ("10.0.0.3:80", "rs1"))], OwnFile())
    assert find(hosts, "rs1", OwnFile(), ()).address == "10.0.0.3"
    assert find(hosts, "ops@10.0.0.3", OwnFile(), ()).access.user == "ops"
    assert find(hosts, "web9", OwnFile(), ("10.0.0.20",)).access.host == "web9"
    with pytest.raises(ValueError, match="there are: rs1"):
        find(hosts, "rs9", OwnFile(), ())
