"""The best possible accuracy, against the best rule on many points, and SciPy's densities."""

import math

import numpy as np
import pytest
from scipy import optimize, stats

from support import datasets
from support.best_possible import best_possible_accuracy
from train import make_data


def nearest(X, centers):
    """Return the number of the nearest center to each point."""
    return np.linalg.norm(X[:, None] - centers, axis=2).argmin(axis=1)


def reference_accuracy(noise, factor):
    """Two Rice distributions of scipy's, and the radius where their densities are equal."""
    inner = stats.rice(factor / noise, scale=noise)
    outer = stats.rice(1 / noise, scale=noise)
    threshold = optimize.brentq(lambda r: inner.logpdf(r) - outer.logpdf(r), 1e-9, 1.5)
    return (inner.cdf(threshold) + outer.sf(threshold)) / 2


@pytest.mark.parametrize(
    ("noise", "factor"), [(0.03, 0.8), (0.1, 0.8), (0.2, 0.8), (0.2, 0.3), (0.05, 0.9), (0.5, 0.6)]
)
def test_best_possible_accuracy_agrees_with_scipy(noise, factor):
    expected = reference_accuracy(noise, factor)
    assert best_possible_accuracy(noise=noise, factor=factor) == pytest.approx(expected, abs=1e-6)


def test_best_possible_accuracy_at_the_defaults():
    assert best_possible_accuracy(noise=0.03, factor=0.8) == pytest.approx(0.99957, abs=5e-6)


def test_best_possible_accuracy_at_the_ends():
    assert best_possible_accuracy(noise=0.0, factor=0.8) == 1.0
    assert best_possible_accuracy(noise=1e-9, factor=0.999) == 1.0
    assert best_possible_accuracy(noise=100.0, factor=0.8) == pytest.approx(0.5, abs=1e-4)


def test_no_threshold_on_the_radius_beats_the_best_possible():
    data = make_data(samples=400_000, noise=0.1, test_size=0.5)
    radius, y = data.X_train.norm(dim=1), data.y_train.squeeze(1)
    accuracies = [((radius < t) == y.bool()).double().mean().item() for t in np.linspace(0.8, 1)]
    assert max(accuracies) == pytest.approx(
        best_possible_accuracy(noise=0.1, factor=0.8), abs=0.002
    )


@pytest.mark.parametrize(("classes", "noise"), [(2, 0.7), (3, 0.5), (5, 0.3), (7, 1.5)])
def test_the_best_on_blobs_is_the_nearest_center(classes, noise):
    settings = {"samples": 200_000, "classes": classes, "seed": 0}
    centers = [
        datasets.blobs(**settings | {"noise": 0.0, "samples": classes})[0],
        datasets.blobs(**settings | {"noise": 0.0, "samples": classes})[1],
    ]
    ordered = centers[0][np.argsort(centers[1])]
    X, y = datasets.blobs(noise=noise, **settings)
    accuracy = (nearest(X, ordered) == y).mean()
    best = best_possible_accuracy(data="blobs", noise=noise, classes=classes)
    assert best == pytest.approx(accuracy, abs=0.004)


def test_the_best_on_two_gaussians_and_on_xor_is_the_better_side_of_the_lines():
    X, y = datasets.xor(samples=400_000, noise=0.8, seed=0)
    accuracy = ((X[:, 0] * X[:, 1] < 0) == y).mean()
    assert best_possible_accuracy(data="xor", noise=0.8) == pytest.approx(accuracy, abs=0.003)
    X, y = datasets.gaussians(samples=400_000, noise=0.8, seed=0)
    accuracy = ((X.sum(axis=1) < 0) == y).mean()
    assert best_possible_accuracy(data="gaussians", noise=0.8) == pytest.approx(accuracy, abs=0.003)
    two_blobs = best_possible_accuracy(data="blobs", noise=0.8, classes=2)
    assert best_possible_accuracy(data="gaussians", noise=0.8) == pytest.approx(two_blobs, abs=1e-6)


def test_the_best_is_one_without_noise_and_unknown_elsewhere():
    assert best_possible_accuracy(data="blobs", noise=0, classes=4) == 1.0
    assert best_possible_accuracy(data="xor", noise=0) == 1.0
    assert best_possible_accuracy(data="moons", noise=0.1) is None
    assert best_possible_accuracy(data="spirals", noise=0.1, classes=3) is None
    assert best_possible_accuracy(data="people.csv") is None


def test_the_limit_of_two_blobs_is_the_normal_distribution():
    for noise in (0.3, 0.5, 1.0, 3.0):
        expected = 0.5 * (1 + math.erf(1 / noise / math.sqrt(2)))
        best = best_possible_accuracy(data="blobs", noise=noise, classes=2)
        assert best == pytest.approx(expected, abs=1e-7)


def test_the_best_possible_accuracy_needs_the_settings_that_it_depends_on():
    assert best_possible_accuracy(data="moons") is None
    with pytest.raises(ValueError, match="factor must be given for data 'circles'; got None"):
        best_possible_accuracy(noise=0.1)
    with pytest.raises(ValueError, match="classes must be given for data 'blobs'; got None"):
        best_possible_accuracy(data="blobs", noise=0.1)
