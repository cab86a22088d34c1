"""`python -m tests.truth [--minutes N] [--seed S] [--steps K] [--kept]`: random clusters.

Each case has a seed: its site, its acts. After every act has settled, what `lvstui status` says on
each director, a fresh run and one that has watched all the while, is compared with what is so
(tests/truth/oracle.py) by the rules in tests/truth/rules. Each disagreement is printed with its
seed and step; the first of each kind is made smaller at the end. Status 1 when there was one.

With --seed that case is replayed; with --minutes too, it and those that come after it. With --kept
the cases of tests/truth/cases.py are run: those that once found a fault.
"""

from __future__ import annotations

import argparse
import sys
import time

from lvstui.lab import LabError
from tests.truth.cases import MENDED, OPEN
from tests.truth.episode import Found, case_of, run, still
from tests.truth.shrink import shrink

STEPS = 6
SHRINK_MINUTES = 4.0


def main() -> int:
    """Look for falsehoods."""
    parser = argparse.ArgumentParser(prog="tests.truth")
    parser.add_argument("--minutes", type=float, help="for so long (default: 10, or one seed)")
    parser.add_argument("--seed", type=int, help="the first seed")
    parser.add_argument("--steps", type=int, default=STEPS, help=f"acts of a case ({STEPS})")
    parser.add_argument("--release", help="keepalived of that Debian release")
    parser.add_argument("--no-shrink", action="store_true", help="leave cases as they are")
    parser.add_argument("--kept", action="store_true", help="the cases that once found a fault")
    asked = parser.parse_args()
    if asked.release:
        parser.error("the lab knows no releases yet")
    if asked.kept:
        return _kept()
    minutes = asked.minutes if asked.minutes is not None else 10.0
    one = asked.seed is not None and asked.minutes is None
    seed = asked.seed if asked.seed is not None else int(time.time()) % 1_000_000
    end = float("inf") if one else time.monotonic() + minutes * 60
    kinds: dict[str, Found] = {}
    count = done = 0
    while time.monotonic() < end:
        case = case_of(seed, asked.steps)
        _say(f"seed {seed}: {case.site}")
        try:
            found = run(case, tell=_say, end=end)
        except LabError as error:
            _say(f"seed {seed}: {error}")
            found = []
        for disagreement in found:
            if disagreement.kind not in kinds:
                kinds[disagreement.kind] = disagreement
                _say(str(disagreement))
        count, done = count + len(found), done + len(case.acts)
        if one:
            break
        seed += 1
    _say(f"{done} acts, {count} disagreements of {len(kinds)} kinds")
    for kind, first in kinds.items():
        _say(f"{kind}\n{first}")
        if not asked.no_shrink:
            small = shrink(first, still, time.monotonic() + SHRINK_MINUTES * 60, _say)
            _say(f"  smallest: {small.site}\n  {small}")
    return bool(kinds)


def _kept() -> int:
    """Those that were mended, then those that are open."""
    bad = 0
    for what, case in {**MENDED, **OPEN}.items():
        _say(what)
        found = run(case, tell=_say)
        bad += bool(found)
        _say(f"{len(found)} disagreements" if found else "none, it is mended")
    return bool(bad)


def _say(text: str) -> None:
    print(time.strftime("%H:%M:%S ") + text, flush=True)


if __name__ == "__main__":
    sys.exit(main())
