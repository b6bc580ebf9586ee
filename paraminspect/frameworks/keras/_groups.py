"""How Keras 3 lays out a weights file: known to what reads such files and to what writes them.

Each layer has a group, called by its class and numbered in its container or called by the attribute
that holds it. In it a group `vars` has the name of the layer as an attribute and its variables,
trained ones first, as datasets `0`, `1`, ... (`_save_state` in keras/src/saving/saving_lib.py).
"""

from __future__ import annotations

import functools
import re
from collections import Counter
from collections.abc import Iterable, Iterator

VARS = "vars"
"""The group in the group of a layer that holds its variables."""


LAYERS = "layers"
"""The group of the layers of a Sequential or Functional model."""


def below(group: str, *parts: str) -> str:
    """The path of what is in a group; the group of the model itself is `""`."""
    return "/".join((group, *parts) if group else parts)


@functools.cache
def snake_case(class_name: str) -> str:
    """`Conv2DTranspose` is `conv2d_transpose` (`to_snake_case` in keras/src/utils/naming.py)."""
    name = re.sub(r"\W+", "", class_name)
    name = re.sub(r"(.)([A-Z][a-z]+)", r"\1_\2", name)
    return re.sub(r"([a-z])([A-Z])", r"\1_\2", name).lower()


def number_groups(class_names: Iterable[str]) -> Iterator[str]:
    """The groups of the layers of a container, in its order: `dense`, `dense_1`, `p_re_lu`."""
    used: Counter[str] = Counter()
    for class_name in class_names:
        name = snake_case(class_name)
        yield f"{name}_{used[name]}" if used[name] else name
        used[name] += 1
