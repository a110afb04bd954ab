"""Saved models drawn from the shell: pictures, one scale for several, errors in one sentence."""

import pytest

from lab import saved_models
from lab.saved_models import main
from model import CircleModelV0, CircleModelV2, save_model
from train import make_data


@pytest.fixture
def saved(tmp_path):
    paths = []
    for model_class in (CircleModelV0, CircleModelV2):
        paths.append(tmp_path / f"{model_class.__name__}.safetensors")
        save_model(model_class(hidden_units=3), paths[-1], {"samples": 40, "noise": 0.1})
    return paths


@pytest.mark.parametrize(
    ("ending", "magic"), [("png", b"\x89PNG"), ("svg", b"<?xml"), ("pdf", b"%PDF")]
)
@pytest.mark.parametrize("more", [[], ["--hidden-units"]])
def test_saved_models_are_drawn(saved, ending, magic, more, capsys):
    out = saved[0].parent / f"picture.{ending}"
    main([*map(str, saved), "--out", str(out), "--resolution", "21", *more])
    assert out.read_bytes().startswith(magic)
    assert capsys.readouterr().out == f"The picture is in {out}\n"


def test_the_picture_stands_beside_the_model_by_default(saved):
    main([str(saved[1])])
    assert saved[1].with_suffix(".png").exists()


def test_several_models_share_one_scale(saved):
    loaded = [(path, *saved_models._load(path)) for path in saved]
    figure = saved_models._draw_saved(loaded, 21, hidden_units=False)
    left, bar, right, other_bar = figure.axes
    assert left.get_title() == "CircleModelV0 (CircleModelV0.safetensors)"
    assert right.get_title() == "CircleModelV2 (CircleModelV2.safetensors)"
    assert left.images[0].get_clim() == right.images[0].get_clim() == (0, 1)
    assert left.get_xlim() == right.get_xlim()
    assert bar.get_ylabel() == other_bar.get_ylabel() == "probability of inner circle"


TABLE = "h,w,kind\n" + "".join(f"{i},{i % 7},{'ab'[i % 2]}\n" for i in range(40))


def save_with_table(folder, name, text, **more):
    (folder / f"{name}.csv").write_text(text)
    settings = {"data": str(folder / f"{name}.csv")} | more
    data = make_data(**settings)
    model, path = CircleModelV2(standardize=data.standardize), folder / f"{name}.safetensors"
    names = {"class_names": data.class_names, "feature_names": data.feature_names}
    save_model(model, path, settings | names)
    return path


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        (",b", ",c", r"with the classes \['a', 'b'\]; got \['a', 'c'\]\."),
        ("w,", "width,", r"with the features \['h', 'w'\]; got \['h', 'width'\]\."),
        ("\n", "\n1", r"with the features' means and standard deviations \[\["),
    ],
)
def test_a_table_that_has_changed_since_the_training_is_refused(tmp_path, old, new, words):
    path = save_with_table(tmp_path, "a", TABLE)
    assert saved_models._load(path)[1].class_names == ("a", "b")
    (tmp_path / "a.csv").write_text(TABLE.replace(old, new).removesuffix("\n1") + "\n")
    with pytest.raises(
        ValueError, match=f"a.csv must fit what .*a.safetensors was trained on, {words}"
    ):
        saved_models._load(path)


def test_models_of_other_units_have_planes_of_their_own(tmp_path):
    rows = TABLE.replace(",", "00,").replace("w00", "width")
    paths = [save_with_table(tmp_path, *each) for each in (("a", TABLE), ("b", rows))]
    loaded = [(path, *saved_models._load(path)) for path in (*paths, paths[0])]
    small, large, again = saved_models._draw_saved(loaded, 21, hidden_units=False).axes[::2]
    assert small.get_xlim() == again.get_xlim()
    assert small.get_xlim()[1] < large.get_xlim()[1] / 90


def test_models_of_one_table_share_a_plane(tmp_path):
    paths = [save_with_table(tmp_path, f"{seed}", TABLE, seed=seed) for seed in (1, 2)]
    loaded = [(path, *saved_models._load(path)) for path in paths]
    one, two = saved_models._draw_saved(loaded, 21, hidden_units=False).axes[::2]
    assert one.get_ylim() == two.get_ylim()
    data = loaded[0][2], loaded[1][2]
    assert data[0].standardize != data[1].standardize


def test_a_data_set_of_ours_has_the_names_that_its_model_was_saved_with(tmp_path):
    names = {"class_names": ["outside", "inside"]}
    for settings in (names, names | {"data": "moons"}):
        save_model(CircleModelV2(), tmp_path / "a.safetensors", settings)
        assert len(saved_models._load(tmp_path / "a.safetensors")[1].X_train) == 800


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "MODEL"),
        (["none.safetensors"], "can't be read"),
        (["junk.safetensors"], "not a saved model"),
        (["{v0}", "none.safetensors"], "can't be read"),
        (["{v0}", "--out", "a.gif"], "out must end in .png, .svg or .pdf; got 'a.gif'"),
        (["{v0}", "--out", "none/a.png"], "directory that exists; got 'none/a.png'"),
        (["{v0}", "--out", "folder.png"], "out must be a file"),
        (["{v0}", "--resolution", "1"], "resolution must be from 2 to 10,001; got 1"),
        (["{v0}", "--resolution", "10002"], "resolution must be"),
        (["{v0}", "--resolution", "x"], "invalid int value"),
        (["{v0}", "--nonsense"], "unrecognized arguments"),
        (["wide.safetensors"], "must hold a model of points in the plane"),
        (["odd.safetensors"], "noise must be a number"),
    ],
)
def test_a_wrong_command_line_is_one_sentence(saved, arguments, words, capsys, monkeypatch):
    folder = saved[0].parent
    monkeypatch.chdir(folder)
    (folder / "junk.safetensors").write_bytes(b"junk")
    (folder / "folder.png").mkdir()
    save_model(CircleModelV0(in_features=3), folder / "wide.safetensors")
    save_model(CircleModelV0(), folder / "odd.safetensors", {"noise": -1.0})
    before = set(folder.iterdir())
    with pytest.raises(SystemExit) as stop:
        main([argument.format(v0=saved[0]) for argument in arguments])
    assert stop.value.code == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.count("\n") == 1
    assert words in printed.err
    assert set(folder.iterdir()) == before


def test_help_shows_an_example(capsys):
    with pytest.raises(SystemExit) as stop:
        main(["--help"])
    assert stop.value.code == 0
    assert "example: python helper_functions.py outputs/" in capsys.readouterr().out
