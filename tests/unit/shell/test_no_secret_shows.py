"""No command shows what may be a secret, wherever it stands in the configuration."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from lvstui.cli import main
from lvstui.keepalived.edit.values import told
from lvstui.keepalived.lint.own_test import classify
from lvstui.keepalived.meaning.view import view
from lvstui.keepalived.text.mask import mask, masked_diff, secrets_of
from lvstui.keepalived.text.parser import parse_bytes
from lvstui.session.document import document
from lvstui.shell.config import inspect as configfile
from lvstui.tui.config.placeholder import unveil, veil
from tests.markers import MARKED, MARKER

TREE = parse_bytes(MARKED.encode(), "/k.conf")
CALM = "vrrp_instance VI_1 {\n    state BACKUP\n}\n"


def seen(text: str) -> list[str]:
    return MARKER.findall(text)


@pytest.mark.parametrize(
    "argv",
    [
        ["cat", "--mask"],
        ["show"],
        ["show", "--json"],
        ["check"],
        ["check", "--json"],
        ["diff", "OTHER"],
        ["diff", "OTHER", "--json"],
    ],
    ids=" ".join,
)
@pytest.mark.parametrize("turned", [False, True])
def test_no_command_shows_a_secret(
    argv: list[str],
    turned: bool,
    tmp_path: Path,
    capfd: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(configfile, "_pid", lambda: 0)
    one, other = tmp_path / "k.conf", tmp_path / "other.conf"
    one.write_text(CALM if turned else MARKED)
    other.write_text(MARKED if turned else CALM)
    main(["config", *(str(other) if a == "OTHER" else a for a in argv), "--file", str(one)])
    out = "".join(capfd.readouterr())
    assert "VI_1" in out
    assert seen(out) == []


def _page() -> str:
    found = document(TREE)
    lines = [p.shown(n + 1) for p in found.pages.values() for n in range(len(p.lines))]
    waiting = list(found.outline.roots())
    while waiting:
        item = waiting.pop()
        lines.append(f"{item.label} {item.detail}")
        waiting += found.outline.children(item.id)
    return "\n".join([*lines, *(finding.text for finding in found.findings)])


def _messages() -> str:
    """As keepalived speaks of words: quoted, in brackets, at the end."""
    said = "\n".join(
        f"(Line {number}) Unknown keyword '{word}'\n({word}) invalid value {word}, ignored [{word}]"
        for number, line in enumerate(MARKED.split("\n"), 1)
        for word in re.split(r"[\s\"'{}]+", line.partition("#")[0])
        if MARKER.search(word)
    )
    return "\n".join(finding.text for finding in classify(5, said, "2.2.7", TREE))


DOORS: dict[str, Callable[[], str]] = {
    "the text without its tree": lambda: mask(MARKED.encode()).decode(),
    "a part of it": lambda: "".join(
        mask(line.encode()).decode() for line in MARKED.split("\n") if "Zq27" not in line
    ),
    "plans and history": lambda: masked_diff(
        CALM.encode(), MARKED.encode(), "/k.conf", secrets_of(TREE)
    ),
    "an editor": lambda: veil(MARKED.encode(), secrets_of(TREE)).text.decode(),
    "status, stream and recordings": lambda: repr(view(TREE)),
    "the screen": _page,
    "keepalived's messages": _messages,
}


@pytest.mark.parametrize("door", DOORS)
def test_no_door_shows_a_secret(door: str) -> None:
    text = DOORS[door]()
    assert len(text) > 500
    assert seen(text) == []


def test_what_an_operator_needs_is_shown() -> None:
    """Else a mask that hides all would pass."""
    text = mask(MARKED.encode(), secrets_of(TREE)).decode()
    for words in (
        "router_id lb1",
        'script "/usr/bin/check ********"',
        "priority 150 # ********",
        "auth_pas ********",
        "10.10.0.20/24 dev eth0",
        "chk weight 2",
        'notify_master "/etc/notify.sh ********"',
        "virtual_server 10.10.0.20 80 { # web",
        "path /health/********",
        "path http://********@h.example/x?********",
    ):
        assert words in text


def test_an_editor_gives_every_byte_back() -> None:
    veiled = veil(MARKED.encode(), secrets_of(TREE))
    assert unveil(veiled.text, veiled) == MARKED.encode()


@pytest.mark.parametrize(
    ("keyword", "words"),
    [
        ("misc_path", ["/bin/x -p Zq01Mark"]),
        ("notify_up", ["/bin/x", "Zq01Mark"]),
        ("path", ["/health/Zq01Mark?x=Zq02Mark"]),
        ("digest", ["Zq01Mark"]),
        ("auth_pass", ["Zq01Mark"]),
        ("weight", ["5", "Zq01Mark"]),
        ("unknown", ["Zq01Mark"]),
    ],
)
def test_no_title_of_a_change_shows_a_secret(keyword: str, words: list[str]) -> None:
    assert seen(told(keyword.encode(), [word.encode() for word in words])) == []
    assert told(b"weight", [b"5"]) == "5"
    assert told(b"misc_path", [b"/bin/x -p 1"]) == "/bin/x …"
