"""The host's own keepalived tests a candidate, with every include where it will be.

`keepalived -t` (2.0.4 and later) needs the real interfaces and resolves includes from the main
file's folder, so the candidate takes the place of the real files in a mount namespace of its own,
which ends with the test. Without the right to one, a main file alone can still be tested beside
the real one, under a name that no include takes.
"""

from __future__ import annotations

import os
import posixpath
import shlex
from collections.abc import Sequence
from dataclasses import dataclass, field

from lvstui.keepalived.daemon.facts import DaemonLook, FileStep
from lvstui.keepalived.daemon.look import script, taken_apart
from lvstui.keepalived.daemon.options import options_of
from lvstui.model import numbers
from lvstui.model.text import plain
from lvstui.remote.runner import Runner

_BESIDE = ".lvstui-test~"


@dataclass(frozen=True, slots=True)
class ConfigTest:
    """What `keepalived -t` said of one set of files."""

    status: int
    text: bytes = field(repr=False)
    """Its words; may repeat lines of the file, passwords too."""

    @property
    def ended(self) -> int:
        """Exit status; negative for a signal, which a shell tells as 128 and more."""
        return 128 - self.status if 128 < self.status < 192 else self.status

    @property
    def record(self) -> bytes:
        """For the host to compare with later."""
        return self.text + f"status {self.status}\n".encode()


@dataclass(slots=True)
class Payload:
    """Bytes of several files, one behind the other, and the shell lines that part them again. They
    go to a host by standard input, which no transcript and no process list shows."""

    data: bytearray = field(default_factory=bytearray, repr=False)
    lines: list[str] = field(default_factory=list)

    def add(self, name: str, data: bytes) -> None:
        """Put a file in; it comes out as `$T/NAME` of what stands in `$T/all`."""
        target = f'"$T/"{shlex.quote(name)}'
        if data:
            # head on a pipe may read more than it gives: only a file can be cut in pieces.
            self.lines.append(
                f'tail -c +{len(self.data) + 1} "$T/all" | head -c {len(data)} > {target}'
            )
        else:
            self.lines.append(f": > {target}")
        self.data += data

    def add_text(self, name: str, text: str) -> None:
        """Put a text in; bytes that were no UTF-8 where it was read are the same bytes again."""
        self.add(name, text.encode("utf-8", "surrogateescape"))

    def unpack(self) -> str:
        """The shell function `unpack`."""
        return "\n".join(["unpack() {", *(f"  {line} &&" for line in self.lines), "  :", "}", ""])


@dataclass(frozen=True, slots=True)
class Trial:
    """The test of the files as they are, and of the candidate."""

    before: ConfigTest | None = None
    after: ConfigTest | None = None
    """None: it could not be tested, `why` says why."""
    why: str = ""


def test_words(daemon: DaemonLook) -> tuple[str, ...]:
    """Arguments of the test: the options of the daemon that change what a file means."""
    options = options_of(daemon.argv)
    words = ["-t", "-f", daemon.main]
    for letter in "isu":
        if options.get(letter):
            words += [f"-{letter}", options[letter]]
    return tuple(words)


def trial(
    runner: Runner, daemon: DaemonLook, files: Sequence[FileStep], *, root: bool = True
) -> Trial:
    """Test what is there and what would be there; without `files` the former alone. Raises
    RemoteError."""
    if not daemon.program:
        return Trial(
            why="no keepalived of root's own is installed here: nothing could test the file"
        )
    text, stdin = trial_script(daemon, files)
    ran = runner.run(
        text,
        stdin=stdin,
        root=root,
        timeout_s=60,
        what="keepalived -t on the candidate",
        private=True,
    )
    lines, blobs = taken_apart(ran.text, runner.host)
    told = dict(line.partition(" ")[::2] for line in lines)

    def tested(word: str) -> ConfigTest | None:
        status = numbers.number(told.get(word, ""), 255)
        if status is None:
            return None
        said = blobs.get(word, b"")
        base = os.fsencode(posixpath.basename(daemon.main))
        return ConfigTest(status, said.replace(_BESIDE.encode(), base))

    after, why = tested("after"), told.get("untested", "")
    if files and after is None and not why:
        why = "how keepalived -t ended is not known"
    return Trial(tested("before"), after, plain(why))


def trial_script(daemon: DaemonLook, files: Sequence[FileStep]) -> tuple[str, bytes]:
    """Script and standard input of the test."""
    parcel = Payload()
    place, mounts, shadowed = [], [], []
    shadows = dict.fromkeys(
        posixpath.dirname(file.real) for file in files if file.before is None or file.after is None
    )
    for number, folder in enumerate(shadows, 1):
        shadowed.append(f"shadow {number} {shlex.quote(folder)} || return 1")
        mounts.append(f"lay_over {number} {shlex.quote(folder)}")
    for number, file in enumerate(files, 1):
        real = shlex.quote(file.real)
        if file.after is None:
            mounts.append(f"rm -f -- {real} || exit 119")
            continue
        parcel.add(f"c{number}", file.after)
        if file.before is None:
            folder = shlex.quote(posixpath.dirname(file.real))
            new = f'cp -- "$T/c{number}" {real} && chmod 640 {real}'
            mounts.append(f"mkdir -p {folder} && {new} || exit 119")
        else:
            # As the real file is: an execute bit must be found out, too.
            place.append(
                f'cp -a -- {real} "$T/f{number}" && cat "$T/c{number}" > "$T/f{number}" || return 1'
            )
            mounts.append(f'mount --bind "$T/f{number}" {real} || exit 119')
    words = " ".join(shlex.quote(word) for word in test_words(daemon))
    main = next(
        (
            n
            for n, file in enumerate(files, 1)
            if file.path == daemon.main and file.after is not None
        ),
        0,
    )
    alone = main and all(file.path == daemon.main for file in files)
    beside = shlex.quote(posixpath.join(posixpath.dirname(daemon.main), _BESIDE))
    has_before = any(file.path == daemon.main and file.before is None for file in files)
    lines = [
        script("common.sh"),
        f"PID={daemon.pid}\nSIZE={len(parcel.data)}",
        f"ALONE={main if alone else ''}\nBESIDE={beside}\nNO_BEFORE={'yes' if has_before else ''}",
        parcel.unpack(),
        "\n".join(["place() {", *(f"  {line}" for line in (*place, *shadowed)), "  :", "}"]),
        "\n".join(["test_it() {", f"  run_it {words}", "}"]),
        "\n".join(["test_beside() {", f'  run_it {words} -f "$BESIDE"', "}"]),
        "MOUNTS=" + shlex.quote("\n".join(mounts)),
        script("trial.sh"),
    ]
    return "\n".join(lines) + "\n", bytes(parcel.data)
