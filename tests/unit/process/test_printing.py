"""The command line's door: whoever prints, no control character reaches a terminal."""

from __future__ import annotations

import ast
import contextlib
import io
import json
import shlex
import subprocess
import sys
import unicodedata
from collections.abc import Iterator
from pathlib import Path
from typing import TextIO, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lvstui import cli
from lvstui.cli import main
from lvstui.model.config import Place
from lvstui.model.knowledge import Knowledge
from lvstui.model.text import LIKENESS, printable
from lvstui.process.printing import CleanStream, as_json, clean_output, table_console
from lvstui.shell.config import inspect as configfile
from lvstui.shell.report import report
from lvstui.shell.status_table import show
from tests import hostile

EVIL = "\x1b]0;PWNED\x07\x1b[31m\x9b5m\u202e\u2066\u200b"
ROOT = Path(__file__).parents[3]


def controls(text: str) -> list[str]:
    """What a terminal would obey or hide, but for line ends and tabs."""
    return [c for c in text if c not in "\n\t" and unicodedata.category(c) in ("Cc", "Cf", "Cs")]


@pytest.fixture(name="path")
def _path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """keepalived.conf with an include of an evil name and evil contents; no daemon runs."""
    monkeypatch.setattr(configfile, "_pid", lambda: 0)
    evil = tmp_path / f"inc{EVIL}.conf"
    evil.write_text(
        f"virtual_server 10.0.0.1 80 {{ # {EVIL}\n  lb_algo {EVIL}\n  {EVIL} {EVIL}\n"
        f"  real_server 10.0.0.2 80 {{ # {EVIL}\n    weight {EVIL}\n  }}\n}}\n"
        f"vrrp_instance {EVIL} {{\n  interface {EVIL}\n  virtual_router_id {EVIL}\n"
        f"  virtual_ipaddress {{\n    {EVIL}\n  }}\n}}\n"
    )
    main_file = tmp_path / "keepalived.conf"
    main_file.write_text(f"global_defs {{\n  router_id {EVIL}\n}}\ninclude inc*.conf # {EVIL}\n")
    (tmp_path / f"other{EVIL}.conf").write_text("global_defs {\n  router_id x\n}\n")
    return str(main_file)


COMMANDS = (
    "config show --file {path}",
    "config show --json --file {path}",
    "config check --file {path}",
    "config check --json --file {path}",
    "config cat --all --mask --file {path}",
    "config diff {path} {other}",
    "config diff {other} {path}",
    "config diff --json {path} {other}",
    "config show --file {evil}",
    "config apply {evil} --plan",
    "config check --file {evil}",
    "config show --service {evil} --file {path}",
    "config show --instance {evil} --file {path}",
    "realserver look {evil}",
    "realserver look --json {evil}",
    "realserver plan {evil}",
    "weight {evil} 5",
    "weight rs1 {evil}",
    "drain {evil} --yes",
    "{evil}",
    "status --{evil}",
    "status --sample {evil}",
    "config set weight 5 --service {evil} --file {path}",
    "config history {evil}",
    "config rollback {evil}",
    "--replay {evil}",
    "lab {evil}",
    "stream --seconds {evil}",
    "config first --vip {evil}",
)


@pytest.mark.parametrize("command", COMMANDS)
def test_no_command_prints_a_control_character(
    command: str,
    path: str,
    tmp_path: Path,
    capfd: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in ("HOME", "XDG_CONFIG_HOME", "XDG_STATE_HOME"):
        monkeypatch.setenv(name, str(tmp_path))
    monkeypatch.setattr("sys.stdout.isatty", lambda: True, raising=False)
    words = {
        "path": shlex.quote(path),
        "evil": shlex.quote(f"x{EVIL}"),
        "other": shlex.quote(str(tmp_path / f"other{EVIL}.conf")),
    }
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("sys.stdin", io.StringIO(""))
        # argparse ends by itself.
        with contextlib.suppress(SystemExit):
            main(shlex.split(command.format(**words)))
    captured = capfd.readouterr()
    said = captured.out + captured.err
    assert said.strip()
    assert "Traceback" not in said
    assert controls(said) == []
    if "--json" in command and captured.out:
        json.loads(captured.out)


def test_cat_on_a_terminal_shows_what_it_is(
    path: str, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    assert main(["config", "cat", "--file", path]) == 0
    shown = capfd.readouterr().out
    assert controls(shown) == []
    assert "conf # ␛]0;PWNED␇␛[31m\\u009b5m\\u202e\\u2066\\u200b\n" in shown


def test_a_place_names_its_file_harmlessly() -> None:
    assert controls(str(Place(f"/etc/{EVIL}.conf", 3, 1))) == []
    assert str(Place("/etc/größe.conf", 3, 1)) == "/etc/größe.conf:3:1"


def test_a_hostile_status_is_a_table_in_our_colours_only() -> None:
    known = Knowledge(EVIL, 1.0)
    for seen in hostile.observations():
        known.learn(seen)
    picture = known.picture(hostile.AT + 5)
    stream = io.StringIO()
    console = table_console(200)
    console.file = stream
    show(picture, console)
    text = stream.getvalue()
    assert "PWNED" in text
    assert controls(text) == []
    document = report(picture)
    out = io.StringIO()
    CleanStream(cast(TextIO, out)).write(json.dumps(document, ensure_ascii=False))
    assert controls(out.getvalue()) == []
    assert json.loads(out.getvalue()) == json.loads(
        json.dumps(document).replace("\\u007f", "\u2421")
    )


@given(st.text())
def test_a_json_document_that_passes_is_the_same(text: str) -> None:
    raw = json.dumps({"text": text.replace("\x7f", "")}, ensure_ascii=False)
    assert json.loads(printable(raw)) == json.loads(raw)
    assert controls(printable(raw)) == []


@given(st.text())
def test_printed_text_keeps_its_lines(text: str) -> None:
    shown = printable(text)
    assert shown.count("\n") == text.count("\n")
    assert shown.count("\t") == text.count("\t")
    assert controls(shown) == []


@pytest.mark.parametrize("name", hostile.HONEST)
def test_honest_names_pass(name: str) -> None:
    assert printable(f"{name}\tup\n") == f"{name}\tup\n"


def test_everything_is_given_back_and_bytes_pass(capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    before = sys.stdout, sys.stderr
    with clean_output():
        print("a\x1bb")
        print("c\x9bd", file=sys.stderr)
        sys.stdout.flush()
        sys.stdout.buffer.write(b"\x1bwhole\n")
        sys.stdout.buffer.flush()
    assert (sys.stdout, sys.stderr) == before
    captured = capfdbinary.readouterr()
    assert captured.out == "a␛b\n".encode() + b"\x1bwhole\n"
    assert captured.err == b"c\\u009bd\n"


def test_a_terminal_of_another_encoding_gets_likenesses_and_escapes() -> None:
    raw = io.BytesIO()
    stream = CleanStream(io.TextIOWrapper(raw, "latin-1", write_through=True))
    stream.write("größe 東 10 → 5 … ●\n")
    assert raw.getvalue() == "größe \\u6771 10 > 5 ~ *\n".encode("latin-1")


def test_a_document_is_the_same_in_every_encoding(monkeypatch: pytest.MonkeyPatch) -> None:
    document = {"text": "größe 東 10 → 5 …"}
    for encoding in ("utf-8", "latin-1", "ascii"):
        raw = io.BytesIO()
        out = CleanStream(io.TextIOWrapper(raw, encoding, write_through=True))
        monkeypatch.setattr("sys.stdout", out)
        print(as_json(document))
        assert json.loads(raw.getvalue().decode(encoding)) == document


def test_the_table_is_drawn_in_every_encoding(monkeypatch: pytest.MonkeyPatch) -> None:
    raw = io.BytesIO()
    monkeypatch.setattr("sys.stdout", io.TextIOWrapper(raw, "ascii", write_through=True))
    table_console(80).print("● rs1 10 → 5")
    assert raw.getvalue() == b"* rs1 10 > 5\n"


def test_all_that_we_write_with_has_a_likeness() -> None:
    unlike = {
        (path.name, char)
        for path in (ROOT / "lvstui").rglob("*.py")
        for text in _texts(ast.parse(path.read_text("utf-8")))
        for char in text
        if not char.isascii() and char not in LIKENESS and char not in _NOT_WRITTEN
    }
    assert unlike == set()
    assert all(len(like) == 1 and like.isascii() for like in LIKENESS.values())


_NOT_WRITTEN = {
    *map(chr, (0x34F, 0x115F, 0x1160, 0x17B4, 0x17B5, 0x3164, 0xFFA0)),  # letters without a glyph
    *"␍␞␡",  # controls made visible, in foreign text
    *"▁▂▃▄▅▆▇",  # bars of a sparkline, which the console has its own set for
}


def _texts(tree: ast.Module) -> Iterator[str]:
    """Every constant text of a module but its docstrings."""
    docs = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docs:
            yield node.value


def test_a_trace_passes_the_door_too(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    def broken(arguments: object) -> int:
        raise RuntimeError(EVIL)

    monkeypatch.setattr(cli, "_run", broken)
    assert main([]) == 2
    error = capfd.readouterr().err
    assert "RuntimeError" in error
    assert controls(error) == []


def test_nobody_asks_past_the_door() -> None:
    """`input` with a prompt, and `getpass`, write to the terminal by themselves."""
    found = []
    for file in sorted((ROOT / "lvstui").rglob("*.py")):
        if "lab" in file.parts or file.name == "printing.py":
            continue
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
                if node.func.id == "input":
                    found.append(f"{file.name}:{node.lineno}")
            elif (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Attribute)
                and node.func.attr == "getpass"
                and node.args
            ):
                prompt = node.args[0]
                cleaned = isinstance(prompt, ast.Call) and ast.unparse(prompt.func) == "plain"
                if not cleaned:
                    found.append(f"{file.name}:{node.lineno}")
    assert found == []


def test_it_is_so_for_the_program_as_well(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "lvstui", "config", "show", "--file", f"{tmp_path}/{EVIL}"],
        capture_output=True,
        cwd=ROOT,
        timeout=60,
        check=False,
    )
    assert done.returncode == 2
    assert controls(done.stderr.decode()) == []
    assert b"PWNED" in done.stderr
