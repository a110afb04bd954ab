"""Many runs: models of many seeds trained, summed up, printed and drawn, and settings compared."""

from lab.many_boundaries import Boundaries
from lab.many_seeds import train_runs
from lab.reports import shown_name, write_metrics
from lab.statistics import join, plot_comparison, plot_seeds, report, summarize
from model import CircleModelV0, CircleModelV2
from support.best_possible import best_possible_accuracy
from support.checks import keywords_of
from support.datasets import is_csv
from support.files import save_figure
from train import make_data


def run_many(runs, seeds, compared, device, out, compiled, processes, checkpoint) -> None:
    """Train models for many seeds with the settings of each run; print and draw what they say.

    runs: settings by the value of the setting that is `compared`; by None where none is.
    """
    classes, settings = classes_to_train(compared, runs), next(iter(runs.values()))
    share = processes.share(len(seeds))
    activation = None if compared == "activation" else settings["activation"]
    names = {each.__name__: shown_name(each.__name__, activation) for each in classes}
    boundaries = None
    if draws_boundaries(compared, settings):
        boundaries = Boundaries(make_data(**keywords_of(make_data, settings)), seeds, names)
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
        save_figure(plot_comparison(compared, summaries, names), out / "comparison.png")
    else:
        guess = None if is_csv(settings["data"]) else 1 / (settings["classes"] or 2)
        by_name = {name: history for (_, name), history in histories.items()}
        save_figure(plot_seeds(by_name, names, bests[None], guess), out / "seeds.png")
    if boundaries:
        save_figure(boundaries.figure(opinions), out / "boundaries.png")
    write_figures(out, runs, compared, summaries, device)


def classes_to_train(compared, runs) -> tuple[type, ...]:
    """Return both models, or ReLU's alone where a setting is compared that the linear one lacks."""
    without_linear = compared in ("dropout", "batch_norm", "activation")
    if without_linear or (
        compared and any(run["dropout"] or run["batch_norm"] for run in runs.values())
    ):
        return (CircleModelV2,)
    return CircleModelV0, CircleModelV2


def draws_boundaries(compared, settings) -> bool:
    """Whether the boundaries of many seeds go into one picture: of two classes, and one setting."""
    return not compared and not is_csv(settings["data"]) and settings["classes"] in (None, 2)


def write_figures(out, runs, compared, summaries, device) -> None:
    """Write metrics.json: what the runs' settings share, and figures with those that differ."""
    settings = next(iter(runs.values()))
    differing = [key for key in settings if any(run[key] != settings[key] for run in runs.values())]
    figures = [
        {"value": value, "model": name}
        | {"settings": {key: runs[value][key] for key in differing}}
        | summary
        for (value, name), summary in summaries.items()
    ]
    shared = {key: value for key, value in settings.items() if key not in differing}
    write_metrics(out, shared, device, {"compared": compared, "figures": figures})
