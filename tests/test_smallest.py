"""Polygons by hand: the geometry, the points and the exact pieces say the same."""

import math
from functools import cache

import numpy as np
import pytest
import torch
from sklearn.datasets import make_circles

from lab.pieces import boundary_segments, linear_pieces
from lab.smallest import (
    best_inscribed,
    polygon_accuracy,
    polygon_network,
    sides_of,
    smallest_table,
)
from support.best_possible import best_possible_accuracy


@cache
def circles(noise, factor, count=400_000):
    X, y = make_circles(count, noise=noise or None, factor=factor, random_state=0)
    return torch.from_numpy(X), torch.from_numpy(y)


def accuracy_on_points(units, inscribed, noise, factor):
    X, y = circles(noise, factor)
    model = polygon_network(units, inscribed).double()
    with torch.inference_mode():
        return ((model(X)[:, 0] > 0) == y).double().mean().item()


@pytest.mark.parametrize(("units", "sides"), [(3, 6), (4, 4), (5, 10), (6, 6), (7, 14), (8, 8)])
def test_the_boundary_is_a_regular_polygon(units, sides):
    assert sides_of(units) == sides
    pieces = linear_pieces(polygon_network(units, 0.85), (-2, 2), (-2, 2))
    segments = boundary_segments(pieces)
    normals = segments[:, 0] - segments[:, 1]
    lengths = np.linalg.norm(normals, axis=1)
    kept = segments[lengths > 1e-6]  # float32 weights may leave a speck of a piece
    corners = np.linalg.norm(kept, axis=2)
    middles = np.linalg.norm(kept.mean(axis=1), axis=1)
    np.testing.assert_allclose(corners, 0.85 / math.cos(math.pi / sides), rtol=1e-5)
    # The line of a unit runs through a side's middle and halves it, or through a corner.
    assert len(kept) in (sides, 2 * sides)
    if len(kept) == sides:
        np.testing.assert_allclose(middles, 0.85, rtol=1e-5)


@pytest.mark.parametrize("units", [3, 5])
def test_the_hexagon_and_the_decagon_fit_between_the_circles(units):
    outside = 1 / math.cos(math.pi / sides_of(units))
    assert outside < 1 / 0.8
    assert polygon_accuracy(units, 0.9 / outside**0.5, noise=0) == 1
    assert accuracy_on_points(units, 0.9 / outside**0.5, 0, 0.8) == 1


def test_the_square_and_the_strip_do_not():
    assert 1 / math.cos(math.pi / 4) > 1 / 0.8
    for units in (2, 4):
        best = max(polygon_accuracy(units, i / 1000, noise=0) for i in range(500, 1200))
        # At an inscribed radius of 0.8 the inner circle is within, and of the outer one the share
        # of angles at which cos(angle) is above 0.8.
        assert best == pytest.approx(0.5 + math.acos(0.8) * units / (2 * math.pi), abs=1e-9)


@pytest.mark.parametrize("units", [2, 3, 4, 5, 8])
@pytest.mark.parametrize(("noise", "factor"), [(0, 0.8), (0.03, 0.8), (0.1, 0.5)])
def test_the_geometry_agrees_with_points(units, noise, factor):
    for inscribed in (0.6, 0.8, 0.85, 0.95):
        by_points = accuracy_on_points(units, inscribed, noise, factor)
        by_geometry = polygon_accuracy(units, inscribed, noise=noise, factor=factor)
        assert by_geometry == pytest.approx(by_points, abs=0.002)


def test_the_best_radius_is_the_best_threshold_on_points():
    X, y = (tensor.numpy() for tensor in circles(0.03, 0.8))
    for units in (3, 4, 5):
        model = polygon_network(units, 0).double()
        with torch.inference_mode():
            far = -model(torch.from_numpy(X))[:, 0].numpy()
        order = far.argsort()
        right = 0.5 + (2 * y[order] - 1).cumsum() / len(y)
        best = best_inscribed(units)
        assert polygon_accuracy(units, best) == pytest.approx(right.max(), abs=5e-4)
        assert best == pytest.approx(far[order][right.argmax()], abs=0.01)


def test_many_units_come_near_the_best_there_is():
    best = best_possible_accuracy(data="circles", noise=0.03, factor=0.8)
    assert best - 1e-4 < polygon_accuracy(41, best_inscribed(41)) <= best + 1e-6


def test_one_unit_encloses_nothing():
    with pytest.raises(ValueError, match="units must be 2 or more; got 1"):
        polygon_network(1, 0.85)


def test_the_table_has_a_line_for_each_number_of_units():
    heading, _, three, four = smallest_table(range(2), (3, 4)).splitlines()
    assert [line.split("|")[1].strip() for line in (three, four)] == ["3", "4"]
    assert "| 6     | 1.155 " in three
    assert "| 4     | 1.414 " in four
    assert heading.count("|") == three.count("|")
