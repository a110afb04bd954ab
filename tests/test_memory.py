"""Memory stays where it is, however long one trains and however much one draws."""

import gc
import io
import platform
from multiprocessing import get_context

import matplotlib
import matplotlib.pyplot as plt
import pytest
from matplotlib.figure import Figure

from helper_functions import plot_decision_boundary
from model import CircleModelV2
from train import make_data, train

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(platform.system() != "Linux", reason="reads /proc"),
]
MB = 2**20


def memory():
    """Return the bytes that this process has in memory."""
    gc.collect()
    with open("/proc/self/statm") as file:
        return 4096 * int(file.read().split()[1])


def growth(work, little, much):
    """Return by how many bytes a process grows that does a little work and then much, by itself."""
    work(little)
    before = memory()
    work(much)
    return memory() - before


def growth_alone(*arguments):
    """Return `growth` in a process of its own: what other tests have freed would blur it."""
    with get_context("spawn").Pool(1) as pool:
        return pool.apply(growth, arguments)


def train_long(epochs):
    data, model = make_data(samples=50), CircleModelV2(hidden_units=4)
    train(model, data, lr=1e-3, record_every=10_000, epochs=epochs)


def draw_often(times):
    matplotlib.use("Agg")
    data, model = make_data(samples=50), CircleModelV2(hidden_units=4)
    for number in range(times):
        figure = (Figure, plt.figure)[number % 2](figsize=(2, 2), dpi=50)
        plot_decision_boundary(
            model, data.X_train, data.y_train, ax=figure.subplots(), grid_resolution=50
        )
        figure.savefig(io.BytesIO())
        plt.close("all")


def test_a_hundred_thousand_epochs_take_no_more_memory_than_a_thousand():
    assert growth_alone(train_long, 1_000, 100_000) < 8 * MB


def test_a_thousand_plots_take_no_more_memory_than_a_hundred():
    assert growth_alone(draw_often, 100, 1_000) < 8 * MB
