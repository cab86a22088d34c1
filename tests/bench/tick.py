"""One tick of lvstui beside one `ipvsadm -Ln`, in the same guest, on the same kernel table.

A tick is what happens each second: read the table, parse it, find the difference, make the
picture. Before each one a hundred real connections are opened through the virtual services (real
servers that never answer), so that there is a difference to find; in a second row a hundred
weights are changed, which changes the shares of every server in those services.
"""

from __future__ import annotations

import contextlib
import itertools
import json
import random
import socket
import statistics
import subprocess
import sys
import time
from pathlib import Path

from lvstui.kernel.table import PATH, TableFile, TableReader
from lvstui.lab import Topology
from lvstui.model.facts import Observation, TableSeen
from lvstui.model.knowledge import Knowledge
from lvstui.sources.base import Context
from tests.bench.surroundings import Surroundings
from tests.labs import Lab

ROOT = Path(__file__).parents[2]
SERVICES, SERVERS, CHANGED, ROUNDS = 1000, 10, 100, 15


def main() -> dict[str, float]:
    """The figures, in ms."""
    # One director: with several tables in one kernel /proc/net/ip_vs leaves services out.
    with Lab(Topology(directors=("lb1",)), memory_mb=2048) as lab:
        lab.connection.wait_phase("ssh", 60)
        command = f"exec {sys.executable} -m tests.bench.tick --inside"
        done = lab.run("lb1", command, timeout=600, env={"PYTHONPATH": str(ROOT)})
    figures: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return figures


def _address(number: int) -> str:
    return f"10.20.{number // 250}.{number % 250 + 1}:80"


def _restore(lines: list[str]) -> None:
    subprocess.run(["ipvsadm", "-R"], input="\n".join(lines) + "\n", text=True, check=True)


def _connect(service: int) -> socket.socket:
    """Begin a connection to that service; nobody will answer."""
    host, _, port = _address(service).partition(":")
    one = socket.socket()
    one.setblocking(False)
    with contextlib.suppress(OSError):
        one.connect((host, int(port)))
    return one


def inside() -> None:
    """The half that runs on lb1."""
    lines = []
    for service in range(SERVICES):
        lines.append(f"-A -t {_address(service)} -s wrr")
        lines += [
            f"-a -t {_address(service)} -r 10.30.{server}.{service % 250 + 1}:80 -g -w 10"
            for server in range(SERVERS)
        ]
    _restore(lines)
    chance = random.Random(1)
    file, reader, known = TableFile(), TableReader(), Knowledge("lb1")
    Surroundings(PATH).run(Context("lb1", known.learn))

    def tick() -> list[float]:
        marks = [time.perf_counter()]
        text = file.read()
        marks.append(time.perf_counter())
        table = reader.parse(text)
        marks.append(time.perf_counter())
        known.learn(Observation(time.time(), "lb1", "proc", TableSeen(table)))
        known.picture(time.time())
        marks.append(time.perf_counter())
        return [(b - a) * 1000 for a, b in itertools.pairwise(marks)]

    tick()
    seen = sum(len(s.servers) for s in known.picture(time.time()).services)
    subprocess.run(
        ["ip", "-batch", "-"],
        input="route add local 10.20.0.0/16 dev lo\nlink add void0 type dummy\n"
        "link set void0 up\nroute add 10.30.0.0/16 dev void0\n",
        text=True,
        check=True,
    )
    ours, weighed, theirs = [], [], []
    for _ in range(ROUNDS):
        sockets = [_connect(chance.randrange(SERVICES)) for _ in range(CHANGED)]
        for one in sockets:
            one.close()
        time.sleep(0.5)
        ours.append(tick())
        began = time.perf_counter()
        subprocess.run(["ipvsadm", "-Ln"], stdout=subprocess.DEVNULL, check=True)
        theirs.append((time.perf_counter() - began) * 1000)
        edits = []
        for _ in range(CHANGED):
            service, server = chance.randrange(SERVICES), chance.randrange(SERVERS)
            edits.append(
                f"-e -t {_address(service)} -r 10.30.{server}.{service % 250 + 1}:80 -g "
                f"-w {chance.randrange(1, 100)}"
            )
        _restore(edits)
        time.sleep(0.5)
        weighed.append(sum(tick()))
    counted = sum(s.active + s.inactive for s in known.picture(time.time()).services)
    parts = [statistics.median(column) for column in zip(*ours, strict=True)]
    whole = statistics.median(sum(row) for row in ours)
    peer = statistics.median(theirs)
    figures = {
        "real_servers": seen,
        "read_ms": parts[0],
        "parse_ms": parts[1],
        "merge_ms": parts[2],
        "tick_ms": whole,
        "ipvsadm_ms": peer,
        "ratio": peer / whole,
        "tick_weights_ms": statistics.median(weighed),
        "ratio_weights": peer / statistics.median(weighed),
        "connections_seen": counted,
    }
    print(json.dumps({name: round(value, 2) for name, value in figures.items()}))


if __name__ == "__main__":
    if sys.argv[1:2] == ["--inside"]:
        inside()
    else:
        print(json.dumps(main(), indent=1))
