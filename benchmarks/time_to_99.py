"""Time to a test accuracy of 99 %: training alone, from the data in memory to the first record.

Round n has the data of seed n and, where the net is ours, its initial weights (scikit-learn draws
its own). Ours is `Training` at its defaults, which evaluates every 10 epochs; so do the peers, on
the test set alone. All stop at 99 %. The usual recipe of tutorials evaluates in every epoch.
PyTorch has one thread in all of them: at this size it is faster than two.
"""

import statistics
import time
from operator import attrgetter
from typing import NamedTuple

import jax
import torch
from sklearn.neural_network import MLPClassifier
from skorch.callbacks import Callback
from torch import nn
from torch.utils.data import DataLoader

from benchmarks import jax_peer
from benchmarks.measure import (
    EPOCHS,
    RECORD_EVERY,
    Line,
    against,
    duration,
    in_turns,
    main,
    ratios,
)
from benchmarks.peers import (
    LightningCircles,
    lightning_trainer,
    mlp_classifier,
    skorch_net,
)
from model import CircleModelV2
from train import Data, Training, make_data

GOAL = 0.99
PATIENCE = 3000  # epochs for the recipes that aren't ours


class Run(NamedTuple):
    """The seconds of a training, whether it reached the goal, its epochs, the time to compile."""

    seconds: float
    reached: bool
    epochs: int | None = None  # where they are counted
    compiling: float = 0.0


def ours(data: Data, seed: int) -> Run:
    start = time.perf_counter()
    training = Training(CircleModelV2().to(data.X_train.device), data, seed=seed)
    for _ in training:
        if max(training.history["test_acc"], default=0) >= GOAL:
            return Run(time.perf_counter() - start, True, training.epoch)
    return Run(time.perf_counter() - start, False, EPOCHS)


def usual_recipe(data: Data, seed: int) -> Run:
    """The loop as tutorials write it."""
    start = time.perf_counter()
    X_train, y_train, X_test, y_test = data[:4]
    model = nn.Sequential(
        nn.Linear(2, 10), nn.ReLU(), nn.Linear(10, 10), nn.ReLU(), nn.Linear(10, 1)
    ).to(X_train.device)
    loss_fn = nn.BCEWithLogitsLoss()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    for epoch in range(1, PATIENCE + 1):
        model.train()
        logits = model(X_train)
        loss = loss_fn(logits, y_train)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()

        model.eval()
        with torch.inference_mode():
            test_logits = model(X_test)
            loss_fn(test_logits, y_test)
            predictions = torch.round(torch.sigmoid(test_logits))
            test_accuracy = (predictions == y_test).sum().item() / len(y_test)
        if test_accuracy >= GOAL:
            return Run(time.perf_counter() - start, True, epoch)
    return Run(time.perf_counter() - start, False, PATIENCE)


def scikit_learn(classifier, data: Data) -> Run:
    X_train, y_train, X_test, y_test = (tensor.numpy() for tensor in data[:4])
    y_train, y_test = y_train.ravel(), y_test.ravel()
    start = time.perf_counter()
    for epoch in range(1, PATIENCE + 1):
        classifier.partial_fit(X_train, y_train, classes=[0, 1])
        if epoch % RECORD_EVERY == 0 and classifier.score(X_test, y_test) >= GOAL:
            return Run(time.perf_counter() - start, True)
    return Run(time.perf_counter() - start, False)


class StopAtGoal(Callback):
    """Score skorch's net on the test set every few epochs, and stop it at the goal."""

    def __init__(self, X, y):
        self.X, self.y = X, y
        self.reached = False

    def on_epoch_end(self, net, **kwargs):
        if len(net.history) % RECORD_EVERY == 0 and net.score(self.X, self.y) >= GOAL:
            self.reached = True
            raise KeyboardInterrupt  # skorch's way to end a training early


def skorch(data: Data, seed: int) -> Run:
    start = time.perf_counter()
    stop = StopAtGoal(data.X_test, data.y_test.ravel())
    skorch_net(EPOCHS, -1, [stop]).fit(data.X_train, data.y_train.ravel())
    return Run(time.perf_counter() - start, stop.reached)


def lightning(data: Data, seed: int) -> Run:
    start = time.perf_counter()
    trainer = lightning_trainer(EPOCHS)
    parts = ((data.X_train, data.y_train), (data.X_test, data.y_test))
    loaders = [DataLoader([part], batch_size=None) for part in parts]  # a part is a batch
    trainer.fit(LightningCircles(GOAL), *loaders)
    return Run(time.perf_counter() - start, trainer.should_stop)


def jax_optax(data: Data, seed: int) -> Run:
    weights = jax_peer.initial_weights(CircleModelV2())
    data = [tensor.numpy() for tensor in data[:4]]
    goal = GOAL * len(data[3])

    def train_and_test(state, X_train, y_train, X_test, y_test):
        state = jax_peer.train_to_record(state, X_train, y_train)
        return state, jax_peer.count_right(state[0], X_test, y_test)

    jax.clear_caches()
    start = time.perf_counter()
    state = jax.jit(jax_peer.start)(weights)
    train_and_test = jax.jit(train_and_test).lower(state, *data).compile()
    compiling = time.perf_counter() - start
    data = jax.device_put(data)
    for _ in range(EPOCHS // RECORD_EVERY):
        state, right = train_and_test(state, *data)
        if int(right) >= goal:
            return Run(time.perf_counter() - start, True, compiling=compiling)
    return Run(time.perf_counter() - start, False, compiling=compiling)


def same_net(data: Data, seed: int) -> Run:
    return scikit_learn(mlp_classifier(len(data.y_train), seed, shuffle=False), data)


def own_defaults(data: Data, seed: int) -> Run:
    return scikit_learn(MLPClassifier(random_state=seed), data)


USUAL_RECIPE = "the usual recipe (2-10-10-1, SGD 0.1, no momentum)"
PEERS = {  # with the package that each one is from
    USUAL_RECIPE: (usual_recipe, "torch"),
    "scikit-learn MLPClassifier, our net and recipe": (same_net, "scikit-learn"),
    "scikit-learn MLPClassifier, its defaults": (own_defaults, "scikit-learn"),
    "skorch, our net and recipe": (skorch, "skorch"),
    "Lightning (barebones), our net and recipe": (lightning, "lightning"),
    "JAX + optax, our net and recipe": (jax_optax, "jax"),
}


def mean_and_spread(runs: list[Run]) -> str:
    """Return the mean and standard deviation of the times as text, and how many runs failed."""
    seconds = [run.seconds for run in runs]
    text = duration(statistics.mean(seconds), statistics.stdev(seconds))
    failures = sum(not run.reached for run in runs)
    return text + (f", {failures} of {len(runs)} failed" if failures else "")


def race(contenders: dict[str, tuple], rounds: int) -> dict[str, list[Run]]:
    """Return the runs of contenders, each a function and the data for it by seed.

    Those of JAX come twice, with and without the time to compile.
    """

    def seeded(run, datasets):
        def contender(seed):
            torch.manual_seed(seed)
            return run(datasets[seed], seed)

        return contender

    runs = in_turns({name: seeded(*pair) for name, pair in contenders.items()}, rounds)
    (name,) = (name for name in runs if "JAX" in name)
    compiled = [run._replace(seconds=run.seconds - run.compiling) for run in runs[name]]
    runs[f"{name}, compiled before"] = compiled
    runs[f"{name}, compile time counted"] = runs.pop(name)
    return runs


def compare(runs: dict[str, list[Run]], **keywords) -> list[Line]:
    """Return a line for each peer, as `against` does."""
    value = attrgetter("seconds")
    return against("time to 99 %", runs, mean_and_spread, value=value, **keywords)


def measure(quick: bool) -> tuple[list[Line], list[str]]:
    torch.set_num_threads(1)
    datasets = [make_data(seed=seed) for seed in range(2 if quick else 15)]
    functions = {"ours": ours} | {name: run for name, (run, _) in PEERS.items()}
    runs = race({name: (run, datasets) for name, run in functions.items()}, len(datasets))

    def package(peer):
        return PEERS[peer.split(", compile")[0]][1]

    lines = compare(
        runs,
        goal=lambda peer: (
            15 if package(peer) == "torch" else None if "compiled before" in peer else 1
        ),
        packages=lambda peer: ("jax", "optax") if package(peer) == "jax" else (package(peer),),
    )
    note = (
        "Time to 99 % is given as mean ± standard deviation over the seeds. A run that failed "
        f"counts with the time of all its epochs ({EPOCHS}, or {PATIENCE} for the usual recipe and "
        "scikit-learn)."
    )
    mine, usual = runs["ours"], runs[USUAL_RECIPE]
    more_epochs = ratios([run.epochs for run in usual], [run.epochs for run in mine])
    epoch, usual_epoch = (
        statistics.median(run.seconds / run.epochs for run in several) for several in (mine, usual)
    )
    reason = (
        f"The usual recipe needs {statistics.median(more_epochs):.1f} times as many epochs as ours "
        f"(median over the seeds), of {duration(usual_epoch)} where ours take {duration(epoch)}. "
        "It evaluates the test set in every epoch; ours evaluates both sets in every tenth."
    )
    return lines, [note, reason]


if __name__ == "__main__":
    main(measure)
