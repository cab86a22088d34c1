"""The guest's kernel: of a later release where it can be had, else the host's own."""

from __future__ import annotations

from pathlib import Path

import pytest

from lvstui.lab import LabError, apt, kernels, packages

_LIBRARIES = "usr/lib/x86_64-linux-gnu"


def unpacked(root: Path, loader: str = "/lib64/") -> Path:
    """What the packages of another release hold: programs of this host stand in for theirs."""
    libraries = root / _LIBRARIES
    libraries.mkdir(parents=True)
    for name in ("libc.so.6", "libgcc_s.so.1"):
        (libraries / name).write_bytes(b"code of " + name.encode())
    (libraries / "ld-linux-x86-64.so.2").write_bytes(
        b"\x01/lib/x86_64-linux-gnu/\0/usr/lib/x86_64-linux-gnu/\0/etc/ld.so.cache\0\x02"
    )
    (root / "usr/bin").mkdir(parents=True)
    (root / "usr/bin/linux.uml").write_bytes(
        b"\x7fELF" + loader.encode() + b"ld-linux-x86-64.so.2\0."
    )
    (root / "usr/bin/linux.uml").chmod(0o755)
    modules = root / "usr/lib/uml/modules/7.2.7"
    modules.mkdir(parents=True)
    (modules / "modules.dep").touch()
    return root


@pytest.fixture
def offered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Path | LabError]:
    """What each release's packages are unpacked to; own: this host's. No network is asked."""
    answers: dict[str, Path | LabError] = {}
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.delenv("LVSTUI_LAB_KERNEL", raising=False)
    apt.cache_home().mkdir(parents=True)

    def fetched(wanted: list[str], progress: apt.Progress, foreign: str = "") -> Path | None:
        answer = answers[foreign or "own"]
        if isinstance(answer, LabError):
            raise answer
        return answer

    monkeypatch.setattr(packages, "fetched", fetched)
    monkeypatch.setattr(kernels, "fetched", fetched)
    monkeypatch.setattr(packages, "missing_packages", lambda: ["keepalived", "user-mode-linux"])
    return answers


def test_the_later_kernel_finds_its_libraries_where_it_is_started(
    tmp_path: Path, offered: dict[str, Path | LabError]
) -> None:
    offered |= {"forky": unpacked(tmp_path / "forky"), "own": tmp_path / "own"}
    layer = packages.ensure()
    assert layer.folder == tmp_path / "own"
    assert layer.kernel.modules.name == "7.2.7"
    folder = layer.kernel.program.parent
    assert layer.kernel.program.read_bytes().startswith(b"\x7fELF./ld-linux-x86-64.so.2\0\0")
    loader = (folder / "ld-linux-x86-64.so.2").read_bytes()
    assert b"/lib/x86_64" not in loader
    assert b"ld.so.cache" not in loader
    assert sorted(path.name for path in folder.iterdir()) == [
        "ld-linux-x86-64.so.2",
        "libc.so.6",
        "libgcc_s.so.1",
        "linux.uml",
    ]
    assert packages.ensure() == layer


def test_where_it_cannot_be_had_the_own_one_is_taken_and_asked_for_again_after_a_day(
    tmp_path: Path, offered: dict[str, Path | LabError], monkeypatch: pytest.MonkeyPatch
) -> None:
    offered |= {"forky": LabError("no network", "", ""), "own": unpacked(tmp_path / "own")}
    told: list[str] = []
    layer = packages.ensure(told.append)
    assert layer.kernel.program == tmp_path / "own/usr/bin/linux.uml"
    assert told == ["going on with the slower kernel of this release: no network"]
    offered["forky"] = unpacked(tmp_path / "forky")
    assert packages.ensure(told.append) == layer
    monkeypatch.setattr(kernels, "_RETRY_S", -1.0)
    assert packages.ensure(told.append).kernel.program.parent == tmp_path / "forky/kernel"
    monkeypatch.setenv("LVSTUI_LAB_KERNEL", "own")
    assert packages.ensure(told.append) == layer


def test_a_kernel_built_otherwise_is_not_taken(
    tmp_path: Path, offered: dict[str, Path | LabError], monkeypatch: pytest.MonkeyPatch
) -> None:
    offered |= {
        "forky": unpacked(tmp_path / "forky", loader="/elsewhere/"),
        "own": unpacked(tmp_path / "own"),
    }
    told: list[str] = []
    assert packages.ensure(told.append).kernel.program == tmp_path / "own/usr/bin/linux.uml"
    assert "linux.uml of another release cannot be used" in told[0]
    assert list((tmp_path / "forky").glob("kernel*")) == []
