"""The lessons' pictures, so that their cells show the idea and not the plotting.

Colours mean classes: orange is class 0, the outer circle, and blue is class 1, the inner one. All
else is purple, grey or black, and told apart by its line. None returns what a cell would print.
"""

import matplotlib.pyplot as plt
import numpy as np
import torch

from helper_functions import CLASS_COLORS, MARKERS, plot_decision_boundary
from lab.bent_plane import last_layer_view, plot_bent_plane
from lab.many_boundaries import PROBABILITY
from lab.pieces import boundary_segments, linear_pieces, plot_pieces
from lab.points import draw_points
from lab.sequential import layers_of
from lab.statistics import bootstrap_interval, mean_of, mean_percent  # noqa: F401 - for lessons
from support.text import percent
from train import evaluate

PURPLE, GREY = "#7B3294", "#8c8c8c"
CIRCLES = ("outer circle (0)", "inner circle (1)")
LINES = (  # of things that aren't classes
    dict(color="black", ls="-", marker="o"),
    dict(color=PURPLE, ls="--", marker="D"),
    dict(color=GREY, ls="-", marker="s"),
)


def set_style():
    """Set the size and the resolution of a lesson's pictures, and have torch use one thread.

    One thread is faster than several for networks this small.
    """
    torch.set_num_threads(1)
    plt.rcParams.update(
        {
            "figure.dpi": 110,
            "figure.figsize": (5, 4),
            "legend.framealpha": 0.9,
            "axes.titlesize": "medium",
        }
    )


def plot_points(X, y, *, ax=None, class_names=CIRCLES, **style):
    """Plot points X (n, 2), coloured and marked by their class, y (n, 1).

    class_names: of the legend. style: of the markers. `ax` is by default pyplot's current one.
    """
    ax = plt.gca() if ax is None else ax
    for number, name in enumerate(class_names):
        x1, x2 = X[y.flatten() == number].T
        look = dict(ls="", marker=MARKERS[number], color=CLASS_COLORS[number], ms=4, mec="none")
        ax.plot(x1, x2, label=name, **(look | style))
    ax.set(xlabel="x1", ylabel="x2", aspect="equal")
    ax.legend(loc="center")


def plot_side_by_side(models: dict, X, y, *, class_names=CIRCLES):
    """Draw each model's boundary among points X (n, 2) of classes y (n, 1), with one scale.

    models: networks by the names that they have in the titles.
    """
    figure, panels = _panels(len(models), height=4.6 if len(models) < 3 else 3.9)
    for ax, (name, model) in zip(panels, models.items(), strict=True):
        _, accuracy = evaluate(model, X, y)
        title = f"{name}: {percent(accuracy, digits=1)} right"
        plot_decision_boundary(model, X, ax=ax, title=title, legend=False)
        plot_points(X, y, ax=ax, class_names=class_names, mec="white", mew=0.3)
        ax.get_legend().remove()
        ax.label_outer()
    _one_legend(figure)
    figure.colorbar(panels[0].images[-1], ax=panels, shrink=0.8, label="probability of class 1")


def plot_logit_and_probability(model, X):
    """Draw a model's logit over the plane of points X (n, 2), and its probability beside it."""
    figure, (left, right) = _panels(2, height=4.2)
    x1, x2, grid = _grid(X)
    with torch.inference_mode():
        logit = model(grid)
    for ax, values, levels, cmap, name in (
        (left, logit, [-4, -2, 0, 2, 4], "Greys", "logit"),
        (right, torch.sigmoid(logit), [0.1, 0.5, 0.9], PROBABILITY, "probability of class 1"),
    ):
        heights = values.reshape(len(x2), len(x1)).numpy()
        low, high = (0, 1) if ax is right else (None, None)
        style = dict(cmap=cmap, vmin=low, vmax=high, alpha=0.6, rasterized=True)
        image = ax.pcolormesh(x1, x2, heights, **style)
        widths = [2.2 if level in (0, 0.5) else 0.8 for level in levels]
        lines = ax.contour(x1, x2, heights, levels, colors="black", linewidths=widths)
        lines.set_linestyle("-")
        ax.clabel(lines, fontsize=8)
        ax.set(title=name, xlabel="x1", ylabel="x2", aspect="equal")
        ax.label_outer()
        figure.colorbar(image, ax=ax, shrink=0.8)


def plot_ramps(x, ramps: dict):
    """Draw ramps over x (n,) as thin lines, and their sum as a thick one with its kinks.

    ramps: values (n,) by the names that they have in the legend.
    """
    for (name, values), style in zip(ramps.items(), ("--", "-.", ":"), strict=False):
        plt.plot(x, values, style, color=PURPLE, lw=1.4, zorder=3, label=name)
    total = sum(ramps.values())
    plt.plot(x, total, color="black", lw=4, alpha=0.6, label="sum")
    slopes = total.diff() / x.diff()
    kinks = 1 + torch.nonzero(slopes.diff().abs() > 0.1).flatten()
    plt.plot(x[kinks], total[kinks], "o", color="black", label="kink")
    plt.axhline(0, color=GREY, lw=0.8)
    plt.ylim(-2.2, 2.2)
    plt.gca().set(xlabel="x", ylabel="value")
    plt.legend(loc="upper left", fontsize=8)


def plot_fits(x, curve, fits: dict):
    """Draw a curve over x (n,), and fits of straight pieces to it in panels with shared axes.

    fits: values (n,) by their numbers of ramps.
    """
    figure, panels = _panels(len(fits), height=2.9, square=False)
    for ax, (ramps, fit) in zip(panels, fits.items(), strict=True):
        ax.plot(x, curve, color=GREY, lw=3, alpha=0.6, label="sin(x)")
        ax.plot(x, fit, color=PURPLE, label="sum of ramps")
        error = (fit - curve).abs().max()
        ax.set(title=f"{ramps} ramps: off by {error:.2f} at most", xlabel="x")
    panels[0].set_ylabel("value")
    _one_legend(figure)


def plot_important_units(model, X, y, *, count: int = 4):
    """Draw the hidden units that matter most over the plane of points X (n, 2), layer by layer.

    A unit matters as much as the weights that lead away from it, times how much it varies on the
    points. The darker, the higher is its activation; a black line is where it switches on.
    """
    layers = layers_of(model)
    linear = [i for i, layer in enumerate(layers) if hasattr(layer, "weight")]
    figure, axes = plt.subplots(
        len(linear) - 1, count, figsize=(9.5, 2.9 * (len(linear) - 1)), layout="compressed"
    )
    x1, x2, grid = _grid(X)
    hidden, inputs = X, grid
    for number, row in enumerate(np.atleast_2d(axes)):
        start, stop = linear[number : number + 2]
        with torch.inference_mode():
            before = layers[start](inputs)
            for layer in layers[start:stop]:
                hidden, inputs = layer(hidden), layer(inputs)
            weights = layers[stop].weight.norm(dim=0)
        importance = weights * hidden.std(dim=0)
        for ax, unit in zip(row, importance.argsort(descending=True)[:count], strict=True):
            height, switch = (
                values[:, unit].reshape(len(x2), len(x1)).numpy() for values in (inputs, before)
            )
            ax.pcolormesh(x1, x2, height, cmap="Purples", rasterized=True)
            if switch.min() < 0 < switch.max():
                ax.contour(x1, x2, switch, [0], colors="black")
            draw_points(ax, X, y, CIRCLES, size=2, alpha=0.8)
            ax.set(title=f"layer {number + 1}, unit {unit + 1}", xticks=[], yticks=[])
            ax.set(xlabel="x1", ylabel="x2", aspect="equal")
            ax.label_outer()
    _one_legend(figure)


def plot_bending(model, X, y, *, shares=(0.0, 0.5, 1.0)):
    """Draw the plane and points X (n, 2) on their way to where the last hidden layer has them.

    The model's boundary ends up on a straight line, which is dashed.
    """
    view = last_layer_view(model, X)
    figure, panels = plt.subplots(1, len(shares), figsize=(9.5, 3.9), layout="constrained")
    for ax, share in zip(panels, shares, strict=True):
        plot_bent_plane(view, X, y, ax=ax, share=share, class_names=CIRCLES)
        name = {0: "the plane", 1: "what the last layer sees"}.get(share, "on the way")
        ax.set_title(name)
    panels[0].set(xlabel="x1", ylabel="x2")
    panels[-1].set(xlabel="direction of most spread", ylabel="direction that decides")
    _one_legend(figure)


def plot_networks_pieces(models: dict, X, y):
    """Draw the linear pieces of each ReLU network, its boundary and points X (n, 2).

    models: networks by the names that they have in the titles.
    """
    figure, panels = _panels(len(models), height=4.5)
    for ax, (name, model) in zip(panels, models.items(), strict=True):
        pieces = linear_pieces(model)
        sides = len(boundary_segments(pieces))
        plot_pieces(pieces, ax=ax)
        draw_points(ax, X, y, CIRCLES)
        title = f"{name}\n{len(pieces)} pieces, a boundary of {sides} sides"
        ax.set(title=title, xlabel="x1", ylabel="x2")
        ax.label_outer()
    _one_legend(figure)


def plot_functions_and_slopes(functions: dict, z, slopes: dict):
    """Draw functions of z (n,) in panels with shared axes, and their slopes below.

    functions, slopes: functions from z (n,) to (n,), and their slopes (n,), by their names.
    """
    _, (above, below) = plt.subplots(
        2, len(functions), figsize=(10, 4.2), sharex=True, sharey="row", layout="constrained"
    )
    for (name, function), top, bottom in zip(functions.items(), above, below, strict=True):
        top.plot(z, function(z), color="black", lw=2)
        bottom.plot(z, slopes[name], color=PURPLE, lw=2)
        top.set_title(name)
        bottom.set_xlabel("z")
        for ax in (top, bottom):
            ax.axhline(0, color=GREY, lw=0.8, zorder=0)
            ax.axvline(0, color=GREY, lw=0.8, zorder=0)
    above[0].set(ylabel="value", ylim=(-1.3, 3), xticks=(-4, -2, 0, 2, 4))
    below[0].set_ylabel("slope")


def plot_means(x, runs: dict, *, xlabel: str, ylabel: str, log: bool = False):
    """Draw the mean of many runs at each x (n,), with its 95 % interval as a bar.

    runs: values (n, runs) by the names that they have in the legend, three at most.
    """
    _, ax = plt.subplots()
    for (name, values), style in zip(runs.items(), LINES, strict=False):
        means = np.mean(values, axis=1)
        ends = np.array([bootstrap_interval(row) for row in values]).T
        lengths = np.abs(ends - means)
        ax.errorbar(x, means, lengths, label=name, ms=5, capsize=2, **style)
    ax.set(xlabel=xlabel, ylabel=ylabel, xticks=x)
    if log:
        ax.set_yscale("log")
    ax.legend()


def _panels(count, height, square=True):
    """Return a figure and panels of one row that share their axes."""
    figure, panels = plt.subplots(
        *(1, count),
        figsize=(5 * count if count < 3 else 3.4 * count, height),
        sharex=True,
        sharey=True,
        squeeze=False,
        layout="compressed" if square else "constrained",
    )
    return figure, panels[0]


def _grid(X, points=151):
    """Return the axes of a plane around points X (n, 2), and its grid as points."""
    low, high = X.aminmax(dim=0)
    pad = 0.05 * (high - low)
    x1, x2 = (
        torch.linspace(start.item(), stop.item(), points)
        for start, stop in zip(low - pad, high + pad, strict=True)
    )
    return x1.numpy(), x2.numpy(), torch.cartesian_prod(x2, x1).flip(1)


def _one_legend(figure):
    """Add one legend for all panels below them."""
    handles = figure.axes[0].get_legend_handles_labels()
    figure.legend(*handles, loc="outside lower center", ncols=2)
