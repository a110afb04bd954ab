"""An ensemble trains each of its models as the loop would train it alone."""

import pytest
import torch

from lab.ensemble import Ensemble, EnsembleTraining, stack
from lab.statistics import summarize
from model import CircleModelV0, CircleModelV2
from train import build, evaluate, make_data, train

SEEDS = [3, 4, 5]


def models_and_data(model_class, **arguments):
    """In float64, so that only a wrong formula can make two ways of computing differ."""
    datasets = [make_data(seed=seed).map(torch.Tensor.double) for seed in SEEDS]
    pairs = zip(SEEDS, datasets, strict=True)
    models = [build(model_class, {"seed": seed} | arguments, data).double() for seed, data in pairs]
    return models, datasets, stack(datasets)


def train_ensemble(ensemble, data, **settings):
    training = EnsembleTraining(ensemble, data, seed=SEEDS, **settings)
    for _ in training:
        pass
    return training.history


CASES = [
    (CircleModelV0, {}, {}),
    (CircleModelV2, {}, {}),
    (CircleModelV2, {}, {"batch_size": 64, "weight_decay": 0.01}),
    (CircleModelV2, {"batch_norm": True}, {"batch_size": 64}),
]


@pytest.mark.parametrize(("model_class", "arguments", "settings"), CASES)
def test_an_ensemble_trains_each_model_as_it_would_train_alone(model_class, arguments, settings):
    models, datasets, data = models_and_data(model_class, **arguments)
    ensemble = Ensemble(models)
    together = train_ensemble(ensemble, data, epochs=10, **settings)
    for number, (model, one, seed) in enumerate(zip(models, datasets, SEEDS, strict=True)):
        alone = train(model, one, epochs=10, seed=seed, **settings)
        for name, tensor in model.state_dict().items():
            torch.testing.assert_close(
                ensemble.state_dict()[name][number], tensor, rtol=1e-6, atol=1e-9
            )
        for key in ("train_loss", "test_loss"):
            assert together[key][-1][number] == pytest.approx(alone[key][-1], rel=1e-6)


@pytest.mark.parametrize("batch_norm", [False, True])
def test_a_model_of_an_ensemble_drops_what_it_would_drop_alone(batch_norm):
    arguments, settings = {"dropout": 0.3, "batch_norm": batch_norm}, {"batch_size": 64}
    models, datasets, states = [], [], []
    for seed in SEEDS:
        datasets.append(make_data(seed=seed))
        models.append(build(CircleModelV2, {"seed": seed} | arguments, datasets[-1]))
        states.append(torch.get_rng_state())
    ensemble = Ensemble(models, states)
    train_ensemble(ensemble, stack(datasets), epochs=3, **settings)
    for number, seed in enumerate(SEEDS):
        model = build(CircleModelV2, {"seed": seed} | arguments, datasets[number])
        train(model, datasets[number], epochs=3, seed=seed, **settings)
        for name, tensor in model.state_dict().items():
            torch.testing.assert_close(
                ensemble.state_dict()[name][number], tensor, rtol=1e-3, atol=1e-4
            )


def test_the_ensembles_weights_are_its_own():
    models, _, data = models_and_data(CircleModelV2)
    before = models[0].layers.output.weight.clone()
    train_ensemble(Ensemble(models), data, epochs=2)
    assert torch.equal(models[0].layers.output.weight, before)


def test_models_that_come_in_eval_mode_are_trained_in_train_mode():
    model = build(CircleModelV2, {"seed": 0, "dropout": 0.5}).eval()
    ensemble, x = Ensemble([model]), torch.randn(1, 50, 2)
    assert not torch.equal(ensemble.train()(x), ensemble(x))


def test_an_ensemble_moves_to_another_device():
    ensemble = Ensemble(models_and_data(CircleModelV2, batch_norm=True)[0]).to("meta")
    tensors = [*ensemble.parameters(), *ensemble.buffers()]
    assert {tensor.device.type for tensor in tensors} == {"meta"}
    assert ensemble(torch.zeros(3, 5, 2, dtype=torch.float64, device="meta")).shape == (3, 5, 1)


def test_each_model_has_its_own_dropout_mask():
    model = build(CircleModelV2, {"seed": 0, "dropout": 0.5})
    ensemble, x = Ensemble([model, model]), torch.randn(1, 50, 2).expand(2, -1, -1)
    one, other = ensemble(x)
    assert not torch.equal(one, other)
    ensemble.eval()
    one, other = ensemble(x)
    assert torch.equal(one, other)


def test_evaluate_gives_a_value_for_each_model():
    models, datasets, data = models_and_data(CircleModelV2, batch_norm=True)
    losses, accuracies = evaluate(Ensemble(models), data.X_test, data.y_test)
    for number, (model, one) in enumerate(zip(models, datasets, strict=True)):
        loss, accuracy = evaluate(model, one.X_test, one.y_test)
        assert losses[number] == pytest.approx(loss, rel=1e-5)
        assert accuracies[number] == accuracy


def test_one_model_of_many_may_overflow():
    models, _, data = models_and_data(CircleModelV2)
    with torch.no_grad():
        models[1].layers.output.bias.fill_(float("nan"))
    history = train_ensemble(Ensemble(models), data, epochs=2)
    history["train_mode_acc"] = history["test_acc"][-1:]
    summary = summarize(history, best=1.0)
    assert summary["not_finite"] == 1
    assert summary["loss_gap"] is None
