"""The same seed gives the same bits, run after run, in each way of training."""

import hashlib

import pytest
import torch

from lab.ensemble import Ensemble, EnsembleTraining, stack
from model import CircleModelV2
from train import build, make_data, train

KINDS = {
    "full batch": ({}, {}),
    "mini-batch": ({}, {"batch_size": 32}),
    "dropout": ({"dropout": 0.3}, {"batch_size": 64}),
    "batch norm": ({"batch_norm": True}, {"batch_size": 64}),
}


def fingerprint(model, history):
    digest = hashlib.sha256(repr(history).encode())
    for tensor in model.state_dict().values():
        digest.update(tensor.cpu().numpy().tobytes())
    return digest.hexdigest()


def one(arguments, settings, device="cpu"):
    data = make_data(samples=300, seed=3)
    model = build(CircleModelV2, {"seed": 3} | arguments, data).to(device)
    return fingerprint(model, train(model, data.to(device), epochs=20, seed=3, **settings))


def many(arguments, settings, device="cpu"):
    parts = [make_data(samples=300, seed=seed) for seed in (3, 4, 5)]
    models = [
        build(CircleModelV2, {"seed": seed} | arguments, part)
        for seed, part in zip((3, 4, 5), parts, strict=True)
    ]
    torch.manual_seed(3)
    ensemble = Ensemble(models).to(device)
    data = stack(parts).to(device)
    training = EnsembleTraining(ensemble, data, epochs=20, seed=(3, 4, 5), **settings)
    for _ in training:
        pass
    return fingerprint(ensemble, training.history)


@pytest.mark.parametrize("run", [one, many])
@pytest.mark.parametrize("kind", KINDS)
def test_five_runs_are_the_same_to_the_bit(run, kind):
    runs = set()
    for number in range(5):
        torch.rand(number)  # what was drawn before doesn't matter
        runs.add(run(*KINDS[kind]))
    assert len(runs) == 1


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
@pytest.mark.parametrize("run", [one, many])
@pytest.mark.parametrize("kind", KINDS)
def test_five_runs_on_cuda_are_the_same_to_the_bit(monkeypatch, run, kind):
    monkeypatch.setenv("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    torch.use_deterministic_algorithms(True)
    try:
        assert len({run(*KINDS[kind], device="cuda") for _ in range(5)}) == 1
    finally:
        torch.use_deterministic_algorithms(False)
