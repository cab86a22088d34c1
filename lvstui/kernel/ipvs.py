"""The IPVS family of generic netlink: 64-bit counters, thresholds, persistent connections, weights.

It costs one round trip a service (net/netfilter/ipvs/ip_vs_ctl.c, IPVS_CMD_GET_DEST) and
CAP_NET_ADMIN.
"""

from __future__ import annotations

import errno
import socket
import sys
from typing import Any

from lvstui.model.ipvs import (
    Counters,
    Destination,
    KernelService,
    ServerDetail,
    ServiceCounters,
    summed,
)
from lvstui.model.keys import ServerKey, ServiceKey, canonical_address

PROTOCOL_NUMBERS = {"tcp": socket.IPPROTO_TCP, "udp": socket.IPPROTO_UDP, "sctp": 132}
_TUNNELS = {0: "ipip", 1: "gue", 2: "gre"}
_TUN = 2
_METHODS = {0: "NAT", 1: "LOCAL", _TUN: "TUN", 3: "DR", 4: "BYPASS"}
"""IP_VS_CONN_F_* of the forwarding method (uapi/linux/ip_vs.h)."""
_PERSISTENT, _ONE_PACKET = 1, 4
"""IP_VS_SVC_F_PERSISTENT and IP_VS_SVC_F_ONEPACKET."""
_PROTOCOLS = {number: name for name, number in PROTOCOL_NUMBERS.items()}


class KernelIpvs:
    """The IPVS family of generic netlink through pyroute2, imported when first needed.

    Not thread-safe: each thread opens its own. Raises PermissionError without CAP_NET_ADMIN and
    FileNotFoundError when the kernel has no IPVS.
    """

    def __init__(self) -> None:
        # Importing pyroute2 costs as much start-up as Textual itself.
        from pyroute2.ipvs import IPVS
        from pyroute2.netlink.exceptions import NetlinkError

        self._error = NetlinkError
        try:
            self._socket = IPVS()
        except NetlinkError as error:
            raise _translated(error) from None

    def close(self) -> None:
        self._socket.close()

    def __enter__(self) -> KernelIpvs:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def read(self, key: ServiceKey) -> ServiceCounters:
        """Counters of one service. Raises LookupError when the kernel has it no more."""
        try:
            messages = self._socket.dest("dump", service=self._service(key))
        except self._error as error:
            raise _translated(error) from None
        servers = tuple(_server(message) for message in messages)
        return ServiceCounters(
            key, summed(Counters, (detail.counters for _, detail in servers)), servers
        )

    def services(self) -> tuple[KernelService, ...]:
        """Every service of this network, without its destinations. Raises OSError."""
        try:
            return tuple(_service_of(message) for message in self._socket.service("dump"))
        except self._error as error:
            raise _translated(error) from None

    def destinations(self, key: ServiceKey) -> tuple[Destination, ...]:
        """The destinations of one service; none as well when the kernel has it no more. Raises
        OSError."""
        try:
            messages = self._socket.dest("dump", service=self._service(key))
            return tuple(_destination(message) for message in messages)
        except self._error as error:
            problem = _translated(error)
            if isinstance(problem, LookupError):
                return ()
            raise problem from None

    def set_weight(self, key: ServiceKey, server: ServerKey, weight: int) -> None:
        """Write one weight, everything else of the destination as the kernel has it.

        Raises LookupError (service or server gone), PermissionError, OSError.
        """
        from pyroute2.ipvs import IPVSDest

        service = self._service(key)
        try:
            for message in self._socket.dest("dump", service=service):
                if _server(message)[0] == server:
                    break
            else:
                raise LookupError(f"{server} is not in {key} in the kernel")
            attributes = message.get_attr("IPVS_CMD_ATTR_DEST")
            kept = ("fwd_method", "u_thresh", "l_thresh", "tun_type", "tun_port", "tun_flags")
            known = {name: attributes.get_attr(f"IPVS_DEST_ATTR_{name.upper()}") for name in kept}
            wanted = IPVSDest(
                addr_family=socket.AF_INET6 if server.family == 6 else socket.AF_INET,
                addr=server.address,
                port=server.port,
                weight=weight,
                **{name: value for name, value in known.items() if value is not None},
            )
            self._socket.dest("set", service=service, dest=wanted)
        except self._error as error:
            raise _translated(error) from None

    def _service(self, key: ServiceKey) -> Any:
        from pyroute2.ipvs import IPVSService

        family = socket.AF_INET6 if key.family == 6 else socket.AF_INET
        if key.protocol == "fwmark":
            return IPVSService(af=family, fwmark=key.fwmark)
        return IPVSService(
            af=family, protocol=PROTOCOL_NUMBERS[key.protocol], addr=key.address, port=key.port
        )


def _translated(error: Any) -> Exception:
    code = getattr(error, "code", 0)
    if code in (errno.EPERM, errno.EACCES):
        return PermissionError(code, "netlink refuses: this needs root (CAP_NET_ADMIN)")
    if code in (errno.ESRCH, errno.ENOENT) and getattr(error, "extra_code", 0) == errno.ENOTSUP:
        return FileNotFoundError(code, "this kernel has no IPVS loaded")
    if code in (errno.ESRCH, errno.ENOENT):
        return LookupError("the kernel does not have it any more")
    return OSError(code, str(error))


def _counters(attributes: Any) -> Counters:
    stats = attributes.get_attr("IPVS_DEST_ATTR_STATS64") or attributes.get_attr(
        "IPVS_DEST_ATTR_STATS"
    )
    if stats is None:
        return Counters()
    found = dict(stats["attrs"])
    names = ("CONNS", "INPKTS", "OUTPKTS", "INBYTES", "OUTBYTES")
    return Counters(*(found.get(f"IPVS_STATS_ATTR_{name}", 0) for name in names))


def _service_of(message: Any) -> KernelService:
    attributes = message.get_attr("IPVS_CMD_ATTR_SERVICE")
    family = 6 if attributes.get_attr("IPVS_SVC_ATTR_AF") == socket.AF_INET6 else 4
    mark = attributes.get_attr("IPVS_SVC_ATTR_FWMARK")
    if mark:
        key = ServiceKey.mark(mark, family)
    else:
        protocol = _PROTOCOLS.get(attributes.get_attr("IPVS_SVC_ATTR_PROTOCOL"), "tcp")
        address = str(attributes.get_attr("IPVS_SVC_ATTR_ADDR"))
        key = ServiceKey.of(protocol, address, attributes.get_attr("IPVS_SVC_ATTR_PORT"))
    flags = attributes.get_attr("IPVS_SVC_ATTR_FLAGS")["flags"]
    persistence, netmask = None, ""
    if flags & _PERSISTENT:
        persistence = attributes.get_attr("IPVS_SVC_ATTR_TIMEOUT")
        netmask = str(attributes.get_attr("IPVS_SVC_ATTR_NETMASK"))
        if family == 6:
            # A prefix length in the machine's order, in a field of the network's.
            netmask = f"/{int.from_bytes(socket.inet_aton(netmask), sys.byteorder)}"
    scheduler = attributes.get_attr("IPVS_SVC_ATTR_SCHED_NAME", "none")
    return KernelService(key, scheduler, bool(flags & _ONE_PACKET), persistence, netmask, ())


def _destination(message: Any) -> Destination:
    attributes = message.get_attr("IPVS_CMD_ATTR_DEST")
    key, _ = _server(message)
    return Destination(
        key,
        _METHODS.get(attributes.get_attr("IPVS_DEST_ATTR_FWD_METHOD", 0) & 7, ""),
        attributes.get_attr("IPVS_DEST_ATTR_WEIGHT", 0),
        attributes.get_attr("IPVS_DEST_ATTR_ACTIVE_CONNS", 0),
        attributes.get_attr("IPVS_DEST_ATTR_INACT_CONNS", 0),
    )


def _server(message: Any) -> tuple[ServerKey, ServerDetail]:
    attributes = message.get_attr("IPVS_CMD_ATTR_DEST")
    key = ServerKey(
        canonical_address(str(attributes.get_attr("IPVS_DEST_ATTR_ADDR"))),
        attributes.get_attr("IPVS_DEST_ATTR_PORT"),
    )
    tunnel = ""
    if attributes.get_attr("IPVS_DEST_ATTR_FWD_METHOD", 0) & 7 == _TUN:
        tunnel = _TUNNELS.get(attributes.get_attr("IPVS_DEST_ATTR_TUN_TYPE", 0), "")
    return key, ServerDetail(
        _counters(attributes),
        attributes.get_attr("IPVS_DEST_ATTR_U_THRESH", 0),
        attributes.get_attr("IPVS_DEST_ATTR_L_THRESH", 0),
        attributes.get_attr("IPVS_DEST_ATTR_PERSIST_CONNS", 0),
        tunnel,
    )
