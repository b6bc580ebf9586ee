"""What the functions of a forward do to shapes, by their names in `keras.ops`."""

from __future__ import annotations

from paraminspect.frameworks._tracing import joint, rules

# fmt: off
ALIKE = (
    "exp", "exp2", "expm1", "log", "log2", "log10", "log1p", "sqrt", "rsqrt", "reciprocal", "sin",
    "cos", "tan", "arcsin", "arccos", "arctan", "sinh", "cosh", "tanh", "arcsinh", "arccosh",
    "arctanh", "erf", "sigmoid", "abs", "absolute", "negative", "square", "sign", "floor", "ceil",
    "trunc", "round", "isnan", "isinf", "isfinite", "logical_not", "cast", "relu", "relu6",
    "leaky_relu", "softplus", "softsign", "silu", "swish", "log_sigmoid", "hard_sigmoid",
    "hard_silu", "hard_swish", "hard_tanh", "tanh_shrink", "hard_shrink", "soft_shrink",
    "threshold", "elu", "selu", "celu", "gelu", "squareplus", "softmax", "log_softmax", "mish",
    "exponential", "linear", "flip", "roll", "tril", "triu", "zeros_like", "ones_like", "full_like",
)
TOGETHER = (
    "clip", "where", "add", "subtract", "multiply", "power", "mod", "floor_divide", "divide",
    "true_divide", "equal", "not_equal", "less", "less_equal", "greater", "greater_equal",
    "maximum", "minimum", "logical_and", "logical_or", "logical_xor",
)
OTHERS = (
    "sum", "mean", "var", "std", "max", "amax", "min", "amin", "argmax", "argmin", "any", "all",
    "logsumexp", "norm", "cumsum", "argsort", "sort", "top_k", "reshape", "ravel", "transpose",
    "swapaxes", "moveaxis", "expand_dims", "squeeze", "broadcast_to", "repeat", "tile", "split",
    "unstack", "take", "take_along_axis", "stack", "glu", "matmul", "dot",
    "inner", "outer", "tensordot", "einsum", "arange", "zeros", "ones", "full", "eye", "linspace",
)
# fmt: on

RULES = rules(ALIKE, TOGETHER, OTHERS, {"concatenate": joint("xs", "axis")})
"""Name to rule."""
