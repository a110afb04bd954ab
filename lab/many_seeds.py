"""The same models for many seeds, and at several settings, trained as ensembles."""

import math
import warnings
from collections.abc import Iterator
from itertools import pairwise

import torch

from lab.checkpoints import NO_CHECKPOINT
from lab.ensemble import Ensemble, EnsembleTraining, stack
from lab.progress import progress
from lab.statistics import join
from lab.turns import train_in_turns
from support.checks import keywords_of
from support.memory import keep_freed_memory
from train import Data, Training, build, cut, evaluate, make_data

CHUNK = 50  # models to train at a time at most: more don't fit the processor's cache
VECTORS = 32  # numbers that a processor computes at a time at most: two vectors of AVX-512


def chunk_size(device: torch.device, samples: int | None) -> int:
    """Return how many models of so many samples to train at a time at most.

    A GPU is idle most of the time with `CHUNK` small ones: it gets a million samples together.
    """
    if device.type != "cuda" or samples is None:
        return CHUNK
    return max(CHUNK, 10**6 // samples)


def compile_model(model: torch.nn.Module, device: torch.device) -> None:
    """Have torch.compile make a model faster; on CUDA it captures a step's kernels as one graph."""
    warnings.filterwarnings("ignore", "TensorFloat32")  # its advice to compute with fewer digits
    model.compile(mode="reduce-overhead" if device.type == "cuda" else "default")


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
    look: is called with (value, name of the class, first seed), the number of seeds, and the
        trained ensemble of their models and some spare ones.

    On a CPU a seed's history depends, to the bit, neither on the seeds beside it nor on the number
    of threads.
    """
    keep_freed_memory()
    threads = torch.get_num_threads() if device.type == "cpu" else 1
    own, parts, over = {}, {}, 0

    def begin():
        for key, count, training in ensembles(classes, runs, seeds, device):
            if compiled:
                compile_model(training.model, device)
            checkpoint.begin(training)
            own[training] = key, count
            yield training

    def tick(running):
        bar.update(over + sum(one.epoch * own[one][1] for one in running) - bar.n)
        checkpoint.look()

    epochs = 0 if silent else sum(run["epochs"] for run in runs.values())
    total = len(seeds) * len(classes) * epochs
    with progress(total, " epochs", silent=silent) as bar:
        for training in train_in_turns(begin(), threads, tick):
            checkpoint.finish(training)
            key, count = own.pop(training)
            over += training.epochs * count
            X, y, batch_size = training.data.X_test, training.data.y_test, training.batch_size
            _, accuracy = evaluate(training.model, X, y, batch_size=batch_size, training=True)
            parts[key] = of_first(count, training.history | {"train_mode_acc": [accuracy]})
            if look:
                look(key, count, training.model)
    histories = {}
    for value in runs:
        for name in (model_class.__name__ for model_class in classes):
            firsts = sorted(first for *key, first in parts if key == [value, name])
            histories[value, name] = join([parts[value, name, first] for first in firsts])
    return histories


def of_first(count: int, history: dict[str, list]) -> dict[str, list]:
    """Return the history of an ensemble's first models alone."""
    return {
        key: values if key == "epoch" else [each[:count] for each in values]
        for key, values in history.items()
    }


def ensembles(classes, runs, seeds, device) -> Iterator[tuple]:
    """Yield (value, class, first seed), a number of seeds, and a training of their models.

    Each ensemble has spare models at its end, more of the last seed. Processors compute the last
    numbers of a tensor, which don't fill their vectors, by other instructions, and a tensor of a
    single model by another algorithm: without these, a model's last bits would depend on its place.
    """
    for value, settings in runs.items():
        chunks = math.ceil(len(seeds) / chunk_size(device, settings.get("samples")))
        bounds = [len(seeds) * i // chunks for i in range(chunks + 1)]
        for chunk in (seeds[start:stop] for start, stop in pairwise(bounds)):
            each = [settings | {"seed": seed} for seed in chunk]
            parts = [make_data(**keywords_of(make_data, one)) for one in each]
            spare = count_spare(parts[0], settings.get("batch_size"))
            each += each[-1:] * spare
            parts += parts[-1:] * spare
            data = stack(parts).to(device)
            for model_class in classes:
                models, random_states = [], []
                for pair in zip(each, parts, strict=True):
                    models.append(build(model_class, *pair))
                    random_states.append(torch.get_rng_state())
                ensemble = Ensemble(models, random_states).to(device)
                keywords = keywords_of(Training, settings) | {"seed": [one["seed"] for one in each]}
                training = EnsembleTraining(ensemble, data, **keywords)
                yield (value, model_class.__name__, chunk[0]), len(chunk), training


def count_spare(data: Data, batch_size: int | None) -> int:
    """Return how many spare models have all the numbers of a batch that may not fill vectors."""
    batches = [*cut(data.X_train, batch_size), *cut(data.X_test, batch_size)]
    return math.ceil(VECTORS / min(map(len, batches)))
