"""The guest's init (PID 1): builds the LAN and the nodes, then serves the control line."""

from __future__ import annotations

import contextlib
import json
import os
import select
import sys
import termios
import time

from lvstui.lab import protocol
from lvstui.lab.inside import faulty, kernel, node, root, rtnl, sessions
from lvstui.lab.inside.proxy import BRIDGE, AgentLine, NodeProxy

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

MODULES = ("overlay", "veth", "bridge", "ipv6", "nf_conntrack", "ip_vs")
SCHEDULERS = ("rr", "wrr", "lc", "wlc", "sh", "dh", "mh", "sed", "nq", "lblc", "lblcr", "fo", "ovf")


class Agent(AgentLine):
    """The event loop over control line, nodes and sessions."""

    def __init__(self, plan: dict[str, Any], line: int) -> None:
        super().__init__(plan, line)
        self.sessions = sessions.Sessions(self)
        self.faults = faulty.Faults(self)
        self._decoder = protocol.Decoder()
        self.watch(line, self._line_ready)

    def phase(self, name: str) -> None:
        """Tell the host how far the start is; the guest's own clock in seconds."""
        self.send_json(protocol.PHASE, 0, {"phase": name, "uptime": time.monotonic()})

    def build(self) -> None:
        """Nodes, cables, addresses, services."""
        for item in self.plan["nodes"]:
            self.nodes[item["name"]] = NodeProxy(self.plan, item)
        route = rtnl.LabRoute()
        route.set_up("lo")
        route.add_bridge(BRIDGE)
        for number, proxy in enumerate(self.nodes.values(), 1):
            proxy.wait_ready()
            mac = bytes([0x52, 0x54, 0, 0, 0, number])
            route.add_veth(proxy.port, BRIDGE, "eth0", proxy.netns, mac)
            os.close(proxy.netns)
            self._checked(proxy, "net")
            self.watch(proxy.events.fileno(), lambda _, p=proxy: self._event(p))  # type: ignore[misc]
            lab_socket = proxy.lab_socket
            assert lab_socket is not None
            self.watch(lab_socket.fileno(), lambda _, s=lab_socket: self.faults.accept(s))  # type: ignore[misc]
        for number, machine in enumerate(self.plan["machines"]):
            name = f"v{machine['name']}"
            route.rename(f"vec{number}", name)
            route.enslave(name, BRIDGE)
            route.set_up(name)
        self.phase("nodes")
        # Real servers first: a director whose first checks fail waits for the next round.
        order = {"realserver": 0, "director": 1, "client": 2}
        for proxy in sorted(self.nodes.values(), key=lambda p: order[p.role]):
            self._checked(proxy, "start")
        self.phase("services")

    def start_ssh(self) -> None:
        """Not needed by keepalived, so it comes after it."""
        for proxy in self.nodes.values():
            self._checked(proxy, "sshd")
        self.phase("ssh")

    @staticmethod
    def _checked(proxy: NodeProxy, op: str) -> None:
        reply = proxy.call(op)
        if "error" in reply:
            raise OSError(f"node {proxy.name}: {reply['error']}")

    def run(self, seconds: float | None = None) -> None:
        """Serve for ever, or for some seconds."""
        end = None if seconds is None else time.monotonic() + seconds
        while end is None or time.monotonic() < end:
            wait = -1.0 if end is None else max(0.0, end - time.monotonic())
            for fd, events in self.poll.poll(wait):
                call = self.readers.get(fd)
                if call is not None:
                    call(events)
            with contextlib.suppress(ChildProcessError):
                while os.waitpid(-1, os.WNOHANG)[0]:
                    pass

    def _line_ready(self, events: int) -> None:
        if events & select.EPOLLOUT:
            self._flush()
            self.sessions.resume()
        if not events & (select.EPOLLIN | select.EPOLLHUP):
            return
        try:
            data = os.read(self._line, 4096)
        except BlockingIOError:
            return
        if not data:
            power_off()
        self.send(protocol.LINK_ACK, 0, protocol.U32.pack(len(data)))
        for kind, channel, payload in self._decoder.feed(data):
            self._frame(kind, channel, payload)

    def _frame(self, kind: int, channel: int, payload: bytes) -> None:
        if kind == protocol.POWEROFF:
            power_off()
        elif kind == protocol.CALL:
            self.send_json(protocol.ANSWER, channel, self.faults.request(json.loads(payload)))
        elif kind == protocol.GONE:
            self.sessions.client_gone(protocol.U32.unpack(payload)[0])
        else:
            self.sessions.frame(kind, channel, payload)

    def _event(self, proxy: NodeProxy) -> None:
        data = proxy.events.recv(node.PACKET)
        if not data:
            self.unwatch(proxy.events.fileno())
            return
        event = json.loads(data)
        self.sessions.ended(proxy, event["pid"], event["status"])


def power_off() -> None:
    """Stop the guest at once: nothing in it is worth a clean unmount."""
    with open("/proc/sysrq-trigger", "w", encoding="ascii") as trigger:
        trigger.write("o")
    time.sleep(60)


def open_line(path: str) -> int:
    """The serial line, raw: no echo, no translation, no flow-control characters."""
    fd = os.open(path, os.O_RDWR | os.O_NOCTTY | os.O_CLOEXEC)
    settings = termios.tcgetattr(fd)
    settings[0] = settings[1] = settings[3] = 0
    settings[2] |= termios.CS8 | termios.CREAD | termios.CLOCAL
    settings[6][termios.VMIN] = 1
    settings[6][termios.VTIME] = 0
    termios.tcsetattr(fd, termios.TCSANOW, settings)
    os.set_blocking(fd, False)
    return fd


def prepare(plan: dict[str, Any]) -> int:
    """Mounts, modules, the control line; this process moves into an overlay of its own, so that
    programs of the package layer are found and nothing of the host can be written."""
    kernel.mount("proc", "/proc", "proc")
    modules = kernel.Modules(plan["modules"])
    wanted = [*MODULES, *(f"ip_vs_{name}" for name in (*SCHEDULERS, "twos"))]
    for name in [*wanted, *plan["more_modules"]]:
        if not modules.load(name) and name in ("overlay", "veth", "bridge", "ip_vs"):
            raise OSError(f"the guest's kernel has no module {name}")
    kernel.mount("tmpfs", "/tmp", "tmpfs", 0, "mode=755")
    layers = ["/"]
    if plan["layer"]:
        # A mount of its own: overlayfs refuses (ELOOP) a layer that lies inside another one.
        os.mkdir("/tmp/layer")
        kernel.mount("none", "/tmp/layer", "hostfs", kernel.MS_RDONLY, plan["layer"])
        layers.insert(0, "/tmp/layer")
    new = root.overlay("/tmp", layers)
    os.makedirs(new + root.HOSTFS)
    kernel.bind("/", new + root.HOSTFS)
    os.makedirs(new + root.LAYER)
    if plan["layer"]:
        kernel.bind("/tmp/layer", new + root.LAYER)
    for item in plan["nodes"]:
        if item["release"]:
            target = f"{new}{root.RELEASES}/{item['name']}"
            os.makedirs(target)
            kernel.mount("none", target, "hostfs", kernel.MS_RDONLY, item["release"])
    for name in ("proc", "sys", "mnt", "dev"):
        os.makedirs(f"{new}/{name}", exist_ok=True)
    kernel.bind("/proc", new + "/proc")
    kernel.mount("sysfs", new + "/sys", "sysfs")
    kernel.bind("/dev", new + "/dev")
    os.chroot(new)
    os.chdir("/")
    lib = f"/lib/modules/{os.uname().release}"
    if not os.path.isdir(lib):
        # For modules that the kernel itself asks modprobe for.
        os.makedirs("/lib/modules", exist_ok=True)
        os.symlink(root.HOSTFS + plan["modules"], lib)
    return open_line("/dev/ttyS0")


def main(plan_path: str) -> None:
    """Never returns."""
    with open(plan_path, encoding="utf-8") as file:
        plan = json.load(file)
    line = prepare(plan)
    agent = Agent(plan, line)
    agent.send_json(protocol.HELLO, 0, {"version": 1})
    try:
        agent.build()
        agent.run(plan["ssh_after"])
        agent.start_ssh()
        agent.run()
    except BaseException as error:
        import traceback

        traceback.print_exc()
        sys.stderr.flush()
        agent.send_json(protocol.PHASE, 0, {"phase": "failed", "error": str(error)})
        time.sleep(0.5)
        power_off()
