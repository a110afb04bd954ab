"""Saved models: their weights by name, and what it takes to build them again."""

import torch
from torch import nn

from support.tensor_files import CheckpointError, read_tensors, write_tensors
from support.text import shown

KINDS = (torch.float32, torch.float64, torch.float16, torch.bfloat16)  # that can be computed with


def write_model(model: nn.Module, path, settings: dict | None, classes: dict[str, type]) -> None:
    """Write a model to `path`, all or nothing; see `model.save_model`."""
    if type(model) not in classes.values():
        raise ValueError(f"model must be one of {', '.join(classes)}; got {type(model).__name__}.")
    tensors = model.state_dict()
    check_numbers(tensors)
    write_tensors(
        path,
        tensors,
        class_name=type(model).__name__,
        arguments=model.arguments,
        settings=settings or {},
    )


def read_model(path, classes: dict[str, type]) -> tuple[nn.Module, dict]:
    """Return the model that `path` holds and the settings beside it; see `model.load_checkpoint`.

    classes: those that the model may be of, by their names.
    """
    tensors, plain = read_tensors(path)
    parts = {"class_name": str, "arguments": dict, "settings": dict}
    if not all(isinstance(plain.get(name), kind) for name, kind in parts.items()):
        raise CheckpointError(f"{path} is not a model saved by save_model.")
    class_name, arguments, settings = (plain[name] for name in parts)
    if class_name not in classes:
        raise CheckpointError(
            f"{path} must hold one of {', '.join(classes)}; it holds {shown(class_name)}."
        )
    try:
        with torch.device("meta"):  # shapes only: no memory, no random numbers
            model = classes[class_name](**arguments)
        kinds = {name: tensor.dtype for name, tensor in model.state_dict().items()}
        model.load_state_dict(tensors, assign=True)
        kind = model.layers.output.weight.dtype  # all numbers must be of one kind
        if kind not in KINDS:
            raise TypeError("the weights are of a kind that no layer takes")
        for name, tensor in model.state_dict().items():
            if tensor.dtype != (kind if kinds[name].is_floating_point else kinds[name]):
                raise TypeError(f"{name} is of another kind than the other weights")
    except Exception as error:
        raise CheckpointError(
            f"{path} holds weights that don't fit its {class_name}({shown(arguments)})."
        ) from error
    try:
        check_numbers(tensors)
    except ValueError as error:
        raise CheckpointError(f"{path} can't be used: {error}") from error
    return model.eval(), settings


def check_numbers(tensors: dict[str, torch.Tensor]) -> None:
    """Raise a ValueError if a model with these tensors couldn't compute finite numbers."""
    for name, tensor in tensors.items():
        if not tensor.isfinite().all():
            raise ValueError(f"{name} must be finite.")
        if name.endswith("standardize.std") and not (tensor > 0).all():
            raise ValueError(f"{name} must be above 0.")
        if name.endswith("running_var") and not (tensor >= 0).all():
            raise ValueError(f"{name} must be 0 or more.")
