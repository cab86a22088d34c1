"""Services that /proc/net/ip_vs leaves out, by netlink.

The file is written a page at a time. Where a page begins, the kernel skips as many services of our
network as it has passed services of others (ip_vs_info_seq_next counts those too, ip_vs_info_array
does not: net/netfilter/ipvs/ip_vs_ctl.c; seen on 6.1: with four services in other networks, four of
ours are gone as soon as the table is longer than a page). A host whose containers balance
by IPVS is enough. Such services would look as if somebody had removed them.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace

from lvstui.kernel.ipvs import KernelIpvs
from lvstui.model.ipvs import KernelService, KernelTable
from lvstui.model.keys import ServiceKey

AGAIN_S = 10.0
"""How often netlink is asked for all services while some are left out."""
SHARE_S = 0.01
"""Most of a look that is spent on reading those that are left out, one at least."""


class LeftOut:
    """Completes one table after the other. One thread at a time.

    A dump of the services is asked for only when those in the file are other ones than before, and
    every `AGAIN_S` while some are left out or netlink failed. Without CAP_NET_ADMIN nobody can
    tell: tables stay as they are.
    """

    def __init__(
        self,
        connect: Callable[[], KernelIpvs] = KernelIpvs,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._connect = connect
        self._clock = clock
        self._ipvs: KernelIpvs | None = None
        self._denied = False
        self._failed = False
        self._keys: tuple[ServiceKey, ...] | None = None
        self._asked = 0.0
        self._turn = 0
        self._found: tuple[KernelService, ...] = ()
        self._file: KernelTable | None = None
        self._whole: KernelTable | None = None

    def complete(self, file: KernelTable) -> KernelTable:
        """`file` with what it lacks; the object of the last call when nothing changed."""
        if self._denied:
            return file
        before = self._found
        try:
            self._look(file)
        except PermissionError:
            self._denied = True
            self.close()
            self._found = ()
        except OSError:
            # The table went, or netlink could not say.
            self.close()
            self._failed, self._found = True, ()
        if not self._found:
            self._file, self._whole = file, file
        elif self._whole is None or file is not self._file or self._found != before:
            self._file, self._whole = file, replace(file, services=file.services + self._found)
        return self._whole

    def _look(self, file: KernelTable) -> None:
        keys = self._keys
        if keys is None or file is not self._file:
            keys = tuple(service.key for service in file.services)
        now = self._clock()
        unsure = self._failed or bool(self._found)
        if keys != self._keys or (unsure and now - self._asked >= AGAIN_S):
            self._keys, self._asked, self._failed = keys, now, False
            self._compare(self._connected(), set(keys))
        elif self._found:
            self._refresh(self._connected())

    def _compare(self, ipvs: KernelIpvs, there: set[ServiceKey]) -> None:
        known = {service.key: service for service in self._found}
        self._found = tuple(
            _merged(known.get(one.key), replace(one, destinations=ipvs.destinations(one.key)))
            for one in ipvs.services()
            if one.key not in there
        )

    def _refresh(self, ipvs: KernelIpvs) -> None:
        """Read some again, in turn."""
        services = list(self._found)
        started = time.perf_counter()
        for _ in range(len(services)):
            self._turn = (self._turn + 1) % len(services)
            old = services[self._turn]
            found = ipvs.destinations(old.key)
            if old.destinations and not found:
                # It may be gone, and others may be left out since: ask for all at the next look.
                self._keys = None
            services[self._turn] = _merged(old, replace(old, destinations=found))
            if time.perf_counter() - started > SHARE_S:
                break
        self._found = tuple(services)

    def _connected(self) -> KernelIpvs:
        if self._ipvs is None:
            self._ipvs = self._connect()
        return self._ipvs

    def close(self) -> None:
        """Give the socket back; a later call opens another."""
        if self._ipvs is not None:
            self._ipvs.close()
            self._ipvs = None


def _merged(old: KernelService | None, new: KernelService) -> KernelService:
    """`old` itself when `new` says the same."""
    if old is None:
        return new
    same = all(
        getattr(old, name) == getattr(new, name) for name in KernelService.__dataclass_fields__
    )
    return old if same else new
