"""What many runs say together: their figures, 95 % intervals, tables and plots.

A history of many runs has the keys of a single run's; each entry is a list with a value a run.
Accuracies and shares are fractions.
"""

import math
from itertools import chain

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter
from scipy import stats

from lab.pictures import legend_below, width
from support.text import as_argument, counted, markdown, percent, shortened

GOAL = 0.99
COLORS = {"CircleModelV0": "0.45", "CircleModelV2": "#7B3294"}  # none is that of a class
MARKERS = {"CircleModelV0": "o", "CircleModelV2": "^"}


def join(histories: list[dict]) -> dict:
    """Return the history of all runs, from the histories of some runs each."""
    joined = {"epoch": histories[0]["epoch"]}
    for key in histories[0].keys() - {"epoch"}:
        rows = zip(*(history[key] for history in histories), strict=True)
        joined[key] = [list(chain(*row)) for row in rows]
    return joined


def bootstrap_interval(values) -> tuple[float, float]:
    """Return the 95 % percentile bootstrap interval of the mean of values of shape (n,).

    Of a single value, or where one isn't finite, it is the mean itself.
    """
    values = np.asarray(values)
    if len(values) == 1 or not np.isfinite(values).all():
        return (float(values.mean()),) * 2
    resampled = stats.bootstrap(
        (values,), np.mean, n_resamples=2000, batch=100, method="percentile", rng=0
    )
    low, high = resampled.confidence_interval
    return float(low), float(high)


def wilson_interval(successes: int, n: int) -> tuple[float, float]:
    """Return Wilson's 95 % score interval of a share."""
    return tuple(map(float, stats.binomtest(successes, n).proportion_ci(method="wilson")))


def mean_of(values, digits: int = 1) -> str:
    """Return the mean of numbers (n,) with its 95 % interval as text."""
    values = np.asarray(values, dtype=float)
    low, high = bootstrap_interval(values)
    return f"{np.mean(values):.{digits}f} ({low:.{digits}f} to {high:.{digits}f})"


def mean_percent(shares, digits: int = 1) -> str:
    """Return the mean of shares (n,), from 0 to 1, with its 95 % interval as text in percent."""
    return percent(np.mean(shares), bootstrap_interval(shares), digits)


def share_at_goal(accuracies) -> str:
    """Return which share of runs reaches the goal, with its 95 % interval, as text in percent."""
    reached = sum(accuracy >= GOAL for accuracy in accuracies)
    return percent(reached / len(accuracies), wilson_interval(reached, len(accuracies)), digits=1)


def summarize(history: dict, best: float | None) -> dict:
    """Return the figures of many runs; `best` is the best accuracy possible on average, if known.

    Epochs to the goal count in the steps of the history; None is a figure that isn't finite.
    """
    accuracy = np.array(history["test_acc"])
    final, n = accuracy[-1], accuracy.shape[1]
    reached = accuracy >= GOAL
    first = np.where(
        reached.any(axis=0), np.array(history["epoch"])[reached.argmax(axis=0)], np.inf
    )
    train_loss, test_loss = (np.array(history[key][-1]) for key in ("train_loss", "test_loss"))
    at_goal = int((final >= GOAL).sum())
    figures = {
        "seeds": n,
        "mean": final.mean(),
        "mean_95_bootstrap": bootstrap_interval(final),
        "standard_deviation": final.std(ddof=1) if n > 1 else 0.0,
        "share_at_goal": at_goal / n,
        "share_at_goal_95_wilson": wilson_interval(at_goal, n),
        "gap_to_best": None if best is None else best - final.mean(),
        "epochs_to_goal_median": np.quantile(first, 0.5, method="higher"),
        "epochs_to_goal_90th": np.quantile(first, 0.9, method="higher"),
        "not_finite": int((~np.isfinite(train_loss)).sum()),
        "train_accuracy": np.mean(history["train_acc"][-1]),
        "train_loss": train_loss.mean(),
        "test_loss": test_loss.mean(),
        "loss_gap": (test_loss - train_loss).mean(),
        "loss_gap_95_bootstrap": bootstrap_interval(test_loss - train_loss),
        "train_mode_mean": np.mean(history["train_mode_acc"][-1]),
        "train_mode_95_bootstrap": bootstrap_interval(history["train_mode_acc"][-1]),
    }
    return {name: _plain(value) for name, value in figures.items()}


def _plain(value):
    """Return a figure as JSON holds it: no numpy types, None for what isn't finite."""
    if isinstance(value, tuple):
        return [_plain(part) for part in value]
    if value is None or isinstance(value, int):
        return value
    return float(value) if np.isfinite(value) else None


def seeds_table(summaries: dict[str, dict], best: float | None) -> str:
    """Return a Markdown table with a column for each model and a row for each figure."""

    def epochs(value):
        return "never" if value is None else f"{value:.0f}"

    lines = {
        "mean test accuracy (95 % interval, bootstrap)": lambda s: percent(
            s["mean"], s["mean_95_bootstrap"]
        ),
        "standard deviation": lambda s: percent(s["standard_deviation"]),
        "mean train accuracy": lambda s: percent(s["train_accuracy"]),
        **_below(best),
        "seeds at 99 % or better (95 % interval, Wilson)": lambda s: percent(
            s["share_at_goal"], s["share_at_goal_95_wilson"], digits=1
        ),
        "epochs to 99 %: median": lambda s: epochs(s["epochs_to_goal_median"]),
        "epochs to 99 %: 90th percentile": lambda s: epochs(s["epochs_to_goal_90th"]),
    }
    rows = [["", *summaries]]
    rows += [[name, *map(figure, summaries.values())] for name, figure in lines.items()]
    return markdown(rows)


def _below(best):
    """Return the line that compares with the best possible accuracy, if that is known."""
    if best is None:
        return {}
    name = f"percentage points below the best possible, {percent(best, digits=3)}"
    return {name: lambda s: f"{100 * s['gap_to_best']:.2f}"}


def comparison_table(setting: str, summaries: dict[tuple, dict], bests: dict | None = None) -> str:
    """Return a Markdown table with a line for each (value of the setting, model).

    `bests` maps values to the best possible accuracy, where each has one of its own.
    """
    columns = {
        "test accuracy": lambda s: percent(s["mean"], s["mean_95_bootstrap"]),
        "seeds at 99 %": lambda s: percent(
            s["share_at_goal"], s["share_at_goal_95_wilson"], digits=0
        ),
        "test - train loss": _loss_gap,
        "eval() forgotten": lambda s: percent(s["train_mode_mean"], s["train_mode_95_bootstrap"]),
    }
    if all(s["mean"] == s["train_mode_mean"] for s in summaries.values()):
        del columns["eval() forgotten"]  # the mode makes no difference
    heading = [setting, "model", *columns] + ["best possible"] * bool(bests)
    rows = [heading]
    for (value, name), s in summaries.items():
        rows.append([as_argument(value), name, *(column(s) for column in columns.values())])
        if bests:
            best = bests[value]
            rows[-1].append("not known" if best is None else percent(best, digits=3))
    return markdown(rows)


def _loss_gap(s):
    if s["loss_gap"] is None:
        return f"not finite for {s['not_finite']} of {s['seeds']}"
    return "{:.4f} ({:.4f} to {:.4f})".format(s["loss_gap"], *s["loss_gap_95_bootstrap"])


def plot_seeds(
    histories: dict[str, dict],
    names: dict[str, str],
    best: float | None,
    guess: float | None = None,
) -> Figure:
    """Return a figure: how many seeds end at which test accuracy, and the bands of the test losses.

    names: what to call the models of a class, by the class's name.

    A line shows the best possible accuracy or that of guessing, whichever a model is nearer to.
    """
    figure = Figure(figsize=(8.6, 4.8), layout="constrained")
    left, right = figure.subfigures(1, 2)
    panels, losses = left.subplots(len(histories), 1, squeeze=False)[:, 0], right.subplots()
    n = len(next(iter(histories.values()))["test_acc"][-1])
    left.suptitle(f"Final test accuracy of {counted(n, 'seed')}")
    marker = "o" if len(next(iter(histories.values()))["epoch"]) == 1 else ""  # there is no line
    for (name, history), panel, line in zip(histories.items(), panels, ("--", "-"), strict=False):
        final = np.array(history["test_acc"][-1])
        panel.hist(final, _bins(final), color=COLORS[name], alpha=0.7)
        style = dict(ymax=0.65, color="black", lw=1.5)  # the legend stands above
        panel.axvline(final.mean(), label=f"mean: {percent(final.mean())}", **style)
        middle = ((guess or 0) + (best or 1)) / 2
        if final.mean() > middle and best is not None:
            label = f"best possible: {percent(best, digits=3)}"
            panel.axvline(best, ls=":", label=label, **style)
        elif final.mean() < middle and guess is not None:
            label = f"guessing: {percent(guess, digits=0)}"
            panel.axvline(guess, ls=":", label=label, **style)
        panel.set(title=names[name], ylabel="seeds")
        panel.margins(x=0.1, y=0.5)
        panel.yaxis.get_major_locator().set_params(integer=True)
        panel.xaxis.set_major_formatter(PercentFormatter(1, symbol=" %"))
        panel.locator_params(axis="x", nbins=5)
        panel.legend(loc="upper left", fontsize=9)
        low, median, high = np.quantile(history["test_loss"], [0.05, 0.5, 0.95], axis=1)
        losses.fill_between(history["epoch"], low, high, color=COLORS[name], alpha=0.25, lw=0)
        style = dict(ls=line, marker=marker, color=COLORS[name], label=names[name])
        losses.plot(history["epoch"], median, **style)
    title = "Test loss: median,\nand 5 % to 95 % of the seeds"
    losses.set(title=title, xlabel="epoch", ylabel="loss")
    losses.legend(loc="upper right")
    losses.dataLim.update_from_data_y([0], ignore=False)
    losses.margins(y=0.2)  # with room for the legend
    losses.set_ylim(bottom=0)
    return figure


def _bins(values):
    """Return edges of bins, each about one or some of the accuracies that are possible."""
    distinct = np.unique(np.round(values, 9))
    if len(distinct) == 1:
        return distinct[0] + [-0.005, 0.005]
    step, spread = np.diff(distinct).min(), distinct[-1] - distinct[0]
    step *= math.ceil(spread / step / 40)
    return distinct[0] - step / 2 + step * np.arange(math.ceil(spread / step + 0.5) + 1)


def plot_comparison(setting: str, summaries: dict[tuple, dict], names: dict[str, str]) -> Figure:
    """Return a figure of accuracies and losses at each value of the setting, with intervals.

    names: what to call the models of a class, by the class's name.
    """
    values = list(dict.fromkeys(value for value, _ in summaries))
    texts = [shortened(as_argument(value), 40) for value in values]
    widest = max(width(text, 10) for text in texts)
    crowded = len(texts) * (widest + 0.1) > 7.5  # inches
    height = 6.4 + crowded * widest
    figure = Figure(figsize=(8.6, height), layout="constrained")
    accuracy, loss = figure.subplots(2, 1)
    classes = list(dict.fromkeys(name for _, name in summaries))
    line = "" if isinstance(values[0], str) else "-"  # nothing lies between two names
    shifts = 0.16 * (np.arange(len(classes)) - (len(classes) - 1) / 2)  # side by side
    for shift, each in zip(shifts, classes, strict=True):
        several, name = [summaries[value, each] for value in values], names[each]
        series = [(accuracy, "mean", "mean_95_bootstrap", line, name)]
        if any(s["mean"] != s["train_mode_mean"] for s in several):
            series[0] = (*series[0][:4], f"{name}, eval()")
            train_mode = ("train_mode_mean", "train_mode_95_bootstrap", ":", f"{name}, train()")
            series.append((accuracy, *train_mode))
        series.append((loss, "loss_gap", "loss_gap_95_bootstrap", line, name))
        x = np.arange(len(values)) + shift
        for ax, mean, interval, style, label in series:
            kept = [(at, s[mean], *s[interval]) for at, s in zip(x, several, strict=True)
                    if s[mean] is not None]  # fmt: skip
            at, middle, low, high = np.array(kept).reshape(-1, 4).T
            ax.errorbar(
                at, middle, (middle - low, high - middle), color=COLORS[each], label=label,
                ls=style, marker=MARKERS[each], mfc="white" if style == ":" else None, capsize=3,
            )  # fmt: skip
    seeds = counted(next(iter(summaries.values()))["seeds"], "seed")
    for ax in (accuracy, loss):
        ax.set_xticks(range(len(values)), texts, rotation=90 if crowded else 0)
        ax.set_xlim(-0.5, len(values) - 0.5)
    loss.set_xlabel(setting)
    accuracy.tick_params(labelbottom=False)  # the values stand below the losses
    bottom = min(0.4, *(s["mean_95_bootstrap"][0] - 0.05 for s in summaries.values()))
    accuracy.set(title=f"Mean test accuracy of {seeds}, 95 % interval", ylim=(bottom, 1.02))
    accuracy.yaxis.set_major_formatter(PercentFormatter(1, symbol=" %"))
    loss.set(title="Test loss minus train loss, 95 % interval")
    loss.axhline(0, color="black", lw=0.8)
    lines, labels = accuracy.get_legend_handles_labels()
    if len(lines) > 1:
        figure.set_figheight(height + legend_below(figure, lines, labels))
    return figure


def report(compared: str | None, summaries: dict, bests: dict) -> str:
    """Return what there is to print of many runs.

    compared: the setting that is compared, or None.
    summaries: by (value of the setting, name of the model).
    bests: the best possible accuracy by value; None where it isn't known.
    """
    lines, same_best = [], len(set(bests.values())) == 1
    best = next(iter(bests.values()))
    if same_best and best is not None:
        lines.append(f"Best possible on average: {percent(best, digits=3)}.")
    if compared:
        table = comparison_table(compared, summaries, None if same_best else bests)
    else:
        table = seeds_table({name: s for (_, name), s in summaries.items()}, best)
    return "\n".join([*lines, "", table])
