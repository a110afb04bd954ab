"""The same models for many seeds, trained as ensembles, and the comparison of settings."""

import math
from collections.abc import Iterator
from itertools import pairwise

import torch

from lab.checkpoints import NO_CHECKPOINT
from lab.ensemble import Ensemble, EnsembleTraining, stack
from lab.many_boundaries import Boundaries
from lab.progress import progress
from lab.reports import shown_name, write_metrics
from lab.statistics import join, plot_comparison, plot_seeds, report, summarize
from lab.turns import train_in_turns
from model import CircleModelV0, CircleModelV2
from support.best_possible import best_possible_accuracy
from support.checks import keywords_of
from support.datasets import is_csv
from support.files import save_figure
from support.memory import keep_freed_memory
from train import Training, build, evaluate, make_data

CHUNK = 50  # models to train at a time at most: more don't fit the processor's cache


def compile_mode(device: torch.device) -> str:
    """Return the mode of torch.compile; on CUDA it captures a step's kernels as one graph."""
    return "reduce-overhead" if device.type == "cuda" else "default"


def train_many(classes, settings: dict, seeds, device="cpu") -> dict[str, dict]:
    """Return the histories of a model of each class for each seed, on data of the seed's own.

    An entry of a history is a list with a value for each seed. One more key, train_mode_acc,
    has the final test accuracies with `model.eval()` forgotten.
    """
    histories = train_runs(classes, {None: settings}, seeds, torch.device(device))
    return {name: history for (_, name), history in histories.items()}


def train_runs(
    classes,
    runs: dict,
    seeds,
    device,
    *,
    compiled=False,
    checkpoint=NO_CHECKPOINT,
    silent=True,
    look=None,
) -> dict[tuple, dict]:
    """Return histories as `train_many` does, by (value, name of the class).

    runs: the settings of each run, by the value of the setting that is compared.
    look: is called with (value, name of the class, first seed) and each trained ensemble.

    A seed's history depends, to the bit, neither on the seeds beside it nor on the number of
    threads.
    """
    keep_freed_memory()
    threads = torch.get_num_threads() if device.type == "cpu" else 1
    keys, parts, over = {}, {}, 0

    def begin():
        for key, training in ensembles(classes, runs, seeds, device):
            if compiled:
                training.model.compile(mode=compile_mode(device))
            checkpoint.begin(training)
            keys[training] = key
            yield training

    def tick(running):
        bar.update(over + sum(one.epoch * (one.model.size - 1) for one in running) - bar.n)
        checkpoint.look()

    epochs = 0 if silent else sum(run["epochs"] for run in runs.values())
    total = len(seeds) * len(classes) * epochs
    with progress(total, " epochs", silent=silent) as bar:
        for training in train_in_turns(begin(), threads, tick):
            checkpoint.finish(training)
            over += training.epochs * (training.model.size - 1)
            X, y, batch_size = training.data.X_test, training.data.y_test, training.batch_size
            _, accuracy = evaluate(training.model, X, y, batch_size=batch_size, training=True)
            history, key = training.history | {"train_mode_acc": [accuracy]}, keys.pop(training)
            parts[key] = without_spare(history)
            if look:
                look(key, training.model)
    histories = {}
    for value in runs:
        for name in (model_class.__name__ for model_class in classes):
            firsts = sorted(first for *key, first in parts if key == [value, name])
            histories[value, name] = join([parts[value, name, first] for first in firsts])
    return histories


def without_spare(history: dict[str, list]) -> dict[str, list]:
    """Return the history of an ensemble without its last model's."""
    return {
        key: values if key == "epoch" else [each[:-1] for each in values]
        for key, values in history.items()
    }


def ensembles(classes, runs, seeds, device) -> Iterator[tuple]:
    """Yield (value, class, first seed) and a training of the class for some seeds at a time.

    Each ensemble has a spare model at its end, a second one of the last seed. Processors compute
    the last numbers of a tensor, which don't fill a vector, by other instructions, and a tensor of
    a single model by another algorithm: without the spare, a model's last bits would depend on its
    place.
    """
    chunks = math.ceil(len(seeds) / CHUNK)
    bounds = [len(seeds) * i // chunks for i in range(chunks + 1)]
    for value, settings in runs.items():
        for chunk in (seeds[start:stop] for start, stop in pairwise(bounds)):
            each = [settings | {"seed": seed} for seed in chunk]
            parts = [make_data(**keywords_of(make_data, one)) for one in each]
            each, parts, with_spare = [*each, each[-1]], [*parts, parts[-1]], [*chunk, chunk[-1]]
            data = stack(parts).to(device)
            for model_class in classes:
                models, random_states = [], []
                for pair in zip(each, parts, strict=True):
                    models.append(build(model_class, *pair))
                    random_states.append(torch.get_rng_state())
                ensemble = Ensemble(models, random_states).to(device)
                keywords = keywords_of(Training, settings) | {"seed": with_spare}
                yield (
                    (value, model_class.__name__, chunk[0]),
                    EnsembleTraining(ensemble, data, **keywords),
                )


def draws_boundaries(compared, settings) -> bool:
    """Whether the boundaries of many seeds go into one picture: of two classes, and one setting."""
    return not compared and not is_csv(settings["data"]) and settings["classes"] in (None, 2)


def run_seeds(runs, seeds, compared, device, out, compiled, processes, checkpoint) -> None:
    """Train models for many seeds with the settings of each run; print and draw what they say.

    runs: settings by the value of the setting that is `compared`; by None where none is.
    """
    classes, settings = (CircleModelV0, CircleModelV2), next(iter(runs.values()))
    if compared in ("dropout", "batch_norm", "activation") or (
        compared and any(run["dropout"] or run["batch_norm"] for run in runs.values())
    ):
        classes = classes[1:]  # the linear model has none of them
    share = processes.share(len(seeds))
    names = {each.__name__: shown_name(each.__name__, settings["activation"]) for each in classes}
    boundaries = None
    if draws_boundaries(compared, settings):
        data = make_data(**keywords_of(make_data, settings))
        boundaries = Boundaries(data, seeds, names)
    own = train_runs(
        classes, runs, seeds[share.start : share.stop], device,
        compiled=compiled, checkpoint=checkpoint, silent=not processes.is_first,
        look=boundaries and boundaries.look,
    )  # fmt: skip
    several = processes.gather(own)
    opinions = boundaries and processes.gather(boundaries.opinions)
    if not processes.is_first:
        return
    bests = {
        value: best_possible_accuracy(**keywords_of(best_possible_accuracy, run))
        for value, run in runs.items()
    }
    histories = {key: join([part[key] for part in several]) for key in own}
    summaries = {key: summarize(history, bests[key[0]]) for key, history in histories.items()}
    print(f"{len(seeds)} seeds, {seeds[0]} to {seeds[-1]}, on {device}.")
    print(report(compared, summaries, bests))
    if compared:
        save_figure(plot_comparison(compared, summaries), out / "comparison.png")
    else:
        guess = None if is_csv(settings["data"]) else 1 / (settings["classes"] or 2)
        by_name = {name: history for (_, name), history in histories.items()}
        save_figure(plot_seeds(by_name, names, bests[None], guess), out / "seeds.png")
    if boundaries:
        save_figure(boundaries.figure(opinions), out / "boundaries.png")
    differing = [key for key in settings if any(run[key] != settings[key] for run in runs.values())]
    figures = [
        {"value": value, "model": name}
        | {"settings": {key: runs[value][key] for key in differing}}
        | summary
        for (value, name), summary in summaries.items()
    ]
    shared = {key: value for key, value in settings.items() if key not in differing}
    write_metrics(out, shared, device, {"compared": compared, "figures": figures})
