"""The rule that each setting must keep, written once for the functions and the command line."""

from inspect import Parameter, signature
from math import ceil, isfinite
from numbers import Integral, Real

from support.csv_file import is_csv
from support.datasets import CSV, DATASETS, NAMES
from support.layers import ACTIVATIONS
from support.text import shown


def _whole(low, high):
    rule = f"a whole number from {low:,} to {high:,}"
    return rule, lambda value: isinstance(value, Integral) and low <= value <= high


def _number(low, high):
    rule = f"a number from {low:g} to {high:g}"
    return rule, lambda value: _is_real(value) and low <= value <= high


def _below(low, high):
    rule = f"a number from {low:g} to below {high:g}"
    return rule, lambda value: _is_real(value) and low <= value < high


def _between(low, high):
    rule = f"a number above {low:g} and below {high:g}"
    return rule, lambda value: _is_real(value) and low < value < high


def _is_real(value):
    try:
        return isinstance(value, Real) and isfinite(value)
    except OverflowError:  # a whole number that no float can hold
        return False


def _or_none(rule_and_test):
    rule, test = rule_and_test
    return rule, lambda value: value is None or test(value)


def _widths(value):
    widths = value if isinstance(value, tuple | list) else [value]
    one_test = _whole(1, 10_000)[1]
    return 1 <= len(widths) <= 100 and all(map(one_test, widths))


def _mean_and_std(value):
    return (
        isinstance(value, tuple | list)
        and len(value) == 2
        and all(isinstance(part, tuple | list) and all(map(_is_real, part)) for part in value)
        and len(value[0]) == len(value[1])
        and all(std > 0 for std in value[1])
    )


def _is_dataset(value):
    if not isinstance(value, str):
        return False
    is_path = is_csv(value) and value.isprintable() and len(value) < 4096
    return value in NAMES or is_path


def _is_text(value):
    return isinstance(value, str)


RULES = {
    "data": (f"one of {', '.join(NAMES)}, or the path of a .csv file", _is_dataset),
    "classes": _or_none(_whole(2, 1000)),
    "features": _or_none(("the names of two columns", _is_text)),
    "label": _or_none(("the name of a column", _is_text)),
    "samples": _or_none(_whole(10, 10**8)),
    "noise": _or_none(_number(0, 100)),
    "factor": _or_none(_below(0, 1)),
    "test_size": _between(0, 1),
    "seed": _whole(0, 2**32 - 1),
    "seeds": _whole(1, 10**6),
    "in_features": _whole(1, 10_000),
    "hidden_units": (
        "a whole number from 1 to 10,000, or one for each of up to 100 layers",
        _widths,
    ),
    "out_features": _whole(1, 10_000),
    "standardize": _or_none(
        ("(means, standard deviations above 0) of the features", _mean_and_std)
    ),
    "activation": (
        f"one of {', '.join(ACTIVATIONS)}",
        lambda value: _is_text(value) and value in ACTIVATIONS,
    ),
    "dropout": _below(0, 1),
    "batch_norm": ("True or False", lambda value: isinstance(value, bool)),
    "epochs": _whole(1, 10**9),
    "lr": _between(0, float("inf")),
    "momentum": _below(0, 1),
    "weight_decay": _below(0, float("inf")),
    "batch_size": _or_none(_whole(1, 10**9)),
    "record_every": _whole(1, 10**9),
    "checkpoint_every": _or_none(_whole(1, 10**9)),
}


def check_settings(**settings):
    """Raise a ValueError that gives the name, the rule and the value of a setting out of range."""
    for name, value in settings.items():
        rule, test = RULES[name]
        if not test(value):
            raise ValueError(f"{name} must be {rule}; got {shown(value)}.")
    if settings.get("samples") and "test_size" in settings:
        check_split(settings["samples"], settings.get("classes") or 2, settings["test_size"])
    if settings.get("standardize") and "in_features" in settings:
        features, given = settings["in_features"], len(settings["standardize"][0])
        if given != features:
            raise ValueError(
                f"standardize must have means for the {features} in_features; got {given}."
            )
    if settings.get("batch_norm") and (settings.get("batch_size") or 3) < 3:
        raise ValueError(
            "batch_size must be 3 or more with batch_norm, which can't train on a batch of one; "
            f"got {settings['batch_size']}."
        )
    if settings.get("seed", 0) + settings.get("seeds", 1) > 2**32:
        raise ValueError(
            f"seed must leave room for {settings['seeds']} seeds below {2**32:,}; "
            f"got {settings['seed']}."
        )


def check_labels(labels, classes):
    """Raise a ValueError for a tensor of labels that has others than from 0 to `classes` - 1."""
    low, high = (end.item() for end in labels.aminmax())
    if not 0 <= low <= high <= classes - 1:
        wrong = high if low >= 0 else low
        raise ValueError(
            f"labels must be from 0 to {classes - 1} for {classes} classes; got {wrong:g}."
        )


def check_split(points, classes, test_size):
    """Raise a ValueError where a train or a test set would have no room for every class."""
    test_points = ceil(points * test_size)
    if min(test_points, points - test_points) < classes:
        raise ValueError(
            f"test_size must leave at least {classes} of the {points} points on either side; "
            f"got {test_size}."
        )


def fill_in(settings: dict) -> dict:
    """Return settings with the data set's own in the place of what is missing or None."""
    check_settings(data=settings["data"])
    data = CSV if is_csv(settings["data"]) else settings["data"]
    given = {name: value for name, value in settings.items() if value is not None}
    of_data = {name for own in DATASETS.values() for name in own} - {"hidden_units", "epochs"}
    for name in given.keys() & of_data:
        if name not in DATASETS[data]:
            names = ", ".join(DATASETS[data])
            raise ValueError(
                f"{name} is no setting of {data}, which has {names}; got {shown(given[name])}."
            )
    return DATASETS[data] | given


def keywords_of(function, settings: dict) -> dict:
    """Return those of the settings that are keyword-only arguments of the function."""
    parameters = signature(function).parameters.values()
    names = [p.name for p in parameters if p.kind is Parameter.KEYWORD_ONLY]
    return {name: settings[name] for name in names if name in settings}
