"""Points of classes, as all pictures of the lab draw them."""

from helper_functions import CLASS_COLORS, MARKERS

CIRCLES = ("outer circle", "inner circle")  # what the two classes of the default data are


def draw_points(ax, X, y, class_names=CIRCLES, size=2.5, alpha=1.0) -> None:
    """Draw points X (n, 2) with a colour and a marker for each class; y (n, 1) has its number."""
    for number, name in enumerate(class_names):
        ax.plot(
            *X[y.flatten() == number].T,
            MARKERS[number],
            color=CLASS_COLORS[number],
            ms=size,
            mec="none",
            alpha=alpha,
            label=name,
        )
