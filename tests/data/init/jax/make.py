"""Write jax.json beside this file: what JAX draws. Needs JAX 0.10 and flax, CPU with FMA.

    python tests/data/init/jax/make.py
"""

import hashlib
import json
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx

HERE = Path(__file__).parent
INIT = jax.nn.initializers
SHAPES = [(3,), (4, 8), (3, 3, 2, 5), (33, 17), (1, 1), (0, 4), (1, 7, 6)]
INITIALIZERS = [
    *((name, {}) for name in ("glorot_uniform", "glorot_normal", "lecun_normal", "lecun_uniform")),
    *((name, {}) for name in ("he_normal", "he_uniform", "delta_orthogonal")),
    ("normal", {"stddev": 0.02}),
    ("uniform", {"scale": 0.1}),
    ("truncated_normal", {"stddev": 0.02}),
    ("orthogonal", {"scale": 1.5}),
    ("variance_scaling", {"scale": 1.5, "mode": "fan_geo_avg", "distribution": "normal"}),
]
RANDOM = [("uniform", {"minval": -0.3, "maxval": 0.7}), ("uniform", {"minval": 1e-6, "maxval": 3.0})]
PLAIN = ("normal", "uniform", "truncated_normal")
SEEDS = (0, 42, (1 << 32) - 1, -1)


def digest(values):
    return hashlib.sha256(np.ascontiguousarray(values).tobytes()).hexdigest()[:16]


def initializer_case(name, arguments, shape, seed, dtype="float32"):
    key = jax.random.fold_in(jax.random.key(seed), 0)
    case = [name, arguments, shape, seed, dtype]
    try:
        values = np.asarray(getattr(INIT, name)(**arguments)(key, shape, jnp.dtype(dtype)))
    except (ValueError, IndexError, NotImplementedError):
        return [*case, None]
    drawn = values.tolist() if "orthogonal" in name else digest(values)
    return [*case, drawn]


def random_case(name, arguments, shape, seed):
    key = jax.random.fold_in(jax.random.key(seed), 0)
    return [name, arguments, shape, seed, digest(getattr(jax.random, name)(key, shape, **arguments))]


def net_case(dims, seed):
    rngs = nnx.Rngs(params=seed)
    layers = [nnx.Linear(a, b, rngs=rngs) for a, b in zip(dims, dims[1:], strict=False)]
    return [dims, seed, [digest(x[...]) for layer in layers for x in (layer.kernel, layer.bias)]]


if __name__ == "__main__":
    frozen = {
        "initializers": [
            initializer_case(*one, shape, seed)
            for one in INITIALIZERS
            for shape in SHAPES
            for seed in SEEDS[: 2 if "orthogonal" in one[0] else 4]
            if 0 not in shape or one[0] in PLAIN
        ]
        + [
            initializer_case(*one, shape, 3, dtype)
            for one in INITIALIZERS
            for shape in [(20, 3), (601, 33)]
            for dtype in ("float16", "bfloat16")
            if "orthogonal" not in one[0] or shape == (20, 3)
        ],
        "random": [random_case(*one, shape, 5) for one in RANDOM for shape in [(5,), (100003,)]]
        + [random_case("normal", {}, (300001,), 5)],
        "nets": [net_case(dims, seed) for dims in ([4, 8, 1], [5, 3]) for seed in (0, 1)],
    }
    (HERE / "jax.json").write_text(json.dumps(frozen, separators=(",", ":")))
