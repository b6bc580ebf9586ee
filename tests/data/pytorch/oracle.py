"""Real PyTorch's answers about its layers: `oracle.py < questions.json > answers.json`.

A question is `[CALL, SHAPE]`: a layer as one writes it in a definition, and the shape of one
example (null: the layer is only constructed). An answer has `parameters` (name, shape, dtype,
trainable, fans), `modules` (name, class) and `output` (the shape for one example), `error` where
constructing fails and `run_error` where the layer cannot take that input.
The question "signatures" is answered with those of every module of `torch.nn`.
"""

import inspect
import json
import sys
import typing
import warnings

import torch
from torch import nn

warnings.filterwarnings("ignore")

BATCH = 2


def modules():
    found = {name: getattr(nn, name) for name in dir(nn)}
    return {n: c for n, c in found.items() if inspect.isclass(c) and issubclass(c, nn.Module)}


def signature(module):
    overloads = typing.get_overloads(module.__init__)
    if overloads:  # RNN, LSTM, GRU: what `*args` means stands in the first
        parameters = list(inspect.signature(overloads[0]).parameters.values())[1:]
    elif module.__init__ is nn.Module.__init__:
        return []  # takes no argument, whatever its signature says
    else:
        parameters = inspect.signature(module).parameters.values()
    return [[p.name, p.kind.name, *default(p)] for p in parameters]


def default(parameter):
    value = parameter.default
    if value is parameter.empty:
        return []
    return [value.__name__ if inspect.isfunction(value) else value]


def with_dtype(make):
    def construct(*arguments, **keywords):
        if isinstance(keywords.get("dtype"), str):
            keywords["dtype"] = getattr(torch, keywords["dtype"])
        return make(*arguments, **keywords)

    return construct


def namespace():
    names = {name: with_dtype(module) for name, module in modules().items()}
    try:
        from transformers.pytorch_utils import Conv1D
    except ImportError:
        return names
    return names | {"Conv1D": Conv1D}


def example(module, shape):
    if isinstance(module, nn.Embedding | nn.EmbeddingBag):
        return torch.zeros(BATCH, *shape, dtype=torch.long)
    tensors = [*module.parameters(), *module.buffers()]
    floats = [t.dtype for t in tensors if t.dtype.is_floating_point]
    return torch.zeros(BATCH, *shape, dtype=floats[0] if floats else torch.float32)


def run(module, shape):
    """The output's shape without the batch; None where examples are no longer told apart."""
    output = module(example(module, shape))
    if isinstance(output, tuple):
        output = output[0]
    return list(output.shape[1:]) if output.shape and output.shape[0] == BATCH else None


def answer(call, shape, names):
    try:
        module = eval(call, names).eval()
    except Exception as error:
        return {"error": f"{type(error).__name__}: {error}".split("\n")[0][:120]}
    found = {}
    if shape is not None:
        try:
            found["output"] = run(module, shape)
        except Exception as error:
            found["run_error"] = f"{type(error).__name__}: {error}".split("\n")[0][:120]
            if "Lazy" in call:
                return found
    try:
        found["parameters"] = listing(module)
    except Exception as error:  # a lazy layer that saw no input
        return {"error": f"{type(error).__name__}: {error}".split("\n")[0][:120]}
    found["modules"] = [[n, type(m).__name__] for n, m in module.named_modules() if n]
    return found


def listing(module):
    trained = {name for name, p in module.named_parameters() if p.requires_grad}
    return [
        [name, list(v.shape), str(v.dtype).removeprefix("torch."), name in trained, fans(v)]
        for name, v in module.state_dict().items()
    ]


def fans(value):
    if value.dim() < 2:
        return None
    return list(nn.init._calculate_fan_in_and_fan_out(value))


def main():
    questions = json.load(sys.stdin)
    if questions == "signatures":
        answers = {name: signature(module) for name, module in modules().items()}
    else:
        names = namespace()
        answers = [answer(call, shape, names) for call, shape in questions]
    json.dump(answers, sys.stdout)


if __name__ == "__main__":
    main()
