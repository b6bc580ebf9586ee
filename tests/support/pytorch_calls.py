"""Calls of PyTorch's layers with inputs, at the edge and at random, and how answers are compared.

Most calls are right; some are refused by PyTorch when constructed, some when run.
"""

from __future__ import annotations

import inspect
import random
from collections.abc import Callable, Iterator
from typing import Any

from paraminspect.errors import ParamInspectError
from paraminspect.frameworks._naming import name_by_path
from paraminspect.frameworks.pytorch._modelling import MODELLING
from paraminspect.language import parse_expression
from paraminspect.tree import Module
from paraminspect.tree.layers import Built

Call = tuple[str, list[int] | None]


OURS = ("Conv1D", "Parameter", "Buffer")
"""Layers of a definition that are no modules of `torch.nn`."""


def signature_differences(signatures: dict[str, list[list[Any]]]) -> Iterator[str]:
    """Where our layers have other arguments, and which modules of `torch.nn` are not told of."""
    layers = MODELLING.layers
    unknown = layers.keys() - signatures.keys() - set(OURS)
    silent = signatures.keys() - layers.keys() - MODELLING.absent.keys()
    yield from (f"{name} is no module of torch.nn" for name in sorted(unknown))
    yield from (f"{name} is neither a layer nor absent with a reason" for name in sorted(silent))
    yield from (f"{name} is absent and there" for name in layers.keys() & MODELLING.absent.keys())
    for name in signatures.keys() & layers.keys():
        ours = [
            [p.name, p.kind.name, *([] if p.default is p.empty else [p.default])]
            for p in inspect.signature(layers[name]).parameters.values()
        ]
        if ours != signatures[name]:
            yield f"{name} has {signatures[name]}, we say: {ours}"


def differences(call: str, shape: list[int] | None, answer: dict[str, Any]) -> Iterator[str]:
    """Where our layer is not what PyTorch's is: refused, run, listed, made of."""
    try:
        built, problem = _built(call, shape)
    except ParamInspectError as error:
        if "error" not in answer and "run_error" not in answer:
            yield f"{call} is right, we say: {error}"
        return
    if "error" in answer:
        yield f"{call} should be refused: {answer['error']}"
        return
    if "run_error" in answer and problem is None:
        yield f"{call} cannot take {shape}: {answer['run_error']}"
    if "run_error" not in answer and problem is not None:
        yield f"{call} takes {shape}, we say: {problem}"
    if shape is not None and problem is None and "output" in answer:
        output = None if built.output is None else list(built.output)
        if output != answer["output"]:
            yield f"{call} makes {answer['output']} of {shape}, we say: {output}"
    if "parameters" in answer:
        yield from _differences_of_parts(call, built, answer)


def _built(call: str, shape: list[int] | None) -> tuple[Built, ParamInspectError | None]:
    """The layer built for its input, or for none and why not for that one."""
    layer = parse_expression(call).evaluate({}, MODELLING.layers)
    try:
        return layer.build(None if shape is None else tuple(shape)), None
    except ParamInspectError as error:
        if call.startswith("Lazy"):
            raise
        return layer.build(None), error


def _differences_of_parts(call: str, built: Built, answer: dict[str, Any]) -> Iterator[str]:
    named = name_by_path(built)
    listed = [
        [p.name, list(p.shape), p.dtype.name, p.trainable, list(p.fans) if p.fans else None]
        for p in named.parameters.values()
    ]
    if listed != answer["parameters"]:
        yield f"{call} has {answer['parameters']}, we say: {listed}"
    # A detail of quantization, which `print(net)` shows and nobody wants to see.
    plain = {"NonDynamicallyQuantizableLinear": "Linear"}
    expected = [[name, plain.get(kind, kind)] for name, kind in answer["modules"]]
    if list(_modules(named.root, "")) != expected:
        yield f"{call} is made of {expected}, we say: {list(_modules(named.root, ''))}"


def _modules(module: Module, prefix: str) -> Iterator[list[str]]:
    for name, child in module.children.items():
        yield [prefix + name, child.kind]
        yield from _modules(child, f"{prefix}{name}.")


EDGES: list[Call] = [
    # What PyTorch constructs of nothing, and what not.
    ("Linear(0, 3)", [0]), ("Linear(3, 0)", [3]), ("Bilinear(0, 2, 3)", None),
    ("Bilinear(2, 0, 3)", None), ("Conv2d(0, 3, 3)", None), ("Conv2d(3, 0, 3)", [3, 5, 5]),
    ("ConvTranspose2d(0, 3, 3)", None), ("ConvTranspose2d(3, 0, 3)", None),
    ("Embedding(0, 3)", None), ("Embedding(3, 0)", None), ("Embedding(0, 3, padding_idx=0)", None),
    ("EmbeddingBag(0, 3)", None), ("BatchNorm1d(0)", None),
    ("InstanceNorm1d(0, affine=True)", None), ("LayerNorm(0)", None), ("LayerNorm([])", None),
    ("LayerNorm(())", [3, 4]), ("LayerNorm([0, 3])", None), ("RMSNorm(())", None),
    ("GroupNorm(0, 0)", None), ("GroupNorm(1, 0)", None), ("PReLU(0)", [3]), ("LSTM(0, 3)", None),
    ("LSTM(3, 0)", None), ("LSTM(3, 4, 0)", None), ("LSTMCell(0, 3)", None),
    ("LSTMCell(3, 0)", None), ("MultiheadAttention(0, 1)", None),
    ("MultiheadAttention(4, 0)", None), ("MultiheadAttention(4, 2, kdim=0)", None),
    ("TransformerEncoderLayer(4, 2, 0)", None),
    ("TransformerEncoder(TransformerEncoderLayer(4, 2, 8), 0)", None),
    ("Transformer(4, 2, 0, 0)", None), ("AdaptiveLogSoftmaxWithLoss(0, 10, [3])", None),
    # Arguments that PyTorch refuses.
    ("Conv1d(3, 4, 3, groups=0)", None), ("Conv1d(3, 4, 3, groups=2)", None),
    ("Conv2d(3, 4, 3, padding='same', stride=2)", None), ("Conv2d(3, 4, 3, padding='sam')", None),
    ("Conv2d(3, 4, 3, padding_mode='mirror')", None), ("LazyConv2d(4, 3, groups=2)", [3, 5, 5]),
    ("ConvTranspose1d(3, 4, 3, padding_mode='reflect')", None), ("Linear(-1, 2)", None),
    ("Embedding(3, 4, padding_idx=3)", None), ("Embedding(3, 4, padding_idx=-4)", None),
    ("Embedding(3, 4, _freeze=True)", [2]), ("GroupNorm(2, 3)", None),
    ("LSTM(3, 4, proj_size=4)", None), ("LSTM(3, 4, proj_size=-1)", None),
    ("LSTM(3, 4, dropout=2)", None), ("RNN(3, 4, 1, 'relu')", [5, 3]),
    ("RNN(3, 4, nonlinearity='x')", None), ("RNN(3, 4, proj_size=2)", None),
    ("GRU(3, 4, proj_size=2)", None), ("GRU(3, 4, nonlinearity='tanh')", None),
    ("MultiheadAttention(4, 3)", None), ("TransformerEncoderLayer(4, 3)", None),
    ("TransformerEncoderLayer(4, 2, 8, activation='elu')", None),
    ("TransformerEncoderLayer(4, 2, 8, dropout=2)", None),
    ("TransformerEncoderLayer(4, 2, 8, activation=PReLU())", [5, 4]),
    ("TransformerDecoderLayer(4, 2, 8, activation=PReLU(3))", None),
    ("Transformer(4, 2, 1, 1, 8, custom_encoder=Linear(3, 4))", None),
    ("AdaptiveLogSoftmaxWithLoss(4, 10, 3)", None), ("AdaptiveLogSoftmaxWithLoss(4, 10, [])", None),
    ("AdaptiveLogSoftmaxWithLoss(4, 10, [3, 3])", None),
    ("AdaptiveLogSoftmaxWithLoss(4, 10, [3, 10])", None),
    ("AdaptiveLogSoftmaxWithLoss(4, 10, [0, 3])", None),
    ("AdaptiveLogSoftmaxWithLoss(4, 10, [3], div_value=0)", None),
    ("AdaptiveLogSoftmaxWithLoss(4, 10, [3], div_value=-2)", None), ("Dropout(1.5)", None),
    ("Softmax2d(3)", None), ("Sigmoid(3)", None), ("Hardtanh(1, 1)", None),
    ("FractionalMaxPool2d(2)", None), ("FractionalMaxPool2d(2, 3, 0.5)", None),
    ("FractionalMaxPool2d(2, output_ratio=1.5)", None), ("Unflatten(1, 2)", None),
    ("ConstantPad1d(1)", None), ("Threshold(1)", None), ("Linear(3)", None),
    ("Linear(3, 4, biass=True)", None), ("BatchNorm1d(3, 1e-5, 0.1, True, True, None, None, False)", None),
    # What can be constructed but not run.
    ("Conv1d(3, 4, 4)", [3, 3]), ("Conv1d(3, 4, 3)", [2, 8]), ("Conv2d(3, 4, 3)", [3, 8]),
    ("Conv1d(3, 4, 4, padding='same')", [3, 2]), ("MaxPool1d(3, padding=2)", [3, 5]),
    ("AvgPool3d(4, 1, 2)", [2, 8, 4, 3]), ("BatchNorm2d(3)", [3, 4]), ("BatchNorm1d(3)", [4]),
    ("BatchNorm1d(3, affine=False, track_running_stats=False)", [4]), ("Embedding(9, 4)", []),
    ("EmbeddingBag(9, 4)", [3, 5]), ("LazyLinear(4)", [2, 3]), ("EmbeddingBag(9, 4, mode='men')", [3]), ("SyncBatchNorm(3)", [3, 4, 5]),
    ("InstanceNorm2d(3)", [3, 1, 1]), ("PixelShuffle(2)", [6, 3, 3]), ("Flatten(0)", [3, 4]),
    ("Flatten(2, 1)", [3, 4]), ("Fold((4, 5), 2)", [12, 11]), ("Upsample(2, 2)", [3, 4, 5]),
    ("Upsample(size=(7,))", [3, 4, 5]), ("UpsamplingNearest2d(scale_factor=2)", [3, 4]),
    ("AdaptiveMaxPool2d((2, None))", [3, 5, 5]), ("LSTM(3, 4)", [5, 4]), ("GRUCell(3, 4)", [4]),
    # What a random call seldom meets.
    ("GRU(3, 4, bidirectional=True)", [5, 3]), ("MaxPool1d(2, 2, 1, ceil_mode=True)", [1, 3]),
    ("LSTM(3, 4, 2, bidirectional=True, proj_size=2)", [5, 3]),
    ("Embedding(3, 4, padding_idx=-3)", [2]), ("AvgPool2d(3, 2, 1, ceil_mode=True)", [1, 6, 7]),
    ("RNN(3, 4, 2, bias=False, bidirectional=True)", [5, 3]), ("GLU(-2)", [3, 4, 5]),
    ("MultiheadAttention(4, 2, kdim=3, vdim=5, bias=False, add_bias_kv=True)", None),
    ("Transformer(4, 2, 2, 1, 6, bias=False)", None), ("BatchNorm3d(3, bias=False)", [3, 2, 2, 2]),
    ("LazyInstanceNorm2d()", [3, 4, 4]), ("SyncBatchNorm(3, affine=False)", [3]),
    # Types of elements.
    *((f"{call}, dtype={dtype!r})", None)
      for call in ("Linear(3, 4", "BatchNorm1d(3", "LayerNorm(3", "BatchNorm2d(3, affine=False")
      for dtype in ("float16", "bfloat16", "complex128", "int64", "bool", "float8_e4m3fn",
                    "float8_e8m0fnu")),
]  # fmt: skip

DTYPES = ["float64", "float16", "bfloat16", "complex64", "float8_e5m2", "int64", "bool"]
MODES = ["nearest", "linear", "bilinear", "bicubic", "trilinear", "area", "nearest-exact"]


def random_calls(seed: int, count: int) -> list[Call]:
    """`count` calls, each kind of layer as often as the others."""
    rng = random.Random(seed)
    families = list(FAMILIES)
    return [_runnable(*FAMILIES[families[i % len(families)]](rng)) for i in range(count)]


def _call(name: str, *arguments: object, **keywords: object) -> str:
    written = [repr(a) for a in arguments] + [f"{k}={v!r}" for k, v in keywords.items()]
    return f"{name}({', '.join(written)})"


def _some(rng: random.Random, **choices: list[object]) -> dict[str, object]:
    """Some of these keywords, each with one of its values."""
    return {k: rng.choice(v) for k, v in choices.items() if rng.random() < 0.4}


def _factory(rng: random.Random) -> dict[str, object]:
    return {"dtype": rng.choice(DTYPES)} if rng.random() < 0.15 else {}


def _runnable(call: str, shape: list[int] | None) -> Call:
    """The call without an input where PyTorch has no kernel for its dtype."""
    has_none = any(word in call for word in ("complex", "float8", "int64", "bool"))
    return call, None if has_none else shape


def _flag(rng: random.Random, *names: str) -> dict[str, object]:
    return _some(rng, **{name: [True, False] for name in names})


def _sizes(rng: random.Random, n: int, low: int = 3, high: int = 12) -> list[int]:
    return [rng.randint(low, high) for _ in range(n)]


def _per_axis(rng: random.Random, n: int, low: int, high: int) -> object:
    if rng.random() < 0.6:
        return rng.randint(low, high)
    return tuple(rng.randint(low, high) for _ in range(n))


def _off(rng: random.Random, value: int) -> int:
    """Mostly the value; sometimes another, which the layer should refuse."""
    return value if rng.random() < 0.9 else rng.randint(1, 9)


def _linear(rng: random.Random) -> Call:
    options = {**_flag(rng, "bias"), **_factory(rng)}
    i, o = (rng.randint("dtype" in options, 9) for _ in range(2))
    shape = [*_sizes(rng, rng.randint(0, 2)), _off(rng, i)]
    if rng.random() < 0.4:
        return _call("LazyLinear", o, **options), shape
    return _call("Linear", i, o, **options), shape


def _bilinear(rng: random.Random) -> Call:
    sizes = [rng.randint(0, 6) for _ in range(3)]
    return _call("Bilinear", *sizes, **_flag(rng, "bias"), **_factory(rng)), None


def _embedding(rng: random.Random) -> Call:
    n, d = rng.randint(1, 9), rng.randint(1, 6)
    options = {**_some(rng, padding_idx=[0, 1, n - 1, n, -1, -n]), **_factory(rng)}
    if rng.random() < 0.4:
        options |= _some(rng, mode=["sum", "mean", "max"], include_last_offset=[False])
        return _call("EmbeddingBag", n, d, **options), _sizes(rng, rng.choice([1, 1, 1, 2]))
    return _call("Embedding", n, d, **options), _sizes(rng, rng.randint(0, 2))


def _convolution(rng: random.Random) -> Call:
    n = rng.randint(1, 3)
    groups = rng.choice([1, 1, 1, 2, 3])
    i, o = groups * rng.randint(1, 3), groups * rng.randint(1, 3)
    options = {"groups": groups} if groups > 1 else {}
    options |= {k: _per_axis(rng, n, 1, 3) for k in ("stride", "dilation") if rng.random() < 0.4}
    kind = "Conv" if rng.random() < 0.6 else "ConvTranspose"
    if rng.random() < 0.5:  # with more, what is left of an output depends on the kernel chosen
        options["padding"] = _per_axis(rng, n, 0, 3 if kind == "Conv" else 1)
    if kind == "Conv":
        options |= _some(rng, padding_mode=["zeros", "reflect", "replicate", "circular", "mirror"])
        options |= {"padding": rng.choice(["same", "valid"])} if rng.random() < 0.2 else {}
    elif rng.random() < 0.4:
        options["output_padding"] = _per_axis(rng, n, 0, 2)
    options |= {**_flag(rng, "bias"), **_factory(rng)}
    kernel, shape = _per_axis(rng, n, 1, 4), [_off(rng, i), *_sizes(rng, n)]
    if rng.random() < 0.4:
        return _call(f"Lazy{kind}{n}d", o, kernel, **options), shape
    return _call(f"{kind}{n}d", i, _off(rng, o), kernel, **options), shape


def _normalization(rng: random.Random) -> Call:
    n, kind = rng.randint(1, 3), rng.choice(["Batch", "Instance"])
    c = rng.randint(1, 6)
    options = _flag(rng, "affine", "track_running_stats", "bias")
    options |= {**_some(rng, eps=[1e-3], momentum=[0.2, None]), **_factory(rng)}
    if kind == "Instance" and options.get("momentum", 0) is None:
        del options["momentum"]
    shape = [_off(rng, c), *_sizes(rng, n)]
    if (kind, n) == ("Batch", 1) and rng.random() < 0.5:
        shape = shape[:1]
    if rng.random() < 0.4:
        return _call(f"Lazy{kind}Norm{n}d", **options), shape
    return _call(f"{kind}Norm{n}d", c, **options), shape


def _other_norm(rng: random.Random) -> Call:
    shape = _sizes(rng, rng.randint(1, 3), 1, 6)
    kind = rng.choice(["LayerNorm", "RMSNorm", "GroupNorm", "LocalResponseNorm", "CrossMapLRN2d"])
    if kind == "GroupNorm":
        groups = rng.randint(1, 3)
        c = groups * rng.randint(1, 3) + (rng.random() < 0.1)
        options = {**_flag(rng, "affine", "bias"), **_factory(rng)}
        return _call(kind, groups, c, **options), [_off(rng, c), *shape[1:]]
    if kind in ("LocalResponseNorm", "CrossMapLRN2d"):
        return _call(kind, rng.randint(1, 4)), shape
    ending = shape[-rng.randint(1, len(shape)) :]
    normalized = [_off(rng, size) for size in ending]
    options = {**_flag(rng, "elementwise_affine"), **_factory(rng)}
    options |= _flag(rng, "bias") if kind == "LayerNorm" else {}
    argument = normalized[0] if len(normalized) == 1 and rng.random() < 0.5 else normalized
    return _call(kind, argument, **options), shape


def _recurrent(rng: random.Random) -> Call:
    i, h = rng.randint(1, 6), rng.randint(1, 6)
    kind = rng.choice(["RNN", "LSTM", "GRU", "RNNCell", "LSTMCell", "GRUCell"])
    options = {**_flag(rng, "bias"), **_factory(rng)}
    if kind.startswith("RNN"):
        options |= _some(rng, nonlinearity=["tanh", "relu"])
    if kind.endswith("Cell"):
        return _call(kind, i, h, **options), [_off(rng, i)]
    options |= _flag(rng, "bidirectional", "batch_first")
    options |= _some(rng, num_layers=[1, 2, 3, 0], dropout=[0.0, 0.5, 1.5])
    if kind == "LSTM":
        options |= _some(rng, proj_size=[0, 1, 2, 6])
    return _call(kind, i, h, **options), [rng.randint(1, 5), _off(rng, i)]


def _attention(rng: random.Random) -> Call:
    heads = rng.randint(1, 3)
    e = heads * rng.randint(1, 4) + (rng.random() < 0.1)
    options = {**_flag(rng, "bias", "batch_first"), **_factory(rng)}
    kind = rng.choice(["MultiheadAttention", "Encoder", "Decoder", "Transformer"])
    if kind == "MultiheadAttention":
        options |= {**_some(rng, kdim=[e, 3, 0], vdim=[e, 5]), **_flag(rng, "add_bias_kv")}
        return _call(kind, e, heads, **options), None
    options |= {**_flag(rng, "norm_first"), **_some(rng, activation=["relu", "gelu", "tanh"])}
    options["dim_feedforward"] = rng.randint(0, 7)
    if kind == "Transformer":
        options |= _some(rng, num_encoder_layers=[0, 1, 2], num_decoder_layers=[0, 1, 2])
        return _call(kind, e, heads, **options), None
    layer = _call(f"Transformer{kind}Layer", e, heads, **options)
    shape = [rng.randint(1, 4), _off(rng, e)] if kind == "Encoder" else None
    if rng.random() < 0.5:
        return layer, shape
    norm = rng.choice(["", f", norm=LayerNorm({e})"]) if "dtype" not in options else ""
    return f"Transformer{kind}({layer}, {rng.randint(shape is not None, 3)}{norm})", shape


def _softmax_loss(rng: random.Random) -> Call:
    cutoffs = sorted(rng.sample(range(1, 12), rng.randint(1, 3)))
    options = {**_flag(rng, "head_bias"), **_some(rng, div_value=[2.0, 0.5, 4])}
    classes = rng.randint(8, 14)
    return _call("AdaptiveLogSoftmaxWithLoss", rng.randint(0, 9), classes, cutoffs, **options), None


def _pooling(rng: random.Random) -> Call:
    n, kind = rng.randint(1, 3), rng.choice(["MaxPool", "AvgPool", "LPPool"])
    options: dict[str, object] = {}
    if rng.random() < 0.5:
        options["stride"] = _per_axis(rng, n, 1, 3)
    if kind != "LPPool" and rng.random() < 0.4:
        options["padding"] = _per_axis(rng, n, 0, 2)
    if kind == "MaxPool" and rng.random() < 0.4:
        options["dilation"] = _per_axis(rng, n, 1, 2)
    options |= _flag(rng, "ceil_mode")
    arguments = [_per_axis(rng, n, 1, 4)]
    if kind == "LPPool":
        arguments = [2, rng.randint(1, 4) if n == 1 else arguments[0]]
    return _call(f"{kind}{n}d", *arguments, **options), _sizes(rng, n + 1, 2, 9)


def _adaptive_pooling(rng: random.Random) -> Call:
    n, kind = rng.randint(1, 3), rng.choice(["AdaptiveAvgPool", "AdaptiveMaxPool", "Fractional"])
    if kind == "Fractional":
        n = rng.randint(2, 3)
        options = rng.choice([{"output_size": _per_axis(rng, n, 1, 5)}, {"output_ratio": 0.6}, {}])
        call = _call(f"FractionalMaxPool{n}d", _per_axis(rng, n, 1, 3), **options)
        return call, _sizes(rng, n + 1, 3, 9)
    wanted = _per_axis(rng, n, 1, 5)
    if n > 1 and rng.random() < 0.3:
        wanted = (None, *[2] * (n - 1))
    return _call(f"{kind}{n}d", wanted), _sizes(rng, n + 1)


def _padding(rng: random.Random) -> Call:
    n = rng.randint(1, 3)
    kind = rng.choice(["Circular", "Constant", "Reflection", "Replication", "Zero"])
    arguments = [_per_axis(rng, 2 * n, -1 if rng.random() < 0.3 else 0, 3)]
    arguments += [0.5] if kind == "Constant" else []
    return _call(f"{kind}Pad{n}d", *arguments), _sizes(rng, n + 1, 3, 6)


def _reshaping(rng: random.Random) -> Call:
    kind = rng.choice(["Flatten", "Unflatten", "Pixel", "Unpixel", "Channel", "Unfold", "Fold"])
    if kind == "Flatten":
        options = _some(rng, start_dim=[1, 2, -2, 3], end_dim=[-1, 2, 1, -2])
        return _call(kind, **options), _sizes(rng, rng.randint(1, 3))
    if kind == "Unflatten":
        a, b = rng.randint(1, 3), rng.randint(1, 4)
        sizes = rng.choice([(a, b), (-1, b), (a, -1), [a, b, 1], (-1, -1)])
        return _call(kind, rng.choice([1, -1, 2]), sizes), [rng.choice([a * b, 5])]
    if kind in ("Pixel", "Unpixel"):
        r = rng.randint(1, 3)
        name = "PixelShuffle" if kind == "Pixel" else "PixelUnshuffle"
        c, h, w = r**2 * rng.randint(1, 2), r * rng.randint(1, 3), r * rng.randint(1, 3)
        return _call(name, r), [_off(rng, c), _off(rng, h), w]
    if kind == "Channel":
        groups = rng.randint(1, 3)
        return _call("ChannelShuffle", groups), [_off(rng, groups * 2), *_sizes(rng, 2)]
    kernel = _per_axis(rng, 2, 1, 3)
    options = {k: _per_axis(rng, 2, 1, 2) for k in ("dilation", "stride") if rng.random() < 0.3}
    options |= {"padding": 1} if rng.random() < 0.3 else {}
    if kind == "Unfold":
        return _call(kind, kernel, **options), _sizes(rng, 3, 2, 8)
    window = kernel**2 if isinstance(kernel, int) else kernel[0] * kernel[1]
    count = rng.choice([1, 4, 6, 9, 12, 16, 20])
    return _call(kind, (4, 5), kernel, **options), [2 * window, count]


def _upsampling(rng: random.Random) -> Call:
    n = rng.randint(1, 3)
    factor = rng.choice([2, 1.5, 0.5, 2.7, tuple([2, 1.5, 3][:n])])
    size = _per_axis(rng, n, 1, 9)
    given = rng.choice([{"scale_factor": factor}, {"size": size}])
    kind = rng.choice(["Upsample", "Upsample", "UpsamplingNearest2d", "UpsamplingBilinear2d"])
    if kind == "Upsample":
        given |= _some(rng, mode=[*MODES, MODES[0]], align_corners=[None, True])
    return _call(kind, **given), _sizes(rng, n + 1)


def _elementwise(rng: random.Random) -> Call:
    calls = [
        "ReLU()", "ReLU(True)", "GELU()", "GELU('tanh')", "GELU('fast')", "SiLU()", "ELU(0.5)",
        "CELU(0)", "CELU()", "Sigmoid()", "Sigmoid(3)", "Tanh()", "Softplus(2, 10)", "Hardtanh()",
        "Hardtanh(1, -1)", "Hardtanh(-2.0, 3, min_value=-1)", "LeakyReLU(0.2)", "Threshold(1, 2)",
        "RReLU()", "RReLU(0.5, 0.1)", "Softmax(1)", "Softmax(-1)", "Softmax(4)", "LogSoftmax(2)",
        "Softmin(-3)", "Softmax2d()", "GLU()", "GLU(1)", "GLU(3)", "Identity(1, x=2)", "Mish()",
        "Dropout(0.3)", "Dropout(1.5)", "Dropout1d()", "Dropout2d()", "Dropout3d(0.1)", "SELU()",
        "AlphaDropout()", "FeatureAlphaDropout()", "PReLU()", "PReLU(4)", "PReLU(3, 0.1)",
        "LogSigmoid()", "Softsign()", "Tanhshrink()", "Hardswish()", "Hardsigmoid()", "ReLU6()",
        "Hardshrink()", "Softshrink(0.2)",
    ]  # fmt: skip
    return rng.choice(calls), _sizes(rng, rng.randint(1, 3), 3, 8)


FAMILIES: dict[str, Callable[[random.Random], Call]] = {
    "linear": _linear,
    "bilinear": _bilinear,
    "embedding": _embedding,
    "convolution": _convolution,
    "convolution again": _convolution,
    "normalization": _normalization,
    "other norm": _other_norm,
    "recurrent": _recurrent,
    "attention": _attention,
    "softmax": _softmax_loss,
    "pooling": _pooling,
    "adaptive pooling": _adaptive_pooling,
    "padding": _padding,
    "reshaping": _reshaping,
    "upsampling": _upsampling,
    "elementwise": _elementwise,
}


def random_sequences(seed: int, count: int) -> list[tuple[list[str], list[int]]]:
    """Layers one after the other, and the shape of one example: half of them lazy."""
    rng = random.Random(seed)
    return [_sequence(rng) for _ in range(count)]


def _sequence(rng: random.Random) -> tuple[list[str], list[int]]:
    c, size = rng.randint(1, 4), rng.randint(6, 16)
    images = [
        lambda: (
            f"LazyConv2d({rng.randint(1, 6)}, {rng.randint(1, 3)}, padding={rng.randint(0, 1)})"
        ),
        lambda: f"LazyConvTranspose2d({rng.randint(1, 6)}, 2, stride=2)",
        lambda: "LazyBatchNorm2d()",
        lambda: "LazyInstanceNorm2d()",
        lambda: "MaxPool2d(2)",
        lambda: "AvgPool2d(3, 2, 1)",
        lambda: f"Upsample(scale_factor={rng.choice([2, 1.5])})",
        lambda: "PixelUnshuffle(2)",
        lambda: f"ZeroPad2d({rng.randint(0, 2)})",
        lambda: "GLU(1)",
        lambda: "ReLU()",
        lambda: "Dropout2d(0.1)",
    ]
    calls = [rng.choice(images)() for _ in range(rng.randint(1, 5))]
    if rng.random() < 0.2:
        return [*calls, "Unfold(2)", "LazyConv1d(3, 1)"], [c, size, size]
    calls += [rng.choice(["Flatten()", "AdaptiveAvgPool2d((2, None))"]), "LazyLinear(3)"]
    calls += ["LazyBatchNorm1d()"] if rng.random() < 0.3 else []
    return [*calls, "Tanh()", f"Linear({_off(rng, 3)}, 2)"], [c, size, size]
