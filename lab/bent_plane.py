"""The plane as a network's last layer sees it: bent until one straight line is enough.

A network's output is an affine function of its last hidden layer, so its boundary is straight
there. What the layers before it do is to bend the plane. Two dimensions aren't always enough: where
every layer has at most two units, no network of monotonic activations can enclose a region, however
deep it is, so none can tell a disc from the ring around it.

Sources: C. Olah, "Neural Networks, Manifolds, and Topology", 2014, for tanh; H.-P. Beise, S. Dias
Da Cruz and U. Schröder, "On decision regions of narrow deep neural networks", 2018, and J. Johnson,
"Deep, Skinny Neural Networks are not Universal Approximators", 2018, for ReLU and any depth.
"""

import copy
from typing import NamedTuple

import matplotlib.pyplot as plt
import numpy as np
import torch
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
from PIL import Image
from torch import nn

from lab.film import few_colors, write_gif
from lab.points import CIRCLES, draw_points
from lab.sequential import layers_of


class View(NamedTuple):
    """A network's last hidden layer, seen in two directions, one of which is the output's own.

    The logit is `view(points) @ normal + offset`.
    """

    hidden: nn.Sequential  # all layers but the last, in float64 and in eval mode
    directions: np.ndarray  # (units, 2)
    normal: np.ndarray  # (2,)
    offset: float
    names: tuple[str, str]  # of the directions

    def __call__(self, points: np.ndarray) -> np.ndarray:
        """Return where points (..., 2) of the plane lie in the view, in the same shape."""
        with torch.inference_mode():
            units = self.hidden(torch.from_numpy(points.reshape(-1, 2)))
        return (units.numpy() @ self.directions).reshape(points.shape)


def last_layer_view(model: nn.Module, X) -> View:
    """Return a view of the last hidden layer of a network that takes points (n, 2).

    model: an nn.Sequential that ends in an nn.Linear, or a model that has its layers in one, with
        one logit, or with two, whose difference decides. It is seen as in eval mode.
    X: points (n, 2), a tensor, that the view is chosen for.

    Two hidden units are the two directions. Of more units, the directions are that of the output's
    weights, upwards, and the first principal component of what the points do at right angles to it.
    Raises a ValueError for another model.
    """
    *hidden, output = layers_of(model)
    if not isinstance(output, nn.Linear) or output.out_features > 2 or output.in_features < 2:
        raise ValueError(
            "model must end in a Linear layer from two or more units to one logit or two; got "
            f"{output}."
        )
    hidden = copy.deepcopy(nn.Sequential(*hidden)).to("cpu", torch.float64).eval()
    weight, bias = output.weight.detach().cpu().double(), torch.zeros(output.out_features)
    if output.bias is not None:
        bias = output.bias.detach().cpu().double()
    if output.out_features == 2:
        weight, bias = weight.diff(dim=0), bias.diff()
    normal, offset = weight[0].numpy(), bias.item()
    if output.in_features == 2:
        return View(hidden, np.eye(2), normal, offset, ("unit 1", "unit 2"))

    X = X.cpu().double()
    with torch.inference_mode():
        units = hidden(X).numpy()
    length = np.linalg.norm(normal) or 1
    up = normal / length
    rest = units - units.mean(axis=0)
    rest = rest - np.outer(rest @ up, up)
    across = np.linalg.svd(rest, full_matrices=False)[2][0]
    across *= (
        np.sign(rest @ across @ X[:, 0].numpy()) or 1
    )  # not mirrored, where that means anything
    names = "first principal component of the rest", "along the output's weights"
    return View(hidden, np.stack([across, up], axis=1), np.array([0, length]), offset, names)


def plot_bent_plane(view: View, X, y, *, ax=None, share=1.0, class_names=CIRCLES, reach=1.15):
    """Draw a grid of the plane, the points and the boundary as a network's last layer sees them.

    view: of `last_layer_view`.
    X, y: points (n, 2) and their classes (n, 1), tensors.
    share: how far to go from the plane as it is, 0, in a straight line to where the last layer has
        each point, 1.
    reach: the grid goes from minus this to this, along both axes.

    The boundary ends up on the output's straight line. Returns the Axes, by default pyplot's
    current one.
    """
    ax = plt.gca() if ax is None else ax

    def moved(points):
        return (1 - share) * points + share * view(points)

    lines, along = np.meshgrid(np.linspace(-reach, reach, 24), np.linspace(-reach, reach, 301))
    grid = np.stack([lines.T, along.T], axis=-1)
    grid = moved(np.concatenate([grid, grid[..., ::-1]]))
    ax.add_collection(LineCollection(grid, colors="#b5b5b5", linewidths=0.6))
    draw_points(ax, moved(X.cpu().double().numpy()), y.cpu(), class_names)
    for line in _boundary(view, reach):
        ax.plot(*moved(line).T, color="black", lw=1.8)
    low, high = grid.min(axis=(0, 1)), grid.max(axis=(0, 1))
    pad = 0.04 * (high - low) + 1e-9
    (left, bottom), (right, top) = low - pad, high + pad
    if share > 0 and view.normal.any():
        foot = -view.offset * view.normal / (view.normal @ view.normal)
        along = view.normal[::-1] * (1, -1)
        ax.axline(foot, foot + along, color="black", lw=1, ls="--", zorder=1.5)
    ax.set(xlim=(left, right), ylim=(bottom, top))
    if share == 1:
        ax.set(xlabel=view.names[0], ylabel=view.names[1])
    return ax


def bent_plane_film(view: View, X, y, *, frames=50, seconds=0.06, class_names=CIRCLES) -> bytes:
    """Return a GIF of the plane as it is bent, from how it is to how the last layer sees it.

    The arguments are those of `plot_bent_plane`; `seconds` is from one frame to the next.
    """
    figure = Figure(figsize=(5, 5), dpi=80)
    canvas, ax, images = FigureCanvasAgg(figure), figure.add_axes((0.02, 0.02, 0.96, 0.96)), []
    for share in (1 - np.cos(np.linspace(0, np.pi, frames))) / 2:  # gently off, gently there
        ax.clear()
        plot_bent_plane(view, X, y, ax=ax, share=share, class_names=class_names)
        ax.set(xticks=[], yticks=[], xlabel=None, ylabel=None)
        canvas.draw()
        images.append(Image.fromarray(np.asarray(canvas.buffer_rgba())[..., :3].copy()))
    return write_gif(few_colors(images), seconds)


def _boundary(view, reach):
    """Return the lines of the plane, each of shape (points, 2), along which the logit is 0."""
    axis = np.linspace(-reach, reach, 201)
    logits = view(np.stack(np.meshgrid(axis, axis), axis=-1)) @ view.normal + view.offset
    if not logits.min() < 0 < logits.max():
        return []
    return Figure().add_subplot().contour(axis, axis, logits, levels=[0]).allsegs[0]
