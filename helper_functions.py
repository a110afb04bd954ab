"""Plots for classifiers on the plane. The one file can be copied: numpy, torch, matplotlib suffice.

    from helper_functions import plot_decision_boundary
    plot_decision_boundary(model, X, y)

Run as a script it draws the boundaries of models that train.py has saved:

    python helper_functions.py outputs/circle_model_v*.safetensors
"""

if __name__ == "__main__":
    import support.program  # noqa: F401 - Ctrl-C ends it with a sentence, even while it loads

import warnings
from contextlib import contextmanager
from itertools import pairwise
from numbers import Integral, Real
from pathlib import Path
from typing import NamedTuple

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.colors import Colormap, LinearSegmentedColormap, ListedColormap, NoNorm, to_rgb
from matplotlib.figure import Figure, FigureBase

# Okabe and Ito's colours, which colour-blind readers can tell apart, and a marker for each.
CLASS_COLORS = ("#D55E00", "#0072B2", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#F0E442")
MARKERS = ("o", "^", "s", "D", "v", "P", "X")
CONTOUR_POINTS = 501  # lines are traced on at most this many points an axis: finer isn't seen
SMALL_WORK = 10**8  # multiplications
MAX_SAMPLES = 10**7  # to draw with a saved model; a small file must not fill the memory
MAX_LABELS = 1000  # a model that returns more different labels is no classifier


def plot_predictions(
    train_data, train_labels, test_data, test_labels, predictions=None, *, ax=None
):
    """Plot a train and a test set and, where `predictions` for the test set are given, those too.

    Data of shape (n,) or (n, 1) is drawn against its labels. Data of shape (n, 2) is drawn in the
    plane, its classes by colour and marker, and a ring marks each test point whose predicted label
    is wrong. Labels and predictions have shape (n,) or (n, 1). Returns the Axes; a ValueError tells
    of shapes that don't fit and of predictions in the plane that aren't labels.
    """
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
        names, colors = dict(enumerate(classes)), _class_colors(None, len(classes))
        for points, labels, name, alpha in (
            (train_data, train_labels, "train", 0.25),
            (test_data, test_labels, "test", 1.0),
        ):
            index = np.searchsorted(classes, labels)
            _draw_points(ax, points, index, names, colors, name, alpha)
        if predictions is not None:
            wrong = test_data[predictions != test_labels]
            label = f"wrong: {len(wrong)} of {len(test_data)}"
            ax.plot(*wrong.T, "o", ms=11, mfc="none", mec="black", label=label)
    ax.legend(loc="upper right")
    return ax


def plot_loss_curves(history, *, axes=None):
    """Plot the losses and the accuracies of a history side by side.

    `history` maps train_loss, test_loss, train_acc and test_acc (fractions) to lists of one length
    and may have their epochs under epoch. `axes` is a pair of Axes, by default two new ones in the
    current figure. Returns the pair.
    """
    keys = ("train_loss", "test_loss", "train_acc", "test_acc")
    missing = [key for key in keys if key not in history]
    if missing:
        raise ValueError(f"history must have the keys {', '.join(keys)}; it has no {missing[0]}.")
    curves = [history[key] for key in (*keys, "epoch") if key in history]
    lengths = set(map(_length, curves))
    if len(lengths) > 1 or None in lengths:
        got = ", ".join("no list" if n is None else f"{n}" for n in lengths)
        raise ValueError(f"history must have lists of one length; got {got}.")
    axes = plt.gcf().subplots(1, 2) if axes is None else axes
    epochs = history.get("epoch", range(1, len(history["train_loss"]) + 1))
    for ax, kind, name in zip(axes, ("loss", "acc"), ("loss", "accuracy"), strict=True):
        ax.plot(epochs, history[f"train_{kind}"], color="#0072B2", label="train")
        ax.plot(epochs, history[f"test_{kind}"], "--", color="#D55E00", label="test")
        ax.set(xlabel="epoch", ylabel=name)
        ax.legend(loc="best" if kind == "loss" else "lower right")
    if max([*history["train_acc"], *history["test_acc"]], default=0) <= 1:
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
):
    """Colour the plane by what a model predicts there, draw its boundaries, and the points on top.

    With two classes the colour is the probability of class 1 on a fixed scale from 0 to 1, and the
    line lies where it is 0.5. With more it is the likeliest class's, faded by its lead over the
    runner-up in probability, and the lines lie where that lead is 0.

    model: an `nn.Module` that turns points (n, 2) into logits (n,), (n, 1) or (n, k), on any device
        and of any floating dtype (an `nn.Sequential` that ends in Sigmoid or Softmax is taken to
        return probabilities); or an estimator with `predict_proba`, `decision_function` or
        `predict`, the first it has; or a function from points to logits of those shapes, or to
        labels where it returns bools, integers or strings. A function is given points of X's kind:
        tensors, DataFrames, else arrays.
    X: points of shape (n, 2): tensor, array, list or DataFrame (its columns name the axes).
    y: labels of shape (n,) or (n, 1): whole numbers from 0 to k - 1, or k different labels of any
        one kind, which are numbered in their order. None draws no points.
    ax: the Axes to draw on; by default pyplot's current one.
    grid_resolution: grid points along each axis.
    cmap: a colormap (or its name) for the probability, with its ends as the classes' colours; with
        more classes, one that their colours are taken from; or a list with a colour for each class.
    alpha: opacity of the background, from 0 to 1.
    xlim, ylim: (low, high) of the plane, in X's units; by default X's range and 5 % around it.
    title: of the Axes.
    legend: whether to name the classes in a legend.
    class_names: a name for each class, in the order of their numbers; by default the labels are.
    training: draw with every submodule in train mode (Dropout drops, BatchNorm uses the statistics
        of the points that it is given at a time) rather than in eval mode.

    Returns the Axes. With two classes `plt.colorbar(ax.images[-1])` shows the scale. The model is
    left as it was: device, modes, weights, buffers and gradients, and so is torch's random state.
    An error that the model raises comes through as it is; other bad input is a ValueError or a
    TypeError, and nothing is drawn.
    """
    points, labels, xs, ys = _read_input(X, y, grid_resolution, xlim, ylim)
    surface = _predict_grid(model, X, labels, xs, ys, training)
    colors = _class_colors(cmap, surface.n_classes)
    index, names = _number_labels(labels, surface, class_names)
    if not (isinstance(alpha, Real) and 0 <= alpha <= 1):
        raise ValueError(f"alpha must be a number from 0 to 1; got {alpha!r}.")

    ax = _axes(ax)
    _draw_surface(ax, xs, ys, surface, colors, cmap, alpha)
    _draw_points(ax, points, index, names, colors)
    if legend:
        _draw_legend(ax, points, names)
    if title is not None:
        ax.set_title(title)
    if hasattr(X, "columns"):
        ax.set(xlabel=str(X.columns[0]), ylabel=str(X.columns[1]))
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
):
    """Show what each hidden unit of a network computes on the plane, and what comes of it.

    A panel for each unit shows its activation, what the next layer is given, in colours that are
    white at 0 and have one scale for a layer. Its line is where the unit switches on: where its
    input to the activation function is 0. The large panel is the output's decision boundary.

    model: an `nn.Module` as for `plot_decision_boundary`, with two or more `nn.Linear` layers. All
        but the last are hidden; they count in the order in which the model calls them.
    X, y, grid_resolution, xlim, ylim, class_names, training: as for `plot_decision_boundary`.
    figure: the Figure or SubFigure to draw on; by default a new one of pyplot's that fits.
    cmap: a diverging colormap, or its name, for the activations.
    max_units: units of a layer to show at most; the figure says where there are more.
    title: of the figure.

    Returns the Figure. The model is left as it was, with no hook of ours on it. Errors are those of
    `plot_decision_boundary`, and a ValueError for a model without hidden `nn.Linear` layers.
    """
    if not isinstance(model, torch.nn.Module):
        raise TypeError(f"model must be an nn.Module; got an object of type {_type(model)}.")
    model = getattr(model, "_orig_mod", model)  # torch.compile's would not call our hooks
    _check_whole("max_units", max_units, 1)
    if figure is not None and not isinstance(figure, FigureBase):
        raise TypeError(f"figure must be a Figure or SubFigure; got one of type {_type(figure)}.")
    points, labels, xs, ys = _read_input(X, y, grid_resolution, xlim, ylim)
    with _recorded_layers(model, max_units) as calls:
        surface = _predict_grid(model, X, labels, xs, ys, training)
    layers = _hidden_layers(calls, (len(ys), len(xs)))
    index, names = _number_labels(labels, surface, class_names)
    colors = _class_colors(None, surface.n_classes)
    cmap = cmap if isinstance(cmap, Colormap) else _colormap(cmap)

    columns = min(8, max(len(layer.units) for layer in layers))
    rows = [-(-len(layer.units) // columns) for layer in layers]
    if figure is None:
        figure = plt.figure(figsize=(1.25 * columns + 6, max(1.45 * sum(rows) + 0.7, 4.5)))
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
            image = _draw_image(ax, xs, ys, unit.activation, **style)
            _draw_contour(ax, xs, ys, unit.switch, linewidths=1.2)
            _draw_points(ax, points, index, names, colors, size=1, alpha=0.35)
            ax.set(xlim=(xs[0], xs[-1]), ylim=(ys[0], ys[-1]), xticks=[], yticks=[], box_aspect=1)
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
    _draw_surface(ax, xs, ys, surface, colors)
    _draw_points(ax, points, index, names, colors)
    _draw_legend(ax, points, names)
    if title is not None:
        figure.suptitle(title)
    return figure


# Asking the model


class _Surface(NamedTuple):
    """What a model predicts on a grid: arrays of shape (rows, columns)."""

    predicted: np.ndarray  # the number of the likeliest class
    lead: np.ndarray  # its probability minus the runner-up's: 1 is certain, 0 is a boundary;
    # with two classes that of class 1 minus that of class 0, from -1 to 1
    height: np.ndarray  # the lead in the model's own scores, which is straighter near a boundary
    n_classes: int
    classes: list | None  # the labels in the order of their numbers, if the model has any


def _predict_grid(model, X, labels, xs, ys, training=False):
    """Ask the model about every point of a grid, some at a time so that memory stays small."""
    ask, kind, chunk = _how_to_ask(model, X, training)
    count = len(xs) * len(ys)
    predicted = np.empty(count, np.uint16)
    lead, height = np.ones(count, np.float32), np.ones(count, np.float32)
    classes = getattr(model, "classes_", None)
    classes = None if classes is None else np.asarray(classes).tolist()
    seen, n_classes = {}, 2  # labels in the order in which they were met, where the model gives any
    with _borrowed(model, training), _one_thread_if_small(model, count):
        for start in range(0, count, chunk):
            part = slice(start, min(start + chunk, count))
            points = _grid_points(xs, ys, part)
            try:
                answer = ask(points)
            except Exception as error:
                error.add_note(f"The model raised this when given points of shape {points.shape}.")
                raise
            if kind == "labels" or (kind == "scores or labels" and _is_discrete(answer)):
                predicted[part] = _meet(seen, answer, len(points))
            else:
                answer = _scores(answer, len(points))
                n_classes = max(2, answer.shape[1])
                predicted[part], lead[part], height[part] = _rank(answer, kind == "probabilities")

    if seen:
        if classes is None:
            classes = _sorted("y", set(seen) | set(() if labels is None else labels))
        predicted = np.array([classes.index(label) for label in seen], np.uint16)[predicted]
        n_classes = max(2, len(classes))
        if n_classes == 2:
            lead[predicted == 0] = height[predicted == 0] = -1
    elif classes is not None and len(classes) != n_classes:
        raise ValueError(
            f"model must give a score for each of its {len(classes)} classes; got {n_classes}."
        )
    elif (
        kind != "probabilities"
        and answer.shape[1] == 1
        and 0 <= height.min() < 0.1
        and 0.9 < height.max() <= 1
    ):
        warnings.warn(
            "The model's scores all lie from 0 to 1, and are drawn as logits, whose boundary is at "
            "0. If they are probabilities, let it return the logits, without the sigmoid.",
            stacklevel=3,
        )
    shape = len(ys), len(xs)
    step = _contour_step(xs)  # the lines need no more of the heights
    height = height.reshape(shape)[::step, ::step].clip(-1e9, 1e9)
    return _Surface(predicted.reshape(shape), lead.reshape(shape), height, n_classes, classes)


def _grid_points(xs, ys, part):
    """Return the points of a grid, of shape (n, 2), that a slice of their numbers tells."""
    first, last = part.start // len(xs), -(-part.stop // len(xs))
    rows = np.empty((last - first, len(xs), 2))
    rows[..., 0], rows[..., 1] = xs, ys[first:last, None]
    skipped = first * len(xs)
    return rows.reshape(-1, 2)[part.start - skipped : part.stop - skipped]


def _how_to_ask(model, X, training):
    """Return a function from points to the model's answers, their kind, and points at a time."""
    if isinstance(model, torch.nn.Module):
        tensors = [*model.parameters(), *model.buffers()]
        if any(map(torch.nn.parameter.is_lazy, tensors)):
            raise ValueError("model must know its shapes; call a lazy one on some points first.")
        device, dtype = _device_and_dtype(tensors, X)
        widest = max((max(tensor.shape, default=1) for tensor in tensors), default=1)
        kind = "probabilities" if _ends_in_probabilities(model) else "scores"
        chunk = max(1, min(2**15, 2**22 // widest))  # small enough for the processor's cache
        return lambda points: model(torch.from_numpy(points).to(device, dtype)), kind, chunk
    if training:
        raise ValueError(f"training needs an nn.Module as model; got {_type(model)}.")
    method, kind = (None, None) if isinstance(model, type) else _method(model)
    if method is not None:
        return lambda points: method(_like(X, points, model)), kind, 2**14
    if callable(model) and not isinstance(model, type):
        return lambda points: model(_like(X, points)), "scores or labels", 2**13
    raise TypeError(
        "model must be an nn.Module, a fitted estimator or a function; "
        f"got an object of type {_type(model)}."
    )


def _method(model):
    """Return the method that tells most about an estimator's predictions, and what it returns."""
    methods = {"predict_proba": "probabilities", "decision_function": "scores", "predict": "labels"}
    found = {name: kind for name, kind in methods.items() if hasattr(model, name)}
    settings = model.get_params() if hasattr(model, "get_params") else {}
    if any(n.endswith("decision_function_shape") and v == "ovo" for n, v in settings.items()):
        found.pop("decision_function", None)  # its scores are of pairs of classes
    for name, kind in found.items():
        return getattr(model, name), kind
    return None, None


def _device_and_dtype(tensors, X):
    """Return where a module computes and in which dtype, by its first floating tensor."""
    for tensor in tensors:
        if tensor.is_floating_point():
            return tensor.device, tensor.dtype
    device = X.device if isinstance(X, torch.Tensor) else torch.get_default_device()
    return device, torch.get_default_dtype()


def _ends_in_probabilities(module):
    """Whether a module is an nn.Sequential that ends in Sigmoid or Softmax."""
    while isinstance(module, torch.nn.Sequential) and len(module):
        module = module[-1]
    return isinstance(module, torch.nn.Sigmoid | torch.nn.Softmax)


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


def _scores(answer, count):
    """Return a model's answer for `count` points as a floating tensor of shape (count, k)."""
    if not isinstance(answer, torch.Tensor):
        if not hasattr(answer, "__array__"):
            raise TypeError(f"model must return a tensor or an array; got {_type(answer)}.")
        answer = torch.from_numpy(np.array(answer, float))
    if answer.shape[:1] != (count,) or answer.ndim > 2 or 0 in answer.shape:
        raise ValueError(
            f"model must return shape (n,), (n, 1) or (n, k) for n points; "
            f"got {tuple(answer.shape)} for {count}."
        )
    answer = answer.detach().reshape(count, -1)
    answer = answer if answer.dtype == torch.float64 else answer.float()
    return answer.clamp(-1e30, 1e30)  # the difference of two infinite scores would be no number


def _rank(answer, are_probabilities):
    """Return each point's likeliest class, and its lead in probability and in scores, as arrays.

    With two classes the leads are those of class 1, so below 0 where class 0 is likelier.
    """
    if answer.shape[1] <= 2:
        # Two logits say as much as their difference: softmax of the two is its sigmoid.
        if answer.shape[1] == 2:
            height = answer[:, 1] - answer[:, 0]
        else:
            height = 2 * answer[:, 0] - 1 if are_probabilities else answer[:, 0]
        winner = height > 0
        lead = height if are_probabilities else torch.tanh(height / 2)  # 2 sigmoid(h) - 1
    else:
        (first, second), (winner, _) = (t.unbind(1) for t in answer.topk(2, dim=1))
        height = first - second
        total = answer.logsumexp(1)
        lead = height if are_probabilities else (first - total).exp() - (second - total).exp()
    if height.isnan().any():
        raise ValueError("model must return numbers; got nan for some of the plane.")
    return winner.cpu().numpy(), lead.cpu().numpy(), height.cpu().numpy()


def _is_discrete(answer):
    """Whether a function has returned labels (bools, integers, strings) rather than scores."""
    if isinstance(answer, torch.Tensor):
        return not answer.is_floating_point()
    return hasattr(answer, "__array__") and np.asarray(answer).dtype.kind in "biuUO"


def _meet(seen, answer, count):
    """Return labels as their places in `seen`, a dict from label to place, and add the new ones."""
    values = _labels("The model's labels", answer, count).tolist()
    for label in dict.fromkeys(values):
        seen.setdefault(label, len(seen))
    if len(seen) > MAX_LABELS:
        raise ValueError(
            f"model must return at most {MAX_LABELS} different labels; got more. For a regressor, "
            "pass a function to scores that are 0 on the boundary."
        )
    return np.fromiter(map(seen.__getitem__, values), np.uint16, count)


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


def _hidden_layers(calls, shape):
    """Sort recorded calls into layers, one for each nn.Linear but the last."""
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
        grids = (np.concatenate(chunks).T.reshape(-1, *shape) for chunks in (activation, switch))
        layers.append(_Layer([_Unit(*grids) for grids in zip(*grids, strict=True)], width))
    return layers


def _follows(call, before):
    """Whether a passive module was given just what the one before it returned."""
    return isinstance(call.module, PASSIVE) and all(
        map(np.array_equal, call.inputs, before.outputs)
    )


# Reading the input


def _read_input(X, y, grid_resolution, xlim, ylim):
    """Return the points, the labels as a list (or None), and the grid's values on each axis."""
    points = _points("X", X)
    labels = None if y is None else _labels("y", y, len(points)).tolist()
    _check_whole("grid_resolution", grid_resolution, 2)
    return (
        points,
        labels,
        np.linspace(*_limits("xlim", xlim, points[:, 0]), grid_resolution),
        np.linspace(*_limits("ylim", ylim, points[:, 1]), grid_resolution),
    )


def _axes(ax):
    """Return the Axes to draw on: the given one, or pyplot's current one."""
    if ax is not None and not isinstance(ax, Axes):
        raise TypeError(f"ax must be a matplotlib Axes; got an object of type {_type(ax)}.")
    return plt.gca() if ax is None else ax


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


def _points(name, X):
    """Return points as a float array of shape (n, 2)."""
    try:
        points = _to_numpy(X)
        if points.dtype.kind == "c":
            raise TypeError("complex numbers aren't points")
        points = points.astype(float)
    except (TypeError, ValueError, RuntimeError) as error:  # the last is torch's, for lists
        raise ValueError(f"{name} must hold numbers in shape (n, 2); {error}.") from error
    if points.ndim != 2 or points.shape[1] != 2 or len(points) == 0:
        raise ValueError(f"{name} must have shape (n, 2), n at least 1; got {points.shape}.")
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


def _limits(name, limits, values):
    """Return (low, high): as given, or the range of values and 5 % of it on either side."""
    if limits is None:
        low, high = values.min(), values.max()
        pad = 0.05 * (high - low) or max(1.0, 0.05 * abs(high))
        return low - pad, high + pad
    try:
        low, high = map(float, limits)
    except (TypeError, ValueError):
        low = high = np.nan
    if not -np.inf < low < high < np.inf:
        raise ValueError(f"{name} must be (low, high) with low below high; got {limits!r}.")
    return low, high


def _number_labels(labels, surface, class_names=None):
    """Return each label's class number as an array, and a dict from class number to its name."""
    if class_names is not None and (
        isinstance(class_names, str) or _length(class_names) != surface.n_classes
    ):
        raise ValueError(
            f"class_names must have a name for each of the model's {surface.n_classes} classes; "
            f"got {class_names!r}."
        )
    if labels is None:
        return None, {}
    distinct, n_classes = _sorted("y", labels), surface.n_classes
    if surface.classes is not None:
        numbers = {label: number for number, label in enumerate(surface.classes)}
        unknown = [label for label in distinct if label not in numbers]
        if unknown:
            known = ", ".join(map(repr, numbers))
            raise ValueError(f"y must have the model's classes {known}; got {unknown[0]!r}.")
    elif all(label in range(n_classes) for label in distinct):
        numbers = {label: int(label) for label in distinct}
    elif len(distinct) == n_classes:
        numbers = {label: number for number, label in enumerate(distinct)}
    else:
        raise ValueError(
            f"y must have whole numbers from 0 to {n_classes - 1}, one for each of the model's "
            f"classes, or {n_classes} different labels; got {distinct[0]!r} among "
            f"{len(distinct)} different."
        )
    index = np.fromiter(map(numbers.__getitem__, labels), int, len(labels))
    names = {numbers[c]: _legend_name(c) for c in distinct}
    if class_names is not None:
        names = {number: str(class_names[number]) for number in names}
    return index, names


def _legend_name(label):
    """Return text as it is, and a number as that of a class."""
    if isinstance(label, str):
        return label
    return f"class {label:g}" if isinstance(label, float) else f"class {label}"


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
        cmap = "tab20" if n_classes <= 20 else "turbo"
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


def _draw_surface(ax, xs, ys, surface, colors, cmap=None, alpha=0.6):
    """Draw the background and the boundaries: probability for two classes, else faded colours."""
    predicted, lead, height, n_classes, _ = surface
    step = _contour_step(xs)
    if n_classes == 2:
        probability = 0.5 + lead / 2
        if not isinstance(cmap, str | Colormap):
            cmap = LinearSegmentedColormap.from_list("probability", [colors[0], "white", colors[1]])
        _draw_image(ax, xs, ys, probability, cmap=cmap, vmin=0, vmax=1, alpha=alpha)
        _draw_contour(ax, xs[::step], ys[::step], np.where(height > 0, height, height - 1e-9))
    else:
        # A colour for each class and shade, and the number of such a colour for each point.
        shades = min(256, 2**16 // n_classes)
        fade = np.linspace(0, 1, shades)[:, None]
        palette = ListedColormap(np.concatenate([1 - fade + fade * np.array(c) for c in colors]))
        number = predicted * np.uint16(shades)
        number += np.uint16((shades - 1) * lead)
        _draw_image(ax, xs, ys, number, cmap=palette, norm=NoNorm(), alpha=alpha)
        predicted = predicted[::step, ::step]
        for number in np.unique(predicted)[:-1]:  # the last has no other neighbours
            signed = np.where(predicted == number, height + 1e-9, -height - 1e-9)
            _draw_contour(ax, xs[::step], ys[::step], signed)
    ax.set(xlim=(xs[0], xs[-1]), ylim=(ys[0], ys[-1]))


def _draw_image(ax, xs, ys, values, **style):
    """Draw values on a grid as pixels, each centred on its grid point."""
    right, up = (xs[1] - xs[0]) / 2, (ys[1] - ys[0]) / 2
    return ax.imshow(
        values,
        extent=(xs[0] - right, xs[-1] + right, ys[0] - up, ys[-1] + up),
        origin="lower",
        aspect=ax.get_aspect(),
        interpolation="nearest",
        interpolation_stage="data",  # colours only what is seen: faster, and much less memory
        **style,
    )


def _contour_step(xs):
    return -(-len(xs) // CONTOUR_POINTS)


def _draw_contour(ax, xs, ys, values, linewidths=1.5):
    """Draw the line where values on the grid pass 0, if they do."""
    if values.min() < 0 < values.max():
        style = dict(colors="black", linewidths=linewidths, zorder=2.5)  # seen above many points
        ax.contour(xs, ys, values, levels=[0], **style)


def _marker_size(count):
    return np.clip(6 * (300 / count) ** 0.25, 1, 6)


def _draw_points(ax, points, index, names, colors, prefix="", alpha=1.0, size=None):
    """Draw points by class; many points get smaller, and are pixels in a vector file."""
    size = _marker_size(len(points)) if size is None else size
    for number, name in names.items():
        ax.plot(
            *points[index == number].T,
            MARKERS[number % len(MARKERS)],
            color=colors[number],
            ms=size,
            mec="white",
            mew=size / 12,
            alpha=alpha,
            label=f"{prefix} {name}" if prefix or name.startswith("_") else name,  # _a is hidden
            rasterized=len(points) > 10_000,
        )


def _draw_legend(ax, points, names):
    if names:
        where = "best" if len(points) <= 1000 else "upper right"  # to look for the best takes time
        ax.legend(loc=where, markerscale=6 / _marker_size(len(points)))


# The command line


def main(argv=None):
    """Draw saved models side by side, each on the training set that its file tells of."""
    from support.command_line import CommandLine  # only this part needs anything of the project
    from support.files import save_figure

    parser = CommandLine(
        description="Draw the decision boundaries of models that train.py has saved.",
        epilog="example: python helper_functions.py outputs/circle_model_v2.safetensors",
    )
    parser.add_argument("models", nargs="+", type=Path, metavar="MODEL", help="saved models")
    parser.add_argument(
        "--hidden-units", action="store_true", help="show what each hidden unit computes, too"
    )
    parser.add_argument(
        "--out",
        type=Path,
        help="the picture to write, by its ending: .png, .svg or .pdf "
        "(default: MODEL.png beside the first model)",
    )
    parser.add_argument(
        "--resolution", type=int, default=301, help="grid points along each axis (default: 301)"
    )
    args = parser.parse_args(argv)
    text_only = mpl.rc_context({"text.parse_math": False})  # names may have dollar signs
    with parser.one_sentence_errors(), text_only:
        out = args.out or Path(f"{args.models[0]}".removesuffix(".safetensors") + ".png")
        if out.suffix.lower() not in (".png", ".svg", ".pdf"):
            raise ValueError(f"out must end in .png, .svg or .pdf; got '{out}'.")
        if not 2 <= args.resolution <= 10_001:
            raise ValueError(f"resolution must be from 2 to 10,001; got {args.resolution}.")
        if not out.parent.is_dir() or out.is_dir():
            raise ValueError(f"out must be a file in a directory that exists; got '{out}'.")
        saved = [(path, *_load(path)) for path in args.models]
        save_figure(_draw_saved(saved, args.resolution, args.hidden_units), out, dpi=150)
        print(f"The picture is in {out}")


def _load(path):
    """Return a saved model and the data that it was trained on."""
    from model import load_checkpoint
    from support.command_line import keywords_of
    from train import HELP, make_data

    model, settings = load_checkpoint(path)
    if model.arguments.get("in_features", 2) != 2:
        raise ValueError(f"{path} must hold a model of points in the plane, in_features 2.")
    settings = {name: value for name, value in settings.items() if name in HELP}
    if isinstance(settings.get("samples"), int) and MAX_SAMPLES < settings["samples"] <= 10**8:
        raise ValueError(
            f"{path} must hold a model of at most {MAX_SAMPLES:,} points, which are drawn with it; "
            f"got {settings['samples']:,}."
        )
    return model, make_data(**keywords_of(make_data, settings))


def _draw_saved(saved, resolution, hidden_units):
    """Return a figure of saved models, all on one scale of the plane and of probability."""
    everything = torch.cat([data.X_train for _, _, data in saved])
    plane = dict(
        grid_resolution=resolution,
        xlim=_limits("xlim", None, everything[:, 0].numpy()),
        ylim=_limits("ylim", None, everything[:, 1].numpy()),
    )
    titles = [f"{_type(model)} ({path.name})" for path, model, _ in saved]
    if hidden_units:
        figure = Figure(figsize=(16, 6.3 * len(saved)))
        parts = figure.subfigures(len(saved), 1, squeeze=False)[:, 0]
        for part, title, (_, model, data) in zip(parts, titles, saved, strict=True):
            options = plane | dict(title=title, class_names=data.class_names)
            plot_hidden_units(model, data.X_train, data.y_train, figure=part, **options)
        return figure
    figure = Figure(figsize=(5.2 * len(saved) + 1, 5), layout="constrained")
    panels = figure.subplots(1, len(saved), squeeze=False, sharex=True, sharey=True)[0]
    for ax, title, (_, model, data) in zip(panels, titles, saved, strict=True):
        options = plane | dict(title=title, class_names=data.class_names)
        plot_decision_boundary(model, data.X_train, data.y_train, ax=ax, **options)
        if data.feature_names is None:
            ax.set_aspect("equal")
        else:
            ax.set(xlabel=data.feature_names[0], ylabel=data.feature_names[1])
    if all(len(data.class_names) == 2 for _, _, data in saved):
        names = {data.class_names[1] for _, _, data in saved}
        label = f"probability of {names.pop() if len(names) == 1 else 'the second class'}"
        figure.colorbar(panels[0].images[0], ax=panels, label=label)
    return figure


if __name__ == "__main__":
    main()
