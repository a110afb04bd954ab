"""What practitioners' models, names and axes have taught: a picture is right, or an error."""

import copy
from types import MappingProxyType

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
import torch
from matplotlib.colors import ListedColormap, to_rgb
from planes import PLANE, Ring, Sectors, X, grid, image_of, line_of, panels_of, y
from sklearn.cluster import KMeans
from sklearn.ensemble import IsolationForest, RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import FixedThresholdClassifier, GridSearchCV
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC, OneClassSVM
from torch import nn

import helper_functions
from helper_functions import plot_decision_boundary, plot_hidden_units, plot_loss_curves


class Voting(nn.Module):
    """Soft voting: a mean of probabilities."""

    def __init__(self, weights):
        super().__init__()
        torch.manual_seed(0)
        self.each, self.weights = nn.Linear(2, 3), weights

    def forward(self, x):
        return (5 * self.each(x)).softmax(1) @ self.weights


@pytest.mark.parametrize("weights", [torch.tensor([0.1, 0.5, 0.9]), torch.eye(3)[:, [1, 2, 0]]])
def test_means_of_probabilities_are_no_logits(weights):
    model = Voting(weights)
    with pytest.warns(UserWarning, match="lie from 0 to 1, and are drawn as probabilities"):
        ax = plot_decision_boundary(model, X, grid_resolution=21, **PLANE)
    with torch.no_grad():
        p = model(torch.from_numpy(grid(21)).float())
    if p.ndim == 1:
        np.testing.assert_allclose(image_of(ax).ravel(), p, atol=1e-6)
    else:
        first, second = p.topk(2, dim=1).values.unbind(1)
        assert (p.argmax(1).numpy() == image_of(ax).ravel() // 256).all()
        np.testing.assert_allclose(image_of(ax).ravel() % 256, 255 * (first - second), atol=1)


@pytest.mark.parametrize(
    ("model", "labels", "words"),
    [
        (lambda p: p[:, 0] > 0, 2 * y - 1, r"False, True; got -1\. A list class_names"),
        (lambda p: np.digitize(p[:, 0], [-1, 0]), y + 1 + (X[:, 1] > 0.5), "0, 1, 2; got 3"),
        (IsolationForest(random_state=0).fit(X), y, "(1, -1|-1, 1); got 0"),
        (lambda p: np.digitize(p[:, 0], [-1, 0]), np.array(["a", "b"])[y], "0, 1, 2; got 'a'"),
    ],
)
def test_labels_that_no_rule_matches_are_an_error(model, labels, words):
    with pytest.raises(ValueError, match=f"y must have labels that the model gives, {words}"):
        plot_decision_boundary(model, X, labels, grid_resolution=21, **PLANE)


@pytest.mark.parametrize("labels", [None, -np.ones(60, int)])
def test_a_plane_of_outliers_alone_is_one_class(labels):
    svm = OneClassSVM(gamma=2).fit(X)
    far = dict(xlim=(50, 60), ylim=(50, 60), grid_resolution=11)
    assert set(svm.predict(grid(11, (50, 60), (50, 60)))) == {-1}
    ax = plot_decision_boundary(svm, X, labels, **far, class_names={-1: "out", 1: "in"})
    assert [line.get_label() for line in ax.lines] == ["out"]
    assert (image_of(ax) == image_of(ax)[0, 0]).all()
    assert not ax.collections


@pytest.mark.parametrize("labels", [None, np.array(["a", "b"])[y]])
def test_texts_are_matched_by_text_with_points_and_without(labels):
    model = LogisticRegression().fit(X, np.array(["a", "b"])[y])
    with pytest.raises(ValueError, match="class_names must have the labels 'a', 'b' themselves"):
        plot_decision_boundary(model, X, labels, class_names=["Beta", "Alpha"])


def test_whole_numbers_of_any_size_are_labels():
    labels = [10**400 if label else 0 for label in y]
    ax = plot_decision_boundary(nn.Linear(2, 2), X, labels)
    np.testing.assert_array_equal(ax.lines[1].get_xydata(), X[y == 1])


def test_numbers_are_matched_with_texts_as_scores_are():
    torch.manual_seed(0)
    texts = np.array(["no", "yes"])[y]
    net = nn.Linear(2, 2)
    for model in (net, lambda p: net(torch.from_numpy(p).float()).argmax(1).numpy()):
        ax = plot_decision_boundary(
            model, X, texts, mark_errors=True, ax=plt.figure().gca(), grid_resolution=21, **PLANE
        )
        right = net(torch.from_numpy(X).float()).argmax(1).numpy() == y
        assert [line.get_label() for line in ax.lines[:2]] == ["no", "yes"]
        assert ax.lines[-1].get_label() == f"wrong: {(~right).sum()} of 60"
    one_based = lambda p: net(torch.from_numpy(p).float()).argmax(1).numpy()  # noqa: E731
    ax = plot_decision_boundary(one_based, X, y + 1, class_names=[1, 2], mark_errors=True)
    assert ax.lines[-1].get_label() == f"wrong: {(~right).sum()} of 60"


def test_a_tie_has_the_colour_of_the_predicted_class():
    noisy = y ^ (np.arange(60) % 7 == 0)
    model = KNeighborsClassifier(2).fit(X, noisy)
    ax = plot_decision_boundary(model, X, noisy, grid_resolution=101, **PLANE)
    tied = model.predict_proba(grid(101))[:, 1] == 0.5
    assert tied.mean() > 0.05
    image = ax.images[0]
    colours = image.cmap(image.norm(image_of(ax))).reshape(-1, 4)
    blueish = colours[:, 2] > colours[:, 0]  # class 1 is blue, class 0 orange
    np.testing.assert_array_equal(blueish, model.predict(grid(101)) == 1)
    zero = nn.Linear(2, 5)
    nn.init.zeros_(zero.weight)
    nn.init.zeros_(zero.bias)
    ax = plot_decision_boundary(zero, X, ax=plt.figure().gca())
    assert (image_of(ax) // 256 == 0).all()  # the first of the highest, as argmax says


def change_of_colour(ax):
    """Return where the colours of a drawn picture change, across its middle, in pixels."""
    ax.figure.canvas.draw()
    pixels = np.asarray(ax.figure.canvas.buffer_rgba())
    row = pixels[int(pixels.shape[0] - ax.bbox.y0 - 0.5 * ax.bbox.height)].astype(int)
    inside = row[int(ax.bbox.x0) + 3 : int(ax.bbox.x1) - 3]
    return int(ax.bbox.x0) + 3 + abs(np.diff(inside, axis=0)).sum(axis=1).argmax()


@pytest.mark.parametrize("before", ["linear", "log"])
@pytest.mark.parametrize("after", ["linear", "log"])
def test_the_scale_may_be_set_before_and_after(before, after):
    points = np.exp(np.random.default_rng(0).normal(1.2, 0.5, (50, 2)))
    ax = plt.figure().gca()
    ax.set_xscale(before)
    options = dict(ax=ax, grid_resolution=1501, xlim=(1, 30), ylim=(1, 30), line=None, points=None)
    plot_decision_boundary(lambda p: p[:, 0] > 6, points, **options)
    for scale in (after, before):
        ax.set_xscale(scale)
        assert change_of_colour(ax) == pytest.approx(ax.transData.transform((6, 1))[0], abs=3)
    assert ax.get_xlim() == pytest.approx((1, 30))


def test_a_log_scale_shows_what_lies_above_0():
    ax = plot_decision_boundary(lambda p: p[:, 0] > 0.1, X, points=None, line=None, **PLANE)
    ax.set_xscale("log")
    ax.set_xlim(0.02, 2)
    assert change_of_colour(ax) == pytest.approx(ax.transData.transform((0.1, 0))[0], abs=12)


def test_inverted_axes_stay_inverted():
    ax = plt.figure().gca()
    ax.invert_yaxis()
    plot_decision_boundary(Ring(), X, y, ax=ax, **PLANE)
    assert ax.get_xlim() == pytest.approx((-2, 2))
    assert ax.get_ylim() == pytest.approx((1, -1))


@pytest.mark.parametrize("cmap", ["tab10", ListedColormap(["red", "lime", "blue"])])
def test_a_list_of_colours_gives_each_class_one(cmap):
    ax = plot_decision_boundary(Ring(), X, y, cmap=cmap)
    colours = [line.get_color() for line in ax.lines]
    listed = plt.get_cmap(cmap) if isinstance(cmap, str) else cmap
    np.testing.assert_allclose(colours, listed(range(2))[:, :3])
    np.testing.assert_allclose(ax.images[0].cmap([0.0, 1.0])[:, :3], colours)


@pytest.mark.parametrize("cmap", ["tab10", ["red"] * 12, ListedColormap(["red", "lime"])])
def test_colours_that_are_the_same_are_refused(cmap):
    with pytest.raises(ValueError, match="cmap must have a colour for each of the 12 classes"):
        plot_decision_boundary(nn.Linear(2, 12), X, cmap=cmap)


@pytest.mark.parametrize(
    ("labels", "names"),
    [
        (y, pd.Series({1: "ill", 0: "well"})),
        (y, MappingProxyType({1: "ill", 0: "well"})),
        (y, pd.Series(["well", "ill"])),
        (np.array(["a", "b"])[y], pd.Series({"b": "ill", "a": "well"})),
        (np.array(["well", "ill"])[y], pd.Series(["well", "ill"])),
        (np.array([b"well", b"ill"])[y], ["well", "ill"]),
        (np.array([b"well", b"ill"], object)[y], {"well": "well", "ill": "ill"}),
    ],
)
def test_names_of_every_kind_are_matched(labels, names):
    ax = plot_decision_boundary(nn.Linear(2, 2), X, labels, class_names=names)
    by_name = {line.get_label(): line.get_xydata() for line in ax.lines}
    if labels.dtype.kind not in "SO" or isinstance(names, list):
        assert [*by_name] == ["well", "ill"]
    np.testing.assert_allclose(by_name["ill"], X[y == 1])
    np.testing.assert_allclose(by_name["well"], X[y == 0])


def test_texts_in_bytes_are_named_as_texts():
    ax = plot_decision_boundary(nn.Linear(2, 2), X, np.array([b"no", b"yes"])[y])
    assert [line.get_label() for line in ax.lines] == ["no", "yes"]
    ax = plot_decision_boundary(Ring(), X, np.array(["", "b"])[y], ax=plt.figure().gca())
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["''", "b"]


def test_points_without_an_answer_are_neither_right_nor_wrong():
    def logarithm(p):
        with np.errstate(all="ignore"):
            return np.log(p[:, 0] + 0.5)

    ax = plot_decision_boundary(logarithm, X, y, mark_errors=True)
    answered = X[:, 0] > -0.5
    wrong = ((X[:, 0] > 0.5) != y)[answered].sum()
    assert ax.lines[-1].get_label() == f"wrong: {wrong} of {answered.sum()}"


def test_points_outside_the_plane_may_have_other_labels():
    ax = plot_decision_boundary(
        lambda p: np.digitize(p[:, 0], [0, 0.5]),
        X,
        (X[:, 0] > 0).astype(int),
        xlim=(-0.5, 0.2),
        mark_errors=True,
    )
    assert ax.lines[-1].get_label() == f"wrong: {(X[:, 0] > 0.5).sum()} of 60"


def test_what_an_estimator_lacks_cannot_be_asked_for():
    forest = RandomForestClassifier(3, random_state=0).fit(X, y + 1)
    with pytest.raises(ValueError, match=r"returns must be what model has, .*; got 'logits'"):
        plot_decision_boundary(forest, X, y + 1, returns="logits")
    plot_decision_boundary(forest, X, y + 1, returns="labels")


def test_scores_of_predict_are_told_of_returns():
    class Net:
        def predict(self, points):
            return np.stack([points[:, 0], points[:, 1], -points[:, 0]], axis=1)

    with pytest.raises(
        ValueError, match=r"one label for each point; got 3\. The argument `returns`"
    ):
        plot_decision_boundary(Net(), X)
    ax = plot_decision_boundary(Net(), X, returns="logits", grid_resolution=21, **PLANE)
    np.testing.assert_array_equal(image_of(ax).ravel() // 256, Net().predict(grid(21)).argmax(1))


class Concat(nn.Module):
    def __init__(self):
        super().__init__()
        self.first, self.second = nn.Linear(2, 4), nn.Linear(6, 1)

    def forward(self, x):
        return self.second(torch.cat([x, self.first(x).relu()], dim=1))


class Attention(nn.Module):
    def __init__(self):
        super().__init__()
        self.first, self.q, self.k = nn.Linear(2, 4), nn.Linear(4, 4), nn.Linear(4, 4)
        self.last = nn.Linear(4, 1)

    def forward(self, x):
        h = self.first(x).relu()
        return self.last(self.q(h) * self.k(h))


@pytest.mark.parametrize("model", [Concat(), Attention()])
def test_layers_that_are_no_chain_are_refused(model):
    with pytest.raises(ValueError, match=r"model must call its nn\.Linear [23] on the answers"):
        plot_hidden_units(model, X, grid_resolution=21)


def test_a_unit_switches_on_behind_its_normalization():
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(2, 4), nn.GroupNorm(1, 4), nn.ReLU(), nn.Linear(4, 1)).eval()
    figure = plot_hidden_units(model, X, grid_resolution=101, **PLANE)
    with torch.no_grad():
        for unit in range(4):
            ax = panels_of(figure)[f"layer 1, unit {unit + 1}"]
            if ax.collections:
                switch = model[:2](torch.from_numpy(line_of(ax)).float())[:, unit]
                assert abs(switch).max() < 0.05


def test_units_without_an_answer_in_part_of_the_plane_are_drawn():
    class Log(nn.Sequential):
        def forward(self, x):
            return super().forward(torch.log(x + 0.5))

    model = Log(nn.Linear(2, 4), nn.ReLU(), nn.Linear(4, 1))
    figure = plot_hidden_units(model, X, grid_resolution=21, **PLANE)
    for name, ax in panels_of(figure).items():
        if name.startswith("layer"):
            assert np.isfinite(ax.images[0].norm.vmax)


@pytest.mark.parametrize(
    ("labels", "words"),
    [([[0], [0, 1]] * 30, "inhomogeneous"), (torch.eye(60).to_sparse(), "to_dense|layout")],
)
def test_labels_that_are_no_array_get_the_sentence(labels, words):
    with pytest.raises(ValueError, match=f"y must have shape .* a label for each.*({words})"):
        plot_decision_boundary(Ring(), X, labels)


def test_answers_that_are_no_array_get_the_sentence():
    with pytest.raises(ValueError, match=r"model must return shape \(n,\)"):
        plot_decision_boundary(lambda p: [[1]] + [[1, 2]] * (len(p) - 1), X)


def test_data_with_a_name_of_its_own_names_no_axis():
    class Dataset:  # as h5py's
        name, ndim, shape, dtype = "/points", 2, X.shape, X.dtype

        def __array__(self, dtype=None, copy=None):
            return X

    ax = plot_decision_boundary(Ring(), Dataset(), y, features=(0, 1))
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("", "")


@pytest.mark.parametrize("style", [dict(colors="red"), dict(gapcolor="red"), dict(segments=[])])
def test_a_style_that_lines_have_not_is_told_before_anything_is_drawn(style):
    with pytest.raises(ValueError, match="line must be a dict of properties, or None"):
        plot_decision_boundary(Ring(), X, line=style)
    assert not plt.get_fignums()


def test_a_style_keeps_what_it_does_not_say():
    ax = plot_decision_boundary(Ring(), X, line=dict(linestyle="--"))
    (line,) = ax.collections
    np.testing.assert_array_equal(line.get_edgecolor(), [(0, 0, 0, 1)])
    assert line.get_linewidth() == 1.5


def test_legend_markers_have_one_size():
    for count, style in ((60, {}), (60_000, {}), (60_000, {"markersize": 8})):
        points = np.resize(X, (count, 2))
        ax = plot_decision_boundary(
            Ring(), points, np.resize(y, count), points=style, ax=plt.figure().gca()
        )
        sizes = {handle.get_markersize() for handle in ax.get_legend().legend_handles}
        assert sizes == {6}


def test_a_history_may_have_gaps_and_its_axes_are_checked():
    history = {
        "train_loss": [0.7, 0.6, 0.5],
        "test_loss": [None, torch.tensor([0.6]), None],
        "train_acc": [0.5, 0.6, 0.7],
        "test_acc": [np.nan, 0.5, 0.6],
    }
    loss, accuracy = plot_loss_curves(history)
    np.testing.assert_array_equal(loss.lines[1].get_xydata(), [[2, np.float32(0.6)]])
    assert loss.lines[1].get_marker() == "o"
    np.testing.assert_array_equal(accuracy.lines[1].get_xydata(), [[2, 0.5], [3, 0.6]])
    assert plot_loss_curves(history)[0].figure is not loss.figure  # it has axes already
    for axes in (loss, np.array([loss] * 3), [1, 2]):
        with pytest.raises(ValueError, match="axes must be two Axes; got"):
            plot_loss_curves(history, axes=axes)
    plot_loss_curves(history, axes=plt.figure().subplots(2, 1, squeeze=False))
    with pytest.raises(ValueError, match="history must hold numbers; could not convert"):
        plot_loss_curves(history | {"train_acc": ["a", "b", "c"]})


def test_points_are_seen_on_the_regions_of_their_own_class():
    k = len(helper_functions.CLASS_COLORS)
    ax = plot_decision_boundary(nn.Linear(2, k), X, np.arange(60) % k, legend=False)
    white = np.array([to_rgb(line.get_markeredgecolor()) for line in ax.lines]).mean(axis=1)
    brightness = [to_rgb(line.get_color()) @ np.array([0.3, 0.6, 0.1]) for line in ax.lines]
    assert (abs(white - brightness) > 0.35).all()
    ax = plot_decision_boundary(Ring(), X, y, points={"mec": "red"}, ax=plt.figure().gca())
    assert {line.get_markeredgecolor() for line in ax.lines} == {"red"}


@pytest.mark.parametrize(
    ("answers", "labels"),
    [
        (lambda x: np.array(["cat", "dog", "emu"])[np.digitize(x, [-0.4, 0.4])], ["cat", "emu"]),
        (lambda x: np.where(abs(x) < 0.1, "unsure", np.where(x > 0, "emu", "cat")), ["cat", "yak"]),
        (lambda x: np.where(abs(x) < 0.1, -1, np.where(x > 0, 1, 0)), [0, 2]),
    ],
)
def test_a_class_that_is_never_predicted_and_one_without_points_are_drawn(answers, labels):
    labels = np.array(labels)[y]
    options = dict(grid_resolution=21, xlim=(-1, 0.3), ylim=(-1, 1))
    ax = plot_decision_boundary(lambda p: answers(p[:, 0]), X, labels, mark_errors=True, **options)
    points = grid(21, (-1, 0.3), (-1, 1))
    classes = sorted({*answers(points[:, 0]), *answers(X[:, 0]), *labels})
    expected = [classes.index(label) for label in answers(points[:, 0])]
    np.testing.assert_array_equal(image_of(ax).ravel() // 256, expected)
    wrong = (answers(X[:, 0]) != labels).sum()
    assert ax.lines[-1].get_label() == f"wrong: {wrong} of 60"


def test_clusters_are_not_matched_with_texts_by_their_number():
    model = KMeans(2, n_init=1, random_state=0).fit(X)
    with pytest.raises(ValueError, match=r"y must have labels that the model gives, .*class_names"):
        plot_decision_boundary(model, X, np.array(["zebra", "ape"])[y])


def test_a_scale_that_lacks_part_of_the_plane_shows_the_rest():
    positive = np.exp(X)
    ax = plot_decision_boundary(lambda p: p[:, 0] > 1, positive, line=None, points=None)
    ax.set_xlim(-0.1, 3)
    for options in (dict(value="function", functions=(np.sqrt, np.square)), dict(value="log")):
        ax.set_xscale(**options)
        assert change_of_colour(ax) == pytest.approx(ax.transData.transform((1, 1))[0], abs=3)
        assert ax.get_xlim()[0] >= 0
    ax = plot_decision_boundary(lambda p: p[:, 0] > -4, X - 4, ax=plt.figure().gca())
    ax.set_xscale("log")
    ax.images[0].fit()
    assert not ax.images[0].get_visible()


def test_a_mouse_over_several_classes_finds_their_number():
    ax = plot_decision_boundary(nn.Linear(2, 3), X)
    assert ax.images[0].format_cursor_data(np.uint16(255)) == "[255.000]"


def test_a_skip_is_shown_where_a_module_tells_the_activation():
    class Skip(Concat):
        def forward(self, x):
            return self.second(torch.cat([x, self.relu(self.first(x))], dim=1))

    torch.manual_seed(0)
    model = Skip()
    model.relu = nn.ReLU()
    panels = panels_of(plot_hidden_units(model, X, grid_resolution=21, **PLANE))
    with torch.no_grad():
        expected = model.first(torch.from_numpy(grid(21)).float()).relu()[:, 2]
    np.testing.assert_allclose(image_of(panels["layer 1, unit 3"]).ravel(), expected, atol=1e-6)


def test_networks_side_by_side_are_no_chain():
    class Ensemble(nn.Module):
        def __init__(self):
            super().__init__()
            nets = [nn.Sequential(nn.Linear(2, 4), nn.ReLU(), nn.Linear(4, 2)) for _ in range(3)]
            self.nets = nn.ModuleList(nets)

        def forward(self, x):
            return sum(net(x * 1.0) for net in self.nets)

    with pytest.raises(ValueError, match=r"nn\.Linear 3 on .*; got 'the input of another'"):
        plot_hidden_units(Ensemble(), X, grid_resolution=21)


def test_a_mean_of_copied_probabilities_is_none_of_logits():
    class Stacked(Voting):
        def forward(self, x):
            return torch.stack([*(5 * self.each(x)).sigmoid().unbind(1)], dim=1) @ self.weights

    with pytest.warns(UserWarning, match="lie from 0 to 1, and are drawn as probabilities"):
        plot_decision_boundary(Stacked(torch.full((3,), 1 / 3)), X, y)


def test_products_of_complex_numbers_are_no_matter():
    class Waves(nn.Module):
        def forward(self, x):
            return (x.to(torch.complex64) @ torch.eye(2).to(torch.complex64)).real[:, 0]

    ax = plot_decision_boundary(Waves(), X, y, grid_resolution=21, **PLANE)
    p = 1 / (1 + np.exp(-grid(21)[:, 0]))
    np.testing.assert_allclose(image_of(ax).ravel(), p, atol=1e-6)


def test_features_may_be_a_tensor():
    ax = plot_decision_boundary(nn.Linear(3, 1), np.ones((4, 3)), features=torch.tensor([0, 2]))
    assert ax.get_ylabel() == "feature 2"


class Shift(nn.Module):
    """A model that writes into what it is given."""

    def forward(self, x):
        x -= 0.25
        return x[:, 0].sigmoid()


def shift(points):
    return np.subtract(points, 0.25, out=points)[:, 0]


SCALED = np.array([4.0, 4.0]) * X + 9


@pytest.mark.parametrize(
    ("model", "points"),
    [
        (make_pipeline(StandardScaler(copy=False), LogisticRegression()).fit(+SCALED, y), SCALED),
        (shift, X),
        (Shift().double(), torch.from_numpy(X)),
        (Shift().double(), X),
    ],
)
def test_a_model_may_write_into_its_input(model, points):
    points = copy.deepcopy(points)
    before = np.asarray(points).copy()
    ax = plot_decision_boundary(model, points, y, mark_errors=True, grid_resolution=21)
    assert np.array_equal(points, before)
    drawn = np.concatenate([line.get_xydata() for line in ax.lines[:2]])
    np.testing.assert_array_equal(drawn, before[np.argsort(y, kind="stable")])
    plane = np.stack(np.meshgrid(*ax.images[0].grid), axis=-1).reshape(-1, 2)
    if hasattr(model, "predict_proba"):
        expected = model.predict_proba(plane)[:, 1]
    else:
        expected = 1 / (1 + np.exp(0.25 - plane[:, 0]))
    np.testing.assert_allclose(image_of(ax).ravel(), expected, atol=1e-6)


@pytest.mark.parametrize(("error", "factor"), [(-6e-8, 1.0), (1.2e-7, 1.0), (0.0, 1 + 1.2e-7)])
def test_rounding_makes_no_logits_of_probabilities(error, factor):
    def model(points):
        return factor * np.clip(points[:, 0], 0, 1) + error

    with pytest.warns(UserWarning, match="lie from 0 to 1, and are drawn as probabilities"):
        ax = plot_decision_boundary(model, X, y, grid_resolution=21, **PLANE)
    np.testing.assert_allclose(
        image_of(ax).ravel(), np.clip(grid(21)[:, 0], 0, 1), atol=1e-6, rtol=1e-6
    )


def test_small_logits_are_no_rounded_probabilities():
    ax = plot_decision_boundary(lambda p: 1e-7 * p[:, 0], X, grid_resolution=21, **PLANE)
    np.testing.assert_allclose(image_of(ax), 0.5, atol=1e-6)
    np.testing.assert_allclose(line_of(ax)[:, 0], 0, atol=1e-6)


def test_labels_that_are_no_labels_elsewhere_are_an_error():
    class Wide(nn.Module):  # so wide that it is asked about a row at a time
        def __init__(self):
            super().__init__()
            self.memory = nn.Embedding(2**21, 1)

        def forward(self, x):
            return nn.functional.hardsigmoid(8 * x[:, 1])

    with pytest.raises(ValueError, match=r"whole numbers everywhere, or nowhere; got 0\.\d+\. The"):
        plot_decision_boundary(Wide(), X, y, grid_resolution=31, **PLANE)
    ax = plot_decision_boundary(Wide(), X, y, grid_resolution=31, returns="probabilities", **PLANE)
    expected = np.clip(8 * grid(31)[:, 1] / 6 + 0.5, 0, 1)
    np.testing.assert_allclose(image_of(ax).ravel(), expected, atol=1e-6)


@pytest.mark.parametrize("threshold", [0.0, 1e-4, 0.9999, 1.0])
def test_thresholds_near_the_ends_part_the_colours(threshold):
    estimator = FixedThresholdClassifier(
        LogisticRegression(C=1e4), threshold=threshold, response_method="predict_proba"
    ).fit(X, X[:, 0] > 0)
    ax = plot_decision_boundary(estimator, X, grid_resolution=101, **PLANE)
    image = ax.images[0]
    drawn = image.norm(image.get_array()).ravel() >= 0.5
    assert np.array_equal(drawn, estimator.predict(grid(101)))


def test_a_mixture_by_a_linear_layer_without_a_bias_is_none_of_logits():
    def mixture(x):
        both = torch.stack([(2 * x[:, 0]).sigmoid(), (5 * x[:, 0]).sigmoid()], dim=1)
        return nn.functional.linear(both, torch.tensor([[0.5, 0.5]]))

    points = torch.from_numpy(X).float()
    with torch.inference_mode():
        with pytest.warns(UserWarning, match="lie from 0 to 1, and are drawn as probabilities"):
            ax = plot_decision_boundary(mixture, points, y, grid_resolution=21, **PLANE)
        expected = mixture(torch.from_numpy(grid(21)).float()).ravel()
    np.testing.assert_allclose(image_of(ax).ravel(), expected, atol=1e-6)


@pytest.mark.parametrize(
    "style", [{"marker": "x"}, {"fillstyle": "none"}, {"marker": "+", "ms": 9}, {"mfc": "none"}]
)
def test_points_without_a_face_have_the_colours_of_their_classes(style):
    ax = plot_decision_boundary(Ring(), X, y, points=style)
    edges = [to_rgb(points.get_markeredgecolor()) for points in ax.lines]
    assert edges == [to_rgb(color) for color in helper_functions.CLASS_COLORS[:2]]
    assert all(points.get_markeredgewidth() > 1 for points in ax.lines)
    for own in ({"mec": "black"}, {"color": "black"}):
        plt.clf()
        ax = plot_decision_boundary(Ring(), X, y, points=style | own)
        assert [points.get_markeredgecolor() for points in ax.lines] == ["black"] * 2


def test_zeros_and_ones_with_gaps_have_blanks():
    def model(points):
        return np.where(points[:, 1] > 0.5, np.nan, 1.0 * (points[:, 0] > 0))

    with pytest.warns(UserWarning, match="lie from 0 to 1, and are drawn as probabilities"):
        ax = plot_decision_boundary(model, X, y, grid_resolution=21, **PLANE)
    np.testing.assert_array_equal(image_of(ax).ravel(), model(grid(21)))


@pytest.mark.parametrize("outputs", [1, 2])
def test_products_on_one_side_of_0_are_logits(outputs):
    ax = plot_decision_boundary(
        lambda x: (x + 3) @ torch.ones(2, outputs), torch.from_numpy(X).float(), y, **PLANE
    )
    assert len(ax.images) == 1  # without a warning, which would be an error here


@pytest.mark.filterwarnings("ignore:The model's answers are whole numbers")
def test_labels_that_are_missing_are_an_error():
    def model(points):
        return np.where(points[:, 0] > 0.5, np.nan, (points[:, 0] > 0) + 1.0 * (points[:, 1] > 0))

    for returns in (None, "labels"):
        with pytest.raises(ValueError, match="labels must have no missing labels; got nan"):
            plot_decision_boundary(model, X, returns=returns)


def test_sparse_tensors_are_no_matter():
    twist = torch.eye(2).double().to_sparse()
    ax = plot_decision_boundary(
        lambda x: (twist.clone() @ x.T).T[:, 0], torch.from_numpy(X), y, grid_resolution=21, **PLANE
    )
    assert np.array_equal(image_of(ax).ravel() > 0.5, grid(21)[:, 0] > 0)


def test_a_categoricals_codes_are_no_classes_of_an_estimator():
    labels = pd.Categorical.from_codes(y, ["yes", "no"])  # a LabelEncoder's codes are others
    estimator = KNeighborsClassifier(1).fit(X, y)
    with pytest.raises(ValueError, match="y must have the model's classes 0, 1; got 'no'"):
        plot_decision_boundary(estimator, X, labels)
    ax = plot_decision_boundary(estimator, X, labels, class_names=["yes", "no"], mark_errors=True)
    names = [text.get_text() for text in ax.get_legend().get_texts()]
    assert names == ["yes", "no", "wrong: 0 of 60"]


def test_digits_as_texts_are_a_networks_numbers():
    digits = y.astype(str)
    ax = plot_decision_boundary(Ring(), X, digits, class_names=["outside", "inside"])
    assert [points.get_label() for points in ax.lines] == ["outside", "inside"]
    np.testing.assert_array_equal(ax.lines[1].get_xydata(), X[y == 1])


def test_scores_of_pairs_of_classes_are_left_out():
    classes = np.digitize(X[:, 0], [-0.5, 0, 0.5])
    search = GridSearchCV(SVC(), {"decision_function_shape": ["ovo"]}, cv=2).fit(X, classes)
    ax = plot_decision_boundary(search, X, grid_resolution=31, **PLANE)
    assert np.array_equal(image_of(ax).ravel() // 256, search.predict(grid(31)))


def test_a_history_needs_no_method_of_a_dict():
    class Frame(dict):  # such as polars' has columns by name, but no get()
        get = None

    keys = ("train_loss", "test_loss", "train_acc", "test_acc")
    left, _ = plot_loss_curves(Frame({key: [0.5, 0.25] for key in keys}))
    assert left.lines[0].get_xydata().tolist() == [[1, 0.5], [2, 0.25]]


@pytest.mark.parametrize("scale", [1e-30, 1e30])
def test_scores_may_be_tiny_or_huge(scale):
    ax = plot_decision_boundary(lambda x: scale * Sectors()(x), torch.from_numpy(X), **PLANE)
    winner = Sectors()(torch.from_numpy(grid(301))).argmax(1)
    np.testing.assert_array_equal(image_of(ax).ravel() // 256, winner)


def test_of_columns_of_one_name_a_function_gets_both():
    frame = pd.DataFrame(X, columns=["a", "a"])
    ax = plot_decision_boundary(
        lambda points: np.asarray(points)[:, 1], frame, y, grid_resolution=21, **PLANE
    )
    assert np.array_equal(image_of(ax).ravel() > 0.5, grid(21)[:, 1] > 0)
