"""`python -m tests.soak [--minutes 30] [--no-lab]`: a long sitting at the console.

The console runs in a terminal on lb2 of a lab; every 2 s it gets a key (screens, dialogs, cursor;
nothing is ever applied), every 8 s something in the cluster breaks or is healed. With --no-lab it
shows a made-up site that only counts. Each half minute a line: memory, open files, threads.

It ends with status 1 when the figures are not flat. The first third of the time caches fill. In
the rest memory may not grow by more than 4 MB, by the straight line that fits it best; open files
and threads at the end may not be more than at the worst moment of the first half, plus two.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import time
from itertools import cycle
from pathlib import Path

from tests.bench.terminal import Terminal
from tests.labs import Lab

ROOT = Path(__file__).parents[2]
KEY_S, FAULT_S, LINE_S = 2.0, 8.0, 30.0
GROWTH_MB, MORE = 4.0, 2
ESC = b"\x1b"
KEYS = (
    b"?",
    ESC,
    b"j",
    b"\r",
    ESC,
    b"W",
    ESC,
    b"\x10",
    ESC,
    b"d",
    ESC,
    b"2",
    b"?",
    ESC,
    b"7",
    b"j",
    b"\r",
    ESC,
    b"4",
    b"j",
    b"H",
    ESC,
    b"1",
    b"T",
    ESC,
    b"j",
    b"s",
    ESC,
    b"x",
    ESC,
    b"5",
    b"j",
    b"\r",
    ESC,
    b"1",
    b"w",
    ESC,
    b"G",
    b"g",
    b"f",
    ESC,
    b"\x0c",
)
FAULTS = (
    ("stop", "rs1"),
    ("start", "rs1"),
    ("kill-keepalived", "lb1"),
    ("heal", ""),
    ("hang", "rs2"),
    ("start", "rs2"),
    ("unplug", "lb1"),
    ("plug", "lb1"),
    ("split", ""),
    ("unsplit", ""),
    ("unplug", "rs3"),
    ("plug", "rs3"),
    ("stop-keepalived", "lb2"),
    ("start-keepalived", "lb2"),
)

Line = dict[str, float]


def inside(minutes: float, command: list[str]) -> list[Line]:
    """Sit at the console and print its figures as lines of JSON."""
    lines: list[Line] = []
    terminal = Terminal(command, 120, 40)
    try:
        terminal.wait_for(b"Services", 90)
        began = time.monotonic()
        keys, next_line = cycle(KEYS), 0.0
        while (passed := time.monotonic() - began) < minutes * 60:
            if passed >= next_line:
                next_line += LINE_S
                lines.append(figures(terminal, passed))
                print(json.dumps(lines[-1]), flush=True)
            terminal.send(next(keys))
            time.sleep(KEY_S)
    finally:
        terminal.close()
    return lines


def figures(terminal: Terminal, passed: float) -> Line:
    """What it takes now. Raises FileNotFoundError when the console has ended."""
    folder = Path(f"/proc/{terminal.pid}")
    status = dict(line.split(":", 1) for line in (folder / "status").read_text().splitlines())
    if status["State"].split()[0] == "Z":
        raise FileNotFoundError("the console has ended")
    return {
        "seconds": round(passed),
        "mb": round(terminal.resident_mb(), 1),
        "files": len(list((folder / "fd").iterdir())),
        "threads": int(status["Threads"]),
    }


def verdict(lines: list[Line]) -> list[str]:
    """What is not flat; empty: all is well."""
    late = lines[len(lines) // 3 :]
    if len(late) < 3:
        return ["too short to say: three lines are needed after the first third"]
    slope = statistics.linear_regression(
        [line["seconds"] for line in late], [line["mb"] for line in late]
    ).slope
    grown = slope * (late[-1]["seconds"] - late[0]["seconds"])
    bad = [f"memory grew by {grown:.1f} MB after the first third"] if grown > GROWTH_MB else []
    half = len(lines) // 2
    for name in ("files", "threads"):
        before, after = max(line[name] for line in lines[:half]), lines[-1][name]
        if after > before + MORE:
            bad.append(f"{name}: {after:.0f}, at most {before:.0f} in the first half")
    return bad


def in_the_lab(minutes: float) -> list[Line]:
    """The other half: a lab, and what breaks in it."""
    lines: list[Line] = []
    with Lab() as lab:
        lab.wait_all_up()
        sitting = lab.spawn(
            "lb2",
            f"exec {sys.executable} -m tests.soak --inside --minutes {minutes}",
            env={"PYTHONPATH": str(ROOT)},
        )
        faults, shown, next_fault = cycle(FAULTS), 0, time.monotonic() + FAULT_S
        while sitting.status is None:
            if time.monotonic() >= next_fault:
                next_fault += FAULT_S
                name, node = next(faults)
                lab.fault(name, node)
            time.sleep(0.5)
            text = sitting.output().decode(errors="replace")
            for line in text[: text.rfind("\n") + 1].splitlines()[shown:]:
                shown += 1
                print(line, flush=True)
                if line.startswith("{"):
                    lines.append(json.loads(line))
        if sitting.status:
            raise SystemExit(f"the console ended: status {sitting.status}")
    return lines


def main() -> int:
    """Sit for as long as was asked, then judge."""
    parser = argparse.ArgumentParser(prog="tests.soak")
    parser.add_argument("--minutes", type=float, default=30)
    parser.add_argument("--no-lab", action="store_true", help="a made-up site, nothing breaks")
    parser.add_argument("--inside", action="store_true", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.inside:
        inside(asked.minutes, [sys.executable, "-m", "lvstui"])
        return 0
    if asked.no_lab:
        bad = verdict(inside(asked.minutes, [sys.executable, "-m", "tests.ui.fakes"]))
    else:
        bad = verdict(in_the_lab(asked.minutes))
    print("\n".join(bad) if bad else "flat: memory, open files and threads")
    return bool(bad)


if __name__ == "__main__":
    sys.exit(main())
