"""Checkpoints of a run: what `python train.py --resume` needs to go on to the same bits.

The directory `checkpoint` in the run's own has `run.safetensors`, which tells the run's command and
settings, and `training-0000.safetensors` and so on: the states of the trainings, by the order in
which they began. No training depends on another, so each file may be of another moment.
"""

import json
import shlex
import time
from contextlib import contextmanager, nullcontext, suppress
from copy import deepcopy
from pathlib import Path

import torch

from lab.processes import ALONE
from lab.running_training import RunningTraining, check_fits
from support.files import check_own_directory, locked, remove_partial_files, sync_directory
from support.interrupts import Interrupted, Interrupts
from support.tensor_files import CheckpointError, read_state, write_state
from support.text import shown

FORMAT = 4
SECONDS = 10  # from one checkpoint to the next
SHARE = 0.02  # of the time may go to writing them
MAX_ARGUMENTS = 1000  # to read more takes long
PATTERNS = ("run.safetensors", "training-*.safetensors", ".*.safetensors.*.partial")


class NoCheckpoint:
    """Stands for a checkpoint where none is kept."""

    seconds = 0.0

    def begin(self, training, film=None):
        """Take up a training that is due; if it was stopped, put it where it was.

        film: the one whose last reel has the training's model.
        """

    def look(self):
        """See between two steps whether to stop or to save."""

    def finish(self, training):
        """Keep the final state of a training that is over."""


NO_CHECKPOINT = NoCheckpoint()


@contextmanager
def checkpointed(out, command, settings, file_names=(), every=None, resume=False, processes=ALONE):
    """Keep the state of a run in its directory `out`, which is locked for the time of the block.

    A run that ends well leaves no checkpoint; Ctrl-C and its like write one before they end the
    block with `Interrupted`, and an error leaves the last one. Several processes lock the directory
    and keep no checkpoint.

    out: the run's directory, which exists.
    command: the command line's arguments that began the run.
    settings: what they mean, as plain values; those of a resumed run must be the checkpoint's.
    file_names: of the files that the run will write to `out`.
    every: epochs from one checkpoint to the next; by default one is written every ten seconds,
        less often where that takes long.
    resume: whether to go on from the checkpoint that `out` has.
    """
    if processes.count > 1 and (resume or every is not None):
        raise ValueError("resume and checkpoint_every need a run of a single process.")
    directory = Path(out) / "checkpoint"
    with locked(out) if processes.is_first else nullcontext():
        if processes.is_first:
            check_own_directory(directory, PATTERNS)
            remove_partial_files(out, file_names)
            remove_partial_files(directory, ["*"])
        if processes.count > 1:
            yield NO_CHECKPOINT
            return
        run = {"format": FORMAT, "command": command, "settings": settings}
        if resume:
            threads = _read_run(out, settings)["threads"]
            torch.set_num_threads(threads)  # by which the results differ in the last bits
        elif (directory / "run.safetensors").exists():
            raise OSError(
                "out must be a directory without the checkpoint of a run that was stopped, or "
                f"--resume must go on with it; got {shown(str(out))} (to start anew, remove "
                f"{directory})."
            )
        else:
            _remove(directory)  # what is left counts no more
        with Interrupts() as interrupts:
            run["threads"] = torch.get_num_threads()
            checkpoint = Checkpoint(directory, run, every, interrupts)
            try:
                yield checkpoint
            except FloatingPointError:  # that run leads nowhere
                _remove(directory)
                raise
            except BaseException as error:
                if interrupts.signum is None:
                    raise
                rest = f"python train.py --resume --out {shlex.quote(str(out))} goes on."
                try:  # whatever a library has made of the signal
                    checkpoint.save()
                except OSError as failure:
                    rest = str(failure)
                raise Interrupted(interrupts.signum, f"stopped; {rest}") from error
            _remove(directory)


class Checkpoint(NoCheckpoint):
    """The files of a run's state in `directory`; see `checkpointed`."""

    def __init__(self, directory, run, every, interrupts):
        self._directory, self._run, self._every = directory, run, every
        self._interrupts = interrupts
        self._begun = 0  # trainings so far
        self._running = {}  # by training: what there is to keep of it
        self._over = []  # states of trainings that are over, but in no file yet
        self._due = time.monotonic() + SECONDS

    def begin(self, training, film=None):
        self._interrupts.hold = True  # from here on a signal waits until a step is over
        one = RunningTraining(self._begun, training, self._run["settings"], film)
        path = self._file(one.number)
        if path.exists():
            state = read_state(path)
            try:
                one.restore(state)
            except Exception as error:  # there are many ways not to fit
                raise CheckpointError(
                    f"{path} holds another training than the one that is due, or wrong numbers."
                ) from error
        self._running[training] = one
        self._begun += 1
        self.seconds = one.seconds

    def look(self):
        self._interrupts.check()
        if self._every is None:
            is_due = time.monotonic() > self._due
        else:
            is_due = any(one.has_passed(self._every) for one in self._running.values())
        if is_due:
            self.save()

    def finish(self, training):
        one = self._running.pop(training)
        if one.is_new():
            self._over.append(deepcopy(one.state()))
        self._interrupts.hold = bool(self._running)
        self._interrupts.check()

    def save(self):
        """Write what isn't in the files yet."""
        start = time.monotonic()
        check_own_directory(self._directory, PATTERNS)
        with suppress(OSError):  # it is there, or else writing to it tells what is wrong
            self._directory.mkdir()
            sync_directory(self._directory.parent)
        if not (self._directory / "run.safetensors").exists():
            write_state(self._directory / "run.safetensors", self._run)
        while self._over:
            write_state(self._file(self._over[0]["number"]), self._over[0])
            del self._over[0]
        for one in filter(RunningTraining.is_new, self._running.values()):
            write_state(self._file(one.number), one.state())
            one.saved = one.place()
        end = time.monotonic()
        self._due = end + max(SECONDS, (end - start) / SHARE)

    def _file(self, number):
        return self._directory / f"training-{number:04}.safetensors"


def _remove(directory):
    check_own_directory(directory, PATTERNS)
    for pattern in PATTERNS:  # the run's file first: what is left counts no more
        for path in directory.glob(pattern):
            path.unlink(missing_ok=True)
    with suppress(OSError):  # it isn't there, or has files that aren't ours
        directory.rmdir()


def stored_command(out) -> list[str]:
    """Return the command line's arguments that began the run which was stopped in `out`."""
    return _read_run(out)["command"]


def _read_run(out, settings=None):
    """Return what `run.safetensors` holds; a CheckpointError tells of one with other settings."""
    path = Path(out) / "checkpoint" / "run.safetensors"
    if not path.exists():
        raise CheckpointError(
            f"resume needs the checkpoint of a run that was stopped, {path}; there is none."
        )
    run = read_state(path)
    try:
        check_fits(run["format"] == FORMAT)
        check_fits(type(run["command"]) is list and len(run["command"]) <= MAX_ARGUMENTS)
        check_fits(not any(argument.startswith(("-h", "--help")) for argument in run["command"]))
        check_fits(type(run["threads"]) is int and 1 <= run["threads"] <= 4096)
        check_fits(settings is None or run["settings"] == json.loads(json.dumps(settings)))
    except Exception as error:
        raise CheckpointError(f"{path} is not the checkpoint of this run.") from error
    return run
