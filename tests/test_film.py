"""The film of training: which snapshots it takes, what its frames show, what its files hold."""

import io
import json
import re

import numpy as np
import pytest
import torch
from PIL import Image

from lab import pictures
from lab.command_line import main
from lab.film import Film, animate_training, few_colors, spaced_epochs, write_gif
from model import CircleModelV0, CircleModelV2
from train import Training, make_data, train

DATA = make_data(samples=60)


def filmed(epochs=12, frames=5):
    torch.manual_seed(0)
    film = Film(epochs, frames)
    models = CircleModelV0(hidden_units=4), CircleModelV2(hidden_units=4, batch_norm=True)
    for model in models:
        film.shoot(Training(model, DATA, epochs=epochs))
    return film, models


@pytest.mark.parametrize(("epochs", "frames"), [(300, 64), (1, 64), (5, 64), (10**6, 64), (9, 1)])
def test_snapshots_lie_closer_together_early_on(epochs, frames):
    spaced = spaced_epochs(epochs, frames)
    assert spaced[0] == 0
    assert spaced[-1] == epochs
    assert len(spaced) <= max(frames, 2)
    steps = np.diff(spaced)
    assert (steps > 0).all()
    if epochs == 300:
        assert spaced[:5] == [0, 1, 2, 3, 4]
        assert steps[-1] >= 9


def test_a_film_changes_nothing_in_the_training():
    torch.manual_seed(0)
    watched, alone = CircleModelV2(), CircleModelV2()
    alone.load_state_dict(watched.state_dict())
    film = Film(12)
    assert film.shoot(Training(watched, DATA, epochs=12)) == train(alone, DATA, epochs=12)
    assert len(film.reels[0][1]) == 13


def test_a_film_holds_copies_of_the_states_that_the_model_had():
    film, models = filmed()
    assert film.epochs == [0, 1, 3, 7, 12]
    for model, (reel_model, states) in zip(models, film.reels, strict=True):
        assert reel_model is model
        assert len(states) == 5
        assert not torch.equal(*(s["layers.output.weight"] for s in (states[0], states[1])))
        for name, tensor in model.state_dict().items():
            assert torch.equal(states[-1][name], tensor)
    torch.manual_seed(0)
    fresh = CircleModelV0(hidden_units=4)
    for name, tensor in fresh.state_dict().items():
        assert torch.equal(film.reels[0][1][0][name], tensor)


def test_the_frames_show_the_models_of_their_epochs(tmp_path, monkeypatch):
    film, models = filmed()
    modes = [[module.training for module in model.modules()] for model in models]
    drawn, kinds = [], {"CircleModelV0": "linear", "CircleModelV2": "ReLU"}

    def spy(model, X, y, *, ax, title, **options):
        weight = model.layers.output.weight.clone()
        drawn.append((type(model).__name__, weight, title, ax.figure.get_suptitle()))
        return plot(model, X, y, ax=ax, title=title, **options)

    plot = pictures.plot_decision_boundary
    monkeypatch.setattr(pictures, "plot_decision_boundary", spy)
    animate_training(film, DATA, tmp_path)

    assert [modes for modes, *_ in drawn] == ["CircleModelV0", "CircleModelV2"] * 5
    for i, (name, weight, title, heading) in enumerate(drawn):
        assert torch.equal(weight, film.reels[i % 2][1][i // 2]["layers.output.weight"])
        assert heading == f"epoch {film.epochs[i // 2]}"
        assert re.fullmatch(rf"{kinds[name]}: \d+\.\d % right", title)
    assert modes == [[module.training for module in model.modules()] for model in models]

    with Image.open(tmp_path / "training.gif") as film_file:
        assert film_file.n_frames == 5
        assert film_file.info["loop"] == 0
    page = (tmp_path / "training.html").read_text()
    run = json.loads(re.search(r'<script type="application/json" id="run">(.*?)</script>', page)[1])
    assert run["epochs"] == film.epochs
    assert [model["name"] for model in run["models"]] == ["linear", "bent"]


def test_a_film_must_be_complete(tmp_path):
    film = Film(5)
    with pytest.raises(ValueError, match="seen models for all 5 epochs"):
        animate_training(film, DATA, tmp_path)
    film.shoot(Training(CircleModelV0(), DATA, epochs=4))
    with pytest.raises(ValueError, match="seen models for all 5 epochs"):
        animate_training(film, DATA, tmp_path)


def test_a_gif_shows_its_images_and_rests_on_the_last():
    images = few_colors([Image.new("RGB", (20, 10), c) for c in ("red", "lime", "blue")])
    with Image.open(io.BytesIO(write_gif(images, 0.1))) as film:
        durations, colors = [], []
        for i in range(film.n_frames):
            film.seek(i)
            durations.append(film.info["duration"])
            colors.append(film.convert("RGB").getpixel((3, 3)))
    assert durations == [100, 100, 2000]
    np.testing.assert_allclose(colors, [(255, 0, 0), (0, 255, 0), (0, 0, 255)], atol=4)


def test_animate_on_the_command_line(tmp_path, capsys):
    out = tmp_path / "out"
    arguments = ["--samples", "40", "--epochs", "4", "--out", str(out), "--device", "cpu"]
    main(arguments)
    assert not (out / "training.gif").exists()
    main([*arguments, "--animate"])
    assert "training.gif, training.html and metrics.json." in capsys.readouterr().out
    with Image.open(out / "training.gif") as film:
        assert film.n_frames == 5
    (out / "training.html").unlink()
    (out / "training.html").mkdir()
    with pytest.raises(SystemExit) as stop:
        main([*arguments, "--animate"])
    assert stop.value.code == 2
    assert "room for the file training.html" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        main([*arguments, "--animate", "--seeds", "2"])
    assert "animate shows one training" in capsys.readouterr().err
