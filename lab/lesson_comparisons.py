"""The lessons' comparisons of many runs, and the pictures of them. Accuracies are fractions."""

import matplotlib.pyplot as plt
import numpy as np
import torch
from matplotlib.ticker import PercentFormatter

from helper_functions import CLASS_COLORS, plot_decision_boundary
from lab.lesson_pictures import CIRCLES, GREY, PURPLE
from lab.many_seeds import train_many
from lab.statistics import bootstrap_interval, mean_of, mean_percent
from model import CircleModelV2

STYLES = ({"color": PURPLE, "ls": "-"}, {"color": "black", "ls": "--"}, {"color": GREY, "ls": ":"})


def plot_losses(each: dict[str, list], *, floor=None, log=False, ax=None):
    """Draw the losses of some runs under each name, on pyplot's current Axes by default.

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


def plot_modes(model, X, y, names=CIRCLES):
    """Draw a network's decision boundary among points X (n, 2) in eval and in train mode.

    y: their classes (n, 1).
    """
    figure, panels = plt.subplots(1, 2, figsize=(9, 4.2), sharey=True, layout="constrained")
    for ax, training in zip(panels, (False, True), strict=True):
        title = "train mode: eval() forgotten" if training else "eval mode"
        options = dict(title=title, training=training, class_names=names, legend=False)
        plot_decision_boundary(model, X, y, ax=ax, grid_resolution=101, **options)
        ax.set(xlabel="x1", ylabel="x2", aspect="equal")
    probability_scale(figure, panels)


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


def train_networks(settings: dict, model_class: type = CircleModelV2, seeds: int = 20) -> dict:
    """Return the history of many networks on circles of 500 points, as `train_many` does.

    Unless the settings say otherwise, they are trained for 100 epochs in batches of 200.
    """
    usual = {"samples": 500, "batch_size": 200, "epochs": 100, "lr": 0.1, "record_every": 1000}
    return train_many([model_class], usual | settings, range(42, 42 + seeds))[model_class.__name__]


def print_modes(runs: dict[str, dict]) -> None:
    """Print a line for each of the histories of many networks, with means and 95 % intervals.

    The last column compares the test accuracy with that of the first line, seed by seed.
    """
    width = max(map(len, runs))
    headings = ("train (95 % interval)", "test", "eval() forgotten", "better than the first line")
    print(" ".join([" " * width, *(f"{heading:23}" for heading in headings)]).rstrip())
    first = np.array(next(iter(runs.values()))["test_acc"][-1])
    for name, run in runs.items():
        several = [np.array(run[key][-1]) for key in ("train_acc", "test_acc", "train_mode_acc")]
        shown = [f"{mean_percent(each):23}" for each in several]
        gain = mean_of(100 * (several[1] - first))
        print(" ".join([f"{name:{width}}", *shown, gain]))


def plot_accuracies(values, each: dict[str, list], *, xlabel: str, ax=None):
    """Draw the mean accuracy of many runs at each value of a setting, with its 95 % interval.

    each: a list with the accuracies (n,) at each value, by names of which there are three at most.
    """
    ax = plt.gca() if ax is None else ax
    for shift, (name, runs), style in zip((-0.05, 0.05, 0), each.items(), STYLES, strict=False):
        means = np.array([np.mean(run) for run in runs])
        low, high = np.array([bootstrap_interval(run) for run in runs]).T
        at = np.arange(len(values)) + shift
        ax.errorbar(
            at, means, (means - low, high - means), marker="o", capsize=4, label=name, **style
        )
    ax.axhline(0.5, color=GREY, lw=0.8, ls=":", label="guessing")
    ax.set(xlabel=xlabel, ylabel="test accuracy", xticks=range(len(values)), xticklabels=values)
    ax.yaxis.set_major_formatter(PercentFormatter(1, symbol=" %"))
    ax.set_ylim(0.4, 1.03)
    ax.legend()


def plot_dropped_sums(each: dict[str, torch.Tensor], exact):
    """Draw how a unit's input spreads in train mode, and its value in eval mode as a line."""
    _, panels = plt.subplots(
        1, len(each), figsize=(9, 3.2), sharex=True, sharey=True, layout="constrained"
    )
    for ax, (name, sums) in zip(panels, each.items(), strict=True):
        ax.hist(sums, bins=40, color=PURPLE, alpha=0.6, label="train mode: 10,000 draws")
        ax.axvline(sums.mean(), color=PURPLE, ls="--", lw=2, label="their mean")
        ax.axvline(exact, color="black", lw=1, label="eval mode")
        ax.set(title=name, xlabel="input of the unit in layer 2", yticks=[])
    panels[0].set_ylabel("how often")
    panels[0].legend(loc="upper left", fontsize=8)


def plot_running_mean(units, eval_from: int, *, ax=None):
    """Draw the first unit's mean in each batch of eight, and what BatchNorm stores of them.

    units: a layer's outputs, (n, units). From batch number `eval_from` on it is in eval mode.
    """
    ax = plt.gca() if ax is None else ax
    norm, seen, stored = torch.nn.BatchNorm1d(units.shape[1]), [], []
    for number, batch in enumerate(units.split(8)):
        norm.train(number < eval_from)(batch)
        seen.append(batch[:, 0].mean())
        stored.append(norm.running_mean[0].item())
    ax.plot(seen, "o", ms=3, color=GREY, label="mean of the batch")
    ax.plot(stored, lw=2, color=PURPLE, label="running_mean")
    ax.axvspan(eval_from - 0.5, len(seen) - 0.5, color="0.93", label="eval mode")
    ax.set(title="One unit in batches of eight", xlabel="batch", ylabel="value before BatchNorm")
    ax.legend(loc="upper center", bbox_to_anchor=(0.5, -0.16), ncols=3, fontsize=8)


def normalized_among(values, value, size: int, times: int = 2000) -> torch.Tensor:
    """Return what BatchNorm makes of a value in batches of that size, (times,).

    The others of each batch are drawn at random from values (n,).
    """
    others = values[torch.randint(len(values), (times, size - 1))]
    batches = torch.cat([value.expand(times, 1), others], dim=1)
    return (batches[:, 0] - batches.mean(dim=1)) / batches.std(dim=1, correction=0)


def plot_normalized(pairs: dict[int, tuple]):
    """Draw the normalized values of a point on each circle, (outer, inner), by size of batch."""
    _, panels = plt.subplots(
        1, len(pairs), figsize=(10, 3.2), sharex=True, sharey=True, layout="constrained"
    )
    for ax, (size, pair) in zip(panels, pairs.items(), strict=True):
        for values, name, color in zip(pair, CIRCLES, CLASS_COLORS, strict=False):
            ax.hist(values, np.linspace(-0.5, 3, 61), color=color, alpha=0.6, label=name)
        wall = (size - 1) ** 0.5
        if wall < 3:
            ax.axvline(wall, color="black", ls="--", lw=1, label="$\\sqrt{n - 1}$")
        ax.set(title=f"batches of {size}", xlabel="value after BatchNorm", yticks=[])
    panels[0].set_ylabel("how often")
    panels[0].legend(loc="upper left", fontsize=8)
