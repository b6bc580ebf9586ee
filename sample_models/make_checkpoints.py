"""The checkpoints beside this script, made by real PyTorch: `make_checkpoints.py [FOLDER]`.

Needs torch, safetensors and transformers; paraminspect itself needs none of them. Seeds are fixed:
on a CPU with AVX2 torch 2.13 draws these values again.
"""

import logging
import sys
from pathlib import Path

import torch
from safetensors.torch import save_file, save_model
from torch import nn


def mlp() -> nn.Module:
    """`mlp.yaml`."""
    return nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 1))


def nested_blocks() -> nn.Module:
    """`nested_blocks.yaml`: names with spaces."""

    def block() -> nn.Module:
        return nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 4), nn.ReLU())

    blocks = nn.Sequential()
    for i in range(4):
        blocks.add_module(f"block {i}", block())
    return nn.Sequential(blocks, nn.Linear(4, 1))


def shared_layer() -> nn.Module:
    """`shared_layer.yaml`: one layer under two names."""
    shared = nn.Linear(8, 8)
    return nn.Sequential(
        *(nn.Linear(4, 8), nn.ReLU(), shared, nn.ReLU(), shared, nn.ReLU(), nn.Linear(8, 1))
    )


def train(net: nn.Module, steps: int) -> nn.Module:
    """Plain SGD towards the sum of the inputs."""
    optimizer = torch.optim.SGD(net.parameters(), lr=0.05)
    for _ in range(steps):
        x = torch.randn(16, 4)
        loss = ((net(x) - x.sum(dim=1, keepdim=True)) ** 2).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return net


def save_shards(folder: Path) -> None:
    """`gpt2.yaml` in small, as transformers saves it: shards, an index, no trace of the tie."""
    from transformers import GPT2Config, GPT2LMHeadModel

    logging.disable(logging.WARNING)
    config = GPT2Config(vocab_size=60, n_positions=16, n_embd=16, n_layer=2, n_head=2)
    GPT2LMHeadModel(config).save_pretrained(folder, max_shard_size="16KB")
    for extra in folder.glob("*config.json"):
        extra.unlink()


def main(folder: Path) -> None:
    """Write every checkpoint."""
    folder.mkdir(exist_ok=True)
    metadata = {"format": "pt"}
    torch.manual_seed(0)
    save_file(mlp().state_dict(), folder / "mlp.safetensors", metadata)
    torch.manual_seed(0)
    save_file(mlp().bfloat16().state_dict(), folder / "mlp_bfloat16.safetensors", metadata)
    torch.manual_seed(0)
    save_file(train(mlp(), 20).state_dict(), folder / "mlp_trained.safetensors", metadata)
    torch.manual_seed(0)
    save_file(nested_blocks().state_dict(), folder / "nested_blocks.safetensors", metadata)
    torch.manual_seed(0)
    # save_file refuses tensors that share memory; save_model writes one and notes the other name.
    save_model(shared_layer(), str(folder / "shared_layer.safetensors"), metadata)
    torch.manual_seed(0)
    save_shards(folder / "gpt2_tiny")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if sys.argv[1:] else Path(__file__).parent / "checkpoints")
