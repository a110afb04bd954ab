"""Trained models, many at a time: the one place where the lab's studies get theirs."""

import torch
from torch import nn

from lab.ensemble import Ensemble, EnsembleTraining, stack
from lab.many_seeds import CHUNK
from lab.progress import progress
from lab.turns import train_in_turns
from model import CircleModelV2
from support.checks import keywords_of
from train import Data, Training, build, make_data


def trained_models(
    seeds: range, model_class: type = CircleModelV2, **settings
) -> tuple[list[nn.Module], list[Data], list[float]]:
    """Return a model for each seed, the data of that seed, and the test accuracies (fractions).

    The settings are those of `make_data`, of the model and of `Training`, with their defaults.
    """
    each = [settings | {"seed": seed} for seed in seeds]
    datasets = [make_data(**keywords_of(make_data, one)) for one in each]
    models = [build(model_class, *pair) for pair in zip(each, datasets, strict=True)]
    return models, datasets, train_together(models, datasets, seeds, **settings)


def train_together(models, datasets: list[Data], seeds, **settings) -> list[float]:
    """Train each model in place, on data and in the order of a seed of its own.

    Those of the settings that are `Training`'s are used. Returns the test accuracies.
    """
    trainings, accuracies = [], []
    for start in range(0, len(models), CHUNK):
        chunk = slice(start, start + CHUNK)
        own = keywords_of(Training, settings) | {"seed": seeds[chunk]}
        trainings.append(EnsembleTraining(Ensemble(models[chunk]), stack(datasets[chunk]), **own))
    silent = len(trainings) == 1  # which is over all at once
    with progress(len(models), " models", silent=silent) as bar:
        for training in train_in_turns(iter(trainings), torch.get_num_threads(), lambda _: None):
            bar.update(training.model.size)
    for number, model in enumerate(models):
        stacked = trainings[number // CHUNK].model.state_dict()
        state = {name: stacked[name][number % CHUNK] for name in model.state_dict()}
        model.load_state_dict(state)
    for training in trainings:
        accuracies += training.history["test_acc"][-1]
    return accuracies
