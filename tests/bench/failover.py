"""From the address event to MASTER on the screen, on the director that takes over.

`failover.py` starts a lab and pulls lb1's cable some times; its other half runs on lb2, with
lvstui in a terminal there, and compares the moment the VIP arrived (as `ip monitor` saw it) with
the moment the word MASTER was written to the terminal. One clock, one machine.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import threading
import time
from datetime import datetime
from pathlib import Path

from tests.bench.terminal import Terminal
from tests.labs import Lab

ROOT = Path(__file__).parents[2]
ROUNDS = 5
VIP = "10.10.0.20"


def main() -> list[float]:
    """Milliseconds of each round."""
    with Lab() as lab:
        lab.wait_all_up()
        command = f"exec {sys.executable} -m tests.bench.failover --inside"
        watcher = lab.spawn("lb2", command, env={"PYTHONPATH": str(ROOT)})
        watcher.wait_output("ready", 60)
        time.sleep(5)
        for number in range(ROUNDS):
            lab.fault("unplug", "lb1")
            deadline = time.monotonic() + 30
            while watcher.output().count(b"delay") <= number:
                if time.monotonic() > deadline:
                    raise SystemExit(f"no takeover was seen: {watcher.output()!r}")
                time.sleep(0.1)
            lab.fault("plug", "lb1")
            lab.wait("lb2", f"! ip addr show eth0 | grep -q {VIP}", timeout=30)
            time.sleep(3)
        watcher.kill()
        lines = watcher.output().decode().splitlines()
    return [json.loads(line)["delay_ms"] for line in lines if line.startswith("{")]


def inside() -> None:
    """The half that runs on lb2."""
    terminal = Terminal([sys.executable, "-m", "lvstui"], 120, 40)
    terminal.wait_for(b"BACKUP", 60)
    monitor = subprocess.Popen(
        ["ip", "-ts", "monitor", "address"], stdout=subprocess.PIPE, text=True
    )
    assert monitor.stdout is not None
    mark = terminal.count()
    seen: dict[str, float] = {}

    def screen() -> None:
        nonlocal mark
        at = terminal.wait_for(b"MASTER LB_1", 3600, mark)
        # perf_counter to wall clock, as the monitor prints it
        seen["screen"] = time.time() - (time.perf_counter() - at)

    print("ready", flush=True)
    watching = threading.Thread(target=screen, daemon=True)
    watching.start()
    for line in monitor.stdout:
        if VIP not in line:
            continue
        if "Deleted" in line:
            terminal.wait_for(b"BACKUP LB_1", 60, mark)
            mark = terminal.count()
            seen.clear()
            watching = threading.Thread(target=screen, daemon=True)
            watching.start()
            continue
        arrived = datetime.fromisoformat(line[1 : line.index("]")]).timestamp()
        watching.join(30)
        delay = (seen["screen"] - arrived) * 1000
        print(json.dumps({"delay_ms": round(delay, 1)}), flush=True)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--inside"]:
        inside()
    else:
        found = main()
        print("address event to MASTER on the screen, ms:", found)
        print(f"median {statistics.median(found):.0f}, worst {max(found):.0f}")
