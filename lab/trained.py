"""Trained models, many at a time: the one place where the lab's studies get theirs."""

from torch import nn
from tqdm import tqdm

from model import CircleModelV2
from support.command_line import keywords_of
from support.ensemble import Ensemble
from support.study import CHUNK
from train import Data, build, make_data, train


def trained_models(
    seeds: range, model_class: type = CircleModelV2, **settings
) -> tuple[list[nn.Module], list[Data], list[float]]:
    """Return a model for each seed, the data of that seed, and the test accuracies (fractions).

    The settings are those of `make_data`, of the model and of `train`, with their defaults.
    """
    each = [settings | {"seed": seed} for seed in seeds]
    datasets = [make_data(**keywords_of(make_data, one)) for one in each]
    models = [build(model_class, *pair) for pair in zip(each, datasets, strict=True)]
    return models, datasets, train_together(models, datasets, seeds, **settings)


def train_together(models, datasets: list[Data], seeds, **settings) -> list[float]:
    """Train each model in place, on data and in the order of a seed of its own.

    Those of the settings that are `train`'s are used. Returns the test accuracies.
    """
    accuracies = []
    with tqdm(total=len(models), unit="model", disable=None) as bar:
        for start in range(0, len(models), CHUNK):
            chunk = slice(start, start + CHUNK)
            ensemble, data = Ensemble(models[chunk]), Data.stack(datasets[chunk])
            own = keywords_of(train, settings | {"seed": seeds[chunk]})
            history = train(ensemble, data, progress=lambda epochs, name: epochs, **own)
            for number, model in enumerate(models[chunk]):
                state = {name: stacked[number] for name, stacked in ensemble.state_dict().items()}
                model.load_state_dict(state)
            accuracies += history["test_acc"][-1]
            bar.update(len(models[chunk]))
    return accuracies
