"""The agent's end of a node, and what faults and sessions ask of the agent."""

from __future__ import annotations

import json
import os
import select
import socket

from lvstui.lab.inside import kernel, node

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, Protocol

    class AgentAround(Protocol):
        """The event loop over control line, nodes and sessions."""

        bridge: str
        plan: dict[str, Any]
        nodes: dict[str, NodeProxy]
        readers: dict[int, Callable[[int], None]]

        @property
        def congested(self) -> bool: ...

        def watch(
            self, fd: int, call: Callable[[int], None], events: int = select.EPOLLIN
        ) -> None: ...

        def unwatch(self, fd: int) -> None: ...

        def send(self, kind: int, channel: int, payload: bytes = b"") -> None: ...

        def send_json(self, kind: int, channel: int, value: Any) -> None: ...


class NodeProxy:
    """The agent's end of a node."""

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
