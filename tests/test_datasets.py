"""The data sets: what they hold, what can be reached on them, and models of several classes."""

import json

import numpy as np
import pytest
import torch
from torch import nn

from lab import command_line, saved_models
from lab.ensemble import Ensemble, EnsembleTraining, stack
from lab.points import CIRCLES
from model import CircleModelV2, load_checkpoint
from support import datasets
from support.best_possible import best_possible_accuracy
from support.checks import fill_in, keywords_of
from support.datasets import DATASETS, NAMES
from train import Training, build, evaluate, loss_function, make_data, train


def nearest(X, centers):
    """Return the number of the nearest center to each point."""
    return np.linalg.norm(X[:, None] - centers, axis=2).argmin(axis=1)


# The points


@pytest.mark.parametrize("name", NAMES)
def test_a_data_set_has_its_points_its_classes_and_its_seed(name):
    data = make_data(data=name, samples=300, seed=1)
    classes = DATASETS[name].get("classes", 2)
    y = torch.cat([data.y_train, data.y_test])
    numbered = tuple(f"class {number}" for number in range(classes))
    assert data.class_names == (CIRCLES if name == "circles" else numbered)
    assert torch.cat([data.X_train, data.X_test]).shape == (300, 2)
    assert y.dtype == (torch.float32 if classes == 2 else torch.int64)
    assert torch.bincount(y.long().flatten()).tolist() == [300 // classes] * classes
    assert torch.equal(make_data(data=name, samples=300, seed=1).X_train, data.X_train)
    assert not torch.equal(make_data(data=name, samples=300, seed=2).X_train, data.X_train)


@pytest.mark.parametrize("name", NAMES)
def test_noise_is_the_standard_deviation_of_each_coordinate(name):
    own = {"classes": 3} if name in ("spirals", "blobs") else {}
    clean, noisy = (
        make_data(data=name, samples=20_000, noise=noise, seed=3, **own) for noise in (0.0, 0.05)
    )
    if name in ("xor", "gaussians", "blobs"):  # without noise a point is its center
        centers = clean.X_train.unique(dim=0).numpy()
        points = noisy.X_train.numpy()
        moved = points - centers[nearest(points, centers)]
    elif name == "circles":
        radius = noisy.X_train.norm(dim=1).numpy()
        moved = radius - np.where(noisy.y_train.flatten() == 1, 0.8, 1.0)
    elif name == "moons":
        inside = noisy.X_train[noisy.y_train.flatten() == 0]
        inside = inside[inside[:, 1] > 0.2]  # the upper arc, away from its ends
        moved = inside.norm(dim=1).numpy() - 1
    else:
        moved = (noisy.X_train - clean.X_train).numpy()  # the generator draws the noise last
    assert moved.std() == pytest.approx(0.05, rel=0.05)


def test_spirals_wind_and_are_turned_by_a_class_each():
    X, y = datasets.spirals(samples=3000, noise=0.0, classes=3, seed=0)
    radius = np.linalg.norm(X, axis=1)
    angle = np.arctan2(X[:, 1], X[:, 0]) - 2 * np.pi * (1.25 * radius + y / 3)
    np.testing.assert_allclose(np.cos(angle), 1, atol=1e-9)
    assert 0.15 <= radius.min() < 0.16
    assert 0.99 < radius.max() <= 1


@pytest.mark.parametrize(
    ("keywords", "message"),
    [
        ({"data": "rings"}, r"data must be one of circles, moons, .*; got 'rings'"),
        ({"data": 3}, r"data must be .* got 3"),
        ({"data": "moons", "factor": 0.5}, r"factor is no setting of moons, which has .*; got 0.5"),
        ({"data": "circles", "classes": 3}, r"classes is no setting of circles"),
        ({"data": "blobs", "label": "kind"}, r"label is no setting of blobs"),
        ({"data": "a.csv", "noise": 0.1}, r"noise is no setting of PATH.csv"),
        ({"data": "blobs", "classes": 1}, r"classes must be a whole number from 2 to 1,000; got 1"),
        (
            {"data": "blobs", "classes": 300},
            r"test_size must leave at least 300 of the 1000 points",
        ),
    ],
)
def test_a_setting_that_a_data_set_does_not_have_is_an_error(keywords, message):
    with pytest.raises(ValueError, match=message):
        make_data(**keywords)


def test_each_name_of_the_table_has_a_generator_and_the_circles_are_train_pys():
    assert {"circles", *datasets.GENERATORS} == set(NAMES)


# Several classes: loss, training, evaluation


def test_the_loss_is_decided_by_the_labels():
    logits = torch.randn(50, 1, dtype=torch.float64)
    y = torch.randint(2, (50, 1)).double()
    sigmoid = torch.sigmoid(logits)
    expected = -(y * sigmoid.log() + (1 - y) * (1 - sigmoid).log()).mean()
    torch.testing.assert_close(loss_function(y)(logits, y), expected)

    logits, y = torch.randn(50, 4, dtype=torch.float64), torch.randint(4, (50, 1))
    softmax = logits.exp() / logits.exp().sum(dim=1, keepdim=True)
    expected = -softmax.gather(1, y).log().mean()
    torch.testing.assert_close(loss_function(y)(logits, y), expected)


class Nearness(nn.Module):
    """Logits that fall with the squared distance to each of three centers."""

    centers = torch.tensor([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0]])

    def forward(self, x):
        return -((x.unsqueeze(-2) - self.centers) ** 2).sum(-1)


def test_evaluate_counts_the_likeliest_class():
    X = torch.tensor([[0.1, 0.0], [0.9, 0.1], [0.0, 0.8], [0.2, 0.9]])
    loss, accuracy = evaluate(Nearness(), X, torch.tensor([[0], [1], [2], [1]]))
    logits = Nearness()(X).double()
    expected = (logits.logsumexp(1) - logits[range(4), [0, 1, 2, 1]]).mean()
    assert accuracy == 0.75
    assert loss == pytest.approx(expected.item(), rel=1e-5)


def reference_training(model, data, epochs, lr, momentum):
    """SGD with momentum written out, on the gradient of softmax's: probability minus label."""
    velocity = [torch.zeros_like(p) for p in model.parameters()]
    labels = nn.functional.one_hot(data.y_train[:, 0]).double()
    for _ in range(epochs):
        logits = model(data.X_train)
        slope = (torch.softmax(logits, dim=1) - labels) / len(labels)
        gradients = torch.autograd.grad(logits, list(model.parameters()), slope.detach())
        with torch.no_grad():
            for p, v, g in zip(model.parameters(), velocity, gradients, strict=True):
                v.mul_(momentum).add_(g)
                p.sub_(lr * v)
    return model


def test_the_loop_is_sgd_on_cross_entropy():
    data = make_data(data="spirals", classes=3)
    data = data._replace(X_train=data.X_train.double(), X_test=data.X_test.double())
    models = [build(CircleModelV2, {"seed": 1}, data).double() for _ in range(2)]
    train(models[0], data, epochs=30, lr=0.1, momentum=0.9)
    reference_training(models[1], data, epochs=30, lr=0.1, momentum=0.9)
    for one, other in zip(models[0].parameters(), models[1].parameters(), strict=True):
        torch.testing.assert_close(one, other, rtol=1e-7, atol=1e-10)


def test_an_ensemble_trains_several_classes_and_its_own_standardization():
    parts = [make_data(data="blobs", classes=4, samples=200, seed=seed) for seed in (1, 2)]
    parts = [
        part._replace(standardize=([0.1 * seed, 0.2], [0.5, 2.0 + seed]))
        for seed, part in enumerate(parts)
    ]
    models = [build(CircleModelV2, {"seed": seed}, part) for seed, part in zip((1, 2), parts)]
    together = EnsembleTraining(Ensemble(models), stack(parts), epochs=10, seed=[1, 2])
    for _ in together:
        pass
    for number, (model, part) in enumerate(zip(models, parts, strict=True)):
        alone = train(model, part, epochs=10, seed=number + 1)
        assert together.history["train_loss"][-1][number] == pytest.approx(
            alone["train_loss"][-1], rel=1e-4
        )


@pytest.mark.parametrize(
    ("keywords", "least"),
    [({"data": name}, 0.98) for name in ("moons", "xor", "gaussians", "blobs")]
    + [({"data": "spirals", "classes": classes}, 0.97) for classes in (2, 3)],
    ids=str,
)
def test_relu_learns_every_data_set_with_its_own_settings(keywords, least):
    settings = {"seed": 42} | fill_in(keywords)
    data = make_data(**keywords_of(make_data, settings))
    model = build(CircleModelV2, settings, data)
    history = train(model, data, **keywords_of(Training, settings))
    assert history["test_acc"][-1] >= least


# All of it together


def test_the_script_does_several_classes(tmp_path, capsys):
    arguments = ["--data", "spirals", "--classes", "3", "--samples", "300", "--epochs", "12"]
    command_line.main([*arguments, "--animate", "--device", "cpu", "--out", str(tmp_path)])
    metrics = json.loads((tmp_path / "metrics.json").read_text())
    assert metrics["class_names"] == ["class 0", "class 1", "class 2"]
    assert metrics["best_possible_accuracy"] is None
    assert metrics["settings"]["hidden_units"] == 32  # the spirals' own
    assert metrics["settings"]["epochs"] == 12  # what is asked for comes first
    assert "best possible" not in capsys.readouterr().out
    model, settings = load_checkpoint(tmp_path / "circle_model_v2.safetensors")
    assert model(torch.zeros(4, 2)).shape == (4, 3)
    assert settings["class_names"] == ["class 0", "class 1", "class 2"]
    saved_models.main([str(tmp_path / "circle_model_v2.safetensors"), "--hidden-units"])
    assert (tmp_path / "circle_model_v2.png").stat().st_size > 10_000


def test_many_seeds_and_data_sets_are_compared(tmp_path, capsys):
    arguments = ["--seeds", "2", "--samples", "100", "--epochs", "3", "--device", "cpu"]
    command_line.main([*arguments, "--compare", "data=xor,spirals,blobs", "--out", str(tmp_path)])
    lines = [line for line in capsys.readouterr().out.splitlines() if line.startswith("| ")]
    assert len(lines) == 2 + 6
    assert lines[0].rstrip(" |").endswith("best possible")
    assert "not known" in lines[4]
    assert f"{100 * best_possible_accuracy(data='xor', noise=0.3):.3f} %" in lines[2]


def test_help_shows_the_table_of_data_sets(capsys):
    with pytest.raises(SystemExit):
        command_line.main(["--help"])
    text = capsys.readouterr().out
    for name, own in DATASETS.items():
        (line,) = (line for line in text.splitlines() if line.startswith(f"  {name} "))
        assert all(setting.replace("_", "-") in line for setting in own)
