"""All figures beside their peers: `python -m tests.bench [tick|failover|console|config] …`.

Let nothing else run meanwhile. Only ratios within one run mean anything.
"""

from __future__ import annotations

import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from tests.bench import config, failover, tick
from tests.bench.terminal import Figures, measure

KEYS = 60


def _row(name: str, figures: Figures) -> str:
    p50 = f"{figures.key_p50_ms:.0f}" if figures.key_p50_ms is not None else "–"
    p95 = f"{figures.key_p95_ms:.0f}" if figures.key_p95_ms is not None else "–"
    return (
        f"{name:<28}{figures.cpu_share:>8.1%}{figures.resident_mb:>10.0f}"
        f"{figures.first_paint_ms:>13.0f}{p50:>9}{p95:>9}{figures.bytes_per_s / 1000:>10.1f}"
    )


def console(sizes: Sequence[int] = (100, 10_000, 50_000)) -> None:
    """lvstui, a DataTable and an empty app over tables of several sizes; top beside them."""
    python = sys.executable
    print(
        f"{'200x60, 1 Hz, 1 % change':<28}{'CPU':>8}{'RSS MB':>10}{'paint ms':>13}"
        f"{'key p50':>9}{'p95 ms':>9}{'kB/s':>10}"
    )
    peers = [("top", ["top", "-d", "1"], b"PID"), ("htop", ["htop", "-d", "10"], b"PID")]
    for name, command, ready in peers:
        if shutil.which(name):
            print(_row(name, measure(command, ready)), flush=True)
    if shutil.which("hatop") and shutil.which("haproxy"):
        for count in (100, 950):  # it shows no more than about 1000
            hatop(count)
    empty = [python, "-m", "tests.bench.peers", "empty"]
    print(_row("empty Textual app", measure(empty, b"empty application")), flush=True)
    for size in sizes:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "ip_vs"
            command = [python, "-m", "tests.bench.synthetic", str(size), str(path)]
            changer = subprocess.Popen(command)
            try:
                while not path.exists():
                    time.sleep(0.05)
                # The cursor begins on the first service; each `j` makes the next row the one that
                # is drawn anew, with its address.
                keys = [(b"j", f"10.128.0.{n}:80".encode()) for n in range(10)]
                keys += [
                    (b"k" if (n // 9) % 2 == 0 else b"j", f"10.128.0.{_bounce(n)}:80".encode())
                    for n in range(KEYS - 10)
                ]
                app = [python, "-m", "tests.bench.console", str(path)]
                name = f"lvstui {size:,}".replace(",", " ")
                print(_row(name, measure(app, b"10.128.0.1:80", keys=keys)), flush=True)
                table = [python, "-m", "tests.bench.peers", "datatable", str(path)]
                name = f"DataTable {size:,}".replace(",", " ")
                print(_row(name, measure(table, b"10.128.0.1:80", settle_s=15)), flush=True)
            finally:
                changer.kill()
                changer.wait()


def hatop(count: int) -> None:
    """HATop over a real HAProxy with that many servers (no traffic, no checks)."""
    with tempfile.TemporaryDirectory() as folder:
        stats = f"{folder}/stats"
        servers = "\n".join(f"  server s{n} 127.0.0.1:{10000 + n}" for n in range(count))
        config = Path(folder) / "haproxy.cfg"
        config.write_text(
            f"global\n  stats socket {stats}\ndefaults\n  mode tcp\n  timeout connect 1s\n"
            f"  timeout client 1s\n  timeout server 1s\nbackend web\n{servers}\n"
        )
        proxy = subprocess.Popen(["haproxy", "-db", "-f", str(config)], stderr=subprocess.DEVNULL)
        try:
            while not Path(stats).exists():
                time.sleep(0.05)
            figures = measure(["hatop", "-s", stats, "-i", "1"], b"s0", steady_s=10)
            print(_row(f"HATop {count}", figures), flush=True)
        finally:
            proxy.kill()
            proxy.wait()


def _bounce(number: int) -> int:
    """Up from row 9 to row 0 and down again, a step at a time."""
    position = number % 18
    return 8 - position if position < 9 else position - 8


def main() -> None:
    """Those that are named, or all."""
    wanted = sys.argv[1:] or ["tick", "console", "failover", "config"]
    if "tick" in wanted:
        figures = tick.main()
        print(f"one tick at {figures['real_servers']:.0f} real servers, in one guest:")
        print("  " + ", ".join(f"{name} {value}" for name, value in figures.items()), flush=True)
    if "console" in wanted:
        console()
    if "failover" in wanted:
        delays = failover.main()
        print(
            f"address event to MASTER on the screen: median {statistics.median(delays):.0f} ms, "
            f"worst {max(delays):.0f} ms of {len(delays)}"
        )
    if "config" in wanted:
        config.main()


if __name__ == "__main__":
    main()
