"""The page that trains in any browser: one file of HTML, put together from the sources in page/.

python -m lab.page docs/index.html
"""

import base64
import html
import json
import re
import sys
from pathlib import Path

import numpy as np
import torch

from model import CircleModelV0, CircleModelV2
from support.files import write_atomically
from support.layers import widths_of
from train import make_data

SOURCES = Path(__file__).parent.parent / "page"
INCLUDED = re.compile(r'<link rel="stylesheet" href="([\w.]+)">|<script src="([\w.]+)"></script>')
NAMES = {CircleModelV0: "linear", CircleModelV2: "bent"}  # what the page calls the two networks
MADE = ("circles", "moons", "xor", "gaussians", "spirals", "blobs")  # what it makes by itself
MOST_MADE = 20_000  # points that it makes
MOST_SHOWN = 5_000  # points of one part that it is given
MOST_NUMBERS = 1_000_000  # weights of all snapshots together, some five bytes each


def build_page(run: dict | None = None) -> str:
    """Return the page as text; it needs no other file and no network.

    run: a training for the page to open with, as `film_run` makes it. Without one the page opens
        with both networks at their default settings, before the first epoch.
    """

    def inlined(match):
        style, script = match.groups()
        tag = "style" if style else "script"
        text = (SOURCES / (style or script)).read_text(encoding="utf-8")
        return f"<{tag}>\n{text}</{tag}>"

    page = INCLUDED.sub(inlined, (SOURCES / "page.html").read_text(encoding="utf-8"))
    if run is not None:
        data = json.dumps(run, separators=(",", ":")).replace("<", "\\u003c")
        element = f'<script type="application/json" id="run">{data}</script>\n\n'
        page = page.replace("<script>", element + "<script>", 1)
    return page


def write_page(path: Path | str, run: dict | None = None) -> None:
    """Write the page to a file, all or nothing; `run` is as in `build_page`."""
    write_atomically(path, build_page(run).encode())


def film_page(data, models, epochs, states, settings: dict | None = None) -> str:
    """Return a page that plays a training, and goes on with it from any snapshot.

    data: the points that the models were trained on, a `train.Data`.
    models: a CircleModelV0, a CircleModelV2, or one of each.
    epochs: the epochs of the snapshots, rising.
    states: for each model, its state_dict at each of the epochs.
    settings: of `train.py`, such as data and lr; the page trains with them, and takes train.py's
        defaults for those that are missing.

    A page has room for 5,000 points of each part, and for a million weights: of more points every
    second, third ... is kept, and of large models fewer snapshots. Raises a ValueError for other
    models, and where the states aren't one for each epoch.
    """
    return build_page(film_run(data, models, epochs, states, settings))


def film_run(data, models, epochs, states, settings: dict | None = None) -> dict:
    """Return what `film_page` shows, for `build_page`."""
    kinds = [type(model) for model in models]
    if not kinds or len(set(kinds)) < len(kinds) or not set(kinds) <= NAMES.keys():
        raise ValueError(
            "models must be a CircleModelV0, a CircleModelV2, or one of each; got "
            f"{', '.join(kind.__name__ for kind in kinds) or 'none'}."
        )
    for kind, of_model in zip(kinds, states, strict=True):
        if len(of_model) != len(epochs):
            raise ValueError(
                f"states must be one for each of the {len(epochs)} epochs; got {len(of_model)} of "
                f"{kind.__name__}."
            )
    numbers = sum(_numbers(of_model[0]).size for of_model in states)
    kept = _spread(len(epochs), max(2, MOST_NUMBERS // numbers))
    order = sorted(range(len(models)), key=lambda i: NAMES[kinds[i]] == "bent")
    settings = settings or {}
    file = Path(str(settings.get("data", ""))).name
    return {
        "epochs": [epochs[i] for i in kept],
        "data": _exported(data),
        "settings": _page_settings(settings, models[order[-1]], len(models)),
        "file": file if file.lower().endswith(".csv") else None,
        "models": [
            {
                "name": NAMES[kinds[i]],
                "settings": _network_settings(models[i]),
                "states": [_encoded(_numbers(states[i][k])) for k in kept],
            }
            for i in order
        ],
    }


def show_page(model=None, data=None, *, epoch: int = 0, height: int = 900):
    """Return the page for a notebook to show in a frame.

    model: a CircleModelV0 or CircleModelV2 for the page to open with, as it is now; without one
        the page opens with both, untrained.
    data: its points, a `train.Data`; by default the circles.
    epoch: how long the model has trained, for the page to count on from.
    height: of the frame, in pixels.
    """
    if model is None and data is None:
        return Frame(build_page(), height)
    data = make_data() if data is None else data
    models = [model] if model is not None else _untrained(data)
    states = [[model.state_dict()] for model in models]
    return Frame(build_page(film_run(data, models, [epoch], states)), height)


class Frame:
    """A page in a frame, which a notebook shows as the value of a cell."""

    def __init__(self, page: str, height: int):
        self.page, self.height = page, height

    def _repr_html_(self) -> str:
        style = f"width: 100%; height: {self.height}px; border: 0"
        return (
            f'<iframe title="two networks to train" style="{style}" allow="clipboard-write" '
            f'srcdoc="{html.escape(self.page)}"></iframe>'
        )

    def __repr__(self) -> str:
        return "A page to train networks in: run this cell in a notebook to see it."


def _untrained(data):
    """Return both models for the data, with the initial weights of train.py's default seed."""
    classes, models = len(data.class_names), []
    for kind in NAMES:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(42)
            outputs = 1 if classes == 2 else classes
            models.append(kind(out_features=outputs, standardize=data.standardize))
    return models


def _page_settings(settings, model, networks):
    """Return settings of train.py under the page's names; data that it can't make are its own."""
    made = settings.get("data") in MADE and settings.get("samples", 0) <= MOST_MADE
    names = ("seed", "test_size", "lr", "momentum", "weight_decay", "batch_size")
    names += ("data", "samples", "noise", "factor", "classes") if made else ()
    given = {} if made else {"data": "own", "samples": None, "noise": None, "factor": None}
    given |= {_camel(name): settings[name] for name in names if name in settings}
    network = _network_settings(model)
    network["activation"] = network["activation"] or "identity"
    return given | network | {"show": "both" if networks == 2 else "one"}


def _network_settings(model):
    arguments = model.arguments
    return {
        "hiddenUnits": list(widths_of(arguments["hidden_units"])),
        "activation": arguments.get("activation"),  # the linear model has none
        "dropout": arguments.get("dropout", 0),
        "batchNorm": arguments.get("batch_norm", False),
    }


def _camel(name):
    first, *others = name.split("_")
    return first + "".join(map(str.capitalize, others))


def _exported(data):
    """Return the points as the page reads them, and how many there are in all."""
    parts = {}
    for part, X, y in (("train", data.X_train, data.y_train), ("test", data.X_test, data.y_test)):
        kept = _spread(len(y), MOST_SHOWN)
        X, y = X.cpu().numpy()[kept], y.cpu().numpy()[kept, 0]
        parts[part] = {"X": _encoded(X), "y": y.astype(int).tolist()}
    return parts | {
        "count": len(data.y_train) + len(data.y_test),
        "classNames": list(data.class_names),
        "featureNames": data.feature_names and list(data.feature_names),
        "standardize": data.standardize
        and {"mean": list(data.standardize[0]), "std": list(data.standardize[1])},
    }


def _numbers(state):
    """Return a model's weights and running statistics in the order of its layers, float32."""
    left_out = ("num_batches_tracked", ".mean", ".std")  # a count; the inputs' own, in the data
    kept = [tensor for name, tensor in state.items() if not name.endswith(left_out)]
    return np.concatenate([tensor.detach().cpu().numpy().ravel() for tensor in kept])


def _encoded(numbers):
    return base64.b64encode(np.ascontiguousarray(numbers, "<f4")).decode()


def _spread(count, most):
    """Return at most so many of the indices below count, evenly, with the first and the last."""
    return np.unique(np.linspace(0, count - 1, min(count, most)).round().astype(int)).tolist()


if __name__ == "__main__":
    write_page(sys.argv[1])
