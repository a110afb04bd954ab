"""The pictures of the lesson on many seeds. Accuracies are fractions."""

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.ticker import MultipleLocator, PercentFormatter

from lab.lesson_pictures import GREY, PURPLE
from lab.statistics import bootstrap_interval


def plot_distributions(each: dict[str, list], best: float):
    """Draw histograms of accuracies (n,) under each other, by names, with their means.

    best: the best accuracy possible on average, drawn as a line in the last panel.
    """
    _, panels = plt.subplots(len(each), 1, figsize=(7, 2.4 * len(each)), layout="constrained")
    for ax, (name, accuracies) in zip(panels, each.items(), strict=True):
        accuracies = np.array(accuracies)
        steps = np.unique(accuracies.round(4))
        width = max(np.diff(steps).min(initial=1), 0.005)  # one test point of 200
        edges = np.arange(accuracies.min() - width / 2, accuracies.max() + width, width)
        ax.hist(accuracies, edges, color=PURPLE, alpha=0.6, edgecolor="white", label="seeds")
        ax.axvline(accuracies.mean(), color="black", label="mean")
        ax.set(title=f"{name}: {len(accuracies)} seeds", ylabel="number of seeds")
        ax.xaxis.set_major_formatter(PercentFormatter(1, decimals=1, symbol=" %"))
        ax.xaxis.set_major_locator(MultipleLocator(0.005 if np.ptp(accuracies) < 0.05 else 0.02))
    panels[-1].axvline(best, color="black", ls=":", label="best possible on average")
    panels[-1].set_xlabel("test accuracy")
    for ax in panels:
        ax.legend(loc="upper left", fontsize=8)


def plot_intervals(accuracies, sizes=(3, 5, 10, 20, 50)):
    """Draw the mean of the first few accuracies (n,), with its 95 % interval, for several sizes."""
    for at, size in enumerate(sizes):
        first = np.array(accuracies[:size])
        low, high = bootstrap_interval(first)
        plt.plot(np.full(size, at), first, "o", color=GREY, ms=4, alpha=0.4, mec="none")
        plt.errorbar(
            at, first.mean(), [[first.mean() - low], [high - first.mean()]],
            fmt="s", color="black", capsize=6, lw=2,
        )  # fmt: skip
    ax = plt.gca()
    ax.plot([], [], "o", color=GREY, label="one seed")
    ax.plot([], [], "s-", color="black", label="mean and its 95 % interval")
    ax.set(xlabel="number of seeds", xticks=range(len(sizes)), xticklabels=sizes)
    ax.set_ylabel("test accuracy")
    ax.yaxis.set_major_formatter(PercentFormatter(1, decimals=0, symbol=" %"))
    ax.legend()


def plot_pairs(accuracies, others, names: tuple[str, str]):
    """Draw a line for each seed from its accuracy with one setting to that with another.

    Beside it the differences, and their mean with its 95 % interval. names: of the two settings.
    """
    accuracies, others = np.array(accuracies), np.array(others)
    differences = 100 * (others - accuracies)
    low, high = bootstrap_interval(differences)
    _, (left, right) = plt.subplots(
        1, 2, figsize=(9, 4), layout="constrained", width_ratios=(1.4, 1)
    )
    left.plot([0, 1], [accuracies, others], "o-", color=GREY, ms=4, lw=0.8, alpha=0.7)
    left.plot([0, 1], [accuracies.mean(), others.mean()], "s-", color="black", lw=2, label="mean")
    left.plot([], [], "o-", color=GREY, label="one seed")
    left.set(ylabel="test accuracy", xticks=(0, 1), xticklabels=names, xlim=(-0.3, 1.3))
    left.yaxis.set_major_formatter(PercentFormatter(1, decimals=0, symbol=" %"))
    right.hist(differences, 12, color=PURPLE, alpha=0.6, edgecolor="white", label="seeds")
    right.axvline(0, color="black", ls=":", label="no difference")
    right.axvspan(low, high, color=GREY, alpha=0.4, label="interval of the mean")
    right.axvline(differences.mean(), color="black", label="mean")
    right.set(xlabel="difference in percentage points", ylabel="number of seeds")
    right.set_ylim(top=1.6 * right.get_ylim()[1])  # with room for the legend
    for ax in (left, right):
        ax.legend(fontsize=8)
