"""The agent's end of a node, and of its line to the host."""

from __future__ import annotations

import contextlib
import json
import os
import select
import socket

from lvstui.lab import protocol
from lvstui.lab.inside import kernel, node

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

BRIDGE = "lan0"


class NodeProxy:
    def __init__(self, plan: dict[str, Any], item: dict[str, Any]) -> None:
        self.name: str = item["name"]
        self.role: str = item["role"]
        self.item = item
        self.port = "v" + self.name
        self.calls, their_calls = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.events, their_events = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        if os.fork() == 0:
            self._child(plan, item, their_calls, their_events)
        their_calls.close()
        their_events.close()
        self.netns = -1
        self.lab_socket: socket.socket | None = None

    def _child(
        self,
        plan: dict[str, Any],
        item: dict[str, Any],
        calls: socket.socket,
        events: socket.socket,
    ) -> None:
        flags = kernel.CLONE_NEWNS | kernel.CLONE_NEWUTS | kernel.CLONE_NEWIPC
        try:
            self.calls.close()
            self.events.close()
            kernel.unshare(flags | kernel.CLONE_NEWPID | kernel.CLONE_NEWNET)
            # Only a child of the caller of unshare is in the new PID namespace.
            if os.fork() == 0:
                node.main(plan, item, calls, events)
        except BaseException as error:
            import traceback

            traceback.print_exc()
            calls.send(json.dumps({"error": f"{item['name']}: {error}"}).encode())
        finally:
            os._exit(0)

    def wait_ready(self) -> None:
        """The node has its root; take its network namespace and its socket for $LVSTUI_LAB."""
        data, fds, _, _ = socket.recv_fds(self.calls, node.PACKET, 4)
        reply = json.loads(data or b'{"error": "it ended"}')
        if "error" in reply:
            raise OSError(f"node {self.name}: {reply['error']}")
        self.netns = fds[0]
        self.lab_socket = socket.socket(fileno=fds[1])

    def call(self, op: str, fds: list[int] | None = None, **words: Any) -> dict[str, Any]:
        """Ask the node; {"error": …} when it cannot."""
        socket.send_fds(self.calls, [json.dumps({"op": op, **words}).encode()], fds or [])
        data, given, _, _ = socket.recv_fds(self.calls, node.PACKET, 4)
        if not data:
            return {"error": f"node {self.name} is gone"}
        reply: dict[str, Any] = json.loads(data)
        if given:
            reply["fd"] = given[0]
        return reply


class AgentLine:
    """The agent's line to the host, its nodes, and the descriptors that it waits for."""

    def __init__(self, plan: dict[str, Any], line: int) -> None:
        self.plan = plan
        self.nodes: dict[str, NodeProxy] = {}
        self.poll = select.epoll()
        self.readers: dict[int, Callable[[int], None]] = {}
        self._line = line
        self._out = bytearray()
        self._line_events = select.EPOLLIN

    def watch(self, fd: int, call: Callable[[int], None], events: int = select.EPOLLIN) -> None:
        """Call with the events when fd is ready."""
        self.readers[fd] = call
        self.poll.register(fd, events)

    def unwatch(self, fd: int) -> None:
        """Forget a descriptor; harmless when it is not watched."""
        if self.readers.pop(fd, None) is not None:
            with contextlib.suppress(OSError, ValueError):
                self.poll.unregister(fd)

    @property
    def congested(self) -> bool:
        """Whether the line's output waits, so that no more should be read from commands."""
        return len(self._out) > 4 * protocol.CHUNK

    def send(self, kind: int, channel: int, payload: bytes = b"") -> None:
        """Queue a frame and write what the line takes."""
        self._out += protocol.frame(kind, channel, payload)
        self._flush()

    def send_json(self, kind: int, channel: int, value: Any) -> None:
        self.send(kind, channel, json.dumps(value).encode())

    def _flush(self) -> None:
        if self._out:
            with contextlib.suppress(BlockingIOError):
                del self._out[: os.write(self._line, self._out)]
        wanted = select.EPOLLIN | (select.EPOLLOUT if self._out else 0)
        if wanted != self._line_events:
            self._line_events = wanted
            self.poll.modify(self._line, wanted)
