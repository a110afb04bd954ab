"""Trained models, many at a time, are those that one training after another gives."""

import torch

from lab import trained
from lab.trained import trained_models
from model import CircleModelV0, CircleModelV2
from train import evaluate, make_data, train

SETTINGS = dict(samples=60, noise=0.1, epochs=10, lr=0.05)


def test_models_are_those_that_are_trained_alone(monkeypatch):
    monkeypatch.setattr(trained, "CHUNK", 2)  # so that there is more than one
    for model_class in (CircleModelV0, CircleModelV2):
        models, datasets, accuracies = trained_models(
            range(5, 8), model_class, hidden_units=6, batch_size=16, **SETTINGS
        )
        for seed, model, data, accuracy in zip(
            range(5, 8), models, datasets, accuracies, strict=True
        ):
            torch.manual_seed(seed)
            alone = model_class(hidden_units=6)
            own = make_data(samples=60, noise=0.1, seed=seed)
            train(alone, own, epochs=10, lr=0.05, batch_size=16, seed=seed)
            assert type(model) is model_class
            assert torch.equal(data.X_train, own.X_train)
            for name, tensor in model.state_dict().items():
                torch.testing.assert_close(tensor, alone.state_dict()[name])
            assert accuracy == evaluate(alone, own.X_test, own.y_test)[1]


def test_batch_norm_comes_back_with_each_models_own_statistics():
    models, *_ = trained_models(range(2), batch_norm=True, hidden_units=3, **SETTINGS)
    for seed, model in enumerate(models):
        torch.manual_seed(seed)
        alone = CircleModelV2(batch_norm=True, hidden_units=3)
        train(alone, make_data(samples=60, noise=0.1, seed=seed), epochs=10, lr=0.05, seed=seed)
        for name, tensor in model.state_dict().items():
            torch.testing.assert_close(tensor, alone.state_dict()[name], rtol=1e-4, atol=1e-5)
