"""The exact linear pieces: they tile the rectangle and are the network, to rounding."""

import copy
from functools import cache
from itertools import combinations

import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from torch import nn

from lab.pieces import boundary_segments, linear_pieces, plot_pieces
from lab.smallest import polygon_network
from model import CircleModelV0, CircleModelV2
from train import make_data, train


def network(*layers, seed=0):
    """Return the layers with random weights, which are larger than usual, so that more bends."""
    torch.manual_seed(seed)
    model = nn.Sequential(*layers)
    for parameter in model.parameters():
        nn.init.normal_(parameter)
    return model


def batch_norm():
    layer = nn.BatchNorm1d(8)
    for statistics in (layer.running_mean, layer.running_var):
        nn.init.uniform_(statistics, 0.5, 2)
    return layer


@cache
def trained(**settings):
    torch.manual_seed(42)
    model = CircleModelV2(**settings)
    train(model, make_data(), epochs=100)
    return model


NETWORKS = {
    "affine": lambda: CircleModelV0(),
    "one layer": lambda: network(nn.Linear(2, 8), nn.ReLU(), nn.Linear(8, 1)),
    "three layers": lambda: network(
        nn.Linear(2, 7), nn.ReLU(), nn.Linear(7, 5), nn.ReLU(), nn.Linear(5, 6), nn.ReLU(),
        nn.Linear(6, 1),
    ),
    "leaky": lambda: network(
        nn.Linear(2, 8), nn.LeakyReLU(0.2), nn.Linear(8, 8), nn.LeakyReLU(), nn.Linear(8, 1)
    ),
    "a slope of each unit's own": lambda: network(
        nn.Linear(2, 8), nn.PReLU(8), nn.Linear(8, 6), nn.PReLU(), nn.Linear(6, 5), nn.RReLU(),
        nn.Linear(5, 1),
    ),
    "flat": lambda: network(nn.Linear(2, 6), nn.ReLU(inplace=True), nn.Linear(6, 1), nn.Flatten(0)),
    "two bends": lambda: network(
        nn.Linear(2, 6), nn.Hardtanh(-0.5, 1), nn.Linear(6, 6), nn.ReLU6(), nn.Linear(6, 1)
    ),
    "in parts, with BatchNorm and Dropout": lambda: network(
        nn.Sequential(nn.Linear(2, 8), batch_norm(), nn.ReLU(), nn.Dropout(0.5)),
        nn.Sequential(nn.Linear(8, 8), nn.Identity(), nn.ReLU(), nn.Linear(8, 1)),
    ),
    "standardized": lambda: CircleModelV2(standardize=((0.2, -0.1), (0.5, 2.0))),
    "two logits": lambda: network(nn.Linear(2, 8), nn.ReLU(), nn.Linear(8, 2)),
    "trained": lambda: trained(),
    "trained with BatchNorm": lambda: trained(batch_norm=True, hidden_units=(8, 8)),
}  # fmt: skip


@pytest.fixture(params=NETWORKS, scope="module")
def case(request):
    """Return a network, the same one in float64, and its pieces."""
    model = NETWORKS[request.param]()
    return model, copy.deepcopy(model).double().eval(), linear_pieces(model)


def area(corners):
    (x, y), (x2, y2) = corners.T, np.roll(corners, -1, axis=0).T
    return (x * y2 - x2 * y).sum() / 2


def within(corners, points):
    """Whether points (n, 2) lie in a convex polygon, or within rounding of it."""
    edges = np.roll(corners, -1, axis=0) - corners
    to = points[:, None] - corners
    return (edges[:, 0] * to[..., 1] - edges[:, 1] * to[..., 0] >= -1e-12).all(axis=1)


def answers(model, points):
    with torch.inference_mode():
        return model(torch.from_numpy(points)).numpy().reshape(len(points), -1)


def test_the_pieces_tile_the_rectangle(case):
    *_, pieces = case
    areas = [area(piece.corners) for piece in pieces]
    assert min(areas) > 0
    assert sum(areas) == pytest.approx(2.3**2, rel=1e-12)
    assert all(within(piece.corners, piece.corners.mean(axis=0)[None]) for piece in pieces)
    points = np.random.default_rng(0).uniform(-1.15, 1.15, (500, 2))
    assert (sum(within(piece.corners, points).astype(int) for piece in pieces) == 1).all()


def test_each_map_is_the_network(case):
    _, exact, pieces = case
    random = np.random.default_rng(0)
    for piece in pieces:
        shares = random.dirichlet(np.ones(len(piece.corners)), 5)
        points = np.concatenate([piece.corners, shares @ piece.corners])
        np.testing.assert_allclose(
            points @ piece.weight + piece.bias, answers(exact, points), rtol=0, atol=1e-9
        )


def test_pieces_that_share_an_edge_agree_on_it(case):
    *_, pieces = case
    for piece in pieces[:: len(pieces) // 30 + 1]:
        middles = (piece.corners + np.roll(piece.corners, -1, axis=0)) / 2
        for other in pieces:
            shared = middles[within(other.corners, middles)]
            values, others = (shared @ p.weight + p.bias for p in (piece, other))
            np.testing.assert_allclose(values, others, rtol=0, atol=1e-9)


def test_patterns_tell_which_units_are_on(case):
    _, exact, pieces = case
    inputs = []
    hooks = [
        layer.register_forward_pre_hook(lambda layer, given: inputs.append((layer, given[0])))
        for layer in exact.modules()
        if isinstance(layer, nn.ReLU | nn.LeakyReLU | nn.PReLU | nn.RReLU | nn.Hardtanh)
    ]
    answers(exact, np.array([piece.corners.mean(axis=0) for piece in pieces]))
    for hook in hooks:
        hook.remove()
    states = []
    for layer, values in inputs:
        bends = [layer.min_val, layer.max_val] if isinstance(layer, nn.Hardtanh) else [0]
        states.append(sum((values > bend).int() for bend in bends))
    expected = torch.cat(states, dim=1).tolist() if states else [[]]
    assert [list(piece.pattern) for piece in pieces] == expected
    assert len({piece.pattern for piece in pieces}) == len(pieces)


def test_the_logit_is_0_on_the_segments_and_they_are_all_of_the_boundary(case):
    _, exact, pieces = case
    segments = boundary_segments(pieces)
    shares = np.linspace(0, 1, 5)[:, None, None]
    points = (segments[:, 0] * shares + segments[:, 1] * (1 - shares)).reshape(-1, 2)

    def height(points):
        logits = answers(exact, points)
        return logits[:, -1] - (logits[:, 0] if logits.shape[1] == 2 else 0)

    if len(points):
        assert abs(height(points)).max() < 1e-9
    axis = np.linspace(-1.15, 1.15, 501)
    grid = np.stack(np.meshgrid(axis, axis), axis=-1)
    contour = plt.contour(axis, axis, height(grid.reshape(-1, 2)).reshape(501, 501), levels=[0])
    seen = sum(np.linalg.norm(np.diff(line, axis=0), axis=1).sum() for line in contour.allsegs[0])
    length = np.linalg.norm(segments[:, 0] - segments[:, 1], axis=1).sum()
    assert length == pytest.approx(seen, rel=2e-3, abs=0.02)


@pytest.mark.parametrize("units", [1, 2, 3, 10, 30])
def test_one_hidden_layer_has_as_many_pieces_as_its_lines_cut_the_plane_into(units):
    """T. Zaslavsky, "Facing up to Arrangements", 1975: lines of which no two are parallel and no
    three meet cut the plane into 1 + n + n (n - 1) / 2 parts."""
    model = network(nn.Linear(2, units), nn.ReLU(), nn.Linear(units, 1), seed=units)
    normals, offsets = (p.detach().double().numpy() for p in model[0].parameters())
    crossings = [
        np.linalg.solve(normals[[i, j]], -offsets[[i, j]]) for i, j in combinations(range(units), 2)
    ]
    reach = 1.1 * max(abs(np.concatenate([*crossings, offsets / np.abs(normals).max(axis=1)])))
    pieces = linear_pieces(model, (-reach, reach), (-reach, reach))
    assert len(pieces) == 1 + units + units * (units - 1) // 2


def test_a_boundary_along_the_edge_of_pieces_is_there_once():
    model = nn.Sequential(nn.Linear(2, 2), nn.ReLU(), nn.Linear(2, 1))
    model.load_state_dict(
        {
            "0.weight": torch.tensor([[1.0, 0], [-1, 0]]),
            "0.bias": torch.zeros(2),
            "2.weight": torch.tensor([[1.0, -1]]),
            "2.bias": torch.zeros(1),
        }
    )  # relu(x) - relu(-x): a bend that is none, along x = 0, where the boundary is
    pieces = linear_pieces(model, (-1, 2), (-3, 3))
    assert len(pieces) == 2
    segments = boundary_segments(pieces)
    assert sorted(segments.reshape(-1, 2).tolist()) == [[0, -3], [0, 3]]


def rings(model, reach=4):
    """Return how many lines of a network's boundary are closed, so don't end at the edge."""
    ends = boundary_segments(linear_pieces(model, (-reach, reach), (-reach, reach))).reshape(-1, 2)
    places, of_end = np.unique(ends.round(6), axis=0, return_inverse=True)
    starts, stops = of_end.reshape(-1, 2).T
    joined = coo_array((np.ones(len(starts)), (starts, stops)), shape=[len(places)] * 2)
    count, line = connected_components(joined, directed=False)
    return count - len(set(line[abs(places).max(axis=1) > reach - 1e-5]))


@pytest.mark.parametrize("activation", [nn.ReLU, nn.LeakyReLU])
@pytest.mark.parametrize("depth", [1, 2, 4])
def test_no_network_with_two_units_a_layer_encloses_anything(activation, depth):
    """J. Johnson, "Deep, Skinny Neural Networks are not Universal Approximators", 2018."""
    for seed in range(30):
        layers = [layer for _ in range(depth) for layer in (nn.Linear(2, 2), activation())]
        model = network(*layers, nn.Linear(2, 1), seed=seed)
        with torch.no_grad():  # so that the boundary is near the middle
            model[-1].bias -= model(torch.zeros(1, 2))[0] + 0.1 * torch.randn(1)
        assert rings(model) == 0


def test_three_units_enclose_a_region_by_hand_and_a_trained_network_does():
    assert rings(polygon_network(3, 0.85)) == 1
    assert rings(trained()) >= 1


def test_a_dead_network_is_one_piece_without_a_boundary():
    model = nn.Sequential(nn.Linear(2, 3), nn.ReLU(), nn.Linear(3, 1))
    for parameter in model.parameters():
        nn.init.zeros_(parameter)
    pieces = linear_pieces(model)
    assert len(pieces) == 1
    assert boundary_segments(pieces).shape == (0, 2, 2)


def test_the_model_is_left_as_it_was():
    model = CircleModelV2(batch_norm=True, dropout=0.2)
    model.layers[3].eval()
    state, modes = copy.deepcopy(model.state_dict()), [m.training for m in model.modules()]
    linear_pieces(model)
    assert [module.training for module in model.modules()] == modes
    for name, tensor in model.state_dict().items():
        assert torch.equal(tensor, state[name])
        assert tensor.dtype == state[name].dtype


def test_the_picture_has_all_pieces_and_segments():
    pieces = linear_pieces(NETWORKS["one layer"]())
    ax = plt.figure().add_subplot()
    assert plot_pieces(pieces, ax=ax) is ax
    polygons, lines = ax.collections
    assert len(polygons.get_paths()) == len(pieces)
    np.testing.assert_array_equal(lines.get_segments(), boundary_segments(pieces))
    np.testing.assert_allclose([*ax.get_xlim(), *ax.get_ylim()], [-1.15, 1.15] * 2)
    assert plot_pieces(linear_pieces(CircleModelV0())) is plt.gca()


@pytest.mark.parametrize(
    ("model", "limits", "message"),
    [
        (CircleModelV2(activation="gelu"), (-1, 1), "piecewise linear.*; got GELU"),
        (CircleModelV2(activation="step"), (-1, 1), "piecewise linear.*; got Step"),
        (CircleModelV2(in_features=3), (-1, 1), "must take points of 2 features; got 3"),
        (nn.Linear(2, 1), (-1, 1), "must be an nn.Sequential, or .*; got Linear"),
        (CircleModelV2(), (1, -1), r"xlim must be \(low, high\) with low below high; got \(1, -1"),
        (
            nn.Sequential(nn.BatchNorm1d(2, track_running_stats=False)),
            (-1, 1),
            "must have running statistics",
        ),
    ],
)
def test_what_has_no_pieces_is_refused(model, limits, message):
    with pytest.raises(ValueError, match=message):
        linear_pieces(model, limits)


@pytest.mark.parametrize("wrong", [0, 1])
def test_weights_that_are_no_numbers_are_refused(wrong):
    model = nn.Sequential(nn.Linear(2, 3), nn.PReLU())
    nn.init.constant_(model[wrong].weight, np.nan)
    with pytest.raises(ValueError, match="must have finite weights"):
        linear_pieces(model)


def test_a_boundary_of_three_classes_is_refused():
    with pytest.raises(ValueError, match="must have one logit, or two; got one with 3"):
        boundary_segments(linear_pieces(CircleModelV2(out_features=3)))
