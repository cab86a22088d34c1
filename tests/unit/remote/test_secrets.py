"""Secrets: asked once, tried with care, shown to nobody."""

from __future__ import annotations

import contextlib
import re
import threading
import time
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lvstui.remote import scripts
from lvstui.remote.become import Become, last_words, wrong_password
from lvstui.remote.credentials import CredentialCache, Redactor, SecretRefused
from lvstui.remote.runner import (
    Access,
    ErrorKind,
    RemoteError,
    SecretAnswer,
    SecretRequest,
    UnknownKey,
)
from lvstui.remote.talk import Answer, CommandLine, Raw
from lvstui.remote.transcript import SIZE, Record, Transcript
from lvstui.shell.realservers import TerminalAsker

NONCE = "0123456789abcdef"


class Operator:
    def __init__(self, *answers: str, everywhere: bool = False) -> None:
        self.answers = list(answers)
        self.everywhere = everywhere
        self.requests: list[SecretRequest] = []

    def accept_key(self, key: UnknownKey) -> bool:
        return False

    def secret(self, request: SecretRequest) -> SecretAnswer | None:
        self.requests.append(request)
        return SecretAnswer(self.answers.pop(0), self.everywhere) if self.answers else None


def request(host: str = "rs1") -> SecretRequest:
    return SecretRequest("sudo", host, "ops", "?")


def only(right: str, tried: list[str]) -> object:
    def attempt(secret: str) -> None:
        tried.append(secret)
        if secret != right:
            raise SecretRefused

    return attempt


@pytest.mark.parametrize(
    "prompt", [f"[lvstui-{NONCE}] ", f"[sudo: [lvstui-{NONCE}] ] Password: ", f"lecture\n{NONCE}"]
)
@given(st.data())
def test_the_secret_goes_out_after_the_prompt_and_once(prompt: str, data: st.DataObject) -> None:
    answer = Answer(NONCE, "s3cret")
    raw = f"sudo: unable to resolve host x\n{prompt}Sorry, try again.\n{prompt}".encode()
    first_end = raw.index(NONCE.encode()) + len(NONCE)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(raw)), max_size=6)))
    sent, at = [], 0
    for end in (*cuts, len(raw)):
        reply = answer.feed(raw[at:end])
        if reply:
            assert end >= first_end, "not before the prompt was whole"
            sent.append(reply)
        at = end
    assert sent == [b"s3cret\n"]
    assert answer.asked == 2
    assert "s3cret" not in repr(answer)


def test_no_prompt_no_secret() -> None:
    answer = Answer(NONCE, "s3cret")
    assert answer.feed(b"[sudo] password for ops: ") == b""
    assert answer.feed(NONCE[:8].encode()) == b""
    assert answer.asked == 0


@pytest.mark.parametrize(
    ("text", "asked", "wrong"),
    [
        ("sudo: no password was provided\nsudo: 1 incorrect password attempt", 1, True),
        ("sudo: Authentication failed, try again.\n", 1, True),
        ("whatever", 2, True),
        ("ops is not in the sudoers file.", 1, False),
        ("sudo: I'm sorry ops. I'm afraid I can't do that", 1, False),
    ],
)
def test_wrong_password_or_wrong_user(text: str, asked: int, wrong: bool) -> None:
    assert wrong_password(text, asked) is wrong


def test_last_words() -> None:
    text = f"sudo: unable to resolve host x\n[lvstui-{NONCE}] \r\nguest is not allowed.\r\n"
    assert last_words(text) == "guest is not allowed"
    assert last_words("sudo: unable to resolve host x: y") == "sudo: unable to resolve host x: y"
    assert last_words("") == "it said nothing"
    assert "\x1b" not in last_words("\x1b[31mred")


def test_asked_once_and_again_after_a_wrong_answer() -> None:
    operator, tried = Operator("bad", "good"), list[str]()
    vault = CredentialCache(operator)
    key = ("sudo", "ops", "")
    attempt = only("good", tried)
    assert vault.use(key, request(), attempt) == "good"  # type: ignore[arg-type]
    assert vault.use(key, request("rs2"), attempt) == "good"  # type: ignore[arg-type]
    assert tried == ["bad", "good", "good"]
    assert [r.again for r in operator.requests] == [False, True]
    assert "good" not in repr(vault) + repr(vault.__dict__)


def test_three_wrong_answers_are_enough() -> None:
    operator, tried = Operator(*"abcdef"), list[str]()
    assert CredentialCache(operator).use(("k",), request(), only("x", tried)) is None  # type: ignore[arg-type]
    assert tried == ["a", "b", "c"]


def test_no_answer_gives_up_without_a_try() -> None:
    tried: list[str] = []
    assert CredentialCache(Operator()).use(("k",), request(), only("x", tried)) is None  # type: ignore[arg-type]
    assert tried == []


def test_another_password_on_one_host_leaves_the_others_alone() -> None:
    operator = Operator("one", "two")
    vault = CredentialCache(operator)
    assert vault.use(("k",), request("rs1"), only("one", [])) == "one"  # type: ignore[arg-type]
    assert vault.use(("k",), request("rs2"), only("two", [])) == "two"  # type: ignore[arg-type]
    assert vault.use(("k",), request("rs3"), only("one", [])) == "one"  # type: ignore[arg-type]
    assert vault.use(("k",), request("rs2"), only("two", [])) == "two"  # type: ignore[arg-type]
    assert [r.host for r in operator.requests] == ["rs1", "rs2"]


def test_a_slip_is_tried_on_one_host_only() -> None:
    operator, tried = Operator("slip", "good"), list[str]()
    vault = CredentialCache(operator)

    def attempt(secret: str) -> None:
        tried.append(secret)
        time.sleep(0.02)
        if secret != "good":
            raise SecretRefused

    threads = [
        threading.Thread(target=vault.use, args=(("k",), request(f"rs{n}"), attempt))
        for n in range(5)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert tried.count("slip") == 1
    assert tried.count("good") == 5
    assert len(operator.requests) == 2


def test_an_error_on_the_way_is_passed_on_and_keeps_nothing() -> None:
    vault = CredentialCache(Operator("a", "b"))

    def lost(secret: str) -> None:
        raise RemoteError(ErrorKind.LOST, "gone")

    with pytest.raises(RemoteError):
        vault.use(("k",), request(), lost)
    assert vault.known(("k",)) is None


# ---- a secret goes only to the host that it was asked for


class SudoHost:
    """A host whose sudo wants a password; it keeps what it is given, as one that somebody else
    took over would: the nonce is on its command line, so it can always show the right prompt."""

    def __init__(self, right: str) -> None:
        self.right = right
        self.given: list[str] = []

    def __call__(self, command: CommandLine) -> Raw:
        answer = command.answer
        if command.stdin == scripts.PROBE_ROOT.encode():
            return Raw(0, b"1000\n1\n127\n", b"", 0.0)
        if answer is None:
            return Raw(1, b"", b"sudo: a password is required\n", 0.0)
        prompt = re.findall(r"\[lvstui-\w+\] ", command.text)[0]
        given = answer.feed(prompt.encode()).decode().rstrip("\n")
        self.given.append(given)
        if given != self.right:
            return Raw(1, b"", f"{prompt}Sorry, try again.\n".encode(), 0.0)
        marker = re.findall(r"lvstui-root-\w+", command.text)[0]
        return Raw(0, b"", f"{prompt}{marker}\n".encode(), 0.0)


def become_root(
    operator: Operator, *hosts: tuple[Access, SudoHost], expected: bool = True
) -> list[str]:
    """Root on each, one after the other; whose password was asked."""
    vault = CredentialCache(operator)
    if expected:
        vault.expect([access for access, _ in hosts])
    for access, host in hosts:
        with contextlib.suppress(RemoteError):
            Become(host, access, "ops", vault).is_root()
    return [asked.host for asked in operator.requests]


def test_a_host_that_was_taken_over_gets_no_password_of_another() -> None:
    mine, stolen = SudoHost("S3cretOps"), SudoHost("S3cretOps")
    hosts = ((Access("rs1"), mine), (Access("rs2"), stolen))
    for expected in (True, False):
        operator = Operator("S3cretOps")
        asked = become_root(operator, *hosts, expected=expected)
        assert asked == ["rs1", "rs2"]
        assert (mine.given, stolen.given) == (["S3cretOps"], [])
        mine.given.clear()


def test_the_question_names_every_host_that_its_answer_may_go_to() -> None:
    hosts = [(Access(f"rs{n}", user="ops"), SudoHost("pw12")) for n in range(1, 11)]
    operator = Operator("pw12", everywhere=True)
    assert become_root(operator, *hosts) == ["rs1"]
    assert operator.requests[0].hosts == tuple(f"rs{n}" for n in range(1, 11))
    assert all(host.given == ["pw12"] for _, host in hosts)


def test_ten_hosts_at_once_are_one_question() -> None:
    hosts = [(Access(f"rs{n}"), SudoHost("pw12")) for n in range(1, 11)]
    operator = Operator("pw12", everywhere=True)
    vault = CredentialCache(operator)
    vault.expect([access for access, _ in hosts])
    threads = [
        threading.Thread(target=Become(host, access, "ops", vault).is_root)
        for access, host in hosts
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert len(operator.requests) == 1
    assert set(operator.requests[0].hosts) == {access.host for access, _ in hosts}
    assert all(host.given == ["pw12"] for _, host in hosts)


@pytest.mark.parametrize(
    "other",
    [
        Access("rs2", user="root2"),
        Access("rs2", group="web"),
        Access("rs1", address="10.10.0.66"),
        Access("not-in-this-run"),
    ],
)
def test_who_is_not_named_gets_nothing(other: Access) -> None:
    vault = CredentialCache(operator := Operator("pw12", everywhere=True))
    first, second = SudoHost("pw12"), SudoHost("pw12")
    named = Access("rs3")
    known = [Access("rs1"), named, *([other] if other.host in ("rs1", "rs2") else [])]
    vault.expect(known)
    Become(first, known[0], "ops", vault).is_root()
    assert other.host not in operator.requests[0].hosts[1:]
    with pytest.raises(RemoteError):
        Become(second, other, "ops", vault).is_root()
    assert second.given == []
    third = SudoHost("pw12")
    Become(third, named, "ops", vault).is_root()
    assert third.given == ["pw12"]
    with pytest.raises(RemoteError):
        Become(SudoHost("pw12"), named, "other-user", vault).is_root()


def test_hosts_of_one_group_share_and_the_question_says_so() -> None:
    hosts = [(Access(name, group="web"), SudoHost("pw12")) for name in ("rs1", "rs2")]
    operator = Operator("pw12")
    assert become_root(operator, *hosts, expected=False) == ["rs1"]
    assert "every host of group web" in operator.requests[0].prompt
    assert [host.given for _, host in hosts] == [["pw12"], ["pw12"]]


def test_a_host_with_another_password_is_asked_alone() -> None:
    hosts = [
        (Access("rs1"), SudoHost("one1")),
        (Access("rs2"), SudoHost("two2")),
        (Access("rs3"), SudoHost("one1")),
    ]
    operator = Operator("one1", "two2", everywhere=True)
    assert become_root(operator, *hosts) == ["rs1", "rs2"]
    assert operator.requests[1].again
    assert operator.requests[1].hosts == ()
    assert [host.given for _, host in hosts] == [["one1"], ["one1", "two2"], ["one1"]]


class Terminal:
    """A tty that answers."""

    def __init__(self, *lines: str) -> None:
        self.lines = list(lines)

    def isatty(self) -> bool:
        return True

    def readline(self) -> str:
        return self.lines.pop(0)


@pytest.mark.parametrize(("said", "everywhere"), [("y\n", True), ("\n", False), ("", False)])
def test_the_shell_asks_for_which_hosts(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], said: str, everywhere: bool
) -> None:
    monkeypatch.setattr("sys.stdin", Terminal(said))
    monkeypatch.setattr("getpass.getpass", lambda *_: "pw12")
    names = ("rs1", "rs2", "rs\x1b[31m3")
    given = TerminalAsker().secret(SecretRequest("sudo", "rs1", "ops", "?", hosts=names))
    assert given == SecretAnswer("pw12", everywhere)
    assert "pw12" not in repr(given)
    shown = capsys.readouterr().err
    assert "Use it on 3 hosts: rs1, rs2, rs␛[31m3? [y/N]" in shown
    monkeypatch.setattr("sys.stdin", Terminal())
    alone = TerminalAsker().secret(SecretRequest("sudo", "rs1", "ops", "?"))
    assert alone == SecretAnswer("pw12")


@given(st.text(min_size=4).filter(lambda s: len(s.strip()) >= 4), st.text(), st.text())
def test_redaction(secret: str, before: str, after: str) -> None:
    redactor = Redactor()
    redactor.learn(secret)
    assert secret not in redactor.clean(before + secret + after).replace("•••", "\0")
    assert repr(redactor) == "Redactor()"


def test_transcript(tmp_path: Path) -> None:
    redactor = Redactor()
    redactor.learn("Secret9")
    path = tmp_path / "t.jsonl"
    transcript = Transcript(redactor, path)
    out = "out Secret9 " + "x" * 3 * SIZE
    first = Record(
        1.0, "rs1", "ops", "", "say Secret9", "echo Secret9", True, 0, out, "err Secret9", 0.5
    )
    transcript.add(first)
    transcript.add(replace(first, at=2.0, err="gone with Secret9", trouble="connection-lost"))
    for text in (path.read_text(), "".join(transcript.lines())):
        assert "Secret9" not in text
        assert len(text.splitlines()) == 2
    assert path.stat().st_mode & 0o777 == 0o600
    first, second = transcript.records()
    assert second.trouble == "connection-lost"
    assert len(first.out) < SIZE + 100
    transcript.close()
