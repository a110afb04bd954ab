"""Several trainings at once, each in a thread of its own, that rest together now and then."""

import time
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import islice, repeat

import torch

from train import Training

TURN = 0.2  # seconds until all of them rest


def train_in_turns(trainings: Iterable[Training], threads: int, look) -> Iterator[Training]:
    """Train as many at once as there are threads; yield each when it is over, and take the next.

    trainings: made one at a time, in this thread, when there is a thread for it.
    look: a function that is called, in this thread and while all of them rest between two steps,
        with the trainings that are under way.

    Each of several computes on one OpenMP thread: two of those would wait on each other at every
    step. A single one is the caller's, as it is: the graphs of torch.compile on CUDA belong to it.
    """
    waiting = ((training, iter(training)) for training in trainings)
    with ThreadPoolExecutor(threads, initializer=torch.set_num_threads, initargs=(1,)) as pool:
        advance = pool.map if threads > 1 else map
        running = list(islice(waiting, threads))
        while running:
            end = time.monotonic() + TURN
            over = list(advance(_advance, (steps for _, steps in running), repeat(end)))
            look([training for training, _ in running])
            for one, is_over in zip(tuple(running), over, strict=True):
                if is_over:
                    running.remove(one)
                    yield one[0]
            running += islice(waiting, threads - len(running))


def _advance(steps, end) -> bool:
    """Train until the time is over; return whether the training is."""
    return all(time.monotonic() < end for _ in steps)
