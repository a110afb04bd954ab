"""How many linear pieces networks have, before training and after, and how many they could have.

    python -m lab.piece_counts

Each network is trained with the default recipe, on data of its own seed. The pieces are those on
the square from -1.15 to 1.15.
"""

from itertools import product
from math import comb, prod

import torch

from lab.pieces import boundary_segments, linear_pieces
from lab.statistics import mean_of
from lab.trained import trained_models
from model import CircleModelV2
from support.text import as_argument, markdown
from train import build

WIDTHS = ((8,), (16,), (32,), (64,), (8, 8), (16, 16), (32, 32), (16, 16, 16), (8, 8, 8, 8))


def most_pieces(widths: tuple[int, ...], features: int = 2) -> int:
    """Return how many pieces a ReLU network with hidden layers of these widths has at most.

    For one layer that is the number of parts that so many lines cut the plane into.

    Source: T. Serra, C. Tjandraatmadja and S. Ramalingam, "Bounding and Counting Linear Regions of
    Deep Neural Networks", 2018, theorem 1.
    """
    total = 0
    for chosen in product(*(range(min(features, width) + 1) for width in widths)):
        left = [width - j for width, j in zip(widths, chosen, strict=True)]
        if all(j <= min(left[:i], default=j) for i, j in enumerate(chosen)):
            total += prod(map(comb, widths, chosen))
    return total


def count_pieces(
    hidden_units: tuple[int, ...], seeds: range, **settings
) -> tuple[list[int], list[int], list[int]]:
    """Return, for each seed, the pieces before training and after, and the boundary's sides.

    The settings are those of `make_data`, of `CircleModelV2` and of `train`.
    """
    settings = settings | {"hidden_units": hidden_units}
    models, datasets, _ = trained_models(seeds, **settings)
    untrained = [
        build(CircleModelV2, settings | {"seed": seed}, data)
        for seed, data in zip(seeds, datasets, strict=True)
    ]
    before, after = ([linear_pieces(model) for model in several] for several in (untrained, models))
    sides = [len(boundary_segments(pieces)) for pieces in after]
    return list(map(len, before)), list(map(len, after)), sides


def piece_counts_table(seeds: range, each_widths=WIDTHS) -> str:
    """Return a Markdown table: mean numbers, with 95 % intervals, of networks of these widths."""
    rows = [["hidden_units", "units", "at most", "before training", "after", "boundary's sides"]]
    for widths in each_widths:
        most = f"{most_pieces(widths):,}"
        counts = [mean_of(each, digits=0) for each in count_pieces(widths, seeds)]
        rows.append([as_argument(widths), str(sum(widths)), most, *counts])
    return markdown(rows)


if __name__ == "__main__":
    torch.set_num_threads(1)  # the networks are small
    print(piece_counts_table(range(42, 62)))
