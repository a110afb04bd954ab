"""Plots for classifiers on the plane. The one file can be copied: numpy, torch, matplotlib suffice.

    from helper_functions import plot_decision_boundary
    plot_decision_boundary(model, X, y)

Run as a script it draws the boundaries of models that train.py has saved:

    python helper_functions.py outputs/circle_model_v*.safetensors
"""

if __name__ == "__main__":
    import support.program  # noqa: F401 - Ctrl-C ends it with a sentence, even while it loads

import math
import sys
import warnings
from collections.abc import Mapping
from contextlib import ExitStack, contextmanager, nullcontext, suppress
from functools import partial
from itertools import pairwise
from numbers import Integral, Real
from types import SimpleNamespace

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.collections import Collection
from matplotlib.colors import Colormap, ListedColormap, NoNorm, Normalize, TwoSlopeNorm, to_rgb
from matplotlib.figure import Figure, FigureBase
from matplotlib.image import AxesImage
from matplotlib.lines import Line2D
from matplotlib.markers import MarkerStyle
from matplotlib.transforms import IdentityTransform
from torch import nn
from torch.utils._python_dispatch import TorchDispatchMode

# Okabe and Ito's colours, which colour-blind readers can tell apart, then such as lie far from all
# before them; and a marker for each.
CLASS_COLORS = (
    *("#D55E00", "#0072B2", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#F0E442"),
    *("#BB0099", "#BB0011", "#443311", "#229900", "#332299", "#CCCC99", "#DD77FF", "#770044"),
    *("#667711", "#FF3388", "#FF7766", "#1177FF", "#00DD77", "#00DDEE", "#88DD77", "#333355"),
    *("#882200", "#7777CC", "#005555", "#EEAA55", "#004400", "#77CCBB", "#AA7766"),
)
MARKERS = ("o", "^", "s", "D", "v", "P", "X")
LINE = {"color": "black", "linewidth": 1.5, "zorder": 2.5}  # seen above many points
POINTS = {}  # none that differ from those that a class has
MEANINGS = ("logits", "probabilities", "labels", "scores")
CONTOUR_POINTS = 501  # lines are traced on at most this many points an axis: finer isn't seen
SMALL_WORK = 10**8  # multiplications
MAX_LABELS = 1000  # a model that returns more different labels is no classifier
QUALITATIVE = 20  # colormaps of at most so many colours are lists of them
MAX_NAME = 40  # characters of a name that are drawn
ROUNDING = 1e-6  # what it may add to a probability, or take from a threshold
SUM_SLACK = 0.01  # what probabilities' sum may differ from 1, in 16 bits
MISSING = {"none", "nan", "nat", "<na>"}  # how Python, numpy and pandas write that nothing is there
SAY_RETURNS = "The argument `returns` says what else the answers are."
A_REGRESSOR = "For a regressor, pass a function to scores that are 0 on the boundary."


def plot_predictions(
    train_data, train_labels, test_data, test_labels, predictions=None, *, ax=None
):
    """Plot a train and a test set and, where `predictions` for the test set are given, those too.

    Data of shape (n,) or (n, 1) is drawn against its labels. Data of shape (n, 2) is drawn in the
    plane, its classes by colour and marker, and a ring marks each test point whose predicted label
    is wrong. Labels and predictions have shape (n,) or (n, 1). The columns of a DataFrame name the
    axes of `ax`, by default pyplot's current one. Returns it; a ValueError tells of shapes that
    don't fit, missing labels and predictions in the plane that aren't labels.
    """
    names = _columns(train_data)
    train_data, test_data = _to_numpy(train_data), _to_numpy(test_data)
    on_a_line = all(data.ndim == 1 or data.shape[1:] == (1,) for data in (train_data, test_data))
    if on_a_line:
        train_data, test_data = train_data.reshape(-1), test_data.reshape(-1)
        names = [*(names or [None]), *_columns(train_labels)]
    else:
        train_data, test_data = _points("train_data", train_data), _points("test_data", test_data)
    train_labels = _labels("train_labels", train_labels, len(train_data))
    test_labels = _labels("test_labels", test_labels, len(test_data))
    if predictions is not None:
        predictions = _labels("predictions", predictions, len(test_data))
    if on_a_line:
        ax = _current_axes(ax) or plt.gca()
        ax.plot(train_data, train_labels, "o", color="#0072B2", ms=4, label="train")
        ax.plot(test_data, test_labels, "s", color="#009E73", ms=4, label="test")
        if predictions is not None:
            ax.plot(test_data, predictions, "^", color="#D55E00", ms=4, label="predictions")
    else:
        classes = _sorted("labels", [*train_labels, *test_labels])
        train, test = (_numbers("y", labels, classes) for labels in (train_labels, test_labels))
        if predictions is not None:
            wrong = test != _numbers("predictions must be labels, of", predictions, classes)
        ax = _current_axes(ax) or plt.gca()
        texts, colors = _drawn_names(dict(enumerate(classes))), _class_colors(None, len(classes))
        _draw_points(ax, train_data, train, texts, colors, {"alpha": 0.25}, "train ")
        _draw_points(ax, test_data, test, texts, colors, {}, "test ")
        if predictions is not None:
            _ring(ax, test_data, wrong)
    _name_axes(ax, names)
    _draw_legend(ax, may_grow=True)
    return ax


def plot_loss_curves(history, *, axes=None):
    """Plot the losses and the accuracies of a history side by side.

    `history` maps train_loss, test_loss, train_acc and test_acc (fractions) to lists of one length,
    of numbers or tensors, and may have their epochs under epoch; None and nan are left out. `axes`
    is a pair of Axes, by default two in the current figure or, where it has some, in a new one.
    Returns the pair; a ValueError tells of lists that are missing or don't fit.
    """
    keys = ("train_loss", "test_loss", "train_acc", "test_acc")
    missing = [key for key in keys if key not in history]
    if missing:
        raise ValueError(f"history must have the keys {', '.join(keys)}; it has no {missing[0]}.")
    lengths = {_length(history[key]) for key in (*keys, "epoch") if key in history}
    if len(lengths) > 1 or None in lengths:
        got = ", ".join("no list" if n is None else f"{n}" for n in lengths)
        raise ValueError(f"history must have lists of one length; got {got}.")
    epochs = history["epoch"] if "epoch" in history else range(1, 1 + lengths.pop())
    try:
        epochs, *curves = (
            np.array([_to_numpy(value).astype(float).item() for value in values], float)
            for values in (epochs, *(history[key] for key in keys))
        )
    except (TypeError, ValueError) as error:
        raise _wrong("history must hold numbers", error) from error
    if axes is None:
        figure = plt.figure() if plt.gcf().axes else plt.gcf()
        axes = figure.subplots(1, 2, gridspec_kw={"wspace": 0.3})
    two = np.ravel(axes)
    if [isinstance(ax, Axes) for ax in two] != [True, True]:
        raise _wrong("axes must be two Axes", axes)
    styles = dict(color="0.55", label="train"), dict(color="black", ls="--", label="test")
    for ax, name, pair in zip(two, ("loss", "accuracy"), (curves[:2], curves[2:])):
        for values, style in zip(pair, styles, strict=True):
            known = ~np.isnan(values)
            marker = "o" if known.sum() == 1 else ""  # there is no line through one point
            ax.plot(epochs[known], values[known], marker=marker, **style)
        ax.set(xlabel="epoch", ylabel=name)
        ax.legend()
    if not any((values > 1).any() for values in curves[2:]):
        two[1].set_ylim(-0.02, 1.02)
    return axes


def plot_decision_boundary(
    model,
    X,
    y=None,
    *,
    ax=None,
    grid_resolution=301,
    cmap=None,
    alpha=0.6,
    xlim=None,
    ylim=None,
    title=None,
    legend=True,
    class_names=None,
    training=False,
    returns=None,
    features=None,
    at=None,
    line=LINE,
    points=POINTS,
    mark_errors=False,
):
    """Colour the plane by what a model predicts there, draw its boundaries, and the points on top.

    With two classes the colour is the probability of class 1 on a fixed scale from 0 to 1. With
    more it is the likeliest class's, faded by its lead over the runner-up in probability. The line
    is where the predicted class changes: for an estimator where `predict` does, at whatever
    threshold, else where the two likeliest are equally likely. Scores without a unit fade by their
    share of the largest lead in the plane; labels don't fade. Scores that are nan are left blank.

    model: an `nn.Module` from points (n, d) to logits, probabilities or labels, on any device, of
        any floating dtype; or an estimator with `predict` (`predict_proba` or `decision_function`
        shade its regions); or a function from points of X's kind to what a module returns.
    X: points (n, 2): tensor, array, list or DataFrame (its columns name the axes); or (n, d), with
        `features`, the two columns that are the axes, by number or by name.
    at: where the other features stand: a dict or Series from feature to value, or a point (d,); by
        default at the means of X. The points are drawn wherever they stand.
    y: labels of shape (n,) or (n, 1). None draws no points.
    ax: the Axes to draw on; by default pyplot's current one. Its axes may be logarithmic.
    grid_resolution: grid points along each axis.
    cmap: a colormap (or its name) for the probability, with its ends as the classes' colours; with
        more classes, one that their colours are taken from; or a list with a colour for each class,
        such as a colormap of at most 20 colours is.
    alpha: opacity of the background, from 0 to 1.
    xlim, ylim: (low, high) of the plane, in X's units; by default X's range and 5 % around it.
    title, legend: the title of the Axes, and whether a legend names the classes.
    class_names: a name for each class: a list in the order of the classes, or a dict from label to
        name; by default the labels are. Classes come in the order of the estimator's `classes_`,
        else of those class_names that are y's labels, else of a Categorical's categories, else of
        the labels: 0 to k - 1 as they are, or k different ones, sorted. Text is matched by its
        text wherever it stands, and what can't be matched is an error.
    training: whether every submodule is in train mode (Dropout drops, BatchNorm uses the statistics
        of the points that it is given at a time) rather than in eval mode.
    returns: what the model returns: "logits" or "probabilities" of exclusive classes, (n,), (n, 1)
        or (n, k); "labels", or the numbers of the classes, (n,) or (n, 1); or "scores" like logits,
        but without a unit. By default what it is decides: the method, the last operation (sigmoid,
        softmax), the dtype, the range and the sums; a warning tells of what is merely likely.
        An estimator gives probabilities by `predict_proba`, labels by `predict`, logits or scores
        by `decision_function`.
    line, points: styles of the boundaries and of the points, as dicts of matplotlib's properties
        of lines, for what shall be other than it is; None leaves them out.
    mark_errors: whether to ring the points whose predicted class isn't y's.

    Returns the Axes. With two classes `plt.colorbar(ax.images[-1])` shows the scale. The model is
    left as it was: device, modes, weights, buffers and gradients, and so is torch's random state.
    An error that the model raises comes through as it is; other bad input is a ValueError or a
    TypeError, and nothing is drawn.
    """
    if mark_errors and y is None:
        raise ValueError("mark_errors needs y, the labels of X.")
    ax = _current_axes(ax)
    plane = _Plane(X, y, class_names, features, at, grid_resolution, xlim, ylim, ax)
    asked = _Asked(model, X, plane.labels, returns, training)
    answers = asked.about(plane.part, grid_resolution, grid_resolution)
    of_points = asked.about(plane.points.__getitem__, len(plane.points)) if mark_errors else None
    surface = _Surface(asked, answers, plane)
    index, names = _name_classes(plane, surface)
    colors = _class_colors(cmap, len(surface.classes))
    if not (isinstance(alpha, Real) and 0 <= alpha <= 1):
        raise _wrong("alpha must be a number from 0 to 1", alpha)
    _check_style("line", line, Collection())
    _check_style("points", points, Line2D([], []))

    ax, drawn = ax or plt.gca(), plane.points[: len(index), plane.pair]
    _draw_surface(ax, plane, surface, colors, cmap, alpha, line)
    if points is not None:
        _draw_points(ax, drawn, index, names, colors, points)
    if mark_errors:
        answered = ~np.isnan(of_points.get("height", np.zeros(len(index))))
        wrong = index != asked.predicted(of_points, surface.classes)
        _ring(ax, drawn[answered], wrong[answered])
    if legend:
        _draw_legend(ax)
    if title is not None:
        ax.set_title(title)
    _name_axes(ax, plane.names)
    return ax


def plot_hidden_units(
    model,
    X,
    y=None,
    *,
    figure=None,
    grid_resolution=151,
    cmap="PRGn",
    max_units=16,
    xlim=None,
    ylim=None,
    title=None,
    class_names=None,
    training=False,
    returns=None,
    features=None,
    at=None,
):
    """Show what each hidden unit of a network computes on the plane, and what comes of it.

    A panel for each unit shows its activation, what the next layer is given, in colours that are
    white at 0 and have one scale for a layer. Its line is where the unit switches on: where its
    input to the activation function is 0. The large panel is the output's decision boundary.

    model: an `nn.Module` as for `plot_decision_boundary`, with two or more `nn.Linear` layers. All
        but the last are hidden; they count in the order in which the model calls them.
    figure: the Figure or SubFigure to draw on; by default a new one of pyplot's that fits.
    cmap: a diverging colormap, or its name, for the activations.
    max_units: units of a layer to show at most; the figure says where there are more.
    The others: as for `plot_decision_boundary`.

    Returns the Figure. The model is left as it was, with no hook of ours on it. Errors are those of
    `plot_decision_boundary`, and a ValueError for a model without hidden `nn.Linear` layers.
    """
    if not isinstance(model, nn.Module) or isinstance(model, torch.jit.ScriptModule):
        raise TypeError(f"model must be an nn.Module, no script; got {_type(model)}.")
    if figure is not None and not isinstance(figure, FigureBase):
        raise TypeError(f"figure must be a Figure or SubFigure; got {_type(figure)}.")
    _check_whole("max_units", max_units, 1)
    cmap = _colormap(cmap)
    plane = _Plane(X, y, class_names, features, at, grid_resolution, xlim, ylim)
    model = getattr(model, "_orig_mod", model)  # torch.compile's would not call our hooks
    asked = _Asked(model, X, plane.labels, returns, training)
    with _watched_layers(model, max_units) as asked.layers:
        answers = asked.about(plane.part, grid_resolution, grid_resolution)
        surface = _Surface(asked, answers, plane)
    if len(asked.layers) < 2:
        rule = "model must have a hidden layer, so two nn.Linear that it calls on points (n, d)"
        raise _wrong(rule, len(asked.layers))
    index, names = _name_classes(plane, surface)
    colors = _class_colors(None, len(surface.classes))
    drawn = plane.points[: len(index), plane.pair]

    hidden = asked.layers[:-1]
    shown = [layer.switch.shape[1] for layer in hidden]  # units of each layer
    columns = min(8, max(shown))
    rows = [-(-units // columns) for units in shown]
    if figure is None:
        size = 1.25 * columns + 6, max(1.45 * sum(rows) + 0.7, 4.5)
        figure = plt.figure(figsize=size, FigureClass=_ShownOnce)
    widths = [1] * columns + [0.12, 0.5, 3.6]  # right of the units: their scale, a gap, the output
    edges = dict(left=0.015, right=0.985, bottom=0.07, top=0.88 if title else 0.93)
    gaps = dict(width_ratios=widths, wspace=0.12, hspace=0.32)
    grid = figure.add_gridspec(sum(rows), len(widths), **edges, **gaps)
    for number, layer in enumerate(hidden):
        top, bottom = sum(rows[:number]), sum(rows[: number + 1])
        switches, activations = answers["switch", number], answers["activation", number]
        finite = np.where(np.isfinite(activations), activations, 0)
        scale = max(abs(finite).max(), 1e-12)
        for i in range(shown[number]):
            switch, activation = switches[..., i], activations[..., i]
            ax = figure.add_subplot(grid[top + i // columns, i % columns])
            image = _draw_image(ax, plane, activation, cmap=cmap, norm=Normalize(-scale, scale))
            _draw_contour(ax, plane, switch[plane.traced], {"linewidth": 1.2})
            small = dict(markersize=1, markeredgewidth=1 / 12, alpha=0.35)
            _draw_points(ax, drawn, index, names, colors, small)
            ax.set(xticks=[], yticks=[], box_aspect=1)
            ax.set_title(f"layer {number + 1}, unit {i + 1}", fontsize=8, pad=3)
            if not activation.any():
                ax.text(0.5, 0.5, "off", transform=ax.transAxes, ha="center", va="center")
            if i == (rows[number] - 1) * columns and layer.width > max_units:  # in the last row
                note = f"{layer.width - max_units} more units, which are not shown"
                note = f"layer {number + 1} has {note}"
                ax.annotate(note, (0, -0.05), xycoords="axes fraction", va="top", fontsize=8)
        bar = figure.add_subplot(grid[top:bottom, columns])
        figure.colorbar(image, cax=bar)
        if finite.min() >= 0:
            bar.set_ylim(0, scale)  # after ReLU there is nothing below
        bar.tick_params(labelsize=7, length=2, pad=1)

    ax = figure.add_subplot(grid[:, -1], title="output: decision boundary", box_aspect=1)
    _draw_surface(ax, plane, surface, colors)
    _draw_points(ax, drawn, index, names, colors)
    _draw_legend(ax)
    if title is not None:
        figure.suptitle(title)
    return figure


# Reading the input


class _Plane:
    """A grid in the plane of two features, and the points around it."""

    def __init__(self, X, y, class_names, features, at, grid_resolution, xlim, ylim, ax=None):
        """Check the input and lay the grid, which is even on the scales of `ax`."""
        self.points, columns = _points("X", X, 2 if features is None else None), _columns(X)
        names = columns or list(range(self.points.shape[1]))
        self.pair = [0, 1] if features is None else _feature_numbers("features", features, names)
        if len(self.pair) != 2:
            raise _wrong("features must be two columns of X", features)
        drawn = columns or ([f"feature {i}" for i in names] if len(names) > 2 else [])
        self.names = [f"{drawn[i]}" for i in self.pair if drawn]
        self.at = self.points.mean(axis=0)  # where the other features stand
        chosen, values = range(len(names)), self.at if at is None else at
        if hasattr(at, "items"):  # a dict or a Series
            given = dict(at.items())
            chosen, values = _feature_numbers("at", given, names), [*map(_to_numpy, given.values())]
        try:
            self.at[chosen] = _to_numpy(values).astype(float).reshape(len(chosen))
        except (TypeError, ValueError):
            self.at[0] = np.nan
        if not np.isfinite(self.at).all():
            raise _wrong("at must have a finite number for each feature", at)
        self.labels = None if y is None else _labels("y", y, len(self.points))
        y = y[_columns(y)[0]] if hasattr(y, "columns") else y  # a Series
        order = getattr(getattr(y, "dtype", None), "categories", ())  # of a Categorical
        self.orders = [[*order], [*filter({*(self.labels or ())}.__contains__, order)]]
        self.class_names = _read_names(class_names, self.labels)
        _check_whole("grid_resolution", grid_resolution, 2)
        x, y = self.points[:, self.pair].T
        self.xs = _grid_values("xlim", xlim, x, ax and ax.xaxis, grid_resolution)
        self.ys = _grid_values("ylim", ylim, y, ax and ax.yaxis, grid_resolution)

    def part(self, rows):
        """Return the points (n, d) of a slice of the grid's rows."""
        columns, (i, j) = list(self.at), self.pair
        columns[i], columns[j] = self.xs, self.ys[rows, None]
        return np.stack(np.broadcast_arrays(*columns), axis=-1).reshape(-1, len(columns))

    @property
    def traced(self):
        """The rows and the columns that lines are traced on."""
        return (slice(None, None, -(-len(self.xs) // CONTOUR_POINTS)),) * 2


def _columns(data):
    """Return the names of a DataFrame's columns or of a Series as a list, empty for other data."""
    names = getattr(data, "columns", None)
    name = getattr(data, "name", None) if getattr(data, "ndim", 1) == 1 else None
    return list(names) if names is not None else [name] if isinstance(name, str) else []


def _feature_numbers(name, features, columns):
    """Return the numbers of different columns that are told by name or by number."""
    numbers = {column: i for i, column in enumerate(columns) if columns.count(column) == 1}
    features = features.tolist() if hasattr(features, "tolist") else features
    try:
        if not numbers.keys() >= {*features}:  # whole numbers are places, not names
            numbers |= {i: i % len(columns) for i in range(-len(columns), len(columns))}
        chosen = [numbers[feature] for feature in features]
    except (TypeError, KeyError):
        chosen = None
    if chosen is None or len({*chosen}) < len(chosen):
        raise _wrong(f"{name} must have different columns of X, {_one_line(columns)}", features)
    return chosen


def _grid_values(name, limits, values, axis, count):
    """Return `count` values, even on the scale of an axis, between limits or around values."""
    try:
        low, high = map(float, (values.min(), values.max()) if limits is None else limits)
    except (TypeError, ValueError):
        low = high = np.nan
    if limits is not None and not -np.inf < low < high < np.inf:
        raise _wrong(f"{name} must be (low, high) with low below high", limits)
    if axis is not None and (low, high) != tuple(axis.limit_range_for_scale(low, high)):
        raise _wrong(f"X and {name} must lie where a {axis.get_scale()} axis does", (low, high))
    scale = IdentityTransform() if axis is None else axis.get_transform()
    low, high = scale.transform(np.array([low, high]))
    if limits is None:
        pad = 0.05 * (high - low) or max(1.0, 0.05 * abs(high))
        low, high = low - pad, high + pad
    return scale.inverted().transform(np.linspace(low, high, count))


def _current_axes(ax):
    """Return the given Axes, or pyplot's current one, or None where there is none yet."""
    if ax is not None and not isinstance(ax, Axes):
        raise TypeError(f"ax must be a matplotlib Axes; got {_type(ax)}.")
    ax = plt.gca() if ax is None and plt.get_fignums() and plt.gcf().axes else ax
    if ax is not None and ax.name != "rectilinear":
        raise _wrong("ax must be rectilinear", ax.name)
    return ax


def _points(name, X, width=2):
    """Return points as a float array of shape (n, 2), or (n, d) where width is None."""
    shape = "(n, 2)" if width else "(n, d), or (n, 2) and a function that adds the others"
    points = _read(f"{name} must hold numbers in shape {shape}", X, float)
    fits = points.ndim == 2 and width in (None, points.shape[1]) and points.shape[1] >= 2
    if not fits or len(points) == 0:
        more = "Of more columns `features` takes two." if name == "X" else ""
        raise _wrong(f"{name} must have shape (n, 2), n at least 1", points.shape, more)
    for row in np.flatnonzero(~np.isfinite(points).all(axis=1)):
        raise _wrong(f"{name} must be finite", points[row].tolist(), f"It is in row {row}.")
    return points


def _labels(name, y, count):
    """Return labels as a list."""
    rule = f"{name} must have shape (n,) or (n, 1) with a label for each of the {count} points"
    labels = _read(rule, y)
    if labels.shape not in ((count,), (count, 1)):
        raise _wrong(rule, labels.shape)
    labels = labels.reshape(-1).tolist()
    for label in set(labels):
        if not isinstance(label, str) and str(label).lower() in MISSING:
            raise _wrong(f"{name} must have no missing labels", label)
    return labels


def _read(rule, value, dtype=None):
    """Return a value as an array, or raise an error that tells the rule for it."""
    try:
        array = _to_numpy(value)
        if dtype is float and array.dtype.kind == "c":
            raise TypeError("complex numbers have no place in a plane")
        return np.asarray(array, dtype)
    except (TypeError, ValueError, RuntimeError) as error:  # the last is torch's, for lists
        raise _wrong(rule, error) from error


def _to_numpy(value):
    """Return a value as an array, with nan or None where a masked array has no value."""
    if isinstance(value, np.ma.MaskedArray) and np.ma.is_masked(value):
        return np.where(value.mask, np.nan if value.dtype.kind == "f" else None, value.data)
    if isinstance(value, torch.Tensor):
        value = value.detach().cpu()
        value = value.float().numpy() if value.dtype == torch.bfloat16 else value.numpy()
    return np.asarray(value)


def _length(value):
    """Return the length of a value, None if it has none."""
    try:
        return len(value)
    except TypeError:
        return None


def _check_whole(name, value, least):
    if not (isinstance(value, Integral) and value >= least):
        raise _wrong(f"{name} must be a whole number, {least} or more", value)


def _wrong(rule, value, more=""):
    """Return the error for an argument: its rule, and what came or what another error says."""
    text = str(value).rstrip(".") if isinstance(value, Exception) else f"got {value!r}"
    return ValueError(f"{rule}; {_one_line(text)}. {more}".strip())


def _one_line(value, most=100):
    """Return a value as text of one line, and a long one without its end."""
    text = " ".join(str(value).split())
    return text if len(text) <= most else text[: most - 1] + "…"


def _type(value):
    return f"an object of type {type(value).__name__}"


# Asking the model


class _Surface:
    """What a model's answers about every point of a grid say together, as arrays of its shape."""

    def __init__(self, asked, answers, plane):
        self.classes = _class_order(asked, plane)  # the labels in the order of their numbers
        self.predicted = predicted = asked.predicted(answers, self.classes)  # the class's number
        scale = next((kind for kind in asked.meanings.values() if kind != "labels"), "scores")
        two = len(self.classes) == 2
        shade, height, middle = answers.get("shade"), answers.get("height"), 0.5
        if "label" in answers:
            scored = asked.scored == len(self.classes)
            if scored and not two:
                agree = answers["winner"] == predicted
                shade, height = np.where(agree, shade, 0), np.where(agree, height, 0)
            elif not scored or (threshold := _threshold(height, predicted)) is None:
                scale = "scores"  # labels are all that is known
                height = np.where((predicted == 0) & two, np.float32(-1), 1)
            else:
                height = height - threshold
                middle = _probability(torch.tensor(threshold), scale).item()
        if np.isnan(height).all():
            raise ValueError("model must return numbers; got nan for all of the plane.")
        if scale == "scores":
            shade, middle = height / max(*map(abs, _range(height)), 1e-30), 0.5
            shade = 0.5 + shade / 2 if two else shade
        if two:  # a tie that was predicted as class 0 isn't drawn as class 1
            shade[(predicted == 0) & (shade >= middle)] = np.nextafter(np.float32(middle), 0)
        # With two classes the shade is the probability of class 1, which is `middle` on the
        # boundary; with more it is that of the predicted class minus the runner-up's. The height
        # is the lead in the model's own scores: straighter near a boundary. nan is no answer.
        self.shade, self.height, self.middle = shade, height, middle
        there = predicted[plane.traced][~np.isnan(height[plane.traced])]
        self.present = np.flatnonzero(np.bincount(there)).tolist()  # classes that are predicted


def _threshold(height, predicted):
    """Return the height with class 0 below and class 1 above it, None if there is no such."""
    (_, low), (high, _) = _range(height[predicted == 0]), _range(height[predicted == 1])
    slack = ROUNDING * max(map(abs, _range(height)))
    if low <= slack and high >= -slack:
        return 0.0
    ends = [end for end in (low, high) if np.isfinite(end)]
    return None if low > high + slack else sum(ends) / len(ends)


@np.errstate(invalid="ignore")
def _range(values):
    """Return the least and the greatest number among values, which may have nan."""
    low = np.fmin.reduce(values, axis=None, initial=np.inf)
    return float(low), float(np.fmax.reduce(values, axis=None, initial=-np.inf))


class _Asked:
    """A model that is asked about points, and what its answers mean."""

    def __init__(self, model, X, y, returns, training):
        if returns not in (None, *MEANINGS):
            raise _wrong(f"returns must be one of {', '.join(MEANINGS)}", returns)
        is_module = isinstance(model, nn.Module)
        if training and not is_module:
            raise ValueError(f"training needs an nn.Module as model; got {_type(model)}.")
        tensors = [*model.parameters(), *model.buffers()] if is_module else []
        if any(map(nn.parameter.is_lazy, tensors)):
            raise ValueError("model must know its shapes; call a lazy one on some points first.")
        self.model, self.X, self.y, self.training = model, X, y, training
        classes = getattr(model, "classes_", None)
        self.classes = None if classes is None else np.hstack(classes).tolist()  # in its own order
        self.meanings = _ways_to_ask(model, self.classes, returns)  # None until an answer tells
        self.told = returns is not None
        self.seen = {}  # the labels that came, in that order, as keys
        self.scored = None  # the number of classes that have scores
        self.layers = []  # those of the last call, where they are watched
        widest = max((max(tensor.shape, default=1) for tensor in tensors), default=2**8)
        self.size = max(1, min(2**15, 2**22 // widest))  # points that fit the processor's cache
        here = X if isinstance(X, torch.Tensor) else torch.empty(0)
        tensors += [here, torch.empty(0, device=here.device)]
        self.kin = next(filter(torch.is_floating_point, tensors))  # has device and dtype

    def predicted(self, answers, classes):
        """Return the number of each point's class: its label's, or else the highest score's."""
        if "label" not in answers:
            return answers["winner"]
        orders = (self.classes or [], classes, range(len(classes)))
        known = next((order for order in orders if _keys(order) >= _keys(self.seen)), classes)
        return _numbers("The model's labels must be", self.seen, known)[answers["label"]]

    def about(self, points_of, rows, *columns):
        """Ask about an array of points, some rows at a time so that memory stays small.

        `points_of` returns the points of a slice of the rows. Returns arrays of that shape by name,
        of what the model tells: "label", the place of its label among those seen; "winner", the
        number of its highest score, with its "shade" and its "height" (see _Surface); of watched
        layers the units' values, by ("switch" or "activation", the layer's number).
        """
        answers, chunks = {}, -(-rows // max(1, self.size // math.prod(columns)))
        with _borrowed(self.model, self.training, rows * math.prod(columns)):
            for first in range(chunks):
                part = slice(first, None, chunks)  # spread over all, so the first chunk tells much
                points = points_of(part)
                for name in self.meanings:
                    for kind, values in self._answer(name, points).items():
                        shape = *columns, *values.shape[1:]
                        whole = answers.setdefault(kind, np.empty((rows, *shape), values.dtype))
                        whole[part] = values.reshape(-1, *shape)
        return answers

    def _answer(self, name, points):
        """Ask in one way about some points, and learn what the answer means."""
        unknown = self.meanings[name] is None
        self.layers.clear()
        with _traced() if unknown else nullcontext() as trace:
            try:
                answer = getattr(self.model, name)(self._as_taken(points, name))
            except Exception as error:
                error.add_note(
                    f"The model raised this when given points of shape {points.shape}, from "
                    f"{points.min(axis=0)} to {points.max(axis=0)}; xlim, ylim and at move them."
                )
                raise
        answer = _as_array(answer, len(points))
        if unknown:
            meaning, doubt = _meaning(answer, name, self.model, trace, self.y)
            self.meanings[name] = meaning
            if doubt:  # the caller of the plot is four calls away
                text = f"The model's answers {doubt}, and are drawn as {meaning}."
                warnings.warn(f"{text} The argument `returns` settles it.", stacklevel=4)
        told = _units(self.layers, len(points))
        if self.meanings[name] == "labels":
            if not self.told and (fractions := _fractions(answer)).size:
                rule = "model must return whole numbers everywhere, or nowhere"
                raise _wrong(rule, fractions[0].item(), SAY_RETURNS)
            labels = _labels("The model's labels", answer, len(points))
            self.seen |= dict.fromkeys(labels)
            if len(self.seen) > MAX_LABELS:
                rule = f"model must return at most {MAX_LABELS} different labels"
                raise _wrong(rule, len(self.seen), A_REGRESSOR)
            return told | {"label": _numbers("", labels, self.seen)}
        self.scored = max([2, *answer.shape[1:]])
        return told | _rank(answer, self.meanings[name])

    def _as_taken(self, points, name):
        """Return a copy of points as what the model takes: tensors for a module, else as X is."""
        X, is_module = self.X, isinstance(self.model, nn.Module)
        if is_module or isinstance(X, torch.Tensor):
            points = torch.from_numpy(points).to(self.kin, copy=True)
            return points if name == "__call__" else _to_numpy(points)  # estimators want arrays
        of_array = hasattr(self.model, "n_features_in_")  # unless its features had names
        named = len({*_columns(X)}) == points.shape[1]  # each by a name of its own
        if named and (hasattr(self.model, "feature_names_in_") or not of_array):
            return type(X)(dict(zip(X.columns, points.T, strict=True)))
        return points.astype(np.float32 if getattr(X, "dtype", None) == np.float32 else float)


def _ways_to_ask(model, classes, returns):
    """Return the names of a model's methods to ask, each with what it is known to return, or None.

    An estimator's `predict` has the last word; the other, if there is one, has the scores.
    """
    known = {"predict_proba": "probabilities", "decision_function": "scores"}
    scoring = {
        None: ("predict_proba", "decision_function"),
        "labels": (),
        "probabilities": ("predict_proba",),
        "logits": ("decision_function",),
        "scores": ("decision_function", "predict_proba"),
    }[returns]
    scores = [name for name in scoring if hasattr(model, name)]
    is_estimator = scores or hasattr(model, "predict")
    if isinstance(model, type) or not (is_estimator or callable(model)):
        raise TypeError(
            f"model must be an nn.Module, a fitted estimator or a function; got {_type(model)}."
        )
    if isinstance(model, nn.Module) or not is_estimator:
        return {"__call__": returns}
    if returns and scoring and classes and not scores:
        raise _wrong(f"returns must be what model has, not what {scoring[0]} gives", returns)
    settings = model.get_params() if hasattr(model, "get_params") else {}
    if any(n.endswith("decision_function_shape") and v == "ovo" for n, v in settings.items()):
        scores = [name for name in scores if name != "decision_function"]  # of pairs of classes
    if classes and len(classes) == 1:
        scores = []  # there is nothing to tell apart
    ways = {"predict": None if scores else returns}
    ways = ways if hasattr(model, "predict") or not scores else {}
    return ways | {name: returns or known[name] for name in scores[:1]}


def _as_array(answer, count):
    """Return a model's answer as a tensor or an array of shape (n,) or (n, k), n being `count`."""
    if hasattr(answer, "toarray"):  # a sparse matrix of SciPy's
        answer = answer.toarray()
    if not (hasattr(answer, "__array__") or isinstance(answer, list)):
        raise TypeError(
            f"model must return a tensor or an array; got {_type(answer)}. Where it returns more, "
            "pass a function that gives the scores alone."
        )
    rule = f"model must return shape (n,), (n, 1) or (n, k), n being {count} here"
    answer = answer if isinstance(answer, torch.Tensor) else _read(rule, answer)
    if answer.shape[:1] != (count,) or answer.ndim > 2 or 0 in answer.shape:
        raise _wrong(rule, tuple(answer.shape))
    return answer


def _rank(answer, meaning):
    """Return each point's likeliest class, the "winner", its "shade" and its "height", as arrays.

    The height is its lead in scores; with two classes class 1's, below 0 where 0 is likelier.
    """
    if not isinstance(answer, torch.Tensor):
        answer = torch.from_numpy(np.array(answer, float))
    answer = answer.reshape(len(answer), -1)
    answer = answer if answer.dtype == torch.float64 else answer.float()
    answer = answer.clamp(-1e38, 1e38)  # the difference of two infinite scores would be no number
    count = answer.shape[1]
    if meaning == "probabilities":
        wrong = ((answer < -ROUNDING) | (answer > 1 + ROUNDING)).any(dim=1)
        wrong |= (count > 1) & ((answer.sum(dim=1) - 1).abs() > SUM_SLACK)
        if wrong.any():
            rule = "probabilities of exclusive classes, from 0 to 1 and with the sum 1"
            raise _wrong(f"model must return {rule}", answer[wrong][0].tolist(), SAY_RETURNS)
    if count <= 2:  # softmax of two logits is the sigmoid of their difference
        height = answer[:, 1] - answer[:, 0] if count == 2 else answer[:, 0]
        height = 2 * height - 1 if count == 1 and meaning == "probabilities" else height
        winner, shade = height > 0, _probability(height, meaning)
    else:
        winner = answer.argmax(dim=1)  # of several the first, which topk's need not be
        first, second = answer.topk(2, dim=1).values.unbind(1)
        height = shade = first - second
        if meaning == "logits":
            total = answer.logsumexp(1)
            shade = (first - total).exp() - (second - total).exp()
    winner = winner.cpu().numpy().astype(np.uint16)
    shade, height = (values.float().cpu().numpy() for values in (shade, height))
    return {"winner": winner, "shade": shade, "height": height}


def _probability(height, meaning):
    """Return class 1's probability, of two classes, from its lead in scores."""
    return height.sigmoid() if meaning == "logits" else (1 + height) / 2


@contextmanager
def _borrowed(model, training, count):
    """Put a module in eval (or train) mode with autograd off, and leave no trace of it after.

    The flags are set one by one, because `train()` and `eval()` may be overridden to do more.
    Buffers are exchanged for copies, which BatchNorm may then update. `no_grad` rather than
    `inference_mode`: a tensor that the model keeps must still serve in its training later.

    Where there is little to do for `count` points it has one thread: the steps on a chunk are so
    short that waiting for others gains little, and takes long where the processor is busy.
    """
    modules = model.modules() if isinstance(model, nn.Module) else ()
    modules = [module for module in modules if hasattr(module, "training")]  # frozen ones have none
    before = [(module, module.training, dict(module._buffers.items())) for module in modules]
    buffers = [b for _, _, kept in before for b in kept.values() if b is not None]
    copies = {id(buffer): buffer.detach().clone() for buffer in buffers}  # one if it is shared
    gpus = range(torch.cuda.device_count()) if torch.cuda.is_initialized() else ()
    threads = torch.get_num_threads()
    small = modules and count * sum(p.numel() for p in model.parameters()) <= SMALL_WORK
    with torch.random.fork_rng(gpus), torch.no_grad():
        try:
            if small:
                torch.set_num_threads(1)
            for module, _, kept in before:
                module.training = training
                for name, buffer in kept.items():
                    setattr(module, name, copies.get(id(buffer)))
            yield
        finally:
            for module, mode, kept in before:
                module.training = mode
                for name in module._buffers.keys() - kept.keys():  # made on the way
                    delattr(module, name)
                for name, buffer in kept.items():
                    setattr(module, name, buffer)
            if small:
                torch.set_num_threads(threads)


# What an answer means


OPERATIONS = {  # what their results are
    **dict.fromkeys(("sigmoid", "special_expit", "softmax"), "probabilities"),
    **dict.fromkeys(("linear", "addmm"), "logits"),
    **dict.fromkeys(("matmul", "mm", "mv", "bmm"), "products"),  # logits, or means of probabilities
}
COPIES = ("to", "_to_copy", "clone")


class _Trace(TorchDispatchMode):
    """Knows which operation made a tensor, of those that tell what its values are."""

    def __init__(self):
        super().__init__()
        self.made = []  # kept, so that no other tensor gets their memory

    def __torch_dispatch__(self, operation, types, args=(), kwargs=None):
        output = operation(*args, **(kwargs or {}))
        name = operation.__name__.split(".")[0]
        name = "mm" if name == "linear" and len(args) < 3 else name  # without a bias
        meaning = self.meaning(args[0]) if name in COPIES else OPERATIONS.get(name.strip("_"))
        if meaning is not None or (name.endswith("_") and isinstance(output, torch.Tensor)):
            self.made = [(output, meaning), *self.made[:7]]  # what writes in place makes it anew
        return output

    def meaning(self, answer):
        """Return what the values of a tensor or an array are, None if that isn't known."""
        place = _address(answer)
        return next((meaning for made, meaning in self.made if _address(made) == place), None)


def _address(values):
    if isinstance(values, torch.Tensor):
        strided = values.layout == torch.strided  # others have no such memory
        return values.untyped_storage().data_ptr() if strided else id(values)
    return values.__array_interface__["data"][0]


@contextmanager
def _traced():
    """Trace what happens, with compiled code as it was written, so that it is compiled later."""
    compiled = "torch._dynamo" in sys.modules  # which is slow to import
    with torch.compiler.set_stance("force_eager") if compiled else nullcontext(), _Trace() as trace:
        yield trace


def _meaning(answer, name, model, trace, y):
    """Return what an answer is, one of MEANINGS, and what tells it where this is merely likely.

    It is decided by the operation that made it, then by its type, its range and its sums.
    """
    values, made, predicts = _to_numpy(answer), trace.meaning(answer), name == "predict"
    there, columns = {*(y or ())}, values.size // len(values)
    is_float = values.dtype.kind == "f"
    low, high = _range(values) if is_float else (np.nan, np.nan)
    inside = -ROUNDING * high <= low <= high <= 1 + ROUNDING  # not so where all are nan
    exclusive = inside and (columns == 1 or not (abs(values.sum(axis=1) - 1) > SUM_SLACK).any())
    if made == "products":
        made = None if inside else "logits"
    if exclusive if made == "probabilities" else made and not (exclusive and columns > 1):
        return made, None
    regresses = predicts and _is_regressor(model)
    blank = is_float and np.isnan(values).any() and (inside or low > high)
    if columns == 1 and not (regresses or blank or _fractions(values).size):
        sure = not is_float or predicts or {0, 1, *there}.issuperset(values.ravel().tolist())
        if sure or (low >= 0 and high <= MAX_LABELS):
            return "labels", not sure and "are whole numbers"
    if exclusive:
        sure = predicts and (not regresses or (there and there <= {0, 1}))
        return "probabilities", not sure and "lie from 0 to 1"
    if inside and not predicts:
        doubt = f"{columns} answers for a point lie from 0 to 1, not with the sum 1"
        return "scores", f"aren't exclusive ({doubt})"
    if is_float and not predicts:
        above, below = 0 <= low <= high, low <= high <= 0  # below are logarithms of p, too
        doubtful = above if columns > 1 else (above or below) and len(there) != 1
        return "logits", doubtful and "are all on one side of 0"
    if columns > 1:
        more = "Where a point has several labels, pass a function that gives one of them."
        more = SAY_RETURNS if is_float else f"{SAY_RETURNS} {more}"
        raise _wrong("model must give one label for each point", columns, more)
    rule = "model must predict labels, or probabilities from 0 to 1"
    farthest = values.ravel()[abs(values - 0.5).argmax()].item()
    raise _wrong(rule, farthest, f"{SAY_RETURNS} {A_REGRESSOR}")


def _fractions(values):
    """Return those numbers among values that aren't whole, as an array; nan is none of them."""
    values = _to_numpy(values)
    is_float = values.dtype.kind == "f"
    return values[(values != values.round()) & ~np.isnan(values)] if is_float else values[:0]


def _is_regressor(model):
    """Whether an estimator says that it predicts numbers, in scikit-learn's old or new way."""
    tags = None
    with suppress(AttributeError):
        tags = model.__sklearn_tags__()
    kinds = getattr(model, "_estimator_type", None), getattr(tags, "estimator_type", None)
    return "regressor" in kinds


# The classes and their names


def _class_order(asked, plane):
    """Return the labels in the order of the classes' numbers: the first order that fits all."""
    own, labels = asked.classes, {*(plane.labels or ())}
    there, seen = _keys(labels), _keys(asked.seen)
    k = asked.scored if own is None else len(own)
    if asked.scored not in (None, k) and not seen:
        raise _wrong(f"model must give a score for each of its {k} classes", asked.scored)
    listed = plane.class_names if isinstance(plane.class_names, list) else []
    given, orders = [listed, *plane.orders], [own, listed]
    if own is None:
        numbers = range(k or max(2, len(listed)))
        orders = [*given, numbers, _sorted("y", asked.seen), _sorted("y", labels)]
    for order in orders:
        keys, places = _keys(order), _keys(range(len(order)))
        alike = keys.isdisjoint(seen) and "__call__" in asked.meanings  # no clusters' numbers
        by_number = places >= seen and (order in given or alike)
        if k in (None, len(order)) and keys >= there and (keys >= seen or by_number):
            return list(order)
    if own is not None or seen >= there:
        return own or _sorted("y", asked.seen)
    if seen & there and ("0" in seen) == ("0" in there):  # else one may count from 0, one from 1
        return _sorted("y", labels | {*asked.seen})
    if seen:
        rule = f"y must have labels that the model gives, {_texts(sorted(asked.seen, key=str))}"
        more = "A list class_names of y's labels, in the order of the model's, matches them."
        more = more if _keys(range(len(there))) >= seen else ""
        strange = [label for label in labels if _key(label) not in seen]
        raise _wrong(rule, min(strange, key=str), more)
    rule = f"y must have whole numbers from 0 to {k - 1}, one for each of the model's classes"
    more = f"There are {len(labels)} different."
    raise _wrong(f"{rule}, or {k} different labels", min(labels), more)


def _name_classes(plane, surface):
    """Return the number of each label's class as an array, and a dict from number to name.

    Named are the classes of the labels and, where labels or names are given, of the plane.
    """
    classes, names = surface.classes, plane.class_names
    labels = _sorted("y", plane.labels or ())
    index = _numbers("y must have the model's classes", plane.labels or (), classes)
    there = sorted({*index.tolist(), *(surface.present if labels or names else ())})
    needed = labels or [classes[number] for number in there]
    if isinstance(names, list):
        if len(names) != len(classes):
            rule = f"class_names must have a name for each of the model's {len(classes)} classes"
            raise _wrong(rule, names)
        needed = classes
        texts = any(isinstance(label, str | bytes) for label in classes)
        by_text = texts or _keys(names) >= _keys(classes)
        names = dict(zip(names if by_text else classes, names, strict=True))
    if names and not _keys(names) >= _keys(needed):
        rule = f"class_names must have the labels {_texts(needed)} themselves"
        raise _wrong(f"{rule}, or be a dict from label to name", plane.class_names)
    texts = {}
    for label in (*classes, *labels):  # the labels' own writing, of True and 1
        text = isinstance(label, str | bytes)
        texts[_key(label)] = _key(label) if text else f"class {label}".removesuffix(".0")
    texts |= {_key(label): name for label, name in names.items()}
    return index, _drawn_names({number: texts[_key(classes[number])] for number in there})


def _drawn_names(names):
    """Return a dict's names as they are drawn, with their numbers where they would look alike."""
    texts = {n: _one_line(name, MAX_NAME) or repr(name) for n, name in names.items()}
    alike = len({*texts.values()}) < len(texts)
    return {number: f"{number}: {text}" if alike else text for number, text in texts.items()}


def _read_names(class_names, labels):
    """Return class_names as a list, or as a dict from label to name, empty where there are none."""
    names = {} if class_names is None else class_names
    if isinstance(names, set | str | bytes) or _length(names) is None:
        raise _wrong("class_names must be a list or a dict of names", names)
    named = dict(names.items()) if hasattr(names, "items") else {}  # of a mapping or a Series
    if isinstance(names, Mapping) or (named and _keys(named) >= _keys({*(labels or ())})):
        names = named
    else:
        names = names.tolist() if hasattr(names, "tolist") else [*names]
    texts = [*map(str, names.values() if names is named else names)]
    if len({*texts}) < len(texts):
        raise _wrong("class_names must differ from each other", names)
    return names


def _numbers(rule, labels, classes):
    """Return the number of each label's class as an array."""
    numbers = {_key(label): number for number, label in enumerate(classes)}
    known = {label: numbers.get(_key(label)) for label in dict.fromkeys(labels)}
    if None in known.values():
        unknown = [label for label, number in known.items() if number is None]
        raise _wrong(f"{rule} {_texts(classes)}", min(unknown, key=str))
    return np.fromiter(map(known.__getitem__, labels), np.uint16, len(labels))


def _key(label):
    """Return a label's text, which is the same for 1, 1.0, True, "1" and b"1"."""
    if isinstance(label, bytes):
        return label.decode(errors="replace")
    whole = isinstance(label, Real) and label % 1 == 0
    return str(int(label)) if whole else str(label)


def _keys(labels):
    return {*map(_key, labels)}


def _sorted(name, labels):
    try:
        return sorted(set(labels))
    except TypeError as error:
        raise _wrong(f"{name} must hold labels of one kind", error) from error


def _texts(labels):
    return _one_line(", ".join(map(repr, labels)))


# Looking inside


# What may stand between a linear layer and its activation function:
PASSIVE = (nn.Linear, nn.modules.batchnorm._NormBase, nn.LayerNorm, nn.GroupNorm, nn.RMSNorm)
PASSIVE += (nn.modules.dropout._DropoutNd, nn.Identity)


@contextmanager
def _watched_layers(model, max_units):
    """Watch a model: a list that gets the nn.Linear layers it calls, with what follows them.

    The switch is what goes into the activation function, the activation what comes of it and the
    next layer is given: arrays (points, units) of the first `max_units`. The width counts all.
    Bent is a layer whose activation a module has given or taken.
    """
    layers = []

    def watch(module, inputs, keywords, output):
        given = next(iter((*inputs, *keywords.values())), None)
        if not all(isinstance(t, torch.Tensor) and t.ndim == 2 for t in (given, output)):
            return
        came, went = (  # copies: what comes next may write in place
            t.detach()[:, :max_units].to("cpu", torch.float32, copy=True).numpy()
            for t in (given, output)
        )
        if isinstance(module, nn.Linear):
            if layers and layers[-1].width == given.shape[1]:
                layers[-1].activation = came
            layer = dict(given=given, width=output.shape[1], switch=went, activation=went)
            layers.append(SimpleNamespace(**layer, bent=False))
        elif layers:
            layer = layers[-1]
            passive = isinstance(module, PASSIVE) and np.array_equal(came, layer.switch)
            layer.bent = layer.bent or not passive
            layer.activation = went
            if not layer.bent:
                layer.switch = went

    with ExitStack() as hooks:
        for module in model.modules():
            if isinstance(module, nn.Linear) or not any(module.children()):
                hooks.enter_context(module.register_forward_hook(watch, with_kwargs=True))
        yield layers


def _units(layers, count):
    """Return the values of the hidden layers' units on `count` points, where they are a chain."""
    values = {}
    for i, (layer, following) in enumerate(pairwise(layers)):
        values["switch", i], values["activation", i] = layer.switch, layer.activation
        due, given = (count, layer.width), following.given
        fits = layer.activation.shape == layer.switch.shape and len(layer.switch) == count
        again = any(torch.equal(given, other.given) for other in layers[: i + 1])
        if not fits or (given.shape != due and not layer.bent) or (again and given.any()):
            rule = f"model must call its nn.Linear {i + 2} on the answers {due} of the last"
            got = "the input of another" if again else tuple(given.shape)
            more = "Layers side by side and on parts of others can't be shown."
            raise _wrong(rule, got, more)
    return values


# Drawing


class _ShownOnce(Figure):
    """A figure that a notebook shows once: as pyplot's at the cell's end, else as a value."""

    def _ipython_display_(self):
        inline = "inline" in mpl.get_backend() and plt.fignum_exists(self.number)
        if not (inline and plt.figure(self.number) is self):
            raise NotImplementedError  # IPython then shows it as any figure


def _draw_surface(ax, plane, surface, colors, cmap=None, alpha=0.6, line=LINE):
    """Draw the background and the boundaries: probability for two classes, else faded colours."""
    classes, shade, middle = surface.classes, surface.shade, surface.middle
    pale = min(len(classes), 6) / 8  # faded to this share no colour becomes another's
    shares = np.linspace(pale, 1, min(256, 2**16 // len(classes)))[:, None]
    shades = [1 - shares + shares * np.array(color) for color in colors]
    if len(classes) == 2:
        ramp = ListedColormap(np.concatenate([shades[0][::-1], shades[1]]), "probability")
        continuous = isinstance(cmap, str | Colormap) and _colormap(cmap).N > QUALITATIVE
        even = middle == 0.5
        ends = min(0, middle - 0.001), max(1, middle + 0.001)  # a threshold may be 0 or 1
        norm = Normalize(0, 1) if even else TwoSlopeNorm(middle, *ends)
        cmap = cmap if continuous else ramp
        _draw_image(ax, plane, shade, cmap=cmap, norm=norm, alpha=alpha)
    else:  # the number of a class's shade for each point
        blank = np.isnan(shade)
        number = surface.predicted * np.uint16(len(shares))
        number += np.uint16((len(shares) - 1) * np.where(blank, 0, shade))
        number = np.ma.masked_where(blank, number) if blank.any() else number
        palette = ListedColormap(np.concatenate(shades))
        _draw_image(ax, plane, number, cmap=palette, norm=NoNorm(0, palette.N - 1), alpha=alpha)
    if line is not None:
        predicted, height = surface.predicted[plane.traced], abs(surface.height[plane.traced])
        height += 1e-30  # so that a height of 0 gets a sign, too
        for number in surface.present[:-1]:  # the last has no other neighbours
            _draw_contour(ax, plane, np.where(predicted == number, -height, height), line)


class _GridImage(AxesImage):
    """Values on a grid as pixels, each centred on its grid point, on axes of any scale."""

    def draw(self, renderer):
        self.fit()
        super().draw(renderer)

    def fit(self):
        """Spread the values evenly on the axes' scales, if these have changed."""
        axes = self.axes.xaxis, self.axes.yaxis
        scales = [axis.get_transform() for axis in axes]
        if scales == self.scales:
            return
        self.scales, self._extent, picks = scales, [], []
        bounds = self.axes.set_xbound, self.axes.set_ybound
        for axis, scale, grid, bound in zip(axes, scales, self.grid, bounds, strict=True):
            inside = partial(_is_on_scale, axis, scale)
            low, high = (next(filter(inside, values), np.nan) for values in (grid, grid[::-1]))
            self.set_visible(low < high)
            if not self.get_visible():
                return
            if not all(map(inside, axis.get_view_interval())):
                bound(low, high)
            low, high = scale.transform([low, high])
            even = scale.inverted().transform(np.linspace(low, high, len(grid)))
            picks.append(np.interp(even, grid, np.arange(len(grid))).round().astype(int))
            half = (high - low) / (len(grid) - 1) / 2
            self._extent += [low - half, high + half]
        whole = all(np.array_equal(pick, np.arange(len(pick))) for pick in picks)
        self.set_data(self.values if whole else self.values[np.ix_(*reversed(picks))])
        self.values = self.get_array() if whole else self.values  # never kept twice


def _is_on_scale(axis, scale, value):
    with np.errstate(all="ignore"):
        finite = np.isfinite(scale.transform([value])).all()
    return finite and tuple(axis.limit_range_for_scale(value, value)) == (value, value)


def _draw_image(ax, plane, values, **style):
    ax.set(xbound=plane.xs[[0, -1]], ybound=plane.ys[[0, -1]], autoscale_on=False)
    ax.update_datalim(np.stack([plane.xs[[0, -1]], plane.ys[[0, -1]]], axis=1))
    image = _GridImage(
        ax,
        origin="lower",
        interpolation="nearest",
        interpolation_stage="data",  # colours only what is seen: faster, and much less memory
        transform=ax.transLimits + ax.transAxes,
        **style,
    )
    image.grid, image.values, image.scales = (plane.xs, plane.ys), values, None
    image.fit()
    image.set_clip_path(ax.patch)
    return ax.add_image(image)


def _draw_contour(ax, plane, values, style):
    """Draw the line where values on the traced grid pass 0, if they do."""
    rows, columns = plane.traced
    low, high = _range(values)
    if low < 0 < high:
        lines = ax.contour(plane.xs[columns], plane.ys[rows], values, levels=[0])
        lines.set(**LINE)
        lines.set(**style)
        lines.set_facecolor("none")


def _draw_points(ax, points, index, names, colors, style=POINTS, prefix=""):
    """Draw points by class; many points get smaller, and are pixels in a vector file."""
    size = _marker_size(len(points))
    for number, name in names.items():
        pale = np.dot(colors[number], (0.3, 0.6, 0.1)) > 0.6  # seen on its own region by dark edges
        (drawn,) = ax.plot(
            *points[index == number].T,
            MARKERS[number % len(MARKERS)],
            label=f" {name}" if name.startswith("_") else f"{prefix}{name}",  # _a is hidden
            **dict(color=colors[number], mec="0.2" if pale else "white", ms=size, mew=size / 12),
            rasterized=len(points) > 10_000,
        )
        drawn.set(**style)
        face = mpl.colors.to_rgba(drawn.get_mfc())
        if face[3] == 0 or not MarkerStyle(drawn.get_marker()).is_filled():  # it is all edge
            drawn.set(mec=drawn.get_color(), mew=size / 4)
            drawn.set(**style)


def _marker_size(count):
    return np.clip(6 * (300 / max(count, 1)) ** 0.25, 1, 6)


def _ring(ax, points, wrong):
    """Draw a ring around wrong points, and say how many they are."""
    size, label = 11 / 6 * _marker_size(len(points)), f"wrong: {wrong.sum()} of {len(points)}"
    ax.plot(*points[wrong].T, "o", ms=size, mfc="none", mec="black", label=label)


def _class_colors(cmap, n_classes):
    """Return an RGB colour for each class, from a list, a colormap or a colormap's name."""
    if cmap is None:
        cmap = CLASS_COLORS if n_classes <= len(CLASS_COLORS) else "turbo"
    colors = cmap
    if isinstance(cmap, str | Colormap):
        colors = _colormap(cmap)
        qualitative = n_classes <= colors.N <= QUALITATIVE
        colors = colors(range(n_classes) if qualitative else np.linspace(0, 1, n_classes))[:, :3]
    try:
        colors = [to_rgb(colors[number]) for number in range(n_classes)]
    except (TypeError, ValueError, LookupError):
        colors = []
    if len({*colors}) < min(n_classes, 256):  # more can't be told apart anyway
        raise _wrong(f"cmap must have a colour for each of the {n_classes} classes", cmap)
    return colors


def _colormap(cmap):
    if isinstance(cmap, Colormap):
        return cmap
    if not isinstance(cmap, str) or cmap not in mpl.colormaps:
        raise _wrong("cmap must be a colormap that matplotlib has", cmap)
    return mpl.colormaps[cmap]


def _check_style(name, style, artist):
    """Raise an error where a style, unless it's None, doesn't fit an artist of matplotlib's."""
    try:
        artist.set(**({} if style is None else style))
    except (TypeError, ValueError, AttributeError) as error:
        raise _wrong(f"{name} must be a dict of properties, or None", error) from error


def _name_axes(ax, names):
    names = {number: name for number, name in enumerate(names[:2]) if name is not None}
    for number, name in _drawn_names(names).items():
        (ax.xaxis, ax.yaxis)[number].set_label_text(name)


def _draw_legend(ax, may_grow=False):
    """Draw a legend of what has a name, in a free place.

    Where there is none, axes that `may_grow` get a higher upper limit, so that it is above all.
    """
    names = ax.get_legend_handles_labels()[1]
    if not names:
        return
    style = dict(ncols=1 + (len(names) - 1) // 10, fontsize="x-small" if len(names) > 10 else None)
    points = np.concatenate([np.empty((0, 2)), *(line.get_xydata() for line in ax.lines)])
    place = "best" if len(points) <= 100_000 else "upper right"  # to look for the best takes time
    legend = ax.legend(loc=place, **style)
    for handle in legend.legend_handles:
        if isinstance(handle, Line2D):
            handle.set_markersize(6)
    ax.get_ylim()  # computes the limits
    places = ax.transData.transform(points)
    if may_grow and legend.get_window_extent().count_contains(places):
        legend.set_loc("upper right")
        bottom = ax.transAxes.inverted().transform(legend.get_window_extent().p0)[1]
        top = 0, 1.02 / max(bottom, 0.3)  # where the old limit comes to lie below the legend
        ax.set_ylim(top=(ax.transScale + ax.transLimits).inverted().transform(top)[1])


if __name__ == "__main__":
    from lab.saved_models import main

    main()
