"""The smallest network that encloses the inner circle, with weights put by hand.

    python -m lab.smallest

Units whose directions are spread evenly, without a bias, add up to a function that is 0 at the
origin and grows in every direction. Since relu(z) is half of z + |z| and the directions add up to
0, it is half the sum of all |direction @ x|, so that opposite directions count as one. Its level
lines are therefore regular polygons, with 2 n sides for an odd number of units n and with n for an
even one. Three units make a hexagon, and four only a square. Corners lie 1 / cos(pi / sides) times
as far from the origin as the middles of sides: 1.155 for the hexagon, which fits between two
circles of radius 0.8 and 1, and 1.414 for the square, which doesn't.
"""

import math

import torch

from lab.statistics import mean_percent, share_at_goal
from lab.trained import train_together, trained_models
from model import CircleModelV2
from support.best_possible import rice_density
from support.text import markdown, percent


def sides_of(units: int) -> int:
    """Return how many sides the polygon of evenly spread units has; of two units it is a strip."""
    return units if units % 2 == 0 else 2 * units


def polygon_network(units: int, inscribed: float) -> CircleModelV2:
    """Return a network with one hidden layer, whose logit is above 0 within a regular polygon.

    `inscribed` is the radius of the circle in the polygon; the slope across each side is 1. Raises
    a ValueError for fewer than two units, whose directions can't add up to 0.
    """
    if units < 2:
        raise ValueError(f"units must be 2 or more; got {units}.")
    model = CircleModelV2(hidden_units=(units,))
    angles = 2 * math.pi * torch.arange(units) / units
    length = math.sin(math.pi / sides_of(units)) * (1 if units % 2 == 0 else 2)
    with torch.no_grad():
        model.layers.hidden_1.weight.copy_(length * torch.stack([angles.cos(), angles.sin()], 1))
        model.layers.hidden_1.bias.zero_()
        model.layers.output.weight.fill_(-1)
        model.layers.output.bias.fill_(inscribed)
    return model


def polygon_accuracy(
    units: int, inscribed: float, *, noise: float = 0.03, factor: float = 0.8
) -> float:
    """Return which share of the points on two noisy circles the polygon gets right, on average.

    A point at a distance r of the origin is within the polygon where r cos(angle), with the angle
    to the middle of the nearest side, is at most the inscribed radius. All angles are alike, also
    after the noise, so only the distances' density matters.
    """

    def share_within(radius):
        ends = max(0.0, radius - 9 * noise), radius + 9 * noise  # beyond there is nothing
        r = torch.linspace(*ends, 2001, dtype=torch.float64)
        density = rice_density(r, radius, noise) if noise else torch.ones_like(r)
        angle = torch.arccos((inscribed / r).clamp(max=1))  # from there on r is outside
        within = (1 - angle * sides_of(units) / math.pi).clamp(min=0)
        return ((within * density).sum() / density.sum()).item()

    return (share_within(factor) + 1 - share_within(1.0)) / 2


def best_inscribed(units: int, *, noise: float = 0.03, factor: float = 0.8) -> float:
    """Return the inscribed radius, to 0.001, with which the polygon is right most often."""
    radii = [i / 1000 for i in range(500, 1200)]
    return max(
        radii, key=lambda radius: polygon_accuracy(units, radius, noise=noise, factor=factor)
    )


def smallest_table(seeds: range, each_units=(2, 3, 4, 5)) -> str:
    """Return a Markdown table: polygons by hand, and networks of the same size that are trained.

    The trained ones start from random weights, as usual, or from those of the polygon.
    """
    rows = [["units", "sides", "corners / middles", "by hand", "by hand, then trained"]]
    rows[0] += ["trained", "seeds at 99 %"]
    for units in each_units:
        sides, inscribed = sides_of(units), best_inscribed(units)
        _, datasets, trained = trained_models(seeds, hidden_units=(units,))
        starts = [polygon_network(units, inscribed) for _ in seeds]
        rows.append(
            [
                str(units),
                str(sides),
                f"{1 / math.cos(math.pi / sides):.3f}" if sides > 2 else "infinite",
                percent(polygon_accuracy(units, inscribed)),
                mean_percent(train_together(starts, datasets, seeds), digits=2),
                mean_percent(trained, digits=2),
                share_at_goal(trained),
            ]
        )
    return markdown(rows)


if __name__ == "__main__":
    torch.set_num_threads(1)  # the networks are small
    print(smallest_table(range(42, 1042)))
