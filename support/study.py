"""Trainings of the same models for many seeds, as ensembles, and the comparison of settings."""

import torch
from tqdm import tqdm

from support.best_possible import best_possible_accuracy
from support.command_line import keywords_of
from support.csv_file import is_csv
from support.ensemble import Ensemble
from support.many_seeds import join, report, summarize
from support.memory import keep_freed_memory
from support.reports import write_metrics

CHUNK = 50  # models to train at a time: more don't fit the processor's cache


def compile_mode(device: torch.device) -> str:
    """Return the mode of torch.compile; on CUDA it captures a step's kernels as one graph."""
    return "reduce-overhead" if device.type == "cuda" else "default"


class Study:
    """Many trainings with the functions of a script: its data, its models and its loop."""

    def __init__(self, make_data, build, train, evaluate):
        self.make_data, self.build, self.train, self.evaluate = make_data, build, train, evaluate

    def train_many(
        self, classes, settings, seeds, device, bar, compiled=False, checkpoint=None
    ) -> dict[str, dict]:
        """Return the histories of a model of each class for each seed, on data of the seed's own.

        An entry of a history is a list with a value for each seed. One more key, train_mode_acc,
        has the final test accuracies with `model.eval()` forgotten.
        """
        histories = {model_class.__name__: [] for model_class in classes}

        def progress(epochs, name):
            bar.update(len(chunk) * (epochs.start - 1))
            for epoch in epochs:
                yield epoch
                bar.update(len(chunk))

        for start in range(0, len(seeds), CHUNK):
            chunk = seeds[start : start + CHUNK]
            each = [settings | {"seed": seed} for seed in chunk]
            parts = [self.make_data(**keywords_of(self.make_data, one)) for one in each]
            data = parts[0].stack(parts).to(device)
            for model_class in classes:
                models = [self.build(model_class, *pair) for pair in zip(each, parts, strict=True)]
                ensemble = Ensemble(models).to(device)
                if compiled:
                    ensemble.compile(mode=compile_mode(device))
                several = keywords_of(self.train, settings | {"seed": chunk})
                history = self.train(
                    ensemble, data, **several, progress=progress, checkpoint=checkpoint
                )
                batch_size = settings.get("batch_size")
                _, accuracy = self.evaluate(
                    ensemble, data.X_test, data.y_test, batch_size=batch_size, training=True
                )
                histories[model_class.__name__].append(history | {"train_mode_acc": [accuracy]})
        return {name: join(parts) for name, parts in histories.items()}

    def run(
        self, model_classes, runs, seeds, compared, device, out, compiled, processes, checkpoint
    ) -> None:
        """Train models for many seeds with the settings of each run; print and draw what they say.

        model_classes: the linear model's and the ReLU model's.
        runs: settings by the value of the setting that is `compared`; by None where none is.
        """
        classes, settings = model_classes, next(iter(runs.values()))
        if compared in ("dropout", "batch_norm", "activation") or (
            compared and any(run["dropout"] or run["batch_norm"] for run in runs.values())
        ):
            classes = model_classes[1:]  # the linear model has none of them
        keep_freed_memory()
        histories, summaries, bests = {}, {}, {}
        share = processes.share(len(seeds))
        mine = seeds[share.start : share.stop]
        total = len(mine) * len(classes) * sum(run["epochs"] for run in runs.values())
        hidden = None if processes.is_first else True
        with tqdm(total=total, unit=" epochs", unit_scale=True, disable=hidden) as bar:
            for value, run in runs.items():
                bests[value] = best_possible_accuracy(**keywords_of(best_possible_accuracy, run))
                own = self.train_many(classes, run, mine, device, bar, compiled, checkpoint)
                parts = processes.gather(own)
                for name in parts[0]:
                    histories[value, name] = join([part[name] for part in parts])
                    summaries[value, name] = summarize(histories[value, name], bests[value])
        if not processes.is_first:
            return
        print(f"{len(seeds)} seeds, {seeds[0]} to {seeds[-1]}, on {device}.")
        guess = None if is_csv(settings["data"]) else 1 / (settings["classes"] or 2)
        print(report(compared, histories, summaries, bests, guess, out))
        differing = [
            key for key in settings if any(run[key] != settings[key] for run in runs.values())
        ]
        figures = [
            {"value": value, "model": name}
            | {"settings": {key: runs[value][key] for key in differing}}
            | summary
            for (value, name), summary in summaries.items()
        ]
        shared = {key: value for key, value in settings.items() if key not in differing}
        write_metrics(out, shared, device, {"compared": compared, "figures": figures})
