"""Plans for real servers: which way, which files, which order, what is refused."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from lvstui.realserver.checks import judge
from lvstui.realserver.facts import (
    MANIFEST,
    STATE,
    SYSCTL_FILE,
    Address,
    HostFacts,
    Manifest,
    SeenFile,
)
from lvstui.realserver.parse import parse_manifest
from lvstui.realserver.plan import plan_push, plan_undo
from lvstui.realserver.steps import ChangeFile, HostPlan, MoveAddress, Run, SetSysctl
from tests.unit.realserver.looks import (
    ALPINE,
    CENTOS7,
    LEAP,
    VIP_ON_LO,
    lo,
    look,
    recorded,
    sysctls,
    whole,
)

VIP = "10.10.0.20"


def files(plan: HostPlan) -> dict[str, ChangeFile]:
    return {step.path: step for step in plan.steps if isinstance(step, ChangeFile)}


def text(plan: HostPlan, path: str) -> str:
    content = files(plan)[path].after
    assert content is not None
    return content.decode()


def after(facts: HostFacts, plan: HostPlan) -> HostFacts:
    """The host as it is when the plan was carried out whole."""
    values = dict(facts.sysctls)
    addresses = list(facts.addresses)
    seen = {file.path: file for file in facts.files}
    scripts = {file.path: file for file in facts.stacks.scripts_lo}
    wicked = facts.stacks.wicked_lo
    sysctl_files = [file for file in facts.sysctl_files if file.path != SYSCTL_FILE]
    for step in plan.steps:
        if isinstance(step, SetSysctl):
            values[step.key] = step.after
        elif isinstance(step, MoveAddress):
            moved = (step.vip, "lo", step.prefix)
            addresses = [a for a in addresses if (a.address, a.link, a.prefix) != moved]
            if step.add:
                addresses.append(Address("lo", step.vip, step.prefix))
        elif isinstance(step, ChangeFile):
            place = scripts if "network-scripts" in step.path else seen
            place.pop(step.path, None)
            if step.keep:
                kept = f"{STATE}/original/{step.keep}"
                seen[kept] = SeenFile(kept, step.before, step.mode)
            if step.after is not None:
                place[step.path] = SeenFile(step.path, step.after, step.mode)
                if wicked and step.path == wicked.path:
                    wicked = place.pop(step.path)
    ours = seen.get(SYSCTL_FILE)
    if ours is not None:
        from lvstui.realserver.sysctls import with_ours

        merged = with_ours(replace(facts, sysctl_files=tuple(sysctl_files)), ours.text)
        sysctl_files += [file for file in merged if file.path == SYSCTL_FILE]
    manifest = seen.get(MANIFEST)
    if manifest is None:
        seen = {path: file for path, file in seen.items() if not path.startswith(STATE)}
    return replace(
        facts,
        sysctls=tuple(values.items()),
        addresses=tuple(addresses),
        files=tuple(seen.values()),
        sysctl_files=tuple(sysctl_files),
        manifest=parse_manifest(manifest) if manifest else None,
        unit_enabled=any(
            isinstance(s, Run) and ("enable" in s.script or "rc-update" in s.script)
            for s in plan.steps
        )
        or facts.unit_enabled,
        stacks=replace(facts.stacks, scripts_lo=tuple(scripts.values()), wicked_lo=wicked),
    )


HOSTS = {"debian": {}, "centos7": CENTOS7, "alpine": ALPINE, "leap": LEAP}


@pytest.mark.parametrize("name", HOSTS)
def test_a_second_push_changes_nothing(name: str) -> None:
    facts = look(**HOSTS[name])
    plan = plan_push(facts, [VIP])
    assert not plan.refusals
    again = plan_push(after(facts, plan), [VIP])
    assert again.empty, again.steps
    assert not again.refusals


@pytest.mark.parametrize("name", HOSTS)
def test_undo_is_the_reverse(name: str) -> None:
    facts = look(**HOSTS[name])
    done = after(facts, plan_push(facts, [VIP]))
    undone = after(done, plan_undo(done))
    assert undone.sysctls == facts.sysctls
    assert undone.addresses == facts.addresses
    assert undone.files == facts.files
    assert undone.stacks.scripts_lo == facts.stacks.scripts_lo
    if facts.stacks.wicked_lo is not None:
        assert undone.stacks.wicked_lo is not None
        assert undone.stacks.wicked_lo.content == facts.stacks.wicked_lo.content


@pytest.mark.parametrize("name", HOSTS)
def test_silence_comes_before_the_vip_and_goes_after_it(name: str) -> None:
    facts = look(**HOSTS[name])
    plan = plan_push(facts, [VIP])
    kinds = [type(step) for step in plan.live]
    assert kinds.index(MoveAddress) > max(i for i, k in enumerate(kinds) if k is SetSysctl)
    assert not any(isinstance(step, ChangeFile) for step in plan.live)
    done = after(facts, plan)
    undo = plan_undo(done)
    assert all(isinstance(step, MoveAddress) for step in undo.live)
    assert [type(step) for step in undo.steps][-1] is ChangeFile  # the manifest goes last
    last_file = max(
        i for i, s in enumerate(undo.steps) if isinstance(s, ChangeFile) and s.path != MANIFEST
    )
    first_key = min(i for i, s in enumerate(undo.steps) if isinstance(s, SetSysctl))
    assert last_file < first_key


@pytest.mark.parametrize(
    ("stack", "method"),
    [
        ("ifupdown", "ifupdown"),
        ("netplan", "netplan"),
        ("networkmanager", "networkmanager"),
        ("networkd", "networkd"),
        ("plain", "unit"),
    ],
)
def test_whoever_manages_lo_decides_the_way(stack: str, method: str) -> None:
    """On answers recorded from machines that run these stacks."""
    plan = plan_push(recorded(stack), [VIP, "fd00::20"])
    assert plan.refusals == ()
    assert plan.method == method
    assert not any("not run by us" in caution for caution in plan.cautions)
    # A method that is asked for is taken where it can work.
    assert plan_push(recorded(stack), [VIP], method="unit").method == "unit"


def test_centos7_gets_the_classic_recipe_where_it_takes_effect() -> None:
    plan = plan_push(look(**CENTOS7), [VIP])
    assert plan.method == "network-scripts"
    assert text(plan, "/etc/sysconfig/network-scripts/ifcfg-lo:0").splitlines() == [
        "DEVICE=lo:0",
        "IPADDR=10.10.0.20",
        "NETMASK=255.255.255.255",
        "ONBOOT=yes",
        "NAME=lvs-vip",
    ]
    lines = text(plan, SYSCTL_FILE).splitlines()
    assert [line for line in lines if not line.startswith("#")] == [
        "net.ipv4.conf.all.arp_ignore = 1",
        "net.ipv4.conf.all.arp_announce = 2",
        "net.ipv4.conf.lo.arp_ignore = 1",
        "net.ipv4.conf.lo.arp_announce = 2",
    ]
    live = [step.do for step in plan.live if isinstance(step, MoveAddress)]
    assert live == ["/usr/sbin/ip addr replace 10.10.0.20/32 dev lo label lo:0"]
    assert not any(isinstance(step, Run) for step in plan.steps), "nothing is restarted"
    said = " ".join(plan.notes)
    assert "90-arp.conf" in said
    assert "lo change nothing" in said
    assert "not restarted" in said
    assert any("not run by us" in caution for caution in plan.cautions)


def test_centos7_takes_the_next_free_alias_and_keeps_those_of_others() -> None:
    other = "DEVICE=lo:0\nIPADDR=10.10.0.99\nNETMASK=255.255.255.255\nONBOOT=yes\n"
    parts = {
        **CENTOS7,
        "network-scripts": CENTOS7["network-scripts"]
        + "\n"
        + whole("/etc/sysconfig/network-scripts/ifcfg-lo:0", other),
    }
    plan = plan_push(look(**parts), [VIP, "10.10.0.21"])
    names = [path for path in files(plan) if "ifcfg" in path]
    assert [name.rpartition("/")[2] for name in names] == ["ifcfg-lo:1", "ifcfg-lo:2"]


def test_centos7_with_the_recipe_done_by_hand_is_left_alone() -> None:
    alias = "DEVICE=lo:0\nIPADDR=10.10.0.20\nNETMASK=255.255.255.255\nONBOOT=yes\nNAME=loopback\n"
    facts = look(
        **{
            **CENTOS7,
            "network-scripts": CENTOS7["network-scripts"]
            + "\n"
            + whole("/etc/sysconfig/network-scripts/ifcfg-lo:0", alias),
            "addresses": lo(VIP_ON_LO),
            "sysctls": sysctls(
                all_arp_ignore="1", all_arp_announce="2", lo_arp_ignore="1", lo_arp_announce="2"
            ),
            "sysctl-files": "F\t/usr/lib/sysctl.d/90-arp.conf\t\n"
            "1:net.ipv4.conf.lo.arp_ignore=1\n2:net.ipv4.conf.all.arp_ignore=1\n"
            "3:net.ipv4.conf.lo.arp_announce=2\n4:net.ipv4.conf.all.arp_announce=2\n"
            "F\t/etc/sysctl.d/99-sysctl.conf\t../sysctl.conf\nF\t/etc/sysctl.conf\t",
        }
    )
    assert plan_push(facts, [VIP]).empty


def test_a_vip_that_others_brought_is_not_taken_away() -> None:
    """Only the settings were missing: undo takes those back and leaves the address."""
    facts = look(
        addresses=lo(VIP_ON_LO), mentions="/etc/rc.local:4:ip addr add 10.10.0.20/32 dev lo"
    )
    plan = plan_push(facts, [VIP])
    assert set(files(plan)) == {SYSCTL_FILE, MANIFEST}
    assert any("/etc/rc.local:4" in note for note in plan.notes)
    done = after(facts, plan)
    undo = plan_undo(done)
    assert not undo.live
    assert after(done, undo).addresses == facts.addresses


def test_several_vips_come_and_go_one_by_one() -> None:
    facts = look()
    one = after(facts, plan_push(facts, [VIP]))
    both = after(one, plan_push(one, ["10.10.0.21", "fd00::21"]))
    assert both.manifest is not None
    assert both.manifest.vips == (VIP, "10.10.0.21", "fd00::21")
    undo = plan_undo(both, [VIP])
    assert [step.vip for step in undo.live if isinstance(step, MoveAddress)] == [VIP]
    assert not any(isinstance(step, SetSysctl) for step in undo.steps), "others need silence"
    left = after(both, undo)
    assert left.manifest is not None
    assert left.manifest.vips == ("10.10.0.21", "fd00::21")
    unit = left.file("/etc/systemd/system/lvstui-vip.service")
    assert unit is not None
    assert VIP not in unit.text.split()
    assert "10.10.0.21/32" in unit.text
    last = after(left, plan_undo(left))
    assert (last.sysctls, last.addresses, last.files) == (
        facts.sysctls,
        facts.addresses,
        facts.files,
    )


def test_ipv6_alone_needs_no_sysctl() -> None:
    plan = plan_push(look(), ["fd00::20"])
    assert not any(isinstance(step, SetSysctl) for step in plan.steps)
    assert SYSCTL_FILE not in files(plan)
    assert any(
        "-6 addr replace fd00::20/128 dev lo preferred_lft 0" in step.do
        for step in plan.live
        if isinstance(step, MoveAddress)
    )


def test_containers_get_the_interface_only_variant() -> None:
    facts = look(processes="dockerd\ncontainerd")
    plan = plan_push(facts, [VIP])
    assert plan.variant == "interface"
    keys = {step.key for step in plan.steps if isinstance(step, SetSysctl)}
    assert keys == {"net/ipv4/conf/eth0/arp_ignore", "net/ipv4/conf/eth0/arp_announce"}
    assert any("containers" in note for note in plan.notes)
    assert plan_push(facts, [VIP], variant="all").variant == "all"


def test_an_interface_that_spoils_the_maximum_is_set_too() -> None:
    plan = plan_push(look(sysctls=sysctls(eth0_arp_ignore="3")), [VIP])
    assert "net.ipv4.conf.eth0.arp_ignore = 1" in text(plan, SYSCTL_FILE)


def test_a_value_that_is_right_is_not_lowered() -> None:
    plan = plan_push(look(sysctls=sysctls(all_arp_ignore="2")), [VIP])
    assert "net.ipv4.conf.all.arp_ignore = 2" in text(plan, SYSCTL_FILE)


def test_a_wrong_prefix_is_repaired_where_no_file_brings_it_back() -> None:
    wrong = VIP_ON_LO.replace("/32", "/24")
    plan = plan_push(look(addresses=lo(wrong)), [VIP])
    moves = [(m.prefix, m.add) for m in plan.live if isinstance(m, MoveAddress)]
    assert moves == [(32, True), (24, False)]
    named = plan_push(
        look(addresses=lo(wrong), mentions="/etc/rc.local:2:ifconfig lo:0 10.10.0.20/24"), [VIP]
    )
    assert any("/etc/rc.local:2" in refusal for refusal in named.refusals)


REFUSED = {
    "no root": ({"host": "uid 1001\nprogram ip /sbin/ip"}, "root is needed"),
    "no ip": ({"host": "uid 0\nsystemd 252\nwritable /etc"}, "no `ip`"),
    "read-only": (
        {"host": "uid 0\nsystemd 252\nprogram ip /sbin/ip\nreadonly /etc"},
        "/etc is read-only",
    ),
    "full": (
        {"host": "uid 0\nsystemd 252\nprogram ip /sbin/ip\nfree /var/lib 12"},
        "the disk is full",
    ),
    "on a NIC": (
        {"addresses": lo("2: eth0    inet 10.10.0.20/32 scope global eth0\\    valid")},
        "on eth0",
    ),
    "no IPv6": ({"sysctls": sysctls(ipv6_off="1")}, "disable_ipv6"),
    "pacemaker": ({"processes": "pacemakerd"}, "pacemaker"),
    "gateway": (
        {"routes": "away 10.10.0.20 198.51.100.9 via 10.10.0.20 dev eth0 src 10.10.0.3"},
        "the default route goes to",
    ),
    "nothing fits": ({"host": "uid 0\nprogram ip /sbin/ip\ninit runit"}, "nothing that lvstui"),
    "under way": ({"ours": "tx armed change.sh\ntx-guard yes"}, "another change is under way"),
    "cut half way": ({"ours": "tx armed change.sh\ntx-boot other"}, "--unfinished"),
    "timer gone": ({"ours": "tx armed change.sh"}, "its timer is gone: NOT taken back"),
    "fails": ({"ours": "tx reverting\ntx-guard yes\ntx-trouble no space"}, "again: no space"),
    "broken manifest": ({"ours": whole(MANIFEST, "{")}, "can not be read"),
    "later file": (
        {"sysctl-files": "F\t/etc/sysctl.d/zz-last.conf\t\n7:net.ipv4.conf.all.arp_ignore = 0"},
        "/etc/sysctl.d/zz-last.conf:7",
    ),
}


@pytest.mark.parametrize("why", REFUSED)
def test_what_is_refused(why: str) -> None:
    parts, said = REFUSED[why]
    plan = plan_push(look(**parts), ["fd00::20"] if why == "no IPv6" else [VIP])
    assert any(said in refusal for refusal in plan.refusals), plan.refusals


def test_without_systemd_sysctl_conf_has_the_last_word() -> None:
    parts = {**ALPINE, "sysctl-files": "F\t/etc/sysctl.conf\t\n3:net.ipv4.conf.all.arp_ignore=0"}
    assert any(
        "/etc/sysctl.conf:3" in refusal for refusal in plan_push(look(**parts), [VIP]).refusals
    )
    # systemd-sysctl reads it by the name 99-sysctl.conf, before ours: a caution only.
    parts = {
        "sysctl-files": "F\t/etc/sysctl.d/99-sysctl.conf\t../sysctl.conf\n"
        "3:net.ipv4.conf.all.arp_ignore=0\n"
        "F\t/etc/sysctl.conf\t\n3:net.ipv4.conf.all.arp_ignore=0"
    }
    plan = plan_push(look(**parts), [VIP])
    assert not plan.refusals
    assert any("sysctl --system" in caution for caution in plan.cautions)


def test_undo_names_what_no_longer_matches() -> None:
    facts = look()
    done = after(facts, plan_push(facts, [VIP]))
    unit = "/etc/systemd/system/lvstui-vip.service"
    changed = replace(
        done,
        sysctls=tuple(
            (k, "2" if k == "net/ipv4/conf/all/arp_ignore" else v) for k, v in done.sysctls
        ),
        files=tuple(
            replace(f, content=(f.content or b"") + b"# mine\n") if f.path == unit else f
            for f in done.files
        ),
        addresses=facts.addresses,
    )
    plan = plan_undo(changed)
    said = " ".join(plan.cautions)
    assert "net.ipv4.conf.all.arp_ignore is 2 now" in said
    assert f"{unit} is not what lvstui wrote" in said
    assert "not on lo any more" in said
    keys = {step.key for step in plan.steps if isinstance(step, SetSysctl)}
    assert "net/ipv4/conf/all/arp_ignore" not in keys
    assert "+# mine" not in files(plan)[unit].diff
    assert "-# mine" in files(plan)[unit].diff


def test_undo_where_nothing_was_pushed() -> None:
    assert any("no manifest" in refusal for refusal in plan_undo(look()).refusals)
    facts = look()
    done = after(facts, plan_push(facts, [VIP]))
    assert any("not by lvstui" in r for r in plan_undo(done, ["10.10.0.77"]).refusals)


def test_a_host_that_another_version_changed_is_left_alone() -> None:
    facts = look(ours=whole(MANIFEST, json.dumps({"vips": [VIP], "method": "dhcp"})))
    for plan in (plan_push(facts, ["10.10.0.21"]), plan_undo(facts)):
        assert any("only another version" in refusal for refusal in plan.refusals)
    assert judge(facts, VIP)


def test_two_methods_are_never_mixed() -> None:
    facts = look()
    done = after(facts, plan_push(facts, [VIP]))
    plan = plan_push(done, ["10.10.0.21"], method="networkd")
    assert any("undo that before" in refusal for refusal in plan.refusals)
    with pytest.raises(ValueError, match="no method 'nonsense'"):
        plan_push(facts, [VIP], method="nonsense")
    with pytest.raises(ValueError, match="10\\.10\\.0\\.999"):
        plan_push(facts, ["10.10.0.999"])


def test_a_plan_as_json() -> None:
    document = plan_push(look(), [VIP]).document()
    assert json.loads(json.dumps(document)) == document
    assert document["steps"][0]["when"] == "at once"


def test_a_manifest_of_nonsense_says_so() -> None:
    for content in (b"[]", b'{"vips": 3}', b"\xff", b'{"files": [{"x": 1}]}'):
        manifest = parse_manifest(SeenFile(MANIFEST, content))
        assert isinstance(manifest, Manifest)
        assert manifest.problem
