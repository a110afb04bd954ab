"""Runs in processes of their own that are killed, stopped or starved: no file is ever broken."""

import json
import multiprocessing
import os
import random
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from matplotlib.figure import Figure
from runs import results

import train as script
from lab import command_line
from model import load_model
from support.interrupts import Interrupts
from support.tensor_files import read_state

ROOT = Path(script.__file__).parent
SMALL = ["--samples", "60", "--device", "cpu", "--batch-size", "20", "--dropout", "0.2"]
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not hasattr(os, "fork"), reason="needs processes that fork"),
]


def run(arguments):
    """Run train.py in this process, with the pictures' bytes left out to save time."""
    Figure.savefig = lambda self, file, **_: file.write(b"picture")
    sys.stdout = open(os.devnull, "w")  # noqa: SIM115
    command_line.main([str(argument) for argument in arguments])


@pytest.fixture(scope="module")
def start():
    """Return a function that starts train.py from a process that has its libraries loaded."""
    before = {name: os.environ.get(name) for name in ("PYTHONPATH", "OMP_NUM_THREADS")}
    os.environ |= {"PYTHONPATH": f"{ROOT}:{Path(__file__).parent}", "OMP_NUM_THREADS": "1"}
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["train", "torch._dynamo", Path(__file__).stem])
    started = []

    def start(*arguments, target=run):
        process = context.Process(target=target, args=(arguments,))
        process.start()
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.join()
    os.environ |= {name: value for name, value in before.items() if value is not None}


def assert_every_file_loads(out):
    """Read each file under its own name; what was being written has another."""
    for path in out.rglob("[!.]*"):
        if path.parent.name == "checkpoint":
            read_state(path)
        elif path.suffix == ".safetensors":
            load_model(path)
        elif path.suffix == ".json":
            json.loads(path.read_text())
        elif path.suffix == ".png":
            assert path.read_bytes() == b"picture"


@pytest.mark.parametrize(
    "arguments",
    [[*SMALL, "--epochs", "60"], [*SMALL, "--epochs", "20", "--seeds", "3", "--batch-norm"]],
    ids=["single", "many"],
)
def test_a_run_that_is_killed_again_and_again_ends_at_the_same_bits(tmp_path, start, arguments):
    whole = tmp_path / "whole"
    start(*arguments, "--out", whole).join()
    chance, kills, ends, resumed, number = random.Random(0), 0, 0, 0, 0
    began = time.monotonic()
    start(*arguments, "--checkpoint-every", "1", "--out", tmp_path / "timed").join()
    seconds = time.monotonic() - began
    while kills < 25 or not ends:
        out = tmp_path / str(number)
        has_checkpoint = (out / "checkpoint" / "run.safetensors").exists()
        resumed += has_checkpoint
        command = ["--resume"] if has_checkpoint else arguments
        process = start(*command, "--checkpoint-every", "1", "--out", out)
        process.join(timeout=chance.uniform(0, 0.8 * seconds))
        process.kill()
        process.join()
        if process.exitcode == 0:
            ends, number = ends + 1, number + 1
            assert results(out) == results(whole)
        else:
            assert process.exitcode == -signal.SIGKILL
            kills += 1
        if out.exists():
            assert_every_file_loads(out)
    assert resumed > 5


@pytest.mark.parametrize(("signum", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_from_outside_stops_a_run(tmp_path, signum, status):
    command = [sys.executable, ROOT / "train.py", *SMALL, "--epochs", "100000", "--out", tmp_path]
    process = subprocess.Popen(
        [*command, "--checkpoint-every", "1"], stderr=subprocess.PIPE, text=True
    )
    try:
        while not (tmp_path / "checkpoint" / "run.safetensors").exists():
            assert process.poll() is None
            time.sleep(0.01)
        process.send_signal(signum)
        _, errors = process.communicate(timeout=3600)
    finally:
        process.kill()
    assert process.returncode == status
    assert errors == f"train.py: stopped; python train.py --resume --out {tmp_path} goes on.\n"
    state = read_state(tmp_path / "checkpoint" / "run.safetensors")["running"][0]
    assert state["epoch"] >= 1


def sleep_in_a_step(arguments):
    """Run train.py with a first step that takes hours; a file tells that it has begun."""

    def sleep(self):
        (Path(arguments[-1]) / "asleep").touch()
        time.sleep(10_000)

    Interrupts.check = sleep
    run(arguments)


def test_the_second_signal_stops_a_run_at_once(tmp_path, start):
    process = start(*SMALL, "--out", tmp_path, target=sleep_in_a_step)
    while not (tmp_path / "asleep").exists():
        assert process.exitcode is None
        time.sleep(0.01)
    sent = 0
    while process.exitcode is None:
        os.kill(process.pid, signal.SIGTERM)
        process.join(timeout=0.2)
        sent += 1
    assert process.exitcode == -signal.SIGTERM
    assert sent > 1  # the first one waits for the end of the step


def run_with_small_files(arguments):
    """Run train.py where no file may be larger than so many bytes; errors go to a file."""
    size, errors, *arguments = arguments
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))
    sys.stderr = open(errors, "w")  # noqa: SIM115
    run(arguments)


def test_a_file_that_gets_too_large_leaves_the_last_checkpoint_whole(tmp_path, start):
    arguments = [*SMALL, "--epochs", "100", "--record-every", "1"]
    start(*arguments, "--out", tmp_path / "whole").join()
    out, errors = tmp_path / "out", tmp_path / "errors"
    arguments += ["--checkpoint-every", "1", "--out", out]
    process = start(*arguments)
    while not (out / "checkpoint" / "run.safetensors").exists():
        assert process.exitcode is None
        time.sleep(0.001)
    process.kill()
    process.join()
    size = (out / "checkpoint" / "run.safetensors").stat().st_size + 1000
    process = start(size, errors, "--resume", *arguments, target=run_with_small_files)
    process.join()
    assert process.exitcode == 2
    assert errors.read_text().endswith(
        f"{out}/checkpoint/run.safetensors can't be written: File too large.\n"
    )
    assert errors.read_text().count("\n") == 1
    assert os.listdir(out / "checkpoint") == ["run.safetensors"]
    assert 1 < read_state(out / "checkpoint" / "run.safetensors")["running"][0]["epoch"] < 100
    process = start("--resume", "--out", out)
    process.join()
    assert process.exitcode == 0
    assert results(out) == results(tmp_path / "whole")
