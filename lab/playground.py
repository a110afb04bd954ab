"""A playground for a notebook: settings as sliders, and a picture that follows the training."""

import asyncio
import base64
import html
import inspect
import math
import re
import shlex
import time
from contextlib import contextmanager
from inspect import signature
from pathlib import Path

import ipywidgets as widgets
import torch
import traitlets
from torch import nn

import train
from lab.live_picture import WIDTH, LivePicture
from lab.parser import as_sentence
from lab.stepwise import Stepwise
from model import CircleModelV2, widths_of
from support.best_possible import best_possible_accuracy
from support.checks import check_settings, fill_in, keywords_of
from support.csv_file import is_csv, read_csv
from support.datasets import DATASETS
from support.datasets import NAMES as DATASET_NAMES
from support.layers import ACTIVATIONS
from support.text import as_argument, percent
from support.threads import is_small
from train import Training, build, evaluate, make_data, resolve_device

FRAME = 0.08  # seconds from one picture to the next, where there is time to spare
TRAINING = 0.1  # seconds of training between two pictures at most, so that buttons answer
PATIENCE = 10  # seconds of training at most for a picture of a playground that isn't trained yet
OWN_CSV = "a CSV file"

OF_DATA = ("features", "label", "samples", "noise", "factor", "classes")  # not every data set's
LIVE = ("lr", "momentum", "weight_decay")  # training goes on with another value
NAMES = ("data", *OF_DATA, "test_size", "seed", "hidden_units", "activation", "dropout")
NAMES += ("batch_norm", *LIVE, "batch_size")
HISTORY = ("epoch", "train_loss", "test_loss", "train_acc", "test_acc")

USUAL = {  # values for the sliders; the boxes beside them take others
    "samples": (100, 200, 300, 500, 1000, 2000, 5000, 10_000),
    "noise": (0.0, 0.01, 0.02, 0.03, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.4, 0.5, 0.7, 1.0),
    "factor": (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9),
    "classes": (2, 3, 4, 5, 6, 7, 8),
    "test_size": (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9),
    "seed": (*range(10), 42),
    "dropout": (0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8),
    "lr": (0.0001, 0.0003, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0),
    "momentum": (0.0, 0.5, 0.8, 0.9, 0.95, 0.99),
    "weight_decay": (0.0, 1e-5, 3e-5, 0.0001, 0.0003, 0.001, 0.003, 0.01, 0.03, 0.1),
    "batch_size": (1, 2, 4, 8, 16, 32, 64, 128, 256, 512, None),
    "speed": (1, 2, 5, 10, 20, 50, 100, 200, 500),
}
NO_PATH = "type the path of a CSV file, with a header, two columns of numbers and one of labels."
LABELS = {
    "data": "data set",
    "test_size": "test share",
    "hidden_units": "hidden units",
    "batch_norm": "batch norm",
    "lr": "learning rate",
    "weight_decay": "weight decay",
    "batch_size": "batch size",
    "points": "points shown",
}
ROW = {"width": "auto", "margin": "1px 2px", "min_width": "0"}
BUTTON = {"width": "82px", "flex": "0 0 auto"}
HEADING = '<div style="font-weight: bold; line-height: 20px">{}</div>'
CELL = 'style="padding: 0 14px 0 0; line-height: 17px; font-variant-numeric: tabular-nums"'
ERROR = (
    'role="alert" style="background: #fbe3e4; color: #8a1f11; padding: 4px 8px; line-height: 1.4"'
)
PRE = (
    'style="user-select: all; white-space: pre-wrap; line-height: 1.35; margin: 0; '
    'padding: 6px 8px; border: 1px solid #bbb"'
)
ALL_THREADS = torch.get_num_threads()


class Number(widgets.HBox):
    """A slider over usual values, and a box that takes any other; `value` is what they show.

    Text that is no number becomes the value as it is, for a check of the settings to refuse.
    """

    value = traitlets.Any()

    def __init__(self, name: str, value, live: bool = False):
        self.slider = widgets.SelectionSlider(
            options=_texts(USUAL[name]),
            readout=False,
            continuous_update=live,
            **_described(name, flex="1 1 0", margin="0 2px"),
        )
        self.box = widgets.Text(continuous_update=False, layout={"width": "62px"})
        self.box.layout.margin = "0 2px"
        self.box.tooltip = f"{LABELS.get(name, name)}: any value"
        super().__init__([self.slider, self.box], layout=ROW)
        self._usual, self._showing = USUAL[name], False
        self.value = value
        self._show()
        self.observe(self._show, "value")
        self.slider.observe(self._take, "value")
        self.box.observe(self._take, "value")

    def _take(self, change):
        if not self._showing:
            self.value = _value(change.new)

    def _show(self, change=None):
        self._showing = True  # what is set now is no new input
        self.box.value = _text(self.value)
        if not isinstance(self.value, str):
            if self.value not in map(_value, self.slider.options):
                self.slider.options = _texts({*self._usual, self.value})
            self.slider.value = next(t for t in self.slider.options if _value(t) == self.value)
        self._showing = False


def _described(name, **layout):
    """Return what a control shows before itself, and its room in a row."""
    style = {"description_width": "88px"}
    return {"description": LABELS.get(name, name), "style": style, "layout": ROW | layout}


def _texts(values):
    return list(map(_text, sorted(values, key=lambda v: math.inf if v is None else v)))


def _text(value):
    return "all" if value is None else str(value)


def _value(text):
    for kind in ({"all": None}.__getitem__, int, float):
        try:
            return kind(text.strip())
        except (KeyError, ValueError):
            pass
    return text


class Run:
    """A model in training, and the history of its losses and accuracies."""

    def __init__(self, settings: dict, data):
        self._data = data
        with torch.random.fork_rng(devices=[]):
            self.model = build(CircleModelV2, settings, data)
            self.stepwise = Stepwise(self.model, data, keywords_of(Training, settings))
        self.history = {name: [] for name in HISTORY}
        self._record()

    def advance(self, epochs: int, seconds: float = math.inf) -> None:
        """Train, as `Stepwise` does, and add to the history; a FloatingPointError ends it."""
        self.stepwise.advance(epochs, seconds)
        self._record()

    def _record(self):
        data, epoch, history = self._data, self.stepwise.epoch, self.history
        train_loss, train_acc = evaluate(self.model, data.X_train, data.y_train)
        test_loss, test_acc = evaluate(self.model, data.X_test, data.y_test)
        if history["epoch"][-1:] == [epoch]:  # it is still going on
            for values in history.values():
                values.pop()
        elif len(history["epoch"]) >= 1000:  # half of them make as good a curve
            for values in history.values():
                del values[1::2]
        entry = (epoch, train_loss, test_loss, train_acc, test_acc)
        for values, value in zip(history.values(), entry, strict=True):
            values.append(value)
        if not math.isfinite(train_loss + test_loss):
            raise FloatingPointError(
                f"the loss must be finite; by epoch {epoch:,} it was {train_loss}. Try a smaller "
                "learning rate, momentum or weight decay, and press Reset."
            )


class Playground(widgets.VBox):
    """A model of `train.py` to play with: its data, its layers and its training.

    `settings` are keywords of `make_data`, `CircleModelV2` and `Training`, and are what the
    playground begins with. A setting that can't be is refused in a
    sentence, and the model stays as it was. Where there are no widgets to show, a picture stands
    for the playground: of its model, or of one trained for 300 epochs if it isn't trained yet.
    """

    shown = None  # the last one

    def __init__(self, **settings):
        unknown = sorted(settings.keys() - set(NAMES))
        if unknown:
            raise TypeError(f"settings must be among {', '.join(NAMES)}; got {unknown[0]}.")
        self._run, self._task, self._data = None, None, None
        self._wanted = self._quiet = False
        settings = self._defaults(settings.get("data", "circles")) | settings
        settings["hidden_units"] = widths_of(settings["hidden_units"])
        self._begin(settings)
        self._make_widgets()
        super().__init__(self._layout())
        self._draw_anew()

    # What the buttons do

    def step(self, epochs: int = 1) -> None:
        """Train so many epochs and show what has come of it."""
        self._run.advance(epochs)
        self._show()

    def reset(self) -> None:
        """Begin again at epoch 0 with the settings that the controls show; read a file anew."""
        read_csv.cache_clear()
        self._restart(anew=True)

    def play(self) -> None:
        """Train until `pause`, a few epochs at a time; the notebook stays free meanwhile."""
        self._wanted = True
        self._show_buttons()
        if self._task is None:
            self._task = asyncio.get_running_loop().create_task(self._play())

    def pause(self) -> None:
        """Stop at the end of the epoch."""
        self._wanted = False
        self._show_buttons()

    async def _play(self):
        try:
            while self._wanted or self._run.stepwise.in_epoch:
                start = time.monotonic()
                with self._errors_as_sentences():
                    epochs = self.controls["speed"].value if self._wanted else 1
                    check_settings(epochs=epochs)
                    self._run.advance(epochs, TRAINING)
                    self._show()
                await asyncio.sleep(max(FRAME - (time.monotonic() - start), 0.01))
        finally:
            self._task = None
            self.pause()

    # The state

    @property
    def settings(self) -> dict:
        """The settings of the model that is shown."""
        return dict(self._settings)

    @property
    def model(self) -> nn.Module:
        return self._run.model

    @property
    def epoch(self) -> int:
        return self._run.stepwise.epoch

    @property
    def history(self) -> dict[str, list]:
        """The losses and accuracies at the epochs that were drawn, as `train` returns them."""
        return self._run.history

    @property
    def picture(self) -> bytes:
        """The picture that is shown, as PNG."""
        return self._image.value

    @property
    def command(self) -> str:
        """The command that trains this model to the same weights, in the project's folder.

        Settings that train.py takes by itself are left out; at epoch 0 the epochs are, too.
        """
        words, defaults = [], self._defaults(self._settings["data"])
        if self._settings["data"] != "circles":
            words += ["--data", self._path(self._settings["data"])]
        for name in NAMES[1:]:
            value = self._settings[name]
            if value != defaults[name]:
                option = "--" + name.replace("_", "-")
                words += [option] if value is True else [option, as_argument(value)]
        if self.epoch > 0:
            words += ["--epochs", str(self.epoch)]
        if resolve_device("auto").type != "cpu":
            words += ["--device", "cpu"]
        return shlex.join(["python", "train.py", *words])

    @property
    def code(self) -> str:
        """The model, its loss and its optimizer as code that needs torch alone."""
        given = self._settings
        loss = "BCEWithLogitsLoss" if len(self._data.class_names) == 2 else "CrossEntropyLoss"
        return (
            f"{model_code(self.model, given['seed'])}\n"
            f"loss_fn = nn.{loss}()\n"
            "optimizer = torch.optim.SGD(\n"
            f"    model.parameters(), lr={given['lr']}, momentum={given['momentum']}, "
            f"weight_decay={given['weight_decay']}\n)"
        )

    def _path(self, data):
        """Return a file's path as seen from the project's folder, in full if it lies elsewhere."""
        if not is_csv(data):
            return data
        path, folder = Path(data).resolve(), Path(train.__file__).parent.resolve()
        return str(path.relative_to(folder) if path.is_relative_to(folder) else path)

    def _defaults(self, data):
        """Return what train.py takes for settings that it isn't given."""
        keywords = {}
        for function in (make_data, CircleModelV2, Training):
            keywords |= signature(function).parameters
        own = fill_in({"data": data})
        defaults = {name: own.get(name, keywords[name].default) for name in NAMES}
        defaults["hidden_units"] = widths_of(defaults["hidden_units"])
        return defaults

    def _begin(self, settings, anew=False):
        """Make a model at epoch 0, and data where there is other; on an error nothing changes."""
        data = self._data
        check_settings(**settings)
        of_data = keywords_of(make_data, settings)
        if anew or self._run is None or of_data != keywords_of(make_data, self._settings):
            data = make_data(**of_data)
        run = Run(settings, data)
        torch.set_num_threads(1 if is_small(run.model, data.X_train) else ALL_THREADS)
        self._run, self._data, self._settings, self._earlier = run, data, settings, {}
        best = best_possible_accuracy
        self._best = best(**keywords_of(best, settings))

    # Following the controls

    def _changed(self, name, value):
        """Do what the new value of a control asks for."""
        if self._quiet:
            return
        self.message.value = ""
        with self._errors_as_sentences():
            if name == "points":
                self._draw_anew()
            elif name in LIVE and self._run.stepwise.begun:
                self._run.stepwise.change(**{name: value})
                self._earlier.setdefault(name, self._settings[name])
                self._settings = self._settings | {name: value}
                self._show_texts()
            elif name != "speed":
                if name == "data":
                    self._take_own_settings(value)
                self._restart()

    def _take_own_settings(self, data):
        """Show the controls of a data set's own settings, with their defaults."""
        self._quiet = True
        for name, value in self._show_own_controls().items():
            if data != OWN_CSV and name in OF_DATA:
                self.controls[name].value = value
        self._quiet = False

    def _show_own_controls(self):
        """Show the controls of the data set's own settings and no others'; return the defaults."""
        data = self.controls["data"].value
        own = DATASETS["PATH.csv" if data == OWN_CSV else data]
        for name in ("path", *OF_DATA):
            shown = data == OWN_CSV if name == "path" else name in own
            self.controls[name].layout.display = "flex" if shown else "none"
        return own

    def _restart(self, anew=False):
        """Begin again at epoch 0 with the settings that the controls show."""
        settings = {name: self.controls[name].value for name in NAMES}
        own = self.controls["path"].value if settings["data"] == OWN_CSV else settings["data"]
        if not own:
            raise ValueError(NO_PATH)
        check_settings(data=own)
        used = DATASETS["PATH.csv" if is_csv(own) else own]
        settings |= {name: None for name in OF_DATA if name not in used}
        settings |= {name: settings[name] or None for name in ("features", "label")}
        settings |= {"data": own, "hidden_units": _widths(settings["hidden_units"])}
        self._begin(settings, anew)
        self._draw_anew()

    @contextmanager
    def _errors_as_sentences(self):
        """Show an error below the picture as a sentence, and pause."""
        try:
            yield
        except Exception as error:
            sentence = as_sentence(error)
            if sentence is None:
                raise
            self.message.value = f"<div {ERROR}>{html.escape(sentence)}</div>"
            self.pause()

    # The widgets

    def _make_widgets(self):
        shown = self._defaults("circles") | {"classes": 2}
        shown |= {name: value for name, value in self._settings.items() if value is not None}
        shown["batch_size"] = self._settings["batch_size"]

        def text(name, value, hint=""):
            options = dict(value=value or "", placeholder=hint, continuous_update=False)
            return widgets.Text(**options, **_described(name))

        def choice(name, options, value):
            return widgets.Dropdown(options=options, value=value, **_described(name))

        data = shown["data"]
        self.controls = {
            "data": choice("data", [*DATASET_NAMES, OWN_CSV], OWN_CSV if is_csv(data) else data),
            "path": text("path", data if is_csv(data) else "", "points.csv"),
            "features": text("features", shown["features"], "x1,x2 (the first two)"),
            "label": text("label", shown["label"], "y (the last)"),
            "hidden_units": text("hidden_units", as_argument(shown["hidden_units"])),
            "activation": choice("activation", list(ACTIVATIONS), shown["activation"]),
            "batch_norm": widgets.Checkbox(value=shown["batch_norm"], **_described("batch_norm")),
            "points": choice("points", ["train", "test"], "train"),
            "speed": Number("speed", 5, live=True),
        }
        for name in USUAL.keys() - {"speed"}:
            self.controls[name] = Number(name, shown[name], live=name in LIVE)
        for name, control in self.controls.items():
            control.observe(lambda change, name=name: self._changed(name, change.new), "value")
        self._show_own_controls()

        self.buttons = {}
        for name, icon, action in (
            ("Train", "play", self.play),
            ("Pause", "pause", self.pause),
            ("Step", "step-forward", self.step),
            ("Reset", "refresh", self.reset),
        ):
            button = widgets.Button(description=name, icon=icon, layout=BUTTON)
            button.on_click(lambda _, action=action: self._pressed(action))
            self.buttons[name] = button
        self.buttons["Train"].button_style = "primary"
        self._figures, self.message, self._note = (widgets.HTML() for _ in range(3))
        self.message.layout = {"min_height": "28px", "margin": "0 2px"}
        self._image = widgets.Image(format="png", layout={"width": f"{WIDTH}px"})
        self._image.layout.max_width = "100%"
        self._command, self._code = _Copyable("Command"), _Copyable("Code")
        self._show_buttons()

    def _layout(self):
        columns = {
            "Data": ("data", "path", *OF_DATA, "test_size", "seed"),
            "Network": ("hidden_units", "layers", "activation", "dropout", "batch_norm"),
            "Training": ("lr", "momentum", "weight_decay", "batch_size", "speed", "points"),
        }
        controls = self.controls | {"layers": self._layer_buttons()}
        boxes = [
            widgets.VBox(
                [widgets.HTML(HEADING.format(title)), *(controls[name] for name in names)],
                layout={"flex": "1 1 0", "min_width": "240px", "margin": "0 6px 0 0"},
            )
            for title, names in columns.items()
        ]
        return [
            widgets.HBox([*self.buttons.values(), self._figures]),
            self._image,
            self.message,
            widgets.HBox(boxes, layout={"flex_flow": "row wrap"}),
            self._note,
            self._command,
            self._code,
        ]

    def _layer_buttons(self):
        """Return two buttons that add a layer like the last one, and take the last one away."""

        def change(more):
            widths = self._settings["hidden_units"]
            widths = (*widths, widths[-1]) if more else widths[:-1] or widths
            self.controls["hidden_units"].value = as_argument(widths)

        self.layer_buttons = []
        for name, icon, more in (("layer", "plus", True), ("layer", "minus", False)):
            button = widgets.Button(description=name, icon=icon, layout=ROW | {"flex": "1 1 0"})
            button.tooltip = "add a layer" if more else "take the last layer away"
            button.on_click(lambda _, more=more: change(more))
            self.layer_buttons.append(button)
        room = widgets.Label(layout={"width": "96px", "margin": "0"})
        return widgets.HBox([room, *self.layer_buttons], layout=ROW)

    def _pressed(self, action):
        if action != self.pause:
            self.message.value = ""
        with self._errors_as_sentences():
            action()

    # Showing the state

    def _draw_anew(self):
        """Make a picture with axes of its own for the model, and show it."""
        self._picture = self._new_picture("decision boundary", self.model)
        self._show()

    def _new_picture(self, title, model):
        return LivePicture(model, self._data, self.controls["points"].value, title)

    def _show(self):
        self._image.value = self._picture.draw(self.model, self.history)
        self._show_texts()

    def _show_texts(self):
        last = {name: values[-1] for name, values in self.history.items()}
        best = "" if self._best is None else f"best possible {percent(self._best)}"
        rows = [
            f"<td {CELL}>{first}</td><td {CELL}>{part}</td>"
            f"<td {CELL}><b>{percent(last[f'{part}_acc'])}</b> right</td>"
            f"<td {CELL}>loss <b>{last[f'{part}_loss']:.4f}</b></td>"
            for first, part in ((f"epoch <b>{self.epoch:,}</b>", "train"), (best, "test"))
        ]
        self._figures.value = f"<table>{''.join(f'<tr>{row}</tr>' for row in rows)}</table>"
        self._note.value = self._note_on_changes()
        self._command.text, self._code.text = self.command, self.code

    def _note_on_changes(self):
        earlier = [f"{LABELS.get(k, k)} was {v}" for k, v in self._earlier.items()]
        if not earlier:
            return ""
        return (
            f"Earlier in this training the {' and the '.join(earlier)}. The command takes the "
            "present value from the start, so its weights differ, until you Reset and Train anew."
        )

    def _show_buttons(self):
        for name in ("Train", "Step"):
            self.buttons[name].disabled = self._wanted
        self.buttons["Pause"].disabled = not self._wanted

    def _repr_mimebundle_(self, **keywords):
        if Playground.shown not in (None, self):  # its cell has been run again, perhaps
            Playground.shown.pause()
        Playground.shown = self
        run = self._run if self._run.stepwise.begun else self._trained()
        accuracy = percent(run.history["test_acc"][-1])
        title = f"epoch {run.stepwise.epoch:,}: {accuracy} of the test points right"
        picture = self._new_picture(title, run.model).draw(run.model, run.history, small=True)
        bundle = super()._repr_mimebundle_(**keywords)
        bundle["text/plain"] = f"Playground, {title}"
        return bundle | {"image/png": base64.b64encode(picture).decode()}

    def _trained(self):
        """Return a run of the same settings for 300 epochs, or what can be had of them."""
        run = Run(self._settings, self._data)
        end = time.monotonic() + PATIENCE
        try:
            while run.stepwise.epoch < 300 and time.monotonic() < end:
                run.advance(10, PATIENCE)
        except FloatingPointError:
            return self._run
        return run


class _Copyable(widgets.VBox):
    """A heading with a Copy button, above text that a click selects as well."""

    count = 0

    def __init__(self, title):
        _Copyable.count += 1
        self._name = f"playground-{title.lower()}-{_Copyable.count}"
        copy = (
            f"getSelection().selectAllChildren(document.getElementById('{self._name}'));"
            "document.execCommand('copy')"
        )
        heading = f'<b>{title}</b> <button type="button" onclick="{copy}">Copy</button>'
        self._pre = widgets.HTML()
        super().__init__([widgets.HTML(heading), self._pre])

    @property
    def text(self):
        return self._text

    @text.setter
    def text(self, text):
        self._text = text
        self._pre.value = f'<pre id="{self._name}" {PRE}>{html.escape(text)}</pre>'


def model_code(model: nn.Module, seed: int) -> str:
    """Return code that makes the layers of a model, with the initial weights of the seed.

    Layers that torch doesn't have come with their source.
    """
    own = {type(layer) for layer in model.layers if not type(layer).__module__.startswith("torch.")}
    lines = ["import torch", "from torch import nn", ""]
    for kind in sorted(own, key=lambda kind: kind.__name__):
        lines += ["", inspect.getsource(kind), ""]
    lines += [f"torch.manual_seed({seed})", "model = nn.Sequential("]
    for layer in model.layers:
        name = type(layer).__name__
        arguments = ARGUMENTS.get(name, lambda layer: "")(layer)
        lines.append(f"    {'' if type(layer) in own else 'nn.'}{name}({arguments}),")
    return "\n".join([*lines, ")"])


ARGUMENTS = {
    "Linear": lambda layer: f"{layer.in_features}, {layer.out_features}",
    "BatchNorm1d": lambda layer: f"{layer.num_features}",
    "Dropout": lambda layer: f"{layer.p}",
    "Standardize": lambda layer: f"{layer.mean.tolist()}, {layer.std.tolist()}",
}


def _widths(text):
    """Return (8, 4) from 8x4, 8, 4 or 8 4; other text as it is, for a check to refuse."""
    try:
        return tuple(int(width) for width in re.split(r"[\sx,;]+", text.strip(" x,;")))
    except ValueError:
        return text
