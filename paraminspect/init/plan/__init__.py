"""Plans: which scheme draws which parameter, and the tree with the values drawn."""

from paraminspect.init.plan._missing import Completed, complete
from paraminspect.init.plan._planning import (
    Drawing,
    Initialization,
    initialize,
    plan_initialization,
)
from paraminspect.init.plan._wishes import Rule, Wishes, parse_rule

__all__ = [
    "Completed",
    "Drawing",
    "Initialization",
    "Rule",
    "Wishes",
    "complete",
    "initialize",
    "parse_rule",
    "plan_initialization",
]
