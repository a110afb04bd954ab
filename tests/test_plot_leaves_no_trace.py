"""Whatever the model, a plot leaves it, torch and pyplot as it found them."""

import copy
import re

import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from matplotlib.figure import Figure
from matplotlib.image import AxesImage
from torch import nn

from helper_functions import plot_decision_boundary, plot_hidden_units

X = np.random.default_rng(0).normal(size=(8, 2))


class Fragile(nn.Module):
    """Raises at its second call, so that an error comes in the midst of a grid."""

    def __init__(self):
        super().__init__()
        self.register_buffer("calls", torch.zeros(()))
        self.register_buffer("kept", None)

    def forward(self, x):
        self.calls = self.calls + 1
        self.register_buffer("new", torch.rand(3))
        if self.calls > 1:
            raise RuntimeError("broken")
        return x


class Trace:
    """All that a plot might change: of the model, of torch, of pyplot."""

    def __init__(self, model):
        self.before = copy.deepcopy(model.state_dict())
        self.tensors = {
            name: (id(tensor), tensor._version, tensor.device, tensor.dtype, tensor.requires_grad)
            for name, tensor in [*model.named_parameters(), *model.named_buffers()]
        }
        self.buffers = {f"{id(m)}.{k}" for m in model.modules() for k, v in m._buffers.items()}
        self.grads = {
            name: None if p.grad is None else (id(p.grad), p.grad.clone())
            for name, p in model.named_parameters()
        }
        self.modes = [module.training for module in model.modules()]
        self.hooks = [
            [list(h.items()) for h in (m._forward_hooks, m._forward_pre_hooks, m._backward_hooks)]
            for m in model.modules()
        ]
        self.random = torch.get_rng_state()
        self.autograd = torch.is_grad_enabled(), torch.is_inference_mode_enabled()
        self.defaults = (
            torch.get_default_dtype(),
            torch.get_default_device(),
            torch.get_num_threads(),
        )
        self.figures = plt.gcf().number, plt.get_fignums()

    def assert_same(self, other):
        assert self.before.keys() == other.before.keys()
        for name, tensor in self.before.items():
            assert torch.equal(tensor, other.before[name]), name
        for name, grad in self.grads.items():
            if grad is None:
                assert other.grads[name] is None
            else:
                assert grad[0] == other.grads[name][0]
                assert torch.equal(grad[1], other.grads[name][1])
        assert torch.equal(self.random, other.random)
        for name in ("tensors", "buffers", "modes", "hooks", "autograd", "defaults", "figures"):
            assert getattr(self, name) == getattr(other, name), name


@st.composite
def models(draw):
    """Networks with Dropout and BatchNorm, shared layers, frozen parameters, mixed modes."""
    torch.manual_seed(draw(st.integers(0, 1000)))
    layers, width = [], 2
    for _ in range(draw(st.integers(0, 3))):
        new = draw(st.sampled_from([1, 3, 40]))
        layers.append(nn.Linear(width, new, bias=draw(st.booleans())))
        kinds = ["relu", "dropout", "norm", "layer norm", "instance", "shared", "nested"]
        for kind in draw(st.lists(st.sampled_from(kinds), max_size=3)):
            if kind == "shared":
                layers.append(layers[-1] if not isinstance(layers[-1], nn.Linear) else nn.Tanh())
            else:
                layers.append(
                    {
                        "relu": nn.ReLU,
                        "dropout": nn.Dropout,
                        "norm": lambda n=new: nn.BatchNorm1d(
                            n, momentum=draw(st.sampled_from([0.1, None]))
                        ),
                        "layer norm": lambda n=new: nn.LayerNorm(n),
                        "instance": lambda n=new: nn.BatchNorm1d(n, track_running_stats=False),
                        "nested": lambda n=new: nn.Sequential(nn.Dropout(), nn.Linear(n, n)),
                    }[kind]()
                )
        width = new
    layers.append(nn.Linear(width, draw(st.sampled_from([1, 2, 5]))))
    if draw(st.booleans()):
        layers.insert(draw(st.integers(0, len(layers))), Fragile())
    model = nn.Sequential(*layers)
    if len(layers) == 1 and draw(st.booleans()):
        model = layers[0]
    for module in model.modules():
        module.training = draw(st.booleans())
    for parameter in model.parameters():
        if draw(st.booleans()):
            parameter.grad = torch.randn_like(parameter)
        parameter.requires_grad_(draw(st.booleans()))
    if draw(st.booleans()):
        model.register_forward_hook(lambda module, inputs, output: None)
    return model.to(
        draw(st.sampled_from([torch.float32, torch.float32, torch.float64, torch.bfloat16]))
    )


def draw(plot, model, **options):
    """Draw on a given Axes or Figure; a model may break, or have no hidden layer."""
    where = dict(ax=Figure().subplots()) if plot is plot_decision_boundary else {}
    where = where or dict(figure=Figure(), max_units=1)
    before = Trace(model)
    try:
        plot(model, X, **where, **options)
    except (RuntimeError, ValueError) as error:
        if not re.search("broken|hidden layer", str(error)):
            raise
    else:
        assert next(iter(where.values())).findobj(AxesImage)
    before.assert_same(Trace(model))


def leaves_no_trace(plot, count):
    """Return a test of so many generated models.

    A grid has one or two chunks (182^2 > 2^15); modes and autograd's states vary as well.
    """
    states = [torch.enable_grad, torch.no_grad, torch.inference_mode]
    quiet = dict(deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))

    @settings(max_examples=count, **quiet)
    @given(models(), st.sampled_from([2] * 7 + [182]), st.booleans(), st.sampled_from(states))
    def test(model, resolution, training, autograd):
        with autograd():
            draw(plot, model, grid_resolution=resolution, training=training)

    return test


test_a_boundary_leaves_generated_models_as_they_were = leaves_no_trace(plot_decision_boundary, 50)
test_hidden_units_leave_generated_models_as_they_were = leaves_no_trace(plot_hidden_units, 20)
test_a_boundary_leaves_many_models_as_they_were = pytest.mark.slow(
    leaves_no_trace(plot_decision_boundary, 1000)
)
test_hidden_units_leave_many_models_as_they_were = pytest.mark.slow(
    leaves_no_trace(plot_hidden_units, 200)
)


def test_an_error_in_the_midst_of_the_grid_leaves_no_trace():
    model = nn.Sequential(nn.Linear(2, 4), Fragile(), nn.BatchNorm1d(4), nn.Linear(4, 1))
    before = Trace(model)
    for plot in (plot_decision_boundary, plot_hidden_units):
        with pytest.raises(RuntimeError, match="broken"):
            plot(model, X, grid_resolution=200, training=True)
        before.assert_same(Trace(model))


def test_a_gradient_can_still_flow_through_what_was_computed_before():
    model = nn.Sequential(nn.Linear(2, 4), nn.BatchNorm1d(4), nn.Linear(4, 1))
    loss = model(torch.randn(9, 2)).sum()
    plot_decision_boundary(model, X, training=True)
    loss.backward()
    assert model[0].weight.grad is not None


def test_buffers_that_two_modules_share_stay_shared():
    first, second = nn.BatchNorm1d(2), nn.BatchNorm1d(2)
    second.running_mean = first.running_mean
    model = nn.Sequential(first, second, nn.Linear(2, 1))
    plot_decision_boundary(model, X, training=True)
    assert second.running_mean is first.running_mean
    assert not first.running_mean.any()


def test_overridden_modes_are_not_called():
    class Guarded(nn.Linear):
        def train(self, mode=True):
            raise AssertionError("train() has effects of its own here")

    plot_decision_boundary(Guarded(2, 1), X)
    plot_decision_boundary(Guarded(2, 1), X, training=True)


def test_a_function_leaves_torchs_random_state():
    state = torch.get_rng_state()
    plot_decision_boundary(lambda p: torch.randn(len(p)), X)
    assert torch.equal(state, torch.get_rng_state())


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device: there is none")
@pytest.mark.parametrize("training", [False, True])
def test_a_model_on_cuda_is_left_there(training):
    model = nn.Sequential(
        nn.Linear(2, 9), nn.BatchNorm1d(9), nn.ReLU(), nn.Dropout(), nn.Linear(9, 3)
    ).cuda()
    state = torch.cuda.get_rng_state()
    for points in (X, torch.from_numpy(X).cuda()):
        for plot in (plot_decision_boundary, plot_hidden_units):
            draw(plot, model, grid_resolution=182, training=training)
        plot_decision_boundary(model, points, torch.zeros(8).cuda())
    assert torch.equal(state, torch.cuda.get_rng_state())
    assert all(tensor.is_cuda for tensor in model.state_dict().values())
