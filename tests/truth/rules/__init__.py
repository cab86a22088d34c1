"""The rules: what `lvstui status --json` and the screen may not say, given what is so."""

from tests.truth.rules import vrrp as vrrp
from tests.truth.rules.registry import RULES as RULES
from tests.truth.rules.registry import compare as compare
from tests.truth.rules.registry import kind as kind
from tests.truth.rules.table import not_on_screen as not_on_screen
from tests.truth.rules.whole import LATE as LATE
from tests.truth.rules.whole import is_healthy as is_healthy
