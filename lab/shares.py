"""Data and training that several processes share: each has a part of the points of every batch."""

import math

import numpy as np
import torch

from lab.processes import Processes, Share
from support.checks import keywords_of
from support.datasets import is_csv
from train import Data, Training, make_data

BLOCK = 2**20  # points to make at a time, so that memory doesn't go far beyond theirs


def make_share(settings: dict, processes: Processes) -> Data:
    """Return a process's part of the data that the settings name, which is made block by block.

    A block is what `train.make_data` returns alone; the first one has the seed of the whole. So up
    to a million points are just those of `make_data`. A process makes only the blocks that it has a
    part of.
    """
    keywords = keywords_of(make_data, settings)
    if is_csv(keywords["data"]):
        data = make_data(**keywords)
        share = processes.share(len(data.y_train))
        return _part(data, share.start, share.stop)
    seed, test_size = keywords["seed"], keywords["test_size"]
    sizes = block_sizes(keywords["samples"])
    seeds = [seed, *np.random.SeedSequence(seed).generate_state(len(sizes) - 1).tolist()]
    trains = [size - math.ceil(size * test_size) for size in sizes]
    share, start, parts = processes.share(sum(trains)), 0, []
    for size, train, block_seed in zip(sizes, trains, seeds, strict=True):
        low, high = (min(max(end - start, 0), train) for end in (share.start, share.stop))
        start += train
        if low < high:
            block = make_data(**keywords | {"samples": size, "seed": block_seed})
            parts.append(_part(block, low, high))
    return parts[0] if len(parts) == 1 else _joined(parts)


def block_sizes(samples: int) -> list[int]:
    """Return how many points each block has."""
    count = math.ceil(samples / BLOCK)
    return [samples * (i + 1) // count - samples * i // count for i in range(count)]


def _part(data: Data, low: int, high: int) -> Data:
    """Return the training points from `low` to before `high`, and as large a part of the others."""
    train, test = len(data.y_train), len(data.y_test)
    mine, mine_of_test = slice(low, high), slice(test * low // train, test * high // train)
    return data._replace(
        X_train=data.X_train[mine],
        y_train=data.y_train[mine],
        X_test=data.X_test[mine_of_test],
        y_test=data.y_test[mine_of_test],
    )


def _joined(parts: list[Data]) -> Data:
    return Data(*map(torch.cat, zip(*(part[:4] for part in parts), strict=True)), *parts[0][4:])


class SharedTraining(Training):
    """A training on the points of several processes, of which this one's data has a part."""

    def __init__(self, processes: Processes, model, data, **settings):
        super().__init__(distributed(model), data, **settings)
        self.name, self.processes = type(model).__name__, processes
        counts = processes.gather(len(data.y_train))
        start = sum(counts[: processes.rank])
        self.share = Share(start, start + len(data.y_train), sum(counts))

    def batches(self):
        size, share, data = self.batch_size, self.share, self.data
        if size is None or size >= share.total:
            yield data.X_train, data.y_train
            return
        order = torch.randperm(share.total, generator=self.generator)
        places, ends = own_part(order, math.ceil(share.total / size), share)
        places = places.to(data.X_train.device)
        X, y = data.X_train[places], data.y_train[places]
        yield from zip(X.tensor_split(ends), y.tensor_split(ends), strict=True)

    def evaluate(self, X, y):
        parts = self.processes.gather((*super().evaluate(X, y), len(y)))
        total = sum(count for *_, count in parts)
        return tuple(sum(part[i] * part[2] for part in parts) / total for i in (0, 1))


def distributed(model):
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


def own_part(order: torch.Tensor, batches: int, share: Share) -> tuple[torch.Tensor, list[int]]:
    """Return which of its own points a process takes in an order of all, and where batches end.

    The batches are those into which a single process would cut the order.
    """
    is_own = (order >= share.start) & (order < share.stop)
    places = torch.from_numpy(np.flatnonzero(is_own.numpy()))  # ten times as fast as nonzero()
    ends = torch.tensor([len(part) for part in order.tensor_split(batches)]).cumsum(0)[:-1]
    own = order.index_select(0, places) - share.start
    return own, torch.searchsorted(places, ends).tolist()
