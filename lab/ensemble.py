"""Many models as a single module, so that one loop trains them all at once."""

import copy

import torch
from torch import nn
from torch.func import functional_call, stack_module_state, vmap

from train import Data, Training, loss_function


class Ensemble(nn.Module):
    """Models of one class, stacked: each parameter has a leading dimension of models.

    The models have their layers in an `nn.Sequential` named `layers`. Takes points of shape
    (models, n, features) and returns logits of shape (models, n, outputs): each model sees its own
    points, draws its own dropout masks and keeps its own BatchNorm statistics.

    random_states: torch's random state for each model's dropout. With that of the moment when the
        model was built, it drops what it would drop alone. By default each has one of its own.
    """

    def __init__(self, models: list[nn.Module], random_states: list[torch.Tensor] | None = None):
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
        self._generators = Generators(torch.Generator() for _ in models)
        if random_states is not None:
            self._generators.set_state(random_states)
        else:
            for generator in self._generators:
                generator.manual_seed(torch.randint(2**62, ()).item())

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
            elif isinstance(layer, nn.Dropout):
                x = self._drop(layer.p, x) if self.training else x
            elif isinstance(layer, nn.BatchNorm1d):
                x = self._normalize(f"layers.{name}", layer, x)
            elif layer._parameters or layer._buffers:
                x = self._each(name, layer, x)
            else:  # ReLU treats each number alone
                x = layer(x)
        return x

    def _drop(self, p, x):
        """Drop what each model would drop alone, by masks from a generator of its own."""
        masks = torch.empty(x.shape)
        for mask, generator in zip(masks, self._generators, strict=True):
            mask.bernoulli_(1 - p, generator=generator)
        return x * masks.div_(1 - p).to(x, non_blocking=True)

    def _normalize(self, name, layer, x):
        """Normalize each unit of each model: to torch, they are the channels of one input."""
        mean, var = (self._buffers[f"{name}.running_{one}"].flatten() for one in ("mean", "var"))
        weight, bias = (self._parameters[f"{name}.{one}"].flatten() for one in ("weight", "bias"))
        if self.training:
            self._buffers[f"{name}.num_batches_tracked"] += 1
        channels = x.transpose(1, 2).reshape(1, -1, x.shape[1])
        normal = nn.functional.batch_norm(
            channels, mean, var, weight, bias, self.training, layer.momentum, layer.eps
        )
        return normal.reshape(self.size, -1, x.shape[1]).transpose(1, 2)

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

    def get_extra_state(self):
        """Return the random states of the dropout masks, which belong to the state_dict."""
        return self._generators.get_state()

    def load_state_dict(self, state: dict) -> None:
        """Load what `state_dict` has returned; nn.Module's own takes dots for names of modules."""
        self._generators.set_state(state["_extra_state"])
        with torch.no_grad():
            for name, tensor in (self._parameters | self._buffers).items():
                tensor.copy_(state[name])


class EnsembleTraining(Training):
    """The training of an `Ensemble`: `seed` is a list with the seed of each model's batches."""

    def __init__(self, model: Ensemble, data: Data, *, seed, **settings):
        super().__init__(model, data, seed=seed[0], **settings)
        self.generator = Generators(torch.Generator().manual_seed(one) for one in seed)
        self.order = self.generator.get_state()
        # The fused step rounds the last numbers of a tensor otherwise than those before: a model's
        # weights would depend on how many models there are.
        self.optimizer.param_groups[0].update(fused=False, foreach=True)
        each_loss = loss_function(data.y_train, reduction="none")
        # The sum of the models' mean losses: the gradient of each is what it would be alone.
        self.loss_fn = lambda logits, y: each_loss(logits, y).reshape(y.shape).mean(dim=-2).sum()

    def shuffle(self, X, y):
        each = [torch.randperm(X.shape[-2], generator=one) for one in self.generator]
        order = torch.stack(each).unsqueeze(-1).to(X.device, non_blocking=True)
        return X.gather(-2, order.expand_as(X)), y.gather(-2, order)


class Generators(list):
    """A random generator for each of many models; their states are one tensor."""

    def get_state(self):
        return torch.stack([generator.get_state() for generator in self])

    def set_state(self, states):
        for generator, state in zip(self, states, strict=True):
            generator.set_state(state.clone())  # torch reads a view's storage from its start


def stack(datasets: list[Data]) -> Data:
    """Return the data of several models as one, with a leading dimension of models."""
    tensors = zip(*(data[:4] for data in datasets), strict=True)
    return Data(*map(torch.stack, tensors), *datasets[0][4:])
