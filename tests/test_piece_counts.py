"""How many pieces: the bound of the theory, and what is counted."""

from math import comb

import pytest
import torch

from lab.piece_counts import count_pieces, most_pieces, piece_counts_table
from lab.pieces import boundary_segments, linear_pieces
from model import CircleModelV2
from train import make_data, train

SMALL = dict(samples=60, epochs=5)


@pytest.mark.parametrize("units", [1, 2, 3, 10, 64])
def test_one_layer_has_at_most_the_parts_that_lines_cut_the_plane_into(units):
    assert most_pieces((units,)) == 1 + units + comb(units, 2)


@pytest.mark.parametrize(
    ("widths", "most"),
    [
        # One unit is 0 on one side of its line, a piece, and on the other it grows: there the
        # second layer bends along 16 parallel lines at most.
        ((1, 16), 18),
        # Where both of two units are on, 16 lines cut a quarter of the plane into 137 parts; where
        # one is, into 17; where none is, not at all.
        ((2, 16), 137 + 2 * 17 + 1),
        # Enough units that each part of the first layer could be cut like the whole plane.
        ((16, 16), 137**2),
        ((8, 8, 8, 8), 37**4),
    ],
)
def test_deeper_networks_have_at_most_what_can_be_counted_by_hand(widths, most):
    assert most_pieces(widths) == most


@pytest.mark.parametrize("widths", [(3,), (1, 4), (2, 4), (3, 3), (2, 2, 2)])
def test_no_network_has_more(widths):
    for seed in range(20):
        torch.manual_seed(seed)
        model = CircleModelV2(hidden_units=widths)
        assert len(linear_pieces(model, (-50, 50), (-50, 50))) <= most_pieces(widths)


def test_the_counts_are_those_of_models_trained_one_by_one():
    before, after, sides = count_pieces((6, 5), range(3, 6), **SMALL)
    for seed, *counts in zip(range(3, 6), before, after, sides, strict=True):
        torch.manual_seed(seed)
        model = CircleModelV2(hidden_units=(6, 5))
        untrained = len(linear_pieces(model))
        train(model, make_data(samples=60, seed=seed), epochs=5, seed=seed)
        pieces = linear_pieces(model)
        assert counts == [untrained, len(pieces), len(boundary_segments(pieces))]


def test_the_table_has_a_line_for_each_network():
    heading, _, *lines = piece_counts_table(range(2), [(3,), (3, 2)]).splitlines()
    assert "before training" in heading
    assert [line.split("|")[1].strip() for line in lines] == ["3x", "3x2"]
    assert [line.split("|")[3].strip() for line in lines] == ["7", "25"]
