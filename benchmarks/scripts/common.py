"""What the peers' scripts share: the data, the pictures and the command line.

Each script trains a linear and a ReLU network with the recipe of train.py, evaluates every 10
epochs, saves both, and draws two figures: the boundaries, and the losses with the accuracies.
"""

import sys
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import make_circles
from sklearn.model_selection import train_test_split

OUT = Path(sys.argv[1])
HIDDEN, LR, MOMENTUM, EPOCHS, RECORD_EVERY = 16, 0.1, 0.9, 300, 10
NAMES = ("linear", "relu")
KEYS = ("epoch", "train_loss", "test_loss", "train_acc", "test_acc")


def make_data():
    """Return X_train, X_test of shape (n, 2) and y_train, y_test of shape (n,), float32."""
    X, y = make_circles(n_samples=1000, noise=0.03, factor=0.8, random_state=42)
    parts = train_test_split(X, y, test_size=0.2, stratify=y, random_state=42)
    return [part.astype(np.float32) for part in parts]


def draw(models, histories, data):
    """Write boundaries.png and losses.png.

    models: from name to a function from points (n, 2) to probabilities of class 1 (n,).
    histories: from name to a list of (epoch, train loss, test loss, train accuracy, test accuracy).
    """
    X_train, X_test, y_train, y_test = data
    grid = np.stack(np.meshgrid(*[np.linspace(-1.2, 1.2, 301)] * 2), axis=-1)
    points = grid.reshape(-1, 2).astype(np.float32)
    figure, axes = plt.subplots(2, 2, figsize=(9.4, 9))
    for (name, predict), row in zip(models.items(), axes, strict=True):
        surface = np.asarray(predict(points)).reshape(grid.shape[:2])
        parts = (("train", X_train, y_train), ("test", X_test, y_test))
        for ax, (part, X, y) in zip(row, parts, strict=True):
            ax.contourf(*np.moveaxis(grid, -1, 0), surface, cmap="RdYlBu", alpha=0.7)
            ax.scatter(*X.T, c=y, cmap="RdYlBu", s=20, edgecolors="white")
            ax.set_title(f"{name}, {part}")
    figure.savefig(OUT / "boundaries.png")

    figure, axes = plt.subplots(2, 2, figsize=(10, 6.5))
    for (name, history), row in zip(histories.items(), axes, strict=True):
        columns = dict(zip(KEYS, zip(*history, strict=True), strict=True))
        for ax, kind in zip(row, ("loss", "acc"), strict=True):
            ax.plot(columns["epoch"], columns[f"train_{kind}"], label="train")
            ax.plot(columns["epoch"], columns[f"test_{kind}"], label="test")
            ax.set(title=name, xlabel="epoch", ylabel=kind)
            ax.legend()
    figure.savefig(OUT / "losses.png")


def report(histories):
    for name, history in histories.items():
        print(f"{name}: {history[-1][4]:.2%} of the test points right")
