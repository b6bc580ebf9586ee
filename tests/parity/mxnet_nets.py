"""Random nets, as `mxnet_listings.py` builds them and as definitions."""

import random

# Every number of channels and features is even, so that groups of 2 mostly fit.
CALLS = {
    "image": """Conv2D({c}, 3, padding=1)|Conv2D({c}, (3, 1), groups={g}, use_bias=False)
Conv2D({c}, 2, strides=2, activation='relu')|Conv2D({c}, 3, dilation=(1, 2), padding=2)
Conv2DTranspose({c}, 3, strides=2, output_padding=1)|Conv2DTranspose({c}, 2, groups={g})|MaxPool2D()
AvgPool2D(3, 2, ceil_mode=True)|MaxPool2D(2, 1, 1, ceil_mode=True)|BatchNorm()|BatchNorm(scale=False)
BatchNorm(axis=2, center=False)|LayerNorm()|LayerNorm(axis=1)|InstanceNorm()|GroupNorm({g})|PReLU()
InstanceNorm(axis=1, scale=True)|PReLU(in_channels={c})|LeakyReLU(0.1)|ELU()|SELU()|GELU()|Swish()
Activation('tanh')|Dropout(0.5)|ReflectionPad2D(1)|Dense({c}, flatten=False)|BatchNormReLU()""",
    "vector": """Dense({c})|Dense({c}, use_bias=False)|Dense({c}, activation='sigmoid')|Dropout(0.1)
Dense({c}, flatten=False, weight_initializer='xavier')|BatchNorm()|LayerNorm(scale=False)|Flatten()
Dense({c}, bias_initializer='ones', weight_initializer=Normal())|Swish(beta=2.0)|Dense({c}, in_units=6)
Activation('relu')|Dense(6, params=s)|Dense(6, params=t)""",
    "signal": """Conv1D({c}, 3, padding=1)|Conv1DTranspose({c}, 3)|MaxPool1D(2)|AvgPool1D(2, 1)
BatchNorm()|GroupNorm({g})|Conv1D({c}, 2, groups={g})|LayerNorm(axis=-2)|GlobalAvgPool1D()""",
    "volume": """Conv3D({c}, 2)|Conv3D({c}, (1, 2, 1), padding=1)|Conv3DTranspose({c}, 2)
MaxPool3D(2, 1)|BatchNorm()|AvgPool3D(2, 1)|GlobalMaxPool3D()""",
    "NTC": """LSTM({c}, layout='NTC')|GRU({c}, 2, layout='NTC', bidirectional=True)
RNN({c}, 3, layout='NTC', dropout=0.2)|Dense({c}, flatten=False)|LayerNorm()|Dropout(0.3)
LSTM({c}, 2, bidirectional=True, layout='NTC', input_size={c})|Dense({c})|Activation('softsign')""",
    "TNC": """LSTM({c})|GRU({c}, 2, bidirectional=True)|RNN({c}, 3, dropout=0.2)|LayerNorm()
Dense({c}, flatten=False)|RNN({c}, activation='tanh', prefix='r{c}_')|Activation('softsign')""",
}
INPUTS = {
    "image": [4, 12, 12],
    "vector": [6],
    "signal": [4, 20],
    "volume": [4, 6, 6, 6],
    "NTC": [5, 6],
    "TNC": [5, 6],
}


def random_net(seed, calls=CALLS):
    """A net as `mxnet_listings.py` is told it, of layers that `calls` has by kind of input."""
    choose = random.Random(seed)
    kind = choose.choice(list(calls))
    layers_known = calls[kind].replace("\n", "|").split("|")
    share = {"s": "Dense(6)", "t": "Dense(6, in_units=6)"} if kind == "vector" else {}

    def container(depth):
        prefix = choose.choice(["", "", "", "prefix=''", f"prefix='net{depth}_'"])
        call = f"{choose.choice(['Sequential', 'HybridSequential'])}({prefix})"
        below = [item(depth) for _ in range(choose.randint(1, 4))]
        return {"call": call, "scope": choose.random() < 0.5, "below": below}

    def item(depth):
        if depth < 2 and choose.random() < 0.25:
            return container(depth + 1)
        if share and choose.random() < 0.2:
            return {"shared": choose.choice(list(share))}
        call = choose.choice(layers_known).format(
            c=choose.choice([2, 4, 6]), g=choose.choice([1, 2])
        )
        return {"call": call}

    layers = container(0)
    # What is used nowhere is refused in a definition.
    share = {name: call for name, call in share.items() if uses(layers, name)}
    return {
        "input": INPUTS[kind],
        "time_major": kind == "TNC",
        "share": {name: {"call": call} for name, call in share.items()},
        "layers": layers,
    }


def uses(node, name):
    if "below" in node:
        return any(uses(child, name) for child in node["below"])
    return node.get("shared") == name or f"params={name})" in node.get("call", "")


def definition(net, names):
    """The same net in our language."""
    lines = ["framework: mxnet", f"input: {net['input']}"]
    if names == "structural":
        lines.append("names: structural")
    lines += ["share:", *(f"  {n}: {node['call']}" for n, node in net["share"].items())]
    if not net["share"]:
        lines.pop()
    return "\n".join([*lines, "layers:", *written(net["layers"], "  ")]) + "\n"


def written(node, indent):
    if "shared" in node:
        return [indent + node["shared"]]
    if "below" not in node:
        return [indent + node["call"]]
    call = f"name_scope({node['call']})" if node["scope"] else node["call"]
    lines = [f"{indent}{call}:"]
    for child in node["below"]:
        first, *rest = written(child, indent + "    ")
        lines += [f"{indent}  - {first.strip()}", *rest]
    return lines
