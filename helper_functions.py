"""Plots for classifiers on the plane. The one file can be copied: numpy, torch, matplotlib suffice.

    from helper_functions import plot_decision_boundary
    plot_decision_boundary(model, X, y)

Run as a script it draws the boundaries of models that train.py has saved:

    python helper_functions.py outputs/circle_model_v*.safetensors
"""

if __name__ == "__main__":
    import support.program  # noqa: F401 - Ctrl-C ends it with a sentence, even while it loads

import sys
import warnings
from contextlib import contextmanager, nullcontext, suppress
from functools import partial
from itertools import pairwise
from numbers import Integral, Real
from typing import NamedTuple

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.colors import (
    Colormap,
    ListedColormap,
    NoNorm,
    TwoSlopeNorm,
    to_rgb,
)
from matplotlib.figure import Figure, FigureBase
from matplotlib.lines import Line2D
from matplotlib.transforms import IdentityTransform
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
POINTS = {"markeredgecolor": "white"}
CONTOUR_POINTS = 501  # lines are traced on at most this many points an axis: finer isn't seen
SMALL_WORK = 10**8  # multiplications
MAX_LABELS = 1000  # a model that returns more different labels is no classifier
MAX_NAME = 40  # characters of a name that are drawn
PALE, PALE_OF_MANY = 0.25, 0.75  # the share of its colour that a class keeps where it's faded most
SUM_SLACK = 0.01  # what probabilities' sum may differ from 1, in 16 bits
OPERATIONS = {  # what their results are
    **dict.fromkeys(("sigmoid", "special_expit", "softmax"), "probabilities"),
    **dict.fromkeys(("linear", "addmm", "matmul", "mm", "mv", "bmm", "log_softmax"), "logits"),
}
COPIES = ("to", "to_copy", "clone")
MEANINGS = ("logits", "probabilities", "labels", "scores")


def plot_predictions(
    train_data, train_labels, test_data, test_labels, predictions=None, *, ax=None
):
    """Plot a train and a test set and, where `predictions` for the test set are given, those too.

    Data of shape (n,) or (n, 1) is drawn against its labels. Data of shape (n, 2) is drawn in the
    plane, its classes by colour and marker, and a ring marks each test point whose predicted label
    is wrong. Labels and predictions have shape (n,) or (n, 1). The columns of a DataFrame name the
    axes. Returns the Axes; a ValueError tells of shapes that don't fit and of predictions in the
    plane that aren't labels.
    """
    names = [*_columns(train_data), *_columns(train_labels)]
    train_data, test_data = _to_numpy(train_data), _to_numpy(test_data)
    on_a_line = all(data.ndim == 1 or data.shape[1:] == (1,) for data in (train_data, test_data))
    if on_a_line:
        train_data, test_data = train_data.reshape(-1), test_data.reshape(-1)
    else:
        train_data, test_data = _points("train_data", train_data), _points("test_data", test_data)
    train_labels = _labels("train_labels", train_labels, len(train_data))
    test_labels = _labels("test_labels", test_labels, len(test_data))
    classes = _sorted("labels", {*train_labels.tolist(), *test_labels.tolist()})
    if predictions is not None:
        predictions = _labels("predictions", predictions, len(test_data))
        unknown = [label for label in predictions.tolist() if label not in classes]
        if unknown and not on_a_line:
            raise ValueError(f"predictions must be labels, of {classes}; got {unknown[0]}.")
    ax = _axes(ax)

    if on_a_line:
        ax.plot(train_data, train_labels, "o", color="#0072B2", ms=4, label="train")
        ax.plot(test_data, test_labels, "s", color="#009E73", ms=4, label="test")
        if predictions is not None:
            ax.plot(test_data, predictions, "^", color="#D55E00", ms=4, label="predictions")
    else:
        texts, colors = dict(enumerate(map(str, classes))), _class_colors(None, len(classes))
        for points, labels, name, alpha in (
            (train_data, train_labels, "train", 0.25),
            (test_data, test_labels, "test", 1.0),
        ):
            index = np.searchsorted(classes, labels)
            _draw_points(ax, points, index, texts, colors, prefix=name, alpha=alpha)
        if predictions is not None:
            _ring(ax, test_data, predictions != test_labels)
    _name_axes(ax, names)
    _draw_legend(ax, len(train_data) + len(test_data))
    return ax


def plot_loss_curves(history, *, axes=None):
    """Plot the losses and the accuracies of a history side by side.

    `history` maps train_loss, test_loss, train_acc and test_acc (fractions) to lists of one length,
    of numbers or tensors, and may have their epochs under epoch. `axes` is a pair of Axes, by
    default two new ones in the current figure. Returns the pair.
    """
    keys = ("train_loss", "test_loss", "train_acc", "test_acc")
    missing = [key for key in keys if key not in history]
    if missing:
        raise ValueError(f"history must have the keys {', '.join(keys)}; it has no {missing[0]}.")
    keys = [key for key in (*keys, "epoch") if key in history]
    lengths = {_length(history[key]) for key in keys}
    if len(lengths) > 1 or None in lengths:
        got = ", ".join("no list" if n is None else f"{n}" for n in lengths)
        raise ValueError(f"history must have lists of one length; got {got}.")
    curves = {key: [float(_to_numpy(value)) for value in history[key]] for key in keys}
    axes = plt.gcf().subplots(1, 2) if axes is None else axes
    epochs = curves.get("epoch", range(1, len(curves["train_loss"]) + 1))
    marker = "o" if len(epochs) == 1 else ""  # there is no line through one point
    for ax, kind, name in zip(axes, ("loss", "acc"), ("loss", "accuracy"), strict=True):
        style = dict(marker=marker, color="#0072B2", label="train")
        ax.plot(epochs, curves[f"train_{kind}"], **style)
        style = dict(marker=marker, color="#D55E00", label="test")
        ax.plot(epochs, curves[f"test_{kind}"], "--", **style)
        ax.set(xlabel="epoch", ylabel=name)
        ax.legend()
    if max([*curves["train_acc"], *curves["test_acc"]], default=0) <= 1:
        axes[1].set_ylim(-0.02, 1.02)
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
    share of the largest lead in the plane; labels don't fade. What is nan is left blank.

    model: an `nn.Module` from points (n, d) to logits, probabilities or labels, on any device and
        of any floating dtype; or an estimator with `predict` (and `predict_proba` or
        `decision_function`, which shade its regions); or a function from points, of X's kind
        (tensors, DataFrames, else arrays), to what a module returns.
    X: points of shape (n, 2): tensor, array, list or DataFrame (its columns name the axes); or of
        shape (n, d), with `features`.
    y: labels of shape (n,) or (n, 1). None draws no points.
    ax: the Axes to draw on; by default pyplot's current one. Its axes may be logarithmic.
    grid_resolution: grid points along each axis.
    cmap: a colormap (or its name) for the probability, with its ends as the classes' colours; with
        more classes, one that their colours are taken from; or a list with a colour for each class.
    alpha: opacity of the background, from 0 to 1.
    xlim, ylim: (low, high) of the plane, in X's units; by default X's range and 5 % around it.
    title: of the Axes.
    legend: whether to name the classes in a legend.
    class_names: a name for each class: a list in the order of the classes, or a dict from label to
        name; by default the labels are. Classes come in the order of the estimator's `classes_`,
        else of those class_names that are y's labels, else of a Categorical's categories, else of
        the labels: 0 to k - 1 as they are, or k different ones, sorted. Text is matched by its
        text wherever it stands, and what can't be matched is an error.
    training: draw with every submodule in train mode (Dropout drops, BatchNorm uses the statistics
        of the points that it is given at a time) rather than in eval mode.
    returns: what the model returns: "logits" (n,), (n, 1) or (n, k); "probabilities" of those
        shapes, of exclusive classes; "labels" (n,) or (n, 1); or "scores" like logits, but without
        a unit. By default what it is decides: the method, the last operation (sigmoid, softmax),
        the dtype, the range and the sums; a warning tells of what is merely likely.
    features: the two columns of X that are the axes, by number or by name.
    at: where the other features stand: a dict from feature to value, or a point (d,); by default at
        the means of X. The points are drawn wherever they stand.
    line, points: styles of the boundaries and of the points, as dicts of matplotlib's properties
        of lines; None leaves them out.
    mark_errors: whether to ring the points whose predicted class isn't y's.

    Returns the Axes. With two classes `plt.colorbar(ax.images[-1])` shows the scale. The model is
    left as it was: device, modes, weights, buffers and gradients, and so is torch's random state.
    An error that the model raises comes through as it is; other bad input is a ValueError or a
    TypeError, and nothing is drawn.
    """
    given = _existing_axes(ax)
    plane = _read_plane(X, y, features, at, grid_resolution, xlim, ylim, given)
    asked = _Asked(model, X, returns, training)
    surface = _predict_grid(asked, plane, class_names)
    colors = _class_colors(cmap, len(surface.classes))
    index, names = _number_labels(plane.labels, surface, class_names)
    if not (isinstance(alpha, Real) and 0 <= alpha <= 1):
        raise ValueError(f"alpha must be a number from 0 to 1; got {alpha!r}.")
    _check_style("line", line, LineCollection([]))
    _check_style("points", points, Line2D([], []))
    if mark_errors:
        if index is None:
            raise ValueError("mark_errors needs y, the labels of X.")
        wrong = index != _predict_points(asked, plane, surface)

    ax = _axes(ax)
    _draw_surface(ax, plane, surface, colors, cmap, alpha, line)
    drawn = plane.points[:, plane.pair]
    if points is not None:
        _draw_points(ax, drawn, index, names, colors, points)
    if mark_errors:
        _ring(ax, drawn, wrong)
    if legend:
        _draw_legend(ax, len(drawn))
    if title is not None:
        ax.set_title(title)
    _name_axes(ax, plane.names)
    return ax


class _ShownOnce(Figure):
    """A figure that a notebook shows once: as pyplot's at the cell's end, else as a value."""

    def _ipython_display_(self):
        inline = "inline" in mpl.get_backend() and plt.fignum_exists(self.number)
        if not (inline and plt.figure(self.number) is self):
            raise NotImplementedError  # IPython then shows it as any figure


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
    title: of the figure.
    The others: as for `plot_decision_boundary`.

    Returns the Figure. The model is left as it was, with no hook of ours on it. Errors are those of
    `plot_decision_boundary`, and a ValueError for a model without hidden `nn.Linear` layers.
    """
    if not isinstance(model, torch.nn.Module):
        raise TypeError(f"model must be an nn.Module; got an object of type {_type(model)}.")
    model = getattr(model, "_orig_mod", model)  # torch.compile's would not call our hooks
    _check_whole("max_units", max_units, 1)
    if figure is not None and not isinstance(figure, FigureBase):
        raise TypeError(f"figure must be a Figure or SubFigure; got one of type {_type(figure)}.")
    plane = _read_plane(X, y, features, at, grid_resolution, xlim, ylim)
    asked = _Asked(model, X, returns, training)
    with _recorded_layers(model, max_units) as calls:
        surface = _predict_grid(asked, plane, class_names)
    rows = np.argsort(_spread(len(plane.ys)))
    layers = _hidden_layers(calls, (len(plane.ys), len(plane.xs)), rows)
    index, names = _number_labels(plane.labels, surface, class_names)
    colors = _class_colors(None, len(surface.classes))
    cmap = cmap if isinstance(cmap, Colormap) else _colormap(cmap)
    points = plane.points[:, plane.pair]

    columns = min(8, max(len(layer.units) for layer in layers))
    rows = [-(-len(layer.units) // columns) for layer in layers]
    if figure is None:
        size = 1.25 * columns + 6, max(1.45 * sum(rows) + 0.7, 4.5)
        figure = plt.figure(figsize=size, FigureClass=_ShownOnce)
    grid = figure.add_gridspec(
        sum(rows),
        columns + 3,  # a scale, a gap and the output stand to the right of the units
        width_ratios=[1] * columns + [0.12, 0.5, 3.6],
        left=0.015,
        right=0.985,
        bottom=0.07,
        top=0.88 if title else 0.93,
        wspace=0.12,
        hspace=0.32,
    )
    top = 0
    for number, (layer, height) in enumerate(zip(layers, rows, strict=True), 1):
        scale = max(np.abs([unit.activation for unit in layer.units]).max(), 1e-12)
        for i, unit in enumerate(layer.units):
            ax = figure.add_subplot(grid[top + i // columns, i % columns])
            style = dict(cmap=cmap, vmin=-scale, vmax=scale)
            image = _draw_image(ax, plane, unit.activation, **style)
            _draw_contour(ax, plane, unit.switch, LINE | {"linewidth": 1.2})
            _draw_points(ax, points, index, names, colors, size=1, alpha=0.35)
            ax.set(xticks=[], yticks=[], box_aspect=1)
            ax.set_title(f"layer {number}, unit {i + 1}", fontsize=8, pad=3)
            if not unit.activation.any():
                ax.text(0.5, 0.5, "off", transform=ax.transAxes, ha="center", va="center")
            if i % columns == 0:
                start_of_row = ax
        if layer.width > max_units:
            note = f"layer {number} has {layer.width - max_units} more units, which are not shown"
            start_of_row.annotate(note, (0, -0.05), xycoords="axes fraction", va="top", fontsize=8)
        bar = figure.add_subplot(grid[top : top + height, columns])
        figure.colorbar(image, cax=bar)
        if min(unit.activation.min() for unit in layer.units) >= 0:
            bar.set_ylim(0, scale)  # after ReLU there is nothing below
        bar.tick_params(labelsize=7, length=2, pad=1)
        top += height

    ax = figure.add_subplot(grid[:, -1], title="output: decision boundary", box_aspect=1)
    _draw_surface(ax, plane, surface, colors)
    _draw_points(ax, points, index, names, colors)
    _draw_legend(ax, len(points))
    if title is not None:
        figure.suptitle(title)
    return figure


# Asking the model


class _Surface(NamedTuple):
    """What a model predicts on a grid: arrays of shape (rows, columns)."""

    predicted: np.ndarray  # the number of the predicted class
    lead: np.ndarray  # its probability minus the runner-up's: 1 is certain, 0 is a boundary;
    # with two classes that of class 1 minus that of class 0, from -1 to 1; nan is no answer
    height: np.ndarray  # the lead in the model's own scores, which is straighter near a boundary
    classes: list  # the labels in the order of their numbers
    middle: float  # with two classes the probability of class 1 where the boundary is


def _predict_grid(asked, plane, class_names=None):
    """Ask the model about every point of a grid, and warn of what is merely likely."""
    rows = _spread(len(plane.ys))
    place, back = partial(_grid_points, plane, plane.ys[rows]), np.argsort(rows)
    labels, winner, lead, height = (
        None if answers is None else answers.reshape(len(rows), -1)[back]
        for answers in asked.about(place, len(plane.xs) * len(rows), plane.labels)
    )
    classes = _class_order(asked, plane, class_names)
    predicted, middle = winner if labels is None else _numbers(asked.seen, classes)[labels], 0.5
    if winner is None:
        lead = height = np.ones(predicted.shape, np.float32)
    elif labels is not None and len(classes) > 2:
        lead, height = (np.where(winner == predicted, values, 0) for values in (lead, height))
    if np.isnan(height).all():
        raise ValueError("model must return numbers; got nan for all of the plane.")
    if labels is not None and len(classes) == 2:
        threshold = None if winner is None else _threshold(height, predicted)
        if threshold is None:  # the labels are all that is known
            lead = height = 2 * predicted.astype(np.float32) - 1
        elif threshold:
            middle = 0.5 + _lead(torch.tensor(threshold), asked.scale).item() / 2
            height = height - threshold
    if asked.scale == "scores":
        lead, middle = height / max(*map(abs, _range(height)), 1e-30), 0.5
    for doubt in asked.doubts:
        warnings.warn(f"{doubt} The argument `returns` settles it.", stacklevel=3)
    step = _contour_step(plane.xs)  # the lines need no more of the heights
    height = height[::step, ::step].clip(-1e9, 1e9)
    return _Surface(predicted, lead, height, classes, middle)


def _predict_points(asked, plane, surface):
    """Return the number of the class that the model predicts for each point of X."""
    labels, winner, *_ = asked.about(plane.points.__getitem__, len(plane.points))
    return winner if labels is None else _numbers(asked.seen, surface.classes)[labels]


def _spread(count):
    """Return the numbers below `count` in an order of which any beginning is spread over all."""
    return np.argsort(np.arange(count) * 0.6180339887 % 1)


def _grid_points(plane, ys, part):
    """Return the points of a grid, of shape (n, d), that a slice of their numbers tells."""
    count = len(plane.xs)
    first, last = part.start // count, -(-part.stop // count)
    points = np.empty((last - first, count, len(plane.at)))
    points[:] = plane.at
    i, j = plane.pair
    points[..., i], points[..., j] = plane.xs, ys[first:last, None]
    skipped = first * count
    return points.reshape(-1, len(plane.at))[part.start - skipped : part.stop - skipped]


@np.errstate(invalid="ignore")
def _range(values):
    """Return the least and the greatest number among values, which may have nan."""
    low = np.fmin.reduce(values, axis=None, initial=np.inf)
    return float(low), float(np.fmax.reduce(values, axis=None, initial=-np.inf))


def _threshold(height, predicted):
    """Return the height with class 0 below and class 1 above it, None if there is no such."""
    (_, low), (high, _) = _range(height[predicted == 0]), _range(height[predicted == 1])
    slack = 1e-6 * max(map(abs, _range(height)))  # of rounding
    if low <= slack and high >= -slack:
        return 0.0
    ends = [end for end in (low, high) if np.isfinite(end)]
    return None if low > high + slack else sum(ends) / len(ends)


class _Asked:
    """A model that is asked about points, and what its answers mean.

    ways: from a name to a function from points (n, d) to answers.
    meanings: from a name to what these answers are, one of MEANINGS.
    doubts: sentences on meanings that are merely likely.
    seen: the labels that came, each with its place among them.
    scored: the number of classes that have scores, None if there are no scores.
    """

    def __init__(self, model, X, returns, training):
        if returns not in (None, *MEANINGS):
            raise ValueError(f"returns must be one of {', '.join(MEANINGS)}; got {returns!r}.")
        if training and not isinstance(model, torch.nn.Module):
            raise ValueError(f"training needs an nn.Module as model; got {_type(model)}.")
        self.model, self.training = model, training
        self.ways, self.meanings, self.size = _ways_to_ask(model, X, returns)
        self.doubts, self.seen, self.scored = [], {}, None

    @property
    def scale(self):
        """What the answers are that aren't labels."""
        return next((kind for kind in self.meanings.values() if kind != "labels"), None)

    def about(self, place, count, y=None):
        """Ask about `count` points, some at a time so that memory stays small.

        `place` gives the points for a slice of their numbers, y may have labels as the model's.
        Returns four arrays of shape (count,): the place of each point's label, the number of its
        highest score, and this one's lead in probability and in scores. What the model doesn't
        tell is None.
        """
        labels, ranks = None, [None] * 3
        with _borrowed(self.model, self.training), _one_thread_if_small(self.model, count):
            for start in range(0, count, self.size):
                part = slice(start, min(start + self.size, count))
                points = place(part)
                for name, way in self.ways.items():
                    answer = self._answer(name, way, points, y)
                    if self.meanings[name] == "labels":
                        labels = np.empty(count, np.uint16) if labels is None else labels
                        labels[part] = _meet(self.seen, answer)
                        continue
                    self.scored, *ranked = _rank(answer, self.meanings[name])
                    if ranks[0] is None:
                        ranks = [np.empty(count, kind) for kind in (np.uint16, *[np.float32] * 2)]
                    for values, some in zip(ranks, ranked, strict=True):
                        values[part] = some
        return labels, *ranks

    def _answer(self, name, way, points, y):
        """Return an answer as a tensor or an array, and learn what it means."""
        unknown = name not in self.meanings
        with _traced() if unknown else nullcontext() as trace:
            try:
                answer = way(points)
            except Exception as error:
                error.add_note(
                    f"The model raised this when given points of shape {points.shape}, from "
                    f"{points.min(axis=0)} to {points.max(axis=0)}; xlim and ylim can move them."
                )
                raise
        answer = _as_array(answer, len(points))
        if unknown:
            self.meanings[name], doubt = _meaning(answer, name, self.model, trace, y)
            self.doubts += [doubt] if doubt else []
        return answer


def _ways_to_ask(model, X, returns):
    """Return functions that ask a model, what is known of their answers, and points at a time."""
    if isinstance(model, torch.nn.Module):
        tensors = [*model.parameters(), *model.buffers()]
        if any(map(torch.nn.parameter.is_lazy, tensors)):
            raise ValueError("model must know its shapes; call a lazy one on some points first.")
        device, dtype = _device_and_dtype(tensors, X)
        widest = max((max(tensor.shape, default=1) for tensor in tensors), default=1)
        size = max(1, min(2**15, 2**22 // widest))  # small enough for the processor's cache
        ways = {"forward": lambda points: model(torch.from_numpy(points).to(device, dtype))}
        return ways, {"forward": returns} if returns else {}, size
    methods = {} if isinstance(model, type) else _methods(model, returns)
    if methods:
        ways = {
            name: partial(lambda ask, points: ask(_like(X, points, model)), getattr(model, name))
            for name in methods
        }
        return ways, {name: kind for name, kind in methods.items() if kind}, 2**14
    if callable(model) and not isinstance(model, type):
        ways = {"call": lambda points: model(_like(X, points))}
        return ways, {"call": returns} if returns else {}, 2**13
    raise TypeError(
        "model must be an nn.Module, a fitted estimator or a function; "
        f"got an object of type {_type(model)}."
    )


def _methods(model, returns):
    """Return an estimator's methods to ask, each with what it is known to return, or None.

    `predict` has the last word; the other, if there is one, has the scores.
    """
    scoring = {
        None: ("predict_proba", "decision_function"),
        "labels": (),
        "probabilities": ("predict_proba",),
        "logits": ("decision_function",),
        "scores": ("decision_function", "predict_proba"),
    }[returns]
    if _length(getattr(model, "classes_", None)) == 1:
        scoring = ()  # there is nothing to tell apart
    settings = model.get_params() if hasattr(model, "get_params") else {}
    if any(n.endswith("decision_function_shape") and v == "ovo" for n, v in settings.items()):
        scoring = [name for name in scoring if name != "decision_function"]  # of pairs of classes
    scoring = [name for name in scoring if hasattr(model, name)]
    methods = {"predict": None if scoring else returns} if hasattr(model, "predict") else {}
    for name in scoring[:1]:
        methods[name] = returns or ("probabilities" if name == "predict_proba" else "scores")
    return methods


class _Trace(TorchDispatchMode):
    """Knows which operation made a tensor, of those that tell what its values are."""

    def __init__(self):
        super().__init__()
        self.made = []  # kept, so that no other tensor gets their memory

    def __torch_dispatch__(self, operation, types, args=(), kwargs=None):
        output = operation(*args, **(kwargs or {}))
        name = operation.__name__.split(".")[0].strip("_")
        meaning = self.meaning(args[0]) if name in COPIES else OPERATIONS.get(name)
        if meaning is not None:
            self.made = [(output, meaning), *self.made[:7]]
        return output

    def meaning(self, answer):
        """Return what the values of a tensor or an array are, None if that isn't known."""
        if isinstance(answer, torch.Tensor):
            place = answer.untyped_storage().data_ptr()
        else:
            place = np.asarray(answer).__array_interface__["data"][0]
        for tensor, meaning in self.made:
            if tensor.untyped_storage().data_ptr() == place:
                return meaning
        return None


@contextmanager
def _traced():
    """Trace what happens, with compiled code as it was written, so that it is compiled later."""
    compiled = "torch._dynamo" in sys.modules  # which is slow to import
    with torch.compiler.set_stance("force_eager") if compiled else nullcontext(), _Trace() as trace:
        yield trace


def _meaning(answer, name, model, trace, y):
    """Return what an answer is, one of MEANINGS, and a sentence where this is merely likely.

    It is decided by the operation that made it, then by its type, its range and its sums.
    """
    values, made, predicts = _to_numpy(answer), trace.meaning(answer), name == "predict"
    columns = 1 if values.ndim == 1 else values.shape[1]
    regresses = predicts and _is_regressor(model)
    if made == "logits":
        return made, None
    if values.dtype.kind != "f" and columns == 1 and not regresses:
        return "labels", None
    if values.dtype.kind == "f":
        low, high = _range(values)
        inside = low >= 0 and high <= 1
        sums = values.sum(axis=1) if inside and columns > 1 else np.ones(1)
        exclusive = inside and not (abs(sums - 1) > SUM_SLACK).any()
        if made and exclusive:
            return made, None
        if columns == 1 and not regresses and (values == values.round()).all():
            if predicts or {0, 1, *(y or ())}.issuperset(values.ravel().tolist()):
                return "labels", None
            if low >= 0 and high <= MAX_LABELS:
                return "labels", "The model's answers are whole numbers, and are drawn as labels."
        if exclusive:
            doubt = "The model's answers lie from 0 to 1, and are drawn as probabilities."
            return "probabilities", None if predicts else doubt
        if inside and not predicts:
            return "scores", (
                f"The model's {columns} answers for a point lie from 0 to 1, not with the sum 1, "
                "and are drawn as scores of exclusive classes."
            )
        if not predicts:
            return "logits", None
    if columns > 1:
        raise ValueError(
            f"model must give one label for each point; got {columns}. Where a point has several "
            "labels, pass a function that gives one of them."
        )
    raise ValueError(
        f"model must predict labels, or probabilities from 0 to 1; got {values.ravel()[0]}. For a "
        "regressor, pass a function to scores that are 0 on the boundary."
    )


def _is_regressor(model):
    """Whether an estimator says that it predicts numbers, in scikit-learn's old or new way."""
    tags = None
    with suppress(AttributeError):
        tags = model.__sklearn_tags__()
    kinds = getattr(model, "_estimator_type", None), getattr(tags, "estimator_type", None)
    return "regressor" in kinds


def _as_array(answer, count):
    """Return a model's answer as a tensor or an array of shape (n,) or (n, k), n being `count`."""
    if hasattr(answer, "toarray"):  # a sparse matrix of SciPy's
        answer = answer.toarray()
    if not isinstance(answer, torch.Tensor):
        if not (hasattr(answer, "__array__") or isinstance(answer, list)):
            raise TypeError(
                f"model must return a tensor or an array; got {_type(answer)}. Where it returns "
                "more, pass a function that gives the scores alone."
            )
        answer = np.asarray(answer)
    if answer.shape[:1] != (count,) or answer.ndim > 2 or 0 in answer.shape:
        raise ValueError(
            f"model must return shape (n,), (n, 1) or (n, k) for n points; "
            f"got {tuple(answer.shape)} for {count}."
        )
    return answer.detach() if isinstance(answer, torch.Tensor) else answer


def _rank(answer, meaning):
    """Return the number of classes, and each point's likeliest with its two leads, as arrays.

    The leads are in probability and in scores; with two classes those of class 1, so below 0 where
    class 0 is likelier.
    """
    if not isinstance(answer, torch.Tensor):
        answer = torch.from_numpy(np.array(answer, float))
    answer = answer.reshape(len(answer), -1)
    answer = answer if answer.dtype == torch.float64 else answer.float()
    answer = answer.clamp(-1e30, 1e30)  # the difference of two infinite scores would be no number
    if meaning == "probabilities":
        _check_probabilities(answer)
    if answer.shape[1] <= 2:
        # Two logits say as much as their difference: softmax of the two is its sigmoid.
        if answer.shape[1] == 2:
            height = answer[:, 1] - answer[:, 0]
        else:
            height = 2 * answer[:, 0] - 1 if meaning == "probabilities" else answer[:, 0]
        winner, lead = height > 0, _lead(height, meaning)
    else:
        (first, second), (winner, _) = (t.unbind(1) for t in answer.topk(2, dim=1))
        height = lead = first - second
        if meaning == "logits":
            total = answer.logsumexp(1)
            lead = (first - total).exp() - (second - total).exp()
    return max(2, answer.shape[1]), winner.cpu().numpy(), lead.cpu().numpy(), height.cpu().numpy()


def _lead(height, meaning):
    """Return class 1's lead in probability, of two classes."""
    return torch.tanh(height / 2) if meaning == "logits" else height  # 2 sigmoid(h) - 1


def _check_probabilities(answer):
    wrong = ((answer < -1e-6) | (answer > 1 + 1e-6)).any(dim=1)
    if answer.shape[1] > 1:
        wrong |= (answer.sum(dim=1) - 1).abs() > SUM_SLACK
    if wrong.any():
        raise ValueError(
            "model must return probabilities of exclusive classes, from 0 to 1 and with the sum 1; "
            f"got {answer[wrong][0].tolist()}. The argument returns says what else they are."
        )


def _meet(seen, answer):
    """Return labels as their places in `seen`, a dict from label to place, and add the new ones."""
    values = _labels("The model's labels", answer, len(answer)).tolist()
    for label in dict.fromkeys(values):
        seen.setdefault(label, len(seen))
    if len(seen) > MAX_LABELS:
        raise ValueError(
            f"model must return at most {MAX_LABELS} different labels; got more. For a regressor, "
            "pass a function to scores that are 0 on the boundary."
        )
    return np.fromiter(map(seen.__getitem__, values), np.uint16, len(values))


def _device_and_dtype(tensors, X):
    """Return where a module computes and in which dtype, by its first floating tensor."""
    for tensor in tensors:
        if tensor.is_floating_point():
            return tensor.device, tensor.dtype
    device = X.device if isinstance(X, torch.Tensor) else torch.get_default_device()
    return device, torch.get_default_dtype()


def _like(X, points, estimator=None):
    """Return points as the kind of thing that X is; arrays for an estimator without names."""
    if isinstance(X, torch.Tensor):
        dtype = X.dtype if X.is_floating_point() else torch.get_default_dtype()
        points = torch.from_numpy(points).to(dtype)
        return points.to(X.device) if estimator is None else _to_numpy(points)
    fitted_on_array = hasattr(estimator, "n_features_in_") and not hasattr(
        estimator, "feature_names_in_"
    )
    if hasattr(X, "columns") and not fitted_on_array:
        return type(X)(dict(zip(X.columns, points.T, strict=True)))
    return points.astype(np.float32) if getattr(X, "dtype", None) == np.float32 else points


@contextmanager
def _borrowed(model, training):
    """Put a module in eval (or train) mode with autograd off, and leave no trace of it after.

    The flags are set one by one, because `train()` and `eval()` may be overridden to do more.
    Buffers are exchanged for copies, which BatchNorm may then update. `no_grad` rather than
    `inference_mode`: a tensor that the model keeps must still serve in its training later.
    """
    modules = list(model.modules()) if isinstance(model, torch.nn.Module) else []
    before = [(module, module.training, dict(module._buffers.items())) for module in modules]
    buffers = [b for _, _, kept in before for b in kept.values() if b is not None]
    copies = {id(buffer): buffer.detach().clone() for buffer in buffers}  # one if it is shared
    gpus = range(torch.cuda.device_count()) if torch.cuda.is_initialized() else ()
    with torch.random.fork_rng(gpus), torch.no_grad():
        try:
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


@contextmanager
def _one_thread_if_small(model, count):
    """Run a network on one thread where there is little to do for `count` points.

    The steps on a chunk are then so short that waking further threads gains little, and where other
    programs keep the processor busy, waiting for them at every step can take many times as long.
    """
    threads = torch.get_num_threads()
    is_module = isinstance(model, torch.nn.Module)
    small = is_module and count * sum(p.numel() for p in model.parameters()) <= SMALL_WORK
    try:
        if small:
            torch.set_num_threads(1)
        yield
    finally:
        if small:
            torch.set_num_threads(threads)


# Looking inside


class _Unit(NamedTuple):
    """One hidden unit on a grid: arrays of shape (rows, columns)."""

    activation: np.ndarray
    switch: np.ndarray  # its input to the activation function


class _Layer(NamedTuple):
    units: list  # those that are shown
    width: int


class _Call(NamedTuple):
    """What went into a module and came out of it, in chunks of shape (n, units shown)."""

    module: torch.nn.Module
    inputs: list
    outputs: list
    widths: tuple  # of all that went in and came out


PASSIVE = (  # what may stand between a linear layer and its activation function
    torch.nn.Linear,
    torch.nn.BatchNorm1d,
    torch.nn.LayerNorm,
    torch.nn.modules.dropout._DropoutNd,
    torch.nn.Identity,
)


@contextmanager
def _recorded_layers(model, max_units):
    """Record the calls of a model's leaf modules in a list while the context is open."""
    calls, turn = [], 0

    def record(module, inputs, keywords, output):
        nonlocal turn
        tensors = next(iter((*inputs, *keywords.values())), None), output
        if not all(isinstance(t, torch.Tensor) and t.ndim == 2 for t in tensors):
            return
        if turn == len(calls):
            calls.append(_Call(module, [], [], tuple(t.shape[1] for t in tensors)))
        for chunks, tensor in zip((calls[turn].inputs, calls[turn].outputs), tensors, strict=True):
            units = tensor.detach()[:, :max_units]  # to copy: what comes next may write in place
            chunks.append(units.to("cpu", torch.float32, copy=True).numpy())
        turn += 1

    def rewind(module, inputs):
        nonlocal turn
        turn = 0  # the next chunk of the grid begins

    handles = []
    try:
        handles.append(model.register_forward_pre_hook(rewind))
        for module in model.modules():
            if isinstance(module, torch.nn.Linear) or not any(module.children()):
                handles.append(module.register_forward_hook(record, with_kwargs=True))
        yield calls
    finally:
        for handle in handles:
            handle.remove()


def _hidden_layers(calls, shape, rows=slice(None)):
    """Sort recorded calls into layers, one for each nn.Linear but the last.

    `rows` puts the rows of the grid, of that shape, in order.
    """
    starts = [i for i, call in enumerate(calls) if isinstance(call.module, torch.nn.Linear)]
    if len(starts) < 2:
        raise ValueError(
            "model must have a hidden layer, so two nn.Linear that it calls on points (n, features)"
            f"; got {len(starts)}."
        )
    layers = []
    for start, stop in pairwise(starts):
        group = calls[start:stop]
        width = group[0].widths[1]
        last = 0  # from the linear layer to what goes into its activation function
        while last + 1 < len(group) and _follows(group[last + 1], group[last]):
            last += 1
        switch, activation = group[last].outputs, group[-1].outputs
        if calls[stop].widths[0] == width:
            activation = calls[stop].inputs
        grids = (
            np.concatenate(chunks).T.reshape(-1, *shape)[:, rows] for chunks in (activation, switch)
        )
        layers.append(_Layer([_Unit(*grids) for grids in zip(*grids, strict=True)], width))
    return layers


def _follows(call, before):
    """Whether a passive module was given just what the one before it returned."""
    return isinstance(call.module, PASSIVE) and all(
        map(np.array_equal, call.inputs, before.outputs)
    )


# Reading the input


class _Plane(NamedTuple):
    """A grid in the plane of two features, and the points around it."""

    points: np.ndarray  # X, of shape (n, d)
    labels: list | None
    orders: list  # those that a Categorical's labels may be in
    pair: list  # the numbers of the two features
    names: list  # theirs, if they have any
    at: np.ndarray  # (d,): where the other features stand
    xs: np.ndarray
    ys: np.ndarray


def _read_plane(X, y, features, at, grid_resolution, xlim, ylim, ax=None):
    """Check the input and lay the grid, which is even on the scales of `ax`."""
    points, columns = _points("X", X, 2 if features is None else None), _columns(X)
    names = columns or list(range(points.shape[1]))
    pair = [0, 1] if features is None else _feature_numbers("features", features, names)
    if len(set(pair)) != 2 or len(pair) != 2:
        raise ValueError(f"features must be two different columns of X; got {features!r}.")
    where = points.mean(axis=0)
    try:
        if isinstance(at, dict):
            where[_feature_numbers("at", at, names)] = list(at.values())
        elif at is not None:
            where[:] = _to_numpy(at)
    except (TypeError, ValueError) as error:
        raise ValueError(f"at must have a number for each feature; {error}") from error
    if not np.isfinite(where).all():
        raise ValueError(f"at must be finite; got {at!r}.")
    labels = None if y is None else _labels("y", y, len(points)).tolist()
    categories = getattr(getattr(y, "dtype", None), "categories", None)
    orders = [] if categories is None else [list(categories)]
    orders += [[c for c in order if c in set(labels)] for order in orders]
    _check_whole("grid_resolution", grid_resolution, 2)
    axes = (None, None) if ax is None else (ax.xaxis, ax.yaxis)
    grid = (
        _grid_values(name, limits, points[:, i], axis, grid_resolution)
        for name, limits, i, axis in zip(("xlim", "ylim"), (xlim, ylim), pair, axes, strict=True)
    )
    if columns or len(names) > 2:
        names = [f"{names[i]}" if columns else f"feature {i}" for i in pair]
    else:
        names = []
    return _Plane(points, labels, orders, pair, names, where, *grid)


def _columns(data):
    """Return the names of a DataFrame's columns or of a Series as a list, empty for other data."""
    names = getattr(data, "columns", None)
    name = getattr(data, "name", None)
    return list(names) if names is not None else [name] if isinstance(name, str) else []


def _feature_numbers(name, features, columns):
    """Return the numbers of columns that are told by number or by name."""
    try:
        return [columns.index(f) if f in columns else range(len(columns))[f] for f in features]
    except (TypeError, IndexError) as error:
        raise ValueError(f"{name} must have columns of X, {columns}; got {features!r}.") from error


def _grid_values(name, limits, values, axis, count):
    """Return `count` values of an axis, even on its scale, from the one limit to the other."""
    low_and_high = np.array(_limits(name, limits, values, axis))
    scale = _scale(axis)
    return scale.inverted().transform(np.linspace(*scale.transform(low_and_high), count))


def _limits(name, limits, values, axis=None):
    """Return (low, high): as given, or the range of values and 5 % of it on either side."""
    try:
        low, high = map(float, (values.min(), values.max()) if limits is None else limits)
    except (TypeError, ValueError):
        low = high = np.nan
    if limits is not None and not -np.inf < low < high < np.inf:
        raise ValueError(f"{name} must be (low, high) with low below high; got {limits!r}.")
    if axis is not None and (low, high) != tuple(axis.limit_range_for_scale(low, high)):
        raise ValueError(
            f"X and {name} must lie where a {axis.get_scale()} axis does; got {low} to {high}."
        )
    if limits is None:
        low, high = _scale(axis).transform(np.array([low, high]))
        pad = 0.05 * (high - low) or max(1.0, 0.05 * abs(high))
        low, high = _scale(axis).inverted().transform(np.array([low - pad, high + pad]))
    return low, high


def _scale(axis):
    return IdentityTransform() if axis is None else axis.get_transform()


def _axes(ax):
    """Return the Axes to draw on: the given one, or pyplot's current one."""
    return plt.gca() if _existing_axes(ax) is None else _existing_axes(ax)


def _existing_axes(ax):
    """Return the given Axes, or pyplot's current one, or None where there is none yet."""
    if ax is not None and not isinstance(ax, Axes):
        raise TypeError(f"ax must be a matplotlib Axes; got an object of type {_type(ax)}.")
    return plt.gca() if ax is None and plt.get_fignums() and plt.gcf().axes else ax


def _check_whole(name, value, least):
    if not (isinstance(value, Integral) and value >= least):
        raise ValueError(f"{name} must be a whole number, {least} or more; got {value!r}.")


def _type(value):
    return type(value).__name__


def _length(value):
    """Return the length of a value, None if it has none."""
    try:
        return len(value)
    except TypeError:
        return None


def _to_numpy(value):
    if isinstance(value, torch.Tensor):
        value = value.detach().cpu()
        value = value.float().numpy() if value.dtype == torch.bfloat16 else value.numpy()
    return np.asarray(value)


def _points(name, X, width=2):
    """Return points as a float array of shape (n, 2), or (n, d) where width is None."""
    try:
        points = _to_numpy(X)
        if points.dtype.kind == "c":
            raise TypeError("complex numbers aren't points")
        points = points.astype(float)
    except (TypeError, ValueError, RuntimeError) as error:  # the last is torch's, for lists
        raise ValueError(f"{name} must hold numbers in shape (n, 2); {error}.") from error
    fits = points.ndim == 2 and width in (None, points.shape[1]) and points.shape[1] >= 2
    if not fits or len(points) == 0:
        more = " Of more columns `features` takes two." if name == "X" else ""
        raise ValueError(f"{name} must have shape (n, 2), n at least 1; got {points.shape}.{more}")
    finite = np.isfinite(points).all(axis=1)
    if not finite.all():
        row = np.flatnonzero(~finite)[0]
        raise ValueError(f"{name} must be finite; got {points[row].tolist()} in row {row}.")
    return points


def _labels(name, y, count):
    """Return labels as an array of shape (count,)."""
    labels = _to_numpy(y)
    if labels.shape not in ((count,), (count, 1)):
        raise ValueError(
            f"{name} must have shape (n,) or (n, 1) with a label for each of the {count} points; "
            f"got {labels.shape}."
        )
    labels = labels.reshape(-1)
    missing = [label for label in set(labels.tolist()) if label is None or label != label]
    if missing:
        raise ValueError(f"{name} must have no missing labels; got {missing[0]}.")
    return labels


def _sorted(name, labels):
    try:
        return sorted(set(labels))
    except TypeError as error:
        raise ValueError(f"{name} must hold labels of one kind, the model's; {error}.") from error


def _key(label):
    """Return a label's text, which is the same for 1, 1.0, True and "1"."""
    whole = isinstance(label, Real) and float(label).is_integer()
    return str(int(label)) if whole else str(label)


def _class_order(asked, plane, class_names):
    """Return the labels in the order of the classes' numbers."""
    classes, k = getattr(asked.model, "classes_", None), asked.scored
    if classes is not None:
        classes = np.ravel(classes).tolist()
        if k not in (None, len(classes)):
            raise ValueError(
                f"model must give a score for each of its {len(classes)} classes; got {k}."
            )
        return classes
    found = {*asked.seen, *(plane.labels or ())}
    listed = [] if isinstance(class_names, dict | str) or not _length(class_names) else class_names
    for order in (list(listed), *plane.orders, list(range(k or len(listed)))):
        if k in (None, len(order)) and set(map(_key, order)).issuperset(map(_key, found)):
            return order
    if k is None and all(isinstance(label, bool) for label in found):
        return [False, True]
    distinct = _sorted("y", found)
    if k not in (None, len(distinct)):
        raise ValueError(
            f"y must have whole numbers from 0 to {k - 1}, one for each of the model's classes, or "
            f"{k} different labels; got {distinct[0]!r} among {len(distinct)} different."
        )
    return distinct


def _numbers(labels, classes):
    """Return the numbers of the classes of labels."""
    numbers = {_key(label): number for number, label in enumerate(classes)}
    unknown = [label for label in labels if _key(label) not in numbers]
    if unknown:
        known = ", ".join(map(repr, classes))
        raise ValueError(f"y must have the model's classes {known}; got {unknown[0]!r}.")
    return np.array([numbers[_key(label)] for label in labels], np.uint16)


def _number_labels(labels, surface, class_names=None):
    """Return each label's class number as an array, and a dict from class number to its name."""
    classes, listed = surface.classes, not (class_names is None or isinstance(class_names, dict))
    if listed and (isinstance(class_names, str) or _length(class_names) != len(classes)):
        raise ValueError(
            f"class_names must have a name for each of the model's {len(classes)} classes; "
            f"got {class_names!r}."
        )
    if labels is None:
        return None, {}
    distinct, known = _sorted("y", labels), {_key(label) for label in classes}
    keys = [_key(label) for label in distinct]
    if class_names is None:
        names = {_key(label): _legend_name(label) for label in distinct}
    elif not listed:
        names = {_key(label): name for label, name in class_names.items()}
    else:
        names = {_key(name): name for name in class_names}
        if names.keys() >= set(keys) and not known.issuperset(keys):
            classes = list(class_names)  # y has texts, the model their numbers
        elif names.keys() != known and not any(isinstance(label, str) for label in distinct):
            names = {_key(label): name for label, name in zip(classes, class_names, strict=True)}
    numbers = _numbers(distinct, classes)
    if not names.keys() >= set(keys) or (listed and names.keys() != {_key(c) for c in classes}):
        raise ValueError(
            f"class_names must have the labels {', '.join(map(repr, distinct))} themselves, or be "
            f"a dict from label to name; got {class_names!r}."
        )
    number = dict(zip(distinct, numbers.tolist(), strict=True))
    index = np.fromiter(map(number.__getitem__, labels), np.uint16, len(labels))
    return index, {number[c]: _short(names[_key(c)]) for c in distinct}


def _legend_name(label):
    """Return text as it is, and a number as that of a class."""
    if isinstance(label, str):
        return label
    return f"class {label:g}" if isinstance(label, float) else f"class {label}"


def _short(name):
    """Return a name as text of one line, and a long one without its end."""
    name = " ".join(str(name).split())
    return name if len(name) <= MAX_NAME else name[: MAX_NAME - 1] + "…"


# Drawing


def _colormap(name):
    if not isinstance(name, str) or name not in mpl.colormaps:
        raise ValueError(f"cmap must be a colormap that matplotlib has; got {name!r}.")
    return mpl.colormaps[name]


def _class_colors(cmap, n_classes):
    """Return an RGB colour for each class, from a list, a colormap or a colormap's name."""
    if cmap is None:
        if n_classes <= len(CLASS_COLORS):
            return [to_rgb(color) for color in CLASS_COLORS[:n_classes]]
        cmap = "turbo"
    if isinstance(cmap, str | Colormap):
        if isinstance(cmap, str):
            cmap = _colormap(cmap)
        qualitative = n_classes <= cmap.N <= 20
        return [
            c[:3] for c in cmap(range(n_classes) if qualitative else np.linspace(0, 1, n_classes))
        ]
    try:
        return [to_rgb(cmap[number]) for number in range(n_classes)]
    except (TypeError, ValueError, LookupError) as error:
        raise ValueError(
            f"cmap must have a colour for each of the {n_classes} classes; got {cmap!r}."
        ) from error


def _check_style(name, style, artist):
    """Raise an error where a style, unless it's None, doesn't fit an artist of matplotlib's."""
    try:
        artist.set(**({} if style is None else style))
    except (TypeError, ValueError, AttributeError) as error:
        raise ValueError(f"{name} must be a dict of properties, or None; {error}.") from error


def _draw_surface(ax, plane, surface, colors, cmap=None, alpha=0.6, line=LINE):
    """Draw the background and the boundaries: probability for two classes, else faded colours."""
    predicted, lead, height, classes, middle = surface
    pale = PALE if len(classes) <= 5 else PALE_OF_MANY  # faded, no colour may become another's
    shades = np.linspace(pale, 1, min(256, 2**16 // len(classes)))[:, None]
    shades = [1 - shades + shades * np.array(color) for color in colors]
    if len(classes) == 2:
        if not isinstance(cmap, str | Colormap):
            cmap = ListedColormap(np.concatenate([shades[0][::-1], shades[1]]), "probability")
        norm = TwoSlopeNorm(np.clip(middle, 0.001, 0.999), 0, 1)
        _draw_image(ax, plane, 0.5 + lead / 2, cmap=cmap, norm=norm, alpha=alpha)
    else:  # the number of a class's shade for each point
        blank = np.isnan(lead)
        number = predicted * np.uint16(len(shades[0]))
        number += np.uint16((len(shades[0]) - 1) * np.where(blank, 0, lead))
        number = np.ma.masked_where(blank, number) if blank.any() else number
        palette = ListedColormap(np.concatenate(shades))
        _draw_image(ax, plane, number, cmap=palette, norm=NoNorm(), alpha=alpha)
    if line is None:
        return
    step = _contour_step(plane.xs)
    predicted, tiny = predicted[::step, ::step], 1e-9 * max(map(abs, _range(height)))
    for number in np.unique(predicted)[:-1]:  # the last has no other neighbours
        signed = (abs(height) + tiny) * np.where(predicted == number, -1, 1)
        _draw_contour(ax, plane, signed, line)


def _draw_image(ax, plane, values, **style):
    """Draw values on a grid as pixels, each centred on its grid point, on axes of any scale."""
    (left, right), (low, high) = (
        _scale(axis).transform(ends[[0, -1]])
        for axis, ends in ((ax.xaxis, plane.xs), (ax.yaxis, plane.ys))
    )
    across, up = (right - left) / (len(plane.xs) - 1) / 2, (high - low) / (len(plane.ys) - 1) / 2
    ax.set(xlim=plane.xs[[0, -1]], ylim=plane.ys[[0, -1]])
    return ax.imshow(
        values,
        extent=(left - across, right + across, low - up, high + up),
        origin="lower",
        aspect=ax.get_aspect(),
        interpolation="nearest",
        interpolation_stage="data",  # colours only what is seen: faster, and much less memory
        transform=ax.transLimits + ax.transAxes,
        **style,
    )


def _contour_step(xs):
    return -(-len(xs) // CONTOUR_POINTS)


def _draw_contour(ax, plane, values, style):
    """Draw the line where values on the grid pass 0, if they do."""
    low, high = _range(values)
    if low < 0 < high:
        step = _contour_step(plane.xs)
        values = np.ma.masked_invalid(values)
        lines = ax.contour(plane.xs[::step], plane.ys[::step], values, levels=[0])
        lines.set(**style | {"facecolor": "none"})


def _marker_size(count):
    return np.clip(6 * (300 / count) ** 0.25, 1, 6)


def _draw_points(ax, points, index, names, colors, style=POINTS, prefix="", alpha=1.0, size=None):
    """Draw points by class; many points get smaller, and are pixels in a vector file."""
    size = _marker_size(len(points)) if size is None else size
    for number, name in names.items():
        name = f"{prefix} {name}" if prefix or name.startswith("_") else name  # _a is hidden
        (drawn,) = ax.plot(
            *points[index == number].T,
            MARKERS[number % len(MARKERS)],
            color=colors[number],
            ms=size,
            mew=size / 12,
            alpha=alpha,
            label=name,
            rasterized=len(points) > 10_000,
        )
        drawn.set(**style)


def _ring(ax, points, wrong):
    """Draw a ring around wrong points and say how many they are."""
    size, label = 11 / 6 * _marker_size(len(points)), f"wrong: {wrong.sum()} of {len(points)}"
    ax.plot(*points[wrong].T, "o", ms=size, mfc="none", mec="black", label=label)


def _name_axes(ax, names):
    for axis, name in zip((ax.xaxis, ax.yaxis), names, strict=False):
        axis.set_label_text(_short(name))


def _draw_legend(ax, count):
    """Draw a legend of what has a name, in a free place."""
    names = ax.get_legend_handles_labels()[1]
    if names:
        many = len(names) > 10
        ax.legend(
            loc="best" if count <= 100_000 else "upper right",  # to look for the best takes time
            markerscale=6 / _marker_size(count),
            ncols=1 + (len(names) - 1) // 10,
            fontsize="x-small" if many else None,
        )


if __name__ == "__main__":
    from lab.saved_models import main

    main()
