"""The real console over a table in a file: `console.py PATH`.

Only the kernel and the daemon are stood in for; reading, merging and drawing are what operators
run.
"""

from __future__ import annotations

import sys

from lvstui.operations.weight_changes import WeightChanges
from lvstui.process.memory import one_arena
from lvstui.sources.proc import ProcTable
from lvstui.tui.app import LvstuiApp
from lvstui.watch import Watcher
from tests.bench.surroundings import Surroundings


def main() -> None:
    """Run it."""
    one_arena()
    path = sys.argv[1]
    with Watcher([ProcTable(path), Surroundings(path)], host="bench") as watcher:
        LvstuiApp(watcher, WeightChanges(read_only=True)).run()


if __name__ == "__main__":
    main()
