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
_ANSWER_SECONDS = 20.0


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that can go wrong; `heal` undoes everything."""

    name: str
    summary: str
    role: str = ""
    """Whom it strikes: "director", "realserver", "any" node, or "" (the whole lab)."""
    argument: str = ""
    """What the optional argument means, "" when there is none."""

    @property
    def needs(self) -> str:
        """What the console has to ask for: `node`, `node argument` or nothing."""
        # Only `slow` changes its meaning with the argument; elsewhere it narrows the fault to one
        # service, which nobody wants to be asked each time.
        return ("node" if self.role else "") + (" argument" if self.name == "slow" else "")


FAULTS: tuple[Fault, ...] = (
    Fault("stop", "close the ports of a real server's services", "realserver", "service"),
    Fault("start", "services answer normally again", "realserver", "service"),
    Fault("hang", "services accept and never answer", "realserver", "service"),
    Fault(
        "slow",
        "services answer late",
        "realserver",
        "milliseconds (default 3000), or service=milliseconds",
    ),
    Fault("unplug", "pull a node's network cable", "any"),
    Fault("plug", "plug a node's network cable in", "any"),
    Fault(
        "kill-keepalived",
        "kill -9 all processes of keepalived: the table and the VIP stay",
        "director",
    ),
    Fault("stop-keepalived", "stop keepalived in order (SIGTERM): table and VIP go", "director"),
    Fault("start-keepalived", "start keepalived", "director"),
    Fault(
        "arp", "a real server answers ARP for the VIP (arp_ignore 0, arp_announce 0)", "realserver"
    ),
    Fault("no-arp", "a real server keeps quiet about the VIP again", "realserver"),
    Fault("remove-vip", "take the VIP off a real server's loopback", "realserver"),
    Fault("add-vip", "put the VIP on a real server's loopback", "realserver"),
    Fault(
        "bare",
        "make a real server as freshly installed: no VIP on its loopback, ARP sysctls 0",
        "realserver",
    ),
    Fault("split", "block VRRP between the directors (split brain)"),
    Fault("unsplit", "let VRRP pass again"),
    Fault("heal", "everything back: links, services, daemons, configuration, weights"),
)
"""All faults, in the order in which they are listed to people."""


def available() -> bool:
    """Whether this process runs inside a lab's node."""
    path = os.environ.get(ENVIRONMENT, "")
    return bool(path) and Path(path).is_socket()


def request(words: dict[str, Any]) -> dict[str, Any]:
    """One request to the agent over the lab's socket inside a node.

    Raises LabError when there is no lab, when it refuses (unknown fault, wrong node) or does not
    answer in time.
    """
    path = os.environ.get(ENVIRONMENT, "")
    if not path:
        raise LabError("this is no lab", f"${ENVIRONMENT} is not set", "run it inside a lab's node")
    data = b""
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as sock:
            sock.settimeout(_ANSWER_SECONDS)
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


def inject(name: str, node: str = "", argument: str | None = None) -> str:
    """Inject a fault from inside a node; what it did, in words. Raises LabError as `request`."""
    words = {"op": "fault", "name": name, "node": node, "argument": argument}
    return str(request(words)["text"])


def nodes() -> list[tuple[str, str]]:
    """(name, role) of the lab's nodes, asked from inside one."""
    return [(str(node["name"]), str(node["role"])) for node in request({"op": "info"})["nodes"]]


class LabLink:
    """The way from a node's console to the lab around it: what can be broken, where."""

    def __init__(self, members: list[tuple[str, str]]) -> None:
        self._members = members
        self.faults = FAULTS

    def targets(self, fault: Fault) -> tuple[str, ...]:
        """The nodes that a fault can strike; one empty name for the lab as a whole."""
        if not fault.role:
            return ("",)
        return tuple(name for name, role in self._members if fault.role in ("any", role))

    def inject(self, name: str, node: str, argument: str | None) -> str:
        """Break or heal it; blocks. Returns what was done. Raises LabError."""
        return inject(name, node, argument)


def lab_link() -> LabLink | None:
    """The lab that this process runs in; None outside one. Raises LabError when it is there but
    does not answer."""
    return LabLink(nodes()) if available() else None
