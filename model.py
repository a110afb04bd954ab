"""The two networks of the experiment, and how to save and load them.

`CircleModelV0` and `CircleModelV2` have the same linear layers and, for one seed, the same
initial weights. The only difference is `nn.ReLU`: whatever V2 can do and V0 can't is ReLU's doing.
`print(CircleModelV2())` lists the layers.
"""

from itertools import pairwise
from numbers import Integral

import torch
from torch import nn

from support.checks import check_settings
from support.layers import ACTIVATIONS, Standardize
from support.text import shown
from support.torch_files import (
    CheckpointError,
    is_plain,
    read_torch_file,
    with_python_numbers,
    write_torch_file,
)


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
        self.arguments = dict(
            in_features=in_features,
            hidden_units=hidden_units,
            out_features=out_features,
            standardize=standardize,
        )
        check_settings(**self.arguments)
        self.layers = build_layers(**self.arguments)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.layers(x)


class CircleModelV2(nn.Module):
    """The layers of `CircleModelV0` with `nn.ReLU` after each hidden one, so the line can bend.

    `activation` names another of `ACTIVATIONS` in the place of ReLU. `dropout` is the probability,
    from 0 to below 1, that a hidden unit is zeroed in train mode; `batch_norm` normalizes each
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
        self.arguments = dict(
            in_features=in_features,
            hidden_units=hidden_units,
            out_features=out_features,
            standardize=standardize,
            activation=activation,
            dropout=dropout,
            batch_norm=batch_norm,
        )
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


def widths_of(hidden_units: int | tuple[int, ...]) -> tuple[int, ...]:
    """Return the width of each hidden layer: two of one width where `hidden_units` is a number."""
    return (hidden_units,) * 2 if isinstance(hidden_units, Integral) else tuple(hidden_units)


MODELS = {"CircleModelV0": CircleModelV0, "CircleModelV2": CircleModelV2}


def save_model(model: nn.Module, path, settings: dict | None = None) -> None:
    """Save a circle model to `path`, all or nothing, so that `load_model` can build it again.

    The file holds the class's name, its constructor arguments, the state_dict (on the CPU) and
    `settings`: a dict of plain values, such as those of the data that the model was trained on.
    Raises a ValueError for a model of another class.
    """
    if type(model) not in MODELS.values():
        raise ValueError(f"model must be one of {', '.join(MODELS)}; got {type(model).__name__}.")
    copies = {
        name: tensor.cpu().clone(memory_format=torch.contiguous_format)
        for name, tensor in model.state_dict().items()
    }
    checkpoint = {
        "class_name": type(model).__name__,
        "arguments": with_python_numbers(model.arguments),
        "state_dict": copies,
        "settings": with_python_numbers(settings or {}),
    }
    write_torch_file(path, checkpoint)


def load_model(path) -> nn.Module:
    """Return the model saved at `path`, on the CPU and in eval mode; see `load_checkpoint`."""
    return load_checkpoint(path)[0]


def load_checkpoint(path) -> tuple[nn.Module, dict]:
    """Return the model saved at `path`, on the CPU and in eval mode, and the settings beside it.

    No code in the file is run. Raises `CheckpointError`, and nothing else, if the file is missing,
    cut off, not written by `save_model`, or holds weights that don't fit its own arguments.
    """
    checkpoint = read_torch_file(path)
    parts = {"class_name": str, "arguments": dict, "state_dict": dict, "settings": dict}
    if not isinstance(checkpoint, dict) or not all(
        isinstance(checkpoint.get(name), kind) for name, kind in parts.items()
    ):
        raise CheckpointError(f"{path} is not a model saved by save_model.")
    class_name, arguments, state_dict, settings = (checkpoint[name] for name in parts)
    if not (is_plain(arguments) and is_plain(settings)):
        raise CheckpointError(f"{path} is not a model saved by save_model.")
    if class_name not in MODELS:
        raise CheckpointError(
            f"{path} must hold one of {', '.join(MODELS)}; it holds {shown(class_name)}."
        )
    try:
        with torch.device("meta"):  # shapes only: no memory, no random numbers
            model = MODELS[class_name](**arguments)
        kinds = {name: tensor.dtype for name, tensor in model.state_dict().items()}
        model.load_state_dict(state_dict, assign=True)
        kind = model.layers.output.weight.dtype  # all numbers must be of one kind
        for name, tensor in model.state_dict().items():
            if tensor.dtype != (kind if kinds[name].is_floating_point else kinds[name]):
                raise TypeError(f"{name} is of another kind than the other weights")
    except Exception as error:
        raise CheckpointError(
            f"{path} holds weights that don't fit its {class_name}({shown(arguments)})."
        ) from error
    return model.eval(), settings
