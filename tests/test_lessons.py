"""What the helpers of the lessons compute and print; their pictures stand in the notebooks."""

import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch
from torch import nn

from lab import lesson_comparisons, lesson_probabilities, lesson_seeds
from train import Data, make_data


def test_a_value_is_normalized_as_batch_norm_does_it():
    values, value = torch.randn(50), torch.tensor(0.7)
    torch.manual_seed(0)
    ours = lesson_comparisons.normalized_among(values, value, size=5, times=30)
    torch.manual_seed(0)
    others = values[torch.randint(50, (30, 4))]
    for one, batch in zip(ours, others, strict=True):
        norm = nn.BatchNorm1d(1, eps=1e-12)
        theirs = norm(torch.cat([value.reshape(1), batch]).unsqueeze(1))[0, 0]
        assert one.item() == pytest.approx(theirs.item(), abs=1e-5)


def test_no_value_of_n_is_normalized_to_more_than_the_root_of_n_minus_1():
    far_away = torch.tensor(1e4)
    ours = lesson_comparisons.normalized_among(torch.randn(50), far_away, size=5)
    assert ours.numpy() == pytest.approx(np.full(2000, 2.0), abs=1e-4)


def test_the_threshold_decides_what_is_right():
    points = torch.tensor([[0.2, 0], [0.4, 0], [0.6, 0], [0.8, 0]])
    labels = torch.tensor([[0.0], [0.0], [1.0], [1.0]])
    data = Data(points, labels, points, labels)

    def first(X):
        return X[:, :1]

    assert lesson_comparisons.accuracies_above(0, [first], [data]) == [0.5]
    assert lesson_comparisons.accuracies_above(0.5, [first], [data]) == [1.0]


def test_modes_are_compared_with_the_first_line_seed_by_seed(capsys):
    first = {"train_acc": [[1.0, 1.0]], "test_acc": [[0.8, 0.9]], "train_mode_acc": [[0.5, 0.7]]}
    other = first | {"test_acc": [[0.82, 0.92]]}
    lesson_comparisons.print_modes({"one": first, "the other": other})
    _, one, the_other = capsys.readouterr().out.splitlines()
    assert one.split() == [
        *("one", "100.0", "(100.0", "to", "100.0)", "%", "85.0", "(80.0", "to", "90.0)", "%"),
        *("60.0", "(50.0", "to", "70.0)", "%", "0.0", "(0.0", "to", "0.0)"),
    ]
    assert the_other.endswith(" 2.0 (2.0 to 2.0)")


def test_probabilities_that_are_right_as_often_as_they_say_have_no_calibration_error():
    logits = torch.tensor([[0.8, 0.2]]).log().expand(10, 2)
    labels = torch.tensor([0] * 8 + [1] * 2)
    assert lesson_probabilities.confidence(logits) == pytest.approx(0.8)
    assert lesson_probabilities.calibration_error(logits, labels) == pytest.approx(0, abs=1e-6)
    wrong = torch.tensor([0] * 5 + [1] * 5)
    errors = lesson_probabilities.calibration_errors([(logits, labels), (logits, wrong)])
    assert errors == pytest.approx([0, 0.3], abs=1e-6)


def test_the_best_temperature_undoes_a_factor():
    logits = 3 * torch.tensor([[0.8, 0.2]]).log().expand(10, 2)
    labels = torch.tensor([0] * 8 + [1] * 2)
    assert lesson_probabilities.best_temperature(logits, labels) == pytest.approx(3)


def test_a_point_lies_in_any_number_of_discs():
    torch.manual_seed(0)
    points, labels = lesson_probabilities.three_discs(500)
    assert labels[points.norm(dim=1) < 0.3].all()
    assert set(labels.sum(dim=1).tolist()) == {0, 1, 2, 3}


def test_the_bars_of_a_reliability_diagram_are_the_shares_that_are_right():
    logits = torch.tensor([[0.85, 0.15]]).log().expand(10, 2)
    labels = torch.tensor([0] * 6 + [1] * 4)
    lesson_probabilities.plot_reliability({"one": [(logits, labels)], "two": [(logits, labels)]})
    right, gap = plt.gcf().axes[0].patches
    assert (right.get_x(), right.get_height()) == pytest.approx((0.8, 0.6))
    assert gap.get_height() == pytest.approx(0.25)


def test_pairs_are_drawn_as_lines_and_their_differences_in_points():
    lesson_seeds.plot_pairs([0.8, 0.9], [0.82, 0.91], ("a", "b"))
    left, right = plt.gcf().axes
    assert [line.get_ydata().tolist() for line in left.lines[:2]] == [[0.8, 0.82], [0.9, 0.91]]
    means = [line for line in right.lines if line.get_label() == "mean"]
    assert means[0].get_xdata()[0] == pytest.approx(1.5)


def test_a_mean_of_more_seeds_has_the_interval_of_those_seeds():
    accuracies = np.linspace(0.5, 1, 20)
    lesson_seeds.plot_intervals(accuracies, sizes=(5, 20))
    seeds = [line.get_ydata() for line in plt.gca().lines if line.get_marker() == "o"]
    assert [len(each) for each in seeds[:2]] == [5, 20]


def test_distributions_hold_every_seed_once():
    lesson_seeds.plot_distributions({"one": [0.5, 0.6, 0.6], "other": [0.995, 1.0, 1.0]}, 0.999)
    for ax in plt.gcf().axes:
        assert sum(bar.get_height() for bar in ax.patches) == 3


def test_other_pictures_name_their_axes_and_what_they_show():
    data, model = make_data(samples=100), nn.Linear(2, 1)
    lesson_comparisons.plot_modes(model, data.X_test, data.y_test)
    lesson_probabilities.plot_far_away(model, data.X_train, data.y_train)
    points, labels = lesson_probabilities.three_discs(50)
    lesson_probabilities.plot_labels(nn.Linear(2, 3), points, labels, ("a", "b", "c"))
    lesson_probabilities.plot_classes({"one": (model, data), "two": (model, data)})
    for number in plt.get_fignums():
        figure = plt.figure(number)
        assert figure.legends
        assert figure.axes[0].get_xlabel() == "x1"
        assert figure.axes[0].get_ylabel() == "x2"
    plt.figure()
    history = {"epoch": [1, 2], "train_loss": [0.7, 0.5]}
    lesson_comparisons.plot_losses({"a": [history], "b": [[0.7, 0.6], [0.7, 0.4]]}, floor=0.4)
    assert [text.get_text() for text in plt.gca().get_legend().texts] == [
        "a",
        "b",
        "least possible: 0.400",
    ]
    plt.figure()
    lesson_comparisons.plot_accuracies((1, 2), {"a": [[0.5, 0.6], [0.7]]}, xlabel="rate")
    assert (plt.gca().get_xlabel(), plt.gca().get_ylabel()) == ("rate", "test accuracy")
    plt.figure()
    lesson_comparisons.plot_running_mean(torch.randn(80, 3), eval_from=5)
    stored = plt.gca().lines[1].get_ydata()
    assert len(set(stored[4:])) == 1  # in eval mode it doesn't move
    assert len(set(stored[:5])) == 5
