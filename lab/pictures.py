"""The pictures of one run: the models' boundaries among the points, and their learning curves."""

import torch
from matplotlib.figure import Figure

from helper_functions import plot_decision_boundary, plot_loss_curves
from lab.reports import Result
from support.text import percent
from train import Data


def plot_boundaries(results: list[Result], data: Data) -> Figure:
    """Return a figure with a row for each model: its boundary among the train and test points."""
    figure = Figure(figsize=(9.4, 9))
    figure.subplots_adjust(left=0.08, right=0.89, bottom=0.09, top=0.96, wspace=0.06, hspace=0.12)
    panels = figure.subplots(len(results), 2, sharex=True, sharey=True)
    for result, (left, right) in zip(results, panels, strict=True):
        accuracy = result.summary()
        for ax, part, X, y in (
            (left, "train", data.X_train, data.y_train),
            (right, "test", data.X_test, data.y_test),
        ):
            title = f"{result.name}, {part}: {percent(accuracy[f'{part}_accuracy'])} right"
            plot_points_and_boundary(result.model, X, y, data, ax, title=title)
    handles, labels = panels[0, 0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="lower center", ncols=min(len(labels), 6))
    if len(data.class_names) == 2:
        scale = figure.add_axes((0.915, 0.3, 0.02, 0.45))
        label = f"probability of {data.class_names[1]}"
        figure.colorbar(panels[0, 0].images[0], cax=scale, label=label)
    return figure


def plot_points_and_boundary(model, X, y, data: Data, ax, **options) -> None:
    """Draw a model's boundary among points X (n, 2), with the range and the names of the data."""
    plane = plane_around(torch.cat([data.X_train, data.X_test]))
    options = plane | dict(class_names=data.class_names, legend=False) | options
    plot_decision_boundary(model, X, y, ax=ax, **options)
    ax.locator_params(nbins=5)
    if data.feature_names is None:
        ax.set_aspect("equal")
    else:  # in units of their own
        ax.set(xlabel=data.feature_names[0], ylabel=data.feature_names[1])
        ax.label_outer()


def plane_around(points: torch.Tensor) -> dict:
    """Return xlim and ylim of the plane: the range of points (n, 2), and 5 % of it on each side."""
    low, high = points.cpu().double().aminmax(dim=0)
    margin = 0.05 * (high - low)
    margin[margin == 0] = 1.0
    xlim, ylim = torch.stack([low - margin, high + margin], dim=1).tolist()
    return {"xlim": xlim, "ylim": ylim}


def plot_losses(results: list[Result]) -> Figure:
    """Return a figure with a row for each model: its losses and its accuracies."""
    figure = Figure(figsize=(10, 6.5))
    figure.subplots_adjust(left=0.07, right=0.98, bottom=0.08, top=0.95, hspace=0.28)
    panels = figure.subplots(len(results), 2, sharex=True, sharey="col")
    for result, row in zip(results, panels, strict=True):
        plot_loss_curves(result.history, axes=row)
        row[0].set_title(f"{result.name}: loss")
        row[1].set_title(f"{result.name}: accuracy")
    return figure
