"""Outputs, losses and gradients of real PyTorch: `make_cases.py FOLDER` writes one file per case.

Each holds `input/x`, `input/target`, `param/*`, `buffer/*`, `output`, `loss` and `grad/*`, in
float32 and in float64 under the prefixes `f32/` and `f64/`. Made with torch 2.13.0 on CPU.
"""

import copy
import sys
from pathlib import Path

import torch
import torch.nn.functional as F
from safetensors.torch import save_file
from torch import nn

torch.set_num_threads(1)


class FancyMLP(nn.Module):
    def __init__(self):
        super().__init__()
        self.register_buffer("rand_weight", torch.rand(20, 20))
        self.linear = nn.Linear(20, 20)

    def forward(self, x):
        x = self.linear(x)
        x = F.relu(torch.mm(x, self.rand_weight) + 1)
        x = self.linear(x)
        while x.norm().item() > 1:
            x = x / 2
        if x.norm().item() < 0.8:
            x = x * 10
        return x.sum()


class LeNet(nn.Module):
    """Narrow, to be small on disk."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Sequential(
            nn.Conv2d(1, 2, 5), nn.Sigmoid(), nn.MaxPool2d(2, 2),
            nn.Conv2d(2, 4, 5), nn.Sigmoid(), nn.MaxPool2d(2, 2),
        )  # fmt: skip
        self.fc = nn.Sequential(
            nn.Linear(64, 12), nn.Sigmoid(), nn.Linear(12, 8), nn.Sigmoid(), nn.Linear(8, 10)
        )

    def forward(self, x):
        return self.fc(torch.flatten(self.conv(x), 1))


class LSTMLM(nn.Module):
    def __init__(self, vocab, d):
        super().__init__()
        self.encoder = nn.Embedding(vocab, d)
        self.rnn = nn.LSTM(d, d, 2)
        self.decoder = nn.Linear(d, vocab)
        self.decoder.weight = self.encoder.weight

    def forward(self, x):
        y, _ = self.rnn(self.encoder(x))
        return self.decoder(y)


class TransformerLM(nn.Module):
    def __init__(self, vocab, d, heads, depth, ff, length):
        super().__init__()
        self.tok = nn.Embedding(vocab, d)
        self.pos = nn.Parameter(torch.randn(length, d))
        layer = nn.TransformerEncoderLayer(
            d, heads, ff, 0.0, activation="gelu", batch_first=True, norm_first=True
        )
        self.enc = nn.TransformerEncoder(layer, depth, nn.LayerNorm(d), enable_nested_tensor=False)
        self.head = nn.Linear(d, vocab, bias=False)
        self.head.weight = self.tok.weight
        mask = torch.triu(torch.ones(length, length, dtype=torch.bool), 1)
        self.register_buffer("mask", mask)

    def forward(self, x):
        t = x.shape[1]
        return self.head(self.enc(self.tok(x) + self.pos[:t], mask=self.mask[:t, :t]))


class Basic(nn.Module):
    def __init__(self, i, o, stride=1):
        super().__init__()
        self.conv1 = nn.Conv2d(i, o, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(o)
        self.conv2 = nn.Conv2d(o, o, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(o)
        self.downsample = None
        if stride > 1:
            self.downsample = nn.Sequential(
                nn.Conv2d(i, o, 1, stride, bias=False), nn.BatchNorm2d(o)
            )

    def forward(self, x):
        y = self.bn2(self.conv2(F.relu(self.bn1(self.conv1(x)))))
        return F.relu(y + (x if self.downsample is None else self.downsample(x)))


class ResNet18(nn.Module):
    def __init__(self, w, classes):
        super().__init__()
        self.conv1 = nn.Conv2d(3, w, 7, 2, 3, bias=False)
        self.bn1 = nn.BatchNorm2d(w)
        self.maxpool = nn.MaxPool2d(3, 2, 1)
        self.layer1 = nn.Sequential(Basic(w, w), Basic(w, w))
        for i in (1, 2, 3):
            a, b = w * 2 ** (i - 1), w * 2**i
            setattr(self, f"layer{i + 1}", nn.Sequential(Basic(a, b, 2), Basic(b, b)))
        self.avgpool = nn.AdaptiveAvgPool2d((1, 1))
        self.fc = nn.Linear(8 * w, classes)

    def forward(self, x):
        x = self.maxpool(F.relu(self.bn1(self.conv1(x))))
        x = self.layer4(self.layer3(self.layer2(self.layer1(x))))
        return self.fc(torch.flatten(self.avgpool(x), 1))


class GPT2(nn.Module):
    """transformers' GPT-2, giving its logits alone."""

    def __init__(self, **sizes):
        super().__init__()
        from transformers import GPT2Config, GPT2LMHeadModel

        model = GPT2LMHeadModel(GPT2Config(**sizes, eos_token_id=None, bos_token_id=None))
        self.transformer, self.lm_head = model.transformer, model.lm_head

    def forward(self, x):
        return self.lm_head(self.transformer(x)[0])


def giving_logits(kind, **sizes):
    """A model of transformers that gives its logits alone."""
    import transformers

    base = getattr(transformers, kind)
    forward = {"forward": lambda self, x: base.forward(self, x).logits}
    return type(kind, (base,), forward)(base.config_class(**sizes))


def shared_mlp():
    shared = nn.Linear(8, 8)
    return nn.Sequential(
        nn.Linear(4, 8), nn.ReLU(), shared, nn.ReLU(), shared, nn.ReLU(), nn.Linear(8, 1)
    )


def cross_entropy(y, target):
    return F.cross_entropy(y.reshape(-1, y.shape[-1]), target.reshape(-1))


def randomized(model, seed, std):
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, p in model.named_parameters():
            p.copy_(torch.randn(p.shape, generator=generator) * std)
            if "norm" in name and name.endswith("weight"):
                p += 1
        for name, b in model.named_buffers():
            if b.is_floating_point() and name in model.state_dict():
                b.copy_(torch.rand(b.shape, generator=generator))
    return model.eval()


def cast(x, dtype):
    return x.to(dtype) if x is not None and x.is_floating_point() else x


TAGS = {"f32": torch.float32, "f64": torch.float64}


def case(folder, name, model, x, target, loss, seed, std, tags=("f32", "f64")):
    model = randomized(model, seed, std)
    tensors = {}
    for tag in tags:
        dtype = TAGS[tag]
        m, given, wanted = copy.deepcopy(model).to(dtype), cast(x, dtype), cast(target, dtype)
        y = m(given)
        value = loss(y, wanted)
        value.backward()
        found = {"output": y.detach(), "loss": value.detach(), "input/x": given}
        if wanted is not None:
            found["input/target"] = wanted
        found |= {f"param/{k}": p.detach() for k, p in m.named_parameters()}
        found |= {f"grad/{k}": p.grad for k, p in m.named_parameters() if p.grad is not None}
        found |= {f"buffer/{k}": b for k, b in m.named_buffers() if k in m.state_dict()}
        tensors |= {f"{tag}/{k}": v.clone().contiguous() for k, v in found.items()}
    save_file(tensors, folder / f"{name}.safetensors", {"torch": torch.__version__})


def training(folder, name, model, x, target, optimizer, dtype=torch.float64, seed=51, steps=20):
    """`loss` before each step and after the last, and the parameters after the last."""
    model, x, target = randomized(model, seed, 0.4).to(dtype), x.to(dtype), target.to(dtype)
    tensors = {f"before/{k}": p.detach().clone() for k, p in model.named_parameters()}
    made, losses = optimizer(model.parameters()), []
    for _ in range(steps):
        made.zero_grad()
        value = F.mse_loss(model(x), target)
        value.backward()
        made.step()
        losses.append(value.detach())
    losses.append(F.mse_loss(model(x), target).detach())
    tensors |= {f"after/{k}": p.detach().clone() for k, p in model.named_parameters()}
    tensors |= {"input/x": x, "input/target": target, "loss": torch.stack(losses)}
    save_file(tensors, folder / f"{name}.safetensors", {"torch": torch.__version__})


def stepping(folder, name, optimizers):
    """A float32 parameter after each of two steps of each optimizer."""
    before, *gradients = (normal(1001, seed=seed) for seed in (51, 52, 53))
    tensors = {"before": before, "gradient/1": gradients[0], "gradient/2": gradients[1]}
    for kind in optimizers:
        parameter = nn.Parameter(before.clone())
        optimizer = optimizers[kind]([parameter])
        for number, gradient in enumerate(gradients, 1):
            parameter.grad = gradient.clone()
            optimizer.step()
            tensors[f"{kind}/{number}"] = parameter.detach().clone()
    save_file(tensors, folder / f"{name}.safetensors", {"torch": torch.__version__})


def rounding(folder, name):
    """A batch norm in training far from 0, in float32 and float64: how much float32 may lose."""
    x, weights = normal(4, 3, 12, 12, seed=71) * 0.5 + 20, normal(4, 3, 12, 12, seed=72) + 3
    tensors = {"x": x, "weights": weights}
    for tag, dtype in TAGS.items():
        layer, given = nn.BatchNorm2d(3).to(dtype), x.detach().clone().to(dtype).requires_grad_()
        y = layer(given)
        (y * weights.to(dtype)).sum().backward()
        found = {"y": y.detach(), "grad/x": given.grad}
        found |= {f"grad/{k}": p.grad for k, p in layer.named_parameters()}
        tensors |= {f"{tag}/{k}": v for k, v in found.items()}
    save_file(tensors, folder / f"{name}.safetensors", {"torch": torch.__version__})


def normal(*shape, seed):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def integers(high, *shape, seed):
    return torch.randint(0, high, shape, generator=torch.Generator().manual_seed(seed))


def main(folder):
    def total(y, target):
        return y

    mlp = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 3))
    inputs = normal(5, 4, seed=1), normal(5, 3, seed=2)
    case(folder, "mlp", mlp, *inputs, F.mse_loss, 11, 0.4)
    inputs = normal(6, 4, seed=3), normal(6, 1, seed=4)
    case(folder, "shared_mlp", shared_mlp(), *inputs, F.mse_loss, 12, 0.4)
    case(folder, "fancy_mlp", FancyMLP(), normal(2, 20, seed=5), None, total, 13, 0.2)
    inputs = normal(2, 1, 28, 28, seed=6), integers(10, 2, seed=7)
    case(folder, "lenet", LeNet(), *inputs, cross_entropy, 14, 0.3)
    inputs = integers(20, 5, 3, seed=8), integers(20, 5, 3, seed=9)
    case(folder, "lstm_lm", LSTMLM(20, 8), *inputs, cross_entropy, 15, 0.4)
    inputs = integers(20, 2, 7, seed=10), integers(20, 2, 7, seed=11)
    model = TransformerLM(20, 8, 2, 2, 16, 7)
    case(folder, "transformer_lm", model, *inputs, cross_entropy, 16, 0.3)
    inputs = integers(20, 2, 7, seed=12), integers(20, 2, 7, seed=13)
    model = GPT2(n_embd=8, n_layer=2, n_head=2, vocab_size=20, n_positions=10)
    case(folder, "gpt2", model, *inputs, cross_entropy, 17, 0.2, ["f64"])
    inputs = integers(20, 2, 7, seed=61), integers(20, 2, 7, seed=62)
    sizes = {"hidden_size": 8, "num_hidden_layers": 2, "num_attention_heads": 2, "vocab_size": 20}
    tiny = {**sizes, "intermediate_size": 12, "max_position_embeddings": 9}
    model = giving_logits("BertForMaskedLM", **tiny)
    case(folder, "bert", model, *inputs, cross_entropy, 19, 0.4, ["f64"])
    tiny |= {"hidden_size": 16, "num_attention_heads": 4, "num_key_value_heads": 2}
    model = giving_logits("LlamaForCausalLM", **tiny)
    case(folder, "llama", model, *inputs, cross_entropy, 20, 0.4, ["f64"])
    inputs = normal(2, 3, 32, 32, seed=63), integers(3, 2, seed=64)
    sizes = {**sizes, "intermediate_size": 12, "image_size": 32, "num_labels": 3}
    model = giving_logits("ViTForImageClassification", **sizes)
    case(folder, "vit", model, *inputs, cross_entropy, 21, 0.2, ["f64"])
    inputs = normal(2, 3, 40, 33, seed=14), integers(5, 2, seed=15)
    case(folder, "resnet18", ResNet18(2, 5), *inputs, cross_entropy, 18, 0.4, ["f64"])

    inputs = normal(16, 4, seed=41), normal(16, 1, seed=42)
    optim = torch.optim
    decay, nesterov = {"weight_decay": 0.1}, {"momentum": 0.9, "nesterov": True}
    betas = {"betas": (0.7, 0.9), "eps": 1e-3}
    optimizers = {
        "sgd": lambda p: optim.SGD(p, lr=0.05),
        "momentum": lambda p: optim.SGD(p, lr=0.02, momentum=0.9),
        "dampening": lambda p: optim.SGD(p, lr=0.05, momentum=0.9, dampening=0.4, **decay),
        "nesterov": lambda p: optim.SGD(p, lr=0.02, **nesterov, **decay),
        "adam": lambda p: optim.Adam(p, lr=0.01),
        "adam_all": lambda p: optim.Adam(p, lr=0.01, amsgrad=True, **betas, **decay),
        "adam_far": lambda p: optim.Adam(p, lr=0.01, betas=(0.4, 0.999)),
        "adamw": lambda p: optim.AdamW(p, lr=0.01),
        "adamw_all": lambda p: optim.AdamW(p, lr=0.01, amsgrad=True, **betas, **decay),
        "rmsprop": lambda p: optim.RMSprop(p, lr=0.01),
        "rmsprop_all": lambda p: optim.RMSprop(
            p, lr=0.01, alpha=0.9, eps=1e-3, momentum=0.5, centered=True, **decay
        ),
    }
    for name, optimizer in optimizers.items():
        training(folder, f"train_{name}", shared_mlp(), *inputs, optimizer)
    # Seed 52: no activation comes so near to 0 that float32 takes the other side of it.
    sgd = optimizers["sgd"]
    training(folder, "train_sgd_f32", shared_mlp(), *inputs, sgd, torch.float32, seed=52)
    stepping(folder, "steps_f32", optimizers)
    rounding(folder, "batch_norm_f32")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
