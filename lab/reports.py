"""What a run prints and writes down: tables of text, and metrics.json."""

import json
import platform
from importlib.metadata import version
from itertools import chain
from typing import NamedTuple

import torch
from matplotlib.font_manager import FontProperties, findfont, get_font
from torch import nn

from support.checks import keywords_of
from support.csv_file import is_csv, read_csv
from support.files import write_atomically
from support.layers import ACTIVATIONS
from support.text import listed, percent, shortened, shown
from train import make_data


def shown_name(name: str, activation: str | None) -> str:
    """Return what a model of a class is called: linear, or its activation function's name.

    None stands for several activation functions, which the values of the setting name.
    """
    if name == "CircleModelV0":
        return "linear"
    return "the network" if activation is None else ACTIVATIONS[activation].__name__


def kind(model) -> str:
    """Return what a model is called: linear, or its activation function's name."""
    return shown_name(type(model).__name__, model.arguments.get("activation"))


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


def results_table(results: list[Result], best: float | None) -> str:
    """Return a run's results as text, above the best accuracy possible on average, if known."""
    names = [f"{result.name}, {kind(result.model)}" for result in results]
    width = max(map(len, names))
    lines = [f"{'model':<{width}}  parameters  train accuracy  test accuracy    time"]
    for name, result in zip(names, results, strict=True):
        parameters, train_accuracy, test_accuracy, seconds = result.summary().values()
        lines.append(
            f"{name:<{width}}{parameters:>12}{percent(train_accuracy):>16}"
            f"{percent(test_accuracy):>15}{seconds:>6.2f} s"
        )
    if best is not None:
        lines.append(f"{'best possible on average':<{width + 28}}{percent(best, digits=3):>15}")
    return "\n".join(lines)


def datasets_table(datasets: dict[str, dict]) -> str:
    """Return the data sets and their own settings with their defaults, as text for --help."""
    lines = ["data sets and their settings (default):"]
    for name, own in datasets.items():
        shown = (f"{k} ({v})" if v is not None else k for k, v in own.items())
        lines.append(f"  {name:<11}{', '.join(shown)}".replace("_", "-"))
    return "\n".join(lines)


def notes_on_tables(each: list[dict]) -> list[str]:
    """Return the notes on the tables of several runs, each table and each sentence once."""
    tables = {tuple(keywords_of(make_data, settings).items()): settings for settings in each}
    return [*dict.fromkeys(chain.from_iterable(map(notes_on_table, tables.values())))]


def notes_on_table(settings: dict) -> list[str]:
    """Return sentences on how the settings' CSV file was read, and on what a part of it lacks."""
    if not is_csv(settings["data"]):
        return []
    notes = [*read_csv(settings["data"], settings["features"], settings["label"]).notes]
    data = make_data(**keywords_of(make_data, settings))
    for part, y in (("training", data.y_train), ("test", data.y_test)):
        there = y.unique().tolist()
        missing = [shown(name) for i, name in enumerate(data.class_names) if i not in there]
        if missing:
            notes.append(f"The {part} set has no point of class {shortened(listed(missing))}.")
    return notes + notes_on_letters([*data.feature_names, *data.class_names])


def notes_on_letters(names: list[str]) -> list[str]:
    """Return a sentence on the letters of names that pictures can't show, if there are any."""
    font = get_font(findfont(FontProperties()))
    letters = filter(str.isprintable, dict.fromkeys("".join(names)))
    missing = [letter for letter in letters if not font.get_char_index(ord(letter))]
    if not missing:
        return []
    return [f"Pictures have boxes for what their font lacks: {shortened(''.join(missing), 40)}."]


def write_metrics(out, settings: dict, device, figures: dict) -> None:
    """Write the settings, the versions and the figures of a run to metrics.json."""
    packages = ("torch", "scikit-learn", "numpy", "matplotlib")
    versions = {name: version(name) for name in packages}
    versions["python"] = platform.python_version()
    machine = {"device": str(device), "threads": torch.get_num_threads(), "versions": versions}
    metrics = {"settings": settings} | machine | figures
    write_atomically(out / "metrics.json", json.dumps(metrics, indent=2).encode())
