"""Random calls of layers: a case `{"layer", "call", "dtype"}`, and its inputs by name."""

import numpy as np


class Case:
    """A case that grows: `x = case.floats(2, 3)` makes an input and gives its name."""

    def __init__(self, rng):
        self.rng = rng
        self.dtype = rng.choice(["float64", "float64", "float32"])
        self.inputs = {}
        self._numbers = np.random.default_rng(rng.randrange(1 << 32))

    def _given(self, values):
        name = f"x{len(self.inputs)}"
        self.inputs[name] = values
        return name

    def floats(self, *shape):
        return self._given(self._numbers.standard_normal(shape).astype(self.dtype))

    def bools(self, *shape, true=0.3):
        return self._given(self._numbers.random(shape) < true)

    def one_of(self, *choices):
        return self.rng.choice(choices)

    def often(self, chance=0.5):
        return self.rng.random() < chance

    def length(self, most=4):
        return self.rng.randint(1, most)

    def arguments(self, values, positional=()):
        """A call's arguments: some of `positional`, then some of `values` by name."""
        chosen = [f"{name}={value}" for name, value in values.items() if self.often()]
        self.rng.shuffle(chosen)
        return ", ".join([*positional, *chosen])

    def by_position(self, values):
        """The first arguments by position, some of the others by name."""
        first = self.rng.choice([0, 0, self.rng.randint(0, len(values))])
        rest = dict(list(values.items())[first:])
        return self.arguments(rest, [str(v) for v in list(values.values())[:first]])


def torch_attention(case):
    """`MultiheadAttention` with every argument of its class and of its call."""
    heads, batched = case.length(3), case.often(0.8)
    embed = heads * case.length(3)
    batch, length, keys = (case.length() for _ in "bqk")
    options = {
        "bias": case.often(),
        "add_bias_kv": case.often(0.3),
        "add_zero_attn": case.often(0.3),
        "batch_first": case.often(0.7),
    }
    widths = [embed, embed, embed]
    if case.often(0.3):
        widths[1], widths[2] = options["kdim"], options["vdim"] = case.length(6), case.length(6)
    first = options["batch_first"]

    def sequence(length, width):
        shape = (batch, length) if first else (length, batch)
        return case.floats(*(shape if batched else (length,)), width)

    query = sequence(length, widths[0])
    key, value = sequence(keys, widths[1]), sequence(keys, widths[2])
    masks = Masks(case, batch if batched else None, heads)
    given = {
        "key_padding_mask": masks.padding(keys),
        "need_weights": case.often(),
        "attn_mask": masks.across(length, keys),
        "average_attn_weights": case.often(),
        "is_causal": case.often(0.2),
    }
    called = f"layer({query}, {key}, {value}, {case.by_position(given)}"
    layer = f"MultiheadAttention({embed}, {heads}, {case.arguments(options)})"
    part = case.one_of(0, 1) if given["need_weights"] else 0
    return fixed(case, layer, options, called + f")[{part}]")


def fixed(case, layer, options, call):
    """Options that shape the inputs stand in the layer, whatever else does."""
    wanted = ("batch_first", "kdim", "vdim")
    missing = [f"{n}={options[n]}" for n in wanted if n in options and f"{n}=" not in layer]
    layer = layer.rstrip(")").rstrip(", ") + "".join(f", {one}" for one in missing) + ")"
    return {"layer": layer, "call": call.replace(", )", ")"), "dtype": case.dtype}


class Masks:
    """Masks of any kind for a batch, or for a sequence alone."""

    def __init__(self, case, batch, heads):
        self.case = case
        self.batch = () if batch is None else (batch,)
        self.heads = heads

    def padding(self, keys):
        case, shape = self.case, (*self.batch, keys)
        return case.one_of(None, case.bools(*shape), case.bools(*shape), case.floats(*shape))

    def across(self, length, keys):
        case = self.case
        per_head = (self.heads * (self.batch[0] if self.batch else 1), length, keys)
        shape = case.one_of((length, keys), (length, keys), per_head, (length, keys + 1))
        return case.one_of(None, case.bools(*shape), case.floats(*shape))


def torch_transformer(case):
    """The layers built of attention, with every mask of their calls."""
    heads = case.length(2)
    width = 2 * heads * case.length(2)
    batch, length, keys = (case.length() for _ in "btm")
    first = case.often(0.7)
    options = {
        "activation": repr(case.one_of("relu", "gelu")),
        "layer_norm_eps": case.one_of(1e-5, 1e-3),
        "norm_first": case.often(),
        "bias": case.often(),
    }

    def sequence(length):
        return case.floats(*((batch, length) if first else (length, batch)), width)

    masks = Masks(case, batch, heads)
    tail = f"{case.length(9)}, 0.0, batch_first={first}, {case.arguments(options)}".rstrip(", ")
    kind = case.one_of("encoder_layer", "encoder", "decoder_layer", "decoder", "transformer")
    tgt, memory = sequence(length), sequence(keys)
    causal = (
        case.one_of(None, True, False)
        if kind not in ("encoder_layer", "decoder_layer")
        else case.often()
    )
    of_decoder = {
        "tgt_mask": masks.across(length, length),
        "memory_mask": masks.across(length, keys),
        "tgt_key_padding_mask": masks.padding(length),
        "memory_key_padding_mask": masks.padding(keys),
        "tgt_is_causal": causal,
        "memory_is_causal": case.often(0.2),
    }
    layer = f"({width}, {heads}, {tail})"
    match kind:
        case "encoder_layer" | "encoder":
            made = f"TransformerEncoderLayer{layer}"
            given = {
                "mask" if kind == "encoder" else "src_mask": of_decoder["tgt_mask"],
                "src_key_padding_mask": of_decoder["tgt_key_padding_mask"],
                "is_causal": causal,
            }
            if kind == "encoder":
                made = f"TransformerEncoder({made}, {case.length(2)}, enable_nested_tensor=False)"
            inputs = tgt
        case "decoder_layer" | "decoder":
            made, given, inputs = f"TransformerDecoderLayer{layer}", of_decoder, f"{tgt}, {memory}"
            if kind == "decoder":
                made = f"TransformerDecoder({made}, {case.length(2)})"
        case _:
            made = f"Transformer({width}, {heads}, 1, 1, {tail})"
            inputs = f"{memory}, {tgt}"
            given = {
                "src_mask": masks.across(keys, keys),
                "tgt_mask": of_decoder["tgt_mask"],
                "memory_mask": of_decoder["memory_mask"],
                "src_key_padding_mask": masks.padding(keys),
                "tgt_key_padding_mask": of_decoder["tgt_key_padding_mask"],
                "memory_key_padding_mask": of_decoder["memory_key_padding_mask"],
                "src_is_causal": case.one_of(None, True, False),
                "tgt_is_causal": causal,
                "memory_is_causal": of_decoder["memory_is_causal"],
            }
    call = f"layer({inputs}, {case.by_position(given)})".replace(", )", ")")
    return {"layer": made, "call": call, "dtype": case.dtype}


def keras_attention(case):
    """`MultiHeadAttention` and its kin, with masks."""
    batch, length, keys = (case.length() for _ in "bqk")
    width = case.length(5)
    # TensorFlow adds a bias of heads of one number wrong: it takes that of the last for all.
    heads, key_dim, value_dim = case.length(3), 1 + case.length(3), 1 + case.length(3)
    query, value = case.floats(batch, length, width), case.floats(batch, keys, width)
    key = case.floats(batch, keys, width)
    grouped = case.often(0.3)
    options = {"use_bias": case.often()}
    if grouped:
        layer = f"GroupQueryAttention({key_dim}, {heads * 2}, {case.one_of(1, 2)}, {case.arguments(options)})"
    else:
        options |= {"value_dim": value_dim, "output_shape": case.length(6)}
        layer = f"MultiHeadAttention({heads}, {key_dim}, {case.arguments(options)})"
    across = case.one_of((batch, length, keys), (1, length, keys))
    given = {
        "query_mask": case.bools(batch, length, true=0.7),
        "value_mask": case.bools(batch, keys, true=0.7),
        "key_mask": case.bools(batch, keys, true=0.7),
        "attention_mask": case.bools(*across, true=0.7),
        "use_causal_mask": case.often(),
        "training": case.one_of(None, True, False),
        "return_attention_scores": True,
    }
    inputs = case.one_of(
        [query, value], [query, value, key], [query, f"value={value}", f"key={key}"]
    )
    call = f"layer({case.arguments(given, inputs)})"
    part = f"[{case.one_of(0, 1)}]" if "return_attention_scores" in call else ""
    return {"layer": layer.replace(", )", ")"), "call": call + part, "dtype": case.dtype}


def keras_recurrent(case):
    """Recurrent layers from a given state."""
    batch, length, width, units = (case.length() for _ in "blwu")
    kind = case.one_of("SimpleRNN", "LSTM", "GRU")
    returns = case.often(0.4)
    options = {
        "return_sequences": case.often(),
        "go_backwards": case.often(),
        "use_bias": case.often(),
        **({"reset_after": case.often()} if kind == "GRU" else {}),
    }
    layer = f"{kind}({units}, return_state={returns}, {case.arguments(options)})"
    x = case.floats(batch, length, width)
    states = [case.floats(batch, units) for _ in range(2 if kind == "LSTM" else 1)]
    if case.often(0.3):
        mode = case.one_of("concat", "sum", "mul", "ave")
        layer = f"Bidirectional({layer}, merge_mode={mode!r})"
        states = [case.floats(batch, units) for _ in 2 * states]
    state = f"[{', '.join(states)}]" if len(states) > 1 or case.often() else states[0]
    given = {"initial_state": state, "training": case.one_of(None, True, False), "mask": None}
    call = f"layer({case.arguments(given, [case.one_of(x, f'sequences={x}')])})"
    part = f"[{case.rng.randint(0, len(states))}]" if returns else ""
    return {"layer": layer.replace(", )", ")"), "call": call + part, "dtype": case.dtype}


def keras_normalized(case):
    """Normalizations, of the inputs or of what they remember."""
    shape = [case.length() for _ in range(case.one_of(2, 3, 4))]
    x, axes = case.floats(*shape), list(range(1, len(shape)))
    options = {"epsilon": case.one_of(1e-3, 1e-6), "scale": case.often(), "center": case.often()}
    axis = case.one_of(-1, *axes)
    if case.often(0.7):
        axis = case.one_of(axis, sorted(case.rng.sample(axes, case.rng.randint(1, len(axes)))))
        layer = f"LayerNormalization(rms_scaling={case.often(0.7)}, axis={axis}, {case.arguments(options)})"
        given = {"training": case.one_of(None, True, False)}
    else:
        layer = f"BatchNormalization(axis={axis}, {case.arguments(options)})"
        given = {"training": case.one_of(None, True, False), "mask": None}
    call = f"layer({case.arguments(given, [case.one_of(x, f'inputs={x}')])})"
    return {"layer": layer.replace(", )", ")"), "call": call, "dtype": case.dtype}


def keras_merged(case):
    """Layers that merge a list of inputs."""
    shape = [case.length() for _ in range(case.one_of(2, 3, 4))]
    inputs = [case.floats(*shape) for _ in range(case.one_of(2, 2, 3))]
    kind = case.one_of(
        "Add", "Average", "Maximum", "Minimum", "Multiply", "Subtract", "Concatenate", "Dot"
    )
    arguments = ""
    if kind == "Concatenate":
        arguments = f"axis={case.one_of(-1, *range(1, len(shape)))}"
    elif kind == "Dot":
        arguments = f"axes={case.one_of(-1, *range(1, len(shape)))}, normalize={case.often()}"
    if kind in ("Dot", "Subtract"):
        inputs = inputs[:2]
    call = f"layer({case.one_of('', 'inputs=')}[{', '.join(inputs)}])"
    return {"layer": f"{kind}({arguments})", "call": call, "dtype": case.dtype}


KINDS = {
    "pytorch": (torch_attention, torch_transformer),
    "keras": (keras_attention, keras_recurrent, keras_normalized, keras_merged),
}


def random_call(framework, number, rng):
    """A case of one of the kinds in turn, with inputs by name, not all of which its call takes."""
    kinds = KINDS[framework]
    case = Case(rng)
    return kinds[number % len(kinds)](case), case.inputs
