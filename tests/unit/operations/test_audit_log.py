"""The audit log: what is written is read back, who it was, its chain, its copies."""

from __future__ import annotations

import json
import os
import syslog
import threading
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lvstui.model.facts import Done, Missing, Observation
from lvstui.operations import audit, identity
from lvstui.operations.audit import AuditLog, Deed
from lvstui.operations.identity import Identity, identify
from lvstui.operations.weights import plan_weights
from lvstui.sources.audit import AuditEntry, AuditTrail, digest, encode, entries, fact, parse
from lvstui.sources.base import Context
from tests.unit.chain import broken
from tests.unit.world import WEB, rs, three

TEXT = st.text(st.characters(), max_size=60)
NUMBER = st.none() | st.integers(0, 65535)
CHANGE = Deed("lb2", "", "configuration", "rs3 leaves web (/etc/keepalived/keepalived.conf)")


@pytest.fixture
def log(tmp_path: Path) -> AuditLog:
    return AuditLog(tmp_path / "audit.jsonl", who="alice")


def lines(log: AuditLog) -> list[bytes]:
    return log.path.read_bytes().split(b"\n")


# ---- every writer has its reader


@given(
    st.builds(
        AuditEntry,
        id=TEXT,
        phase=TEXT,
        at=st.floats(0, 4e9),
        time=TEXT,
        who=TEXT,
        host=TEXT,
        operation=TEXT,
        service=TEXT,
        server=TEXT,
        name=TEXT,
        before=NUMBER,
        after=NUMBER,
        seen=NUMBER,
        ok=st.none() | st.booleans(),
        reason=TEXT,
        error=TEXT,
        undoes=TEXT,
        text=TEXT,
        what=TEXT,
        claims=TEXT,
        prev=TEXT,
    )
)
def test_an_entry_comes_back_as_it_was(entry: AuditEntry) -> None:
    line = encode(entry)
    assert b"\n" not in line
    if all((entry.id, entry.phase, entry.time, entry.who, entry.host, entry.operation)):
        assert parse(line) == entry


@given(TEXT, TEXT, TEXT, TEXT, st.booleans())
def test_all_writers_are_read_back(what: str, name: str, end: str, reason: str, ok: bool) -> None:
    plan = plan_weights(three().picture(), "drain", [(WEB, rs(2))], reason=reason)
    written: list[bytes] = []
    log = AuditLog(Path("unused"), who="alice")
    log._write = lambda found: written.extend(encode(e) for e in found)  # type: ignore[method-assign]
    id_ = log.begin(plan.deeds, plan.reason)
    log.end(id_, [deed.came(ok, end, 0) for deed in plan.deeds], plan.reason)
    push = Deed("10.10.0.3", name, "push", what)
    other = log.begin([push], reason)
    log.end(other, [push.came(ok, end)], reason)
    found = [parse(line) for line in written]
    assert None not in found
    assert [(e.id, e.phase) for e in found if e] == [
        (id_, "planned"),
        (id_, "done"),
        (other, "planned"),
        (other, "done"),
    ]
    last = found[-1]
    assert last is not None
    assert (last.what, last.name, last.text, last.reason, last.ok) == (what, name, end, reason, ok)


def test_records_of_a_version_without_these_fields_are_read() -> None:
    line = (
        '{"id": "i", "phase": "done", "at": 1.5, "time": "t", "who": "bob", "host": "lb1", '
        '"operation": "configuration", "server": "lb1", "ok": true, "text": "kept", "v": 1}'
    )
    entry = parse(line)
    assert entry is not None
    assert (entry.service, entry.prev, entry.claims, entry.text) == ("", "", "", "kept")


@pytest.mark.parametrize(
    "line",
    [
        "",
        "5",
        "null",
        "[1]",
        '"x"',
        "{}",
        "[" * 100_000,
        '{"at": ' + "9" * 5000 + "}",
        '{"id": 5, "phase": "done", "at": 1, "time": "", "who": "x", "host": "", "operation": ""}',
        '{"id": "", "phase": "done", "at": NaN, "time": "", "who": "", "host": "", '
        '"operation": ""}',
        '{"id": "", "phase": "done", "at": 1, "time": "", "who": "", "host": "", '
        '"operation": "", "before": "10"}',
        '{"id": "", "phase": "done", "at": true, "time": "", "who": "", "host": "", '
        '"operation": ""}',
    ],
)
def test_what_is_no_record_is_none(line: str) -> None:
    assert parse(line) is None


# ---- what others see of it


def test_the_feed_says_who_did_what_where_and_how_it_ended(log: AuditLog) -> None:
    push = Deed("10.10.0.3", "rs1", "push", "push 10.10.0.20 (unit): the VIP on lo")
    for change, ok, end, reason in (
        (CHANGE, True, "confirmed: kept on lb1, lb2", "disk swap"),
        (push, False, "rolled back: rs1 answers ARP", ""),
    ):
        id_ = log.begin([change], reason)
        log.end(id_, [change.came(ok, end)], reason)
    facts = [fact(entry) for entry in entries(log.path)]
    assert [found.text if found else None for found in facts] == [
        None,
        "alice changes the configuration of lb2: rs3 leaves web (/etc/keepalived/keepalived.conf): "
        "confirmed: kept on lb1, lb2, “disk swap”",
        None,
        "alice pushes to rs1: push 10.10.0.20 (unit): the VIP on lo: failed: rolled back: rs1 "
        "answers ARP",
    ]
    assert [found.ok for found in facts if found] == [True, False]


# ---- who it was


def sit(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, login: str, **environment: str) -> None:
    """A login uid (empty: the kernel has none to tell), and what sudo left."""
    uid = tmp_path / "loginuid"
    if login:
        uid.write_text(login)
    monkeypatch.setattr(identity, "LOGIN_UID", uid)
    monkeypatch.setattr(identity, "_name", lambda uid: {0: "root", 1000: "alice"}[uid])
    monkeypatch.setattr("os.getuid", lambda: 0)
    for name in ("SUDO_USER", "DOAS_USER"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)


@pytest.mark.parametrize(
    ("login", "environment", "who", "claims"),
    [
        ("1000", {}, "alice", ""),
        ("1000", {"SUDO_USER": "alice"}, "alice", ""),
        ("1000", {"SUDO_USER": "bob"}, "alice", "bob"),
        ("4294967295", {}, "root", ""),
        ("4294967295", {"SUDO_USER": "bob"}, "root", "bob"),
        ("4294967295", {"DOAS_USER": "bob"}, "root", "bob"),
        ("", {"SUDO_USER": "b\x1b[31mob"}, "root", "b␛[31mob"),
        ("junk", {}, "root", ""),
    ],
)
def test_who_is_the_login_uid_and_the_environment_a_claim(
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    login: str,
    environment: dict[str, str],
    who: str,
    claims: str,
) -> None:
    sit(monkeypatch, tmp_path, login, **environment)
    assert identify() == Identity(who, claims)
    log = AuditLog(tmp_path / "audit.jsonl")
    log.begin([CHANGE], "")
    raw = json.loads(lines(log)[0])
    assert (raw["who"], raw.get("claims", "")) == (who, claims)


def test_nobody_takes_back_what_another_did_by_saying_his_name(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    path = tmp_path / "audit.jsonl"
    bob = AuditLog(path, who="bob")
    plan = plan_weights(three().picture(), "drain", [(WEB, rs(2))])
    bob.end(bob.begin(plan.deeds), [deed.came(True, seen=0) for deed in plan.deeds])
    assert all(map(bob.own, bob.entries()))
    sit(monkeypatch, tmp_path, "1000", SUDO_USER="bob")
    other = AuditLog(path)
    assert other.entries() == bob.entries()
    assert not any(map(other.own, other.entries()))


# ---- the chain


def test_each_record_has_the_hash_of_the_line_before(log: AuditLog) -> None:
    for number in range(3):
        log.begin([CHANGE, CHANGE], str(number))
    found = [line for line in lines(log) if line]
    assert len(found) == 6
    assert [json.loads(line)["prev"] for line in found] == ["start", *map(digest, found[:-1])]
    assert broken(found) == ()


OLD = (
    b'{"id": "i", "phase": "done", "at": 1, "time": "t", "who": "b", "host": "h", "operation": "o"}'
)


@pytest.mark.parametrize(
    ("forge", "where"),
    [
        (lambda found: found[:1] + found[2:], "line 2 does not follow"),
        (
            lambda found: [*found[:2], found[2].replace(b"alice", b"mallory"), *found[3:]],
            "line 4 does not follow",
        ),
        (lambda found: [*found[:2], found[3], found[2], *found[4:]], "line 3 does not follow"),
        (lambda found: [*found[:2], b"garbage", *found[3:]], "line 4 does not follow"),
        (lambda found: found[1:], "line 1 is not the first"),
        (lambda found: [OLD, *found], "line 2 was the first of its file"),
        (lambda found: [*found[:2], OLD, *found[2:]], "line 3 has no hash"),
    ],
)
def test_what_was_changed_by_hand_shows(log: AuditLog, forge: object, where: str) -> None:
    for number in range(5):
        log.begin([CHANGE], str(number))
    found = [line for line in lines(log) if line]
    assert broken(found) == ()
    said = broken(forge(found))  # type: ignore[operator]
    assert said
    assert said[0].startswith(where)


def test_a_log_of_an_older_version_goes_on_with_a_chain(log: AuditLog) -> None:
    log.path.write_bytes(OLD + b"\n" + OLD + b"\n")
    log.begin([CHANGE], "new")
    assert broken(lines(log)) == ()
    assert json.loads(lines(log)[2])["prev"] == digest(OLD)


def test_a_trail_says_that_the_log_was_changed_cut_or_put_away(log: AuditLog) -> None:
    seen: list[Observation] = []
    context = Context("lb1", seen.append)
    trail = AuditTrail(log.path)

    def look(first: bool = False) -> list[object]:
        before = len(seen)
        trail._read(context, first)
        return [seen.fact for seen in seen[before:]]

    for number in range(3):
        log.begin([CHANGE], str(number))
    assert look(first=True) == []
    whole = log.path.read_bytes()
    log.path.write_bytes(whole[: whole.index(b"\n") + 1])
    (said,) = look()
    assert isinstance(said, Done)
    assert "was cut" in said.text
    assert not said.ok
    log.path.write_bytes(whole.replace(b'"reason": "1"', b'"reason": "9"'))
    (gap,) = look()
    assert isinstance(gap, Missing)
    assert "not as it was written" in gap.what
    assert "journalctl -t lvstui" in gap.remedy
    log.path.rename(log.path.with_suffix(".1"))
    log.begin([CHANGE], "anew")
    (said,) = look()
    assert isinstance(said, Done)
    assert "begins anew" in said.text


def test_a_long_log_is_followed_from_its_middle(
    log: AuditLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("lvstui.sources.audit.MOST_BYTES", 1000)
    for number in range(20):
        log.begin([CHANGE], str(number))
    seen: list[Observation] = []
    AuditTrail(log.path)._read(Context("lb1", seen.append), first=True)
    assert [o.fact for o in seen if isinstance(o.fact, Missing)] == []


# ---- the copies


def test_each_record_goes_to_the_journal_with_its_hash(tmp_path: Path) -> None:
    sent: list[str] = []
    log = AuditLog(tmp_path / "audit.jsonl", "alice", copy=sent.extend)
    id_ = log.begin([CHANGE], "disk \x1b[31m\nswap")
    log.end(id_, [CHANGE.came(True, "kept " + "x" * 2000)], "")
    assert len(sent) == 2
    for text, line in zip(sent, lines(log), strict=False):
        assert text.isprintable()
        assert len(text) <= audit.MOST
        assert f"hash={digest(line)}" in text
        assert f"id={id_}" in text
        assert "who=alice" in text
    assert 'reason="disk ␛[31m␊swap"' in sent[0]
    assert 'what="rs3 leaves web' in sent[1]


def test_what_was_not_recorded_is_not_copied(tmp_path: Path) -> None:
    sent: list[str] = []
    (tmp_path / "file").write_text("")
    log = AuditLog(tmp_path / "file" / "audit.jsonl", "alice", copy=sent.extend)
    with pytest.raises(FileExistsError):
        log.begin([CHANGE], "")
    assert sent == []


def test_only_the_hosts_own_log_is_copied_to_the_journal(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent: list[tuple[int, str]] = []
    opened: list[tuple[object, ...]] = []
    monkeypatch.setattr(syslog, "openlog", lambda *words: opened.append(words))
    monkeypatch.setattr(syslog, "syslog", lambda level, text: sent.append((level, text)))
    AuditLog(tmp_path / "mine.jsonl", "alice").begin([CHANGE], "")
    assert sent == []
    monkeypatch.setenv("LVSTUI_AUDIT", str(tmp_path / "audit.jsonl"))
    AuditLog(who="alice").begin([CHANGE], "")
    assert opened == [("lvstui", syslog.LOG_PID, syslog.LOG_AUTHPRIV)]
    assert len(sent) == 1


def test_a_log_daemon_that_hangs_holds_up_no_change(monkeypatch: pytest.MonkeyPatch) -> None:
    hung = threading.Event()
    monkeypatch.setattr(audit, "_PATIENCE_S", 0.05)
    monkeypatch.setattr(syslog, "openlog", lambda *words: None)
    monkeypatch.setattr(syslog, "syslog", lambda *words: hung.wait(30))
    began = time.monotonic()
    audit.copy_to_journal(["x"])
    hung.set()
    assert time.monotonic() - began < 20


def test_a_removed_log_is_made_again(log: AuditLog, monkeypatch: pytest.MonkeyPatch) -> None:
    """Removed between its opening and the lock, as by a rotation."""
    log.begin([CHANGE], "one")
    real = os.fstat
    gone = [True]

    def fstat(handle: int) -> os.stat_result:
        if gone and real(handle).st_size:
            gone.clear()
            log.path.unlink()
        return real(handle)

    monkeypatch.setattr("lvstui.operations.audit.os.fstat", fstat)
    log.begin([CHANGE], "two")
    assert [entry.reason for entry in entries(log.path)] == ["two"]
    assert broken(lines(log)) == ()


def test_errors_name_their_file(tmp_path: Path) -> None:
    with pytest.raises(IsADirectoryError, match=str(tmp_path)):
        AuditLog(tmp_path, who="alice").begin([CHANGE], "")
