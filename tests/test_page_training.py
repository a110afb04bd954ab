"""The page computes what train.py computes: points, initial weights, losses, gradients, code."""

import contextlib
import json
import math
import shlex
import statistics

import numpy as np
import pytest
import torch
from chromium import chromium

from lab.command_line import main
from lab.page import build_page
from model import ACTIVATIONS, CircleModelV0, CircleModelV2
from support.best_possible import best_possible_accuracy
from support.checks import keywords_of
from train import Data, Training, evaluate, make_data, train

pytestmark = pytest.mark.browser
MARKS = (1, 10, 300)  # epochs at which page and script are compared


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    """The page in a browser that reaches no network; nothing may be said on its console."""
    file = tmp_path_factory.mktemp("page") / "index.html"
    file.write_text(build_page())
    with chromium() as browser:
        page = browser.new_context(offline=True).new_page()
        said = []
        page.on("console", lambda message: said.append(message.text))
        page.on("pageerror", lambda error: said.append(str(error)))
        page.goto(file.as_uri())
        yield page
        assert said == []


# The points and the weights that each seed begins with

SETTINGS = """given => {
    const settings = { ...withDataset(DEFAULTS, given.data ?? "circles"), ...given };
    const data = split(makeTable(settings), settings.testSize, settings.seed);
    return [data.train, data.test].map(({ X, y }) => [X.map(row => [...row]), [...y]]);
}"""


@pytest.mark.parametrize(
    "given",
    [
        *(dict(data=name) for name in ("circles", "moons", "xor", "gaussians", "spirals", "blobs")),
        dict(samples=301, noise=0.0, factor=0.5, seed=0),
        dict(data="moons", samples=77, noise=0.3, test_size=0.33, seed=5),
        dict(data="blobs", samples=333, classes=5, seed=2**32 - 1),
        dict(data="spirals", samples=999, classes=3, seed=7),
        dict(data="xor", samples=10, test_size=0.5, seed=1),
    ],
    ids=str,
)
def test_points_are_those_of_train_py_to_the_bit(page, given):
    data = make_data(**given)
    names = {"test_size": "testSize"}
    parts = page.evaluate(SETTINGS, {names.get(name, name): v for name, v in given.items()})
    for (X, y), X_here, y_here in zip(
        parts, (data.X_train, data.X_test), (data.y_train, data.y_test), strict=True
    ):
        np.testing.assert_array_equal(np.float32(X).T, X_here.numpy())
        np.testing.assert_array_equal(y, y_here.numpy()[:, 0])


@pytest.mark.parametrize("seed", [0, 42, 2**32 - 1])
@pytest.mark.parametrize("widths", [(16, 16), (1,), (5, 33, 2), (256, 100)])
def test_initial_weights_are_torch_s_to_the_bit(page, widths, seed):
    numbers = page.evaluate(
        """([hiddenUnits, seed]) => {
            const settings = { ...DEFAULTS, hiddenUnits, seed, dropout: 0.5 };
            return buildModel(settings, 2, 3).tensors.flatMap(tensor => [...tensor]);
        }""",
        [widths, seed],
    )
    torch.manual_seed(seed)
    model = CircleModelV2(hidden_units=widths, out_features=3)
    expected = torch.cat([parameter.flatten() for parameter in model.parameters()])
    np.testing.assert_array_equal(np.float32(numbers), expected.detach().numpy())


@pytest.mark.parametrize(
    "given",
    [
        dict(data="circles", noise=0.03, factor=0.8),
        dict(data="circles", noise=0.2, factor=0.5),
        dict(data="circles", noise=0.001, factor=0.8),
        dict(data="circles", noise=1.0, factor=0.0),
        dict(data="circles", noise=0, factor=0.8),
        dict(data="xor", noise=0.3),
        dict(data="gaussians", noise=0.4),
        dict(data="blobs", noise=0.7, classes=5),
        dict(data="moons", noise=0.1),
    ],
    ids=str,
)
def test_the_best_possible_accuracy_is_the_same(page, given):
    here = page.evaluate("bestPossibleAccuracy", given)
    expected = best_possible_accuracy(**given)
    assert here == (expected if expected is None else pytest.approx(expected, abs=1e-6))


# Training

NETWORK = """([given, inputs]) => {
    const settings = { ...withDataset(DEFAULTS, given.data ?? "circles"), ...given };
    if (!settings.activation) Object.assign(settings, ofLinear(settings));
    const classes = settings.classes ?? 2;
    const table = given.data === "own" ? app.table : makeTable(settings);
    const data = { ...split(table, settings.testSize, settings.seed) };
    data.classNames = Array(classes).fill("");
    data.standardize = null;
    return new Network("bent", settings, data);
}"""

CURVE = f"""([given, marks]) => {{
    const network = ({NETWORK})([given]), figures = [];
    for (const mark of marks) {{
        while (network.epoch < mark) network.training.trainEpoch();
        network.record();
        const {{ trainLoss, testLoss, trainAcc, testAcc }} = network.last;
        figures.push([trainLoss, testLoss, trainAcc, testAcc]);
    }}
    return figures;
}}"""

NAMES = {
    "hidden_units": "hiddenUnits",
    "batch_norm": "batchNorm",
    "weight_decay": "weightDecay",
    "batch_size": "batchSize",
}


def of_page(given):
    return {NAMES.get(name, name): value for name, value in given.items()}


def with_dtype(data, dtype):
    tensors = [data.X_train, data.y_train, data.X_test, data.y_test]
    tensors = [tensor.to(dtype) if tensor.is_floating_point() else tensor for tensor in tensors]
    return Data(*tensors, data.class_names)


def curve_of_script(given, dtype):
    """Return losses and accuracies at MARKS of train.py's training, in numbers of a type."""
    given = dict(hidden_units=(16, 16)) | given
    data = with_dtype(make_data(**keywords_of(make_data, given)), dtype)
    classes = len(data.class_names)
    kind = CircleModelV0 if given.get("activation", "relu") is None else CircleModelV2
    torch.manual_seed(42)
    model = kind(out_features=1 if classes == 2 else classes, **keywords_of(kind, given)).to(dtype)
    history = train(model, data, epochs=MARKS[-1], record_every=1, **keywords_of(Training, given))
    keys = ("train_loss", "test_loss", "train_acc", "test_acc")
    return [[history[key][epoch - 1] for key in keys] for epoch in MARKS]


TRAININGS = [
    dict(activation=None),
    *(dict(activation=name) for name in ACTIVATIONS),
    dict(weight_decay=0.01, momentum=0.5),
    dict(batch_norm=True),
    dict(data="blobs", classes=3),
    dict(data="spirals", classes=3, hidden_units=(32, 32)),
    dict(data="moons", activation="tanh", hidden_units=(8,)),
    dict(batch_size=64),
    dict(data="xor", batch_size=30, batch_norm=True, weight_decay=0.001),
]


@pytest.mark.parametrize("given", TRAININGS, ids=str)
def test_training_gives_the_losses_and_accuracies_of_train_py(page, given):
    """To nine digits, where train.py computes in double precision, as the page always does.

    In train.py's usual single precision the rounding errors, which differ from one library to the
    next, grow as it trains. After ten epochs the losses still agree to four digits; after 300 the
    two are different runs of one experiment, of which the accuracies say the same to two points.
    """
    figures = np.array(page.evaluate(CURVE, [of_page(given), MARKS]))
    double = np.array(curve_of_script(given, torch.float64))
    np.testing.assert_allclose(figures[:, :2], double[:, :2], rtol=1e-9)
    np.testing.assert_allclose(figures[:, 2:], double[:, 2:], atol=1e-12)
    single = np.array(curve_of_script(given, torch.float32))
    np.testing.assert_allclose(figures[:2, :2], single[:2, :2], rtol=1e-4)
    np.testing.assert_allclose(figures[:2, 2:], single[:2, 2:], atol=1e-12)
    np.testing.assert_allclose(figures[2, 2:], single[2, 2:], atol=0.02)


GRADIENTS = """given => {
    const settings = { ...DEFAULTS, samples: 60, hiddenUnits: [5, 4], ...given };
    if (!settings.activation) Object.assign(settings, ofLinear(settings));
    const { classes, inputs } = settings;
    const table = makeTable({ ...settings, data: "blobs", noise: 0.5 });
    const { train } = split(table, 0.2, 1), X = inputRows(train.X, inputs, null);
    const model = buildModel(settings, inputs.length, classes === 2 ? 1 : classes);
    const random = new MersenneTwister(3);
    for (const { value } of model.parameters) { // away from zeros and ones
        for (let i = 0; i < value.length; i++) value[i] += 0.3 * random.normal();
    }
    const seeded = () => {
        for (const layer of model.layers) {
            if (layer instanceof Dropout) layer.random = new MersenneTwister(9);
        }
    };
    const gradient = roomFor(train.n, classes === 2 ? 1 : classes);
    const loss = () => {
        seeded();
        return lossFunction(model.forward(X, train.n, true), train.y, train.n, gradient);
    };
    loss();
    model.backward(gradient, train.n);
    return model.parameters.map(({ value, gradient: slopes }) => {
        const analytic = [...slopes];
        return Array.from(analytic, (slope, i) => {
            const at = value[i], losses = [1e-5, -1e-5].map(step => {
                value[i] = at + step;
                return loss();
            });
            value[i] = at;
            return [slope, (losses[0] - losses[1]) / 2e-5];
        });
    });
}"""


@pytest.mark.parametrize("classes", [2, 4])
@pytest.mark.parametrize(
    "given",
    [
        dict(activation=None),
        *(dict(activation=name) for name in ACTIVATIONS if name != "step"),
        dict(activation="tanh", batchNorm=True),
        dict(activation="gelu", dropout=0.4),
        dict(activation="relu", batchNorm=True, dropout=0.3),
        dict(activation="tanh", inputs=["x1", "x2^2", "x1 x2", "sin x2"]),
        dict(activation="relu", hiddenUnits=[]),
    ],
    ids=str,
)
def test_gradients_are_those_of_finite_differences(page, given, classes):
    for pairs in page.evaluate(GRADIENTS, given | {"classes": classes}):
        analytic, numeric = np.array(pairs).T
        np.testing.assert_allclose(analytic, numeric, rtol=1e-5, atol=1e-8)


def test_a_step_lets_no_gradient_through(page):
    parameters = page.evaluate(GRADIENTS, dict(activation="step", classes=2))
    *hidden, weight, bias = (np.array(pairs) for pairs in parameters)
    assert all((pairs[:, 0] == 0).all() for pairs in hidden)
    for analytic, numeric in (weight.T, bias.T):
        np.testing.assert_allclose(analytic, numeric, rtol=1e-5, atol=1e-8)
        assert (analytic != 0).any()


def test_dropout_trains_as_torch_s_does_over_fifty_seeds(page):
    """Its random numbers are others than torch's, so what must agree is the distribution."""
    given = dict(data="moons", samples=200, noise=0.2, dropout=0.4, batch_size=40)
    seeds, epochs = range(50), 60
    here = [page.evaluate(CURVE, [of_page(given) | {"seed": s}, [epochs]])[0] for s in seeds]
    there = []
    for seed in seeds:
        data = make_data(data="moons", samples=200, noise=0.2, seed=seed)
        torch.manual_seed(seed)
        model = CircleModelV2(dropout=0.4)
        train(model, data, epochs=epochs, batch_size=40, seed=seed, record_every=epochs)
        train_loss, train_acc = evaluate(model, data.X_train, data.y_train)
        test_loss, test_acc = evaluate(model, data.X_test, data.y_test)
        there.append((train_loss, test_loss, train_acc, test_acc))
    for one, other in zip(zip(*here, strict=True), zip(*there, strict=True), strict=True):
        differences = [a - b for a, b in zip(one, other, strict=True)]  # the same points and start
        error = statistics.stdev(differences) / math.sqrt(len(differences))
        assert abs(statistics.mean(differences)) < 3.5 * error
        assert 0.5 < statistics.stdev(one) / statistics.stdev(other) < 2
    without = page.evaluate(CURVE, [of_page(given) | {"dropout": 0}, [epochs]])[0]
    assert abs(without[0] - statistics.mean(one for one, *_ in here)) > 0.01  # dropout does matter


def test_a_hidden_unit_is_dropped_with_the_probability_and_scaled_up(page):
    values = page.evaluate(
        """() => {
            const layer = new Dropout(3, 0.3, new MersenneTwister(1)), n = 20_000;
            const ones = roomFor(n, 3).map(row => row.fill(1));
            const same = layer.forward(ones, n, false) === ones;
            return [same, layer.forward(ones, n, true).map(row => [...row])];
        }"""
    )
    assert values[0]
    for row in values[1]:
        kept = np.array(row) != 0
        assert abs(kept.mean() - 0.7) < 4 * math.sqrt(0.3 * 0.7 / 20_000)
        np.testing.assert_allclose(np.array(row)[kept], 1 / 0.7)


def test_a_step_makes_no_garbage(page):
    """Training must not stop for the collector: no array or row is made anew after the first."""
    kinds = page.evaluate(
        f"""() => {{
            const network = ({NETWORK})([{{ batchSize: 64, batchNorm: true, dropout: 0.2 }}]);
            const {{ model, training }} = network;
            training.trainEpoch();
            const rows = () => [training.X, training.gradient, ...model.layers.flatMap(layer =>
                [layer.out, layer.back, layer.normal, layer.factor])].flat();
            const before = rows();
            for (let i = 0; i < 5; i++) training.trainEpoch();
            return rows().map((row, i) => row === before[i]);
        }}"""
    )
    assert all(kinds)


# A file of one's own


def write_csv(path, rows):
    path.write_text("\n".join(["grams,size,fruit", *rows]) + "\n")
    return path


def fruits(random):
    kinds = {"plum, ripe": (60, 5), "orange": (180, 8), "lemon": (100, 6)}
    points = [
        (name, middle * (1 + 0.15 * random.normal(size=2)))
        for name, middle in kinds.items()
        for _ in range(40)
    ]
    return [f'{grams:.1f},{size:.2f},"{name}"' for name, (grams, size) in points]


def test_a_file_is_read_split_and_standardized_as_train_py_does(page, tmp_path):
    path = write_csv(tmp_path / "fruits.csv", fruits(np.random.default_rng(0)))
    data = make_data(data=str(path), seed=3)
    here = page.evaluate(
        """text => {
            const table = parseCsv(text), data = split(table, 0.2, 3);
            const { mean, std } = meanAndStd(data.train);
            const parts = [data.train, data.test].map(({ X, y }) => [X.map(r => [...r]), [...y]]);
            return [parts, [mean, std], table.classNames, table.featureNames];
        }""",
        path.read_text(),
    )
    for (X, y), X_here, y_here in zip(
        here[0], (data.X_train, data.X_test), (data.y_train, data.y_test), strict=True
    ):
        np.testing.assert_array_equal(np.float32(X).T, X_here.numpy())
        np.testing.assert_array_equal(y, y_here.numpy()[:, 0])
    np.testing.assert_allclose(here[1], data.standardize, rtol=1e-6)
    assert tuple(here[2]) == data.class_names
    assert tuple(here[3]) == data.feature_names


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "Line 1 must name two features and a label"),
        ("a,b\n1,2", "Line 1 must name two features and a label"),
        ("a,b,c\n", "There must be rows below the header"),
        ("a,b,c\n1,2,x\n1,2", "Line 3 must have 3 columns, as the header has; got 2."),
        ("a,b,c\n1,two,x", 'Line 2, column "b" must be a finite number; got "two".'),
        ("a,b,c\n1,,x", 'Line 2, column "b" must be a finite number; got nothing.'),
        ("a,b,c\n1,2,", 'Line 2, column "c" must be a label; got nothing.'),
        ("a,b,c\n1,2,x\n1,2,x", 'every label is "x"'),
        ("a,b,c\n1,2,x\n1,2,x\n1,2,y", '"y" is there once'),
        ('a,b,c\n1,2,"x', "a quotation mark that isn't closed"),
    ],
)
def test_text_that_is_no_table_is_refused_in_a_sentence(page, text, sentence):
    refused = page.evaluate(
        """text => {
            try {
                parseCsv(text);
            } catch (error) {
                return error instanceof DataError && error.message;
            }
        }""",
        text,
    )
    assert sentence in refused


def test_labels_are_numbered_as_train_py_numbers_them(page):
    text = "a,b,c\n" + "".join(f"1,2,{label}\n" for label in ("10", "9", "9", "10"))
    assert page.evaluate("text => parseCsv(text).classNames", text) == ["9", "10"]
    assert page.evaluate("text => parseCsv(text).classNames", text.replace("9", "b")) == ["10", "b"]


# The command and the code

WRITTEN = [
    dict(),
    dict(data="spirals", classes=3, lr=0.05, seed=3),
    dict(data="moons", noise=0.3, hiddenUnits=[8], activation="tanh", batchSize=50),
    dict(data="blobs", batchNorm=True, weightDecay=0.01, momentum=0.5, testSize=0.4),
]

WRITE = """given => {
    app.settings = { ...withDataset(DEFAULTS, given.data ?? "circles"), ...given };
    app.restart();
    app.trainEpochs(12, Infinity);
    const { settings, epoch, data: { standardize, classNames: { length: classes } } } = app;
    return {
        command: writeCommand({ settings, epoch }).command,
        code: writeCode({ settings, epoch, standardize, classes }),
        losses: app.networks.map(({ last }) => last.trainLoss),
    };
}"""


@pytest.mark.parametrize("given", WRITTEN, ids=str)
def test_the_command_trains_the_same_networks(page, tmp_path, given):
    written = page.evaluate(WRITE, given)
    python, file, *arguments = shlex.split(written["command"])
    assert (python, file) == ("python", "train.py")
    with contextlib.redirect_stdout(None):
        main([*arguments, "--out", str(tmp_path), "--device", "cpu"])
    models = json.loads((tmp_path / "metrics.json").read_text())["models"]
    for name, loss in zip(("CircleModelV0", "CircleModelV2"), written["losses"], strict=True):
        history = models[name]["history"]
        assert history["epoch"][-1] == 12
        assert history["train_loss"][-1] == pytest.approx(loss, rel=1e-4)


def test_the_command_leaves_out_what_train_py_takes_by_itself(page):
    assert page.evaluate("s => writeCommand(s).command", defaults(page, 0)) == "python train.py"
    spirals = defaults(page, 600, data="spirals")
    command = page.evaluate("s => writeCommand(s).command", spirals)
    assert command == "python train.py --data spirals"
    one_layer = defaults(page, 300, hiddenUnits=[8], batchSize=64)
    command = page.evaluate("s => writeCommand(s).command", one_layer)
    assert command == "python train.py --batch-size 64 --hidden-units 8x"


def defaults(page, epoch, **given):
    base = page.evaluate("data => withDataset(DEFAULTS, data)", given.get("data", "circles"))
    return {"settings": base | given, "epoch": epoch}


@pytest.mark.parametrize(
    ("given", "what"),
    [
        (dict(inputs=["x1", "x1^2"]), "other inputs than x1 and x2"),
        (dict(l1=0.001), "an L1 penalty"),
        (dict(hiddenUnits=[]), "a network without hidden layers"),
    ],
)
def test_where_there_is_no_command_the_page_says_so(page, given, what):
    written = page.evaluate("s => writeCommand(s)", defaults(page, 10, **given))
    assert written == {"command": "", "note": f"train.py has no {what}."}


CODES = [
    *WRITTEN,
    dict(inputs=["x1", "x2", "x1^2", "x2^2", "x1 x2", "sin x1", "sin x2"], l1=0.001),
    dict(activation="step", hiddenUnits=[6, 5, 4], batchSize=128),
    dict(hiddenUnits=[], inputs=["x1^2", "x2^2"]),
]


@pytest.mark.parametrize("given", CODES, ids=str)
def test_the_code_trains_the_same_network(page, given):
    written = page.evaluate(WRITE, given)
    names = {"testSize": "test_size"}
    wanted = ("data", "classes", "noise", "seed", "testSize")
    data = make_data(**{names.get(n, n): given[n] for n in wanted if n in given})
    pasted = {}
    exec(written["code"], pasted)
    y = data.y_train if len(data.class_names) == 2 else data.y_train[:, 0]
    pasted["train"](data.X_train, y, epochs=12)
    model = pasted["model"].eval()
    with torch.inference_mode():
        loss = pasted["loss_fn"](model(data.X_train), y).item()
    assert loss == pytest.approx(written["losses"][-1], rel=1e-4)


def test_the_code_of_a_file_standardizes_its_columns(page, tmp_path):
    path = write_csv(tmp_path / "fruits.csv", fruits(np.random.default_rng(1)))
    written = page.evaluate(
        """text => {
            app.settings = withDataset(DEFAULTS, "circles");
            app.takeTable(parseCsv(text), false);
            app.trainEpochs(12, Infinity);
            const { settings, epoch, data: { standardize } } = app;
            const code = writeCode({ settings, epoch, standardize, classes: 3 });
            return [code, app.networks.at(-1).last];
        }""",
        path.read_text(),
    )
    data, pasted = make_data(data=str(path)), {}
    exec(written[0], pasted)
    pasted["train"](data.X_train, data.y_train[:, 0])
    with torch.inference_mode():
        loss = pasted["loss_fn"](pasted["model"].eval()(data.X_train), data.y_train[:, 0]).item()
    assert loss == pytest.approx(written[1]["trainLoss"], rel=1e-4)
