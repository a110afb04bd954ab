"""Memory stays where it is, however long one trains and however much one draws."""

import gc
import platform

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


def test_a_hundred_thousand_epochs_take_no_more_memory_than_a_thousand():
    data, model = make_data(samples=50), CircleModelV2(hidden_units=4)
    options = dict(lr=1e-3, record_every=10_000)
    train(model, data, epochs=1_000, **options)
    before = memory()
    train(model, data, epochs=100_000, **options)
    assert memory() - before < 8 * MB


def test_a_thousand_plots_take_no_more_memory_than_a_hundred(tmp_path):
    data, model = make_data(samples=50), CircleModelV2(hidden_units=4)

    def draw(make):
        figure = make(figsize=(2, 2), dpi=50)
        plot_decision_boundary(
            model, data.X_train, data.y_train, ax=figure.subplots(), grid_resolution=50
        )
        figure.savefig(tmp_path / "plot.png")
        plt.close("all")

    for _ in range(50):
        draw(Figure)
        draw(plt.figure)
    before = memory()
    for _ in range(500):
        draw(Figure)
        draw(plt.figure)
    assert memory() - before < 8 * MB
