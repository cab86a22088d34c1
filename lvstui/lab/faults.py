"""The lab's faults: what there is, and asking for one from inside the guest or from the host."""

from __future__ import annotations

import json
import os
import socket
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lvstui.lab.errors import LabError

ENVIRONMENT = "LVSTUI_LAB"
"""Inside a node, the environment variable with the path of the lab's socket."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that can go wrong.

    role: whom it strikes: "director", "realserver", "any" node, or "" (the whole lab).
    argument: what the optional argument means, "" when there is none.  undo: the fault's opposite;
    `heal` undoes everything.
    """

    name: str
    summary: str
    role: str = ""
    argument: str = ""
    undo: str = "heal"


FAULTS: tuple[Fault, ...] = (
    Fault("stop", "close the ports of a real server's services", "realserver", "service", "start"),
    Fault("start", "services answer normally again", "realserver", "service", "stop"),
    Fault("hang", "services accept and never answer", "realserver", "service", "start"),
    Fault(
        "slow",
        "services answer late",
        "realserver",
        "milliseconds (default 3000), or service=milliseconds",
        "start",
    ),
    Fault("unplug", "pull a node's network cable", "any", "", "plug"),
    Fault("plug", "plug a node's network cable in", "any", "", "unplug"),
    Fault(
        "kill-keepalived",
        "kill -9 all processes of keepalived: the table and the VIP stay",
        "director",
        "",
        "start-keepalived",
    ),
    Fault(
        "stop-keepalived",
        "stop keepalived in order (SIGTERM): table and VIP go",
        "director",
        "",
        "start-keepalived",
    ),
    Fault("start-keepalived", "start keepalived", "director", "", "stop-keepalived"),
    Fault(
        "arp",
        "a real server answers ARP for the VIP (arp_ignore 0, arp_announce 0)",
        "realserver",
        "",
        "no-arp",
    ),
    Fault("no-arp", "a real server keeps quiet about the VIP again", "realserver", "", "arp"),
    Fault("remove-vip", "take the VIP off a real server's loopback", "realserver", "", "add-vip"),
    Fault("add-vip", "put the VIP on a real server's loopback", "realserver", "", "remove-vip"),
    Fault(
        "bare",
        "make a real server as freshly installed: no VIP on its loopback, ARP sysctls 0",
        "realserver",
    ),
    Fault("split", "block VRRP between the directors (split brain)", "", "", "unsplit"),
    Fault("unsplit", "let VRRP pass again", "", "", "split"),
    Fault("heal", "everything back: links, services, daemons, configuration, weights", "", "", ""),
)
"""All faults, in the order in which they are listed to people."""


def available() -> bool:
    """Whether this process runs inside a lab's node."""
    path = os.environ.get(ENVIRONMENT, "")
    return bool(path) and Path(path).is_socket()


def request(
    words: dict[str, Any], *, socket_path: str | Path | None = None, timeout: float = 20.0
) -> dict[str, Any]:
    """One request to the agent over the lab's socket inside a node.

    Raises LabError when there is no lab, when it refuses (unknown fault, wrong node) or does not
    answer within `timeout` seconds.
    """
    path = str(socket_path or os.environ.get(ENVIRONMENT, ""))
    if not path:
        raise LabError("this is no lab", f"${ENVIRONMENT} is not set", "run it inside a lab's node")
    data = b""
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as sock:
            sock.settimeout(timeout)
            sock.connect(path)
            sock.sendall(json.dumps(words).encode() + b"\n")
            while not data.endswith(b"\n"):
                part = sock.recv(65536)
                if not part:
                    break
                data += part
        reply = json.loads(data)
    except (OSError, ValueError) as error:
        raise LabError("the lab does not answer", f"{path}: {error}") from error
    if not isinstance(reply, dict) or not reply.get("ok"):
        raise LabError(str(reply.get("error")) if isinstance(reply, dict) else "the lab refused")
    return reply


def inject(
    name: str, node: str = "", argument: str | None = None, *, socket_path: str | Path | None = None
) -> str:
    """Inject a fault; what it did, in words.

    socket_path: None inside a node ($LVSTUI_LAB); on the host the control.sock of a lab's folder.
    Raises LabError as `request` does.
    """
    words = {"op": "fault", "name": name, "node": node, "argument": argument}
    if socket_path is not None and Path(socket_path).name == "control.sock":
        from lvstui.lab.control import Connection

        connection = Connection(Path(socket_path))
        try:
            return str(connection.call(words)["text"])
        finally:
            connection.close()
    return str(request(words, socket_path=socket_path)["text"])


def nodes(*, socket_path: str | Path | None = None) -> list[tuple[str, str]]:
    """(name, role) of the lab's nodes, asked from inside one."""
    reply = request({"op": "info"}, socket_path=socket_path)
    return [(str(node["name"]), str(node["role"])) for node in reply["nodes"]]
