"""The two models differ in ReLU alone, and come back from disk as they were."""

import json
import os
import pickle

import numpy as np
import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file
from torch import nn

import support.files
from model import (
    ACTIVATIONS,
    CheckpointError,
    CircleModelV0,
    CircleModelV2,
    load_checkpoint,
    load_model,
    save_model,
    widths_of,
)
from train import build, make_data, train


def seeded(model_class, seed=0, **arguments):
    torch.manual_seed(seed)
    return model_class(**arguments)


def same_state(one, other):
    a, b = one.state_dict(), other.state_dict()
    return list(a) == list(b) and all(torch.equal(a[name], b[name]) for name in a)


@pytest.mark.parametrize("arguments", [{}, {"hidden_units": 3}, {"in_features": 5}])
def test_both_models_start_from_the_same_weights(arguments):
    assert same_state(seeded(CircleModelV0, **arguments), seeded(CircleModelV2, **arguments))
    assert not same_state(seeded(CircleModelV0, 0), seeded(CircleModelV0, 1))


def test_the_only_difference_is_relu():
    linear, relu = seeded(CircleModelV0), seeded(CircleModelV2)
    x = torch.randn(50, 2)
    assert not torch.allclose(linear(x), relu(x), atol=1e-3)
    for name, layer in relu.layers.named_children():
        if isinstance(layer, nn.ReLU):
            relu.layers.set_submodule(name, nn.Identity())
    assert torch.equal(linear(x), relu(x))


def distance_from_midpoint(model):
    a, b = torch.randn(200, 2).double(), torch.randn(200, 2).double()
    return (model((a + b) / 2) - (model(a) + model(b)) / 2).abs().max().item()


@pytest.mark.parametrize("hidden_units", [1, 16, 300])
def test_v0_is_affine_at_any_width(hidden_units):
    model = seeded(CircleModelV0, hidden_units=hidden_units).double()
    assert distance_from_midpoint(model) < 1e-12


def test_v0_is_one_matrix():
    first, second, third = seeded(CircleModelV0).layers
    weight = third.weight @ second.weight @ first.weight
    bias = third.weight @ (second.weight @ first.bias + second.bias) + third.bias
    x = torch.randn(50, 2)
    torch.testing.assert_close(nn.Sequential(first, second, third)(x), x @ weight.T + bias)


def test_v2_is_not_affine():
    assert distance_from_midpoint(seeded(CircleModelV2).double()) > 1e-3


@pytest.mark.parametrize("model_class", [CircleModelV0, CircleModelV2])
def test_logits_have_a_column_for_each_output(model_class):
    assert model_class()(torch.zeros(7, 2)).shape == (7, 1)
    assert model_class()(torch.zeros(1, 2)).shape == (1, 1)
    assert model_class(in_features=3, out_features=4)(torch.zeros(7, 3)).shape == (7, 4)


def test_dropout_acts_in_train_mode_only():
    model, x = seeded(CircleModelV2, dropout=0.5), torch.randn(20, 2)
    assert not torch.equal(model(x), model(x))
    model.eval()
    assert torch.equal(model(x), model(x))


def test_batch_norm_updates_its_statistics_in_train_mode_only():
    model, x = seeded(CircleModelV2, batch_norm=True), torch.randn(20, 2)
    before = model.layers.norm_1.running_mean.clone()
    model.eval()(x)
    assert torch.equal(before, model.layers.norm_1.running_mean)
    model.train()(x)
    mean = model.layers.hidden_1(x).mean(dim=0)
    torch.testing.assert_close(model.layers.norm_1.running_mean, 0.9 * before + 0.1 * mean)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"hidden_units": 0}, "hidden_units must be a whole number from 1 to 10,000, or .* got 0"),
        ({"hidden_units": 2.5}, "hidden_units .* got 2.5"),
        ({"in_features": -1}, "in_features .* got -1"),
        ({"out_features": 10**6}, "out_features .* got 1000000"),
        ({"dropout": 1}, "dropout must be a number from 0 to below 1; got 1"),
        ({"dropout": float("nan")}, "dropout .* got nan"),
        ({"batch_norm": "yes"}, "batch_norm must be True or False; got 'yes'"),
        ({"dropout": 10**400}, "dropout must be .* got 1000"),
        ({"activation": ["relu"]}, "activation must be one of relu, .* got \\['relu'\\]"),
        ({"activation": "x" * 10**6}, "activation must be one of relu, .* got 'xxx.*xxx'"),
        ({"hidden_units": 10**5000}, "hidden_units .* got one of type int that is too long"),
        ({"batch_norm": torch.zeros(9, 9)}, "batch_norm must be True or False; got tensor"),
    ],
)
def test_wrong_arguments_are_named(arguments, message):
    with pytest.raises(ValueError, match=message) as caught:
        CircleModelV2(**arguments)
    assert str(caught.value).endswith(".")
    assert str(caught.value).count("\n") == 0
    assert len(str(caught.value)) < 400


def test_layers_have_the_widths_that_are_asked_for():
    model = CircleModelV2(hidden_units=(8, 4, 3), activation="tanh", out_features=5)
    linear = [layer for layer in model.layers if isinstance(layer, nn.Linear)]
    assert [tuple(layer.weight.shape) for layer in linear] == [(8, 2), (4, 8), (3, 4), (5, 3)]
    assert sum(isinstance(layer, nn.Tanh) for layer in model.layers) == 3
    assert widths_of(7) == (7, 7)
    assert [name for name, _ in CircleModelV0(hidden_units=(5,)).layers.named_children()] == [
        "hidden_1",
        "output",
    ]


def test_every_activation_makes_a_network():
    for name in ACTIVATIONS:
        assert CircleModelV2(activation=name)(torch.zeros(3, 2)).shape == (3, 1)


def test_a_step_has_no_slope_so_the_layers_before_it_do_not_learn():
    data = make_data(samples=100)
    model, before = (build(CircleModelV2, {"seed": 1, "activation": "step"}) for _ in range(2))
    train(model, data, epochs=5)
    moved = {
        name.split(".")[1]
        for (name, one), other in zip(model.named_parameters(), before.parameters(), strict=True)
        if not torch.equal(one, other)
    }
    assert moved == {"output"}
    assert set(model.layers[:2](data.X_train).unique().tolist()) == {0.0, 1.0}


MODELS = [
    (CircleModelV0, {}),
    (CircleModelV0, {"in_features": 3, "hidden_units": 5, "out_features": 4}),
    (CircleModelV2, {}),
    (CircleModelV2, {"hidden_units": 8, "dropout": 0.25, "batch_norm": True}),
]


@pytest.mark.parametrize(("model_class", "arguments"), MODELS)
def test_a_saved_model_comes_back(tmp_path, model_class, arguments):
    model, path = seeded(model_class, **arguments), tmp_path / "model.safetensors"
    x = torch.randn(30, model.arguments["in_features"])
    model(x)  # BatchNorm gets statistics that aren't the initial ones
    save_model(model, path, {"seed": 3})
    random_state = torch.get_rng_state()
    loaded, settings = load_checkpoint(path)
    assert torch.equal(random_state, torch.get_rng_state())
    assert type(loaded) is model_class
    assert loaded.arguments == model.arguments
    assert settings == {"seed": 3}
    assert same_state(loaded, model)
    assert not loaded.training
    assert torch.equal(loaded(x), model.eval()(x))
    loaded.train()(x).sum().backward()  # it can be trained on
    assert all(p.grad is not None for p in loaded.parameters())


def test_a_saved_model_loads_in_plain_pytorch(tmp_path):
    model = seeded(CircleModelV2)
    save_model(model, tmp_path / "model.safetensors")
    plain = CircleModelV2()
    plain.load_state_dict(load_file(tmp_path / "model.safetensors"))
    assert same_state(plain, model)
    torch.save(model.state_dict(), tmp_path / "model.pth")  # the way that is seen elsewhere
    plain.load_state_dict(torch.load(tmp_path / "model.pth", weights_only=True))
    assert same_state(plain, model)


def test_how_to_build_a_saved_model_is_in_its_metadata(tmp_path):
    save_model(CircleModelV2(hidden_units=(8, 4), dropout=0.1), tmp_path / "model.safetensors")
    with safe_open(tmp_path / "model.safetensors", "pt") as file:
        assert list(file.metadata()) == ["json"]
        plain = json.loads(file.metadata()["json"])
    assert plain["class_name"] == "CircleModelV2"
    model = CircleModelV2(**plain["arguments"])
    assert [layer.out_features for layer in model.layers[::3]] == [8, 4, 1]
    assert model.layers.dropout_1.p == 0.1


def test_a_save_that_fails_leaves_the_old_file_whole(tmp_path, monkeypatch):
    path = tmp_path / "model.safetensors"
    save_model(seeded(CircleModelV0), path)
    old = path.read_bytes()

    def fail(*_):
        raise OSError("disk full")

    monkeypatch.setattr(support.files.os, "replace", fail)
    with pytest.raises(OSError, match="disk full"):
        save_model(seeded(CircleModelV2), path)
    assert path.read_bytes() == old
    assert os.listdir(tmp_path) == ["model.safetensors"]


def good_checkpoint():
    model = seeded(CircleModelV2)
    return {
        "class_name": "CircleModelV2",
        "arguments": model.arguments,
        "state_dict": dict(model.state_dict()),
        "settings": {},
    }


def write(path, state_dict, **plain):
    save_file(state_dict, path, metadata={"json": json.dumps(plain)})


def change(checkpoint, *keys, value):
    *path, last = keys
    inner = checkpoint
    for key in path:
        inner = inner[key]
    if value is None:
        del inner[last]
    else:
        inner[last] = value
    return checkpoint


WRONG_CHECKPOINTS = {
    "a bare state_dict": lambda c: {"state_dict": c["state_dict"]},
    "no settings": lambda c: change(c, "settings", value=None),
    "settings that are a list": lambda c: change(c, "settings", value=[1]),
    "unknown class": lambda c: change(c, "class_name", value="Sequential"),
    "unknown argument": lambda c: change(c, "arguments", "depth", value=3),
    "wrong type": lambda c: change(c, "arguments", "hidden_units", value="16"),
    "another width": lambda c: change(c, "arguments", "hidden_units", value=17),
    "giant width": lambda c: change(c, "arguments", "hidden_units", value=10**9),
    "missing weight": lambda c: change(c, "state_dict", "layers.output.bias", value=None),
    "extra weight": lambda c: change(c, "state_dict", "layers.more", value=torch.zeros(1)),
    "integer weight": lambda c: change(
        c, "state_dict", "layers.output.bias", value=torch.zeros(1, dtype=torch.int64)
    ),
    "weight that isn't finite": lambda c: change(
        c, "state_dict", "layers.output.bias", value=torch.tensor([float("nan")])
    ),
}


@pytest.mark.parametrize("wrong", WRONG_CHECKPOINTS.values(), ids=WRONG_CHECKPOINTS)
def test_a_checkpoint_that_does_not_fit_is_one_clear_error(tmp_path, wrong):
    path = tmp_path / "model.safetensors"
    write(path, **good_checkpoint())
    load_model(path)
    write(path, **wrong(good_checkpoint()))
    with pytest.raises(CheckpointError) as error:
        load_model(path)
    assert str(path) in str(error.value)
    assert "\n" not in str(error.value)


def cut_off(path):
    save_model(seeded(CircleModelV0), path)
    path.write_bytes(path.read_bytes()[:-1])


WRONG_FILES = {
    "missing": lambda path: None,
    "a directory": lambda path: path.mkdir(),
    "empty": lambda path: path.write_bytes(b""),
    "text": lambda path: path.write_text("epoch,loss\n1,0.7\n"),
    "cut off": cut_off,
    "a plain pickle": lambda path: path.write_bytes(pickle.dumps({"class_name": "CircleModelV0"})),
    "a whole module": lambda path: torch.save(CircleModelV0(), path),
    "torch.save's": lambda path: torch.save(CircleModelV0().state_dict(), path),
    "without metadata": lambda path: save_file(CircleModelV0().state_dict(), path),
}


@pytest.mark.parametrize("write", WRONG_FILES.values(), ids=WRONG_FILES)
def test_a_file_that_is_not_a_model_is_one_clear_error(tmp_path, write):
    path = tmp_path / "model.safetensors"
    write(path)
    with pytest.raises(CheckpointError) as error:
        load_model(path)
    assert str(path) in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("output.weight", float("inf"), "layers.output.weight must be finite"),
        ("norm_1.running_mean", float("nan"), "layers.norm_1.running_mean must be finite"),
        ("norm_1.running_var", -1.0, "layers.norm_1.running_var must be 0 or more"),
        ("standardize.std", 0.0, "layers.standardize.std must be above 0"),
    ],
)
def test_a_model_that_gives_no_finite_numbers_is_neither_saved_nor_loaded(
    tmp_path, name, value, words
):
    model, path = (
        CircleModelV2(batch_norm=True, standardize=([0.0, 0.0], [1.0, 1.0])),
        tmp_path / "model.safetensors",
    )
    save_model(model, path)
    tensors = load_file(path)
    with safe_open(path, "pt") as file:
        metadata = file.metadata()
    tensors[f"layers.{name}"].view(-1)[-1] = value
    model.load_state_dict(tensors)
    with pytest.raises(ValueError, match=words):
        save_model(model, path)
    save_file(tensors, path, metadata)
    with pytest.raises(CheckpointError, match=f"model.safetensors can't be used: {words}"):
        load_model(path)


class Attack:
    def __init__(self, target):
        self.target = target

    def __reduce__(self):
        return open, (self.target, "w")


def test_loading_runs_no_code_from_the_file(tmp_path):
    target = tmp_path / "created-by-the-attack"
    for save in (torch.save, lambda attack, path: path.write_bytes(pickle.dumps(attack))):
        save(Attack(str(target)), tmp_path / "model.safetensors")
        with pytest.raises(CheckpointError):
            load_model(tmp_path / "model.safetensors")
        assert not target.exists()


def test_only_the_circle_models_are_saved(tmp_path):
    class Mine(CircleModelV2):
        pass

    for model in (Mine(), nn.Sequential(nn.Linear(2, 1))):
        with pytest.raises(ValueError, match=f"got {type(model).__name__}"):
            save_model(model, tmp_path / "model.safetensors")
    assert not any(tmp_path.iterdir())


def test_numbers_of_numpy_are_saved_as_pythons_own(tmp_path):
    model = CircleModelV2(
        hidden_units=np.int64(8),
        dropout=np.float64(0.2),
        standardize=([np.float32(0.5), np.float32(0)], [np.float64(2), np.float64(1)]),
    )
    save_model(model, tmp_path / "model.safetensors", {"noise": np.float64(0.1)})
    loaded, settings = load_checkpoint(tmp_path / "model.safetensors")
    assert loaded.arguments == model.arguments | {"standardize": [[0.5, 0.0], [2.0, 1.0]]}
    assert type(loaded.arguments["dropout"]) is float
    assert settings == {"noise": 0.1}
