"""One change of the configuration, from the first question to its end."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from lvstui.operations.change import TrackedChange
from lvstui.operations.config_plan import ConfigPlan

if TYPE_CHECKING:
    from lvstui.operations.configuration import DirectorConfigs

MakePlan = Callable[["DirectorConfigs"], ConfigPlan]


@dataclass
class ConfigChange(TrackedChange):
    """Written under a timer on each director."""

    make: MakePlan = field(kw_only=True)
    from_draft: bool = False
    """The draft becomes what is in force when this is kept."""
    plan: ConfigPlan | None = None
    plight_here: str = ""
    """Why the timer of this host cannot be relied on, as the picture says; empty: it can."""
    plight_told: str = ""
    """The same of any director, as they said when they were asked last."""

    @property
    def plight(self) -> str:
        """Why its timer cannot be relied on (WAITING); empty: it can."""
        return self.plight_here or self.plight_told

    @property
    def then(self) -> str:
        """What becomes of it unless somebody decides (WAITING)."""
        return self.plight or f"rolled back in {self.left_s:.0f} s"
