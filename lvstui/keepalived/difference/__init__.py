"""What the difference between two configurations means to those who use the site."""

from lvstui.keepalived.difference.compare import difference
from lvstui.keepalived.difference.form import Difference, Impact

__all__ = ["Difference", "Impact", "difference"]
