"""Calls of Keras's layers with inputs, at the edge and at random, and how answers are compared.

Most calls are right; some are refused by Keras when constructed, some when they meet the input.
"""

import inspect
import random

from paraminspect.errors import ParamInspectError
from paraminspect.frameworks.keras._initializers import INITIALIZERS
from paraminspect.frameworks.keras._modelling import MODELLING
from paraminspect.frameworks.keras.layers._declare import BASE
from paraminspect.init.schemes import parse_scheme
from paraminspect.language import parse_expression
from paraminspect.tree.layers import Layer, chained

FUNCTIONS = {**MODELLING.values, **MODELLING.layers}

OURS = ("Input", "Sequential", "Functional")
"""What a definition calls that is no class of `keras.layers`."""

FROM_KWARGS = {"LayerNormalization": {"rms_scaling"}}
"""What a layer takes out of its **kwargs by hand: its signature does not show it."""


def signature_differences(signatures):
    """Where our layers have other arguments, and which of `keras.layers` are not told of."""
    layers, absent = MODELLING.layers, MODELLING.absent
    yield from (f"{n} is no layer" for n in sorted(layers.keys() - signatures.keys() - set(OURS)))
    silent = signatures.keys() - layers.keys() - absent.keys()
    yield from (f"{name} is neither a layer nor absent with a reason" for name in sorted(silent))
    yield from (f"{name} is absent and there" for name in layers.keys() & absent.keys())
    for name in sorted(signatures.keys() & layers.keys()):
        real = [p for p in signatures[name] if p[1] != "VAR_KEYWORD"]
        ours = [
            [p.name, p.kind.name, *([] if p.default is p.empty else [plain(p.default)])]
            for p in inspect.signature(layers[name]).parameters.values()
        ]
        if len(real) < len(signatures[name]):  # its **kwargs are the arguments of every layer
            own = {p[0] for p in real}
            hidden = FROM_KWARGS.get(name, set())
            base = [p for p in ours if p[1] == "KEYWORD_ONLY" and p[0] not in hidden]
            ours = [p for p in ours if p[1] != "KEYWORD_ONLY"]
            if base and {p[0] for p in base} != BASE.keys() - own:
                yield f"{name} lacks arguments of every layer: it has {base}"
        if ours != real:
            yield f"{name} has {real}, we say: {ours}"


def plain(value):
    """Tuples as JSON has them."""
    return [plain(item) for item in value] if isinstance(value, tuple) else value


def differences(call, shape, answer):
    """Where our layer is not what Keras's is: refused, run, listed."""
    try:
        layer = parse_expression(call).evaluate({}, FUNCTIONS)
    except ParamInspectError as error:
        if "error" not in answer and "run_error" not in answer:
            yield f"{call} is right, we say: {error}"
        return
    try:
        built = Layer("Functional", chained({"0": layer})).build(tuple(shape))
        listed = list(MODELLING.name_parameters(built).parameters.values())
    except ParamInspectError as error:
        paths = [weight[0] for weight in answer.get("weights", ())]
        # Two weights may have one path in Keras; here a name is of one parameter.
        if "weights" in answer and len(set(paths)) == len(paths):
            yield f"{call} takes {shape}, we say: {error}"
        return
    if "Op<name=Qr" in answer.get("run_error", ""):
        return  # TensorFlow's orthogonal matrices are of float32 and float64 only
    if "weights" not in answer:
        yield f"{call} on {shape} should be refused: {answer}"
        return
    ours = [[p.name, list(p.shape), p.dtype.name, p.trainable] for p in listed]
    if ours != answer["weights"]:
        yield f"{call} on {shape} has {answer['weights']}, we say: {ours}"
    for parameter, drawn in zip(listed, answer["drawn"], strict=True):
        yield from drawn_differences(f"{call}: {parameter.name}", parameter, *drawn)
    if "output" in answer and built.output != tuple(answer["output"]):
        yield f"{call} on {shape} gives {answer['output']}, we say: {built.output}"


def drawn_differences(where, parameter, kind, config, fans):
    """Where the scheme or the fans are not those of the initializer that Keras called."""
    if kind == "function":  # Keras wraps: the bias of an LSTM, the deviation of a renorm
        expected = ("lstm_bias", "ones") if parameter.name.endswith("bias") else ("ones",)
    else:
        expected = (INITIALIZERS[kind](**config).scheme,)
        scaled = kind.startswith(("Glorot", "He", "Lecun", "Variance"))
        if scaled and parameter.fans != tuple(fans):
            yield f"{where} has the fans {fans}, we say: {parameter.fans}"
    if parameter.scheme not in expected:
        yield f"{where} is drawn by {expected}, we say: {parameter.scheme}"
    try:
        parse_scheme(parameter.scheme)
    except ParamInspectError as error:
        yield f"{where}: {error}"


CALLS = [
    ("Dense(3)", [4]),
    ("Dense(3)", []),
    ("Dense(3, use_bias=False, activation='relu', kernel_initializer='he_normal')", [2, 5, 4]),
    ("Dense(3, kernel_initializer=HeNormal(seed=1), bias_initializer=Constant(0.1))", [4]),
    ("Dense(3, kernel_regularizer=L2(0.01), bias_constraint='max_norm')", [4]),
    ("Dense(3, dtype='mixed_bfloat16')", [4]),
    ("Dense(3, dtype='float16', trainable=False)", [4]),
    ("Dense(3, dtype='half')", [4]),
    ("Dense(3, lora_rank=2)", [4]),
    ("Dense(3, lora_rank=2, dtype='float16', trainable=False)", [4]),
    ("Dense(0)", [4]),
    ("Dense(3, activation='rleu')", [4]),
    ("Dense(3, kernel_initializer='he')", [4]),
    ("Dense(3, kernel_regularizer='l3')", [4]),
    ("Dense(3, name='a/b')", [4]),
    ("Dense(3, name='a b')", [4]),
    ("EinsumDense('ab,bc->ac', 3)", [4]),
    ("EinsumDense('abc,cd->abd', (None, 3), bias_axes='d')", [5, 4]),
    ("EinsumDense('...x,xy->...y', 3, bias_axes='y')", [5, 4]),
    ("EinsumDense('...x,xy->...y', 3, bias_axes='y')", [4]),
    ("EinsumDense('ab...,bc->ac...', 3, bias_axes='c')", [4, 5, 6]),
    ("EinsumDense('abc,cde->abde', (None, 3, 2), bias_axes='d', lora_rank=2)", [5, 4]),
    ("EinsumDense('abc,cde->abed', (None, 2, 3), bias_axes='de')", [5, 4]),
    ("EinsumDense('abc,bcd->abd', (5, 3))", [5, 4]),
    ("EinsumDense('abc,bcd->abd', (6, 3))", [5, 4]),
    ("EinsumDense('ab,bc->ad', 3)", [4]),
    ("EinsumDense('ab,bc', 3)", [4]),
    ("EinsumDense('ab,bc->ac', 3, bias_axes='b')", [4]),
    ("Embedding(7, 3)", [5]),
    ("Embedding(7, 3, mask_zero=True, lora_rank=2)", []),
    ("MultiHeadAttention(2, 3, kernel_initializer=None)", [5, 4]),
    ("GroupQueryAttention(4, 2, 1, bias_initializer=None)", [5, 4]),
    ("BatchNormalization(renorm=True, moving_variance_initializer=None)", [5, 4]),
    ("ReversibleEmbedding(7, 3, tie_weights=False)", [5]),
    ("Conv1D(3, 2, padding='causal', dilation_rate=2)", [8, 4]),
    ("Conv2D(4, (2, 3), strides=(1, 2), padding='SAME', groups=2)", [7, 8, 6]),
    ("Conv2D(4, 3, groups=2)", [7, 8, 5]),
    ("Conv2D(5, 3, groups=2)", [7, 8, 6]),
    ("Conv2D(4, 3, data_format='channels_first')", [5, 7, 8]),
    ("Conv2D(4, 9)", [7, 8, 5]),
    ("Conv2D(4, 3, padding='causal')", [7, 8, 5]),
    ("Conv2D(4, 3, strides=2, dilation_rate=2)", [7, 8, 5]),
    ("Conv3D(2, 2)", [3, 4, 5, 6]),
    ("Conv1DTranspose(3, 4, strides=3, output_padding=1)", [5, 4]),
    ("Conv1DTranspose(3, 4, strides=3, output_padding=3)", [5, 4]),
    ("Conv2DTranspose(3, 4, strides=3, padding='same', output_padding=2)", [5, 6, 4]),
    ("Conv2DTranspose(3, (2, 5), strides=(3, 1), dilation_rate=1)", [5, 6, 4]),
    ("Conv3DTranspose(3, 2)", [3, 4, 5, 6]),
    ("DepthwiseConv1D(3, depth_multiplier=2)", [5, 4]),
    ("DepthwiseConv2D(3, 2, 'same', 3)", [5, 6, 4]),
    ("SeparableConv1D(3, 2, depth_multiplier=2)", [5, 4]),
    ("SeparableConv2D(3, 2, strides=2, use_bias=False)", [5, 6, 4]),
    ("BatchNormalization()", [5, 4]),
    ("BatchNormalization(axis=1, scale=False)", [5, 4]),
    ("BatchNormalization(axis=0)", [5, 4]),
    ("BatchNormalization(axis=3)", [5, 4]),
    ("BatchNormalization(renorm=True, center=False)", [5, 4]),
    ("LayerNormalization(axis=[2, 1])", [5, 4]),
    ("LayerNormalization(axis=(-1, 1), scale=False)", [5, 4]),
    ("GroupNormalization(2)", [5, 4]),
    ("GroupNormalization(-1)", [5, 4]),
    ("GroupNormalization(3)", [5, 4]),
    ("GroupNormalization()", [5, 4]),
    ("RMSNormalization(axis=(1, 2))", [5, 4]),
    ("UnitNormalization(axis=1)", [5, 4]),
    ("UnitNormalization(axis=4)", [5, 4]),
    ("Normalization()", [5, 4]),
    ("Normalization(axis=None)", [5, 4]),
    ("Normalization(axis=(1, 2))", [5, 4]),
    ("Normalization(mean=1.0, variance=2.0)", [5, 4]),
    ("Normalization(mean=1.0)", [5, 4]),
    ("SimpleRNN(3)", [5, 4]),
    ("LSTM(3, return_sequences=True, use_bias=False)", [5, 4]),
    ("LSTM(3, dtype='float16', trainable=False)", [5, 4]),
    ("LSTM(3)", [4]),
    ("GRU(3, reset_after=False)", [5, 4]),
    ("GRU(3, name='g', go_backwards=True)", [5, 4]),
    ("RNN(LSTMCell(3), return_sequences=True)", [5, 4]),
    ("RNN([LSTMCell(3), GRUCell(2, name='g'), SimpleRNNCell(4)])", [5, 4]),
    ("RNN(StackedRNNCells([LSTMCell(3), LSTMCell(2, trainable=False)]), dtype='float16')", [5, 4]),
    ("RNN(Dense(3))", [5, 4]),
    ("Bidirectional(LSTM(3))", [5, 4]),
    ("Bidirectional(LSTM(3, return_sequences=True, name='x'), merge_mode='sum', name='b')", [5, 4]),
    ("Bidirectional(GRU(3, name='forward_x'), merge_mode=None)", [5, 4]),
    ("Bidirectional(LSTM(2), backward_layer=GRU(2, go_backwards=True))", [5, 4]),
    ("Bidirectional(LSTM(2), backward_layer=LSTM(2))", [5, 4]),
    ("Bidirectional(RNN([LSTMCell(3), GRUCell(2)], return_sequences=True))", [5, 4]),
    ("Bidirectional(Dense(3))", [5, 4]),
    ("Bidirectional(LSTM(3), merge_mode='max')", [5, 4]),
    ("Bidirectional(ConvLSTM1D(3, 2))", [5, 6, 4]),
    ("TimeDistributed(Dense(3))", [5, 4]),
    ("TimeDistributed(Dense(3), dtype='float16', trainable=False)", [5, 4]),
    ("TimeDistributed(Conv2D(3, 2, dtype='float16'), name='t')", [5, 6, 7, 4]),
    ("TimeDistributed(Bidirectional(LSTM(3)))", [2, 5, 4]),
    ("TimeDistributed(Dense(3))", [4]),
    ("TimeDistributed(Sequential([Dense(3), Dense(2, name='q')]))", [5, 4]),
    ("ConvLSTM2D(3, 2, return_sequences=True)", [5, 6, 7, 4]),
    ("ConvLSTM2D(3, (2, 3), strides=2, padding='same', trainable=False)", [5, 6, 7, 4]),
    ("ConvLSTM2D(3, 2, data_format='channels_first', unit_forget_bias=False)", [5, 4, 6, 7]),
    ("ConvLSTM3D(3, 2, use_bias=False)", [2, 4, 5, 6, 3]),
    ("MultiHeadAttention(2, 3)", [5, 4]),
    ("MultiHeadAttention(2, 3, value_dim=5, output_shape=7, use_bias=False)", [5, 4]),
    ("MultiHeadAttention(2, 3, output_shape=(3, 2), use_gate=True)", [5, 4]),
    ("MultiHeadAttention(2, 3, attention_axes=(1, 2), name='a')", [5, 6, 4]),
    ("MultiHeadAttention(2, 3, dtype='float16', trainable=False)", [5, 4]),
    ("GroupQueryAttention(3, 4, 2)", [5, 4]),
    ("GroupQueryAttention(3, 4, 1, use_bias=False, use_gate=True)", [5, 4]),
    ("GroupQueryAttention(3, 4, 3)", [5, 4]),
    ("Attention()", [5, 4]),
    ("Attention(use_scale=True, score_mode='concat')", [5, 4]),
    ("Attention(score_mode='sum')", [5, 4]),
    ("AdditiveAttention()", [5, 4]),
    ("PReLU()", [5, 4]),
    ("PReLU(shared_axes=[1, 2], alpha_initializer='he_normal')", [5, 6, 4]),
    ("PReLU(shared_axes=[-1])", [5, 6, 4]),
    ("PReLU(shared_axes=[3])", [5, 4]),
    ("Dropout(0.5)", [5, 4]),
    ("Dropout(1.5)", [5, 4]),
    ("SpatialDropout2D(0.5)", [5, 6, 4]),
    ("SpatialDropout2D(0.5)", [5, 4]),
    ("Add()", [5, 4]),
    ("Flatten()", []),
    ("Flatten(data_format='channels_first')", [2, 3, 4]),
    ("Reshape((-1, 2))", [5, 4]),
    ("Reshape((3, -1))", [5, 4]),
    ("Reshape((-1, -1))", [5, 4]),
    ("Permute((2, 1))", [5, 4]),
    ("Permute((0, 1))", [5, 4]),
    ("RepeatVector(3)", [4]),
    ("RepeatVector(3)", [5, 4]),
    ("MaxPooling1D(3, padding='same')", [5, 4]),
    ("MaxPooling2D()", [5, 6, 4]),
    ("AveragePooling2D((3, 2), strides=1, data_format='channels_first')", [4, 5, 6]),
    ("AveragePooling3D(7)", [5, 6, 4, 2]),
    ("GlobalAveragePooling2D(keepdims=True)", [5, 6, 4]),
    ("GlobalMaxPooling1D()", [5, 6, 4]),
    ("AdaptiveAveragePooling2D((3, 2))", [5, 6, 4]),
    ("ZeroPadding2D(((1, 2), (3, 4)))", [5, 6, 4]),
    ("ZeroPadding1D((1, 2))", [5, 4]),
    ("Cropping2D(((1, 2), (3, 2)))", [5, 6, 4]),
    ("Cropping1D(3)", [5, 4]),
    ("Cropping3D(1)", [5, 6, 7, 4]),
    ("UpSampling2D((2, 3))", [5, 6, 4]),
    ("UpSampling1D(0)", [5, 4]),
    ("Resizing(3, 4)", [5, 6, 2]),
    ("Activation('gelu')", [5, 4]),
    ("Softmax(axis=1)", [5, 4]),
    ("Rescaling(0.5)", [5, 4]),
    ("AvgPool2D(2)", [5, 6, 4]),
    ("Convolution2D(2, 3)", [5, 6, 4]),
]

# What an argument may be, by its name; `!` marks what some layer refuses.
POOL = {
    "units": ["1", "3", "5", "0"],
    "filters": ["2", "3", "4", "6", "0"],
    "kernel_size": ["1", "2", "3", "(2, 1)", "(1, 2, 2)", "(3,)", "0"],
    "strides": ["1", "2", "3", "(2, 1)", "(1, 2)", "(1, 1, 2)", "0"],
    "dilation_rate": ["1", "2", "(1, 2)", "(2, 1, 1)"],
    "padding": ["'valid'", "'same'", "'SAME'", "'causal'", "'full'"],
    "output_padding": ["0", "1", "(1, 0)", "None"],
    "data_format": ["'channels_last'", "'channels_first'", "'nchw'"],
    "groups": ["1", "2", "3", "-1"],
    "depth_multiplier": ["1", "2", "3"],
    "use_bias": ["True", "False"],
    "activation": ["'relu'", "'tanh'", "None", "'rleu'"],
    "recurrent_activation": ["'tanh'", "None"],
    "kernel_initializer": ["'he_normal'", "HeNormal()", "RandomNormal(stddev=0.1)", "'he'"],
    "recurrent_initializer": ["'orthogonal'", "'GlorotNormal'", "Orthogonal(2.0)"],
    "depthwise_initializer": ["'lecun_uniform'", "VarianceScaling(2.0, 'fan_out', 'normal')"],
    "bias_initializer": ["'zeros'", "'ones'", "'Zeros'"],
    "kernel_regularizer": ["'l2'", "L1(0.1)", "'l3'"],
    "bias_constraint": ["'non_neg'", "MaxNorm(3)"],
    "trainable": ["True", "False"],
    "dtype": ["'float16'", "'mixed_float16'", "'bfloat16'", "'float64'", "'double'"],
    "name": ["'a'", "'layer one'", "'a/b'", "'x_1'"],
    "lora_rank": ["1", "2"],
    "axis": ["-1", "1", "2", "3", "-2", "0", "(1, 2)", "[2, -1]"],
    "center": ["True", "False"],
    "scale": ["True", "False"],
    "renorm": ["True", "False"],
    "return_sequences": ["True", "False"],
    "go_backwards": ["True", "False"],
    "unit_forget_bias": ["True", "False"],
    "reset_after": ["True", "False"],
    "merge_mode": ["'concat'", "'sum'", "'ave'", "'mul'", "None", "'max'"],
    "num_heads": ["1", "2", "4", "0"],
    "key_dim": ["1", "3", "4"],
    "value_dim": ["2", "5"],
    "output_shape": ["3", "(2, 3)", "7"],
    "use_gate": ["True", "False"],
    "head_dim": ["1", "3"],
    "num_query_heads": ["2", "4"],
    "num_key_value_heads": ["1", "2", "4", "3"],
    "use_scale": ["True", "False"],
    "score_mode": ["'dot'", "'concat'", "'sum'"],
    "shared_axes": ["1", "[1]", "[1, 2]", "[2]", "[-1]", "[4]"],
    "input_dim": ["5", "9", "0"],
    "output_dim": ["2", "3"],
    "mask_zero": ["True", "False"],
    "tie_weights": ["True", "False"],
    "rate": ["0", "0.5", "1", "1.5"],
    "stddev": ["0.1", "2.0"],
    "pool_size": ["1", "2", "3", "(2, 1)", "(2, 1, 2)", "0"],
    "output_size": ["1", "2", "(2, 3)", "(1, 2, 3)"],
    "keepdims": ["True", "False"],
    "target_shape": ["(-1,)", "(2, -1)", "(-1, 3)", "(3, 4)", "(4, -1, 2)"],
    "dims": ["(1,)", "(2, 1)", "(1, 3, 2)", "(2, 3)"],
    "n": ["1", "3", "0"],
    "cropping": ["1", "(1, 0)", "((0, 1), (1, 0))", "((0, 1), (1, 0), (1, 1))", "3"],
    "size": ["1", "2", "(2, 3)", "(1, 2, 3)"],
    "height": ["3"],
    "width": ["4"],
    "alpha_initializer": ["'zeros'", "Constant(0.25)"],
    "mean": ["0.5"],
    "variance": ["2.0"],
    "momentum": ["0.9"],
    "factor": ["0.1"],
    "height_factor": ["0.1"],
    "width_factor": ["0.1"],
    "axes": ["1", "(1, 2)"],
    "negative_slope": ["0.1"],
    "epsilon": ["0.01"],
}
ZERO_PADDING = ["1", "(1, 2)", "((1, 2), (0, 3))", "((1, 2), (0, 3), (1, 1))"]

NOT_ALONE = (*OURS, "InputLayer", "StackedRNNCells", "LSTMCell", "GRUCell", "SimpleRNNCell")
"""What is no layer that one input goes through."""

RANDOM_LAYERS = [
    name
    for name, function in MODELLING.layers.items()
    if name == function.__name__ and name not in NOT_ALONE
]
EINSUMS = [
    ("ab,bc->ac", "3", 1),
    ("abc,cd->abd", "(None, 3)", 2),
    ("...x,xy->...y", "3", 2),
    ("abc,cde->abde", "(None, 3, 2)", 2),
    ("ab...,bc->ac...", "3", 3),
    ("abc,bd->adc", "(3, None)", 2),
]
"""Equations, output shapes, and the axes of an input: Keras notices other ranks only later."""
CELLS = ["LSTMCell", "GRUCell", "SimpleRNNCell"]


def random_call(rng, kind):
    """A call of a layer with arguments at random."""
    if kind == "EinsumDense":
        equation, shape, _ = rng.choice(EINSUMS)
        axes = rng.choice(["", f", bias_axes={equation[-1]!r}", ", bias_axes='c'"])
        return f"EinsumDense({equation!r}, {shape}{axes})"
    parameters = inspect.signature(MODELLING.layers[kind]).parameters
    arguments = []
    for name, parameter in parameters.items():
        if parameter.default is parameter.empty or rng.random() < 0.3:
            value = random_value(rng, kind, name)
            if value is not None:
                arguments.append(f"{name}={value}")
    return f"{kind}({', '.join(arguments)})"


def random_value(rng, kind, name):
    """Source of a value for an argument."""
    if name == "layer" and kind == "Bidirectional":
        return random_call(rng, rng.choice(["LSTM", "GRU", "SimpleRNN", "RNN", "ConvLSTM1D"]))
    if name == "layer":
        return random_call(rng, rng.choice(["Dense", "Conv1D", "LSTM", "BatchNormalization"]))
    if name == "cell":
        cells = [random_call(rng, rng.choice(CELLS)) for _ in range(rng.choice([1, 2, 3]))]
        return cells[0] if len(cells) == 1 else f"[{', '.join(cells)}]"
    if name == "filters" and kind.startswith("ConvLSTM"):
        return rng.choice("123")
    pool = ZERO_PADDING if name == "padding" and kind.startswith("Zero") else POOL.get(name)
    ndim = next((c for c in kind if c.isdigit()), None)
    if pool and ndim and rng.random() < 0.9:  # mostly as many numbers as the layer has axes
        pool = [v for v in pool if v[0] not in "([" or len(eval(v)) == int(ndim)]
    # The last of the choices is often the wrong one: it comes up less.
    return pool and rng.choice([*pool[:-1], *pool[:-1], *pool])


def random_shape(rng, kind, call):
    """A shape of one example that mostly suits the layer."""
    if kind == "EinsumDense":
        ndim = next(n for equation, _, n in EINSUMS if repr(equation) in call)
        return [rng.randint(2, 7) for _ in range(ndim)]
    if kind == "GroupQueryAttention":
        return [rng.randint(2, 7) for _ in range(2)]
    if kind in ("Resizing", "CenterCrop", "RandomCrop"):
        kind += "2D"
    ndim = next((int(c) for c in kind if c.isdigit()), None)
    ndim = rng.choice([1, 2, 2, 3]) if ndim is None else ndim + 1 + kind.startswith("ConvLSTM")
    # Keras does not look at the rank here, and fails when it computes.
    if rng.random() < 0.05 and not kind.startswith(
        ("Adaptive", "Resizing", "CenterCrop", "RandomCrop")
    ):
        ndim += 1
    return [rng.randint(2, 7) for _ in range(ndim)]


def random_calls(seed, count):
    """So many calls of each layer."""
    rng = random.Random(seed)
    calls = [(kind, random_call(rng, kind)) for kind in RANDOM_LAYERS for _ in range(count)]
    return [(call, random_shape(rng, kind, call)) for kind, call in calls]
