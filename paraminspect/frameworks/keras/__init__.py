"""Keras 3.15: the layers of `keras.layers`, with its argument names, order and defaults.

Sizes are inferred from the input. Names are those of `weight.path` in a fresh process.
"""
