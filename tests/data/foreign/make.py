"""Makes the files beside it, each by its own framework: `python make.py torch|flax|tensorflow|mxnet`.

Every file holds the same two arrays, `a.w` of [[0, 1, 2], [3, 4, 5]] and `a.b` of [6, 7].
"""

import sys
from pathlib import Path

import numpy as np

HERE = Path(__file__).parent
W, B = np.arange(6, dtype=np.float32).reshape(2, 3), np.float32([6, 7])


def torch():
    import torch

    state = {"a.w": torch.tensor(W), "a.b": torch.tensor(B)}
    torch.save(state, HERE / "zip.pt")
    torch.save({"state_dict": state, "epoch": 1}, HERE / "lightning.ckpt")
    torch.save(state, HERE / "legacy.pth", _use_new_zipfile_serialization=False)

    class A(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.w, self.b = (torch.nn.Parameter(torch.tensor(x)) for x in (W, B))

        def forward(self):
            return self.w

    whole = torch.nn.Module()
    whole.a = A()
    torch.jit.save(torch.jit.script(whole), HERE / "script.pt")


def flax():
    from flax.serialization import msgpack_serialize

    (HERE / "flax_model.msgpack").write_bytes(msgpack_serialize({"a": {"w": W, "b": B}}))


def tensorflow():
    import tensorflow as tf

    module = tf.Module()
    module.a = tf.Module()
    module.a.w, module.a.b = tf.Variable(W), tf.Variable(B)
    tf.train.Checkpoint(module).save(str(HERE / "model"))


def mxnet():
    import mxnet as mx

    mx.nd.save(str(HERE / "mxnet.params"), {"a.w": mx.nd.array(W), "a.b": mx.nd.array(B)})


if __name__ == "__main__":
    globals()[sys.argv[1]]()
