"""The boundaries of many models: what is drawn is what the models say."""

import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch
from torch import nn

from lab import many_boundaries
from lab.ensemble import Ensemble
from lab.many_boundaries import (
    Boundaries,
    opinions_of,
    plot_lines,
    plot_many_boundaries,
    plot_mean,
    plot_spread,
)
from model import CircleModelV0, CircleModelV2
from train import build, make_data

DATA = make_data(samples=60)


def linear(weight, bias):
    """Return a model whose logit is weight @ x + bias."""
    layer = nn.Linear(2, 1)
    with torch.no_grad():
        layer.weight.copy_(torch.tensor([weight]))
        layer.bias.fill_(bias)
    return nn.Sequential(layer)


def test_opinions_are_the_models_own():
    models = [CircleModelV2(batch_norm=True, dropout=0.3), CircleModelV0(out_features=2).double()]
    models[0].layers[2].eval()
    modes = [[module.training for module in model.modules()] for model in models]
    opinions = opinions_of(models, (-2, 1), (0, 4), resolution=5)
    assert [[module.training for module in model.modules()] for model in models] == modes
    assert opinions.logits.shape == (2, 5, 5)
    for row, y in enumerate(np.linspace(0, 4, 5)):
        for column, x in enumerate(np.linspace(-2, 1, 5)):
            point = torch.tensor([[x, y]])
            with torch.inference_mode():
                one = models[0].eval()(point.float()).sigmoid().item()
                two = models[1](point.double()).softmax(1)[0, 1].item()
            expected = pytest.approx([one, two], abs=1e-6)
            assert opinions.probabilities[:, row, column].tolist() == expected


def test_flat_logits_are_those_of_a_column():
    model = CircleModelV2()
    flat = nn.Sequential(model, nn.Flatten(0))
    one, other = opinions_of([model, flat], resolution=5).logits
    np.testing.assert_array_equal(one, other)


def test_a_function_may_answer_for_all_models():
    models = [CircleModelV2() for _ in range(3)]
    ensemble = Ensemble(models)
    together = opinions_of(lambda points: ensemble(points.expand(3, -1, -1)), resolution=7)
    np.testing.assert_allclose(together.logits, opinions_of(models, resolution=7).logits, atol=1e-6)


def test_there_is_a_line_for_each_model_that_has_one_here():
    models = [linear([1.0, 0], -0.3), linear([0, 1.0], 0.2), linear([0, 1.0], 9)]
    ax = plt.figure().add_subplot()
    assert plot_lines(opinions_of(models), ax=ax) is ax
    vertical, horizontal = (c.get_paths()[0].vertices for c in ax.collections)
    np.testing.assert_allclose(vertical[:, 0], 0.3, atol=1e-6)
    np.testing.assert_allclose(horizontal[:, 1], -0.2, atol=1e-6)
    np.testing.assert_allclose([*ax.get_xlim(), *ax.get_ylim()], [-1.15, 1.15] * 2)


def test_mean_and_spread_of_models_that_say_the_opposite():
    opinions = opinions_of([linear([0.0, 0], 2), linear([0.0, 0], -2)], resolution=4)
    ax = plt.figure().add_subplot()
    np.testing.assert_allclose(plot_mean(opinions, ax=ax).collections[0].get_array(), 0.5)
    ax = plt.figure().add_subplot()
    spread = plot_spread(opinions, ax=ax).collections[0]
    np.testing.assert_allclose(spread.get_array(), 1 / (1 + np.exp(-2)) - 0.5, rtol=1e-6)
    assert spread.get_clim() == (0, 0.5)


def test_large_logits_do_not_overflow():
    opinions = opinions_of([linear([0.0, 0], 1e6), linear([0.0, 0], -1e6)], resolution=2)
    assert opinions.probabilities[:, 0, 0].tolist() == [1, 0]


def test_the_figure_has_a_row_for_each_kind_of_model():
    each = {
        "linear": opinions_of([CircleModelV0()], resolution=5),
        "ReLU": opinions_of([CircleModelV2(), CircleModelV2()], resolution=5),
    }
    figure = plot_many_boundaries(each, DATA.X_train, DATA.y_train)
    titles = [ax.get_title() for ax in figure.axes[:6]]
    assert titles[::3] == ["linear: 1 boundary", "ReLU: 2 boundaries"]
    assert [ax.get_ylabel() for ax in figure.axes[:6]] == ["x2", "", ""] * 2
    assert [ax.get_xlabel() for ax in figure.axes[:6]] == [""] * 3 + ["x1"] * 3
    assert [ax.get_ylabel() for ax in figure.axes[6:]] == [
        "probability of inner circle",
        "standard deviation of the probability",
    ]


def test_models_of_more_classes_are_refused():
    with pytest.raises(ValueError, match="models must have two classes; got one with 3"):
        opinions_of([CircleModelV2(out_features=3)])


def test_many_seeds_are_asked_in_the_order_of_their_seeds_and_not_too_many(monkeypatch):
    monkeypatch.setattr(many_boundaries, "MOST", 5)
    data, names = make_data(samples=60), {"CircleModelV2": "ReLU"}
    parts = {}
    for first, count in ((10, 2), (12, 2), (14, 2), (16, 2)):
        models = [build(CircleModelV2, {"seed": first + i}) for i in range(count)]
        parts[first] = [*models, models[-1]]  # with a spare
    one, other = (Boundaries(data, range(10, 18), names) for _ in range(2))
    for boundaries, first in ((one, 14), (one, 10), (other, 12), (other, 16)):
        count = len(parts[first]) - 1
        boundaries.look((None, "CircleModelV2", first), count, Ensemble(parts[first]))
    assert (None, "CircleModelV2", 16) not in other.opinions
    seen = {}
    monkeypatch.setattr(many_boundaries, "plot_many_boundaries", lambda each, *_, **__: seen | each)
    each = one.figure([one.opinions, other.opinions])
    models = [*parts[10][:2], *parts[12][:2], parts[14][0]]
    low, high = data.X_train[:, 0].min(), data.X_train[:, 0].max()
    assert each["ReLU"].xs[0] == pytest.approx(low - 0.05 * (high - low))
    expected = opinions_of(
        models, (each["ReLU"].xs[0], each["ReLU"].xs[-1]), (each["ReLU"].ys[0], each["ReLU"].ys[-1])
    )
    np.testing.assert_allclose(each["ReLU"].logits, expected.logits, atol=1e-5)
