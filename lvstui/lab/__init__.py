"""The lab: a whole LVS cluster inside one User-Mode Linux guest, without root.

`from lvstui.lab import Lab` is the Python API; `lvstui lab` the command.  Nothing is imported
until it is asked for: this package is imported inside the guest too, where imports take ten times
longer.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from lvstui.lab.api import Lab as Lab
    from lvstui.lab.api import RunningMachine as RunningMachine
    from lvstui.lab.control import RunResult as RunResult
    from lvstui.lab.errors import LabError as LabError
    from lvstui.lab.topology import Machine as Machine
    from lvstui.lab.topology import Topology as Topology

_HOMES = {
    "Lab": "api",
    "RunResult": "control",
    "LabError": "errors",
    "Machine": "topology",
    "RunningMachine": "api",
    "Topology": "topology",
}


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    import importlib

    return getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)
