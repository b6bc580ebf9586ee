"""Edits: functions from tree to tree. The tree given stays as it was, values are made when read."""

from paraminspect.operations.edit._assigning import (
    Change,
    assign,
    cast_tree,
    changes,
    count_lost,
    parameters_used,
    view_voids,
)
from paraminspect.operations.edit._setting import parse_setting, set_values

__all__ = [
    "Change",
    "assign",
    "cast_tree",
    "changes",
    "count_lost",
    "parameters_used",
    "parse_setting",
    "set_values",
    "view_voids",
]
