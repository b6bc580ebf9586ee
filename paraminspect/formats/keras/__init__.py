"""Keras' files, and any other HDF5 file: names of parameters as the framework gives them.

What they hold tells them apart: groups named `vars` (Keras 3), lists of `layer_names` (legacy), an
archive with `model.weights.h5` (`.keras`), an index of shards. Any other is listed by its paths.
"""
