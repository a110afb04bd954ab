"""Runs in processes of their own that are killed, stopped or starved: no file is ever broken."""

import importlib
import json
import multiprocessing
import os
import random
import resource
import shutil
import signal
import subprocess
import sys
import time
from contextlib import contextmanager, suppress
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


def begin(ready, target, arguments):
    """Handle signals from the start, as the script does; tell so, and go on."""
    importlib.import_module("support.program")
    ready.set()
    target(arguments)


@pytest.fixture(scope="module")
def start():
    """Return a function that starts train.py from a process that has its libraries loaded."""
    before = {name: os.environ.get(name) for name in ("PYTHONPATH", "OMP_NUM_THREADS")}
    os.environ |= {"PYTHONPATH": f"{ROOT}:{Path(__file__).parent}", "OMP_NUM_THREADS": "1"}
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["torch.distributed.run", "torch._dynamo", Path(__file__).stem])
    started = []

    def start(*arguments, target=run):
        ready = context.Event()
        process = context.Process(target=begin, args=(ready, target, arguments))
        process.start()
        started.append(process)
        ready.wait()
        return process

    yield start
    for process in started:
        process.kill()
        process.join()
    os.environ |= {name: value for name, value in before.items() if value is not None}


def assert_every_file_loads(out, picture=b"picture"):
    """Read each file under its own name; what was being written has another."""
    for path in out.rglob("[!.]*"):
        if path.parent.name == "checkpoint":
            read_state(path)
        elif path.suffix == ".safetensors":
            load_model(path)
        elif path.suffix == ".json":
            json.loads(path.read_text())
        elif path.suffix == ".png":
            assert path.read_bytes().startswith(picture)


RUNS = {
    "single": ["--epochs", "30"],
    "animate": ["--epochs", "4", "--animate"],
    "seeds": ["--epochs", "20", "--seeds", "3", "--batch-norm"],
    "compare": ["--epochs", "8", "--seeds", "2", "--compare", "lr=0.1,0.05"],
}
ENDS = {
    signal.SIGKILL: -signal.SIGKILL,
    signal.SIGINT: 130,
    signal.SIGTERM: 143,
    signal.SIGHUP: 129,
    signal.SIGSTOP: -signal.SIGKILL,  # it goes on, and is killed then
}


def strike(process, signum, seconds):
    """Send a signal to a process after a while and wait for its end."""
    process.join(timeout=seconds)
    with suppress(ProcessLookupError):  # it has just ended by itself
        os.kill(process.pid, signum)
        if signum == signal.SIGSTOP:
            time.sleep(0.1)
            os.kill(process.pid, signal.SIGCONT)
            process.join(timeout=seconds / 4)
            process.kill()
    process.join()


@pytest.mark.parametrize("arguments", RUNS.values(), ids=RUNS)
def test_a_run_that_is_struck_again_and_again_ends_at_the_same_bits(tmp_path, start, arguments):
    arguments, whole = [*SMALL, *arguments], tmp_path / "whole"
    start(*arguments, "--out", whole).join()
    chance, ends, resumed, number = random.Random(0), 0, 0, 0
    began = time.monotonic()
    start(*arguments, "--checkpoint-every", "1", "--out", tmp_path / "timed").join()
    seconds = time.monotonic() - began
    struck = dict.fromkeys(ENDS, 0)
    while min(struck.values()) < 3 or not ends:
        out = tmp_path / str(number)
        has_checkpoint = (out / "checkpoint" / "run.safetensors").exists()
        resumed += has_checkpoint
        command = ["--resume"] if has_checkpoint else arguments
        process = start(*command, "--checkpoint-every", "1", "--out", out)
        signum = min(struck, key=lambda signum: (struck[signum], chance.random()))
        strike(process, signum, chance.uniform(0, 0.8 * seconds))
        if process.exitcode == 0:
            ends, number = ends + 1, number + 1
            assert results(out) == results(whole)
        else:
            assert process.exitcode == ENDS[signum]
            struck[signum] += 1
        if out.exists():
            assert_every_file_loads(out)
    assert resumed > 5


def test_two_runs_that_start_into_one_directory_at_once_do_not_mix(tmp_path, start):
    wholes = []
    for seed in ("0", "1"):
        start(*SMALL, "--epochs", "5", "--seed", seed, "--out", tmp_path / seed).join()
        wholes.append(results(tmp_path / seed))
    refused = 0
    for number in range(20):
        out, errors = tmp_path / f"both {number}", [tmp_path / f"{number} {i}" for i in (0, 1)]
        both = [
            start(file, *SMALL, "--epochs", "5", "--seed", seed, "--out", out, target=run_quietly)
            for seed, file in enumerate(errors)
        ]
        for process in both:
            process.join()
        codes = [process.exitcode for process in both]
        assert sorted(codes) in ([0, 0], [0, 2])  # where one began when the other was over
        for code, file in zip(codes, errors, strict=True):
            told = "that no other run is using" in file.read_text()
            assert told if code else not file.read_text()
        refused += 2 in codes
        ended = [whole for whole, code in zip(wholes, codes, strict=True) if code == 0]
        assert results(out) in ended
    assert refused > 5


def run_quietly(arguments):
    """Run train.py with a file for its errors."""
    errors, *arguments = arguments
    sys.stderr = open(errors, "w")  # noqa: SIM115
    run(arguments)


@pytest.mark.parametrize("options", [["--checkpoint-every", "1"], []])
def test_a_directory_that_is_removed_in_the_middle_is_one_sentence(tmp_path, start, options):
    out, errors = tmp_path / "out", tmp_path / "errors"
    epochs = "100000" if options else "1000"
    process = start(errors, *SMALL, "--epochs", epochs, *options, "--out", out, target=run_quietly)
    while not (out / ("checkpoint/run.safetensors" if options else ".lock")).exists():
        time.sleep(0.01)
    while out.exists():
        shutil.rmtree(out, ignore_errors=True)  # it may be written to at this moment
    process.join(timeout=120)
    assert process.exitcode == 2
    assert "No such file or directory" in errors.read_text()
    assert str(out) in errors.read_text()
    assert errors.read_text().count("\n") == 1
    assert not out.exists()


def torchrun(arguments):
    """Run torchrun in this process, with two processes of train.py."""
    os.setsid()
    sys.stdout = sys.stderr = open(os.devnull, "w")  # noqa: SIM115
    os.dup2(sys.stdout.fileno(), 1)
    os.dup2(sys.stdout.fileno(), 2)
    options = ["--standalone", "--nproc-per-node=2", ROOT / "train.py"]
    importlib.import_module("torch.distributed.run").main([*map(str, [*options, *arguments])])


@pytest.mark.parametrize("signum", ENDS)
def test_a_job_of_several_processes_that_is_struck_leaves_whole_files(tmp_path, start, signum):
    arguments = ["--samples", "2000", "--epochs", "300", "--device", "cpu", "--out", tmp_path]
    job = start(*arguments, target=torchrun)
    try:
        while not (tmp_path / ".lock").exists():
            time.sleep(0.05)
            assert job.exitcode is None
        os.kill(job.pid, signum)
        if signum == signal.SIGSTOP:
            time.sleep(0.5)
            os.kill(job.pid, signal.SIGCONT)
        job.join()
        assert (job.exitcode == 0) == (signum == signal.SIGSTOP)
        assert_every_file_loads(tmp_path, picture=b"\x89PNG")
        small = [*SMALL, "--epochs", "5", "--out", tmp_path]
        process = start(*small)
        process.join()
        while process.exitcode == 2:  # torchrun was killed, and its processes don't know it yet
            process = start(*small)
            process.join()
        assert process.exitcode == 0
        assert_every_file_loads(tmp_path)
    finally:
        with suppress(ProcessLookupError):
            os.killpg(job.pid, signal.SIGKILL)


@contextmanager
def long_run(out):
    """A run of train.py that has written a checkpoint and goes on; nothing is left of it after."""
    command = [sys.executable, ROOT / "train.py", *SMALL, "--epochs", "100000", "--out", out]
    process = subprocess.Popen(
        [*command, "--checkpoint-every", "1"], stderr=subprocess.PIPE, text=True
    )
    with process:
        try:
            while not (out / "checkpoint" / "run.safetensors").exists():
                assert process.poll() is None
                time.sleep(0.01)
            yield process
        finally:
            process.kill()


@pytest.mark.parametrize(("signum", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_from_outside_stops_a_run(tmp_path, signum, status):
    with long_run(tmp_path) as process:
        process.send_signal(signum)
        _, errors = process.communicate(timeout=3600)
    assert process.returncode == status
    assert errors == f"train.py: stopped; python train.py --resume --out {tmp_path} goes on.\n"
    assert read_state(tmp_path / "checkpoint" / "training-0000.safetensors")["epoch"] >= 1


def test_a_run_that_began_with_ctrl_c_ignored_ignores_it(tmp_path):
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # as it is under nohup, and in the background
    with long_run(tmp_path) as process:
        process.send_signal(signal.SIGINT)
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=3600)
    assert process.returncode == 128 + signal.SIGTERM


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
    file = out / "checkpoint" / "training-0000.safetensors"
    while not file.exists():
        assert process.exitcode is None
        time.sleep(0.001)
    process.kill()
    process.join()
    size = file.stat().st_size + 1000
    process = start(size, errors, "--resume", *arguments, target=run_with_small_files)
    process.join()
    assert process.exitcode == 2
    assert errors.read_text().endswith(f"{file} can't be written: File too large.\n")
    assert errors.read_text().count("\n") == 1
    assert sorted(os.listdir(out / "checkpoint")) == ["run.safetensors", file.name]
    assert 1 < read_state(file)["epoch"] < 100
    process = start("--resume", "--out", out)
    process.join()
    assert process.exitcode == 0
    assert results(out) == results(tmp_path / "whole")
