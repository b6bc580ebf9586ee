"""PyTorch 2.13: the layers of `torch.nn`, with its argument names, order and defaults.

Names are those of `state_dict()`: a module's own parameters, its own buffers, then its children.
"""
