"""Draw every data set with the boundary of the linear model above that of the ReLU model.

    python tools/gallery.py [PICTURE.png]

Each model is trained as `python train.py --data NAME` trains it.
"""

import sys
from pathlib import Path

from matplotlib.figure import Figure

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

from lab.pictures import plot_points_and_boundary  # noqa: E402
from lab.run import train_both  # noqa: E402
from support.checks import fill_in, keywords_of  # noqa: E402
from support.datasets import NAMES as DATASETS  # noqa: E402
from support.files import save_figure  # noqa: E402
from support.text import percent  # noqa: E402
from train import make_data  # noqa: E402

COLUMNS = [{"data": name} for name in DATASETS]
COLUMNS.insert(-1, {"data": "spirals", "classes": 3})
NAMES = {"CircleModelV0": "linear", "CircleModelV2": "ReLU"}


def draw():
    """Return the figure: a column for each data set, with its test points."""
    figure = Figure(figsize=(15.4, 5.1))
    figure.subplots_adjust(left=0.02, right=0.995, bottom=0.02, top=0.9, wspace=0.05, hspace=0.17)
    panels = figure.subplots(2, len(COLUMNS))
    for column, panel in zip(COLUMNS, panels.T, strict=True):
        settings = {"seed": 42, "hidden_units": 16} | fill_in(column)
        data = make_data(**keywords_of(make_data, settings))
        for ax, result in zip(panel, train_both(data, settings), strict=True):
            accuracy = result.summary()["test_accuracy"]
            plot_points_and_boundary(result.model, data.X_test, data.y_test, data, ax)
            ax.set_title(f"{percent(accuracy, digits=1)} right", fontsize=10)
            ax.set(xticks=[], yticks=[], aspect="auto", box_aspect=1)
        name = column["data"] + (", three classes" if "classes" in column else "")
        panel[0].set_title(f"{name}\n{panel[0].get_title()}", fontsize=10)
    for ax, name in zip(panels[:, 0], NAMES.values(), strict=True):
        ax.set_ylabel(name, fontsize=12)
    return figure


if __name__ == "__main__":
    out = Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "pictures" / "datasets.png"
    save_figure(draw(), out, dpi=110)
    print(f"The picture is in {out}")
