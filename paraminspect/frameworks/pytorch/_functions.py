"""What the functions of a forward do to shapes, by their names in `torch`."""

from __future__ import annotations

from paraminspect.frameworks._tracing import joint, rules

# fmt: off
ALIKE = (
    "exp", "exp2", "expm1", "log", "log2", "log10", "log1p", "sqrt", "rsqrt", "reciprocal", "sin",
    "cos", "tan", "arcsin", "arccos", "arctan", "sinh", "cosh", "tanh", "arcsinh", "arccosh",
    "arctanh", "asin", "acos", "atan", "asinh", "acosh", "atanh", "erf", "sigmoid", "abs",
    "absolute", "negative", "neg", "square", "sign", "floor", "ceil", "trunc", "round", "isnan",
    "isinf", "isfinite", "logical_not", "threshold", "relu", "relu6", "leaky_relu", "silu", "mish",
    "hardsigmoid", "hardswish", "elu", "selu", "celu", "gelu", "softplus", "hardtanh", "softshrink",
    "hardshrink", "logsigmoid", "softsign", "tanhshrink", "prelu", "softmax", "log_softmax",
    "softmin", "cumsum", "argsort", "flip", "roll", "tril", "triu", "zeros_like", "ones_like",
    "full_like",
)
TOGETHER = (
    "pow", "where", "add", "sub", "subtract", "mul", "multiply", "div", "divide", "true_divide",
    "floor_divide", "remainder", "eq", "ne", "lt", "le", "gt", "ge", "maximum", "minimum",
    "logical_and", "logical_or", "logical_xor", "clamp", "clip", "masked_fill",
)
OTHERS = (
    "sum", "mean", "var", "std", "max", "min", "amax", "amin", "argmax", "argmin", "any", "all",
    "logsumexp", "norm", "sort", "topk", "reshape", "view", "permute", "flatten", "ravel",
    "unflatten", "transpose", "swapdims", "swapaxes", "t", "movedim", "moveaxis", "unsqueeze",
    "squeeze", "split", "chunk", "unbind", "stack", "vstack", "hstack", "tile", "repeat_interleave",
    "broadcast_to", "gather", "index_select", "glu", "matmul", "mm", "bmm", "dot", "outer",
    "einsum", "linear", "arange", "zeros", "ones", "full", "eye", "linspace",
)
# fmt: on
JOINTS = dict.fromkeys(("cat", "concat", "concatenate"), joint("tensors", "dim"))

RULES = rules(ALIKE, TOGETHER, OTHERS, JOINTS)
"""Name to rule."""
