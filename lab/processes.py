"""Training by several processes, on one machine or many, as torchrun starts them."""

import importlib
import os
from contextlib import contextmanager
from datetime import timedelta
from typing import NamedTuple

import torch


class Share(NamedTuple):
    """The part of `total` things, numbered from 0 on, from `start` to before `stop`."""

    start: int
    stop: int
    total: int


class Processes:
    """This process's number among those that train together: `rank` of `count`, from 0 on."""

    def __init__(self, rank: int = 0, count: int = 1):
        self.rank, self.count = rank, count

    @property
    def is_first(self) -> bool:
        """Whether this is the one that prints, plots and saves."""
        return self.rank == 0

    def share(self, total: int) -> Share:
        """Return this process's part of `total` things."""
        start, stop = (total * (self.rank + i) // self.count for i in (0, 1))
        return Share(start, stop, total)

    def gather(self, value) -> list:
        """Return what every process has called this with, in the order of their ranks."""
        if self.count == 1:
            return [value]
        values = [None] * self.count
        torch.distributed.all_gather_object(values, value)
        return values

    def check(self, seeds=None, batch_size=None, batch_norm=False, **settings):
        """Raise a ValueError for settings that so many processes can't share out."""
        if self.count == 1:
            return
        if seeds is not None and seeds < self.count:
            raise ValueError(
                f"seeds must be at least the number of processes, {self.count}; got {seeds}."
            )
        if batch_norm:
            raise ValueError(
                "batch_norm must be off with several processes: it needs the statistics of whole "
                "batches, of which each process has a part."
            )
        least = 64 * self.count  # so that each process has points of every batch
        if batch_size is not None and batch_size < least:
            raise ValueError(
                f"batch_size must be {least} or more with {self.count} processes; got {batch_size}."
            )


ALONE = Processes()


def _by_torchrun():
    return "TORCHELASTIC_RUN_ID" in os.environ


@contextmanager
def joined(device: torch.device):
    """Join the processes that torchrun has started; yield this one, and the device that is its own.

    Without torchrun there is just one. An OSError tells that another process has stopped.
    """
    if not _by_torchrun():
        yield ALONE, device
        return
    if device.type == "cuda":
        number, gpus = int(os.environ["LOCAL_RANK"]), torch.cuda.device_count()
        if number >= gpus:
            raise ValueError(
                f"nproc-per-node must be at most the {gpus} GPUs of this machine, unless with "
                f"--device cpu; got {number + 1} or more."
            )
        device = torch.device("cuda", number)
        torch.cuda.set_device(device)
    backend = "nccl" if device.type == "cuda" else "gloo"
    # PyTorch loads this at the first optimizer. If that came when there is a group, its functions'
    # default arguments would hold it, and its threads would outlive Python, which can then abort.
    importlib.import_module("torch.distributed.nn")
    torch.distributed.init_process_group(backend, timeout=timedelta(minutes=10))
    try:
        yield Processes(torch.distributed.get_rank(), torch.distributed.get_world_size()), device
    except RuntimeError as error:
        if isinstance(error, torch.distributed.DistError) or "gloo" in str(error):
            raise OSError("another process of this job has stopped, so this one stops.") from error
        raise
    finally:
        torch.distributed.destroy_process_group()
