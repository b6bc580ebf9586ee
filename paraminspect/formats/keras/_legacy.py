"""Legacy Keras files (Keras 1 and 2, and 3's `.h5`): attributes tell layers and weights in order.

Layout: `[model_weights/]LAYER/WEIGHT`, with `layer_names` on the root and `weight_names` on each
layer; a list too long for one attribute is cut into `layer_names0`, `layer_names1`, ...
(keras/src/legacy/saving/legacy_h5_format.py).
"""

from __future__ import annotations

from collections import Counter
from typing import Any

from paraminspect.formats._json import shown
from paraminspect.formats.hdf5._contents import Contents

MODEL = "model_weights"
OPTIMIZER = "optimizer_weights"
TOP_LEVEL = "top_level_model_weights"
"""The group of the weights that belong to no layer."""

LAYER_NAMES, WEIGHT_NAMES = "layer_names", "weight_names"

_TENSOR = ":0"
"""TensorFlow's mark for the first output of an operation: no part of the name."""

MAXIMUM_PIECES = 1_000


def find_root(contents: Contents) -> str | None:
    """The group that holds the layers (`""` or `model_weights`); None for any other file."""
    root = MODEL if MODEL in contents.groups else ""
    if not root and any("/" not in path for path in contents.datasets):
        return None
    return root if _lists(contents, [root], LAYER_NAMES)[0] is not None else None


def stored_names(contents: Contents, root: str) -> dict[str, str]:
    """The path of each weight to its name, in the order of the model."""
    prefix = root + "/" if root else ""
    (layers,) = _lists(contents, [root], LAYER_NAMES)
    assert layers is not None, "find_root has seen them"
    groups = set(contents.groups)
    if prefix + TOP_LEVEL in groups and TOP_LEVEL not in layers:
        layers.append(TOP_LEVEL)
    places = [_joined(root, layer) for layer in layers]
    for layer, place in zip(layers, places, strict=True):
        if place not in groups:
            raise contents.library.error(
                f"{LAYER_NAMES} lists the layer {shown(layer)}, but there is no such group"
            )
    names = {}
    lists = _lists(contents, places, WEIGHT_NAMES)
    for layer, place, weights in zip(layers, places, lists, strict=True):
        if weights is None:
            raise contents.library.error(
                f"layer {shown(layer)} has no attribute {WEIGHT_NAMES}: its weights are unknown"
            )
        for weight in weights:
            path = _joined(place, weight)
            if path not in contents.datasets:
                raise contents.library.error(
                    f"layer {shown(layer)}: {WEIGHT_NAMES} lists {shown(weight)},"
                    " but there is no such dataset"
                )
            names[path] = _joined("", weight).removesuffix(_TENSOR)
    return _unique(names, prefix)


def _joined(group: str, name: str) -> str:
    """The path to which a name leads from a group, by HDF5's rules: `/x` begins at the root."""
    path = name if name.startswith("/") else f"{group}/{name}"
    return "/".join(part for part in path.split("/") if part not in ("", "."))


def _unique(names: dict[str, str], prefix: str) -> dict[str, str]:
    """Layers of different models may have weights of one name: these get the layer's before it."""
    times = Counter(names.values())
    return {
        path: name if times[name] == 1 else path.removeprefix(prefix)
        for path, name in names.items()
    }


def _lists(contents: Contents, owners: list[str], name: str) -> list[list[str] | None]:
    """The list of names in an attribute of each group, or in its pieces; None where neither is."""
    lists: list[list[str] | None] = []
    for owner, value in zip(owners, contents.attributes([(o, name) for o in owners]), strict=True):
        if value is None:
            value = _joined_pieces(contents, owner, name)
        lists.append(None if value is None else _checked(contents, owner, name, value))
    return lists


def _joined_pieces(contents: Contents, owner: str, name: str) -> list[Any] | None:
    """A list that was cut into pieces, because an attribute holds 64 KiB at most."""
    joined = None
    for number in range(MAXIMUM_PIECES):
        (piece,) = contents.attributes([(owner, f"{name}{number}")])
        if piece is None:
            break
        joined = [*(joined or []), *_checked(contents, owner, f"{name}{number}", piece)]
    return joined


def _checked(contents: Contents, owner: str, name: str, value: Any) -> list[str]:
    """A list of names; an empty one is stored as a list of no numbers."""
    if type(value) is list and all(type(item) is str for item in value):
        return value
    raise contents.library.error(
        f"the attribute {name} of the group {owner!r} is not a list of names: {shown(value)}"
    )
