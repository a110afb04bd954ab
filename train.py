"""Train a linear and a ReLU network on two concentric circles, and compare them.

python train.py                             # the defaults
python train.py --epochs 1000 --lr 0.05     # other settings: see python train.py --help
python train.py --animate                   # a film of the training, too
"""

import json
import math
import platform
import shutil
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import matplotlib
import numpy as np
import sklearn
import torch
from matplotlib.figure import Figure
from sklearn.datasets import make_circles
from sklearn.model_selection import train_test_split
from torch import nn
from tqdm import tqdm

from helper_functions import plot_decision_boundary, plot_loss_curves
from model import CircleModelV0, CircleModelV2, save_model
from support.animation import Film
from support.checks import check_settings
from support.command_line import CommandLine, keywords_of
from support.ensemble import Ensemble
from support.files import prepare_directory, save_figure, write_atomically
from support.many_seeds import (
    comparison_table,
    join,
    percent,
    plot_comparison,
    plot_seeds,
    seeds_table,
    summarize,
)
from support.memory import keep_freed_memory

# The data


class Data(NamedTuple):
    """Points of shape (n, 2) and labels of shape (n, 1), float32: 1 inside, 0 outside."""

    X_train: torch.Tensor
    y_train: torch.Tensor
    X_test: torch.Tensor
    y_test: torch.Tensor

    def to(self, device):
        return Data(*(tensor.to(device) for tensor in self))


def make_data(
    *,
    samples: int = 1000,
    noise: float = 0.03,
    factor: float = 0.8,
    test_size: float = 0.2,
    seed: int = 42,
) -> Data:
    """Make two noisy circles and split them into a train and a test set.

    The outer circle has radius 1, the inner one radius `factor`; `noise` is the standard deviation
    of the Gaussian added to each coordinate. The split keeps the two classes in equal parts.
    """
    check_settings(samples=samples, noise=noise, factor=factor, test_size=test_size, seed=seed)
    X, y = make_circles(n_samples=samples, noise=noise or None, factor=factor, random_state=seed)
    X_train, X_test, y_train, y_test = train_test_split(
        X, y.reshape(-1, 1), test_size=test_size, stratify=y, random_state=seed
    )
    return Data(*(torch.from_numpy(a).float() for a in (X_train, y_train, X_test, y_test)))


def best_possible_accuracy(noise: float, factor: float) -> float:
    """Return the accuracy, as a fraction, that no classifier can beat on average on the circles.

    A point of a circle with radius v, moved by Gaussian noise s in each coordinate, lies at a
    distance r from the center that follows the Rice distribution (S. O. Rice, "Mathematical
    Analysis of Random Noise", 1945, section 3.10): r/s^2 exp(-(r^2 + v^2) / 2s^2) I0(rv/s^2).
    The best classifier picks the likelier circle; it errs where the two densities overlap.
    """
    check_settings(noise=noise, factor=factor)
    low, high = max(0.0, 1 - 12 * noise), factor + 12 * noise  # past 12 s there is nothing
    if low >= high:
        return 1.0
    r = torch.linspace(low, high, 10_001, dtype=torch.float64)

    def density(v):
        scaled_bessel = torch.special.i0e(r * v / noise**2)  # I0(x) exp(-x): doesn't overflow
        return r / noise**2 * torch.exp(-((r - v) ** 2) / (2 * noise**2)) * scaled_bessel

    overlap = torch.trapezoid(torch.minimum(density(1.0), density(factor)), r)
    return 1 - overlap.item() / 2


# Training and evaluation


def evaluate(model, X, y, *, batch_size=None, training=False):
    """Return a model's mean loss and accuracy (a fraction) on points X (n, 2) and labels y (n, 1).

    `training=True` evaluates in train mode, as if `model.eval()` had been forgotten: it then draws
    random numbers for Dropout and moves BatchNorm's running statistics. For an ensemble, with X of
    shape (models, n, 2), both are lists with a value for each model.
    """
    was_training = model.training
    model.train(training)  # model.eval(), unless the mistake is wanted
    with torch.inference_mode():
        logits = torch.cat([model(part) for part in cut(X, batch_size)], dim=-2)
        losses = nn.functional.binary_cross_entropy_with_logits(logits, y, reduction="none")
        predictions = logits > 0  # the same as torch.sigmoid(logits) > 0.5
        right = (predictions == y.bool()).double()
    model.train(was_training)
    return losses.mean(dim=(-2, -1)).tolist(), right.mean(dim=(-2, -1)).tolist()


def cut(points, batch_size):
    """Cut points (..., n, 2) into batches of at most `batch_size`, whose sizes differ by one."""
    n = points.shape[-2]
    return points.tensor_split(math.ceil(n / min(batch_size or n, n)), dim=-2)


def shuffled_batches(X, y, batch_size, generators):
    """Yield all points and labels once, in a new random order, at most `batch_size` at a time.

    Each model has a generator, so one for a single model. To permute a tensor and cut it into views
    is several times faster than a DataLoader, which fetches and stacks the points one by one.
    """
    n = X.shape[-2]
    if batch_size is not None and batch_size < n:
        orders = torch.stack([torch.randperm(n, generator=generator) for generator in generators])
        order = orders.reshape(y.shape).to(X.device)
        X, y = X.take_along_dim(order, dim=-2), y.take_along_dim(order, dim=-2)
    return zip(cut(X, batch_size), cut(y, batch_size), strict=True)


def progress_bar(epochs, name):
    """Return the epochs from 1 on, with a bar where the output is a terminal."""
    return tqdm(range(1, epochs + 1), name, unit="epoch", disable=None)


def train(
    model: nn.Module,
    data: Data,
    *,
    epochs: int = 300,
    lr: float = 0.1,
    momentum: float = 0.9,
    weight_decay: float = 0.0,
    batch_size: int | None = None,
    seed: int | Sequence[int] = 42,
    record_every: int = 10,
    progress=progress_bar,
    on_epoch=None,
) -> dict[str, list]:
    """Train a model in place with stochastic gradient descent and return its history.

    `batch_size` None is the full batch; `seed` sets the order of the batches (an ensemble has a
    seed for each model). The history has the keys epoch, train_loss, test_loss, train_acc and
    test_acc (fractions), with an entry every `record_every` epochs and one at the last. Raises a
    FloatingPointError if the loss is no longer finite (an ensemble trains on: the others may be).
    `on_epoch` is a function that is called with the number of each epoch when it is over, and
    with 0 before the first.
    """
    seeds = seed if isinstance(seed, Sequence) else [seed]
    check_settings(epochs=epochs, lr=lr, momentum=momentum, weight_decay=weight_decay)
    check_settings(batch_size=batch_size, seed=min(seeds), record_every=record_every)
    loss_fn = nn.BCEWithLogitsLoss()
    optimizer = torch.optim.SGD(
        model.parameters(), lr=lr, momentum=momentum, weight_decay=weight_decay
    )
    generators = [torch.Generator().manual_seed(seed) for seed in seeds]
    history = {key: [] for key in ("epoch", "train_loss", "test_loss", "train_acc", "test_acc")}

    if on_epoch is not None:
        on_epoch(0)
    for epoch in progress(epochs, type(model).__name__):
        model.train()
        for X, y in shuffled_batches(data.X_train, data.y_train, batch_size, generators):
            logits = model(X)
            loss = loss_fn(logits, y)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()

        if epoch % record_every == 0 or epoch == epochs:
            train_loss, train_acc = evaluate(model, data.X_train, data.y_train)
            test_loss, test_acc = evaluate(model, data.X_test, data.y_test)
            entry = (epoch, train_loss, test_loss, train_acc, test_acc)
            for values, value in zip(history.values(), entry, strict=True):
                values.append(value)
            one_model = isinstance(train_loss, float)  # of many, some may overflow
            if one_model and not math.isfinite(train_loss + test_loss):
                raise FloatingPointError(
                    f"The loss of {type(model).__name__} must be finite; by epoch {epoch} it was "
                    f"{train_loss}. Try a smaller lr, momentum or weight_decay than {lr}, "
                    f"{momentum} and {weight_decay}."
                )
        if on_epoch is not None:
            on_epoch(epoch)
    return history


# Comparing the two models


def resolve_device(name: str) -> torch.device:
    """Return the device that `auto`, `cpu` or `cuda` means here; auto is CUDA if there is one."""
    found = torch.accelerator.current_accelerator(check_available=True)
    has_cuda = found is not None and found.type == "cuda"
    if name == "cuda" and not has_cuda:
        raise ValueError("device must be one that this machine has; got 'cuda', and there is none.")
    return torch.device("cuda" if has_cuda and name != "cpu" else "cpu")


MODEL_FILES = {CircleModelV0: "circle_model_v0.pth", CircleModelV2: "circle_model_v2.pth"}
FILM_FILES = ("training.gif", "training.html")


class Result(NamedTuple):
    """A trained model, its history, and the seconds that its training took."""

    model: nn.Module
    history: dict[str, list]
    seconds: float

    @property
    def name(self):
        return type(self.model).__name__

    def summary(self) -> dict:
        return {
            "parameters": sum(parameter.numel() for parameter in self.model.parameters()),
            "train_accuracy": self.history["train_acc"][-1],
            "test_accuracy": self.history["test_acc"][-1],
            "seconds": self.seconds,
        }


def build(model_class: type, settings: dict) -> nn.Module:
    """Return a model on the CPU, with the initial weights that belong to the settings' seed."""
    torch.manual_seed(settings["seed"])
    return model_class(**keywords_of(model_class, settings))


def compare_models(data: Data, settings: dict, film: Film | None = None) -> list[Result]:
    """Train both models from the same initial weights, on the same batches; return both results.

    A `film` takes snapshots on the way.
    """
    torch.optim.SGD([torch.zeros(1)])  # the first optimizer loads more of torch: not training time
    results = []
    for model_class in MODEL_FILES:
        model = build(model_class, settings).to(data.X_train.device)
        start = time.perf_counter()
        on_epoch = film.watch(model) if film else None
        history = train(model, data, on_epoch=on_epoch, **keywords_of(train, settings))
        results.append(Result(model, history, time.perf_counter() - start))
    return results


# Many models at once


def train_many(classes, settings, seeds, device, bar, compiled=False) -> dict[str, dict]:
    """Train a model of each class for each seed, on data of the seed's own; return the histories.

    An entry of a history is a list with a value for each seed. One more key, train_mode_acc, has
    the final test accuracies with `model.eval()` forgotten.
    """
    histories = {model_class.__name__: [] for model_class in classes}

    def progress(epochs, name):
        for epoch in range(1, epochs + 1):
            yield epoch
            bar.update(len(chunk))

    for start in range(0, len(seeds), 50):  # fifty at a time: more don't fit the cache
        chunk = seeds[start : start + 50]
        each = [settings | {"seed": seed} for seed in chunk]
        datasets = [make_data(**keywords_of(make_data, one)) for one in each]
        data = Data(*map(torch.stack, zip(*datasets, strict=True))).to(device)
        for model_class in classes:
            ensemble = Ensemble([build(model_class, one) for one in each]).to(device)
            ensemble = torch.compile(ensemble) if compiled else ensemble
            several = keywords_of(train, settings | {"seed": chunk})
            history = train(ensemble, data, **several, progress=progress)
            batch_size = settings["batch_size"]
            _, accuracy = evaluate(
                ensemble, data.X_test, data.y_test, batch_size=batch_size, training=True
            )
            histories[model_class.__name__].append(history | {"train_mode_acc": [accuracy]})
    return {name: join(parts) for name, parts in histories.items()}


# Pictures and tables


def plot_boundaries(results: list[Result], data: Data) -> Figure:
    """Return a figure with a row for each model: its boundary among the train and test points."""
    figure = Figure(figsize=(9.4, 9))
    figure.subplots_adjust(left=0.06, right=0.88, bottom=0.09, top=0.96, wspace=0.06, hspace=0.12)
    panels = figure.subplots(len(results), 2, sharex=True, sharey=True)
    for result, (left, right) in zip(results, panels, strict=True):
        accuracy = result.summary()
        for ax, part, X, y in (
            (left, "train", data.X_train, data.y_train),
            (right, "test", data.X_test, data.y_test),
        ):
            title = f"{result.name}, {part}: {percent(accuracy[f'{part}_accuracy'])} right"
            plot_decision_boundary(result.model, X, y, ax=ax, title=title, legend=False)
            ax.set_aspect("equal")
            ax.locator_params(nbins=5)
    figure.legend(*panels[0, 0].get_legend_handles_labels(), loc="lower center", ncols=2)
    scale = figure.add_axes((0.91, 0.3, 0.02, 0.45))
    figure.colorbar(panels[0, 0].images[0], cax=scale, label="probability of class 1")
    return figure


def plot_losses(results: list[Result]) -> Figure:
    """Return a figure with a row for each model: its losses and its accuracies."""
    figure = Figure(figsize=(10, 6.5))
    figure.subplots_adjust(left=0.07, right=0.98, bottom=0.08, top=0.95, hspace=0.28)
    panels = figure.subplots(len(results), 2, sharex=True, sharey="col")
    for result, row in zip(results, panels, strict=True):
        plot_loss_curves(result.history, axes=row)
        row[0].set_title(f"{result.name}: loss")
        row[1].set_title(f"{result.name}: accuracy")
    return figure


def animate_training(film: Film, data: Data, out: Path | str, *, seconds: float = 0.1) -> None:
    """Write a film of models side by side as training.gif and training.html to a directory.

    film: what `Film.watch` saw of one or more models, each of them trained to the end.
    data: what they were trained on; the boundaries are drawn among its training points.
    seconds: from one frame to the next.

    A ValueError tells of a film that saw no model, or one whose training stopped short.
    """

    def look(model, panel):
        loss, accuracy = evaluate(model, data.X_train, data.y_train)
        title = f"{type(model).__name__}: {percent(accuracy, digits=1)} right"
        plot_decision_boundary(
            model,
            data.X_train,
            data.y_train,
            ax=panel,
            title=title,
            grid_resolution=201,
            legend=False,
        )
        return loss

    gif, page = film.develop(look, seconds)
    write_atomically(Path(out) / "training.gif", gif)
    write_atomically(Path(out) / "training.html", page)


def table(results: list[Result], best: float) -> str:
    """Return the results as text, above the best accuracy that is possible on average."""
    lines = ["model          parameters  train accuracy  test accuracy    time"]
    for result in results:
        parameters, train_accuracy, test_accuracy, seconds = result.summary().values()
        lines.append(
            f"{result.name:<13}{parameters:>12}{percent(train_accuracy):>16}{percent(test_accuracy):>15}"
            f"{seconds:>6.2f} s"
        )
    lines.append(f"{'best possible on average':<41}{percent(best, digits=3):>15}")
    return "\n".join(lines)


# The command line


HELP = {
    "samples": "points to make",
    "noise": "standard deviation of the noise on each coordinate",
    "factor": "radius of the inner circle; the outer one's is 1",
    "test_size": "share of the points to test on",
    "seed": "of the data, the split, the weights and the batches",
    "hidden_units": "units in each hidden layer",
    "dropout": "probability that a hidden unit of CircleModelV2 is zeroed",
    "batch_norm": "normalize the hidden layers of CircleModelV2",
    "epochs": "passes over the training set",
    "lr": "learning rate",
    "momentum": "momentum of SGD",
    "weight_decay": "weight decay of SGD",
    "batch_size": "points in a batch at most (default: all)",
    "record_every": "epochs from one entry of the history to the next",
}


def run_once(settings: dict, device: torch.device, out: Path, animate: bool = False) -> None:
    """Train one model of each kind; write the models, pictures and figures; print the table."""
    if settings["samples"] * settings["hidden_units"] < 10**6:
        torch.set_num_threads(1)  # so little work is done sooner by one thread than by several
    data = make_data(**keywords_of(make_data, settings)).to(device)
    best = best_possible_accuracy(settings["noise"], settings["factor"])
    film = Film(settings["epochs"]) if animate else None
    results = compare_models(data, settings, film)
    for result in results:
        save_model(result.model, out / MODEL_FILES[type(result.model)], settings)
    save_figure(plot_boundaries(results, data), out / "decision_boundary.png")
    save_figure(plot_losses(results), out / "loss_curves.png")
    models = {result.name: result.summary() | {"history": result.history} for result in results}
    write_metrics(out, settings, device, {"best_possible_accuracy": best, "models": models})
    if film:
        animate_training(film, data, out)
    print(f"{len(data.y_train)} points to train on, {len(data.y_test)} to test on, on {device}.\n")
    print(table(results, best))


def run_many(settings, seeds, compared, values, device, out, compiled=False) -> None:
    """Train both models for many seeds, at each value of a compared setting if there is one."""
    runs = {value: settings | {compared: value} for value in values} if compared else {"": settings}
    for_relu_alone = compared and (settings["dropout"] or settings["batch_norm"])
    if for_relu_alone or compared in ("dropout", "batch_norm"):
        classes = [CircleModelV2]  # the linear model has neither
    else:
        classes = list(MODEL_FILES)
    keep_freed_memory()
    histories, summaries = {}, {}
    total = len(seeds) * len(classes) * sum(run["epochs"] for run in runs.values())
    with tqdm(total=total, unit=" epochs", unit_scale=True, disable=None) as bar:
        for value, run in runs.items():
            best = best_possible_accuracy(run["noise"], run["factor"])
            for name, history in train_many(classes, run, seeds, device, bar, compiled).items():
                histories[value, name] = history
                summaries[value, name] = summarize(history, best)
    print(f"{len(seeds)} seeds, {seeds[0]} to {seeds[-1]}, on {device}.")
    if compared not in ("noise", "factor"):  # each value of those has a best of its own
        print(f"Best possible on average: {percent(best, digits=3)}.")
    print()
    if compared:
        save_figure(plot_comparison(compared, summaries), out / "comparison.png")
        print(comparison_table(compared, summaries))
    else:
        by_name = {name: history for (_, name), history in histories.items()}
        save_figure(plot_seeds(by_name, best), out / "seeds.png")
        print(seeds_table({name: s for (_, name), s in summaries.items()}, best))
    figures = [{"value": value, "model": name} | s for (value, name), s in summaries.items()]
    write_metrics(out, settings, device, {"compared": compared, "figures": figures})


def write_metrics(out: Path, settings: dict, device, figures: dict) -> None:
    """Write the settings, the versions and the figures of a run to metrics.json."""
    packages = {"torch": torch, "scikit-learn": sklearn, "numpy": np, "matplotlib": matplotlib}
    versions = {name: package.__version__ for name, package in packages.items()}
    versions["python"] = platform.python_version()
    machine = {"device": str(device), "threads": torch.get_num_threads(), "versions": versions}
    metrics = {"settings": settings} | machine | figures
    write_atomically(out / "metrics.json", json.dumps(metrics, indent=2).encode())


def main(argv: list[str] | None = None) -> None:
    """Train, compare, save and plot, as the command line asks."""
    parser = CommandLine(description=__doc__)
    parser.add_keywords(make_data, CircleModelV2, train, help=HELP)
    parser.add_argument("--device", choices=("auto", "cpu", "cuda"), default="auto")
    parser.add_argument(
        "--out", type=Path, default="outputs", help="directory to write to (default: outputs)"
    )
    parser.add_argument(
        "--animate", action="store_true", help=f"write a film, too: {' and '.join(FILM_FILES)}"
    )
    parser.add_argument(
        "--seeds", type=int, metavar="N", help="train N models of each kind, from --seed on"
    )
    parser.add_argument(
        "--compare", metavar="SETTING=VALUE,...", help="do so at each value (default: 100 seeds)"
    )
    parser.add_argument(
        "--compile", action="store_true", help="compile the models' step first, for very many seeds"
    )
    args = parser.parse_args(argv)
    settings = {name: getattr(args, name) for name in HELP}
    with parser.one_sentence_errors():
        check_settings(**settings)
        device = resolve_device(args.device)
        if args.compile and args.seeds is None and args.compare is None:
            raise ValueError("compile is for many models; it goes with seeds or compare.")
        if args.compile and not any(map(shutil.which, ("g++", "clang++", "cl"))):
            raise ValueError("compile needs a C++ compiler, and none was found.")
        if args.seeds is None and args.compare is None:
            files = (*MODEL_FILES.values(), "decision_boundary.png", "loss_curves.png")
            files += FILM_FILES if args.animate else ()
            prepare_directory(args.out, (*files, "metrics.json"))
            run_once(settings, device, args.out, animate=args.animate)
        elif args.animate:
            raise ValueError("animate shows one training; it can't go with seeds or compare.")
        else:
            compared, values = parser.parse_comparison(args.compare, settings)
            for value in values:
                check_settings(**settings | {compared: value})
            count = 100 if args.seeds is None else args.seeds
            check_settings(seed=args.seed, seeds=count)
            seeds = range(args.seed, args.seed + count)
            files = ("comparison.png" if compared else "seeds.png",)
            prepare_directory(args.out, (*files, "metrics.json"))
            run_many(settings, seeds, compared, values, device, args.out, args.compile)
        print(f"\nIn {args.out}: {', '.join(files)} and metrics.json.")


if __name__ == "__main__":
    main()
