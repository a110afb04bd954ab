"""Leave-one-out: each model is the one that training without the point gives, and nothing else."""

import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch
from matplotlib.colors import to_rgba

from helper_functions import CLASS_COLORS
from lab.leave_one_out import (
    moves,
    moves_without_each,
    plot_moves,
    train_in_orders,
    train_without_each,
)
from model import CircleModelV2
from train import Data, make_data, train

DATA = make_data(samples=40)
SETTINGS = dict(epochs=20, hidden_units=6)


def trained_alone(rows):
    torch.manual_seed(7)
    model = CircleModelV2(hidden_units=6)
    data = Data(DATA.X_train[rows], DATA.y_train[rows], DATA.X_test, DATA.y_test)
    train(model, data, epochs=20)
    return model


def assert_same(model, other):
    for name, tensor in model.state_dict().items():
        torch.testing.assert_close(tensor, other.state_dict()[name])


def test_each_model_is_trained_without_its_point():
    models = train_without_each(DATA, [0, 5, 31], seed=7, **SETTINGS)
    for row, model in zip([0, 5, 31], models, strict=True):
        assert_same(model, trained_alone([i for i in range(32) if i != row]))


def test_another_order_changes_nothing_but_the_rounding():
    everything = trained_alone(list(range(32)))
    for model in train_in_orders(DATA, 3, seed=7, **SETTINGS):
        assert_same(model, everything)


def test_leaving_out_a_point_is_more_than_rounding():
    reference, *others = train_in_orders(DATA, 4, seed=7, **SETTINGS)
    without = train_without_each(DATA, range(32), seed=7, **SETTINGS)
    assert moves(without, reference).min() > 10 * moves(others, reference).max()


def test_a_move_is_the_root_mean_square_of_the_difference_in_probability():
    models = [CircleModelV2(), CircleModelV2()]
    axis = torch.linspace(-1.15, 1.15, 101)
    with torch.inference_mode():
        plane = torch.cartesian_prod(axis, axis)
        first, second = (model(plane).sigmoid() for model in models)
    expected = (first - second).square().mean().sqrt().item()
    assert moves(models, models[0]) == pytest.approx([0, expected], rel=1e-4)


def test_moves_come_for_each_point_and_order():
    small = make_data(samples=10)
    without, ordered = moves_without_each(small, 0, orders=2)
    assert without.shape == (8,)
    assert ordered.shape == (2,)


def test_the_picture_sizes_the_points_of_each_class():
    ax, each = plt.figure().add_subplot(), np.arange(1.0, 33)
    assert plot_moves(each, DATA.X_train, DATA.y_train, CircleModelV2(), ax=ax) is ax
    for number, dots in enumerate(ax.collections[-2:]):
        own = DATA.y_train[:, 0].numpy() == number
        sizes = dots.get_sizes()
        np.testing.assert_allclose(sizes / sizes.max(), each[own] / each[own].max())
        np.testing.assert_array_equal(dots.get_offsets(), DATA.X_train[own])
        expected = to_rgba(CLASS_COLORS[number], 0.6)
        np.testing.assert_allclose(dots.get_facecolor()[0], expected)
