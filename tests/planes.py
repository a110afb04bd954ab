"""Points, models and what the tests of the plots read off them."""

import numpy as np
import torch
from torch import nn

X = np.random.default_rng(0).uniform(-1, 1, (60, 2))
y = (np.hypot(*X.T) < 0.7).astype(int)
PLANE = dict(xlim=(-2, 2), ylim=(-1, 1))


class Ring(nn.Module):
    """p = 0.5 on the circle of radius 0.6, and a logit as steep as it's told."""

    def __init__(self, steepness=5.0, radius=0.6):
        super().__init__()
        self.steepness, self.radius = nn.Parameter(torch.tensor(steepness)), radius

    def forward(self, x):
        return self.steepness * (self.radius - x.norm(dim=1, keepdim=True))


class Sectors(nn.Module):
    """Three classes whose regions meet at the origin: logits are projections on three rays."""

    def forward(self, x):
        angles = torch.arange(3, dtype=x.dtype) * 2 * torch.pi / 3
        return 4 * x @ torch.stack([angles.cos(), angles.sin()])


def grid(resolution, xlim=(-2, 2), ylim=(-1, 1)):
    xs, ys = np.meshgrid(np.linspace(*xlim, resolution), np.linspace(*ylim, resolution))
    return np.column_stack([xs.ravel(), ys.ravel()])


def line_of(ax):
    """Return the vertices of the lines drawn between classes."""
    return np.concatenate(
        [p.vertices for c in ax.collections for p in c.get_paths() if len(p.vertices)]
    )


def image_of(ax):
    return np.asarray(ax.images[-1].get_array())


def panels_of(figure):
    return {ax.get_title(): ax for ax in figure.axes if ax.get_title()}
