"""The frameworks' own random numbers, to the bit: one module each, NumPy only, in blocks."""
