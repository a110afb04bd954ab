"""The boundaries of many models in one picture, and where the models disagree."""

from collections.abc import Callable
from typing import NamedTuple

import matplotlib.pyplot as plt
import numpy as np
import torch
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from scipy.special import expit  # the sigmoid
from torch import nn

from helper_functions import CLASS_COLORS
from lab.points import CIRCLES, draw_points
from support.modes import modes_put_back
from support.text import counted

MOST = 100  # models in one picture: the lines of more would be a black band

PROBABILITY = LinearSegmentedColormap.from_list(
    "probability", [CLASS_COLORS[0], "white", CLASS_COLORS[1]]
)


class Opinions(NamedTuple):
    """What many models of two classes say on a grid of the plane."""

    xs: np.ndarray  # (columns,)
    ys: np.ndarray  # (rows,)
    logits: np.ndarray  # (models, rows, columns)

    @property
    def probabilities(self) -> np.ndarray:
        """The probability of class 1, by model and point of the grid."""
        return expit(self.logits)


def opinions_of(
    models: list[nn.Module] | Callable, xlim=(-1.15, 1.15), ylim=(-1.15, 1.15), resolution=151
) -> Opinions:
    """Ask many models about a grid of `resolution` points along each axis.

    models: networks that take points (n, 2) and return logits (n,) or (n, 1), or (n, 2), whose
        difference decides, and are asked in eval mode; or a function from points (n, 2), a tensor,
        to the logits of all models, (models, n) or (models, n, 1).

    Raises a ValueError for models of more classes.
    """
    xs, ys = np.linspace(*xlim, resolution), np.linspace(*ylim, resolution)
    grid = np.stack(np.meshgrid(xs, ys), axis=-1).reshape(-1, 2)
    points = torch.from_numpy(grid).to(torch.get_default_dtype())
    with torch.inference_mode():
        logits = models(points) if callable(models) else torch.stack(_each(models, points))
    return Opinions(xs, ys, logits.cpu().double().reshape(-1, len(ys), len(xs)).numpy())


class Boundaries:
    """The boundaries of the first of many models, collected while these are trained as ensembles.

    data: what the plane is put around, and whose training points are drawn.
    seeds: of all the models.
    names: what to call the models of a class, by the class's name.
    """

    def __init__(self, data, seeds: range, names: dict[str, str]):
        self.data, self.seeds, self.names, self.opinions = data, seeds[:MOST], names, {}

    def look(self, key: tuple, count: int, ensemble: nn.Module) -> None:
        """Ask an ensemble's first models; its key is (value, name of the class, first seed)."""
        if key[-1] in self.seeds:
            self.opinions[key] = opinions_of_ensemble(ensemble, count, self.data.X_train)

    def figure(self, several: list[dict]) -> Figure:
        """Return the picture of all, from the opinions that each process has collected."""
        parts = [(key[1:], asked) for opinions in several for key, asked in opinions.items()]
        parts.sort(key=lambda part: part[0])
        each = {}
        for (name, _), asked in parts:
            each.setdefault(self.names[name], []).append(asked)
        for name, (first, *_) in each.items():
            logits = np.concatenate([asked.logits for asked in each[name]])[:MOST]
            each[name] = first._replace(logits=logits)
        X, y, names = self.data.X_train, self.data.y_train, self.data.class_names
        return plot_many_boundaries(each, X, y, class_names=names)


def opinions_of_ensemble(ensemble: nn.Module, count: int, X: torch.Tensor) -> Opinions:
    """Ask the first `count` models of an ensemble about the plane around points (n, 2)."""
    device = next(ensemble.parameters()).device

    def logits(points):
        with modes_put_back(ensemble):
            return ensemble.eval()(points.to(device).expand(ensemble.size, -1, -1))[:count]

    low, high = X.amin(0), X.amax(0)
    edge = 0.05 * (high - low)
    return opinions_of(logits, *torch.stack([low - edge, high + edge], dim=1).tolist())


def _each(models, points):
    """Return the logit of class 1 against class 0 from each model, of shape (n,)."""
    answers = []
    for model in models:
        with modes_put_back(model):
            model.eval()
            answer = model(points.to(next(model.parameters()))).reshape(len(points), -1)
        if answer.shape[1] > 2:
            raise ValueError(f"models must have two classes; got one with {answer.shape[1]}.")
        answers.append(answer[:, -1] - answer[:, 0] if answer.shape[1] == 2 else answer[:, 0])
    return answers


def plot_lines(opinions: Opinions, *, ax=None):
    """Draw every model's boundary as a thin line; return the Axes, pyplot's current by default."""
    ax = plt.gca() if ax is None else ax
    opacity = min(1, 1.5 / len(opinions.logits) ** 0.5)  # so that many don't become a black band
    for logits in opinions.logits:
        _draw_boundary(ax, opinions, logits, linewidths=0.7, alpha=opacity)
    return _framed(ax, opinions)


def plot_mean(opinions: Opinions, *, ax=None):
    """Draw the mean probability of class 1, and the line where it is 0.5; return the Axes."""
    ax = plt.gca() if ax is None else ax
    mean = opinions.probabilities.mean(axis=0)
    ax.pcolormesh(
        opinions.xs, opinions.ys, mean, cmap=PROBABILITY, vmin=0, vmax=1, alpha=0.6, rasterized=True
    )
    _draw_boundary(ax, opinions, mean - 0.5, linewidths=1.5)
    return _framed(ax, opinions)


def plot_spread(opinions: Opinions, *, ax=None):
    """Draw the probability's standard deviation over the models, from 0 to 0.5; return the Axes."""
    ax = plt.gca() if ax is None else ax
    spread = opinions.probabilities.std(axis=0)
    ax.pcolormesh(
        opinions.xs, opinions.ys, spread, cmap="Purples", vmin=0, vmax=0.5, rasterized=True
    )
    return _framed(ax, opinions)


def plot_many_boundaries(each: dict[str, Opinions], X, y, *, class_names=CIRCLES) -> Figure:
    """Return a figure with a row for each kind of model: the lines, the mean and the spread.

    each: opinions by what their models are called.
    X, y: points (n, 2) and classes (n, 1), tensors, that are drawn faintly beneath the lines.
    """
    figure = Figure(figsize=(10, 2.85 * len(each) + 0.1), layout="compressed")
    panels = figure.subplots(len(each), 3, squeeze=False, sharex=True, sharey=True)
    for (name, opinions), (lines, mean, spread) in zip(each.items(), panels, strict=True):
        draw_points(lines, X, y, class_names, alpha=0.35)
        count = counted(len(opinions.logits), "boundary", "boundaries")
        plot_lines(opinions, ax=lines).set_title(f"{name}: {count}")
        plot_mean(opinions, ax=mean).set_title(f"{name}: mean probability")
        plot_spread(opinions, ax=spread).set_title(f"{name}: spread")
    for ax in panels.flat:
        ax.set(xlabel="x1", ylabel="x2")
        ax.label_outer()
    for ax, label in (
        (panels[:, 1], f"probability of {class_names[1]}"),
        (panels[:, 2], "standard deviation of the probability"),
    ):
        figure.colorbar(ax[0].collections[0], ax=ax, label=label, fraction=0.05, aspect=40)
    return figure


def _draw_boundary(ax, opinions, heights, **style):
    if heights.min() < 0 < heights.max():
        ax.contour(opinions.xs, opinions.ys, heights, levels=[0], colors="black", **style)


def _framed(ax, opinions):
    ax.set(xlim=opinions.xs[[0, -1]], ylim=opinions.ys[[0, -1]], aspect="equal")
    return ax
