"""ssh_config by `ssh -G`, and without it."""

from __future__ import annotations

import shutil
import socket
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from lvstui.remote import config
from lvstui.remote.config import SshSettings, from_ssh, resolve
from lvstui.remote.connect import Connector, _hop
from lvstui.remote.runner import Access, ErrorKind, RemoteError

OUTPUT = """\
host rs1
user deploy
hostname rs1.lan
port 2222
addressfamily inet
identitiesonly yes
stricthostkeychecking ask
hashknownhosts yes
passwordauthentication no
identityfile ~/.ssh/%h-%r
identityfile ${LVSTUI_KEYS}/second
certificatefile ~/.ssh/x-cert.pub
globalknownhostsfile /etc/ssh/ssh_known_hosts /etc/ssh/ssh_known_hosts2
userknownhostsfile /root/.ssh/known_hosts
connecttimeout 7
proxycommand nc -x %%p %h %p %r %n
"""

needs_ssh = pytest.mark.skipif(not shutil.which("ssh"), reason="no OpenSSH here")


def test_what_ssh_prints(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/me")
    monkeypatch.setenv("LVSTUI_KEYS", "/keys")
    monkeypatch.setenv("SSH_AUTH_SOCK", "/run/agent")
    found = from_ssh(Access("rs1"), OUTPUT)
    assert (found.hostname, found.port, found.user) == ("rs1.lan", 2222, "deploy")
    assert found.identities == ("/home/me/.ssh/rs1.lan-deploy", "/keys/second")
    assert found.certificates == ("/home/me/.ssh/x-cert.pub",)
    assert found.proxy_command == "nc -x %p rs1.lan 2222 deploy rs1"
    assert found.agent == "/run/agent"
    assert found.methods == {"publickey", "keyboard-interactive"}
    assert (found.family, found.connect_timeout_s) == (socket.AF_INET, 7.0)
    assert found.hash_known_hosts
    assert not found.strict
    assert found.known_hosts == ("/root/.ssh/known_hosts",)


def test_what_the_operator_said_wins(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/me")
    access = Access("rs1", address="192.0.2.7", user="ops", port=22, jump="j1,j2", identity="~/k")
    found = from_ssh(access, OUTPUT)
    assert (found.hostname, found.port, found.user) == ("192.0.2.7", 22, "ops")
    assert found.known_as == "rs1.lan"
    assert found.identities[0] == "/home/me/k"
    assert (found.jump, found.proxy_command) == ("j1,j2", "")
    assert from_ssh(Access("rs1", jump="none"), OUTPUT + "proxyjump j\n").jump == ""


@pytest.mark.parametrize(
    ("text", "agent"),
    [
        ("identityagent none", ""),
        ("identityagent $OTHER", "/o"),
        ("identityagent ~/a", "/h/a"),
        ("identityagent SSH_AUTH_SOCK", "/s"),
        ("", "/s"),
    ],
)
def test_agents(text: str, agent: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in (("HOME", "/h"), ("OTHER", "/o"), ("SSH_AUTH_SOCK", "/s")):
        monkeypatch.setenv(name, value)
    assert from_ssh(Access("rs1"), text).agent == agent


def test_weaker_host_key_checks_count_as_ask() -> None:
    for word, strict in (
        ("no", False),
        ("accept-new", False),
        ("off", False),
        ("yes", True),
        ("true", True),
    ):
        assert from_ssh(Access("a"), f"stricthostkeychecking {word}").strict is strict


def test_known_hosts_files_with_spaces_and_none(tmp_path: Path) -> None:
    odd = tmp_path / "my known hosts"
    odd.touch()
    found = from_ssh(Access("a"), f"userknownhostsfile /k {odd} /l\nglobalknownhostsfile none")
    assert found.known_hosts == ("/k", str(odd), "/l")
    assert found.global_known_hosts == ()


def test_unknown_token_is_told() -> None:
    with pytest.raises(RemoteError, match="%Z") as caught:
        from_ssh(Access("a"), "identityfile ~/%Z")
    assert caught.value.trouble is ErrorKind.SETUP


@needs_ssh
def test_include_and_match(tmp_path: Path) -> None:
    (tmp_path / "more").write_text("Host rs*\n  User included\n")
    file = tmp_path / "config"
    file.write_text(
        f"Include {tmp_path}/more\nMatch tagged nothing\n  Port 1\n"
        "Match host rs1 exec true\n  Port 2200\n"
    )
    try:
        found = resolve(Access("rs1"), config=str(file))
    except RemoteError:
        file.write_text(file.read_text().replace("Match tagged nothing\n  Port 1\n", ""))
        found = resolve(Access("rs1"), config=str(file))
    assert (found.user, found.port) == ("included", 2200)


@needs_ssh
def test_openssh_words_for_a_bad_file(tmp_path: Path) -> None:
    file = tmp_path / "config"
    file.write_text("Bogus yes\n")
    with pytest.raises(RemoteError, match="line 1: Bad configuration option: bogus") as caught:
        resolve(Access("rs1"), config=str(file))
    assert caught.value.trouble is ErrorKind.SETUP


@pytest.mark.parametrize("host", ["", "-oProxyCommand=x", "a b", "$(x)", "a;b", "a\nb", "ü"])
def test_no_host_names(host: str) -> None:
    with pytest.raises(RemoteError, match="is no host name"):
        resolve(Access(host))


@pytest.mark.parametrize("program", [pytest.param(None, marks=needs_ssh, id="with ssh"), ""])
@pytest.mark.parametrize("field", ["host", "address", "user", "jump"])
def test_no_value_reaches_a_shell_that_could_read_it(
    field: str, program: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In a ProxyCommand, in `Match exec`, and in what ssh makes of a jump host."""
    mark = tmp_path / "mark"
    file = tmp_path / "config"
    file.write_text(
        'Match exec "true %n %h %r"\n  Port 2200\nHost *\n  ProxyCommand false %h %n %r %p\n'
    )
    if program is not None:
        monkeypatch.setattr(shutil, "which", lambda _: program)
    for value in (f"$(touch${{IFS}}{mark})", f"`touch {mark}`", f";touch${{IFS}}{mark}", "-x"):
        words: dict[str, Any] = {field: value}
        access = replace(Access("rs1"), **words)
        with Connector(ssh_config=str(file)) as connector, pytest.raises(RemoteError) as caught:
            connector.open(access)
        assert not mark.exists()
        assert (caught.value.trouble, "is no" in caught.value.what) == (ErrorKind.SETUP, True)


@pytest.mark.parametrize("output", ["hostname h;x", "user $(x)", "hostkeyalias a|b"])
def test_no_value_of_ssh_config_does_either(output: str) -> None:
    with pytest.raises(RemoteError, match="is no"):
        from_ssh(Access("rs1"), f"proxycommand nc %h %r %k\n{output}")


def test_what_people_really_have_is_taken() -> None:
    for access in (
        Access("fe80::1%eth0"),
        Access("web_1-a.example.net", user="ops@example.net"),
        Access("rs1", address="2001:db8::1"),
        Access("rs1", jump="a,ops@[fe80::1]:22,ssh://u@j:3/"),
        Access("rs1", jump="none"),
    ):
        assert resolve(access, config="/dev/null", program="").host == access.host


def test_without_openssh(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "c").write_text("Host rs1\n  User u\n  Port 2\n  HostName h\n")
    found = resolve(Access("rs1"), config=str(tmp_path / "c"), program="")
    assert (found.user, found.port, found.hostname) == ("u", 2, "h")
    assert found.known_hosts[0] == f"{tmp_path}/.ssh/known_hosts"
    assert found.warnings
    assert "openssh-client" in found.warnings[0]


@pytest.mark.parametrize(
    ("jump", "access"),
    [
        ("j", Access("j")),
        ("u@j:2222", Access("j", user="u", port=2222)),
        ("a,u@b", Access("b", user="u", jump="a")),
        ("[fe80::1]:22", Access("fe80::1", port=22)),
        ("ssh://u@j:3", Access("j", user="u", port=3)),
        ("fe80::1", Access("fe80::1")),
    ],
)
def test_jump_hosts(jump: str, access: Access) -> None:
    assert _hop(jump) == access


def test_settings_are_values() -> None:
    assert SshSettings("a", "b") == SshSettings("a", "b")
    assert hash(SshSettings("a", "b"))
    assert config.DEFAULT_KNOWN_HOSTS
