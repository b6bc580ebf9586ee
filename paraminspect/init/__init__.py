"""Initialization: what is drawn, whose random numbers, and in which order."""
