"""The pictures of the studies: what their panels are called, and what they show."""

import numpy as np

from lab import study_pictures
from lab.pieces import boundary_segments, linear_pieces
from lab.study_pictures import (
    draw_bent_plane,
    draw_influence,
    draw_pieces,
    draw_smallest,
    trained,
)
from support.text import percent
from train import evaluate, make_data

DATA = make_data()


def titles(figure):
    return [ax.get_title() for ax in figure.axes if ax.get_title()]


def test_pieces_are_counted_in_the_titles():
    figure = draw_pieces(DATA)
    pieces = linear_pieces(trained())
    counts = f"{len(pieces)} pieces, {len(boundary_segments(pieces))} sides"
    assert titles(figure)[0] == "linear\n1 piece, 1 side"
    assert titles(figure)[2] == f"ReLU\n{counts}"
    for ax in figure.axes:
        points = [line.get_xydata() for line in ax.lines]
        assert sum(map(len, points)) == len(DATA.y_train)
        low, high = np.array([ax.get_xlim(), ax.get_ylim()]).T
        assert all((low < p).all() and (p < high).all() for p in points)
    names = [text.get_text() for text in figure.legends[0].get_texts()]
    assert names == ["outer circle", "inner circle"]


def test_each_small_network_tells_its_accuracy():
    each = titles(draw_smallest(DATA))
    assert [title.split(":")[0] for title in each] == [
        f"{units} units {how}" for how in ("by hand", "trained") for units in (3, 4, 5)
    ]
    _, accuracy = evaluate(trained(hidden_units=(4,)), DATA.X_test, DATA.y_test)
    assert each[4] == f"4 units trained: {percent(accuracy, digits=1)} right"


def test_the_bent_plane_is_shown_for_three_networks():
    figure = draw_bent_plane(DATA)
    assert titles(figure)[1:] == ["linear", "ReLU", "tanh, a last layer of two units"]
    assert figure.axes[3].get_xlabel() == "unit 1"


def test_influence_is_shown_from_two_starts():
    small = make_data(samples=20)
    figure = draw_influence(small, (3, 4))
    assert titles(figure) == ["initial weights of seed 3", "initial weights of seed 4"]


def test_all_pictures_are_written(tmp_path, monkeypatch):
    drawn = draw_pieces(DATA)
    for name in ("pieces", "bent_plane", "smallest", "influence"):
        monkeypatch.setattr(study_pictures, f"draw_{name}", lambda *args: drawn)
    monkeypatch.setattr(study_pictures, "bent_plane_film", lambda *args: b"GIF")
    study_pictures.main(tmp_path)
    names = {path.name for path in tmp_path.iterdir()}
    assert names == {
        "pieces.png", "bent_plane.png", "bent_plane.gif", "smallest.png", "influence.png",
    }  # fmt: skip
    assert all(name in study_pictures.__doc__ for name in names)
