"""The plane as the last layer sees it: the view is the network's own, and so is the picture."""

import copy
import io
from itertools import pairwise

import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch
from PIL import Image
from sklearn.decomposition import PCA
from torch import nn

from lab.bent_plane import bent_plane_film, last_layer_view, plot_bent_plane
from model import CircleModelV0, CircleModelV2
from train import make_data, train

DATA = make_data(samples=200)
PLANE = np.random.default_rng(0).uniform(-1.5, 1.5, (50, 2))


def trained(model_class=CircleModelV2, **settings):
    torch.manual_seed(42)
    model = model_class(**settings)
    train(model, DATA, epochs=100)
    return model


NETWORKS = {
    "linear": lambda: trained(CircleModelV0),
    "ReLU": lambda: trained(),
    "two units": lambda: trained(hidden_units=(16, 2), activation="tanh"),
    "BatchNorm and Dropout": lambda: trained(batch_norm=True, dropout=0.2),
    "two logits": lambda: CircleModelV2(out_features=2, standardize=((0.1, 0.2), (2.0, 3.0))),
    "without a bias": lambda: nn.Sequential(
        nn.Linear(2, 5), nn.GELU(), nn.Linear(5, 1, bias=False)
    ),
    "flat": lambda: nn.Sequential(nn.Linear(2, 5), nn.ReLU(), nn.Linear(5, 1), nn.Flatten(0)),
    "no hidden layer": lambda: nn.Sequential(nn.Linear(2, 1)),
}


@pytest.fixture(params=NETWORKS, scope="module")
def case(request):
    model = NETWORKS[request.param]()
    return model, last_layer_view(model, DATA.X_train)


def test_the_logit_is_an_affine_function_of_the_view(case):
    model, view = case
    with torch.inference_mode():
        logits = copy.deepcopy(model).double().eval()(torch.from_numpy(PLANE))
    logits = logits.reshape(len(PLANE), -1).numpy()
    logit = logits[:, 1] - logits[:, 0] if logits.shape[1] == 2 else logits[:, 0]
    np.testing.assert_allclose(view(PLANE) @ view.normal + view.offset, logit, atol=1e-12)


def test_two_units_are_seen_as_they_are():
    model = NETWORKS["two units"]()
    with torch.inference_mode():
        units = copy.deepcopy(model).double().layers[:-1](torch.from_numpy(PLANE)).numpy()
    np.testing.assert_allclose(last_layer_view(model, DATA.X_train)(PLANE), units, rtol=1e-12)


def test_more_units_are_seen_along_the_weights_and_the_first_component_of_the_rest():
    model = NETWORKS["ReLU"]()
    view = last_layer_view(model, DATA.X_train)
    weight = model.layers.output.weight.detach().double().numpy()[0]
    across, up = view.directions.T
    np.testing.assert_allclose(up, weight / np.linalg.norm(weight), rtol=1e-12)
    with torch.inference_mode():
        units = copy.deepcopy(model).double().layers[:-1](DATA.X_train.double()).numpy()
    rest = units @ (np.eye(len(up)) - np.outer(up, up))
    component = PCA(1).fit(rest).components_[0]
    np.testing.assert_allclose(across * np.sign(across @ component), component, atol=1e-9)
    assert np.corrcoef(view(DATA.X_train.double().numpy())[:, 0], DATA.X_train[:, 0])[0, 1] > 0


def test_a_linear_network_only_tilts_the_grid():
    ax = plt.figure().add_subplot()
    plot_bent_plane(last_layer_view(NETWORKS["linear"](), DATA.X_train), *DATA[:2], ax=ax)
    for line in np.array(ax.collections[0].get_segments()):
        np.testing.assert_allclose(line, np.linspace(line[0], line[-1], len(line)), atol=1e-9)


def drawn(model, share):
    view, ax = last_layer_view(model, DATA.X_train), plt.figure().add_subplot()
    assert plot_bent_plane(view, *DATA[:2], ax=ax, share=share) is ax
    return view, ax


def test_at_first_the_picture_is_the_plane_and_at_last_the_view():
    model, points = NETWORKS["ReLU"](), DATA.X_train.double().numpy()
    grids = []
    for share in (0, 0.25, 1):
        view, ax = drawn(model, share)
        grids.append(np.array(ax.collections[0].get_segments()))
        for number, line in enumerate(ax.lines[:2]):
            own = points[DATA.y_train[:, 0] == number]
            expected = (1 - share) * own + share * view(own)
            np.testing.assert_allclose(line.get_xydata(), expected, atol=1e-12)
    np.testing.assert_allclose(view(grids[0]), grids[2], atol=1e-12)
    np.testing.assert_allclose(0.75 * grids[0] + 0.25 * grids[2], grids[1], atol=1e-12)
    vertical, horizontal = np.split(grids[0], 2)
    assert (np.ptp(vertical[..., 0], axis=1) == 0).all()
    assert (np.ptp(horizontal[..., 1], axis=1) == 0).all()


def test_the_boundary_ends_up_on_the_outputs_line():
    model = NETWORKS["ReLU"]()
    _, plane = drawn(model, 0)
    view, bent = drawn(model, 1)
    assert len(plane.lines) == len(bent.lines) - 1 > 2
    heights = []
    for before, after in zip(plane.lines[2:], bent.lines[2:-1], strict=True):
        np.testing.assert_allclose(view(before.get_xydata()), after.get_xydata(), atol=1e-12)
        heights.append(after.get_xydata() @ view.normal + view.offset)
    steep = abs(view(PLANE) @ view.normal).max()
    assert abs(np.concatenate(heights)).max() < 0.01 * steep
    line = np.array([bent.lines[-1].get_xy1(), bent.lines[-1].get_xy2()])
    np.testing.assert_allclose(line @ view.normal + view.offset, 0, atol=1e-12)
    assert not np.array_equal(*line)


def test_the_film_goes_from_the_plane_to_the_view():
    view = last_layer_view(NETWORKS["two units"](), DATA.X_train)
    with Image.open(io.BytesIO(bent_plane_film(view, *DATA[:2], frames=3))) as film:
        frames = []
        for i in range(film.n_frames):
            film.seek(i)
            frames.append(np.asarray(film.convert("L"), float))
    assert len(frames) == 3
    assert film.info["duration"] == 2000
    assert all(abs(a - b).mean() > 1 for a, b in pairwise(frames))


@pytest.mark.parametrize(
    ("model", "message"),
    [
        (CircleModelV2(hidden_units=(8, 1)), r"two or more units .*; got Linear\(in_features=1"),
        (CircleModelV2(out_features=3), "one logit or two; got Linear.*out_features=3"),
        (nn.Sequential(nn.Linear(2, 2), nn.ReLU()), r"must end in a Linear layer .*; got ReLU"),
        (nn.Linear(2, 1), "must be an nn.Sequential, or have its layers in one"),
    ],
)
def test_what_has_no_such_view_is_refused(model, message):
    with pytest.raises(ValueError, match=message):
        last_layer_view(model, DATA.X_train)
