"""What the layers and functions of PyTorch compute, by the names of `frameworks.pytorch`."""
