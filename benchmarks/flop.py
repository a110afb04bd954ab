"""The floating-point operations that it takes to train a network of linear layers and ReLU."""

from collections.abc import Sequence
from itertools import pairwise

import torch

from benchmarks.measure import HIDDEN, RECORD_EVERY, seconds


def count_flop(widths: Sequence[int], points: int) -> tuple[int, int]:
    """Return the floating-point operations of matrix products and of all else in one SGD step.

    widths: units of each layer from the input to the output, with ReLU between them. A product of
    shapes (n, k) and (k, m) counts 2nkm; ReLU, a bias, or a number that it is summed into counts 1
    a number, the loss with its gradient 10 a point, and SGD with momentum 4 a parameter.
    """
    layers = list(pairwise(widths))
    weights = [fan_in * fan_out for fan_in, fan_out in layers]
    forward, by_weight, by_input = sum(weights), sum(weights), sum(weights[1:])
    products = 2 * points * (forward + by_weight + by_input)
    units = sum(widths[1:])
    hidden = sum(widths[1:-1])
    passes = points * (2 * units + 2 * hidden)  # biases and ReLU, there and back
    update = 4 * (sum(weights) + units)
    return products, passes + 10 * points * widths[-1] + update


def flop_an_epoch(points: int, test_points: int) -> float:
    """Return the operations of an epoch of CircleModelV2: a step, and its share of a record."""
    widths = (2, HIDDEN, HIDDEN, 1)
    weights = sum(fan_in * fan_out for fan_in, fan_out in pairwise(widths))
    record = 2 * weights * (points + test_points)
    return sum(count_flop(widths, points)) + record / RECORD_EVERY


def flop_a_second(size: int = 2048) -> float:
    """Return the speed of a product of square float32 matrices, the best of five."""
    a, b = torch.randn(2, size, size)
    product = torch.empty(size, size)
    return 2 * size**3 / min(seconds(torch.mm, a, b, out=product) for _ in range(5))
