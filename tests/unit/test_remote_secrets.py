"""Secrets: asked once, tried with care, shown to nobody."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lvstui.remote.become import last_words, wrong_password
from lvstui.remote.runner import Ran, RemoteError, SecretRequest, Trouble, UnknownKey
from lvstui.remote.talk import Answer
from lvstui.remote.transcript import SIZE, Transcript
from lvstui.remote.vault import Redactor, Refused, Vault

NONCE = "0123456789abcdef"


class Operator:
    def __init__(self, *answers: str) -> None:
        self.answers = list(answers)
        self.requests: list[SecretRequest] = []

    def accept_key(self, key: UnknownKey) -> bool:
        return False

    def secret(self, request: SecretRequest) -> str | None:
        self.requests.append(request)
        return self.answers.pop(0) if self.answers else None


def request(host: str = "rs1") -> SecretRequest:
    return SecretRequest("sudo", host, "ops", "?")


def only(right: str, tried: list[str]) -> object:
    def attempt(secret: str) -> None:
        tried.append(secret)
        if secret != right:
            raise Refused

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
    vault = Vault(operator)
    key = ("sudo", "ops", "")
    attempt = only("good", tried)
    assert vault.use(key, request(), attempt) == "good"  # type: ignore[arg-type]
    assert vault.use(key, request("rs2"), attempt) == "good"  # type: ignore[arg-type]
    assert tried == ["bad", "good", "good"]
    assert [r.again for r in operator.requests] == [False, True]
    assert "good" not in repr(vault) + repr(vault.__dict__)


def test_three_wrong_answers_are_enough() -> None:
    operator, tried = Operator(*"abcdef"), list[str]()
    assert Vault(operator).use(("k",), request(), only("x", tried)) is None  # type: ignore[arg-type]
    assert tried == ["a", "b", "c"]


def test_no_answer_gives_up_without_a_try() -> None:
    tried: list[str] = []
    assert Vault(Operator()).use(("k",), request(), only("x", tried)) is None  # type: ignore[arg-type]
    assert tried == []


def test_another_password_on_one_host_leaves_the_others_alone() -> None:
    operator = Operator("one", "two")
    vault = Vault(operator)
    assert vault.use(("k",), request("rs1"), only("one", [])) == "one"  # type: ignore[arg-type]
    assert vault.use(("k",), request("rs2"), only("two", [])) == "two"  # type: ignore[arg-type]
    assert vault.use(("k",), request("rs3"), only("one", [])) == "one"  # type: ignore[arg-type]
    assert vault.use(("k",), request("rs2"), only("two", [])) == "two"  # type: ignore[arg-type]
    assert [r.host for r in operator.requests] == ["rs1", "rs2"]


def test_a_slip_is_tried_on_one_host_only() -> None:
    operator, tried = Operator("slip", "good"), list[str]()
    vault = Vault(operator)

    def attempt(secret: str) -> None:
        tried.append(secret)
        time.sleep(0.02)
        if secret != "good":
            raise Refused

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
    vault = Vault(Operator("a", "b"))

    def lost(secret: str) -> None:
        raise RemoteError(Trouble.LOST, "gone")

    with pytest.raises(RemoteError):
        vault.use(("k",), request(), lost)
    assert vault.known(("k",)) is None


class Party:
    host, user, fingerprint = "rs1", "ops", "SHA256:x"


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
    ran = Ran(0, b"out Secret9 \xff\x1b" + b"x" * 3 * SIZE, "err Secret9", 0.5)
    transcript.ran(Party(), "say Secret9", "echo Secret9", root=True, ran=ran)
    error = RemoteError(Trouble.LOST, "gone with Secret9")
    transcript.failed(Party(), "x", ":", root=False, error=error, took_s=1.0)
    for text in (path.read_text(), "".join(transcript.lines())):
        assert "Secret9" not in text
        assert len(text.splitlines()) == 2
    assert path.stat().st_mode & 0o777 == 0o600
    first, second = transcript.records("rs1")
    assert (first.status, first.root, second.status, second.trouble) == (
        0, True, None, "connection-lost",
    )  # fmt: skip
    assert len(first.out) < SIZE + 100
    assert transcript.records("other") == []
    transcript.close()
