"""Checkpoints of a run: what `python train.py --resume` needs to go on to the same bits.

A run trains some models, one after the other, by calls of `train`. The directory `checkpoint` in
the run's own has `run.safetensors`, which holds the run's command and settings and the state of the
training that was going on, and `trained-0000.safetensors` and so on with the final states of those
that were over. `run.safetensors` is written last and tells how many of the other files count.
"""

import json
import shlex
import time
import zlib
from contextlib import ExitStack, suppress
from functools import partial
from itertools import chain, islice
from pathlib import Path

import torch

from support.files import check_own_directory, locked, remove_partial_files, sync_directory
from support.interrupts import Interrupted, Interrupts
from support.processes import ALONE
from support.tensor_files import CheckpointError, read_state, write_state

FORMAT = 1
SECONDS = 10  # from one checkpoint to the next
SHARE = 0.02  # of the time may go to writing them
PATTERNS = ("run.safetensors", "trained-*.safetensors", ".*.safetensors.*.partial")


class Checkpoint:
    """The state of a run in the directory `out`, from `with Checkpoint(...)` to the block's end.

    The directory is locked for that time. A run that ends well leaves no checkpoint; Ctrl-C and its
    like write one before they end the block with `Interrupted`, and an error leaves the last one.
    Several processes have no checkpoint: the block is given None.

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
        self.seconds = 0.0  # that the training at hand had taken before the run was stopped
        self._directory = self.out / "checkpoint"
        self._run_file = self._directory / "run.safetensors"
        self._run = {"format": FORMAT, "command": command, "settings": settings}
        self._file_names = file_names
        self._interrupts = Interrupts()
        self._known = iter(())  # states of trainings that are over, and of the one at hand
        self._files, self._trained = 0, []  # files of states, and states that are in none yet
        self._state = None  # a function that returns the state of the training at hand
        self._due = time.monotonic() + SECONDS

    def __enter__(self):
        with ExitStack() as stack:
            if self.processes.is_first:
                stack.enter_context(locked(self.out))
                check_own_directory(self._directory, PATTERNS)
                remove_partial_files(self.out, self._file_names)
                remove_partial_files(self._directory, ["*"])
            if self.processes.count == 1:
                if self.resume:
                    self._open()
                elif self._run_file.exists():
                    raise OSError(
                        "out must be a directory without the checkpoint of a run that was stopped, "
                        f"or --resume must go on with it; got {str(self.out)!r} (to start anew, "
                        f"remove {self._directory})."
                    )
                self._run["threads"] = torch.get_num_threads()
                stack.enter_context(self._interrupts)
            self._stack = stack.pop_all()
        return self if self.processes.count == 1 else None

    def __exit__(self, kind, error, traceback):
        with self._stack:
            if self.processes.count > 1:
                return
            if error is None or isinstance(error, FloatingPointError):  # that run leads nowhere
                self._remove()
            elif self._interrupts.signum:  # whatever a library has made of the exception
                if self._state or self._trained or not self._run_file.exists():
                    self.save()
                again = f"python train.py --resume --out {shlex.quote(str(self.out))}"
                raise Interrupted(self._interrupts.signum, f"stopped; {again} goes on.") from error

    # What train() calls

    def follow(self, batches, data, model, optimizer, generators, history, on_epoch, epochs):
        """Watch a training that is about to begin; if it is known, put it where it was.

        Returns the epoch to go on with, and a function in the place of `batches`, which returns the
        batches of an epoch.
        """
        training = _Training(data, model, optimizer, generators, history, on_epoch, epochs)
        state, self._is_over = next(self._known, (None, False))
        if state is not None:
            try:
                training.restore(state, self._is_over)
            except Exception as error:  # there are many ways not to fit
                raise CheckpointError(
                    f"{self._directory} holds another training than the one that is due."
                ) from error
        self.seconds = training.seconds
        self._training = training
        self._interrupts.hold = True  # from here on a signal waits until a step is over
        self._state = training.state
        return training.epoch, partial(self._watch, batches)

    def _watch(self, batches):
        """Yield the batches of an epoch that are left, and see after each what there is to do."""
        training = self._training
        training.begin_epoch()
        for batch in islice(batches(), training.step, None):
            yield batch
            training.step += 1
            self._interrupts.check()
            if self.every is None and time.monotonic() > self._due:
                self.save()
        if self.every is not None and training.epoch % self.every == 0:
            self.save()
        training.end_epoch()

    def finish(self):
        """Keep the final state of the training that is over."""
        if not self._is_over:
            self._trained.append(self._state())
        self._state = None
        self._interrupts.hold = False
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
        if self._trained:
            write_state(self._file(self._files), {"trained": self._trained})
            self._files, self._trained = self._files + 1, []
        state = self._state() if self._state else None
        write_state(self._run_file, self._run | {"files": self._files, "state": state})
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
        over = (
            (state, True) for number in range(self._files) for state in self._trained_in(number)
        )
        at_hand = [] if run["state"] is None else [(run["state"], False)]
        self._known = chain(over, at_hand)

    def _trained_in(self, number):
        content = read_state(self._file(number))
        try:
            _check(type(content["trained"]) is list)
            _check(all(type(state) is dict for state in content["trained"]))
        except Exception as error:
            raise CheckpointError(f"{self._file(number)} is not part of a checkpoint.") from error
        return content["trained"]

    def _remove(self):
        check_own_directory(self._directory, PATTERNS)
        for pattern in PATTERNS:  # the run's file first: what is left counts no more
            for path in self._directory.glob(pattern):
                path.unlink(missing_ok=True)
        with suppress(OSError):  # it isn't there, or has files that aren't ours
            self._directory.rmdir()


class _Training:
    """One call of `train`: the objects that it works on, and its place among epochs and batches."""

    def __init__(self, data, model, optimizer, generators, history, on_epoch, epochs):
        self.data, self.model, self.optimizer = data, model, optimizer
        self.generators, self.history, self.epochs = generators, history, epochs
        self.film = getattr(on_epoch, "states", [])
        self.epoch, self.step, self.steps = 1, 0, None
        self.seconds, self.start = 0.0, time.perf_counter()
        self.checksum = None

    def begin_epoch(self):
        if self.steps != 1:  # all points in one batch need no order
            self.order = [generator.get_state() for generator in self.generators]

    def end_epoch(self):
        self.epoch, self.step, self.steps = self.epoch + 1, 0, self.step

    def state(self) -> dict:
        """Return all that the rest of the training depends on, as copies on the CPU."""
        device = self.data.X_train.device
        self.checksum = self.checksum or _checksum(self.data)
        return {
            "data": self.checksum,
            "epoch": self.epoch,
            "step": self.step,
            "order": self.order,  # the generators as they were when the epoch began
            "random": torch.get_rng_state(),
            "cuda_random": torch.cuda.get_rng_state(device) if device.type == "cuda" else None,
            "model": _copies(self.model.state_dict()),
            "optimizer": {
                str(number): _copies(tensors)
                for number, tensors in self.optimizer.state_dict()["state"].items()
            },
            "history": {key: torch.tensor(v, dtype=_kind(key)) for key, v in self.history.items()},
            "film": [_copies(tensors) for tensors in self.film],
            "seconds": self.seconds + time.perf_counter() - self.start,
        }

    def restore(self, state: dict, is_over: bool) -> None:
        """Put everything in the state that is given; raises an error of some kind if that fails."""
        epoch, step = state["epoch"], state["step"]
        history = {key: values.tolist() for key, values in state["history"].items()}
        optimizer = {int(number): tensors for number, tensors in state["optimizer"].items()}
        _check(state["data"] == _checksum(self.data))
        _check(type(epoch) is int and 1 <= epoch <= self.epochs + is_over)
        _check(is_over == (epoch > self.epochs))
        _check(type(step) is int and step >= 0)
        _check(type(state["seconds"]) is float)
        _check(history.keys() == self.history.keys())
        _check(history["epoch"] == sorted(set(history["epoch"])))
        _check(not is_over or history["epoch"][-1] == self.epochs)
        shape = len(history["epoch"]), *self.data.X_train.shape[:-2]
        for key, values in state["history"].items():
            _check(values.dtype == _kind(key))
            _check(len(values) == shape[0] and (key == "epoch" or values.shape in (shape, (0,))))
        _check(_is_like(state["model"], self.model.state_dict()))
        _check(type(state["film"]) is list)
        _check(all(_is_like(tensors, self.model.state_dict()) for tensors in state["film"]))
        parameters = self.optimizer.param_groups[0]["params"]
        for number, tensors in optimizer.items():
            _check(_is_like(tensors, {"momentum_buffer": parameters[number]}))

        with torch.no_grad():
            for name, tensor in self.model.state_dict().items():
                tensor.copy_(state["model"][name])
        groups = self.optimizer.state_dict()["param_groups"]
        self.optimizer.load_state_dict({"state": optimizer, "param_groups": groups})
        for generator, order in zip(self.generators, state["order"], strict=True):
            generator.set_state(order)
        torch.set_rng_state(state["random"])
        if self.data.X_train.device.type == "cuda":
            torch.cuda.set_rng_state(state["cuda_random"], self.data.X_train.device)
        for key, values in self.history.items():
            values[:] = history[key]
        self.film[:] = state["film"]
        self.epoch, self.step, self.seconds = epoch, step, state["seconds"]


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


def _copies(tensors):
    return {
        name: tensor.detach().cpu().clone(memory_format=torch.contiguous_format)
        for name, tensor in tensors.items()
    }


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
        _check(type(run["files"]) is int and 0 <= run["files"] <= 10**6)
        _check(run["state"] is None or type(run["state"]) is dict)
    except Exception as error:
        raise CheckpointError(f"{path} is not the checkpoint of a run.") from error
    return run
