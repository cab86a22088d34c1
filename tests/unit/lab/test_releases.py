"""keepalived of another release: a layer whose programs find the libraries of their release."""

from __future__ import annotations

from pathlib import Path

import pytest

from lvstui.lab import LabError, releases
from lvstui.lab.apt import Progress
from lvstui.lab.topology import Topology, parse

_TOPOLOGY = parse('release = "trixie"')


def unpacked(root: Path, program: bytes = b"/lib64/ld-linux-x86-64.so.2\0") -> Path:
    """What the packages of a release hold: short strings stand in for programs."""
    libraries = root / "usr/lib/x86_64-linux-gnu"
    libraries.mkdir(parents=True)
    (libraries / "libnl-3.so.200.26.0").write_bytes(b"code")
    (libraries / "libnl-3.so.200").symlink_to("libnl-3.so.200.26.0")
    searched = b"/lib/x86_64-linux-gnu/\0/usr/lib/x86_64-linux-gnu/\0"
    (libraries / "ld-2.31.so").write_bytes(searched + b"/etc/ld.so.cache\0")
    (libraries / "ld-linux-x86-64.so.2").symlink_to("ld-2.31.so")
    (root / "usr/sbin").mkdir()
    for name in releases.PROGRAMS:
        (root / "usr/sbin" / name).write_bytes(b"\x7fELF" + program + name.encode())
    (root / "etc/keepalived").mkdir(parents=True)
    (root / releases.BUILD_OPTIONS).write_text("--enable-json\n")
    return root


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the packages of every release lie. No network is asked."""

    def fetched(wanted: list[str], progress: Progress, release: str) -> Path:
        if not (tmp_path / release).exists():
            raise LabError(f"no {release}", "404 Not Found")
        return tmp_path / release

    monkeypatch.setattr(releases, "fetched", fetched)
    monkeypatch.setattr(releases, "host_release", lambda: "bookworm")
    return tmp_path


def test_programs_name_their_own_loader_which_looks_where_nothing_else_does(root: Path) -> None:
    unpacked(root / "trixie")
    found = releases.layers(_TOPOLOGY, print)
    assert list(found) == ["trixie"]
    layer = found["trixie"]
    for name in releases.PROGRAMS:
        code = (layer / "usr/sbin" / name).read_bytes()
        assert code == b"\x7fELF/usr/lib/lab-releases/ld.so\0" + name.encode()
    folder = layer / "usr/lib/lab-releases"
    loader = (folder / "ld.so").read_bytes()
    assert loader.startswith(b"/usr/lib/lab-releases/\0")
    assert b"x86_64-linux-gnu" not in loader
    assert (folder / "libnl-3.so.200").read_bytes() == b"code"
    assert (layer / releases.BUILD_OPTIONS).read_text() == "--enable-json\n"
    assert releases.layers(_TOPOLOGY, print) == found


def test_what_the_host_has_needs_no_layer(root: Path) -> None:
    assert releases.layers(Topology(), print) == {}
    assert releases.layers(Topology().of_release("bookworm"), print) == {}


def test_a_release_that_cannot_be_had_is_named(root: Path) -> None:
    with pytest.raises(LabError, match="keepalived of Debian trixie cannot be had") as caught:
        releases.layers(_TOPOLOGY, print)
    assert "404 Not Found" in str(caught.value)


def test_a_program_built_otherwise_leaves_nothing_behind(root: Path) -> None:
    unpacked(root / "trixie", program=b"/elsewhere/ld.so\0")
    with pytest.raises(LabError, match="keepalived of another release cannot be used"):
        releases.layers(_TOPOLOGY, print)
    assert list((root / "trixie").glob("director*")) == []
