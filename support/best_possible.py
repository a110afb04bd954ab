"""The accuracy that no classifier can beat on average, where the data's densities are known."""

import math

import torch

from support.checks import check_settings

NEEDED = {  # what the best accuracy on each data set depends on
    "circles": ("noise", "factor"),
    "xor": ("noise",),
    "gaussians": ("noise",),
    "blobs": ("noise", "classes"),
}


def best_possible_accuracy(
    *,
    data: str = "circles",
    noise: float | None = None,
    factor: float | None = None,
    classes: int | None = None,
) -> float | None:
    """Return the accuracy, a fraction, of the best classifier there can be; None if not known.

    Known for the data sets in `NEEDED`, as `train.make_data` makes them; the settings are its, and
    a ValueError tells of one that is missing. The best classifier picks the class whose density is
    the highest at a point.
    """
    given = {"noise": noise, "factor": factor, "classes": classes}
    check_settings(**given)
    for name in NEEDED.get(data, ()):
        if given[name] is None:
            raise ValueError(f"{name} must be given for data {data!r}; got None.")
    if noise == 0 and data in NEEDED:
        return 1.0
    if data == "circles":
        return _two_circles(noise, factor)
    if data == "xor":
        # Each sign is right with probability p; both right or both wrong give the right class.
        p = _normal_cdf(1 / noise)
        return p**2 + (1 - p) ** 2
    if data == "gaussians":
        return _normal_cdf(1 / noise)
    if data == "blobs":
        return _blobs_on_a_circle(noise, classes)
    return None


def _normal_cdf(z):
    return 0.5 * math.erfc(-z / math.sqrt(2))


def rice_density(r: torch.Tensor, radius: float, noise: float) -> torch.Tensor:
    """Return how densely the points of a noisy circle around the origin lie at distances r of it.

    `noise` is the standard deviation in each coordinate. Source: S. O. Rice, "Mathematical Analysis
    of Random Noise", 1945, section 3.10: r/s^2 exp(-(r^2 + v^2) / 2s^2) I0(rv/s^2) for radius v and
    noise s.
    """
    scaled_bessel = torch.special.i0e(r * radius / noise**2)  # I0(x) exp(-x): doesn't overflow
    return r / noise**2 * torch.exp(-((r - radius) ** 2) / (2 * noise**2)) * scaled_bessel


def _two_circles(noise, factor):
    """Return the best accuracy on two circles of radius 1 and `factor`.

    The best classifier errs where the densities of the two overlap.
    """
    low, high = max(0.0, 1 - 12 * noise), factor + 12 * noise  # past 12 s there is nothing
    if low >= high:
        return 1.0
    r = torch.linspace(low, high, 10_001, dtype=torch.float64)
    densities = (rice_density(r, radius, noise) for radius in (1.0, factor))
    return 1 - torch.trapezoid(torch.minimum(*densities), r).item() / 2


def _blobs_on_a_circle(noise, classes):
    """Return the best accuracy on Gaussians with centers evenly on a circle of radius 1.

    The nearest center is the likeliest, so an error is a point outside its center's sector. Its
    probability is that of a wrong symbol in phase-shift keying: J. W. Craig, "A New, Simple and
    Exact Result for Calculating the Probability of Error for Two-Dimensional Signal
    Constellations", IEEE MILCOM 1991.
    """
    sector = math.pi / classes
    angle = torch.linspace(0, math.pi - sector, 10_001, dtype=torch.float64)[1:]
    distance = math.sin(sector) / noise  # from a center to its sector's edge, in noise
    inside = torch.exp(-(distance**2) / (2 * torch.sin(angle) ** 2))
    error = torch.trapezoid(torch.cat([torch.zeros(1, dtype=torch.float64), inside]),
                            dx=float(angle[0])) / math.pi  # fmt: skip
    return 1 - error.item()
