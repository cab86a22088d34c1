"""The little of rtnetlink that building a LAN takes: links, addresses, routes.

A start of `ip` takes about 100 ms in the guest and a lab would need dozens.
"""

from __future__ import annotations

import os
import socket
import struct

RTM_NEWLINK, RTM_NEWADDR, RTM_DELADDR, RTM_NEWROUTE = 16, 20, 21, 24
_ERROR = 2
_REQUEST, _ACK, _CREATE, _EXCL, _REPLACE = 1, 4, 0x400, 0x200, 0x100
_IFLA_ADDRESS, _IFLA_IFNAME, _IFLA_MASTER, _IFLA_LINKINFO, _IFLA_NET_NS_FD = 1, 3, 10, 18, 28
_INFO_KIND, _INFO_DATA, _VETH_PEER = 1, 2, 1
_IFA_ADDRESS, _IFA_LOCAL, _IFA_FLAGS = 1, 2, 8
_NODAD = 0x02
_RTA_DST, _RTA_OIF, _RTA_GATEWAY = 1, 4, 5
_UP = 1


def attribute(kind: int, payload: bytes) -> bytes:
    """One netlink attribute, padded."""
    size = 4 + len(payload)
    return struct.pack("=HH", size, kind) + payload + b"\0" * (-size % 4)


def _text(kind: int, value: str) -> bytes:
    return attribute(kind, value.encode() + b"\0")


def _link(index: int = 0, flags: int = 0, change: int = 0) -> bytes:
    return struct.pack("=BxHiII", 0, 0, index, flags, change)


class LabRoute:
    """A rtnetlink socket of the network namespace in which it was made."""

    def __init__(self) -> None:
        self._socket = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, 0)
        self._sequence = 0

    def close(self) -> None:
        self._socket.close()

    def request(self, kind: int, body: bytes, flags: int = 0, ignore: tuple[int, ...] = ()) -> None:
        """Send one message and wait for the acknowledgement; OSError unless errno is in ignore."""
        self._sequence += 1
        flags |= _REQUEST | _ACK
        head = struct.pack("=IHHII", 16 + len(body), kind, flags, self._sequence, 0)
        self._socket.sendto(head + body, (0, 0))
        while True:
            reply = self._socket.recv(65536)
            _, reply_kind, _, sequence, _ = struct.unpack_from("=IHHII", reply)
            if sequence == self._sequence and reply_kind == _ERROR:
                break
        code = -int(struct.unpack_from("=i", reply, 16)[0])
        if code and code not in ignore:
            raise OSError(code, f"rtnetlink message {kind}: {os.strerror(code)}")

    def add_bridge(self, name: str) -> None:
        info = attribute(_IFLA_LINKINFO, _text(_INFO_KIND, "bridge"))
        body = _link(0, _UP, _UP) + _text(_IFLA_IFNAME, name) + info
        self.request(RTM_NEWLINK, body, _CREATE | _EXCL)

    def add_veth(self, port: str, bridge: str, name: str, netns: int, mac: bytes) -> None:
        """A cable: `port` here, in the bridge and up; `name` in the namespace behind the fd."""
        peer = _link() + _text(_IFLA_IFNAME, name) + attribute(_IFLA_ADDRESS, mac)
        peer += attribute(_IFLA_NET_NS_FD, struct.pack("=I", netns))
        info = _text(_INFO_KIND, "veth") + attribute(_INFO_DATA, attribute(_VETH_PEER, peer))
        body = _link(0, _UP, _UP) + _text(_IFLA_IFNAME, port) + attribute(_IFLA_LINKINFO, info)
        self.request(RTM_NEWLINK, body, _CREATE | _EXCL)
        self.enslave(port, bridge)

    def set_up(self, name: str, up: bool = True) -> None:
        body = _link(socket.if_nametoindex(name), _UP if up else 0, _UP)
        self.request(RTM_NEWLINK, body)

    def rename(self, name: str, new: str) -> None:
        """Give a link that is down another name."""
        body = _link(socket.if_nametoindex(name)) + _text(_IFLA_IFNAME, new)
        self.request(RTM_NEWLINK, body)

    def enslave(self, name: str, bridge: str) -> None:
        """Make a link a port of a bridge; "" takes it out."""
        master = attribute(
            _IFLA_MASTER, struct.pack("=I", socket.if_nametoindex(bridge) if bridge else 0)
        )
        self.request(RTM_NEWLINK, _link(socket.if_nametoindex(name)) + master)

    def address(self, name: str, address: str, add: bool = True) -> None:
        """Add or remove an address "A/P"; already there or already gone is fine."""
        text, _, prefix = address.partition("/")
        family = socket.AF_INET6 if ":" in text else socket.AF_INET
        raw = socket.inet_pton(family, text)
        index = socket.if_nametoindex(name)
        body = struct.pack("=BBBBi", family, int(prefix), 0, 0, index)
        body += attribute(_IFA_LOCAL, raw) + attribute(_IFA_ADDRESS, raw)
        if family == socket.AF_INET6:
            # Duplicate address detection would keep the address unusable for a second.
            body += attribute(_IFA_FLAGS, struct.pack("=I", _NODAD))
        if add:
            self.request(RTM_NEWADDR, body, _CREATE | _REPLACE)
        else:
            self.request(RTM_DELADDR, body, ignore=(99, 2, 3))

    def default_route(self, gateway: str) -> None:
        family = socket.AF_INET6 if ":" in gateway else socket.AF_INET
        body = struct.pack("=BBBBBBBBI", family, 0, 0, 0, 254, 3, 0, 1, 0)
        body += attribute(_RTA_GATEWAY, socket.inet_pton(family, gateway))
        self.request(RTM_NEWROUTE, body, _CREATE | _REPLACE)
