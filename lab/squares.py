"""The non-linearity can be in the data: a line in x1, x2, x1^2 and x2^2 is an ellipse in the plane.

    python -m lab.squares

A circle is where x1^2 + x2^2 is constant, so that the linear model needs no hidden layer once it is
given the squares. Something has to be non-linear. With the squares somebody who knew the answer put
it there; a hidden layer finds it.
"""

import torch
from torch import nn

from lab.statistics import mean_percent, share_at_goal
from support.text import percent
from train import make_data, train


class Squares(nn.Module):
    """Adds the squares of the features: from (..., n) to (..., 2 n)."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.cat([x, x**2], dim=-1)


def linear_on_squares() -> nn.Sequential:
    """Return a linear model on x1, x2, x1^2 and x2^2, with the usual random weights."""
    return nn.Sequential(Squares(), nn.Linear(4, 1))


def squares_accuracies(seeds: range, **settings) -> list[float]:
    """Return the test accuracy for each seed, of the data and of the weights; train's settings."""
    accuracies = []
    for seed in seeds:
        torch.manual_seed(seed)
        model, data = linear_on_squares(), make_data(seed=seed)
        history = train(model, data, seed=seed, **settings)
        accuracies.append(history["test_acc"][-1])
    return accuracies


if __name__ == "__main__":
    torch.set_num_threads(1)  # the model is small
    seeds = range(42, 142)
    accuracies = squares_accuracies(seeds)
    mean, worst = mean_percent(accuracies, digits=2), percent(min(accuracies))
    print(f"{len(seeds)} seeds: {mean} right, {worst} at worst.")
    print(f"At 99 % or better: {share_at_goal(accuracies)} of the seeds.")
