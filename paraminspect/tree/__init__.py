"""Trees: all parameters of a model under their names, with its ties and its structure."""

from paraminspect.tree._architecture import Architecture
from paraminspect.tree._held import HeldTree, for_users, freed, held
from paraminspect.tree._module import MAXIMUM_DEPTH, Module
from paraminspect.tree._navigation import Branch
from paraminspect.tree._parameter import Codes, Parameter
from paraminspect.tree._source import Source, SourceFile
from paraminspect.tree._ties import check_tie
from paraminspect.tree._totals import Totals
from paraminspect.tree._tree import ParameterTree, check_tree

__all__ = [
    "MAXIMUM_DEPTH",
    "Architecture",
    "Branch",
    "Codes",
    "HeldTree",
    "Module",
    "Parameter",
    "ParameterTree",
    "Source",
    "SourceFile",
    "Totals",
    "check_tie",
    "check_tree",
    "for_users",
    "freed",
    "held",
]
