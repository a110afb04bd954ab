"""Points of two and more classes in the plane; scikit-learn makes them wherever it can.

Each function returns points of shape (samples, 2) and the numbers of their classes, (samples,).
`noise` is the standard deviation of the Gaussian added to each coordinate.
"""

import numpy as np
from sklearn import datasets


def circles(*, samples, noise, factor, seed):
    """Two circles around the origin: radius 1 (class 0), and radius `factor` (class 1)."""
    return datasets.make_circles(
        n_samples=samples, noise=noise or None, factor=factor, random_state=seed
    )


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
