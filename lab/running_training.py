"""A training that is under way, and its state: what a checkpoint keeps of it, and puts back."""

import json
import math
import time
import zlib
from functools import cached_property

import torch

from support.model_files import check_numbers


class RunningTraining:
    """A training that is under way, with its number, the time that it took, and what a film saw."""

    def __init__(self, number, training, settings, film):
        self.number, self.training, self.settings = number, training, settings
        self.seen, self.epochs_to_see = (film.reels[-1][1], film.epochs) if film else ([], [])
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
            "film": self.seen,
            "seconds": self.seconds + time.perf_counter() - self.start,
        }

    def restore(self, state: dict) -> None:
        """Put everything in the state that is given; raises an error of some kind if that fails."""
        self._check(state)
        training, device = self.training, self.training.data.X_train.device
        history = {key: values.tolist() for key, values in state["history"].items()}
        optimizer = {int(number): tensors for number, tensors in state["optimizer"].items()}
        optimizer = training.optimizer.state_dict() | {"state": optimizer}
        training.load_state_dict(state | {"optimizer": optimizer, "history": history})
        if device.type == "cuda":
            torch.cuda.set_rng_state(state["cuda_random"], device)
        self.seen[:], self.seconds, self.saved = state["film"], state["seconds"], self.place()

    def _check(self, state):
        training, points, epoch = self.training, self.training.data.X_train, state["epoch"]
        check_fits(0 <= epoch <= training.epochs and 0 <= state["step"] <= points.shape[-2])
        check_fits(0 <= state["seconds"] < math.inf)
        is_over, every = epoch == training.epochs, training.record_every
        recorded = math.ceil(epoch / every) if is_over else epoch // every
        own = self._pattern(recorded)
        check_fits(_is_like(state, own))
        check_fits(len(state["film"]) == sum(each <= epoch for each in self.epochs_to_see))
        check_fits(all(_is_like(tensors, own["model"]) for tensors in state["film"]))
        check_fits(all(state[name] == own[name] for name in ("number", "checksum")))
        epochs = range(every, every * recorded + 1, every)
        expected = [min(each, training.epochs) for each in epochs]
        check_fits(state["history"]["epoch"].tolist() == expected)
        fixed = [name for name in own["model"] if "standardize" in name]  # by the data
        check_fits(all(torch.equal(state["model"][n], own["model"][n].cpu()) for n in fixed))
        if points.ndim == 2:  # of many models, some may overflow
            each = (state["model"], *state["optimizer"].values(), state["history"], *state["film"])
            for tensors in each:
                check_numbers(tensors)

    def _pattern(self, recorded: int) -> dict:
        """Return a state as this training has when its history has so many entries."""
        group = self.training.optimizer.param_groups[0]
        buffers = group["params"] if group["momentum"] else ()
        many = self.training.data.X_train.shape[:-2] if recorded else ()
        shapes = {key: (recorded, *many) for key in self.training.history} | {"epoch": (recorded,)}
        return self.state() | {  # what it has none of when it begins
            "optimizer": {str(n): {"momentum_buffer": like} for n, like in enumerate(buffers)},
            "history": {
                key: torch.empty(shape, dtype=_kind(key), device="meta")
                for key, shape in shapes.items()
            },
        }


def check_fits(fits):
    """Raise a ValueError unless what was stored fits what is to go on."""
    if not fits:
        raise ValueError("what was stored is of another run")


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
