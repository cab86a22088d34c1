"""A new line looks like its neighbours, and nothing but what must goes is gone."""

from __future__ import annotations

import pytest

from lvstui.keepalived.edit import intent as i
from lvstui.keepalived.edit.change import RefusedEdit
from lvstui.keepalived.edit.draft import Draft
from lvstui.keepalived.edit.judge import new_check
from lvstui.keepalived.edit.servers import NewServer
from lvstui.keepalived.edit.style import comment_text, quoted
from lvstui.keepalived.edit.target import OfServer, OfService
from lvstui.keepalived.text.files import Files
from lvstui.keepalived.text.lexer import words
from lvstui.model.keys import ServerKey, ServiceKey

MAIN = "/etc/keepalived/keepalived.conf"
WEB = ServiceKey.parse("tcp 10.0.0.1:80")
RS1 = ServerKey.parse("10.0.0.11:80")
RS2 = ServerKey.parse("10.0.0.12:80")
NEW = i.AddServer(WEB, NewServer("10.0.0.13", 0, "rs3", 2))


def draft(text: str) -> Draft:
    return Draft(MAIN, Files({MAIN: text.encode()}.__getitem__), "lb1")


def after(text: str, *wanted: i.Intent) -> str:
    made = draft(text)
    for one in wanted:
        made.apply(one.on(made.tree))
    return made.data(MAIN).decode()


OTHER = "    real_server 10.0.0.12 80 {\n    }\n"
HEAD = "virtual_server 10.0.0.1 80 {\n    lb_kind DR\n    protocol TCP\n"

PLAIN = HEAD + (
    "    real_server 10.0.0.11 80 { # rs1\n        weight 1\n        TCP_CHECK {\n"
    "            connect_timeout 3\n        }\n    }\n"
)


def test_a_server_is_added_as_the_others_are_written() -> None:
    assert after(PLAIN + "}\n", NEW) == PLAIN + (
        "    real_server 10.0.0.13 80 { # rs3\n        weight 2\n        TCP_CHECK {\n"
        "            connect_timeout 3\n        }\n    }\n}\n"
    )


@pytest.mark.parametrize(
    ("servers", "added"),
    [
        (
            "\treal_server 10.0.0.11 80{\n\t\tweight 1\n\t}\n",
            "\treal_server 10.0.0.13 80{ # rs3\n\t\tweight 2\n\t}\n",
        ),
        (
            "    # rs1\n    real_server 10.0.0.11 80\n    {\n        weight 1\n    }\n",
            "    # rs3\n    real_server 10.0.0.13 80\n    {\n        weight 2\n    }\n",
        ),
        (
            "  real_server 10.0.0.11 80 {   ! rs1\n    weight 1\n  }\n\n"
            "  real_server 10.0.0.12 80 {   ! rs2\n    weight 1\n  }\n",
            "\n  real_server 10.0.0.13 80 {   ! rs3\n    weight 2\n  }\n",
        ),
        (
            "    real_server 10.0.0.11 {\n    }\n",
            "    real_server 10.0.0.13 { # rs3\n        weight 2\n    }\n",
        ),
        (
            "    real_server 10.0.0.11 80 { weight 1 }\n",
            "    real_server 10.0.0.13 80 { # rs3\n        weight 2\n    }\n",
        ),
    ],
    ids=["tabs-glued", "brace-below", "blank-lines", "no-port", "one-line"],
)
def test_odd_styles(servers: str, added: str) -> None:
    assert after(HEAD + servers + "}\n", NEW) == HEAD + servers + added + "}\n"


def test_windows_line_ends_stay() -> None:
    text = (PLAIN + "}\n").replace("\n", "\r\n")
    made = after(text, NEW)
    assert made.replace("\r\n", "\n") == after(PLAIN + "}\n", NEW)
    assert made.count("\n") == made.count("\r\n")


def test_a_closing_brace_glued_to_the_last_line() -> None:
    text = HEAD + "    real_server 10.0.0.11 80 {\n        weight 1 }}"
    assert after(text, NEW) == HEAD + (
        "    real_server 10.0.0.11 80 {\n        weight 1 }\n"
        "    real_server 10.0.0.13 80 { # rs3\n        weight 2\n    }}"
    )


def test_under_a_condition_the_new_lines_have_it_too() -> None:
    only = "@lb1 real_server 10.0.0.11 80 {\n@lb1 weight 1\n@lb1 }\n"
    text = HEAD + only + OTHER + "}\n"
    made = after(text, i.SetValue(OfServer(WEB, RS1), "inhibit_on_failure"))
    assert "@lb1 weight 1\n@lb1     inhibit_on_failure\n@lb1 }\n" in made


def test_no_final_newline() -> None:
    text = "global_defs {\n    router_id A\n}"
    made = after(
        text,
        i.AddService(
            fwmark=7,
            settings=(("lb_algo", "rr"), ("lb_kind", "DR")),
            servers=(NewServer("10.0.0.11"),),
        ),
    )
    assert made == text + (
        "\n\nvirtual_server fwmark 7 {\n    lb_algo rr\n    lb_kind DR\n"
        "    real_server 10.0.0.11 {\n    }\n}\n"
    )


def test_a_removed_server_takes_its_comments_and_one_blank_line() -> None:
    first = "    # rs1, older\n    real_server 10.0.0.11 80 { # rs1\n        weight 1\n    }\n"
    second = OTHER
    text = HEAD + "\n" + first + "\n" + second + "}\n"
    assert after(text, i.RemoveServer(WEB, RS1)) == HEAD + "\n" + second + "}\n"
    assert after(text, i.RemoveServer(WEB, RS2)) == HEAD + "\n" + first + "}\n"


@pytest.mark.parametrize(
    "above", ["    #real_server 10.0.0.9 80 {\n    #}\n", "    # ----\n", "# pool\n", "\n"]
)
def test_comments_that_are_not_its_own_stay(above: str) -> None:
    first = "    real_server 10.0.0.11 80 {\n    }\n"
    second = OTHER
    text = HEAD + first + above + second + "    delay_loop 6\n}\n"
    assert after(text, i.RemoveServer(WEB, RS2)) == HEAD + first + above + "    delay_loop 6\n}\n"


def test_what_begins_the_file_stays() -> None:
    pool = HEAD + OTHER + "}\n"
    head = "# managed by hand\n# since 2019\n"
    text = head + pool + "\n# the second\n" + pool.replace("1 80", "2 80")
    second = i.RemoveService(ServiceKey.parse("tcp 10.0.0.2:80"))
    assert after(text, second) == head + pool
    assert after(text, i.RemoveService(WEB)).startswith(head)


def test_a_value_is_exchanged_and_nothing_else() -> None:
    text = HEAD + "    delay_loop\t 6   # often\n    real_server 10.0.0.11 80 {\n    }\n}\n"
    assert after(text, i.SetValue(OfService(WEB), "delay_loop", ("2.5",))) == text.replace(
        "\t 6 ", "\t 2.5 "
    )
    assert after(text, i.RemoveValue(OfService(WEB), "delay_loop")) == text.replace(
        "    delay_loop\t 6   # often\n", ""
    )


def test_a_new_keyword_stands_where_the_siblings_have_it() -> None:
    server = "    real_server 10.0.0.%d 80 {\n        weight 1\n%s        notify_up /x\n    }\n"
    first = server % (11, "        uthreshold 9\n")
    wanted = i.SetValue(OfServer(WEB, RS2), "uthreshold", ("5",))
    made = after(HEAD + first + server % (12, "") + "}\n", wanted)
    assert made == HEAD + first + server % (12, "        uthreshold 5\n") + "}\n"


def test_the_line_that_counts_is_changed() -> None:
    server = "    real_server 10.0.0.11 80 {\n%s    }\n}\n"
    twice = HEAD + server % "        weight 1\n        weight 2\n"
    assert after(twice, i.SetWeight(WEB, RS1, 7)) == twice.replace("weight 2", "weight 7")
    scripts = HEAD + server % "        notify_up /a\n        notify_up /b\n"
    assert after(
        scripts, i.SetValue(OfServer(WEB, RS1), "notify_up", ("/c d",))
    ) == scripts.replace("/a", '"/c d"')
    synonym = HEAD.replace("lb_kind DR", "lvs_sched rr\n    lb_kind DR") + server % ""
    assert after(synonym, i.SetValue(OfService(WEB), "lb_algo", ("sh",))) == synonym.replace(
        "lvs_sched rr", "lvs_sched sh"
    )


def test_a_check_is_added_behind_the_others() -> None:
    check = new_check("HTTP_GET", {"path": "/a b", "status_code": "200", "connect_port": "81"})
    assert after(PLAIN + "}\n", i.AddCheck(WEB, RS1, check)) == PLAIN[:-6] + (
        '        HTTP_GET {\n            url {\n                path "/a b"\n'
        "                status_code 200\n            }\n            connect_port 81\n        }\n"
        "    }\n}\n"
    )


def test_copied_checks_speak_of_the_new_server() -> None:
    check = '        MISC_CHECK {\n            misc_path "/x 10.0.0.11 110.0.0.11"\n        }\n'
    text = HEAD + "    real_server 10.0.0.11 80 {\n" + check + "    }\n}\n"
    made = after(text, i.AddServer(WEB, NewServer("10.0.0.13")))
    assert check.replace(" 10.0.0.11 ", " 10.0.0.13 ") in made
    assert check in made
    own = text.replace("MISC_CHECK", "BFD_CHECK").replace('misc_path "', 'name "')
    with pytest.raises(RefusedEdit, match="BFD_CHECK of the server beside it"):
        after(own, i.AddServer(WEB, NewServer("10.0.0.13")))


@pytest.mark.parametrize("word", ["a b", "a#b", "!", "{x}", "", "a\tb", "plain", "ü", "'a b'"])
def test_quoted_words_are_read_back(word: str) -> None:
    assert words(b"x " + quoted(word.encode()) + b" y") == (b"x", word.encode(), b"y")


@pytest.mark.parametrize("word", ['a"b', "a\nb", "a\rb", "a\0b", "ab\\"])
def test_what_can_not_be_written_is_refused(word: str) -> None:
    with pytest.raises(RefusedEdit) as why:
        quoted(word.encode())
    assert "ab" not in str(why.value).replace("about", "")


def test_comments_are_harmless() -> None:
    assert comment_text("a\n b\x1b[0m \u202e\\\\ ") == b"a b [0m"
