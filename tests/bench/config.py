"""Reading a big keepalived.conf, changing one weight and writing it, beside `keepalived -t`."""

from __future__ import annotations

import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

SERVICES, SERVERS = 5_000, 10
RUNS = 5


def generate(services: int = SERVICES, servers: int = SERVERS) -> bytes:
    """A file as generators write it: so many services of so many real servers each."""
    lines = ["global_defs {", "    router_id lb1", "}"]
    for number in range(services):
        lines += [
            "",
            f"virtual_server 10.{number >> 8}.{number & 255}.1 80 {{ # service {number}",
            "    delay_loop 5",
            "    lb_algo wrr",
            "    lb_kind DR",
            "    protocol TCP",
        ]
        for inner in range(servers):
            at = number * servers + inner
            address = f"10.{100 + (at >> 16)}.{at >> 8 & 255}.{at & 255}"
            lines += [
                "",
                f"    real_server {address} 80 {{ # rs{at}",
                "        weight 10",
                "        TCP_CHECK {",
                "            connect_timeout 3",
                "        }",
                "    }",
            ]
        lines.append("}")
    return ("\n".join(lines) + "\n").encode()


def _timed(work: Callable[[], object]) -> float:
    """Median seconds of some runs, after one that does not count."""
    work()
    took = []
    for _ in range(RUNS):
        started = time.perf_counter()
        work()
        took.append(time.perf_counter() - started)
    return statistics.median(took)


def _keepalived() -> list[str] | None:
    """The installed program, or the one that the lab unpacked, ready to be run."""
    found = shutil.which("keepalived") or shutil.which("keepalived", path="/usr/sbin:/sbin")
    if found:
        return [found]
    from lvstui.lab.packages import ensure

    root = ensure(lambda text: None).folder
    libraries = f"LD_LIBRARY_PATH={root}/usr/lib/x86_64-linux-gnu:{root}/lib/x86_64-linux-gnu"
    return ["env", libraries, f"{root}/usr/sbin/keepalived"]


def change_one(source: Path, target: Path) -> None:
    """Read, give one real server in the middle another weight, write the whole file."""
    from lvstui.keepalived.edit.change import apply_edits
    from lvstui.keepalived.edit.intent import SetWeight
    from lvstui.keepalived.meaning.view import load_tree
    from lvstui.model.keys import ServerKey, ServiceKey

    tree = load_tree(str(source), config_id="lb1")
    half = SERVICES // 2
    service = ServiceKey("tcp", f"10.{half >> 8}.{half & 255}.1", 80, 0, 4)
    at = half * SERVERS + 3
    server = ServerKey(f"10.{100 + (at >> 16)}.{at >> 8 & 255}.{at & 255}", 80)
    change = SetWeight(service, server, 7).on(tree)
    files = {file.path: file.data for file in tree.files}
    (data,) = apply_edits(files, change.edits).values()
    with target.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def main() -> None:
    """Print seconds and ratios."""
    with tempfile.TemporaryDirectory() as folder:
        source, target = Path(folder) / "keepalived.conf", Path(folder) / "new.conf"
        source.write_bytes(generate())
        size = source.stat().st_size
        program = _keepalived()
        peer = _timed(
            lambda: subprocess.run(
                [*(program or ()), "-t", "-f", str(source)], check=False, capture_output=True
            )
        )
        ours = _timed(lambda: change_one(source, target))
        fresh = [sys.executable, "-m", "tests.bench.config", str(source), str(target)]
        process = _timed(lambda: subprocess.run(fresh, check=True))
        assert (
            sum(
                a != b
                for a, b in zip(
                    source.read_bytes().split(b"\n"), target.read_bytes().split(b"\n"), strict=True
                )
            )
            == 1
        )
        print(f"{SERVICES} services, {SERVICES * SERVERS} real servers, {size / 1e6:.1f} MB")
        print(f"{'keepalived -t':<44}{peer:>8.2f} s")
        print(f"{'parse, change one weight, write':<44}{ours:>8.2f} s{ours / peer:>8.2f} x")
        print(f"{'the same in a process of its own':<44}{process:>8.2f} s{process / peer:>8.2f} x")


if __name__ == "__main__":
    if len(sys.argv) == 3:
        change_one(Path(sys.argv[1]), Path(sys.argv[2]))
    else:
        main()
