"""plot_decision_boundary against scikit-learn's and mlxtend's plots of the same model and points.

    pip install -r benchmarks/requirements.txt
    python benchmarks/plots.py

All draw the trained CircleModelV2 and its training points on Axes of one size, until the picture
is there (`canvas.draw`). Each round times all of them in turn; the ratios are medians over the
rounds. The peers get the model as the smallest estimator that they accept. Prints Markdown tables.

On a machine that other programs keep busy, OMP_NUM_THREADS=1 is fairer to the peers: torch's
threads wait for each other at each layer, which costs them much, and ours uses one anyway.
"""

import argparse
import statistics
import subprocess
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

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

from helper_functions import plot_decision_boundary
from model import CircleModelV2
from train import make_data, train


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


def seconds(plot, model, X, y, resolution):
    figure = Figure(figsize=(6, 5))
    canvas, ax = FigureCanvasAgg(figure), figure.subplots()
    start = time.perf_counter()
    plot(model, X, y, ax, resolution)
    canvas.draw()
    return time.perf_counter() - start


def compare(model, X, y, rounds):
    """Print the medians of the times, and of the ratios to ours, at two grids."""
    plots = {
        "plot_decision_boundary": ours,
        "scikit-learn DecisionBoundaryDisplay": scikit_learn,
        "mlxtend plot_decision_regions": mlxtend,
    }
    print("| grid | plot | time | time / ours |\n|---|---|---|---|")
    for resolution in (101, 301, 1001):
        for plot in plots.values():
            seconds(plot, model, X, y, resolution)  # warm-up
        times = [
            [seconds(plot, model, X, y, resolution) for plot in plots.values()]
            for _ in range(rounds)
        ]
        for name, column in zip(plots, zip(*times, strict=True), strict=True):
            ratio = statistics.median(t / row[0] for t, row in zip(column, times, strict=True))
            median = 1000 * statistics.median(column)
            print(f"| {resolution} x {resolution} | {name} | {median:.0f} ms | {ratio:.2f} |")


CASES = {  # logits, hidden units, grid, points
    "a grid of 4001 x 4001": (1, 16, 4001, 800),
    "a grid of 4001 x 4001, three classes": (3, 16, 4001, 800),
    "a grid of 201 x 201, 4096 units in each of two layers": (1, 4096, 201, 800),
    "a million points": (1, 16, 301, 1_000_000),
}


def peak_memory():
    """Return this process's peak of memory in MB, as Linux counts it since the program's start."""
    status = Path("/proc/self/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0]) / 1024


def measure(case):
    """Print the time of one large drawing, and how far memory rose above what a small one takes."""
    out, width, resolution, points = CASES[case]
    model = CircleModelV2(hidden_units=width, out_features=out)
    X = torch.randn(points, 2)
    y = (X[:, 0] > 0).long()
    seconds(ours, model, X[:800], y[:800], 11)
    before = peak_memory()
    duration = seconds(ours, model, X, y, resolution)
    print(f"| {case} | {duration:.2f} s | {peak_memory() - before:.0f} MB |")


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=15, help="of each comparison (default: 15)")
    parser.add_argument("--case", choices=CASES, help="measure this alone")
    args = parser.parse_args()
    if args.case:
        measure(args.case)
        return
    data = make_data()
    torch.manual_seed(42)
    model = CircleModelV2()
    train(model, data)
    model.eval()
    X, y = data.X_train.numpy(), data.y_train.numpy().astype(int).ravel()
    print(f"{torch.get_num_threads()} threads, {args.rounds} rounds\n")
    compare(model, X, y, args.rounds)
    print("\n| drawing | time | memory above a small one's |\n|---|---|---|", flush=True)
    for case in CASES:  # each in a process of its own: the peak of memory is the process's
        subprocess.run([sys.executable, __file__, "--case", case], check=True)


if __name__ == "__main__":
    main()
