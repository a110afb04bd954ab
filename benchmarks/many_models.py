"""Many models at once against one after another, JAX's vmap, and the floating-point limit.

All train CircleModelV2 with the default recipe on the default data, a seed for each model, and
evaluate on the train and the test set every 10 epochs. Ours is what `train_many` does: ensembles of
fifty on a CPU. The limit is the time that the training's floating-point operations would take at
the speed of the fastest matrix product here, two square matrices of 2048 rows. The times are those
of training alone, in seconds a model and epoch.
"""

import shutil
import statistics
import time

import jax
import numpy as np
import torch
from torch.profiler import ProfilerActivity, profile

from benchmarks import jax_peer
from benchmarks.flop import flop_a_second, flop_an_epoch
from benchmarks.measure import (
    EPOCHS,
    RECORD_EVERY,
    Line,
    against,
    in_turns,
    main,
    seconds,
)
from lab.ensemble import Ensemble, EnsembleTraining, stack
from lab.many_seeds import CHUNK, chunk_size, compile_model
from lab.turns import train_in_turns
from model import CircleModelV2
from support.memory import keep_freed_memory
from support.text import listed
from train import Data, build, make_data, train

CPU = torch.device("cpu")
POINTS = (800, 200)  # to train on and to test on, by default


def most_costly_operators(count: int = 5) -> str:
    """Return the operators that take most of an ensemble's training, with their shares of it."""
    data = stack([make_data(seed=seed) for seed in range(CHUNK)])
    ensemble = Ensemble([build(CircleModelV2, {"seed": seed}) for seed in range(CHUNK)])
    training = EnsembleTraining(ensemble, data, seed=range(CHUNK))
    with profile(activities=[ProfilerActivity.CPU]) as profiler:  # which sees this thread alone
        for _ in training:
            pass
    times = {event.key: event.self_cpu_time_total for event in profiler.key_averages()}
    most = sorted(times, key=times.get, reverse=True)[:count]
    return listed(f"{times[name] / sum(times.values()):.0%} to {name}" for name in most)


def one_by_one(datasets: list[Data], device=CPU) -> float:
    """Return the seconds a model and epoch of models that are trained one after another."""
    models = [build(CircleModelV2, {"seed": seed}).to(device) for seed in range(len(datasets))]
    datasets = [data.to(device) for data in datasets]
    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # as train.py does: one model trains fastest on one
    start = time.perf_counter()
    for seed, (model, data) in enumerate(zip(models, datasets, strict=True)):
        train(model, data, seed=seed)
    duration = time.perf_counter() - start
    torch.set_num_threads(threads)
    return duration / len(datasets) / EPOCHS


def together(datasets: list[Data], compiled: bool = False, device=CPU) -> float:
    """Return the same for ensembles as `train_many` has them; compiling itself isn't counted."""
    trainings, size = [], chunk_size(device, sum(POINTS))
    for first in range(0, len(datasets), size):
        chunk = datasets[first : first + size]
        seeds = range(first, first + len(chunk))
        data = stack(chunk).to(device)
        ensemble = Ensemble([build(CircleModelV2, {"seed": seed}) for seed in seeds]).to(device)
        if compiled:
            compile_model(ensemble, device)
            warm_up = EnsembleTraining(ensemble, data, epochs=RECORD_EVERY, seed=seeds)
            train_ensembles([warm_up], 1)
        trainings.append(EnsembleTraining(ensemble, data, seed=seeds))
    threads = torch.get_num_threads() if device == CPU else 1
    total = seconds(train_ensembles, trainings, threads)
    return total / len(datasets) / EPOCHS


def train_ensembles(trainings: list, threads: int) -> None:
    """Train ensembles as `train_many` does."""
    for _ in train_in_turns(trainings, threads, lambda running: None):
        pass


def jax_history(parameters, data):
    """Train one model, and return its losses and the numbers of points that it gets right."""
    x_train, y_train, x_test, y_test = data

    def figures(parameters, x, y):
        return jax_peer.mean_loss(parameters, x, y), jax_peer.count_right(parameters, x, y)

    def record(state, _):
        state = jax_peer.train_to_record(state, x_train, y_train)
        return state, (figures(state[0], x_train, y_train), figures(state[0], x_test, y_test))

    _, history = jax.lax.scan(record, jax_peer.start(parameters), length=EPOCHS // RECORD_EVERY)
    return history


def jax_together(datasets: list[Data], chunk: int) -> float:
    """Return the same for JAX's vmap over a jitted scan; compiling isn't counted."""
    chunks = []
    for first in range(0, len(datasets), chunk):
        seeds = range(first, min(first + chunk, len(datasets)))
        models = [build(CircleModelV2, {"seed": seed}) for seed in seeds]
        weights = jax.tree.map(lambda *w: np.stack(w), *map(jax_peer.initial_weights, models))
        parts = zip(*(datasets[seed][:4] for seed in seeds), strict=True)
        data = tuple(np.stack([t.numpy() for t in part]) for part in parts)
        chunks.append(jax.device_put((weights, data)))
    run = jax.jit(jax.vmap(jax_history)).lower(*chunks[0]).compile()
    duration = sum(seconds(lambda one=one: jax.block_until_ready(run(*one))) for one in chunks)
    return duration / len(datasets) / EPOCHS


def measure_count(count: int, rounds: int, speeds: list[float]) -> list[Line]:
    """Return the lines for so many models; put the speeds of the matrix product into `speeds`."""
    datasets = [make_data(seed=seed) for seed in range(count)]

    def limit(number):
        speeds.append(flop_a_second())
        return flop_an_epoch(*POINTS) / speeds[-1]

    contenders = {
        "ours": lambda number: together(datasets),
        "one by one (10 of them)": lambda number: one_by_one(datasets[:10]),
        "JAX, vmap": lambda number: jax_together(datasets, count),
        "the floating-point limit": limit,
    }
    if count > CHUNK:
        name = f"JAX, vmap over chunks of {CHUNK}"
        contenders[name] = lambda number: jax_together(datasets, CHUNK)
    if count == 100 and any(map(shutil.which, ("g++", "clang++", "cl"))):
        name = "ours with --compile, compiled before"
        contenders[name] = lambda number: together(datasets, compiled=True)
    return against(
        f"{count} models, a model and epoch",
        in_turns(contenders, rounds),
        goal=lambda peer: 0.2 if "limit" in peer and count == 100 else None,
    )


def measure(quick: bool) -> tuple[list[Line], list[str]]:
    keep_freed_memory()  # as train.py does for many models
    lines, speeds = [], []
    for count, rounds in ((10, 2),) if quick else ((10, 5), (100, 5), (1000, 3)):
        lines += measure_count(count, rounds, speeds)
    note = (
        f"The floating-point limit is {flop_an_epoch(*POINTS) / 1e6:.2f} million operations a "
        f"model and epoch (matrix products, biases, ReLU, the loss and the update, there and back) "
        f"at the {statistics.median(speeds) / 1e9:.0f} GFLOP/s of a float32 matrix product of "
        f"2048 x 2048 with {torch.get_num_threads()} threads. The goal is at most 5 times its time "
        "at 100 models, so a ratio of at least 0.2."
    )
    reason = (
        f"In a profile of an ensemble of {CHUNK} the time goes {most_costly_operators()}. Its "
        "products have at most 16 columns, the limit's have 2048."
    )
    return lines, [note, reason]


if __name__ == "__main__":
    main(measure)
