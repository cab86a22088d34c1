"""What cannot be edited is refused, with the place and the reason."""

from __future__ import annotations

import pytest

from lvstui.keepalived.edit import intent as i
from lvstui.keepalived.edit.change import RefusedEdit
from lvstui.keepalived.edit.draft import Draft
from lvstui.keepalived.edit.find import Found
from lvstui.keepalived.edit.servers import NewServer
from lvstui.keepalived.edit.target import OfCheck, OfGlobals, OfNamed, OfServer, OfService
from lvstui.keepalived.meaning.view import tree_of_copy
from lvstui.keepalived.text.files import Files
from lvstui.keepalived.text.tree import Tree
from lvstui.model.keys import ServerKey, ServiceKey

DIR = "/etc/keepalived/"
WEB = ServiceKey.parse("tcp 10.0.0.1:80")
RS1 = ServerKey.parse("10.0.0.11:80")
HEAD = "virtual_server 10.0.0.1 80 {\n lb_kind DR\n protocol TCP\n"
SERVER = " real_server 10.0.0.11 80 {\n  weight 1\n }\n"
ONE = HEAD + SERVER + "}\n"
OTHER = " real_server 10.0.0.12 80 {\n  weight 1\n }\n"


def draft(main: str, **others: str) -> Draft:
    files = {DIR + "k.conf": main.encode()}
    files.update({f"{DIR}{name}.inc": text.encode() for name, text in others.items()})

    def read(path: str) -> bytes:
        if path not in files:
            raise FileNotFoundError(2, "No such file", path)
        return files[path]

    return Draft(DIR + "k.conf", Files(read), "lb1")


@pytest.mark.parametrize(
    ("made", "wanted", "why"),
    [
        (
            draft("$W=5\n" + HEAD + SERVER.replace("weight 1", "weight $W") + "}\n"),
            i.SetWeight(WEB, RS1, 2),
            r"k\.conf:6:\d+: weight: its value is given by \$W, defined at .*k\.conf:1:1",
        ),
        (
            draft(
                "$R= \\\n real_server 10.0.0.${n} 80 { \\\n }\n" + HEAD + "~SEQ(n,11,12) $R\n}\n"
            ),
            i.SetWeight(WEB, RS1, 2),
            r"real_server is given by the ~SEQ at .*:7:1 and \$R, defined at .*:1:1",
        ),
        (
            draft("# twice\n" + HEAD + SERVER + "}\n" + HEAD + OTHER + "}\n"),
            i.SetWeight(WEB, RS1, 2),
            r"k\.conf:9:1: virtual server tcp 10\.0\.0\.1:80 stands here once more",
        ),
        (
            draft(
                HEAD + " include rs.inc\n}\n" + HEAD.replace("0.1", "0.2") + " include rs.inc\n}\n",
                rs=SERVER,
            ),
            i.SetWeight(WEB, RS1, 2),
            r"rs\.inc:1:2: this file is included 2 times \(.*k\.conf:4:2, .*k\.conf:9:2\)",
        ),
        (
            draft(HEAD + " include rs.inc\n }\n}\n", rs=SERVER[:-3]),
            i.SetWeight(WEB, RS1, 2),
            r"rs\.inc:1:2: real_server begins here and has a brace in /etc/keepalived/k\.conf",
        ),
        (draft(ONE), i.RemoveServer(WEB, RS1), "last real server"),
        (
            draft(ONE),
            i.SetWeight(WEB, ServerKey.parse("10.0.0.99:80"), 2),
            r"tcp 10\.0\.0\.1:80 has no real server 10\.0\.0\.99:80",
        ),
        (
            draft(ONE),
            i.SetWeight(ServiceKey.parse("tcp 10.0.0.1:81"), RS1, 2),
            r"no virtual server tcp 10\.0\.0\.1:81",
        ),
        (draft(HEAD + SERVER + OTHER + SERVER + "}\n"), i.RemoveServer(WEB, RS1), "once more"),
        (draft(ONE), i.AddServer(WEB, NewServer("10.0.0.11")), "has .* already"),
        (draft(ONE), i.AddServer(WEB, NewServer("10.0.0.9", 81)), "port of its"),
        (draft(ONE), i.AddServer(WEB, NewServer("fd00::1")), "address family"),
        (draft(ONE), i.AddServer(WEB, NewServer("x;y")), "no IPv4"),
        (draft(ONE), i.AddServer(WEB, NewServer("10.0.0.9", name="a{")), "brace"),
        (draft(ONE), i.SetValue(OfService(WEB), "wieght", ("1",)), "no keyword"),
        (draft(ONE), i.SetValue(OfService(WEB), "lb_algo", ("x",)), "one of dh"),
        (draft(ONE), i.SetValue(OfService(WEB), "real_server", ("x",)), "a block"),
        (draft(ONE), i.SetValue(OfService(WEB), "quorum"), "a value is needed"),
        (draft(ONE), i.RemoveValue(OfService(WEB), "quorum"), "no quorum"),
        (draft(ONE), i.SetValue(OfGlobals(), "router_id", ("x",)), "no global"),
        (draft(ONE), i.SetValue(OfCheck(WEB, RS1, "TCP_CHECK"), "retry", ("2",)), "no such check"),
        (
            draft(ONE),
            i.SetValue(OfNamed("vrrp_instance", "VI"), "priority", ("2",)),
            "no vrrp_instance of that name",
        ),
        (draft(HEAD + SERVER), i.SetValue(OfService(WEB), "quorum", ("1",)), "brace missing"),
        (draft(ONE), i.SetQuorum(WEB, 5), "weights come to 1"),
        (draft(ONE), i.SetQuorum(WEB, 1, 1), "hysteresis is below"),
    ],
)
def test_refusals(made: Draft, wanted: i.Intent, why: str) -> None:
    with pytest.raises(RefusedEdit, match=why):
        made.apply(wanted.on(made.tree))
    assert made.files == {}


def test_a_shared_pool_says_whom_it_concerns() -> None:
    made = draft(
        "virtual_server_group web {\n 10.0.0.1 80\n 10.0.0.2 80\n}\n"
        + HEAD.replace("10.0.0.1 80", "group web")
        + SERVER
        + OTHER
        + "}\n"
    )
    change = i.SetWeight(WEB, RS1, 2).on(made.tree)
    assert "in group web (tcp 10.0.0.1:80, tcp 10.0.0.2:80)" in change.title
    assert change.cautions == ("the pool is shared: 2 services of group web change alike",)
    made.apply(change)
    assert [service.servers[0].weight for service in made.configuration.services] == [2, 2]


def test_a_line_for_one_host_says_so() -> None:
    text = HEAD + SERVER.replace("  weight 1\n", "@lb1 weight 1\n@^lb1 weight 3\n") + "}\n"
    made = draft(text)
    change = i.SetValue(OfServer(WEB, RS1), "weight", ("2",)).on(made.tree)
    assert change.title == "weight of 10.0.0.11:80 in tcp 10.0.0.1:80 (only for lb1): 1 → 2"
    made.apply(change)
    assert made.data(DIR + "k.conf").decode() == text.replace("@lb1 weight 1", "@lb1 weight 2")


def test_the_daemons_copy_is_no_file() -> None:
    tree = tree_of_copy((HEAD + SERVER + "}\n").encode(), config_id="lb1")
    with pytest.raises(RefusedEdit, match="own copy"):
        i.SetWeight(WEB, RS1, 2).on(tree)


class OfAuthentication:
    """The authentication of the first instance."""

    def find(self, tree: Tree) -> Found:
        block = next(next(tree.blocks(b"vrrp_instance")).blocks(b"authentication"))
        return Found(block, "authentication")


def test_a_changed_password_is_not_in_the_title() -> None:
    made = draft(
        "vrrp_instance VI_1 {\n virtual_router_id 1\n authentication {\n  auth_type PASS\n"
        "  auth_pass s3cret\n }\n}\n"
    )
    change = i.SetValue(OfAuthentication(), "auth_pass", ("n3w p!w",)).on(made.tree)
    assert "s3cret" not in repr(change)
    assert "n3w" not in repr(change)
    made.apply(change)
    assert b'auth_pass "n3w p!w"' in made.data(DIR + "k.conf")
    with pytest.raises(RefusedEdit) as why:
        i.SetValue(OfAuthentication(), "auth_pass", ("far-too-long",)).on(made.tree)
    assert "far-too" not in str(why.value)
