"""Which training point matters: as many models as points, each trained without one of them.

    python -m lab.leave_one_out

All start from the same weights, so that a difference comes from the point that is left out, or from
rounding, which differs with the order of the points. How much that is, models show that are trained
on all points in different orders. It is far less. But with other initial weights, other points
matter: it isn't the point alone that decides.

Source: R. D. Cook, "Detection of Influential Observation in Linear Regression", 1977, for the idea;
here nothing is approximated, as each model is trained anew.
"""

from itertools import combinations

import matplotlib.pyplot as plt
import numpy as np
import torch
from scipy.stats import spearmanr

from helper_functions import CLASS_COLORS, MARKERS
from lab.many_boundaries import opinions_of, plot_lines
from lab.points import CIRCLES
from lab.trained import train_together
from model import CircleModelV2
from train import Data, build, make_data


def train_without_each(data: Data, rows, *, seed: int = 42, **settings) -> list[CircleModelV2]:
    """Return a model for each of the rows, trained on all training points but this one.

    All have the initial weights of the seed. The settings are those of `CircleModelV2` and `train`.
    """
    every = torch.arange(len(data.y_train))
    return _train_on(data, [every[every != row] for row in rows], seed, settings)


def train_in_orders(data: Data, count: int, *, seed: int = 42, **settings) -> list[CircleModelV2]:
    """Return models trained on all points: one on them as they come, the others in new orders."""
    generator, n = torch.Generator().manual_seed(seed), len(data.y_train)
    orders = [torch.randperm(n, generator=generator) for _ in range(count - 1)]
    return _train_on(data, [torch.arange(n), *orders], seed, settings)


def _train_on(data, each_rows, seed, settings):
    parts = [
        Data(data.X_train[rows], data.y_train[rows], data.X_test, data.y_test, data.class_names)
        for rows in each_rows
    ]
    models = [build(CircleModelV2, settings | {"seed": seed}, part) for part in parts]
    train_together(models, parts, [seed] * len(models), **settings)
    return models


def moves(models: list, reference) -> np.ndarray:
    """Return how far each model is from another, (models,): the difference in probability.

    It is the root of the mean square over the square from -1.15 to 1.15, from 0 to 1.
    """
    asked = opinions_of([reference, *models], resolution=101).probabilities
    return np.sqrt(((asked[1:] - asked[0]) ** 2).mean(axis=(1, 2)))


def plot_moves(each_move: np.ndarray, X, y, model, *, ax=None, class_names=CIRCLES):
    """Draw points X (n, 2), each with an area in proportion to its move, and a model's boundary.

    y: the classes (n, 1). Returns the Axes, by default pyplot's current one.
    """
    ax = plt.gca() if ax is None else ax
    plot_lines(opinions_of([model]), ax=ax)
    areas = 150 * each_move / each_move.max()
    for number, name in enumerate(class_names):
        own = (y[:, 0] == number).numpy()
        style = dict(color=CLASS_COLORS[number], marker=MARKERS[number], alpha=0.6, linewidths=0)
        ax.scatter(*X[own].T, areas[own], label=name, zorder=3, **style)
    return ax


def moves_without_each(data: Data, seed: int, orders: int = 20) -> tuple[np.ndarray, np.ndarray]:
    """Return the move that each training point makes, and those of new orders, from one start."""
    reference, *others = train_in_orders(data, 1 + orders, seed=seed)
    without = train_without_each(data, range(len(data.y_train)), seed=seed)
    return moves(without, reference), moves(others, reference)


if __name__ == "__main__":
    torch.set_num_threads(1)  # the networks are small
    data, each_start = make_data(), []
    print("How far the probability moves (root mean square, in percentage points)")
    for seed in range(42, 45):
        without, ordered = moves_without_each(data, seed)
        each_start.append(without)
        least, median, most = 100 * np.quantile(without, [0, 0.5, 1])
        print(
            f"start {seed}: without one of {len(without)} points {least:.2f} to {most:.2f}, median "
            f"{median:.2f}; in {len(ordered)} other orders at most {100 * ordered.max():.2f}"
        )
    pairs = [f"{spearmanr(*pair).statistic:.2f}" for pair in combinations(each_start, 2)]
    print(f"Rank correlation of the points' moves between two starts: {', '.join(pairs)}")
