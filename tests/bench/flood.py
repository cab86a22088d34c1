"""lvstui in a flood: 10,000 lines of log a second, 5,000 adverts a second, 4,000 removals at once.

The console runs over a table of 4,000 real servers in a file; another process is the flood. How
long a key takes meanwhile is measured at the terminal, and how long after the end of the flood the
picture is true again in a watcher of its own: nothing waits any more, and the last that happened is
in it.
"""

from __future__ import annotations

import json
import os
import socket
import struct
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from lvstui.operations.weight_changes import WeightChanges
from lvstui.process.memory import one_arena
from lvstui.sources.base import Context, Source
from lvstui.sources.log import LogSource
from lvstui.sources.log_places import LogPlace
from lvstui.sources.proc import ProcTable
from lvstui.sources.wire import WireSource
from lvstui.tui.app import LvstuiApp
from lvstui.watch import Watcher
from tests.bench.surroundings import Surroundings
from tests.bench.synthetic import PER_SERVICE, Table
from tests.bench.terminal import measure

SERVERS = 4000
FLOOD_S = 8.0
LINES_PER_S = 10_000
ADVERTS_PER_S = 5_000
KINDS = ("quiet", "log", "adverts", "removals")


class UdpWire(WireSource):
    """What comes by UDP on the loopback instead of what a packet socket hears."""

    def __init__(self, port: int) -> None:
        self._port = port

    def run(self, context: Context) -> None:
        with _Datagrams(socket.AF_INET, socket.SOCK_DGRAM) as sock:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 18)
            sock.bind(("127.0.0.1", self._port))
            sock.setblocking(False)
            self._listen(sock, context)


class _Datagrams(socket.socket):
    """Says of each that it came on eth0."""

    def recvfrom(self, size: int, flags: int = 0) -> tuple[bytes, Any]:
        return super().recvfrom(size, flags)[0], ("eth0", 0, 0)


def sources(folder: Path, port: int) -> list[Source]:
    table = str(folder / "ip_vs")
    place = LogPlace("file", (str(folder / "syslog"),))
    log = LogSource(lambda: 0, place=lambda _: place)
    return [ProcTable(table), Surroundings(table), log, UdpWire(port)]


def dotted(number: int) -> str:
    return ".".join(map(str, number.to_bytes(4, "big")))


def address(server: int) -> str:
    return dotted(0x0A800000 + server)


def _line(text: str) -> str:
    stamp = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime())
    return f"{stamp}.000000+00:00 lb1 Keepalived_healthcheckers[5]: {text}\n"


def _advert(number: int) -> bytes:
    """VRID 51, priority 100, from an address of that number."""
    body = struct.pack("!BBBBBBH", 0x21, 51, 100, 1, 0, 1, 0) + bytes((10, 9, 0, 100))
    body += bytes(8)
    source = bytes((10, 99, number >> 8 & 255, number & 255))
    head = struct.pack("!BBHHHBBH", 0x45, 0xC0, 20 + len(body), 1, 0, 255, 112, 0)
    return head + source + bytes((224, 0, 0, 18)) + body


def flood(kind: str, folder: Path, port: int) -> None:
    """The other process: FLOOD_S long, then what happened last."""
    end = time.monotonic() + FLOOD_S
    with (folder / "syslog").open("a", buffering=1 << 20) as log:
        if kind == "log":
            number = 0
            while time.monotonic() < end:
                for _ in range(LINES_PER_S // 20):
                    number += 1
                    where = address(number % SERVERS)
                    log.write(_line(f"TCP connection to [{where}]:tcp:80 failed {number}."))
                log.flush()
                time.sleep(0.05)
        elif kind == "adverts":
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
                number = 0
                while time.monotonic() < end:
                    for _ in range(ADVERTS_PER_S // 50):
                        number += 1
                        sock.sendto(_advert(number), ("127.0.0.1", port))
                    time.sleep(0.02)
        elif kind == "removals":
            table = Table(SERVERS)
            head = table.text().split("TCP ", 1)[0]
            for server in range(SERVERS):
                service = ".".join(
                    map(str, (0x0A0A0000 + server // PER_SERVICE).to_bytes(4, "big"))
                )
                what = f"[{address(server)}]:tcp:80"
                log.write(_line(f"TCP_CHECK on service {what} failed."))
                log.write(_line(f"Removing service {what} from VS [{service}]:tcp:80"))
            log.flush()
            services = "".join(
                f"TCP  {0x0A0A0000 + number:08X}:0050 wrr \n" for number in range(table.services)
            )
            (folder / "new").write_text(head + services)
            os.replace(folder / "new", folder / "ip_vs")
        else:
            time.sleep(FLOOD_S)
        log.write(_line("(LAST) Entering MASTER STATE"))


def inside(kind: str, folder: Path, port: int) -> None:
    """A watcher without a screen; prints how long after the end of the flood it was true again."""
    with Watcher(sources(folder, port), host="bench", interval_s=1.0) as watcher:
        watcher.wait_for(lambda picture: bool(picture.services), 60)
        lags: list[float] = []
        watcher.subscribe(lambda picture: lags.append(picture.lag_s))
        time.sleep(2)
        subprocess.run(_module("flood", kind, folder, port), check=True)
        ended = time.monotonic()

        def true(picture: Any) -> bool:
            gone = not any(server.in_kernel for s in picture.services for server in s.servers)
            last = any("LAST is MASTER" in event.text for event in picture.events)
            return last and (kind != "removals" or gone)

        watcher.wait_for(lambda picture: true(picture) and picture.lag_s < 0.1, 60)
        late = time.monotonic() - ended
        reasons = sum(
            bool(server.reason.startswith("TCP_CHECK"))
            for s in watcher.picture.services
            for server in s.servers
        )
        figures = {
            "true_after_s": round(late, 2),
            "worst_lag_s": round(max(lags, default=0.0), 2),
            "pictures": len(lags),
            "with_reason": reasons,
            "left_out": dict(watcher.picture.overruns),
            "resident_mb": round(watcher.picture.cost.resident_bytes / 1e6),
        }
    print(json.dumps(figures))


def _module(*words: object) -> list[str]:
    return [sys.executable, "-m", "tests.bench.flood", *map(str, words)]


@contextmanager
def _site() -> Iterator[tuple[Path, int]]:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "syslog").write_text("")
        Table(SERVERS).write(folder / "ip_vs")
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
            sock.bind(("127.0.0.1", 0))
            port = sock.getsockname()[1]
        yield folder, port


def main() -> None:
    """Each flood; the quiet row is what keys take without one."""
    for kind in KINDS:
        with _site() as (folder, port):
            begin = partial(subprocess.Popen, _module("flood", kind, folder, port))
            keys = [(b"j", f"10.128.0.{n}:80".encode()) for n in range(9)]
            keys += [
                (b"kj"[n % 2 : n % 2 + 1], f"10.128.0.{7 + n % 2}:80".encode()) for n in range(30)
            ]
            app = _module("app", folder, port)
            figures = measure(
                app, b"10.128.0.1:80", settle_s=3, steady_s=0.2, keys=keys, before_keys=begin
            )
        with _site() as (folder, port):
            words = _module("inside", kind, folder, port)
            done = subprocess.run(words, capture_output=True, text=True, check=False)
        print(
            f"{kind:<10} key p50 {figures.key_p50_ms:.0f} ms, p95 {figures.key_p95_ms:.0f} ms;"
            f" {done.stdout.strip() or done.stderr[-300:]}",
            flush=True,
        )


def _app(folder: Path, port: int) -> None:
    one_arena()
    with Watcher(sources(folder, port), host="bench") as watcher:
        LvstuiApp(watcher, WeightChanges(read_only=True)).run()


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["flood", kind, name, number]:
            flood(kind, Path(name), int(number))
        case ["inside", kind, name, number]:
            inside(kind, Path(name), int(number))
        case ["app", name, number]:
            _app(Path(name), int(number))
        case _:
            main()
