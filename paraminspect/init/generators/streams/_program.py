"""Draws that follow each other on one stream, each found and made when it is asked for."""

from __future__ import annotations

from typing import Any

import numpy as np

from paraminspect.arrays import DType, Shape
from paraminspect.arrays.lazy import Recipe
from paraminspect.init.generators.streams._aten import Cursor, Drawing
from paraminspect.init.generators.streams._mt19937 import Mt19937
from paraminspect.runtime import Lock


class Program:
    """What one generator draws, in turn."""

    def __init__(self, words: Mt19937) -> None:
        self.words = words
        self._drawings: list[Drawing] = []
        self._starts = [Cursor()]
        self._lock = Lock()

    def append(self, drawing: Drawing) -> Placed:
        """A draw behind all others."""
        self._drawings.append(drawing)
        return Placed(self, len(self._drawings) - 1)

    def drawing(self, number: int) -> Drawing:
        """A draw by its number."""
        return self._drawings[number]

    def start(self, number: int) -> Cursor:
        """Where the generator is before a draw."""
        with self._lock:
            while len(self._starts) <= number:
                last = len(self._starts) - 1
                self._starts.append(self._drawings[last].after(self.words, self._starts[last]))
            return self._starts[number]


class Placed:
    """A draw at its place in a program."""

    def __init__(self, program: Program, number: int) -> None:
        self._program = program
        self._number = number

    def values(self, start: int, stop: int) -> np.ndarray[Any, Any]:
        """Its values from `start` to `stop`, the same however they are asked for."""
        drawing = self._program.drawing(self._number)
        return drawing.values(self._program.words, self._program.start(self._number), start, stop)

    def whole(self, shape: Shape) -> np.ndarray[Any, Any]:
        """All its values."""
        drawing = self._program.drawing(self._number)
        return self.values(0, drawing.count).reshape(shape)

    def array(self, shape: Shape, dtype: DType) -> Recipe:
        """Its values as an array."""
        return Recipe(shape, dtype, self.values)
