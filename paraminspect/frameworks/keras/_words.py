"""The names of `keras.initializers`, which are the initializers of a definition."""

from __future__ import annotations

from paraminspect.frameworks._words import Words, in_pairs, words_of
from paraminspect.frameworks.keras._initializers import INITIALIZERS

_OWN = words_of(INITIALIZERS)

WORDS: Words = {**_OWN, **in_pairs(_OWN, alone=False)}
