"""The rule that each setting must keep, written once for the functions and the command line."""

from math import ceil, isfinite
from numbers import Integral, Real


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
    return isinstance(value, Real) and isfinite(value)


def _or_none(rule_and_test):
    rule, test = rule_and_test
    return rule, lambda value: value is None or test(value)


RULES = {
    "samples": _whole(10, 10**8),
    "noise": _number(0, 100),
    "factor": _below(0, 1),
    "test_size": _between(0, 1),
    "seed": _whole(0, 2**32 - 1),
    "seeds": _whole(1, 10**6),
    "in_features": _whole(1, 10_000),
    "hidden_units": _whole(1, 10_000),
    "out_features": _whole(1, 10_000),
    "dropout": _below(0, 1),
    "batch_norm": ("True or False", lambda value: isinstance(value, bool)),
    "epochs": _whole(1, 10**9),
    "lr": _between(0, float("inf")),
    "momentum": _below(0, 1),
    "weight_decay": _below(0, float("inf")),
    "batch_size": _or_none(_whole(1, 10**9)),
    "record_every": _whole(1, 10**9),
}


def check_settings(**settings):
    """Raise a ValueError that gives the name, the rule and the value of a setting out of range."""
    for name, value in settings.items():
        rule, test = RULES[name]
        if not test(value):
            raise ValueError(f"{name} must be {rule}; got {value!r}.")
    if "samples" in settings and "test_size" in settings:
        samples, test_size = settings["samples"], settings["test_size"]
        test_points = ceil(samples * test_size)
        if min(test_points, samples - test_points) < 2:
            raise ValueError(
                f"test_size must leave at least 2 of the {samples} points on either side; "
                f"got {test_size}."
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
