"""Forms become edits, and what the cursor is in decides which."""

from __future__ import annotations

import pytest

from lvstui.keepalived.daemon.facts import ConfigSeen, DaemonLook, DirectorSeen, FileSeen
from lvstui.keepalived.edit import intent
from lvstui.keepalived.edit.change import RefusedEdit
from lvstui.keepalived.edit.draft import Draft
from lvstui.keepalived.edit.target import OfCheck, OfGlobals, OfNamed, OfServer, OfService
from lvstui.keepalived.meaning.view import view
from lvstui.keepalived.text.files import Files
from lvstui.keepalived.text.parser import parse_bytes
from lvstui.model.keys import ServerKey, ServiceKey
from lvstui.operations.config_edit import Edited, with_others
from lvstui.operations.config_plan import FileChange
from lvstui.remote.runner import ErrorKind, RemoteError
from lvstui.session.document import Document, document
from lvstui.session.drafting import IntentLog, make_all
from lvstui.session.selection import Selection, setting_at, spot_of
from lvstui.tui.config import forms

MAIN = "/etc/keepalived/keepalived.conf"
VERSION = "2.2.7"
WEB = ServiceKey.of("tcp", "10.0.0.1", 80)
RS1 = ServerKey("10.0.0.3", 80)
CONF = b"""\
global_defs {
    router_id lb1
}
vrrp_script chk {
    script "/usr/bin/true"
}
vrrp_instance LB_1 {
    state BACKUP
    interface eth0
    virtual_router_id 51
    priority 150
    authentication {
        auth_type PASS
        auth_pass hunter22
    }
    virtual_ipaddress {
        10.0.0.1/24
    }
    track_script {
        chk
    }
}
virtual_server 10.0.0.1 80 { # web
    lb_algo wrr
    lb_kind DR
    protocol TCP
    real_server 10.0.0.3 80 { # rs1
        weight 10
        TCP_CHECK {
            connect_timeout 2
        }
        TCP_CHECK {
            connect_port 81
        }
    }
    quorum 1
}
"""


def draft(data: bytes = CONF) -> Draft:
    """A draft over one file in memory."""

    def read(path: str) -> bytes:
        if path != MAIN:
            raise FileNotFoundError(2, "No such file", path)
        return data

    return Draft(MAIN, Files(read), "lb1")


def shown() -> Document:
    """What the screen has of it."""
    return document(draft().tree)


def line_of(words: bytes) -> int:
    """The number of the first line that holds `words`."""
    return next(n for n, line in enumerate(CONF.split(b"\n"), 1) if words in line)


@pytest.mark.parametrize(
    ("words", "target", "removal"),
    [
        pytest.param(b"router_id", OfGlobals(), "", id="globals"),
        pytest.param(b"/usr/bin/true", OfNamed("vrrp_script", "chk"), "script chk", id="script"),
        pytest.param(b"priority", OfNamed("vrrp_instance", "LB_1"), "instance LB_1", id="instance"),
        pytest.param(b"10.0.0.1/24", OfNamed("vrrp_instance", "LB_1"), "VIP 10.0.0.1/24", id="vip"),
        pytest.param(
            b"        chk", OfNamed("vrrp_instance", "LB_1"), "track_script chk", id="track"
        ),
        pytest.param(b"lb_algo", OfService(WEB), "service tcp 10.0.0.1:80", id="service"),
        pytest.param(b"weight 10", OfServer(WEB, RS1), "real server 10.0.0.3:80", id="server"),
        pytest.param(
            b"connect_port",
            OfCheck(WEB, RS1, "TCP_CHECK", 1),
            "TCP_CHECK of 10.0.0.3:80",
            id="second-check",
        ),
        pytest.param(b"quorum", OfService(WEB), "service tcp 10.0.0.1:80", id="behind-the-servers"),
    ],
)
def test_a_line_knows_what_can_be_done_to_it(words: bytes, target: object, removal: str) -> None:
    found = shown()
    spot = spot_of(found, found.node_at(MAIN, line_of(words)))
    assert spot.target == target
    said = spot.removal[0] if spot.removal is not None else ""
    assert said.startswith(removal)
    assert bool(said) == bool(removal)


@pytest.mark.parametrize(
    ("words", "why"),
    [
        pytest.param(b"        chk", "", id="track"),
        pytest.param(b"connect_port", "", id="check"),
        pytest.param(b"lb_algo", "", id="service"),
        pytest.param(b"/usr/bin/true", "track", id="script-that-is-tracked"),
        pytest.param(b"weight 10", "last", id="last-server"),
    ],
)
def test_a_removal_takes_it_out_or_is_refused_in_words(words: bytes, why: str) -> None:
    found = shown()
    removal = spot_of(found, found.node_at(MAIN, line_of(words))).removal
    assert removal is not None
    work = draft()
    if why:
        with pytest.raises(RefusedEdit, match=why):
            make_all(work, [removal[1]], "remove")
        assert not work.changed
    else:
        make_all(work, [removal[1]], "remove")
        assert words not in work.data(MAIN)


def test_what_a_line_sets() -> None:
    page = shown().main
    assert setting_at(page, line_of(b"weight 10")) == ("weight", "10")
    assert setting_at(page, line_of(b"/usr/bin/true")) == ("script", "/usr/bin/true")
    assert setting_at(page, line_of(b"real_server")) is None
    assert setting_at(page, line_of(b"auth_pass")) == ("auth_pass", "")


def carried(form: forms.Form, **values: str) -> bytes:
    """The file after that form was filled in so."""
    assert form.faults(values) == {}
    work = draft()
    make_all(work, form.intents(values), form.title)
    return work.data(MAIN)


def test_a_new_server_with_more_than_the_operation_itself_knows() -> None:
    service = shown().configuration.services[0]
    form = forms.server_form(service, VERSION)
    new = carried(form, address="10.0.0.4", name="rs2", weight="5", uthreshold="100")
    assert b"real_server 10.0.0.4 80 { # rs2" in new
    assert b"uthreshold 100" in new
    assert form.faults({"address": "10.0.0.3"})
    assert form.faults({"address": "fd00::1"})


def test_a_new_service_has_a_server_and_a_check() -> None:
    form = forms.service_form(shown().configuration, VERSION)
    assert form.values["lb_kind"] == "DR", "what all others have is offered"
    new = carried(
        form,
        address="10.0.0.1",
        port="443",
        protocol="TCP",
        lb_kind="DR",
        lb_algo="wrr",
        rs_address="10.0.0.3",
    )
    assert b"virtual_server 10.0.0.1 443" in new
    assert new.count(b"TCP_CHECK") == 3
    assert "address" in form.faults(
        {
            "address": "10.0.0.1",
            "port": "80",
            "protocol": "TCP",
            "lb_algo": "wrr",
            "lb_kind": "DR",
            "rs_address": "10.0.0.3",
        }
    )


@pytest.mark.parametrize("kind", forms.kinds(VERSION))
def test_every_kind_of_check_has_a_form(kind: str) -> None:
    form = forms.check_form(WEB, RS1, kind, VERSION)
    values = {"path": "/health", "misc_path": "/usr/bin/true", "track_file": "f", "name": "b"}
    wanted = {f.keyword: values[f.keyword] for f in form.fields if f.required}
    assert form.faults(wanted) == {}
    (one,) = form.intents(wanted)
    assert isinstance(one, intent.AddCheck)
    assert one.check.words[0] == kind.encode()


def test_quorum_sorry_server_instance_vip_and_script() -> None:
    service = shown().configuration.services[0]
    assert b"quorum 5" in carried(forms.quorum_form(service, VERSION), quorum="5")
    assert forms.quorum_form(service, VERSION).faults({"quorum": "11"})
    assert b"sorry_server 10.0.0.9 80" in carried(
        forms.sorry_form(service, VERSION), address="10.0.0.9", port="80"
    )
    assert b"10.0.0.2/24" in carried(
        forms.vip_form("LB_1", VERSION), virtual_ipaddress="10.0.0.2/24"
    )
    assert b"vrrp_script web" in carried(
        forms.script_form(VERSION), name="web", script="/usr/bin/false"
    )
    new = carried(
        forms.instance_form(shown().configuration, VERSION),
        name="LB_2",
        interface="eth1",
        virtual_router_id="52",
        virtual_ipaddress="10.1.0.1/24 dev eth1",
        auth_type="PASS",
        auth_pass="n3w",
        unicast_peer="10.1.0.9",
    )
    for words in (b"vrrp_instance LB_2", b"10.1.0.1/24 dev eth1", b"auth_pass n3w", b"10.1.0.9"):
        assert words in new


def test_one_value_and_a_flag() -> None:
    target = OfNamed("vrrp_instance", "LB_1")
    form = forms.value_form(target, "priority", "150", VERSION)
    assert form.values == {"priority": "150"}
    assert b"priority 120" in carried(form, priority="120")
    assert form.faults({"priority": "300"})
    flag = forms.value_form(target, "nopreempt", "", VERSION)
    assert b"    nopreempt\n" in carried(flag, nopreempt="yes")


def test_all_edits_of_a_form_are_made_or_none() -> None:
    work = draft()
    good = intent.SetWeight(WEB, RS1, 7)
    bad = intent.SetWeight(WEB, ServerKey("10.0.0.99", 80), 7)
    with pytest.raises(RefusedEdit):
        make_all(work, [good, bad], "two")
    assert not work.changed


def test_nothing_can_be_done_to_nothing() -> None:
    assert Selection().target is None
    assert Selection().removal is None


# The other director


def director(name: str, data: bytes, path: str = MAIN) -> DirectorSeen:
    """One look at a director with one file."""
    tree = parse_bytes(data, path=path, config_id=name)
    file = FileSeen(path, path, data=data)
    return DirectorSeen(DaemonLook(name), ConfigSeen(tree, view(tree), (file,)))


def theirs(other: DirectorSeen | RemoteError, by_hand: bool) -> Edited:
    """What a weight of 7 here makes of the other director."""
    asked = None if by_hand else (intent.SetWeight(WEB, RS1, 7),)
    own = (FileChange(MAIN, CONF, CONF.replace(b"weight 10", b"weight 7")),)
    return with_others("lb1", own, asked, {"lb1": director("lb1", CONF), "lb2": other})


@pytest.mark.parametrize("by_hand", [True, False], ids=["text", "form"])
def test_the_other_director_gets_the_same_in_its_own_file(by_hand: bool) -> None:
    other = CONF.replace(b"priority 150", b"priority 100").replace(b"router_id lb1", b"router_id x")
    found = theirs(director("lb2", other), by_hand)
    (one,) = found.files["lb2"]
    assert one.after == other.replace(b"weight 10", b"weight 7")
    assert found.cautions == ()


def test_what_the_other_can_not_take_is_said_and_not_done() -> None:
    gone = theirs(director("lb2", CONF.replace(b"10.0.0.3 80", b"10.0.0.8 80")), False)
    away = theirs(RemoteError(ErrorKind.UNREACHABLE, "no answer"), False)
    for found in (gone, away):
        assert set(found.files) == {"lb1"}
        (caution,) = found.cautions
        assert "lb2" in caution


def test_steps_remember_what_they_were_asked_for() -> None:
    wishes = IntentLog()
    one, two, three = (intent.SetWeight(WEB, RS1, n) for n in (1, 2, 3))
    wishes.made(0, (one,))
    wishes.made(1, (two,))
    assert wishes.of(2) == (one, two)
    assert wishes.of(1) == (one,), "the second was taken back"
    wishes.made(1, (three,))
    assert wishes.of(2) == (one, three)
    wishes.made(2, None)
    assert wishes.of(3) is None
    assert wishes.of(2) == (one, three)
