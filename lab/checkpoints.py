"""Checkpoints of a run: what `python train.py --resume` needs to go on to the same bits.

A run's trainings are numbered as they begin. The directory `checkpoint` in the run's own has
`run.safetensors`, which holds the run's command and settings and the states of the trainings that
were under way, and `trained-0000.safetensors` and so on with the final states of those that were
over. `run.safetensors` is written last and tells which of the other files count.
"""

import json
import shlex
import time
import zlib
from contextlib import ExitStack, suppress
from pathlib import Path

import torch

from lab.processes import ALONE
from support.files import check_own_directory, locked, remove_partial_files, sync_directory
from support.interrupts import Interrupted, Interrupts
from support.tensor_files import CheckpointError, read_state, write_state
from support.text import shown

FORMAT = 2
SECONDS = 10  # from one checkpoint to the next
SHARE = 0.02  # of the time may go to writing them
PATTERNS = ("run.safetensors", "trained-*.safetensors", ".*.safetensors.*.partial")


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


class Checkpoint(NoCheckpoint):
    """The state of a run in the directory `out`, from `with Checkpoint(...)` to the block's end.

    The directory is locked for that time. A run that ends well leaves no checkpoint; Ctrl-C and its
    like write one before they end the block with `Interrupted`, and an error leaves the last one.
    Several processes lock the directory and keep no checkpoint.

    out: the run's directory, which exists.
    command: the command line's arguments that began the run.
    settings: what they mean, as plain values; those of a resumed run must be the checkpoint's.
    file_names: of the files that the run will write to `out`.
    every: epochs from one checkpoint to the next; by default one is written every ten seconds,
        less often where that takes long.
    resume: whether to go on from the checkpoint that `out` has.
    """

    def __init__(
        self, out, command, settings, file_names=(), every=None, resume=False, processes=ALONE
    ):
        if processes.count > 1 and (resume or every is not None):
            raise ValueError("resume and checkpoint_every need a run of a single process.")
        self.out, self.every, self.resume, self.processes = Path(out), every, resume, processes
        self._directory = self.out / "checkpoint"
        self._run_file = self._directory / "run.safetensors"
        self._run = {"format": FORMAT, "command": command, "settings": settings}
        self._file_names = file_names
        self._interrupts = Interrupts()
        self._begun = 0  # trainings so far; each has a number
        self._running = {}  # by training: what there is to keep of it
        self._over = {}  # by number: states of trainings that are over, but in no file yet
        self._files = []  # of states of trainings that are over: the numbers in each
        self._stopped = {}  # by number: states of trainings that were under way, until they begin
        self._due = time.monotonic() + SECONDS

    def __enter__(self):
        with ExitStack() as stack:
            if self.processes.is_first:
                stack.enter_context(locked(self.out))
                check_own_directory(self._directory, PATTERNS)
                remove_partial_files(self.out, self._file_names)
                remove_partial_files(self._directory, ["*"])
            if self.processes.count > 1:
                self._stack = stack.pop_all()
                return NO_CHECKPOINT
            if self.resume:
                self._open()
            elif self._run_file.exists():
                raise OSError(
                    "out must be a directory without the checkpoint of a run that was stopped, "
                    f"or --resume must go on with it; got {shown(str(self.out))} (to start anew, "
                    f"remove {self._directory})."
                )
            self._run["threads"] = torch.get_num_threads()
            stack.enter_context(self._interrupts)
            self._stack = stack.pop_all()
        return self

    def __exit__(self, kind, error, traceback):
        with self._stack:
            if self.processes.count > 1:
                return
            if error is None or isinstance(error, FloatingPointError):  # that run leads nowhere
                self._remove()
            elif self._interrupts.signum:  # whatever a library has made of the exception
                if self._running or self._over or not self._run_file.exists():
                    self.save()
                again = f"python train.py --resume --out {shlex.quote(str(self.out))}"
                raise Interrupted(self._interrupts.signum, f"stopped; {again} goes on.") from error

    def begin(self, training, film=None):
        self._interrupts.hold = True  # from here on a signal waits until a step is over
        number, self._begun = self._begun, self._begun + 1
        running = self._running[training] = _Running(number, training, film)
        try:
            state = self._known(number)
            if state is not None:
                running.restore(state)
        except CheckpointError:
            raise
        except Exception as error:  # there are many ways not to fit
            raise CheckpointError(
                f"{self._directory} holds another training than the one that is due."
            ) from error
        self.seconds = running.seconds

    def look(self):
        self._interrupts.check()
        if self.every is None:
            if time.monotonic() > self._due:
                self.save()
        elif any([running.has_passed(self.every) for running in self._running.values()]):
            self.save()

    def finish(self, training):
        running = self._running.pop(training)
        if not any(running.number in numbers for numbers in self._files):
            self._over[running.number] = running.state()
        self._interrupts.hold = bool(self._running)
        self._interrupts.check()

    # The files

    def save(self):
        """Write the checkpoint."""
        start = time.monotonic()
        check_own_directory(self._directory, PATTERNS)
        if not self._directory.exists():
            try:
                self._directory.mkdir()
            except OSError as error:
                raise OSError(f"{self._directory} can't be made: {error.strerror}.") from error
            sync_directory(self.out)
        if self._over:
            write_state(self._file(len(self._files)), {"trained": list(self._over.values())})
            self._files.append(list(self._over))
            self._over = {}
        running = [running.state() for running in self._running.values()]
        run = {"files": self._files, "running": running + list(self._stopped.values())}
        write_state(self._run_file, self._run | run)
        end = time.monotonic()
        self._due = end + max(SECONDS, (end - start) / SHARE)

    def _file(self, number):
        return self._directory / f"trained-{number:04}.safetensors"

    def _open(self):
        run = _read_run(self.out)
        if json.dumps(run["settings"]) != json.dumps(self._run["settings"]):  # tuples became lists
            raise CheckpointError(f"{self._directory} has settings that aren't its command's.")
        torch.set_num_threads(run["threads"])  # by which the results differ in the last bits
        self._files = run["files"]
        self._stopped = {state["number"]: state for state in run["running"]}

    def _known(self, number):
        """Return the state of the training that began as this number, if there is one."""
        for place, numbers in enumerate(self._files):
            if number in numbers:
                path = self._file(place)
                try:
                    trained = read_state(path)["trained"]
                    return next(state for state in trained if state["number"] == number)
                except (TypeError, KeyError, StopIteration) as error:
                    raise CheckpointError(f"{path} is not part of a checkpoint.") from error
        return self._stopped.pop(number, None)

    def _remove(self):
        check_own_directory(self._directory, PATTERNS)
        for pattern in PATTERNS:  # the run's file first: what is left counts no more
            for path in self._directory.glob(pattern):
                path.unlink(missing_ok=True)
        with suppress(OSError):  # it isn't there, or has files that aren't ours
            self._directory.rmdir()


class _Running:
    """A training that is under way, with its number and the time that it took."""

    def __init__(self, number, training, film):
        self.number, self.training = number, training
        self.film = [] if film is None else film
        self.seconds, self.start = 0.0, time.perf_counter()
        self.passed, self.checksum = 0, None

    def has_passed(self, every) -> bool:
        """Whether an epoch that `every` divides has ended since this was asked."""
        before, self.passed = self.passed, self.training.epoch // every
        return self.passed > before

    def state(self) -> dict:
        """Return all that the rest of the training depends on, as copies on the CPU."""
        device = self.training.data.X_train.device
        self.checksum = self.checksum or _checksum(self.training.data)
        state = _copied(self.training.state_dict())
        return state | {
            "number": self.number,
            "data": self.checksum,
            "optimizer": {str(n): tensors for n, tensors in state["optimizer"]["state"].items()},
            "history": {k: torch.tensor(v, dtype=_kind(k)) for k, v in state["history"].items()},
            "cuda_random": torch.cuda.get_rng_state(device) if device.type == "cuda" else None,
            "film": _copied(self.film),
            "seconds": self.seconds + time.perf_counter() - self.start,
        }

    def restore(self, state: dict) -> None:
        """Put everything in the state that is given; raises an error of some kind if that fails."""
        training, epoch = self.training, state["epoch"]
        history = {key: values.tolist() for key, values in state["history"].items()}
        optimizer = {int(number): tensors for number, tensors in state["optimizer"].items()}
        _check(state["data"] == _checksum(training.data))
        _check(type(epoch) is int and 0 <= epoch <= training.epochs)
        _check(type(state["step"]) is int and state["step"] >= 0)
        _check(type(state["seconds"]) is float)
        _check(history.keys() == training.history.keys())
        _check(history["epoch"] == sorted(set(history["epoch"])))
        _check(epoch < training.epochs or history["epoch"][-1] == training.epochs)
        shape = len(history["epoch"]), *training.data.X_train.shape[:-2]
        for key, values in state["history"].items():
            _check(values.dtype == _kind(key))
            _check(len(values) == shape[0] and (key == "epoch" or values.shape in (shape, (0,))))
        _check(_is_like(state["model"], training.model.state_dict()))
        _check(type(state["film"]) is list)
        _check(all(_is_like(tensors, training.model.state_dict()) for tensors in state["film"]))
        own = training.optimizer.state_dict()
        for number, tensors in optimizer.items():
            parameter = training.optimizer.param_groups[0]["params"][number]
            _check(_is_like(tensors, {"momentum_buffer": parameter}))
        own_kind = {"history": history, "optimizer": own | {"state": optimizer}}
        training.load_state_dict(state | own_kind)
        if training.data.X_train.device.type == "cuda":
            torch.cuda.set_rng_state(state["cuda_random"], training.data.X_train.device)
        self.film[:] = state["film"]
        self.seconds = state["seconds"]


def _check(fits):
    if not fits:
        raise ValueError("the state is of another training")


def _kind(key):
    """Return the type of a history's numbers as tensors, which lose no bit."""
    return torch.int64 if key == "epoch" else torch.float64


def _is_like(stored, tensors):
    """Whether stored tensors have the names, shapes and kinds of others."""
    return stored.keys() == tensors.keys() and all(
        isinstance(stored[name], torch.Tensor)
        and (stored[name].shape, stored[name].dtype) == (tensor.shape, tensor.dtype)
        for name, tensor in tensors.items()
    )


def _copied(value):
    """Return nested dicts and lists with copies of their tensors, on the CPU."""
    if isinstance(value, torch.Tensor):
        return value.detach().cpu().clone(memory_format=torch.contiguous_format)
    if isinstance(value, dict):
        return {key: _copied(item) for key, item in value.items()}
    return list(map(_copied, value)) if isinstance(value, list) else value


def _checksum(data):
    """Return a number that differs for data that differs, all but certainly."""
    number = 0
    for tensor in data[:4]:
        number = zlib.crc32(tensor.cpu().contiguous().view(torch.uint8).numpy(), number)
    return number


def stored_command(out) -> list[str]:
    """Return the command line's arguments that began the run which was stopped in `out`."""
    return _read_run(out)["command"]


def _read_run(out):
    """Return what `run.safetensors` holds, or raise a CheckpointError."""
    path = Path(out) / "checkpoint" / "run.safetensors"
    if not path.exists():
        raise CheckpointError(
            f"resume needs the checkpoint of a run that was stopped, {path}; there is none."
        )
    run = read_state(path)
    try:
        _check(run["format"] == FORMAT)
        _check(type(run["command"]) is list)
        _check(all(type(argument) is str for argument in run["command"]))
        _check(not {"-h", "--help"} & set(run["command"]))
        _check(type(run["threads"]) is int and 1 <= run["threads"] <= 4096)
        _check(all(type(number) is int for numbers in run["files"] for number in numbers))
        _check(all(type(state["number"]) is int for state in run["running"]))
    except Exception as error:
        raise CheckpointError(f"{path} is not the checkpoint of a run.") from error
    return run
