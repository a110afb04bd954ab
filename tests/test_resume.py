"""A run that is stopped and resumed ends where it ends undisturbed, to the bit."""

import errno
import json
import os
import re
import shutil
import signal
import tempfile
from contextlib import suppress
from copy import deepcopy
from itertools import pairwise

import pytest
import torch
from filelock import FileLock
from runs import results

import lab.run
import train
from lab import checkpoints, command_line
from lab.checkpoints import checkpointed
from lab.processes import Processes
from model import CircleModelV2
from support.interrupts import Interrupted, Interrupts
from support.tensor_files import read_state, write_state

SMALL = ["--samples", "60", "--epochs", "12", "--record-every", "5", "--device", "cpu"]
RUNS = {
    "full batch": [],
    "batches": ["--batch-size", "10", "--momentum", "0"],
    "dropout and norm": ["--batch-size", "10", "--dropout", "0.2", "--batch-norm"],
    "classes": ["--data", "blobs", "--batch-size", "20"],
    "film": ["--animate", "--batch-size", "20", "--batch-norm"],
    "seeds": ["--seeds", "3"],
    "many seeds": ["--seeds", "51", "--batch-size", "20", "--dropout", "0.2"],
    "norm": ["--seeds", "3", "--batch-size", "10", "--dropout", "0.2", "--batch-norm"],
    "compared": ["--seeds", "2", "--compare", "lr=0.1,0.2"],
    "compared data": ["--seeds", "2", "--compare", "data=moons,xor"],
}
pytestmark = pytest.mark.usefixtures("no_pictures")
SLOW = ("film", "many seeds", "norm", "compared data")  # others stop in such runs, too


def status_of(*arguments, out):
    """Return the exit status of train.py."""
    try:
        command_line.main([*arguments, "--out", str(out)])
    except SystemExit as stop:
        return stop.code
    return 0


@pytest.mark.parametrize(
    "arguments",
    [
        pytest.param(run, id=name, marks=[pytest.mark.slow] * (name in SLOW))
        for name, run in RUNS.items()
    ],
)
def test_a_run_that_was_stopped_ends_at_the_same_bits(tmp_path, stop_after, capsys, arguments):
    whole, parts = tmp_path / "whole", tmp_path / "parts"
    assert status_of(*SMALL, *arguments, out=whole) == 0
    stop_after(1)
    assert status_of(*SMALL, *arguments, out=parts) == 130
    stops, status = 1, 130
    while status == 130:
        stop_after(stops := stops + 6)
        status = status_of("--resume", out=parts)
    assert status == 0
    assert stops > 7
    assert sorted(os.listdir(parts)) == sorted(os.listdir(whole))
    assert results(parts) == results(whole)
    lines = capsys.readouterr().err.splitlines()
    assert set(lines) == {
        f"{line.split(':')[0]}: stopped; python train.py --resume --out {parts} goes on."
        for line in lines
    }


def test_a_run_that_was_stopped_draws_the_same_pictures(tmp_path, stop_after, pictures):
    assert status_of(*SMALL, out=tmp_path / "whole") == 0
    stop_after(7)
    assert status_of(*SMALL, out=tmp_path / "parts") == 130
    assert status_of("--resume", out=tmp_path / "parts") == 0
    assert results(tmp_path / "parts") == results(tmp_path / "whole")


@pytest.mark.parametrize(
    "steps",
    [
        pytest.param(steps, marks=[pytest.mark.slow] * (steps not in (1, 8, 23)))
        for steps in range(1, 26)
    ],
)
def test_a_run_can_be_stopped_after_any_step(tmp_path, stop_after, steps):
    arguments = [*SMALL, "--batch-size", "25", "--epochs", "6", "--dropout", "0.5"]
    status_of(*arguments, out=tmp_path / "whole")
    stop_after(steps, signal.SIGTERM)
    assert status_of(*arguments, out=tmp_path / "parts") == 143
    assert status_of("--resume", out=tmp_path / "parts") == 0
    assert results(tmp_path / "parts") == results(tmp_path / "whole")


def test_a_run_goes_on_with_as_many_threads_as_it_began_with(tmp_path, stop_after):
    """By which the last bits may differ."""
    stop_after(5)
    assert status_of(*SMALL, out=tmp_path) == 130
    torch.set_num_threads(2)
    assert status_of("--resume", out=tmp_path) == 0
    assert torch.get_num_threads() == 1
    assert json.loads((tmp_path / "metrics.json").read_text())["threads"] == 1


@pytest.mark.parametrize("place", ["train_both", "plot_losses", "write_metrics"])
def test_a_signal_outside_of_training_loses_no_training(tmp_path, monkeypatch, place):
    status_of(*SMALL, out=tmp_path / "whole")
    steps, function = [], getattr(lab.run, place)
    with monkeypatch.context() as patch:
        patch.setattr(lab.run, place, lambda *_, **__: signal.raise_signal(signal.SIGINT))
        assert status_of(*SMALL, out=tmp_path / "parts") == 130
        patch.setattr(lab.run, place, function)
        patch.setattr(Interrupts, "check", lambda self: steps.append(1))
        assert status_of("--resume", out=tmp_path / "parts") == 0
    over = place != "train_both"
    assert len(steps) == 2 * (2 if over else 2 * 12 + 2)  # before, in and after each training
    assert results(tmp_path / "parts") == results(tmp_path / "whole")


def test_a_training_that_is_over_is_kept_as_it_was(tmp_path):
    data = train.make_data(samples=60)
    training = train.Training(CircleModelV2(batch_norm=True), data, epochs=3)
    with checkpointed(tmp_path, [], []) as checkpoint:
        checkpoint.begin(training)
        for _ in training:
            pass
        checkpoint.finish(training)
        before = deepcopy(training.model.state_dict())
        train.evaluate(training.model, data.X_test, data.y_test, training=True)  # moves statistics
        checkpoint.save()
        kept = read_state(tmp_path / "checkpoint" / "training-0000.safetensors")["model"]
    assert kept.keys() == before.keys()
    assert all(torch.equal(kept[name], before[name]) for name in kept)


def test_a_signal_of_which_a_library_makes_another_error_is_still_one(
    tmp_path, monkeypatch, capsys
):
    def swallow(*_):
        with suppress(KeyboardInterrupt):
            signal.raise_signal(signal.SIGTERM)
        raise ValueError("Invalid affine transformation matrix")

    with monkeypatch.context() as patch:
        patch.setattr(lab.run, "plot_losses", swallow)
        assert status_of(*SMALL, out=tmp_path) == 143
        assert "--resume" in capsys.readouterr().err
        patch.setattr(command_line, "fill_in", swallow)  # before there is a checkpoint
        assert status_of(*SMALL, out=tmp_path) == 143
        assert capsys.readouterr().err.endswith(": stopped.\n")
    assert status_of("--resume", out=tmp_path) == 0


def test_the_figures_count_the_seconds_before_the_stop_too(tmp_path, stop_after):
    stop_after(30)
    status_of(*SMALL, out=tmp_path)
    path = tmp_path / "checkpoint" / "training-0000.safetensors"
    content = read_state(path)
    write_state(path, content | {"seconds": 1000.0})
    status_of("--resume", out=tmp_path)
    metrics = json.loads((tmp_path / "metrics.json").read_text())
    linear, relu = (figures["seconds"] for figures in metrics["models"].values())
    assert 1000 < linear < 1100
    assert 0 < relu < 100


def test_without_a_signal_a_short_run_writes_no_checkpoint(tmp_path, monkeypatch):
    def fail(*_):
        raise AssertionError("a checkpoint was written")

    monkeypatch.setattr(checkpoints, "write_state", fail)
    assert status_of(*SMALL, out=tmp_path) == 0


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["--checkpoint-every", "5"], [(0, 5), (0, 10), (0, 12), (1, 5), (1, 10)]),
        (["--checkpoint-every", "13"], []),
    ],
)
def test_checkpoints_are_as_often_as_asked(tmp_path, monkeypatch, arguments, expected):
    seen = []

    def spy(path, content):
        write(path, content)
        if path.name != "run.safetensors":
            seen.append((content["number"], content["epoch"]))

    write = checkpoints.write_state
    monkeypatch.setattr(checkpoints, "write_state", spy)
    assert status_of(*SMALL, *arguments, out=tmp_path) == 0
    assert seen == expected


def test_by_default_checkpoints_are_ten_seconds_apart(tmp_path, monkeypatch):
    now, seen = [0.0], []

    def spy(path, content):
        write(path, content)
        seen.append(now[0])

    def clock():
        now[0] += 0.5
        return now[0]

    write = checkpoints.write_state
    monkeypatch.setattr(checkpoints, "write_state", spy)
    monkeypatch.setattr(checkpoints.time, "monotonic", clock)
    assert status_of(*SMALL, "--epochs", "100", out=tmp_path) == 0
    gaps = [later - sooner for sooner, later in pairwise(seen)]
    assert len(seen) > 3
    # A write takes half a second on this clock: it may come a fiftieth of the time.
    assert all(25 <= gap <= 27 for gap in gaps if gap)


# What can't be


def refused(*arguments, out, capsys):
    """Return the one sentence on which train.py ends with status 2."""
    capsys.readouterr()
    assert status_of(*arguments, out=out) == 2
    printed, errors = capsys.readouterr()
    assert printed == ""
    assert errors.count("\n") == 1
    return errors


def test_there_must_be_a_checkpoint(tmp_path, capsys):
    for out in (tmp_path, tmp_path / "none"):
        assert "resume needs the checkpoint of a run" in refused("--resume", out=out, capsys=capsys)
    assert not (tmp_path / "none").exists()
    status_of(*SMALL, out=tmp_path)
    assert "there is none" in refused("--resume", out=tmp_path, capsys=capsys)


@pytest.mark.parametrize(
    ("began", "given", "message"),
    [
        ([], ["--lr", "0.2"], "lr must be what the run that is resumed began with, 0.1; got 0.2."),
        (
            [],
            ["--seed", "3", "--data", "moons"],
            "--seed and --data must .* with, 42, circles; got",
        ),
        ([], ["--noise", "0.5"], "noise must be .* with, 0.03; got 0.5"),
        ([], ["--batch-norm"], "--batch-norm must be .* with, False; got True"),
        ([], ["--animate"], "animate must be .* with, False; got True"),
        ([], ["--seeds", "3"], "seeds must be .* with, None; got 3"),
        (["--seeds", "2"], ["--seeds", "3"], "seeds must be .* with, 2; got 3"),
        ([], ["--compare", "lr=1"], "compare must be .* with, None; got lr=1"),
        ([], ["--deterministic"], "deterministic must be"),
    ],
)
def test_settings_that_contradict_the_checkpoint_are_named(
    tmp_path, stop_after, capsys, began, given, message
):
    stop_after(3)
    assert status_of(*SMALL, *began, out=tmp_path) == 130
    before = (tmp_path / "checkpoint" / "run.safetensors").read_bytes()
    errors = refused("--resume", *given, out=tmp_path, capsys=capsys)
    assert re.search(message, errors)
    assert (tmp_path / "checkpoint" / "run.safetensors").read_bytes() == before
    assert status_of("--resume", *SMALL, *began, "--noise", "0.03", out=tmp_path) == 0


def test_a_new_run_does_not_touch_the_checkpoint_of_another(tmp_path, stop_after, capsys):
    stop_after(3)
    status_of(*SMALL, out=tmp_path)
    before = (tmp_path / "checkpoint" / "run.safetensors").read_bytes()
    errors = refused(*SMALL, out=tmp_path, capsys=capsys)
    assert "--resume must go on with it" in errors
    assert (tmp_path / "checkpoint" / "run.safetensors").read_bytes() == before


def test_other_data_than_before_is_refused(tmp_path, stop_after, capsys):
    rows = [f"{i % 7},{i % 5},{'ab'[i % 2]}" for i in range(60)]
    path = tmp_path / "points.csv"
    path.write_text("x,y,kind\n" + "\n".join(rows))
    out = tmp_path / "out"
    stop_after(3)
    assert status_of(*SMALL[2:], "--data", str(path), out=out) == 130
    path.write_text("x,y,kind\n" + "\n".join(rows[::-1]))
    assert "holds another training" in refused("--resume", out=out, capsys=capsys)


@pytest.mark.parametrize("part", ["X_train", "y_train", "X_test", "y_test"])
def test_any_part_of_other_data_than_before_is_refused(
    tmp_path, stop_after, monkeypatch, capsys, part
):
    def make_other_share(*arguments):
        data = make_share(*arguments)
        return data._replace(**{part: getattr(data, part).flip(0)})

    stop_after(3)
    assert status_of(*SMALL, out=tmp_path) == 130
    make_share = lab.run.make_share
    monkeypatch.setattr(lab.run, "make_share", make_other_share)
    assert "holds another training" in refused("--resume", out=tmp_path, capsys=capsys)


def test_two_runs_into_one_directory_do_not_meet(tmp_path, monkeypatch, capsys):
    def meet(*_, **__):
        message = refused(*SMALL, "--seed", "1", out=tmp_path, capsys=capsys)
        assert "out must be a directory that no other run is using" in message
        assert os.listdir(tmp_path) == [".lock"]
        return train_both(*_, **__)

    train_both = lab.run.train_both
    monkeypatch.setattr(lab.run, "train_both", meet)
    assert status_of(*SMALL, out=tmp_path) == 0
    monkeypatch.setattr(lab.run, "train_both", train_both)
    assert status_of(*SMALL, out=tmp_path) == 0  # the lock is gone
    assert ".lock" not in os.listdir(tmp_path)


def test_the_lock_of_a_run_that_was_killed_is_taken_over(tmp_path):
    (tmp_path / ".lock").touch()
    assert status_of(*SMALL, out=tmp_path) == 0
    assert ".lock" not in os.listdir(tmp_path)


@pytest.mark.parametrize("number", [errno.ENOSYS, errno.EOPNOTSUPP, errno.ENOLCK])
def test_without_locks_a_run_is_done_without_one(tmp_path, monkeypatch, number):
    def fail(*_):
        raise OSError(number, "no locks")

    monkeypatch.setattr(pytest.importorskip("fcntl"), "flock", fail)
    assert status_of(*SMALL, out=tmp_path) == 0
    (tmp_path / ".lock").touch()  # as a killed run leaves it
    assert status_of(*SMALL, out=tmp_path) == 0


def test_a_lock_of_another_user_is_not_ignored(tmp_path, monkeypatch, capsys):
    def fail(*_):
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(FileLock, "_acquire", fail)
    assert "that no other run is using" in refused(*SMALL, out=tmp_path, capsys=capsys)


def keep_elsewhere(place, name):
    """Have another directory hold what would be in the way, and a link lead there."""
    other = place.parent / "other"
    other.mkdir()
    for kept in ("training-0000.safetensors", "run.safetensors", ".run.safetensors.abc.partial"):
        (other / kept).write_text("another's")
    (place / name).symlink_to(other)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda out: (out / "checkpoint").touch(), "for the directory checkpoint; .* or a link"),
        (lambda out: keep_elsewhere(out, "checkpoint"), "the directory checkpoint; .* or a link"),
        (lambda out: (out / "checkpoint").symlink_to("none"), "the directory checkpoint"),
        (lambda out: (out / "checkpoint/run.safetensors").mkdir(parents=True), "checkpoint/run.s"),
        (
            lambda out: (out / "checkpoint/training-0001.safetensors").mkdir(parents=True),
            "training-0001",
        ),
        (lambda out: (out / "metrics.json").mkdir(), "for the file metrics.json"),
        (lambda out: (out / ".lock").mkdir(), "for the empty file .lock"),
        (lambda out: os.mkfifo(out / ".lock"), "for the empty file .lock"),
        (lambda out: (out / ".lock").symlink_to("none"), "for the empty file .lock"),
        (lambda out: (out / ".lock").write_text("another's"), "for the empty file .lock"),
    ],
)
@pytest.mark.parametrize("resume", [False, True])
def test_what_is_in_the_way_of_the_files_is_named_before_training(
    tmp_path, monkeypatch, stop_after, capsys, make, message, resume
):
    out = tmp_path / "out"
    out.mkdir()
    if resume:
        stop_after(3)
        assert status_of(*SMALL, out=out) == 130
        if message.startswith(("for the dir", "the dir", "checkpoint/run")):
            shutil.rmtree(out / "checkpoint")
    make(out)
    before = {path: path.is_file() and path.read_bytes() for path in tmp_path.rglob("*")}
    monkeypatch.setattr(lab.run, "train_both", None)
    errors = refused(*["--resume"] if resume else SMALL, out=out, capsys=capsys)
    of_reading = "|there is none|is damaged|it is a directory" if resume else ""
    assert re.search(message + of_reading, errors)
    assert {path: path.is_file() and path.read_bytes() for path in tmp_path.rglob("*")} == before


@pytest.mark.parametrize("place", ["record", "plot_losses"])  # before more of it is written, or not
def test_a_checkpoint_that_becomes_a_link_in_the_middle_is_not_followed(
    tmp_path, monkeypatch, capsys, place
):
    out, owner = tmp_path / "out", train.Training if place == "record" else lab.run
    function = getattr(owner, place)

    def swap(*arguments):
        if (out / "checkpoint").exists() and not (out / "checkpoint").is_symlink():
            shutil.rmtree(out / "checkpoint")
            keep_elsewhere(out, "checkpoint")
        return function(*arguments)

    monkeypatch.setattr(owner, place, swap)
    errors = refused(*SMALL, "--checkpoint-every", "4", out=out, capsys=capsys)
    assert "out must have room for the directory checkpoint" in errors
    assert {path.read_text() for path in (tmp_path / "other").iterdir()} == {"another's"}
    assert len(os.listdir(tmp_path / "other")) == 3


def test_a_file_that_is_a_link_is_replaced_and_what_it_leads_to_stays(tmp_path):
    out, other = tmp_path / "out", tmp_path / "notes"
    out.mkdir()
    other.write_text("another's")
    for name in ("metrics.json", "circle_model_v2.safetensors", "loss_curves.png"):
        (out / name).symlink_to(other)
    assert status_of(*SMALL, out=out) == 0
    assert other.read_text() == "another's"
    assert not any(path.is_symlink() for path in out.iterdir())


def test_several_processes_have_no_checkpoint_but_a_lock(tmp_path):
    first, second = Processes(0, 2), Processes(1, 2)
    for options in ({"resume": True}, {"every": 3}):
        with (
            pytest.raises(ValueError, match="resume and checkpoint_every need a run of a single"),
            checkpointed(tmp_path, [], [], processes=first, **options),
        ):
            pass
    before = signal.getsignal(signal.SIGINT)
    with (
        checkpointed(tmp_path, [], [], processes=first) as one,
        checkpointed(tmp_path, [], [], processes=second) as two,
    ):
        assert one is two is checkpoints.NO_CHECKPOINT
        assert signal.getsignal(signal.SIGINT) == before
        with pytest.raises(OSError, match="no other run"), checkpointed(tmp_path, [], []):
            pass
    assert os.listdir(tmp_path) == []


# The files


@pytest.mark.parametrize(
    ("function", "calls", "number", "reason"),
    [
        ((os, "fsync"), 14, 28, "No space left on device"),
        ((tempfile, "mkstemp"), 6, 30, "Read-only file system"),
        ((os, "replace"), 6, 5, "Input/output error"),
    ],
)
def test_a_disk_that_fails_leaves_the_last_checkpoint_whole(
    tmp_path, monkeypatch, capsys, function, calls, number, reason
):
    status_of(*SMALL, out=tmp_path / "whole")
    out, called, works = tmp_path / "parts", [], getattr(*function)

    def fail_once(*arguments, **keywords):
        called.append(arguments)
        if len(called) == calls:
            raise OSError(number, reason)
        return works(*arguments, **keywords)

    monkeypatch.setattr(*function, fail_once)
    errors = refused(*SMALL, "--checkpoint-every", "1", out=out, capsys=capsys)
    assert f"{out}/checkpoint/training-0000.safetensors can't be written: {reason}." in errors
    assert os.listdir(out) == ["checkpoint"]
    assert sorted(os.listdir(out / "checkpoint")) == [
        "run.safetensors",
        "training-0000.safetensors",
    ]
    assert 1 < read_state(out / "checkpoint" / "training-0000.safetensors")["epoch"] < 12
    assert status_of("--resume", out=out) == 0
    assert results(out) == results(tmp_path / "whole")


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such permissions")
def test_files_have_the_permissions_that_other_programs_give(tmp_path):
    before = os.umask(0o027)
    try:
        assert status_of(*SMALL, out=tmp_path) == 0
    finally:
        os.umask(before)
    assert {path.stat().st_mode & 0o777 for path in tmp_path.iterdir()} == {0o640}


@pytest.mark.parametrize("models", [1, 2])
def test_a_directory_that_is_deleted_under_the_run_is_named(tmp_path, monkeypatch, capsys, models):
    out, built = tmp_path / "out", []

    def delete(*arguments):
        built.append(arguments)
        if len(built) == models:
            shutil.rmtree(out)
        return build(*arguments)

    build = train.build
    monkeypatch.setattr(train, "build", delete)
    errors = refused(*SMALL, "--checkpoint-every", "1", out=out, capsys=capsys)
    assert (
        f"{out}/checkpoint/run.safetensors can't be written: No such file or directory." in errors
    )


def test_what_a_killed_run_left_half_written_is_removed(tmp_path):
    (tmp_path / ".metrics.json.abc.partial").write_text("half")
    (tmp_path / ".notes.partial").write_text("not ours")
    (tmp_path / "checkpoint").mkdir()
    (tmp_path / "checkpoint" / ".run.safetensors.abc.partial").write_text("half")
    (tmp_path / "checkpoint" / "training-0000.safetensors").write_text("of a run that was over")
    assert status_of(*SMALL, out=tmp_path) == 0
    assert not (tmp_path / ".metrics.json.abc.partial").exists()
    assert (tmp_path / ".notes.partial").exists()
    assert not (tmp_path / "checkpoint").exists()


# Signals


def test_a_signal_waits_while_it_is_held_and_the_second_is_the_systems():
    before = signal.getsignal(signal.SIGINT)
    with Interrupts() as interrupts:
        interrupts.hold = True
        signal.raise_signal(signal.SIGINT)
        assert signal.getsignal(signal.SIGINT) == signal.SIG_DFL  # which ends the process
        assert signal.getsignal(signal.SIGTERM) == signal.SIG_DFL
        with pytest.raises(Interrupted):
            interrupts.check()
    assert signal.getsignal(signal.SIGINT) == before
    with pytest.raises(Interrupted) as stop, Interrupts():
        signal.raise_signal(signal.SIGTERM)
    assert stop.value.signum == signal.SIGTERM


def test_a_signal_that_is_ignored_stays_so():
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        with Interrupts():
            signal.raise_signal(signal.SIGINT)
    finally:
        signal.signal(signal.SIGINT, before)


# Hostile checkpoints


NOT_FINITE = [("model", "layers.output.bias"), ("history", "test_loss")]
NOT_FINITE += [("optimizer", "0", "momentum_buffer")]


def with_other(state, first, *others, value=float("nan")):
    """Return the part of a state in which a tensor has another value everywhere."""
    if not others:
        return {first: torch.full_like(state[first], value)}
    return {first: state[first] | with_other(state[first], *others, value=value)}


def test_a_state_that_does_not_fit_is_one_error(tmp_path, stop_after, capsys):
    stop_after(26)  # in the seventh epoch
    status_of(*SMALL, "--batch-size", "20", out=tmp_path)
    path = tmp_path / "checkpoint" / "training-0000.safetensors"
    good = path.read_bytes()
    state = read_state(path)
    values = (None, "text", -1, 10**9, [], {}, torch.zeros(3), {1: {"a": torch.zeros(2)}})
    wrong = [{key: value} for key in state for value in values]
    wrong += [{"model": state["model"] | {name: torch.zeros(1, 1, 1)}} for name in state["model"]]
    wrong += [{"history": {key: [1.0] for key in state["history"]}}]
    wrong += [{"order": [torch.zeros(5056, dtype=torch.uint8)]}]
    wrong += [{"random": torch.full((5056,), 255, dtype=torch.uint8)}]
    wrong += [{"seconds": value} for value in (-1.0, float("nan"), float("inf"))]
    wrong += [{"epoch": 4}, {"epoch": 10}, {"epoch": 12}]  # which have another history
    history = {key: values.repeat(3) for key, values in state["history"].items()}
    history["epoch"] = torch.tensor([5, 10, 12])
    wrong += [{"epoch": 15, "history": history}]  # all of it, but of a training that has 12
    wrong += [with_other(state, *place) for place in NOT_FINITE]
    wrong += [{"history": state["history"] | {"epoch": torch.tensor([e])}} for e in (-5, 4, 10**15)]
    for change in wrong:
        if change in ({"film": []}, {"cuda_random": None}):  # which is so
            continue
        write_state(path, state | change)
        assert "holds another training" in refused("--resume", out=tmp_path, capsys=capsys), change
    path.write_bytes(good)
    assert status_of("--resume", out=tmp_path) == 0


def test_a_film_that_does_not_fit_is_refused(tmp_path, stop_after, capsys):
    stop_after(12)
    status_of(*SMALL, "--animate", out=tmp_path)
    path = tmp_path / "checkpoint" / "training-0000.safetensors"
    state = read_state(path)
    assert state["epoch"] == len(state["film"]) - 1 == 5
    first, *others = state["film"]
    wrong = [[], others, [*others, first, first], [{}, *others], [None, *others]]
    wrong += [[with_other(first, "layers.output.bias"), *others]]  # which lacks the other tensors
    wrong += [[first | with_other(first, "layers.output.bias"), *others]]  # which isn't finite
    wrong += [[first | {"layers.output.bias": torch.zeros(7)}, *others]]
    for film in wrong:
        write_state(path, state | {"film": film})
        assert "holds another training" in refused("--resume", out=tmp_path, capsys=capsys), film
    write_state(path, state)
    assert status_of("--resume", out=tmp_path) == 0


def test_a_training_of_a_run_with_other_settings_is_refused(tmp_path, stop_after, capsys):
    for rate in ("0.1", "0.2"):
        stop_after(3)
        assert status_of(*SMALL, "--lr", rate, out=tmp_path / rate) == 130
    name = "checkpoint/training-0000.safetensors"
    shutil.copy(tmp_path / "0.1" / name, tmp_path / "0.2" / name)
    assert "holds another training" in refused("--resume", out=tmp_path / "0.2", capsys=capsys)


@pytest.mark.parametrize("seeds", [[], ["--seeds", "2"]])
def test_a_checkpoint_that_standardizes_in_another_way_is_refused(
    tmp_path, stop_after, capsys, seeds
):
    table, out = tmp_path / "points.csv", tmp_path / "out"
    table.write_text("x,y,kind\n" + "".join(f"{i % 7},{i % 5},{i % 2}\n" for i in range(60)))
    stop_after(3)
    assert status_of(*SMALL[2:], *seeds, "--data", str(table), out=out) == 130
    path = out / "checkpoint" / "training-0000.safetensors"
    state = read_state(path)
    for name, value in (("std", 0.0), ("std", -1.0), ("std", float("nan")), ("mean", 5.0)):
        place = ("model", f"layers.standardize.{name}")
        write_state(path, state | with_other(state, *place, value=value))
        assert "holds another training" in refused("--resume", out=out, capsys=capsys)
    write_state(path, state)
    assert status_of("--resume", out=out) == 0


@pytest.mark.parametrize(
    "more", [["-h"], ["-hh"], ["-hx"], ["--help"], ["--help=1"], [3], ["--seed", "42"] * 10**5]
)
def test_a_checkpoint_of_a_command_that_is_none_is_refused(tmp_path, stop_after, capsys, more):
    stop_after(3)
    assert status_of(*SMALL, out=tmp_path) == 130
    path = tmp_path / "checkpoint" / "run.safetensors"
    run = read_state(path)
    write_state(path, run | {"command": [*run["command"], *more]})
    assert "is not the checkpoint" in refused("--resume", out=tmp_path, capsys=capsys)


@pytest.mark.parametrize(
    ("name", "value"),
    [("format", 3), ("settings", []), *(("threads", value) for value in (0, 4097, True, "1"))],
)
def test_a_checkpoint_of_another_kind_of_run_is_refused(tmp_path, stop_after, capsys, name, value):
    stop_after(3)
    assert status_of(*SMALL, out=tmp_path) == 130
    path = tmp_path / "checkpoint" / "run.safetensors"
    write_state(path, read_state(path) | {name: value})
    assert "is not the checkpoint of this run" in refused("--resume", out=tmp_path, capsys=capsys)


def test_a_run_that_diverged_leaves_the_directory_free(tmp_path, capsys):
    arguments = [*SMALL, "--checkpoint-every", "2"]
    assert status_of(*arguments, "--lr", "1e6", "--momentum", "0.99", out=tmp_path) == 2
    assert "must be finite" in capsys.readouterr().err
    assert not (tmp_path / "checkpoint").exists()
    assert status_of(*arguments, out=tmp_path) == 0
