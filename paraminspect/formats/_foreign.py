"""Foreign files: formats that are not read, and for each the line that makes one that is.

A row goes when its format is read.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

from paraminspect.errors import CheckpointError

MSGPACK_MAPS = {*range(0x81, 0x90), 0xDE, 0xDF}
"""What a map of msgpack begins with."""
MSGPACK_TEXTS = {*range(0xA1, 0xC0), 0xD9, 0xDA}
"""What a text begins with, as the first key of a map."""

MXNET_MAGIC = (0x112).to_bytes(8, "little")
TORCH_MAGIC = b"\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19."
"""The number 0x1950a86a20f9469cfc6c, pickled: how torch.save began before 1.6."""

TO_NPZ = ".npz"


class Foreign(NamedTuple):
    """A format that is not read."""

    what: str
    fits: Callable[[str, bytes], bool]
    """Whether a file of this name that begins so is of the format."""
    code: str
    """Python that reads the file `f` and writes the file `t`; empty: there is only `way`."""
    ending: str = TO_NPZ
    way: str = ""


def _is_msgpack(_name: str, first: bytes) -> bool:
    at = {0xDE: 3, 0xDF: 5}.get(first[0], 1)
    return first[0] in MSGPACK_MAPS and len(first) > at and first[at] in MSGPACK_TEXTS


def _is_torch_zip(first: bytes) -> bool:
    """Whether it is an archive whose first member is the pickle."""
    return first.startswith(b"PK\x03\x04") and b"/data.pkl" in first[30:]


def _is_named(pattern: str) -> Callable[[str, bytes], bool]:
    return lambda name, _first: re.search(pattern, name) is not None


TORCH = Foreign(
    "a PyTorch file (a pickle)",
    lambda _name, first: TORCH_MAGIC in first[:32] or _is_torch_zip(first),
    "import torch, safetensors.torch as s; d = torch.load(f, 'cpu', weights_only=True);"
    " d = d.get('state_dict', d);"
    " s.save_file({k: v.contiguous().clone() for k, v in d.items()}, t)",
    ".safetensors",
)
TORCHSCRIPT = Foreign(
    "a TorchScript file (a program)",
    lambda _name, _first: False,
    "import torch, safetensors.torch as s; d = torch.jit.load(f, 'cpu').state_dict();"
    " s.save_file({k: v.contiguous().clone() for k, v in d.items()}, t)",
    ".safetensors",
)
TENSORFLOW = Foreign(
    "a TensorFlow checkpoint",
    _is_named(r"\.data-\d{5}-of-\d{5}$|\.index$|^checkpoint$"),
    "import numpy, tensorflow as tf; r = tf.train.load_checkpoint(f);"
    " numpy.savez(t, **{n: r.get_tensor(n) for n in r.get_variable_to_shape_map()})",
)
TFJS = Foreign(
    "a TensorFlow.js model",
    _is_named(r"^group\d+-shard\d+of\d+(\.bin)?$"),
    "",
    way="tensorflowjs_converter --input_format tfjs_layers_model --output_format keras"
    " model.json model.h5",
)
ZARR = Foreign(
    "a zarr store",
    _is_named(r"^(\.z(group|array|attrs|metadata)|zarr\.json)$"),
    "import numpy, zarr; g = zarr.open_group(f, mode='r');"
    " numpy.savez(t, **{n: a[...] for n, a in g.members(max_depth=None) if hasattr(a, 'shape')})",
)
ORBAX = Foreign(
    "an Orbax checkpoint",
    _is_named(r"^(_CHECKPOINT_METADATA|_METADATA|manifest\.ocdbt|ocdbt\.process_\d+)$"),
    "import jax, numpy, os, orbax.checkpoint as o;"
    " d = o.PyTreeCheckpointer().restore(os.path.abspath(f));"
    " numpy.savez(t, **{jax.tree_util.keystr(k): v"
    " for k, v in jax.tree_util.tree_flatten_with_path(d)[0]})",
)

FOREIGN = (
    TORCH,
    Foreign(
        "an MXNet file",
        lambda _name, first: first.startswith(MXNET_MAGIC),
        "import mxnet as mx, numpy;"
        " numpy.savez(t, **{k: v.asnumpy() for k, v in mx.nd.load(f).items()})",
    ),
    Foreign(
        "a GGUF file",
        lambda _name, first: first.startswith(b"GGUF"),
        "import gguf, numpy; numpy.savez(t, **{a.name:"
        " gguf.quants.dequantize(a.data, a.tensor_type) for a in gguf.GGUFReader(f).tensors})",
    ),
    Foreign(
        "a TensorFlow Lite model",
        lambda _name, first: first[4:8] == b"TFL3",
        "",
        way='python -c "import sys, tensorflow as tf;'
        ' tf.lite.experimental.Analyzer.analyze(sys.argv[1])" {path} lists what is inside',
    ),
    Foreign(
        "an ONNX model",
        lambda name, first: name.endswith(".onnx") and first.startswith(b"\x08"),
        "import numpy, onnx, onnx.numpy_helper as h;"
        " numpy.savez(t, **{a.name: h.to_array(a) for a in onnx.load(f).graph.initializer})",
    ),
    Foreign(
        "a msgpack file, as flax writes them",
        _is_msgpack,
        "import numpy, flax; d = flax.serialization.msgpack_restore(open(f, 'rb').read());"
        " numpy.savez(t, **flax.traverse_util.flatten_dict(d, sep='/'))",
    ),
    TFJS,
    TENSORFLOW,
    ZARR,
    ORBAX,
)
"""The first one that fits tells; those that only a name tells stand last."""

_JSON = {b'"weightsManifest"': TFJS, b'"zarr_format"': ZARR}
"""What else is JSON, as an index of shards is."""


def foreign_file(path: Path, first: bytes) -> CheckpointError | None:
    """The error for a file of a format that is not read; None if it is of none of these."""
    known = next((f for f in FOREIGN if first and f.fits(path.name, first)), None)
    return None if known is None else foreign_error(known, path)


def foreign_json(path: Path, text: bytes) -> CheckpointError | None:
    """The same for a JSON file that is not an index."""
    known = next((f for key, f in _JSON.items() if key in text), None)
    return None if known is None else foreign_error(known, path)


def foreign_folder(folder: Path, names: Sequence[str]) -> CheckpointError | None:
    """The same for a folder, which may be a checkpoint itself."""
    for known in (ORBAX, ZARR, TENSORFLOW):
        if any(known.fits(name, b"") for name in names):
            return foreign_error(known, folder)
    if "saved_model.pb" in names:
        return foreign_error(TENSORFLOW, folder / "variables" / "variables")
    return None


def foreign_error(known: Foreign, path: Path) -> CheckpointError:
    """That a file is of a format that is not read, and what makes it one that is."""
    source = str(path)
    if known is TENSORFLOW:
        source = re.sub(r"\.(index|data-\d{5}-of-\d{5})$|/checkpoint$", "", source)
    target = Path(source).stem + known.ending
    way = known.way.replace("{path}", shlex.quote(source))
    if known.code:
        code = f"import sys; f, t = sys.argv[1:]; {known.code}"
        way = f'python -c "{code}" {shlex.quote(source)} {shlex.quote(target)}'
        way += f" makes {shlex.quote(target)} of it"
    return CheckpointError(f"{known.what}, which is not read: {way}").at(path)
