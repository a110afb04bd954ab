"""The lessons' comparisons of many runs, and the pictures of them. Accuracies are fractions."""

import matplotlib.pyplot as plt

from helper_functions import plot_decision_boundary
from lab.lesson_pictures import CIRCLES, GREY, PURPLE

STYLES = ({"color": PURPLE, "ls": "-"}, {"color": "black", "ls": "--"}, {"color": GREY, "ls": ":"})


def plot_losses(each: dict[str, list], *, floor=None, log=False, ax=None):
    """Draw the losses of some runs under each name; return the Axes, pyplot's current by default.

    each: lists of histories, or of the losses of every epoch.
    floor: a loss that can't be gone below, drawn as a line.
    """
    ax = plt.gca() if ax is None else ax
    for (name, runs), style in zip(each.items(), STYLES, strict=False):
        for number, run in enumerate(runs):
            epochs, losses = range(1, len(run) + 1), run
            if isinstance(run, dict):
                epochs, losses = run["epoch"], run["train_loss"]
            ax.plot(epochs, losses, lw=1.2, label="" if number else name, **style)
    if floor is not None:
        ax.axhline(floor, color=GREY, ls=":", label=f"least possible: {floor:.3f}")
    ax.set(xlabel="epoch", ylabel="loss on the training set", yscale="log" if log else "linear")
    ax.legend()
    return ax


def plot_modes(model, X, y, names=CIRCLES):
    """Draw a network's decision boundary among points X (n, 2) in eval and in train mode.

    y: their classes (n, 1). Returns the two Axes.
    """
    figure, panels = plt.subplots(1, 2, figsize=(9, 4.2), sharey=True, layout="constrained")
    for ax, training in zip(panels, (False, True), strict=True):
        title = "train mode: eval() forgotten" if training else "eval mode"
        options = dict(title=title, training=training, class_names=names, legend=False)
        plot_decision_boundary(model, X, y, ax=ax, grid_resolution=101, **options)
        ax.set(xlabel="x1", ylabel="x2", aspect="equal")
    probability_scale(figure, panels)
    return panels


def probability_scale(figure, panels, name="inner circle (1)"):
    """Add the scale of the probability and a legend beneath to panels of decision boundaries."""
    figure.colorbar(panels[0].images[-1], ax=panels, label=f"probability of {name}")
    handles, labels = panels[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=len(labels))


def accuracies_above(threshold: float, models: list, datasets: list) -> list[float]:
    """Return each model's accuracy on its test set if an output above the threshold is class 1."""
    accuracies = []
    for model, data in zip(models, datasets, strict=True):
        right = (model(data.X_test) > threshold) == (data.y_test == 1)
        accuracies.append(right.float().mean().item())
    return accuracies
