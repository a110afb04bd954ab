"""The scripts as programs: their streams, the signals while they load, and what else goes on."""

import os
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from support.command_line import CommandLine, as_sentence

import train as script
from model import CircleModelV2, load_model, save_model

ROOT = Path(script.__file__).parent
SMALL = ["--samples", "60", "--epochs", "5", "--device", "cpu"]
FILES = {
    *("circle_model_v0.safetensors", "circle_model_v2.safetensors", "decision_boundary.png"),
    *("loss_curves.png", "metrics.json"),
}
slow = pytest.mark.slow


def shell(command, **options):
    """Run a line of bash in which $PYTHON is this Python; return what became of it."""
    environment = os.environ | {"PYTHON": sys.executable, "OMP_NUM_THREADS": "1"}
    return subprocess.run(
        ["bash", "-c", command],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        **options,
    )


# Standard streams

STREAMS = {
    "closed by its reader": (' | true; exit "${PIPESTATUS[0]}"', 141, ""),
    "a full disk": (
        " > /dev/full",
        2,
        "train.py: error: what is printed can't be written: No space left on device.\n",
    ),
    "no stdout": (" >&-", 0, ""),
    "no stderr": (" 2>&-", 0, ""),
    "errors to a full disk": (" 2> /dev/full", 0, ""),
    "no stream": (" <&- >&- 2>&-", 0, ""),
}


@slow
@pytest.mark.parametrize(("redirection", "status", "errors"), STREAMS.values(), ids=STREAMS)
def test_trouble_with_a_stream_costs_no_file(tmp_path, redirection, status, errors):
    command = f"$PYTHON train.py {' '.join(SMALL)} --out {tmp_path}"
    done = shell(command + redirection)
    assert (done.returncode, done.stderr) == (status, errors)
    assert set(os.listdir(tmp_path)) == FILES
    load_model(tmp_path / "circle_model_v2.safetensors")


@slow
@pytest.mark.parametrize("redirection", [' | true; exit "${PIPESTATUS[0]}"', " > /dev/full"])
def test_help_that_no_one_reads_is_no_traceback(redirection):
    done = shell("$PYTHON train.py --help" + redirection)
    assert done.returncode in (0, 2, 141)
    assert "Traceback" not in done.stderr
    assert done.stderr.count("\n") == (done.returncode == 2)


@slow
def test_an_error_that_no_one_reads_keeps_its_status(tmp_path):
    for redirection in (" 2>&-", " 2> /dev/full", " >&- 2>&-"):
        assert shell("$PYTHON train.py --lr 0" + redirection).returncode == 2
        command = "$PYTHON helper_functions.py none.safetensors"
        assert shell(command + redirection).returncode == 2


def test_what_was_printed_before_an_error_is_dropped_and_the_error_told(capsys):
    parser = CommandLine(prog="program")

    def fail():
        with parser.one_sentence_errors():
            print("half a table")
            raise ValueError("lr must be smaller.")

    with pytest.raises(SystemExit, match="2"):
        fail()
    assert capsys.readouterr() == ("", "program: error: lr must be smaller.\n")


def test_an_error_of_the_system_is_a_sentence(tmp_path):
    with pytest.raises(OSError) as caught:  # noqa: PT011 - the message is what is tested
        (tmp_path / "none").unlink()
    assert as_sentence(caught.value) == f"{tmp_path}/none can't be used: No such file or directory."


# Signals


def stopped(command, signum, seconds):
    """Send a signal to a program after so many seconds; return its status and what it said."""
    process = subprocess.Popen(
        [sys.executable, *map(str, command)], cwd=ROOT, stderr=subprocess.PIPE, text=True
    )
    time.sleep(seconds)
    process.send_signal(signum)
    _, errors = process.communicate(timeout=120)
    return process.returncode, errors


@slow
@pytest.mark.parametrize(("signum", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
@pytest.mark.parametrize("name", ["train.py", "helper_functions.py"])
def test_a_signal_while_the_libraries_load_ends_with_a_sentence(tmp_path, name, signum, status):
    save_model(CircleModelV2(), tmp_path / "model.safetensors")
    arguments = [tmp_path / "model.safetensors"] if name == "helper_functions.py" else SMALL
    began = time.monotonic()
    command = [name, *arguments, "--out", tmp_path / "out.png"]
    subprocess.run([sys.executable, *map(str, command)], cwd=ROOT, check=True, capture_output=True)
    whole = time.monotonic() - began
    chance = random.Random(0)
    for _ in range(4):
        shutil.rmtree(tmp_path / "out.png", ignore_errors=True)
        code, errors = stopped(command, signum, chance.uniform(0.15, 0.9) * whole)
        assert code in (0, status)
        if code:
            said = [f"{name}: stopped.\n", f"{name}: stopped; python train.py --resume --out"]
            assert errors.startswith(tuple(said))
            assert errors.count("\n") == 1


@slow
def test_a_signal_that_is_ignored_stays_so_while_the_libraries_load(tmp_path):
    command = f"trap '' INT; $PYTHON train.py {' '.join(SMALL)} --out {tmp_path} & sleep 1"
    done = shell(command + "; kill -INT $!; wait $!")
    assert done.returncode == 0
    assert set(os.listdir(tmp_path)) == FILES


def test_nothing_happens_to_signals_on_import():
    assert "support.program" not in sys.modules
    assert signal.getsignal(signal.SIGTERM) == signal.SIG_DFL
