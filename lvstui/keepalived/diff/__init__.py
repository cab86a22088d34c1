"""What the difference between two configurations means to those who use the site."""

from __future__ import annotations

from lvstui.keepalived.diff.form import WATCHES, Collector, Difference, Impact
from lvstui.keepalived.diff.instances import compare_instances
from lvstui.keepalived.diff.lines import compare_lines
from lvstui.keepalived.diff.services import compare_services
from lvstui.keepalived.text.tree import Tree
from lvstui.model.config import Configuration

__all__ = ["Difference", "Impact", "difference"]

_RANK = {impact: rank for rank, impact in enumerate(Impact)}


def difference(
    before: Configuration,
    after: Configuration,
    before_tree: Tree | None = None,
    after_tree: Tree | None = None,
) -> tuple[Difference, ...]:
    """What changes when `after` takes the place of `before`, worst impact first.

    With both trees also the lines that no typed field knows. Never empty when the digests (or
    the statements of the trees) differ; never holds a secret.
    """
    to = Collector()
    compare_services(before, after, to)
    compare_instances(before, after, to)
    if before_tree is not None and after_tree is not None:
        compare_lines(before_tree, after_tree, to)
    if not to.found and before.digest != after.digest:
        text = "lines differ that change nothing of services, instances or addresses"
        to.about("the configuration").say("other", WATCHES, text)
    unique = dict.fromkeys(to.found)
    return tuple(sorted(unique, key=lambda found: _RANK[found.impact]))
