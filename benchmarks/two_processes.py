"""Two processes against one at the same batches: the seconds that CircleModelV2 trains.

Both run train.py with one thread a process, two of them by torchrun; they average their gradients
over the machine's own network. Needs two cores.
"""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks.growth import random_order
from benchmarks.measure import Line, duration, in_turns, main, middle, ratios, versions

ROOT = Path(__file__).parent.parent
TORCHRUN = ("-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2")
CASES = (  # points, the batches' size where it isn't all, epochs, and the goal
    (10_000_000, 65_536, 3, None),
    (2_000_000, None, 5, 1.6),
)


def train_with(*launcher, **settings):
    """Return a contender that runs train.py and returns the seconds of CircleModelV2's training."""
    arguments = [
        f"--{name.replace('_', '-')}={value}"
        for name, value in settings.items()
        if value is not None
    ]

    def contender(number):
        with tempfile.TemporaryDirectory() as out:
            command = [sys.executable, *launcher, "train.py", *arguments, "--out", out]
            environment = os.environ | {"OMP_NUM_THREADS": "1"}
            subprocess.run(command, cwd=ROOT, env=environment, check=True, stdout=subprocess.PIPE)
            metrics = json.loads((Path(out) / "metrics.json").read_text())
        return metrics["models"]["CircleModelV2"]["seconds"]

    return contender


def measure(quick: bool) -> tuple[list[Line], list[str]]:
    lines = []
    for samples, batch_size, epochs, goal in CASES:
        if quick:
            samples //= 20
        settings = dict(samples=samples, batch_size=batch_size, epochs=epochs)
        contenders = {
            "ours": train_with(*TORCHRUN, device="cpu", **settings),
            "one process": train_with(device="cpu", **settings),
        }
        times = in_turns(contenders, 1 if quick else 5)
        lines.append(
            Line(
                f"two processes, {samples:,} points in "
                + (f"batches of {batch_size:,}" if batch_size else "full batch"),
                middle(times["ours"]),
                f"one process: {middle(times['one process'])}",
                ratios(times["one process"], times["ours"]),
                goal,
                versions("torch"),
            )
        )
    drawing = random_order(CASES[0][0] * 4 // 5)
    note = (
        f"Of two processes each draws the order of all points, which takes {duration(drawing)} an "
        f"epoch for {CASES[0][0]:,} points where one process does it alone, and at each step they "
        "wait for the slower one."
    )
    return lines, [note]


if __name__ == "__main__":
    main(measure)
