"""As root no variable that somebody else filled in chooses a file."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from lvstui.cli import main
from lvstui.process import trust
from lvstui.process.trust import NotBelieved, believe, not_roots

ME = os.getuid()


@pytest.fixture(autouse=True)
def _root(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """We are root, and root is whoever runs the tests; the folders above belong to root."""
    monkeypatch.setattr("lvstui.process.trust.os.geteuid", lambda: 0)
    monkeypatch.setattr(trust, "ROOT", frozenset({0, ME}))
    real = os.fstat

    def fstat(fd: int) -> os.stat_result:
        fields = [int(field) for field in real(fd)]
        name = os.readlink(f"/proc/self/fd/{fd}")
        if name in OTHERS:
            fields[4] = OTHERS[name]
        elif not name.startswith(str(tmp_path)):
            fields[0] = fields[0] & ~0o022 | (stat.S_ISVTX if fields[0] & 0o002 else 0)
            fields[4] = 0
        return os.stat_result(fields)

    OTHERS.clear()
    monkeypatch.setattr("lvstui.process.trust.os.fstat", fstat)


OTHERS: dict[str, int] = {}
"""Owners that a file of another user would have; a normal user cannot give one away."""


def test_a_file_of_roots_is_believed(tmp_path: Path) -> None:
    file = tmp_path / "audit.jsonl"
    assert not_roots(str(file)) == "", "to be made in a folder of root's"
    file.write_text("")
    assert not_roots(str(file)) == ""
    assert not_roots(str(tmp_path), folder=True) == ""
    assert not_roots(str(tmp_path / "a" / "b" / "c")) == ""
    (tmp_path / "link").symlink_to(tmp_path)
    assert not_roots(str(tmp_path / "link" / "audit.jsonl")) == ""


def test_what_another_may_choose_is_not_believed(tmp_path: Path) -> None:
    file = tmp_path / "folder" / "file"
    file.parent.mkdir()
    file.write_text("")
    OTHERS[str(file)] = 12345
    assert not_roots(str(file)) == f"{file} belongs to uid 12345, not to root"
    OTHERS[str(file.parent)] = OTHERS.pop(str(file))
    assert not_roots(str(file)) == f"{file.parent} belongs to uid 12345, not to root"
    assert not_roots(str(file.parent / "new")) == f"{file.parent} belongs to uid 12345, not to root"
    OTHERS.clear()
    file.chmod(0o620)
    assert not_roots(str(file)) == f"others than root can write {file}"
    file.chmod(0o600)
    for mode in (0o770, 0o707, 0o1777):
        file.parent.chmod(mode)
        assert not_roots(str(file)) == f"others than root can write {file.parent}"
        assert not_roots(str(file.parent / "new")).startswith("others than root can ")
    file.parent.chmod(0o1777)
    (file.parent / "ours").mkdir(0o700)
    assert not_roots(str(file.parent / "ours" / "new")) == "", "like a folder of root's in /tmp"
    assert (
        not_roots(str(file.parent / "missing" / "new"))
        == f"others than root can write {file.parent}"
    )


def test_no_links_and_no_devices(tmp_path: Path) -> None:
    (tmp_path / "there").write_text("")
    (tmp_path / "link").symlink_to("there")
    assert not_roots(str(tmp_path / "link")) == f"{tmp_path}/link is a symbolic link"
    (tmp_path / "folder").symlink_to(tmp_path)
    OTHERS[str(tmp_path / "folder")] = 12345
    assert not_roots(f"{tmp_path}/folder/there").endswith(
        "folder belongs to uid 12345, not to root"
    )
    (tmp_path / "circle").symlink_to("circle")
    assert not_roots(f"{tmp_path}/circle/x").endswith("circle is a symbolic link")
    os.mkfifo(tmp_path / "fifo")
    assert not_roots(str(tmp_path / "fifo")) == f"{tmp_path}/fifo is no regular file"
    assert not_roots("relative") == "relative is no absolute path"
    assert not_roots(str(tmp_path / "there" / "x")).endswith("there/x: Not a directory")


@pytest.mark.parametrize("name", ["LVSTUI_AUDIT", "LVSTUI_HOSTS"])
def test_lvstuis_own_variables_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    OTHERS[str(tmp_path)] = 12345
    file = tmp_path / "file"
    with pytest.raises(NotBelieved):
        believe({name: str(file)})
    monkeypatch.setenv(name, str(file))
    assert main(["config", "history"]) == 2
    said = capsys.readouterr().err
    assert (
        f"{name}={file} is not believed as root: {tmp_path} belongs to uid 12345, not to root"
        in said
    )
    assert trust.FILES[name] in said
    OTHERS.clear()
    assert believe({name: str(file)}) == []


def test_folders_of_others_are_passed_over_and_that_is_said(tmp_path: Path) -> None:
    OTHERS[str(tmp_path)] = 12345
    theirs = {"XDG_CONFIG_HOME": str(tmp_path / "config"), "HOME": str(tmp_path), "PATH": "/bin"}
    environ = dict(theirs)
    said = believe(environ)
    assert environ == {"HOME": "/root", "PATH": "/bin"}
    assert [text.partition(" ")[0] for text in said] == ["XDG_CONFIG_HOME", "HOME"]
    assert believe(environ) == []
    assert believe({}) == []


def test_a_user_believes_his_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lvstui.process.trust.os.geteuid", lambda: 1000)
    OTHERS[str(tmp_path)] = 1000
    assert believe({"LVSTUI_AUDIT": str(tmp_path / "x"), "HOME": str(tmp_path)}) == []
