"""The IPVS family of generic netlink: 64-bit counters, thresholds, persistent connections, weights.

It costs one round trip a service (net/netfilter/ipvs/ip_vs_ctl.c, IPVS_CMD_GET_DEST) and
CAP_NET_ADMIN.
"""

from __future__ import annotations

import errno
import socket
import sys
from collections.abc import Callable
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
        servers = tuple(map(_server, self._dump(key)))
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
            messages = self._dump(key)
        except LookupError:
            return ()
        return tuple(map(_destination, messages))

    def _dump(self, key: ServiceKey) -> list[Any]:
        """What netlink says of the destinations. Raises LookupError, OSError."""
        try:
            return list(self._socket.dest("dump", service=self._service(key)))
        except self._error as error:
            raise _translated(error) from None

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


def _attributes(message: Any, of: str, prefix: str) -> Callable[..., Any]:
    """What gives an attribute of a service or destination by its name, or a default."""
    inner = message.get_attr(f"IPVS_CMD_ATTR_{of}")
    return lambda name, default=None: inner.get_attr(f"IPVS_{prefix}_ATTR_{name}", default)


def _counters(get: Callable[..., Any]) -> Counters:
    stats = get("STATS64") or get("STATS")
    if stats is None:
        return Counters()
    found = dict(stats["attrs"])
    names = ("CONNS", "INPKTS", "OUTPKTS", "INBYTES", "OUTBYTES")
    return Counters(*(found.get(f"IPVS_STATS_ATTR_{name}", 0) for name in names))


def _service_of(message: Any) -> KernelService:
    get = _attributes(message, "SERVICE", "SVC")
    family = 6 if get("AF") == socket.AF_INET6 else 4
    if mark := get("FWMARK"):
        key = ServiceKey.mark(mark, family)
    else:
        key = ServiceKey.of(_PROTOCOLS.get(get("PROTOCOL"), "tcp"), str(get("ADDR")), get("PORT"))
    flags = get("FLAGS")["flags"]
    persistence, netmask = None, ""
    if flags & _PERSISTENT:
        persistence, netmask = get("TIMEOUT"), str(get("NETMASK"))
        if family == 6:
            # A prefix length in the machine's order, in a field of the network's.
            netmask = f"/{int.from_bytes(socket.inet_aton(netmask), sys.byteorder)}"
    one_packet = bool(flags & _ONE_PACKET)
    return KernelService(key, get("SCHED_NAME", "none"), one_packet, persistence, netmask, ())


def _destination(message: Any) -> Destination:
    get = _attributes(message, "DEST", "DEST")
    key, _ = _server(message)
    method = _METHODS.get(get("FWD_METHOD", 0) & 7, "")
    return Destination(key, method, get("WEIGHT", 0), get("ACTIVE_CONNS", 0), get("INACT_CONNS", 0))


def _server(message: Any) -> tuple[ServerKey, ServerDetail]:
    get = _attributes(message, "DEST", "DEST")
    key = ServerKey(canonical_address(str(get("ADDR"))), get("PORT"))
    tunnel = ""
    if get("FWD_METHOD", 0) & 7 == _TUN:
        tunnel = _TUNNELS.get(get("TUN_TYPE", 0), "")
    limits = get("U_THRESH", 0), get("L_THRESH", 0), get("PERSIST_CONNS", 0)
    return key, ServerDetail(_counters(get), *limits, tunnel)
