"""Training by several processes, on one machine or many, as torchrun starts them."""

import importlib
import os
from contextlib import contextmanager
from datetime import timedelta
from typing import NamedTuple

import numpy as np
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

    def distribute(self, model):
        """Return the model as one that averages its gradients over all processes."""
        return model if self.count == 1 else _distributed(model)


ALONE = Processes()


def is_first() -> bool:
    """Whether this process is alone or the first of several."""
    return not _by_torchrun() or os.environ["RANK"] == "0"


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
        device = torch.device("cuda", int(os.environ["LOCAL_RANK"]))
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


def _distributed(model):
    """Return the model as DistributedDataParallel, weighted by each process's part of a batch."""
    from torch.nn.parallel import DistributedDataParallel  # takes time to import

    class Distributed(DistributedDataParallel):
        """Averages gradients over the processes, each of which has a part of every batch.

        The loss is the mean over a process's own points. Its gradient is weighted by their share,
        so that the average is the gradient of the mean over the whole batch.
        """

        def forward(self, x):
            logits = super().forward(x)
            if logits.requires_grad:
                whole = torch.tensor(float(len(x)), device=x.device)
                torch.distributed.all_reduce(whole)
                weight = len(x) * torch.distributed.get_world_size() / whole
                logits.register_hook(lambda gradient: gradient * weight)
            return logits

    idle = model.arguments.get("activation") == "step"  # then the hidden layers get no gradient
    return Distributed(model, forward_sync_buffers=False, find_unused_parameters=idle)


def sum_over_processes(model, values: torch.Tensor) -> torch.Tensor:
    """Return values summed over the processes that train the model together, if several do."""
    if hasattr(model, "require_backward_grad_sync"):  # DistributedDataParallel, without its import
        torch.distributed.all_reduce(values)
    return values


def own_part(order: torch.Tensor, batches: int, share: Share) -> tuple[torch.Tensor, list[int]]:
    """Return which of its own points a process takes in an order of all, and where batches end.

    The batches are those into which a single process would cut the order.
    """
    is_own = (order >= share.start) & (order < share.stop)
    places = torch.from_numpy(np.flatnonzero(is_own.numpy()))  # ten times as fast as nonzero()
    ends = torch.tensor([len(part) for part in order.tensor_split(batches)]).cumsum(0)[:-1]
    own = order.index_select(0, places) - share.start
    return own, torch.searchsorted(places, ends).tolist()
