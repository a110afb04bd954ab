"""Drawing saved models from the shell: python helper_functions.py MODEL ..."""

from math import ceil
from operator import eq
from pathlib import Path

import numpy as np
import torch
from matplotlib.figure import Figure

from helper_functions import plot_hidden_units
from lab.parser import CommandLine
from lab.pictures import (
    NAME,
    in_lines,
    legend_below,
    legend_grid,
    name_classes,
    plane_around,
    plot_points_and_boundary,
    text_as_it_is,
)
from lab.reports import notes_on_letters
from model import load_checkpoint
from support.checks import keywords_of
from support.files import save_figure
from support.text import shortened, shown
from train import make_data

MAX_SAMPLES = 10**6  # to draw with a saved model; a small file must not fill the memory


def main(argv=None):
    """Draw saved models side by side, each on the training set that its file tells of."""
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
    with parser.one_sentence_errors(), text_as_it_is():
        out = args.out or Path(f"{args.models[0]}".removesuffix(".safetensors") + ".png")
        if out.suffix.lower() not in (".png", ".svg", ".pdf"):
            raise ValueError(f"out must end in .png, .svg or .pdf; got {shown(str(out))}.")
        if not 2 <= args.resolution <= 10_001:
            raise ValueError(f"resolution must be from 2 to 10,001; got {args.resolution}.")
        if not out.parent.is_dir() or out.is_dir():
            raise ValueError(
                f"out must be a file in a directory that exists; got {shown(str(out))}."
            )
        saved = [(path, *_load(path)) for path in args.models]
        save_figure(_draw_saved(saved, args.resolution, args.hidden_units), out, dpi=150)
        for _, _, data in saved:
            for note in notes_on_letters([*(data.feature_names or ()), *data.class_names]):
                print(note)
        print(f"The picture is in {out}")


def _load(path):
    """Return a saved model and the data that it was trained on."""
    model, settings = load_checkpoint(path)
    if model.arguments.get("in_features", 2) != 2:
        raise ValueError(f"{path} must hold a model of points in the plane, in_features 2.")
    if isinstance(settings.get("samples"), int) and MAX_SAMPLES < settings["samples"] <= 10**8:
        raise ValueError(
            f"{path} must hold a model of at most {MAX_SAMPLES:,} points, which are drawn with it; "
            f"got {settings['samples']:,}."
        )
    data = make_data(**keywords_of(make_data, settings))
    if data.feature_names:
        _check_table(path, model, settings, data)
    return model, data


def _check_table(path, model, settings, data):
    """Raise a ValueError if a table doesn't fit what a model was trained on."""
    scales = "features' means and standard deviations"
    for what, trained, now, fits in (
        ("classes", settings.get("class_names"), [*data.class_names], eq),
        ("features", settings.get("feature_names"), [*data.feature_names], eq),
        (scales, model.arguments.get("standardize"), [*data.standardize], _are_close),
    ):
        if trained is not None and not fits(trained, now):
            raise ValueError(
                f"{settings['data']} must fit what {path} was trained on, with the {what} "
                f"{shown(trained)}; got {shown(now)}."
            )


def _are_close(trained, now):
    """Whether means and standard deviations differ by a tiny part of the latter."""
    return abs(np.subtract(trained, now) / now[1]).max() < 1e-5


def _draw_saved(saved, resolution, hidden_units):
    """Return a figure of saved models on one scale of probability and, of one table, the plane."""
    planes = []
    for *_, data in saved:
        alike = [each.X_train for *_, each in saved if each.feature_names == data.feature_names]
        planes.append(plane_around(torch.cat(alike)) | {"grid_resolution": resolution})
    titles = [f"{type(m).__name__} ({shortened(path.name, NAME)})" for path, m, _ in saved]
    return (_draw_units if hidden_units else _draw_boundaries)(saved, titles, planes)


def _draw_boundaries(saved, titles, planes):
    """Return a figure of the models' boundaries, two in a row."""
    rows, columns = ceil(len(saved) / 2), min(2, len(saved))
    figure, below = Figure(figsize=(6.2 * columns, 5), layout="constrained"), []
    parts = figure.subfigures(rows, columns, squeeze=False).flat
    for part, title, plane, (_, model, data) in zip(parts, titles, planes, saved, strict=False):
        ax = part.subplots()
        plot_points_and_boundary(model, data.X_train, data.y_train, data, ax, **plane)
        pad = 6 if data.feature_names is None else 18  # above an exponent such as 1e-9
        ax.set_title(in_lines(title, 4.6), fontsize=10, y=1, pad=pad)
        below.append(name_classes(part, [ax], data))
    figure.set_figheight(rows * (4.8 + max(below)))
    return figure


def _draw_units(saved, titles, planes):
    """Return a figure of what the models' hidden units compute, one model below the other."""
    heights = [
        height for *_, data in saved for height in (6.3, 0.2 + legend_grid(data.class_names, 16)[1])
    ]
    figure = Figure(figsize=(16, sum(heights)))
    parts = figure.subfigures(len(heights), 1, height_ratios=heights)
    for part, below, title, plane, (_, model, data) in zip(
        parts[::2], parts[1::2], titles, planes, saved, strict=True
    ):
        options = plane | dict(title=title, class_names=data.class_names)
        plot_hidden_units(model, data.X_train, data.y_train, figure=part, **options)
        output = part.axes[-1]
        legend_below(below, *output.get_legend_handles_labels())
        output.get_legend().remove()
    return figure
