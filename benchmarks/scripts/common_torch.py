"""What those of the peers' scripts that use PyTorch share: the network, and its probabilities."""

import torch
from common import HIDDEN
from torch import nn


def network(name):
    """Return the network named linear or relu, with logits of shape (n, 1)."""
    activation = nn.ReLU if name == "relu" else nn.Identity
    return nn.Sequential(
        nn.Linear(2, HIDDEN),
        activation(),
        nn.Linear(HIDDEN, HIDDEN),
        activation(),
        nn.Linear(HIDDEN, 1),
    )


def predictor(model):
    """Return a function from points (n, 2), an array, to a model's probabilities of class 1."""

    def predict(points):
        with torch.inference_mode():
            return torch.sigmoid(model(torch.from_numpy(points))).numpy()

    return predict
