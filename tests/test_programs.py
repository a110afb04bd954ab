"""The scripts as programs: their streams, the signals while they load, and what else goes on."""

import gc
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

import train as script
from lab.parser import CommandLine, as_sentence
from model import CircleModelV2, load_model, save_model
from support.interrupts import SIGNALS

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
def test_an_error_that_no_one_reads_keeps_its_status():
    assert shell("$PYTHON train.py --lr 0 2> /dev/full").returncode == 2
    assert shell("$PYTHON helper_functions.py none.safetensors >&- 2>&-").returncode == 2


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


def test_at_the_end_no_time_goes_into_looking_for_garbage():
    gc.unfreeze()
    with CommandLine().one_sentence_errors():
        assert gc.get_freeze_count() == 0
    assert gc.get_freeze_count() > 10_000
    gc.unfreeze()
    with pytest.raises(SystemExit), CommandLine().one_sentence_errors():
        raise ValueError("lr must be above 0; got -1.")
    assert gc.get_freeze_count() > 10_000


# Signals


def handles(process, signum):
    """Whether a process has a handler for a signal."""
    status = Path(f"/proc/{process.pid}/status").read_text()
    return int(status.split("SigCgt:")[1].split()[0], 16) >> (signum - 1) & 1


@slow
@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
@pytest.mark.parametrize("name", ["train.py", "helper_functions.py"])
def test_a_signal_while_the_libraries_load_ends_with_a_sentence(tmp_path, name):
    save_model(CircleModelV2(), tmp_path / "model.safetensors")
    arguments = [tmp_path / "model.safetensors"] if name == "helper_functions.py" else SMALL
    command = [sys.executable, name, *arguments, "--out", tmp_path / "out.png"]
    strikes = [(signal.SIGTERM, 143, 0), (signal.SIGINT, 130, 0.5), (signal.SIGHUP, 129, 1.5)]
    for signum, status, seconds in strikes:
        with subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, text=True) as process:
            try:
                while not handles(process, signal.SIGTERM):  # Python itself does handle SIGINT
                    assert process.poll() is None
                    time.sleep(0.001)
                time.sleep(seconds)
                process.send_signal(signum)
                _, errors = process.communicate()
            finally:
                process.kill()
        said = [f"{name}: stopped.\n", f"{name}: stopped; python train.py --resume --out"]
        if seconds == 0 or process.returncode != 0:  # it was stopped before it had ended
            assert process.returncode == status
            assert errors.startswith(tuple(said))
            assert errors.count("\n") == 1
        shutil.rmtree(tmp_path / "out.png", ignore_errors=True)


@slow
def test_a_signal_that_is_ignored_stays_so_while_the_libraries_load(tmp_path):
    command = f"trap '' INT; $PYTHON train.py {' '.join(SMALL)} --out {tmp_path} & sleep 1"
    done = shell(command + "; kill -INT $!; wait $!")
    assert done.returncode == 0
    assert set(os.listdir(tmp_path)) == FILES


@pytest.mark.skipif(not hasattr(signal, "pthread_sigmask"), reason="needs signals that can wait")
def test_signals_that_come_all_at_once_end_a_program_without_a_word():
    program = """
import os, signal
from support.interrupts import SIGNALS, Interrupts
with Interrupts():
    signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
    for signum in SIGNALS:
        os.kill(os.getpid(), signum)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, SIGNALS)
"""
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True)
    assert (-done.returncode in SIGNALS, done.stderr) == (True, "")


WHILE_IT_TELLS_OF_ANOTHER = """
import os, signal
import support.program
write = os.write
def write_later(*arguments):
    os.write = write
    signal.raise_signal(signal.SIGTERM)
    return write(*arguments)
os.write = write_later
signal.raise_signal(signal.SIGINT)
"""
WHEN_IT_HAS_TOLD_OF_ANOTHER = """
import signal
import support.program
from support.interrupts import Interrupts
try:
    with Interrupts():
        signal.raise_signal(signal.SIGINT)
except KeyboardInterrupt:
    signal.raise_signal(signal.SIGTERM)
"""


@pytest.mark.parametrize(
    ("program", "status", "errors"),
    [(WHILE_IT_TELLS_OF_ANOTHER, 130, "-c: stopped.\n"), (WHEN_IT_HAS_TOLD_OF_ANOTHER, -15, "")],
)
def test_a_program_tells_of_its_end_once(program, status, errors):
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (status, errors)


def test_nothing_happens_to_signals_on_import():
    assert "support.program" not in sys.modules
    assert signal.getsignal(signal.SIGTERM) == signal.SIG_DFL
