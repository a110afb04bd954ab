"""Train and eval mode for a while."""

from contextlib import contextmanager

from torch import nn


@contextmanager
def in_mode(model: nn.Module, *, training: bool):
    """Put a model in train or eval mode while the context is open, and each module back after."""
    before = [(module, module.training) for module in model.modules()]
    model.train(training)
    try:
        yield
    finally:
        model.train(before[0][1])  # an ensemble does more than to set flags
        for module, was_training in before:
            module.training = was_training
