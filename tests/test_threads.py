"""Small work runs on one thread, and the number of threads is put back."""

import pytest
import torch
from torch import nn

from model import CircleModelV2
from support.threads import SMALL, is_small, threads_for
from train import evaluate, make_data, train


class Watched(nn.Module):
    """A linear model that remembers on how many threads it was asked."""

    def __init__(self):
        super().__init__()
        self.layer, self.threads = nn.Linear(2, 1), set()

    def forward(self, x):
        self.threads.add(torch.get_num_threads())
        return self.layer(x)


def test_training_and_evaluation_on_few_points_take_one_thread():
    torch.set_num_threads(2)
    model, data = Watched(), make_data(samples=50)
    train(model, data, epochs=2)
    evaluate(model, data.X_test, data.y_test)
    assert model.threads == {1}
    assert torch.get_num_threads() == 2


def test_the_number_is_put_back_after_an_error():
    torch.set_num_threads(2)
    with pytest.raises(RuntimeError, match="shapes cannot be multiplied"):
        evaluate(Watched(), torch.zeros(5, 3), torch.zeros(5, 1))
    assert torch.get_num_threads() == 2


def test_much_work_keeps_its_threads():
    torch.set_num_threads(2)
    with threads_for(CircleModelV2(), torch.empty(SMALL, 2, device="meta")):
        assert torch.get_num_threads() == 2


def test_work_is_points_times_outputs_of_layers():
    model = CircleModelV2(hidden_units=(6, 3))  # and one logit: ten outputs
    for models in (1, 4):
        points = torch.empty(models, SMALL // 10 // models, 2, device="meta")
        assert not is_small(model, points)
        assert is_small(model, points[:, :-1])
