"""The data, the loop and the proof: a line fails on the circles, ReLU doesn't."""

import copy
from itertools import islice

import numpy as np
import pytest
import torch
from torch import nn

import train as script
from lab.run import train_both
from model import CircleModelV0, CircleModelV2
from train import Data, Training, compare_models, evaluate, make_data, train


def seeded(model_class, seed=42, data=None, **arguments):
    return script.build(model_class, {"seed": seed} | arguments, data or make_data())


def weights(model):
    return torch.cat([p.detach().reshape(-1) for p in model.parameters()])


# The data


def test_the_default_data_is_split_in_equal_parts():
    data = make_data()
    assert [tuple(t.shape) for t in data[:4]] == [(800, 2), (800, 1), (200, 2), (200, 1)]
    assert {t.dtype for t in data[:4]} == {torch.float32}
    assert data.y_train.mean() == data.y_test.mean() == 0.5


def test_class_1_is_the_inner_circle():
    data = make_data(samples=4000, noise=0.01, factor=0.5)
    radius = data.X_train.norm(dim=1, keepdim=True)
    torch.testing.assert_close(radius[data.y_train == 1].mean().item(), 0.5, atol=0.002, rtol=0)
    torch.testing.assert_close(radius[data.y_train == 0].mean().item(), 1.0, atol=0.002, rtol=0)
    assert abs(radius[data.y_train == 1].std().item() - 0.01) < 0.001


def test_a_seed_fixes_data_and_split():
    one, same, other = make_data(seed=1), make_data(seed=1), make_data(seed=2)
    assert all(torch.equal(a, b) for a, b in zip(one[:4], same[:4], strict=True))
    assert not torch.equal(one.X_train, other.X_train)


@pytest.mark.parametrize(
    ("keywords", "message"),
    [
        ({"samples": 9}, "samples must be a whole number from 10 to 100,000,000; got 9"),
        ({"noise": -0.1}, "noise must be a number from 0 to 100; got -0.1"),
        ({"factor": 1.0}, "factor must be a number from 0 to below 1; got 1.0"),
        ({"test_size": 1.5}, "test_size must be a number above 0 and below 1; got 1.5"),
        ({"samples": 20, "test_size": 0.01}, "test_size must leave at least 2 of the 20 points"),
        ({"seed": -1}, "seed must be a whole number"),
    ],
)
def test_wrong_data_settings_are_named(keywords, message):
    with pytest.raises(ValueError, match=message):
        make_data(**keywords)


# Evaluation


class Fixed(nn.Module):
    """Returns the first coordinate as the logit, and remembers how it was asked."""

    def forward(self, x):
        self.was_training, self.inference = self.training, torch.is_inference_mode_enabled()
        return x[..., :1]


POINTS = torch.tensor([[2.0, 0.0], [-1.0, 0.0], [3.0, 0.0], [-4.0, 0.0]])
LABELS = torch.tensor([[1.0], [1.0], [0.0], [0.0]])


def test_evaluate_returns_mean_loss_and_accuracy():
    loss, accuracy = evaluate(Fixed(), POINTS, LABELS)
    expected = np.mean(np.log1p(np.exp([-2.0, 1.0, 3.0, -4.0])))
    assert loss == pytest.approx(expected, rel=1e-6)
    assert accuracy == 0.5


@pytest.mark.parametrize("mode", [True, False])
def test_evaluate_uses_eval_and_inference_mode_and_restores_the_mode(mode):
    model = Fixed().train(mode)
    evaluate(model, POINTS, LABELS)
    assert (model.was_training, model.inference, model.training) == (False, True, mode)
    evaluate(model, POINTS, LABELS, training=True)
    assert (model.was_training, model.training) == (True, mode)


def test_evaluate_puts_each_module_back_even_after_bad_labels():
    model = CircleModelV2(batch_norm=True).train()
    model.layers.norm_1.eval()  # as one freezes its statistics
    modes = [module.training for module in model.modules()]
    X = torch.zeros(4, 2)
    evaluate(model, X, torch.zeros(4, 1))
    assert [module.training for module in model.modules()] == modes
    with pytest.raises(ValueError, match="labels must be from 0 to 1"):
        evaluate(model, X, torch.full((4, 1), 7.0))
    assert [module.training for module in model.modules()] == modes


def test_evaluate_in_batches_changes_nothing():
    assert evaluate(Fixed(), POINTS, LABELS, batch_size=3) == evaluate(Fixed(), POINTS, LABELS)


# The batches


def batches_of(X, y, batch_size, seed=0):
    """Return a training on points whose labels are their numbers, which only tells its batches."""
    data = Data(X, torch.zeros(len(y), 1), X, torch.zeros(len(y), 1))
    training = Training(nn.Linear(2, 1), data, batch_size=batch_size, seed=seed)
    training.data = data._replace(y_train=y)
    return training


@pytest.mark.parametrize("batch_size", [1, 7, 64, 99, 100, 1000, None])
def test_batches_hold_every_point_once_with_its_label(batch_size):
    X, y = torch.arange(200.0).reshape(100, 2), torch.arange(100.0).reshape(100, 1)
    parts = list(batches_of(X, y, batch_size).batches())
    sizes = [len(part) for part, _ in parts]
    assert sum(sizes) == 100
    assert max(sizes) <= min(batch_size or 100, 100)
    assert max(sizes) - min(sizes) <= 1
    points, labels = (torch.cat(column) for column in zip(*parts, strict=True))
    assert torch.equal(points[:, :1], 2 * labels)
    assert torch.equal(labels.sort(dim=0).values, y)
    assert torch.equal(labels, y) == (batch_size is None or batch_size >= 100)


def test_each_epoch_has_its_own_order_and_each_seed_too():
    X, y = torch.zeros(100, 2), torch.arange(100.0).reshape(100, 1)

    def first(training):
        return next(training.batches())[1]

    training = batches_of(X, y, 10)
    one, two = first(training), first(training)
    assert not torch.equal(one, two)
    assert torch.equal(one, first(batches_of(X, y, 10)))
    assert not torch.equal(one, first(batches_of(X, y, 10, seed=1)))


# The loop


def reference_training(model, data, epochs, lr, momentum, weight_decay):
    """SGD with momentum written out, on the gradient of the mean of log(1 + exp(-+logit))."""
    velocity = [torch.zeros_like(p) for p in model.parameters()]
    for _ in range(epochs):
        logits = model(data.X_train)
        loss = (torch.logaddexp(torch.zeros(1), logits) - logits * data.y_train).mean()
        gradients = torch.autograd.grad(loss, list(model.parameters()))
        with torch.no_grad():
            for p, v, g in zip(model.parameters(), velocity, gradients, strict=True):
                v.mul_(momentum).add_(g + weight_decay * p)
                p.sub_(lr * v)
    return model


@pytest.mark.parametrize("model_class", [CircleModelV0, CircleModelV2])
@pytest.mark.parametrize("settings", [(0.1, 0.9, 0.0), (0.05, 0.0, 0.01)])
def test_the_loop_is_sgd_on_binary_cross_entropy(model_class, settings):
    data = make_data().map(torch.Tensor.double)
    lr, momentum, weight_decay = settings
    expected = reference_training(seeded(model_class).double(), data, 30, *settings)
    model = seeded(model_class).double()
    train(model, data, epochs=30, lr=lr, momentum=momentum, weight_decay=weight_decay)
    torch.testing.assert_close(weights(model), weights(expected), rtol=1e-7, atol=1e-10)


@pytest.mark.parametrize(
    ("epochs", "record_every", "expected"),
    [(25, 10, [10, 20, 25]), (20, 10, [10, 20]), (3, 9, [3])],
)
def test_history_is_recorded_at_its_steps_and_at_the_last_epoch(epochs, record_every, expected):
    model, data = seeded(CircleModelV2), make_data()
    history = train(model, data, epochs=epochs, record_every=record_every)
    assert list(history) == ["epoch", "train_loss", "test_loss", "train_acc", "test_acc"]
    assert history["epoch"] == expected
    assert {len(values) for values in history.values()} == {len(expected)}
    assert (history["train_loss"][-1], history["train_acc"][-1]) == evaluate(
        model, data.X_train, data.y_train
    )
    assert (history["test_loss"][-1], history["test_acc"][-1]) == evaluate(
        model, data.X_test, data.y_test
    )


@pytest.mark.parametrize("batch_size", [None, 64])
@pytest.mark.parametrize("arguments", [{}, {"dropout": 0.2, "batch_norm": True}])
def test_the_same_seed_gives_the_same_weights_to_the_bit(batch_size, arguments):
    def run(seed):
        model = seeded(CircleModelV2, seed, **arguments)
        history = train(model, make_data(seed=seed), epochs=15, batch_size=batch_size, seed=seed)
        return weights(model), history

    (one, history), (same, same_history), (other, _) = run(5), run(5), run(6)
    assert torch.equal(one, same)
    assert history == same_history
    assert not torch.equal(one, other)


def test_both_models_see_the_batches_in_the_same_order(monkeypatch):
    seen = []

    class Recorder(nn.Linear):
        def forward(self, x):
            if self.training:
                seen.append(x.clone())
            return super().forward(x)

    data = make_data(samples=100)
    for _ in range(2):
        torch.rand(3)  # the global random state doesn't matter
        train(Recorder(2, 1), data, epochs=2, batch_size=30, seed=7)
    half = len(seen) // 2
    assert half == 2 * 3
    assert all(torch.equal(a, b) for a, b in zip(seen[:half], seen[half:], strict=True))


def test_a_loss_that_is_not_finite_stops_training_and_names_the_epoch():
    with pytest.raises(
        FloatingPointError, match=r"CircleModelV2 .* by epoch 10 .* Try a smaller learning rate"
    ):
        train(seeded(CircleModelV2), make_data(), lr=1e30, epochs=100)


@pytest.mark.parametrize(
    ("keywords", "message"),
    [
        ({"epochs": 0}, "epochs must be a whole number from 1 to 1,000,000,000; got 0"),
        ({"lr": 0.0}, "lr must be a number above 0 and below inf; got 0.0"),
        ({"lr": float("nan")}, "lr .* got nan"),
        ({"momentum": 1.0}, "momentum must be a number from 0 to below 1; got 1.0"),
        ({"weight_decay": -1.0}, "weight_decay .* got -1.0"),
        ({"batch_size": 0}, "batch_size .* got 0"),
        ({"seed": -1}, "seed .* got -1"),
        ({"record_every": 0}, "record_every .* got 0"),
    ],
)
def test_wrong_training_settings_are_named(keywords, message):
    with pytest.raises(ValueError, match=message):
        train(seeded(CircleModelV2), make_data(), **keywords)


def test_a_line_fails_on_the_circles_and_relu_does_not():
    for seed in (42, 7):
        linear, relu = train_both(
            make_data(seed=seed), {"seed": seed, "hidden_units": 16, "epochs": 300}
        )
        assert linear.name == "CircleModelV0"
        assert 0.4 < linear.summary()["test_accuracy"] < 0.6
        assert 0.45 < linear.summary()["train_accuracy"] < 0.57
        assert relu.summary()["test_accuracy"] >= 0.985
        assert relu.summary()["train_accuracy"] >= 0.995
        assert relu.summary()["parameters"] == linear.summary()["parameters"] == 337


# Training that is looked on, stopped and taken up again


@pytest.mark.parametrize("batch_size", [None, 64])
def test_a_training_hands_back_control_after_every_step_and_every_epoch(batch_size):
    training = Training(seeded(CircleModelV2), make_data(), epochs=3, batch_size=batch_size)
    seen = [(one.epoch, one.step) for one in training]
    steps = 1 if batch_size is None else 13
    expected = [
        [(epoch, step + 1) for step in range(steps)] + [(epoch + 1, 0)] for epoch in (0, 1, 2)
    ]
    assert seen == [pair for pairs in expected for pair in pairs]


@pytest.mark.parametrize("stop", [1, 5, 14, 20])
def test_a_stopped_training_goes_on_to_the_same_bits(stop):
    arguments, settings = {"dropout": 0.3, "batch_norm": True}, {"epochs": 4, "batch_size": 64}
    data = make_data()
    whole = seeded(CircleModelV2, **arguments)
    history = train(whole, data, **settings)

    first = Training(seeded(CircleModelV2, **arguments), data, **settings)
    for _ in islice(first, stop):
        pass
    state = copy.deepcopy(first.state_dict())
    for _ in islice(first, 3):  # what it does later is not in the state
        pass
    other = Training(seeded(CircleModelV2, 1, **arguments), data, **settings)
    other.load_state_dict(state)
    for _ in other:
        pass
    assert torch.equal(weights(other.model), weights(whole))
    assert other.history == history


def test_a_training_that_is_iterated_over_again_goes_on_within_the_epoch():
    data, settings = make_data(), {"epochs": 3, "batch_size": 64}
    whole, parts = seeded(CircleModelV2), seeded(CircleModelV2)
    train(whole, data, **settings)
    training = Training(parts, data, **settings)
    while training.epoch < 3:
        for _ in islice(training, 4):
            pass
    assert torch.equal(weights(parts), weights(whole))


def test_both_models_begin_with_the_same_weights():
    linear, relu = compare_models(make_data(), {"seed": 5, "epochs": 1})
    assert [training.name for training in (linear, relu)] == ["CircleModelV0", "CircleModelV2"]
    assert torch.equal(weights(linear.model), weights(relu.model))


# Labels that are none of the classes, and classes that aren't there


@pytest.mark.parametrize("label", [-1.0, 2.0, 1.5, float("nan")])
def test_labels_that_are_no_class_are_named(label):
    data = make_data(samples=60)
    model = seeded(CircleModelV2)
    before = weights(model)
    for part in ("y_train", "y_test"):
        wrong = getattr(data, part).clone()
        wrong[5] = label
        with pytest.raises(ValueError, match=rf"labels must be from 0 to 1 .*; got {label:g}\."):
            train(model, data._replace(**{part: wrong}), epochs=1)
        with pytest.raises(ValueError, match="labels must be from 0 to 1"):
            evaluate(model, torch.zeros(len(wrong), 2), wrong)
    assert torch.equal(weights(model), before)


@pytest.mark.parametrize("label", [-1, 3, 2**40])
def test_numbers_of_classes_that_are_none_are_named(label):
    data = make_data(data="blobs", samples=60)
    model = seeded(CircleModelV2, data=data)
    data.y_train[5] = label
    with pytest.raises(ValueError, match="labels must be from 0 to 2 for 3 classes; got"):
        train(model, data, epochs=1)
    with pytest.raises(ValueError, match="labels must be from 0 to 2 for 3 classes; got"):
        evaluate(model, data.X_train, data.y_train)


def test_a_class_that_the_test_set_has_not_is_no_error():
    data = make_data(data="blobs", samples=300, noise=0.1)
    there = data.y_test[:, 0] != 1
    data = data._replace(X_test=data.X_test[there], y_test=data.y_test[there])
    model = seeded(CircleModelV2, data=data)
    history = train(model, data, epochs=200)
    assert history["test_acc"][-1] == 1.0
    with torch.no_grad():
        right = model(data.X_test).argmax(dim=1) == data.y_test[:, 0]
    assert right.all()


def test_features_that_never_change_are_learned_as_well_as_can_be():
    data = make_data(samples=200)
    flat = data.map(torch.clone)
    for points in (flat.X_train, flat.X_test):
        points[:] = 3.0
    for batch_norm in (False, True):
        model = seeded(CircleModelV2, batch_norm=batch_norm)
        history = train(model, flat, epochs=20)
        assert all(np.isfinite(history["test_loss"]))
        assert history["test_acc"][-1] == 0.5


# The device


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
@pytest.mark.parametrize("batch_size", [None, 64])
def test_cuda_starts_from_the_same_weights_and_batches(batch_size):
    device = torch.device("cuda")
    on_cpu, on_cuda = seeded(CircleModelV2), seeded(CircleModelV2).to(device)
    data = make_data()
    train(on_cpu, data, epochs=5, batch_size=batch_size)
    train(on_cuda, data.to(device), epochs=5, batch_size=batch_size)
    torch.testing.assert_close(weights(on_cuda).cpu(), weights(on_cpu), rtol=1e-3, atol=1e-4)
