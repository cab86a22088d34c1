"""Understanding what the scripts print; reading a configuration through a runner."""

from __future__ import annotations

import base64
import os
from pathlib import Path

import pytest

from lvstui.keepalived.daemon.facts import Child, DaemonLook, FileStep, Process, roles
from lvstui.keepalived.daemon.look import look_config, look_daemon, parse_daemon
from lvstui.keepalived.daemon.trial import ConfigTest, trial_script
from lvstui.keepalived.daemon.trial import test_words as words_of
from lvstui.operations.config_plan import FileChange
from lvstui.remote.local import LocalRunner
from lvstui.remote.runner import RemoteError


def blob(name: str, data: bytes, hexadecimal: bool = False) -> str:
    if hexadecimal:
        return f"={name}\n {data.hex(' ')}\n.\n"
    return f"@{name}\n{base64.encodebytes(data).decode()}.\n"


@pytest.mark.parametrize("hexadecimal", [False, True])
def test_a_daemon(hexadecimal: bool) -> None:
    text = (
        "boot b\nnode lb1.example.net\nuptime 1000.5\nbooted 5000\nuser 0\npid 7\nticks 4200\n"
        "child 9 4300 0000000000004a03 keepalived\nchild 8 4299 0000000000004a03 keepalived\n"
        "child 10 4301 0 Keepalived_bfd\npidfile checkers 9\npidfile vrrp 8\npidfile vrrp 12\n"
        "program /proc/7/exe\nhz 100\n"
        + blob("argv", b"/usr/sbin/keepalived\0-i\0left\0-f/etc/k.conf\0", hexadecimal)
        + blob("tmpdir", b"")
        + blob("loaded", b"# /etc/k.conf\n\xff!\n" * 20, hexadecimal)
        + blob("version", b"Keepalived v2.2.7 (01/16,2022)\n")
        + blob(
            "addresses",
            b"2: eth0    inet 10.0.0.1/24 brd 10.0.0.255 scope global eth0\\\n"
            b"2: eth0    inet6 FD00::0001/64 scope global\n",
        )
        + "end\n"
    )
    seen = parse_daemon(text, "lb1")
    assert seen.children == (
        Child("bfd", 10, 4301),
        Child("checkers", 9, 4300),
        Child("vrrp", 8, 4299),
    )
    assert (seen.pid, seen.version, seen.main, seen.config_id, seen.root) == (
        7,
        "2.2.7",
        "/etc/k.conf",
        "left",
        True,
    )
    assert seen.started == 5042.0
    assert seen.loaded == b"# /etc/k.conf\n\xff!\n" * 20
    assert seen.addresses == (("eth0", "10.0.0.1"), ("eth0", "fd00::1"))
    assert "\\xff" not in repr(seen), "what is loaded holds passwords"
    assert parse_daemon("node lb1.example.net\nend\n", "x").config_id == "lb1"


def test_children_without_pid_files_are_told_by_their_signals() -> None:
    text = "pid 7\nchild 8 1 800 keepalived\nchild 9 2 0 keepalived\nend\n"
    assert parse_daemon(text, "x").children == (Child("checkers", 9, 2), Child("vrrp", 8, 1))


@pytest.mark.parametrize(
    ("named", "found"),
    [
        ({}, {"vrrp": 8, "checkers": 9, "bfd": 10}),
        # What a pid file says of one is not taken by another that comes first.
        ({9: "vrrp"}, {"vrrp": 9, "bfd": 10}),
        ({10: "checkers"}, {"vrrp": 8, "checkers": 10}),
    ],
)
def test_roles(named: dict[int, str], found: dict[str, int]) -> None:
    children = (
        Process(8, "keepalived", True),
        Process(9, "lb_health", False),
        Process(10, "keepalived_bfd", False),
    )
    assert roles(children, named) == found


@pytest.mark.parametrize("cut", ["pid 7\n", "pid 7\n@argv\n!!!\n.\nend\n", "@loaded\nAAAA\n"])
def test_what_did_not_come_whole_is_nothing(cut: str) -> None:
    with pytest.raises(RemoteError):
        parse_daemon(cut, "x")


def test_this_host_can_be_looked_at() -> None:
    seen = look_daemon(LocalRunner("here"), root=False)
    assert seen.node.partition(".")[0] == os.uname().nodename.partition(".")[0]
    assert ("lo", "127.0.0.1") in seen.addresses or not seen.addresses
    assert seen.booted > 0


def test_a_configuration_with_includes_and_a_candidate(tmp_path: Path) -> None:
    main = tmp_path / "k.conf"
    main.write_bytes(b"include conf.d/*.conf\ninclude gone.inc\n")
    (tmp_path / "conf.d").mkdir()
    for name in ("b.conf", "a.conf", ".hidden.conf", "x.txt"):
        (tmp_path / "conf.d" / name).write_bytes(b"include ../" + name.encode() + b".inc\n")
    (tmp_path / "a.conf.inc").write_bytes(b"global_defs {\n    router_id here\n}\n")
    (tmp_path / "conf.d" / "run.conf").write_bytes(b"x")
    (tmp_path / "conf.d" / "run.conf").chmod(0o755)
    runner = LocalRunner("here")
    seen = look_config(runner, str(main), "lb1", root=False)
    assert seen.configuration is not None
    assert seen.configuration.router_id == "here"
    loaded = {Path(path).name for path in seen.configuration.files}
    assert loaded == {"k.conf", "a.conf", "a.conf.inc", "b.conf"}

    new = str(tmp_path / "conf.d" / "c.conf")
    gone = str(tmp_path / "conf.d" / "a.conf")
    over: dict[str, bytes | None] = {new: b"global_defs {\n    router_id new\n}\n", gone: None}
    other = look_config(runner, str(main), "lb1", over=over, root=False)
    assert other.configuration is not None
    assert other.configuration.router_id == "new"
    assert [Path(p).name for p in other.configuration.files] == ["k.conf", "b.conf", "c.conf"]


def test_a_main_file_that_would_not_be_loaded(tmp_path: Path) -> None:
    main = tmp_path / "k.conf"
    runner = LocalRunner("here")
    assert "no such file" in look_config(runner, str(main), "x", root=False).why
    main.write_bytes(b"global_defs {\n}\n")
    main.chmod(0o755)
    seen = look_config(runner, str(main), "x", root=False)
    assert (seen.tree, "execute bit" in seen.why) == (None, True)
    over = {str(main): b"global_defs {\n}\n"}
    assert "execute bit" in look_config(runner, str(main), "x", over=over, root=False).why


def test_the_options_that_change_what_a_file_means_are_kept() -> None:
    daemon = DaemonLook("x", argv=("keepalived", "-D", "--config-id=left", "-s", "red", "-l"))
    assert words_of(daemon) == (
        "-t",
        "-f",
        "/etc/keepalived/keepalived.conf",
        "-i",
        "left",
        "-s",
        "red",
    )


def test_no_secret_is_shown_by_accident() -> None:
    step = FileStep("/k", "/k", b"auth_pass hunter22", b"auth_pass hunter23")
    change = FileChange("/k", step.before, step.after)
    tested = ConfigTest(2, b"Unterminated quote 'auth_pass \"hunter22'")
    daemon = DaemonLook("x", program="/usr/sbin/keepalived", loaded=b"hunter22")
    text, stdin = trial_script(daemon, [step])
    assert b"hunter23" in stdin
    for shown in (repr(step), repr(change), repr(tested), repr(daemon), text):
        assert "hunter" not in shown
