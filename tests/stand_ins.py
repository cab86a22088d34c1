"""Processes that stand for keepalived, and those that only say that they are it."""

from __future__ import annotations

import contextlib
import os
import platform
import shutil
import struct
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from lvstui.process import trust

NOBODY = 65534
PYTHONS = {"PYTHONHOME": sys.base_prefix, "LD_LIBRARY_PATH": f"{sys.base_prefix}/lib"}
"""The environment in which Python runs from anywhere."""

as_root = pytest.mark.skipif(
    os.geteuid() != 0 or platform.machine() != "x86_64",
    reason="needs root to be somebody else, and x86-64; tests/lab/test_identity.py is the same",
)


@pytest.fixture
def we_are_root(monkeypatch: pytest.MonkeyPatch) -> None:
    """What belongs to whoever runs the test counts as root's."""
    monkeypatch.setattr(trust, "ROOT", frozenset({0, os.geteuid()}))


def _only_ours() -> Path:
    if os.geteuid() == 0:
        # Others reach it, too: they run programs there. In /var/lib the lab's nodes would show it
        # to the tests that look for what a change has left.
        return Path("/var/cache")
    places = (Path.home(), Path(os.environ.get("XDG_RUNTIME_DIR", "/")), Path(__file__).parent)
    for place in map(Path.resolve, places):
        above = [path.stat() for path in (place, *place.parents)]
        ours = all(i.st_uid in (0, os.geteuid()) and not i.st_mode & 0o022 for i in above)
        if ours and os.access(place, os.W_OK):
            return place
    pytest.skip(f"others can write somewhere above each of {', '.join(map(str, places))}")


@contextlib.contextmanager
def own_folder(*, mode: int = 0o755) -> Iterator[Path]:
    """A new folder in which only its owner can write, all the way up; /tmp is none."""
    folder = Path(tempfile.mkdtemp(prefix=".lvstui-test-", dir=_only_ours()))
    try:
        folder.chmod(mode)
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextlib.contextmanager
def strangers_folder() -> Iterator[Path]:
    """A new folder that everybody reaches and that belongs to uid NOBODY; root only."""
    folder = Path(tempfile.mkdtemp(prefix="lvstui-test-", dir="/var/tmp"))
    try:
        folder.chmod(0o777)
        os.chown(folder, NOBODY, NOBODY)
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def recorder(path: Path, mark: Path) -> None:
    """Make a program that, run with euid 0, appends a line to `mark` and ends; run by anybody else
    it waits for ever. x86-64 Linux, without a compiler."""
    base = 0x400000
    words = b"ran as root\n"
    name = os.fsencode(mark) + b"\0"

    def code(name_at: int, words_at: int) -> bytes:
        noted = (
            b"\xb8\x02\0\0\0\xbf"
            + struct.pack("<I", name_at)  # open(name,
            + b"\xbe"
            + struct.pack("<I", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
            + b"\xba\xb6\x01\0\0\x0f\x05\x89\xc7"  # 0666)
            + b"\xb8\x01\0\0\0\xbe"
            + struct.pack("<I", words_at)  # write(it, words,
            + b"\xba"
            + struct.pack("<I", len(words))
            + b"\x0f\x05"  # len)
            + b"\xb8\x3c\0\0\0\x31\xff\x0f\x05"  # exit(0)
        )
        # geteuid(); 0: note it; else pause() for ever
        start = b"\xb8\x6b\0\0\0\x0f\x05\x85\xc0\x75" + bytes([len(noted)])
        return start + noted + b"\xb8\x22\0\0\0\x0f\x05\xeb\xf7"

    head = 64 + 56
    size = len(code(0, 0))
    text = code(base + head + size, base + head + size + len(name)) + name + words
    whole = head + len(text)
    elf = b"\x7fELF\2\1\1" + bytes(9)
    elf += struct.pack("<HHIQQQIHHHHHH", 2, 62, 1, base + head, 64, 0, 0, 64, 56, 1, 0, 0, 0)
    elf += struct.pack("<IIQQQQQQ", 1, 5, 0, base, base, whole, whole, 0x1000)
    path.write_bytes(elf + text)
    path.chmod(0o755)


def pythons_keepalived(folder: Path) -> tuple[Path, dict[str, str]]:
    """A Python called keepalived in a folder, and the environment in which it runs."""
    program = folder / "keepalived"
    shutil.copy(Path(sys.executable).resolve(), program)
    program.chmod(0o755)
    return program, {**os.environ, **PYTHONS}


@contextlib.contextmanager
def running(
    argv: Sequence[str | bytes],
    *,
    program: Path | str | None = None,
    uid: int | None = None,
    env: dict[str, str] | None = None,
    ready: bool = False,
) -> Iterator[subprocess.Popen[bytes]]:
    """A process; `ready`: it says so in a line, else its name is waited for."""
    process = subprocess.Popen(
        argv,
        executable=program,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        env=env,
        cwd="/",
        user=uid,
        group=uid,
        extra_groups=None if uid is None else [],
    )
    assert process.stdout is not None
    try:
        if ready:
            assert process.stdout.readline()
        else:
            until = time.monotonic() + 20
            # The new program's name is there before its command line can be read.
            while (
                not Path(f"/proc/{process.pid}/cmdline")
                .read_bytes()
                .startswith(os.fsencode(argv[0]))
            ):
                assert time.monotonic() < until
                time.sleep(0.01)
        yield process
    finally:
        process.kill()
        process.wait()
        process.stdout.close()
