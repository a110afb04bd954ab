"""What `python train.py` does: its files and figures, and one sentence for each wrong input."""

import json
import os
import random
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest
import torch

import lab.run
import train as script
from lab import command_line
from lab.pictures import plot_boundaries
from lab.run import train_both
from model import load_checkpoint
from support.checks import keywords_of

ROOT = Path(__file__).parent.parent
SMALL = ["--samples", "200", "--epochs", "12"]
FILES = [
    "circle_model_v0.safetensors",
    "circle_model_v2.safetensors",
    "decision_boundary.png",
    "loss_curves.png",
    "metrics.json",
]
pytestmark = pytest.mark.usefixtures("no_pictures")


def run(*arguments, out):
    command_line.main([*arguments, "--device", "cpu", "--out", str(out)])
    return json.loads((out / "metrics.json").read_text())


def test_the_default_run_shows_the_line_against_the_ring(tmp_path, capsys, pictures):
    metrics = run(out=tmp_path / "new" / "out")
    out = tmp_path / "new" / "out"
    assert sorted(os.listdir(out)) == FILES
    linear, relu = metrics["models"]["CircleModelV0"], metrics["models"]["CircleModelV2"]
    assert 0.4 < linear["test_accuracy"] < 0.6
    assert relu["test_accuracy"] >= 0.99
    assert linear["parameters"] == relu["parameters"] == 337
    assert metrics["best_possible_accuracy"] == pytest.approx(0.99957, abs=5e-6)
    assert metrics["settings"]["epochs"] == 300
    assert metrics["versions"]["torch"] == version("torch")
    assert metrics["device"] == "cpu"
    assert metrics["threads"] == 1
    assert relu["history"]["epoch"][-1] == 300
    assert relu["history"]["test_acc"][-1] == relu["test_accuracy"]

    printed, errors = capsys.readouterr()
    assert errors == ""  # the progress bars are for terminals only
    for text in (
        "CircleModelV0",
        f"{100 * relu['test_accuracy']:.2f} %",
        "99.957 %",
        *FILES,
        str(out),
    ):
        assert text in printed
    assert (out / "decision_boundary.png").read_bytes().startswith(b"\x89PNG")


def test_the_saved_models_are_the_trained_ones(tmp_path):
    metrics = run(*SMALL, "--seed", "3", "--batch-norm", "--dropout", "0.1", out=tmp_path)
    for name, figures in metrics["models"].items():
        model, settings = load_checkpoint(
            tmp_path / f"{name.lower().replace('model', '_model_')}.safetensors"
        )
        assert type(model).__name__ == name
        assert settings.items() >= metrics["settings"].items()
        assert settings["class_names"] == ["outer circle", "inner circle"]
        data = script.make_data(**keywords_of(script.make_data, settings))
        _, accuracy = script.evaluate(model, data.X_test, data.y_test)
        assert accuracy == figures["test_accuracy"]


def test_boundary_panels_say_what_they_show():
    data = script.make_data(samples=100)
    results = train_both(data, {"seed": 1, "epochs": 2})
    figure = plot_boundaries(results, data)
    titles = [ax.get_title() for ax in figure.axes[:4]]
    for title, (name, part) in zip(
        titles,
        [(name, part) for name in ("linear", "ReLU") for part in ("train", "test")],
        strict=True,
    ):
        assert title.startswith(f"{name}, {part}: ")
        assert title.endswith(" % right")
    assert [len(ax.lines[0].get_xdata()) for ax in figure.axes[:4]] == [40, 10, 40, 10]


def test_many_seeds_are_summed_up(tmp_path, capsys):
    metrics = run(*SMALL, "--seeds", "3", "--seed", "5", out=tmp_path)
    assert sorted(os.listdir(tmp_path)) == ["boundaries.png", "metrics.json", "seeds.png"]
    assert [figures["model"] for figures in metrics["figures"]] == [
        "CircleModelV0",
        "CircleModelV2",
    ]
    assert all(figures["seeds"] == 3 for figures in metrics["figures"])
    assert "3 seeds, 5 to 7" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("comparison", "values", "models"),
    [
        ("hidden-units=2,3", [2, 3], 2),
        ("dropout=0,0.5", [0.0, 0.5], 1),  # the linear model has no dropout to compare
        ("batch_norm=False,True", [False, True], 1),
        ("batch_size=20", [20], 2),
    ],
)
def test_settings_are_compared_on_the_same_seeds(tmp_path, capsys, comparison, values, models):
    metrics = run(*SMALL, "--seeds", "2", "--compare", comparison, out=tmp_path)
    assert sorted(os.listdir(tmp_path)) == ["comparison.png", "metrics.json"]
    assert [figures["value"] for figures in metrics["figures"][::models]] == values
    assert len(metrics["figures"]) == models * len(values)
    if len(values) > 1:
        name = comparison.split("=")[0].replace("-", "_")
        assert name not in metrics["settings"]
        assert all(one["settings"] == {name: one["value"]} for one in metrics["figures"])
    assert capsys.readouterr().out.count("\n| ") == models * len(values) + 2


@pytest.mark.parametrize(
    ("comparison", "names"),
    [("lr=0.1,0.2", ["linear", "Tanh"]), ("activation=relu,identity", ["the network"])],
)
def test_a_compared_network_is_called_by_what_bends_it(tmp_path, monkeypatch, comparison, names):
    saved = []
    monkeypatch.setattr("lab.run_many.save_figure", lambda figure, path: saved.append(figure))
    run(*SMALL, "--activation", "tanh", "--seeds", "2", "--compare", comparison, out=tmp_path)
    accuracy, loss = saved[0].axes
    for ax in (accuracy, loss):
        assert ax.get_legend_handles_labels()[1] == names
    legends = [[text.get_text() for text in each.get_texts()] for each in saved[0].legends]
    assert legends == ([names] if len(names) > 1 else [])
    first = [container.lines[0].get_xdata()[0] for container in accuracy.containers]
    assert sum(first) == pytest.approx(0)  # side by side above the first value


@pytest.mark.parametrize(("comparison", "shown"), [("lr=0.1,0.2", 1), ("noise=0.1,0.2", 0)])
def test_the_best_possible_is_shown_where_it_is_one(tmp_path, capsys, comparison, shown):
    run(*SMALL, "--seeds", "2", "--compare", comparison, out=tmp_path)
    assert capsys.readouterr().out.count("Best possible on average") == shown


def test_compile_puts_each_model_through_torch_compile(tmp_path, monkeypatch):
    compiled = []
    monkeypatch.setattr(torch.nn.Module, "compile", lambda *args, **mode: compiled.append(args[0]))
    run(*SMALL, "--seeds", "60", "--compile", out=tmp_path)
    assert [ensemble.size for ensemble in compiled] == [31, 31, 31, 31]  # with a spare one each
    compiled.clear()
    run(*SMALL, "--compile", out=tmp_path)
    assert [type(model).__name__ for model in compiled] == ["CircleModelV0", "CircleModelV2"]


WRONG = [
    (["--epochs", "-5"], "--epochs must be a whole number from 1 to 1,000,000,000; got -5."),
    (["--epochs", "0"], "--epochs must be"),
    (["--epochs", "many"], "--epochs: invalid int value: 'many'"),
    (["--epochs", "2.5"], "--epochs: invalid int value: '2.5'"),
    (["--lr", "0"], "--lr must be a number above 0"),
    (["--lr", "nan"], "--lr must be a number above 0 and below inf; got nan."),
    (["--lr", "-0.1"], "--lr must be a number above 0"),
    (["--momentum", "1"], "--momentum must be a number from 0 to below 1; got 1.0."),
    (["--weight-decay", "inf"], "--weight-decay must be"),
    (["--batch-size", "0"], "--batch-size must be"),
    (["--batch-size", "2", "--batch-norm"], "--batch-size must be 3 or more with batch_norm"),
    (["--hidden-units", "0"], "--hidden-units must be"),
    (["--hidden-units", "1000000000"], "--hidden-units must be a whole number from 1 to 10,000"),
    (["--dropout", "1.0"], "--dropout must be a number from 0 to below 1; got 1.0."),
    (["--samples", "1"], "--samples must be"),
    (["--samples", "1000000000"], "--samples must be a whole number from 10 to 100,000,000"),
    (["--seeds", "2", "--animate"], "animate shows one training"),
    (["--samples", "10", "--test-size", "0.01"], "--test-size must leave at least 2 of the 10"),
    (["--noise", "nan"], "--noise must be a number from 0 to 100; got nan."),
    (["--noise", "-1"], "--noise must be"),
    (["--factor", "1"], "--factor must be a number from 0 to below 1; got 1.0."),
    (["--test-size", "1.5"], "--test-size must be a number above 0 and below 1; got 1.5."),
    (["--seed", "-1"], "--seed must be a whole number from 0 to 4,294,967,295; got -1."),
    (["--record-every", "0"], "--record-every must be"),
    (["--device", "tpu"], "--device: invalid choice: 'tpu'"),
    (["--seeds", "0"], "--seeds must be a whole number"),
    (["--seeds", "2", "--seed", "4294967295"], "--seed must leave room"),
    (
        ["--compare", "features=x1,x2"],
        "compare must be SETTING=VALUE,... with one of activation, batch_norm, batch_size, "
        "classes, data, dropout, epochs, factor, hidden_units, label,",
    ),
    (
        ["--compare", "depth=1,2"],
        "compare must be SETTING=VALUE,... with one of activation, batch_norm,",
    ),
    (["--compare", "lr"], "compare must be SETTING=VALUE"),
    (["--compare", "lr=0.1,fast"], "compare must give lr as numbers; got '0.1,fast'."),
    (["--compare", "lr=0.1,-1"], "--lr must be a number above 0 and below inf; got -1.0."),
    (
        ["--compare", "batch_norm=maybe"],
        "compare must give batch_norm as True or False; got 'maybe'.",
    ),
    (["--epoch", "3"], "unrecognized arguments: --epoch 3"),
    (["spirals"], "unrecognized arguments: spirals"),
    (["--epochs", "9" * 10_000 + "x"], "--epochs: invalid int value: '999"),
    (["--lines\n" * 1000], "unrecognized arguments: --lines\\n--lines"),
    (["--compare", "x" * 10_000], "compare must be SETTING=VALUE,... with one of"),
    (["--compare", "lr=" + "x" * 10_000], "compare must give lr as numbers; got 'xxx"),
    (["--lr", "0.1", "--data", "x" * 10_000], "data must be one of circles"),
]


def assert_refused(arguments, message, monkeypatch, capsys):
    def fail(*_, **__):
        raise AssertionError("training has begun")

    monkeypatch.setattr(script, "build", fail)
    with pytest.raises(SystemExit) as stop:
        command_line.main(arguments)
    assert stop.value.code == 2
    printed, errors = capsys.readouterr()
    assert printed == ""
    assert message in errors
    assert errors.endswith(".\n")
    assert errors.count("\n") == 1
    assert len(errors) < 500


@pytest.mark.parametrize(("arguments", "message"), WRONG, ids=lambda value: str(value)[:40])
def test_wrong_input_is_one_sentence_before_training(
    tmp_path, monkeypatch, capsys, arguments, message
):
    out = tmp_path / "out"
    assert_refused([*arguments, "--out", str(out)], message, monkeypatch, capsys)
    assert not out.exists()


@pytest.mark.skipif(torch.cuda.is_available(), reason="this machine has a CUDA device")
def test_a_device_that_is_not_there_is_refused(tmp_path, monkeypatch, capsys):
    arguments = ["--device", "cuda", "--out", str(tmp_path / "out")]
    assert_refused(arguments, "device must be one that this machine has", monkeypatch, capsys)


def test_a_file_in_the_place_of_the_directory_is_refused(tmp_path, monkeypatch, capsys):
    (tmp_path / "out").write_text("precious")
    message = "out must be a directory that can be written"
    for out in (tmp_path / "out", tmp_path / "out" / "below"):
        assert_refused(["--out", str(out)], message, monkeypatch, capsys)
    assert (tmp_path / "out").read_text() == "precious"


def test_a_directory_that_cannot_be_written_is_refused(monkeypatch, capsys):
    message = "out must be a directory that can be written"  # not even root can write here
    assert_refused(["--out", "/proc/outputs"], message, monkeypatch, capsys)


def test_a_directory_in_the_place_of_a_file_is_refused(tmp_path, monkeypatch, capsys):
    (tmp_path / "metrics.json").mkdir()
    message = "out must have room for the file metrics.json"
    assert_refused(["--out", str(tmp_path)], message, monkeypatch, capsys)


@pytest.mark.parametrize("error", [MemoryError(), RuntimeError("can't allocate memory")])
def test_too_little_memory_is_one_sentence(tmp_path, monkeypatch, capsys, error):
    def fail(*_, **__):
        raise error

    monkeypatch.setattr(lab.run, "train_both", fail)
    with pytest.raises(SystemExit) as stop:
        run(out=tmp_path)
    assert stop.value.code == 2
    assert "there is not enough memory" in capsys.readouterr().err


def test_a_bug_is_not_taken_for_wrong_input(tmp_path, monkeypatch):
    def fail(*_, **__):
        raise RuntimeError("mat1 and mat2 shapes cannot be multiplied")

    monkeypatch.setattr(lab.run, "train_both", fail)
    with pytest.raises(RuntimeError, match="shapes"):
        run(out=tmp_path)


def test_a_picture_that_cannot_be_written_leaves_the_old_one_whole(tmp_path, monkeypatch, capsys):
    run(*SMALL, out=tmp_path)
    before = {name: (tmp_path / name).read_bytes() for name in FILES}

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(SystemExit) as stop:
        run(*SMALL, "--seed", "1", out=tmp_path)
    assert stop.value.code == 2
    assert "circle_model_v0.safetensors can't be written: No space left" in capsys.readouterr().err
    assert {name: (tmp_path / name).read_bytes() for name in FILES} == before
    assert sorted(os.listdir(tmp_path)) == FILES


def test_no_noise_and_minus_no_noise_are_the_same(tmp_path):
    for noise in ("0", "-0.0"):
        metrics = run(*SMALL, f"--noise={noise}", out=tmp_path)
        assert metrics["best_possible_accuracy"] == 1.0


def test_a_loss_that_overflows_is_one_sentence(tmp_path, capsys):
    with pytest.raises(SystemExit) as stop:
        run("--lr", "1e30", out=tmp_path)
    assert stop.value.code == 2
    errors = capsys.readouterr().err
    assert (
        "Try a smaller learning rate, momentum or weight decay than 1e+30, 0.9 and 0.0." in errors
    )
    assert os.listdir(tmp_path) == []


def test_the_script_runs_from_elsewhere_and_twice_the_same(tmp_path):
    arguments = [*SMALL, "--batch-size", "32"]
    command = [sys.executable, ROOT / "train.py", *arguments, "--device", "cpu", "--out", "there"]
    result = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)
    assert "CircleModelV2" in result.stdout
    assert result.stderr == ""
    run(*arguments, out=tmp_path / "here")
    weights = [
        (tmp_path / name / "circle_model_v2.safetensors").read_bytes() for name in ("there", "here")
    ]
    assert weights[0] == weights[1]


@pytest.mark.slow
def test_the_script_refuses_with_exit_status_2(tmp_path):
    command = [sys.executable, ROOT / "train.py", "--noise", "nan"]
    result = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert result.returncode == 2
    assert result.stderr == "train.py: error: --noise must be a number from 0 to 100; got nan.\n"
    assert os.listdir(tmp_path) == []


# Random command lines

WORDS = [
    *("", "0", "-1", "3", "0.1", "1e400", "nan", "-inf", "1e-320", "True", "none", "/", "..", "="),
    *("8x8", "8x", "x", "relu", "circles", "blobs", "lr=0.1,1", "a=b", "lr=", "-", "--", "2,3"),
    *(" ", "\t\n", "a\r\nb", "\u2028", "\x1b[31m", "\ud800", "\0", "\u0663", "\u202e\u6f22"),
    *("$HOME", "*", "%s", "{}", "1_0", "7" * 20, "9" * 5000, "x" * 5000, "a b " * 5000),
]
OPTIONS = {
    "--data": "moons",
    "--noise": "0.2",
    "--factor": "0.5",
    "--classes": "2",
    "--features": "x,y",
    "--label": "y",
    "--test-size": "0.4",
    "--seed": "7",
    "--activation": "tanh",
    "--dropout": "0.1",
    "--lr": "0.2",
    "--momentum": "0.5",
    "--weight-decay": "0.01",
    "--batch-size": "8",
    "--compare": "lr=0.1,0.2",
    "--record-every": "1",
    "--checkpoint-every": "1",
    "--device": "auto",
    "--unknown": "1",
    "": "1",
}
SIZES = ["--samples", "--epochs", "--hidden-units", "--seeds"]  # which could ask for much work
FLAGS = ["--batch-norm", "--deterministic", "--resume", "--animate", "--help"]
PLACES = ["", "file", "file/out", "\0", "m\udcff", "x" * 5000, "x/" * 3000, "*", "a\nb"]


def random_arguments(chance):
    """Return a command line of train.py that asks for little work, if it asks for any."""
    arguments = ["--samples", "20", "--epochs", "2", "--hidden-units", "3", "--device", "cpu"]
    arguments += chance.choice([[], ["--seeds", "2"]])
    for _ in range(chance.choice([1, 1, 2, 3])):
        kind = chance.random()
        if kind < 0.1:
            arguments.append(chance.choice(FLAGS))
        elif kind < 0.15:
            arguments.append(chance.choice(WORDS))
        elif kind < 0.3:
            small_or_wrong = chance.choice(["20", "12", "1.5", "0", "-1", "nan", "", "9" * 5000])
            arguments += [chance.choice(SIZES), small_or_wrong]
        else:
            option, good = chance.choice(list(OPTIONS.items()))
            arguments += [option, chance.choice([good, chance.choice(WORDS)])]
    return [*arguments, "--seeds", "2"] if "--compare" in arguments else arguments


@pytest.mark.slow
def test_random_command_lines_are_done_or_refused(tmp_path, monkeypatch, capsys):
    chance, ends = random.Random(0), {None: 0, 2: 0, 0: 0}  # done, refused, answered with help
    monkeypatch.chdir(tmp_path)
    (tmp_path / "file").touch()
    for number in range(400):
        arguments, status = random_arguments(chance), None
        out = chance.choice([f"out {number}"] * 9 + [chance.choice(PLACES)])
        try:
            command_line.main([*arguments, "--out", out])
        except SystemExit as stop:
            status = stop.code
        finally:
            torch.use_deterministic_algorithms(False)
        ends[status] += 1
        errors = capsys.readouterr().err
        assert bool(errors) == (status == 2), arguments
        if errors:
            assert errors.startswith("train.py: error: "), arguments
            assert errors.endswith(".\n"), arguments
            assert errors.rstrip("\n").isprintable(), arguments
            assert len(errors) < 500, arguments
            assert "Errno" not in errors
    assert min(ends[None], ends[2]) > 40, ends
    assert ends[0] > 2, ends


def test_deterministic_asks_pytorch_for_algorithms_that_repeat(tmp_path, monkeypatch):
    monkeypatch.setenv("CUBLAS_WORKSPACE_CONFIG", "")
    try:
        run(*SMALL, "--deterministic", out=tmp_path / "asked")
        assert torch.are_deterministic_algorithms_enabled()
        assert os.environ["CUBLAS_WORKSPACE_CONFIG"] == ":4096:8"
    finally:
        torch.use_deterministic_algorithms(False)
    run(*SMALL, out=tmp_path / "not")
    assert not torch.are_deterministic_algorithms_enabled()


def test_cpu_is_the_cpu():
    assert command_line.resolve_device("cpu") == torch.device("cpu")


@pytest.mark.skipif(torch.cuda.is_available(), reason="this machine has a CUDA device")
def test_without_cuda_auto_is_the_cpu_and_cuda_an_error():
    assert command_line.resolve_device("auto") == torch.device("cpu")
    with pytest.raises(ValueError, match=r"device .* got 'cuda'"):
        command_line.resolve_device("cuda")
