"""Many models at once against one after another, and against JAX: time a model and epoch.

    pip install -r benchmarks/requirements.txt
    python benchmarks/many_seeds.py

Both sides train CircleModelV2 with the default recipe on the default data, full batch, and evaluate
on the train and the test set every 10 epochs. Each round times all of them in turn; the ratios are
medians over the rounds. Compiling JAX's function is not counted. Prints a Markdown table.
"""

import argparse
import statistics
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

import jax
import jax.numpy as jnp
import torch

from model import CircleModelV2
from support.ensemble import Ensemble
from support.many_seeds import markdown
from support.memory import keep_freed_memory
from train import Data, build, make_data, train

COMPILING = []  # seconds that torch.compile took

EPOCHS, RECORD_EVERY, LR, MOMENTUM = 300, 10, 0.1, 0.9


def no_bar(epochs, name):
    return range(1, epochs + 1)


def datasets(seeds):
    return [make_data(seed=seed) for seed in seeds]


def models(seeds):
    return [build(CircleModelV2, {"seed": seed}) for seed in seeds]


def one_by_one(count):
    """Return the seconds that `count` models take one after another, and their mean accuracy."""
    prepared = list(zip(models(range(count)), datasets(range(count)), range(count), strict=True))
    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # as train.py does: one model trains fastest on one
    start = time.perf_counter()
    accuracies = [
        train(model, data, epochs=EPOCHS, seed=seed, progress=no_bar)["test_acc"][-1]
        for model, data, seed in prepared
    ]
    seconds = time.perf_counter() - start
    torch.set_num_threads(threads)
    return seconds, statistics.mean(accuracies)


def together(count, chunk=50, compiled=False):
    """Return the same for ensembles of `chunk` models, put through `torch.compile` if asked for."""
    prepared = []
    for first in range(0, count, chunk):
        seeds = range(first, min(first + chunk, count))
        data = Data(*map(torch.stack, zip(*datasets(seeds), strict=True)))
        ensemble = Ensemble(models(seeds))
        if compiled:
            ensemble = torch.compile(ensemble)
            start = time.perf_counter()
            train(ensemble, data, epochs=RECORD_EVERY, seed=seeds, progress=no_bar)
            COMPILING.append(time.perf_counter() - start)
        prepared.append((ensemble, data, seeds))
    start, accuracies = time.perf_counter(), []
    for ensemble, data, seeds in prepared:
        history = train(ensemble, data, epochs=EPOCHS, seed=seeds, progress=no_bar)
        accuracies += history["test_acc"][-1]
    return time.perf_counter() - start, statistics.mean(accuracies)


def forward(parameters, x):
    for weight, bias in parameters[:-1]:
        x = jax.nn.relu(x @ weight.T + bias)
    weight, bias = parameters[-1]
    return x @ weight.T + bias


def figures(parameters, x, y):
    logits = forward(parameters, x)
    loss = jnp.mean(jnp.logaddexp(0, logits) - logits * y)
    return loss, jnp.mean((logits > 0) == (y > 0))


def jax_train(parameters, data):
    """Train one model as `train` does: a scan over records of a scan over epochs."""
    x_train, y_train, x_test, y_test = data
    gradient = jax.grad(lambda p: figures(p, x_train, y_train)[0])

    def epoch(state, _):
        parameters, velocity = state
        velocity = jax.tree.map(lambda v, g: MOMENTUM * v + g, velocity, gradient(parameters))
        return (jax.tree.map(lambda p, v: p - LR * v, parameters, velocity), velocity), None

    def record(state, _):
        state, _ = jax.lax.scan(epoch, state, length=RECORD_EVERY)
        return state, (figures(state[0], x_train, y_train), figures(state[0], x_test, y_test))

    state = parameters, jax.tree.map(jnp.zeros_like, parameters)
    _, history = jax.lax.scan(record, state, length=EPOCHS // RECORD_EVERY)
    return history


def jax_arrays(seeds):
    def layers(model):
        tensors = iter(model.parameters())
        return [(jnp.array(w.detach()), jnp.array(b.detach())) for w, b in zip(tensors, tensors)]

    stack = lambda *leaves: jnp.stack(leaves)  # noqa: E731
    parameters = jax.tree.map(stack, *map(layers, models(seeds)))
    return parameters, tuple(
        jnp.stack([jnp.array(d[i]) for d in datasets(seeds)]) for i in range(4)
    )


def jax_together(count, chunk):
    """Return the seconds of JAX's `vmap` over a jitted scan, compiled before, and the accuracy."""
    prepared = [jax_arrays(range(first, first + chunk)) for first in range(0, count, chunk)]
    compiled = jax.jit(jax.vmap(jax_train)).lower(*prepared[0]).compile()
    start = time.perf_counter()
    histories = [jax.block_until_ready(compiled(*arguments)) for arguments in prepared]
    seconds = time.perf_counter() - start
    return seconds, float(jnp.mean(jnp.concatenate([h[1][1][:, -1] for h in histories])))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--models", type=int, default=100)
    parser.add_argument("--rounds", type=int, default=5)
    args = parser.parse_args()
    keep_freed_memory()
    contenders = {
        "ours, one by one (10 of them)": (one_by_one, 10, ()),
        "ours, together in chunks of 50": (together, args.models, (50,)),
        "ours, together, torch.compile": (together, args.models, (50, True)),
        "JAX, all in one vmap": (jax_together, args.models, (args.models,)),
        "JAX, in chunks of 50": (jax_together, args.models, (50,)),
        "JAX, in chunks of 10": (jax_together, args.models, (10,)),
    }
    one_by_one(1)  # the first optimizer loads more of torch
    seconds = {name: [] for name in contenders}
    accuracy = {}
    for _ in range(args.rounds):
        for name, (run, count, more) in contenders.items():
            total, accuracy[name] = run(count, *more)
            seconds[name].append(total / count / EPOCHS)
    ours = seconds["ours, together in chunks of 50"]
    rows = [["", "µs a model and epoch", "its time / ours", "mean test accuracy"]]
    for name, values in seconds.items():
        ratio = statistics.median(a / b for a, b in zip(values, ours, strict=True))
        rows.append(
            [
                name,
                f"{statistics.median(values) * 1e6:.0f}",
                f"{ratio:.2f}",
                f"{accuracy[name]:.2%}",
            ]
        )
    print(markdown(rows))
    print(
        f"\n{args.models} models, {args.rounds} rounds, torch {torch.__version__} with "
        f"{torch.get_num_threads()} threads, jax {jax.__version__}. torch.compile took "
        f"{max(COMPILING):.0f} s, which isn't counted."
    )


if __name__ == "__main__":
    main()
