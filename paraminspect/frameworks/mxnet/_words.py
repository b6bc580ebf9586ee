"""The names of `mxnet.init`: its classes, and what its registry calls them."""

from __future__ import annotations

from paraminspect.frameworks._words import Words, in_pairs, words_of
from paraminspect.frameworks.mxnet._initializers import CLASSES, REGISTERED

_OWN = words_of({**CLASSES, **REGISTERED})

WORDS: Words = {**_OWN, **in_pairs(_OWN, alone=True)}
