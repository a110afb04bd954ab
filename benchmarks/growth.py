"""Time and memory of training from a thousand points to ten million, or a hundred where they fit.

Each run is a process of its own that makes the data and trains CircleModelV2 for two passes in
batches of at most 65,536, with one thread, so that the growth isn't that of the threads. The peak
of memory is that of the training, with the data in it, above what the process took before the data
was made; the peak of making the data is measured apart, and what that has freed is given back.
Needs Linux, which tells of the peak. Draws pictures/scaling.png.
"""

import ctypes
import json
import statistics
from contextlib import suppress
from itertools import pairwise
from pathlib import Path

from benchmarks.measure import (
    ROOT,
    Line,
    forget_peak,
    in_a_process,
    main,
    middle,
    peak_memory,
    ratios,
    seconds,
    versions,
)
from support.text import listed

PASSES, BATCH_SIZE = 2, 65_536
LINEAR_FROM = 10**5  # below, a pass is a few steps whose cost doesn't depend on the points
LINEAR = 10**-0.05  # the goal for tenfold points: time that grows with a power of 1.05 at most
ALLOWED = 3  # the goal: memory in multiples of the data


def print_run(points):
    """Train once on so many points; print the seconds, and the bytes of data and of the peaks."""
    import torch

    from model import CircleModelV2
    from train import make_data, train

    torch.set_num_threads(1)
    settings = dict(epochs=PASSES, batch_size=BATCH_SIZE)
    train(CircleModelV2(), make_data(samples=1000), **settings)  # warm-up
    give_back_freed_memory()
    forget_peak()
    base = peak_memory()
    data = make_data(samples=points)
    making = peak_memory() - base
    give_back_freed_memory()
    forget_peak()
    duration = seconds(train, CircleModelV2(), data, **settings)
    size = sum(tensor.nbytes for tensor in data[:4])
    answer = dict(seconds=duration, data=size, making=making, training=peak_memory() - base)
    print(json.dumps(answer))


def give_back_freed_memory():
    """Ask the C library to return to the system what has been freed; it keeps some of it."""
    with suppress(OSError, AttributeError):  # it isn't glibc
        ctypes.CDLL(None).malloc_trim(0)


def run(points):
    """Return the figures of one run, in a process of its own."""
    return in_a_process(f"from benchmarks import growth; growth.print_run({points})")


def medians(runs, key):
    """Return the median of one figure for each number of points."""
    return [statistics.median(run[key] for run in several) for several in runs.values()]


def plot(runs):
    """Return a figure of time and memory for each point: a flat line is linear growth."""
    from matplotlib.figure import Figure

    sizes = list(runs)
    figure = Figure(figsize=(9, 4), layout="constrained")
    left, right = figure.subplots(1, 2)
    nanoseconds = [
        1e9 * time / points / PASSES
        for points, time in zip(sizes, medians(runs, "seconds"), strict=True)
    ]
    left.plot(sizes, nanoseconds, "o-", color="black")
    left.set(title="Time of training", ylabel="ns for each point and pass", yscale="log")
    for key, style, label in (
        ("training", "o-", "training, with the data"),
        ("making", "^--", "making the data"),
    ):
        pairs = zip(medians(runs, key), medians(runs, "data"), strict=True)
        right.plot(sizes, [peak / data for peak, data in pairs], style, color="black", label=label)
    right.axhline(ALLOWED, color="grey", ls=":", label=f"goal from {sizes[-1]:,} points on")
    right.set(title="Peak of memory", ylabel="times the data", yscale="log")
    figure.legend(loc="outside lower center", ncols=3)
    for ax in (left, right):
        ax.set(xscale="log", xlabel="points")
        ax.yaxis.set_major_formatter("{x:g}")
        ax.yaxis.set_minor_formatter("{x:g}")
        ax.grid(alpha=0.3)
    return figure


def tenfold(runs):
    """Return a sentence: what each tenfold of the points does to the time and the memory."""
    parts = []
    for points, more in pairwise(points for points in runs if points >= LINEAR_FROM):
        factors = [
            medians({0: runs[more]}, key)[0] / medians({0: runs[points]}, key)[0]
            for key in ("seconds", "training")
        ]
        parts.append("{:.1f} and {:.1f} from {:,}".format(*factors, points))
    return f"Ten times the points take so many times the time and the memory: {listed(parts)}."


def free_memory():
    """Return the bytes of memory that are free, as Linux counts them."""
    text = Path("/proc/meminfo").read_text()
    return 1024 * int(text.split("MemAvailable:")[1].split()[0])


def random_order(points):
    """Return the median seconds that it takes to draw the order of so many points."""
    import torch

    return statistics.median(seconds(torch.randperm, points) for _ in range(5))


def compare(points, runs):
    """Return the lines for so many points: the time against a tenth of them, and the memory."""
    these, tenth = runs[points], runs[points // 10]
    times = [run["seconds"] for run in these]
    linear = [10 * run["seconds"] for run in tenth[: len(these)]]
    peaks = [run["training"] for run in these]
    allowed = [ALLOWED * run["data"] for run in these]
    return [
        Line(
            f"training on {points:,} points",
            middle(times),
            f"10 times the time of {points // 10:,} points: {middle(linear)}",
            ratios(linear, times),
            LINEAR,
            versions("torch"),
        ),
        Line(
            f"its memory at {points:,} points",
            f"{statistics.median(peaks) / 1e6:.0f} MB",
            f"{ALLOWED} times the data: {allowed[0] / 1e6:.0f} MB",
            ratios(allowed, peaks),
            1,
            versions("torch"),
        ),
    ]


def measure(quick: bool) -> tuple[list[Line], list[str]]:
    sizes = [10**4, 10**5, 10**6] if quick else [10**3, 10**4, 10**5, 10**6, 10**7]
    runs = {points: [] for points in sizes}
    for _ in range(1 if quick else 3):
        for points in sizes:
            runs[points].append(run(points))
    notes = []
    more = 10 * sizes[-1]
    needed = 12 * max(max(run["training"], run["making"]) for run in runs[sizes[-1]])
    if not quick and needed < free_memory():
        runs[more] = [run(more)]
    elif not quick:
        notes.append(
            f"Training on {more:,} points wasn't run: it would need {needed / 1e9:.1f} GB of "
            f"memory at the least, and {free_memory() / 1e9:.1f} GB were free."
        )

    figure = plot(runs)
    if not quick:
        figure.savefig(ROOT / "pictures" / "scaling.png", dpi=100)
    drawing = {points: random_order(points) for points in (10**6, 10**7)}
    worst = max(run["making"] / run["data"] for run in runs[max(runs)])
    notes.append(
        f"{tenfold(runs)} The goal for the time is to grow as points to the power of 1.05 at most, "
        f"so a ratio of at least {LINEAR:.2f}. Making the data takes {worst:.1f} times the data's "
        "memory, which isn't counted here."
    )
    notes.append(
        "To draw a random order takes "
        + " and ".join(
            f"{1e9 * time / points:.1f} ns a point for {points:,}"
            for points, time in drawing.items()
        )
        + "."
    )
    last = [points for points in runs if points >= sizes[-1]]
    return [line for points in last for line in compare(points, runs)], notes


if __name__ == "__main__":
    main(measure)
