"""What installed PyTorch draws: questions in, answers out, as JSON. `torch_draws.py < q > a`.

A question is an `nn.init` call on an empty tensor, or an expression that constructs a module; an
answer tells hashes of the values, and the numbers that the generator draws next. Or a module is to
load what lies at a path, by safetensors or by transformers.
"""

import hashlib
import json
import os
import sys
from pathlib import Path

import numpy as np
import torch
from torch import nn

os.environ["HF_HUB_OFFLINE"] = "1"
sys.path.insert(0, str(Path(__file__).parent))

import torch_models


def values(tensor):
    tensor = tensor.detach().contiguous()
    if tensor.dtype == torch.bfloat16:
        return tensor.view(torch.int16).numpy().view(np.uint16)
    return tensor.numpy()


def digest(tensor):
    return hashlib.sha256(values(tensor).tobytes()).hexdigest()


def following():
    return torch.empty(4).normal_().tolist()


def init(question):
    tensor = torch.empty(question["shape"], dtype=getattr(torch, question["dtype"]))
    getattr(nn.init, question["function"])(tensor, **question["arguments"])
    answer = {"digest": digest(tensor), "following": following()}
    if question["function"] == "orthogonal_":
        answer["values"] = tensor.double().flatten().tolist()
    return answer


def construct(expression):
    names = {name: getattr(nn, name) for name in dir(nn)}
    if torch_models.of_transformers():
        import transformers

        transformers.logging.set_verbosity_error()
        names |= {name: getattr(transformers, name) for name in TRANSFORMERS}
    names |= {**torch_models.MODELS, "torch": torch, "nn": nn, "sized": sized}
    return eval(expression, names)


TRANSFORMERS = (
    *("GPT2Config", "GPT2LMHeadModel", "LlamaConfig", "LlamaForCausalLM"),
    *("BertConfig", "BertForMaskedLM"),
)


def sized(dtype, make):
    """What `make` makes while another dtype is the default."""
    before = torch.get_default_dtype()
    torch.set_default_dtype(dtype)
    try:
        return make()
    finally:
        torch.set_default_dtype(before)


def module(question):
    state = construct(question["module"]).state_dict()
    return {"state": {name: digest(t) for name, t in state.items()}}


def load_model(question):
    import safetensors.torch

    model = construct(question["load_model"])
    missing, unexpected = safetensors.torch.load_model(model, question["path"])
    return loaded(model, missing, unexpected)


def from_pretrained(question):
    made = construct(question["from_pretrained"])
    made.config.save_pretrained(question["path"])
    model, told = type(made).from_pretrained(question["path"], output_loading_info=True)
    return loaded(model, told["missing_keys"], told["unexpected_keys"])


def loaded(model, missing, unexpected):
    state = {name: digest(tensor) for name, tensor in model.state_dict().items()}
    return {"missing": sorted(missing), "unexpected": sorted(unexpected), "state": state}


KINDS = {"module": module, "load_model": load_model, "from_pretrained": from_pretrained}


def main():
    answers = []
    for question in json.load(sys.stdin):
        torch.manual_seed(question.get("seed", 0))
        kind = next((kind for kind in KINDS if kind in question), None)
        answers.append(KINDS[kind](question) if kind else init(question))
    json.dump(answers, sys.stdout)


if __name__ == "__main__":
    main()
