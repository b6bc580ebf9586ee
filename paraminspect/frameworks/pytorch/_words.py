"""The names of `torch.nn.init` that mean another thing than in the common language.

All others are there under PyTorch's names, with or without the underscore.
"""

from __future__ import annotations

from paraminspect.frameworks._words import Words, in_pairs
from paraminspect.init.schemes import IN_PLACE, checked

_OWN = {"uniform": checked(IN_PLACE["uniform_"]), "normal": checked(IN_PLACE["normal_"])}

WORDS: Words = in_pairs(_OWN, alone=False)
