"""Address and link events: the real kernel in a namespace of its own."""

from __future__ import annotations

import ctypes
import os
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Iterator

import pytest

from lvstui.model.facts import AddressChanged, AddressesSeen, Fact, LinkChanged, Observation
from lvstui.sources.addresses import AddressSource
from lvstui.sources.base import Context


class Thread:
    """The source in a thread that has a network namespace of its own."""

    def __init__(self) -> None:
        self.seen: list[Observation] = []
        self.context = Context("lb1", self.seen.append)
        self.net = ""
        self.ready = threading.Event()
        self.thread = threading.Thread(target=self._run)
        self.thread.start()
        assert self.ready.wait(2)

    def _run(self) -> None:
        if ctypes.CDLL(None).unshare(0x40000000) == 0:  # CLONE_NEWNET, this thread only
            self.net = f"/proc/{os.getpid()}/task/{threading.get_native_id()}/ns/net"
        self.ready.set()
        if self.net:
            AddressSource().run(self.context)

    def ip(self, *words: str) -> None:
        subprocess.run(["nsenter", f"--net={self.net}", "ip", *words], check=True)

    def wait_for(self, fact: Fact) -> Observation:
        deadline = time.monotonic() + 3
        while time.monotonic() < deadline:
            for observation in self.seen:
                if observation.fact == fact:
                    return observation
            time.sleep(0.002)
        raise AssertionError(f"no {fact} in {[o.fact for o in self.seen]}")


@pytest.fixture
def own() -> Iterator[Thread]:
    if os.geteuid() != 0 or not shutil.which("nsenter") or not shutil.which("ip"):
        pytest.skip("needs root, nsenter and ip")
    thread = Thread()
    try:
        if not thread.net:
            pytest.skip("no network namespaces here")
        yield thread
    finally:
        thread.context.stop.set()
        thread.thread.join(30)
        assert not thread.thread.is_alive()


def test_events_of_the_kernel(own: Thread) -> None:
    own.wait_for(AddressesSeen(()))
    own.wait_for(LinkChanged("lo", False))
    assert own.seen[-1].past
    own.ip("link", "set", "lo", "up")
    own.wait_for(LinkChanged("lo", True))
    own.wait_for(AddressChanged("lo", "127.0.0.1", 8, True))
    own.ip("address", "add", "10.10.0.20/32", "dev", "lo")
    own.wait_for(AddressChanged("lo", "10.10.0.20", 32, True))
    own.ip("address", "del", "10.10.0.20/32", "dev", "lo")
    own.wait_for(AddressChanged("lo", "10.10.0.20", 32, False))
    own.ip("address", "add", "fd00::20/128", "dev", "lo", "nodad")
    own.wait_for(AddressChanged("lo", "fd00::20", 128, True))
    # An update of the same address is no event.
    count = len(own.seen)
    own.ip(
        "address", "change", "fd00::20/128", "dev", "lo", "valid_lft", "99", "preferred_lft", "9"
    )
    time.sleep(0.1)
    assert len(own.seen) == count


def test_lost_events_lead_to_a_new_look(own: Thread, monkeypatch: pytest.MonkeyPatch) -> None:
    from lvstui.sources import addresses

    own.wait_for(AddressesSeen(()))
    real = addresses._receive
    lost: list[bytes | None] = []

    def lossy(sock: socket.socket) -> bytes | None:
        data = real(sock)
        if not lost:
            lost.append(data)
            return None
        return data

    monkeypatch.setattr(addresses, "_receive", lossy)
    own.ip("link", "set", "lo", "up")
    deadline = time.monotonic() + 3
    while time.monotonic() < deadline:
        dumps = [o.fact for o in own.seen if isinstance(o.fact, AddressesSeen)]
        if len(dumps) > 1 and ("lo", "127.0.0.1", 8) in dumps[-1].addresses:
            break
        time.sleep(0.01)
    else:
        raise AssertionError(own.seen)
    own.wait_for(LinkChanged("lo", True))
