"""Every value that keepalived ends up using, with where it comes from."""

from lvstui.keepalived.meaning.effective.value import Origin, Section, Value
from lvstui.keepalived.meaning.effective.whole import Effective

__all__ = ["Effective", "Origin", "Section", "Value"]
