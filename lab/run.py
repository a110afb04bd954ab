"""One run: both models trained once, with their files, pictures and figures."""

import time
from functools import partial
from itertools import chain

import torch

from lab.checkpoints import NO_CHECKPOINT
from lab.film import Film, animate_training
from lab.many_seeds import compile_model
from lab.pictures import plot_boundaries, plot_losses
from lab.processes import ALONE
from lab.progress import progress
from lab.reports import Result, results_table, write_metrics
from lab.shares import SharedTraining, make_share
from model import save_model
from support.best_possible import best_possible_accuracy
from support.checks import keywords_of
from support.files import save_figure
from support.threads import threads_for
from train import Training, compare_models

MODEL_FILES = {
    "CircleModelV0": "circle_model_v0.safetensors",
    "CircleModelV2": "circle_model_v2.safetensors",
}
FILM_FILES = ("training.gif", "training.html")


def train_both(
    data, settings, film=None, compiled=False, processes=ALONE, checkpoint=NO_CHECKPOINT
) -> list[Result]:
    """Train both models and return their results.

    A `film` takes snapshots on the way; `compiled` models go through torch.compile.
    """
    torch.optim.SGD([torch.zeros(1)])  # the first optimizer loads more of torch: not training time
    kind = Training if processes.count == 1 else partial(SharedTraining, processes)
    results = []
    for training in compare_models(data, settings, kind):
        if compiled:
            compile_model(training.model, data.X_train.device)
        model = getattr(training.model, "module", training.model)
        states = film.load(model) if film else None
        checkpoint.begin(training, film)
        start = time.perf_counter() - checkpoint.seconds
        with (
            threads_for(model, data.X_train),
            progress(training.epochs, " epochs", training.name, not processes.is_first) as bar,
        ):
            for _ in chain([training], training):
                if film:
                    film.look(training, states)
                bar.update(training.epoch - bar.n)
                checkpoint.look()
        seconds = time.perf_counter() - start
        checkpoint.finish(training)
        results.append(Result(model, training.history, seconds))
    return results


def run_once(settings, animate, device, out, compiled, processes, checkpoint) -> None:
    """Train one model of each kind; write the models, pictures and figures; print the table."""
    data = make_share(settings, processes).to(device)
    counts = [sum(processes.gather(len(y))) for y in (data.y_train, data.y_test)]
    best = best_possible_accuracy(**keywords_of(best_possible_accuracy, settings))
    film = Film(settings["epochs"]) if animate else None
    results = train_both(data, settings, film, compiled, processes, checkpoint)
    if not processes.is_first:
        return
    names = {"class_names": data.class_names, "feature_names": data.feature_names}
    for result in results:
        save_model(result.model, out / MODEL_FILES[result.name], settings | names)
    save_figure(plot_boundaries(results, data), out / "decision_boundary.png")
    save_figure(plot_losses(results), out / "loss_curves.png")
    models = {result.name: result.summary() | {"history": result.history} for result in results}
    figures = names | {"best_possible_accuracy": best, "models": models}
    write_metrics(out, settings, device, figures)
    if film:
        animate_training(film, data, out, settings=settings)
    print("{} points to train on, {} to test on, on {}.\n".format(*counts, device))
    print(results_table(results, best))
