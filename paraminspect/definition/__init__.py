"""Definitions: a YAML model definition becomes a parameter tree without values."""

from paraminspect.definition._loading import KEYS, MAXIMUM_COUNT, load_definition

__all__ = ["KEYS", "MAXIMUM_COUNT", "load_definition"]
