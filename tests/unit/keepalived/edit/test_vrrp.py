"""Instances, VIPs, scripts and what is tracked."""

from __future__ import annotations

import pytest

from lvstui.keepalived.edit import intent as i
from lvstui.keepalived.edit.change import RefusedEdit
from lvstui.keepalived.edit.draft import Draft
from lvstui.keepalived.edit.instances import BOTH
from lvstui.keepalived.edit.target import OfNamed
from lvstui.keepalived.text.files import Files

MAIN = "/etc/keepalived/keepalived.conf"
TEXT = """vrrp_script chk {
    script "/bin/chk --key s3cret"
}

vrrp_sync_group both {
    group {
        VI_1
    }
}

vrrp_instance VI_1 {
    state BACKUP
    interface eth0
    virtual_router_id 51
    priority 100
    virtual_ipaddress {
        10.0.0.1/24 dev eth0
        10.0.0.2/24 dev eth0   # second
    }
    track_script {
        chk
    }
}
"""


def draft(text: str = TEXT) -> Draft:
    return Draft(MAIN, Files({MAIN: text.encode()}.__getitem__), "lb1")


def after(*wanted: i.Intent, text: str = TEXT) -> str:
    made = draft(text)
    for one in wanted:
        made.apply(one.on(made.tree))
    return made.data(MAIN).decode()


def test_a_vip_more_and_less() -> None:
    change = i.AddVip("VI_1", ("10.0.0.3/24", "dev", "eth0")).on(draft().tree)
    assert change.title == "add 10.0.0.3/24 dev eth0 to virtual_ipaddress of instance VI_1"
    assert change.cautions == (BOTH,)
    last = "        10.0.0.2/24 dev eth0   # second\n"
    assert after(i.AddVip("VI_1", ("10.0.0.3/24", "dev", "eth0"))) == TEXT.replace(
        last, last + "        10.0.0.3/24 dev eth0\n"
    )
    assert after(i.RemoveVip("VI_1", "10.0.0.2")) == TEXT.replace(last, "")


def test_an_excluded_vip_makes_its_list_and_takes_it_away() -> None:
    wanted = i.AddVip("VI_1", ("fd00::9/64",), excluded=True)
    made = after(wanted)
    assert "    virtual_ipaddress_excluded {\n        fd00::9/64\n    }\n}\n" in made
    assert wanted.on(draft().tree).cautions == ()
    assert after(wanted, i.RemoveVip("VI_1", "fd00:0::9")) == TEXT


def test_a_list_on_one_line() -> None:
    text = TEXT.replace(
        "{\n        10.0.0.1/24 dev eth0\n        10.0.0.2/24 dev eth0   # second\n    }",
        "{ 10.0.0.1/24 }",
    )
    assert "virtual_ipaddress { 10.0.0.1/24 }" in text
    made = after(i.AddVip("VI_1", ("10.0.0.3/24",)), text=text)
    assert "    virtual_ipaddress { 10.0.0.1/24\n        10.0.0.3/24 }\n" in made
    assert after(i.AddVip("VI_1", ("10.0.0.3/24",)), i.RemoveVip("VI_1", "10.0.0.3"), text=text)


def test_an_instance_more() -> None:
    new = i.AddInstance(
        "VI_2",
        (("state", "MASTER"), ("interface", "eth1"), ("virtual_router_id", "52")),
        (("10.0.1.1/24", "dev", "eth1"),),
        (("auth_type", "PASS"), ("auth_pass", "a #b")),
        ("10.0.0.9",),
    )
    assert "a #b" not in repr(new)
    made = after(new)
    assert made == TEXT + (
        "\nvrrp_instance VI_2 {\n    state MASTER\n    interface eth1\n"
        "    virtual_router_id 52\n    authentication {\n        auth_type PASS\n"
        '        auth_pass "a #b"\n    }\n    unicast_peer {\n        10.0.0.9\n    }\n'
        "    virtual_ipaddress {\n        10.0.1.1/24 dev eth1\n    }\n}\n"
    )
    assert after(new, i.RemoveInstance("VI_2")) == TEXT


def test_scripts_and_tracking() -> None:
    new = i.AddScript("web", (("script", "/bin/web x"), ("interval", "2")))
    made = after(new)
    assert "    interval 2\n}\n\nvrrp_sync_group" in made
    assert '}\n\nvrrp_script web {\n    script "/bin/web x"\n' in made
    tracked = made.replace("        chk\n", "        chk\n        web weight -20\n")
    assert tracked != made
    gone = after(i.Untrack("VI_1", "track_script", "web"), i.RemoveScript("web"), text=tracked)
    assert gone == TEXT


def test_a_script_stands_before_who_tracks_it() -> None:
    bare = TEXT.partition("}\n\n")[2].replace("        chk\n", "        x\n")
    new = i.AddScript("web", (("script", "/bin/web"),))
    script = "vrrp_script web {\n    script /bin/web\n}\n\n"
    assert after(new, text="# head\n\n# the group\n" + bare) == (
        "# head\n\n" + script + "# the group\n" + bare
    )


def test_what_a_value_does_is_told() -> None:
    where = OfNamed("vrrp_instance", "VI_1")
    change = i.SetValue(where, "virtual_router_id", ("52",)).on(draft().tree)
    assert change.cautions == (
        "every director needs it at once: until then they do not hear each other",
    )


def test_flags_and_their_opposite() -> None:
    where = OfNamed("vrrp_instance", "VI_1")
    on = after(i.SetValue(where, "nopreempt"))
    assert on == TEXT.replace("priority 100\n", "priority 100\n    nopreempt\n")
    assert after(i.SetValue(where, "preempt"), text=on) == on.replace("nopreempt", "preempt")
    same = draft(on)
    change = i.SetValue(where, "nopreempt").on(same.tree)
    assert change.empty
    assert not same.apply(change)
    assert same.titles == ()


def test_no_argument_of_a_command_is_told() -> None:
    change = i.SetValue(OfNamed("vrrp_script", "chk"), "script", ("/bin/new t0ken",)).on(
        draft().tree
    )
    assert change.title == "script of script chk: /bin/chk … → /bin/new …"


@pytest.mark.parametrize(
    ("wanted", "why"),
    [
        (i.AddVip("VI_1", ("10.0.0.1/32",)), "has that VIP already"),
        (i.AddVip("VI_1", ("fd00::1/64",)), "one address family"),
        (i.AddVip("VI_1", ("web",)), "an address is needed"),
        (i.AddVip("VI_9", ("10.0.0.9",)), "no vrrp_instance"),
        (i.RemoveVip("VI_1", "10.0.0.9"), "no such VIP"),
        (i.RemoveInstance("VI_1"), ":5:1: a sync group names"),
        (i.RemoveScript("chk"), "tracks it"),
        (i.Untrack("VI_1", "track_script", "x"), "no such entry"),
        (i.SetValue(OfNamed("vrrp_instance", "VI_1"), "priority", ("256",)), "from 1 to 255"),
        (i.AddScript("chk", (("script", "/x"),)), "of that name"),
        (i.AddScript("new", ()), "needs a command"),
        (i.AddInstance("VI_1", (), ()), "of that name"),
        (i.AddInstance("VI 2", (), ()), "one word"),
        (i.AddInstance("VI_2", (("interface", "eth0"),), ()), "virtual_router_id"),
        (
            i.AddInstance(
                "VI_2", (("interface", "eth0"), ("virtual_router_id", "0")), (("10.0.0.9",),)
            ),
            "from 1 to 255",
        ),
    ],
)
def test_refusals(wanted: i.Intent, why: str) -> None:
    made = draft()
    with pytest.raises(RefusedEdit, match=why):
        made.apply(wanted.on(made.tree))


def test_the_last_vip_stays() -> None:
    made = draft()
    made.apply(i.RemoveVip("VI_1", "10.0.0.2").on(made.tree))
    with pytest.raises(RefusedEdit, match="the last VIP"):
        i.RemoveVip("VI_1", "10.0.0.1").on(made.tree)
