"""Effective values: the same as the typed view's, and where each of them stands."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from lvstui.keepalived.meaning import services
from lvstui.keepalived.meaning.effective import Effective, Origin, Section, Value
from lvstui.keepalived.meaning.view import load_tree, view
from lvstui.keepalived.text.parser import parse_bytes
from lvstui.keepalived.text.tree import Tree
from lvstui.model.config import Configuration, ConfiguredInstance, ConfiguredServer, Place
from lvstui.model.keys import ServiceKey
from tests.unit.keepalived.diff.test_difference import BASE

DATA = Path(__file__).parents[3] / "data" / "keepalived"
FILES = ("pool.conf", "odd.conf", "generated.conf")

TEXT = """\
global_defs {
  vrrp_version 3
  vrrp_garp_master_delay 7
  vrrp_strict
  json_version 2
}
vrrp_instance V {
  interface eth0
  virtual_router_id 1
  priority 10
  priority 20
  skip_check_adv_addr
  authentication {
    auth_type PASS
    auth_pass Zq9secret
  }
  virtual_ipaddress {
    10.0.0.1/24
    fd00::1
  }
  track_script {
    gone
  }
}
virtual_server 10.0.0.1 80 {
  lb_kind DR
  lvs_sched rr
  quorum 9
  weight 4
  delay_loop 3
  alpha
  real_server 10.0.0.2 8080 {
    weight -3
    TCP_CHECK {
      retry 2
    }
  }
  real_server 10.0.0.3 80 {
    weight 2
    weight 5
    MISC_CHECK {
      misc_path "/bin/x --password Zq9more"
    }
  }
}
virtual_server 10.0.0.1 0 {
  real_server 10.0.0.2 {
  }
}
"""


def effective(text: str, version: str = "2.2.7") -> Effective:
    return Effective(parse_bytes(text.encode(), "/k.conf", "lb1"), version)


def told(value: Value) -> tuple[object, str, str]:
    line = f"{value.place.line}:{value.place.column}" if value.place else ""
    return value.value, value.origin.value, line


def every(sections: Iterator[Section] | tuple[Section, ...]) -> Iterator[Section]:
    for section in sections:
        yield section
        yield from every(section.sections)


def test_origins_of_a_service() -> None:
    service = effective(TEXT).service(ServiceKey.of("udp", "10.0.0.1", 80))
    assert service is not None
    assert told(service.value("protocol")) == ("udp", "default", "")
    assert told(service.value("lb_algo")) == ("rr", "written", "27:13")
    assert told(service.value("quorum")) == (9, "written", "28:10")
    first, second = service.sections
    assert told(first.value("port")) == (80, "adjusted", "32:24")
    assert told(first.value("weight")) == (4, "inherited", "29:10")
    assert first.value("weight").source == "virtual_server 10.0.0.1 80"
    assert told(first.value("lvs_method")) == ("DR", "inherited", "26:11")
    assert told(second.value("weight")) == (5, "written", "40:12")
    (check,) = first.sections
    assert told(check.value("retry")) == (2, "written", "35:13")
    assert told(check.value("delay_loop")) == (3.0, "inherited", "30:14")
    assert told(check.value("connect_timeout")) == (5.0, "default", "")
    assert told(check.value("warmup")) == (3.0, "default", "")
    (script,) = second.sections
    assert script.value("misc_path").value == "/bin/x …"


def test_nb_get_retry_is_a_word_of_http_checks_only() -> None:
    text = TEXT.replace("      retry 2\n", "      nb_get_retry 4\n")
    url = "url {\npath /\n}\n"
    for kind, retry in (("TCP_CHECK", (1, "default", "")), ("HTTP_GET", (4, "written", "35:20"))):
        made = text.replace("TCP_CHECK {\n", f"{kind} {{\n").replace(
            "nb_get_retry 4\n", "nb_get_retry 4\n" + url
        )
        service = effective(made).service(ServiceKey.of("udp", "10.0.0.1", 80))
        assert service is not None
        (check,) = service.sections[0].sections
        assert told(check.value("retry")) == retry


def test_quorum_over_the_weights_is_adjusted() -> None:
    service = effective(TEXT.replace("quorum 9", "quorum 12")).service(
        ServiceKey.of("udp", "10.0.0.1", 80)
    )
    assert service is not None
    assert told(service.value("quorum")) == (9, "adjusted", "28:10")
    assert "weight" in service.value("quorum").source


def test_persistence_without_a_port() -> None:
    service = effective(TEXT).service(ServiceKey.of("udp", "10.0.0.1", 0))
    assert service is not None
    value = service.value("persistence_timeout")
    assert (value.text, value.origin, value.source) == (
        "360 s",
        Origin.DEFAULT,
        "a service without a port needs it",
    )


def test_origins_of_an_instance() -> None:
    instance = effective(TEXT).instance("V")
    assert instance is not None
    assert told(instance.value("priority")) == (20, "written", "11:12")
    assert told(instance.value("version")) == (3, "inherited", "2:16")
    assert told(instance.value("strict_mode")) == (True, "inherited", "4:3")
    assert told(instance.value("garp_master_delay")) == (7.0, "inherited", "3:26")
    assert told(instance.value("garp_lower_prio_delay")) == (0, "default", "")
    assert told(instance.value("state")) == ("BACKUP", "default", "")
    assert told(instance.value("authentication")) == (None, "adjusted", "14:15")
    assert told(instance.value("auth_pass")) == ("********", "written", "15:5")
    vips = [value for value in instance.values if value.keyword == "virtual_ipaddress"]
    assert [told(vip) for vip in vips] == [
        ("10.0.0.1/24", "written", "18:5"),
        (None, "adjusted", "19:5"),
    ]
    assert told(instance.value("track_script")) == (None, "adjusted", "22:5")


def test_lower_prio_follows_the_masters_delay() -> None:
    instance = effective(TEXT.replace("  vrrp_strict\n", "")).instance("V")
    assert instance is not None
    value = instance.value("garp_lower_prio_delay")
    assert told(value) == (7.0, "inherited", "3:26")
    assert value.source == "global_defs vrrp_garp_master_delay"


def test_keyword_newer_than_the_installed_version() -> None:
    old, new = (effective(TEXT, version).globals() for version in ("2.2.7", "v2.2.8"))
    assert told(old.value("json_version")) == (None, "adjusted", "5:16")
    assert "2.2.8" in old.value("json_version").source
    assert told(new.value("json_version")) == (2, "written", "5:16")


def test_places_across_includes_and_conditionals() -> None:
    tree = load_tree(str(DATA / "pool.conf"), config_id="lb1")
    instance = Effective(tree).instance("VI_1")
    assert instance is not None
    assert told(instance.value("priority")) == (150, "written", "22:18")
    other = Effective(load_tree(str(DATA / "pool.conf"), config_id="lb2")).instance("VI_1")
    assert other is not None
    assert other.value("priority").value != 150


def test_places_across_includes(tmp_path: Path) -> None:
    (tmp_path / "k.conf").write_text("vrrp_instance V {\n  include v.inc\n}\n")
    (tmp_path / "v.inc").write_text("# of lb1\n @lb2 priority 1\n @lb1 priority 77\n")
    instance = Effective(load_tree(str(tmp_path / "k.conf"), config_id="lb1")).instance("V")
    assert instance is not None
    value = instance.value("priority")
    assert (value.value, str(value.place)) == (77, f"{tmp_path}/v.inc:3:16")


def test_one_service_reads_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[int] = []
    real = services.read_service

    def counting(*arguments: object) -> object:
        read.append(1)
        return real(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr("lvstui.keepalived.meaning.effective.read_service", counting)
    found = effective(BASE).service(ServiceKey.of("tcp", "10.10.0.20", 80))
    assert found is not None
    # The block of the group may have it too; the others cannot.
    assert len(read) == 1


def test_second_of_two_equal_services() -> None:
    twice = effective(TEXT + TEXT[TEXT.index("virtual_server 10.0.0.1 80") :].replace("rr", "wrr"))
    key = ServiceKey.of("udp", "10.0.0.1", 80)
    first, second = twice.service(key), twice.service(key, 2)
    assert first is not None
    assert second is not None
    assert (first.value("lb_algo").value, second.value("lb_algo").value) == ("rr", "wrr")
    assert twice.service(key, 3) is None


def instance_of(*lines: str) -> ConfiguredInstance:
    """One instance with these lines."""
    text = "\n".join(("vrrp_instance V {", *lines, "}", ""))
    (found,) = view(parse_bytes(text.encode())).instances
    return found


@pytest.mark.parametrize(
    ("lines", "fields"),
    [
        (("state MASTER",), {"priority": 255, "state": "MASTER"}),
        (("state MASTER", "nopreempt"), {"nopreempt": False}),
        (("priority 255",), {"state": "MASTER"}),
        (("nopreempt",), {"priority": 100, "state": "BACKUP", "nopreempt": True}),
        (("strict_mode", "state MASTER", "priority 9"), {"state": "BACKUP", "priority": 9}),
        (("advert_int 0.3", "version 3"), {"advert_interval_s": 0.3}),
        (("advert_int 300",), {"advert_interval_s": 1.0}),
        (("advert_int 41", "version 3"), {"advert_interval_s": 40.95}),
        (("version 3", "version 2"), {"version": 3}),
        (("version 2", "native_ipv6"), {"version": 3}),
        (("mcast_dst_ip ff02::50", "virtual_ipaddress {", "10.0.0.1", "}"), {"vips": ()}),
        (("virtual_ipaddress {", "10.0.0.1/33", "}"), {"vips": ("10.0.0.1",)}),
        (("version 2", "virtual_ipaddress {", "fe80::1", "}"), {"version": 2}),
        (("virtual_ipaddress {", "fe80::1", "}", "version 2"), {"version": 3}),
        (("strict_mode", "version 2", "virtual_ipaddress {", "fe80::1", "}"), {"version": 3}),
        (("unicast_peer {", "10.0.0.1", "fd00::1", "}"), {"unicast_peers": ("10.0.0.1",)}),
        (("skip_check_adv_addr off",), {"skip_check_adv_addr": True}),
        (("preempt_delay 5000",), {"preempt_delay_s": 0.0}),
        (("preempt_delay 4",), {"preempt_delay_s": 4.0}),
        (("preempt_delay 4", "nopreempt"), {"preempt_delay_s": 0.0}),
        (("preempt_delay 4", "strict_mode"), {"preempt_delay_s": 0.0}),
        (("preempt_delay 4", "state MASTER"), {"preempt_delay_s": 0.0}),
        (
            ("state MASTER", "authentication {", "auth_type AH", "auth_pass x", "}"),
            {"state": "MASTER", "priority": 255, "auth_type": "AH"},
        ),
        (
            ("strict_mode", "authentication {", "auth_type PASS", "auth_pass x", "}"),
            {"auth_type": "", "has_auth": False},
        ),
    ],
    ids=lambda value: "-".join(value).replace(" ", "_") if isinstance(value, tuple) else None,
)
def test_what_an_instance_comes_to(lines: tuple[str, ...], fields: dict[str, object]) -> None:
    found = instance_of(*lines)
    assert {name: getattr(found, name) for name in fields} == fields


def test_an_instance_with_two_names_has_none() -> None:
    found = view(parse_bytes(b"vrrp_instance A B {\n}\nvrrp_sync_group G {\ngroup {\nA\n}\n}\n"))
    assert found.instances == ()
    assert found.sync_groups == (("G", ()),)


def test_an_address_that_is_written_twice_is_in_adverts_twice() -> None:
    found = instance_of(
        "virtual_ipaddress {",
        "10.0.0.5/24",
        "10.0.0.6",
        "10.0.0.5/32 dev eth1",
        "}",
        "virtual_ipaddress_excluded {",
        "10.0.0.7",
        "}",
    )
    assert found.advertised == ("10.0.0.5", "10.0.0.6", "10.0.0.5")
    assert found.excluded == ("10.0.0.7",)
    assert found.vips == ("10.0.0.5", "10.0.0.6", "10.0.0.7")
    assert [(a.prefix, a.device) for a in found.addresses][:3] == [(24, ""), (32, ""), (32, "eth1")]


SERVER = """\
virtual_server {head} {{
  lb_kind {kind}
  lb_algo rr
  protocol TCP
  sorry_server 10.0.0.9
  real_server 10.0.0.2{port} {{
    TCP_CHECK {{
    }}
  }}
}}
virtual_server_group G {{
  10.0.0.5 80
}}
"""


@pytest.mark.parametrize(
    ("head", "kind", "port", "server", "sorry", "check"),
    [
        ("10.0.0.1 80", "DR", " 8080", 80, 80, "connect 10.0.0.2:8080"),
        ("10.0.0.1 80", "DR", "", 80, 80, "connect 10.0.0.2 port 0"),
        ("10.0.0.1 80", "NAT", " 8080", 8080, 0, "connect 10.0.0.2:8080"),
        ("10.0.0.1 80", "NAT", "", 80, 0, "connect 10.0.0.2 port 0"),
        ("group G", "NAT", "", 0, 0, "connect 10.0.0.2 port 0"),
        ("group G", "DR", " 8080", 80, 80, "connect 10.0.0.2:8080"),
        ("fwmark 3", "DR", " 80", 0, 0, "connect 10.0.0.2:80"),
        ("fwmark 3", "NAT", " 80", 80, 0, "connect 10.0.0.2:80"),
    ],
)
def test_ports_of_servers_and_checks(
    head: str, kind: str, port: str, server: int, sorry: int, check: str
) -> None:
    text = SERVER.format(head=head, kind=kind, port=port)
    (service,) = view(parse_bytes(text.encode())).services
    (real,) = service.servers
    assert service.sorry_server is not None
    assert (real.key.port, service.sorry_server.port) == (server, sorry)
    assert real.checkers[0].target == check


def test_ha_suspend_means_nothing_with_a_mark() -> None:
    text = SERVER.format(head="fwmark 3", kind="DR", port="").replace(
        "lb_algo", "ha_suspend\nlb_algo"
    )
    assert not view(parse_bytes(text.encode())).services[0].ha_suspend
    text = text.replace("fwmark 3", "10.0.0.1 80")
    assert view(parse_bytes(text.encode())).services[0].ha_suspend


@pytest.mark.parametrize(
    ("word", "weight"), [("7x", 7), ("x", 0), ("-1", 1), ("+3", 3), ("2147483648", 1)]
)
def test_a_weight_that_is_no_number(word: str, weight: int) -> None:
    text = SERVER.format(head="10.0.0.1 80", kind="DR", port="").replace(
        "TCP_CHECK", f"weight {word}\nTCP_CHECK"
    )
    assert view(parse_bytes(text.encode())).services[0].servers[0].weight == weight


@pytest.mark.parametrize(
    ("head", "word", "granularity"),
    [
        ("10.0.0.1 80", "255.255.255.0", "255.255.255.0"),
        ("10.0.0.1 80", "x", ""),
        ("fd00::1 80", "64", "64"),
        ("fd00::1 80", "255.255.255.0", ""),
        ("fwmark 3", "64", "64"),
        ("fwmark 3", "255.255.0.0", "255.255.0.0"),
    ],
)
def test_persistence_granularity(head: str, word: str, granularity: str) -> None:
    text = SERVER.format(head=head, kind="TUN", port="").replace(
        "lb_algo", f"persistence_granularity {word}\nlb_algo"
    )
    service = view(parse_bytes(text.encode())).services[0]
    assert service.persistence_granularity == granularity
    assert service.persistence_s == (360 if granularity else None)


def same_instance(section: Section, instance: ConfiguredInstance) -> None:
    fields = {
        "state": instance.state,
        "interface": instance.interface or None,
        "virtual_router_id": instance.vrid,
        "priority": instance.priority,
        "advert_int": instance.advert_interval_s,
        "version": instance.version,
        "nopreempt": instance.nopreempt,
        "preempt_delay": instance.preempt_delay_s,
        "skip_check_adv_addr": instance.skip_check_adv_addr,
        "strict_mode": instance.strict,
    }
    assert {name: section.value(name).value for name in fields} == fields
    counted = [v for v in section.values if v.keyword == "virtual_ipaddress" and v.value]
    assert len({str(v.value).split()[0] for v in counted}) >= len(set(instance.advertised))


def same_server(section: Section, server: ConfiguredServer) -> None:
    fields = {
        "address": server.key.address,
        "port": server.key.port,
        "weight": server.weight,
        "lvs_method": server.forwarding,
        "inhibit_on_failure": server.inhibit_on_failure,
        "uthreshold": server.upper_threshold,
        "lthreshold": server.lower_threshold,
        "alpha": server.alpha,
    }
    assert {name: section.value(name).value for name in fields} == fields
    assert [s.title for s in section.sections] == [c.kind for c in server.checkers]
    for inner, check in zip(section.sections, server.checkers, strict=True):
        known = {value.keyword: value.value for value in inner.values}
        assert known["target"] == check.target
        assert known.get("delay_loop", check.delay_loop_s) == check.delay_loop_s
        assert known.get("connect_timeout", check.connect_timeout_s) == check.connect_timeout_s
        assert known.get("retry", check.retry) == check.retry


def agrees(tree: Tree, configuration: Configuration) -> None:
    """Every value is that of the typed view, and stands where it says."""
    whole = Effective(tree)
    sections = list(whole.services())
    assert [s.service for s in sections] == [s.key for s in configuration.services]
    for section, service in zip(sections, configuration.services, strict=True):
        fields = {
            "lb_algo": service.scheduler,
            "lb_kind": service.forwarding,
            "persistence_timeout": service.persistence_s,
            "quorum": service.quorum,
            "hysteresis": service.hysteresis,
            "alpha": service.alpha,
            "ops": service.one_packet,
        }
        assert {name: section.value(name).value for name in fields} == fields
        for inner, server in zip(section.sections, service.servers, strict=True):
            same_server(inner, server)
    instances = list(whole.instances())
    for section, instance in zip(instances, configuration.instances, strict=True):
        same_instance(section, instance)
    lines = {file.path: file.lines for file in tree.files}
    for section in every(whole.sections()):
        for value in section.values:
            if value.place is None:
                # The service's port, and the group that names the instance, have no line.
                assert value.origin is Origin.DEFAULT or value.keyword in ("port", "sync_group")
            if value.origin in (Origin.WRITTEN, Origin.INHERITED) and value.place:
                stands(value, value.place, lines[value.place.file])


def stands(value: Value, place: Place, lines: tuple[bytes, ...]) -> None:
    """A number that is written is what stands at its place."""
    rest = lines[place.line - 1][place.column - 1 :]
    if isinstance(value.value, int) and not isinstance(value.value, bool) and b"$" not in rest:
        found = re.match(rb'"?([+-]?[0-9]+)', rest)
        bare = value.keyword == "persistence_timeout" and rest.startswith(b"persistence_timeout")
        # keepalived takes 0 for a word without a number.
        assert bare or (int(found[1]) if found else 0) == value.value, value


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("config_id", ["lb1", "lb2"])
def test_files_agree_with_the_typed_view(name: str, config_id: str) -> None:
    tree = load_tree(str(DATA / name), config_id=config_id)
    agrees(tree, view(tree))


LINES = (TEXT + BASE).splitlines(keepends=True)


@given(
    st.lists(
        st.tuples(
            st.integers(0, len(LINES) - 1),
            st.sampled_from(["drop", "twice", "swap", "digit", "word"]),
        ),
        max_size=6,
    )
)
@example([(66, "swap")])
def test_values_never_disagree_with_the_typed_view(edits: list[tuple[int, str]]) -> None:
    lines = list(LINES)
    for at, how in edits:
        if how == "drop":
            lines[at] = ""
        elif how == "twice":
            lines[at] += lines[at]
        elif how == "swap":
            other = (at + 7) % len(lines)
            lines[at], lines[other] = lines[other], lines[at]
        elif how == "digit":
            lines[at] = lines[at].replace("1", "2").replace("0", "1")
        else:
            lines[at] = lines[at].replace(" 1", " x").replace("DR", "NAT")
    tree = parse_bytes("".join(lines).encode(), "/k.conf", "lb1")
    agrees(tree, view(tree))
    # Not as one comparison: telling how two long texts differ takes minutes.
    shown = "Zq9" in repr(list(Effective(tree).sections()))
    assert not shown
