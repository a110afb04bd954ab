"""What many runs say together: intervals, figures, tables and plots, on cases known by hand."""

import numpy as np
import pytest
from matplotlib.axes import Axes

from lab.statistics import (
    bootstrap_interval,
    comparison_table,
    join,
    mean_of,
    mean_percent,
    plot_comparison,
    plot_seeds,
    seeds_table,
    share_at_goal,
    summarize,
    wilson_interval,
)


@pytest.mark.parametrize(("successes", "n"), [(0, 10), (98, 100), (100, 100), (7, 9)])
def test_wilson_interval_ends_where_the_share_found_is_1_96_standard_errors_away(successes, n):
    for end in wilson_interval(successes, n):
        away = abs(successes / n - end)
        assert away == pytest.approx(1.96 * (end * (1 - end) / n) ** 0.5, rel=1e-4, abs=1e-9)


def test_bootstrap_interval_is_near_the_normal_one_for_many_values():
    values = np.random.default_rng(1).normal(3, 2, 2000)
    half = 1.96 * values.std() / np.sqrt(2000)
    expected = values.mean() - half, values.mean() + half
    assert bootstrap_interval(values) == pytest.approx(expected, abs=0.1 * half)


def test_bootstrap_interval_where_there_is_nothing_to_resample():
    assert bootstrap_interval([0.9]) == (0.9, 0.9)
    assert np.isnan(bootstrap_interval([0.9, float("nan"), 0.8])).all()


def test_means_and_shares_are_told_with_their_intervals():
    values = [0.9, 0.995, 1.0, 1.0]
    low, high = bootstrap_interval(values)
    assert mean_of(values, 3) == f"0.974 ({low:.3f} to {high:.3f})"
    assert mean_percent(values, 2) == f"97.38 ({100 * low:.2f} to {100 * high:.2f}) %"
    low, high = wilson_interval(3, 4)
    assert share_at_goal(values) == f"75.0 ({100 * low:.1f} to {100 * high:.1f}) %"


def a_history():
    return {
        "epoch": [10, 20, 30],
        "train_loss": [[0.7] * 4, [0.5] * 4, [0.1, 0.1, 0.2, 0.2]],
        "test_loss": [[0.7] * 4, [0.5] * 4, [0.2, 0.2, 0.2, 0.2]],
        "train_acc": [[0.5] * 4, [0.9] * 4, [1.0] * 4],
        "test_acc": [[0.5] * 4, [0.99, 0.9, 0.9, 1.0], [1.0, 0.99, 0.95, 0.98]],
        "train_mode_acc": [[0.9, 0.9, 0.8, 0.8]],
    }


def test_summarize_counts_what_the_history_says():
    summary = summarize(a_history(), best=0.995)
    assert summary["seeds"] == 4
    assert summary["mean"] == pytest.approx(0.98)
    assert summary["standard_deviation"] == pytest.approx(np.std([1, 0.99, 0.95, 0.98], ddof=1))
    assert summary["share_at_goal"] == 0.5
    assert summary["gap_to_best"] == pytest.approx(0.015)
    assert summary["epochs_to_goal_median"] == 30  # 20, 20, 30 and never: the upper middle
    assert summary["epochs_to_goal_90th"] is None
    assert summary["loss_gap"] == pytest.approx(0.05)
    assert summary["train_mode_mean"] == pytest.approx(0.85)
    low, high = summary["mean_95_bootstrap"]
    assert 0.95 <= low < 0.98 < high <= 1.0


def test_join_keeps_the_order_of_the_runs():
    first, second = a_history(), a_history()
    second["test_acc"][-1] = [0.1, 0.2, 0.3, 0.4]
    joined = join([first, second])
    assert joined["epoch"] == [10, 20, 30]
    assert joined["test_acc"][-1] == [1.0, 0.99, 0.95, 0.98, 0.1, 0.2, 0.3, 0.4]


def test_tables_show_the_figures():
    summary = summarize(a_history(), best=0.995)
    text = seeds_table({"CircleModelV0": summary, "CircleModelV2": summary}, best=0.995)
    assert "98.00 (" in text
    assert "percentage points below the best possible, 99.500 %" in text
    assert "1.50" in text
    assert "| never" in text
    summary = summarize(a_history(), best=None)
    assert "best possible" not in seeds_table({"CircleModelV2": summary}, best=None)
    text = comparison_table("lr", {(0.1, "CircleModelV2"): summary})
    assert "| 0.1" in text
    assert "0.0500 (" in text
    assert len({len(line) for line in text.splitlines()}) == 1


def test_a_single_layer_is_named_as_the_command_line_takes_it():
    summary = summarize(a_history(), best=None)
    values = {8: "8", (8,): "8x", (8, 4): "8x4"}
    text = comparison_table("hidden_units", {(v, "CircleModelV2"): summary for v in values})
    assert [row.split()[1] for row in text.splitlines()[2:]] == list(values.values())


def test_plots_show_the_figures():
    names = {"CircleModelV0": "linear", "CircleModelV2": "ReLU"}
    figure = plot_seeds({name: a_history() for name in names}, names, best=0.995)
    *panels, losses = figure.findobj(Axes)
    assert [panel.get_title() for panel in panels] == ["linear", "ReLU"]
    assert losses.get_legend_handles_labels()[1] == ["linear", "ReLU"]
    for panel in panels:
        filled = [bar.get_x() + bar.get_width() / 2 for bar in panel.patches if bar.get_height()]
        assert filled == pytest.approx([0.95, 0.98, 0.99, 1.0])  # one seed at each
        assert {bar.get_height() for bar in panel.patches} == {0, 1}
        assert panel.lines[0].get_xdata() == pytest.approx([0.98, 0.98])
        assert panel.lines[1].get_label() == "best possible: 99.500 %"
    figure = plot_seeds({"CircleModelV0": a_history()}, names, best=None, guess=1 / 3)
    assert len(figure.findobj(Axes)[0].lines) == 1  # nearer to 1 than to guessing, so without it
    assert list(losses.lines[0].get_ydata()) == pytest.approx([0.7, 0.5, 0.2])

    summary = summarize(a_history(), best=0.995)
    each = {(v, name): summary for v in (0.1, 0.2) for name in names}
    figure = plot_comparison("lr", each, names)
    accuracy, loss = figure.axes
    assert loss.get_legend_handles_labels()[1] == ["linear", "ReLU"]
    assert [t.get_text() for t in loss.get_xticklabels()] == ["0.1", "0.2"]
    assert list(accuracy.lines[0].get_ydata()) == pytest.approx([0.98, 0.98])
    assert "ReLU, train()" in accuracy.get_legend_handles_labels()[1]
