"""The playground trains as train.py does, follows its controls, and refuses in a sentence."""

import asyncio
import base64
import io
import math
import os
import shlex
import signal
import threading

import numpy as np
import pytest
import torch
from matplotlib.colors import to_rgb
from PIL import Image
from torch import nn

import train as script
from helper_functions import CLASS_COLORS
from lab import command_line
from lab.live_picture import (
    GAP,
    HEIGHT,
    PLANE,
    SMALLEST,
    UNIT_COLORS,
    UNITS,
    LivePicture,
    hidden_activations,
    plane_limits,
)
from lab.playground import Number, Playground
from lab.stepwise import Stepwise
from model import CircleModelV2, load_model
from support.checks import keywords_of

pytestmark = pytest.mark.usefixtures("no_pictures")
RANDOM = dict(hidden_units=(8, 4), dropout=0.2, batch_norm=True, batch_size=64, seed=3)


def make(**settings):
    """Return data, a model at its initial weights, and the keywords of `train`."""
    settings = {"seed": 42} | settings
    data = script.make_data(**keywords_of(script.make_data, settings))
    return data, script.build(CircleModelV2, settings, data), keywords_of(script.Training, settings)


def same_state(one, other):
    pairs = zip(one.state_dict().values(), other.state_dict().values(), strict=True)
    return all(torch.equal(a, b) for a, b in pairs)


@pytest.fixture
def stepwise():
    """Make a Stepwise from settings."""

    def make_one(**settings):
        data, model, keywords = make(**settings)
        return Stepwise(model, data, keywords)

    return make_one


# Training in steps


@pytest.mark.parametrize("settings", [{}, RANDOM])
def test_training_in_steps_gives_the_weights_of_one_call(stepwise, settings):
    data, expected, keywords = make(**settings)
    script.train(expected, data, **keywords, epochs=25)
    training = stepwise(**settings)
    for epochs in (1, 2, 7, 15):
        training.advance(epochs)
        torch.rand(3)  # whoever else draws random numbers
    assert training.epoch == 25
    assert same_state(training.model, expected)


def test_it_stops_between_batches_when_the_time_is_over(stepwise):
    data, expected, keywords = make(**RANDOM)
    script.train(expected, data, **keywords, epochs=2)
    training = stepwise(**RANDOM)
    stops_within = 0
    while training.epoch < 2:
        training.advance(2 - training.epoch, seconds=0)
        stops_within += training.in_epoch
    assert stops_within == 2 * 13  # before each of the 13 batches of 800 points
    assert same_state(training.model, expected)


def test_it_trains_as_many_epochs_as_are_asked_for(stepwise):
    for _ in range(30):  # a thread may be ahead or behind
        training = stepwise(samples=10)
        training.advance(1)
        assert (training.epoch, training.in_epoch) == (1, False)
        training.advance(3)
        assert (training.epoch, training.in_epoch) == (4, False)


def test_the_random_state_of_others_stays(stepwise):
    training = stepwise(**RANDOM)
    before = torch.get_rng_state()
    training.advance(2)
    assert torch.equal(torch.get_rng_state(), before)


def test_another_learning_rate_acts_at_once_and_keeps_the_momentum(stepwise):
    data, expected, _ = make()
    optimizer = torch.optim.SGD(expected.parameters(), lr=0.1, momentum=0.9, fused=True)
    for epoch in range(20):
        if epoch == 10:
            optimizer.param_groups[0].update(lr=0.02, momentum=0.5, weight_decay=0.01)
        loss = nn.functional.binary_cross_entropy_with_logits(expected(data.X_train), data.y_train)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    training = stepwise()
    training.advance(10)
    training.change(lr=0.02, momentum=0.5, weight_decay=0.01)
    training.advance(10)
    assert same_state(training.model, expected)
    with pytest.raises(ValueError, match="lr must be a number above 0"):
        training.change(lr=0)


def test_a_change_before_the_first_epoch_counts_from_the_start(stepwise):
    data, expected, keywords = make()
    script.train(expected, data, **keywords, epochs=5, lr=0.5)
    training = stepwise()
    training.change(lr=0.5)
    training.advance(5)
    assert same_state(training.model, expected)


def test_an_error_of_the_training_is_raised_each_time():
    class Broken(nn.Module):
        def __init__(self):
            super().__init__()
            self.weight = nn.Parameter(torch.ones(1))

        def forward(self, x):
            raise ArithmeticError("no")

    data, _, keywords = make()
    training = Stepwise(Broken(), data, keywords)
    for _ in range(2):
        with pytest.raises(ArithmeticError, match="no"):
            training.advance()


@pytest.mark.skipif(os.name == "nt", reason="Windows has no signals for threads")
def test_an_interrupt_stops_it_and_it_goes_on(stepwise):
    training = stepwise(**RANDOM)
    training.advance()
    main = threading.main_thread().ident
    timer = threading.Timer(0.2, signal.pthread_kill, (main, signal.SIGINT))
    timer.start()
    with pytest.raises(KeyboardInterrupt):
        training.advance(10**6)
    timer.join()
    training.advance()
    data, expected, keywords = make(**RANDOM)
    script.train(expected, data, **keywords, epochs=training.epoch)
    assert same_state(training.model, expected)


# The picture


def picture_of(model, data, **options):
    picture = LivePicture(model, data, **options)
    history = {"epoch": [0], "train_loss": [0.7], "test_loss": [0.7]}
    return picture, Image.open(io.BytesIO(picture.draw(model, history)))


def pixel_of(image, data, point):
    """Return the colour of the picture where a point of the plane lies."""
    left, top, width, height = PLANE
    limits = plane_limits(data).values()
    x, y = ((c - low) / (high - low) for c, (low, high) in zip(point, limits, strict=True))
    return np.array(image.getpixel((round(left + x * width), round(top + (1 - y) * height))), int)


def test_the_picture_shows_what_the_model_says():
    data, model, keywords = make()
    picture, before = picture_of(model, data)
    script.train(model, data, **keywords)
    history = {"epoch": [0, 300], "train_loss": [0.7, 0.1], "test_loss": [0.7, 0.1]}
    after = Image.open(io.BytesIO(picture.draw(model, history)))
    red, _, blue = pixel_of(after, data, (0, 0))
    assert blue > red + 50  # inside, class 1
    red, _, blue = pixel_of(after, data, (-1.05, -1.05))
    assert red > blue + 50
    assert abs(pixel_of(before, data, (0, 0)) - pixel_of(after, data, (0, 0))).max() > 50


@pytest.mark.parametrize("part", ["train", "test"])
def test_the_points_shown_are_those_asked_for(part):
    data, model, _ = make(samples=100)
    image = picture_of(model, data, points=part)[1]
    for other in ("train", "test"):
        X, y = getattr(data, f"X_{other}"), getattr(data, f"y_{other}")
        colors = [255 * np.array(to_rgb(CLASS_COLORS[int(label)])) for label in y]
        seen = [pixel_of(image, data, point) for point in X.tolist()]
        right = [abs(a - b).max() < 5 for a, b in zip(seen, colors, strict=True)]
        assert (np.mean(right) > 0.9) == (other == part)


@pytest.mark.parametrize("arguments", [{}, {"activation": "tanh", "batch_norm": True}])
def test_hidden_activations_are_those_of_the_layers_and_change_nothing(arguments):
    _, model, _ = make(hidden_units=(5, 3), dropout=0.5, **arguments)
    model.train()
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    X = torch.randn(7, 2)
    first, second = hidden_activations(model, X)
    assert model.training
    assert all(torch.equal(before[name], t) for name, t in model.state_dict().items())
    assert (first.shape, second.shape) == ((7, 5), (7, 3))
    model.eval()
    torch.testing.assert_close(model(X), model.layers.output(second))
    if not arguments:
        torch.testing.assert_close(first, torch.relu(model.layers.hidden_1(X)))


def test_a_unit_is_drawn_with_its_own_activation():
    data, model, _ = make(hidden_units=(3,))
    picture, image = picture_of(model, data)
    xs, ys = (np.linspace(*limits, picture._side) for limits in picture._limits.values())
    row, column, unit = 5, picture._side - 4, 1
    grid = torch.tensor([[x, y] for y in ys[::-1] for x in xs], dtype=torch.float32)
    values = torch.relu(model.layers.hidden_1(grid)).detach()
    value = values[row * picture._side + column, unit] / values.max()
    left, top, _, _ = UNITS
    top += 14 + row  # below the heading
    left += unit * (picture._side + GAP) + column
    expected = UNIT_COLORS[int(127.5 * (value + 1))]
    assert np.abs(np.array(image.getpixel((left, top)), int) - expected).max() <= 2


@pytest.mark.parametrize("widths", [(1,), (16, 16), (500, 3), (8,) * 12, (64,) * 30, (10_000,)])
def test_the_units_have_room_and_the_rest_is_counted(widths):
    data, model, _ = make(hidden_units=(2, 2))
    picture = LivePicture(model, data)
    texts = len(picture._figure.texts)
    picture._lay_out_units(list(widths))
    assert picture._side >= SMALLEST
    headings = [text.get_text() for text in picture._figure.texts[texts:]]
    bottoms = [HEIGHT - image.oy for image in picture._units]
    assert max(bottoms) <= UNITS[1] + UNITS[3]
    for heading, units, image in zip(headings, widths, picture._units, strict=False):
        room = math.prod(n // (picture._side + GAP) for n in image.get_array().shape[:2])
        assert heading.startswith(f"layer {headings.index(heading) + 1}: {units} unit")
        assert image.ox + image.get_array().shape[1] <= UNITS[0] + UNITS[2]
        assert (f"the first {room} shown" in heading) == (room < units)
    hidden = len(widths) - len(headings)
    assert (f"; {hidden} more layers not shown" in headings[-1]) == (hidden > 0)


# The command and the code


@pytest.fixture
def table(tmp_path):
    """A CSV file of three kinds of points."""
    random = np.random.default_rng(0)
    rows = [
        f"{x:.3f},{y:.3f},{kind}"
        for kind, (a, b) in {"ash": (0, 90), "elm": (3, 50), "oak": (6, 120)}.items()
        for x, y in random.normal((a, b), (1, 10), (40, 2))
    ]
    path = tmp_path / "some trees.csv"
    path.write_text("\n".join(["height,girth,tree", *rows]))
    return str(path)


CASES = [
    {"seed": 7},
    dict(data="spirals", classes=3, hidden_units=(8, 4), activation="tanh", weight_decay=0.001),
    dict(data="moons", samples=200, noise=0.3, hidden_units=(12,), test_size=0.5, lr=0.05) | {},
    RANDOM,
    {"data": "CSV", "momentum": 0.5},
]


@pytest.mark.parametrize("settings", CASES, ids=lambda case: "-".join(case))
def test_the_command_trains_the_same_weights(settings, table, tmp_path):
    if settings.get("data") == "CSV":
        settings = settings | {"data": table}
    playground = Playground(**settings)
    playground.step(12)
    playground.step(8)
    python, file, *arguments = shlex.split(playground.command)
    assert (python, file, arguments[-2:]) == ("python", "train.py", ["--epochs", "20"])
    command_line.main([*arguments, "--out", str(tmp_path)])
    assert same_state(load_model(tmp_path / "circle_model_v2.safetensors"), playground.model)


def test_the_command_leaves_out_what_train_takes_by_itself():
    assert Playground().command == "python train.py"
    spirals = Playground(data="spirals", hidden_units=32)
    assert spirals.command == "python train.py --data spirals"


def test_the_command_stays_on_the_processor_where_train_would_take_another(monkeypatch):
    monkeypatch.setattr(script, "resolve_device", lambda name: torch.device("cuda"))
    assert Playground().command == "python train.py --device cpu"


@pytest.mark.parametrize("activation", ["relu", "step", "leaky_relu"])
def test_the_code_makes_the_same_model(activation, table):
    settings = dict(activation=activation, dropout=0.2, batch_norm=True, hidden_units=(8, 4))
    playground = Playground(data=table, seed=5, **settings)
    pasted = {"__name__": "pasted"}
    exec(playground.code, pasted)
    assert isinstance(pasted["loss_fn"], nn.CrossEntropyLoss)
    X = torch.randn(9, 2)
    torch.testing.assert_close(pasted["model"].eval()(X), playground.model.eval()(X))
    assert pasted["optimizer"].param_groups[0]["momentum"] == 0.9


# The controls


def test_a_number_takes_other_values_than_the_usual():
    number = Number("lr", 0.1)
    assert (number.slider.value, number.box.value) == ("0.1", "0.1")
    number.slider.value = "0.3"
    assert (number.value, number.box.value) == (0.3, "0.3")
    number.box.value = "0.25"
    assert (number.value, number.slider.value) == (0.25, "0.25")
    number.box.value = "1"
    assert (number.value, number.slider.value) == (1, "1.0")
    number.box.value = "much"
    assert number.value == "much"
    assert Number("batch_size", None).box.value == "all"


def test_live_settings_act_in_the_middle_and_others_start_anew():
    playground = Playground()
    playground.step(5)
    for name, value in {"lr": 0.05, "momentum": 0.5, "weight_decay": 0.01}.items():
        playground.controls[name].value = value
        assert playground.epoch == 5
        assert playground._run.stepwise.training.optimizer.param_groups[0][name] == value
    assert "learning rate was 0.1" in playground._note.value
    for name, value in {
        "noise": 0.1,
        "samples": 300,
        "factor": 0.5,
        "seed": 1,
        "test_size": 0.3,
        "hidden_units": "4x3x2",
        "activation": "gelu",
        "dropout": 0.1,
        "batch_norm": True,
        "batch_size": 32,
        "data": "moons",
    }.items():
        playground.step()
        playground.controls[name].value = value
        assert playground.epoch == 0
        assert playground.settings[name] == ((4, 3, 2) if name == "hidden_units" else value)
    assert playground._note.value == ""
    assert playground.settings["lr"] == 0.05


def test_layers_are_added_and_taken_away():
    playground = Playground(hidden_units=(8, 4))
    more, fewer = playground.layer_buttons
    more.click()
    assert playground.settings["hidden_units"] == (8, 4, 4)
    for _ in range(3):
        fewer.click()
    assert playground.settings["hidden_units"] == (8,)


@pytest.mark.parametrize(
    ("control", "value", "sentence"),
    [
        ("noise", "x", "noise must be a number from 0 to 100; got &#x27;x&#x27;."),
        ("lr", -1, "lr must be a number above 0"),
        ("samples", 3, "samples must be a whole number from 10"),
        ("hidden_units", "8, many", "hidden_units must be a whole number from 1"),
        ("data", "a CSV file", "type the path of a CSV file"),
    ],
)
def test_a_wrong_setting_is_refused_in_a_sentence(control, value, sentence):
    playground = Playground()
    playground.step(5)
    right, settings = playground.controls[control].value, playground.settings
    playground.controls[control].value = value
    assert sentence in playground.message.value
    assert (playground.epoch, playground.settings) == (5, settings)
    playground.controls[control].value = right
    assert playground.message.value == ""


def test_a_file_that_cant_be_used_is_told_of(table, tmp_path):
    playground = Playground()
    playground.controls["data"].value = "a CSV file"
    playground.controls["path"].value = str(tmp_path / "none.csv")
    assert "can&#x27;t be read: No such file" in playground.message.value
    playground.controls["path"].value = "points.txt"
    assert "or the path of a .csv file" in playground.message.value
    playground.controls["path"].value = table
    assert playground.message.value == ""
    assert playground.model.layers.output.out_features == 3
    playground.controls["label"].value = "bush"
    assert "must have the column" in playground.message.value


def test_names_with_dollar_signs_are_shown_as_they_are(tmp_path):
    path = tmp_path / "prices.csv"
    points = np.random.default_rng(0).normal(size=(40, 2))
    rows = [f"{x:.3f},{y:.3f},{'$a_$' if x > 0 else '$'}" for x, y in points]
    path.write_text("\n".join(["$x_$,y$,kind", *rows]))
    Playground(data=str(path)).step(3)


def test_a_file_that_is_gone_leaves_the_model_as_it_was(table):
    playground = Playground(data=table)
    playground.step(3)
    os.remove(table)
    playground.buttons["Reset"].click()
    assert "can&#x27;t be read" in playground.message.value
    playground.buttons["Step"].click()
    assert playground.epoch == 4
    assert playground.message.value == ""


def test_reset_reads_a_file_anew_and_gives_the_initial_weights(table):
    playground = Playground(data=table)
    initial = {name: tensor.clone() for name, tensor in playground.model.state_dict().items()}
    playground.step(3)
    with open(table, "a") as file:
        file.write("\n" + "\n".join("3,3,fir" for _ in range(10)))
    playground.buttons["Reset"].click()
    assert playground.epoch == 0
    assert playground.model.layers.output.out_features == 4
    same = playground.model.layers.hidden_1.weight
    assert torch.equal(same, initial["layers.hidden_1.weight"])


def test_only_the_data_sets_own_settings_are_shown():
    playground = Playground()

    def shown():
        names = ("samples", "noise", "factor", "classes", "path", "features", "label")
        return [name for name in names if playground.controls[name].layout.display != "none"]

    assert shown() == ["samples", "noise", "factor"]
    playground.controls["data"].value = "blobs"
    assert shown() == ["samples", "noise", "classes"]
    assert playground.settings["classes"] == 3
    assert playground.settings["factor"] is None
    playground.controls["data"].value = "a CSV file"
    assert shown() == ["path", "features", "label"]


def test_a_loss_that_isnt_finite_pauses_with_a_sentence():
    playground = Playground(activation="identity", lr=1e30)
    for _ in range(3):
        playground.buttons["Step"].click()
    assert "the loss must be finite" in playground.message.value
    playground.controls["lr"].value = 0.1
    playground.buttons["Reset"].click()
    assert playground.message.value == ""


def test_unknown_settings_are_named():
    with pytest.raises(TypeError, match=r"settings must be among data, .* got colour"):
        Playground(colour="red")
    with pytest.raises(ValueError, match="lr must be"):
        Playground(lr=0)


# Playing


def play(playground, *steps):
    """Press Train, and run each of the steps when ten more epochs are over; then Pause."""

    async def run():
        playground.buttons["Train"].click()
        for step in steps:
            until = playground.epoch + 10
            while playground.epoch < until:
                await asyncio.sleep(0.01)
            step()
        playground.buttons["Pause"].click()
        while playground._task is not None:
            await asyncio.sleep(0.01)

    asyncio.run(asyncio.wait_for(run(), timeout=3600))


def test_it_trains_between_train_and_pause():
    playground = Playground()
    before = playground.picture
    states = []
    play(playground, lambda: states.append(dict(buttons(playground))))
    assert states == [{"Train": True, "Pause": False, "Step": True, "Reset": False}]
    assert buttons(playground) == {"Train": False, "Pause": True, "Step": False, "Reset": False}
    assert playground.epoch >= 10
    assert playground.picture != before
    assert f"--epochs {playground.epoch}" in playground._command.text
    assert f"<b>{playground.epoch:,}</b>" in playground._figures.value
    data, expected, keywords = make()
    script.train(expected, data, **keywords, epochs=playground.epoch)
    assert same_state(playground.model, expected)


def buttons(playground):
    return {name: button.disabled for name, button in playground.buttons.items()}


def test_changes_while_it_trains():
    playground = Playground()

    def change(name, value):
        return lambda: setattr(playground.controls[name], "value", value)

    play(
        playground,
        change("lr", 0.03),
        change("hidden_units", "8"),
        lambda: None,
        change("data", "spirals"),
        lambda: None,
        change("speed", 20),
        lambda: None,
    )
    assert playground.message.value == ""
    assert playground.epoch >= 20
    assert playground.settings["data"] == "spirals"


def test_pause_stops_between_two_epochs():
    # An epoch takes longer than a frame.
    playground = Playground(script, samples=1500, batch_size=1)

    async def run():
        playground.play()
        while not playground._run.stepwise.in_epoch:
            await asyncio.sleep(0.01)
        playground.pause()
        while playground._task is not None:
            await asyncio.sleep(0.01)

    asyncio.run(asyncio.wait_for(run(), timeout=3600))
    assert (playground.epoch, playground._run.stepwise.in_epoch) == (1, False)


def test_a_refused_setting_pauses_and_train_goes_on():
    playground = Playground()
    plays = []

    def refuse():
        playground.controls["noise"].value = "x"
        plays.append(playground._wanted)

    play(playground, refuse)
    assert plays == [False]
    epoch = playground.epoch
    assert "noise must be" in playground.message.value
    play(playground, lambda: None)
    assert playground.epoch >= epoch + 10


# Without widgets


def test_a_picture_stands_for_the_playground_where_there_are_no_widgets():
    playground = Playground()
    bundle = playground._repr_mimebundle_()
    assert bundle["text/plain"].startswith("Playground, epoch 300: ")
    assert "application/vnd.jupyter.widget-view+json" in bundle
    image = Image.open(io.BytesIO(base64.b64decode(bundle["image/png"]))).convert("RGB")
    red, _, blue = pixel_of(image, playground._data, (0, 0))
    assert blue > red + 50  # it is trained
    assert playground.epoch == 0  # the playground isn't
    playground.step(2)
    assert "epoch 2:" in playground._repr_mimebundle_()["text/plain"]


def test_a_picture_of_a_training_that_fails_is_of_its_beginning():
    bundle = Playground(activation="identity", lr=1e30)._repr_mimebundle_()
    assert bundle["text/plain"].startswith("Playground, epoch 0: ")


def test_a_playground_that_is_shown_pauses_the_one_before():
    first, second = Playground(), Playground()
    first._repr_mimebundle_()
    plays = []
    play(first, lambda: (second._repr_mimebundle_(), plays.append(first._wanted)))
    assert plays == [False]


def test_a_long_history_is_thinned_out():
    playground = Playground(samples=20, hidden_units=(1,))
    for _ in range(1100):
        playground._run.advance(1)
    epochs = playground.history["epoch"]
    assert len(epochs) < 1000
    assert epochs[0] == 0
    assert epochs[-1] == 1100
    assert epochs == sorted(set(epochs))
    assert {len(values) for values in playground.history.values()} == {len(epochs)}
    assert all(map(math.isfinite, playground.history["train_loss"]))
