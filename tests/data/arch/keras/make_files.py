"""Small files that Keras itself saves, of models whose definitions lie beside: `make_files.py`."""

import os
from pathlib import Path

os.environ.setdefault("KERAS_BACKEND", "tensorflow")

import keras
from keras import layers as L

HERE = Path(__file__).parent


def attention():
    x = keras.Input((7, 8))
    y = L.LayerNormalization()(x)
    y = L.Add()([x, L.MultiHeadAttention(2, 4)(y, y)])
    z = L.Dense(16, activation="gelu")(L.LayerNormalization()(y))
    return keras.Model(x, L.Add()([y, L.Dense(8)(z)]))


def text():
    layers = [L.Embedding(50, 8), L.LSTM(6, return_sequences=True), L.LSTM(5), L.Dense(1)]
    return keras.Sequential([keras.Input((12,)), *layers])


def nested():
    model = keras.Sequential()
    inner = keras.Sequential(name="block2")
    model.add(inner)
    for i in range(4):
        parts = [L.Dense(8, activation="relu"), L.Dense(4, activation="relu")]
        inner.add(keras.Sequential(parts, name=f"block-{i}"))
    model.add(L.Dense(1))
    model.build((None, 4))
    return model


for name, make in (("mha_block", attention), ("keras_lstm_text", text), ("nested_rgnet", nested)):
    for ending in ("keras", "weights.h5", "h5"):
        keras.backend.clear_session()
        model = make()
        path = HERE / "files" / f"{name}.{ending}"
        path.parent.mkdir(exist_ok=True)
        model.save_weights(path) if ending == "weights.h5" else model.save(path)
