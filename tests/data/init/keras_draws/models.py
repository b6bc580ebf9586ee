"""Models whose seeds are taken in different orders: a definition beside the Keras code it is for.

A pair is what stands below `framework: keras`, and Python that makes `model`, where `keras`, its
layers, also as `L`, and its initializers are known.
"""

SUBCLASSED = """
class Block(L.Layer):
    def __init__(self, d, **kwargs):
        super().__init__(**kwargs)
        self.wide = L.Dense(d, name='wide')
        self.look = L.MultiHeadAttention(2, 3, name='look')
        self.narrow = L.Dense(4, name='narrow')
    def build(self, shape):
        wide = (*shape[:-1], self.wide.units)
        self.wide.build(shape)
        self.narrow.build(wide)
        self.look.build((*shape[:-1], 4), shape)
    def call(self, x):
        return self.look(self.narrow(self.wide(x)), x)
"""


def sequential(shape, *calls):
    """A list of layers, and the `Sequential` that it stands for."""
    lines = "".join(f"  - {call}\n" for call in calls)
    return (
        f"input: {list(shape)}\nlayers:\n{lines}",
        f"model = keras.Sequential([keras.Input({tuple(shape)}), {', '.join(calls)}])",
    )


RECURRENT = "'random_uniform', recurrent_initializer='random_normal', bias_initializer='he_normal'"
PLAIN = f"kernel_initializer={RECURRENT}"
MODELS = {
    "mlp": sequential([4], "Dense(8, activation='relu')", "Dense(1)"),
    "mlp dropout": sequential(
        [5],
        "Dense(6)",
        "Dropout(0.1)",
        "Dense(3, kernel_initializer='he_normal')",
        "Dropout(0.0)",
        "Dense(2, bias_initializer='ones')",
    ),
    "cnn": sequential(
        [9, 9, 3],
        "Conv2D(4, 3)",
        "BatchNormalization()",
        "DepthwiseConv2D(2)",
        "SeparableConv2D(5, 2)",
        "Conv2DTranspose(3, 2)",
        "Flatten()",
        "Dense(2)",
    ),
    "rnn": sequential(
        [6],
        "Embedding(10, 4)",
        "LSTM(3, return_sequences=True)",
        "GRU(5, return_sequences=True)",
        "SimpleRNN(2)",
    ),
    "mha": (
        "input: [7, 8]\nlayers:\n  - MultiHeadAttention(2, 5)\n",
        "model = L.MultiHeadAttention(2, 5); model.build((None, 7, 8), (None, 7, 8))",
    ),
    "random biases": sequential(
        [6, 5],
        "Dense(4, bias_initializer='random_normal')",
        "Dense(4, use_bias=False, bias_initializer='random_normal')",
        "TimeDistributed(Dense(3, bias_initializer=RandomUniform(-1, 2)))",
        f"LSTM(3, {PLAIN}, unit_forget_bias=False, return_sequences=True)",
        f"GRU(3, {PLAIN}, reset_after=False, return_sequences=True)",
        f"SimpleRNN(3, {PLAIN}, return_sequences=True)",
        "Conv1D(4, 2, bias_initializer='lecun_uniform')",
        "SeparableConv1D(5, 2, depthwise_initializer='he_uniform', bias_initializer='uniform')",
        "EinsumDense('abc,cd->abd', (4, 3), bias_axes='d', bias_initializer='glorot_normal')",
        "PReLU('normal')",
    ),
    "norms": sequential(
        [6, 6],
        "BatchNormalization(beta_initializer='normal', gamma_initializer='uniform', "
        "moving_mean_initializer=HeNormal(seed=6), moving_variance_initializer=RandomUniform(1, 2), "
        "renorm=True)",
        "LayerNormalization(beta_initializer='normal', gamma_initializer='uniform')",
        "GroupNormalization(3, gamma_initializer='uniform')",
        "BatchNormalization(center=False, beta_initializer='normal')",
        "RMSNormalization()",
        "Dense(2, kernel_initializer=None)",
    ),
    "initializers that Keras chooses": sequential(
        [4],
        "Dense(3, kernel_initializer=None, bias_initializer=None)",
        "Dense(3, lora_rank=2)",
        "Dense(3)",
        "Dense(3, kernel_initializer=None)",
        "EinsumDense('ab,bc->ac', 5, kernel_initializer='he_normal', lora_rank=1)",
    ),
    "seeds that are given": sequential(
        [5, 4],
        "Dense(4, kernel_initializer=HeNormal(seed=3))",
        "Dense(4, kernel_initializer=HeNormal(seed=3), bias_initializer=RandomNormal(seed=7))",
        "Dropout(0.5, seed=1)",
        "LSTM(3, seed=2, kernel_initializer=HeUniform(seed=5), return_sequences=True)",
        "Bidirectional(GRU(3, recurrent_initializer=Orthogonal(2.0, seed=9)))",
        "GaussianNoise(0.1, seed=3)",
        "Dense(2)",
    ),
    "initializers that are calls": sequential(
        [5, 4],
        "SimpleRNN(3, kernel_initializer=HeNormal(), return_sequences=True)",
        "Dense(3, bias_initializer=RandomNormal(), kernel_initializer=HeUniform())",
        "Bidirectional(SimpleRNN(2, recurrent_initializer=RandomNormal(), return_sequences=True))",
        "Dense(2, use_bias=False, bias_initializer=RandomUniform())",
        "Dense(2)",
    ),
    "an initializer with a name": (
        "input: [4]\nlet: {k: HeNormal()}\nlayers:\n"
        "  - Dense(4)\n  - Dense(4, kernel_initializer=k)\n  - Dense(4, kernel_initializer=k)\n"
        "  - EinsumDense('ab,bc->ac', 4, kernel_initializer=k)\n  - Dense(1)\n",
        "k = HeNormal()\nmodel = keras.Sequential([keras.Input((4,)), L.Dense(4),"
        " L.Dense(4, kernel_initializer=k), L.Dense(4, kernel_initializer=k),"
        " L.EinsumDense('ab,bc->ac', 4, kernel_initializer=k), L.Dense(1)])",
    ),
    "both directions": sequential(
        [5, 4],
        "Bidirectional(LSTM(3, return_sequences=True))",
        "Bidirectional(SimpleRNN(3, return_sequences=True))",
        f"Bidirectional(GRU(2, {PLAIN}, return_sequences=True))",
        "Bidirectional(RNN([LSTMCell(3), GRUCell(2)], return_sequences=True))",
        "Bidirectional(RNN(SimpleRNNCell(3), return_sequences=True), merge_mode='sum')",
        "Bidirectional(LSTM(3), backward_layer=GRU(3, go_backwards=True))",
        "Dense(2)",
    ),
    "cells": sequential(
        [5, 4],
        "RNN(LSTMCell(3), return_sequences=True)",
        "RNN([GRUCell(3), GRUCell(2, seed=1), GRUCell(2)], return_sequences=True)",
        "RNN(SimpleRNNCell(3))",
        "Dense(1)",
    ),
    "convolutional memory": sequential(
        [3, 5, 5, 2],
        "ConvLSTM2D(2, 2, return_sequences=True)",
        f"ConvLSTM2D(3, 2, {PLAIN}, unit_forget_bias=False, dropout=0.2)",
        "Conv2D(2, 2)",
    ),
    "noise": sequential(
        [6, 4],
        "SpatialDropout1D(0.2)",
        "Dense(3)",
        "GaussianNoise(0.1)",
        "Dense(3)",
        "GaussianDropout(0.3)",
        "Dense(3)",
        "AlphaDropout(0.3)",
        "Dense(3)",
        "GaussianNoise(0.0)",
        "Dense(3)",
    ),
    "augmentation": sequential(
        [8, 8, 3],
        "RandomFlip()",
        "RandomRotation(0.1)",
        "RandomZoom(0.1)",
        "RandomTranslation(0.1, 0.1)",
        "RandomContrast(0.1)",
        "RandomBrightness(0.1)",
        "Conv2D(2, 3)",
        "RandomCrop(4, 4)",
        "Conv2D(2, 3)",
        "RandomCrop(2, 2, seed=4)",
        "Conv2D(2, 1)",
    ),
    "embeddings": sequential(
        [6],
        "ReversibleEmbedding(9, 4, tie_weights=False, embeddings_initializer='he_normal')",
        "Dense(3)",
    ),
    "low rank": sequential([6], "Embedding(9, 4, lora_rank=2)", "Dense(3)"),
    "attention in a functional model": (
        "input: [5, 4]\nlayers:\n  Functional():\n    - Dense(4)\n"
        "    - MultiHeadAttention(2, 3, dropout=0.1)\n    - Dense(4)\n"
        "    - MultiHeadAttention(2, 3, value_dim=2, kernel_initializer='he_normal',"
        " bias_initializer='normal', use_gate=True)\n    - Dropout(0.1)\n"
        "    - GroupQueryAttention(3, 4, 2, dropout=0.1, use_bias=False,"
        " bias_initializer='normal')\n    - Dense(1)\n",
        """
x = keras.Input((5, 4))
y = L.Dense(4)(x)
y = L.MultiHeadAttention(2, 3, dropout=0.1)(y, y)
y = L.Dense(4)(y)
y = L.MultiHeadAttention(2, 3, value_dim=2, kernel_initializer='he_normal',
    bias_initializer='normal', use_gate=True)(y, y)
y = L.Dropout(0.1)(y)
y = L.GroupQueryAttention(3, 4, 2, dropout=0.1, use_bias=False, bias_initializer='normal')(y, y)
model = keras.Model(x, L.Dense(1)(y))
""",
    ),
    "attention with a seed": (
        "input: [5, 4]\nlayers:\n  Functional():\n"
        "    - MultiHeadAttention(2, 3, dropout=0.1, seed=4,"
        " kernel_initializer=GlorotUniform(seed=5))\n"
        "    - MultiHeadAttention(1, 2, kernel_initializer=HeNormal())\n    - Dense(1)\n",
        """
x = keras.Input((5, 4))
y = L.MultiHeadAttention(2, 3, dropout=0.1, seed=4, kernel_initializer=GlorotUniform(seed=5))(x, x)
y = L.MultiHeadAttention(1, 2, kernel_initializer=HeNormal())(y, y)
model = keras.Model(x, L.Dense(1)(y))
""",
    ),
    "attention with branches": (
        "input: [5, 4]\nlayers:\n  Functional():\n    - Add():\n        - Identity()\n"
        "        - Functional():\n            - LayerNormalization()\n"
        "            - MultiHeadAttention(2, 3):\n                - Dense(6)\n"
        "                - MultiHeadAttention(2, 2)\n            - Dense(4)\n"
        "    - AdditiveAttention(dropout=0.1): 2 * Dense(3, kernel_initializer=None)\n"
        "    - Dense(1)\n",
        """
x = keras.Input((5, 4))
y = L.LayerNormalization()(x)
attention = L.MultiHeadAttention(2, 3)
wide = L.Dense(6)(y)
y = attention(wide, L.MultiHeadAttention(2, 2)(y, y))
y = L.Add()([x, L.Dense(4)(y)])
attention = L.AdditiveAttention(dropout=0.1)
one = L.Dense(3, kernel_initializer=None)(y)
other = L.Dense(3, kernel_initializer=None)(y)
y = attention([one, other])  # on a line of its own: Dense(1) is constructed after the call
model = keras.Model(x, L.Dense(1)(y))
""",
    ),
    "models in models": (
        "input: [4]\nlayers:\n  - Dense(4, kernel_initializer=None)\n"
        "  - Functional():\n      - Input((4,))\n      - Dense(3, kernel_initializer=None)\n"
        "      - Dense(4)\n"
        "  - Sequential(name='inner'):\n      - Input((4,))\n"
        "      - Dense(2, kernel_initializer=None)\n      - Dense(4)\n"
        "  - Sequential(name='later'):\n      - Dense(2, kernel_initializer=None)\n"
        "      - Dense(4)\n  - Dense(1)\n",
        """
first = L.Dense(4, kernel_initializer=None)
x = keras.Input((4,))
y = L.Dense(3, kernel_initializer=None)(x)
middle = keras.Model(x, L.Dense(4)(y))
inner = keras.Sequential(
    [keras.Input((4,)), L.Dense(2, kernel_initializer=None), L.Dense(4)], name='inner')
later = keras.Sequential([L.Dense(2, kernel_initializer=None), L.Dense(4)], name='later')
model = keras.Sequential([first, middle, inner, later, L.Dense(1)])
model.build((None, 4))
""",
    ),
    "a layer with layers inside": (
        "input: [5, 4]\ndefine:\n  Block(d):\n    wide: Dense(d)\n"
        "    look: MultiHeadAttention(2, 3)\n    narrow: Dense(4, kernel_initializer=None)\n"
        "    forward:\n      - look(narrow(wide(x)), x)\n"
        "layers:\n  one: Block(6)\n  stack: 2 * Block(3)\n  head: Dense(1)\n",
        SUBCLASSED.replace("name='narrow'", "name='narrow', kernel_initializer=None")
        + """
x = keras.Input((5, 4))
y = Block(6, name='one')(x)
y = keras.Sequential([Block(3), Block(3)], name='stack')(y)
model = keras.Model(x, L.Dense(1, name='head')(y))
""",
    ),
    "shared layers": (
        "input: [5, 4]\nshare:\n  a: Dense(4, kernel_initializer=None)\n"
        "  b: MultiHeadAttention(2, 2)\n"
        "layers:\n  Functional():\n    - Dense(4)\n    - b\n    - a\n    - MultiHeadAttention(1, 2)\n"
        "    - b\n    - a\n    - Dense(1)\n",
        """
a, b = L.Dense(4, kernel_initializer=None), L.MultiHeadAttention(2, 2)
x = keras.Input((5, 4))
y = L.Dense(4)(x)
y = a(b(y, y))
y = L.MultiHeadAttention(1, 2)(y, y)
y = a(b(y, y))
model = keras.Model(x, L.Dense(1)(y))
""",
    ),
    "other dtypes": sequential(
        [4],
        "Dense(5, dtype='bfloat16', bias_initializer='normal')",
        "Dense(3, dtype='float16', kernel_initializer='he_normal')",
        "Dense(3, dtype='mixed_float16')",
        "Dense(2, dtype='bfloat16', kernel_initializer='random_normal')",
    ),
}
"""By name."""
