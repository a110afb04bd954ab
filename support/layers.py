"""Layers that torch doesn't have, and the activation functions by their names."""

import torch
from torch import nn


class Standardize(nn.Module):
    """Subtracts each feature's mean and divides by its standard deviation, which don't change."""

    def __init__(self, mean, std):
        super().__init__()
        self.register_buffer("mean", torch.tensor(mean, dtype=torch.get_default_dtype()))
        self.register_buffer("std", torch.tensor(std, dtype=torch.get_default_dtype()))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return (x - self.mean) / self.std


class Step(nn.Module):
    """1 above 0 and 0 elsewhere: without a slope, so that the layers before it can't learn."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return (x > 0).to(x.dtype)


ACTIVATIONS = {
    "relu": nn.ReLU,
    "leaky_relu": nn.LeakyReLU,
    "gelu": nn.GELU,
    "tanh": nn.Tanh,
    "sigmoid": nn.Sigmoid,
    "step": Step,
    "identity": nn.Identity,
}
