"""Makes the files of this folder with real Keras: `KERAS_PYTHON make_files.py FOLDER`.

Needs keras, tensorflow-cpu, tf_keras and h5py. `weights.json` tells, for each file, the model's
weights as Keras itself names them, with shape, dtype and the sha256 of the little-endian bytes.
"""

import hashlib
import json
import os
import sys
from pathlib import Path

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
os.environ["CUDA_VISIBLE_DEVICES"] = ""

import keras
import numpy as np
import tf_keras


def mlp(k):
    model = k.Sequential(
        [k.Input((4,)), k.layers.Dense(3, activation="relu", name="hidden"), k.layers.Dense(1)]
    )
    model.compile("adam", "mse")
    model.fit(np.ones((4, 4), "float32"), np.ones((4, 1), "float32"), verbose=0)
    return model


def layers(k):
    """A layer of every kind whose variables we name, some without one of them."""
    made = k.layers
    image = k.Input((6, 6, 3))
    x = made.Conv2D(4, 3, padding="same", use_bias=False, name="stem")(image)
    x = made.BatchNormalization(scale=False)(x)
    x = made.BatchNormalization(name="whole")(x)
    x = made.DepthwiseConv2D(3, padding="same")(x)
    x = made.SeparableConv2D(4, 3, padding="same")(x)
    x = made.Conv2DTranspose(5, 3, padding="same")(x)
    x = made.PReLU(shared_axes=[1, 2])(x)
    x = made.Dropout(0.5)(x)
    x = made.Reshape((36, 5))(x)
    x = made.Conv1D(4, 3, padding="same")(x)
    x = made.LayerNormalization(center=False)(x)
    attended = made.MultiHeadAttention(2, 3)(x, x)
    x = made.Add()([x, attended])
    shared = made.Dense(4, name="shared")
    x = shared(shared(x))
    x = made.GRU(3, return_sequences=True)(x)
    x = made.LSTM(2)(x)
    return k.Model(image, made.Dense(2, name="head/logits" if k is tf_keras else "head")(x))


def nested(k):
    def block(name):
        return k.Sequential([k.layers.Dense(3), k.layers.Dense(2)], name=name)

    model = k.Sequential([k.Sequential([block("block-0"), block("block-1")]), k.layers.Dense(1)])
    model.build((None, 2))
    return model


def subclassed(k):
    class Model(k.Model):
        def __init__(self):
            super().__init__(name="net")
            self.first = k.layers.Dense(3)
            self.rest = [k.layers.Dense(3, name=f"rest_{i}") for i in range(2)]
            self.tied = self.first

        def call(self, x):
            x = self.first(x)
            for layer in self.rest:
                x = layer(x)
            return x

    model = Model()
    model(np.zeros((1, 3), "float32"))
    return model


def wrapped(k):
    """Layers inside of layers: what they are called stands only in the config of Keras 2."""
    made = k.layers
    model = k.Sequential(
        [
            k.Input((7,)),
            made.Embedding(20, 4),
            made.Bidirectional(made.GRU(3, return_sequences=True)),
            made.Bidirectional(
                made.LSTM(2, return_sequences=True), merge_mode="sum", name="both_ways"
            ),
            made.RNN([made.LSTMCell(3), made.GRUCell(2, use_bias=False)], return_sequences=True),
            made.TimeDistributed(made.Dense(3, use_bias=False)),
            made.TimeDistributed(made.BatchNormalization(scale=False)),
            made.RNN(made.SimpleRNNCell(2)),
            made.LayerNormalization(center=False),
            made.Dense(1),
        ]
    )
    return model


def attention(k):
    """Keras 3 alone: attentions, an embedding that is its own head, sums that are no layers."""
    made = k.layers
    embedding = made.ReversibleEmbedding(20, 4, tie_weights=False)
    tokens = k.Input((5,))
    x = embedding(tokens)
    x = made.AdditiveAttention(name="additive")([x, x]) + 1
    x = made.Attention(use_scale=True, score_mode="concat")([x, 2 * x])
    x = made.GroupQueryAttention(2, 4, 2, use_bias=False)(x, x)
    x = made.LayerNormalization(center=False)(made.BatchNormalization(scale=False)(x))
    x = made.Bidirectional(made.GRU(2, return_sequences=True))(x)
    return k.Model(tokens, embedding(x, reverse=True))


def quantized(k):
    made = k.layers
    model = k.Sequential(
        [
            k.Input((5,)),
            made.Embedding(20, 4),
            made.EinsumDense("abc,cd->abd", (5, 3), bias_axes="d"),
            made.Dense(3, use_bias=False),
            made.Flatten(),
            made.Dense(2),
        ]
    )
    model.quantize("int8")
    return model


MODELS = {
    "mlp": mlp,
    "layers": layers,
    "nested": nested,
    "subclassed": subclassed,
    "wrapped": wrapped,
    "attention": attention,
    "quantized": quantized,
}
KERAS3_ALONE = ("attention", "quantized")
LEFT_OUT = (("wrapped", "h5"), ("wrapped", "weights.h5"), ("attention", "h5"))
"""Legacy files tell all names by themselves, whatever the layers."""


def describe(model):
    described = []
    for weight in model.weights:
        values = np.asarray(weight.numpy())
        described.append(
            {
                "name": getattr(weight, "path", weight.name).removesuffix(":0"),
                "shape": list(values.shape),
                "dtype": values.dtype.name,
                "sha256": hashlib.sha256(values.tobytes()).hexdigest(),
            }
        )
    return described


def main(folder):
    listing = {}
    for version, k in (("keras3", keras), ("keras2", tf_keras)):
        for name, build in MODELS.items():
            if k is tf_keras and name in KERAS3_ALONE:
                continue
            k.backend.clear_session()
            k.utils.set_random_seed(7)
            model = build(k)
            for suffix in ("keras", "weights.h5", "h5"):
                if (version, suffix) == ("keras2", "weights.h5") and name != "mlp":
                    continue  # these name nothing: one is enough
                if (name, suffix) in LEFT_OUT:
                    continue
                file = f"{version}_{name}.{suffix}"
                try:
                    if suffix == "weights.h5":
                        model.save_weights(folder / file)
                    else:
                        model.save(folder / file)
                except NotImplementedError:  # tf_keras: a subclassed model has no config
                    model.save_weights(folder / file, save_format="h5")
                listing[file] = describe(model)
    keras.config.set_dtype_policy("bfloat16")
    keras.backend.clear_session()
    half = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3), keras.layers.Dense(1)])
    for file in ("keras3_bfloat16.weights.h5", "keras3_bfloat16.h5"):
        half.save_weights(folder / file) if "weights" in file else half.save(folder / file)
        listing[file] = describe(half)
    keras.config.set_dtype_policy("float32")
    keras.backend.clear_session()
    keras.utils.set_random_seed(7)
    sharded = nested(keras)
    sharded.save_weights(folder / "keras3_nested.weights.json", max_shard_size=1e-7)
    listing["keras3_nested.weights.json"] = describe(sharded)
    (folder / "weights.json").write_text(json.dumps(listing, indent=0) + "\n")


main(Path(sys.argv[1]))
