"""Doing what a fault says, and answering those who ask for one.

Requests are JSON lines on $LVSTUI_LAB in every node, and CALL frames from the host:
{"op": "fault", "name", "node", "argument"}, {"op": "status"}, {"op": "info"}; the answer is one
JSON object, {"ok": true, "text": …} or {"ok": false, "error": …}.
"""

from __future__ import annotations

import json
import os
import socket

from lvstui.lab.inside import rtnl
from lvstui.lab.inside.proxy import BRIDGE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from lvstui.lab.inside.proxy import AgentLine, NodeProxy

DEFAULT_SLOW_MS = 3000
_PROTOCOL_VRRP = 112


class FaultRefused(Exception):
    """A fault that makes no sense here; the text says why."""


class Faults:
    def __init__(self, agent: AgentLine) -> None:
        self._agent = agent
        self._route: rtnl.LabRoute | None = None
        self._split = False
        self._unplugged: set[str] = set()
        self._arp_answers: set[str] = set()
        self._partial: dict[int, bytes] = {}
        self._handlers: dict[str, Callable[[str, str], str]] = {
            "stop": lambda node, arg: self._service(node, arg, "stopped", "stopped"),
            "start": lambda node, arg: self._service(node, arg, "normal", "answer again"),
            "hang": lambda node, arg: self._service(node, arg, "hang", "accept and never answer"),
            "slow": self._slow,
            "unplug": lambda node, _: self._cable(node, False),
            "plug": lambda node, _: self._cable(node, True),
            "kill-keepalived": lambda node, _: self._keepalived(node, "kill", "killed (-9)"),
            "stop-keepalived": lambda node, _: self._keepalived(node, "stop", "told to stop"),
            "start-keepalived": lambda node, _: self._keepalived(node, "start", "started"),
            "arp": lambda node, _: self._arp(node, True),
            "no-arp": lambda node, _: self._arp(node, False),
            "remove-vip": lambda node, _: self._vip(node, False),
            "add-vip": lambda node, _: self._vip(node, True),
            "bare": self._bare,
            "split": lambda node, _: self._block_vrrp(True),
            "unsplit": lambda node, _: self._block_vrrp(False),
            "heal": lambda node, _: self.heal(),
        }

    def accept(self, listening: socket.socket) -> None:
        """A process in a node wants something."""
        connection, _ = listening.accept()
        fd = connection.detach()
        os.set_blocking(fd, False)
        self._partial[fd] = b""
        self._agent.watch(fd, lambda _: self._read(fd))

    def _read(self, fd: int) -> None:
        try:
            data = os.read(fd, 65536)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        *lines, rest = (self._partial[fd] + data).split(b"\n")
        self._partial[fd] = rest
        try:
            for line in lines:
                try:
                    reply = self.request(json.loads(line))
                except ValueError as error:
                    reply = {"ok": False, "error": f"not JSON: {error}"}
                os.write(fd, json.dumps(reply).encode() + b"\n")
        except OSError:
            data = b""  # the asker is gone
        if not data or len(rest) > 65536:
            self._agent.unwatch(fd)
            del self._partial[fd]
            os.close(fd)

    def request(self, request: dict[str, Any]) -> dict[str, Any]:
        """Answer one request; never raises for a wrong one."""
        try:
            op = request.get("op")
            if op == "fault":
                return {"ok": True, "text": self._inject(request)}
            if op == "status":
                return {"ok": True, **self.status()}
            if op == "info":
                nodes: list[dict[str, Any]] = [
                    {"name": p.name, "role": p.role} for p in self._agent.nodes.values()
                ]
                for item in self._agent.plan["machines"]:
                    role = "director" if item["role"] == "director" else "machine"
                    nodes.append({**item, "role": role, "machine": True})
                return {"ok": True, "lab": self._agent.plan["name"], "nodes": nodes}
            return {"ok": False, "error": f"unknown request {op!r}"}
        except (FaultRefused, OSError) as error:
            return {"ok": False, "error": str(error)}

    def _inject(self, request: dict[str, Any]) -> str:
        name, argument = str(request.get("name")), request.get("argument")
        if name not in self._handlers:
            raise FaultRefused(f"no fault {name!r}; there are: {', '.join(self._handlers)}")
        node = str(request.get("node") or "")
        return self._handlers[name](node, "" if argument is None else str(argument))

    def _proxy(self, name: str) -> NodeProxy:
        proxy = self._agent.nodes.get(name)
        if proxy is None and self._machine_role(name):
            also = " and the faults of keepalived" if self._machine_role(name) == "director" else ""
            raise FaultRefused(f"{name} is a machine: only unplug and plug{also} can strike it")
        if proxy is None:
            names = ", ".join(self._agent.nodes)
            raise FaultRefused(f"name a node, {name!r} is none; there are: {names}")
        return proxy

    def _machine_role(self, name: str) -> str:
        """Empty when no machine has that name."""
        for item in self._agent.plan["machines"]:
            if item["name"] == name:
                return str(item["role"])
        return ""

    def _machine_directors(self) -> list[str]:
        items = self._agent.plan["machines"]
        return [str(item["name"]) for item in items if item["role"] == "director"]

    def _order_machine(self, name: str, action: str) -> dict[str, Any]:
        """By the first director, from where root logs in to machines."""
        return next(iter(self._agent.nodes.values())).call("machine", name=name, action=action)

    def _ask(self, name: str, op: str, **words: Any) -> dict[str, Any]:
        reply = self._proxy(name).call(op, **words)
        if "error" in reply:
            raise FaultRefused(reply["error"])
        return reply

    def _service(self, node: str, service: str, mode: str, words: str, ms: int = 0) -> str:
        self._ask(node, "service", service=service, mode=mode, ms=ms)
        return f"{node}: {service or 'all services'} {words}"

    def _slow(self, node: str, argument: str) -> str:
        # "300", "web" or "web=300"
        service, _, number = argument.rpartition("=")
        if number and not number.isdigit():
            service, number = number, ""
        ms = int(number or DEFAULT_SLOW_MS)
        return self._service(node, service, "slow", f"answer after {ms} ms", ms)

    def _keepalived(self, node: str, action: str, words: str) -> str:
        if self._machine_role(node) == "director":
            reply = self._order_machine(node, action)
            if "error" in reply:
                raise FaultRefused(reply["error"])
        else:
            reply = self._ask(node, "keepalived", action=action)
        return f"{node}: {reply.get('note') or 'keepalived ' + words}"

    def _arp(self, node: str, answer: bool) -> str:
        if self._proxy(node).role != "realserver":
            raise FaultRefused(f"{node} is no real server")
        if not answer and not self._proxy(node).item["loopback"]:
            raise FaultRefused(f"{node} is bare: its ARP sysctls are left as they are")
        self._ask(node, "arp", answer=answer)
        # Clients keep a director's MAC for a minute: who answers now decides at once.
        self._forget_neighbours()
        if answer:
            self._arp_answers.add(node)
            return f"{node}: answers ARP for the VIPs of its loopback (arp_ignore 0)"
        self._arp_answers.discard(node)
        return f"{node}: answers ARP for its own addresses only (arp_ignore 1)"

    def _forget_neighbours(self) -> None:
        for proxy in self._agent.nodes.values():
            if proxy.role == "client":
                proxy.call("forget_neighbours")

    def _vip(self, node: str, add: bool) -> str:
        if not self._proxy(node).item["all_vips"]:
            raise FaultRefused(f"{node} has no VIP on its loopback")
        self._ask(node, "vip", add=add)
        return f"{node}: VIPs {'put on' if add else 'removed from'} its loopback"

    def _bare(self, node: str, _: str) -> str:
        if self._proxy(node).role != "realserver":
            raise FaultRefused(f"{node} is no real server")
        self._ask(node, "arp", answer=True)
        if not self._proxy(node).item["loopback"]:
            return f"{node}: was bare already"
        self._ask(node, "vip", add=False)
        return f"{node}: no VIP on its loopback, ARP sysctls 0"

    def _cable(self, node: str, plug: bool) -> str:
        if self._route is None:
            self._route = rtnl.LabRoute()
        if self._machine_role(node):
            # The port of a machine stays up: its cable ends outside this guest.
            self._route.enslave("v" + node, BRIDGE if plug else "")
        else:
            self._route.set_up(self._proxy(node).port, plug)
        if plug:
            self._unplugged.discard(node)
            return f"{node}: cable plugged in"
        self._unplugged.add(node)
        return f"{node}: cable pulled"

    def _directors(self) -> list[NodeProxy]:
        return [proxy for proxy in self._agent.nodes.values() if proxy.role == "director"]

    def _block_vrrp(self, block: bool) -> str:
        """At the switch, so that nobody on a director hears the other's adverts either."""
        if block != self._split:
            lines = []
            ports = [proxy.port for proxy in self._directors()]
            for port in (*ports, *("v" + name for name in self._machine_directors())):
                if not block:
                    lines.append(f"qdisc del dev {port} ingress")
                    continue
                lines.append(f"qdisc add dev {port} ingress")
                for family, match, at in (("ip", "ip protocol", ""), ("ipv6", "u8", " at 6")):
                    lines.append(
                        f"filter add dev {port} parent ffff: protocol {family} u32 "
                        f"match {match} {_PROTOCOL_VRRP} 0xff{at} action drop"
                    )
            self._tc(lines)
            self._split = block
        return "VRRP between the directors " + ("is blocked" if block else "passes again")

    @staticmethod
    def _tc(lines: list[str]) -> None:
        import subprocess  # late: the import takes a while in the guest

        done = subprocess.run(
            ["tc", "-batch", "-"],
            input="\n".join(lines).encode() + b"\n",
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env={"PATH": "/usr/sbin:/sbin:/usr/bin:/bin"},
            check=False,
        )
        if done.returncode:
            raise FaultRefused("tc: " + done.stdout.decode("utf-8", "replace").strip())

    def heal(self) -> str:
        """Everything back as it was planned."""
        mended = []
        if self._split:
            self._block_vrrp(False)
            mended.append("VRRP passes")
        mended += [self._cable(node, True) for node in sorted(self._unplugged)]
        for proxy in self._agent.nodes.values():
            reply = proxy.call("heal")
            mended += [f"{proxy.name}: {item}" for item in reply.get("mended", [])]
        for name in self._machine_directors():
            reply = self._order_machine(name, "heal")
            words = [reply["error"]] if "error" in reply else reply["mended"]
            mended += [f"{name}: {word}" for word in words]
        if self._arp_answers:
            self._arp_answers.clear()
            self._forget_neighbours()
        return "healed" + (": " + ", ".join(mended) if mended else "")

    def status(self) -> dict[str, Any]:
        """The view of each director that is a node, the names of those that are machines (to be
        asked over SSH, which takes its time), and which faults of the LAN are in force."""
        directors = {proxy.name: proxy.call("status") for proxy in self._directors()}
        return {
            "directors": directors,
            "machines": self._machine_directors(),
            "split": self._split,
            "unplugged": sorted(self._unplugged),
        }
