"""Definitions of whole models beside the Keras code that builds the same, by hand and at random.

A pair is a definition and Python that defines `model`, run where `keras` and `L` are known.
"""

import random
import textwrap
from pathlib import Path

SUBCLASSED = """
class Part(keras.layers.Layer):
    def __init__(self, parts, **kwargs):
        super().__init__(**kwargs)
        self.order = [part.name for part in parts]
        for part in parts:
            setattr(self, part.name, part)
    def parts(self):
        return [getattr(self, name) for name in self.order]
    def build(self, shape):
        for part in self.parts():
            if not part.built:
                part.build(shape)
            shape = part.compute_output_shape(shape)
    def compute_output_shape(self, shape):
        for part in self.parts():
            shape = part.compute_output_shape(shape)
        return shape
    def call(self, x):
        for part in self.parts():
            x = part(x)
        return x
"""

PAIRS = {
    "the nested blocks of the chapter": (
        "keras_nested_blocks",
        """
def block1(name):
    return keras.Sequential([L.Flatten(), L.Dense(4, activation='relu')], name=name)
def block2():
    net = keras.Sequential()
    for i in range(4):
        net.add(block1(name=f'block-{i}'))
    return net
model = keras.Sequential()
model.add(block2())
model.add(L.Dense(1))
model.build((None, 4))
""",
    ),
    "the shared layer of the chapter": (
        "keras_shared_layer",
        """
shared = L.Dense(4, activation='relu')
model = keras.Sequential([L.Flatten(), shared, shared, L.Dense(1)])
model.build((None, 4))
""",
    ),
    "a functional model in a Sequential": (
        """
framework: keras
input: [4]
layers:
  - Functional():
      - Dense(3)
      - BatchNormalization()
  - Dense(1)
""",
        """
model = keras.Sequential()
x = keras.Input((4,))
model.add(keras.Model(x, L.BatchNormalization()(L.Dense(3)(x))))
model.add(L.Dense(1))
model.build((None, 4))
""",
    ),
    "a Sequential that begins with its input": (
        """
framework: keras
layers:
  - Input((4,))
  - Sequential(name='inner'):
      - Input((4,))
      - Dense(2)
  - Dense(1)
""",
        """
inner = keras.Sequential([keras.Input((4,)), L.Dense(2)], name='inner')
model = keras.Sequential([keras.Input((4,)), inner, L.Dense(1)])
""",
    ),
    "a Sequential that begins with a model": (
        """
framework: keras
input: [4]
layers:
  - Sequential(name='inner'):
      - Functional():
          - Dense(3)
      - Dense(2)
  - - Sequential(name='begins'):
        - Input((2,))
        - Dense(2)
    - Dense(5)
  - - Dense(6)
    - Dense(7)
""",
        """
x = keras.Input((4,))
inner = keras.Sequential(name='inner')
model = keras.Sequential()
inner.add(keras.Model(x, L.Dense(3)(x)))
inner.add(L.Dense(2))
model.add(inner)
middle = keras.Sequential()
middle.add(keras.Sequential([keras.Input((2,)), L.Dense(2)], name='begins'))
middle.add(L.Dense(5))
model.add(middle)
model.add(keras.Sequential([L.Dense(6), L.Dense(7)]))
model.build((None, 4))
""",
    ),
    "subclassed layers": (
        """
framework: keras
input: [4]
define:
  EncoderBlock(d):
    norm: LayerNormalization()
    wide: Dense(2 * d)
    narrow:
      - Dense(d)
      - Dense(d)
layers:
  first: EncoderBlock(4)
  stack: 2 * EncoderBlock(4)
  head: Dense(1)
""",
        SUBCLASSED
        + """
class EncoderBlock(Part):
    def __init__(self, **kwargs):
        wide = L.Dense(8, name='wide')
        narrow = keras.Sequential([L.Dense(4), L.Dense(4)], name='narrow')
        super().__init__([L.LayerNormalization(name='norm'), wide, narrow], **kwargs)
x = keras.Input((4,))
y = EncoderBlock(name='first')(x)
y = keras.Sequential([EncoderBlock(), EncoderBlock()], name='stack')(y)
model = keras.Model(x, L.Dense(1, name='head')(y))
""",
    ),
    "a layer whose forward is told": (
        """
framework: keras
input: [5, 4]
define:
  Mixed(d):
    body: Dense(d)
    short: Dense(d)
    look: MultiHeadAttention(2, 3)
    both: Concatenate()
    last: LSTM(d)
    forward:
      - y = relu(body(x)) + short(x)
      - y = both([y, look(y, x)])
      - last(y)
layers:
  first: Mixed(8)
  head: Dense(1)
""",
        """
class Mixed(keras.layers.Layer):
    def __init__(self, d, **kwargs):
        super().__init__(**kwargs)
        self.body, self.short = L.Dense(d, name='body'), L.Dense(d, name='short')
        self.look = L.MultiHeadAttention(2, 3, name='look')
        self.both, self.last = L.Concatenate(), L.LSTM(d, name='last')
    def build(self, shape):
        wide = (*shape[:-1], 8)
        self.body.build(shape)
        self.short.build(shape)
        self.look.build(wide, shape)
        self.last.build((*shape[:-1], 16))
    def call(self, x):
        y = keras.ops.relu(self.body(x)) + self.short(x)
        return self.last(self.both([y, self.look(y, x)]))
x = keras.Input((5, 4))
y = Mixed(8, name='first')(x)
model = keras.Model(x, L.Dense(1, name='head')(y))
""",
    ),
    "attention to another input": (
        """
framework: keras
input: [5, 4]
layers:
  Functional():
    - MultiHeadAttention(2, 3):
        - Dense(6)
        - Dense(8)
    - GroupQueryAttention(3, 4, 2, name='g'):
        - Identity()
        - Dense(6)
        - Dense(7)
    - Attention(use_scale=True): 2 * Dense(3)
    - Dot((1, 1)):
        - Identity()
        - Dense(2)
    - Flatten()
    - Dense(1)
""",
        """
x = keras.Input((5, 4))
y = L.MultiHeadAttention(2, 3)(L.Dense(6)(x), L.Dense(8)(x))
y = L.GroupQueryAttention(3, 4, 2, name='g')(y, L.Dense(6)(y), L.Dense(7)(y))
y = L.Attention(use_scale=True)([L.Dense(3)(y), L.Dense(3)(y)])
y = L.Dot((1, 1))([y, L.Dense(2)(y)])
model = keras.Model(x, L.Dense(1)(L.Flatten()(y)))
""",
    ),
    "an encoder and a decoder with shortcuts between": (
        """
framework: keras
input: [16, 16, 1]
define:
  down(filters):
    Functional():
      - Conv2D(filters, 3, padding='same')
      - MaxPooling2D()
  up(filters):
    Functional():
      - Conv2DTranspose(filters, 2, strides=2)
      - BatchNormalization()
layers:
  Functional():
    - Conv2D(2, 3, padding='same')
    - Concatenate():
        - Identity()
        - Functional():
            - down(4)
            - Concatenate():
                - Identity()
                - Functional():
                    - down(8)
                    - up(4)
            - up(2)
    - Conv2D(1, 1)
""",
        """
def down(x, filters):
    return L.MaxPooling2D()(L.Conv2D(filters, 3, padding='same')(x))
def up(x, filters):
    return L.BatchNormalization()(L.Conv2DTranspose(filters, 2, strides=2)(x))
x = keras.Input((16, 16, 1))
a = L.Conv2D(2, 3, padding='same')(x)
b = down(a, 4)
c = L.Concatenate()([b, up(down(b, 8), 4)])
d = L.Concatenate()([a, up(c, 2)])
model = keras.Model(x, L.Conv2D(1, 1)(d))
""",
    ),
}

HOLDERS = {
    "layers that hold layers": (
        """
framework: keras
input: [6, 4]
share:
  again: Dense(4)
  deep: Dense(4)
define:
  Both(d):
    _b: deep
    z: Dense(d)
    _a: LSTM(d, return_sequences=True)
    b: again
    rest:
      - Dense(d)
      - Dropout(0.5)
    y: deep
layers:
  Functional():
    - LSTM(3, return_sequences=True)
    - Dropout(0.5)
    - Bidirectional(GRU(3, return_sequences=True))
    - Bidirectional(LSTM(2, return_sequences=True, name='there'), name='ways')
    - MultiHeadAttention(2, 3, dropout=0.1)
    - MultiHeadAttention(2, 3, use_gate=True, use_bias=False)
    - GroupQueryAttention(3, 4, 2, use_gate=True)
    - Attention(use_scale=True):
        - Dense(3, use_bias=False)
        - Identity()
    - TimeDistributed(Dense(4))
    - again
    - RNN([LSTMCell(3), GRUCell(2), GRUCell(4)], return_sequences=True)
    - RNN(SimpleRNNCell(3), return_sequences=True)
    - Sequential():
        - Dense(4)
        - again
        - Dropout(0.1)
        - again
        - Dense(4)
    - Normalization()
    - BatchNormalization(trainable=False)
    - BatchNormalization(scale=False)
    - Both(4)
    - EinsumDense('abc,cd->abd', [None, 5], bias_axes='d', dtype='bfloat16')
    - Reshape([6, 5, 1])
    - ConvLSTM1D(2, 3, return_sequences=True)
    - TimeDistributed(SeparableConv1D(3, 2))
    - PReLU(shared_axes=[1])
""",
        SUBCLASSED
        + """
again, deep = L.Dense(4), L.Dense(4)
x = keras.Input((6, 4))
y = L.Dropout(0.5)(L.LSTM(3, return_sequences=True)(x))
y = L.Bidirectional(L.GRU(3, return_sequences=True))(y)
y = L.Bidirectional(L.LSTM(2, return_sequences=True, name='there'), name='ways')(y)
y = L.MultiHeadAttention(2, 3, dropout=0.1)(y, y)
y = L.MultiHeadAttention(2, 3, use_gate=True, use_bias=False)(y, y)
y = L.GroupQueryAttention(3, 4, 2, use_gate=True)(y, y)
y = L.Attention(use_scale=True)([L.Dense(3, use_bias=False)(y), y])
y = again(L.TimeDistributed(L.Dense(4))(y))
y = L.RNN([L.LSTMCell(3), L.GRUCell(2), L.GRUCell(4)], return_sequences=True)(y)
y = L.RNN(L.SimpleRNNCell(3), return_sequences=True)(y)
y = keras.Sequential([L.Dense(4), again, L.Dropout(0.1), again, L.Dense(4)])(y)
y = L.BatchNormalization(trainable=False)(L.Normalization()(y))
y = L.BatchNormalization(scale=False)(y)
class Both(Part):
    def __init__(self):
        rest = keras.Sequential([L.Dense(4), L.Dropout(0.5)], name='rest')
        first = [L.Dense(4, name='z'), L.LSTM(4, return_sequences=True, name='_a')]
        super().__init__([])
        self._b = deep
        for part in first:
            setattr(self, part.name, part)
        self.b, self.rest, self.y = again, rest, deep
        self.order += ['_b', 'z', '_a', 'b', 'rest', 'y']
y = Both()(y)
y = L.EinsumDense('abc,cd->abd', [None, 5], bias_axes='d', dtype='bfloat16')(y)
y = L.ConvLSTM1D(2, 3, return_sequences=True)(L.Reshape((6, 5, 1))(y))
model = keras.Model(x, L.PReLU(shared_axes=[1])(L.TimeDistributed(L.SeparableConv1D(3, 2))(y)))
""",
    ),
    "a shared model": (
        """
framework: keras
input: [4]
share:
  twice:
    - Dense(4)
    - BatchNormalization(center=False)
layers:
  - twice
  - Functional(name='f'):
      - Dense(4, name='d')
      - Add():
          - Identity()
          - Dense(4)
  - twice
  - Dense(4)
  - inner: Dense(4)
    outer: Dense(2)
""",
        """
twice = keras.Sequential([L.Dense(4), L.BatchNormalization(center=False)])
model = keras.Sequential([twice])
x = keras.Input((4,))
y = L.Dense(4, name='d')(x)
model.add(keras.Model(x, L.Add()([y, L.Dense(4)(y)]), name='f'))
model.add(twice)
model.add(L.Dense(4))
x = keras.Input((4,))
model.add(keras.Model(x, L.Dense(2, name='outer')(L.Dense(4, name='inner')(x))))
model.build((None, 4))
""",
    ),
    "shortcuts from the input": (
        """
framework: keras
input: [4]
layers:
  wide: Dense(4)
  both:
    Add():
      - Identity()
      - Dense(4)
      - Functional():
          - Dense(3)
          - Dense(4)
  head: Dense(4)
""",
        """
x = keras.Input((4,))
y = L.Dense(4, name='wide')(x)
z = L.Dense(4)(y)
w = L.Dense(3)(y)
y = L.Add(name='both')([y, z, L.Dense(4)(w)])
model = keras.Model(x, L.Dense(4, name='head')(y))
""",
    ),
}
"""Models whose layers are held in all the ways that matter to where files keep them."""

_NESTED = """
def block1(name):
    return keras.Sequential([L.Dense(8, activation='relu'), L.Dense(4, activation='relu')], name=name)
model = keras.Sequential()
inner = keras.Sequential(name='block2')
model.add(inner)
for i in range(4):
    inner.add(block1(name=f'block-{i}'))
model.add(L.Dense(1))
model.build((None, 4))
"""

REFERENCE = {
    "keras_mlp": """
model = keras.Sequential([keras.Input((4,)), L.Dense(8, activation='relu'), L.Dense(1)])
""",
    "keras_cnn": """
model = keras.Sequential([
    keras.Input((28, 28, 1)),
    L.Conv2D(6, 5, activation='sigmoid', padding='same'),
    L.AvgPool2D(2, 2),
    L.Conv2D(16, 5, activation='sigmoid'),
    L.AvgPool2D(2, 2),
    L.Flatten(),
    L.Dense(120, activation='sigmoid'),
    L.Dense(84, activation='sigmoid'),
    L.Dense(10),
])
""",
    "keras_lstm_text": """
layers = [L.Embedding(50, 8), L.LSTM(6, return_sequences=True), L.LSTM(5), L.Dense(1)]
model = keras.Sequential([keras.Input((12,)), *layers])
""",
    "conv_zoo": """
x = keras.Input((16, 16, 3))
y = L.BatchNormalization()(L.Conv2D(4, 3, use_bias=False, name='stem')(x))
y = L.SeparableConv2D(6, 3)(L.DepthwiseConv2D(3, depth_multiplier=2)(y))
y = L.PReLU(shared_axes=[1, 2])(L.Conv2DTranspose(5, 3, strides=2)(y))
y = L.Conv1D(4, 3)(L.Reshape((5, 1))(L.GlobalAveragePooling2D()(y)))
model = keras.Model(x, L.Dense(3, name='head')(L.GlobalMaxPool1D()(y)))
""",
    "functional_shared": """
x, shared = keras.Input((4,)), L.Dense(8, activation='relu', name='shared')
y = shared(shared(L.Dense(8, activation='relu')(x)))
model = keras.Model(x, L.Dense(1)(y))
""",
    "mha_block": """
x = keras.Input((7, 8))
y = L.LayerNormalization()(x)
y = L.Add()([x, L.MultiHeadAttention(2, 4)(y, y)])
z = L.Dense(16, activation='gelu')(L.LayerNormalization()(y))
model = keras.Model(x, L.Add()([y, L.Dense(8)(z)]))
""",
    "mlp_float16": """
layers = [L.Dense(8, activation='relu', dtype='float16'), L.Dense(1, dtype='float16')]
model = keras.Sequential([keras.Input((4,)), *layers])
""",
    "nested_rgnet": _NESTED,
    "nested_rgnet_bfloat16": _NESTED.replace("'relu'", "'relu', dtype='bfloat16'").replace(
        "Dense(1)", "Dense(1, dtype='bfloat16')"
    ),
}
"""Sample models, and models of tests/data/arch, by the names of their definitions."""

APPLICATIONS = {
    name: f"model = keras.applications.{kind}(weights=None)"
    for name, kind in {
        "keras_resnet50": "ResNet50",
        "keras_mobilenet": "MobileNet",
        "vgg16": "VGG16",
    }.items()
}
"""Larger ones."""

SAMPLES = Path(__file__).parents[2] / "sample_models"
DEFINITIONS = Path(__file__).parents[1] / "data/arch/keras/definitions"


def text_of(definition):
    """The text of a definition that is written out, or has the name of one that lies in a file."""
    if "\n" in definition:
        return definition
    places = [folder / f"{definition}.yaml" for folder in (SAMPLES, DEFINITIONS)]
    return next(place for place in places if place.exists()).read_text()


class _Writer:
    """Writes a model of 4 features twice: as a definition and as Keras code."""

    def __init__(self, rng):
        self.rng = rng
        self.code = [SUBCLASSED]
        self.defined = []
        self.count = 0
        self.shares = False

    def fresh(self, start):
        self.count += 1
        return f"{start}{self.count}"

    def call(self, name=None):
        """A layer that keeps 4 features, with a name of its own at times."""
        call = self.rng.choice(
            ["Dense(4)", "Dense(4, use_bias=False)", "BatchNormalization()", "PReLU()"]
        )
        if name is None and self.rng.random() < 0.2:
            name = self.fresh("named_")
            return (
                call[:-1].rstrip("(") + ("(" if call.endswith("()") else ", ") + f"name={name!r})"
            )
        return call

    def named(self, call, name):
        """The Keras code of a call under a key."""
        return call[:-1] + ("" if call.endswith("()") else ", ") + f"name={name!r})"

    def flow(self, x, depth, length):
        """Items of a functional chain, and the variable that holds its output."""
        items = []
        for _ in range(length):
            kind = self.rng.choice(["layer", "layer", "shared", "merge", "list", "block"])
            if kind in ("merge", "list", "block") and depth == 0:
                kind = "layer"
            item, x = getattr(self, kind)(x, depth)
            items += item
        return items, x

    def applied(self, source, x):
        y = self.fresh("x")
        self.code.append(f"{y} = {source}({x})")
        return y

    def layer(self, x, depth):
        call = self.call()
        return [f"- {call}"], self.applied(f"L.{call}", x)

    def shared(self, x, depth):
        self.shares = True
        return ["- shared"], self.applied("shared", x)

    def merge(self, x, depth):
        kind = self.rng.choice(["Add", "Concatenate", "Average"])
        lines, ends = [f"- {kind}():"], []
        for _ in range(self.rng.choice([2, 2, 3])):
            if self.rng.random() < 0.3:
                branch, end = ["- Identity()"], x
            else:
                items, end = self.flow(x, depth - 1, self.rng.choice([1, 2, 3]))
                branch = ["- Functional():", *indented(items, 4)]
            lines += indented(branch, 4)
            ends.append(end)
        y = self.fresh("x")
        self.code.append(f"{y} = L.{kind}()([{', '.join(ends)}])")
        if kind == "Concatenate":
            lines.append("- Dense(4)")
            y = self.applied("L.Dense(4)", y)
        return lines, y

    def list(self, x, depth):
        """A Sequential, which is constructed before its layers."""
        lines, container = self.sequential(depth)
        first, *rest = lines
        return [f"- {first}", *indented(rest, 2)], self.applied(container, x)

    def sequential(self, depth):
        container = self.fresh("s")
        self.code.append(f"{container} = keras.Sequential()")
        lines = []
        for _ in range(self.rng.choice([1, 2])):
            if depth and self.rng.random() < 0.3:
                (first, *rest), inner = self.sequential(depth - 1)
                lines += [f"- {first}", *indented(rest, 2)]
                self.code.append(f"{container}.add({inner})")
            else:
                call = self.call()
                lines.append(f"- {call}")
                self.code.append(f"{container}.add(L.{call})")
        return lines, container

    def block(self, x, depth):
        """A subclassed layer, whose class is the block."""
        name = self.fresh("Block")
        calls = {key: self.call(key) for key in self.rng.sample(["a", "b", "c"], 2)}
        self.defined += [f"{name}():", *indented([f"{k}: {c}" for k, c in calls.items()], 2)]
        made = ", ".join(f"L.{self.named(c, k)}" for k, c in calls.items())
        self.code.append(f"class {name}(Part): pass")
        times = self.rng.choice([1, 2])
        for _ in range(times):
            x = self.applied(f"{name}([{made}])", x)
        return [f"- {name}()"] * times, x


def indented(lines, by):
    return [" " * by + line for line in lines]


def random_pair(seed):
    """A definition and the Keras code of the same model."""
    writer = _Writer(random.Random(seed))
    writer.code.append("x0 = keras.Input((4,))")
    items, end = writer.flow("x0", 3, writer.rng.randint(2, 6))
    definition = [
        "framework: keras",
        "input: [4]",
        *(["share: {shared: Dense(4)}"] if writer.shares else []),
        *(["define:", *indented(writer.defined, 2)] if writer.defined else []),
        "layers:",
        "  Functional():",
        *indented(items, 4),
    ]
    shared = ["shared = L.Dense(4)"] if writer.shares else []
    code = [*shared, *writer.code, f"model = keras.Model(x0, {end})"]
    return "\n".join(definition) + "\n", textwrap.dedent("\n".join(code))
