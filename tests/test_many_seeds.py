"""An ensemble trains each of its models as the loop would train it alone; figures of many runs."""

import numpy as np
import pytest
import torch
from matplotlib.axes import Axes

from lab import many_seeds
from lab.ensemble import Ensemble, EnsembleTraining, stack
from lab.many_seeds import train_many
from lab.statistics import (
    bootstrap_interval,
    comparison_table,
    join,
    plot_comparison,
    plot_seeds,
    seeds_table,
    summarize,
    wilson_interval,
)
from model import CircleModelV0, CircleModelV2
from support.checks import keywords_of
from train import Training, build, evaluate, make_data, train

SEEDS = [3, 4, 5]


def models_and_data(model_class, **arguments):
    """In float64, so that only a wrong formula can make two ways of computing differ."""
    datasets = [make_data(seed=seed).map(torch.Tensor.double) for seed in SEEDS]
    pairs = zip(SEEDS, datasets, strict=True)
    models = [build(model_class, {"seed": seed} | arguments, data).double() for seed, data in pairs]
    return models, datasets, stack(datasets)


def train_ensemble(ensemble, data, **settings):
    training = EnsembleTraining(ensemble, data, seed=SEEDS, **settings)
    for _ in training:
        pass
    return training.history


CASES = [
    (CircleModelV0, {}, {}),
    (CircleModelV2, {}, {}),
    (CircleModelV2, {}, {"batch_size": 64, "weight_decay": 0.01}),
    (CircleModelV2, {"batch_norm": True}, {"batch_size": 64}),
]


@pytest.mark.parametrize(("model_class", "arguments", "settings"), CASES)
def test_an_ensemble_trains_each_model_as_it_would_train_alone(model_class, arguments, settings):
    models, datasets, data = models_and_data(model_class, **arguments)
    ensemble = Ensemble(models)
    together = train_ensemble(ensemble, data, epochs=10, **settings)
    for number, (model, one, seed) in enumerate(zip(models, datasets, SEEDS, strict=True)):
        alone = train(model, one, epochs=10, seed=seed, **settings)
        for name, tensor in model.state_dict().items():
            torch.testing.assert_close(
                ensemble.state_dict()[name][number], tensor, rtol=1e-6, atol=1e-9
            )
        for key in ("train_loss", "test_loss"):
            assert together[key][-1][number] == pytest.approx(alone[key][-1], rel=1e-6)


def test_a_seed_among_many_ends_where_it_ends_alone():
    settings = {"samples": 1000, "epochs": 300, "batch_size": None}
    together = train_many([CircleModelV2], settings, range(42, 45))
    for number, seed in enumerate(range(42, 45)):
        one = settings | {"seed": seed}
        alone = train(
            build(CircleModelV2, one),
            make_data(**keywords_of(make_data, one)),
            **keywords_of(Training, one),
        )
        final = together["CircleModelV2"]["test_acc"][-1][number]
        assert abs(final - alone["test_acc"][-1]) <= 1 / 200 + 1e-12


KINDS = {
    "full batch": {},
    "batches": {"batch_size": 64, "weight_decay": 0.01},
    "dropout": {"dropout": 0.2, "batch_size": 50},
    "dropout and norm": {"dropout": 0.2, "batch_norm": True, "batch_size": 50},
    "classes": {"data": "blobs", "batch_size": 64},
    "odd sizes": {"samples": 101, "hidden_units": (5, 3), "batch_size": 23},
    "tanh": {"activation": "tanh", "batch_size": 30},
}


@pytest.mark.parametrize("settings", KINDS.values(), ids=KINDS)
def test_a_seed_depends_neither_on_the_seeds_beside_it_nor_on_the_threads(monkeypatch, settings):
    """To the bit: a promise."""
    settings = {"data": "circles", "samples": 200, "epochs": 5, "batch_size": None} | settings

    def history(first, chunk, threads):
        monkeypatch.setattr(many_seeds, "CHUNK", chunk)
        monkeypatch.setattr(torch, "get_num_threads", lambda: threads)
        seeds = range(first, 8)
        many = train_many([CircleModelV0, CircleModelV2], settings, seeds)["CircleModelV2"]
        return {key: [entry[5 - first :] for entry in many[key]] for key in many if key != "epoch"}

    expected = history(0, 50, 1)
    for first, chunk, threads in ((5, 50, 1), (0, 2, 1), (0, 3, 2), (4, 1, 3)):
        assert history(first, chunk, threads) == expected


@pytest.mark.parametrize("batch_norm", [False, True])
def test_a_model_of_an_ensemble_drops_what_it_would_drop_alone(batch_norm):
    arguments, settings = {"dropout": 0.3, "batch_norm": batch_norm}, {"batch_size": 64}
    models, datasets, states = [], [], []
    for seed in SEEDS:
        datasets.append(make_data(seed=seed))
        models.append(build(CircleModelV2, {"seed": seed} | arguments, datasets[-1]))
        states.append(torch.get_rng_state())
    ensemble = Ensemble(models, states)
    train_ensemble(ensemble, stack(datasets), epochs=3, **settings)
    for number, seed in enumerate(SEEDS):
        model = build(CircleModelV2, {"seed": seed} | arguments, datasets[number])
        train(model, datasets[number], epochs=3, seed=seed, **settings)
        for name, tensor in model.state_dict().items():
            torch.testing.assert_close(
                ensemble.state_dict()[name][number], tensor, rtol=1e-3, atol=1e-4
            )


def test_the_ensembles_weights_are_its_own():
    models, _, data = models_and_data(CircleModelV2)
    before = models[0].layers.output.weight.clone()
    train_ensemble(Ensemble(models), data, epochs=2)
    assert torch.equal(models[0].layers.output.weight, before)


def test_models_that_come_in_eval_mode_are_trained_in_train_mode():
    model = build(CircleModelV2, {"seed": 0, "dropout": 0.5}).eval()
    ensemble, x = Ensemble([model]), torch.randn(1, 50, 2)
    assert not torch.equal(ensemble.train()(x), ensemble(x))


def test_an_ensemble_moves_to_another_device():
    ensemble = Ensemble(models_and_data(CircleModelV2, batch_norm=True)[0]).to("meta")
    tensors = [*ensemble.parameters(), *ensemble.buffers()]
    assert {tensor.device.type for tensor in tensors} == {"meta"}
    assert ensemble(torch.zeros(3, 5, 2, dtype=torch.float64, device="meta")).shape == (3, 5, 1)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_many_seeds_train_on_cuda():
    settings = {"samples": 200, "epochs": 20, "batch_size": None, "batch_norm": True}
    on_cpu, on_cuda = (
        train_many([CircleModelV2], settings, range(3), device)["CircleModelV2"]
        for device in ("cpu", "cuda")
    )
    assert on_cuda["train_loss"][-1] == pytest.approx(on_cpu["train_loss"][-1], rel=1e-2)


def test_each_model_has_its_own_dropout_mask():
    model = build(CircleModelV2, {"seed": 0, "dropout": 0.5})
    ensemble, x = Ensemble([model, model]), torch.randn(1, 50, 2).expand(2, -1, -1)
    one, other = ensemble(x)
    assert not torch.equal(one, other)
    ensemble.eval()
    one, other = ensemble(x)
    assert torch.equal(one, other)


def test_evaluate_gives_a_value_for_each_model():
    models, datasets, data = models_and_data(CircleModelV2, batch_norm=True)
    losses, accuracies = evaluate(Ensemble(models), data.X_test, data.y_test)
    for number, (model, one) in enumerate(zip(models, datasets, strict=True)):
        loss, accuracy = evaluate(model, one.X_test, one.y_test)
        assert losses[number] == pytest.approx(loss, rel=1e-5)
        assert accuracies[number] == accuracy


def test_one_model_of_many_may_overflow():
    models, _, data = models_and_data(CircleModelV2)
    with torch.no_grad():
        models[1].layers.output.bias.fill_(float("nan"))
    history = train_ensemble(Ensemble(models), data, epochs=2)
    history["train_mode_acc"] = history["test_acc"][-1:]
    summary = summarize(history, best=1.0)
    assert summary["not_finite"] == 1
    assert summary["loss_gap"] is None


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
    figure = plot_comparison("lr", {(v, "CircleModelV2"): summary for v in (0.1, 0.2)})
    accuracy, loss = figure.axes
    assert [t.get_text() for t in loss.get_xticklabels()] == ["0.1", "0.2"]
    assert list(accuracy.lines[0].get_ydata()) == pytest.approx([0.98, 0.98])
    assert "CircleModelV2, train()" in accuracy.get_legend_handles_labels()[1]
