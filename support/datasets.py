"""Points of two and more classes in the plane; scikit-learn makes them wherever it can.

Each function returns points of shape (samples, 2) and the numbers of their classes, (samples,).
`noise` is the standard deviation of the Gaussian added to each coordinate. A new data set is a
function here, and a line in each of the two tables at the end.
"""

import numpy as np
from sklearn import datasets

from support.csv_file import is_csv, read_csv


def moons(*, samples, noise, seed):
    """Two half circles of radius 1 that reach into each other."""
    return datasets.make_moons(n_samples=samples, noise=noise or None, random_state=seed)


def xor(*, samples, noise, seed):
    """Four Gaussians at (1, 1) and (-1, -1), class 0, and at (1, -1) and (-1, 1), class 1."""
    centers = np.array([[1, 1], [-1, -1], [1, -1], [-1, 1]])
    X, corner = datasets.make_blobs(samples, centers=centers, cluster_std=noise, random_state=seed)
    return X, corner // 2


def gaussians(*, samples, noise, seed):
    """Two Gaussians with centers at a distance of 2: a line is the best boundary there is."""
    return blobs(samples=samples, noise=noise, classes=2, seed=seed)


def blobs(*, samples, noise, classes, seed):
    """A Gaussian for each class, with the centers evenly on a circle of radius 1."""
    angles = 2 * np.pi * (np.arange(classes) / classes + 1 / 8)
    centers = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    return datasets.make_blobs(samples, centers=centers, cluster_std=noise, random_state=seed)


def spirals(*, samples, noise, classes, seed, turns=1.25, inner=0.15):
    """An arm for each class, which winds `turns` times from the radius `inner` out to 1."""
    random = np.random.default_rng(seed)
    y = np.arange(samples) % classes
    radius = random.uniform(inner, 1, samples)
    angle = 2 * np.pi * (turns * radius + y / classes)
    X = radius[:, None] * np.stack([np.cos(angle), np.sin(angle)], axis=1)
    return X + random.normal(scale=noise, size=X.shape), y


GENERATORS = {make.__name__: make for make in (moons, xor, gaussians, spirals, blobs)}

# The settings of each data set, with their defaults; what training needs otherwise than the circles
# stands here, too. `--help` shows this table. train.make_data makes the circles itself.
CSV = "PATH.csv"  # stands for any file
DATASETS = {
    "circles": dict(samples=1000, noise=0.03, factor=0.8),
    "moons": dict(samples=1000, noise=0.1),
    "xor": dict(samples=1000, noise=0.3),
    "gaussians": dict(samples=1000, noise=0.4),
    "spirals": dict(samples=1000, noise=0.03, classes=2, hidden_units=32, epochs=600),
    "blobs": dict(samples=1000, noise=0.25, classes=3),
    CSV: dict(features=None, label=None),
}
NAMES = tuple(name for name in DATASETS if name != CSV)


def make_points(settings: dict, seed: int):
    """Return points and labels with the names of the classes and, for a file, of the features."""
    if is_csv(settings["data"]):
        return read_csv(settings["data"], settings["features"], settings["label"])[:4]
    generate = GENERATORS[settings["data"]]
    given = {name: settings[name] for name in ("samples", "noise", "classes") if name in settings}
    X, y = generate(**given, seed=seed)
    return X, y, tuple(f"class {number}" for number in range(settings.get("classes", 2))), None


def mean_and_std(X: np.ndarray, names) -> tuple[list[float], list[float]]:
    """Return the mean and the standard deviation of each feature of points (n, 2).

    A ValueError names a feature that varies so little that float32 can hardly tell its values
    apart: its deviation must be some ten times the distance of two such numbers.
    """
    mean, std = X.mean(axis=0, dtype=np.float64), X.std(axis=0, dtype=np.float64)
    for name, middle, spread in zip(names, mean, std, strict=True):
        if spread <= max(1e-6 * abs(middle), 1e-30):
            raise ValueError(
                f"feature {name!r} must vary by more than a millionth of its size and than 1e-30; "
                f"its mean is {middle:g} and its standard deviation {spread:g}."
            )
    return mean.tolist(), std.tolist()
