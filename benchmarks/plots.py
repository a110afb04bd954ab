"""plot_decision_boundary against scikit-learn's and mlxtend's plots of the same model and points.

All draw the trained CircleModelV2 and its training points on Axes of one size, until the picture
is there (`canvas.draw`). The peers get the model as the smallest estimator that they accept. The
memory is that of a first large drawing in a process of its own, above what a small one takes.
"""

import json
from functools import partial

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import numpy as np
import torch
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from mlxtend.plotting import plot_decision_regions
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.inspection import DecisionBoundaryDisplay

from benchmarks.measure import (
    Line,
    in_a_process,
    in_turns,
    main,
    middle,
    peak_memory,
    ratios,
    seconds,
    versions,
)
from helper_functions import plot_decision_boundary
from model import CircleModelV2
from train import build, make_data, train


class Wrapped(ClassifierMixin, BaseEstimator):
    """A trained network as an estimator: the least that the peers need."""

    def __init__(self, model):
        self.model = model
        self.classes_ = np.array([0, 1])
        self.n_features_in_ = 2

    def fit(self, X, y):
        raise NotImplementedError("The network is trained already.")

    def __sklearn_is_fitted__(self):
        return True

    def predict_proba(self, X):
        with torch.inference_mode():
            p = self.model(torch.from_numpy(np.asarray(X, np.float32))).sigmoid()[:, 0].numpy()
        return np.column_stack([1 - p, p])

    def predict(self, X):
        return (self.predict_proba(X)[:, 1] > 0.5).astype(int)


def ours(model, X, y, ax, resolution):
    plot_decision_boundary(model, X, y, ax=ax, grid_resolution=resolution)


def scikit_learn(model, X, y, ax, resolution):
    DecisionBoundaryDisplay.from_estimator(
        Wrapped(model), X, ax=ax, grid_resolution=resolution, response_method="predict_proba"
    )
    ax.scatter(*X.T, c=y, edgecolors="white")


def mlxtend(model, X, y, ax, resolution):
    # Its grid has as many points as pyplot's current figure has pixels; that one is not drawn.
    plt.gcf().set_size_inches(resolution / plt.gcf().dpi, resolution / plt.gcf().dpi)
    plot_decision_regions(X, y, Wrapped(model), ax=ax)


PLOTS = {
    "ours": (ours, "matplotlib"),
    "scikit-learn DecisionBoundaryDisplay": (scikit_learn, "scikit-learn"),
    "mlxtend plot_decision_regions": (mlxtend, "mlxtend"),
}


def prepare():
    """Return the trained model, and its training points and labels as arrays."""
    data = make_data()
    model = build(CircleModelV2, {"seed": 42})
    train(model, data)
    return model.eval(), data.X_train.numpy(), data.y_train.numpy().astype(int).ravel()


def draw(plot, model, X, y, resolution):
    """Return the seconds of a plot until its picture is there."""
    figure = Figure(figsize=(6, 5))
    canvas, ax = FigureCanvasAgg(figure), figure.subplots()

    def plot_and_draw():
        plot(model, X, y, ax, resolution)
        canvas.draw()

    return seconds(plot_and_draw)


def print_memory(name, resolution):
    """Print the bytes that a first large drawing takes above a small one's peak."""
    plot = partial(draw, PLOTS[name][0], *prepare())
    plot(11)
    base = peak_memory()
    plot(resolution)
    print(json.dumps(peak_memory() - base))


def memory(name, resolution):
    """Return those bytes, of a process of its own."""
    return in_a_process(f"from benchmarks import plots; plots.print_memory({name!r}, {resolution})")


def measure(quick: bool) -> tuple[list[Line], list[str]]:
    prepared = prepare()
    lines = []
    for resolution, rounds in ((101, 2),) if quick else ((101, 15), (1001, 9), (4001, 3)):

        def timed(plot, resolution=resolution):
            return lambda number: draw(plot, *prepared, resolution)

        times = in_turns({name: timed(plot) for name, (plot, _) in PLOTS.items()}, rounds)
        lines += compare(f"boundary plot, {resolution} x {resolution}", times, middle)
    resolution = 101 if quick else 4001
    bytes_used = {name: [memory(name, resolution)] for name in PLOTS}
    lines += compare(
        f"its memory at {resolution} x {resolution}",
        bytes_used,
        lambda several: f"{several[0] / 1e6:.0f} MB",
    )
    return lines, []


def compare(what, values, as_text):
    """Return a line for each peer from all plots' times or bytes."""
    return [
        Line(
            what,
            as_text(values["ours"]),
            f"{name}: {as_text(values[name])}",
            ratios(values[name], values["ours"]),
            1,
            versions(package),
        )
        for name, (_, package) in PLOTS.items()
        if name != "ours"
    ]


if __name__ == "__main__":
    main(measure)
