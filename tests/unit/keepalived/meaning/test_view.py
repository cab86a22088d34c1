"""What a configuration means: effective values, places, names, and never a password."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from lvstui.keepalived.meaning.view import load_tree, view
from lvstui.keepalived.text.files import Files, NotLoaded
from lvstui.keepalived.text.parser import parse, parse_bytes
from lvstui.keepalived.text.tree import write
from lvstui.model.config import Configuration, ConfiguredService

DATA = Path(__file__).parents[3] / "data" / "keepalived"
FILES = sorted(path for path in DATA.rglob("*") if path.is_file())


def of(text: str, config_id: str = "lb1") -> Configuration:
    return view(parse_bytes(text.encode(), "/k.conf", config_id))


def load(path: str, config_id: str = "lb1") -> Configuration:
    return view(load_tree(path, config_id=config_id))


def messages(configuration: Configuration) -> list[str]:
    return [f"{place.line}: {message}" for place, message in configuration.problems]


@pytest.fixture(name="pool")
def _pool() -> Configuration:
    return load(str(DATA / "pool.conf"), config_id="lb1")


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_files_round_trip(path: Path) -> None:
    data = path.read_bytes()
    assert write(parse_bytes(data)) == data


def test_plain_service(pool: Configuration) -> None:
    web = pool.services[0]
    assert str(web.key) == "tcp 10.10.0.20:80"
    assert (web.name, web.scheduler, web.forwarding) == ("web", "wrr", "DR")
    assert (web.persistence_s, web.quorum, web.hysteresis) == (360, 2, 1)
    assert str(web.sorry_server) == "10.10.0.9:80"
    assert web.sorry_forwarding == "DR"
    assert web.place is not None
    assert web.place.line == 51


def test_real_servers(pool: Configuration) -> None:
    one, two, three = pool.services[0].servers
    assert [str(server.key) for server in (one, two, three)] == [
        "10.10.0.3:80",
        "10.10.0.4:80",
        "10.10.0.6:80",
    ]
    assert [server.name for server in (one, two, three)] == ["rs1", "rs2", ""]
    assert [server.weight for server in (one, two, three)] == [10, 1, 0]
    assert (one.upper_threshold, one.lower_threshold) == (100, 50)
    assert one.weight_place is not None
    assert str(one.weight_place).endswith("pool.conf:63:16")
    assert two.weight_place is None
    assert two.inhibit_on_failure
    assert not one.inhibit_on_failure
    assert (one.alpha, three.alpha) == (False, True)


def test_checks_inherit(pool: Configuration) -> None:
    one, two, three = pool.services[0].servers
    http = one.checkers[0]
    assert (http.kind, http.target) == ("HTTP_GET", "GET /health?…")
    assert (http.delay_loop_s, http.connect_timeout_s, http.retry) == (6, 3, 2)
    tcp, misc = two.checkers
    assert (tcp.target, tcp.delay_loop_s, tcp.retry) == ("connect 10.10.0.4:81", 1.5, 4)
    assert (misc.target, misc.connect_timeout_s, misc.retry) == ("/usr/lib/check", 4, 2)
    assert three.checkers[0].target == "connect 10.10.0.6 port 0"


def test_group_gives_one_service_for_each_member(pool: Configuration) -> None:
    members = [service for service in pool.services if service.group == "dns"]
    assert [str(service.key) for service in members] == [
        "udp 10.10.0.30:53",
        "udp 10.10.0.32:53",
        "udp 10.10.0.33:53",
        "udp 10.10.0.34:53",
        "udp 10.10.0.40:53",
        "udp 10.10.0.41:53",
        "udp 10.10.0.42:53",
        "udp 10.10.0.43:53",
        "fwmark 7",
    ]
    assert all(service.one_packet and service.name == "dns" for service in members)
    # Behind NAT a server of a group keeps what it has: no port, as in the kernel (2.2.7).
    assert str(members[0].servers[0].key) == "10.10.0.7"
    assert members[0].servers[0].checkers[0].retry == 3


def test_mark_with_family(pool: Configuration) -> None:
    mark = pool.services[-1]
    assert str(mark.key) == "fwmark 9 ipv6"
    assert (mark.scheduler, mark.forwarding) == ("wlc", "NAT")
    assert str(mark.servers[0].key) == "[fd00::3]:443"
    assert mark.servers[0].checkers[0].target == "GET / over TLS"


def test_instances(pool: Configuration) -> None:
    first, second = pool.instances
    assert (first.name, first.interface, first.vrid, first.state) == ("VI_1", "eth0", 51, "MASTER")
    assert first.priority == 150
    assert load(str(DATA / "pool.conf"), config_id="lb2").instances[0].priority == 100
    assert first.vips == ("10.10.0.20", "10.10.0.21", "fd00::20")
    assert first.track_scripts == ("chk_app",)
    assert first.unicast_peers == ("10.10.0.2",)
    assert first.has_auth
    assert first.sync_group == "front"
    assert pool.sync_groups == (("front", ("VI_1", "VI_6")),)
    assert (second.version, second.advert_interval_s, second.nopreempt) == (3, 0.5, True)
    assert second.vips == ("fe80::6", "fd00::6")


def test_globals(pool: Configuration) -> None:
    assert (pool.router_id, pool.enable_dbus) == ("LB_1", True)
    assert (pool.notify_fifo, pool.vrrp_notify_fifo) == ("", "/run/lvstui.fifo")
    assert pool.files == (str(DATA / "pool.conf"),)


def test_problems_are_those_that_keepalived_prints(pool: Configuration) -> None:
    assert messages(pool) == [
        "27: auth_pass: keepalived uses its first 8 bytes",
        "37: track_script: no such vrrp_script; keepalived ignores it",
        "74: real server: its port is not the service's; keepalived resets it",
        "94: real server is there already: keepalived removes this one",
        "105: no forwarding method set: keepalived takes NAT",
        "113: no scheduler set: keepalived takes wlc",
        "113: no forwarding method set: keepalived takes NAT",
    ]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_no_password_anywhere(path: Path) -> None:
    text = str(dataclasses.asdict(view(parse_bytes(path.read_bytes(), str(path), "lb1"))))
    for secret in ("t0p", "s3cret", "hunter22", "inline"):
        assert secret not in text


def test_definitions_includes_and_repetitions() -> None:
    found = load(str(DATA / "generated.conf"), config_id="x")
    service = found.services[0]
    assert [str(server.key) for server in service.servers] == [
        "10.20.0.11:80",
        "10.20.0.12:80",
        "10.20.0.13:80",
        "10.20.0.20:80",
    ]
    assert [server.weight for server in service.servers] == [5, 5, 5, 7]
    assert [server.place.line for server in service.servers if server.place] == [15, 15, 15, 18]
    assert [Path(name).name for name in found.files] == [
        "generated.conf",
        "10-vrrp.conf",
        "more.inc",
        "one.inc",
    ]
    assert found.instances[0].vrid == 7
    assert found.router_id == "ONE"
    assert messages(found)[0].startswith("10: include ")
    tree = load_tree(str(DATA / "generated.conf"), config_id="x")
    for name in found.files:
        assert write(tree, name) == Path(name).read_bytes()
    assert [len(include.files) for include in tree.includes] == [1, 1, 1]


def test_odd_shapes() -> None:
    found = load(str(DATA / "odd.conf"), config_id="x")
    (instance,) = found.instances
    assert (instance.vrid, instance.has_auth, instance.vips) == (0, False, ("10.0.0.9",))
    (service,) = found.services
    assert str(service.key) == "udp 10.0.0.9:80"
    assert service.forwarding == "NAT"
    assert [server.weight for server in service.servers] == [1, 2]
    lines = [place.line for place, _ in found.problems]
    assert 1 in lines
    assert 10 in lines


BASE = "virtual_server 10.0.0.1 {port} {{\n{lines}\nreal_server 10.0.0.3 {rs} {{\n{inner}\n}}\n}}\n"


def service(
    lines: str = "lb_algo rr\nlb_kind DR\nprotocol TCP",
    inner: str = "",
    port: str = "80",
    rs: str = "80",
) -> tuple[ConfiguredService | None, list[str]]:
    found = of(BASE.format(lines=lines, inner=inner, port=port, rs=rs))
    return (found.services[0] if found.services else None), [m for _, m in found.problems]


def test_sound_service_is_quiet() -> None:
    found, said = service()
    assert found is not None
    assert said == []


def test_defaults_are_said() -> None:
    found, said = service("")
    assert found is not None
    assert (found.key.protocol, found.scheduler, found.forwarding) == ("udp", "wlc", "NAT")
    assert len(said) == 3


@pytest.mark.parametrize(
    "line", ["lb_kind dr", "lb_algo foo", "protocol FOO", "quorum 0", "weight 0", "delay_loop 0"]
)
def test_bad_values_are_ignored(line: str) -> None:
    found, said = service(f"lb_algo rr\nlb_kind DR\nprotocol TCP\n{line}")
    assert found is not None
    assert (found.scheduler, found.forwarding, found.quorum) == ("rr", "DR", 1)
    assert len(said) == 1


def test_drained_pool_breaks_the_quorum() -> None:
    found, said = service(inner="weight 0")
    assert found is not None
    assert (found.quorum, found.hysteresis) == (0, 4294967295)
    assert len(said) == 2


def test_port_rules() -> None:
    nat = "lb_algo rr\nlb_kind NAT\nprotocol TCP"
    found, said = service(nat, rs="8080")
    assert found is not None
    assert found.servers[0].key.port == 8080
    found, said = service(rs="8080")
    assert found is not None
    assert (found.servers[0].key.port, len(said)) == (80, 1)
    found, said = service(rs="")
    assert found is not None
    assert (found.servers[0].key.port, said) == (80, [])
    found, said = service(port="")
    assert found is not None
    assert (found.persistence_s, found.key.port, len(said)) == (360, 0, 2)
    assert service(port="65536") == (
        None,
        ["virtual_server: no valid address and port; keepalived skips it"],
    )


def test_forwarding_of_one_server() -> None:
    found, said = service(inner="lvs_method TUN")
    assert found is not None
    assert (found.forwarding, found.servers[0].forwarding, said) == ("DR", "TUN", [])


def test_weight_from_the_virtual_server() -> None:
    found, _ = service("lb_algo rr\nlb_kind DR\nprotocol TCP\nweight 4\nweight 6")
    assert found is not None
    assert found.servers[0].weight == 6


@pytest.mark.parametrize(
    "text",
    [
        "virtual_server 10.0.0.1:80 {\nreal_server 10.0.0.3 80 {\n}\n}",
        "virtual_server www 80 {\nreal_server 10.0.0.3 80 {\n}\n}",
        "virtual_server 10.0.0.1 80 {\n}",
        "virtual_server 10.0.0.1 80 {\nreal_server fd00::1 80 {\n}\n}",
        "virtual_server group none {\nreal_server 10.0.0.3 80 {\n}\n}",
        "virtual_server {\n}",
        "virtual_server",
        "virtual_server fwmark x {\n}",
        "virtual_server_group {\n}\nvirtual_server_group g {\n10.0.0.9-3 1\n10.0.0.0/0\n}",
    ],
)
def test_what_keepalived_drops(text: str) -> None:
    found = of(text)
    assert found.services == ()
    assert found.problems


@pytest.mark.parametrize(
    ("above", "beside", "name"),
    [
        ("", "# rs1", "rs1"),
        ("", "!! rs 1 ", "rs 1"),
        ("# shop", "", "shop"),
        ("# shop", "# rs1", "rs1"),
        ("#######", "", ""),
        ("# " + "x" * 41, "", ""),
        ("# weight 5", "", ""),
        ("# }", "", ""),
        ("# old password abc", "", ""),
        ("", "# \x1b[31mred", "␛[31mred"),
        ("", "# 網站", "網站"),
    ],
)
def test_names(above: str, beside: str, name: str) -> None:
    text = f"{above}\nvirtual_server 10.0.0.1 80 {{ {beside}\nreal_server 10.0.0.3 80 {{\n}}\n}}\n"
    assert of(text).services[0].name == name


def test_big_range_is_cut() -> None:
    text = (
        "virtual_server_group g {\n10.0.0.0/16 80\n}\n"
        "virtual_server group g {\nlb_algo rr\nlb_kind DR\nprotocol TCP\n"
        "real_server 10.1.0.3 {\n}\n}\n"
    )
    found = of(text)
    assert len(found.services) == 1024
    assert "65536" in messages(found)[0]


def test_files_that_keepalived_skips(tmp_path: Path) -> None:
    main = tmp_path / "k.conf"
    with pytest.raises(FileNotFoundError):
        load(str(main))
    main.write_text("include *.inc\ninclude k.conf\n")
    bad = tmp_path / "a.inc"
    bad.write_text("global_defs { router_id BAD }\n")
    bad.chmod(0o755)
    found = load(str(main))
    assert found.router_id == ""
    assert len(found.problems) == 2
    main.chmod(0o755)
    with pytest.raises(NotLoaded):
        load(str(main))


def test_includes_in_their_order(tmp_path: Path) -> None:
    main = tmp_path / "k.conf"
    main.write_text("include *.inc\n")
    (tmp_path / "b.inc").write_text("global_defs { router_id B }\n")
    (tmp_path / "a.inc").write_text("global_defs { router_id A }\n")
    found = load(str(main), "x")
    assert found.router_id == "B"
    assert found.files == (str(main), f"{tmp_path}/a.inc", f"{tmp_path}/b.inc")


def test_a_reader_that_knows_no_wildcards() -> None:
    remote = {"/k": b"include x\ninclude *.inc\n", "/x": b"global_defs { router_id R }"}
    found = view(parse("/k", Files(remote.__getitem__), "x"))
    assert found.router_id == "R"
    assert len(found.problems) == 1
