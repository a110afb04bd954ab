"""Many seeds: each ends where it ends alone, whatever is beside it."""

import pytest
import torch

from lab import many_seeds
from lab.many_seeds import chunk_size, count_spare, train_many
from model import CircleModelV0, CircleModelV2
from support.checks import keywords_of
from train import Training, build, make_data, train


def test_a_seed_among_many_ends_where_it_ends_alone():
    settings = {"samples": 1000, "epochs": 300, "batch_size": None}
    together = train_many([CircleModelV2], settings, range(42, 45))
    for number, seed in enumerate(range(42, 45)):
        one = settings | {"seed": seed}
        alone = train(
            build(CircleModelV2, one),
            make_data(**keywords_of(make_data, one)),
            **keywords_of(Training, one),
        )
        final = together["CircleModelV2"]["test_acc"][-1][number]
        assert abs(final - alone["test_acc"][-1]) <= 1 / 200 + 1e-12


KINDS = {
    "full batch": {},
    "batches": {"batch_size": 64, "weight_decay": 0.01},
    "dropout": {"dropout": 0.2, "batch_size": 50},
    "dropout and norm": {"dropout": 0.2, "batch_norm": True, "batch_size": 50},
    "classes": {"data": "blobs", "batch_size": 64},
    "odd sizes": {"samples": 101, "hidden_units": (5, 3), "batch_size": 23},
    "tanh": {"activation": "tanh", "batch_size": 30},
    "point by point": {"activation": "tanh", "samples": 30, "hidden_units": (1,), "batch_size": 1},
}


@pytest.mark.parametrize("settings", KINDS.values(), ids=KINDS)
def test_a_seed_depends_neither_on_the_seeds_beside_it_nor_on_the_threads(monkeypatch, settings):
    """To the bit: a promise."""
    settings = {"data": "circles", "samples": 200, "epochs": 5, "batch_size": None} | settings

    def history(first, chunk, threads):
        monkeypatch.setattr(many_seeds, "CHUNK", chunk)
        monkeypatch.setattr(torch, "get_num_threads", lambda: threads)
        seeds = range(first, 8)
        many = train_many([CircleModelV0, CircleModelV2], settings, seeds)["CircleModelV2"]
        return {key: [entry[5 - first :] for entry in many[key]] for key in many if key != "epoch"}

    expected = history(0, 50, 1)
    for first, chunk, threads in ((5, 50, 1), (0, 2, 1), (0, 3, 2), (4, 1, 3)):
        assert history(first, chunk, threads) == expected


@pytest.mark.parametrize(
    ("samples", "test_size", "batch_size", "spare"),
    [
        (200, 0.2, None, 1),
        (100, 0.1, None, 4),  # ten points to test on
        (100, 0.9, None, 4),  # ten points to train on
        (100, 0.1, 4, 11),  # batches of 3
        (30, 0.2, 1, 32),
    ],
)
def test_spare_models_have_32_numbers_of_the_smallest_batch(samples, test_size, batch_size, spare):
    assert count_spare(make_data(samples=samples, test_size=test_size), batch_size) == spare


def test_a_gpu_trains_a_million_samples_together_and_a_processor_fifty_models():
    cpu, cuda = torch.device("cpu"), torch.device("cuda")
    assert [chunk_size(cpu, samples) for samples in (None, 100, 10**6)] == [50, 50, 50]
    sizes = [chunk_size(cuda, samples) for samples in (None, 100, 1000, 10**6)]
    assert sizes == [50, 10_000, 1000, 50]


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_many_seeds_train_on_cuda():
    settings = {"samples": 200, "epochs": 20, "batch_size": None, "batch_norm": True}
    on_cpu, on_cuda = (
        train_many([CircleModelV2], settings, range(3), device)["CircleModelV2"]
        for device in ("cpu", "cuda")
    )
    assert on_cuda["train_loss"][-1] == pytest.approx(on_cpu["train_loss"][-1], rel=1e-2)
