"""Paths and words of command lines stay what they are in every script, whatever is in them."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from lvstui.keepalived.daemon import transaction
from lvstui.keepalived.daemon.facts import STATE, DaemonLook, FileStep
from lvstui.keepalived.daemon.look import read_files, script
from lvstui.keepalived.daemon.trial import test_words as words_of
from lvstui.keepalived.daemon.trial import trial, trial_script
from lvstui.realserver import transaction as realserver
from lvstui.realserver.steps import ChangeFile, HostPlan, MoveAddress, Run, SetSysctl
from lvstui.remote import guarded
from lvstui.remote.local import LocalRunner
from tests import stand_ins
from tests.stand_ins import as_root

ID = "20261124T220000-abcdef"
SHELLS = [path for shell in ("dash", "bash", "busybox") if (path := shutil.which(shell))]
HOSTILE = (
    b"\nLVSTUI-END\n",
    b"\nLVSTUI\n",
    b"\n",
    b"}",
    b";touch pwned;",
    b"$(touch pwned)",
    b"`touch pwned`",
    b"'",
    b"'\\''",
    b'"',
    b"\\",
    b" ",
    b"-n",
    b"%s",
    b"$T",
    b"*",
    b"\xff",
    b"\r",
    "é".encode(),
)
WORDS = st.one_of(
    st.lists(st.sampled_from(HOSTILE), min_size=1, max_size=6).map(b"".join),
    st.binary(min_size=1, max_size=20).map(lambda raw: raw.replace(b"\0", b"\n")),
).map(os.fsdecode)
NAMES = WORDS.map(lambda word: word.replace("/", "\n")).filter(lambda word: word not in (".", ".."))
WORST = "x\nLVSTUI-END\n}\ntouch pwned\n'\"$(touch pwned)\n"
"""What ended the text between two marks, and with it whatever stood around."""


class Box:
    """A folder with a program that writes down the words it gets."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.said = folder / "said"
        self.program = folder / "recorder"
        self.program.write_text(
            '#!/bin/sh\n{ printf \'%s\\0\' "$TMPDIR" "$@"; } >> ' + shlex.quote(str(self.said))
        )
        self.program.chmod(0o755)

    def run(self, shell: str, text: str) -> list[str]:
        """All words that the recorder and the function `note` were called with."""
        self.said.write_bytes(b"")
        note = f'note_down() {{ printf "%s\\0" "$@" >> {shlex.quote(str(self.said))}; }}\n'
        done = subprocess.run(
            [
                shell,
                *(["sh"] if shell.endswith("busybox") else []),
                "-c",
                (note + text).encode("utf-8", "surrogateescape"),
            ],
            cwd=self.folder,
            capture_output=True,
            timeout=60,
            check=False,
            stdin=subprocess.DEVNULL,
            env={**os.environ, "TMPDIR": "/tmp"},
        )
        assert not (self.folder / "pwned").exists()
        assert done.returncode == 0, done.stderr
        return [os.fsdecode(word) for word in self.said.read_bytes().split(b"\0")[:-1]]


@pytest.fixture
def box(tmp_path: Path) -> Box:
    return Box(tmp_path)


in_any_case = settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@pytest.mark.parametrize("shell", SHELLS)
@given(path=WORDS, argv=st.lists(WORDS, min_size=1, max_size=4), tmpdir=WORDS)
@example(path=WORST, argv=["keepalived", WORST], tmpdir=WORST)
@in_any_case
def test_steps_of_a_director(
    box: Box, shell: str, path: str, argv: Sequence[str], tmpdir: str
) -> None:
    words = (argv[0], "-f", *argv)
    daemon = DaemonLook("x", pid=7, argv=words, tmpdir=tmpdir, unit=path)
    files = [FileStep(path, path + "r", b"a", b"b"), FileStep(path, path, b"a", None)]
    stubs = "".join(
        f'{name}() {{ note_down "$@"; }}\n'
        for name in ("expect_file", "put_file", "drop_file", "restore_file")
    )
    program = shlex.quote(str(box.program))
    text = (
        stubs
        + f'installed() {{ note_down "$1"; REPLY={program}; }}\n'
        + transaction.steps(ID, files, daemon)
        + f'note_down "$UNIT"; expect_all; write_all; restore_all; run_test {program}\n'
        + "start_daemon; wait\n"
        # The daemon is left to itself: what it wrote is waited for.
        + f"until [ \"$(tr -d -c '\\0' < {shlex.quote(str(box.said))} | wc -c)\" -ge "
        + f"{17 + len(words) + len(words_of(daemon))} ]; do sleep 0.05; done\n"
    )
    assert box.run(shell, text) == [
        path,
        "1",
        path,
        path + "r",
        "2",
        path,
        path,
        "1",
        path + "r",
        "2",
        path,
        "1",
        path + "r",
        "2",
        path,
        "/tmp",
        *words_of(daemon),
        words[0],
        tmpdir,
        *words[1:],
    ]


@pytest.mark.parametrize("shell", SHELLS)
@given(path=WORDS, other=WORDS, value=WORDS)
@example(path=WORST, other=WORST, value=WORST)
@in_any_case
def test_steps_of_a_real_server(box: Box, shell: str, path: str, other: str, value: str) -> None:
    new = ChangeFile(path, None, b"x", owner=value, keep=other)
    gone = ChangeFile(other, b"x", None)
    plan = HostPlan(
        "rs1",
        "push",
        (),
        live=(SetSysctl(path, value, other), MoveAddress("10.0.0.1", 32, True, path, other)),
        commit=(new, gone, Run(path, value)),
        back=(Run(other),),
    )
    names = (
        "set_key",
        "put_on",
        "take_off",
        "must",
        "maybe",
        "expect_file",
        "save_file",
        "keep_file",
        "put_file",
        "drop_file",
        "restore_file",
    )
    stubs = "".join(f'{name}() {{ note_down {name} "$@"; }}\n' for name in names)
    text = stubs + realserver.steps(plan, 60) + "live; save_all; commit; back_commit; back_live\n"
    vip = "10.0.0.1/32"
    assert box.run(shell, text) == [
        "set_key",
        path,
        other,
        "put_on",
        vip,
        path,
        "expect_file",
        "1",
        path,
        "save_file",
        "1",
        path,
        "keep_file",
        "1",
        other,
        "expect_file",
        "2",
        other,
        "save_file",
        "2",
        other,
        "put_file",
        "1",
        path,
        "644",
        value,
        "drop_file",
        "2",
        other,
        "must",
        value,
        path,
        "maybe",
        other,
        other,
        "restore_file",
        "2",
        other,
        "restore_file",
        "1",
        path,
        "take_off",
        vip,
        other,
        "set_key",
        path,
        value,
    ]


@given(name=NAMES, argv=st.lists(WORDS, max_size=3), text=st.binary(max_size=50))
@example(name=WORST.replace("/", " "), argv=["keepalived", "", WORST, ""], text=b"x")
@settings(in_any_case, max_examples=15)
def test_a_change_is_laid_out_as_it_is(
    box: Box, name: str, argv: Sequence[str], text: bytes
) -> None:
    # A host for each, since the guard of the one before may still be putting its things in order.
    host = Path(tempfile.mkdtemp(dir=box.folder))
    state = host / "state"
    conf = host / "conf"
    conf.mkdir()
    path = str(conf / name)
    Path(path).write_bytes(b"old")
    runner = LocalRunner("here")

    def run(script_text: str, stdin: bytes = b"") -> str:
        home = f"cd {shlex.quote(str(box.folder))}\n"
        said = runner.run(home + script_text.replace(STATE, str(state)), stdin=stdin)
        assert not (box.folder / "pwned").exists()
        return said.text

    (seen,) = read_files(runner, [path], root=False)
    assert (seen.real, seen.data) == (path, b"old")
    files = [FileStep(path, path, b"old", text)]
    daemon = DaemonLook("x", argv=tuple(argv))
    meta = {"title": name, "files": [path]}
    begun = run(*transaction.begin(ID, files, daemon, seconds=600, meta=meta))
    assert "armed" in begun, begun
    laid = state / ID
    try:
        assert (laid / "argv").read_bytes() == b"".join(os.fsencode(w) + b"\0" for w in argv)
        whole = script("common.sh") + guarded.script() + script("change.sh")
        assert (laid / "change.sh").read_text() == whole
        steps = transaction.steps(ID, files, daemon).encode("utf-8", "surrogateescape")
        assert (laid / "steps.sh").read_bytes() == steps
        assert run(transaction.phase(ID, "write")) == "written\n"
        assert Path(path).read_bytes() == text
        assert run(transaction.phase(ID, "revert", name)) == "reverted\n"
        assert Path(path).read_bytes() == b"old"
        assert [p.name for p in conf.iterdir()] == [name]
    finally:
        # Its guard ends when there is nothing to guard.
        (laid / "armed").unlink(missing_ok=True)


@as_root
@given(name=NAMES, folder=NAMES, argv=st.lists(WORDS, max_size=2))
@example(name=WORST.replace("/", " "), folder="a'b\nLVSTUI\ntouch pwned\n", argv=[WORST])
@settings(in_any_case, max_examples=10)
def test_a_candidate_is_tested_in_its_place(
    tmp_path: Path, name: str, folder: str, argv: Sequence[str]
) -> None:
    with stand_ins.own_folder() as sbin, pytest.MonkeyPatch.context() as patch:
        program = sbin / "keepalived"
        program.write_text('#!/bin/sh\nfor f in "${3%/*}"/* "${3%/*}"/*/*; do cat "$f"; done\n')
        program.chmod(0o755)
        patch.setenv("PATH", f"{sbin}:{os.environ['PATH']}")
        patch.chdir(tmp_path)
        home = tmp_path / "conf"
        shutil.rmtree(home, ignore_errors=True)
        home.mkdir()
        main, new = str(home / f"m{name}"), str(home / f"n{folder}" / name)
        Path(main).write_bytes(b"old")
        files = [FileStep(main, main, b"old", b"main"), FileStep(new, new, None, b"new")]
        daemon = DaemonLook("x", argv=("keepalived", "-f", main, "-i", *argv), program="k")
        done = trial(LocalRunner("here"), daemon, files)
        alone = trial(LocalRunner("here"), daemon, ())
        assert (alone.before, alone.after, alone.why) == (done.before, None, "")
        assert not (tmp_path / "pwned").exists()
        assert not done.why, done.why
        assert done.before is not None
        assert done.after is not None
        assert done.before.text.startswith(b"old")
        assert b"main" in done.after.text
        assert b"new" in done.after.text
        assert Path(main).read_bytes() == b"old"
        assert [path.name for path in home.iterdir()] == [Path(main).name]
        assert b"LVSTUI'" not in trial_script(daemon, files)[0].encode("utf-8", "surrogateescape")
