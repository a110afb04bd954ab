"""What many seeds say together: means, shares and their 95 % intervals."""

import math

import numpy as np


def bootstrap_interval(values, resamples: int = 2000) -> tuple[float, float]:
    """Return the 95 % percentile bootstrap interval of the mean of values of shape (n,).

    Source: B. Efron and R. Tibshirani, "An Introduction to the Bootstrap", 1993, chapter 13.
    """
    values, random = np.asarray(values), np.random.default_rng(0)
    means = [random.choice(values, len(values)).mean() for _ in range(resamples)]
    low, high = np.percentile(means, [2.5, 97.5])
    return float(low), float(high)


def wilson_interval(successes: int, n: int) -> tuple[float, float]:
    """Return Wilson's 95 % score interval of a share, as fractions.

    Source: E. B. Wilson, "Probable Inference, the Law of Succession, and Statistical Inference",
    Journal of the American Statistical Association 22, 1927.
    """
    z = 1.959964
    share = successes / n
    center = (share + z**2 / (2 * n)) / (1 + z**2 / n)
    half = z / (1 + z**2 / n) * math.sqrt(share * (1 - share) / n + z**2 / (4 * n**2))
    return max(0.0, center - half), min(1.0, center + half)


def summarize(history: dict, best: float, goal: float = 0.99) -> dict:
    """Return the figures of many runs, from a history whose entries are lists with a value a seed.

    Accuracies are fractions; `best` is the best possible one on average. `epochs_to_goal` counts in
    steps of the history's record; runs that never reach `goal` count as infinitely many epochs.
    """
    epochs, accuracy = np.array(history["epoch"]), np.array(history["test_acc"])
    final, n = accuracy[-1], accuracy.shape[1]
    reached = accuracy >= goal
    first = np.where(reached.any(axis=0), epochs[reached.argmax(axis=0)], np.inf)
    at_goal = int((final >= goal).sum())
    return {
        "seeds": n,
        "mean": float(final.mean()),
        "mean_95_bootstrap": bootstrap_interval(final),
        "standard_deviation": float(final.std(ddof=1)) if n > 1 else 0.0,
        "min": float(final.min()),
        "at_goal": at_goal / n,
        "at_goal_95_wilson": wilson_interval(at_goal, n),
        "gap_to_best": best - float(final.mean()),
        "epochs_to_goal_median": _finite(np.median(first)),
        "epochs_to_goal_90th": _finite(np.quantile(first, 0.9, method="higher")),
        "never_at_goal": int(np.isinf(first).sum()),
        "train_loss": float(np.mean(history["train_loss"][-1])),
        "test_loss": float(np.mean(history["test_loss"][-1])),
        "loss_gap": float(
            np.mean(np.subtract(history["test_loss"][-1], history["train_loss"][-1]))
        ),
        "loss_gap_95_bootstrap": bootstrap_interval(
            np.subtract(history["test_loss"][-1], history["train_loss"][-1])
        ),
    }


def _finite(value):
    """Return a number that JSON can hold: None for infinity."""
    return float(value) if np.isfinite(value) else None
