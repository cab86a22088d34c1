"""Reading a look, judging it, and the settings that a reboot brings."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lvstui.model.realserver import Check, Verdict
from lvstui.realserver import checks, sysctls
from lvstui.realserver.checks import judge
from lvstui.realserver.facts import SYSCTL_FILE, HostFacts, Mention
from lvstui.realserver.parse import facts as parse_facts
from lvstui.realserver.parse import names, normal_key
from lvstui.realserver.sysctls import effective_at_boot, in_order, with_ours
from tests.unit.realserver.looks import VIP_ON_LO, lo, look, whole
from tests.unit.realserver.looks import sysctls as values

VIP = "10.10.0.20"
WEB = (("tcp", 80),)


def check(facts: HostFacts, id_: str, vip: str = VIP, ports: checks.Ports = WEB) -> Check:
    return next(item for item in judge(facts, vip, ports) if item.id == id_)


def verdict(facts: HostFacts, id_: str, vip: str = VIP, ports: checks.Ports = WEB) -> str:
    return check(facts, id_, vip, ports).verdict.value


@pytest.mark.parametrize(
    ("every", "own", "expected"),
    [
        # arp_ignore as measured: who answers for the VIP is decided by the larger value.
        ("0", "0", "bad"),
        ("0", "1", "good"),
        ("1", "0", "good"),
        ("1", "1", "good"),
        ("2", "0", "good"),
        ("3", "0", "bad"),
        ("1", "3", "bad"),
        ("4", "1", "bad"),
        ("8", "0", "bad"),
        ("1", "2", "good"),
    ],
)
def test_arp_ignore_is_the_larger_of_all_and_the_ingress(
    every: str, own: str, expected: str
) -> None:
    facts = look(sysctls=values(all_arp_ignore=every, eth0_arp_ignore=own))
    assert verdict(facts, "arp_ignore") == expected


@pytest.mark.parametrize(
    ("every", "own", "expected"),
    [
        ("0", "0", "bad"),
        ("1", "0", "bad"),
        ("0", "2", "good"),
        ("2", "0", "good"),
        ("1", "1", "bad"),
    ],
)
def test_arp_announce_has_to_be_two(every: str, own: str, expected: str) -> None:
    facts = look(sysctls=values(all_arp_announce=every, eth0_arp_announce=own))
    assert verdict(facts, "arp_announce") == expected


def test_settings_of_lo_never_help() -> None:
    facts = look(sysctls=values(lo_arp_ignore="1", lo_arp_announce="2"), addresses=lo(VIP_ON_LO))
    found = check(facts, "arp_ignore")
    assert found.verdict is Verdict.BAD
    assert any("lo has 1: no effect" in line for line in found.evidence)


def test_where_the_vip_is() -> None:
    assert verdict(look(), "vip") == "bad"
    assert verdict(look(addresses=lo(VIP_ON_LO)), "vip") == "good"
    on_nic = lo("2: eth0    inet 10.10.0.20/32 scope global eth0\\   valid_lft forever")
    assert check(look(addresses=on_nic), "vip").text == "eth0"
    director = look(
        addresses=lo(VIP_ON_LO, "2: eth0    inet 10.10.0.20/32 scope global eth0\\  valid"),
        processes="keepalived",
    )
    assert verdict(director, "vip") == "good"
    assert check(look(addresses=lo(VIP_ON_LO.replace("/32", "/24"))), "prefix").text == "/24"


def test_what_comes_back_after_a_reboot() -> None:
    silent = values(all_arp_ignore="1", all_arp_announce="2")
    lasting = (
        f"F\t{SYSCTL_FILE}\t\n1:net.ipv4.conf.all.arp_ignore = 1\n"
        "2:net.ipv4.conf.all.arp_announce = 2"
    )
    by_hand = look(sysctls=silent, addresses=lo(VIP_ON_LO))
    assert check(by_hand, "persistent").says == (
        "after a reboot the VIP and arp_ignore and arp_announce are gone"
    )
    named = {"mentions": "/etc/rc.local:3:ip addr add 10.10.0.20/32 dev lo"}
    half = look(sysctls=silent, addresses=lo(VIP_ON_LO), **named)
    assert verdict(half, "persistent") == "warn"
    whole_ = look(sysctls=silent, addresses=lo(VIP_ON_LO), sysctl_files=lasting, **named)
    assert check(whole_, "persistent").says == "comes back by /etc/rc.local:3"
    # A line that names the VIP is no proof while the VIP is not there.
    off = look(sysctls=silent, sysctl_files=lasting, **named)
    assert verdict(off, "persistent") == "bad"


@pytest.mark.parametrize(
    ("listening", "expected"),
    [
        ("0.0.0.0:80", "good"),
        ("*:80", "good"),
        ("[::]:80", "good"),
        ("10.10.0.20:80", "good"),
        ("10.10.0.3:80", "bad"),
        ("127.0.0.1:80", "bad"),
        ("0.0.0.0:8080", "bad"),
    ],
)
def test_who_listens(listening: str, expected: str) -> None:
    facts = look(listeners=f"ss\nLISTEN 0 128 {listening} 0.0.0.0:*\nudp")
    assert verdict(facts, "listens") == expected


def test_listeners_without_ss() -> None:
    netstat = look(listeners="netstat\ntcp        0      0 0.0.0.0:80   0.0.0.0:*  LISTEN\nudp")
    assert verdict(netstat, "listens") == "good"
    proc = look(listeners="proc\ntcp 00000000:0050\ntcp6 00000000000000000000000000000000:0016")
    assert verdict(proc, "listens") == "good"
    assert any(item.address == "::" and item.port == 22 for item in proc.listeners)


def test_reverse_path_filter() -> None:
    away = (
        "to 10.10.0.2 10.10.0.2 dev eth0 src 10.10.0.3\n"
        "away 10.10.0.20 1.2.3.4 via 9.9.9.9 dev eth1"
    )
    strict = look(sysctls=values(all_rp_filter="1"), routes=away)
    assert verdict(strict, "rp_filter") == "bad"
    loose = look(sysctls=values(all_rp_filter="1", eth0_rp_filter="2"), routes=away)
    assert verdict(loose, "rp_filter") == "good"


def test_without_root_it_is_said_once() -> None:
    facts = look(host="uid 1001\nname rs1\nprogram ip /sbin/ip")
    assert check(facts, "reachable").text == "no root"
    assert len(facts.gaps) == 1


# Files that set kernel parameters


def at(files: str, link: str = "all", systemd: bool = True) -> int | None:
    host = "uid 0\nsystemd 252" if systemd else "uid 0"
    boot = in_order(look(host=host, sysctl_files=files))
    return effective_at_boot(boot, "arp_ignore", link).link_value


def test_the_last_file_by_name_wins_and_etc_hides_usr() -> None:
    assert (
        at(
            "F\t/usr/lib/sysctl.d/90-arp.conf\t\n1:net.ipv4.conf.all.arp_ignore=1\n"
            "F\t/etc/sysctl.d/99-sysctl.conf\t../sysctl.conf\n4:net.ipv4.conf.all.arp_ignore=0\n"
            "F\t/etc/sysctl.conf\t\n4:net.ipv4.conf.all.arp_ignore=0"
        )
        == 0
    )
    low = "F\t/usr/lib/sysctl.d/50-x.conf\t\n1:net.ipv4.conf.all.arp_ignore=3"
    assert at(f"F\t/etc/sysctl.d/50-x.conf\t\n1:net.ipv4.conf.all.arp_ignore=1\n{low}") == 1
    assert at(f"F\t/etc/sysctl.d/50-x.conf\t/dev/null\n{low}") == 0


def test_sysctl_conf_is_last_without_systemd_and_unread_with_it() -> None:
    text = (
        "F\t/etc/sysctl.d/zz.conf\t\n1:net.ipv4.conf.all.arp_ignore=1\n"
        "F\t/etc/sysctl.conf\t\n1:net.ipv4.conf.all.arp_ignore=0"
    )
    assert at(text) == 1
    assert at(text, systemd=False) == 0


def test_globs_and_exclusions() -> None:
    head = "F\t/etc/sysctl.d/a.conf\t\n1:net.ipv4.conf."
    text = f"{head}*.arp_ignore = 1\n2:-net.ipv4.conf.eth0.arp_ignore"
    assert at(text, "all") == 1
    assert at(text, "eth0") == 0
    explicit = f"{head}all.arp_ignore=2\n2:net.ipv4.conf.*.arp_ignore=0"
    assert at(explicit) == 2, "a line that names the key wins over a later glob"


@pytest.mark.parametrize(
    ("written", "key"),
    [
        ("net.ipv4.conf.all.arp_ignore", "net/ipv4/conf/all/arp_ignore"),
        ("net.ipv4.conf.eth0/100.arp_ignore", "net/ipv4/conf/eth0.100/arp_ignore"),
        ("net/ipv4/conf/eth0.100/arp_ignore", "net/ipv4/conf/eth0.100/arp_ignore"),
    ],
)
def test_keys_of_vlans(written: str, key: str) -> None:
    assert normal_key(written) == key


@given(st.sampled_from(["all", "eth0", "eth0.100", "br-lan"]), st.sampled_from(["1", "2"]))
def test_what_we_write_is_what_we_read(link: str, value: str) -> None:
    """Our own file, read by our own rules, gives the values that were meant."""
    text = sysctls.file_text(((sysctls.key(link, "arp_ignore"), value),), "interface")
    files = with_ours(look(), text)
    assert effective_at_boot(files, "arp_ignore", link).link_value == int(value)
    assert effective_at_boot(files, "arp_ignore", link).value == int(value)


# Foreign text


def test_a_cut_answer_is_an_error() -> None:
    with pytest.raises(ValueError, match="not whole"):
        parse_facts("@@n0 host\nuid 0\n", "n0", "rs1", 0.0)


def test_escape_sequences_are_made_visible() -> None:
    facts = look(release='ID=debian\nPRETTY_NAME="\x1b[31mred\x1b[0m"', processes="kubelet\x1b]0;x")
    assert "\x1b" not in facts.os_name
    assert "\x1b" not in " ".join(facts.processes)


@given(st.text(), st.text())
def test_any_section_can_hold_anything(first: str, second: str) -> None:
    """A strange host gives strange facts, never an exception."""
    parts = dict.fromkeys(
        (
            "addresses",
            "links",
            "routes",
            "rules",
            "sysctls",
            "sysctl-files",
            "network-manager",
            "networkd",
            "netplan",
            "ifupdown",
            "network-scripts",
            "wicked",
            "ours",
            "mentions",
            "listeners",
            "processes",
            "firewall",
            "selinux",
            "release",
        ),
        f"{first}\n{second}",
    )
    facts = look(**parts)
    judge(facts, VIP, WEB)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("address 10.10.0.2", False),
        ("address 10.10.0.20/32", True),
        ("# 10.10.0.20", False),
        ("x=110.10.0.20", False),
        ("IPADDR=10.10.0.20", True),
        ("10.10.0.200", False),
    ],
)
def test_a_line_names_that_address_and_no_other(line: str, said: bool) -> None:
    assert names(Mention("/etc/x", 1, line), VIP) is said


def test_files_come_over_byte_for_byte() -> None:
    content = "a\n\tb ü\n\nlast line without end"
    facts = look(ours=whole("/etc/netplan/90-lvstui.yaml", content, "600"))
    seen = facts.file("/etc/netplan/90-lvstui.yaml")
    assert seen is not None
    assert seen.content == content.encode()
    assert seen.mode == 0o600
