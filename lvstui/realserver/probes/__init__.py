"""What the wire shows of real servers, asked from a director without logging in anywhere.

`ask_all` (who answers ARP for a VIP), `macs_of` (is a real server on the same link), `ArpListener`
(who speaks for a VIP unasked), `try_path` (does a real server take its packets) and `announce`
(put neighbour tables right). The asking ones block with a deadline, want to be called in a thread,
and return a frozen result with `text` and `evidence`; `Unavailable` when they cannot be made. None
raises for what the host or the network lacks.
"""

from lvstui.realserver.probes.asking import ArpAnswers, MacAnswers, MacState, ask_all, macs_of
from lvstui.realserver.probes.garp import announce
from lvstui.realserver.probes.listen import ArpListener
from lvstui.realserver.probes.results import Unavailable
from lvstui.realserver.probes.vip_path import PathResult, PathState, try_path

__all__ = [
    "ArpAnswers",
    "ArpListener",
    "MacAnswers",
    "MacState",
    "PathResult",
    "PathState",
    "Unavailable",
    "announce",
    "ask_all",
    "macs_of",
    "try_path",
]
