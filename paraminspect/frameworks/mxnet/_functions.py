"""What the functions of a forward do to shapes, by their names in `mx.np` and `mx.npx`."""

from __future__ import annotations

from paraminspect.frameworks._tracing import joint, joint_of_several, rules

# fmt: off
ALIKE = (
    "exp", "expm1", "log", "log2", "log10", "log1p", "sqrt", "reciprocal", "sin", "cos", "tan",
    "arcsin", "arccos", "arctan", "sinh", "cosh", "tanh", "arcsinh", "arccosh", "arctanh", "abs",
    "absolute", "negative", "square", "sign", "floor", "ceil", "trunc", "rint", "round", "isnan",
    "isinf", "isfinite", "logical_not", "cast", "clip", "relu", "sigmoid", "erf", "softmax",
    "log_softmax", "activation", "leaky_relu", "argsort", "sort", "flip", "roll", "tril",
    "zeros_like", "ones_like", "full_like",
)
TOGETHER = (
    "where", "add", "subtract", "multiply", "power", "mod", "remainder", "divide", "true_divide",
    "equal", "not_equal", "less", "less_equal", "greater", "greater_equal", "maximum", "minimum",
)
OTHERS = (
    "sum", "mean", "var", "std", "max", "amax", "min", "amin", "argmax", "argmin", "any", "all",
    "norm", "cumsum", "reshape", "ravel", "transpose", "swapaxes", "moveaxis", "expand_dims",
    "squeeze", "broadcast_to", "repeat", "tile", "split", "stack", "vstack", "hstack",
    "batch_flatten", "matmul", "dot", "outer", "tensordot", "einsum", "batch_dot", "arange",
    "zeros", "ones", "full", "eye", "linspace",
)
# fmt: on
JOINTS = {"concatenate": joint("seq", "axis"), "concat": joint_of_several("dim", 1)}

RULES = rules(ALIKE, TOGETHER, OTHERS, JOINTS)
"""Name to rule."""
