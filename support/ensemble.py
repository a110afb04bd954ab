"""Many models as a single module, so that the loop that trains one trains them all at once."""

import copy

import torch
from torch import nn
from torch.func import functional_call, stack_module_state, vmap


class Ensemble(nn.Module):
    """Models of one class, stacked: each parameter has a leading dimension of models.

    The models have their layers in an `nn.Sequential` named `layers`. Takes points of shape
    (models, n, features) and returns logits of shape (models, n, outputs): each model sees its own
    points, draws its own dropout masks and keeps its own BatchNorm statistics. The mean loss over
    all of them trains each one as its own mean loss would.
    """

    def __init__(self, models: list[nn.Module]):
        super().__init__()
        self.size = len(models)
        # nn.Module's own dicts: they take names with dots, as one model's state_dict has them.
        parameters, self._buffers = stack_module_state(models)
        self._parameters = {name: nn.Parameter(stacked) for name, stacked in parameters.items()}
        # A list hides the layers from nn.Module: only the stacked tensors are the ensemble's own.
        self._layers = [copy.deepcopy(models[0].layers).to("meta").train()]
        for layer in self._layers[0]:
            if isinstance(layer, nn.ReLU):
                layer.inplace = True  # megabytes less to write in every step

    def train(self, mode: bool = True):
        # The loop asks for it in every epoch, so often it's there already.
        if (self.training, self._layers[0].training) != (mode, mode):
            self._layers[0].train(mode)
            super().train(mode)
        return self

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        for name, layer in self._layers[0].named_children():
            if isinstance(layer, nn.Linear):  # vmap would add the bias in a pass of its own
                weight, bias = (self._parameters[f"layers.{name}.{p}"] for p in ("weight", "bias"))
                x = torch.baddbmm(bias.unsqueeze(1), x, weight.transpose(1, 2))
            elif layer._parameters or layer._buffers:
                x = self._each(name, layer, x)
            else:  # ReLU and Dropout treat each number alone
                x = layer(x)
        if x.requires_grad:  # the mean over the models has divided each one's gradient
            x.register_hook(lambda gradient: gradient * self.size)
        return x

    def _each(self, name, layer, x):
        """Apply each model's own copy of a layer to its own points."""
        state = [
            {key: stacked[f"layers.{name}.{key}"] for key in own}
            for stacked, own in (
                (self._parameters, layer._parameters),
                (self._buffers, layer._buffers),
            )
        ]
        return vmap(lambda *args: functional_call(layer, args[:2], args[2]))(*state, x)
