"""`lvstui config`: what it prints, and the exit status that a pipeline goes by."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from lvstui.cli import main
from lvstui.keepalived.daemon.facts import DaemonLook
from lvstui.keepalived.daemon.trial import ConfigTest, Trial
from lvstui.keepalived.daemon.trial import test_words as words_of
from lvstui.remote.runner import Runner
from lvstui.shell.config import inspect as configfile
from lvstui.shell.config.report import MEANINGS
from tests.unit.keepalived.diff.test_difference import BASE

ODD = b"# caf\xe9 \x1b[31m\xff\r\nglobal_defs {\r\n  router_id A\r\n}\nauth_pass Zq9lost"


@pytest.fixture(name="path")
def _path(tmp_path: Path) -> str:
    path = tmp_path / "keepalived.conf"
    path.write_text(BASE)
    return str(path)


@pytest.fixture(autouse=True)
def _no_daemon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(configfile, "_pid", lambda: 0)


def loaded(monkeypatch: pytest.MonkeyPatch, data: bytes | None) -> None:
    """A daemon that has loaded `data`."""
    monkeypatch.setattr(configfile, "_pid", lambda: 77)
    monkeypatch.setattr("lvstui.sources.processes.read_loaded", lambda pid: data)


def test_cat_gives_every_byte_back(
    tmp_path: Path, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    path = tmp_path / "k.conf"
    path.write_bytes(ODD)
    assert main(["config", "cat", "--file", str(path)]) == 0
    assert capfdbinary.readouterr().out == ODD


def test_cat_masks_when_asked_to_and_on_a_terminal(
    path: str, capfdbinary: pytest.CaptureFixture[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert main(["config", "cat", "--mask", "--file", path]) == 0
    shown = capfdbinary.readouterr().out
    hidden = BASE
    for words in ("Zq9one", "--token abc", "(?<=/n )master"):
        hidden = re.sub(words, "********", hidden)
    assert shown == hidden.encode()
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    Path(path).write_bytes(ODD)
    assert main(["config", "cat", "--file", path]) == 0
    shown = capfdbinary.readouterr().out
    assert b"Zq9" not in shown
    assert b"\x1b" not in shown


def test_cat_of_every_file(tmp_path: Path, capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    (tmp_path / "k.conf").write_bytes(b"include a.inc\n")
    (tmp_path / "a.inc").write_bytes(b"global_defs {\n}\n")
    assert main(["config", "cat", "--all", "--file", str(tmp_path / "k.conf")]) == 0
    assert capfdbinary.readouterr().out == b"include a.inc\nglobal_defs {\n}\n"


def fields(value: Any, prefix: str = "") -> set[str]:
    """The fields of a document as `MEANINGS` names them."""
    found: set[str] = set()
    if isinstance(value, dict):
        for key, inner in value.items():
            if key in ("file", "line", "column") and prefix:
                found.add(f"*.{key}")
            elif key == "sections" and prefix:
                found.add("sections[].sections[]")
            else:
                found |= fields(inner, f"{prefix}.{key}" if prefix else key)
    elif isinstance(value, list):
        for inner in value:
            found |= fields(inner, f"{prefix}[]")
    else:
        found.add(prefix)
    return found


def test_show_json_is_documented(path: str, capsys: pytest.CaptureFixture[str]) -> None:
    Path(path).write_text(BASE + "bogus\n")
    assert main(["config", "show", "--json", "--file", path]) == 0
    text = capsys.readouterr().out
    document = json.loads(text)
    assert fields(document) <= set(MEANINGS)
    assert document["schema"] == "lvstui.config/1"
    assert document["problems"][0]["line"] == len(BASE.splitlines()) + 1
    assert "Zq9" not in text
    kinds = [section["kind"] for section in document["sections"]]
    assert kinds == ["globals", "script", "sync-group", "instance", "instance"] + ["service"] * 3
    weight = next(
        value
        for value in document["sections"][5]["sections"][0]["values"]
        if value["keyword"] == "weight"
    )
    assert weight == {
        "keyword": "weight",
        "value": 10,
        "unit": "",
        "origin": "written",
        "source": "",
        "file": path,
        "line": 55,
        "column": 12,
    }


def test_every_field_of_the_schema_is_printed_by_some_command(
    path: str, capsys: pytest.CaptureFixture[str]
) -> None:
    Path(path).write_text(BASE + "bogus\n")
    main(["config", "show", "--json", "--file", path])
    found = fields(json.loads(capsys.readouterr().out))
    other = Path(path).with_name("other.conf")
    other.write_text(BASE.replace("weight 10", "weight 3"))
    main(["config", "diff", path, str(other), "--json"])
    found |= fields(json.loads(capsys.readouterr().out))
    main(["config", "check", "--file", path, "--json"])
    found |= fields(json.loads(capsys.readouterr().out))
    assert set(MEANINGS) == found | {"limits[]"}


def test_show_one_thing(path: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["config", "show", "--file", path, "--service", "tcp 10.10.0.20:80"]) == 0
    text = capsys.readouterr().out
    assert text.startswith(f"service tcp 10.10.0.20:80   {path}:47:1\n")
    assert f"written  {path}:55:12" in text
    assert "instance" not in text
    assert main(["config", "show", "--file", path, "--instance", "LB_2"]) == 0
    assert capsys.readouterr().out.startswith("instance LB_2")


@pytest.mark.parametrize(
    "words",
    [
        ["show", "--service", "tcp 1.2.3.4:5"],
        ["show", "--service", "nonsense"],
        ["show", "--instance", "NONE"],
    ],
)
def test_what_is_not_there(path: str, words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["config", *words, "--file", path]) == 2
    assert capsys.readouterr().err.startswith("lvstui: ")


@pytest.mark.parametrize("word", ["cat", "show"])
def test_a_file_that_can_not_be_loaded(
    word: str, path: str, capsys: pytest.CaptureFixture[str]
) -> None:
    Path(path).chmod(0o755)
    assert main(["config", word, "--file", path]) == 2
    assert "execute bit" in capsys.readouterr().err
    assert main(["config", word, "--file", path + ".gone"]) == 2
    assert "No such file" in capsys.readouterr().err


def test_diff_of_two_files(path: str, capsys: pytest.CaptureFixture[str]) -> None:
    other = Path(path).with_name("other.conf")
    other.write_text(BASE.replace("weight 10", "weight 0", 1).replace("Zq9one", "Zq9two"))
    assert main(["config", "diff", path, path]) == 0
    assert "mean the same" in capsys.readouterr().out
    assert main(["config", "diff", path, str(other)]) == 1
    text = capsys.readouterr().out
    assert "rs1 (10.10.0.3:80) in tcp 10.10.0.20:80: weight 10 → 0: no new connections" in text
    assert text.startswith("cuts     authentication of vrrp_instance LB_1: auth_pass changed")
    assert "-    weight 10\n+    weight 0\n" in text
    assert "Zq9" not in text


def test_diff_of_one_file_is_against_the_main_file(
    path: str, capsys: pytest.CaptureFixture[str]
) -> None:
    other = Path(path).with_name("other.conf")
    other.write_text(BASE.replace("priority 150", "priority 90"))
    assert main(["config", "diff", str(other), "--file", path, "--json"]) == 1
    document = json.loads(capsys.readouterr().out)
    assert (document["before"], document["after"]) == (path, str(other))
    assert document["differences"][0]["kind"] == "priority"


def test_diff_of_comments_only_is_the_same(path: str, capsys: pytest.CaptureFixture[str]) -> None:
    other = Path(path).with_name("other.conf")
    other.write_text("# new\n" + BASE)
    assert main(["config", "diff", path, str(other)]) == 0
    assert "+# new\n" in capsys.readouterr().out


def test_diff_of_what_runs(
    path: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    copy = f"# {path}\n{BASE.replace(' # rs1', '').replace(' # rs2', '')}!\n"
    loaded(monkeypatch, copy.encode())
    assert main(["config", "diff", "--file", path, "--id", "lb1"]) == 0
    assert capsys.readouterr().out == f"running and {path} mean the same to keepalived\n"
    Path(path).write_text(BASE.replace("lb_algo wrr", "lb_algo sh"))
    assert main(["config", "diff", "--file", path, "--id", "lb1"]) == 1
    text = capsys.readouterr().out
    assert text.startswith("moves    tcp 10.10.0.20:80: scheduler wrr → sh")
    assert "-lb_algo wrr\n+lb_algo sh\n" in text


def test_diff_without_a_daemon_or_the_right_to_look(
    path: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert main(["config", "diff", "--file", path]) == 2
    assert "does not run" in capsys.readouterr().err
    loaded(monkeypatch, None)
    assert main(["config", "diff", "--file", path, "--id", "x"]) == 2
    assert "root" in capsys.readouterr().err


SOUND = """\
virtual_server 10.10.0.20 80 {
  lb_algo wrr
  lb_kind DR
  protocol TCP
  real_server 10.10.0.3 80 {
    TCP_CHECK {
    }
  }
  real_server 10.10.0.4 80 {
    TCP_CHECK {
    }
  }
}
"""


def answering(
    monkeypatch: pytest.MonkeyPatch, status: int, text: str = "", program: str = "/sbin/keepalived"
) -> list[str]:
    """An installed keepalived whose test ends so; the arguments that it gets."""
    said: list[str] = []

    def tested(runner: Runner, daemon: DaemonLook, files: object, *, root: bool) -> Trial:
        assert not files
        assert not root
        said[:] = words_of(daemon)
        return Trial(ConfigTest(status, text.encode()))

    here = DaemonLook("localhost", version="2.2.7", program=program)
    monkeypatch.setattr("lvstui.shell.config.check.look_daemon", lambda runner, root: here)
    monkeypatch.setattr("lvstui.shell.config.check.trial", tested)
    return said


def check(path: str, capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, dict[str, Any]]:
    status = main(["config", "check", "--json", "--file", path, *words])
    return status, json.loads(capsys.readouterr().out)


def test_check_finds_and_says_so(
    path: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    said = answering(monkeypatch, 0)
    Path(path).write_text(SOUND.replace("10.10.0.3 80", "10.10.0.3"))
    status, document = check(path, capsys, "--id", "lb1")
    assert status == 1
    found = {one["rule"]: one for one in document["findings"]}
    assert found["check-without-port"]["line"] == 6
    assert document["limits"] == []
    assert said == ["-t", "-f", path, "-i", "lb1"]
    assert main(["config", "check", "--file", path]) == 1
    assert f"error    {path}:6:5: TCP_CHECK of 10.10.0.3:80" in capsys.readouterr().out


def test_check_tells_what_keepalived_says(
    path: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    Path(path).write_text(SOUND)
    line = f"({path}: Line 2) Unknown keyword 'bogus'"
    answering(monkeypatch, 5, f"{line}\n")
    status, document = check(path, capsys)
    assert status == 1
    assert any(one["rule"].startswith("-t:") and one["line"] == 2 for one in document["findings"])


def test_check_without_keepalived_says_what_it_did_not_do(
    path: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    answering(monkeypatch, 0, program="")
    Path(path).write_text(SOUND)
    _, document = check(path, capsys)
    assert "not installed" in document["limits"][0]


def test_check_of_a_program_that_hangs(
    path: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    answering(monkeypatch, 124)
    Path(path).write_text(SOUND)
    _, document = check(path, capsys)
    assert "could not be run" in document["limits"][0]


def test_check_of_a_file_that_keepalived_would_not_load(
    path: str, capsys: pytest.CaptureFixture[str]
) -> None:
    Path(path).chmod(0o755)
    status, document = check(path, capsys)
    assert (status, document["findings"][0]["severity"]) == (1, "lethal")


def test_check_against_the_peer(
    path: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    answering(monkeypatch, 0)
    other = Path(path).with_name("peer.conf")
    other.write_text(BASE.replace("    10.10.0.21/24\n", ""))
    alone = check(path, capsys)[1]
    both = check(path, capsys, "--peer-file", str(other), "--peer-id", "lb2")[1]
    rules = {one["rule"] for one in both["findings"]} - {one["rule"] for one in alone["findings"]}
    assert rules
    assert "Zq9" not in json.dumps(both)
    assert main(["config", "check", "--file", path, "--peer-file", "/nowhere"]) == 2


def test_schema(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["config", "show", "--schema"]) == 0
    assert "sections[].values[].origin" in capsys.readouterr().out
    assert main(["config"]) == 2
