"""The benchmark's own arithmetic, on cases whose answers are known."""

import re
from inspect import signature
from pathlib import Path

import pytest
import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from benchmarks import measure, run
from benchmarks.flop import count_flop, flop_an_epoch
from benchmarks.growth import tenfold
from model import CircleModelV2
from train import Training

ROOT = Path(__file__).parent.parent


def test_contenders_are_called_in_turns_after_a_warm_up():
    calls = []

    def contender(name):
        return lambda number: calls.append(name + str(number)) or number

    answers = measure.in_turns({"a": contender("a"), "b": contender("b")}, 2)
    assert calls == ["a0", "b0", "a0", "b0", "a1", "b1"]
    assert answers == {"a": [0, 1], "b": [0, 1]}


def test_ratios_are_taken_within_a_round():
    assert measure.ratios([2.0, 30.0], [1.0, 10.0]) == [2.0, 3.0]


def test_the_table_shows_the_median_and_whether_the_goal_is_met():
    line = measure.Line("what", "1 s", "peer: 2 s", [9.0, 2.0, 1.0], 2.0, "peer 1.0")
    *_, met = measure.table([line]).splitlines()
    *_, missed = measure.table([line._replace(goal=2.1)]).splitlines()
    *_, none = measure.table([line._replace(goal=None)]).splitlines()
    cells = [cell.strip() for cell in met.split("|")[1:-1]]
    assert cells == [
        "what", "1 s", "peer: 2 s", "2.00 (1.00 to 9.00)", "3", "2: met"
    ]  # fmt: skip
    assert "2.1: missed" in missed
    assert "met" not in none
    assert "missed" not in none


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (12.34, "12.3 s"),
        (1234, "1234 s"),
        (0.0567, "56.7 ms"),
        (1e-5, "10.0 µs"),
        (2e-8, "0.0200 µs"),
    ],
)
def test_times_have_three_digits(seconds, text):
    assert measure.duration(seconds) == text


def test_a_spread_has_the_decimals_of_its_mean():
    assert measure.duration(0.116, 0.0049) == "116 ± 5 ms"


def test_the_peers_recipe_is_the_scripts():
    recipe = {name: parameter.default for name, parameter in signature(Training).parameters.items()}
    assert signature(CircleModelV2).parameters["hidden_units"].default == measure.HIDDEN
    assert (recipe["lr"], recipe["momentum"]) == (measure.LR, measure.MOMENTUM)
    assert (recipe["epochs"], recipe["record_every"]) == (measure.EPOCHS, measure.RECORD_EVERY)
    (line,) = re.findall(
        r"^HIDDEN, .*$", (ROOT / "benchmarks" / "scripts" / "common.py").read_text(), re.MULTILINE
    )
    assert line in (ROOT / "benchmarks" / "measure.py").read_text()


def test_the_matrix_products_are_counted_as_torch_counts_them():
    model, X = CircleModelV2(hidden_units=5), torch.zeros(7, 2)
    with FlopCounterMode(display=False) as counter:
        nn.functional.binary_cross_entropy_with_logits(model(X), torch.zeros(7, 1)).backward()
    products, rest = count_flop((2, 5, 5, 1), 7)
    assert products == counter.get_total_flops()
    assert rest == 7 * (2 * 11 + 2 * 10 + 10) + 4 * (10 + 5 + 25 + 5 + 5 + 1)


def test_an_epoch_is_a_step_and_a_tenth_of_a_record():
    step = sum(count_flop((2, 16, 16, 1), 800))
    assert flop_an_epoch(800, 200) == step + 2 * 304 * 1000 / 10


def test_growth_is_told_for_each_tenfold_of_the_points():
    runs = {
        10**4: [{"seconds": 1.0, "training": 5.0}],
        10**5: [{"seconds": 2.0, "training": 10.0}, {"seconds": 2.0, "training": 10.0}],
        10**6: [{"seconds": 21.0, "training": 60.0}],
    }
    assert "memory: 10.5 and 6.0 from 100,000." in tenfold(runs)


def test_the_page_is_renewed_between_its_markers_alone():
    page = "before\n<!-- benchmarks -->\nold\n<!-- end benchmarks -->\nafter\n"
    assert run.quote(page, "new\n") == page.replace("old", "new")
    with pytest.raises(ValueError, match="must have <!-- benchmarks -->"):
        run.quote("no markers", "new\n")


def test_the_versions_are_named_once():
    line = measure.Line("what", "1 s", "peer: 2 s", [2.0], None, "peer 1.0, other 2")
    assert measure.packages([line, line]) == "Measured with other 2 and peer 1.0."
