"""The pictures of the studies of why ReLU bends the line.

    python -m lab.study_pictures [DIRECTORY]

Writes pieces.png, bent_plane.png, bent_plane.gif, smallest.png and influence.png to the directory,
by default pictures.
"""

import sys
from functools import cache
from pathlib import Path

import torch
from matplotlib.figure import Figure

from lab.bent_plane import bent_plane_film, last_layer_view, plot_bent_plane
from lab.leave_one_out import moves_without_each, plot_moves, train_in_orders
from lab.pieces import boundary_segments, linear_pieces, plot_pieces
from lab.points import draw_points
from lab.smallest import best_inscribed, polygon_network
from lab.trained import trained_models
from model import CircleModelV0, CircleModelV2
from support.files import save_figure, write_atomically
from support.text import counted, percent
from train import Data, build, evaluate, make_data

SEED = 42


@cache
def trained(model_class=CircleModelV2, **settings):
    """Return a model trained with the default recipe on the default data."""
    return trained_models(range(SEED, SEED + 1), model_class, **settings)[0][0]


def draw_pieces(data: Data) -> Figure:
    """Return a figure of the linear network's piece, and of ReLU's before and after training."""
    models = {
        "linear": trained(CircleModelV0),
        "ReLU, before training": build(CircleModelV2, {"seed": SEED}, data),
        "ReLU": trained(),
    }
    figure, panels = figure_and_panels(1, 3, 4.1)
    for ax, (name, model) in zip(panels, models.items(), strict=True):
        pieces = linear_pieces(model)
        sides = len(boundary_segments(pieces))
        parts = [counted(len(pieces), "piece"), counted(sides, "side") if sides else "no boundary"]
        plot_pieces(pieces, ax=ax).set_title(f"{name}\n{', '.join(parts)}")
        draw_points(ax, data.X_train, data.y_train, size=1.8)
    return with_legend(figure)


def draw_bent_plane(data: Data) -> Figure:
    """Return a figure of the plane, and of what the last layers of three networks make of it."""
    models = {
        "linear": trained(CircleModelV0),
        "ReLU": trained(),
        "tanh, a last layer of two units": trained(activation="tanh", hidden_units=(16, 2)),
    }
    views = {name: last_layer_view(model, data.X_train) for name, model in models.items()}
    figure, panels = figure_and_panels(2, 2, 10.5)
    plot_bent_plane(views["ReLU"], data.X_train, data.y_train, ax=panels[0], share=0)
    panels[0].set(title="the plane, with ReLU's boundary", xlabel="x1", ylabel="x2")
    for ax, (name, view) in zip(panels[1:], views.items(), strict=True):
        plot_bent_plane(view, data.X_train, data.y_train, ax=ax).set_title(name)
    return with_legend(figure)


def draw_smallest(data: Data) -> Figure:
    """Return a figure of networks of three, four and five units, by hand and trained."""
    figure, panels = figure_and_panels(2, 3, 7.5)
    for units, above, below in zip((3, 4, 5), panels[:3], panels[3:], strict=True):
        by_hand = polygon_network(units, best_inscribed(units))
        for ax, model, how in (
            (above, by_hand, "by hand"),
            (below, trained(hidden_units=(units,)), "trained"),
        ):
            _, accuracy = evaluate(model, data.X_test, data.y_test)
            plot_pieces(linear_pieces(model), ax=ax)
            ax.set_title(f"{units} units {how}: {percent(accuracy, digits=1)} right")
            draw_points(ax, data.X_test, data.y_test)
    return with_legend(figure)


def draw_influence(data: Data, starts: tuple[int, int]) -> Figure:
    """Return a figure of how much each training point matters, from two starts."""
    figure, panels = figure_and_panels(1, 2, 5.9)
    for ax, start in zip(panels, starts, strict=True):
        without, _ = moves_without_each(data, start, orders=0)
        (model,) = train_in_orders(data, 1, seed=start)
        plot_moves(without, data.X_train, data.y_train, model, ax=ax)
        ax.set_title(f"initial weights of seed {start}")
    figure.suptitle("The larger a point, the more the probability moves when it is left out")
    return with_legend(figure, markerscale=0.7)


def figure_and_panels(rows, columns, height):
    figure = Figure(figsize=(10, height), layout="compressed")
    return figure, figure.subplots(rows, columns).ravel()


def with_legend(figure, markerscale=2.0):
    """Add one legend for all panels below them, and return the figure."""
    handles = figure.axes[0].get_legend_handles_labels()
    figure.legend(*handles, loc="outside lower center", ncols=2, markerscale=markerscale)
    return figure


def main(directory: Path) -> None:
    """Draw and write all pictures."""
    torch.set_num_threads(1)  # the networks are small
    data = make_data(seed=SEED)
    figures = {
        "pieces.png": draw_pieces(data),
        "bent_plane.png": draw_bent_plane(data),
        "smallest.png": draw_smallest(data),
        "influence.png": draw_influence(data, (SEED, SEED + 1)),
    }
    for name, figure in figures.items():
        save_figure(figure, directory / name, dpi=110, bbox_inches="tight")
    view = last_layer_view(trained(), data.X_train)
    film = bent_plane_film(view, data.X_train, data.y_train)
    write_atomically(directory / "bent_plane.gif", film)


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "pictures"))
