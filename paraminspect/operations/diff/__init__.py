"""Differences between two trees: names, shapes, dtypes, ties and values.

Everything that can be told from names and headers comes first; values are read block by block.
"""

from paraminspect.operations.diff._comparison import Change, Comparison, Difference, diff_trees
from paraminspect.operations.diff._select import select_pair
from paraminspect.operations.diff._values import ValueDifference

__all__ = ["Change", "Comparison", "Difference", "ValueDifference", "diff_trees", "select_pair"]
