"""The exact linear pieces of a ReLU network on the plane, and its decision boundary.

Each unit of the first layer bends along a line. The lines cut the plane into polygons, and on each
of them the network so far is one affine map. So the units of the next layer bend along a line on
each polygon, too, and cut it further. What comes of it is the network itself, without a grid:
polygons, an affine map on each, and a boundary of straight segments.
"""

import copy
from typing import NamedTuple

import matplotlib.pyplot as plt
import numpy as np
import torch
from matplotlib.collections import LineCollection, PolyCollection
from torch import nn

from lab.sequential import layers_of
from model import Standardize

AFFINE = (nn.Linear, nn.Identity, nn.Dropout, nn.BatchNorm1d, Standardize)
ROUNDING = 1e-12  # relative to the numbers that a height is the sum of: below, it is taken for 0
SHADES = ("#f2f5ef", "#d6e0d0")


class Piece(NamedTuple):
    """A convex polygon of the plane on which a network is one affine map, x @ weight + bias."""

    corners: np.ndarray  # (corners, 2), counterclockwise
    weight: np.ndarray  # (2, features)
    bias: np.ndarray  # (features,)
    pattern: tuple[int, ...] = ()  # for each hidden unit: 0 where it is off, 1 where it is on

    def heights(self) -> np.ndarray:
        """Return each feature at each corner, (corners, features); what is mere rounding is 0."""
        heights = self.corners @ self.weight + self.bias
        size = abs(self.corners).max(axis=0) @ abs(self.weight) + abs(self.bias)
        heights[abs(heights) <= ROUNDING * size] = 0
        return heights


def linear_pieces(model: nn.Module, xlim=(-1.15, 1.15), ylim=(-1.15, 1.15)) -> list[Piece]:
    """Return the pieces of a network on a rectangle; together they cover it, and none overlap.

    model: takes points (n, 2); an nn.Sequential of Linear, ReLU, LeakyReLU, PReLU, RReLU, Hardtanh
        or ReLU6, or a model that has its layers in one. All layers are as in eval mode.
    xlim, ylim: (low, high) of the rectangle, in the points' units.

    The maps are exact to rounding in float64. A unit of Hardtanh or ReLU6, which bends twice, is 2
    in the pattern above its second bend. Raises a ValueError for other layers: what isn't
    continuous and piecewise linear has no such pieces.

    Source: M. Raghu, B. Poole, J. Kleinberg, S. Ganguli and J. Sohl-Dickstein, "On the Expressive
    Power of Deep Neural Networks", 2017, theorem 2.
    """
    (left, right), (low, high) = _limits("xlim", xlim), _limits("ylim", ylim)
    rectangle = np.array([[left, low], [right, low], [right, high], [left, high]])
    pieces = [Piece(rectangle, np.eye(2), np.zeros(2))]
    for layer in layers_of(model):
        if isinstance(layer, AFFINE):
            matrix, shift = _affine_map(layer, len(pieces[0].bias))
            pieces = [
                piece._replace(weight=piece.weight @ matrix, bias=piece.bias @ matrix + shift)
                for piece in pieces
            ]
        else:
            parts = _straight_parts(layer, len(pieces[0].bias))
            pieces = [smaller for piece in pieces for smaller in _cut(piece, *parts)]
    return pieces


def boundary_segments(pieces: list[Piece]) -> np.ndarray:
    """Return the segments, (n, ends, 2), where a network's logit is 0, and above 0 on one side.

    The pieces are of a network with one logit, or with two, whose difference decides. Raises a
    ValueError for more classes.
    """
    if len(pieces[0].bias) > 2:
        raise ValueError(f"model must have one logit, or two; got one with {len(pieces[0].bias)}.")
    segments = [np.empty((0, 2, 2))]
    for piece in pieces:
        if len(piece.bias) == 2:
            piece = piece._replace(weight=np.diff(piece.weight), bias=np.diff(piece.bias))
        corners, heights = _with_zeros(piece.corners, piece.heights()[:, 0])
        ends = corners[heights == 0]
        if heights.max() > 0 and len(ends) == 2:
            segments.append(ends[None])
    return np.concatenate(segments)


def plot_pieces(pieces: list[Piece], *, ax=None):
    """Draw pieces in two pale shades, and the boundary on top; return the Axes.

    Where two pieces meet along an edge, a unit switches. So the number of units that are on is even
    on one side and odd on the other, and two shades tell neighbours apart, unless two units switch
    along the same line. `ax` is by default pyplot's current one.
    """
    ax = plt.gca() if ax is None else ax
    corners = [piece.corners for piece in pieces]
    shades = [SHADES[sum(piece.pattern) % 2] for piece in pieces]
    ax.add_collection(
        PolyCollection(corners, facecolors=shades, edgecolors="white", linewidths=0.4)
    )
    style = dict(colors="black", linewidths=1.8, capstyle="round")
    ax.add_collection(LineCollection(boundary_segments(pieces), **style))
    low, high = np.concatenate(corners).min(axis=0), np.concatenate(corners).max(axis=0)
    ax.set(xlim=(low[0], high[0]), ylim=(low[1], high[1]), aspect="equal")
    return ax


def _limits(name, limits):
    try:
        low, high = map(float, limits)
    except (TypeError, ValueError):
        low = high = np.nan
    if not -np.inf < low < high < np.inf:
        raise ValueError(f"{name} must be (low, high) with low below high; got {limits!r}.")
    return low, high


def _affine_map(layer, features):
    """Return the matrix and the shift of an affine layer, in float64: it tells them itself."""
    if isinstance(layer, nn.Linear) and layer.in_features != features:
        raise ValueError(f"model must take points of {features} features; got {layer.in_features}.")
    if isinstance(layer, nn.BatchNorm1d) and layer.running_mean is None:
        raise ValueError("model must have running statistics in its BatchNorm layers; got none.")
    shift, *rows = _asked(layer, np.concatenate([np.zeros((1, features)), np.eye(features)]))
    return rows - shift, shift


def _straight_parts(layer, features):
    """Return where an activation function bends, and the straight parts between the bends.

    These are slopes and heights above 0, (parts, features): PReLU has a slope for each feature.
    """
    match layer:
        case nn.ReLU() | nn.LeakyReLU() | nn.PReLU() | nn.RReLU():
            bends = [0]
        case nn.Hardtanh():  # ReLU6 is one
            bends = [layer.min_val, layer.max_val]
        case _:
            raise ValueError(
                "model must have layers that are affine, or piecewise linear as ReLU, LeakyReLU, "
                f"PReLU, RReLU, ReLU6 and Hardtanh are; got {type(layer).__name__}."
            )
    ends = np.array([[bends[0] - 1], *([bend] for bend in bends), [bends[-1] + 1]])
    heights = _asked(layer, np.repeat(ends, features, axis=1))
    slopes = np.diff(heights, axis=0) / np.diff(ends, axis=0)
    return bends, slopes, heights[:-1] - slopes * ends[:-1]


def _asked(layer, points):
    """Return what a layer makes of points (n, features), in float64 and in eval mode."""
    layer = copy.deepcopy(layer).to("cpu", torch.float64).eval()
    with torch.no_grad():
        answers = layer(torch.tensor(points, dtype=torch.float64)).numpy()
    if not np.isfinite(answers).all():
        raise ValueError("model must have finite weights; got nan or infinity.")
    return answers


def _cut(piece, bends, slopes, shifts):
    """Return the parts of a piece on which no unit bends, after the activation function."""
    shapes = [piece.corners]
    for bend in bends:
        lines = piece._replace(bias=piece.bias - bend)
        shapes = [part for shape in shapes for part in _cut_shape(lines._replace(corners=shape))]
    units, parts = np.arange(len(piece.bias)), []
    for corners in shapes:
        middle = corners.mean(axis=0) @ piece.weight + piece.bias
        state = np.searchsorted(bends, middle)  # how many bends lie below
        slope, shift = slopes[state, units], shifts[state, units]
        weight, bias = piece.weight * slope, piece.bias * slope + shift
        parts.append(Piece(corners, weight, bias, (*piece.pattern, *state.tolist())))
    return parts


def _cut_shape(piece):
    """Cut a piece's polygon by the line of each feature that is 0 somewhere within."""
    todo, shapes = [piece], []
    while todo:
        corners, weight, bias, _ = piece = todo.pop()
        heights = piece.heights()
        crossed = (heights.min(axis=0) < 0) & (heights.max(axis=0) > 0)
        if crossed.any():
            rest = weight[:, crossed], bias[crossed]  # no other line crosses a part of it
            todo += [Piece(half, *rest) for half in _halves(corners, heights[:, crossed.argmax()])]
        else:
            shapes.append(corners)
    return shapes


def _halves(corners, heights):
    """Cut a convex polygon where heights at its corners, linear in between, are 0."""
    corners, heights = _with_zeros(corners, heights)
    return [corners[side] for side in (heights >= 0, heights <= 0)]


def _with_zeros(corners, heights):
    """Return corners and heights with one more, of height 0, on each edge that passes 0."""
    ends = np.arange(1, len(heights) + 1) % len(heights)
    passes = np.flatnonzero(heights * heights[ends] < 0)
    ends = ends[passes]
    share = heights[passes] / (heights[passes] - heights[ends])
    zeros = corners[passes] + share[:, None] * (corners[ends] - corners[passes])
    return np.insert(corners, passes + 1, zeros, axis=0), np.insert(heights, passes + 1, 0)
