"""What the plots draw, by numbers: grid values, where lines lie, labels, titles, errors."""

import ast
import subprocess
import sys
from decimal import Decimal
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch
from matplotlib.colors import to_rgb, to_rgba
from matplotlib.figure import Figure
from planes import PLANE, Ring, Sectors, X, grid, image_of, line_of, panels_of, y
from sklearn.cluster import KMeans
from sklearn.ensemble import IsolationForest, RandomForestClassifier
from sklearn.linear_model import LinearRegression, LogisticRegression, RidgeClassifier
from sklearn.model_selection import FixedThresholdClassifier
from sklearn.multiclass import OneVsRestClassifier
from sklearn.multioutput import MultiOutputClassifier
from sklearn.neighbors import KNeighborsRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler
from sklearn.svm import SVC
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor
from torch import nn
from torch.nn.utils.parametrizations import spectral_norm

import helper_functions
from helper_functions import (
    plot_decision_boundary,
    plot_hidden_units,
    plot_loss_curves,
    plot_predictions,
)
from model import CircleModelV0, CircleModelV2

pd = pytest.importorskip("pandas")
ROOT = Path(helper_functions.__file__).parent


def run_time_imports():
    for node in ast.parse(Path(helper_functions.__file__).read_text()).body:
        if isinstance(node, ast.Import):
            yield from (alias.name.split(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module.split(".")[0]


def test_the_file_can_be_copied():
    allowed = {"matplotlib", "numpy", "torch"} | set(sys.stdlib_module_names)
    assert set(run_time_imports()) <= allowed


# The background and the line


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.float16, torch.bfloat16])
def test_the_image_holds_the_models_own_probabilities(dtype):
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(2, 8), nn.ReLU(), nn.Linear(8, 1)).to(dtype).eval()
    ax = plot_decision_boundary(model, X, y, grid_resolution=51, **PLANE)
    with torch.no_grad():
        p = model(torch.from_numpy(grid(51)).to(dtype)).float().sigmoid().reshape(51, 51)
    np.testing.assert_allclose(image_of(ax), p.numpy(), atol=1e-6)
    assert ax.images[0].norm.vmin == 0
    assert ax.images[0].norm.vmax == 1
    assert next(model.parameters()).dtype == dtype


@pytest.mark.parametrize("steepness", [0.01, 5.0, 1e6])
def test_the_line_lies_on_a_known_circle(steepness):
    ax = plot_decision_boundary(Ring(steepness), X, xlim=(-1, 1), ylim=(-1, 1), grid_resolution=201)
    cell = 2 / 200
    radii = np.hypot(*line_of(ax).T)
    assert len(radii) > 100
    assert abs(radii - 0.6).max() < 0.01 * cell  # a hundredth of a cell, however steep


def test_the_line_of_a_fine_grid_lies_on_the_known_circle_too():
    ax = plot_decision_boundary(Ring(), X, xlim=(-1, 1), ylim=(-1, 1), grid_resolution=1001)
    assert image_of(ax).shape == (1001, 1001)
    assert abs(np.hypot(*line_of(ax).T) - 0.6).max() < 0.01 * (2 / 1000)


def test_each_pixel_is_centred_on_its_grid_point():
    ax = plot_decision_boundary(Ring(), X, grid_resolution=5, **PLANE)
    assert ax.images[0].get_extent() == [-2.5, 2.5, -1.25, 1.25]
    assert ax.get_xlim() == (-2, 2)
    assert ax.get_ylim() == (-1, 1)


def test_no_line_where_one_class_is_everywhere():
    ax = plot_decision_boundary(Ring(radius=9.0), X, returns="logits")
    assert not ax.collections


def test_two_logits_are_drawn_as_the_sigmoid_of_their_difference():
    model = nn.Linear(2, 2)
    ax = plot_decision_boundary(model, X, grid_resolution=21, **PLANE)
    with torch.no_grad():
        p = model(torch.from_numpy(grid(21)).float()).softmax(1)[:, 1]
    np.testing.assert_allclose(image_of(ax).ravel(), p, atol=1e-6)


def test_flat_logits_are_drawn_as_those_in_a_column():
    flat = plot_decision_boundary(lambda p: p[:, 0], X, ax=Figure().subplots())
    column = plot_decision_boundary(lambda p: p[:, :1], X, ax=Figure().subplots())
    np.testing.assert_array_equal(image_of(flat), image_of(column))


@pytest.mark.parametrize("last", [nn.Sigmoid(), nn.Sequential(nn.Identity(), nn.Sigmoid())])
def test_a_sequential_that_ends_in_sigmoid_gives_probabilities(last):
    model = nn.Sequential(nn.Linear(2, 1), last)
    ax = plot_decision_boundary(model, X, grid_resolution=21, **PLANE)
    with torch.no_grad():
        p = model(torch.from_numpy(grid(21)).float())
    np.testing.assert_allclose(image_of(ax).ravel(), p.ravel(), atol=1e-6)


def test_infinite_logits_are_certainty():
    model = lambda p: torch.where(torch.as_tensor(p[:, 0]) > 0, torch.inf, -torch.inf)  # noqa: E731
    ax = plot_decision_boundary(model, X, grid_resolution=20, **PLANE)
    assert set(image_of(ax).ravel()) == {0, 1}
    assert abs(line_of(ax)[:, 0]).max() < 4 / 19


def test_classes_are_drawn_by_colour_and_confidence():
    ax = plot_decision_boundary(Sectors(), X, grid_resolution=60, **PLANE)
    p = Sectors()(torch.from_numpy(grid(60))).softmax(1)
    number, shade = np.divmod(image_of(ax).ravel(), 256)
    np.testing.assert_array_equal(number, p.argmax(1))
    top = p.topk(2).values
    np.testing.assert_allclose(shade / 255, top[:, 0] - top[:, 1], atol=1 / 255)
    palette = ax.images[0].cmap
    assert palette(2 * 256 + 255) == pytest.approx(to_rgba(helper_functions.CLASS_COLORS[2]))
    pale = 5 / 8 + 3 / 8 * np.array(to_rgba(helper_functions.CLASS_COLORS[2]))
    assert palette(2 * 256) == pytest.approx(pale)  # never white


def test_the_lines_between_classes_lie_where_two_are_equally_likely():
    ax = plot_decision_boundary(Sectors(), X, grid_resolution=201, **PLANE)
    vertices = line_of(ax)
    vertices = vertices[np.hypot(*vertices.T) > 0.1]  # away from where the three meet
    top = Sectors()(torch.from_numpy(vertices)).topk(2).values
    assert len(vertices) > 100
    assert (top[:, 0] - top[:, 1]).max() < 1e-3


def test_more_classes_than_colours():
    ax = plot_decision_boundary(nn.Linear(2, 30), X)
    assert ax.images[0].cmap.N == 30 * 256


@pytest.mark.parametrize(
    ("cmap", "first"),
    [("RdBu", "RdBu"), (plt.get_cmap("viridis"), "viridis")],
)
def test_a_colormap_colours_the_probability(cmap, first):
    ax = plot_decision_boundary(Ring(), X, y, cmap=cmap)
    assert ax.images[0].cmap.name == first
    assert ax.lines[0].get_color() == pytest.approx(plt.get_cmap(first)(0.0)[:3])


def test_class_colours_can_be_given():
    ax = plot_decision_boundary(Sectors(), X, y, cmap=["red", "lime", "blue"])
    assert [line.get_color() for line in ax.lines] == [(1, 0, 0), (0, 1, 0), (0, 0, 1)]
    ax = plot_decision_boundary(Sectors(), X, y, cmap="Set1")
    assert ax.lines[-1].get_color() == pytest.approx(plt.get_cmap("Set1")(2)[:3])


def test_training_draws_what_train_mode_gives():
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(2, 4), nn.BatchNorm1d(4), nn.Linear(4, 1))
    model[1].running_mean += 5
    model.eval()
    points = torch.from_numpy(grid(21)).float()
    with torch.no_grad():
        evaluated, trained = model(points).sigmoid(), model.train()(points).sigmoid()
    model[1].running_mean.fill_(5).sub_(0)
    model.eval()
    model[1].reset_running_stats()
    model[1].running_mean += 5
    for training, expected in ((False, evaluated), (True, trained)):
        ax = plot_decision_boundary(model, X, grid_resolution=21, training=training, **PLANE)
        np.testing.assert_allclose(image_of(ax).ravel(), expected.ravel(), atol=1e-6)
    assert not model.training


# Models of every kind


class Recorder:
    """A skorch-like estimator: float32 arrays only."""

    classes_ = np.array([0, 1])

    def predict_proba(self, points):
        assert points.dtype == np.float32
        p = 1 / (1 + np.exp(-points[:, 0]))
        return np.column_stack([1 - p, p])


def test_a_float32_estimator_gets_float32():
    for points in (X.astype(np.float32), torch.from_numpy(X).float()):
        ax = plot_decision_boundary(Recorder(), points, y)
        assert image_of(ax).min() < 0.5 < image_of(ax).max()


LETTERS = np.array(["b", "a"])[y]


@pytest.mark.parametrize(
    "estimator",
    [
        LogisticRegression(),
        SVC(),
        RidgeClassifier(),
        RandomForestClassifier(5, random_state=0),
        make_pipeline(StandardScaler(), SVC(gamma=3.0)),
    ],
    ids=lambda e: type(e).__name__,
)
@pytest.mark.parametrize("labels", [y, y.astype(bool), y.astype(float), LETTERS, y[:, None]])
def test_estimators_are_drawn_as_they_predict(estimator, labels):
    estimator.fit(X, np.ravel(labels))
    ax = plot_decision_boundary(estimator, X, labels, grid_resolution=31, **PLANE)
    p = image_of(ax).ravel()
    predicted = estimator.predict(grid(31)) == estimator.classes_[1]
    decided = abs(p - 0.5) > 1e-6
    np.testing.assert_array_equal((p > 0.5)[decided], predicted[decided])
    assert len(ax.lines) == 2


def test_a_data_frame_reaches_the_estimator_with_its_names():
    frame = pd.DataFrame(X, columns=["length (cm)", "width (cm)"])
    pipeline = make_pipeline(StandardScaler(), SVC()).fit(frame, y)
    ax = plot_decision_boundary(pipeline, frame, pd.Series(y))
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("length (cm)", "width (cm)")
    plot_decision_boundary(LogisticRegression().fit(X, y), frame, y)  # no names then: no warning
    plot_decision_boundary(Ring(), frame, y)


def test_more_classes_of_every_scoring_method():
    three = y + (X[:, 0] > 0.5)
    three = np.array([10, 20, 30])[three]
    for estimator in (
        SVC(),
        SVC(decision_function_shape="ovo"),
        make_pipeline(StandardScaler(), SVC(decision_function_shape="ovo")),
        LogisticRegression(),
    ):
        estimator.fit(X, three)
        ax = Figure().subplots()
        plot_decision_boundary(estimator, X, three, ax=ax, grid_resolution=41, **PLANE)
        drawn = estimator.classes_[image_of(ax).ravel() // 256]
        assert (drawn == estimator.predict(grid(41))).mean() > 0.995  # ties aside
        assert [line.get_label() for line in ax.lines] == ["class 10", "class 20", "class 30"]


def test_clusters_and_outliers():
    kmeans = KMeans(4, random_state=0, n_init=1).fit(X)
    ax = plot_decision_boundary(kmeans, X, kmeans.labels_, grid_resolution=41, **PLANE)
    np.testing.assert_array_equal(image_of(ax).ravel() // 256, kmeans.predict(grid(41)))
    forest = IsolationForest(random_state=0).fit(X)
    plt.clf()
    ax = plot_decision_boundary(forest, X, forest.predict(X), grid_resolution=11, **PLANE)
    np.testing.assert_array_equal(image_of(ax).ravel() > 0.5, forest.predict(grid(11)) == 1)
    assert [line.get_label() for line in ax.lines] == ["class -1", "class 1"]


@pytest.mark.parametrize("kind", [bool, int, str, object])
def test_a_function_to_labels(kind):
    ax = plot_decision_boundary(lambda p: (p[:, 0] > 0).astype(kind), X, grid_resolution=20)
    np.testing.assert_array_equal(image_of(ax), np.tile(np.arange(20) > 9, (20, 1)))


def test_a_function_gets_points_of_the_kind_of_x():
    seen = []

    def function(points):
        seen.append((type(points), getattr(points, "dtype", None), torch.is_grad_enabled()))
        return points[:, 0] if not isinstance(points, pd.DataFrame) else points["u"]

    for points in (X, X.tolist(), torch.from_numpy(X).half(), pd.DataFrame(X, columns=["u", "v"])):
        plot_decision_boundary(function, points, grid_resolution=2)
    assert seen == [
        (np.ndarray, np.float64, False),
        (np.ndarray, np.float64, False),
        (torch.Tensor, torch.float16, False),
        (pd.DataFrame, None, False),
    ]


@pytest.mark.parametrize(
    "points",
    [
        X.tolist(),
        X.astype(np.float16),
        torch.from_numpy(X).bfloat16(),
        torch.from_numpy(X).requires_grad_(),
        (10 * X).astype(int),
        torch.from_numpy(10 * X).long(),
        X[:1],
    ],
)
def test_points_of_every_kind(points):
    labels = torch.from_numpy(y[: len(points)])
    ax = plot_decision_boundary(CircleModelV2(), points, labels)
    drawn = np.concatenate([line.get_xydata() for line in ax.lines])
    assert len(drawn) == len(points)


def test_a_model_without_parameters_or_under_other_defaults():
    class Bare(nn.Module):
        def forward(self, x):
            return x[:, 0]

    plot_decision_boundary(Bare(), X.tolist(), y)
    with torch.device("meta"):
        model = Ring().to_empty(device="cpu")
        nn.init.ones_(model.steepness)
        plot_decision_boundary(model, X, y)
    torch.set_default_dtype(torch.float64)
    try:
        model = nn.Linear(2, 1)
        plot_decision_boundary(model, X, y)
        plot_decision_boundary(Bare(), X.tolist(), y)
    finally:
        torch.set_default_dtype(torch.float32)
    with torch.inference_mode():
        plot_decision_boundary(CircleModelV2(batch_norm=True), X, y, training=True)


def test_scripted_models():
    with pytest.warns(DeprecationWarning, match="jit"):
        model = torch.jit.script(nn.Sequential(nn.Linear(2, 3), nn.BatchNorm1d(3), nn.Linear(3, 1)))
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    plot_decision_boundary(model, X, y)
    assert model.training
    assert all(before[name].equal(tensor) for name, tensor in model.state_dict().items())


# Points, labels, the Axes


@pytest.mark.parametrize(
    ("labels", "names"),
    [
        (y, ["class 0", "class 1"]),
        (y.astype(bool), ["class False", "class True"]),
        (y.astype(float), ["class 0", "class 1"]),
        (2 * y - 1, ["class -1", "class 1"]),
        (np.array(["in", "out"])[1 - y], ["in", "out"]),
        (y.tolist(), ["class 0", "class 1"]),
        (y[:, None], ["class 0", "class 1"]),
        (torch.from_numpy(y).bfloat16(), ["class 0", "class 1"]),
        (pd.Series(np.array(["in", "out"])[1 - y], dtype="category"), ["in", "out"]),
        (np.ones(len(y)), ["class 0", "class 1"]),  # class 0 has a region, though no points
    ],
)
def test_classes_are_named_and_marked(labels, names):
    ax = plot_decision_boundary(Ring(), X, labels)
    assert [line.get_label() for line in ax.lines] == names
    assert [text.get_text() for text in ax.get_legend().get_texts()] == [name for name in names]
    assert ax.lines[0].get_marker() != ax.lines[1].get_marker()
    assert ax.lines[0].get_color() != ax.lines[1].get_color()


def test_the_points_stand_where_they_are():
    ax = plot_decision_boundary(CircleModelV0(), X, y)
    np.testing.assert_allclose(ax.lines[1].get_xydata(), X[y == 1])


def test_options_of_the_axes():
    ax = Figure().subplots()
    ax.set_aspect("equal")
    other = plt.figure().subplots()
    returned = plot_decision_boundary(
        Ring(), X, y, ax=ax, title="a title", legend=False, alpha=0.3, grid_resolution=11
    )
    assert returned is ax
    assert plt.gca() is other
    assert not other.images
    assert ax.get_title() == "a title"
    assert ax.get_legend() is None
    assert ax.images[0].get_alpha() == 0.3
    assert ax.get_aspect() == 1
    low, high = X.min(axis=0), X.max(axis=0)
    np.testing.assert_allclose(ax.get_xlim(), (low - 0.05 * (high - low), high)[0][0], atol=3)
    np.testing.assert_allclose(ax.get_xlim()[0], low[0] - 0.05 * (high - low)[0])
    assert plot_decision_boundary(Ring(), X) is other


def test_many_points_are_small_and_rasterized():
    many = np.random.default_rng(0).normal(size=(20_000, 2))
    ax = plot_decision_boundary(lambda p: p[:, 0], many, many[:, 0] > 0, grid_resolution=11)
    assert all(line.get_rasterized() for line in ax.lines)
    assert ax.lines[0].get_markersize() < 3
    assert ax.get_legend().get_lines()[0].get_markersize() == pytest.approx(6)


# Memory


MEMORY = """
import sys
from pathlib import Path
import torch
from torch import nn
from matplotlib.figure import Figure
from helper_functions import plot_decision_boundary
def peak():
    status = Path("/proc/self/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0]) / 1024
out, width, resolution = map(int, sys.argv[1:])
torch.set_num_threads(1)
model = nn.Sequential(nn.Linear(2, width), nn.ReLU(), nn.Linear(width, out))
X = torch.randn(100, 2)
def draw(resolution):
    figure = Figure()
    plot_decision_boundary(model, X, ax=figure.subplots(), grid_resolution=resolution)
    figure.canvas.draw()
draw(11)
base = peak()
draw(resolution)
print(peak() - base)
"""


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="needs Linux's /proc")
@pytest.mark.parametrize(
    ("out", "width", "resolution"), [(1, 2, 4001), (3, 2, 4001), (1, 65_536, 101)]
)
def test_a_fine_grid_and_a_wide_model_take_little_memory(out, width, resolution):
    command = [sys.executable, "-c", MEMORY, str(out), str(width), str(resolution)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert float(done.stdout) < 400  # MB


# Errors


class Broken:
    def predict(self, points):
        raise RuntimeError("my own words")


@pytest.mark.parametrize(
    ("changes", "error", "words"),
    [
        (dict(X=X[:, :1]), ValueError, r"X must have shape \(n, 2\).*got \(60, 1\)"),
        (dict(X=X[:0]), ValueError, r"X must have shape .* n at least 1; got \(0, 2\)"),
        (dict(X=[["a", "b"]]), ValueError, "X must hold numbers"),
        (dict(X=X * np.nan), ValueError, "X must be finite; got .* in row 0"),
        (dict(X=np.where(X[3] == X, np.inf, X)), ValueError, "X must be finite; got .* row 3"),
        (dict(y=y[:-1]), ValueError, r"y must have .* each of the 60 points; got \(59,\)"),
        (dict(y=np.eye(2)[y]), ValueError, r"y must have .*got \(60, 2\)"),
        (dict(y=np.where(y, 1.0, np.nan)), ValueError, "y must have no missing labels; got nan"),
        (dict(y=[None, *LETTERS[1:]]), ValueError, "y must have no missing labels; got None"),
        (dict(y=np.arange(60)), ValueError, "y must have whole numbers from 0 to 1.*60 different"),
        (dict(y=np.array([1, "a"] * 30, object)), ValueError, "y must hold labels of one kind"),
        (
            dict(model=Sectors(), y=LETTERS),
            ValueError,
            "or 3 different labels; got 'a'. There are 2",
        ),
        (dict(grid_resolution=1), ValueError, "grid_resolution must be .*2 or more; got 1"),
        (dict(grid_resolution=10.5), ValueError, "grid_resolution must be .*got 10.5"),
        (dict(xlim=(1, 0)), ValueError, r"xlim must be \(low, high\).*got \(1, 0\)"),
        (dict(ylim=(0, 1, 2)), ValueError, "ylim must be"),
        (dict(ylim=(0, np.inf)), ValueError, "ylim must be"),
        (dict(ylim="ab"), ValueError, "ylim must be"),
        (dict(model=3), TypeError, "model must be an nn.Module, .*got an object of type int"),
        (dict(model=SVC), TypeError, "model must be an nn.Module, a fitted estimator"),
        (dict(model=SVC().fit(X, y), training=True), ValueError, "training needs an nn.Module"),
        (dict(model=SVC().fit(X, y), y=y + 5), ValueError, "y must have the model's classes 0, 1"),
        (dict(model=lambda p: p[:5, 0]), ValueError, r"model must return shape .*got \(5,\)"),
        (dict(model=lambda p: p[:, :, None]), ValueError, "model must return shape"),
        (dict(model=lambda p: p[:, :0]), ValueError, "model must return shape"),
        (dict(model=lambda p: "no"), TypeError, "model must return a tensor .*got .* str"),
        (dict(model=lambda p: p[:, 0] * np.nan), ValueError, "model must return numbers; got nan"),
        (dict(model=lambda p: np.arange(len(p))), ValueError, "at most 1000 different labels"),
        (dict(model=nn.LazyLinear(1)), ValueError, "model must know its shapes"),
        (dict(cmap=["red"]), ValueError, "cmap must have a colour for each of the 2 classes"),
    ],
)
def test_an_error_names_the_parameter_the_rule_and_what_came(changes, error, words):
    arguments = dict(model=CircleModelV0(), X=X, y=y) | changes
    with pytest.raises(error, match=words):
        plot_decision_boundary(**arguments)
    assert not plt.get_fignums()  # nothing was drawn


NO_POINT = np.ma.masked_array(X, mask=np.arange(60)[:, None] == [3, -1])
NO_LABEL = np.ma.masked_array(y, mask=np.arange(60) == 3)


@pytest.mark.parametrize(
    ("points", "labels", "words"),
    [
        (NO_POINT, y, r"X must be finite; got \[nan, .* in row 3"),
        ((9 * NO_POINT).astype(int), y, r"X must be finite; got \[nan, .* in row 3"),
        (X, NO_LABEL, "y must have no missing labels; got None"),
        (X, NO_LABEL.astype(float), "y must have no missing labels; got nan"),
        (
            X,
            pd.Series(LETTERS, dtype="string").mask(y == 1),
            "y must have no missing labels; got <NA>",
        ),
        (
            X,
            pd.Series(LETTERS, dtype="category").where(y == 1),
            "y must have no missing labels; got nan",
        ),
        (X, pd.Series([pd.NaT] * 60, dtype=object), "y must have no missing labels; got NaT"),
    ],
)
def test_what_is_masked_or_missing_is_not_drawn_as_data(points, labels, words):
    for plot in (plot_decision_boundary, plot_hidden_units):
        with pytest.raises(ValueError, match=words):
            plot(CircleModelV0(), points, labels)
    with pytest.raises(ValueError, match=words.partition(" ")[2]):
        plot_predictions(X, y, points, labels)


def test_a_mask_that_hides_nothing_is_no_matter():
    plot_decision_boundary(CircleModelV0(), np.ma.masked_array(X), np.ma.masked_array(y))


def test_scores_must_fit_the_classes():
    class Few(Recorder):
        classes_ = ("a", "b", "c")

    with pytest.raises(ValueError, match="a score for each of its 3 classes; got 2"):
        plot_decision_boundary(Few(), X.astype(np.float32))


@pytest.mark.parametrize("model", [Broken(), nn.Linear(3, 1), nn.Linear(2, 1).to("meta")])
def test_a_models_own_error_stays_visible(model):
    with pytest.raises((RuntimeError, NotImplementedError)) as caught:
        plot_decision_boundary(model, X)
    if not isinstance(model, nn.Linear):
        assert str(caught.value) == "my own words"
    if not any(p.is_meta for p in getattr(model, "parameters", list)()):
        assert "when given points of shape" in caught.value.__notes__[0]


# The hidden units


@pytest.mark.parametrize("batch_norm", [False, True])
@pytest.mark.parametrize("dropout", [0.0, 0.5])
def test_a_panel_for_each_unit_shows_its_activation(dropout, batch_norm):
    torch.manual_seed(1)
    model = CircleModelV2(hidden_units=5, dropout=dropout, batch_norm=batch_norm)
    figure = plot_hidden_units(model, X, y, grid_resolution=31, **PLANE)
    panels = panels_of(figure)
    assert list(panels) == [f"layer {i}, unit {j + 1}" for i in (1, 2) for j in range(5)] + [
        "output: decision boundary"
    ]
    points = torch.from_numpy(grid(31)).float()
    layers = model.eval().layers
    with torch.no_grad():
        per_layer = (len(layers) - 1) // 2
        first, second = layers[:per_layer](points), layers[: 2 * per_layer](points)
        p = model(points).sigmoid()
    for number, expected in enumerate((first, second), 1):
        for unit in range(5):
            ax = panels[f"layer {number}, unit {unit + 1}"]
            np.testing.assert_allclose(image_of(ax).ravel(), expected[:, unit], atol=1e-5)
            low, high = ax.images[0].get_clim()
            assert -low == high == pytest.approx(expected.max().item())
    output = panels["output: decision boundary"]
    np.testing.assert_allclose(image_of(output).ravel(), p.ravel(), atol=1e-5)
    assert len(output.lines) == 2


def test_the_line_of_a_unit_is_where_it_switches_on():
    torch.manual_seed(1)
    model = CircleModelV2(hidden_units=4, batch_norm=True)
    panels = panels_of(plot_hidden_units(model, X, grid_resolution=61, **PLANE))
    drawn = 0
    for unit in range(4):
        ax = panels[f"layer 1, unit {unit + 1}"]
        if ax.collections:
            vertices = torch.from_numpy(line_of(ax)).float()
            with torch.no_grad():
                before_relu = model.eval().layers[:2](vertices)[:, unit]
            assert before_relu.abs().max() < 1e-5  # a linear unit: exact but for rounding
            drawn += 1
    assert drawn >= 2


def test_the_panels_of_the_linear_model_are_planes():
    panels = panels_of(plot_hidden_units(CircleModelV0(hidden_units=3), X, grid_resolution=21))
    for title, ax in panels.items():
        if title.startswith("layer"):
            values = image_of(ax)
            np.testing.assert_allclose(np.diff(values, n=2, axis=0), 0, atol=1e-5)
            np.testing.assert_allclose(np.diff(values, n=2, axis=1), 0, atol=1e-5)
            assert values.min() < 0 or values.max() > 0


class Functional(nn.Module):
    """A practitioner's own: ReLU is no module of its."""

    def __init__(self):
        super().__init__()
        self.one, self.two = nn.Linear(2, 3), nn.Linear(3, 1)

    def forward(self, x):
        return self.two(torch.relu(self.one(x)))[:, 0]


def test_a_functional_relu_is_seen():
    model = Functional()
    panels = panels_of(plot_hidden_units(model, X, grid_resolution=21, **PLANE))
    with torch.no_grad():
        expected = torch.relu(model.one(torch.from_numpy(grid(21)).float()))
    np.testing.assert_allclose(
        image_of(panels["layer 1, unit 2"]).ravel(), expected[:, 1], atol=1e-6
    )


def test_the_switch_is_what_goes_into_the_activation_function():
    class Forward(nn.Module):
        def __init__(self, between):
            super().__init__()
            self.one, self.two, self.between = linear, nn.Linear(3, 1), between
            self.norm, self.drop = nn.BatchNorm1d(3), nn.Dropout(0.5)
            self.norm.running_mean += 3

        def forward(self, x):
            return self.two(self.between(self, self.one(x)))

    linear, relu = nn.Linear(2, 3), torch.relu
    with torch.no_grad():
        expected = linear(torch.from_numpy(grid(21)).float())
    ways = {
        "a module in place": lambda model, x: nn.ReLU(inplace=True)(x),
        "in place": lambda model, x: x.relu_(),
        "dropout": lambda model, x: model.drop(relu(x)),
        "norm": lambda model, x: model.norm(relu(x)),
    }
    for between in ways.values():
        model = Forward(between).eval()
        with helper_functions._watched_layers(model, 3) as layers, torch.no_grad():
            model(torch.from_numpy(grid(21)).float())
        with torch.no_grad():
            given = between(model, expected.clone())
        layer, _ = layers
        np.testing.assert_allclose(layer.switch, expected, atol=1e-6)
        np.testing.assert_allclose(layer.activation, given, atol=1e-6)


@pytest.mark.filterwarnings("ignore:.*torch.jit:DeprecationWarning")  # torch.compile's own
@pytest.mark.parametrize(
    "wrap", [spectral_norm, pytest.param(torch.compile, marks=pytest.mark.slow), None]
)
def test_layers_are_found_behind_wrappers_and_keywords(wrap):
    class Keywords(nn.Module):
        def __init__(self):
            super().__init__()
            self.one, self.two = nn.Linear(2, 3), nn.Linear(3, 1)
            if wrap is spectral_norm:
                self.one = wrap(self.one)

        def forward(self, x):
            return self.two(input=torch.relu(self.one(input=x)))

    model = Keywords()
    figure = plot_hidden_units(torch.compile(model) if wrap is torch.compile else model, X)
    assert list(panels_of(figure))[:3] == [f"layer 1, unit {i}" for i in (1, 2, 3)]


def test_a_cap_on_units_is_said_and_many_classes_are_drawn():
    model = nn.Sequential(nn.Linear(2, 40), nn.Tanh(), nn.Linear(40, 3))
    figure = plt.figure()
    other = plt.figure()
    returned = plot_hidden_units(model, X, y, figure=figure, max_units=9, title="My network")
    assert returned is figure
    assert plt.gcf() is other
    panels = panels_of(figure)
    assert len(panels) == 9 + 1
    notes = [text.get_text() for ax in panels.values() for text in ax.texts]
    assert notes == ["layer 1 has 31 more units, which are not shown"]
    assert figure.get_suptitle() == "My network"
    assert image_of(panels["output: decision boundary"]).max() > 255


def test_chunks_of_the_grid_are_put_together_in_order():
    model = nn.Sequential(nn.Linear(2, 4096), nn.ReLU(), nn.Linear(4096, 1))  # 1,024 at a time
    panels = panels_of(plot_hidden_units(model, X, grid_resolution=71, max_units=2, **PLANE))
    with torch.no_grad():
        expected = model[:2](torch.from_numpy(grid(71)).float())
    np.testing.assert_allclose(
        image_of(panels["layer 1, unit 2"]).ravel(), expected[:, 1], atol=1e-6
    )


class TwoHalves(nn.Sequential):
    """A network that asks its layers about each feature alone."""

    def __init__(self):
        torch.manual_seed(0)
        super().__init__(nn.Linear(1, 4), nn.ReLU(), nn.Linear(4, 1))

    def forward(self, x):
        return super().forward(x.reshape(-1, 1)).reshape(len(x), 2).sum(dim=1)


@pytest.mark.parametrize(
    ("model", "error", "words"),
    [
        (SVC().fit(X, y), TypeError, "model must be an nn.Module, no script; got an .* SVC"),
        (nn.Linear(2, 1), ValueError, "model must have a hidden layer, .*got 1"),
        (Sectors(), ValueError, "model must have a hidden layer, .*got 0"),
        (nn.Sequential(nn.Linear(2, 3), nn.Linear(4, 1)), RuntimeError, "cannot be multiplied"),
        (
            nn.Sequential(nn.Linear(2, 6), nn.GLU(), nn.Linear(3, 1)),
            ValueError,
            r"nn.Linear 2 on the answers \(22801, 6\) of the last; got \(22801, 3\)",
        ),
        (TwoHalves(), ValueError, r"the answers \(22801, 4\) of the last; got \(45602, 4\)"),
    ],
)
def test_hidden_units_say_what_is_wrong_and_leave_no_hook(model, error, words):
    with pytest.raises(error, match=words):
        plot_hidden_units(model, X, returns="logits")
    if isinstance(model, nn.Module):
        for module in model.modules():
            assert not module._forward_hooks
            assert not module._forward_pre_hooks
    with pytest.raises(ValueError, match="max_units must be a whole number, 1 or more; got 0"):
        plot_hidden_units(CircleModelV2(), X, max_units=0)


# The plots of lesson data and of histories


def test_predictions_of_numbers():
    train, test = torch.arange(4.0)[:, None], torch.arange(4.0, 6)[:, None]
    ax = plot_predictions(train, 2 * train, test, 2 * test, 2 * test + 1)
    assert [line.get_label() for line in ax.lines] == ["train", "test", "predictions"]
    np.testing.assert_array_equal(ax.lines[2].get_xydata(), [[4, 9], [5, 11]])


def test_predictions_in_the_plane_mark_the_wrong_ones():
    wrong = np.flatnonzero(np.arange(20) % 7 == 0)
    predictions = y[:20].copy()
    predictions[wrong] = 1 - predictions[wrong]
    ax = plot_predictions(X[20:], y[20:], X[:20], y[:20], torch.from_numpy(predictions)[:, None])
    assert ax.lines[-1].get_label() == "wrong: 3 of 20"
    np.testing.assert_array_equal(ax.lines[-1].get_xydata(), X[wrong])
    labels = {line.get_label() for line in ax.lines}
    assert {"train 0", "train 1", "test 0", "test 1"} <= labels


def test_loss_curves():
    history = dict(train_loss=[3, 2], test_loss=[4, 3], train_acc=[0.5, 1], test_acc=[0.4, 0.9])
    loss, accuracy = plot_loss_curves(history)
    np.testing.assert_array_equal(loss.lines[1].get_xydata(), [[1, 4], [2, 3]])
    np.testing.assert_array_equal(accuracy.lines[0].get_ydata(), [0.5, 1])
    assert (loss.get_ylabel(), accuracy.get_ylabel()) == ("loss", "accuracy")
    with pytest.raises(ValueError, match="it has no test_acc"):
        plot_loss_curves({key: history[key] for key in list(history)[:3]})


# What is told of bad input


@pytest.mark.parametrize(
    ("options", "error", "words"),
    [
        ({"ax": 3}, TypeError, "ax must be a matplotlib Axes; got an object of type int"),
        ({"cmap": "nope"}, ValueError, "cmap must be a colormap that matplotlib has; got 'nope'"),
        ({"alpha": 2}, ValueError, "alpha must be a number from 0 to 1; got 2"),
    ],
)
def test_wrong_drawing_options_are_named_and_nothing_is_drawn(options, error, words):
    with pytest.raises(error, match=words):
        plot_decision_boundary(torch.nn.Linear(2, 1), [[0.0, 1.0], [1.0, 0.0]], **options)
    assert plt.get_fignums() == []


def test_predictions_that_are_no_labels_are_refused():
    points = np.zeros((4, 2))
    with pytest.raises(ValueError, match=r"predictions must be labels, of .*; got 0\.3"):
        plot_predictions(points, [0, 1, 0, 1], points, [0, 1, 0, 1], [0.3, 1, 0, 1])
    with pytest.raises(ValueError, match="train_data must have shape"):
        plot_predictions(np.zeros((4, 3)), [0, 1, 0, 1], points, [0, 1, 0, 1])
    assert plt.get_fignums() == []


def test_a_history_of_lists_of_different_lengths_is_refused():
    history = {key: [1.0, 0.5] for key in ("train_loss", "test_loss", "train_acc", "test_acc")}
    with pytest.raises(ValueError, match=r"history must have lists of one length; got 2, 3"):
        plot_loss_curves(history | {"test_acc": [1, 2, 3]})
    assert plt.get_fignums() == []


def test_complex_points_are_refused():
    with pytest.raises(ValueError, match="X must hold numbers"):
        plot_decision_boundary(torch.nn.Linear(2, 1), np.zeros((3, 2), complex))


def test_class_names_stand_in_the_legend_by_the_number_of_the_class():
    torch.manual_seed(0)
    model, names = CircleModelV0(out_features=3), np.array(["cat", "dog", "horse"])
    ax = plot_decision_boundary(model, X, 2 * y, class_names=names)
    # One that has a region but no point is named, too.
    assert [line.get_label() for line in ax.lines] == ["cat", "dog", "horse"]
    assert [len(line.get_xdata()) for line in ax.lines] == [*np.bincount(2 * y)]
    figure = plot_hidden_units(model, X, 2 * y, class_names=names)
    texts = [text.get_text() for text in figure.axes[-1].get_legend().get_texts()]
    assert texts == ["cat", "dog", "horse"]
    ax = plot_decision_boundary(model, X, class_names=names, ax=plt.figure().gca())
    regions = names[np.unique(image_of(ax).astype(int) // 256)]
    assert [text.get_text() for text in ax.get_legend().get_texts()] == [*regions]
    assert not sum(len(line.get_xdata()) for line in ax.lines)
    with pytest.raises(ValueError, match=r"class_names must .* 3 classes; got \['cat', 'dog'\]"):
        plot_decision_boundary(model, X, class_names=["cat", "dog"])


def test_scores_may_be_infinite():
    class Certain(nn.Module):
        def forward(self, x):
            scores = torch.zeros(len(x), 3)
            scores[:, 0] = torch.where(x[:, 0] < 0, torch.inf, -torch.inf)
            scores[:, 1] = torch.where(x[:, 0] < 0, torch.inf, 0.0)
            scores[:, 2] = torch.where(x[:, 0] < 0, 0.0, torch.inf)
            return scores

    ax = plot_decision_boundary(Certain(), X, xlim=(-1, 1), ylim=(0, 1), grid_resolution=4)
    predicted, shade = np.divmod(image_of(ax), 256)
    np.testing.assert_array_equal(shade, [[0, 0, 255, 255]] * 4)
    assert (predicted[:, 2:] == 2).all()
    assert (predicted[:, :2] < 2).all()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (dict(cmap=5), "cmap must have a colour for each of the 2 classes; got 5"),
        (dict(cmap=["red", "no colour"]), "cmap must have a colour for each of the 2 classes"),
        (dict(class_names=5), "class_names must be a list or a dict of names; got 5"),
        (dict(class_names="ab"), "class_names must be a list or a dict of names; got 'ab'"),
        (dict(class_names={"a", "b"}), "class_names must be a list or a dict of names; got {"),
    ],
)
def test_options_of_another_type_are_told_by_name(options, message):
    with pytest.raises(ValueError, match=message):
        plot_decision_boundary(Ring(), X, **options)


def test_axes_that_are_no_plane_are_refused():
    for kind in ("polar", "3d"):
        ax = plt.figure().add_subplot(projection=kind)
        with pytest.raises(ValueError, match=f"ax must be rectilinear; got '{kind}'"):
            plot_decision_boundary(Ring(), X, ax=ax)
        assert not ax.images


def test_hidden_units_want_a_figure_and_one_colormap():
    with pytest.raises(TypeError, match="figure must be a Figure or SubFigure; got"):
        plot_hidden_units(CircleModelV2(), X, figure=plt.gca())
    with pytest.raises(ValueError, match="cmap must be a colormap that matplotlib has"):
        plot_hidden_units(CircleModelV2(), X, cmap=["red"])


def test_points_with_a_history_of_autograd_in_a_list_are_told_of():
    points = [torch.zeros(2, requires_grad=True), torch.ones(2, requires_grad=True)]
    with pytest.raises(ValueError, match=r"X must hold numbers in shape \(n, 2\)"):
        plot_decision_boundary(Ring(), points)


def test_a_far_away_point_has_room_around_it():
    ax = plot_decision_boundary(lambda X: X[:, 0], [[1e17, 0.0]], returns="logits")
    low, high = ax.get_xlim()
    assert low < 1e17 < high


def test_a_history_may_be_empty_and_have_more_than_the_curves():
    history = {key: [] for key in ("train_loss", "test_loss", "train_acc", "test_acc")}
    plot_loss_curves(history)
    plot_loss_curves(history | {"seconds": 3.5})
    for number in (0.5, torch.tensor(0.5)):
        with pytest.raises(ValueError, match=r"lists of one length; got .*no list"):
            plot_loss_curves(history | {"train_acc": number})


# What a model's answer is


class Ends(nn.Module):
    """A linear layer and a function of its output, which a forward ends in."""

    def __init__(self, function, outputs=1):
        super().__init__()
        torch.manual_seed(0)
        self.linear, self.function = nn.Linear(2, outputs), function

    def forward(self, x):
        return self.function(self.linear(x))


def drawn(model, labels=None, **options):
    """Return the Axes of a boundary, and what the model answers on the grid."""
    ax = plot_decision_boundary(model, X, labels, grid_resolution=21, **PLANE, **options)
    with torch.no_grad():
        return ax, model(torch.from_numpy(grid(21)).float())


@pytest.mark.parametrize("columns", [lambda p: p, lambda p: p[:, 0], lambda p: p.double()])
@pytest.mark.parametrize("scale", [0.1, 3.0])
def test_a_forward_that_ends_in_sigmoid_gives_probabilities(columns, scale):
    ax, p = drawn(Ends(lambda z: columns((scale * z).sigmoid())))
    np.testing.assert_allclose(image_of(ax).ravel(), p.ravel(), atol=1e-6)
    plain = nn.Sequential(Ends(lambda z: scale * z), nn.Sigmoid(), nn.Flatten(0))
    ax, p = drawn(plain)
    np.testing.assert_allclose(image_of(ax).ravel(), p, atol=1e-6)


@pytest.mark.filterwarnings("ignore:.*torch.jit:DeprecationWarning")
def test_a_sigmoid_is_seen_in_scripts_exports_and_wrappers():
    model = Ends(torch.sigmoid).eval()
    points = torch.zeros(3, 2)
    free = ({0: torch.export.Dim("n")},)
    for other in (
        torch.jit.trace(model, points),
        torch.jit.freeze(torch.jit.trace(model, points)),
        torch.export.export(model, (points,), dynamic_shapes=free).module(),
        nn.DataParallel(model),
        lambda p: model(torch.as_tensor(p).float()).numpy(),
    ):
        ax = plot_decision_boundary(other, X, grid_resolution=21, **PLANE)
        with torch.no_grad():
            p = model.cpu()(torch.from_numpy(grid(21)).float())  # DataParallel moves it
        np.testing.assert_allclose(image_of(ax).ravel(), p.ravel(), atol=1e-6)


def test_a_compiled_part_is_still_compiled_after_a_plot():
    frames = []

    def backend(graph, inputs):
        frames.append(graph)
        return graph

    model = nn.Sequential(torch.compile(nn.Linear(2, 1), backend=backend), nn.Sigmoid())
    plot_decision_boundary(model, X, grid_resolution=5)
    with torch.no_grad():
        model(torch.zeros(3, 2))
    assert frames


def test_a_softmax_shows_its_own_certainty():
    ax, p = drawn(Ends(lambda z: (20 * z).softmax(1), 3))
    top = p.topk(2).values
    np.testing.assert_allclose(
        image_of(ax).ravel() % 256 / 255, top[:, 0] - top[:, 1], atol=1 / 255
    )
    ax, p = drawn(Ends(lambda z: z.softmax(1), 2))
    np.testing.assert_allclose(image_of(ax).ravel(), p[:, 1], atol=1e-6)
    ax, p = drawn(Ends(lambda z: z.log_softmax(1), 2))
    np.testing.assert_allclose(image_of(ax).ravel(), p[:, 1].exp(), atol=1e-6)
    ax, p = drawn(Ends(lambda z: z.half().softmax(1), 20))
    np.testing.assert_array_equal(image_of(ax).ravel() // 256, p.float().argmax(1))


@pytest.mark.parametrize("function", [lambda z: 0.2 + 0.6 * z.sigmoid(), lambda z: 1 - z.sigmoid()])
def test_what_merely_looks_like_probabilities_is_warned_of_and_the_caller_can_say(function):
    model = Ends(function)
    with pytest.warns(UserWarning, match="from 0 to 1, and are drawn as probabilities.*`returns`"):
        ax, p = drawn(model)
    np.testing.assert_allclose(image_of(ax).ravel(), p.ravel(), atol=1e-6)
    ax, p = drawn(model, returns="probabilities")
    np.testing.assert_allclose(image_of(ax).ravel(), p.ravel(), atol=1e-6)
    ax, p = drawn(model, returns="logits")
    np.testing.assert_allclose(image_of(ax).ravel(), p.sigmoid().ravel(), atol=1e-6)


def test_logits_of_a_linear_layer_from_0_to_1_are_logits():
    model = Ends(lambda z: z)
    nn.init.constant_(model.linear.weight, 0.01)
    nn.init.constant_(model.linear.bias, 0.3)
    ax, p = drawn(model)
    np.testing.assert_allclose(image_of(ax).ravel(), p.sigmoid().ravel(), atol=1e-6)


@pytest.mark.parametrize("function", [torch.sigmoid, lambda z: z.softmax(0)])
def test_probabilities_that_are_not_exclusive_are_warned_of(function):
    model = Ends(function, 3)
    with pytest.warns(
        UserWarning, match="3 answers for a point lie from 0 to 1, not with the sum 1"
    ):
        plot_decision_boundary(model, X)
    with pytest.raises(
        ValueError, match="of exclusive classes, from 0 to 1 and with the sum 1; got"
    ):
        plot_decision_boundary(model, X, returns="probabilities")
    ax, p = drawn(model, returns="scores")
    np.testing.assert_array_equal(image_of(ax).ravel() // 256, p.argmax(1))


def test_labels_in_floats_are_labels():
    three = y + (X[:, 0] > 0)
    ax, p = drawn(Ends(lambda z: z.argmax(1), 3), three)
    np.testing.assert_array_equal(image_of(ax).ravel() // 256, p)
    for dtype in (float, np.float32):
        ax = plot_decision_boundary(
            lambda q, d=dtype: (q[:, 0] > 0).astype(d) + (q[:, 1] > 0), X, three, grid_resolution=20
        )
        assert set(image_of(ax).ravel() // 256) == {0, 1, 2}
    with pytest.warns(UserWarning, match="whole numbers, and are drawn as labels"):
        plot_decision_boundary(lambda q: (q[:, 0] > 0) + 1.0 * (q[:, 1] > 0), X)


class Keras:
    """A network of another library: predict gives probabilities."""

    def __init__(self, k):
        self.k = k

    def predict(self, points):
        scores = np.exp(np.asarray(points)[:, :1] * np.arange(self.k)[None])
        return scores / scores.sum(axis=1, keepdims=True) if self.k > 1 else scores / 9


def test_a_predict_that_gives_probabilities_is_drawn_by_them():
    ax = plot_decision_boundary(Keras(3), X, grid_resolution=20, **PLANE)
    p = np.sort(Keras(3).predict(grid(20)))
    np.testing.assert_allclose(image_of(ax).ravel() % 256 / 255, p[:, -1] - p[:, -2], atol=1 / 255)
    ax = plot_decision_boundary(Keras(1), X, grid_resolution=20, **PLANE)
    np.testing.assert_allclose(image_of(ax), 1 / 9)


@pytest.mark.parametrize(
    "regressor",
    [
        LinearRegression(),
        DecisionTreeRegressor(),
        KNeighborsRegressor(),
        make_pipeline(StandardScaler(), DecisionTreeRegressor()),
    ],
)
def test_a_regressor_is_refused_where_it_gives_no_probabilities(regressor):
    with pytest.raises(ValueError, match=r"labels, or probabilities from 0 to 1; got (?!0)"):
        plot_decision_boundary(regressor.fit(X, 5 * y), X)


@pytest.mark.parametrize("labels", [None, 2 * y - 1])
def test_a_regressors_answers_from_0_to_1_may_be_no_probabilities(labels):
    mean = DecisionTreeRegressor(max_depth=1).fit(X, (2 * y + 1) / 4)
    with pytest.warns(UserWarning, match="from 0 to 1, and are drawn as probabilities"):
        plot_decision_boundary(mean, X, labels)


@pytest.mark.parametrize(
    "function", [nn.functional.logsigmoid, lambda z: 100 * z.sigmoid(), lambda z: z.exp() + 1]
)
def test_answers_on_one_side_of_0_are_warned_of_unless_there_is_one_class(function):
    for labels in (None, y):
        with pytest.warns(UserWarning, match="all on one side of 0, and are drawn as logits"):
            drawn(Ends(function), labels)
    drawn(Ends(function), np.ones(len(X)))


@pytest.mark.parametrize("change", [torch.exp_, torch.relu_, lambda z: z.mul_(0.1).add_(9)])
def test_what_changes_a_layers_answer_in_place_makes_it_anew(change):
    model = Ends(change)
    nn.init.constant_(model.linear.bias, 3)
    with pytest.warns(UserWarning, match="The model's answers .* and are drawn as"):
        drawn(model, y)
    ax, p = drawn(Ends(torch.sigmoid_), y)
    np.testing.assert_allclose(image_of(ax).ravel(), p.ravel(), atol=1e-6)


def test_a_logarithm_of_one_probability_is_warned_of():
    class LogOfOne(Ends):
        def forward(self, x):
            return super().forward(x).log_softmax(1)[:, 1]

    with pytest.warns(UserWarning, match="all on one side of 0"):
        drawn(LogOfOne(lambda z: z, 2), y)


@pytest.mark.parametrize("function", [nn.functional.softplus, lambda z: 100 * z.softmax(1)])
def test_answers_above_0_of_several_classes_are_warned_of(function):
    with pytest.warns(UserWarning, match="all on one side of 0, and are drawn as logits"):
        drawn(Ends(function, 3))
    drawn(Ends(lambda z: -z.exp(), 3))
    drawn(Ends(function, 3), returns="scores")


def test_a_regressor_of_probabilities_is_drawn_by_them():
    tree = DecisionTreeRegressor(max_depth=2).fit(X, y)
    ax = plot_decision_boundary(tree, X, y, grid_resolution=20, **PLANE)
    np.testing.assert_allclose(image_of(ax).ravel(), tree.predict(grid(20)), atol=1e-6)


BOTH = np.column_stack([y, X[:, 0] > 0]).astype(int)


@pytest.mark.parametrize(
    "estimator",
    [
        OneVsRestClassifier(LogisticRegression()),
        MultiOutputClassifier(LogisticRegression()),
        RandomForestClassifier(3),
        LinearRegression(),
    ],
)
def test_several_labels_a_point_are_refused(estimator):
    with pytest.raises(ValueError, match="model must give one label for each point; got 2"):
        plot_decision_boundary(estimator.fit(X, BOTH), X, y)


def threshold(t):
    return FixedThresholdClassifier(LogisticRegression(), threshold=t).fit(X, LETTERS)


@pytest.mark.parametrize("estimator", [threshold(0.6), threshold(0.68)])
def test_the_line_is_where_predict_changes(estimator):
    predicted = estimator.predict(grid(101)) == "b"
    assert 0.2 < predicted.mean() < 0.8
    ax = plot_decision_boundary(estimator, X, LETTERS, grid_resolution=101, **PLANE)
    middle = ax.images[0].norm.vcenter  # here one colour turns into the other
    np.testing.assert_allclose(
        image_of(ax).ravel(), estimator.predict_proba(grid(101))[:, 1], atol=1e-6
    )
    np.testing.assert_array_equal(image_of(ax).ravel() > middle, predicted)
    assert middle == pytest.approx(estimator.threshold, abs=1e-3)
    p = estimator.predict_proba(line_of(ax))[:, 1]
    np.testing.assert_allclose(p, estimator.threshold, atol=1e-3)


def test_there_is_no_line_where_predict_knows_one_class():
    estimator = threshold(0.3)
    assert (estimator.predict(grid(101)) == "b").all()
    ax = plot_decision_boundary(estimator, X, LETTERS, grid_resolution=101, **PLANE)
    assert not ax.collections
    assert (ax.images[0].norm(image_of(ax)) > 0.5).all()


def test_predict_has_the_last_word_where_no_threshold_tells_it():
    class Odd(Recorder):
        def predict(self, points):
            return (points[:, 1] > 0.25).astype(int)

    ax = plot_decision_boundary(Odd(), X.astype(np.float32), y, grid_resolution=20, **PLANE)
    np.testing.assert_array_equal(image_of(ax).ravel(), Odd().predict(grid(20)))
    assert abs(line_of(ax)[:, 1] - 0.25).max() < 2 / 19
    with pytest.warns(FutureWarning):
        svc = SVC(probability=True, random_state=0).fit(X, y + (X[:, 0] > 0.3))
    ax = plot_decision_boundary(svc, X, grid_resolution=41, **PLANE)
    np.testing.assert_array_equal(image_of(ax).ravel() // 256, svc.predict(grid(41)))


# The order of the classes


YES = np.array(["no", "yes"])[y]
AS_CATEGORY = pd.Series(pd.Categorical(YES, categories=["yes", "no"], ordered=True))


@pytest.mark.parametrize(
    ("labels", "options", "first"),
    [
        (YES, {}, "no"),  # in alphabetical order
        (YES, dict(class_names=["yes", "no"]), "yes"),
        (YES, dict(class_names=["no", "yes"]), "no"),
        (AS_CATEGORY, {}, "yes"),
        (AS_CATEGORY, dict(class_names=["no", "yes"]), "no"),
        (AS_CATEGORY.to_frame(), {}, "yes"),
        (YES, dict(class_names=np.array(["yes", "no"])), "yes"),
        (YES, dict(class_names=pd.Index(["yes", "no"])), "yes"),
        (YES, dict(class_names={"yes": "", "no": ""}.keys()), "yes"),
        (y + 1, {}, "class 1"),
        (y + 1, dict(class_names=["2", "1"]), "2"),
        (y + 1, dict(class_names=["one", "two"]), "one"),
        (y == 1, dict(class_names=["out", "in"]), "out"),
        (y, dict(class_names={1: "in", 0: "out"}), "out"),
    ],
)
def test_the_classes_of_a_network_come_in_one_order(labels, options, first):
    ax = plot_decision_boundary(CircleModelV0(), X, labels, **options)
    color = to_rgb(helper_functions.CLASS_COLORS[0])
    assert [line.get_label() for line in ax.lines if line.get_color() == color] == [first]
    other = 1 if first in ("2", "yes") else 0
    (points,) = [line.get_xydata() for line in ax.lines if line.get_color() == color]
    np.testing.assert_array_equal(points, X[y == other])


@pytest.mark.parametrize("names", [["yes", "no"], ["no", "yes"], {"yes": "yes", "no": "no"}])
def test_an_estimators_classes_keep_their_names(names):
    estimator = LogisticRegression().fit(X, YES)
    ax = plot_decision_boundary(estimator, X, YES, class_names=names)
    for line in ax.lines:
        np.testing.assert_array_equal(line.get_xydata(), X[line.get_label() == YES])


def test_texts_that_an_estimator_knows_by_number_are_matched_by_class_names():
    estimator = LogisticRegression().fit(X, y)
    ax = plot_decision_boundary(estimator, X, YES, class_names=["no", "yes"])
    for line in ax.lines:
        np.testing.assert_array_equal(line.get_xydata(), X[line.get_label() == YES])
    with pytest.raises(ValueError, match="y must have the model's classes 0, 1; got 'no'"):
        plot_decision_boundary(estimator, X, YES)


@pytest.mark.parametrize(
    ("labels", "names"), [(YES, ["yes", "no"]), (YES, np.array(["yes", "no"])), (AS_CATEGORY, None)]
)
@pytest.mark.parametrize("answers", [np.array([0, 1]), np.array(["yes", "no"])])
def test_a_function_may_give_labels_by_number_or_by_name(labels, names, answers):
    function = lambda p: answers[(p[:, 0] > 0).astype(int)]  # noqa: E731
    options = dict(class_names=names, mark_errors=True, grid_resolution=20)
    ax = plot_decision_boundary(function, X, labels, **options, **PLANE)
    np.testing.assert_array_equal(image_of(ax), np.tile(np.arange(20) > 9, (20, 1)))
    assert [line.get_label() for line in ax.lines][:2] == ["yes", "no"]
    np.testing.assert_array_equal(ax.lines[0].get_xydata(), X[YES == "yes"])
    wrong = (X[:, 0] > 0) != (YES == "no")
    assert ax.lines[2].get_label() == f"wrong: {wrong.sum()} of 60"


@pytest.mark.parametrize("names", [["Yes", "No"], ["yes", "maybe"], {"yes": "Yes"}])
@pytest.mark.parametrize("model", [CircleModelV0(), LogisticRegression().fit(X, YES)])
def test_names_that_match_no_label_are_an_error(names, model):
    with pytest.raises(ValueError, match="class_names must have the labels 'no', 'yes' themselves"):
        plot_decision_boundary(model, X, YES, class_names=names)


@pytest.mark.parametrize(
    ("model", "labels", "names"),
    [
        (CircleModelV0(), y, ["a", "a"]),
        (CircleModelV0(), YES, {"no": "a", "yes": "a"}),
        (Sectors(), y, ["a", "b", "a"]),
        (Sectors(), None, np.array(["a", "b", "a"])),
        (LogisticRegression().fit(X, YES), YES, ["no", "no"]),
    ],
)
def test_two_classes_of_one_name_are_an_error(model, labels, names):
    with pytest.raises(ValueError, match=r"class_names must differ from each other; got"):
        plot_decision_boundary(model, X, labels, class_names=names)


def test_names_that_end_in_zero_are_kept():
    labels = np.array(["v1", "v1.0"])[y]
    ax = plot_decision_boundary(CircleModelV0(), X, labels)
    assert [line.get_label() for line in ax.lines] == ["v1", "v1.0"]


def test_gaps_in_the_labels_are_numbers_where_the_model_has_as_many_classes():
    ax = plot_decision_boundary(CircleModelV0(out_features=3), X, 2 * y)
    colors = [to_rgb(helper_functions.CLASS_COLORS[i]) for i in (0, 2)]
    assert [line.get_color() for line in ax.lines if len(line.get_xdata())] == colors
    plt.clf()
    ax = plot_decision_boundary(CircleModelV0(out_features=2), X, 2 * y)
    assert [line.get_label() for line in ax.lines] == ["class 0", "class 2"]


def test_an_estimator_of_one_class_is_one_colour():
    tree = DecisionTreeClassifier().fit(X, ["a"] * len(X))
    ax = plot_decision_boundary(tree, X, ["a"] * len(X))
    assert set(image_of(ax).ravel()) == {255}
    assert ax.images[0].cmap(255)[:3] == pytest.approx(to_rgb(helper_functions.CLASS_COLORS[0]))
    assert not ax.collections


# Regions, styles, rings


def seen_colors(ax):
    """Return the colours of the background as a viewer sees them, (rows, columns, 3)."""
    image = ax.images[0]
    rgba = image.cmap(image.norm(image.get_array()))
    alpha = image.get_alpha()
    return 1 - alpha + alpha * rgba[..., :3]


@pytest.mark.parametrize("k", [2, 3, 5, 8, 11, 20, 30])
@pytest.mark.parametrize("unit", [1e-9, 1.0, 1e9])
def test_every_region_can_be_told_from_every_other(k, unit):
    angles = 2 * np.pi * np.arange(k) / k
    rays = unit * np.stack([np.cos(angles), np.sin(angles)])
    ax = plot_decision_boundary(lambda p: p @ rays, X, returns="scores", grid_resolution=60)
    colors, values = seen_colors(ax), image_of(ax)
    number = (values > 0.5).astype(int) if k == 2 else values // (2**16 // k if k > 256 else 256)
    assert len(np.unique(number)) == k
    for one in range(k):
        for other in range(one):
            a, b = colors[number == one], colors[number == other]
            assert np.abs(a[:, None] - b[None]).max(axis=2).min() > 0.02


def test_scores_without_a_unit_fade_by_their_share_of_the_largest():
    forest = IsolationForest(random_state=0).fit(X)
    ax = plot_decision_boundary(forest, X, grid_resolution=31, **PLANE)
    scores = forest.decision_function(grid(31))
    expected = 0.5 + scores / abs(scores).max() / 2
    np.testing.assert_allclose(image_of(ax).ravel(), expected, atol=1e-6)


def test_wrong_points_are_ringed():
    estimator = LogisticRegression().fit(X, LETTERS)
    wrong = estimator.predict(X) != LETTERS
    ax = plot_decision_boundary(estimator, X, LETTERS, mark_errors=True)
    assert ax.lines[-1].get_label() == f"wrong: {wrong.sum()} of 60"
    np.testing.assert_array_equal(ax.lines[-1].get_xydata(), X[wrong])
    model = CircleModelV0(out_features=3)
    ax = plot_decision_boundary(model, torch.from_numpy(X).float(), y, mark_errors=True)
    with torch.no_grad():
        wrong = model(torch.from_numpy(X).float()).argmax(1).numpy() != y
    np.testing.assert_allclose(ax.lines[-1].get_xydata(), X[wrong], atol=1e-6)
    with pytest.raises(ValueError, match="mark_errors needs y"):
        plot_decision_boundary(estimator, X, mark_errors=True)


def test_the_line_and_the_points_have_their_own_styles():
    style = dict(line=dict(color="red", lw=3), points=dict(marker="x", ms=9))
    ax = plot_decision_boundary(Ring(), X, y, **style)
    (line,) = ax.collections
    np.testing.assert_allclose(line.get_edgecolor(), [to_rgba("red")])
    assert line.get_linewidth() == 3
    assert len(line.get_facecolor()) == 0
    assert [(points.get_marker(), points.get_markersize()) for points in ax.lines] == [("x", 9)] * 2
    plt.clf()
    ax = plot_decision_boundary(Ring(), X, y, line=None, points=None)
    assert (len(ax.lines), len(ax.collections), ax.get_legend()) == (0, 0, None)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (dict(points=dict(size=3)), "points must be a dict of properties, or None; .*'size'"),
        (dict(line="red"), "line must be a dict of properties, or None"),
        (
            dict(returns="proba"),
            "returns must be one of logits, probabilities, labels, scores; got",
        ),
        (
            dict(features=(0, 0)),
            r"features must have different columns of X, \[0, 1\]; got \(0, 0\)",
        ),
        (dict(features=(0, -2)), r"features must have different columns of X, \[0, 1\]; got"),
        (dict(features=(0, 1, 1)), r"features must have different columns of X, \[0, 1\]; got"),
        (dict(features=[1]), r"features must be two columns of X; got \[1\]"),
        (
            dict(features=(0, 2)),
            r"features must have different columns of X, \[0, 1\]; got \(0, 2\)",
        ),
        (dict(features=5), "features must have different columns of X"),
        (dict(at={"u": 1}), "at must have different columns of X"),
        (dict(at={0: 1, -2: 3}), "at must have different columns of X"),
        (dict(at={0: "u"}), r"at must have a finite number for each feature; got \{0: 'u'\}"),
        (dict(at=[1, 2, 3]), r"at must have a finite number for each feature; got \[1, 2, 3\]"),
        (dict(at=5), r"at must have a finite number for each feature; got 5"),
        (dict(at=[5]), r"at must have a finite number for each feature; got \[5\]"),
        (
            dict(X=pd.DataFrame(X, columns=["u", "u"]), features="uu"),
            "features must have different columns",
        ),
        (dict(at=[1, np.nan]), r"at must have a finite number for each feature; got \[1, nan\]"),
        (
            dict(at={0: np.ma.masked}),
            r"at must have a finite number for each feature; got \{0: masked\}",
        ),
        (
            dict(at=np.ma.array([1, 2], mask=[1, 0])),
            r"at must have a finite number for each feature; got ",
        ),
    ],
)
def test_wrong_options_are_told_before_anything_is_drawn(options, words):
    with pytest.raises(ValueError, match=words):
        plot_decision_boundary(**dict(model=Ring(), X=X, y=y) | options)
    assert not plt.get_fignums()


# Planes: slices, logarithmic axes, gaps


WIDE = np.random.default_rng(1).normal(size=(50, 4))
FRAME = pd.DataFrame(WIDE, columns=["alpha", "beta", "gamma", "delta"])
SIDES = (WIDE[:, 0] + WIDE[:, 2] > 0).astype(int)


def slice_points(at, i=0, j=2):
    points = np.tile(np.asarray(at, float), (21 * 21, 1))
    points[:, [i, j]] = grid(21)
    return points


@pytest.mark.parametrize(
    ("X", "options", "at"),
    [
        (WIDE, dict(features=(0, 2)), WIDE.mean(axis=0)),
        (FRAME, dict(features=("alpha", "gamma")), WIDE.mean(axis=0)),
        (FRAME, dict(features=(0, "gamma"), at={"beta": 3, 3: -1}), [0, 3, 0, -1]),
        (FRAME, dict(features=(0, 2), at=FRAME.loc[7, ::-1]), WIDE[7]),  # matched by name
        (FRAME, dict(features=(0, 2), at=FRAME.iloc[[7], ::-1]), WIDE[7]),
        (FRAME, dict(features=(0, 2), at=pd.Series({"delta": 2.0, "beta": 1.0})), [0, 1, 0, 2]),
        (torch.from_numpy(WIDE), dict(features=(0, -2), at=WIDE[7]), WIDE[7]),
    ],
)
def test_a_slice_of_more_features(X, options, at):
    options = options | dict(grid_resolution=21, **PLANE)
    points = slice_points(at)
    model = nn.Linear(4, 1)
    ax = plot_decision_boundary(model, X, SIDES, **options)
    with torch.no_grad():
        p = model(torch.from_numpy(points).float()).sigmoid()
    np.testing.assert_allclose(image_of(ax).ravel(), p.ravel(), atol=1e-5)
    np.testing.assert_allclose(ax.lines[0].get_xydata(), WIDE[SIDES == 0][:, [0, 2]])
    names = ("alpha", "gamma") if isinstance(X, pd.DataFrame) else ("feature 0", "feature 2")
    assert (ax.get_xlabel(), ax.get_ylabel()) == names
    estimator = LogisticRegression().fit(FRAME if isinstance(X, pd.DataFrame) else WIDE, SIDES)
    ax = plot_decision_boundary(estimator, X, SIDES, mark_errors=True, **options)
    given = pd.DataFrame(points, columns=FRAME.columns) if isinstance(X, pd.DataFrame) else points
    p = estimator.predict_proba(given)[:, 1]
    np.testing.assert_allclose(image_of(ax).ravel(), p, atol=1e-6)
    wrong = (estimator.predict(FRAME if isinstance(X, pd.DataFrame) else WIDE) != SIDES).sum()
    assert ax.lines[-1].get_label() == f"wrong: {wrong} of 50"
    options["returns"] = "logits"  # they are all of one sign
    ax = plot_decision_boundary(lambda p: 2.3 * np.asarray(p)[:, 1] - 9.1, X, **options)
    logit = 2.3 * float(at[1]) - 9.1
    np.testing.assert_allclose(image_of(ax), 1 / (1 + np.exp(-logit)), rtol=0, atol=1e-6)


@pytest.mark.parametrize(
    ("names", "features", "pair"),
    [
        ([1, 2, 0, 7], (1, 0), (0, 2)),  # all are names
        ([1, 2, 3, 7], (1, 0), (1, 0)),  # one is none, so they are places
        (["1", 1, "b", 7], (1, "b"), (1, 2)),
        (["1", "a", "b", 7], (3, "b"), (3, 2)),
    ],
)
def test_whole_numbers_are_names_where_all_are_else_places(names, features, pair):
    frame = pd.DataFrame(WIDE, columns=names)
    ax = plot_decision_boundary(nn.Linear(4, 1), frame, SIDES, features=features)
    np.testing.assert_allclose(ax.lines[0].get_xydata(), WIDE[SIDES == 0][:, pair])


def test_hidden_units_of_a_slice():
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(4, 3), nn.ReLU(), nn.Linear(3, 1))
    figure = plot_hidden_units(model, WIDE, SIDES, features=(0, 2), grid_resolution=21, **PLANE)
    with torch.no_grad():
        expected = model[:2](torch.from_numpy(slice_points(WIDE.mean(axis=0))).float())
    drawn = image_of(panels_of(figure)["layer 1, unit 2"])
    np.testing.assert_allclose(drawn.ravel(), expected[:, 1], atol=1e-5)


def test_two_of_more_features_must_be_named():
    with pytest.raises(ValueError, match=r"got \(50, 4\)\. Of more columns `features` takes two"):
        plot_decision_boundary(nn.Linear(4, 1), WIDE)


def test_a_plane_with_logarithmic_axes_is_drawn_right():
    points = np.exp(3 * X)
    ax = plt.figure().subplots()
    ax.set(xscale="log", yscale="log")
    circle = lambda p: 1 - np.hypot(*np.log(p).T)  # noqa: E731
    plot_decision_boundary(circle, points, y, ax=ax, grid_resolution=101)
    low, _ = ax.get_xlim()
    assert 0 < low < points[:, 0].min()
    assert abs(np.log(line_of(ax))).max() == pytest.approx(1, abs=0.01)
    np.testing.assert_allclose(np.hypot(*np.log(line_of(ax)).T), 1, atol=0.01)
    # The pixels lie where they belong: sample the picture at a known place, in the axes' own scale.
    ax.figure.canvas.draw()
    seen = np.asarray(ax.figure.canvas.buffer_rgba())
    for place, sign in (((1.0, 1.0), 1), ((np.exp(2), np.exp(2)), -1)):
        column, row = ax.transData.transform(place).astype(int)
        red, _, blue = seen[len(seen) - row, column, :3].astype(int)
        assert np.sign(blue - red) == sign
    with pytest.raises(ValueError, match=r"X and xlim must lie where a log axis does; got \(-0"):
        plot_decision_boundary(circle, X, ax=ax)


def test_what_has_no_answer_is_left_blank():
    for model in (
        lambda p: np.where(p[:, 0] < 0, np.nan, p[:, 1]),
        lambda p: np.where(p[:, [0]] < 0, np.nan, p @ np.ones((2, 3)) * [1, 2, 3]),
    ):
        plt.clf()
        ax = plot_decision_boundary(model, X, grid_resolution=20, xlim=(-1, 1), ylim=(-1, 1))
        visible = seen_alpha(ax)
        np.testing.assert_array_equal(visible, np.tile(np.arange(20) > 9, (20, 1)))
        assert line_of(ax)[:, 0].min() > 0


def seen_alpha(ax):
    image = ax.images[0]
    return image.cmap(image.norm(image.get_array()))[..., 3] > 0


def test_what_a_model_masks_is_left_blank():
    masked = lambda p: np.ma.masked_where(p[:, 0] < 0, p[:, 1])  # noqa: E731
    ax = plot_decision_boundary(masked, X, grid_resolution=20, **PLANE)
    np.testing.assert_array_equal(seen_alpha(ax), np.tile(np.arange(20) > 9, (20, 1)))


def test_an_error_outside_a_models_domain_names_the_place():
    positive = make_pipeline(FunctionTransformer(np.log), LogisticRegression()).fit(X + 2, y)
    with np.errstate(all="ignore"), pytest.raises(ValueError, match=r"must|contains") as caught:
        plot_decision_boundary(positive, X + 2, y, xlim=(-1, 3))
    assert "from [-1." in caught.value.__notes__[0]
    assert "xlim" in caught.value.__notes__[0]


def test_long_names_are_shortened_and_legends_of_many_classes_stay_small():
    names = ["x" * 100_000, "two\nlines"]
    frame = pd.DataFrame(X, columns=["u" * 100_000, "v"])
    ax = plot_decision_boundary(CircleModelV0(), frame, y, class_names=names)
    assert [line.get_label() for line in ax.lines] == ["x" * 39 + "…", "two lines"]
    assert ax.get_xlabel() == "u" * 39 + "…"
    plt.clf()
    names = ["x" * 50 + "1", "x" * 50 + "2"]
    ax = plot_decision_boundary(CircleModelV0(), frame, y, class_names=names)
    assert [line.get_label() for line in ax.lines] == [f"{i}: " + "x" * 39 + "…" for i in (0, 1)]
    plt.clf()
    points = pd.DataFrame(X, columns=names)
    ax = plot_predictions(points, np.array(["a b", "a  b"])[y], points, np.array(names)[y])
    assert ax.get_xlabel() == "0: " + "x" * 39 + "…"
    assert ax.get_ylabel() == "1: " + "x" * 39 + "…"
    labels = [line.get_label() for line in ax.lines]
    assert len({*labels}) == 8
    assert labels[:2] == ["train 0: a b", "train 1: a b"]
    plt.clf()
    ax = plot_decision_boundary(nn.Linear(2, 30), X, np.arange(60) % 30)
    ax.figure.canvas.draw()
    assert ax.bbox.contains(*ax.get_legend().get_window_extent().p0)
    assert ax.bbox.contains(*ax.get_legend().get_window_extent().p1)


# In a notebook


def test_a_notebook_shows_hidden_units_once(monkeypatch):
    monkeypatch.setattr(
        "matplotlib.get_backend", lambda: "module://matplotlib_inline.backend_inline"
    )
    figure = plot_hidden_units(CircleModelV2(), X)
    assert figure.number in plt.get_fignums()  # which plt.show() and the end of a cell show
    figure._ipython_display_()  # so its value doesn't
    plt.close(figure)
    plt.figure(figure.number)  # another of that number
    with pytest.raises(NotImplementedError):
        figure._ipython_display_()  # IPython then shows it as any figure


# Lessons' data and histories


def test_data_frames_name_the_axes_of_predictions():
    points, labels = FRAME[["alpha"]], pd.Series(SIDES, name="side")
    ax = plot_predictions(points, labels, points, labels, labels)
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("alpha", "side")
    plt.clf()
    ax = plot_predictions(points["alpha"].to_numpy(), labels, points, labels)
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("", "side")
    plt.clf()
    ax = plot_predictions(WIDE[:, :2], labels, WIDE[:, :2], labels)
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("", "")
    plt.clf()
    points = FRAME[["alpha", "beta"]]
    ax = plot_predictions(points, labels, points, labels)
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("alpha", "beta")


@pytest.mark.parametrize("slope", [0.7, -0.7, 0.0])
def test_the_legend_of_predictions_leaves_the_points_free(slope):
    x = np.linspace(0, 1, 50)
    line = 0.3 + slope * x
    ax = plot_predictions(x[:40], line[:40], x[40:], line[40:], line[40:] + 0.05)
    ax.figure.canvas.draw()
    box = ax.get_legend().get_window_extent()
    for drawn in ax.lines:
        assert not any(box.contains(*point) for point in ax.transData.transform(drawn.get_xydata()))


def test_loss_curves_of_tensors_and_of_one_epoch():
    keys = ("train_loss", "test_loss", "train_acc", "test_acc")
    history = {key: [torch.tensor(0.5, requires_grad=True)] for key in keys}
    loss, _ = plot_loss_curves(history)
    assert [line.get_marker() for line in loss.lines] == ["o", "o"]
    np.testing.assert_array_equal(loss.lines[0].get_xydata(), [[1, 0.5]])
    plt.clf()
    loss, _ = plot_loss_curves({key: torch.rand(3) for key in keys})
    assert [line.get_marker() for line in loss.lines] == ["", ""]


def test_the_legend_of_a_dense_cloud_stands_above_it():
    cloud = np.random.default_rng(0).uniform(-1, 1, (3000, 2))
    labels = cloud[:, 0] > 0
    for scale in ("linear", "log"):
        ax = plt.figure().subplots()
        ax.set_yscale(scale)
        points = np.exp(cloud) if scale == "log" else cloud
        plot_predictions(points[:2000], labels[:2000], points[2000:], labels[2000:], ax=ax)
        ax.figure.canvas.draw()
        box = ax.get_legend().get_window_extent()
        assert not box.count_contains(ax.transData.transform(points))
        assert ax.bbox.contains(*box.p0)
        assert ax.bbox.contains(*box.p1)


LONG = ["x" * 500] * 500


@pytest.mark.parametrize(
    "options",
    [
        dict(xlim=LONG),
        dict(class_names=LONG),
        dict(cmap=LONG),
        dict(cmap="x\n" * 500),
        dict(alpha=LONG),
        dict(returns="x" * 5000),
        dict(features=LONG),
        dict(at=LONG),
        dict(line=LONG),
        dict(points={"x" * 5000: 1}),
        dict(grid_resolution=LONG),
        dict(y=np.array(LONG[:60])),
        dict(X=[["x" * 5000, 1]]),
        dict(X=np.full((3, 2), np.nan)),
        dict(y=np.arange(60).astype(str)),
    ],
)
def test_an_error_echoes_one_line_at_most_and_ends_with_a_full_stop(options):
    with pytest.raises(ValueError, match=r".") as caught:
        plot_decision_boundary(**dict(model=Ring(), X=X, y=y) | options)
    text = str(caught.value)
    assert len(text) < 350
    assert "\n" not in text
    assert text.endswith(".")


def test_hidden_units_on_a_fine_grid():
    figure = plot_hidden_units(CircleModelV2(hidden_units=1), X, grid_resolution=1001)
    assert image_of(panels_of(figure)["layer 1, unit 1"]).shape == (1001, 1001)


@pytest.mark.parametrize("plot", [plot_decision_boundary, plot_hidden_units])
def test_a_warning_points_at_the_line_that_asks_for_the_plot(plot):
    model = nn.Sequential(nn.Linear(2, 4), nn.ReLU(), nn.Linear(4, 3), nn.Softplus())
    with pytest.warns(UserWarning, match="returns") as caught:
        plot(model, X, grid_resolution=5)
    assert {warning.filename for warning in caught} == {__file__}


def test_missing_labels_of_a_pandas_array_get_the_sentence():
    pandas = pytest.importorskip("pandas")
    y = pandas.array([None, *[0, 1] * len(X)][: len(X)], dtype="Int64")
    with pytest.raises(ValueError, match="y must have no missing labels"):
        plot_decision_boundary(lambda p: p[:, 0], X, y)


def test_a_decimal_that_is_no_number_is_a_missing_label():
    y = np.array([Decimal("NaN"), *[Decimal(i % 2) for i in range(len(X) - 1)]], dtype=object)
    with pytest.raises(ValueError, match="y must have no missing labels"):
        plot_decision_boundary(lambda p: p[:, 0], X, y)
