"""Checkpoints of a run: what `python train.py --resume` needs to go on to the same bits.

The directory `checkpoint` in the run's own has `run.safetensors`, which tells the run's command and
settings, and `training-0000.safetensors` and so on: the states of the trainings, by the order in
which they began. No training depends on another, so each file may be of another moment.
"""

import json
import math
import shlex
import time
import zlib
from contextlib import contextmanager, nullcontext, suppress
from copy import deepcopy
from functools import cached_property
from pathlib import Path

import torch

from lab.processes import ALONE
from support.files import check_own_directory, locked, remove_partial_files, sync_directory
from support.interrupts import Interrupted, Interrupts
from support.model_files import check_numbers
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
        """Take up a training that is due; if it was stopped, put it where it was."""

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
        one = _Running(self._begun, training, self._run["settings"], film)
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
        for one in filter(_Running.is_new, self._running.values()):
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


class _Running:
    """A training that is under way, with its number and the time that it took."""

    def __init__(self, number, training, settings, film):
        self.number, self.training, self.settings = number, training, settings
        self.film = [] if film is None else film
        self.seconds, self.start = 0.0, time.perf_counter()
        self.saved = (0, 0)  # the place that the file has; none is needed for the beginning

    def place(self) -> tuple[int, int]:
        return self.training.epoch, self.training.step

    def is_new(self) -> bool:
        """Whether the file has another state."""
        return self.place() != self.saved

    def has_passed(self, every) -> bool:
        """Whether an epoch that `every` divides has ended since the state was saved."""
        return self.training.epoch // every > self.saved[0] // every

    @cached_property
    def checksum(self):
        """A number that differs for other settings of the run or other data, all but certainly."""
        number = zlib.crc32(json.dumps(self.settings).encode())
        for tensor in self.training.data[:4]:
            number = zlib.crc32(tensor.cpu().contiguous().view(torch.uint8).numpy(), number)
        return number

    def state(self) -> dict:
        """Return all that the rest of the training depends on."""
        device = self.training.data.X_train.device
        state = self.training.state_dict()
        return state | {
            "number": self.number,
            "checksum": self.checksum,
            "optimizer": {str(n): tensors for n, tensors in state["optimizer"]["state"].items()},
            "history": {k: torch.tensor(v, dtype=_kind(k)) for k, v in state["history"].items()},
            "cuda_random": torch.cuda.get_rng_state(device) if device.type == "cuda" else None,
            "film": self.film,
            "seconds": self.seconds + time.perf_counter() - self.start,
        }

    def restore(self, state: dict) -> None:
        """Put everything in the state that is given; raises an error of some kind if that fails."""
        training, points, epoch = self.training, self.training.data.X_train, state["epoch"]
        _check(0 <= epoch <= training.epochs and 0 <= state["step"] <= points.shape[-2])
        _check(0 <= state["seconds"] < math.inf)
        is_over, every = epoch == training.epochs, training.record_every
        recorded = math.ceil(epoch / every) if is_over else epoch // every
        shape = (recorded, *points.shape[:-2]) if recorded else (0,)
        group = training.optimizer.param_groups[0]
        buffers = group["params"] if group["momentum"] else ()
        own = (
            self.state()
            | {  # what a training has none of when it begins
                "optimizer": {str(n): {"momentum_buffer": like} for n, like in enumerate(buffers)},
                "history": {
                    key: torch.empty(
                        shape[:1] if key == "epoch" else shape, dtype=_kind(key), device="meta"
                    )
                    for key in training.history
                },
            }
        )
        _check(_is_like(state, own))
        _check(all(_is_like(tensors, own["model"]) for tensors in state["film"]))
        _check(all(state[name] == own[name] for name in ("number", "checksum")))
        fixed = [name for name in own["model"] if "standardize" in name]  # by the data
        _check(all(torch.equal(state["model"][n], own["model"][n].cpu()) for n in fixed))
        if points.ndim == 2:  # of many models, some may overflow
            for tensors in (state["model"], *state["optimizer"].values(), state["history"]):
                check_numbers(tensors)
        history = {key: values.tolist() for key, values in state["history"].items()}
        epochs = range(every, every * recorded + 1, every)
        _check(history["epoch"] == [min(each, training.epochs) for each in epochs])
        optimizer = {int(number): tensors for number, tensors in state["optimizer"].items()}
        optimizer = training.optimizer.state_dict() | {"state": optimizer}
        training.load_state_dict(state | {"optimizer": optimizer, "history": history})
        if points.device.type == "cuda":
            torch.cuda.set_rng_state(state["cuda_random"], points.device)
        self.film[:], self.seconds, self.saved = state["film"], state["seconds"], self.place()


def _check(fits):
    if not fits:
        raise ValueError("the state is of another training")


def _kind(key):
    """Return the type of a history's numbers as tensors, which lose no bit."""
    return torch.int64 if key == "epoch" else torch.float64


def _is_like(stored, own):
    """Whether nested dicts have the same names, types, and shapes of tensors."""
    if isinstance(own, torch.Tensor):
        is_tensor = isinstance(stored, torch.Tensor)
        return is_tensor and (stored.shape, stored.dtype) == (own.shape, own.dtype)
    if isinstance(own, dict) and isinstance(stored, dict):
        return stored.keys() == own.keys() and all(_is_like(stored[k], own[k]) for k in own)
    return type(stored) is type(own)


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
        _check(run["format"] == FORMAT)
        _check(type(run["command"]) is list and len(run["command"]) <= MAX_ARGUMENTS)
        _check(not any(argument.startswith(("-h", "--help")) for argument in run["command"]))
        _check(type(run["threads"]) is int and 1 <= run["threads"] <= 4096)
        _check(settings is None or run["settings"] == json.loads(json.dumps(settings)))
    except Exception as error:
        raise CheckpointError(f"{path} is not the checkpoint of this run.") from error
    return run
