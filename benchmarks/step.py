"""Where the time of one training step goes: its parts, and the arithmetic alone.

Steps of CircleModelV2 as `train` takes them, on a batch of 256 and on the 800 points of the default
data, with one thread. The limit is the time that the step's floating-point operations would take at
the speed of the fastest matrix product here.
"""

import statistics
import time
import warnings
from itertools import chain, count, pairwise

import torch
from torch.profiler import ProfilerActivity, profile

from benchmarks.flop import count_flop, flop_a_second
from benchmarks.measure import HIDDEN, LR, MOMENTUM, Line, duration, main, middle, ratios, versions
from model import CircleModelV2
from support.text import listed
from train import Training, build, loss_function, make_data, train

PARTS = ("shuffling and cutting", "the model", "the loss", "the gradients", "the update")


class Steps:
    """Training steps that can be taken one by one."""

    def __init__(self, points: int, batch_size: int | None):
        data = make_data(samples=points)
        self.model = CircleModelV2().train()
        training = Training(self.model, data, batch_size=batch_size)
        self.batches = chain.from_iterable(training.batches() for _ in count())
        self.loss_fn = loss_function(data.y_train)
        self.optimizer = torch.optim.SGD(
            self.model.parameters(), lr=LR, momentum=MOMENTUM, fused=True
        )

    def take(self) -> list[float]:
        """Take a step, and return the seconds of each of its parts."""
        times = [time.perf_counter()]
        X, y = next(self.batches)
        times.append(time.perf_counter())
        logits = self.model(X)
        times.append(time.perf_counter())
        loss = self.loss_fn(logits, y)
        times.append(time.perf_counter())
        self.optimizer.zero_grad()
        loss.backward()
        times.append(time.perf_counter())
        self.optimizer.step()
        times.append(time.perf_counter())
        return [later - earlier for earlier, later in pairwise(times)]


def operators(steps: Steps) -> float:
    """Return how many operators of PyTorch a step calls on average, with those in others."""
    number = 32  # so that each step has its share of the picking, which is done for several at once
    with profile(activities=[ProfilerActivity.CPU]) as profiler:
        for _ in range(number):
            steps.take()
    return sum(event.name.startswith("aten::") for event in profiler.events()) / number


def count_waits(epochs: int, batch_size: int | None = None) -> int:
    """Return how often a training on CUDA, with one record, waits for the GPU, as it counts."""
    model, data = build(CircleModelV2, {"seed": 0}).to("cuda"), make_data().to("cuda")
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")  # rather than once for each line of the code
        torch.cuda.set_sync_debug_mode("warn")
        try:
            train(model, data, epochs=epochs, record_every=epochs, batch_size=batch_size)
        finally:
            torch.cuda.set_sync_debug_mode("default")
    return sum("synchroniz" in str(warning.message) for warning in caught)


def measure(quick: bool) -> tuple[list[Line], list[str]]:
    torch.set_num_threads(1)
    rounds, number = (2, 20) if quick else (7, 1000)
    lines, notes = [], []
    for name, points, batch_size in (("256", 100_000, 256), ("800", 1000, None)):
        steps = Steps(points, batch_size)
        for _ in range(number):  # warm-up
            steps.take()
        flop = sum(count_flop((2, HIDDEN, HIDDEN, 1), int(name)))
        wholes, limits, all_parts = [], [], []
        for _ in range(rounds):
            parts = [steps.take() for _ in range(number)]
            wholes.append(statistics.mean(map(sum, parts)))  # a few of them shuffle for the others
            limits.append(flop / flop_a_second())
            all_parts += parts
        lines.append(
            Line(
                f"a step on {name} points",
                middle(wholes),
                f"its arithmetic alone: {middle(limits)}",
                ratios(limits, wholes),
                versions=versions("torch"),
            )
        )
        means = map(statistics.mean, zip(*all_parts, strict=True))
        named = [f"{part} {duration(mean)}" for part, mean in zip(PARTS, means, strict=True)]
        notes.append(
            f"Of a step on {name} points {listed(named)} (means). It "
            f"calls PyTorch's operators {operators(steps):.0f} times, calls from one to another "
            "counted."
        )
    return lines, notes


if __name__ == "__main__":
    main(measure)
