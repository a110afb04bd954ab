"""Many models as a single module, so that the loop that trains one trains them all at once."""

import copy

import torch
from torch import nn
from torch.func import functional_call, stack_module_state, vmap


class Ensemble(nn.Module):
    """Models of one class, stacked: each parameter has a leading dimension of models.

    Takes points of shape (models, n, features) and returns logits of shape (models, n, outputs).
    Each model sees its own points, draws its own dropout masks and keeps its own BatchNorm
    statistics. The mean loss over all of them trains each one as its own mean loss would.
    """

    def __init__(self, models: list[nn.Module]):
        super().__init__()
        self.size = len(models)
        self.name = type(models[0]).__name__
        # A list hides the module from nn.Module: only the stacked tensors are the ensemble's own.
        self._structure = [copy.deepcopy(models[0]).to("meta")]
        self._parameters, self._buffers = stack_module_state(models)

    def train(self, mode: bool = True):
        self._structure[0].train(mode)
        return super().train(mode)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        logits = vmap(self._one, randomness="different")(self._parameters, self._buffers, x)
        if logits.requires_grad:  # the mean over the models has divided each one's gradient
            logits.register_hook(lambda gradient: gradient * self.size)
        return logits

    def _one(self, parameters, buffers, x):
        return functional_call(self._structure[0], (parameters, buffers), (x,))
