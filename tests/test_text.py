"""Numbers, settings and tables as text."""

import pytest

from support.text import (
    as_argument,
    counted,
    listed,
    markdown,
    on_one_line,
    percent,
    shortened,
    shown,
)


def test_a_share_is_shown_in_percent_with_its_interval():
    assert percent(0.99957, digits=3) == "99.957 %"
    assert percent(0.5, (0.25, 1)) == "50.00 (25.00 to 100.00) %"


@pytest.mark.parametrize(("value", "text"), [((8, 4), "8x4"), ((8,), "8x"), (16, "16")])
def test_a_value_is_written_as_the_command_line_takes_it(value, text):
    assert as_argument(value) == text


@pytest.mark.parametrize(
    ("parts", "text"), [(["a"], "a"), (["a", "b"], "a and b"), (["a", "b", "c"], "a, b and c")]
)
def test_a_list_ends_in_and(parts, text):
    assert listed(parts) == text


@pytest.mark.parametrize(("number", "text"), [(0, "0 pieces"), (1, "1 piece"), (2, "2 pieces")])
def test_a_number_goes_with_its_noun(number, text):
    assert counted(number, "piece") == text
    assert counted(3, "boundary", "boundaries") == "3 boundaries"


def test_the_columns_of_a_table_are_aligned():
    assert markdown([["a", "loss"], ["0.25", "1"]]).splitlines() == [
        "| a    | loss |",
        "| ---- | ---- |",
        "| 0.25 | 1    |",
    ]


def test_what_is_echoed_is_at_most_a_line():
    assert shown("a\nb") == r"'a\nb'"
    assert shown(10**5000) == "one of type int that is too long to show"
    text = "a" * 500 + "b" * 500
    assert len(shortened(text)) == 200
    assert shortened(text).startswith("aaa")
    assert shortened(text).endswith("bbb")
    assert shortened(text, most=1000) == text
    assert on_one_line("a\nb\x1b[0mü") == r"a\nb\x1b[0mü"
