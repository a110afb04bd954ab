"""The two networks of the experiment, and how to save and load them.

`CircleModelV0` and `CircleModelV2` have the same linear layers and, for one seed, the same
initial weights. The only difference is `nn.ReLU`: whatever V2 can do and V0 can't is ReLU's doing.
`print(CircleModelV2())` lists the layers.
"""

from itertools import pairwise

import torch
from torch import nn

from support.checks import check_settings, keywords_of
from support.layers import ACTIVATIONS, Standardize, widths_of
from support.model_files import read_model, write_model
from support.tensor_files import CheckpointError  # noqa: F401 - the error of loading


class CircleModelV0(nn.Module):
    """Linear layers with nothing between them: together still one affine map, so a line.

    Takes points of shape (n, in_features) and returns logits of shape (n, out_features).
    `hidden_units` is the width of two hidden layers, or a tuple with a width for each layer.
    `standardize` holds the features' means and standard deviations, (mean, std), to subtract and
    divide by first; None takes the features as they are. A ValueError names a wrong argument.
    """

    def __init__(
        self,
        *,
        in_features: int = 2,
        hidden_units: int | tuple[int, ...] = 16,
        out_features: int = 1,
        standardize: tuple | None = None,
    ):
        super().__init__()
        self.arguments = keywords_of(CircleModelV0, locals())  # those above, by name
        check_settings(**self.arguments)
        self.layers = build_layers(**self.arguments)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.layers(x)


class CircleModelV2(nn.Module):
    """The layers of `CircleModelV0` with `nn.ReLU` after each hidden one, so the line can bend.

    `activation` names another of `ACTIVATIONS` in the place of ReLU. `dropout` is the probability,
    from 0 to below 1, that a hidden unit is zeroed in train mode; `batch_norm` normalises each
    hidden layer before its ReLU. Both are off by default. The rest is as in `CircleModelV0`.
    """

    def __init__(
        self,
        *,
        in_features: int = 2,
        hidden_units: int | tuple[int, ...] = 16,
        out_features: int = 1,
        standardize: tuple | None = None,
        activation: str = "relu",
        dropout: float = 0.0,
        batch_norm: bool = False,
    ):
        super().__init__()
        self.arguments = keywords_of(CircleModelV2, locals())  # those above, by name
        check_settings(**self.arguments)
        self.layers = build_layers(**self.arguments)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.layers(x)


def build_layers(
    in_features,
    hidden_units,
    out_features,
    standardize,
    activation=None,
    dropout=0.0,
    batch_norm=False,
) -> nn.Sequential:
    """Return the layers of a network by their names; the arguments are those of the models."""
    widths = [in_features, *widths_of(hidden_units)]
    layers = nn.Sequential()
    if standardize:
        layers.add_module("standardize", Standardize(*standardize))
    for number, (inputs, outputs) in enumerate(pairwise(widths), 1):
        layers.add_module(f"hidden_{number}", nn.Linear(inputs, outputs))
        if batch_norm:
            layers.add_module(f"norm_{number}", nn.BatchNorm1d(outputs))
        if activation:
            layers.add_module(f"{activation}_{number}", ACTIVATIONS[activation]())
        if dropout:
            layers.add_module(f"dropout_{number}", nn.Dropout(dropout))
    layers.add_module("output", nn.Linear(widths[-1], out_features))
    return layers


MODELS = {"CircleModelV0": CircleModelV0, "CircleModelV2": CircleModelV2}


def save_model(model: nn.Module, path, settings: dict | None = None) -> None:
    """Save a circle model to `path`, all or nothing, so that `load_model` can build it again.

    The file, in the format of safetensors, holds the state_dict's tensors by their names; its
    metadata the class's name, the constructor's arguments and `settings`: a dict of plain values,
    such as those of the data that the model was trained on. Raises a ValueError for a model of
    another class, or with weights that aren't finite.
    """
    write_model(model, path, settings, MODELS)


def load_model(path) -> nn.Module:
    """Return the model saved at `path`, on the CPU and in eval mode; see `load_checkpoint`."""
    return load_checkpoint(path)[0]


def load_checkpoint(path) -> tuple[nn.Module, dict]:
    """Return the model saved at `path`, on the CPU and in eval mode, and the settings beside it.

    Raises `CheckpointError` if the file is missing, damaged, not written by `save_model`, or holds
    weights that don't fit its own arguments or aren't finite; MemoryError if it is too large.
    """
    return read_model(path, MODELS)
