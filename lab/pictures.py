"""The pictures of one run: the models' boundaries among the points, and their learning curves.

All are drawn 8.6 inches wide, so that text of 8 points is still read where they are 830 pixels.
"""

import warnings
from contextlib import contextmanager
from math import ceil, log
from textwrap import fill

import torch
from matplotlib import rc_context
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.textpath import text_to_path

from helper_functions import plot_decision_boundary, plot_loss_curves
from lab.reports import Result, kind
from support.text import percent, shortened, single_spaced
from train import Data

NAME = 40  # characters of a name that pictures show


@contextmanager
def text_as_it_is():
    """Draw text as it is: no formulas between dollar signs, no warning of each missing letter."""
    with rc_context({"text.parse_math": False}), warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph .* missing from font")
        yield


def plot_boundaries(results: list[Result], data: Data) -> Figure:
    """Return a figure with a row for each model: its boundary among the train and test points.

    The test points whose predicted class is wrong are ringed.
    """
    layout = "compressed" if data.feature_names is None else "constrained"  # squares, or not
    figure = Figure(figsize=(8.6, 7.8), layout=layout)
    panels = figure.subplots(len(results), 2, sharex=True, sharey=True)
    for result, (left, right) in zip(results, panels, strict=True):
        accuracy = result.summary()
        for ax, part, X, y in (
            (left, "train", data.X_train, data.y_train),
            (right, "test", data.X_test, data.y_test),
        ):
            plot_points_and_boundary(result.model, X, y, data, ax, mark_errors=part == "test")
            share = percent(accuracy[f"{part}_accuracy"])
            ax.set_title(f"{kind(result.model)}, {part}: {share} right", fontsize=10)
    below = name_classes(figure, [*panels.flat], data, wrong=panels[0, 1].lines[-1])
    figure.set_figheight(7.8 + below)
    return figure


def name_classes(figure, panels, data: Data, **others) -> float:
    """Add a legend of the classes and, for two of them, a colorbar; return the legend's inches.

    figure: what has the panels, Axes with boundaries. others: more lines by name.
    """
    lines, names = panels[0].get_legend_handles_labels()
    if len(data.class_names) == 2:
        label = in_lines(f"probability of {shortened(data.class_names[1], NAME)}", 3)
        figure.colorbar(panels[0].images[0], ax=panels, label=label, fraction=0.03, aspect=30)
    return legend_below(figure, [*lines, *others.values()], [*names, *others])


def legend_below(figure, lines, names) -> float:
    """Add a legend below a figure's panels; return how many inches it is high."""
    columns, height = legend_grid(names, figure.bbox.width / figure.dpi)
    legend = figure.legend(lines, names, loc="outside lower center", ncols=columns, fontsize=9)
    for line in legend.get_lines():
        line.set_markersize(max(6, line.get_markersize()))  # many points are small
    return height


def legend_grid(names, inches: float) -> tuple[int, float]:
    """Return the columns that a legend has in a figure of so many inches, and how high it is."""
    widest = max(width(name, 9) for name in names)  # on a screen up to 5 % wider
    columns = max(1, min(6, len(names), int((inches - 0.2) / (1.05 * widest + 0.6))))
    return columns, 0.19 * ceil(len(names) / columns)


def plot_points_and_boundary(model, X, y, data: Data, ax, **options) -> None:
    """Draw a model's boundary among points X (n, 2), with the range and the names of the data."""
    plane = plane_around(torch.cat([data.X_train, data.X_test]))
    options = plane | dict(class_names=data.class_names, legend=False, returns="logits") | options
    plot_decision_boundary(model, X, y, ax=ax, **options)
    ax.locator_params(nbins=5)
    if data.feature_names is None:
        ax.set_aspect("equal")
    else:  # in units of their own
        x, y = (in_lines(shortened(name, NAME), 1.9) for name in data.feature_names)
        ax.set(xlabel=x, ylabel=y)
        ax.label_outer()


def in_lines(text: str, inches: float) -> str:
    """Return a text of 10 points in lines of so many inches at most, which others stand beside."""
    return fill(text, int(inches * min(9.5, len(text) / max(width(text, 10), 0.1))))


def width(text: str, size: float) -> float:
    """Return the inches that a text of a size in points is wide, on one line."""
    text, font = single_spaced(text), FontProperties(size=size)
    return text_to_path.get_text_width_height_descent(text, font, ismath=False)[0] / 72


def plane_around(points: torch.Tensor) -> dict:
    """Return xlim and ylim of the plane: the range of points (n, 2), and 5 % of it on each side."""
    low, high = points.cpu().double().aminmax(dim=0)
    margin = 0.05 * (high - low)
    margin[margin == 0] = 1.0
    xlim, ylim = torch.stack([low - margin, high + margin], dim=1).tolist()
    return {"xlim": xlim, "ylim": ylim}


def plot_losses(results: list[Result]) -> Figure:
    """Return a figure with a row for each model: its losses and its accuracies.

    A line shows the loss of who knows nothing, and holds all classes for equally likely.
    """
    figure = Figure(figsize=(8.6, 6.2), layout="constrained")
    panels = figure.subplots(len(results), 2, sharex=True, sharey="col")
    for result, (loss, accuracy) in zip(results, panels, strict=True):
        plot_loss_curves(result.history, axes=(loss, accuracy))
        classes = max(2, result.model.arguments["out_features"])
        label = f"knows nothing: log {classes}"
        loss.axhline(log(classes), color="#7B3294", ls=":", label=label)
        for ax, what in ((loss, "loss"), (accuracy, "accuracy")):
            ax.get_legend().remove()
            ax.set_title(f"{kind(result.model)}: {what}")
    legend_below(figure, *loss.get_legend_handles_labels())
    return figure
