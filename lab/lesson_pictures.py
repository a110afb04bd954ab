"""The lessons' pictures, so that their cells show the idea and not the plotting.

Colours mean classes: orange is class 0, the outer circle, and blue is class 1, the inner one. All
else is purple, grey or black.
"""

import matplotlib.pyplot as plt
import torch

from helper_functions import CLASS_COLORS, MARKERS

OUTER, INNER = CLASS_COLORS[:2]
PURPLE, GREY = "#7B3294", "#8c8c8c"
CIRCLES = ("outer circle (0)", "inner circle (1)")


def set_style():
    """Set the size and the resolution of a lesson's pictures, and have torch use one thread.

    One thread is faster than several for networks this small.
    """
    torch.set_num_threads(1)
    plt.rcParams.update(
        {
            "figure.dpi": 110,
            "figure.figsize": (5, 4),
            "legend.framealpha": 0.9,
            "axes.titlesize": "medium",
        }
    )


def plot_points(X, y, *, ax=None, class_names=CIRCLES, **style):
    """Plot points X (n, 2), coloured and marked by their class, y (n, 1); return the Axes.

    class_names: of the legend. style: of the markers. `ax` is by default pyplot's current one.
    """
    ax = plt.gca() if ax is None else ax
    for number, name in enumerate(class_names):
        x1, x2 = X[y.flatten() == number].T
        look = dict(ls="", marker=MARKERS[number], color=CLASS_COLORS[number], ms=4, mec="none")
        ax.plot(x1, x2, label=name, **(look | style))
    ax.set(xlabel="x1", ylabel="x2", aspect="equal")
    ax.legend(loc="center")
    return ax
