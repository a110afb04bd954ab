"""The pictures of a run have room for whatever the classes and the features are called."""

from pathlib import Path

import numpy as np
import pytest
import torch
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.collections import LineCollection
from matplotlib.legend import Legend
from matplotlib.text import Text

from lab.film import _stage
from lab.pictures import plot_boundaries, plot_losses, plot_points_and_boundary, text_as_it_is
from lab.reports import Result
from lab.saved_models import _draw_saved
from lab.statistics import plot_comparison, plot_seeds, summarize
from model import CircleModelV0, CircleModelV2
from train import Data

HISTORY = {
    key: [0.5, 0.25, 0.125] for key in ("train_loss", "test_loss", "train_acc", "test_acc")
} | {"epoch": [0, 1, 2]}


def overlaps(figure):
    """Return the texts that stick out of a drawn figure, and the pairs that lie on each other."""
    FigureCanvasAgg(figure).draw()
    texts = [
        (text.get_text(), text.get_window_extent())
        for text in figure.findobj(Text)
        if text.get_visible()
        and text.get_text().strip()
        and is_seen(text, figure)
        and text.get_window_extent().size.all()
    ]
    whole = figure.bbox
    out = [
        name
        for name, box in texts
        if box.x0 < 0 or box.y0 < 0 or box.x1 > whole.x1 or box.y1 > whole.y1
    ]
    boxes = [(name, box.padded(-0.5)) for name, box in texts]
    pairs = [
        (one, other)
        for i, (one, box) in enumerate(boxes)
        for other, second in boxes[:i]
        if box.overlaps(second)
    ]
    panels = [(name, box) for name, box in texts if name.startswith("name")]
    frames = [ax.get_window_extent().padded(-1) for ax in figure.axes]
    pairs += [(name, "panel") for name, box in panels for frame in frames if box.overlaps(frame)]
    return out, pairs + covered(figure)


def covered(figure):
    """Return the legends, by their first name, that lie on lines, bars or panels."""
    found = []
    for legend in figure.findobj(Legend):
        box, ax = legend.get_window_extent(), legend.axes
        if ax is None:
            hit = any(box.overlaps(each.get_window_extent()) for each in figure.axes)
        else:
            lines = [line for line in ax.lines if line.get_linestyle() != "None"]
            segments = [each for each in ax.collections if isinstance(each, LineCollection)]
            hit = any(
                each.get_transform().transform_path(path).intersects_bbox(box, filled=False)
                for each in (*lines, *segments)
                for path in (each.get_paths() if each in segments else [each.get_path()])
            ) or any(box.overlaps(bar.get_window_extent()) for bar in ax.patches)
        if hit:
            found.append((legend.get_texts()[0].get_text(), "legend"))
    return found


def is_seen(text, figure):
    """Whether a text is drawn: matplotlib keeps those of ticks beyond the limits, too."""
    for ax in figure.axes:
        for axis in (ax.xaxis, ax.yaxis):
            low, high = sorted(axis.get_view_interval())
            for tick in axis.get_major_ticks():
                if text in (tick.label1, tick.label2):
                    return low <= tick.get_loc() <= high
    return True


def results_and_data(classes, length, low, high, features=("name of x", "name of y")):
    random = np.random.default_rng(classes)
    X = torch.from_numpy(random.uniform(low, high, (40 * classes, 2))).float()
    y = torch.arange(40 * classes).reshape(-1, 1) % classes
    y = y.float() if classes == 2 else y
    names = tuple(f"name {i} ".ljust(length, "m") for i in range(classes))
    features = None if features is None else tuple(f.ljust(length, "W") for f in features)
    half = len(X) // 2
    data = Data(X[:half], y[:half], X[half:], y[half:], names, features)
    models = [
        kind(hidden_units=4, out_features=1 if classes == 2 else classes)
        for kind in (CircleModelV0, CircleModelV2)
    ]
    return [Result(model, HISTORY, 1.0) for model in models], data


def slowly(*values):
    """Return a case between others, for the run of everything."""
    return pytest.param(*values, marks=pytest.mark.slow)


@pytest.mark.parametrize("classes", [2, slowly(3), slowly(8), 30])
@pytest.mark.parametrize(
    ("length", "low", "high"),
    [(8, -3e9, 4e9), slowly(20, -1, 1), slowly(40, 1e-9, 3e-9), (100, -1, 1)],
)
def test_everything_is_seen_whole_and_nothing_lies_on_another(classes, length, low, high):
    figure = plot_boundaries(*results_and_data(classes, length, low, high))
    assert overlaps(figure) == ([], [])
    (legend,) = figure.findobj(Legend)
    assert len(legend.get_texts()) == classes + 1  # and the rings
    assert min(text.get_fontsize() for text in figure.findobj(Text) if text.get_text()) >= 8
    assert figure.get_figwidth() <= 8.64  # so that 8 points are 8 points at 830 pixels, or more


@pytest.mark.parametrize(
    ("low", "high"),
    [(52.519, 52.521), slowly(1_700_000_000, 1_700_100_000), slowly(28e3, 2e6), (-1e-7, 1e9)],
)
def test_numbers_of_any_kind_have_room(low, high):
    for features in (("a", "b"), None):
        figure = plot_boundaries(*results_and_data(2, 10, low, high, features))
        assert overlaps(figure) == ([], [])


def test_losses_have_room():
    results, _ = results_and_data(2, 10, -1, 1)
    for scale in (1e-9, 1, 1e9):
        history = {key: [scale * x for x in HISTORY[key]] for key in HISTORY}
        history |= {key: HISTORY[key] for key in ("train_acc", "test_acc", "epoch")}
        figure = plot_losses([Result(result.model, history, 1.0) for result in results])
        assert overlaps(figure) == ([], [])


@pytest.mark.parametrize("losses", [(3.3, 3.0, 2.7), (3.4, 2.9, 1.9), slowly((0.1, 3, 9))])
def test_losses_stay_clear_of_their_legend(losses):
    results, _ = results_and_data(30, 10, -1, 1)
    history = HISTORY | {"train_loss": losses, "test_loss": losses[::-1]}
    figure = plot_losses([Result(result.model, history, 1.0) for result in results])
    assert overlaps(figure) == ([], [])
    (legend,) = figure.findobj(Legend)
    assert [text.get_text() for text in legend.get_texts()][:2] == ["train", "test"]


@pytest.mark.parametrize("hidden_units", [False, True])
@pytest.mark.parametrize(
    ("classes", "low", "high", "letter"),
    [(2, -3e9, 4e9, "漢"), (30, 1e-9, 3e-9, "W"), slowly(8, -1, 1, "m")],
)
def test_saved_models_have_room(classes, low, high, letter, hidden_units):
    results, data = results_and_data(classes, 40, low, high)
    model = results[1].model
    names = tuple(name[:7] + 33 * letter for name in data.class_names)
    data = data._replace(class_names=names)
    saved = [(Path("W" * 99), model, data), *[(Path("a.safetensors"), model, data)] * 2]
    with text_as_it_is():  # boxes are wider than letters
        figure = _draw_saved(saved[: 1 if hidden_units else 3], 21, hidden_units)
        assert overlaps(figure) == ([], [])
    names = {text.get_text() for each in figure.findobj(Legend) for text in each.get_texts()}
    assert len(names) == classes
    assert figure.get_figwidth() <= 16


def test_points_in_the_legend_are_seen_however_many_there_are():
    results, data = results_and_data(2, 10, -1, 1)
    many = data._replace(X_train=data.X_train.repeat(2500, 1), y_train=data.y_train.repeat(2500, 1))
    for each in (data, many):
        (legend,) = plot_boundaries(results, each).findobj(Legend)
        assert min(line.get_markersize() for line in legend.get_lines()) == 6


def seeds_history(scale, n=12):
    random = np.random.default_rng(0)
    shares = lambda low: (low + (1 - low) * random.uniform(size=(3, n))).tolist()  # noqa: E731
    losses = lambda: (scale * random.uniform(size=(3, n))).tolist()  # noqa: E731
    history = dict(epoch=[1, 2, 10**9], train_loss=losses(), test_loss=losses())
    return history | dict(train_acc=shares(0.5), test_acc=shares(0.5), train_mode_acc=shares(0.4))


@pytest.mark.parametrize("scale", [1e-9, slowly(1), 1e9])
def test_seeds_have_room(scale):
    names = {"CircleModelV0": "linear", "CircleModelV2": "leaky ReLU"}
    histories = {name: seeds_history(scale) for name in names}
    for best in (None, 0.99957):
        figure = plot_seeds(histories, names, best, guess=0.5)
        assert overlaps(figure) == ([], [])
        assert figure.get_figwidth() <= 8.64


def test_one_seed_and_one_epoch_are_seen():
    names = {"CircleModelV0": "linear", "CircleModelV2": "ReLU"}
    history = {key: [[0.7]] for key in seeds_history(1)} | {"epoch": [1]}
    figure = plot_seeds(dict.fromkeys(names, history), names, 0.9, guess=0.5)
    assert overlaps(figure) == ([], [])
    assert figure.subfigs[0].get_suptitle().endswith("of 1 seed")
    losses = figure.axes[-1]
    assert [line.get_marker() for line in losses.lines] == ["o", "o"]
    assert losses.get_ylim()[0] == 0 < 0.75 < losses.get_ylim()[1]


@pytest.mark.parametrize("scale", [slowly(1e-9), 1, slowly(1e9)])
@pytest.mark.parametrize(
    "values",
    [
        (0.1, 0.2),
        tuple(range(30)),
        tuple(f"{i} ".ljust(40, "m") for i in range(30)),
        ("m" * 40, "a", "b", "c\nd", "\u200b"),  # the last has no visible letter
    ],
)
def test_comparisons_have_room(scale, values):
    names = {"CircleModelV0": "linear", "CircleModelV2": "leaky ReLU"}
    each = {(v, name): summarize(seeds_history(scale), None) for v in values for name in names}
    figure = plot_comparison("hidden_units", each, names)
    assert overlaps(figure) == ([], [])


@pytest.mark.parametrize(
    ("low", "high", "loss", "length"),
    [(-1, 1, 1, 8), (-3e9, 4e9, 1e9, 40), slowly(1e-9, 3e-9, 1e-9, 40)],
)
def test_films_have_room(low, high, loss, length):
    results, data = results_and_data(2, length, low, high)
    figure, panels, loss_panel, curves = _stage([result.model for result in results], 10**9)
    figure.suptitle("epoch 1000000000")
    for curve, late in zip(curves, (0, loss), strict=True):
        curve.set_data([0, 10**8, 10**9], [loss, late, late])
    for result, panel in zip(results, panels, strict=True):
        title = "leaky ReLU: 100.0 % right"
        plot_points_and_boundary(result.model, data.X_train, data.y_train, data, panel, title=title)
    for top in (loss, 3.3 * loss):  # the layout is that of the first frame
        loss_panel.set_ylim(0, top)
        assert overlaps(figure) == ([], [])
        figure.set_layout_engine("none")
