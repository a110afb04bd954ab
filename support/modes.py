"""Train and eval mode for a while."""

from contextlib import contextmanager

from torch import nn


@contextmanager
def modes_put_back(model: nn.Module):
    """Put each module of a model back into train or eval mode, as it was, at the context's end."""
    before = [(module, module.training) for module in model.modules()]
    try:
        yield
    finally:
        model.train(before[0][1])  # an ensemble does more than to set flags
        for module, was_training in before:
            module.training = was_training
