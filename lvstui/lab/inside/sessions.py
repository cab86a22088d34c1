"""Commands that clients on the host run in nodes: their pipes or terminal, over the line."""

from __future__ import annotations

import contextlib
import json
import os
import select
import shlex
import signal

from lvstui.lab import protocol
from lvstui.lab.inside import kernel

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from lvstui.lab.inside.proxy import AgentLine, NodeProxy


class Session:
    """One command.  outputs: descriptor to frame kind, emptied as they end."""

    def __init__(self, channel: int, proxy: NodeProxy, pid: int, stdin: int) -> None:
        self.channel = channel
        self.proxy = proxy
        self.pid = pid
        self.stdin = stdin
        self.outputs: dict[int, int] = {}
        self.credit = protocol.CHANNEL_WINDOW
        self.pending = bytearray()
        self.close_stdin = False
        self.status: int | None = None
        self.pty = False


def by_ssh(request: dict[str, Any], through: str) -> dict[str, Any]:
    """A request for a machine as one for a director, from where root logs in to it."""
    env = {k: v for k, v in request.get("env", {}).items() if k.isidentifier()}
    words = ["env", *(f"{key}={value}" for key, value in env.items())] if env else []
    words = [shlex.quote(word) for word in (*words, *request["argv"])]
    command = f"cd {shlex.quote(request.get('cwd', '/root'))} && exec {' '.join(words)}"
    argv = ["ssh", "-q", "-o", "BatchMode=yes", "-o", "ConnectTimeout=4"]
    argv += ["-tt"] if request.get("pty") else ["-T"]
    argv += ["-o", "ServerAliveInterval=3", "-o", "ServerAliveCountMax=3"]
    return {
        "node": through,
        "argv": [*argv, f"root@{request['node']}", command],
        "pty": request.get("pty"),
        "env": {key: value for key, value in env.items() if key == "TERM"},
    }


class Sessions:
    def __init__(self, agent: AgentLine) -> None:
        self._agent = agent
        self._by_channel: dict[int, Session] = {}
        self._paused: set[Session] = set()

    def frame(self, kind: int, channel: int, payload: bytes) -> None:
        if kind == protocol.OPEN:
            self._open(channel, json.loads(payload))
            return
        session = self._by_channel.get(channel)
        if session is None:
            return  # it ended while the frame was on its way
        if kind == protocol.DATA_IN:
            if payload:
                session.pending += payload
            else:
                session.close_stdin = True
            self._write(session)
        elif kind == protocol.CREDIT:
            session.credit += protocol.U32.unpack(payload)[0]
            self.resume()
        elif kind == protocol.SIGNAL:
            number = protocol.U32.unpack(payload)[0]
            session.proxy.call("signal", pid=session.pid, signal=number)
        elif kind == protocol.RESIZE and session.pty:
            with contextlib.suppress(OSError):
                kernel.set_size(session.stdin, *protocol.SIZE.unpack(payload))

    def _open(self, channel: int, request: dict[str, Any]) -> None:
        agent = self._agent
        if request["node"] in (item["name"] for item in agent.plan["machines"]):
            request = by_ssh(request, next(iter(agent.nodes)))
        proxy = agent.nodes.get(request["node"])
        if proxy is None:
            names = ", ".join(agent.nodes)
            self._refuse(channel, f"no node {request['node']!r}; there are: {names}")
            return
        words = {key: request[key] for key in ("argv", "env", "cwd", "pty") if key in request}
        if request.get("pty"):
            reply = proxy.call("exec", **words)
            if "error" in reply:
                self._refuse(channel, reply["error"])
                return
            master = reply["fd"]
            os.set_blocking(master, False)
            session = Session(channel, proxy, reply["pid"], master)
            session.pty = True
            session.outputs[master] = protocol.DATA_OUT
        else:
            (stdin, to_stdin), (out, stdout), (err, stderr) = os.pipe(), os.pipe(), os.pipe()
            theirs, ours = [stdin, stdout, stderr], [to_stdin, out, err]
            reply = proxy.call("exec", theirs, **words)
            for fd in theirs:
                os.close(fd)
            if "error" in reply:
                for fd in ours:
                    os.close(fd)
                self._refuse(channel, reply["error"])
                return
            for fd in ours:
                os.set_blocking(fd, False)
            session = Session(channel, proxy, reply["pid"], to_stdin)
            session.outputs = {out: protocol.DATA_OUT, err: protocol.DATA_ERR}
        self._by_channel[channel] = session
        self._watch(session)
        agent.send_json(protocol.STARTED, channel, {"pid": session.pid})

    def _watch(self, session: Session) -> None:
        for fd in session.outputs:
            self._agent.watch(fd, lambda events, fd=fd: self._ready(session, fd, events))  # type: ignore[misc]

    def _refuse(self, channel: int, text: str) -> None:
        self._agent.send_json(protocol.EXIT, channel, {"error": text})

    def _ready(self, session: Session, fd: int, events: int) -> None:
        if events & select.EPOLLOUT:
            self._write(session)
        if not events & (select.EPOLLIN | select.EPOLLHUP | select.EPOLLERR):
            return
        if session.credit <= 0 or self._agent.congested:
            # Not watched until there is room again, or a full loop would spin here.
            self._paused.add(session)
            for other in session.outputs:
                self._agent.unwatch(other)
            return
        self._read(session, fd)

    def _read(self, session: Session, fd: int) -> None:
        try:
            data = os.read(fd, min(protocol.CHUNK, max(1, session.credit)))
        except BlockingIOError:
            return
        except OSError:
            data = b""  # EIO: the last process closed the terminal
        if data:
            session.credit -= len(data)
            self._agent.send(session.outputs[fd], session.channel, data)
            if session.status is not None:
                self._finish(session)
            return
        self._agent.unwatch(fd)
        del session.outputs[fd]
        if fd != session.stdin:
            os.close(fd)
        self._finish(session)

    def resume(self) -> None:
        """There may be room again."""
        for session in list(self._paused):
            if session.credit > 0 and not self._agent.congested:
                self._paused.discard(session)
                self._watch(session)

    def _write(self, session: Session) -> None:
        """Give a command's input what it takes; what it does not take now is kept."""
        if session.stdin < 0:
            session.pending.clear()
            return
        done = 0
        try:
            while session.pending:
                count = os.write(session.stdin, session.pending[:4096])
                del session.pending[:count]
                done += count
        except BlockingIOError:
            if not session.pty:
                if session.stdin not in self._agent.readers:
                    call = lambda _: self._write(session)  # noqa: E731
                    self._agent.watch(session.stdin, call, select.EPOLLOUT)
            else:
                # A terminal nobody reads: what was typed is dropped, as a real one does.
                done += len(session.pending)
                session.pending.clear()
        except OSError:
            done += len(session.pending)
            session.pending.clear()
        if done:
            self._agent.send(protocol.CREDIT, session.channel, protocol.U32.pack(done))
        if not session.pending and not session.pty:
            self._agent.unwatch(session.stdin)
            if session.close_stdin:
                os.close(session.stdin)
                session.stdin = -1
        elif session.close_stdin and session.pty:
            session.close_stdin = False

    def ended(self, proxy: NodeProxy, pid: int, status: int) -> None:
        """A node says that a command ended."""
        for session in list(self._by_channel.values()):
            if session.proxy is proxy and session.pid == pid:
                session.status = status
                self._finish(session)

    def _finish(self, session: Session) -> None:
        """Report the end when the command has ended and all its output is sent.

        A child in the background may hold the output open for ever; what is there now is read,
        and then the session ends with its command, as ssh does with a terminal.
        """
        if session.status is None:
            return
        if session.outputs and session not in self._paused:
            for fd in list(session.outputs):
                if fd in session.outputs and session.credit > 0:
                    ready, _, _ = select.select([fd], [], [], 0)
                    if ready:
                        return  # the loop reads it and comes here again at its end
        elif session.outputs:
            return
        self._by_channel.pop(session.channel, None)
        for fd in {*session.outputs, session.stdin} - {-1}:
            self._agent.unwatch(fd)
            os.close(fd)
        self._agent.send_json(protocol.EXIT, session.channel, {"status": session.status})

    def client_gone(self, number: int) -> None:
        """Hang up on what a client left running."""
        for session in list(self._by_channel.values()):
            if session.channel >> 16 == number:
                session.proxy.call("signal", pid=session.pid, signal=int(signal.SIGHUP))
                session.proxy.call("signal", pid=session.pid, signal=int(signal.SIGCONT))
                session.credit = 1 << 40  # nobody reads: let it run to its end
                self.resume()
