"""One thread for small work, for which two would wait on each other at every step."""

from contextlib import contextmanager

import torch

SMALL = 2 * 10**6  # points times layers' outputs: beyond, more threads are faster


@contextmanager
def threads_for(model, X):
    """Run a model of little work on points X (..., n, 2) on one thread while the context is open.

    A step is then so short that a second thread gains little, and where other programs keep the
    processor busy, waiting for it at every step can take many times as long.
    """
    threads = torch.get_num_threads()
    if is_small(model, X):
        torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


def is_small(model, X) -> bool:
    """Whether one thread does a step of the model sooner than several."""
    outputs = sum(p.shape[0] for p in model.parameters() if p.ndim == 1)  # those of biases
    return X.shape[:-1].numel() * outputs < SMALL
