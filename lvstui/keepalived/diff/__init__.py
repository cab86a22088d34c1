"""What the difference between two configurations means to those who use the site."""

from lvstui.keepalived.diff.compare import difference
from lvstui.keepalived.diff.form import Difference, Impact

__all__ = ["Difference", "Impact", "difference"]
