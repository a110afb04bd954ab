"""Plots for classifiers on the plane. The one file can be copied: numpy, torch, matplotlib suffice.

    from helper_functions import plot_decision_boundary
    plot_decision_boundary(model, X, y)

Run as a script it draws the boundaries of models that train.py has saved:

    python helper_functions.py outputs/circle_model_v0.pth outputs/circle_model_v2.pth
"""

from contextlib import contextmanager
from itertools import chain
from numbers import Integral
from pathlib import Path
from typing import NamedTuple

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import torch
from matplotlib.colors import Colormap, LinearSegmentedColormap, to_rgb
from matplotlib.figure import Figure

# Okabe and Ito's colours, which colour-blind readers can tell apart, and a marker for each.
CLASS_COLORS = ("#D55E00", "#0072B2", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#F0E442")
MARKERS = ("o", "^", "s", "D", "v", "P", "X")
CONTOUR_POINTS = 1001  # lines are traced on at most this many points an axis: finer isn't seen


def plot_predictions(
    train_data, train_labels, test_data, test_labels, predictions=None, *, ax=None
):
    """Plot a train and a test set and, where `predictions` for the test set are given, those too.

    Data of shape (n,) or (n, 1) is drawn against its labels. Data of shape (n, 2) is drawn in the
    plane, its classes by colour and marker, and a ring marks each test point whose predicted label
    is wrong. Labels and predictions have shape (n,) or (n, 1). Returns the Axes.
    """
    train_labels = _labels("train_labels", train_labels, len(train_data))
    test_labels = _labels("test_labels", test_labels, len(test_data))
    if predictions is not None:
        predictions = _labels("predictions", predictions, len(test_data))
    ax = plt.gca() if ax is None else ax

    if np.ndim(train_data) == 1 or np.shape(train_data)[1] == 1:
        train_data, test_data = (_to_numpy(d).reshape(-1) for d in (train_data, test_data))
        ax.plot(train_data, train_labels, "o", color="#0072B2", ms=4, label="train")
        ax.plot(test_data, test_labels, "s", color="#009E73", ms=4, label="test")
        if predictions is not None:
            ax.plot(test_data, predictions, "^", color="#D55E00", ms=4, label="predictions")
    else:
        train_data, test_data = _points("train_data", train_data), _points("test_data", test_data)
        classes = np.unique(np.concatenate([train_labels, test_labels]))
        for points, labels, name, alpha in (
            (train_data, train_labels, "train", 0.25),
            (test_data, test_labels, "test", 1.0),
        ):
            index = np.searchsorted(classes, labels)
            _draw_points(ax, points, index, classes, _class_colors(None, len(classes)), name, alpha)
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
    axes = plt.gcf().subplots(1, 2) if axes is None else axes
    epochs = history.get("epoch", range(1, len(history["train_loss"]) + 1))
    for ax, kind, name in zip(axes, ("loss", "acc"), ("loss", "accuracy"), strict=True):
        ax.plot(epochs, history[f"train_{kind}"], color="#0072B2", label="train")
        ax.plot(epochs, history[f"test_{kind}"], "--", color="#D55E00", label="test")
        ax.set(xlabel="epoch", ylabel=name)
        ax.legend(loc="best" if kind == "loss" else "lower right")
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
    training=False,
):
    """Colour the plane by what a model predicts there, draw its boundaries, and the points on top.

    With two classes the colour is the probability of class 1 on a fixed scale from 0 to 1, and the
    line lies where it is 0.5. With more it is the likeliest class's, faded by its lead over the
    runner-up in probability, and the lines lie where that lead is 0.

    model: an `nn.Module` that turns points (n, 2) into logits (n,), (n, 1) or (n, k), on any device
        and of any floating dtype; or an estimator with `predict_proba`, `decision_function` or
        `predict` (the first it has); or a function from points to such logits, or to labels where
        it returns bools or integers. A function gets tensors if X is one, else arrays.
    X: points of shape (n, 2): tensor, array, list or DataFrame (its columns name the axes).
    y: labels of shape (n,) or (n, 1): whole numbers from 0 to k - 1, or any sortable labels, which
        are then numbered in their order. None draws no points.
    ax: the Axes to draw on; by default pyplot's current one.
    grid_resolution: grid points along each axis.
    cmap: a colormap (or its name) for the probability, with its ends as the classes' colours; with
        more classes, one that their colours are taken from; or a list with a colour for each class.
    alpha: opacity of the background, from 0 to 1.
    xlim, ylim: (low, high) of the plane, in X's units; by default X's range and 5 % around it.
    training: draw with every submodule in train mode (Dropout drops, BatchNorm uses each chunk's
        statistics) rather than in eval mode.

    Returns the Axes. With two classes `plt.colorbar(ax.images[-1])` shows the scale. The model is
    left as it was: device, modes, weights, buffers, gradients, and torch's random state. An error
    that the model raises comes through as it is; other bad input is a ValueError or a TypeError.
    """
    points = _points("X", X)
    labels = None if y is None else _labels("y", y, len(points))
    if not (isinstance(grid_resolution, Integral) and grid_resolution >= 2):
        raise ValueError(
            f"grid_resolution must be a whole number, 2 or more; got {grid_resolution!r}."
        )
    xlim, ylim = _limits("xlim", xlim, points[:, 0]), _limits("ylim", ylim, points[:, 1])
    xs, ys = np.linspace(*xlim, grid_resolution), np.linspace(*ylim, grid_resolution)
    surface = _predict_grid(model, X, labels, xs, ys, training)
    colors = _class_colors(cmap, surface.n_classes)
    if labels is not None:
        index, names = _class_indices(labels, surface)

    ax = plt.gca() if ax is None else ax
    _draw_surface(ax, xs, ys, surface, colors, cmap, alpha)
    if labels is not None:
        _draw_points(ax, points, index, names, colors)
        if legend:
            ax.legend(loc="upper right")
    ax.set(xlim=xlim, ylim=ylim)
    if title is not None:
        ax.set_title(title)
    if hasattr(X, "columns"):
        ax.set(xlabel=str(X.columns[0]), ylabel=str(X.columns[1]))
    return ax


# Asking the model


class _Surface(NamedTuple):
    """What a model predicts on a grid: arrays of shape (rows, columns)."""

    predicted: np.ndarray  # the number of the likeliest class
    margin: np.ndarray  # its probability minus the runner-up's: 1 is certain, 0 is a boundary
    n_classes: int
    classes: np.ndarray | None  # the labels in the order of their numbers, if the model has any


def _predict_grid(model, X, labels, xs, ys, training=False):
    """Ask the model about every point of a grid, some at a time so that memory stays small."""
    ask, kind, chunk = _how_to_ask(model, X, training)
    classes = getattr(model, "classes_", None)
    shape, count = (len(ys), len(xs)), len(xs) * len(ys)
    answers = []
    with _borrowed(model, training):
        for start in range(0, count, chunk):
            number = np.arange(start, min(start + chunk, count))
            points = np.column_stack([xs[number % len(xs)], ys[number // len(xs)]])
            try:
                answer = ask(points)
            except Exception as error:
                error.add_note(f"The model raised this when given points of {points.shape}.")
                raise
            if kind == "labels" or (kind == "scores or labels" and _is_discrete(answer)):
                answers.append(_labels("The model's labels", answer, len(points)))
            else:
                answers.append(_winner_and_margin(_probabilities(answer, len(points), kind)))

    if isinstance(answers[0], np.ndarray):
        answers = np.concatenate(answers)
        if classes is None:
            classes = np.unique(answers if labels is None else np.concatenate([answers, labels]))
        predicted, margin = np.searchsorted(classes, answers), np.ones(count, np.float32)
        n_classes = max(2, len(classes))
    else:
        predicted, margin, n_classes = zip(*answers, strict=True)
        predicted, margin = np.concatenate(predicted), np.concatenate(margin)
        n_classes = n_classes[0]
    return _Surface(predicted.reshape(shape), margin.reshape(shape), n_classes, classes)


def _how_to_ask(model, X, training):
    """Return a function from points to the model's answers, their kind, and points at a time."""
    if isinstance(model, torch.nn.Module):
        device, dtype = _device_and_dtype(model, X)
        widest = max((max(p.shape, default=1) for p in model.parameters()), default=1)
        chunk = max(1, min(2**15, 2**22 // widest))
        return lambda points: model(torch.from_numpy(points).to(device, dtype)), "scores", chunk
    if training:
        raise ValueError(f"training needs an nn.Module as model; got {type(model).__name__}.")
    methods = {"predict_proba": "probabilities", "decision_function": "scores", "predict": "labels"}
    for name, kind in methods.items():
        method = getattr(model, name, None)
        if method is not None:
            return lambda points, method=method: method(_like(X, points)), kind, 2**14
    if callable(model):
        return lambda points: model(_like(X, points, tensors=True)), "scores or labels", 2**14
    raise TypeError(
        "model must be an nn.Module, an estimator or a function; "
        f"got an object of type {type(model).__name__}."
    )


def _device_and_dtype(module, X):
    """Return where a module computes and in which dtype, by its first floating tensor."""
    for tensor in chain(module.parameters(), module.buffers()):
        if tensor.is_floating_point():
            return tensor.device, tensor.dtype
    device = X.device if isinstance(X, torch.Tensor) else "cpu"
    return device, torch.get_default_dtype()


def _like(X, points, tensors=False):
    """Return points as the kind of thing that X is, which the model was made for."""
    if isinstance(X, torch.Tensor):
        dtype = X.dtype if X.is_floating_point() else torch.get_default_dtype()
        points = torch.from_numpy(points).to(dtype)
        return points.to(X.device) if tensors else _to_numpy(points)
    if hasattr(X, "columns"):
        return type(X)(points, columns=X.columns)
    dtype = getattr(X, "dtype", None)
    return points.astype(dtype) if dtype in (np.float16, np.float32) else points


@contextmanager
def _borrowed(model, training):
    """Put a module in eval (or train) mode with autograd off, and leave no trace of it after.

    The flags are set one by one, because `train()` and `eval()` may be overridden to do more.
    Buffers are exchanged for copies, which BatchNorm may then update. `no_grad` rather than
    `inference_mode`: a tensor that the model keeps must still serve in its training later.
    """
    if not isinstance(model, torch.nn.Module):
        yield
        return
    modes = [(module, module.training) for module in model.modules()]
    buffers = [(m, name, b) for m, _ in modes for name, b in m._buffers.items() if b is not None]
    copies = {id(buffer): buffer.clone() for _, _, buffer in buffers}
    gpus = {t.device for t in chain(model.parameters(), model.buffers()) if t.device.type == "cuda"}
    with torch.random.fork_rng(gpus), torch.no_grad():
        try:
            for module, _ in modes:
                module.training = training
            for module, name, buffer in buffers:
                module._buffers[name] = copies[id(buffer)]
            yield
        finally:
            for module, mode in modes:
                module.training = mode
            for module, name, buffer in buffers:
                module._buffers[name] = buffer


def _probabilities(answer, count, kind):
    """Return a model's answer for `count` points as probabilities of shape (count, k), k >= 2."""
    if not isinstance(answer, torch.Tensor):
        if not isinstance(answer, np.ndarray):
            raise TypeError(f"model must return a tensor or array; got {type(answer).__name__}.")
        answer = torch.from_numpy(answer)
    if answer.shape[:1] != (count,) or answer.ndim > 2 or 0 in answer.shape:
        raise ValueError(
            f"model must return shape (n,), (n, 1) or (n, k) for n points; "
            f"got {tuple(answer.shape)} for {count}."
        )
    p = answer.detach().reshape(count, -1).float()
    if p.shape[1] == 1:
        p = torch.sigmoid(p) if kind != "probabilities" else p
        p = torch.cat([1 - p, p], dim=1)
    elif kind != "probabilities":
        p = torch.softmax(p, dim=1)
    if not p.isfinite().all():
        raise ValueError("model must return finite values; got nan or inf for some of the plane.")
    return p


def _winner_and_margin(p):
    """Return each point's likeliest class, its lead on the runner-up, and the number of classes."""
    (first, second), (winner, _) = (t.unbind(1) for t in p.topk(2, dim=1))
    return winner.cpu().numpy().astype(np.uint16), (first - second).cpu().numpy(), p.shape[1]


def _is_discrete(answer):
    """Whether a function has returned labels (bools, integers, strings) rather than scores."""
    if isinstance(answer, torch.Tensor):
        return not answer.is_floating_point()
    return isinstance(answer, np.ndarray) and answer.dtype.kind in "biuUO"


# Reading the input


def _to_numpy(value):
    if isinstance(value, torch.Tensor):
        value = value.detach().cpu()
        value = value.float().numpy() if value.dtype == torch.bfloat16 else value.numpy()
    return np.asarray(value)


def _points(name, X):
    """Return points as a float array of shape (n, 2)."""
    try:
        points = _to_numpy(X).astype(float)
    except (TypeError, ValueError) as error:
        raise ValueError(f"{name} must hold numbers in shape (n, 2); {error}.") from error
    if points.ndim != 2 or points.shape[1] != 2 or len(points) == 0:
        raise ValueError(f"{name} must have shape (n, 2), n at least 1; got {points.shape}.")
    if not np.isfinite(points).all():
        bad = points[~np.isfinite(points)][0]
        raise ValueError(f"{name} must be finite; got {bad} in {name}.")
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
    if (labels != labels).any():
        raise ValueError(f"{name} must have no missing labels; got nan.")
    return labels


def _limits(name, limits, values):
    """Return (low, high): as given, or the range of values and 5 % of it on either side."""
    if limits is None:
        low, high = values.min(), values.max()
        pad = 0.05 * (high - low) or 1.0
        return low - pad, high + pad
    low, high = map(float, limits)
    if not -np.inf < low < high < np.inf:
        raise ValueError(f"{name} must be (low, high) with low below high; got {limits}.")
    return low, high


def _class_indices(labels, surface):
    """Return each label's class number, and the names of the classes in the order of numbers."""
    classes, n_classes = surface.classes, surface.n_classes
    if classes is None:
        numbers = np.arange(n_classes)
        classes = numbers if np.isin(labels, numbers).all() else np.unique(labels)
    if len(classes) > n_classes:
        raise ValueError(
            f"y must have at most the model's {n_classes} classes; got {len(classes)}."
        )
    unknown = ~np.isin(labels, classes)
    if unknown.any():
        raise ValueError(
            f"y must have the model's classes {list(classes)}; got {labels[unknown][0]!r}."
        )
    names = [f"{c:g}" if isinstance(c, float) else str(c) for c in np.asarray(classes).tolist()]
    return np.searchsorted(classes, labels), names


# Drawing


def _class_colors(cmap, n_classes):
    """Return an RGB colour for each class, from a list, a colormap or a colormap's name."""
    if cmap is None:
        if n_classes <= len(CLASS_COLORS):
            return [to_rgb(color) for color in CLASS_COLORS[:n_classes]]
        cmap = "tab20" if n_classes <= 20 else "turbo"
    if isinstance(cmap, str | Colormap):
        cmap = mpl.colormaps[cmap] if isinstance(cmap, str) else cmap
        qualitative = n_classes <= cmap.N <= 20
        return [
            c[:3] for c in cmap(range(n_classes) if qualitative else np.linspace(0, 1, n_classes))
        ]
    if len(cmap) < n_classes:
        raise ValueError(
            f"cmap must have a colour for each of the {n_classes} classes; got {cmap}."
        )
    return [to_rgb(color) for color in cmap[:n_classes]]


def _draw_surface(ax, xs, ys, surface, colors, cmap, alpha):
    """Draw the background and the boundaries: probability for two classes, else faded colours."""
    predicted, margin, n_classes, _ = surface
    right, up = (xs[1] - xs[0]) / 2, (ys[1] - ys[0]) / 2  # a pixel is centred on its grid point
    image = dict(
        extent=(xs[0] - right, xs[-1] + right, ys[0] - up, ys[-1] + up),
        origin="lower",
        aspect="auto",
        interpolation="nearest",
        alpha=alpha,
    )
    if n_classes == 2:
        probability = 0.5 + np.where(predicted == 1, margin, -margin) / 2
        if not isinstance(cmap, str | Colormap):
            cmap = LinearSegmentedColormap.from_list("probability", [colors[0], "white", colors[1]])
        ax.imshow(probability, cmap=cmap, vmin=0, vmax=1, **image)
        _draw_contour(ax, xs, ys, probability, 0.5)
        return
    fade = np.linspace(0, 1, 256)[None, :, None]
    palette = np.uint8(255 * (1 - fade + fade * np.array(colors)[:, None, :]))
    rgb = np.empty((*predicted.shape, 3), np.uint8)
    for row, numbers, shades in zip(rgb, predicted, margin, strict=True):
        row[:] = palette[numbers, np.uint8(255 * shades)]
    ax.imshow(rgb, **image)
    for number in range(n_classes):
        _draw_contour(ax, xs, ys, np.where(predicted == number, margin, -margin), 0.0)


def _draw_contour(ax, xs, ys, values, level):
    """Draw the line where values on the grid pass a level, if they do."""
    step = -(-len(xs) // CONTOUR_POINTS)
    xs, ys, values = xs[::step], ys[::step], values[::step, ::step]
    if values.min() < level < values.max():
        ax.contour(xs, ys, values, levels=[level], colors="black", linewidths=1.5)


def _draw_points(ax, points, index, names, colors, prefix="class", alpha=1.0):
    """Draw points by class; many points get smaller, and are pixels in a vector file."""
    size = np.clip(6 * (300 / len(points)) ** 0.25, 1, 6)
    for number in np.unique(index):
        ax.plot(
            *points[index == number].T,
            MARKERS[number % len(MARKERS)],
            color=colors[number],
            ms=size,
            mec="white",
            mew=size / 12,
            alpha=alpha,
            label=f"{prefix} {names[number]}",
            rasterized=len(points) > 10_000,
        )


# The command line


def main(argv=None):
    """Draw saved models side by side, each on the training set that its file tells of."""
    from model import load_checkpoint  # the rest of this file needs nothing of the project
    from support.command_line import CommandLine, keywords_of
    from train import make_data

    parser = CommandLine(
        description="Draw the decision boundaries of models that train.py has saved.",
        epilog="example: python helper_functions.py outputs/circle_model_v2.pth --out ring.svg",
    )
    parser.add_argument("models", nargs="+", type=Path, metavar="MODEL.pth", help="saved models")
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
    out = args.out or args.models[0].with_suffix(".png")
    try:
        figure = Figure(figsize=(5.5 * len(args.models), 5), layout="constrained")
        panels = figure.subplots(1, len(args.models), squeeze=False)[0]
        for path, ax in zip(args.models, panels, strict=True):
            model, settings = load_checkpoint(path)
            data = make_data(**keywords_of(make_data, settings))
            plot_decision_boundary(
                model,
                data.X_train,
                data.y_train,
                ax=ax,
                grid_resolution=args.resolution,
                title=f"{type(model).__name__} ({path})",
            )
            ax.set_aspect("equal")
        figure.colorbar(panels[0].images[0], ax=panels, label="probability of class 1")
        figure.savefig(out, dpi=150)
    except (OSError, ValueError) as error:
        parser.error(str(error))
    print(f"The decision boundary is in {out}")


if __name__ == "__main__":
    main()
