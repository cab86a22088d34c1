"""Adverts of a router that nobody asked for: `sender.py VRID PRIORITY VIP… ` sends one a second."""

from __future__ import annotations

import socket
import struct
import sys
import time

VRRP = 112


def advert(vrid: int, priority: int, vips: list[str]) -> bytes:
    """VRRP version 2 (RFC 3768), no authentication, one second."""
    body = b"".join(map(socket.inet_aton, vips)) + bytes(8)

    def packet(checksum: int) -> bytes:
        return struct.pack("!BBBBBBH", 0x21, vrid, priority, len(vips), 0, 1, checksum) + body

    total = sum(struct.unpack(f"!{len(packet(0)) // 2}H", packet(0)))
    total = (total & 0xFFFF) + (total >> 16)
    return packet(~(total + (total >> 16)) & 0xFFFF)


def main() -> None:
    """Until it is killed."""
    vrid, priority, *vips = sys.argv[1:]
    sock = socket.socket(socket.AF_INET, socket.SOCK_RAW, VRRP)
    sock.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_TTL, 255)
    link = struct.pack("4s4si", bytes(4), bytes(4), socket.if_nametoindex("eth0"))
    sock.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, link)
    while True:
        sock.sendto(advert(int(vrid), int(priority), vips), ("224.0.0.18", 0))
        time.sleep(1)


if __name__ == "__main__":
    main()
