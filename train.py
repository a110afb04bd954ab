"""Train a linear and a ReLU network on two concentric circles, and compare them.

python train.py                             # the defaults
python train.py --epochs 1000 --lr 0.05     # other settings: see python train.py --help
python train.py --data spirals --classes 3  # other data, or a CSV file of your own
python train.py --animate                   # a film of the training, too
python train.py --resume                    # go on with a run that was stopped
"""

if __name__ == "__main__":
    import support.program  # noqa: F401 - Ctrl-C ends it with a sentence, even while it loads

import gc
import math
import os
import shutil
import sys
import time
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import NamedTuple

import torch
from matplotlib import rc_context
from matplotlib.figure import Figure
from torch import nn
from tqdm import tqdm

from helper_functions import plot_decision_boundary, plot_loss_curves
from model import CircleModelV0, CircleModelV2, save_model, widths_of
from support import datasets
from support.animation import Film
from support.best_possible import best_possible_accuracy
from support.checkpoints import Checkpoint, stored_command
from support.checks import check_labels, check_settings, check_split
from support.command_line import CommandLine, keywords_of
from support.csv_file import is_csv, mean_and_std, read_csv
from support.files import prepare_directory, save_figure, write_atomically
from support.modes import in_mode
from support.processes import (
    ALONE,
    Processes,
    Share,
    is_first,
    joined,
    own_part,
    sum_over_processes,
)
from support.reports import datasets_table, results_table, write_metrics
from support.study import Study, compile_mode
from support.text import listed, percent

# The data

# The settings of each data set, with their defaults; what training needs otherwise than the circles
# stands here, too. `--help` shows this table.
DATASETS = {
    "circles": dict(samples=1000, noise=0.03, factor=0.8),
    "moons": dict(samples=1000, noise=0.1),
    "xor": dict(samples=1000, noise=0.3),
    "gaussians": dict(samples=1000, noise=0.4),
    "spirals": dict(samples=1000, noise=0.03, classes=2, hidden_units=32, epochs=600),
    "blobs": dict(samples=1000, noise=0.25, classes=3),
    "PATH.csv": dict(features=None, label=None),
}


class Data(NamedTuple):
    """Points of shape (n, 2), float32, and their labels of shape (n, 1).

    Labels of two classes are float32 zeros and ones, for BCEWithLogitsLoss; labels of more classes
    are int64, from 0 on, for CrossEntropyLoss.
    """

    X_train: torch.Tensor
    y_train: torch.Tensor
    X_test: torch.Tensor
    y_test: torch.Tensor
    class_names: tuple[str, ...] = ("class 0", "class 1")
    feature_names: tuple[str, str] | None = None  # of a file's columns
    standardize: tuple | None = None  # mean and standard deviation of the training points, then
    share: Share | None = None  # of all training points, where several processes have theirs

    def map(self, function) -> "Data":
        """Return the data with a function applied to each of the four tensors."""
        return Data(*map(function, self[:4]), *self[4:])

    def to(self, device) -> "Data":
        return self.map(lambda tensor: tensor.to(device))

    @staticmethod
    def stack(datasets: list["Data"]) -> "Data":
        """Return the data of several models as one, with a leading dimension of models."""
        tensors = zip(*(data[:4] for data in datasets), strict=True)
        return Data(*map(torch.stack, tensors), *datasets[0][4:])


def make_data(
    *,
    data: str = "circles",
    samples: int | None = None,
    noise: float | None = None,
    factor: float | None = None,
    classes: int | None = None,
    features: str | None = None,
    label: str | None = None,
    test_size: float = 0.2,
    seed: int = 42,
    processes: Processes = ALONE,
) -> Data:
    """Make one of `DATASETS`, or read a CSV file, and split it into a train and a test set.

    None stands for the data set's own default. The outer circle has radius 1, the inner one radius
    `factor`, and is class 1; `noise` is the standard deviation of the Gaussian added to each
    coordinate. The split keeps the classes in equal parts. Where several `processes` train, each
    holds a share. Raises a ValueError for a setting that the data set doesn't have, and for a file
    as `support.csv_file.read_csv` does.
    """
    given = dict(samples=samples, noise=noise, factor=factor, classes=classes)
    own = fill_in(dict(data=data, features=features, label=label) | given)
    check_settings(**own, test_size=test_size, seed=seed)
    if is_csv(data):
        X, y, class_names, feature_names = read_csv(data, own["features"], own["label"])
        check_split(len(y), len(class_names), test_size)
        make, sizes = lambda samples, seed: (X, y), [len(y)]
    else:
        class_names = tuple(f"class {number}" for number in range(own.get("classes", 2)))
        feature_names = None
        generate = getattr(datasets, data)
        make = partial(generate, **keywords_of(generate, own))
        sizes = datasets.block_sizes(own["samples"])
    arrays, share = datasets.split(make, sizes, test_size, seed, processes)
    X_train, y_train, X_test, y_test = map(torch.from_numpy, arrays)
    label_type = torch.float32 if len(class_names) == 2 else torch.int64
    return Data(
        X_train,
        y_train.to(label_type),
        X_test,
        y_test.to(label_type),
        class_names,
        feature_names,
        mean_and_std(arrays[0], feature_names, processes) if feature_names else None,
        share,
    )


def fill_in(settings: dict) -> dict:
    """Return settings with the data set's own in the place of what is missing or None."""
    check_settings(data=settings["data"])
    data = "PATH.csv" if is_csv(settings["data"]) else settings["data"]
    given = {name: value for name, value in settings.items() if value is not None}
    for name in given.keys() & {"samples", "noise", "factor", "classes", "features", "label"}:
        if name not in DATASETS[data]:
            names = ", ".join(DATASETS[data])
            raise ValueError(
                f"{name} is no setting of {data}, which has {names}; got {given[name]!r}."
            )
    return DATASETS[data] | given


# Training and evaluation


def loss_function(y, reduction="mean"):
    """Return the loss of logits that goes with labels y, by which `Data` tells the cases apart."""
    if y.is_floating_point():  # two classes, one logit: the loss puts a sigmoid on it
        return nn.BCEWithLogitsLoss(reduction=reduction)
    cross_entropy = nn.CrossEntropyLoss(reduction=reduction)  # a logit a class, and softmax on them
    return lambda logits, y: cross_entropy(logits.flatten(0, -2), y.flatten())


def predict(logits):
    """Return the likeliest class of logits (n, 1) of two classes, or (n, k), in shape (n, 1)."""
    if logits.shape[-1] == 1:
        return logits > 0  # the same as torch.sigmoid(logits) > 0.5
    return logits.argmax(dim=-1, keepdim=True)  # as softmax keeps the order


def evaluate(model, X, y, *, batch_size=None, training=False):
    """Return a model's mean loss and accuracy (a fraction) on points X (n, 2) and labels y (n, 1).

    `training=True` evaluates in train mode, as if `model.eval()` had been forgotten: it then draws
    random numbers for Dropout and moves BatchNorm's running statistics. For an ensemble, with X of
    shape (models, n, 2), both are lists with a value for each model.
    """
    if batch_size is None and not training:
        batch_size = 100_000  # the result is the same, and memory stays small
    loss_fn, total_loss, right = loss_function(y, reduction="none"), 0, 0
    with in_mode(model, training=training), torch.inference_mode():  # model.eval() for a while
        for points, labels in zip(cut(X, batch_size), cut(y, batch_size), strict=True):
            logits = model(points)
            check_labels(labels, max(2, logits.shape[-1]))
            losses = loss_fn(logits, labels).reshape(labels.shape)
            total_loss = total_loss + losses.double().sum(dim=(-2, -1))
            right = right + (predict(logits) == labels).double().sum(dim=(-2, -1))
        count = torch.full_like(right, y.shape[-2])
        total_loss, right, count = sum_over_processes(
            model, torch.stack([total_loss, right, count])
        )
    return (total_loss / count).tolist(), (right / count).tolist()


def cut(points, batch_size):
    """Cut points (..., n, 2) into batches of at most `batch_size`, whose sizes differ by one."""
    n = points.shape[-2]
    return points.tensor_split(math.ceil(n / min(batch_size or n, n)), dim=-2)


def shuffled_batches(X, y, batch_size, generators, share=None):
    """Yield all points and labels once, in a new random order, at most `batch_size` at a time.

    Each model has a generator, so one for a single model. To pick many points out of a tensor is
    several times faster than a DataLoader, which fetches and stacks them one by one. A process that
    holds a `share` of the points yields those of each batch that it has.
    """
    total = share.total if share else X.shape[-2]
    if batch_size is None or batch_size >= total:
        yield X, y
        return
    batches = math.ceil(total / batch_size)
    orders = [torch.randperm(total, generator=generator) for generator in generators]
    if X.shape[-2] < total:
        order, batches = own_part(orders[0], batches, share)
    else:
        order = torch.stack(orders)
    parts = order.reshape(y.shape).to(X.device, non_blocking=True).tensor_split(batches, dim=-2)
    for first in range(0, len(parts), 8):  # picking eight batches at once is faster
        some = parts[first : first + 8]
        rows, sizes = torch.cat(some, dim=-2), [part.shape[-2] for part in some]
        points = X.gather(-2, rows.expand(*rows.shape[:-1], X.shape[-1]))
        yield from zip(points.split(sizes, -2), y.gather(-2, rows).split(sizes, -2), strict=True)


def progress_bar(epochs: range, name):
    """Return the epochs that are left, with a bar where the output is a terminal."""
    bar = dict(initial=epochs.start - 1, total=epochs.stop - 1, unit="epoch")
    return tqdm(epochs, name, **bar, disable=None if is_first() else True)


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
    checkpoint=None,
) -> dict[str, list]:
    """Train a model in place with stochastic gradient descent and return its history.

    `batch_size` None is the full batch; `seed` sets the order of the batches (an ensemble has a
    seed for each model). The history has the keys epoch, train_loss, test_loss, train_acc and
    test_acc (fractions), with an entry every `record_every` epochs and one at the last. Raises a
    FloatingPointError if the loss is no longer finite (an ensemble trains on: the others may be),
    and a ValueError for labels that are none of the data's classes. `on_epoch` is a function that
    is called with the number of each epoch when it is over, and with 0 before the first.
    `checkpoint`, one of support.checkpoints, saves the training now and then, and goes on with one
    that was stopped.
    """
    seeds = seed if isinstance(seed, Sequence) else [seed]
    check_settings(epochs=epochs, lr=lr, momentum=momentum, weight_decay=weight_decay)
    check_settings(batch_size=batch_size, seed=min(seeds), record_every=record_every)
    for labels in (data.y_train, data.y_test):
        check_labels(labels, len(data.class_names))
    loss_fn = loss_function(data.y_train)
    optimizer = torch.optim.SGD(
        model.parameters(), lr=lr, momentum=momentum, weight_decay=weight_decay, fused=True
    )
    generators = [torch.Generator().manual_seed(seed) for seed in seeds]
    name = type(getattr(model, "module", model)).__name__  # several processes train a wrapped one
    history = {key: [] for key in ("epoch", "train_loss", "test_loss", "train_acc", "test_acc")}
    batches = partial(
        shuffled_batches, data.X_train, data.y_train, batch_size, generators, data.share
    )
    first_epoch = 1

    if on_epoch is not None:
        on_epoch(0)
    if checkpoint is not None:
        first_epoch, batches = checkpoint.follow(
            batches, data, model, optimizer, generators, history, on_epoch, epochs
        )
    for epoch in progress(range(first_epoch, epochs + 1), name):
        model.train()
        for X, y in batches():
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
                    f"The loss of {name} must be finite; by epoch {epoch} it was "
                    f"{train_loss}. Try a smaller lr, momentum or weight_decay than {lr}, "
                    f"{momentum} and {weight_decay}."
                )
        if on_epoch is not None:
            on_epoch(epoch)
    if checkpoint is not None:
        checkpoint.finish()
    return history


# Comparing the two models


def resolve_device(name: str) -> torch.device:
    """Return the device that `auto`, `cpu` or `cuda` means here; auto is CUDA if there is one."""
    found = torch.accelerator.current_accelerator(check_available=True)
    has_cuda = found is not None and found.type == "cuda"
    if name == "cuda" and not has_cuda:
        raise ValueError("device must be one that this machine has; got 'cuda', and there is none.")
    return torch.device("cuda" if has_cuda and name != "cpu" else "cpu")


MODEL_FILES = {
    CircleModelV0: "circle_model_v0.safetensors",
    CircleModelV2: "circle_model_v2.safetensors",
}
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


def build(model_class: type, settings: dict, data: Data | None = None) -> nn.Module:
    """Return a model on the CPU, with the initial weights that belong to the settings' seed.

    It has an output for each class of the data; without any, the one output of two classes.
    """
    torch.manual_seed(settings["seed"])
    arguments = keywords_of(model_class, settings)
    if data is not None:
        classes = len(data.class_names)
        arguments |= dict(out_features=1 if classes == 2 else classes, standardize=data.standardize)
    return model_class(**arguments)


def is_small(data: Data, settings: dict) -> bool:
    """Whether training is so little work that one thread does it sooner than several."""
    return len(data.y_train) * sum(widths_of(settings["hidden_units"])) < 2 * 10**6


def compare_models(
    data: Data,
    settings: dict,
    film: Film | None = None,
    compiled: bool = False,
    processes: Processes = ALONE,
    checkpoint: Checkpoint | None = None,
) -> list[Result]:
    """Train both models from the same initial weights, on the same batches; return both results.

    A `film` takes snapshots on the way; `compiled` models go through torch.compile; a `checkpoint`
    is as for `train`.
    """
    torch.optim.SGD([torch.zeros(1)])  # the first optimizer loads more of torch: not training time
    results = []
    for model_class in MODEL_FILES:
        model = build(model_class, settings, data).to(data.X_train.device)
        if compiled:
            model.compile(mode=compile_mode(data.X_train.device))
        start = time.perf_counter()
        on_epoch = film.watch(model) if film else None
        together = processes.distribute(model)
        keywords = keywords_of(train, settings)
        history = train(together, data, on_epoch=on_epoch, checkpoint=checkpoint, **keywords)
        seconds = time.perf_counter() - start + (checkpoint.seconds if checkpoint else 0)
        results.append(Result(model, history, seconds))
    return results


study = Study(make_data, build, train, evaluate)
train_many = study.train_many  # of each model, as many as there are seeds


# Pictures


def plot_boundaries(results: list[Result], data: Data) -> Figure:
    """Return a figure with a row for each model: its boundary among the train and test points."""
    figure = Figure(figsize=(9.4, 9))
    figure.subplots_adjust(left=0.08, right=0.89, bottom=0.09, top=0.96, wspace=0.06, hspace=0.12)
    panels = figure.subplots(len(results), 2, sharex=True, sharey=True)
    for result, (left, right) in zip(results, panels, strict=True):
        accuracy = result.summary()
        for ax, part, X, y in (
            (left, "train", data.X_train, data.y_train),
            (right, "test", data.X_test, data.y_test),
        ):
            title = f"{result.name}, {part}: {percent(accuracy[f'{part}_accuracy'])} right"
            plot_points_and_boundary(result.model, X, y, data, ax, title=title)
    handles, labels = panels[0, 0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="lower center", ncols=min(len(labels), 6))
    if len(data.class_names) == 2:
        scale = figure.add_axes((0.915, 0.3, 0.02, 0.45))
        label = f"probability of {data.class_names[1]}"
        figure.colorbar(panels[0, 0].images[0], cax=scale, label=label)
    return figure


def plot_points_and_boundary(model, X, y, data: Data, ax, **options) -> None:
    """Draw a model's boundary among points X (n, 2), with the range and the names of the data."""
    low, high = torch.cat([data.X_train, data.X_test]).cpu().aminmax(dim=0)
    margin = 0.05 * (high - low)
    xlim, ylim = torch.stack([low - margin, high + margin], dim=1).tolist()
    options = dict(xlim=xlim, ylim=ylim, class_names=data.class_names, legend=False) | options
    plot_decision_boundary(model, X, y, ax=ax, **options)
    ax.locator_params(nbins=5)
    if data.feature_names is None:
        ax.set_aspect("equal")
    else:  # in units of their own
        ax.set(xlabel=data.feature_names[0], ylabel=data.feature_names[1])
        ax.label_outer()


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
        plot_points_and_boundary(
            model, data.X_train, data.y_train, data, panel, title=title, grid_resolution=201
        )
        return loss

    gif, page = film.develop(look, seconds)
    write_atomically(Path(out) / "training.gif", gif)
    write_atomically(Path(out) / "training.html", page)


# The command line


HELP = {
    "data": "one of the data sets below, or the path of a CSV file",
    "samples": "points to make",
    "noise": "standard deviation of the noise on each coordinate",
    "factor": "radius of the inner circle; the outer one's is 1",
    "classes": "number of classes",
    "features": "names of the two feature columns, as x1,x2 (default: the first two)",
    "label": "name of the label column (default: the last)",
    "test_size": "share of the points to test on",
    "seed": "of the data, the split, the weights and the batches",
    "hidden_units": "units in each of two hidden layers, or 8x8x4: units of each of three",
    "activation": "activation function of CircleModelV2",
    "dropout": "probability that a hidden unit of CircleModelV2 is zeroed",
    "batch_norm": "normalize the hidden layers of CircleModelV2",
    "epochs": "passes over the training set",
    "lr": "learning rate",
    "momentum": "momentum of SGD",
    "weight_decay": "weight decay of SGD",
    "batch_size": "points in a batch at most (default: all)",
    "record_every": "epochs from one entry of the history to the next",
}


def run_once(settings, animate, device, out, compiled, processes, checkpoint) -> None:
    """Train one model of each kind; write the models, pictures and figures; print the table."""
    data = make_data(**keywords_of(make_data, settings), processes=processes).to(device)
    counts = [sum(processes.gather(len(y))) for y in (data.y_train, data.y_test)]
    if is_small(data, settings):
        torch.set_num_threads(1)
    best = best_possible_accuracy(**keywords_of(best_possible_accuracy, settings))
    film = Film(settings["epochs"]) if animate else None
    results = compare_models(data, settings, film, compiled, processes, checkpoint)
    if not processes.is_first:
        return
    names = {"class_names": data.class_names, "feature_names": data.feature_names}
    for result in results:
        save_model(result.model, out / MODEL_FILES[type(result.model)], settings | names)
    save_figure(plot_boundaries(results, data), out / "decision_boundary.png")
    save_figure(plot_losses(results), out / "loss_curves.png")
    models = {result.name: result.summary() | {"history": result.history} for result in results}
    figures = names | {"best_possible_accuracy": best, "models": models}
    write_metrics(out, settings, device, figures)
    if film:
        animate_training(film, data, out)
    print("{} points to train on, {} to test on, on {}.\n".format(*counts, device))
    print(results_table(results, best))


def command_line() -> CommandLine:
    """Return the parser: an option for each setting in `HELP`, and those of the run itself."""
    parser = CommandLine(description=__doc__, epilog=datasets_table(DATASETS))
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
        "--compile",
        action="store_true",
        help="compile the models first, for very many seeds or CUDA",
    )
    parser.add_argument(
        "--deterministic", action="store_true", help="use repeatable algorithms only, on CUDA too"
    )
    parser.add_argument(
        "--checkpoint-every", type=int, metavar="N", help="epochs (default: about ten seconds)"
    )
    parser.add_argument(
        "--resume", action="store_true", help="go on with the run that was stopped in --out"
    )
    return parser


def plan(args, each, compared, values, processes):
    """Return the function that does what is asked for, and the names of the files it will write.

    each: the settings of each run, one for each of the `values` that are `compared`.
    """
    settings = each[0]
    many = args.seeds is not None or compared
    if args.compile and not any(map(shutil.which, ("g++", "clang++", "cl"))):
        raise ValueError("compile needs a C++ compiler, and none was found.")
    if args.animate and many:
        raise ValueError("animate shows one training; it can't go with seeds or compare.")
    if not many:
        processes.check(**settings)
        files = (*MODEL_FILES.values(), "decision_boundary.png", "loss_curves.png")
        films = FILM_FILES if args.animate else ()
        return partial(run_once, settings, args.animate), (*files, *films, "metrics.json")

    count = 100 if args.seeds is None else args.seeds
    check_settings(seed=settings["seed"], seeds=count)
    processes.check(seeds=count)
    seeds = range(settings["seed"], settings["seed"] + count)
    runs = dict(zip(values or [None], each, strict=True))
    run = partial(study.run, tuple(MODEL_FILES), runs, seeds, compared)
    return run, ("comparison.png" if compared else "seeds.png", "metrics.json")


def main(argv: list[str] | None = None) -> None:
    """Train, compare, save and plot, as the command line asks."""
    parser = command_line()
    argv = sys.argv[1:] if argv is None else argv
    args, command, asked = parser.parse_or_resume(argv, stored_command)
    given = {name: value for name, value in vars(args).items() if name in HELP}
    text_only = rc_context({"text.parse_math": False})  # names may have dollar signs
    with (
        parser.one_sentence_errors(),
        text_only,
        joined(resolve_device(args.device)) as (processes, device),
    ):
        compared, values = parser.parse_comparison(args.compare)
        each = [given | {compared: value} for value in values] if compared else [given]
        each = [parser.defaults | fill_in({"data": "circles"} | settings) for settings in each]
        for settings in each:
            check_settings(**settings)
        check_settings(checkpoint_every=asked.checkpoint_every)
        run, files = plan(args, each, compared, values, processes)
        if asked.resume:
            parser.check_same(asked, each[0] | vars(args))
        if args.deterministic:
            os.environ["CUBLAS_WORKSPACE_CONFIG"] = ":4096:8"  # or cuBLAS is not repeatable
            torch.use_deterministic_algorithms(True)
        prepare_directory(args.out, files)
        command = [*command, "--device", device.type]
        with Checkpoint(
            args.out, command, each, files, asked.checkpoint_every, asked.resume, processes
        ) as checkpoint:
            run(device, args.out, args.compile, processes, checkpoint)
        if processes.is_first:
            print(f"\nIn {args.out}: {listed(files)}.")


if __name__ == "__main__":
    main()
    gc.freeze()  # there is nothing left to collect, and looking for it takes a second
