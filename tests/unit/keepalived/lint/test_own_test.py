"""What keepalived's own test printed: once, in its place, weighed, and without a secret."""

from __future__ import annotations

import string

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from lvstui.keepalived.lint.own_test import classify
from lvstui.keepalived.lint.rules import lint
from lvstui.keepalived.lint.secrets import secret_words
from lvstui.keepalived.meaning.view import view
from lvstui.keepalived.text.files import in_memory
from lvstui.keepalived.text.parser import parse, parse_bytes
from lvstui.model.config import Place
from lvstui.model.finding import Finding, FindingSeverity, told_once

LETHAL, ERROR, WARNING, NOTE = FindingSeverity
MAIN = "/etc/keepalived/keepalived.conf"

TEXT = """\
global_defs {
    router_ids
}
vrrp_instance VI_1 {
    interface eth0
    virtual_router_id 51
    authentication {
        auth_type PASS
        auth_pass hunter2
    }
    virtual_ipaddress {
        10.9.0.100/24
    }
}
virtual_server 10.9.0.100 80 {
    protocol TCP
    real_server 10.9.0.11 80 {
    }
}
virtual_server fwmark 5 {
    real_server 10.9.0.11 {
    }
}
include conf.d/more.conf
"""
MORE = "vrrp_sync_group G {\n    group {\n        VI_1\n    }\n}\n  bar\n"
TREE = parse(
    MAIN, in_memory({MAIN: TEXT.encode(), "/etc/keepalived/conf.d/more.conf": MORE.encode()}), "lb1"
)


def judge(status: int, *lines: str, version: str = "2.2.7") -> tuple[Finding, ...]:
    return classify(status, "\n".join(lines) + "\n", version, TREE)


def test_silence_is_consent() -> None:
    assert judge(0, "") == ()


def test_the_roles_tell_each_message_once() -> None:
    (finding,) = judge(
        5,
        "(Line 2) Unknown keyword 'router_ids'",
        *["(keepalived.conf: Line 2) Unknown keyword 'router_ids'"] * 3,
    )
    assert finding.rule == "-t:keyword-unknown"
    assert finding.severity is WARNING
    assert finding.text == "Unknown keyword 'router_ids'"
    assert str(finding.place) == f"{MAIN}:2:5"


def test_the_same_words_in_two_files_are_two() -> None:
    found = judge(
        5,
        "(keepalived.conf: Line 6) Unknown keyword 'bar'",
        "(conf.d/more.conf: Line 6) Unknown keyword 'bar'",
        "(conf.d/more.conf: Line 6) Unknown keyword 'bar'",
    )
    assert {str(finding.place) for finding in found} == {
        f"{MAIN}:6:5",
        "/etc/keepalived/conf.d/more.conf:6:3",
    }


def test_a_candidate_beside_the_main_file_is_the_main_file() -> None:
    (finding,) = judge(5, "(.lvstui-cand: Line 2) Unknown keyword 'router_ids'")
    assert str(finding.place) == f"{MAIN}:2:5"


@pytest.mark.parametrize(
    ("message", "line"),
    [
        ("(VI_1) the virtual router id must be set", 4),
        ("(VI_1): cannot specify MAC address with strict mode - clearing", 4),
        ("Virtual server [10.9.0.100]:tcp:80: no scheduler set, setting default 'wlc'", 15),
        ("Warning - quorum 5 for [10.9.0.100]:tcp:80 exceeds total weight of real servers 1", 15),
        ("Warning: Virtual server FWM 5: protocol specified for fwmark", 20),
        ("VI_1 and VI_2 both use VRID 51 with IPv4 on interface eth0", 4),
        ("Sync group G has only 1 virtual router(s) - this probably isn't what you want", 1),
        ("There are 1 missing '}'s or extra '{'s", 0),
    ],
)
def test_messages_without_a_line_are_placed_by_what_they_name(message: str, line: int) -> None:
    (finding,) = judge(5, message)
    assert (finding.place.line if finding.place else 0) == line
    assert finding.text == message


@pytest.mark.parametrize(
    ("message", "severity"),
    [
        ("(VI_1) the virtual router id must be set", LETHAL),
        ("(VI_1) Unknown interface!", LETHAL),
        ("(c: Line 3) WARNING - interface nope0 for vrrp_instance VI_1 doesn't exist", LETHAL),
        ("(c: Line 8) WARNING - interface nope0 for ip address 10.9.0.1/24 doesn't exist", LETHAL),
        ("(c: Line 7) (VI_1) tracked interface nope0 doesn't exist", LETHAL),
        ("VI_1 and VI_2 both use VRID 51 with IPv4 on interface eth0", LETHAL),
        ("(VI_1) No VIP specified; at least one is required", LETHAL),
        ("(c: Line 1) vrrp_instance must have a name", LETHAL),
        ("Configuration file 'c.conf' is not a regular non-executable file - skipping", LETHAL),
        ("Configuration file 'sub/' is a directory - skipping", LETHAL),
        ("Config files missing 'nope.conf'.", LETHAL),
        ("(Line 24) Config files missing 'conf.d/nope.conf'.", WARNING),
        ("(VI_1) No VIP specified; at least one is sensible", WARNING),
        ("(c: Line 8) VRRP parsed invalid IP 10.9.0.300/24. skipping IP...", ERROR),
        ("(c: Line 4) number '0' outside range [1, 255]", ERROR),
        (
            "Virtual server [10.9.0.100]:tcp:80: no forwarding method set, setting default NAT",
            ERROR,
        ),
        ("Virtual server [10.9.0.100]:tcp:80 has no real servers - ignoring", ERROR),
        ("(c: Line 8) Truncating auth_pass to 8 characters", NOTE),
        ("(c: Line 7) Ignoring track_interface eth0 since own interface", NOTE),
        ("Sync group G has only 1 virtual router(s) - this probably isn't what you want", NOTE),
        ("SECURITY VIOLATION - scripts are being executed but script_security not enabled.", NOTE),
        ("something that nobody has seen yet", WARNING),
    ],
)
def test_weight(message: str, severity: FindingSeverity) -> None:
    (finding,) = judge(5, message)
    assert finding.severity is severity
    assert finding.rule.startswith("-t:")


@pytest.mark.parametrize("status", [139, 134, -11, -6])
def test_a_crash(status: int) -> None:
    (finding,) = judge(status, "Segmentation fault")
    assert (finding.rule, finding.severity) == ("-t:crash", LETHAL)


@pytest.mark.parametrize(
    ("status", "version", "lethal"),
    [(2, "2.2.7", True), (3, "2.0.20", True), (3, "2.2.7", False), (2, "", True), (5, "", False)],
)
def test_the_fatal_status(status: int, version: str, lethal: bool) -> None:
    found = judge(status, "(Line 2) something new", version=version)
    assert any(finding.rule == "-t:fatal" for finding in found) is lethal


def test_a_fatal_status_whose_reason_is_told_is_told_once() -> None:
    found = judge(
        2,
        "(c: Line 6) *** Configuration line starting `advert_int` is missing a parameter after "
        "keyword `advert_int` at word position 2",
    )
    assert [finding.rule for finding in found] == ["-t:missing-parameter"]


@pytest.mark.parametrize(
    ("status", "rule"), [(5, "-t:status"), (77, "-t:status"), (127, "-t:not-run")]
)
def test_a_status_without_words(status: int, rule: str) -> None:
    (finding,) = judge(status)
    assert (finding.rule, finding.severity) == (rule, ERROR)


def test_versions_without_a_test_mode() -> None:
    found = judge(0, "keepalived: invalid option -- 't'", "Usage: keepalived [OPTION...]")
    assert any(finding.rule == "-t:not-available" for finding in found)


@pytest.mark.parametrize(
    "message",
    [
        "(Line 9) Unterminated quote 'auth_pass \"hunter2'",
        "(Line 9) Unmatched quote: 'auth_pass \"hunter2'",
        "(keepalived.conf: Line 9) String 'auth_pass \"hunter2': missing terminating \"",
        "(Line 9) Unknown keyword 'hunter2'",
        "Unknown keyword 'hunter2'",
        "(Line 9) *** Configuration line starting `hunter2` is missing a parameter",
        "(Line 9) number 'hunter2' outside range [1, 255]",
        "(VI_1) what is hunter2 good for",
    ],
)
def test_no_message_shows_the_password(message: str) -> None:
    (finding, *_) = judge(5, message)
    assert "hunter2" not in f"{finding}"
    assert "…" in finding.text


PASSWORD = st.text(
    alphabet=string.ascii_letters + string.digits + "#!{}\"'@$~`()[]:; \\", min_size=6, max_size=14
)


def _pieces(password: str) -> list[str]:
    """What the tokenisers may cut a password into, when nobody would write it elsewhere."""
    for mark in "#!{}\"' ":
        password = password.replace(mark, " ")
    return [
        piece
        for piece in password.split()
        if len(piece) > 4
        # Words of the language stand in our own sentences.
        and any(char.isdigit() for char in piece)
        and any(char.isalpha() for char in piece)
    ]


@given(PASSWORD)
def test_no_password_gets_into_a_finding(password: str) -> None:
    pieces = _pieces(password)
    assume(pieces)
    text = TEXT.replace("hunter2", password)
    tree = parse_bytes(text.encode(), MAIN, "lb1")
    shown = [f"{finding}" for finding in lint(tree, view(tree))]
    output = "".join(
        f"(Line 9) {shape}\n({MAIN}: Line 9) {shape}\n"
        for piece in [password, *pieces]
        for shape in (
            f"Unterminated quote 'auth_pass {piece}'",
            f"Unknown keyword '{piece}'",
            f"String '{piece}': missing terminating \"",
            f"Configuration error: {piece}",
        )
    )
    shown += [f"{finding}" for finding in classify(5, output, "2.2.7", tree)]
    for piece in pieces:
        assert not any(piece in text for text in shown)


def test_secrets_do_not_show_themselves() -> None:
    assert "hunter2" not in repr(secret_words(TREE))


def test_a_backslash_at_the_end_of_a_comment_does_no_harm() -> None:
    (finding,) = judge(5, "(Line 1) Unknown keyword '\\'")
    assert (finding.rule, finding.severity) == ("-t:comment-continues", NOTE)


def test_what_our_rules_found_is_not_told_again_by_the_test_of_keepalived() -> None:
    here, there = Place(MAIN, 17, 7), Place(MAIN, 10, 1)
    word = Finding("keyword-unknown", WARNING, "unknown keyword 'x'", here)
    empty = Finding("service-without-servers", ERROR, "no real servers", Place(MAIN, 19, 1))
    theirs = [
        Finding("-t:keyword-unknown", WARNING, "Unknown keyword 'x'", here),
        Finding("-t:keyword-unknown", WARNING, "Unknown keyword 'y'", there),
        Finding("-t:service-without-servers", ERROR, "has no real servers", there),
    ]
    assert told_once([word, empty], theirs) == [word, empty, theirs[1]]
