"""Where a framework's own files keep a model."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Placement:
    """Where a weights file keeps a model.

    `names` maps the group of each layer's variables to the name of the layer, `paths` the name of
    each parameter to its dataset.
    """

    names: Mapping[str, str]
    paths: Mapping[str, str]
