"""The first process (PID 1) of a node: builds the node, starts its services, runs commands in it.

It is a fork of the agent, without exec: starting a new Python takes half a second in the guest.
The agent asks by packets on `calls` (each gets one answer) and hears of ended commands on `events`.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import json
import os
import select
import signal
import socket
import termios

from lvstui.lab.inside import client, director, kernel, root, rtnl, servers

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

PACKET = 128 * 1024
LAB_SOCKET = "/run/lvstui-lab.sock"
MACHINE_SECONDS = 15.0
"""How long a machine may take to answer; meanwhile this node does nothing else."""

ENVIRONMENT = {
    "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    "HOME": "/root",
    "USER": "root",
    "LOGNAME": "root",
    "SHELL": "/bin/bash",
    "LVSTUI_LAB": LAB_SOCKET,
}


class Node:
    """State and operations of one node; op_NAME answers the call NAME."""

    def __init__(self, plan: dict[str, Any], node: dict[str, Any], events: socket.socket) -> None:
        self._plan = plan
        self._node = node
        self._events = events
        self._commands: set[int] = set()
        self._orders: socket.socket | None = None
        self._route = rtnl.LabRoute()
        self._director = director.LabDirector(node, self.fork)
        self.closing: list[socket.socket] = []
        self.lab_socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.lab_socket.bind(LAB_SOCKET)
        os.chmod(LAB_SOCKET, 0o600)
        self.lab_socket.listen(16)

    def op_net(self, _: dict[str, Any]) -> None:
        """Addresses and sysctls; the cable is there."""
        self._sysctls()
        for name in ("lo", "eth0", self._node["loopback_link"]):
            self._route.set_up(name)
        for address in self._node["addresses"]:
            self._route.address("eth0", address)
        self._loopback(True)
        for gateway in self._node["gateways"]:
            self._route.default_route(gateway)

    def op_start(self, _: dict[str, Any]) -> None:
        """Start the services that are forks of this process, and keepalived."""
        node = self._node
        name = node["name"]
        if node["services"]:
            self._orders, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
            ipv6 = self._plan["ipv6"]
            self.fork(lambda: servers.serve(name, node["services"], theirs, ipv6), "lab-services")
            theirs.close()
        if node["role"] == "director":
            log = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
            log.bind("/dev/log")
            os.chmod("/dev/log", 0o666)
            self.fork(lambda: director.serve_syslog(name, log), "lab-syslogd")
            log.close()
            for command in node["setup"]:
                self._run(["/bin/sh", "-c", command])
            self._director.start()
        if node["targets"]:
            self.fork(lambda: client.serve(node["targets"]), "lab-client")

    def op_sshd(self, _: dict[str, Any]) -> None:
        os.makedirs("/run/sshd", mode=0o755, exist_ok=True)
        self._run(["/usr/sbin/sshd", "-D", "-e"], wait=False)

    def fork(self, work: Callable[[], None], name: str) -> int:
        """A child that does `work`; it holds none of this process's sockets to the agent."""
        pid = os.fork()
        if pid:
            return pid
        code = 1
        try:
            for sock in self.closing:
                sock.close()
            signal.set_wakeup_fd(-1)
            for number in (signal.SIGCHLD, signal.SIGTERM, signal.SIGINT):
                signal.signal(number, signal.SIG_DFL)
            with open("/proc/self/comm", "w", encoding="ascii") as comm:
                comm.write(name[:15])
            os.setsid()
            null = os.open("/dev/null", os.O_RDONLY)
            os.dup2(null, 0)
            log = os.open("/var/log/lab.log", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o640)
            os.dup2(log, 1)
            os.dup2(log, 2)
            work()
            code = 0
        except BaseException:
            import traceback

            traceback.print_exc()
        finally:
            os._exit(code)

    def _run(self, argv: list[str], wait: bool = True) -> None:
        pid = self.fork(lambda: os.execve(argv[0], argv, ENVIRONMENT), "lab-exec")
        if wait:
            with contextlib.suppress(ChildProcessError):
                os.waitpid(pid, 0)

    def op_exec(self, call: dict[str, Any], fds: list[int]) -> dict[str, Any]:
        """Run argv.  With "pty": [rows, columns] a new terminal's master goes back (key "fd"); else
        three descriptors came along: standard input, output and error."""
        master = -1
        if call.get("pty"):
            master, slave = os.openpty()
            kernel.set_size(slave, *call["pty"])
            fds = [slave, slave, slave]
        env = {**ENVIRONMENT, **self._plan["env"], **call.get("env", {})}
        argv = call["argv"]
        pid = os.fork()
        if pid == 0:
            self._become(argv, env, fds, call.get("cwd", "/root"), bool(call.get("pty")))
        self._commands.add(pid)
        for fd in set(fds):
            os.close(fd)
        return {"pid": pid, "fd": master} if master >= 0 else {"pid": pid}

    @staticmethod
    def _become(argv: list[str], env: dict[str, str], fds: list[int], cwd: str, tty: bool) -> None:
        try:
            signal.set_wakeup_fd(-1)
            for number in (signal.SIGCHLD, signal.SIGPIPE, signal.SIGTERM, signal.SIGINT):
                signal.signal(number, signal.SIG_DFL)
            os.setsid()
            if tty:
                fcntl.ioctl(fds[0], termios.TIOCSCTTY, 0)
            # Above the range of 0 to 2 first, so that no dup2 destroys a later source.
            high = [fcntl.fcntl(fd, fcntl.F_DUPFD, 10) for fd in fds]
            for target, fd in enumerate(high):
                os.dup2(fd, target)
            os.closerange(3, 256)
            with contextlib.suppress(OSError):
                os.chdir(cwd)
            os.execvpe(argv[0], argv, env)
        except OSError as error:
            os.write(2, f"{argv[0]}: {error.strerror}\n".encode())
        finally:
            os._exit(127)

    def op_signal(self, call: dict[str, Any]) -> None:
        """Signal a command and, since it leads a session of its own, its process group."""
        if call["pid"] in self._commands:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(call["pid"], call["signal"])

    def reap(self) -> None:
        """Tell the agent of ended commands."""
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            self._director.ended(pid)
            if pid in self._commands:
                self._commands.discard(pid)
                code = os.waitstatus_to_exitcode(status)
                self._events.send(json.dumps({"pid": pid, "status": code}).encode())

    def op_service(self, call: dict[str, Any]) -> dict[str, Any] | None:
        """Set the mode of a service ("" for all)."""
        if self._orders is None:
            return {"error": "this node has no services"}
        names = [item["name"] for item in self._node["services"]]
        if call["service"] not in ("", *names):
            return {"error": f"no service {call['service']!r} here; there are: {', '.join(names)}"}
        self._orders.send(json.dumps(call).encode())
        self._orders.recv(64)
        return None

    def op_vip(self, call: dict[str, Any]) -> None:
        """Put the VIPs on the loopback or take them away."""
        for address in self._node["all_vips"]:
            self._route.address(self._node["loopback_link"], address, call["add"])

    def op_arp(self, call: dict[str, Any]) -> None:
        """Let this node answer ARP for addresses of its loopback, or not."""
        if call["answer"]:
            for name in ("all", "eth0", "lo"):
                for key in ("arp_ignore", "arp_announce"):
                    self._sysctl(f"net/ipv4/conf/{name}/{key}", "0")
        else:
            self._sysctls()

    def op_forget_neighbours(self, _: dict[str, Any]) -> None:
        """Empty the ARP and neighbour cache."""
        self._run(["/bin/sh", "-c", "ip neigh flush dev eth0"])

    def op_keepalived(self, call: dict[str, Any]) -> dict[str, Any]:
        """start, stop (SIGTERM) or kill (SIGKILL to all its processes)."""
        return self._director.order(call["action"])

    def op_machine(self, call: dict[str, Any]) -> dict[str, Any]:
        """Have the lab's hand on a machine's keepalived do something, by SSH; its answer."""
        import subprocess  # late: the import takes a while in the guest

        ssh = ["/usr/bin/ssh", "-q", "-T", "-o", "BatchMode=yes", "-o", "ConnectTimeout=4"]
        argv = [*ssh, f"root@{call['name']}", f"lab-director {call['action']}"]
        try:
            done = subprocess.run(
                argv,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                env=ENVIRONMENT,
                timeout=MACHINE_SECONDS,
                start_new_session=True,
                check=False,
            )
            reply: dict[str, Any] = json.loads(done.stdout)
        except (OSError, subprocess.TimeoutExpired, ValueError):
            why = "it is off, booting or cut off"
            return {"error": f"{call['name']} does not answer by SSH: {why}"}
        return reply

    def op_status(self, _: dict[str, Any]) -> dict[str, Any]:
        """What only this node knows, for waiting."""
        return self._director.status()

    def op_heal(self, _: dict[str, Any]) -> dict[str, Any]:
        """Everything back as it was planned; the answer names what had to be mended."""
        mended: list[str] = []
        self._sysctls()
        if self._orders is not None:
            self.op_service({"service": "", "mode": "normal", "ms": 0})
        self._loopback(True)
        if self._node["role"] == "director":
            mended += self._director.heal()
        return {"mended": mended}

    def _loopback(self, add: bool) -> None:
        for address in self._node["loopback"]:
            self._route.address(self._node["loopback_link"], address, add)

    def _sysctls(self) -> None:
        for path, value in self._node["sysctls"]:
            self._sysctl(path, value)

    @staticmethod
    def _sysctl(path: str, value: str) -> None:
        with open("/proc/sys/" + path, "w", encoding="ascii") as file:
            file.write(value)


def answer(node: Node, calls: socket.socket) -> None:
    """Read one call, do it, answer."""
    data, fds, _, _ = socket.recv_fds(calls, PACKET, 8)
    if not data:
        os._exit(0)
    call = json.loads(data)
    give: list[int] = []
    try:
        method = getattr(node, "op_" + call["op"])
        reply = (method(call, fds) if fds or call["op"] == "exec" else method(call)) or {}
        if "fd" in reply:
            give = [reply.pop("fd")]
    except OSError as error:
        reply = {"error": f"{call['op']}: {error.strerror or error}"}
    socket.send_fds(calls, [json.dumps(reply).encode()], give)
    for fd in give:
        os.close(fd)


def main(
    plan: dict[str, Any], item: dict[str, Any], calls: socket.socket, events: socket.socket
) -> None:
    """Never returns.  Runs as PID 1 of the node's namespaces."""
    kernel.set_host_name(item["name"])
    root.build(plan, item)
    os.umask(0o022)
    os.environ.clear()
    os.environ.update(ENVIRONMENT)
    wake_read, wake_write = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
    signal.signal(signal.SIGCHLD, lambda number, stack: None)
    signal.set_wakeup_fd(wake_write, warn_on_full_buffer=False)
    node = Node(plan, item, events)
    node.closing = [calls, events]
    netns = os.open("/proc/self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
    ready = json.dumps({"ready": item["name"]}).encode()
    socket.send_fds(calls, [ready], [netns, node.lab_socket.fileno()])
    os.close(netns)
    node.lab_socket.close()
    poll = select.poll()
    poll.register(calls, select.POLLIN)
    poll.register(wake_read, select.POLLIN)
    while True:
        for fd, _ in poll.poll():
            if fd == wake_read:
                with contextlib.suppress(BlockingIOError):
                    os.read(wake_read, 4096)
                node.reap()
            else:
                try:
                    answer(node, calls)
                except OSError as error:
                    if error.errno in (errno.EPIPE, errno.ECONNRESET):
                        os._exit(0)
                    raise
