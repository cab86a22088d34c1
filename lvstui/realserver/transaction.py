"""From a plan to the scripts that carry it out on the host. Pure.

`scripts/change.sh` holds the mechanism; what is made here is its `steps.sh`, with every step and
its way back, and the files. A host needs a POSIX shell and `ip`, nothing of ours.
"""

from __future__ import annotations

import json
import shlex

from lvstui.realserver.facts import STATE
from lvstui.realserver.steps import ChangeFile, HostPlan, HostStep, MoveAddress, Run, SetSysctl
from lvstui.remote import guarded
from lvstui.remote.guarded import BUSY, UNWRITABLE

TX = f"{STATE}/tx"
TIMER_S = 60
"""Seconds after which a host's timer takes everything back unless lvstui confirms."""
SHORTEST_S, LONGEST_S = 15, 900


def script(name: str) -> str:
    """One of those for real servers."""
    return guarded.packaged("lvstui.realserver", f"scripts/{name}")


_STANDING = f"""\
standing() {{
  T={TX}
  [ -d $T ] || return 0
  echo tx $(ls $T)
  ! other_boot || echo "tx-boot other"
  ! guarded || echo "tx-guard yes"
  REPLY=; line $T/trouble && echo "tx-trouble $REPLY"
}}
"""


def look() -> str:
    """The script of one look at a host; what `look.sh` wants comes before it."""
    return guarded.script() + _STANDING + script("look.sh")


def standing() -> str:
    """A script that tells of the change under way what `parse.unfinished` reads."""
    return guarded.script() + _STANDING + "standing\n"


def begin(plan: HostPlan, timer_s: int = TIMER_S) -> str:
    """Lay the change out on the host and arm its timer; nothing is changed yet.

    Prints `armed HOW`; exit status BUSY when another change is under way, UNWRITABLE when
    there is no room for it.
    """
    numbered = _files(plan)
    parts = {
        "change.sh": (guarded.script() + script("change.sh")).encode(),
        "steps.sh": steps(plan, timer_s).encode(),
        "plan.json": (json.dumps(plan.document(), indent=1) + "\n").encode(),
        "scratch": plan.scratch,
    }
    for number, change in numbered.items():
        if change.after is not None:
            parts[f"new/{number}"] = change.after
        if change.before is not None:
            parts[f"old/{number}"] = change.before
    lines = [
        "umask 077",
        f"mkdir -p {STATE} && chmod 700 {STATE} || exit {UNWRITABLE}",
        f"mkdir {TX} 2>/dev/null || {{ echo 'another change is under way'; exit {BUSY}; }}",
        f"{{ mkdir {TX}/new {TX}/old {TX}/before &&",
        *(f"{literal(data)} > {TX}/{name} &&" for name, data in parts.items()),
        f"sh {TX}/change.sh reserve && : > {TX}/armed && sync; }} ||",
        f"{{ rm -rf {TX}; rmdir {STATE} 2>/dev/null; echo 'no room for the change';"
        f" exit {UNWRITABLE}; }}",
        f"sh {TX}/change.sh arm || {{ rm -rf {TX}; echo 'no timer can be set'; exit 1; }}",
    ]
    return "\n".join(lines) + "\n"


def phase(word: str, why: str = "") -> str:
    """Run one phase: live, commit, revert, stop (see `guarded.phase`)."""
    return guarded.phase(TX, word, *filter(None, [why]))


def steps(plan: HostPlan, timer_s: int) -> str:
    """The plan's own part: live, save_all, commit, their ways back, and `release_all`."""
    numbers = {id(change): number for number, change in _files(plan).items()}
    save, release = [], []
    for number, change in _files(plan).items():
        path = shlex.quote(change.path)
        release.append(f"release_file {number} {path}")
        save += [f"expect_file {number} {path}", f"save_file {number} {path}"]
        if change.keep:
            save.append(f"keep_file {number} {shlex.quote(change.keep)}")
    lasting = [step for step in plan.commit if not isinstance(step, Run)]
    back_commit = [
        *(_run(run, "maybe") for run in plan.back),
        *(_step(step, numbers, back=True) for step in reversed(lasting)),
        *(_run(run, "maybe") for run in plan.back_after),
    ]
    functions = {
        "live": [_step(step, numbers) for step in plan.live],
        "save_all": save,
        "commit": [_step(step, numbers) for step in plan.commit],
        "back_commit": back_commit,
        "back_live": [_step(step, numbers, back=True) for step in reversed(plan.live)],
        "release_all": release,
    }
    return guarded.steps([f"TIMER={timer_s}"], functions)


def _files(plan: HostPlan) -> dict[int, ChangeFile]:
    found = [step for step in plan.steps if isinstance(step, ChangeFile)]
    return dict(enumerate(found, 1))


def _run(run: Run, word: str = "") -> str:
    word = word or ("must" if run.must else "maybe")
    return f"{word} {shlex.quote(run.why or run.script)} {shlex.quote(run.script)}"


def _step(step: HostStep, numbers: dict[int, int], *, back: bool = False) -> str:
    """What does a step, or takes it back."""
    if isinstance(step, SetSysctl):
        value = step.before if back else step.after
        return f"set_key {shlex.quote(step.key)} {shlex.quote(value)}"
    if isinstance(step, MoveAddress):
        word = "take_off" if step.add is back else "put_on"
        command = shlex.quote(step.back if back else step.do)
        return f"{word} {shlex.quote(f'{step.vip}/{step.prefix}')} {command}"
    if isinstance(step, Run):
        return ":" if back else _run(step)
    number, path = numbers[id(step)], shlex.quote(step.path)
    if back:
        return f"restore_file {number} {path}"
    if step.after is None:
        return f"drop_file {number} {path}"
    return f"put_file {number} {path} {step.mode:o} {shlex.quote(step.owner)}"


def literal(data: bytes) -> str:
    """A printf command that prints exactly these bytes, in ASCII (no NUL)."""
    text = data.decode("latin-1").translate(_PRINTF)
    # A format that begins with a dash would be an option for some shells.
    if text.startswith("-"):
        text = f"\\055{text[1:]}"
    return f"printf '{text}'"


_PRINTF = {
    code: f"\\{code:03o}"
    for code in range(256)
    if chr(code) in "\\'" or (chr(code) != "\n" and not 0x20 <= code < 0x7F)
} | {ord("%"): "%%"}
"""What a byte becomes in a format in single quotes; all others stand for themselves."""
