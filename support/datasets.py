"""Points of two and more classes in the plane; scikit-learn makes them wherever it can.

Each function returns points of shape (samples, 2) and the numbers of their classes, (samples,).
`noise` is the standard deviation of the Gaussian added to each coordinate.
"""

from math import ceil

import numpy as np
from sklearn import datasets
from sklearn.model_selection import train_test_split

BLOCK = 2**20  # points to make at a time


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


def block_sizes(samples):
    """Return how many points to make at a time, so that memory doesn't go far beyond theirs."""
    count = ceil(samples / BLOCK)
    return [samples * (i + 1) // count - samples * i // count for i in range(count)]


def split(make, sizes, test_size, seed, processes):
    """Make the points block by block, and split each into a training and a test part.

    make: a function from `samples` and `seed` to points (samples, 2) and labels (samples,).
    sizes: the samples of each block. A block is what make returns alone; the first has the seed of
        the whole.
    processes: those that share the points out. Each makes just the blocks that it has a part of.

    Returns the arrays X_train, y_train, X_test, y_test, with X float32 and y (n, 1), and the share
    of all training points that these are.
    """
    seeds = [seed, *np.random.SeedSequence(seed).generate_state(len(sizes) - 1).tolist()]
    tests = [ceil(size * test_size) for size in sizes]
    share, start, parts = processes.share(sum(sizes) - sum(tests)), 0, []
    for size, test, block_seed in zip(sizes, tests, seeds, strict=True):
        train = size - test
        low, high = (min(max(end - start, 0), train) for end in (share.start, share.stop))
        start += train
        if low == high:
            continue
        X, y = make(samples=size, seed=block_seed)
        X_train, X_test, y_train, y_test = train_test_split(
            X, y.reshape(-1, 1), test_size=test_size, stratify=y, random_state=block_seed
        )
        mine, mine_of_test = slice(low, high), slice(test * low // train, test * high // train)
        X_train, y_train = X_train[mine].astype(np.float32), y_train[mine]
        X_test, y_test = X_test[mine_of_test].astype(np.float32), y_test[mine_of_test]
        parts.append((X_train, y_train, X_test, y_test))
    arrays = parts[0] if len(parts) == 1 else map(np.concatenate, zip(*parts, strict=True))
    return tuple(arrays), share
