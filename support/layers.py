"""Layers that torch doesn't have, activation functions by their names, and widths of layers."""

from numbers import Integral

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


def widths_of(hidden_units: int | tuple[int, ...]) -> tuple[int, ...]:
    """Return the width of each hidden layer: two of one width where `hidden_units` is a number."""
    return (hidden_units,) * 2 if isinstance(hidden_units, Integral) else tuple(hidden_units)
