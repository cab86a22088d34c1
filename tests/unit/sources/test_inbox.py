"""The queue is bounded, and says what it dropped; states are never dropped."""

from __future__ import annotations

from lvstui.model import facts as f
from lvstui.model.ipvs import KernelTable
from lvstui.model.vrrp import Advert
from lvstui.sources import inbox as inbox_module
from lvstui.sources.inbox import MOST, Inbox


def seen(fact: f.Fact, at: float = 1.0, source: str = "proc") -> f.Observation:
    return f.Observation(at, "lb1", source, fact)


def advert(number: int) -> f.AdvertSeen:
    return f.AdvertSeen(Advert("10.0.0.1", "eth0", 51, number % 256, 2, 1.0, ("10.0.0.20",)))


def all_of(inbox: Inbox) -> list[f.Observation]:
    found = []
    while (one := inbox.take(0)) is not None:
        found.append(one)
    return found


def test_of_tables_that_wait_the_newest_counts_and_comes_where_it_came() -> None:
    inbox = Inbox()
    old, new = (f.TableSeen(KernelTable((), version, 0)) for version in ("1", "2"))
    change = f.InstanceChanged("VI", "MASTER")
    for fact in (old, change, new):
        inbox.put(seen(fact))
    assert [one.fact for one in all_of(inbox)] == [change, new]
    assert inbox.dropped() == {}
    assert (inbox.came, inbox.taken) == (3, 3)


def test_the_oldest_of_many_makes_room_and_is_counted() -> None:
    inbox = Inbox()
    for number in range(MOST + 300):
        inbox.put(seen(advert(number), at=number))
        if number < 5:
            inbox.put(seen(f.InstanceChanged("VI", "MASTER"), at=number))
    assert len(inbox) == MOST + 5
    assert inbox.dropped() == {"adverts": 300}
    assert inbox.dropped() == {}
    left = all_of(inbox)
    assert len(left) == MOST + 5
    assert next(one.at for one in left if isinstance(one.fact, f.AdvertSeen)) == 300
    assert len(inbox) == 0


def test_all_of_it_is_bounded() -> None:
    inbox = Inbox()
    most, inbox_module.MOST_OF_ALL = inbox_module.MOST_OF_ALL, 10
    try:
        for number in range(15):
            inbox.put(seen(f.InstanceChanged(str(number), "MASTER")))
    finally:
        inbox_module.MOST_OF_ALL = most
    assert len(inbox) == 10
    assert inbox.dropped() == {"observations": 5}


def test_its_age_is_that_of_the_oldest_that_waits() -> None:
    now = 100.0
    inbox = Inbox(lambda: now)
    assert inbox.age_s() == 0.0
    inbox.put(seen(f.TableSeen(KernelTable((), "1", 0))))
    now = 103.0
    inbox.put(seen(f.InstanceChanged("VI", "MASTER")))
    assert inbox.age_s() == 3.0
    inbox.put(seen(f.TableSeen(KernelTable((), "2", 0))))
    assert inbox.age_s() == 0.0
    all_of(inbox)
    now = 200.0
    assert inbox.age_s() == 0.0


def test_who_waits_can_be_woken() -> None:
    inbox = Inbox()
    inbox.wake()
    assert inbox.take(60) is None
