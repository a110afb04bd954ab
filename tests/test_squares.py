"""The linear model on squares: one layer, and yet a ring."""

import numpy as np
import torch
from sklearn.linear_model import LogisticRegression
from torch import nn

from lab.squares import Squares, linear_on_squares, squares_accuracies
from model import CircleModelV0
from train import make_data, train


def test_the_squares_stand_beside_the_features():
    points = torch.tensor([[[2.0, -3.0]], [[0.5, 0.0]]])
    assert Squares()(points).tolist() == [[[2, -3, 4, 9]], [[0.5, 0, 0.25, 0]]]


def test_a_linear_model_on_the_squares_finds_the_ring():
    accuracies = squares_accuracies(range(3))
    assert min(accuracies) >= 0.99
    torch.manual_seed(0)
    alone = CircleModelV0()
    assert train(alone, make_data(seed=0))["test_acc"][-1] < 0.7


def test_its_boundary_is_that_of_a_logistic_regression_on_the_squares():
    data, model = make_data(), linear_on_squares()
    train(model, data, epochs=3000, lr=1.0, record_every=3000)
    features = np.hstack([data.X_train, data.X_train**2])
    peer = LogisticRegression(C=np.inf, max_iter=1000).fit(features, data.y_train.ravel())
    own, others = model[1].weight.detach().numpy()[0], peer.coef_[0]
    cosine = own @ others / np.linalg.norm(own) / np.linalg.norm(others)
    assert cosine > 0.999
    assert own[2] < 0 > own[3]  # less likely the inner circle, the farther out
    assert isinstance(model[1], nn.Linear)
