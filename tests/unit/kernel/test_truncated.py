"""A service that the kernel's file leaves out is in the table all the same."""

from __future__ import annotations

from dataclasses import replace
from typing import cast

import pytest

from lvstui.kernel.ipvs import KernelIpvs
from lvstui.kernel.truncated import AGAIN_S, LeftOut
from lvstui.model.ipvs import Destination, KernelService, KernelTable
from lvstui.model.keys import ServerKey, ServiceKey


def service(mark: int, weight: int = 1) -> KernelService:
    server = Destination(ServerKey("10.0.0.3", 80), "DR", weight, 0, 0)
    return KernelService(ServiceKey.mark(mark), "rr", False, None, "", (server,))


class Kernel:
    """What netlink tells, and how often it was asked."""

    def __init__(self, *services: KernelService) -> None:
        self.table = {one.key: one for one in services}
        self.dumps = self.reads = 0
        self.error: OSError | None = None
        self.now = 0.0

    def services(self) -> tuple[KernelService, ...]:
        self.dumps += 1
        if self.error is not None:
            raise self.error
        return tuple(replace(one, destinations=()) for one in self.table.values())

    def destinations(self, key: ServiceKey) -> tuple[Destination, ...]:
        self.reads += 1
        found = self.table.get(key)
        return found.destinations if found is not None else ()

    def close(self) -> None:
        pass

    def left_out(self) -> LeftOut:
        return LeftOut(lambda: cast(KernelIpvs, self), lambda: self.now)


def marks(table: KernelTable) -> list[int]:
    return [one.key.fwmark for one in table.services]


def test_a_whole_file_costs_one_dump_until_its_services_change() -> None:
    one, two = service(1), service(2)
    kernel = Kernel(one, two)
    left = kernel.left_out()
    table = KernelTable((one, two))
    assert left.complete(table) is table
    moved = KernelTable((one, service(2, 5)))
    assert left.complete(moved) is moved
    kernel.now = 10 * AGAIN_S
    assert left.complete(moved) is moved
    assert (kernel.dumps, kernel.reads) == (1, 0)
    assert marks(left.complete(KernelTable((one,)))) == [1, 2]
    assert kernel.dumps == 2


def test_what_is_left_out_is_kept_up_to_date() -> None:
    one, two = service(1), service(2)
    kernel = Kernel(one, two)
    left, file = kernel.left_out(), KernelTable((one,))
    whole = left.complete(file)
    assert marks(whole) == [1, 2]
    assert left.complete(file) is whole
    kernel.table[two.key] = service(2, 7)
    after = left.complete(file)
    assert after.services[0] is one
    assert after.services[1].destinations[0].weight == 7
    assert kernel.dumps == 1


def test_one_that_is_gone_goes() -> None:
    one, two, three = service(1), service(2), service(3)
    kernel = Kernel(one, two)
    left, file = kernel.left_out(), KernelTable((one,))
    assert marks(left.complete(file)) == [1, 2]
    kernel.table = {one.key: one, three.key: three}
    left.complete(file)
    assert marks(left.complete(file)) == [1, 3]


def test_others_that_are_left_out_are_found_in_time() -> None:
    one, two = service(1), service(2)
    kernel = Kernel(one, two)
    left, file = kernel.left_out(), KernelTable((one,))
    left.complete(file)
    kernel.table[ServiceKey.mark(3)] = service(3)
    assert marks(left.complete(file)) == [1, 2]
    kernel.now = AGAIN_S
    assert marks(left.complete(file)) == [1, 2, 3]


def test_back_in_the_file_it_stands_once() -> None:
    one, two = service(1), service(2)
    kernel = Kernel(one, two)
    left = kernel.left_out()
    assert marks(left.complete(KernelTable((one,)))) == [1, 2]
    table = KernelTable((two, one))
    assert left.complete(table) is table


@pytest.mark.parametrize(("error", "dumps"), [(PermissionError(1, "no"), 1), (OSError(5, "io"), 2)])
def test_who_may_not_ask_does_not_ask_again(error: OSError, dumps: int) -> None:
    kernel = Kernel(service(1), service(2))
    kernel.error = error
    left, file = kernel.left_out(), KernelTable((service(1),))
    assert left.complete(file) is file
    assert left.complete(file) is file
    assert kernel.dumps == 1
    kernel.now = AGAIN_S
    kernel.error = None
    assert len(left.complete(file).services) == dumps
    assert kernel.dumps == dumps
