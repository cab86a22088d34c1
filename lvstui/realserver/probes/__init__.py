"""What the wire shows of real servers, asked from a director without logging in anywhere.

`ask`/`ask_all` (who answers ARP for a VIP), `mac_of`/`macs_of` (is a real server on the same link),
`watch` (who speaks for a VIP unasked), `try_path` (does a real server take the VIP's packets) and
`announce` (put neighbour tables right). All block with a deadline, want to be called in a thread,
and return a frozen result with `state`, `text` and `evidence`; `Unavailable` when they cannot be
made. None raises for what the host or the network lacks.
"""

from lvstui.realserver.probes.arp import ArpAnswers, AskState, ask, ask_all
from lvstui.realserver.probes.garp import Announced, announce
from lvstui.realserver.probes.listen import Listened, ListenState, Sighting, watch
from lvstui.realserver.probes.macs import MacAnswers, MacState, mac_names, mac_of, macs_of
from lvstui.realserver.probes.results import ProbeResult, Unavailable
from lvstui.realserver.probes.vip_path import PathResult, PathState, try_path

__all__ = [
    "Announced",
    "ArpAnswers",
    "AskState",
    "ListenState",
    "Listened",
    "MacAnswers",
    "MacState",
    "PathResult",
    "PathState",
    "ProbeResult",
    "Sighting",
    "Unavailable",
    "announce",
    "ask",
    "ask_all",
    "mac_names",
    "mac_of",
    "macs_of",
    "try_path",
    "watch",
]
