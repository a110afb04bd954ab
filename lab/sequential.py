"""The layers of a network one after the other, whichever class it has."""

from torch import nn


def layers_of(model: nn.Module) -> list[nn.Module]:
    """Return the layers of an nn.Sequential, or of a model that has its own in one named `layers`.

    An nn.Sequential within is taken apart, too, and nn.Flatten is left out, as it only changes the
    shape. Raises a ValueError for any other model, whose forward could do anything.
    """
    model = getattr(model, "layers", model)
    if not isinstance(model, nn.Sequential):
        raise ValueError(
            "model must be an nn.Sequential, or have its layers in one named layers; "
            f"got {type(model).__name__}."
        )
    return [
        layer
        for part in model
        for layer in (layers_of(part) if isinstance(part, nn.Sequential) else [part])
        if not isinstance(layer, nn.Flatten)
    ]
