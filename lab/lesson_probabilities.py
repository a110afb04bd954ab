"""What the lesson on probabilities computes and draws: calibration, and boundaries of many classes.

Logits have shape (n, k) and labels (n,), with the numbers of the classes.
"""

import matplotlib.pyplot as plt
import numpy as np
import torch
from torch import nn

from helper_functions import plot_decision_boundary
from lab.lesson_pictures import CIRCLES, GREY, PURPLE

BINS = 10
THREE_SPIRALS = dict(
    data="spirals",
    classes=3,
    samples=600,
    noise=0.03,
    hidden_units=32,
    epochs=300,
    lr=0.3,
    record_every=300,
)


def _bins(logits, y):
    """Yield the share of the points, the mean confidence and the accuracy of each bin that has any.

    The confidence is the probability of the likeliest class; the bins are tenths of it.
    """
    confidence, label = logits.softmax(dim=1).max(dim=1)
    right, number = (label == y).float(), (BINS * confidence).long().clamp(max=BINS - 1)
    for one in number.unique():
        own = number == one
        yield own.float().mean().item(), confidence[own].mean().item(), right[own].mean().item()


def calibration_error(logits, y) -> float:
    """Return the expected calibration error: how far confidence and accuracy lie apart on average.

    Source: C. Guo and others, "On Calibration of Modern Neural Networks", 2017, section 2.
    """
    return sum(share * abs(sure - right) for share, sure, right in _bins(logits, y))


def best_temperature(logits, y) -> float:
    """Return the number, from 0.5 to 20 in tenths, to divide logits by for the least loss."""
    temperatures = torch.arange(5, 201) / 10
    losses = [nn.functional.cross_entropy(logits / T, y) for T in temperatures]
    return temperatures[torch.stack(losses).argmin()].item()


def calibration_errors(answers: list[tuple]) -> list[float]:
    """Return the calibration error of each network's logits (n, k) and labels (n,)."""
    return [calibration_error(logits, y) for logits, y in answers]


def logits_and_labels(models, datasets) -> list[tuple]:
    """Return each network's logits (n, k) on its own test points, and their labels (n,)."""
    answers = []
    for model, data in zip(models, datasets, strict=True):
        model.eval()
        with torch.inference_mode():
            answers.append((model(data.X_test), data.y_test[:, 0]))
    return answers


def confidence(logits) -> float:
    """Return the mean probability of the likeliest class."""
    return logits.softmax(dim=1).max(dim=1).values.mean().item()


def plot_reliability(each: dict[str, list]):
    """Draw the accuracy of each bin of confidence as a bar, and its gap to the confidence on it.

    each: the logits (n, k) and labels (n,) of some networks, which are put together, by titles.
    """
    figure, panels = plt.subplots(
        1, len(each), figsize=(9, 4.4), sharex=True, sharey=True, layout="constrained"
    )
    for ax, (title, answers) in zip(panels, each.items(), strict=True):
        together = map(torch.cat, zip(*answers, strict=True))
        _, sure, right = np.array(list(_bins(*together))).T
        left = np.floor(BINS * sure.clip(max=1 - 1e-6)) / BINS
        style = dict(width=1 / BINS, align="edge", edgecolor="white")
        ax.bar(left, right, color=GREY, label="share that is right", **style)
        for own, name, alpha in (
            (sure > right, "too confident", 0.35),
            (sure < right, "not confident enough", 0.7),
        ):
            if own.any():
                gap = dict(color=PURPLE, alpha=alpha, hatch="//", label=name)
                ends = np.sort([sure[own], right[own]], axis=0)
                ax.bar(left[own], ends[1] - ends[0], bottom=ends[0], **style | gap)
        ax.plot([0, 1], [0, 1], color="black", ls="--", label="right as often as confident")
        ax.set(title=title, xlabel="confidence", xlim=(0.3, 1), ylim=(0, 1))
    panels[0].set_ylabel("share of the points that is right")
    shown = [zip(*ax.get_legend_handles_labels(), strict=True) for ax in panels]
    by_name = {name: handle for panel in shown for handle, name in panel}
    figure.legend(by_name.values(), by_name.keys(), loc="outside lower center", ncols=4)


def plot_classes(each: dict[str, tuple]):
    """Draw decision boundaries in two columns: a model and its data by titles."""
    figure, panels = plt.subplots(len(each) // 2, 2, figsize=(8, 8), layout="compressed")
    for ax, (title, (model, data)) in zip(panels.flat, each.items(), strict=True):
        options = dict(title=title, legend=False, grid_resolution=151)
        plot_decision_boundary(model, data.X_test, data.y_test, ax=ax, **options)
        ax.set(xlabel="x1", ylabel="x2", aspect="equal")
    handles = panels.flat[0].get_legend_handles_labels()
    figure.legend(*handles, loc="outside lower center", ncols=3)


def three_discs(count: int) -> tuple:
    """Return points in a square, (count, 2), and which of three discs they lie in, (count, 3)."""
    X = 3 * torch.rand(count, 2) - 1.5
    centres = torch.tensor([[0.0, 0.45], [-0.4, -0.25], [0.4, -0.25]])
    return X, (torch.cdist(X, centres) < 0.8).float()


def plot_labels(model, X, Y, names):
    """Draw a panel for each of several labels that don't exclude each other: yes is blue.

    model: from points X (n, 2) to a logit for each label, (n, k). Y: labels (n, k).
    """
    figure, panels = plt.subplots(1, len(names), figsize=(10, 4), sharey=True, layout="compressed")
    for i, (ax, name) in enumerate(zip(panels, names, strict=True)):
        options = dict(title=name, legend=False, grid_resolution=151, class_names=("no", "yes"))
        plot_decision_boundary(lambda x, i=i: model(x)[:, [i]], X, Y[:, i], ax=ax, **options)
        ax.set(xlabel="x1", ylabel="x2", aspect="equal")
        ax.label_outer()
    figure.colorbar(panels[0].images[-1], ax=panels, label="probability of yes", shrink=0.8)
    handles = panels[0].get_legend_handles_labels()
    figure.legend(*handles, loc="outside lower center", ncols=2)


def plot_far_away(model, X, y, limits=(1.2, 5.0)):
    """Draw a network's probabilities near its training points X (n, 2), and farther out."""
    figure, panels = plt.subplots(1, len(limits), figsize=(9.5, 4.6), layout="compressed")
    for ax, limit in zip(panels, limits, strict=True):
        plane = dict(xlim=(-limit, limit), ylim=(-limit, limit))
        options = dict(legend=False, class_names=CIRCLES, points={"ms": 3, "mec": "none"})
        plot_decision_boundary(model, X, y, ax=ax, **plane, **options)
        ax.set(xlabel="x1", ylabel="x2", aspect="equal")
    figure.colorbar(
        panels[0].images[-1], ax=panels, label=f"probability of {CIRCLES[1]}", shrink=0.8
    )
    handles = panels[0].get_legend_handles_labels()
    figure.legend(*handles, loc="outside lower center", ncols=2)


def plot_sigmoid_and_softmax(difference, softmax):
    """Draw the sigmoid, and the softmax of class 1 (n,) over the difference of its logits (n,)."""
    x = torch.linspace(-8, 8, 201)
    plt.plot(x, torch.sigmoid(x), color="black", label="sigmoid")
    plt.plot(difference, softmax, "^", color=PURPLE, ms=5, label="softmax of class 1")
    plt.axhline(0.5, color=GREY, lw=0.8, ls=":")
    plt.axvline(0, color=GREY, lw=0.8, ls=":")
    plt.xlim(-8, 8)
    plt.gca().set(xlabel="$z_1 - z_0$", ylabel="probability of class 1")
    plt.legend()
